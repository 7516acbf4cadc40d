"""Browsers before a ticket, counted over random events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.tables import Table
from ticket_processor.reporting.before_tickets import BeforeTickets, count, tables

SINCE, UNTIL, NOW = 100, 400, 500
Event = tuple[bytes, str, int]
EVENTS = st.lists(
    st.tuples(st.sampled_from((b"a", b"b", b"c")), st.sampled_from(("shown", "opened", "sent")), st.integers(0, NOW)),
    max_size=25,
)


def counted(events: list[Event]) -> BeforeTickets:
    return count(events, SINCE, UNTIL, NOW)


def of_one(browser: bytes, events: list[Event]) -> str:
    """What became of one browser, in the slowest way there is: hour by hour."""
    timeline: dict[int, set[str]] = {hour: set() for hour in range(NOW + 1)}
    for who, what, hour in events:
        if who == browser:
            timeline[hour].add(what)
    period = range(SINCE, UNTIL)
    if not any(timeline[hour] & {"shown", "opened"} for hour in period):
        return "never seen"
    opened = [hour for hour in period if "opened" in timeline[hour]]
    if not opened:
        return "shown"
    for hour in range(opened[0], min(opened[-1] + 24, NOW) + 1):
        if "sent" in timeline[hour]:
            return "sent"
    if opened[-1] + 24 >= NOW:
        return "too early"
    after = range(opened[-1] + 25, min(opened[-1] + 24 * 7, NOW) + 1)
    return "back" if any("sent" in timeline[hour] for hour in after) else "answered"


@given(EVENTS)
def test_each_browser_is_counted_once_as_its_own_story_says(events: list[Event]) -> None:
    fates = [of_one(browser, events) for browser in (b"a", b"b", b"c")]
    found = counted(events)
    assert found.shown == sum(fate != "never seen" for fate in fates)
    assert found.opened == sum(fate not in ("never seen", "shown") for fate in fates)
    assert (found.unsent, found.back) == (fates.count("back") + fates.count("answered"), fates.count("back"))
    assert (found.answered, found.open_yet) == (fates.count("answered"), fates.count("too early"))


@given(EVENTS, st.randoms(), st.tuples(st.sampled_from((b"a", b"b", b"c")), st.just("sent"), st.integers(0, NOW)))
def test_order_and_repeats_do_not_matter_and_a_ticket_never_makes_more_answered(
    events: list[Event], dice: object, ticket: Event
) -> None:
    found = counted(events)
    mixed = [*events, *events]
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    assert counted(mixed) == found
    assert counted([*events, ticket]).answered <= found.answered
    assert found.shown >= found.opened >= found.unsent + found.open_yet
    assert found.unsent >= found.back


def test_the_table_says_what_it_cannot_know_and_nothing_where_nobody_was_shown_anything() -> None:
    shown: list[Table] = [*tables(BeforeTickets(shown=1200, opened=30, unsent=20, back=5, open_yet=2))]
    assert "given up, written by mail, used another browser, or deleted its cookies" in shown[0].rows[0][0]
    assert "Of 2 browsers it is too early to tell." in shown[0].rows[0][0]
    assert [row[1] for row in shown[1].rows] == ["1,200", "30", "20", "5", "15"]
    assert [*tables(None), *tables(BeforeTickets())] == []

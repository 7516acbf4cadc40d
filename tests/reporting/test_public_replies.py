"""What became of a public reply: resolved only where nobody came back, and young ones apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ticket_processor.core.clock import iso
from ticket_processor.helpdesk.ticket_history import Edit, History
from ticket_processor.reporting.public_replies import PublicReplies, fate_of

from ..support.fakes import START, a_ticket

BOT, AGENT, CUSTOMER = 99, 7, 500
DAY = 86_400.0
NOW = START
SENT = 40 * DAY
"""How long ago the reply was sent."""


def edit(ago: float, **facts: Any) -> Edit:
    return Edit(at=iso(NOW - ago), **facts)


def said(ago: float, author: int, **facts: Any) -> Edit:
    return edit(ago, author=author, comment="public", text="Words", **facts)


def status(ago: float, after: str, author: int = AGENT, **facts: Any) -> Edit:
    return edit(ago, author=author, status=("open", after), **facts)


def reply(ago: float = SENT, **facts: Any) -> tuple[Edit, ...]:
    return (
        said(ago + DAY, CUSTOMER, creation=True),
        edit(ago + 10, author=BOT, way="api", key="k1", comment="internal"),
        said(ago, BOT, way="api", key="k2", **facts),
    )


def fate(*later: Edit, sent: float = SENT, ticket_status: str = "closed", came: bool | None = False) -> str:
    ticket = a_ticket(1, touched=DAY, requester=CUSTOMER, status=ticket_status)
    asked: list[tuple[float, float]] = []

    def back(since: float, until: float) -> bool | None:
        asked.append((since, until))
        return came

    found = fate_of(History(edits=(*reply(sent), *later)), ticket, NOW, back)
    assert len(asked) <= 1
    return found


SOLVED = status(SENT - DAY, "solved", way="rules")


@pytest.mark.parametrize(
    "later",
    [
        [SOLVED],
        [status(SENT - DAY, "solved", AGENT)],
        [status(SENT - DAY, "solved", BOT, key="k3", way="api")],
        [status(SENT - DAY, "pending", BOT, key="k3", way="api"), status(SENT - 6 * DAY, "solved", way="rules")],
        [SOLVED, status(SENT - 5 * DAY, "closed", way="rules")],
        [edit(SENT - DAY / 2, author=AGENT, comment="internal"), SOLVED],
        [SOLVED, said(SENT - 2 * DAY, -1, way="rules")],
        [SOLVED, said(SENT - 16 * DAY, CUSTOMER)],
    ],
)
def test_a_ticket_is_resolved_when_it_was_solved_and_nobody_came_back_within_14_days(later: Sequence[Edit]) -> None:
    assert fate(*later) == "resolved"


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ([said(SENT - 1, CUSTOMER), SOLVED], "wrote_again"),
        ([SOLVED, said(SENT - 14 * DAY, CUSTOMER)], "wrote_again"),
        ([SOLVED, status(SENT - 3 * DAY, "open", way="rules")], "reopened"),
        ([said(SENT - 60, AGENT), SOLVED], "person_replied"),
        ([SOLVED, said(SENT - 3 * DAY, AGENT)], "person_replied"),
        ([], "not_solved"),
        ([status(SENT - DAY, "pending")], "not_solved"),
    ],
)
def test_a_ticket_that_came_back_or_took_a_person_is_never_called_resolved(
    later: Sequence[Edit], expected: str
) -> None:
    assert fate(*later, ticket_status="open" if expected == "not_solved" else "closed") == expected


def test_a_new_ticket_of_the_same_person_and_category_is_no_resolution() -> None:
    assert fate(SOLVED, came=True) == "new_ticket"
    assert fate(SOLVED, came=None) == "whose requester's other tickets cannot be listed"


def test_what_is_younger_than_14_days_is_too_early_to_tell() -> None:
    assert fate(sent=13.9 * DAY) == "too_early"
    assert fate(status(DAY, "solved", way="rules")) == "too_early"
    assert fate(said(DAY, CUSTOMER), sent=2 * DAY) == "too_early"


def test_where_the_record_has_no_status_the_last_change_counts_as_the_moment_of_solving() -> None:
    assert fate() == "too_early"
    ticket = a_ticket(1, age=60 * DAY, touched=15 * DAY, requester=CUSTOMER, status="solved")
    assert fate_of(History(edits=reply()), ticket, NOW, lambda _since, _until: False) == "resolved"


def test_a_record_without_our_reply_tells_nothing() -> None:
    ticket = a_ticket(1, requester=CUSTOMER, status="closed")
    found = fate_of(History(edits=(*reply()[:2], SOLVED)), ticket, NOW, lambda _since, _until: False)
    assert found == "without our reply in its history"


def test_the_rate_is_of_those_of_which_it_can_be_told() -> None:
    assert PublicReplies(sent=9, too_early=4, read=4, resolved=3, not_read=1).rate == 0.75
    assert PublicReplies(sent=9, too_early=9).rate is None

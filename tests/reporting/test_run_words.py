"""What a run comes to for people: what is worth a look, why no model answered, what to do next, which tickets tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.models import Outcome, OutcomeStatus, Priority, Ticket
from ticket_processor.core.run_summary import RunSummary, Writes
from ticket_processor.reporting.run_words import (
    MOST_IN_FULL,
    MOST_LISTED,
    RunTally,
    Seen,
    difference,
    headline,
    next_steps,
    outcome_line,
    planned_lines,
    spread,
    summary_text,
    why_no_model,
)
from ticket_processor.settings.helpdesks import ZendeskSettings
from ticket_processor.wiring.desks import LONGEST, MOST_KEPT, NO_SUBJECT, Subjects, shown_subject

from ..support.fakes import a_change, an_analysis

DESK = ZendeskSettings(url="acme")


def ended(number: int = 7, status: OutcomeStatus = OutcomeStatus.UPDATED, **changes: object) -> Outcome:
    change = None if status is OutcomeStatus.FAILED else a_change(number, **changes)
    return Outcome(ticket_id=number, status=status, reason="by m-1", change=change, analysis=an_analysis())


def tally() -> RunTally:
    return RunTally("ai_review", lambda number: f"subject {number}", DESK.ticket_url)


def a_ticket(subject: str, number: int = 1, **fields: object) -> Ticket:
    return Ticket.model_validate(
        {"id": number, "subject": subject, "created_at": "2026-11-22T08:00:00Z", "updated_at": "2026-11-22T08:00:00Z"}
        | fields
    )


# What is worth a look


def test_escalated_failed_and_unsure_tickets_are_counted_and_listed_the_most_pressing_first() -> None:
    seen = tally()
    seen.take(ended(1, tags_added=("ai_processed", "ai_review")))
    seen.take(ended(2))
    seen.take(ended(3, OutcomeStatus.FAILED))
    seen.take(ended(4, escalated=("security", "high_risk")))
    assert seen.counts == {"escalated": 1, "failed": 1, "suspicious": 0, "unsure": 1}
    assert [(one.outcome.ticket_id, one.why, one.url) for one in seen.look_at] == [
        (4, ("escalated",), "https://acme.zendesk.com/agent/tickets/4"),
        (3, ("failed",), "https://acme.zendesk.com/agent/tickets/3"),
        (1, ("unsure",), "https://acme.zendesk.com/agent/tickets/1"),
    ]
    assert seen.escalated == [(4, ("security", "high_risk"))]


def test_of_a_long_run_few_tickets_are_kept_and_few_subjects_are_redacted() -> None:
    asked: list[int] = []

    def subject_of(number: int) -> str:
        asked.append(number)
        return "s"

    seen = RunTally("ai_review", subject_of)
    for number in range(1, 1001):
        seen.take(ended(number, escalated=("critical",)), shown=False)
    assert seen.counts["escalated"] == 1000
    assert len(seen.look_at) == len(asked) == MOST_LISTED


def test_a_tickets_line_and_its_difference_name_it_and_say_where_it_is() -> None:
    seen = tally().take(ended(7))
    address = "https://acme.zendesk.com/agent/tickets/7"
    assert outcome_line(seen).endswith(f"; “subject 7”; {address}")
    assert difference(seen).splitlines()[0] == f"ticket 7 (by m-1)  “subject 7”  {address}"


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        (ZendeskSettings(url="https://help.example.com"), "https://help.example.com/agent/tickets/7"),
        (ZendeskSettings(), ""),
    ],
)
def test_the_address_is_that_of_the_configured_helpdesk(settings: ZendeskSettings, address: str) -> None:
    assert settings.ticket_url(7) == address


# The summary


def test_tickets_that_are_left_alone_stand_apart_from_those_that_a_limit_counts() -> None:
    summary = RunSummary(run_id="r", dry_run=False, outcomes={"updated": 2, "skipped": 200})
    assert headline(summary) == "Run r: 2 updated, 200 left alone (0.0 s)"


def test_a_dry_run_over_tickets_that_are_done_says_so() -> None:
    summary = RunSummary(run_id="r", dry_run=True, known={"already_done": 40})
    assert headline(summary) == "Dry run r: nothing to do, 40 already done (0.0 s)"


def test_why_rules_answered_is_told_in_words() -> None:
    summary = RunSummary(
        run_id="r",
        dry_run=False,
        outcomes={"updated": 7},
        fallbacks={"model_timeout": 2, "model_http_503": 1, "model_unreachable": 4},
        causes={"model_unreachable": "connection refused"},
    )
    assert why_no_model(summary) == [
        "the model server is unreachable: connection refused: 4",
        "the model server gave no answer in time: 2",
        "the model server answers HTTP 503: 1",
    ]
    assert "no model answered, because the model server is unreachable: connection" in summary_text(summary, None)


def test_at_most_three_things_are_proposed_and_the_most_pressing_first() -> None:
    seen = tally()
    for number in range(3):
        seen.take(ended(number, escalated=("critical",), tags_added=("ai_review",)))
    summary = RunSummary(
        run_id="r",
        dry_run=False,
        outcomes={"updated": 2, "failed": 1},
        fallbacks={"model_timeout": 1},
        writes=Writes(singly=2),
    )
    steps = next_steps(summary, seen)
    assert [next(name for name in ("escalated", "retry list", "health") if name in step) for step in steps] == [
        "escalated",
        "retry list",
        "health",
    ]
    idle = next_steps(RunSummary(run_id="r", dry_run=False), tally())
    assert idle == []


# Subjects


def test_a_subject_is_shown_redacted_on_one_line_and_shortened() -> None:
    ticket = a_ticket(
        "Card 4111 1111 1111 1111\nof Jane Roe, jane@example.com " + "and more " * 20, names=("Jane Roe",)
    )
    shown = shown_subject(ticket.subject, ticket.names)
    assert "4111" not in shown
    assert "Roe" not in shown
    assert "@" not in shown
    assert "\n" not in shown
    assert len(shown) <= LONGEST
    assert shown_subject("") == NO_SUBJECT


def test_subjects_are_forgotten_before_they_fill_the_memory() -> None:
    subjects = Subjects()
    for number in range(1, MOST_KEPT + 11):
        subjects.saw(a_ticket(f"matter {number}", number))
    assert subjects.of(10) == ""
    assert subjects.of(11) == "matter 11"
    assert subjects.of(0) == ""


def test_of_many_tickets_some_are_shown_from_the_first_to_the_last() -> None:
    rows = [Seen(ended(number)) for number in (5, 2, 3, 4, 1, 6)]
    assert [one.number for one in spread(rows, 3)] == [1, 3, 5]
    assert [one.number for one in spread(rows)] == [1, 2, 3, 4, 5, 6]


# A dry run


def planned(number: int, **changes: object) -> Seen:
    change = a_change(number, **changes)
    outcome = Outcome(
        ticket_id=number, status=OutcomeStatus.PLANNED, reason="by m-1", change=change, analysis=an_analysis()
    )
    return Seen(outcome, f"subject {number}")


@given(st.integers(1, 400), st.booleans())
def test_a_dry_run_fits_a_screen_however_many_tickets_it_is_about(count: int, details: bool) -> None:
    tickets = [planned(number, note="One\nTwo") for number in range(1, count + 1)]
    lines = planned_lines(tickets, details=details)
    if details or count <= MOST_IN_FULL:
        assert "\n".join(lines) == "\n".join(map(difference, tickets))
        return
    assert len(lines) <= 45
    assert sum(line.startswith("ticket ") for line in lines) == min(count, MOST_LISTED)
    assert any(f"other {count - MOST_LISTED:,}:" in line for line in lines) is (count > MOST_LISTED)


def test_values_that_are_kept_and_that_nobody_sets_are_counted_apart() -> None:
    tickets = [
        planned(1),
        planned(2),
        planned(3, priority=None),
        planned(4, priority=None, priority_before=Priority.LOW),
    ]
    lines = planned_lines([*tickets, planned(5, escalated=("high_risk", "security"))])
    assert "  priority: high 3, set already 1, not set 1" in lines
    assert "  escalated: 1 (high risk 1, security 1)" in lines
    assert lines[0] == "Would be written on 5 tickets, 5 with a note:"

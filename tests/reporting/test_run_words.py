from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.models import Outcome, OutcomeStatus, Ticket
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
    summary_text,
    why_no_model,
)
from ticket_processor.settings.helpdesks import ZendeskSettings
from ticket_processor.wiring.desks import LONGEST, NO_SUBJECT, shown_subject

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


def test_a_tickets_line_and_its_difference_name_it_and_say_where_it_is() -> None:
    seen = tally().take(ended(7))
    address = "https://acme.zendesk.com/agent/tickets/7"
    assert outcome_line(seen).endswith(f"; “subject 7”; {address}")
    assert difference(seen).splitlines()[0] == f"ticket 7 (by m-1)  “subject 7”  {address}"


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

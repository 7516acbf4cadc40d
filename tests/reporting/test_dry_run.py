"""What a dry run says before its summary: everything of a few tickets, an extract of many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.models import Outcome, OutcomeStatus, Priority
from ticket_processor.reporting.run_words import MOST_IN_FULL, MOST_SHORT, Seen, difference, planned_lines

from ..support.fakes import a_change, an_analysis


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
    assert sum(line.startswith("ticket ") for line in lines) == min(count, MOST_SHORT)
    assert any(f"other {count - MOST_SHORT:,}:" in line for line in lines) is (count > MOST_SHORT)


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

"""What an intake stands between, for the tests of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.models import Ticket
from ticket_processor.helpdesk.protocol import Helpdesk
from ticket_processor.pipeline.select import Triage
from ticket_processor.policy.decide import Policy
from ticket_processor.policy.skip_rules import Selection, SkipRules
from ticket_processor.state.store import CURSOR, State


class Gate:
    """Lets every ticket through, and counts them; ``go_on`` may raise."""

    def __init__(self) -> None:
        self.looks = 0
        self.go_on: Callable[[], None] = lambda: None

    def before_ticket(self) -> None:
        self.looks += 1
        self.go_on()

    def turn_over(self, ticket_id: int) -> bool:
        return False


class Screening(Triage):
    """A planner that plans nothing: it knows the policy, and, where ``held`` says so, that a write may be there."""

    def __init__(self, desk: Helpdesk, selection: Selection | None = None) -> None:
        audit = cast(AuditLog, None)
        policy, chosen = Policy(), selection or Selection(SkipRules())
        super().__init__(desk, audit, policy, selection=chosen, stable_read_s=6.0, decide=cast(Any, None))
        self.held = False

    def may_hold_our_write(self, ticket: Ticket, clean_stamp: str | None) -> bool:
        return self.held


class CursorState(State):
    """A state in memory that remembers every cursor it was given."""

    def __init__(self) -> None:
        super().__init__(None)
        self.cursors: list[str] = []

    def remember(self, **facts: Any) -> None:
        self.cursors += [facts[CURSOR]] if CURSOR in facts else []
        super().remember(**facts)

"""The sandbox as tests know it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ticket_processor.sandbox import app, faults
from ticket_processor.sandbox.messages import Request, Response

from . import webhooks
from .faults import ROW_KINDS, FaultPlan, FaultRule, spoil, update_many
from .rules import Rules, by_the_rules
from .stores import BusyDesk, LaggingStore
from .tickets import TicketWriter


class Sandbox(app.Sandbox):
    """A sandbox whose faults also strike rows and jobs, whose readings may lag, and which has further routes.

    Its model writes tickets where they are asked for.

    - ``search_lag``: seconds by which the search index lags behind.
    - ``replica_lag``: each reading of tickets by id (``show_many``, one ticket, its comments, its audits) shows a
      state of up to this many seconds ago, while the reply's ``Date`` is of now.
    - ``stamp_rule``: short for ``rules=Rules(stamp_rule=…)``.
    """

    stores: ClassVar = {"zendesk": LaggingStore, "freshdesk": BusyDesk}
    new_plan = FaultPlan

    def __init__(
        self,
        *arguments: Any,
        search_lag: float = 0.0,
        replica_lag: float = 0.0,
        stamp_rule: Any = "equal",
        rules: Any = None,
        helpdesk: app.HelpdeskName = "zendesk",
        **options: Any,
    ) -> None:
        if helpdesk == "zendesk":
            rules = rules or Rules(stamp_rule=stamp_rule)
        super().__init__(*arguments, rules=rules, helpdesk=helpdesk, **options)
        self.openai.known = TicketWriter()
        if helpdesk == "zendesk":
            self.store.index_lag, self.store.replica_lag = search_lag, replica_lag
            self.api.routes |= {**webhooks.ROUTES, "PUT tickets/update_many": update_many}
            self.api.routes |= by_the_rules(self.api.routes)

    def way_to(self, request: Request) -> Callable[[], Response]:
        strikes = self.faults.of_job if isinstance(self.faults, FaultPlan) else {}
        seed = self.faults.dice.getrandbits(64) if strikes else 0
        handle = super().way_to(request)

        def way() -> Response:
            self.store.job_strikes = strikes, seed
            try:
                return handle()
            finally:  # where a plan has no rules, nothing sets the next request's
                self.store.job_strikes = {}, 0

        return way

    def misbehave(self, rule: faults.FaultRule, route: Callable[[], Response]) -> Response:
        if isinstance(rule, FaultRule) and rule.kind in ROW_KINDS:
            return spoil(route(), rule.kind, rule.ticket, rule.odd, self.faults.dice)
        return super().misbehave(rule, route)

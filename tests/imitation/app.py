"""The sandbox as tests know it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ticket_processor.sandbox import app
from ticket_processor.sandbox.messages import Request, Response

from . import solutions, webhooks
from .faults import FaultPlan, update_many
from .rules import FreshdeskRules, Rules, by_freshdesks_rules, by_the_rules
from .stores import BusyDesk, LaggingStore
from .tickets import TicketWriter


class Sandbox(app.Sandbox):
    """A sandbox whose faults also strike rows and jobs, whose readings may lag, and which has further routes.

    Its model writes tickets where they are asked for.

    - ``rules``: how the vendor acts where that is not certain.
    - ``search_lag``: seconds by which the search index lags behind.
    - ``replica_lag``: each reading of tickets by id (``show_many``, one ticket, its comments, its audits) shows a
      state of up to this many seconds ago, while the reply's ``Date`` is of now.

    Each function in ``on_request`` is called with a request before it is handled, each in ``after_request`` with the
    request and its response after the state has changed; both outside the lock, so they may edit tickets, call
    :meth:`handle`, or block while other threads go on.
    """

    helpdesks: ClassVar = {
        "zendesk": app.HELPDESKS["zendesk"]._replace(store=LaggingStore),
        "freshdesk": app.HELPDESKS["freshdesk"]._replace(store=BusyDesk),
    }
    new_plan = FaultPlan

    def __init__(
        self,
        *arguments: Any,
        search_lag: float = 0.0,
        replica_lag: float = 0.0,
        rules: Any = None,
        helpdesk: app.HelpdeskName = "zendesk",
        **options: Any,
    ) -> None:
        super().__init__(*arguments, helpdesk=helpdesk, **options)
        self.on_request: list[Callable[[Request], None]] = []
        self.after_request: list[Callable[[Request, Response], None]] = []
        self.openai.known = TicketWriter()
        routes: dict[str, Any] = self.api.routes
        if helpdesk == "zendesk":
            self.store.go_by(rules or Rules())
            self.store.index_lag, self.store.replica_lag = search_lag, replica_lag
            routes |= {**solutions.ZENDESK, **webhooks.ROUTES, "PUT tickets/update_many": update_many}
            routes |= by_the_rules(routes)
        else:
            self.store.go_by(rules or FreshdeskRules())
            routes |= {**solutions.FRESHDESK, **by_freshdesks_rules(dict(routes))}

    def handle(self, request: Request) -> Response:
        for before in self.on_request:
            before(request)
        response = super().handle(request)
        for after in self.after_request:
            after(request, response)
        return response

    def way_to(self, request: Request) -> Callable[[], Response]:
        strikes = self.faults.of_job if isinstance(self.faults, FaultPlan) else {}
        seed = self.faults.dice.getrandbits(64) if strikes else 0
        handle = super().way_to(request)

        def way() -> Response:
            self.store.job_strikes = strikes, seed
            return handle()

        return way

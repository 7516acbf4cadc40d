"""The sandbox's core: one function from request to response, over its own state and its own clock."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from .access import Authenticator, Credentials, FreshdeskLimits, RequestLimits
from .clock import OffsetClock, SandboxClock, http_date, iso
from .faults import FaultPlan, FaultRule, instead
from .freshdesk_api import FreshdeskApi
from .freshdesk_store import FreshdeskRules, FreshdeskStore
from .messages import PREFIX, Request, Response, json_response, route_of
from .openai_api import OpenAIApi
from .store import Audit, Store
from .zendesk_api import TOKEN_PATHS, ZendeskApi
from .zendesk_call import Rules
from .zendesk_store import ZendeskStore

HelpdeskName = Literal["zendesk", "freshdesk"]
MARKER = "ai_processed"
"""The tag counted as ``marked`` in the statistics."""


class Sandbox:
    """An imitation of a helpdesk's API, Zendesk's or Freshdesk's, and of an OpenAI-compatible API.

    Thread-safe: one lock around all state; nothing sleeps inside it. Waiting and broken connections are
    only described, in :attr:`Response.delay` and :attr:`Response.fate`; a shell acts them out.

    - ``helpdesk``: who answers. Zendesk's state is ``store``, Freshdesk's is ``desk``; the other one stays empty.
    - ``plan``: rate limits, a name from :data:`~.access.PLANS` or :data:`~.access.FRESHDESK_PLANS`.
    - ``seed``: makes generated ids, faults and latencies repeatable.
    - ``faults``: a plan, or its compact text.
    - ``bot_role``: ``admin``, or ``agent``, who may not use Zendesk's incremental export, nor see Freshdesk's set-up.
    - ``rules``, ``freshdesk_rules``: how the vendor acts where that is not certain.

    Hooks: each function in ``on_request`` is called with a request before it is handled, each in
    ``after_request`` with the request and its response after the state has changed; both outside the lock, so they
    may edit tickets, call :meth:`handle`, or block while other threads go on.

    Routes that no vendor's API has: ``GET /sandbox/stats``; ``/`` and a ticket's address, for a browser, as JSON.
    """

    new_store = ZendeskStore
    new_desk = FreshdeskStore
    new_plan = FaultPlan

    def __init__(
        self,
        clock: SandboxClock | None = None,
        plan: str = "enterprise",
        seed: int = 0,
        faults: FaultPlan | str | None = None,
        llm_latency: Callable[[int], float] | None = None,
        bot_role: str = "admin",
        *,
        rules: Rules | None = None,
        credentials: Credentials | None = None,
        base_url: str = "http://sandbox.invalid",
        helpdesk: HelpdeskName = "zendesk",
        freshdesk_rules: FreshdeskRules | None = None,
    ) -> None:
        self.clock: SandboxClock = clock or OffsetClock()
        self.seed = seed
        self.credentials = credentials or Credentials()
        self.store = self.new_store(self.clock, seed=seed, base_url=base_url)
        self.desk = self.new_desk(self.clock, freshdesk_rules, seed=seed, base_url=base_url)
        self.helpdesk = helpdesk
        self.plan = plan
        # The one that is not asked has the defaults.
        is_freshdesk = helpdesk == "freshdesk"
        self.agenda: Store = self.desk if is_freshdesk else self.store
        if bot_role not in ("admin", "agent"):
            raise ValueError("bot_role is one of admin, agent")
        self.limits = RequestLimits("unlimited" if is_freshdesk else plan)
        self.auth = Authenticator(self.credentials, self.store, bot_role)
        self.zendesk = ZendeskApi(self.store, self.auth, self.limits, rules or Rules())
        self.freshdesk = FreshdeskApi(self.desk, self.auth, FreshdeskLimits(plan if is_freshdesk else "unlimited"))
        self.openai = OpenAIApi(self.credentials.openai_key, llm_latency, seed)
        self.faults = self.new_plan.parse(faults, seed) if isinstance(faults, str) else faults or self.new_plan()
        self.on_request: list[Callable[[Request], None]] = []
        self.after_request: list[Callable[[Request, Response], None]] = []
        self.requests: Counter[str] = Counter()
        self._date = (0, "")

    # --- numbers --------------------------------------------------------------------------------------

    @property
    def llm_calls(self) -> int:
        """Chat completions answered."""
        return self.openai.calls

    def stats(self) -> dict[str, object]:
        """Counts for a test, a benchmark or a person."""
        with self.agenda.lock:
            self.agenda.settle()
            living = [ticket.tags for ticket in self.agenda.tickets.values() if not ticket.deleted]
            return {
                "plan": self.plan,
                "now": self.agenda.now(),
                "tickets": len(living),
                "marked": sum(MARKER in tags for tags in living),
                "jobs": len(self.store.jobs),
                "requests": dict(sorted(self.requests.items())),
                "requests_total": sum(self.requests.values()),
                "llm_calls": self.llm_calls,
                "llm_latency_total": self.openai.latency_total,
                "faults": self.faults.counts(),
            }

    # --- requests -------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """The response to a request. Never raises for anything a client sent; hooks may raise."""
        for before in self.on_request:
            before(request)
        with self.agenda.lock:
            self.agenda.settle()
            response = self._respond(request)
            headers = response.headers
            now = int(self.agenda.now())
            if self._date[0] != now:
                self._date = (now, http_date(now))
            headers.setdefault("Date", self._date[1])
            headers["X-Ticketbot-Sandbox"] = "1"
        for after in self.after_request:
            after(request, response)
        return response

    def _respond(self, request: Request) -> Response:
        path = request.path
        if path.rstrip("/") == "/sandbox/stats":
            return json_response(200, self.stats())
        is_api = path.startswith((PREFIX, "/v1/")) or path in TOKEN_PATHS
        if not is_api:
            page = self._page(path.rstrip("/"))
            page.headers["X-Content-Type-Options"] = "nosniff"
            return page
        self.requests[self._template(request)] += 1
        if not self.faults.rules:
            return self._route(request)
        fault = self.faults.choose(request)
        route = self.way_to(request)
        return route() if fault is None else self.misbehave(fault, route)

    def _page(self, path: str) -> Response:
        """The list of tickets, the newest first, or one of them with all that was done to it."""
        found = re.fullmatch(r"(?:/a|/agent)?/tickets/(\d{1,18})", path)
        ticket = self.agenda.tickets.get(int(found[1])) if found else None
        if ticket is not None:
            return json_response(200, {"ticket": ticket.json, "changes": [_told(change) for change in ticket.audits]})
        if path:
            return json_response(404, {"error": "InvalidEndpoint", "description": "Not found"})
        newest_first = [self.agenda.tickets[number] for _, number in reversed(self.agenda.by_created)]
        rows = [{"id": each.id, "subject": each.json["subject"], "tags": each.tags} for each in newest_first]
        return json_response(200, {"tickets": rows})

    def way_to(self, request: Request) -> Callable[[], Response]:
        """What handles a request, now or later."""
        return partial(self._route, request)

    def _route(self, request: Request) -> Response:
        if request.path.startswith("/v1/"):
            return self.openai.handle(request, self.agenda.now())
        return self.freshdesk.handle(request) if self.agenda is self.desk else self.zendesk.handle(request)

    def misbehave(self, rule: FaultRule, route: Callable[[], Response]) -> Response:
        """What a client gets where a rule strikes a request that ``route`` handles."""
        kind, seconds = rule.kind, rule.seconds or 0.0
        if kind == "lost-request":
            return Response(0, fate="drop")
        if kind == "late-commit":
            self.agenda.later(self.agenda.now() + seconds, route)
            return Response(0, fate="drop")
        if kind in ("lost-reply", "half-body", "slow", "error-after"):
            response = route()
            if kind == "lost-reply":
                response.fate = "drop"
            elif kind == "half-body":
                response.fate = "half"
            elif kind == "slow":
                response.delay += seconds
            if kind != "error-after":
                return response
        return instead(rule, self.agenda.now(), self.faults.dice, self.helpdesk)

    def _template(self, request: Request) -> str:
        """A request's route for counting: method and path with ids left out."""
        if not request.path.startswith(PREFIX):
            return f"{request.method} {request.path.strip('/')}"
        return route_of(request.method, request.path.removesuffix(".json"))[0]


def _told(change: Audit) -> dict[str, Any]:
    comment = {} if change.comment is None else {f"comment {change.comment_was}": change.comment}
    return {"at": iso(change.at), "by": change.author_id, "actor": change.actor, **change.values, **comment}

"""An imitated Freshdesk account on virtual time, the real client and run on it, and books of what each request cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from ticket_processor.core.clock import Deadline
from ticket_processor.core.taxonomy import Taxonomy
from ticket_processor.freshdesk import Freshdesk
from ticket_processor.helpdesk.transport import Throttle
from ticket_processor.pipeline.jobs import Delivery
from ticket_processor.pipeline.run import Run
from ticket_processor.sandbox.messages import Request, Response
from ticket_processor.sandbox.store import StoredTicket
from ticket_processor.settings.helpdesks import FreshdeskSettings
from ticket_processor.state.store import State
from ticket_processor.wiring import parts

from ..imitation import FreshdeskRules, Sandbox
from .fakes import ManualClock
from .inmemory_adapter import InMemoryAdapter
from .memory_helpdesk import Ended, run_by_rules

BASE_URL = "http://127.0.0.1:1"
HOURS = 3600.0


@dataclass(frozen=True)
class Asked:
    """A request as the account answered it, and what our throttle had booked for it."""

    moment: float
    request: Request
    status: int
    credits: int
    booked: int

    @property
    def what(self) -> str:
        """Such as ``GET /tickets/7``."""
        return f"{self.request.method} {self.request.path.removeprefix('/api/v2')}"


class FreshAccount:
    """The sandbox, and a client that reaches it in ``latency`` seconds, during which work that is due is done."""

    def __init__(
        self, *, latency: float = 0.0, share: float = 0.5, rules: FreshdeskRules | None = None, **options: Any
    ) -> None:
        self.clock = ManualClock()
        self.latency = latency
        self.state = State(None)
        self.asked: list[Asked] = []
        self._booked: list[int] = []
        given = {"plan": "unlimited", **options}
        self.sandbox = Sandbox(self.clock, helpdesk="freshdesk", rules=rules, **given)
        self.sandbox.after_request.append(self._keep)
        self.desk = self.sandbox.store
        with mock.patch.object(parts, "Throttle", self._throttle):
            self.transport = parts.transport_for(
                FreshdeskSettings(url=BASE_URL, api_key="sandbox-api-key"),  # type: ignore[arg-type]
                self.clock,
                Deadline(self.clock, 9_000 * HOURS),
                state=self.state,
                share=share,
                adapter=lambda: InMemoryAdapter(self.sandbox, sleep=self.clock.wait),
            )
        self.client = Freshdesk(self.transport, self.state)

    def add(self, subject: str = "Charged twice", text: str = "I was charged twice.", **fields: Any) -> StoredTicket:
        """A ticket that is two hours old, unless ``fields`` say otherwise."""
        given = {"created_at": self.clock.now() - 2 * HOURS, **fields}
        return self.desk.create(subject=subject, body=text, **given)

    def run(
        self,
        folder: Path,
        name: str = "run",
        *,
        taxonomy: Taxonomy | None = None,
        anew: Collection[int] = (),
        **options: Any,
    ) -> Ended:
        """One whole run by rules. Without ``since`` it goes on where the last one ended; or some tickets ``anew``."""
        self.client = Freshdesk(self.transport, self.state)  # which knows nothing of the last run's
        return run_by_rules(
            self.client,
            self.state,
            self.clock,
            folder,
            name,
            taxonomy=taxonomy,
            seconds=9_000 * HOURS,
            work=(lambda run: run.only(anew, anew=True)) if anew else Run.execute,
            delivery=Delivery("single", together=1),
            **options,
        )

    def requests(self) -> list[str]:
        """What was asked since the last call of this, in order."""
        found = [item.what for item in self.asked]
        self.asked.clear()
        return found

    def per_minute(self) -> Mapping[int, int]:
        """Credits that were used in each minute of the clock."""
        used: Counter[int] = Counter()
        for item in self.asked:
            used[int(item.moment // 60)] += item.credits
        return used

    @contextmanager
    def before(self, method: str, path: str, act: Callable[[], object]) -> Any:
        """``act`` once, just before the first request with this method whose path ends so."""
        left = [act]

        def look(request: Request) -> None:
            if left and request.method == method and request.path.endswith(path):
                left.pop()()

        self.sandbox.on_request.append(look)
        try:
            yield
        finally:
            self.sandbox.on_request.remove(look)

    def _keep(self, request: Request, response: Response) -> None:
        credits = int(response.headers.get("X-RateLimit-Used-CurrentRequest", 0))
        booked = self._booked.pop() if self._booked else 0
        self.asked.append(Asked(self.clock.now(), request, response.status, credits, booked))
        self.clock.advance(self.latency)

    def _throttle(self, *given: Any, **named: Any) -> Throttle:
        booked = self._booked

        class Booking(Throttle):
            def delay(self, limits: Iterable[str] | Mapping[str, int]) -> float:
                wait = super().delay(limits)
                if wait <= 0:
                    costs = limits if isinstance(limits, Mapping) else dict.fromkeys(limits, 1)
                    booked.append(costs.get("account", 0))
                return wait

        return Booking(*given, **named)

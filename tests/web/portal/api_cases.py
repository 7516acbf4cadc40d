"""Requests that schemathesis makes up from the API's own document, against the portal in this process."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ticket_processor.helpdesk.local_model import AI, NewTicket, Query
from ticket_processor.helpdesk.local_store import LocalStore, Scope
from ticket_processor.web.portal.application import make_portal
from ticket_processor.web.portal.parts import Portal

if TYPE_CHECKING:
    from schemathesis import Case  # it takes a second to load

START = 1_800_000_000.0
KNOWN_IN_100 = 75
"""Of 100 cases about one ticket: those about a ticket that exists. Numbers that schemathesis invents are of none."""


@dataclass
class ApiSite:
    """A local helpdesk with some tickets, an agent and a token; its time goes on by a second with each request."""

    store: LocalStore
    scope: Scope = "write"
    at: float = START
    told: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        agent = self.store.add_person("ada@example.com", "Ada", "agent")
        for number in range(5):
            new = NewTicket(f"No invoice {number}", "It has not come. <b>&amp;", "ann@example.com", "Ann")
            made = self.store.create(new, self.at)
            note = "Triage: billing, urgency high, language en; by sandbox-model, confidence 0.76.\nRef tb-1"
            self.store.reply(made.id, AI, note, public=False, now=self.at, tags_add=["ai_billing"])
        self.agent = agent
        _, self.secret = self.store.add_token("ada@example.com", self.scope, "shop", self.at)
        self.portal = Portal(self.store, self.now, key=b"a key for tests only, 32 bytes long", notify=self._told)
        self.app = make_portal(self.portal)

    async def asked(self, scope: Any, receive: Any, send: Any) -> None:
        """The application, asked with the token, whatever token schemathesis invents."""
        if scope["type"] == "http":
            kept = [pair for pair in scope["headers"] if pair[0].lower() != b"authorization"]
            scope = {**scope, "headers": [*kept, (b"authorization", f"Bearer {self.secret}".encode())]}
        await self.app(scope, receive, send)

    def now(self) -> float:
        self.at += 1
        return self.at

    def _told(self, number: int) -> bool:
        self.told.append(number)
        return True


@dataclass
class Conformance:
    """What became of the cases: answers by operation and status, server errors, and answers that are not declared."""

    answers: Counter[str] = field(default_factory=Counter)
    server_errors: list[str] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)


@contextmanager
def api_site(scope: Scope = "write") -> Iterator[ApiSite]:
    """A site in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder, closing(LocalStore(Path(folder) / "helpdesk.sqlite3")) as store:
        yield ApiSite(store, scope)


def played(site: ApiSite, count: int, number: int = 0) -> Conformance:
    """Play so many cases, evenly by operation, half of them with something wrong in them; ``number`` is a seed."""
    import schemathesis
    from schemathesis import GenerationMode

    document = schemathesis.openapi.from_asgi("/api/openapi.json", site.asked)
    operations = [each.ok() for each in document.get_all_operations()]
    found, plays = Conformance(), len(operations) * 2
    for place, operation in enumerate(operations):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _play(site, operation.as_strategy(mode), -(-count // plays), number + place, found)
    return found


def _play(site: ApiSite, cases: Any, count: int, number: int, found: Conformance) -> None:
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from schemathesis.checks import FailureGroup, not_a_server_error
    from schemathesis.specs.openapi import checks

    declared = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
    ]
    chance = random.Random(number)

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def one(case: Case) -> None:
        _aim(site, case, chance)
        response = case.call()
        name = f"{case.method} {case.path}"
        found.answers[f"{name} {response.status_code}"] += 1
        if response.status_code >= 500:
            found.server_errors.append(f"{name}: {response.text}")
        try:
            case.validate_response(response, checks=declared)
        except FailureGroup as wrong:
            found.undeclared.extend(f"{name} {response.status_code}: {why.title}" for why in wrong.exceptions)

    one()


def _aim(site: ApiSite, case: Case, chance: random.Random) -> None:
    """Have most cases be about a ticket that exists, and changes of it as it is now."""
    if "number" in case.path_parameters and chance.randrange(100) < KNOWN_IN_100:
        ticket = chance.choice(site.store.search(Query(sort="created")).rows)
        case.path_parameters["number"] = ticket.number
        if chance.randrange(100) < KNOWN_IN_100 and case.method == "PATCH":
            case.headers["if-match"] = f'"{ticket.version}"'


def dumped(store: LocalStore) -> Sequence[str]:
    """Everything on the helpdesk."""
    with store.reading() as db:
        return list(db.iterdump())

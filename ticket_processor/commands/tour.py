"""``ticketbot run --sandbox``: seed an embedded sandbox, run against it over HTTP, and show before and after."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from pydantic import SecretStr

from ..analysis.model_server.settings import BudgetSettings, ModelSettings
from ..core.clock import Deadline, SystemClock
from ..core.models import VendorKind
from ..pipeline.recorder import Listener
from ..policy.note import category_words
from ..reporting.run_tally import Seen
from ..sandbox.app import Sandbox
from ..sandbox.clock import OffsetClock
from ..sandbox.freshdesk_auth import FreshdeskCredentials
from ..sandbox.freshdesk_records import MEDIUM, PRIORITIES, RESOLVED
from ..sandbox.openai_api import CHAT_MODEL
from ..sandbox.server import SandboxServer
from ..sandbox.zendesk_auth import Credentials as SandboxCredentials
from ..sandbox.zendesk_rules import Rules
from ..seeding.corpus import load_corpus, payload
from ..settings.helpdesks import FreshdeskSettings, ZendeskSettings
from ..settings.schema import ClassifierSettings, Settings
from ..wiring.desks import seed_target
from ..wiring.parts import transport_for
from ..wiring.runs import Finished, RunArguments, run
from ..wiring.ticket_subjects import Subjects
from .before_after import BeforeAfter

HEAD_START_S = 600.0
"""The sandbox's clock is moved on by this after seeding: the export withholds the newest minute."""
_NAMES = {number: name.lower() for number, name in PRIORITIES.items()}


@dataclass(frozen=True)
class _Shown:
    """The tags and the priority of a ticket, as people call them."""

    tags: tuple[str, ...]
    priority: str | None


class Tour:
    """The main job from end to end without any account: real clients, real run, real receipts.

    A context manager: it owns the sandbox and the state folder. ``seeded`` is a sentence on the tickets in it.
    """

    def __init__(self, settings: Settings, clock: SystemClock, *, no_llm: bool) -> None:
        self._asked_settings = settings
        self._helpdesk: VendorKind = "freshdesk" if settings.helpdesk == "freshdesk" else "zendesk"
        self._clock = clock
        self._no_llm = no_llm
        self._stack = ExitStack()
        self.seeded = ""

    def __enter__(self) -> Tour:
        sandbox_clock = OffsetClock()
        self._sandbox = Sandbox(
            sandbox_clock,
            plan="unlimited",
            rules=Rules(job_seconds=(0.1, 0.0)),
            helpdesk=self._helpdesk,
        )
        server = self._stack.enter_context(SandboxServer(self._sandbox))
        folder = tempfile.TemporaryDirectory(prefix="ticketbot-", ignore_cleanup_errors=True)
        state = Path(self._stack.enter_context(folder))
        self._settings = at_sandbox(self._asked_settings, server.url, state, no_llm=self._no_llm)
        count = self._seed()
        self._people_were_there()
        sandbox_clock.advance(HEAD_START_S)
        self._before = self._tickets()
        self.seeded = f"{count} invented tickets seeded into a sandbox at {server.url}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def settings(self) -> Settings:
        """The settings of the tour's run."""
        return self._settings

    def run(self, asked: RunArguments, listener: Listener, subjects: Subjects) -> Finished:
        """The run itself; see :func:`run`."""
        asked = replace(asked, since=asked.since or 0.0)
        return run(self._settings, asked, clock=self._clock, listener=listener, subjects=subjects)

    def rows(self, ended: Sequence[Seen]) -> list[BeforeAfter]:
        """Each ticket with an outcome, before and after the run, by number."""
        rows, current = [], self._tickets()
        for seen in sorted(ended, key=lambda item: item.outcome.ticket_id):
            outcome = seen.outcome
            was, now = self._before[outcome.ticket_id], current[outcome.ticket_id]
            analysis, change = outcome.analysis, outcome.change
            rows.append(
                BeforeAfter(
                    ticket_id=outcome.ticket_id,
                    subject=seen.subject,
                    tags_before=was.tags,
                    tags_after=now.tags,
                    priority_before=was.priority,
                    priority_after=now.priority,
                    answered_by="-" if analysis is None else analysis.model or analysis.source,
                    note=f"{outcome.status}: {outcome.reason}" if change is None else change.note or "",
                    url=seen.url,
                    category="-" if analysis is None else category_words(analysis),
                    features=frozenset(_features(seen, was.tags, was.priority)),
                )
            )
        return rows

    def _seed(self) -> int:
        deadline = Deadline(self._clock, 120)
        with closing(transport_for(self._settings.desk, self._clock, deadline, share=1.0)) as transport:
            target = seed_target(self._settings, transport, deadline)
            return target.create(map(payload, load_corpus())).created

    def _tickets(self) -> dict[int, _Shown]:
        if self._settings.helpdesk == "freshdesk":
            found = {number: ticket.json for number, ticket in self._sandbox.desk.tickets.items()}
            return {number: _Shown(tuple(row["tags"]), _NAMES[row["priority"]]) for number, row in found.items()}
        return {
            number: _Shown(tuple(ticket.json["tags"]), ticket.json["priority"])
            for number, ticket in self._sandbox.store.tickets.items()
        }

    def _people_were_there(self) -> None:
        """Edit some tickets as people would, so that the tour shows which tickets a run leaves alone."""
        if self._settings.helpdesk == "freshdesk":
            desk = self._sandbox.desk
            first, second, third, *_ = desk.tickets
            desk.person_edit(first, add_tags=("vip",), priority=MEDIUM)
            desk.person_edit(second, add_tags=("ai_from_another_tool",))
            desk.person_edit(third, status=RESOLVED)
            return
        store = self._sandbox.store
        first, second, third, *_ = store.tickets
        store.person_edit(first, add_tags=("vip",), priority="low")
        store.person_edit(second, add_tags=("ai_from_another_tool",))
        store.person_edit(third, status="solved")


def _features(seen: Seen, tags: Sequence[str], priority: str | None) -> Iterator[str]:
    """The things that a ticket shows."""
    outcome, analysis = seen.outcome, seen.outcome.analysis
    yield from seen.why
    yield from seen.reasons
    if analysis is None:
        yield f"left alone: {outcome.reason}"
        return
    yield f"category {analysis.category}"
    yield f"urgency {analysis.urgency}"
    yield f"language {analysis.language}"
    yield f"mood {analysis.sentiment}"
    yield from (f"tag {tag}" for tag in tags)
    if priority:
        yield "priority of people"


def where_to_look(settings: Settings) -> tuple[str, ...]:
    """Sentences on where to look at the tour's results."""
    folder = settings.log_dir
    return (
        f"'ticketbot report' and 'ticketbot dashboard' show these receipts with TICKETBOT_LOG_DIR={folder}",
        "'ticketbot init' writes the settings files for an account of your own",
    )


def at_sandbox(settings: Settings, url: str, state: Path, *, no_llm: bool) -> Settings:
    """The site's policy and taxonomy, but the sandbox's helpdesk and model: nothing real is contacted or paid."""
    known = SandboxCredentials()
    models = ModelSettings(
        names=() if no_llm else (CHAT_MODEL,), base_url=f"{url}/v1", api_key=SecretStr(known.openai_key)
    )
    account = (
        FreshdeskSettings(url=url, api_key=SecretStr(FreshdeskCredentials().api_key))
        if settings.helpdesk == "freshdesk"
        else ZendeskSettings(
            url=url,
            oauth_client_id=known.oauth_client_id,
            oauth_client_secret=SecretStr(known.oauth_client_secret),
        )
    )
    return settings.model_copy(
        update={
            account.vendor.lower(): account,
            "helpdesk": account.vendor.lower(),
            "models": models,
            "budget": BudgetSettings(),
            "classifier": ClassifierSettings(use=False),
            "state_dir": state,
            "log_dir": settings.log_dir / "sandbox",  # never among the real receipts
            "notices": (),
        }
    )

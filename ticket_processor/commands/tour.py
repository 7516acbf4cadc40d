"""``ticketbot run --sandbox``: seed an embedded sandbox, run against it over HTTP, and show before and after."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ..analysis.model_server.settings import BudgetSettings, ModelSettings
from ..audit.files import log_keys
from ..core.clock import Deadline, SystemClock
from ..reporting.run_words import MOST_LISTED, Seen, spread
from ..sandbox.access import Credentials as SandboxCredentials
from ..sandbox.app import HELPDESKS, HelpdeskName, Sandbox, SandboxServer, account_of
from ..sandbox.basics import OffsetClock
from ..sandbox.openai_answers import KnownAnswers
from ..sandbox.openai_api import CHAT_MODEL
from ..seeding.accounts import create_missing
from ..seeding.corpus import load_corpus, payload
from ..seeding.synthetic import WRONG_CATEGORIES, WRONG_URGENCIES, fair_answers
from ..settings.schema import Settings
from ..wiring.parts import transport_for
from ..wiring.vendors import vendor_of
from .schedule import program
from .screen import Screen, harmless

HEAD_START_S = 600.0
"""The sandbox's clock is moved on by this after seeding: the export withholds the newest minute."""


@dataclass(frozen=True)
class _Shown:
    """The subject, the tags and the priority of a ticket, as people call them."""

    subject: str
    tags: tuple[str, ...]
    priority: str | None

    @property
    def words(self) -> str:
        """What was set; empty when nothing was."""
        return f"tags {' '.join(self.tags) or '-'}, priority {self.priority or '-'}" * bool(self.tags or self.priority)


class Tour:
    """The main job from end to end without any account: real clients, real run, real receipts.

    A context manager: it owns the sandbox and the state folder. ``seeded`` says what is in it and who understands it;
    ``settings`` are those of its run.
    """

    def __init__(self, settings: Settings, clock: SystemClock, *, no_llm: bool) -> None:
        self.settings = settings
        self._clock = clock
        self._no_llm = no_llm
        self._stack = ExitStack()
        self._corpus = load_corpus()
        self._labels = {ticket.subject: ticket.labels for ticket in self._corpus}
        self.seeded = ""

    def __enter__(self) -> Tour:
        sandbox_clock = OffsetClock()
        self._sandbox = Sandbox(sandbox_clock, plan="unlimited", helpdesk=helpdesk_for(self.settings))
        self._store: Any = self._sandbox.store
        server = self._stack.enter_context(SandboxServer(self._sandbox))
        folder = tempfile.TemporaryDirectory(prefix="ticketbot-", ignore_cleanup_errors=True)
        state = Path(self._stack.enter_context(folder))
        self.settings = at_sandbox(self.settings, server.url, state, no_llm=self._no_llm)
        count = self._seed()
        self._people_were_there()
        sandbox_clock.advance(HEAD_START_S)
        self._before = self._tickets()
        if not self._no_llm:
            self._sandbox.openai.known = KnownAnswers(fair_answers(self._corpus, self.settings.taxonomy))
        self.seeded = f"{count} invented tickets seeded into a sandbox at {server.url}\n{self._who()}"
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def shown(self, screen: Screen, ended: Sequence[Seen], *, dry_run: bool) -> tuple[str, ...]:
        """Show what the run made of its tickets. Returns what to try next; nothing for a program or with --quiet."""
        if not screen.speaks:
            return ()
        if not dry_run:
            self._show(screen, sorted(ended, key=lambda seen: seen.number))
        screen.say(f"  {self.hits(ended)}")
        done = [seen.number for seen in ended if seen.outcome.change is not None]
        return where_to_look(self.settings, min(done, default=1))

    def _show(self, screen: Screen, ended: Sequence[Seen]) -> None:
        """Print some tickets before and after the run, and how many others there are of each kind."""
        now, right = self._tickets(), [seen for seen in ended if self._is_right(seen)]
        edited = [seen for seen in right if self._before[seen.number].words]  # those on which people had set something
        whole = edited + spread([seen for seen in right if seen not in edited], MOST_LISTED - len(edited))
        screen.say(f"\n{len(whole)} of them, before and after:")
        for seen in whole:
            change = seen.outcome.change
            alone = "" if change else f" (left alone: {seen.outcome.reason.replace('_', ' ')})"
            screen.say(harmless(f"#{seen.number} {seen.subject}{alone}", one_line=True), fit=True)
            parts = {"before": self._before[seen.number].words}
            if change is not None:
                parts |= {"after": now[seen.number].words, "note": change.note or "-"}
            for name, words in parts.items():
                for line in words.splitlines():
                    screen.say(f"  {name:6}  {line}", fit=True)
        others = [seen.outcome for seen in ended if seen not in whole]
        rest = Counter(one.analysis.category if one.change and one.analysis else "left alone" for one in others)
        if rest:
            counts = ", ".join(f"{name} {count}" for name, count in rest.most_common())
            screen.say(f"The other {rest.total()}: {counts}", fit=True)

    def hits(self, ended: Sequence[Seen]) -> str:
        """How many of the answers are what the labels say, in a sentence."""
        found = [
            (seen.outcome.analysis, labels)
            for seen in ended
            if seen.outcome.analysis and (labels := self._labels.get(self._before[seen.outcome.ticket_id].subject))
        ]
        categories = sum(analysis.category == labels.category for analysis, labels in found)
        urgencies = sum(analysis.urgency == labels.urgency for analysis, labels in found)
        return f"as labelled: {categories} categories and {urgencies} urgencies of {len(found)}"

    def _is_right(self, seen: Seen) -> bool:
        """Whether it was understood as its labels say, or left alone."""
        analysis, labels = seen.outcome.analysis, self._labels.get(self._before[seen.number].subject)
        return analysis is None or (
            labels is not None
            and (analysis.category, analysis.urgency, analysis.sentiment, analysis.language)
            == (labels.category, labels.urgency, labels.sentiment, labels.language)
        )

    def _who(self) -> str:
        if self._no_llm:
            return "Keyword rules understand them; no model is asked."
        return (
            f"{CHAT_MODEL}, an imitation, understands them: it knows their labels, and misses\n"
            f"{WRONG_CATEGORIES:.0%} of the categories and {WRONG_URGENCIES:.0%} of the urgencies, as a fair model may."
        )

    def _seed(self) -> int:
        deadline = Deadline(self._clock, 120)
        with closing(transport_for(self.settings.desk, self._clock, deadline, share=1.0)) as transport:
            return create_missing(
                vendor_of(self.settings).seeds(self.settings, transport), map(payload, self._corpus)
            ).created

    def _tickets(self) -> dict[int, _Shown]:
        return {
            number: _Shown(ticket.json["subject"], ticket.tags, self._store.priority_of(ticket))
            for number, ticket in self._store.tickets.items()
        }

    def _people_were_there(self) -> None:
        """Edit some tickets as people would, so that the tour shows which tickets a run leaves alone."""
        first, second, third, *_ = self._store.tickets
        self._store.person_edit(first, add_tags=("vip",), priority="normal")
        self._store.person_edit(second, add_tags=("ai_from_another_tool",))
        self._store.person_edit(third, status="solved")


def where_to_look(settings: Settings, ticket_id: int) -> tuple[str, ...]:
    """What to try next: commands that work where they are printed."""
    folder = settings.log_dir
    # What lies beside a settings file goes before the environment.
    (folder / "tour.toml").write_text("# The receipts of the tour.\n", encoding="utf-8")
    place = folder.absolute().as_posix()
    (folder / "tour.env").write_text(f"TICKETBOT_LOG_DIR='{place}'\nTICKETBOT_STATE_DIR='{place}'\n", encoding="utf-8")
    words = program()
    called = "ticketbot" if shutil.which("ticketbot") == words[0] else subprocess.list2cmdline(words)
    return (
        f"One ticket's receipts:\n    {called} audit show {ticket_id} --config {folder / 'tour.toml'}",
        f"A sandbox that stays, to try the commands on:\n    {called} sandbox --tickets 40",
        f"The settings files for an account of your own:\n    {called} init",
    )


def helpdesk_for(settings: Settings) -> HelpdeskName:
    """The helpdesk that is set, where it can be imitated, else the first that can."""
    return next((name for name in HELPDESKS if name == settings.helpdesk), next(iter(HELPDESKS)))


def at_sandbox(settings: Settings, url: str, state: Path, *, no_llm: bool) -> Settings:
    """The site's policy and taxonomy, but the sandbox's helpdesk and model: nothing real is contacted or paid."""
    known = SandboxCredentials()
    models = ModelSettings(
        names=() if no_llm else (CHAT_MODEL,), base_url=f"{url}/v1", api_key=SecretStr(known.openai_key)
    )
    receipts = settings.log_dir / "sandbox"  # never among the real ones
    key = log_keys((), receipts)[0].decode()
    helpdesk = helpdesk_for(settings)
    account = type(getattr(settings, helpdesk))(url=url, **account_of(helpdesk))
    return settings.model_copy(
        update={
            helpdesk: account,
            "helpdesk": helpdesk,
            "models": models,
            "budget": BudgetSettings(),
            "use_classifier": False,
            "state_dir": state,
            "log_dir": receipts,
            "audit": settings.audit.model_copy(update={"keys": (SecretStr(key),)}),
            "notices": (),
        }
    )

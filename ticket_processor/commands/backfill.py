"""``ticketbot run --backfill``: analyses solved tickets into a file. It only reads the helpdesk."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..analysis.budget import Budget
from ..analysis.cache import FILE_NAME as ANSWERS
from ..analysis.cache import AnswerStore
from ..analysis.model_server.presets import targets
from ..core.clock import Deadline, SystemClock, iso, parse_iso
from ..core.errors import CannotRun, ConfigError, DeadlineReached, ExitCode, Stopping
from ..monitoring.run_watch import tended
from ..pipeline.backfill.results_file import DECIDED, BackfillFile, Header
from ..pipeline.backfill.walk import HISTORY, Backfill, BackfillPolicy
from ..settings.load import load
from ..settings.schema import Settings
from ..wiring.desks import reading_desk
from ..wiring.learnt_policy import with_learnt
from ..wiring.parts import audit_keys, kill_switch, selection, transport_for, understanding
from .parse_time import parse_since
from .screen import Screen

DEFAULT_FILE = Path("backfill.jsonl")
AT_LEISURE_S = 366 * 86_400.0
"""The deadline of a walk over history, which has no run's limit of a few minutes."""
LINE_EVERY = 100
"""Without a progress bar, a line after this many tickets."""


def walk_history(
    clock: SystemClock,
    screen: Screen,
    since: str | None,
    without: Mapping[str, bool],
    *,
    config: Path | None,
    flags: Mapping[tuple[str, ...], object],
    out: Path | None,
    as_new: bool,
    limit: int | None,
) -> tuple[int, int]:
    """Analyse solved tickets since ``since`` into the file ``out``.

    Returns the exit code, and how many threads were left behind in hanging calls. Raises :class:`ConfigError` with what
    does not go together; ``without`` are options of a run that a backfill does not take, and whether they were given.
    """
    problems = [
        f"--backfill writes nothing to the helpdesk and keeps no cursor: leave {name} out"
        for name, given in without.items()
        if given
    ]
    if since is None:
        problems.append("--backfill needs to know where history begins: --since 2024-01-01")
    if problems or since is None:
        raise ConfigError(*problems)
    moment = parse_since(since, clock.now())
    settings, _ = with_learnt(load(config=config, flags=flags), lambda told: screen.notices([told]))
    screen.notices(settings.notices)
    path = out or DEFAULT_FILE
    began = clock.monotonic()
    with ExitStack() as stack:
        header = _header(settings, clock, moment, since, as_new=as_new)
        file = stack.enter_context(BackfillFile(path, header, audit_keys(settings)))
        if file.repaired:
            screen.notices([f"the last line of {path} was torn by a crash; that ticket is looked at anew"])
        there = len(file)
        work = _Work(settings, clock, screen, file, stack, limit=limit, as_new=as_new)
        with tended(settings, clock, "backfill") as tending:
            stopped, code = work.go(parse_iso(file.header.since))
            data = work.told(there, stopped, code, clock.monotonic() - began)
            tending.noted(int(code), f"exit code {int(code)}\n{data['decided']} decided, {len(file)} in the file")
    screen.result(_text(data, path), data)
    screen.notices(data["remarks"])
    if stopped is not None:
        sys.stderr.write(f"ticketbot: ended early: {stopped}\n")
    return int(code), work.walk.abandoned


class _Work:
    """Builds the walk over history, and reports its progress."""

    def __init__(
        self,
        settings: Settings,
        clock: SystemClock,
        screen: Screen,
        file: BackfillFile,
        stack: ExitStack,
        *,
        limit: int | None,
        as_new: bool,
    ) -> None:
        self._screen = screen
        self._file = file
        self._lines = 0
        self._troubles: list[str] = []
        # People have dealt with solved tickets, so there is no head start; and the file serves as the canary.
        run = settings.run.model_copy(update={"wait_minutes": 0.0, "canary_percent": 100.0})
        settings = settings.model_copy(update={"run": run})
        deadline = Deadline(clock, AT_LEISURE_S)
        self._transport = transport_for(settings.desk, clock, deadline, share=run.limit_share, read_only=True)
        stack.callback(self._transport.close)
        cache = settings.cache
        self._store = AnswerStore(
            settings.state_folder / ANSWERS, clock, days=cache.days, max_answers=cache.max_answers
        )
        stack.callback(self._store.close)
        budget = Budget(settings.budget, self._store)
        trouble = self._troubles.append
        chain = stack.enter_context(understanding(settings, clock, deadline, None, self._store, trouble, budget=budget))
        self._price_note = chain.price_note
        self._no_price = "no price" if any(target.price is None for target in targets(settings.models)) else ""
        executor = ThreadPoolExecutor(run.workers, thread_name_prefix="history")
        stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        self._desk = stack.enter_context(reading_desk(settings, self._transport))
        self.walk = Backfill(
            self._desk,
            chain,
            BackfillPolicy(settings.policy, settings.taxonomy, as_new=as_new),
            file,
            executor,
            clock,
            deadline,
            left_alone=replace(selection(settings, self._transport), statuses=frozenset(HISTORY)).reason,
            check=kill_switch(settings).check,
            told=self._tell,
            workers=run.workers,
            timeout_s=run.analysis_timeout_s,
            stable_read_s=settings.stable_read_s,
            limit=limit,
        )

    def go(self, since: float) -> tuple[str | None, ExitCode]:
        """Walk. Returns the reason for an early end, if there was one, and the exit code."""
        try:
            with self._screen.progress("history") as self._advance:
                self.walk.run(self.walk.history(since))
        except (Stopping, DeadlineReached, CannotRun) as end:
            return str(end), end.exit_code
        return self.walk.enough, ExitCode.SOME_FAILED if self.walk.tally.failed else ExitCode.OK

    def _tell(self, ticket_id: int, what: str) -> None:
        self._advance(1)
        if what.startswith("failed"):
            self._screen.notices([f"ticket {ticket_id}: {what}"])
        self._lines += 1
        if self._lines % LINE_EVERY == 0 and not sys.stderr.isatty():
            self._screen.say(f"{self._lines} tickets, {self.walk.tally.counts[DECIDED]} of them understood")

    def told(self, there: int, stopped: str | None, code: ExitCode, seconds: float) -> dict[str, Any]:
        """The result as data: this walk, and the file's contents."""
        tally = self.walk.tally
        remarks = [*self._troubles, *self._desk.troubles, self._store.trouble]
        left_alone = {reason: count for reason, count in tally.counts.most_common() if reason != DECIDED}
        return {
            "file": str(self._file.path),
            "in_file": {"before": there, "tickets": len(self._file), "decided": self._file.counts[DECIDED]},
            "closed": self._file.closed,
            "seen": tally.seen,
            "decided": tally.counts[DECIDED],
            "left_alone": left_alone,
            "failed": dict(tally.failed),
            "answered_by": dict(tally.answered_by),
            "usage": tally.usage.model_dump(),
            "cost_usd": round(tally.cost_usd, 6),
            "price_note": self._price_note if tally.cost_usd or not tally.usage.input else self._no_price,
            "cached": tally.cached,
            "requests": dict(self._transport.counts),
            "remarks": [remark for remark in dict.fromkeys(remarks) if remark],
            "duration_s": round(seconds, 3),
            "stopped": stopped,
            "exit_code": int(code),
        }


def settings_digest(settings: Settings) -> str:
    """A digest of all settings that a decision depends on, except the models."""
    decides = (
        settings.policy.model_dump(mode="json"),
        settings.taxonomy.model_dump(mode="json"),
        settings.entities,
        settings.team_language,
    )
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _header(settings: Settings, clock: SystemClock, since: float, asked: str, *, as_new: bool) -> Header:
    return Header(
        version=__version__,
        account=settings.desk.base_url,
        since=iso(since),
        created=iso(clock.now()),
        policy=settings_digest(settings),
        marker=settings.policy.marker,
        as_new=as_new,
        since_asked="".join(asked.split()).lower(),
    )


def _text(data: dict[str, Any], path: Path) -> str:
    """The walk in a few lines."""
    left, failed = sum(data["left_alone"].values()), sum(data["failed"].values())
    lines = [f"History: {data['decided']} understood, {left} left alone, {failed} failed ({data['duration_s']:.1f} s)"]
    if left:
        lines.append("  because " + ", ".join(f"{reason}: {n}" for reason, n in data["left_alone"].items()))
    if data["answered_by"]:
        lines.append("  understood by " + ", ".join(f"{name}: {n}" for name, n in data["answered_by"].items()))
    if data["usage"]["input"]:
        cost = f", ${data['cost_usd']:.4f}" if data["cost_usd"] else ""
        cost += f" ({data['price_note']})" if data["price_note"] else ""
        lines.append(f"  tokens: {data['usage']['input']} in, {data['usage']['output']} out{cost}")
    if data["cached"]:
        lines.append(f"  answers from the cache, at no cost: {data['cached']}")
    there = data["in_file"]
    closed = ""
    if data["closed"]:
        closed = f"; {data['closed']} of these are about closed tickets, which nobody can change any more"
    lines.append(f"  in {path}: {there['tickets']} tickets, {there['decided']} decisions{closed}")
    if there["decided"] > data["closed"]:
        lines.append(f"Which of them still need a write is known to: ticketbot apply {path} --dry-run")
    return "\n".join(lines)

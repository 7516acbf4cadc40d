"""Earlier runs, from their receipts: which there were, on which tickets one wrote, and what of it is still on its way.

Lines are read one at a time: a log of any length takes the memory of its runs' names and of one run's tickets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...audit.files import events
from ...audit.lines import Keyring
from ...core import reasons
from ...core.clock import Clock, Deadline
from ...core.errors import ConfigError
from ...core.models import Change
from ...core.text import many
from ...helpdesk.protocol import Helpdesk
from ...state.records import Open
from ...tags import key_of_stage
from .revert import STAGE, run_of

LATEST = "latest"
TOURS = "sandbox"
"""The folder beside the log in which tours leave theirs."""
MOST_LISTED = 5
_WRITTEN = ("updated", "suggested")


@dataclass
class PastRun:
    """A run as its receipts tell it. ``tickets`` counts those that surely got a write of its own.

    ``announced`` are tickets of which it only said that it was about to write.
    """

    run_id: str
    first_day: str
    dry_run: bool = False
    undoes: str | None = None
    tickets: int = 0
    announced: set[int] = field(default_factory=set)

    @property
    def wrote(self) -> bool:
        """Whether it may have written, other than to take another run back."""
        return bool(self.tickets or self.announced) and self.undoes is None


@dataclass
class RunWrites:
    """On which tickets a run wrote, or may have, with the keys of these writes, in the order of the receipts.

    What it put back for people is none of them. ``taken_back`` are the tickets of which receipts say that all has been
    taken back already.
    """

    run_id: str
    keys: dict[int, tuple[str, ...]] = field(default_factory=dict)
    taken_back: set[int] = field(default_factory=set)

    def of(self, ticket_ids: Collection[int]) -> RunWrites:
        """Those on these tickets; none named: all. Raises :class:`ConfigError` for a ticket without one."""
        if strange := sorted(set(ticket_ids) - self.keys.keys()):
            raise ConfigError(*(f"run {self.run_id} did not write on ticket {number}" for number in strange))
        if not ticket_ids:
            return self
        return RunWrites(
            self.run_id, {number: self.keys[number] for number in sorted(set(ticket_ids))}, self.taken_back
        )


class PastRuns:
    """The runs whose receipts are in ``folder``. Raises :class:`CannotRun` when a file cannot be read."""

    def __init__(self, folder: Path, keys: Keyring | None = None) -> None:
        self._folder = folder
        self._keys = keys
        self._runs: dict[str, PastRun] = {}
        for day, line in events(folder, keys=keys):
            self._note(day, line)

    def find(self, asked: str) -> PastRun:
        """The run of this id, of an id that begins so, or the last that wrote (``latest``).

        Raises :class:`ConfigError` when there is none, or none that can be taken back.
        """
        if not self._runs:
            missing = "holds no receipts of any run" if self._folder.is_dir() else "does not exist"
            raise ConfigError(
                f"the log folder {self._folder} {missing}, and only receipts tell what a run wrote: name the folder "
                "that the runs wrote theirs to as log_dir (TICKETBOT_LOG_DIR)"
            )
        if asked == LATEST:
            wrote = [run for run in self._runs.values() if run.wrote]
            if not wrote:
                raise ConfigError(f"no run in the log {self._folder} has written anything")
            return wrote[-1]
        meant = [run for name, run in self._runs.items() if asked and name.startswith(asked)]
        meant = [run for run in meant if run.run_id == asked] or meant
        if not meant:
            raise ConfigError(self._unknown(asked), self._last_ones())
        if len(meant) > 1:
            names = ", ".join(run.run_id for run in meant[:MOST_LISTED])
            raise ConfigError(
                f"{len(meant)} runs begin with {asked}: {names}{', …' if len(meant) > MOST_LISTED else ''}"
            )
        run = meant[0]
        if run.dry_run:
            raise ConfigError(f"run {run.run_id} was a dry run: it wrote nothing, so there is nothing to take back")
        if run.undoes is not None:
            raise ConfigError(
                f"run {run.run_id} took back run {run.undoes}; that cannot be undone, and 'ticketbot run --again-run "
                f"{run.undoes}' triages these tickets anew"
            )
        return run

    def writes(self, run: PastRun) -> RunWrites:
        """The run's writes. A write counts for the run that sent it, even if a later run saw that it had arrived."""
        keys: dict[int, dict[str, None]] = {}
        undone: set[str] = set()
        undoing = {other.run_id for other in self._runs.values() if other.undoes == run.run_id}
        for _, line in events(self._folder, first_day=run.first_day, keys=self._keys):
            ticket_id, name, intent = line.get("ticket_id"), line.get("run_id"), line.get("intent")
            change = line.get("change")
            key = change.get("key") if isinstance(change, dict) else None
            if not (isinstance(ticket_id, int) and isinstance(intent, str) and isinstance(key, str)):
                continue
            made = line["event"] == "ticket" and line.get("outcome") in _WRITTEN
            if made and name in undoing:
                undone.add(key)
            elif made and line.get("reason") == reasons.PUT_BACK:
                keys.get(ticket_id, {}).pop(key, None)
            elif (made or line["event"] == "intent") and run.run_id in (name, run_of(intent)):
                keys.setdefault(ticket_id, {})[key] = None
        kept = {ticket_id: tuple(names) for ticket_id, names in keys.items() if names}
        taken_back = {number for number, names in kept.items() if key_of_stage(names[-1], STAGE) in undone}
        return RunWrites(run.run_id, kept, taken_back)

    def _note(self, day: str, line: dict[str, Any]) -> None:
        name = line.get("run_id")
        if not isinstance(name, str):
            return
        run = self._runs.setdefault(name, PastRun(name, day))
        run.dry_run = run.dry_run or line.get("dry_run") is True
        if line["event"] == "run_started" and isinstance(line.get("undoes"), str):
            run.undoes = line["undoes"]
        ticket_id = line.get("ticket_id")
        if line["event"] == "intent" and isinstance(ticket_id, int):
            run.announced.add(ticket_id)
        if line["event"] == "ticket" and line.get("outcome") in _WRITTEN and line.get("change") is not None:
            if isinstance(ticket_id, int):
                run.announced.discard(ticket_id)  # so that a log of any length leaves only few
            run.tickets += line.get("reason") != reasons.PUT_BACK

    def _unknown(self, asked: str) -> str:
        for _, line in events(self._folder / TOURS, keys=self._keys):
            name = line.get("run_id")
            if asked and isinstance(name, str) and name.startswith(asked):
                return f"run {name} was a tour: what it wrote is gone with its sandbox"
        return f"the log {self._folder} knows no run {asked}; the receipts of a run say what it wrote"

    def _last_ones(self) -> str:
        wrote = [run for run in self._runs.values() if run.wrote][-MOST_LISTED:]
        if not wrote:
            return "no run in this log has written anything"
        return "the last runs that wrote: " + ", ".join(
            f"{run.run_id} ({many(run.tickets, 'ticket')})" for run in reversed(wrote)
        )


PATIENCE_S = 60.0
"""Longest wait for the jobs of an earlier run."""
POLL_S = 2.0
MISSED_POLLS = 3
"""A job that is so often unknown to the helpdesk in a row has ended long ago."""


@dataclass
class InFlight:
    """Writes that reading a ticket may not show yet, by ticket.

    ``under_way`` are those whose job has not ended; ``arrived`` those that their job calls done, which a read of a copy
    that is behind may not show.
    """

    under_way: dict[int, Change] = field(default_factory=dict)
    arrived: dict[int, Change] = field(default_factory=dict)


def wait_for_jobs(
    desk: Helpdesk, items: Sequence[Open], clock: Clock, deadline: Deadline, tell: Callable[[str], None]
) -> InFlight:
    """Ask the jobs of these writes until they have ended, for :data:`PATIENCE_S` at most; ``tell`` hears of the wait.

    Raises what :meth:`Helpdesk.jobs` and :meth:`Deadline.wait` raise.
    """
    flight = InFlight()
    jobs: dict[str, dict[int, Change]] = {}
    for item in items:
        if item.job is not None and item.sent:
            jobs.setdefault(item.job, {})[item.verdict.ticket_id] = item.sent[-1]
    missed = dict.fromkeys(jobs, 0)
    until = clock.monotonic() + PATIENCE_S
    told = False
    while jobs:
        statuses = desk.jobs(list(jobs))
        for job in list(jobs):
            status = statuses.get(job)
            missed[job] = missed[job] + 1 if status is None else 0
            if status is not None and status.ended:
                done = jobs.pop(job)
                flight.arrived |= {number: done[number] for number in done if status.results.get(number) is True}
            elif missed[job] >= MISSED_POLLS:
                del jobs[job]  # what it has done, reading shows
        if not jobs or clock.monotonic() >= until:
            break
        if not told:
            tell(_sentence(sum(map(len, jobs.values()))))
            told = True
        deadline.wait(POLL_S)
    for changes in jobs.values():
        flight.under_way |= changes
    return flight


def _sentence(tickets: int) -> str:
    what = many(tickets, "ticket")
    return f"what the run sent for {what} is still under way at the helpdesk; waiting up to {PATIENCE_S:.0f} s for it"

"""Keeps what a dry run would write in a file of JSON lines that people can read, one ticket per line; writes it later.

A line holds the verdict, which is all that the write needs, and no more of the ticket's text than a receipt does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from pydantic import Field, ValidationError

from ..core import reasons
from ..core.errors import CannotRun, ConfigError
from ..core.files import make_folder, opener
from ..core.models import Outcome, OutcomeStatus
from ..core.run_summary import RunSummary
from ..state.records import Verdict
from ..state.store import State
from .context import RunFrame
from .jobs import MOST_ITEMS


class PlannedLine(Verdict):
    """One line: a verdict, the account that it belongs to, and the ticket's ``updated_at`` that it is for."""

    account: str
    key: str = Field(min_length=1)
    unchanged_at: str = Field(min_length=1)

    def verdict(self) -> Verdict:
        """The verdict without the line's other fields."""
        return Verdict.model_validate({name: getattr(self, name) for name in Verdict.model_fields})


def planned_write(outcome: Outcome, state: State, account: str) -> PlannedLine | None:
    """The line for a ticket that a dry run would write on; ``None`` for any other.

    ``state`` is the dry run's. Unfinished writes of earlier runs are left to the next run.
    """
    verdict = state.verdict(outcome.ticket_id)
    if outcome.status is not OutcomeStatus.PLANNED or outcome.change is None or verdict is None:
        return None
    if verdict.puts_back or verdict.completes:
        return None
    known = {"account": account, "unchanged_at": outcome.change.stamp}
    return PlannedLine.model_validate({**dict(verdict.without_cost()), **known})


class PlanFile:
    """The file that a dry run writes; replaces an existing one. Raises :class:`CannotRun` if it cannot be written."""

    def __init__(self, path: Path, account: str) -> None:
        self._path = path
        self._account = account
        self.count = 0
        try:
            make_folder(path.parent)
            self._file = open(path, "wb", opener=opener)  # noqa: SIM115 - closed by close
        except OSError as error:
            raise self._unwritable(error) from error

    def keep(self, outcome: Outcome, state: State) -> None:
        """Add the ticket's line, see :func:`planned_write`."""
        line = planned_write(outcome, state, self._account)
        if line is None:
            return
        try:
            self._file.write(line.model_dump_json(exclude_defaults=True).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from error
        self.count += 1

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._file.close()

    def _unwritable(self, error: OSError) -> CannotRun:
        return CannotRun(f"{self._path} cannot be written: {error.strerror or error}")


def planned_writes(path: Path, account: str) -> Iterator[Verdict]:
    """The file's verdicts, in order.

    Raises :class:`ConfigError` for an unreadable file, or with the number of a line that is broken, belongs to another
    account, or repeats a ticket.
    """
    seen = set[int]()
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                try:
                    line = PlannedLine.model_validate_json(raw)
                except ValidationError as error:
                    first = error.errors(include_input=False)[0]
                    place = ".".join(map(str, first["loc"]))
                    raise _broken(path, number, f"{place}: {first['msg']}" if place else first["msg"]) from None
                if line.account != account:
                    raise _broken(path, number, f"it is about {line.account}, and these settings for {account}")
                if line.ticket_id in seen:
                    raise _broken(path, number, f"ticket {line.ticket_id} has an earlier line")
                seen.add(line.ticket_id)
                yield line.verdict()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None


def _broken(path: Path, number: int, why: str) -> ConfigError:
    return ConfigError(f"{path}, line {number}: {why}; nothing was written: correct the line or remove it")


class PlannedRun(RunFrame):
    """A run that writes what a dry run planned, and reads no other tickets."""

    def write(self, verdicts: Iterable[Verdict]) -> RunSummary:
        """Finish what earlier runs began, then write the ``verdicts``.

        Raises :class:`StateUnusable` when not even the reason for an early end can be stored.

        A ticket that is done or given up by now is not read. One that waits for a run and gets no write still waits
        afterwards.
        """
        return self.play(lambda: self._write_planned(verdicts))

    def _write_planned(self, verdicts: Iterable[Verdict]) -> None:
        """Write the verdicts; only those that are sent together are in memory."""
        state = self._parts.state
        passed = set[int]().union(*self._finish_earlier(None))
        retries = state.retries()
        waiting = {item.ticket_id: item.reason for item in retries}
        given_up = {item.ticket_id: reasons.DEAD_LETTER for item in retries if item.dead}
        given_up |= dict.fromkeys(state.dropped(), reasons.DROPPED)
        open_ = (each for each in verdicts if each.ticket_id not in passed and self._is_open(each, given_up))
        while part := list(islice(open_, MOST_ITEMS)):
            self._checks.before_ticket()
            self._write_back.take(part)
            more = len(part) == MOST_ITEMS
            self._record_all(self._write_back.advance(MOST_ITEMS if more else 0, last=not more), waiting)
        self._record_all(self._write_back.finish(), waiting)

    def _is_open(self, verdict: Verdict, given_up: Mapping[int, str]) -> bool:
        """True if the verdict has to be written; otherwise its ticket gets a receipt, and the state stays the same."""
        state, number, first = self._parts.state, verdict.ticket_id, not (verdict.follows or verdict.replaces)
        done = state.last_key(number) == verdict.key or (first and state.is_done(number))
        reason = reasons.ALREADY_DONE if done else given_up.get(number)
        if reason is not None:
            end = Outcome(ticket_id=number, status=OutcomeStatus.SKIPPED, reason=reason, key=verdict.key)
            self._recorder.record_reply(end, None)
        return reason is None

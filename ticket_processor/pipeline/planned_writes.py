"""What a dry run would write, in a file of JSON lines that a person can read: one ticket a line.

A line holds the verdict, which is all that its write needs, and of the ticket's text what a receipt holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from pydantic import Field, ValidationError

from ..core import reasons
from ..core.errors import CannotRun, ConfigError
from ..core.id_set import IdSet
from ..core.models import Outcome, OutcomeStatus
from ..core.private_files import make_folder, opener
from ..state.records import Verdict
from ..state.store import State
from .delivery import MOST_ITEMS
from .leftovers import Leftovers, RecordsEnd
from .recorder import Recorder
from .run_checks import RunChecks
from .settlement import Settled
from .writeback import WriteBack


class PlannedLine(Verdict):
    """One line: a verdict, the account that it belongs to, and the ticket's ``updated_at`` that it is for."""

    account: str
    key: str = Field(min_length=1)
    unchanged_at: str = Field(min_length=1)

    def verdict(self) -> Verdict:
        """The verdict that the line holds."""
        return Verdict.model_validate({name: getattr(self, name) for name in Verdict.model_fields})


def planned_write(outcome: Outcome, state: State, account: str) -> PlannedLine | None:
    """The line of a ticket that a dry run would write on; ``None`` of any other.

    ``state`` is the dry run's. What an earlier run has begun is left to the next run.
    """
    verdict = state.verdict(outcome.ticket_id)
    if outcome.status is not OutcomeStatus.PLANNED or outcome.change is None or verdict is None:
        return None
    if verdict.puts_back or verdict.completes:
        return None
    known = {"account": account, "unchanged_at": outcome.change.stamp}
    return PlannedLine.model_validate({**dict(verdict.told()), **known})


class PlanFile:
    """The file while a dry run fills it; it replaces one that is there. Raises :class:`CannotRun` where it cannot."""

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
    """The file's verdicts, in its order.

    Raises :class:`ConfigError` for a file that cannot be read, and names the line that is broken, belongs to another
    account, or repeats a ticket.
    """
    seen = IdSet()
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


class Applying:
    """Writes what a dry run has planned, after what earlier runs have begun. For one thread.

    A ticket that is done or given up by now is left alone unread. One that waits for a run, and gets no write, goes on
    waiting.
    """

    def __init__(
        self,
        state: State,
        checks: RunChecks,
        leftovers: Leftovers,
        writes: WriteBack,
        recorder: Recorder,
        record: RecordsEnd,
    ) -> None:
        self._state = state
        self._checks = checks
        self._leftovers = leftovers
        self._write_back = writes
        self._recorder = recorder
        self._record = record

    def write(self, verdicts: Iterable[Verdict]) -> None:
        """Bring the verdicts to the helpdesk; no more of them are held in memory than go together."""
        passed = _Passed()
        self._leftovers.finish(passed, None, self._record)
        self._waiting = {item.ticket_id: item for item in self._state.retries()}
        self._dropped = self._state.dropped()
        source = (each for each in verdicts if each.ticket_id not in passed and self._is_open(each))
        while part := list(islice(source, MOST_ITEMS)):
            self._checks.before_ticket()
            self._write_back.take(part)
            more = len(part) == MOST_ITEMS
            self._record_all(self._write_back.advance(MOST_ITEMS if more else 0, last=not more))
        self._record_all(self._write_back.finish())

    def _is_open(self, verdict: Verdict) -> bool:
        """Whether it is still to be written; otherwise its ticket gets a receipt, and the state stays as it is."""
        number, first, reason = verdict.ticket_id, not (verdict.follows or verdict.replaces), ""
        if self._state.last_key(number) == verdict.key or (first and self._state.is_done(number)):
            reason = reasons.ALREADY_DONE
        elif number in self._dropped:
            reason = reasons.DROPPED
        elif number in self._waiting and self._waiting[number].dead:
            reason = reasons.DEAD_LETTER
        if reason:
            end = Outcome(ticket_id=number, status=OutcomeStatus.SKIPPED, reason=reason, key=verdict.key)
            self._recorder.record_reply(end, None)
        return not reason

    def _record_all(self, ended: Iterable[Settled]) -> None:
        for settled in ended:
            kept = self._waiting.get(settled.outcome.ticket_id)
            self._record(settled, kept.reason if kept and settled.outcome.change is None else "")


class _Passed(set[int]):
    """Tickets that are settled, or left to a later run."""

    already_handled = set[int].add
    leave_to_later = set[int].update

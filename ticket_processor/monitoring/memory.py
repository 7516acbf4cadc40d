"""Which alerts are open and who knows of them, so that each alert is sent once, and its end once.

What a target should know is compared with what it knows, so what could not be sent is sent by the next run, and
nothing is sent twice. Only :class:`AlertStore` touches the disk.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import filelock
from pydantic import ConfigDict, Field, ValidationError, field_validator

from ..core.models import Frozen
from ..core.private_files import make_folder
from ..core.run_summary import RunRecord
from ..settings.schema import Settings
from .facts import Facts, Look, Severity
from .rules import RULES, HoldingConditions, look, rule_id, severity_of
from .run_metrics import DAY, HOUR

FILE_NAME = "alerts.json"
LOCK_NAME = "alerts.lock"
LARGEST = 1_000_000
"""Bytes that are read of the file at most."""
COOL_DOWN_S = HOUR
"""A condition that comes back sooner after its end is sent after that time, if it still holds."""
MOST_ESCALATED = 200
"""The most escalated tickets kept while nobody can be reached; the log has all of them."""
GIVE_UP_S = DAY
"""After failing for so long to send an end or an escalation to a target, it is dropped."""


class _Kept(Frozen):
    """Kept on disk, where an earlier version may have left more."""

    model_config = ConfigDict(extra="ignore")


class OpenAlert(_Kept):
    """A condition that holds, or that is over (``over``) while a target does not know that yet.

    ``told`` are the targets that know of it. Times are Unix seconds.
    """

    message: str
    since: float
    over: float | None = None
    told: tuple[str, ...] = ()


class Failure(Frozen):
    """The last message that could not be sent: the target by kind and masked name, and why in a few words."""

    at: float
    target: str
    why: str


class EscalatedTicket(_Kept):
    """An escalated ticket, and the reasons in fixed words. ``at`` is Unix seconds."""

    ticket_id: int
    reasons: tuple[str, ...] = ()
    at: float = 0.0


class Memory(_Kept):
    """Everything that is kept between runs. ``seen`` is when the last scheduled run ended."""

    saved: float = 0.0
    seen: float | None = None
    resumed: float = Field(0.0, description="when runs last began again after a pause")
    conditions: dict[str, OpenAlert] = Field(default_factory=dict)
    ended_at: dict[str, float] = Field(default_factory=dict, description="when what a target knew of was last over")
    summaries: dict[str, str] = Field(default_factory=dict, description="the day of the last summary of each target")
    escalated: tuple[EscalatedTicket, ...] = ()
    """Tickets of which nobody has been told yet."""
    last_failure: Failure | None = None

    @field_validator("conditions", "ended_at", mode="before")
    @classmethod
    def _of_known_rules(cls, table: Any) -> Any:
        """Without those of rules that are no more."""
        known = isinstance(table, dict)
        return {rule: one for rule, one in table.items() if rule_id(rule) in RULES} if known else table

    @property
    def open(self) -> dict[str, OpenAlert]:
        """The conditions that hold, by rule, the worst first."""
        held = [(rule, one) for rule, one in self.conditions.items() if one.over is None]
        return dict(sorted(held, key=lambda item: (-severity_of(item[0]).rank, item[1].since)))


@dataclass(frozen=True)
class Target:
    """A recipient: ``id`` names it in the memory; with ``critical_only`` it gets no warnings."""

    id: str
    critical_only: bool = False

    def wants(self, severity: Severity) -> bool:
        """Whether it gets alerts of this severity."""
        return severity is Severity.CRITICAL or not self.critical_only


@dataclass(frozen=True)
class Owed:
    """A message about a rule's condition that a target has still to get.

    A condition that is ``over`` ended at ``until``.
    """

    target: str
    rule: str
    what: Literal["begun", "over"]
    message: str
    since: float
    until: float | None = None

    @property
    def severity(self) -> Severity:
        """How soon a person should look."""
        return severity_of(self.rule)


def judged(memory: Memory, records: Sequence[RunRecord], facts: Facts, settings: Settings) -> Memory:
    """The memory after all rules have judged these runs; ``resumed`` is taken from the memory, not from ``facts``."""
    known = replace(facts, resumed=memory.resumed)
    resumed = Look(records, known, settings).resumed
    return after(memory.model_copy(update={"resumed": resumed}), look(records, known, settings), facts.now)


def after(memory: Memory, found: HoldingConditions, now: float) -> Memory:
    """The memory with the conditions of ``found``. One that is over stays until every target knows."""
    conditions, ended = dict(memory.conditions), dict(memory.ended_at)
    for rule, one in memory.conditions.items():
        if one.over is None and rule not in found.conditions and found.judged(rule):
            conditions[rule] = one.model_copy(update={"over": now})
            if one.told:
                ended[rule] = now
    for rule, message in found.conditions.items():
        before = conditions.get(rule)
        goes_on = before is not None and before.over is None
        conditions[rule] = OpenAlert(
            message=message,
            since=before.since if before and goes_on else now,
            told=before.told if before else (),
        )
    kept = {rule: at for rule, at in ended.items() if _lately(at, now)}
    return memory.model_copy(update={"conditions": _needed(conditions, now), "ended_at": kept})


def _needed(conditions: Mapping[str, OpenAlert], now: float) -> dict[str, OpenAlert]:
    return {
        rule: one for rule, one in conditions.items() if one.over is None or (one.told and now - one.over <= GIVE_UP_S)
    }


def owed(memory: Memory, targets: Sequence[Target], now: float) -> list[Owed]:
    """The messages that each target has still to get, the worst first."""
    news = []
    for rule, one in memory.conditions.items():
        quiet = rule in memory.ended_at and _lately(memory.ended_at[rule], now)
        for target in targets:
            if target.id in one.told:
                what: Literal["begun", "over"] | None = None if one.over is None else "over"
            else:
                what = "begun" if one.over is None and target.wants(severity_of(rule)) and not quiet else None
            if what is not None:
                news.append(Owed(target.id, rule, what, one.message, one.since, one.over))
    return sorted(news, key=lambda one: (-one.severity.rank, one.what == "over", one.since, one.rule))


def _lately(at: float, now: float) -> bool:
    return 0 <= now - at < COOL_DOWN_S


def told(memory: Memory, news: Owed) -> Memory:
    """The memory after this message has been sent."""
    one = memory.conditions.get(news.rule)
    if one is None:
        return memory
    knows = tuple(target for target in one.told if target != news.target)
    if news.what != "over":
        knows = (*knows, news.target)
    conditions = {**memory.conditions, news.rule: one.model_copy(update={"told": knows})}
    if one.over is not None and not knows:
        del conditions[news.rule]
    return memory.model_copy(update={"conditions": conditions})


def still_to_tell(memory: Memory, now: float) -> Memory:
    """The memory without escalated tickets that could not be sent for a day."""
    kept = tuple(one for one in memory.escalated if now - one.at <= GIVE_UP_S)
    return memory.model_copy(update={"escalated": kept[-MOST_ESCALATED:]})


# On disk


class AlertStore:
    """The memory of one account. Reading never raises; a damaged file counts as none.

    It is in the state folder (``folder``) or, where that cannot be written, in a file of the temporary folder
    (``spare`` replaces that), so that a full disk or a damaged state is reported once and not by every run.
    """

    def __init__(self, folder: Path, spare: Path | None = None) -> None:
        self._folder = folder
        self._file = folder / FILE_NAME
        self._spare = spare or _spare_for(folder)

    def load(self) -> Memory:
        """Load the last saved memory from either place; an empty one if there is none."""
        return self.known() or Memory()

    def known(self) -> Memory | None:
        """Load the memory like :meth:`load`; ``None`` if the state folder or its file cannot be read."""
        found = [memory for path in (self._file, self._spare) if (memory := _read(path)) is not None]
        if found:
            return max(found, key=lambda memory: memory.saved)
        try:
            self._file.lstat()
        except FileNotFoundError:
            return Memory()
        except OSError:
            pass
        return None

    def save(self, memory: Memory, now: float) -> bool:
        """Save the memory, in the state folder if possible; return whether it could be saved."""
        data = memory.model_copy(update={"saved": now}).model_dump_json(exclude_defaults=True).encode("utf-8")
        if not _write(self._file, data):
            return _write(self._spare, data)
        with suppress(OSError):
            self._spare.unlink(missing_ok=True)
        return True

    @contextmanager
    def alone(self, patience_s: float) -> Iterator[bool]:
        """Hold the lock: false if another process keeps it for so long.

        It lies in the state folder or, where that cannot be used, beside the spare file; true if neither can be.
        """
        with ExitStack() as held:
            yield self._locked(held, patience_s)

    def _locked(self, held: ExitStack, patience_s: float) -> bool:
        for path in (self._folder / LOCK_NAME, self._spare.with_suffix(".lock")):
            lock = filelock.FileLock(path, mode=0o600, thread_local=False)
            try:
                if path.parent == self._folder:
                    make_folder(self._folder)
                held.enter_context(lock.acquire(timeout=patience_s))
                return True
            except filelock.Timeout:
                return False
            except OSError:
                continue
        return True


def _spare_for(folder: Path) -> Path:
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    name = hashlib.sha256(f"{folder.absolute()}\0{user}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    try:
        place = Path(tempfile.gettempdir())
    except OSError:  # no temporary folder can be written to
        place = folder
    return place / f"ticketbot-{name}.json"


def _read(path: Path) -> Memory | None:
    """The memory in a file of this user alone: every user can put something into the temporary folder."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return None
        if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
            return None
        with path.open("rb") as file:
            return Memory.model_validate_json(file.read(LARGEST))
    except (OSError, ValidationError):
        return None


def _write(path: Path, data: bytes) -> bool:
    """Replace the file as a whole, so that no reader sees half of it; return whether that succeeded."""
    fresh: str | None = None
    try:
        descriptor, fresh = tempfile.mkstemp(prefix=".alerts-", dir=path.parent)  # 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).replace(path)
    except OSError:
        if fresh is not None:
            with suppress(OSError):
                Path(fresh).unlink()
        return False
    return True

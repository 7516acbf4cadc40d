"""Remembers which alerts are open and which targets know of them, so that each alert and its end are sent once.

Each run compares what a target should know with what it knows: it sends what could not be sent before, and nothing
twice. Only :class:`AlertStore` touches the disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import filelock
from pydantic import ConfigDict, Field, ValidationError, field_validator

from ..audit.files import replace_file
from ..core.files import make_folder
from ..core.models import Frozen
from ..settings.schema import Settings
from .rules import RULES, Severity, rule_id, severity_of
from .run_metrics import DAY, HOUR

FILE_NAME = "alerts.json"
LOCK_NAME = "alerts.lock"
COOL_DOWN_S = HOUR
"""Seconds after its end within which a condition that comes back is not sent; later it is, if it still holds."""
GIVE_UP_S = DAY
"""Seconds after which the end of a condition is dropped if it could not be sent."""


class _Kept(Frozen):
    """Base of data on disk; fields that earlier versions stored are ignored."""

    model_config = ConfigDict(extra="ignore")


class OpenAlert(_Kept):
    """A condition that holds, or ended (``over``) less than a day ago. ``told`` are the targets that know of it.

    Its begin is not sent before ``quiet_until``. Times are Unix seconds.
    """

    message: str
    since: float
    over: float | None = None
    told: tuple[str, ...] = ()
    quiet_until: float = 0.0

    def is_quiet(self, now: float) -> bool:
        """True if it came back so soon that it is not sent yet; a clock that was set back does not prolong that."""
        return 0 < self.quiet_until - now <= COOL_DOWN_S


class Failure(Frozen):
    """The last message that could not be sent: the target by kind and masked name, and why in a few words."""

    at: float
    target: str
    why: str

    def is_recent(self, now: float) -> bool:
        """Whether it was in the last 24 hours."""
        return 0 <= now - self.at <= DAY


class EscalatedTicket(_Kept):
    """An escalated ticket, and the reasons in fixed words."""

    ticket_id: int
    reasons: tuple[str, ...] = ()


class Memory(_Kept):
    """Everything that is kept between runs. ``saved`` is when the last of them ended."""

    saved: float = 0.0
    conditions: dict[str, OpenAlert] = Field(default_factory=dict)
    summary: str | None = Field(None, description="the day of the last daily summary")
    escalated: tuple[EscalatedTicket, ...] = ()
    """Escalated tickets that no receiver knows of yet."""
    last_failure: Failure | None = None

    @field_validator("conditions", mode="before")
    @classmethod
    def _of_known_rules(cls, table: Any) -> Any:
        """Drop the conditions of rules that no longer exist."""
        known = isinstance(table, dict)
        return {rule: one for rule, one in table.items() if rule_id(rule) in RULES} if known else table

    @property
    def open(self) -> dict[str, OpenAlert]:
        """The conditions that hold, by rule, the worst first."""
        held = [(rule, one) for rule, one in self.conditions.items() if one.over is None]
        return dict(sorted(held, key=lambda item: (severity_of(item[0]) is not Severity.CRITICAL, item[1].since)))


PAGER = "pagerduty"
"""The kind that opens an incident for each message, which has to be closed again: it gets no summaries."""


@dataclass(frozen=True)
class Receiver:
    """A recipient: ``id`` names it in the memory, ``name`` for people: the kind of service, and the variable with its
    address. With ``critical_only`` it gets no warnings.
    """

    id: str
    critical_only: bool = False
    kind: str = ""
    name: str = ""
    url: str = field(default="", repr=False)

    def wants(self, severity: Severity) -> bool:
        """Whether it gets alerts of this severity."""
        return severity is Severity.CRITICAL or not self.critical_only

    @property
    def pages(self) -> bool:
        """Whether a message opens an incident."""
        return self.kind == PAGER

    @property
    def hears_all(self) -> bool:
        """Whether it gets escalated tickets and summaries. A pager gets none: nothing would close its incident."""
        return not self.pages and not self.critical_only


@dataclass(frozen=True)
class Owed:
    """A message about a rule's condition that has still to be sent to a target.

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


def after(memory: Memory, holding: Mapping[str, str], now: float, *, over: bool = True) -> Memory:
    """The memory with the ``holding`` conditions, each with its sentence; the others are ``over``, if so."""
    conditions: dict[str, OpenAlert] = {}
    for rule, one in memory.conditions.items():
        if one.over is not None:
            if now - one.over <= GIVE_UP_S:  # if the clock was set back, the end is kept
                conditions[rule] = one
        elif rule in holding or not over:
            conditions[rule] = one
        elif one.told:
            conditions[rule] = one.model_copy(update={"over": now, "quiet_until": now + COOL_DOWN_S})
        elif one.is_quiet(now):  # no target knows of it, so its end is not sent
            conditions[rule] = one.model_copy(update={"over": now})
    for rule, message in holding.items():
        before = conditions.get(rule)
        if before is None:
            conditions[rule] = OpenAlert(message=message, since=now)
        elif before.over is None:
            conditions[rule] = before.model_copy(update={"message": message})
        else:
            quiet = before.quiet_until
            conditions[rule] = OpenAlert(message=message, since=now, told=before.told, quiet_until=quiet)
    return memory.model_copy(update={"conditions": conditions})


def owed(memory: Memory, receivers: Sequence[Receiver], now: float) -> list[Owed]:
    """The messages that have still to be sent to each receiver, the worst first."""
    news = []
    for rule, one in memory.conditions.items():
        for target in receivers:
            if one.over is not None and target.id in one.told:
                news.append(Owed(target.id, rule, "over", one.message, one.since, one.over))
            begins = one.over is None and not one.is_quiet(now) and target.id not in one.told
            if begins and target.wants(severity_of(rule)):
                news.append(Owed(target.id, rule, "begun", one.message, one.since))
    return sorted(news, key=lambda one: (one.severity is not Severity.CRITICAL, one.what, one.since, one.rule))


def after_sending(memory: Memory, news: Owed) -> Memory:
    """The memory after this message was sent."""
    one = memory.conditions[news.rule]
    knows = tuple(target for target in one.told if target != news.target)
    if news.what == "begun":
        knows = (*knows, news.target)
    return memory.model_copy(
        update={"conditions": {**memory.conditions, news.rule: one.model_copy(update={"told": knows})}}
    )


class AlertStore:
    """The memory of one account, in the state folder; a damaged file counts as none. Reading never raises.

    Where the state folder cannot be used, the file is in the ``spare`` folder (the log's), so that a damaged state is
    reported once and not by every run.
    """

    def __init__(self, folder: Path, spare: Path) -> None:
        self._files = (folder / FILE_NAME, spare / FILE_NAME)

    @classmethod
    def of(cls, settings: Settings) -> AlertStore:
        """The store of these settings."""
        return cls(settings.state_folder, settings.log_dir)

    def load(self) -> Memory:
        """Load the last saved memory; an empty one if there is none."""
        return self.known() or Memory()

    def known(self) -> Memory | None:
        """Load the memory like :meth:`load`; ``None`` if the state folder or its file cannot be read."""
        found = [memory for path in self._files if (memory := _read(path)) is not None]
        if found:
            return max(found, key=lambda memory: memory.saved)
        try:
            self._files[0].lstat()
        except FileNotFoundError:
            return Memory()
        except OSError:
            pass
        return None

    def save(self, memory: Memory, now: float) -> bool:
        """Save the memory, in the state folder if possible; return whether it could be saved."""
        data = memory.model_copy(update={"saved": now}).model_dump_json(exclude_defaults=True).encode("utf-8")
        for path in self._files:
            try:
                make_folder(path.parent)
                replace_file(path, lambda target: target.write(data))
            except OSError:
                continue
            if path == self._files[0]:
                with suppress(OSError):
                    self._files[1].unlink(missing_ok=True)
            return True
        return False

    @contextmanager
    def alone(self, patience_s: float) -> Iterator[bool]:
        """Hold the lock: false if another process holds it for ``patience_s``; true also if no lock can be made."""
        lock = filelock.FileLock(self._files[0].with_name(LOCK_NAME), mode=0o600, thread_local=False)
        free = True
        try:
            make_folder(self._files[0].parent)
            lock.acquire(timeout=patience_s)
        except filelock.Timeout:
            free = False
        except OSError:
            pass
        try:
            yield free
        finally:
            lock.release()


def _read(path: Path) -> Memory | None:
    try:
        return Memory.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None

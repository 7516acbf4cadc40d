"""What stops a run or its requests: too little disk space, the kill switch, a circuit breaker; and retry waits.

A run does not begin without room for its receipts. The kill switch, a file or a setting, stops every run before
its next ticket and its next write.

After some failures in a row the circuit breaker stops requests for a while, then lets one trial through. It is own code
because the known libraries either hold their lock during the call or let every waiting thread through at the trial. The
state folder keeps :meth:`Breaker.memory` for the next run, since a program that cron starts would otherwise forget it
after ten minutes. Waits before another try are computed here; nothing here sleeps.
"""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .clock import Clock, parse_http_date
from .errors import AuditUnwritable, Halted, StateUnusable

MB = 1_000_000
LEAST_FREE_MB = 50
"""A run of some thousand tickets writes a few megabytes; the rest is for what other programs write meanwhile."""


def check_room(log: Path, state: Path, least_mb: int = LEAST_FREE_MB) -> None:
    """Raise :class:`AuditUnwritable` or :class:`StateUnusable` if the log's or the state's disk is nearly full.

    ``least_mb`` is in millions of bytes. A disk of unknown space passes.
    """
    log_dir = (
        "name another as log_dir (TICKETBOT_LOG_DIR), or keep the log for fewer days (audit.retention_days); without "
        "receipts nothing is changed"
    )
    state_dir = "or name another as state_dir (TICKETBOT_STATE_DIR)"
    for what, folder, error, advice in (
        ("log", log, AuditUnwritable, log_dir),
        ("state", state, StateUnusable, state_dir),
    ):
        free, least = _free(folder), least_mb * MB
        if free < least:
            raise error(
                f"the disk of the {what} folder {folder} has {size(free)} free, and a run wants {size(least)}: make "
                f"room, {advice}"
            )


def size(count: float) -> str:
    """Bytes in the unit that fits; from a megabyte on rounded down."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if count >= unit:
            return f"{count * 10 // unit / 10:.1f} {name}"
    return f"{count / 1000:.0f} kB"


def _free(folder: Path) -> float:
    """Free bytes on the disk of a folder, which need not exist yet; infinite if unknown."""
    for path in (folder, *folder.absolute().parents):
        try:
            return shutil.disk_usage(path).free
        except FileNotFoundError:
            continue
        except OSError:
            break
    return float("inf")


STOP_FILE = "STOP"
"""A file of this name in the state folder stops every run."""


class KillSwitch:
    """The kill switch, which is checked before each step. It is set by a file or by a setting. Thread-safe.

    Each check looks for the file, so that it stops a run under way; ``set_by`` is the setting or variable that was set
    when the process began, if any.
    """

    def __init__(self, file: Path | None = None, *, set_by: str | None = None) -> None:
        self._file = file
        self._set_by = set_by

    def check(self) -> None:
        """Raise :class:`Halted` if the switch is set; the message says what set it and how to release it."""
        if self._set_by is not None:
            raise Halted(
                f"the kill switch is set: {self._set_by} says that nothing may be done; remove it there, or set it to "
                + ("false" if self._set_by.startswith("run.") else "0")
            )
        if self._file is not None and _is_there(self._file):
            raise Halted(f"the kill switch is set: the file {self._file.absolute()} is there; remove it to go on")


def _is_there(file: Path) -> bool:
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise Halted(
            f"cannot check the kill switch: the file {file} cannot be read "
            f"({error.strerror or type(error).__name__}); let this user read its folder"
        ) from error
    return True


BACKOFF_BASE_S = 0.5
BACKOFF_CAP_S = 20.0
RETRY_AFTER_CAP_S = 3600.0
"""If a server names a longer wait, it is asked again after this one; such long waits have been mistakes."""


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """The three forms of ``Retry-After`` (seconds, decimals, an HTTP date) as seconds from ``now``.

    ``None`` when absent or unreadable; the past is 0.0; never above :data:`RETRY_AFTER_CAP_S`.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        moment = parse_http_date(value)
        if moment is None:
            return None
        seconds = moment - now
    if seconds != seconds:
        return None
    return min(max(0.0, seconds), RETRY_AFTER_CAP_S)


def backoff_seconds(attempt: int, rng: random.Random) -> float:
    """A random wait of zero to ``0.5 × 2^attempt`` seconds, at most 20: full jitter (AWS Builders' Library)."""
    return rng.uniform(0, min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2.0**attempt))


@dataclass(frozen=True)
class BreakerMemory:
    """The memory of a breaker: failures in a row, and until when (Unix seconds) it stays open.

    ``cause`` is the last failure in words; empty if unknown.
    """

    failures: int = 0
    open_until: float = 0.0
    cause: str = ""


class Crowded(Exception):
    """As many calls are under way as may fail, or the trial is: ask again in a moment."""


@dataclass(frozen=True)
class Admission:
    """Permission for one call. Give it back by :meth:`Breaker.success`, ``failure`` or ``release``."""

    generation: int
    trial: bool


class Breaker:
    """Opens after ``threshold`` failures in a row, for ``open_seconds``; then one trial decides.

    With ``proven=False``, until one call succeeds and after each failure, no more calls are under way than may fail: a
    dependency that is down gets ``threshold`` calls, however many threads want to call. A caller that comes during the
    trial is asked to wait for it, and is not refused because of earlier failures.

    Thread-safe; no lock is held during a call. Results of calls admitted before the breaker opened are ignored. A trial
    without a result ends after ``open_seconds``, so a hung thread cannot keep the circuit half-open for ever.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        threshold: int = 5,
        open_seconds: float = 60.0,
        proven: bool = True,
        memory: BreakerMemory | None = None,
        on_change: Callable[[str, BreakerMemory], None] | None = None,
    ) -> None:
        self.name = name
        self._clock = clock
        self._threshold = threshold
        self._open_seconds = open_seconds
        self._on_change = on_change
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._careful = not proven
        self._proven = proven
        self._under_way = 0
        self._generation = 0
        self._failures = memory.failures if memory else 0
        self._cause = memory.cause if memory else ""
        self._open_until: float | None = None
        if memory and memory.failures >= threshold:
            left = memory.open_until - clock.now()
            # The stored moment is wall clock. One too far ahead comes from a wrong clock, and would still be wrong in
            # the next run: the circuit gets its trial now.
            left = 0.0 if left > open_seconds else max(0.0, left)
            self._open_until = clock.monotonic() + left
        self._trial_until: float | None = None

    def admit(self, wait_s: float = 0.0) -> Admission | None:
        """Permission to call now; ``None`` while the circuit is open, or on trial and nobody may wait for that.

        With ``proven=False``, raises :class:`Crowded` if there is no room within ``wait_s`` seconds.
        """
        with self._lock:
            if wait_s > 0 and self._crowded():
                self._room.wait(wait_s)
            if self._crowded():
                raise Crowded
            if self._open_until is None:
                self._under_way += 1
                return Admission(self._generation, trial=False)
            now = self._clock.monotonic()
            if now < self._open_until or self._on_trial():
                return None
            self._generation += 1
            self._trial_until = now + self._open_seconds
            return Admission(self._generation, trial=True)

    def _crowded(self) -> bool:
        if not self._careful or self._open_until is not None:
            return self._careful and self._on_trial()
        return (not self._proven or self._failures > 0) and self._failures + self._under_way >= self._threshold

    def _on_trial(self) -> bool:
        return self._trial_until is not None and self._clock.monotonic() < self._trial_until

    def success(self, admission: Admission) -> None:
        """Report that the dependency answered properly; a refusal such as 404 is a proper answer."""
        with self._lock:
            if admission.generation != self._generation:
                return
            changed = self._failures > 0 or self._open_until is not None
            self._returned(admission)
            self._proven = True
            self._failures = 0
            self._cause = ""
            self._open_until = self._trial_until = None
            self._room.notify_all()
        if changed:
            self._tell()

    def failure(self, admission: Admission, cause: str = "") -> None:
        """Report that the dependency failed, with ``cause``: no answer, 5xx, 429, or an unreadable answer."""
        with self._lock:
            if admission.generation != self._generation:
                return
            self._returned(admission)
            self._failures += 1
            self._cause = cause
            if admission.trial or self._failures >= self._threshold:
                self._generation += 1
                self._under_way = 0
                self._open_until = self._clock.monotonic() + self._open_seconds
                self._trial_until = None
                self._room.notify_all()
        self._tell()

    def release(self, admission: Admission) -> None:
        """Give back a permission that was not used, or whose call says nothing about the dependency."""
        with self._lock:
            if admission.generation == self._generation:
                self._returned(admission)
                if admission.trial:
                    self._trial_until = None
                    self._room.notify_all()

    def _returned(self, admission: Admission) -> None:
        if not admission.trial:
            self._under_way -= 1
            self._room.notify()

    def seconds_until_trial(self) -> float:
        """Seconds until a call may be admitted; 0.0 if calls are admitted or a trial is due."""
        with self._lock:
            if self._open_until is None:
                return 0.0
            until = max(self._open_until, self._trial_until or 0.0)
            return max(0.0, until - self._clock.monotonic())

    @property
    def cause(self) -> str:
        """The last failure in words; empty after a success, or if unknown."""
        with self._lock:
            return self._cause

    def memory(self) -> BreakerMemory:
        """The memory for the next run."""
        with self._lock:
            if self._open_until is None:
                return BreakerMemory(self._failures, 0.0, self._cause)
            left = max(0.0, self._open_until - self._clock.monotonic())
            return BreakerMemory(max(self._failures, self._threshold), self._clock.now() + left, self._cause)

    def _tell(self) -> None:
        if self._on_change is not None:
            self._on_change(self.name, self.memory())

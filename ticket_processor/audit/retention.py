"""Maintains the log: checks its end, and deletes days that are too old.

The next run repeats whatever a crash or a full disk interrupted.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ..core.errors import AuditUnwritable, CannotRun, ConfigError
from ..state.store import State
from .encryption import BEGIN_ANEW, KEYS_VARIABLE, Keyring, is_encrypted
from .files import encrypts, headers, leftovers, line_at, log_files
from .receipts import AuditLog
from .writer import Head, last_head

LOG_HEAD, LOG_FOLDER = "log_head", "log_folder"
"""Facts of the state: where the log ended, and which one that was."""
EXPIRED = "log_expired"
"""The alert that explains deleted days to a verification."""
BEHIND_S = 3600.0
"""A clock this far behind the helpdesk's last date is wrong."""
CHANGED = "log_changed"
"""The alert for a log without the line that the last run ended with."""


def check_encryption(folder: Path, today: str, keys: Keyring | None) -> None:
    """Raise :class:`ConfigError` where an encrypted log would go on in the clear, or under a key that opens none of it.

    Raises :class:`CannotRun` for the folder.
    """
    for file in reversed(log_files(folder, last_day=today) or log_files(folder)):
        last = None
        with suppress(CannotRun):  # a damaged day keeps no other from being written
            last = next(reversed(list(headers(file))), None)
        if last is None:
            continue
        if "cipher" not in last or (keys is not None and keys.cipher_of(last) is not None):
            return
        if keys is None:
            raise ConfigError(
                f"the log is encrypted ({file.path.name}), and {KEYS_VARIABLE} is not set: set it to the keys that it "
                f"is written with; {BEGIN_ANEW}"
            )
        raise ConfigError(
            f"no key in {KEYS_VARIABLE} is the one that {file.path.name} is encrypted with: put that one behind "
            f"the new one (NEW,OLD); {BEGIN_ANEW}"
        )


def look_after(
    audit: AuditLog, now: float, retention_days: int, left: str | None, keys: Keyring | None, state: State
) -> list[str]:
    """Check the end that the last run ``left``, and remove old days. Returns sentences on what went wrong.

    A day is too old by this machine's clock and by what the helpdesk's clock said last, which ``state`` knows: no day
    is removed before that has said anything. Raises :class:`AuditUnwritable` when a changed log cannot be told.
    """
    troubles: list[str] = []
    told = state.helpdesk_date()
    first_kept = "" if told is None else str(_day(min(now, told)) - timedelta(days=retention_days))
    try:
        # A run that died once it had deleted the day of that end could not tell of another.
        if left is not None and left >= first_kept and not stands(audit.folder, left, keys):
            audit.alert(CHANGED, head=left)
            troubles.append(
                "the log no longer holds the line that the last run ended with: it was changed, cut or removed since; "
                "see 'ticketbot audit verify'"
            )
    except AuditUnwritable:
        raise
    except CannotRun as error:
        troubles.append(f"cannot tell whether the log was changed since the last run: {error}")
    failed = [*_removed(leftovers(audit.folder)), *(_expire(audit, first_kept, keys) if first_kept else ())]
    if failed:
        why = (getattr(failed[0], "strerror", None) or str(failed[0])).rstrip(".")
        troubles.append(f"the log in {audit.folder} could not be cleared of old days: {why}")
    return troubles


def left_in(state: State, folder: Path) -> str | None:
    """Where this log ended when it was last known; ``None`` too when that was another one."""
    where = state.fact(LOG_FOLDER)
    return state.fact(LOG_HEAD) if where is None or where == str(folder.resolve()) else None


def keep_head(state: State, audit: AuditLog) -> str | None:
    """Store the end of the log for the next run, and return it."""
    if audit.head is None:
        return None
    state.remember(**{LOG_HEAD: str(audit.head), LOG_FOLDER: str(audit.folder.resolve())})
    return str(audit.head)


def stands(folder: Path, head: str, keys: Keyring | None = None) -> bool:
    """Whether the line that was once the last of the log is still there, as far as ``keys`` can tell.

    Raises :class:`CannotRun` when its file cannot be read.
    """
    try:
        then = Head.parse(head)
    except ValueError:
        return False
    for file in log_files(folder, first_day=then.day, last_day=then.day):
        line = line_at(file, then.lines - 1, keys)
        if line is not None and is_encrypted(line):
            return encrypts(file)  # there is no key for it, or it would have been opened
        return line is not None and line.get("mac") == then.mac
    return False


def not_before(state: State, now: float) -> str:
    """The day before which no line may be filed, since the helpdesk's clock was further; empty when all is well.

    Under a clock that is behind, a line would go to a day that is removed before its time. Raises
    :class:`StateUnusable`.
    """
    told = state.helpdesk_date()
    return str(_day(told)) if told is not None and now < told - BEHIND_S else ""


def _day(moment: float) -> date:
    return datetime.fromtimestamp(moment, UTC).date()


def _expire(audit: AuditLog, first_kept: str, keys: Keyring | None) -> list[Exception]:
    """Remove what is older; one file that cannot be removed does not keep the others. Gives what went wrong."""
    folder = audit.folder
    try:
        old = [file for file in log_files(folder) if file.day < first_kept]
        paths = [path for path in folder.glob("ticketbot-????-??-??.*") if path.name[10:20] < first_kept]
        if old:
            last = last_head(old, keys)
            audit.alert(EXPIRED, sync=True, days=[file.day for file in old], last=last and str(last))
    except (OSError, CannotRun) as error:
        return [error]
    return _removed(sorted(paths))


def _removed(paths: Iterable[Path]) -> list[Exception]:
    """Remove files; gives what went wrong."""
    failed: list[Exception] = []
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            failed.append(error)
    return failed

"""Maintains the log: checks its end, and deletes days that are too old.

The next run repeats whatever a crash or a full disk interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ..core.errors import CannotRun, ConfigError, StateUnusable
from ..state.store import State
from .encryption import BEGIN_ANEW, KEYS_VARIABLE, Keyring, is_encrypted
from .files import encrypts, last_header, leftovers, line_at, log_files, read_lines
from .receipts import REPAIRED, AuditLog
from .writer import Head, last_head

LOG_HEAD, LOG_FOLDER = "log_head", "log_folder"
"""Facts of the state: where the log ended, and which one that was."""
LEFT_OPEN = "left_open_in_the_log"
"""The reason on the retry list for a ticket with a write that only the log knows of."""
EXPIRED = "log_expired"
"""The alert that explains deleted days to a verification."""
CLEARED = "log_cleared"
"""Fact of the state: the day (``YYYY-MM-DD``) that the last run took for today when it removed what was too old."""
BEHIND_S = 3600.0
"""A clock this far behind the helpdesk's last date is wrong."""
CHANGED = "log_changed"
"""The alert for a log without the line that the last run ended with."""


def check_encryption(folder: Path, today: str, keys: Keyring | None) -> None:
    """Raise :class:`ConfigError` where an encrypted log would go on in the clear, or under a key that opens none of it.

    Raises :class:`CannotRun` for the folder.
    """
    files = log_files(folder, last_day=today) or log_files(folder)
    for file in reversed(files):
        header = None
        with suppress(CannotRun):  # a damaged day keeps no other from being written
            header = last_header(file)
        if header is None:
            continue
        if "cipher" not in header or (keys is not None and keys.cipher_of(header) is not None):
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
    """Do all of it; ``left`` is the end that the last run left. Returns sentences on what went wrong.

    A day is too old by this machine's clock and by what the helpdesk's clock said last, which ``state`` knows: no day
    is removed before that has said anything. Of the days that were not too old for the last run one is removed.
    This run also reports what a dry run has repaired since then.
    Raises :class:`AuditUnwritable` when a changed log cannot be told.
    """
    today, first_kept, troubles = _day(now), "", list[str]()
    try:
        first_kept = _first_kept(audit.folder, now, timedelta(days=retention_days), state)
        # A run that died once it had deleted the day of that end could not tell of another.
        changed = left is not None and left >= first_kept and not stands(audit.folder, left, keys)
        if left is not None and not changed:
            _catch_up(audit, left, today, keys, state)
    except CannotRun as error:
        changed = False
        troubles.append(f"cannot tell whether the log was changed since the last run: {error}")
    if changed:
        audit.alert(CHANGED, head=left)
        troubles.append(
            "the log no longer holds the line that the last run ended with: it was changed, cut or removed since; see "
            "'ticketbot audit verify'"
        )
    forgotten = _each(leftovers(audit.folder), _removed)
    failed = [
        *forgotten,
        *(_expire(audit, first_kept, keys) if first_kept else ()),
        *_tidy(audit, today),
    ]
    if first_kept and not failed:
        with suppress(StateUnusable):  # then it was the run before that cleared it, and the next one does so again
            state.remember(**{CLEARED: str(date.fromisoformat(first_kept) + timedelta(days=retention_days))})
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


def _catch_up(audit: AuditLog, head: str, today: date, keys: Keyring | None, state: State) -> None:
    """Take note of what the log holds behind the end that the state knows of.

    A torn line that was removed is news. A write without an end that the state knows nothing of was begun by a run
    after that state was copied: its ticket goes on the retry list, where it is read before anything else is done.
    Raises :class:`CannotRun`.
    """
    try:
        then = Head.parse(head)
    except ValueError:
        return
    begun: dict[int, None] = {}
    for file in log_files(audit.folder, first_day=then.day, last_day=today.isoformat()):
        for _, line in read_lines(file, keys, first=then.lines if file.day == then.day else 0):
            if line is None:
                continue
            if line.get("what") == REPAIRED:
                audit.alerted.add(REPAIRED)
            if line.get("event") == "intent" and not line.get("dry_run"):
                begun[line["ticket_id"]] = None
            elif line.get("event") == "ticket":
                begun.pop(line["ticket_id"], None)
    known = {item.verdict.ticket_id for item in state.unsettled()} | {item.ticket_id for item in state.retries()}
    for ticket_id in sorted(begun.keys() - known):
        state.retry_later(ticket_id, LEFT_OPEN, failed=False, max_attempts=1, now=state.helpdesk_date() or 0.0)


def not_before(state: State, now: float) -> str:
    """The day before which no line may be filed, since the helpdesk's clock was further; empty when all is well.

    Under a clock that is behind, a line would go to a day that is removed before its time. Raises
    :class:`StateUnusable`.
    """
    told = state.helpdesk_date()
    return str(_day(told)) if told is not None and now < told - BEHIND_S else ""


def _first_kept(folder: Path, now: float, kept: timedelta, state: State) -> str:
    """The first day that stays; empty while the helpdesk's clock is not known. Raises :class:`CannotRun`.

    What it said last is in the past, so nothing is too old by it that is not too old in truth. Whatever goes wrong
    all the same costs one day of the log a run, and not all of it.
    """
    told = state.helpdesk_date()
    if told is None:
        return ""
    first = str(_day(min(now, told)) - kept)
    cleared = state.fact(CLEARED)
    known = "" if cleared is None else str(date.fromisoformat(cleared) - kept)
    more = [file.day for file in log_files(folder, first_day=known) if file.day < first]
    return first if len(more) <= 1 else more[1]


def _day(moment: float) -> date:
    return datetime.fromtimestamp(moment, UTC).date()


def _expire(audit: AuditLog, first_kept: str, keys: Keyring | None) -> list[Exception]:
    """Remove what is older; one file that cannot be removed does not keep the others. Gives what went wrong."""
    too_old = _of_days(audit.folder, lambda day: day < first_kept)
    try:
        old = [file for file in log_files(audit.folder) if file.day < first_kept]
        if old:
            last = last_head(old, keys)
            audit.alert(EXPIRED, sync=True, days=[file.day for file in old], last=last and str(last))
        return _each(too_old, _removed)
    except (OSError, CannotRun) as error:
        return [error]


def _tidy(audit: AuditLog, today: date) -> list[Exception]:
    """Remove what a file's replacement left unfinished when it died."""

    def alone(path: Path) -> None:
        with audit.alone():
            _removed(path)

    yesterday = (today - timedelta(days=1)).isoformat()
    return _each([path for path in _of_days(audit.folder, lambda day: day < yesterday) if path.suffix == ".tmp"], alone)


def _each(paths: Iterable[Path], work: Callable[[Path], None]) -> list[Exception]:
    failed: list[Exception] = []
    for path in paths:
        try:
            work(path)
        except OSError as error:
            failed.append(error)
    return failed


def _removed(path: Path) -> None:
    path.unlink(missing_ok=True)


def _of_days(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """Everything in the folder that belongs to such days, the log's file and what lies beside it, oldest first."""
    return sorted(path for path in folder.glob("ticketbot-????-??-??.*") if wanted(path.name[len("ticketbot-") :][:10]))

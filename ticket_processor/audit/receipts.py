"""Writes receipts: JSON lines for programs, and a plain text log for people beside them; and maintains both.

``logs/ticketbot-YYYY-MM-DD.jsonl`` (UTC days) holds the lines, in a chain of MACs. Of a ticket's text a line holds the
redacted summary, at most eight short redacted quotes, and the entities that the site asked for. If a line cannot be
written, :class:`AuditUnwritable` is raised, and the caller must not act.

Maintenance checks the log's end and deletes old days. After a crash or a full disk the next run repeats it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from ..analysis.text.outgoing import fit_for_the_log
from ..core.clock import Clock, iso
from ..core.errors import AuditUnwritable, CannotRun, ConfigError, ExitCode, why_unusable
from ..core.models import Change, Outcome, StatusChange, Usage
from ..core.run_summary import RunSummary, Statement
from ..core.service_times import as_rows
from ..state.store import State
from .files import NAME, headers, log_files, read_lines
from .lines import BEGIN_ANEW, KEYS_VARIABLE, Keyring
from .writer import Head, LogWriter, last_head

REPAIRED = "torn_line_repaired"
"""The alert for the removal of an incomplete line that a crash left."""


class AuditLog:
    """Appends events of one run. Thread-safe, and safe beside other processes."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        run_id: str,
        *,
        dry_run: bool = False,
        key: bytes = b"",
        keys: Keyring | None = None,
    ) -> None:
        """``key`` seals the chain; ``keys``, if given, encrypt the lines."""
        self.folder = folder
        self._clock = clock
        self._run_id = run_id
        self._dry_run = dry_run
        self._lock = threading.Lock()
        self._writer = LogWriter(folder, key, keys)
        self._sequence = 0
        self.not_before = ""
        """No line is written to the file of an earlier day, whatever the clock says."""

    @property
    def path(self) -> Path:
        """The file that an event written now goes to."""
        return self.folder / (NAME.format(day=max(iso(self._clock.now())[:10], self.not_before)) + ".jsonl")

    @property
    def head(self) -> Head | None:
        """The log's end after our last line; a copy stored elsewhere shows whether the log's end was cut off."""
        return self._writer.head

    def alone(self) -> AbstractContextManager[None]:
        """Lock the log against all other writers. Raises ``OSError`` if another process holds it for too long."""
        return self._writer.alone()

    def run_started(self, **facts: object) -> None:
        """Write the first line of a run, before anything else happens; raises if the log is unwritable."""
        self._event("run_started", facts, sync=True)

    def new_intent(self) -> str:
        """A new name for one write, unique over all runs."""
        with self._lock:
            self._sequence += 1
            return f"{self._run_id}-{self._sequence}"

    def intent(self, *changes: Change) -> None:
        """Write the lines that must be on disk before these changes are sent."""
        facts = [{"ticket_id": one.ticket_id, "intent": one.intent, "change": logged_change(one)} for one in changes]
        self._event("intent", *facts, sync=True)

    def ticket(self, outcome: Outcome) -> None:
        analysis = outcome.analysis
        self._event(
            "ticket",
            {
                "ticket_id": outcome.ticket_id,
                "outcome": outcome.status.value,
                "reason": outcome.reason,
                "intent": outcome.change.intent or None if outcome.change else None,
                "analysis": analysis and analysis.model_dump(exclude={"usage", "cost_usd", "attempts"}),
                **({"customer_reply": outcome.customer_reply.model_dump()} if outcome.customer_reply else {}),
                "change": outcome.change and logged_change(outcome.change),
                **({"service_times": as_rows(outcome.service_times)} if outcome.service_times else {}),
                "job": outcome.job,
                "attempts": {"analyse": analysis.attempts if analysis else 0, "write": outcome.attempts},
                "tokens": (analysis.usage if analysis else Usage()).model_dump(),
                "cost_usd": analysis.cost_usd if analysis else None,
                "timings_ms": {"analyse": 0, "write": 0, "total": 0, **outcome.timings_ms},
            },
        )

    def alert(self, what: str, *, sync: bool = False, **facts: object) -> None:
        """Write an alert, which concerns no single ticket; with ``sync`` it is on disk on return."""
        self._event("alert", {"what": what, **facts}, sync=sync)

    def run_finished(self, summary: RunSummary) -> RunSummary:
        """Write the last line of a run; the returned summary says so if that fails."""
        facts = summary.model_dump(
            mode="json", exclude={"run_id", "dry_run", "log_head", "causes", "price_note", "unpriced"}
        )
        try:
            self._event("run_finished", facts, sync=True)
        except AuditUnwritable as unwritable:
            stopped, kind = summary.stopped or str(unwritable), summary.stopped_by or type(unwritable).__name__
            ended = {"stopped": stopped, "stopped_by": kind, "exit_code": int(ExitCode.CANNOT_RUN)}
            return summary.model_copy(update=ended)
        return summary

    def close(self) -> None:
        """Close the files. Idempotent."""
        self._writer.close()

    def _event(self, event: str, *facts: Mapping[str, object], sync: bool = False) -> None:
        stamp = iso(self._clock.now(), milliseconds=True)
        head = {"ts": stamp, "event": event, "run_id": self._run_id, "dry_run": self._dry_run}
        facts = tuple(fit_for_the_log(event, each) for each in facts)
        said = [] if event == "intent" else [" ".join(describe(event, each).split()) for each in facts]
        text = "".join(f"{stamp} {self._run_id} {each}\n" for each in said)
        self._append([{**head, **each} for each in facts], text, sync=sync)

    def _append(self, lines: Sequence[Mapping[str, object]], text: str, *, sync: bool) -> None:
        try:
            self._writer.append(max(str(lines[0]["ts"])[:10], self.not_before), lines, text, sync=sync)
        except OSError as error:
            raise AuditUnwritable(
                f"the log {self.path} cannot be written ({why_unusable(self.folder, error, self.path)}): make its "
                "folder writable, or name another as log_dir (TICKETBOT_LOG_DIR); without receipts nothing is changed"
            ) from error
        repaired, self._writer.repaired = self._writer.repaired, None
        if repaired is not None:
            self.alert(REPAIRED, bytes=repaired)


def describe(event: str, facts: Mapping[str, Any]) -> str:
    """An event as a sentence for the plain text log."""
    if event == "ticket":
        analysis, change = facts.get("analysis"), facts.get("change") or {}
        words = [f"ticket {facts['ticket_id']} {facts['outcome']} ({facts['reason']})"]
        if analysis:
            words.append(f"{analysis['category']}/{analysis['urgency']} by {analysis['model'] or analysis['source']}")
        if change.get("tags_added"):
            words.append("+ " + " ".join(change["tags_added"]))
        if change.get("tags_removed"):
            words.append("- " + " ".join(change["tags_removed"]))
        for name in ("priority", "group"):
            value = change.get(name) or {"from": None, "to": None}
            if value["from"] != value["to"]:
                words.append(f"{name} {value['from'] or '-'} -> {value['to'] or '-'}")
        if change.get("reply"):
            words.append(f"public reply, {change['reply']['category']}")
        if change.get("close"):
            words.append(f"status {change['close']['status']}")
        if change.get("status"):
            words.append(f"status {change['status']}")
        words += [f"field {key} -> {value['to'] or '-'}" for key, value in (change.get("fields") or {}).items()]
        return "; ".join(words)
    if event == "run_finished":
        nothing = "nothing done" if facts.get("stopped") else "nothing to do"
        unconfirmed = (facts.get("writes") or {}).get("open")
        counted = {**facts["outcomes"], **({"sent_and_not_confirmed": unconfirmed} if unconfirmed else {})}
        counts = " ".join(f"{name}={count}" for name, count in sorted(counted.items())) or nothing
        ended = f"; ended early: {facts['stopped']}" if facts.get("stopped") else ""
        statement = Statement(**facts["statement"]) if facts.get("statement") else None
        sworn = f"; {statement.text}" if statement and statement.written else ""
        return f"run finished in {facts['duration_s']:.1f} s: {counts}{sworn}; exit code {facts['exit_code']}{ended}"
    details = " ".join(f"{name}={value}" for name, value in facts.items() if value is not None)
    return f"{event.replace('_', ' ')} {details}".rstrip()


def logged_change(change: Change) -> dict[str, object]:
    """A change as a receipt holds it."""
    return {
        "tags_added": change.tags_added,
        "tags_removed": change.tags_removed,
        "priority": _from_to(change.priority_before, change.priority, cleared="priority" in change.cleared),
        "group": _from_to(change.group_before, change.group, cleared="group" in change.cleared),
        # The log never holds what people wrote into a field, not even if we replaced it.
        "fields": {
            str(key): {"from": None, "to": "(as it was)" if change.puts_back and value else value}
            for key, value in change.field_values.items()
        },
        "note": change.note,
        "escalated": change.escalated,
        **({"offered": change.offered.model_dump()} if change.offered else {}),
        **({"reply": change.reply.model_dump(exclude={"text"})} if change.reply else {}),
        **_status(change.closing),
        "stamp": change.stamp,
        "key": change.key,
    }


def _status(closing: StatusChange | None) -> dict[str, object]:
    """The entry for a status change; one that follows our reply includes the draft, since reports count it."""
    if closing is None:
        return {}
    return {"close": closing.model_dump()} if closing.draft else {"status": closing.status}


def _from_to(before: object, after: object, *, cleared: bool) -> dict[str, object]:
    return {"from": before, "to": None if cleared else before if after is None else after}


LOG_HEAD, LOG_FOLDER = "log_head", "log_folder"
"""Facts of the state: the log's end, and the log's folder."""
EXPIRED = "log_expired"
"""The alert that tells verification why days are missing."""
BEHIND_S = 3600.0
"""Seconds; a clock that is further behind the helpdesk's last date is wrong."""
CHANGED = "log_changed"
"""The alert for a log that lacks the last line of the run before."""


def check_encryption(folder: Path, today: str, keys: Keyring | None) -> None:
    """Raise :class:`ConfigError` if an encrypted log would go on unencrypted, or with keys that decrypt none of it.

    Raises :class:`CannotRun` if the folder cannot be read.
    """
    for file in reversed(log_files(folder, last_day=today) or log_files(folder)):
        last = None
        with suppress(CannotRun):  # a damaged file must not prevent writing others
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
    audit: AuditLog, now: float, left: str | None, retention_days: int, keys: Keyring | None, state: State
) -> list[str]:
    """Check the log's end, which the last run ``left``, and delete old days. Returns sentences on what went wrong.

    A day is old only if both this machine's clock and the helpdesk's last date in ``state`` say so; without such a date
    no day is deleted. Raises :class:`AuditUnwritable` if the alert about a changed log cannot be written.
    """
    troubles: list[str] = []
    date = state.helpdesk_date()
    first_kept = "" if date is None else str(_day(min(now, date)) - timedelta(days=retention_days))
    try:
        # If that day was deleted and the run died then, the state still names an end that is rightly gone.
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


def leftovers(log: Path) -> list[Path]:
    """Files with copies of the log's columns, which reports of earlier versions kept beside it."""
    return [path for path in sorted((log / ".index").glob("*")) if path.is_file()]


def left_in(state: State, folder: Path) -> str | None:
    """The end of the log in ``folder`` as the state knows it; ``None`` if it is unknown or of another folder."""
    where = state.fact(LOG_FOLDER)
    return state.fact(LOG_HEAD) if where is None or where == str(folder.resolve()) else None


def keep_head(state: State, audit: AuditLog) -> str | None:
    """Store the log's end for the next run, and return it."""
    if audit.head is None:
        return None
    state.remember(**{LOG_HEAD: str(audit.head), LOG_FOLDER: str(audit.folder.resolve())})
    return str(audit.head)


def stands(folder: Path, head: str, keys: Keyring | None = None) -> bool:
    """True if the line that ``head`` names is still in the log, as far as ``keys`` allow to check.

    Raises :class:`CannotRun` when its file cannot be read.
    """
    try:
        then = Head.parse(head)
    except ValueError:
        return False
    for file in log_files(folder, first_day=then.day, last_day=then.day):
        for item in islice(read_lines(file, keys, first=then.lines - 1), 1):
            if item.closed:  # its key is missing, so it was not decrypted
                return any("cipher" in header for header in headers(file))
            return item.line is not None and item.line.get("mac") == then.mac
    return False


def not_before(state: State, now: float) -> str:
    """The earliest day to which lines may be written, if this clock is behind the helpdesk's; empty if it is not.

    Otherwise a line could be written to a day that is deleted too early. Raises :class:`StateUnusable`.
    """
    date = state.helpdesk_date()
    return str(_day(date)) if date is not None and now < date - BEHIND_S else ""


def _day(moment: float) -> date:
    return datetime.fromtimestamp(moment, UTC).date()


def _expire(audit: AuditLog, first_kept: str, keys: Keyring | None) -> list[Exception]:
    """Delete older files, also if deleting one of them fails; returns the errors."""
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
    failed: list[Exception] = []
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            failed.append(error)
    return failed

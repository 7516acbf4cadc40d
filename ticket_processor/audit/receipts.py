"""Receipts: JSON lines for programs, and a plain text log for people beside it.

``logs/ticketbot-YYYY-MM-DD.jsonl`` (UTC days), every line in a chain of macs. Of a ticket's text a line holds the
redacted summary, at most five short redacted quotes, and the entities that the site asked for. If a line
cannot be written, :class:`AuditUnwritable` is raised, and the caller must not act.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ..analysis.text.outgoing import fit_for_the_log
from ..core.clock import Clock, iso
from ..core.errors import AuditUnwritable, why_unusable
from ..core.models import Change, Outcome, StatusChange, Usage
from ..core.run_summary import RunSummary, Statement
from .encryption import Keyring
from .files import NAME
from .writer import Head, LogWriter

REPAIRED = "torn_line_repaired"
"""The alert for half a line that a crash had left."""
REPAIRED_SAID = "the log ended in half a line, as a crash or a full disk leaves it; that was removed"
"""The same for a person."""


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
        """``key`` seals the chain; ``keys`` encrypt the lines, where there are any."""
        self.folder = folder
        self._clock = clock
        self._run_id = run_id
        self._dry_run = dry_run
        self._lock = threading.Lock()
        self._writer = LogWriter(folder, key, keys)
        self._sequence = 0
        self.not_before = ""
        """No line goes to the file of an earlier day, whatever the clock says."""
        self.alerted: set[str] = set()
        """The kinds of its alerts so far."""

    @property
    def path(self) -> Path:
        """The file that an event written now goes to."""
        return self.folder / (NAME.format(day=max(iso(self._clock.now())[:10], self.not_before)) + ".jsonl")

    @property
    def head(self) -> Head | None:
        """Where the log ended when this last wrote to it; kept elsewhere, it shows whether the end was cut off."""
        return self._writer.head

    def alone(self) -> AbstractContextManager[None]:
        """Keep all others from writing to the log. Raises ``OSError`` if another process does not let go of it."""
        return self._writer.alone()

    def run_started(self, **facts: object) -> None:
        """The first line of a run; raises before anything else has happened when the log is unwritable."""
        self._event("run_started", facts, sync=True)

    def new_intent(self) -> str:
        """A name for one write, unique over all runs."""
        with self._lock:
            self._sequence += 1
            return f"{self._run_id}-{self._sequence}"

    def intent(self, *changes: Change) -> None:
        """The lines that must be on disk before a write, or a job of many, is sent."""
        facts = [
            {"ticket_id": change.ticket_id, "intent": change.intent, "change": _change(change)} for change in changes
        ]
        self._event("intent", *facts, sync=True)

    def ticket(self, outcome: Outcome) -> None:
        """The line that says what became of a ticket."""
        analysis = outcome.analysis
        self._event(
            "ticket",
            {
                "ticket_id": outcome.ticket_id,
                "outcome": outcome.status.value,
                "reason": outcome.reason,
                "intent": outcome.change.intent or None if outcome.change else None,
                "analysis": analysis and analysis.model_dump(exclude={"usage", "cost_usd", "attempts"}),
                "change": outcome.change and _change(outcome.change),
                "job": outcome.job,
                "attempts": {"analyse": analysis.attempts if analysis else 0, "write": outcome.attempts},
                "tokens": (analysis.usage if analysis else Usage()).model_dump(),
                "cost_usd": analysis.cost_usd if analysis else None,
                "timings_ms": {"analyse": 0, "write": 0, "total": 0, **outcome.timings_ms},
            },
        )

    def alert(self, what: str, *, sync: bool = False, **facts: object) -> None:
        """Something a person should know that concerns no single ticket; on the disk on return with ``sync``."""
        self.alerted.add(what)
        self._event("alert", {"what": what, **facts}, sync=sync)

    def run_finished(self, summary: RunSummary) -> None:
        """The last line of a run."""
        told = summary.model_dump(
            mode="json", exclude={"run_id", "dry_run", "log_head", "causes", "price_note", "unpriced"}
        )
        self._event("run_finished", told, sync=True)

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


def _change(change: Change) -> dict[str, object]:
    return {
        "tags_added": change.tags_added,
        "tags_removed": change.tags_removed,
        "priority": _from_to(change.priority_before, change.priority, cleared="priority" in change.cleared),
        "group": _from_to(change.group_before, change.group, cleared="group" in change.cleared),
        # What people wrote into a field is none of the log's business, even where it was replaced.
        "fields": {
            str(key): {"from": None, "to": "(as it was)" if change.puts_back and value else value}
            for key, value in {**change.fields, **dict.fromkeys(change.fields_cleared)}.items()
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
    """What follows a reply of ours is told with its draft, for that is counted."""
    if closing is None:
        return {}
    return {"close": closing.model_dump()} if closing.draft else {"status": closing.status}


def _from_to(before: object, after: object, *, cleared: bool) -> dict[str, object]:
    return {"from": before, "to": None if cleared else before if after is None else after}

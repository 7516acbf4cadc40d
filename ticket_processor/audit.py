"""Receipts: JSON lines for programs, and a plain text log for people beside it.

``logs/ticketbot-YYYY-MM-DD.jsonl`` (UTC days). Of a ticket's text a line holds the
redacted summary, at most five short redacted quotes, and the entities that the site asked for. If a line
cannot be written, :class:`AuditUnwritable` is raised, and whoever wanted to act must not.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from .clock import Clock, iso
from .errors import AuditUnwritable, why_unusable
from .models import Change, Outcome, RunSummary, Statement, Usage

NAME = "ticketbot-{day}"


class AuditLog:
    """Appends events of one run. Thread-safe: a line is one ``write`` to a file opened for appending."""

    def __init__(self, folder: Path, clock: Clock, run_id: str, *, dry_run: bool = False) -> None:
        self.folder = folder
        self._clock = clock
        self._run_id = run_id
        self._dry_run = dry_run
        self._lock = threading.Lock()
        self._files: dict[Path, int] = {}
        self._sequence = 0

    @property
    def path(self) -> Path:
        """The file that an event written now goes to."""
        return self.folder / (NAME.format(day=iso(self._clock.now())[:10]) + ".jsonl")

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
        for change in changes:
            facts = {"ticket_id": change.ticket_id, "intent": change.intent, "change": _change(change)}
            self._event("intent", facts, sync=change is changes[-1])

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

    def alert(self, what: str, **facts: object) -> None:
        """Something a person should know that concerns no single ticket."""
        self._event("alert", {"what": what, **facts})

    def run_finished(self, summary: RunSummary) -> None:
        """The last line of a run."""
        self._event("run_finished", summary.model_dump(mode="json", exclude={"run_id", "dry_run"}), sync=True)

    def close(self) -> None:
        """Close the files. Idempotent."""
        with self._lock:
            files, self._files = self._files, {}
            for descriptor in files.values():
                os.close(descriptor)

    def _event(self, event: str, facts: Mapping[str, object], *, sync: bool = False) -> None:
        now = self._clock.now()
        stamp = iso(now, milliseconds=True)
        line = {
            "ts": stamp,
            "event": event,
            "run_id": self._run_id,
            "dry_run": self._dry_run,
            **facts,
        }
        base = self.folder / NAME.format(day=stamp[:10])
        with self._lock:
            self._append(base.with_suffix(".jsonl"), encode(line), sync=sync)
            if event != "intent":
                text = f"{stamp} {self._run_id} {' '.join(describe(event, facts).split())}\n"
                self._append(base.with_suffix(".log"), text.encode("utf-8", "replace"), sync=False)

    def _append(self, path: Path, data: bytes, *, sync: bool) -> None:
        try:
            descriptor = self._files.get(path)
            if descriptor is None:
                descriptor = self._open(path)
            if os.write(descriptor, data) != len(data):
                raise OSError("the line was cut short")
            if sync:
                os.fsync(descriptor)
        except OSError as error:
            raise AuditUnwritable(
                f"the log {path} cannot be written ({why_unusable(path.parent, error)}): make its folder writable, or "
                "name another as log_dir (TICKETBOT_LOG_DIR); without receipts nothing is changed"
            ) from error

    def _open(self, path: Path) -> int:
        for old in [name for name in self._files if name.suffix == path.suffix]:
            os.close(self._files.pop(old))  # the day has changed
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
        self._files[path] = descriptor
        size = os.fstat(descriptor).st_size
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            if os.read(descriptor, 1) != b"\n":
                os.write(descriptor, b"\n")  # a crash tore the last line; keep ours apart from it
        return descriptor


def encode(line: Mapping[str, object]) -> bytes:
    """One JSON line. Nothing is ever dropped: what orjson refuses (half an emoji, huge integers) goes the slow way."""
    try:
        data = orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError, RecursionError):
        data = json.dumps(line, ensure_ascii=True, default=str).encode("ascii")
    # Legal in JSON, but line ends for many readers.
    for raw, escaped in ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085")):
        data = data.replace(raw, escaped)
    return data + b"\n"


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """The events of one file, one at a time; a torn line is passed over."""
    with path.open("rb") as lines:
        for raw in lines:
            try:
                event = _parsed(raw)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw)  # what encode() wrote the slow way, orjson does not read


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
        priority = change.get("priority") or {"from": None, "to": None}
        if priority["from"] != priority["to"]:
            words.append(f"priority {priority['from'] or '-'} -> {priority['to'] or '-'}")
        group = change.get("group") or {"from": None, "to": None}
        if group["from"] != group["to"]:
            words.append(f"group {group['from'] or '-'} -> {group['to'] or '-'}")
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
        "stamp": change.stamp,
        "key": change.key,
    }


def _from_to(before: object, after: object, *, cleared: bool) -> dict[str, object]:
    return {"from": before, "to": None if cleared else before if after is None else after}

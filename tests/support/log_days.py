"""Days of a log, made up: lines as runs write them, in files as they are kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ticket_processor.audit.lines import encode
from ticket_processor.core.clock import iso, parse_iso

from .fakes import START

TODAY = iso(START)[:10]


def at(text: str) -> float:
    """``11-20 08:30`` of the year 2026 as Unix seconds."""
    return parse_iso(f"2026-{text}:00+00:00")


def receipt(ticket_id: int, when: str, outcome: str = "updated", **facts: Any) -> dict[str, Any]:
    """A ``ticket`` line; ``analysis=None`` is one of a ticket that was left alone. Labels may be given by name."""
    run_id = facts.pop("run_id", "20261120T080000Z-aaaaaa")
    analysis: dict[str, Any] | None = {
        "category": "billing", "subcategory": None, "secondary": [], "urgency": "medium", "urgent_tone": False,
        "sentiment": "neutral", "risk": "low", "alarms": [], "language": "en", "summary": "Charged twice.",
        "evidence": ["twice"], "entities": {}, "confidence": 0.9, "suspicious": [], "source": "model", "model": "m-1",
        "cached": False, "why_fallback": None,
    }  # fmt: skip
    given = {name: facts.pop(name) for name in list(facts) if name in (analysis or {})}
    analysis = {**analysis, **given} if facts.pop("analysis", True) is not None else None
    tags = facts.pop("tags", ["ai_processed"])
    took = facts.pop("total_ms", 1000)
    return {
        "ts": iso(at(when), milliseconds=True),
        "event": "ticket",
        "run_id": run_id,
        "dry_run": False,
        "ticket_id": ticket_id,
        "outcome": outcome,
        "reason": "by m-1",
        "intent": facts.pop("intent", f"{run_id}-{ticket_id}"),
        "analysis": analysis,
        "change": {"tags_added": tags, "tags_removed": [], "priority": {"from": None, "to": "normal"}, "escalated": []},
        "job": None,
        "attempts": {"analyse": 1, "write": 1},
        "tokens": {"input": 10, "output": 5, "cached": 2} if analysis else {"input": 0, "output": 0, "cached": 0},
        "cost_usd": 0.01 if analysis else None,
        "timings_ms": {"analyse": took - 1, "write": 1, "total": took},
        **facts,
    }


def run_lines(run_id: str, begin: str, end: str | None, **facts: Any) -> list[dict[str, Any]]:
    """The first and the last line of a run; without ``end`` it was killed."""
    common = {"run_id": run_id, "dry_run": facts.pop("dry_run", False)}
    started = {"ts": iso(at(begin), milliseconds=True), "event": "run_started", "kind": facts.pop("kind", "run")}
    lines = [{**started, **common, **{name: facts.pop(name) for name in ("undoes",) if name in facts}}]
    if end is not None:
        finished = {"ts": iso(at(end), milliseconds=True), "event": "run_finished", "exit_code": 0, "duration_s": 5.0}
        lines.append({**finished, "seen": 3, "stopped": None, "stopped_by": None, **common, **facts})
    return lines


def write_day(folder: Path, day: str, lines: Iterable[dict[str, Any] | bytes]) -> Path:
    """A day's file; what is bytes stands there as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    header = {"event": "segment", "segment": day, "schema": 1}
    raw = b"".join(line if isinstance(line, bytes) else encode(line) for line in (header, *lines))
    path = folder / f"ticketbot-{day}.jsonl"
    path.write_bytes(raw)
    return path


def write_log(folder: Path, lines: Iterable[dict[str, Any]]) -> None:
    """Lines in the files of their days."""
    days: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        days.setdefault(line["ts"][:10], []).append(line)
    for day, found in days.items():
        write_day(folder, day, found)

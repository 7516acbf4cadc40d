"""Logs for pages to show: lines as a run writes them, at moments that a test chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ticket_processor.audit.lines import encode
from ticket_processor.core.clock import iso, parse_iso

NOW = parse_iso("2026-11-20T12:30:00Z")
HOUR, DAY = 3600.0, 86_400.0
Line = dict[str, Any]


def ticket(number: int, ago: float = HOUR, *, run: str = "run-1", **facts: Any) -> Line:
    """A receipt of a ticket, ``ago`` seconds before :data:`NOW`. ``analysis=None``: it was not understood."""
    analysis = {
        "category": "billing",
        "subcategory": None,
        "urgency": "medium",
        "sentiment": "neutral",
        "risk": "low",
        "language": "en",
        "summary": f"Summary of ticket {number}",
        "confidence": 0.9,
        "source": "model",
        "model": "model-a",
        "cached": False,
        "why_fallback": None,
        "alarms": [],
        "suspicious": [],
        **{name: facts.pop(name) for name in list(facts) if name in _OF_ANALYSIS},
    }
    return {
        "ts": iso(NOW - ago, milliseconds=True),
        "event": "ticket",
        "run_id": run,
        "dry_run": False,
        "ticket_id": number,
        "outcome": "updated",
        "reason": "by model-a",
        "intent": f"{run}-{number}",
        "analysis": analysis,
        "change": {
            "tags_added": ["ai_processed", f"ai_{analysis['category']}"],
            "tags_removed": [],
            "priority": {"from": None, "to": "normal"},
            "group": {"from": None, "to": None},
            "fields": {},
            "note": "Words of the note",
            "escalated": [],
        },
        "job": None,
        "attempts": {"analyse": 1, "write": 1},
        "tokens": {"input": 500, "output": 100, "cached": 200},
        "cost_usd": 0.01,
        "timings_ms": {"analyse": 900, "write": 100, "total": 1000},
        **facts,
    }


_OF_ANALYSIS = (
    "category", "secondary", "urgency", "sentiment", "language", "summary", "confidence", "source", "model",
    "why_fallback",
)  # fmt: skip


def fell_back(number: int, ago: float = HOUR, **facts: Any) -> Line:
    """A ticket that the rules answered for want of a model."""
    given = {"source": "rules", "model": None, "why_fallback": "timeout", "cost_usd": None, "tokens": {}}
    return ticket(number, ago, **{**given, **facts})


def failed(number: int, ago: float = HOUR) -> Line:
    """A ticket that nothing could be done for."""
    given = {"outcome": "failed", "reason": "refused", "analysis": None, "change": None, "intent": None}
    return ticket(number, ago, cost_usd=None, tokens={}, timings_ms={}, **given)


def run(name: str, ago: float, *, seconds: float = 5.0, exit_code: int = 0, **facts: Any) -> list[Line]:
    """The first and the last line of a run."""
    head = {"run_id": name, "dry_run": False}
    return [
        {"ts": iso(NOW - ago, milliseconds=True), "event": "run_started", **head},
        {
            "ts": iso(NOW - ago + seconds, milliseconds=True),
            "event": "run_finished",
            **head,
            "seen": 1,
            "outcomes": {},
            "duration_s": seconds,
            "exit_code": exit_code,
            "cost_usd": 0.01,
            **facts,
        },
    ]


def write(folder: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Put lines into the files of their days."""
    folder.mkdir(parents=True, exist_ok=True)
    for line in sorted(lines, key=lambda line: str(line["ts"])):
        with (folder / f"ticketbot-{line['ts'][:10]}.jsonl").open("ab") as file:
            file.write(encode(line))

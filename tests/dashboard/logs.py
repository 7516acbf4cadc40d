"""Logs for pages to show: lines as a run writes them, at moments that a test chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ticket_processor.audit.lines import encode
from ticket_processor.core.clock import iso, parse_iso

from ..support.log_days import receipt, run_lines

NOW = parse_iso("2026-11-20T12:30:00Z")
HOUR, DAY = 3600.0, 86_400.0
Line = dict[str, Any]


def ticket(number: int, ago: float = HOUR, *, run: str = "run-1", **facts: Any) -> Line:
    """A receipt of a ticket, ``ago`` seconds before :data:`NOW`. ``analysis=None``: it was not understood."""
    given = {
        "summary": f"Summary of ticket {number}",
        "model": "model-a",
        "reason": "by model-a",
        "tags": ["ai_processed", f"ai_{facts.get('category', 'billing')}"],
        "tokens": {"input": 500, "output": 100, "cached": 200},
        "cost_usd": 0.01,
    }
    line = receipt(number, "11-20 08:00", run_id=run, **{**given, **facts})
    if line["change"]:
        line["change"].setdefault("note", "Words of the note")
    return {**line, "ts": iso(NOW - ago, milliseconds=True)}


def fell_back(number: int, ago: float = HOUR, **facts: Any) -> Line:
    """A ticket that the rules answered for want of a model."""
    given = {"source": "rules", "model": None, "why_fallback": "timeout", "cost_usd": None, "tokens": {}}
    return ticket(number, ago, **{**given, **facts})


def failed(number: int, ago: float = HOUR) -> Line:
    """A ticket that nothing could be done for."""
    given = {"outcome": "failed", "reason": "refused", "analysis": None, "change": None, "intent": None}
    return ticket(number, ago, cost_usd=None, tokens={}, timings_ms={}, **given)


def run(name: str, ago: float, **facts: Any) -> list[Line]:
    """The first and the last line of a run of five seconds."""
    first, last = run_lines(name, "11-20 08:00", "11-20 08:00", **{"cost_usd": 0.01, **facts})
    return [
        {**first, "ts": iso(NOW - ago, milliseconds=True)},
        {**last, "ts": iso(NOW - ago + 5.0, milliseconds=True)},
    ]


def write(folder: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Put lines into the files of their days."""
    folder.mkdir(parents=True, exist_ok=True)
    for line in sorted(lines, key=lambda line: str(line["ts"])):
        with (folder / f"ticketbot-{line['ts'][:10]}.jsonl").open("ab") as file:
            file.write(encode(line))

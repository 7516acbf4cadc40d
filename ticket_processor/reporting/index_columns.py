"""The columns of the index: a log line's labels, numbers and times, and nothing in a customer's words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..audit.files import NAME
from ..audit.lines import PERSONAL

VERSION = 6
"""Raise it whenever a column changes: every day is read anew then."""
DAY_FILE = NAME.format(day="")
EVENTS = ("ticket", "run_started", "run_finished", "alert")

_READ = {
    "ts": "VARCHAR",
    "event": "VARCHAR",
    "run_id": "VARCHAR",
    "dry_run": "BOOLEAN",
    "ticket_id": "BIGINT",
    "outcome": "VARCHAR",
    "reason": "VARCHAR",
    "intent": "VARCHAR",
    "job": "VARCHAR",
    "analysis": (
        "STRUCT(category VARCHAR, subcategory VARCHAR, secondary VARCHAR[], urgency VARCHAR, "
        "sentiment VARCHAR, risk VARCHAR, language VARCHAR, confidence DOUBLE, "
        "suspicious VARCHAR[], source VARCHAR, model VARCHAR, cached BOOLEAN, why_fallback VARCHAR, "
        "settings_file VARCHAR)"
    ),
    "change": (
        "STRUCT(tags_added VARCHAR[], "
        'priority STRUCT("from" VARCHAR, "to" VARCHAR), escalated VARCHAR[], '
        "offered STRUCT(kind VARCHAR, partial BOOLEAN, reason VARCHAR), "
        "reply STRUCT(category VARCHAR), close STRUCT(status VARCHAR))"
    ),
    "tokens": "STRUCT(input BIGINT, output BIGINT, cached BIGINT)",
    "cost_usd": "DOUBLE",
    "timings_ms": 'STRUCT("analyse" BIGINT, total BIGINT)',
    "kind": "VARCHAR",
    "undoes": "VARCHAR",
    "seen": "BIGINT",
    "duration_s": "DOUBLE",
    "exit_code": "BIGINT",
    "stopped": "VARCHAR",
    "stopped_by": "VARCHAR",
    "what": "VARCHAR",
}
"""The fields read of a line, and their types. A value that does not fit is NULL; so is a whole line that is no JSON."""

_COLUMNS = {
    "n": ("INTEGER", "row_number() OVER ()"),
    "event": ("VARCHAR", "event"),
    "ts": ("TIMESTAMP", "try_cast(ts AS TIMESTAMP)"),
    "run_id": ("VARCHAR", "run_id"),
    "dry_run": ("BOOLEAN", "coalesce(dry_run, false)"),
    "kind": ("VARCHAR", "CASE WHEN undoes IS NOT NULL OR run_id LIKE '%-undo' THEN 'undo' ELSE kind END"),
    "ticket_id": ("BIGINT", "ticket_id"),
    "outcome": ("VARCHAR", "outcome"),
    "reason": ("VARCHAR", "reason"),
    "intent": ("VARCHAR", "intent"),
    "carried": ("BOOLEAN", "coalesce(NOT starts_with(intent, run_id || '-'), false)"),
    "category": ("VARCHAR", "analysis.category"),
    "subcategory": ("VARCHAR", "analysis.subcategory"),
    "secondary": ("VARCHAR", "array_to_string(analysis.secondary, ' ')"),
    "urgency": ("VARCHAR", "analysis.urgency"),
    "sentiment": ("VARCHAR", "analysis.sentiment"),
    "language": ("VARCHAR", "analysis.language"),
    "risk": ("VARCHAR", "analysis.risk"),
    "confidence": ("FLOAT", "analysis.confidence"),
    "suspicious": ("VARCHAR", "array_to_string(analysis.suspicious, ' ')"),
    "analyser": ("VARCHAR", "analysis.source"),
    "model": ("VARCHAR", "analysis.model"),
    "cached": ("BOOLEAN", "analysis.cached"),
    "why_fallback": ("VARCHAR", "analysis.why_fallback"),
    "settings_file": ("VARCHAR", "analysis.settings_file"),
    "tags": ("VARCHAR", "array_to_string(change.tags_added, ' ')"),
    "review": ("BOOLEAN", "coalesce(list_contains(change.tags_added, $review_tag), false)"),
    "escalated": ("VARCHAR", "array_to_string(change.escalated, ' ')"),
    "offered": ("VARCHAR", "change.offered.kind"),
    "offered_partial": ("BOOLEAN", "change.offered.partial"),
    "offered_reason": ("VARCHAR", "change.offered.reason"),
    "reply_category": ("VARCHAR", "change.reply.category"),
    "closed_as": ("VARCHAR", "change.close.status"),
    "priority_from": ("VARCHAR", "change.priority['from']"),
    "priority_to": ("VARCHAR", "change.priority['to']"),
    "tokens_in": ("BIGINT", "tokens.input"),
    "tokens_out": ("BIGINT", "tokens.output"),
    "tokens_cached": ("BIGINT", "tokens.cached"),
    "cost_usd": ("DOUBLE", "cost_usd"),
    "total_ms": ("BIGINT", "timings_ms.total"),
    "latency_ms": ("BIGINT", "CASE WHEN job IS NULL THEN timings_ms.total ELSE timings_ms['analyse'] END"),
    "seen": ("BIGINT", "seen"),
    "duration_s": ("DOUBLE", "duration_s"),
    "exit_code": ("INTEGER", "exit_code"),
    "stopped": ("VARCHAR", "stopped"),
    "stopped_by": ("VARCHAR", "stopped_by"),
    "what": ("VARCHAR", "what"),
}
"""A column's type, and what it is made from. Lists are words with a space between them."""

NAMES = ", ".join(f'"{name}"' for name in ("day", *_COLUMNS))
TABLE = "day DATE, " + ", ".join(f'"{name}" {kind}' for name, (kind, _) in _COLUMNS.items())
"""The columns as a ``CREATE TABLE`` wants them."""

_STRUCTURE = ", ".join(f"'{name}': '{kind}'" for name, kind in _READ.items())
_AS_JSON = json.dumps(_READ)


def _select(day: str, source: str) -> str:
    columns = ", ".join(f'try_cast({made} AS {kind}) AS "{name}"' for name, (kind, made) in _COLUMNS.items())
    return f"SELECT {day} AS day, {columns} FROM ({source}) WHERE event IS NULL OR event IN {EVENTS}"


def select_files(paths: Iterable[Path]) -> str:
    """Reads the log's files of some days. Lines that DuckDB cannot read have an ``event`` of NULL."""
    return _select(
        f"parse_filename(filename)[{len(DAY_FILE) + 1}:{len(DAY_FILE) + 10}]::DATE",
        f"FROM read_json({listed(paths)}, format = 'newline_delimited', records = 'true', ignore_errors = true, "
        f"maximum_object_size = 67108864, filename = true, columns = {{{_STRUCTURE}}})",
    )


SELECT_LINES = _select(
    "$day::DATE",
    f"SELECT unnest(json_transform(text, '{_AS_JSON}')) FROM "
    "(SELECT CASE WHEN json_valid(line) THEN line END AS text FROM (SELECT unnest($lines::VARCHAR[]) AS line))",
)
"""Reads the list of lines ``$lines`` of one day, in memory only."""


def listed(paths: Iterable[Path]) -> str:
    """Paths to read from, as SQL writes them."""
    return f"[{', '.join(quoted(_without_patterns(path)) for path in paths)}]"


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _without_patterns(path: Path) -> str:
    """A path in which no letter stands for others."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def kept(line: Mapping[str, Any]) -> dict[str, Any]:
    """Of a line, what :data:`SELECT` reads, and nothing that is personal."""
    found = {name: line[name] for name in _READ if name in line}
    for part, name in PERSONAL:
        inside = found.get(part)
        if isinstance(inside, dict) and name in inside:
            found[part] = {key: value for key, value in inside.items() if key != name}
    return found

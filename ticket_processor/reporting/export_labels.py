"""Labels people kept and changed, for programs: parts of a report's JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..learning.scoreboard import Count, PartCount, Scoreboard


def scoreboard_data(found: Scoreboard) -> dict[str, Any]:
    """Labels people kept and changed, with the shares; a share is ``null`` where there was nothing to judge."""
    return {
        **found.model_dump(mode="json", exclude={"parts"}),
        "parts": _parts_data(found.parts),
    }


def _parts_data(parts: Iterable[PartCount]) -> list[dict[str, Any]]:
    return [
        {
            "part": part.part,
            **_counts(part),
            "labels": [{"label": label.label, **_counts(label)} for label in part.labels],
            "settings_files": [{"settings_file": file.label, **_counts(file)} for file in part.settings_files],
        }
        for part in parts
    ]


def _counts(count: Count) -> dict[str, Any]:
    return {
        "judged": count.judged,
        **{name: getattr(count, name) for name in Count.model_fields},
        "accuracy": rounded(count.accuracy),
        "accuracy_at_least": rounded(count.at_least if count.judged else None),
        "coverage": rounded(count.coverage),
    }


def rounded(value: Any) -> Any:
    """The value; a float with six digits."""
    return round(value, 6) if isinstance(value, float) else value

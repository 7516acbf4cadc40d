"""Labels people kept and changed, for programs: parts of a report's JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..learning.override_counts import Count, Overrides, PartCount
from ..learning.scoreboard import Scoreboard


def overrides_data(found: Overrides) -> dict[str, Any]:
    """What people changed, with the shares; a share is ``null`` where there was nothing to judge."""
    return {
        **found.model_dump(mode="json", exclude={"parts"}),
        "rate": _rounded(found.rate),
        "rate_at_most": _rounded(found.rate_at_most if found.judged else None),
        "parts": _parts_data(found.parts),
    }


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
            "models": [{"model": model.label, **_counts(model)} for model in part.models],
            "languages": [{"language": lang.label, **_counts(lang)} for lang in part.languages],
            "settings_files": [{"settings_file": file.label, **_counts(file)} for file in part.settings_files],
            "bands": [{"from": band.lower, "to": band.upper, **_counts(band)} for band in part.bands],
        }
        for part in parts
    ]


def _counts(count: Count) -> dict[str, Any]:
    return {
        "judged": count.judged,
        **{name: getattr(count, name) for name in Count.model_fields},
        "accuracy": _rounded(count.accuracy),
        "accuracy_at_least": _rounded(count.at_least if count.judged else None),
        "coverage": _rounded(count.coverage),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)

"""Labels people kept and changed, for programs: parts of a report's JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..learning.override_counts import Count, Overrides, PartCount
from ..learning.ratings import RatingCount
from ..learning.scoreboard import Scoreboard

_GROUPS = {"labels": "label", "models": "model", "languages": "language", "settings_files": "settings_file"}
"""Counts of a part by something else, and what that is called in each of them."""


def overrides_data(found: Overrides) -> dict[str, Any]:
    """What people changed, with the shares; a share is ``null`` where there was nothing to judge."""
    return {
        **found.model_dump(mode="json", exclude={"parts"}),
        "rate": rounded(found.rate),
        "rate_at_most": rounded(found.rate_at_most if found.judged else None),
        "parts": _parts_data(found.parts),
    }


def scoreboard_data(found: Scoreboard) -> dict[str, Any]:
    """Labels people kept and changed, with the shares; a share is ``null`` where there was nothing to judge."""
    return {
        **found.model_dump(mode="json", exclude={"parts", "ratings"}),
        "parts": _parts_data(found.parts),
        "ratings": [_rating_data(count) for count in found.ratings],
    }


def rounded(value: Any) -> Any:
    """The value; a float with six digits."""
    return round(value, 6) if isinstance(value, float) else value


def _parts_data(parts: Iterable[PartCount]) -> list[dict[str, Any]]:
    return [
        {
            "part": part.part,
            **_counts(part),
            **{
                group: [{name: item.label, **_counts(item)} for item in getattr(part, group)]
                for group, name in _GROUPS.items()
            },
            "bands": [{"from": band.lower, "to": band.upper, **_counts(band)} for band in part.bands],
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


def _rating_data(count: RatingCount) -> dict[str, Any]:
    low, high = count.interval or (None, None)
    return {
        **count.model_dump(mode="json"),
        "rated": count.rated,
        "share": rounded(count.share),
        "share_at_least": rounded(low),
        "share_at_most": rounded(high),
    }

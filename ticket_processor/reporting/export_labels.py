"""Labels people kept and changed, for programs: parts of a report's JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..learning.override_counts import Count, Overrides, Pair, PartCount
from ..learning.ratings import RatingCount
from ..learning.scoreboard import Scoreboard

Row = tuple[str, str, str, Any, Any]


def overrides_data(found: Overrides) -> dict[str, Any]:
    """What people changed, with the shares; a share is ``null`` where there was nothing to judge."""
    return {
        **found.model_dump(mode="json", exclude={"parts"}),
        "rate": _rounded(found.rate),
        "rate_at_most": _rounded(found.rate_at_most if found.judged else None),
        "parts": _parts_data(found.parts),
    }


def overrides_rows(found: Overrides) -> Iterator[Row]:
    """Lines of a CSV file: section, key, measure, value, and nothing before."""
    names = (
        *("written", "looked_at", "solved", "histories", "judged", "overridden", "unknown", "raised"),
        *("raised_to_urgent", "lowered", "requests"),
    )
    yield from (("overrides", "", name, getattr(found, name), "") for name in names)
    yield "overrides", "", "rate", _rounded(found.rate), ""
    yield from (("overrides", why, "left_out", number, "") for why, number in found.left_out.items())
    yield from _parts_rows("override", found.parts, found.pairs)


def scoreboard_data(found: Scoreboard) -> dict[str, Any]:
    """Labels people kept and changed, with the shares; a share is ``null`` where there was nothing to judge."""
    return {
        **found.model_dump(mode="json", exclude={"parts", "ratings"}),
        "parts": _parts_data(found.parts),
        "ratings": [_rating_data(count) for count in found.ratings],
    }


def scoreboard_rows(found: Scoreboard) -> Iterator[Row]:
    """Lines of a CSV file: section, key, measure, value, and nothing before."""
    yield from (("scoreboard", "", name, getattr(found, name), "") for name in ("tickets", "touched", "rated"))
    yield from _parts_rows("score", found.parts, found.pairs)
    for count in found.ratings:
        for name, value in _rating_data(count).items():
            if name not in ("by", "value"):
                yield "rating", f"{count.by} {count.value}", name, value, ""


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


def _parts_rows(section: str, parts: Iterable[PartCount], pairs: Iterable[Pair]) -> Iterator[Row]:
    for part in parts:
        for key, count in ((part.part, part), *((f"{part.part} {label.label}", label) for label in part.labels)):
            yield from ((section, key, name, value, "") for name, value in _counts(count).items())
        for name, counts in (
            ("model", part.models),
            ("language", part.languages),
            ("settings_file", part.settings_files),
        ):
            for each in counts:
                yield f"{section}_{name}", f"{part.part} {each.label}", "judged", each.judged, ""
                yield f"{section}_{name}", f"{part.part} {each.label}", "accuracy", _rounded(each.accuracy), ""
        for band in part.bands:
            key = f"{part.part} {band.lower:g} to {band.upper:g}"
            yield f"{section}_confidence", key, "judged", band.judged, ""
            yield f"{section}_confidence", key, "accuracy", _rounded(band.accuracy), ""
    for pair in pairs:
        yield f"{section}_pair", f"{pair.part} {pair.ours} -> {pair.theirs}", "tickets", pair.tickets, ""


def _counts(count: Count) -> dict[str, Any]:
    return {
        "judged": count.judged,
        **{name: getattr(count, name) for name in Count.model_fields},
        "accuracy": _rounded(count.accuracy),
        "accuracy_at_least": _rounded(count.at_least if count.judged else None),
        "coverage": _rounded(count.coverage),
    }


def _rating_data(count: RatingCount) -> dict[str, Any]:
    low, high = count.interval or (None, None)
    return {
        **count.model_dump(mode="json"),
        "rated": count.rated,
        "share": _rounded(count.share),
        "share_at_least": _rounded(low),
        "share_at_most": _rounded(high),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)

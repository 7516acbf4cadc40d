"""What a report has asked the helpdesk for, in figures for programs: what people changed, and what lacks an article."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .knowledge_gaps import Knowledge
from .override_counts import Band, Count, Overrides

Row = tuple[str, str, str, Any, Any]


def overrides_data(found: Overrides) -> dict[str, Any]:
    """What people changed, with the shares; a share is ``null`` where there was nothing to judge."""
    return {
        **found.model_dump(mode="json", exclude={"parts"}),
        "rate": _rounded(found.rate),
        "rate_at_most": _rounded(found.rate_at_most if found.judged else None),
        "parts": [
            {
                "part": part.part,
                **_counts(part),
                "labels": [{"label": label.label, **_counts(label)} for label in part.labels],
                "bands": [{"from": band.lower, "to": band.upper, **_counts(band)} for band in part.bands],
            }
            for part in found.parts
        ],
    }


def knowledge_data(found: Knowledge) -> dict[str, Any]:
    """All topics, those with articles too."""
    return found.model_dump(mode="json")


def overrides_rows(found: Overrides) -> Iterator[Row]:
    """Lines of a CSV file: section, key, measure, value, and nothing before."""
    names = (
        *("written", "looked_at", "solved", "histories", "judged", "overridden", "raised", "raised_to_urgent"),
        *("lowered", "requests"),
    )
    yield from (("overrides", "", name, getattr(found, name), "") for name in names)
    yield "overrides", "", "rate", _rounded(found.rate), ""
    yield from (("overrides", why, "left_out", number, "") for why, number in found.left_out.items())
    for part in found.parts:
        for key, count in ((part.part, part), *((f"{part.part} {label.label}", label) for label in part.labels)):
            yield from (("override", key, name, value, "") for name, value in _counts(count).items())
        for band in part.bands:
            key = f"{part.part} {_band_name(band)}"
            yield "override_confidence", key, "judged", band.judged, ""
            yield "override_confidence", key, "precision", _rounded(band.precision), ""
    for pair in found.pairs:
        yield "override_pair", f"{pair.part} {pair.ours} -> {pair.theirs}", "tickets", pair.tickets, ""


def knowledge_rows(found: Knowledge) -> Iterator[Row]:
    """Lines of a CSV file: section, key, measure, value, and nothing before."""
    for item in found.topics:
        key = f"{item.kind} {item.topic} {item.language}"
        yield "knowledge", key, "tickets", item.tickets, ""
        yield "knowledge", key, "articles", item.articles, ""
        yield "knowledge", key, "mentions", item.mentions, ""
        yield "knowledge", key, "gap", item.gap or "", ""


def _band_name(band: Band) -> str:
    return f"{band.lower:g} to {band.upper:g}"


def _counts(count: Count) -> dict[str, Any]:
    return {
        "judged": count.judged,
        "left": count.left,
        "changed": count.changed,
        "taken_off": count.taken_off,
        "by_rules": count.by_rules,
        "precision": _rounded(count.precision),
        "precision_at_least": _rounded(count.at_least if count.judged else None),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)

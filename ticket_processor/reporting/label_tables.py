"""Tables of what people made of labels: of a sample, or of all that was collected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..core.tables import SENTENCES, Table
from ..core.wording import many
from ..learning.override_counts import Count, LabelCount, Pair, PartCount
from ..learning.ratings import RatingCount
from ..learning.scoreboard import Scoreboard

FATES = tuple(name.replace("_", " ") for name in Count.model_fields)
SHARES = ("accuracy", "proved", "coverage")


def scoreboard_tables(found: Scoreboard) -> Iterator[Table]:
    """The scoreboard: by part and label, by model, language and confidence."""
    text = (
        f"{many(found.tickets, 'ticket')} collected, {found.touched:,} of them touched by a person. Accuracy is kept "
        "among kept, changed and removed; coverage is the share of people's labels where ticketbot had one."
    )
    unknown = "Where nobody knows who made most changes, no accuracy is told; they count against what is proved."
    rows = [(text,), *[(unknown,)] * any(part.unknown for part in found.parts)]
    yield Table("Labels people kept and changed", SENTENCES, tuple(rows))
    yield from label_tables(found.parts, found.pairs)
    yield _by("model", ((part.part, part.models) for part in found.parts))
    yield _by("language", ((part.part, part.languages) for part in found.parts))
    yield _by("settings file", ((part.part, part.settings_files) for part in found.parts))
    before = ("", *(count.by for count in found.ratings))
    yield Table(
        f"How customers rated {found.rated:,} of these tickets",
        ("<by", "<value", "rated", "good", "neutral", "bad", "good share", "interval"),
        tuple(_rating_row(count, of) for of, count in zip(before, found.ratings, strict=False)),
    )


def _rating_row(count: RatingCount, before: str) -> tuple[str, ...]:
    shares = ("-", "too few")
    if count.share is not None and count.interval is not None:
        low, high = count.interval
        shares = (f"{count.share:.0%}", f"{low:.0%} to {high:.0%}")
    numbers = (count.rated, count.good, count.neutral, count.bad)
    return ("" if count.by == before else count.by, count.value, *(f"{number:,}" for number in numbers), *shares)


def label_tables(parts: Sequence[PartCount], pairs: Sequence[Pair]) -> Iterator[Table]:
    """By part and label, what people chose instead, and how sure ticketbot had been of the first part."""
    yield Table(
        "Kept as ticketbot set it",
        ("<part", "<label", "judged", *FATES, *SHARES),
        tuple(row for part in parts for row in _label_rows(part)),
    )
    yield Table(
        "Changed most often",
        ("<part", "<ticketbot said", "<people say", "tickets"),
        tuple((pair.part, pair.ours, pair.theirs, f"{pair.tickets:,}") for pair in pairs),
    )
    for part in parts[:1]:
        yield Table(
            f"How sure it was of the {part.part}, and how often that was kept",
            ("<confidence", "judged", "kept", *SHARES),
            tuple((f"{band.lower:g} to {band.upper:g}", *_short(band)) for band in part.bands),
        )


def _by(what: str, found: Iterable[tuple[str, Sequence[LabelCount]]]) -> Table:
    rows = [
        (part if place == 0 else "", count.label, *_short(count))
        for part, counts in found
        for place, count in enumerate(counts)
    ]
    return Table(f"By {what}", ("<part", f"<{what}", "judged", "kept", *SHARES), tuple(rows))


def _label_rows(part: PartCount) -> Iterator[tuple[str, ...]]:
    yield part.part, "all", *_numbers(part)
    yield from (("", label.label, *_numbers(label)) for label in part.labels if len(part.labels) > 1)


def _numbers(count: Count) -> tuple[str, ...]:
    numbers = (count.judged, *(getattr(count, name) for name in Count.model_fields))
    return (*(f"{number:,}" for number in numbers), *_shares(count))


def _short(count: Count) -> tuple[str, ...]:
    return f"{count.judged:,}", f"{count.kept:,}", *_shares(count)


def _shares(count: Count) -> tuple[str, str, str]:
    accuracy, coverage = ("-" if share is None else f"{share:.0%}" for share in (count.accuracy, count.coverage))
    return accuracy, f"≥ {count.at_least:.0%}" if count.judged else "-", coverage

"""Tables of what people made of labels."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.tables import SENTENCES, Table
from ..core.wording import many
from ..learning.scoreboard import Count, PartCount, Scoreboard

FATES = tuple(name.replace("_", " ") for name in Count.model_fields)
SHARES = ("accuracy", "proved", "coverage")


def scoreboard_tables(found: Scoreboard) -> Iterator[Table]:
    """The scoreboard: by part and label, what people chose instead, and by settings file."""
    text = (
        f"{many(found.tickets, 'ticket')} collected, {found.touched:,} of them touched by a person. Accuracy is kept "
        "among kept, changed and removed; coverage is the share of people's labels where ticketbot had one."
    )
    unknown = "Where nobody knows who made most changes, no accuracy is told; they count against what is proved."
    about = [(text,), *[(unknown,)] * any(part.unknown for part in found.parts)]
    yield Table("Labels people kept and changed", SENTENCES, tuple(about))
    yield Table(
        "Kept as ticketbot set it",
        ("<part", "<label", "judged", *FATES, *SHARES),
        tuple(row for part in found.parts for row in _label_rows(part)),
    )
    yield Table(
        "Changed most often",
        ("<part", "<ticketbot said", "<people say", "tickets"),
        tuple((pair.part, pair.ours, pair.theirs, f"{pair.tickets:,}") for pair in found.pairs),
    )
    rows = [
        (part.part if place == 0 else "", count.label, f"{count.judged:,}", f"{count.kept:,}", *_shares(count))
        for part in found.parts
        for place, count in enumerate(part.settings_files)
    ]
    yield Table("By settings file", ("<part", "<settings file", "judged", "kept", *SHARES), tuple(rows))


def _label_rows(part: PartCount) -> Iterator[tuple[str, ...]]:
    yield part.part, "all", *_numbers(part)
    yield from (("", label.label, *_numbers(label)) for label in part.labels if len(part.labels) > 1)


def _numbers(count: Count) -> tuple[str, ...]:
    numbers = (count.judged, *(getattr(count, name) for name in Count.model_fields))
    return (*(f"{number:,}" for number in numbers), *_shares(count))


def _shares(count: Count) -> tuple[str, str, str]:
    accuracy, coverage = ("-" if share is None else f"{share:.0%}" for share in (count.accuracy, count.coverage))
    return accuracy, f"≥ {count.at_least:.0%}" if count.judged else "-", coverage

"""A report's tables about answers from articles, drafts, topics without an article, and what people made of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..core.tables import SENTENCES, Table
from ..core.wording import many
from ..learning.scoreboard import Count, PartCount, Scoreboard
from .drafts import DraftUse
from .glossary import percent
from .knowledge_gaps import ANY, Knowledge
from .queries import OfferCount

GAPS = {
    "no_article": "no article",
    "only_mentions": "only articles that mention it",
    "no_such_language": "nothing in this language",
}
"""Why a topic has no article, in words."""


def offers_table(found: Sequence[OfferCount]) -> Table:
    """Tickets by what their note offered, and what was sent, by category; columns without a number are left out."""
    names = ("articles", "drafts", "partial", "no_answer", "replies", "solved", "pending")
    titles = ("articles", "drafts", "in part", "no answer", "public replies", "set to solved", "set to pending")
    shown = [
        (name, title) for name, title in zip(names, titles, strict=True) if any(getattr(row, name) for row in found)
    ]
    rows = tuple((row.label, *(f"{getattr(row, name):,}" for name, _ in shown)) for row in found)
    return Table("Answers from articles", ("<category", *(title for _, title in shown)), rows)


def drafts_tables(found: DraftUse) -> Iterator[Table]:
    """What people made of drafts, and the words that they changed."""
    yield Table("What became of drafts", SENTENCES, tuple((text,) for text in _about_drafts(found)))
    rows = tuple((use, f"{getattr(found, use):,}") for use in ("used", "edited", "ignored"))
    yield Table("Drafts by use", ("<", "drafts"), rows if found.used + found.edited + found.ignored else ())
    yield Table("Drafts that people edited, redacted", ("ticket", "<", "<words"), tuple(_edits(found)))


def knowledge_tables(found: Knowledge) -> Iterator[Table]:
    """How many topics were searched, and those without an article."""
    yield Table("Topics without an article", SENTENCES, tuple((text,) for text in _about_knowledge(found)))
    rows = tuple(
        (item.topic, item.kind, "any" if item.language == ANY else item.language, f"{item.tickets:,}", GAPS[item.gap])
        for item in found.gaps
        if item.gap is not None
    )
    yield Table("Without an article", ("<topic", "<level", "<language", "tickets", "<knowledge base"), rows)


def _edits(found: DraftUse) -> Iterator[tuple[str, str, str]]:
    for one in found.edits:
        told = {"subject": one.subject, "taken out": one.taken_out, "put in": one.put_in, "where": one.url}
        lines = [(name, words) for name, words in told.items() if words]
        yield from ((str(one.ticket_id) if place == 0 else "", *line) for place, line in enumerate(lines))


def _about_drafts(found: DraftUse) -> Iterator[str]:
    if not found.offered:
        yield "No note of this period offered a draft."
        return
    used = found.used + found.edited
    if judged := used + found.ignored:
        yield (
            f"Of {many(judged, 'draft')} on tickets that a person answered since, {used:,} "
            f"{'was' if used == 1 else 'were'} of use ({percent(used / judged)})."
        )
    yield (
        f"A random sample: {many(found.histories, 'history')} read, of {many(found.offered, 'ticket')} with a draft; "
        f"{many(found.requests, 'request')}."
    )
    yield from not_judged(found.left_out)


def not_judged(left_out: dict[str, int]) -> Iterator[str]:
    """A sentence on the tickets that were passed over, and why."""
    if left_out:
        yield "Not judged: " + ", ".join(f"{number:,} {why}" for why, number in left_out.items()) + "."


def _about_knowledge(found: Knowledge) -> Iterator[str]:
    if found.searched:
        several = "topic and language has" if found.searched == 1 else "topics and languages have"
        yield (
            f"{len(found.gaps)} of {found.searched} {several} no article, of those that at least {found.at_least} "
            f"tickets are about; {found.requests:,} requests."
        )
    elif not found.ended_early:
        yield f"No topic has {found.at_least} tickets in one language."


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

"""A report's tables about answers from articles: what was offered and sent, what people made of it, what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..core.tables import Table
from ..core.wording import many
from ..reporting.glossary import percent
from ..reporting.offers import OfferCount
from ..reporting.public_replies import WITHIN_DAYS
from ..reporting.reply_counts import Replies, UseCount

MOST_ARTICLES = 20
SENTENCES = ("<",)
"""The columns of a table of sentences."""


def offers_table(found: Sequence[OfferCount]) -> Table:
    """Tickets by what their note offered, and what was sent, by category; columns without a number are left out."""
    names = ("articles", "drafts", "partial", "no_answer", "replies", "solved", "pending")
    titles = ("articles", "drafts", "in part", "no answer", "public replies", "set to solved", "set to pending")
    shown = [
        (name, title) for name, title in zip(names, titles, strict=True) if any(getattr(row, name) for row in found)
    ]
    rows = tuple((row.label, *(f"{getattr(row, name):,}" for name, _ in shown)) for row in found)
    return Table("Answers from articles", ("<category", *(title for _, title in shown)), rows)


def replies_tables(found: Replies) -> Iterator[Table]:
    """What people made of drafts and articles, and what became of public replies."""
    yield Table("What became of answers", SENTENCES, tuple((text,) for text in _about(found)))
    heads = ("<offered", "answered", "linked", "used", "edited", "ignored", "of use")
    yield Table(
        "Used by people, by category",
        ("<category", *heads),
        tuple((count.label, *_cells(count)) for count in found.categories),
    )
    yield Table(
        "Used by people, by article",
        ("<article", *heads),
        tuple((count.title or count.label, *_cells(count)) for count in found.articles[:MOST_ARTICLES]),
    )
    yield Table("Drafts that people edited, redacted", ("ticket", "<", "<words"), tuple(_edited(found)))
    rows = tuple((words, f"{count:,}") for words, count in found.public.fates)
    yield Table("Public replies", ("<what became of them", "tickets"), rows)


def _edited(found: Replies) -> Iterator[tuple[str, str, str]]:
    for one in found.edited:
        told = {"subject": one.subject, "taken out": one.taken_out, "put in": one.put_in, "where": one.url}
        lines = [(name, words) for name, words in told.items() if words]
        yield from ((str(one.ticket_id) if place == 0 else "", *line) for place, line in enumerate(lines))


def _about(found: Replies) -> Iterator[str]:
    if not found.offered and not found.public.sent:
        yield "No note of this period offered an answer, and no reply was sent."
        return
    for kind, one, more in (("draft", "draft", ""), ("articles", "offer of articles", "offers of articles")):
        count = found.of(kind)
        if count.answered:
            used = count.answered - count.ignored
            yield (
                f"Of {many(count.answered, one, more)} on tickets that a person answered since, "
                f"{used:,} {'was' if used == 1 else 'were'} of use ({percent(count.rate)})."
            )
    public = found.public
    if public.read:
        yield (
            f"Of {many(public.read, 'public reply')} of which it can be told, {public.resolved:,} "
            f"({percent(public.rate)}) resolved their ticket, and nobody was back within {WITHIN_DAYS} days."
        )
    if public.too_early:
        yield f"Of {many(public.too_early, 'public reply')} it is too early to tell."
    yield (
        f"A random sample: {many(found.histories, 'history')} read, of {many(found.offered, 'ticket')} with an offer "
        f"and {many(public.sent, 'public reply')}; {many(found.requests, 'request')}."
    )
    if found.left_out:
        yield "Not judged: " + ", ".join(f"{number:,} {why}" for why, number in found.left_out.items()) + "."


def _cells(count: UseCount) -> tuple[str, ...]:
    numbers = (count.answered, count.linked, count.used, count.edited, count.ignored)
    return (
        "draft" if count.kind == "draft" else "articles",
        *(f"{number:,}" for number in numbers),
        percent(count.rate),
    )

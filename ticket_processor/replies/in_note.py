"""The lines of an internal note that bring articles and the draft of a reply. Pure.

What is not ours, the draft aside, stands in quotation marks that it cannot end.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from .best_lines import ArticleLines

if TYPE_CHECKING:
    from ..core.models import ReplyPlan
    from .assembly import ReplyDraft

ARTICLES_HEAD = "Articles that may help:"
CONTRADICTION_HEAD = "No draft: two articles give different figures for one thing."
DRAFT_HEAD = "Draft reply (read it before you send it):"
DRAFT_END = "End of the draft."
_QUOTES = str.maketrans(dict.fromkeys('“”„‟"', "'"))


def article_lines(
    chosen: Sequence[ArticleLines], *, without: Collection[str] = (), head: str = ARTICLES_HEAD
) -> list[str]:
    """The articles with their lines and address; none for those whose ids are in ``without``."""
    shown = [article for article in chosen if article.article_id not in without]
    lines = [head] if shown else []
    for article in shown:
        lines.append(f"{quoted(article.title)} {article.url}".rstrip())
        lines += [f"  {quoted(line)}" for line in article.lines]
    return lines


def draft_lines(draft: ReplyDraft) -> list[str]:
    """The draft as it would be sent, and what a person has to know of it."""
    lines = [DRAFT_HEAD, *draft.text.split("\n"), DRAFT_END]
    if draft.missing:
        lines.append(f"Not answered: {', '.join(quoted(item) for item in draft.missing)}.")
    elif draft.partial:
        lines.append("It does not answer everything.")
    if draft.differing:
        lines.append("Two articles give different figures of one kind: check that they are about two things.")
    if draft.translated:
        said = dict.fromkeys(line.quote for line in (*draft.claims, *(each for step in draft.steps for each in step)))
        lines.append("It is a translation of which only figures were checked. The articles say:")
        lines += [f"  {quoted(quote)}" for quote in said]
    return lines


def draft_in_note(note: str) -> str:
    """The draft that a note brings; empty where it brings none."""
    _, head, below = note.partition(f"{DRAFT_HEAD}\n")
    draft, end, _ = below.partition(f"\n{DRAFT_END}")
    return draft if head and end else ""


def announcement(plan: ReplyPlan) -> str:
    """What becomes of the draft unless somebody touches the ticket."""
    then = f", and the ticket becomes {plan.then} {_span(plan.then_s)} later" if plan.then else ""
    return (
        f"The draft goes to the customer in {_span(plan.delay_s)}{then}. Any change of the ticket cancels this, and so "
        "does an article that no longer says this."
    )


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def quoted(words: str) -> str:
    """``words``, which are plain, in quotation marks."""
    return f"“{words.translate(_QUOTES)}”"

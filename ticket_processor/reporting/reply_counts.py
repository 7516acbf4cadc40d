"""What became of drafts, articles and public replies, added up over a sample of tickets. Pure data and functions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import Field

from ..core.models import Frozen
from .public_replies import PublicReplies

Use = Literal["linked", "used", "edited", "ignored"]
USES: tuple[Use, ...] = get_args(Use)
"""Best first. Drafts are used, edited or ignored; articles linked, used or ignored."""


class EditedDraft(Frozen):
    """The words that a person took out of a draft and put into it; they and the subject are redacted."""

    ticket_id: int
    subject: str
    taken_out: str
    put_in: str
    url: str = ""


@dataclass(frozen=True)
class Judged:
    """What a person's reply on one ticket made of what our note had offered; of a draft each source has its verdict."""

    ticket_id: int
    category: str
    kind: str
    use: Use
    articles: Mapping[str, Use]
    edited: EditedDraft | None = None


class UseCount(Frozen):
    """How often something was linked, used, edited or ignored, of tickets that a person answered."""

    label: str
    kind: str = Field("", description="draft or articles")
    title: str = ""
    linked: int = 0
    used: int = 0
    edited: int = 0
    ignored: int = 0

    @property
    def answered(self) -> int:
        """All of them."""
        return self.linked + self.used + self.edited + self.ignored

    @property
    def rate(self) -> float | None:
        """The share that was not ignored."""
        return 1 - self.ignored / self.answered if self.answered else None


class Replies(Frozen):
    """What people made of what notes offered in a period (ISO 8601), and what became of public replies.

    ``offered`` are the period's tickets with a draft or articles in their note, ``histories`` those of all that were
    read, ``categories`` and ``articles`` of those that a person has answered since. ``ignored`` are the tickets on
    which nothing of it was used, ``taken`` the others. ``left_out`` counts why others were not judged, ``ended_early``
    says why not all was read. ``edited`` holds words of people, so no form that is kept has it.
    """

    made: str = ""
    since: str = ""
    until: str = ""
    offered: int = 0
    histories: int = 0
    categories: tuple[UseCount, ...] = ()
    articles: tuple[UseCount, ...] = ()
    ignored: tuple[int, ...] = ()
    taken: tuple[int, ...] = ()
    edited: tuple[EditedDraft, ...] = Field((), exclude=True)
    public: PublicReplies = PublicReplies()
    left_out: dict[str, int] = Field(default_factory=dict)
    requests: int = 0
    ended_early: str | None = None

    def of(self, kind: str) -> UseCount:
        """All drafts, or the articles of all notes that offered no draft."""
        uses: Counter[str] = Counter()
        for count in self.categories:
            if count.kind == kind:
                uses.update({use: getattr(count, use) for use in USES})
        return UseCount(label="all", kind=kind, **uses)


def by_category(judged: Iterable[Judged]) -> tuple[UseCount, ...]:
    """Counts for each category and kind, the most answered first."""
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for item in judged:
        found[item.category, item.kind][item.use] += 1
    return _ranked(UseCount(label=label, kind=kind, **uses) for (label, kind), uses in found.items())


def by_article(judged: Iterable[Judged]) -> tuple[UseCount, ...]:
    """Counts for each article and kind, the most answered first."""
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for item in judged:
        for article_id, use in item.articles.items():
            found[article_id, item.kind][use] += 1
    return _ranked(UseCount(label=label, kind=kind, **uses) for (label, kind), uses in found.items())


def _ranked(counts: Iterable[UseCount]) -> tuple[UseCount, ...]:
    return tuple(sorted(counts, key=lambda count: (-count.answered, count.label, count.kind)))

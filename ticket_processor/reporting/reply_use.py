"""Whether a person's reply used what a note of ours had offered: told from its words. Pure.

Verdicts leave this module, and redacted differences. Replies are compared without quoted mail and signatures.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ..analysis.text.cleaning import clean
from ..analysis.text.redact import redact
from ..core.lazy_pattern import lazy_pattern
from ..core.models import RedactionLevel
from ..helpdesk.ticket_history import History
from ..replies.grounding import share_found, telling_stems
from ..replies.sources import word_lists
from .reply_counts import USES, Use

USED = 0.85
"""A draft is used when a reply has this share of its wording; so is a line of an article."""
EDITED = 0.35
"""A draft is edited when a reply has this share of its wording."""
EDITED_PART, MOSTLY_DRAFT = 0.15, 0.8
"""It is edited as well when a reply has this share of it, and stands to that share in the draft."""
FEWEST_IN_LINE = 5
"""Telling words of a line whose wording shows where it is from."""
FEWEST_IN_TITLE = 3
"""Telling words of a title that names an article by itself."""

MOST_LINES = 150
"""Lines of a note among which its draft is looked for."""
MOST_COMPARED = 500
"""Words of a draft and of a reply whose difference is told."""
_PUNCTUATION = lazy_pattern(r"[^\w\[\]]+")
_SOURCE_LINE = lazy_pattern(r"^\[\d+\] .*$", re.MULTILINE)
_CITATION = lazy_pattern(r"\s?\[\d+\]")
_ARTICLE_LINE = lazy_pattern(r"“(?P<title>.*)”(?: (?P<url>https?://\S+))?")
_LINE = lazy_pattern(r"  “(?P<line>.*)”")
_NUMBERED = lazy_pattern(r"/articles/\d+")


@dataclass(frozen=True)
class OfferedArticle:
    """An article that a note named, with the lines that it showed."""

    article_id: str
    title: str
    url: str
    lines: tuple[str, ...]


def draft_in(note: str, digest: str) -> str | None:
    """The draft whose SHA-256 is ``digest``, as it stands in a note; ``None`` where it does not."""
    lines = note.split("\n")[:MOST_LINES]
    for first in range(len(lines)):
        for end in range(len(lines), first, -1):
            text = "\n".join(lines[first:end])
            if hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() == digest:
                return text
    return None


def articles_in(note: str, article_ids: Sequence[str]) -> tuple[OfferedArticle, ...]:
    """The articles that a note shows with lines, which are the last of ``article_ids``; none where there are more."""
    found: list[tuple[str, str, list[str]]] = []
    for text in note.split("\n"):
        if found and (line := _LINE.fullmatch(text)):
            found[-1][2].append(line["line"])
        elif article := _ARTICLE_LINE.fullmatch(text):
            found.append((article["title"], article["url"] or "", []))
    named = [each for each in found if each[2]]  # a quoted summary has no lines below it
    first = len(article_ids) - len(named)
    if first < 0:
        return ()
    return tuple(
        OfferedArticle(article_id, title, url, tuple(lines))
        for article_id, (title, url, lines) in zip(article_ids[first:], named, strict=True)
    )


def draft_use(draft: str, replies: Iterable[str]) -> Use:
    """What became of a draft: the best of what the replies make of it."""
    own = _own_words(draft)
    return best(_draft_use(own, clean("", reply)) for reply in replies)


def difference(draft: str, replies: Iterable[str], names: Sequence[str]) -> tuple[str, str]:
    """The words that people took out of a draft, and those that they put in, by the reply nearest to it; redacted."""
    own = _own_words(draft)
    sent = max((clean("", reply) for reply in replies), key=lambda reply: share_found(own, reply))
    before, after = (
        redact(text, names=names, level=RedactionLevel.STRICT).text.split()[:MOST_COMPARED]
        for text in (own, _own_words(sent))
    )
    plain = [[_PUNCTUATION.sub("", word).casefold() or word for word in side] for side in (before, after)]
    changes = [
        change[1:]
        for change in SequenceMatcher(None, plain[0], plain[1], autojunk=False).get_opcodes()
        if change[0] != "equal"
    ]
    taken_out = " ... ".join(" ".join(before[start:end]) for start, end, _, _ in changes if end > start)
    return taken_out, " ... ".join(" ".join(after[start:end]) for _, _, start, end in changes if end > start)


def article_use(article: OfferedArticle, replies: Iterable[str]) -> Use:
    """What became of an article: the best of what the replies make of it."""
    return best(_article_use(article, clean("", reply)) for reply in replies)


def best(uses: Iterable[Use]) -> Use:
    """The best of several verdicts."""
    return min(uses, key=USES.index, default="ignored")


def replies_since(history: History, key: str, requester: int | None) -> tuple[str, ...] | None:
    """Public words of people other than the requester after our write; ``None`` if the record lacks that write."""
    ours = history.find(key)
    if ours is None:
        return None
    start = history.edits.index(ours) + 1
    later = [*zip(history.edits, history.by_people(), strict=True)][start:]
    return tuple(
        edit.text
        for edit, person in later
        if person and edit.comment == "public" and edit.author not in (None, requester) and edit.text
    )


def _draft_use(draft: str, reply: str) -> Use:
    taken = share_found(draft, reply)
    if taken >= USED:
        return "used"
    part = taken >= EDITED_PART and share_found(reply, draft) >= MOSTLY_DRAFT
    return "edited" if taken >= EDITED or part else "ignored"


def _article_use(article: OfferedArticle, reply: str) -> Use:
    if _names(article, reply.casefold()):
        return "linked"
    telling = [line for line in article.lines if len(telling_stems(line)) >= FEWEST_IN_LINE]
    return "used" if any(share_found(line, reply) >= USED for line in telling) else "ignored"


def _names(article: OfferedArticle, reply: str) -> bool:
    """Whether a reply (folded) holds the article's address, in whatever language, or its title."""
    url = article.url.casefold().partition("?")[0].rstrip("/")
    numbered = _NUMBERED.search(url)
    address = numbered[0] if numbered else url.partition("://")[2]
    if address and re.search(rf"{re.escape(address)}(?![\w-]*\d)" if numbered else re.escape(address), reply):
        return True
    title = article.title.casefold().strip()
    return len(telling_stems(title)) >= FEWEST_IN_TITLE and title in reply


def _own_words(draft: str) -> str:
    """What a draft says: without its fixed courtesies, its citations and its list of articles."""
    text = _CITATION.sub("", _SOURCE_LINE.sub("", draft))
    for frame in word_lists("frames").values():
        for words in frame.values():
            text = text.replace(words, "")
    return text.strip()

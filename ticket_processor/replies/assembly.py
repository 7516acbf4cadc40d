"""A reply put together from the claims that held, fixed courtesies and the index's own links; and its lines in a note.

Pure. Nothing of a model's answer gets into a reply but sentences that :mod:`.grounding` found supported, as plain
words. In a note, what is not ours, the draft aside, stands in quotation marks that it cannot end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..analysis.text.outgoing import leaving, told
from ..core.models import ReplyPlan, SourcedClaim, Usage
from ..core.text import lazy_pattern
from ..knowledge.model import Found, Passage
from . import usable_text, word_lists
from .figures import figures
from .grounding import (
    MAX_TEXT,
    Claim,
    Proposal,
    differing,
    language_of,
    plain_words,
    plain_words_leaving,
    said_by,
    sentences_of,
    telling_stems,
    unsupported,
)

LANGUAGES = tuple(word_lists("frames"))
"""Languages that a reply can be written in."""
LEAST_HELD = 0.5
"""The share of a model's claims that must hold; from one that invents more nothing is taken."""
LONGEST = 6_000
"""Maximum characters of a reply: people do not read longer ones, and a note has to hold it."""
_TITLE = 150
_URL = lazy_pattern(r"https?://[A-Za-z0-9][^\s<>\"'{}|\\^`\[\]@]*\Z")


@dataclass(frozen=True)
class ArticleLines:
    """An article with the index's title and address, and its lines about what was asked, in its own language."""

    article_id: str
    title: str
    url: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class CitedLine:
    """One sentence of a reply, the number of the article that says so, and the article's words for the note."""

    text: str
    number: int
    quote: str


@dataclass(frozen=True)
class NoAnswer:
    """There is nothing to reply with. ``reason`` is a fixed word, fit for the log; ``stopped`` counts claims by why.

    ``contradiction`` are two articles that give different figures of one kind, and what each says.
    """

    reason: str
    stopped: tuple[tuple[str, int], ...] = ()
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    contradiction: tuple[ArticleLines, ...] = ()


@dataclass(frozen=True)
class ReplyDraft:
    """A reply of which every sentence is a fixed courtesy or carries the number of an article.

    ``partial``: something stays open. ``translated``: a source is in another language, so that only its figures and
    quotes were compared, and a person has to read the reply.
    ``articles`` are numbered from 1. ``sourced`` is what it was put together from.
    """

    language: str
    claims: tuple[CitedLine, ...]
    steps: tuple[tuple[CitedLine, ...], ...]
    articles: tuple[ArticleLines, ...]
    partial: bool = False
    translated: bool = False
    sourced: tuple[SourcedClaim, ...] = ()
    stopped: tuple[tuple[str, int], ...] = ()
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None

    @property
    def text(self) -> str:
        """The reply as plain text."""
        frame = word_lists("frames")[self.language]
        parts = [frame["greeting"], frame["thanks"]]
        if self.claims:
            parts.append(_marked(self.claims))
        if self.steps:
            steps = [f"{number}. {_marked(step)}" for number, step in enumerate(self.steps, 1)]
            parts.append("\n".join([frame["steps"], *steps]))
        if self.partial:
            parts.append(frame["partial"])
        # A colon would make a secret of what follows "Reset your password".
        named = [
            f"[{number}] {' – '.join(filter(None, (each.title, each.url)))}"
            for number, each in enumerate(self.articles, 1)
        ]
        return "\n\n".join([*parts, "\n".join([frame["sources"], *named]), frame["closing"]])

    @property
    def digest(self) -> str:
        """Stands for the reply's exact text in a log."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()


def _marked(lines: Sequence[CitedLine]) -> str:
    return " ".join(f"{line.text} [{line.number}]" for line in lines)


def assembled(proposal: Proposal, sources: Mapping[str, Passage], language: str) -> ReplyDraft | NoAnswer:
    """The reply that ``proposal`` allows, in ``language``. ``sources`` are what the model saw, by their labels.

    Steps are taken all or none: without one of them the others may do harm.
    """
    if language not in LANGUAGES:
        return NoAnswer("language")
    wrong = [_fault(claim, sources, language) for claim in (*proposal.claims, *proposal.steps)]
    stopped = tuple(sorted((reason, wrong.count(reason)) for reason in {*wrong} - {""}))
    if proposal.verdict == "no_answer":
        return NoAnswer("no_answer", stopped)
    if wrong.count("") < max(1, LEAST_HELD * len(wrong)):
        return NoAnswer("unsupported", stopped)
    claims = [claim for claim, fault in zip(proposal.claims, wrong, strict=False) if not fault]
    steps = [] if any(wrong[len(proposal.claims) :]) else list(proposal.steps)
    if not claims and not steps:
        return NoAnswer("unsupported", stopped)
    used = [sources[claim.source] for claim in (*claims, *steps)]
    articles = {each.article_id: _article(each) for each in used}
    numbers = {name: number for number, name in enumerate(articles, 1)}
    figured = [
        statement
        for claim, source in zip((*claims, *steps), used, strict=True)
        for statement in said_by(
            source.article_id, _plain(claim.text), language, plain_words_leaving(claim.quote, MAX_TEXT)
        )
    ]
    if pair := differing(figured):
        told_apart = tuple(replace(articles[each.article_id], lines=(each.quote,)) for each in pair)
        return NoAnswer("contradiction", stopped, contradiction=told_apart)
    said = list(dict.fromkeys(line for claim in claims for line in _lines(claim, sources, numbers)))
    draft = ReplyDraft(
        language=language,
        claims=tuple(said),
        steps=tuple(_lines(step, sources, numbers) for step in steps),
        articles=tuple(articles.values()),
        partial=bool(proposal.verdict == "partial" or stopped),
        translated=any(language_of(each) != language for each in used),
        sourced=tuple(
            SourcedClaim(text=claim.text, quote=claim.quote, article=source.article_id, step=place >= len(claims))
            for place, (claim, source) in enumerate(zip((*claims, *steps), used, strict=True))
        ),
        stopped=stopped,
    )
    if told(draft.text) != draft.text:  # the note would hold another text than the log names
        return NoAnswer("secret", stopped)
    return draft if len(draft.text) <= LONGEST else NoAnswer("too_long", stopped)


def assembled_again(
    said: Sequence[SourcedClaim], language: str, passages: Callable[[str], Sequence[Passage]]
) -> ReplyDraft | NoAnswer:
    """The reply that this makes from the articles as they are now; ``passages`` gives those of an article by its id.

    There is none (``unsupported``) where an article no longer supports all that rests on it.
    """
    sources: dict[str, Passage] = {}
    claims: list[Claim] = []
    steps: list[Claim] = []
    for number, each in enumerate(said):
        claim = Claim(text=each.text, source=str(number), quote=each.quote)
        fits = (source for source in passages(each.article) if not _fault(claim, {claim.source: source}, language))
        source = next(fits, None)
        if source is None:
            return NoAnswer("unsupported")
        sources[claim.source] = source
        (steps if each.step else claims).append(claim)
    proposal = Proposal(claims=tuple(claims), steps=tuple(steps), verdict="answer")
    return assembled(proposal, sources, language)


def _fault(claim: Claim, sources: Mapping[str, Passage], language: str) -> str:
    """Why a claim must not be said; empty when it may."""
    plain = _plain(claim.text)
    if not plain or leaving(plain) != plain or _bare(plain) != _bare(claim.text):
        return "not_plain"
    if any(figure.kind in ("link", "phone") for figure in figures(claim.text, language)):
        return "contact"  # a reply's links are the index's; who wants to call or write finds how in the article
    return unsupported(plain, claim.quote, sources.get(claim.source), language)


def _plain(text: str) -> str:
    return plain_words(text, 2 * MAX_TEXT)


def _bare(text: str) -> str:
    """Letters and digits alone: what differs in them has lost or gained a word when it was made plain."""
    return re.sub(r"[\W_]", "", text).casefold()


def _lines(claim: Claim, sources: Mapping[str, Passage], numbers: Mapping[str, int]) -> tuple[CitedLine, ...]:
    number = numbers[sources[claim.source].article_id]
    quote = plain_words_leaving(claim.quote, MAX_TEXT)
    return tuple(CitedLine(sentence, number, quote) for sentence in sentences_of(_plain(claim.text)))


def _article(source: Passage) -> ArticleLines:
    title = plain_words_leaving(usable_text(source.title), _TITLE)
    return ArticleLines(source.article_id, title, source.url if _URL.match(source.url) else "")


MOST_ARTICLES, MOST_LINES, LONGEST_LINE = 2, 2, 200
"""Of a note without a draft: articles, lines of each, and characters of a line."""
ARTICLES_HEAD = "Articles that may help:"
CONTRADICTION_HEAD = "No draft: two articles give different figures of one kind."
DRAFT_HEAD = "Draft reply (read it before you send it):"
DRAFT_END = "End of the draft."
_QUOTES = str.maketrans(dict.fromkeys('“”„‟"', "'"))


def best_lines(found: Sequence[Found], query: str, *, floor: float) -> tuple[ArticleLines, ...]:
    """The best articles of ``found`` (best first) whose score clears ``floor``, with the lines nearest to ``query``.

    An article of which no line has a telling word of the query is left out.
    """
    wanted = set(telling_stems(query))
    chosen: dict[str, ArticleLines] = {}
    for each in found:
        passage = each.passage
        if each.score < floor or passage.article_id in chosen:
            continue
        lines = _nearest(usable_text(passage.text), wanted)
        if lines:
            title = plain_words_leaving(usable_text(passage.title), LONGEST_LINE)
            chosen[passage.article_id] = ArticleLines(passage.article_id, title, passage.url, lines)
        if len(chosen) == MOST_ARTICLES:
            break
    return tuple(chosen.values())


def _nearest(text: str, wanted: set[str]) -> tuple[str, ...]:
    sentences = [sentence for line in text.splitlines() for sentence in sentences_of(line.strip())]
    shared = [len(wanted.intersection(telling_stems(sentence))) for sentence in sentences]
    best = sorted((at for at, count in enumerate(shared) if count), key=lambda at: (-shared[at], at))[:MOST_LINES]
    plain = (plain_words_leaving(sentences[at], LONGEST_LINE) for at in sorted(best))
    return tuple(line for line in plain if line)


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
    if draft.partial:
        lines.append("It does not answer everything.")
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
    """A sentence that says when the draft is sent unless someone touches the ticket."""
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

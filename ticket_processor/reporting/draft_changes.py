"""What people's changes of many drafts have in common, and what is to be mended for it. Pure.

A sentence of an article that people change alike in most drafts that quote it is wrong there; what they add to the
drafts of one article is missing in it, and what they add whatever the article is belongs into their own texts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, product
from typing import Literal, NamedTuple

from pydantic import Field

from ..analysis.rules.matcher import words_of
from ..analysis.text.outgoing import leaving_line
from ..core.models import Frozen
from ..core.tables import Table
from ..core.text import PLACEHOLDER
from ..replies.grounding import is_negated, telling_stems
from .likeness import groups

FEWEST = 2
"""Tickets before anything is proposed."""
STATED, REPLACED, TAKEN_OUT, WHATEVER = 1 / 8, 1 / 4, 1 / 2, 1 / 2
"""The share of drafts beyond which people make the same change, the first time apart: a figure or a "not" that they put
in, or a sentence that they add for one article; a word for another one; a sentence taken out, which also shortens what
is right; an addition whatever the article is. Chosen on ``shop`` of ``tests/reporting/faulty_articles.toml``.
"""
FEWEST_IGNORED, IGNORED = 5, 0.75
"""Ignored drafts of a category, and their share, from which on it needs none."""
SAME, NEAR = 0.8, 1 / 3
"""Sentences with this share of words in common are the same one; with the second share, one was made of the other."""
MOST_TICKETS, LONGEST = 20, 200
_NOT, _LEFT_OUT = "not", "…"

Kind = Literal["article", "category description", "rule"]
Facts = frozenset[str]


class DraftProposal(Frozen):
    """Something to mend: an article, the description of a category, or a rule of the site.

    ``about`` is the article's title and address or the category, ``sentence`` the article's. ``instead`` are people's
    words, redacted, without those that a single ticket has, and not in JSON; ``of`` counts drafts that could show it.
    """

    kind: Kind
    about: str
    what: str
    tickets: tuple[int, ...]
    of: int
    sentence: str = ""
    instead: str = Field("", exclude=True)


class JudgedDraft(NamedTuple):
    """A draft and the reply nearest to it, both redacted; ``drafted`` are sentences, each with its article.

    ``ours`` is the category of the draft, ``theirs`` the one that people chose instead, if any.
    """

    ticket_id: int
    ignored: bool
    language: str
    drafted: Sequence[tuple[str, str]]
    sent: Sequence[str]
    ours: str
    theirs: str


def cited_sentences(body: str, articles: str) -> list[tuple[str, str]]:
    """The sentences of a draft, each with the article that it names; ``articles`` holds the draft's list of them."""
    named = dict(re.findall(r"(?m)^\[(\d+)\] (.+)$", articles))
    return [(named.get(number, ""), text) for text, number in re.findall(r"(?m)(?:^\d+\. )?(\S.*?) \[(\d+)\]", body)]


@dataclass
class _Sentence:
    """A sentence of an article: the tickets with it, and of those that changed it, what became of it."""

    text: str
    facts: Facts
    drafts: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    put: dict[int, str] = field(default_factory=dict)
    changes: dict[tuple[bool, str], set[int]] = field(default_factory=lambda: defaultdict(set))


def proposals(judged: Sequence[JudgedDraft]) -> list[DraftProposal]:
    """What is to be mended, by the most tickets first."""
    known = defaultdict[str, list[_Sentence]](list)
    added = [each for draft in judged if not draft.ignored for each in _compared(draft, known)]
    changes = [_change(article, each) for article, sentences in known.items() for each in sentences]
    found = [*_of_categories(judged), *_additions(added, known), *filter(None, changes)]
    return sorted(found, key=lambda one: (-len(one.tickets), one.about, one.sentence))


def _often(tickets: Collection[int], drafts: Collection[int], share: float) -> bool:
    return len(tickets) >= FEWEST and len(tickets) - 1 > share * len(drafts)


def _facts(text: str, language: str) -> Facts:
    """What must be the same for two sentences to say the same: telling words and figures, and whether it is denied."""
    plain = PLACEHOLDER.sub(" ", text)
    return frozenset(telling_stems(plain)) | ({_NOT} if is_negated(plain, language) else set())


def _compared(draft: JudgedDraft, known: dict[str, list[_Sentence]]) -> Iterator[tuple[int, str, str]]:
    """Note what became of each sentence of a draft; returns those made of none, each with the article above it."""
    said = [_facts(text, draft.language) for _, text in draft.drafted]
    sent = [(text, facts) for text in draft.sent if len(facts := _facts(text, draft.language)) >= FEWEST]
    kept = {facts for _, facts in sent} & {*said}
    nearest = [_nearest(facts, said, kept - {facts}) for _, facts in sent]
    put, at = defaultdict[int, list[str]](list), -1
    for (text, facts), place in zip(sent, nearest, strict=True):
        if place is None:  # then it stands for one that is gone, if a word says so, or where that one stood
            free = [other for other in range(len(said)) if other not in nearest and not put[other]]
            place = next((other for other in free if facts & said[other] or other == at + 1 > 0), None)
        if place is None:
            yield draft.ticket_id, draft.drafted[max(at, 0)][0], text
        else:
            put[place].append(text)
            at = place
    everything, everything_sent = frozenset[str]().union(*said), frozenset[str]().union(*(facts for _, facts in sent))
    for place, ((article, text), facts) in enumerate(zip(draft.drafted, said, strict=True)):
        one = _known(known[article], text, facts)
        one.drafts.add(draft.ticket_id)
        lost = facts - everything_sent
        if put[place]:
            one.put[draft.ticket_id] = words = " ".join(put[place])
            gained = _facts(words, draft.language) - everything
            for change in [*((False, word) for word in lost), *((True, word) for word in gained)]:
                one.changes[change].add(draft.ticket_id)
        elif len(lost) > (1 - SAME) * len(facts):
            one.gone.add(draft.ticket_id)


def _nearest(facts: Facts, said: Sequence[Facts], kept: Collection[Facts]) -> int | None:
    """The drafted sentence that a sent one is made of; of one that was ``kept`` as it is, no second one is made."""
    near = [len(facts & each) / max(1, min(len(facts), len(each))) * (each not in kept) for each in said]
    best = max(range(len(said)), key=near.__getitem__, default=None)
    return None if best is None or near[best] < NEAR else best


def _stated(facts: Iterable[str]) -> set[str]:
    return {word for word in facts if word == _NOT or any(map(str.isdigit, word))}


def _known(sentences: list[_Sentence], text: str, facts: Facts) -> _Sentence:
    """The same sentence in other drafts: models word it nearly, but not always quite, as the article does."""
    for one in sentences:
        if len(facts & one.facts) >= SAME * len(facts | one.facts) and _stated(facts) == _stated(one.facts):
            return one
    sentences.append(_Sentence(text, facts))
    return sentences[-1]


def _change(article: str, one: _Sentence) -> DraftProposal | None:
    lost, gained = ([each for (put, _), each in one.changes.items() if put is side] for side in (False, True))
    stated = (each for (put, word), each in one.changes.items() if word == _NOT or (put and _stated([word])))
    told = [each for each in stated if _often(each, one.drafts, STATED)]
    told += [both for each, other in product(lost, gained) if _often(both := each & other, one.drafts, REPLACED)]
    if told:
        tickets = max(told, key=len)
        put = _shared({number: one.put[number] for number in tickets}, one.text)
        return _proposal("article", article, "people write it otherwise", tickets, one.drafts, one.text, put)
    if _often(one.gone, one.drafts, TAKEN_OUT):
        return _proposal("article", article, "people take it out", one.gone, one.drafts, one.text)
    return None


def _proposal(
    kind: Kind, about: str, what: str, tickets: Iterable[int], of: Collection[int], sentence: str = "", put: str = ""
) -> DraftProposal:
    sentence, put = (leaving_line(text, LONGEST) for text in (sentence, put))
    every = tuple(sorted(tickets))
    return DraftProposal(kind=kind, about=about, what=what, tickets=every, of=len(of), sentence=sentence, instead=put)


def _additions(added: Sequence[tuple[int, str, str]], known: dict[str, list[_Sentence]]) -> Iterator[DraftProposal]:
    drafts = {article: set[int]().union(*(one.drafts for one in each)) for article, each in known.items()}
    everywhere = set[int]().union(*drafts.values())
    for group in groups([text for _, _, text in added]):
        own = [added[place] for place in reversed(group.places)]
        put = {number: text for number, _, text in own}
        article = Counter(name for name, _ in {(name, number) for number, name, _ in own}).most_common(1)[0][0]
        there, what = put.keys() & drafts[article], "people add a sentence"
        if _often(there, drafts[article], STATED) and 2 * len(there) > len(put):
            yield _proposal("article", article, what, there, drafts[article], "", _shared(put))
        elif _often(put, everywhere, WHATEVER):
            what += " whatever the article is: have a macro or signature add it"
            yield _proposal("rule", "all drafts", what, put, everywhere, "", _shared(put))


def _of_categories(judged: Sequence[JudgedDraft]) -> Iterator[DraftProposal]:
    """Categories that people correct where they ignore the draft, and those in which they want no draft."""
    ignored, of = defaultdict[tuple[str, str], list[int]](list), defaultdict[str, list[int]](list)
    for draft in judged:
        of[draft.ours].append(draft.ticket_id)
        if draft.ignored and draft.ours:
            ignored[draft.ours, draft.theirs].append(draft.ticket_id)
    for (ours, theirs), tickets in ignored.items():
        if theirs and len(tickets) >= FEWEST:
            what = f"people ignore the draft and choose {theirs}: let the descriptions tell the two apart"
            yield _proposal("category description", ours, what, tickets, of[ours])
        elif not theirs and len(tickets) >= max(FEWEST_IGNORED, IGNORED * len(of[ours])):
            what = f'people ignore the drafts: replies.categories.{ours} = "note" ends them'
            yield _proposal("rule", ours, what, tickets, of[ours])


def _shared(texts: dict[int, str], known: str = "") -> str:
    """The most typical of the texts, without words that one ticket alone has: these might still be a name."""
    count = Counter(word for text in texts.values() for word in {*words_of(text)})
    common = {word for word, number in count.items() if number >= FEWEST}.union(words_of(known))
    typical = max(sorted(texts.values()), key=lambda text: sum(1 if word in common else -1 for word in words_of(text)))
    kept = (word if common.issuperset(words_of(word)) else _LEFT_OUT for word in typical.split())
    return " ".join(word for word, _ in groupby(kept))


def proposal_table(found: Sequence[DraftProposal]) -> Table:
    """The table of proposals: what to mend, why, and on which tickets."""
    rows: list[tuple[str, ...]] = []
    for one in found:
        facts = {
            "about": one.about,
            "sentence": one.sentence,
            "finding": f"{one.what}, in {len(one.tickets)} of {one.of}",
            "instead": one.instead,
            "tickets": ", ".join(map(str, one.tickets[:MOST_TICKETS])),
        }
        lines = [(name, words) for name, words in facts.items() if words]
        rows += [(one.kind if place == 0 else "", *line) for place, line in enumerate(lines)]
    return Table("What to mend, by what people change in drafts", ("<mend", "<", "<<words"), tuple(rows))

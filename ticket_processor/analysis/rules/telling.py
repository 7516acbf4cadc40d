"""A summary in the ticket's own words: its most telling sentences, and the subject where that says something. Pure.

Sentences are weighed by the words that moved the decision, by words of haste, by requests and troubles, questions,
numbers and names; greetings, thanks, signatures and boilerplate weigh against. The words are in ``words/telling.toml``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from ...core.text import lazy_pattern, plain_line
from ..text.outgoing import with_names
from .matcher import KANA_OR_HAN, Hit, Wording, entries_of, lists, words_of

LONGEST = 300
"""Characters of a summary."""

_LONGEST_TITLE = 120
_LONGEST_SUBJECT = 160
"""A longer first line is the message's own."""
_PLAIN = 1.3
"""The weight of a sentence that adds nothing to a subject: an early place, or a number."""
_MOST_SENTENCES, _AT_LEAST = 3, 0.5
"""Sentences of a summary; a further one has this share of the best one's weight."""
MAX_WORDS = 300
"""Words looked at: who has not come to the point by then seldom does."""
_LONGEST_PIECE = 260
"""A longer sentence is looked at in pieces."""

# A set of characters is searched for fast; what the end is made of is looked at behind its first one.
_END = lazy_pattern(
    r"[.!?…。！？\n](?:(?<=[.!?…])[.!?…]*[\"'”’)\]]*(?=\s|\Z)|(?<=[。！？])[。！？]*[」』）]?|(?<=\n)(?:[ \t]*\n\s*)?)"
)
_ABBREVIATIONS = frozenset(
    "e.g i.e etc vs no nr art mr mrs ms dr st inc ltd approx z.b d.h u.a bzw ca inkl ggf evtl usw p.ex m mme sr sra "
    "srta ej av núm pág sig dott ecc es bijv o.a jl dhr mevr".split()
)
_WRAPPED_FROM = 60
"""A line of so many characters may go on in the next one."""
_PIECE_END = lazy_pattern(r"[,;:]\s+|\s[-–—]\s+")
_GREETING = lazy_pattern(
    r"\s*(?:dear|hello|hi|hey|greetings|good (?:morning|afternoon|evening)|to whom it may concern|sehr geehrte[rns]?"
    r"|liebe[rs]?|guten (?:tag|morgen|abend)|hallo|moin|bonjour|bonsoir|madame|cher|chère|chers|hola|estimad[oa]s?"
    r"|buen[oa]s? (?:d[ií]as?|tardes|noches)|olá|prezad[oa]s?|car[oaie]|bom dia|boa (?:tarde|noite)|buongiorno"
    r"|buonasera|ciao|gentil[ei]|salve|spettabile|beste|geachte|goedemorgen|goedemiddag)\b[^,:!.\n]{0,60}[,:!.]+\s*",
    re.IGNORECASE,
)
_LEADS = lazy_pattern(r"(?:[\s>#*•·–—|=_~-]|\d{1,2}[.)]\s)*(?:\[[ xX]?\]\s*)?")
_PARTICULAR = lazy_pattern(r"[\dA-Z.](?:(?<=\d)(?:\d|\s?[$€£¥₹%円元])|(?<=[a-z][A-Z])|(?<=[a-z]\.)(?=[a-z]))")
_PREFIX = lazy_pattern(r"^(?:\s*(?:re|aw|wg|fwd?|tr|rv|antw|sv|vs)\s*:|\s*\[[^\[\]]{0,40}\])+\s*", re.IGNORECASE)
_TICKED = lazy_pattern(r"\W{0,4}\[[ xX]?\]")
WEIGHTS = {"request": 1.5, "trouble": 1.0, "courtesy": -2.5}
_MOST_OF = {"moved": 4.0, "request": 1.5, "trouble": 2.0, "courtesy": -5.0}
_LONG_BODY, _LONG_SPACELESS = 1_000, 400
_SENTENCES = 3
_OPENING, _NEW = 160, 0.4


class Place(NamedTuple):
    """A sentence from one place of the text to another, or a piece of one; ``whole``: it ends at a mark."""

    start: int
    end: int
    whole: bool


Mark = tuple[Hit[Any], str, float]
"""Something telling, of what kind it is, and its weight."""


def cues() -> Iterator[tuple[str, str]]:
    """Entries that tell a sentence from others, each with its kind."""
    return ((entry, kind) for kind in WEIGHTS for entry in entries_of(lists("telling")[kind]))


@cache
def nothing_said() -> frozenset[str]:
    """Words that head a ticket and say nothing about it."""
    return frozenset(lists("telling")["says_nothing"].split())


def says_something(title: str) -> bool:
    """Whether a subject names a matter: not "Help", "Re: ticket" or "Urgent!!"."""
    bare = _PREFIX.sub("", title)
    if bare.strip(" 　。！？!?.：:") in nothing_said():
        return False
    return any(
        word not in nothing_said() and (len(word) > 2 or bool(KANA_OR_HAN.search(word))) and not word.isdigit()
        for word in words_of(bare)
    )


def summary_of(shown: str, wording: Wording, marks: Iterable[Mark]) -> str:
    """The summary of ``shown``, whose first line is the subject: at most :data:`LONGEST` characters of plain words.

    ``wording`` is of the same text with blanks for what its writer did not write; ``marks`` are what tells in it.
    """
    scanned = wording.text
    title, _, rest = scanned.partition("\n")
    headed = len(title) <= _LONGEST_SUBJECT and bool(rest.strip()) and not _GREETING.fullmatch(title)
    start = len(title) + 1 if headed else 0
    read = wording.places[MAX_WORDS] if len(wording.words) > MAX_WORDS else len(scanned)
    places = sentences_in(scanned, start, max(read, start))
    head = _title(shown[:start].strip())
    if start or len(places) > 1:
        body = _chosen(_weighed(shown, wording, places, marks), LONGEST - len(head), _PLAIN if head else 0.0)
    else:
        body = _bare(shown)
    if head and body and set(words_of(head)) <= set(words_of(body)):
        head = ""
    joined = f"{head}{'' if head[-1:] in ('.', '!', '?', '。') else ' –'} {body}" if head and body else head or body
    return _plain(joined) or _plain(shown[:start]) or _plain(shown[start:])


def condenses(text: str, summary: str) -> bool:
    """Whether ``summary`` saves reading ``text``: that is long, and its beginning does not say the same."""
    title, _, body = text.partition("\n")
    spaceless = not body.isascii() and bool(KANA_OR_HAN.search(body[:200]))
    if len(body) < (_LONG_SPACELESS if spaceless else _LONG_BODY) or 2 * len(summary) > len(body):
        return False
    if len(_END.findall(body.strip())) < _SENTENCES:
        return False  # no sentences, no sentence that tells most
    opening = f"{title} {body[: _OPENING // 2 if spaceless else _OPENING]}"
    if spaceless:
        pieces = {summary[at : at + 2] for at in range(len(summary) - 1)}
        return sum(piece not in opening for piece in pieces) >= _NEW * len(pieces)
    words, known = set(words_of(summary)), set(words_of(opening))
    return len(words - known) >= _NEW * len(words)


def _plain(words: str) -> str:
    return plain_line(with_names(words), LONGEST)


def _title(title: str) -> str:
    bare = _PREFIX.sub("", title).strip()
    return (bare if len(bare) <= _LONGEST_TITLE else plain_line(bare, _LONGEST_TITLE)) if says_something(title) else ""


def sentences_in(text: str, start: int = 0, end: int | None = None) -> list[Place]:
    """Where each sentence of ``text`` from ``start`` to ``end`` stands; overlong ones in pieces."""
    end = len(text) if end is None else end
    places: list[Place] = []
    begin = start
    for stop in _END.finditer(text, start, end):
        if stop.end() > begin and _ends(text, begin, stop):
            places += _pieces(text, begin, stop.end())
            begin = stop.end()
    return places + _pieces(text, begin, end)


def _ends(text: str, begin: int, end: re.Match[str]) -> bool:
    """Whether a sentence ends here: no abbreviation, and no line that goes on in the next one."""
    mark = end.group()
    if mark == ".":
        last = text[begin : end.start()].rpartition(" ")[2].lstrip("(").casefold()
        return not (len(last) == 1 and last.isalpha()) and last not in _ABBREVIATIONS
    if mark != "\n":
        return True
    before, behind = text[end.start() - 1 : end.start()], text[end.end() : end.end() + 1]
    long_line = end.start() - text.rfind("\n", 0, end.start()) > _WRAPPED_FROM
    return before in ".:;!?" or not (behind.islower() or (long_line and behind.isalpha()))


def _pieces(text: str, begin: int, end: int) -> list[Place]:
    end = begin + len(text[begin:end].rstrip())
    begin = end - len(text[begin:end].lstrip())
    pieces: list[Place] = []
    while end - begin > _LONGEST_PIECE:
        cuts = [cut.end() for cut in _PIECE_END.finditer(text, begin + _WRAPPED_FROM, begin + _LONGEST_PIECE)]
        cut = cuts[-1] if cuts else text.rfind(" ", begin, begin + _LONGEST_PIECE) + 1 or begin + _LONGEST_PIECE
        pieces.append(Place(begin, cut, whole=bool(cuts)))
        begin = cut
    return [*pieces, Place(begin, end, not pieces or pieces[-1].whole)] if end > begin else pieces


def _weighed(shown: str, wording: Wording, places: list[Place], marks: Iterable[Mark]) -> list[tuple[float, int, str]]:
    """Each sentence by its weight (the heaviest least), its number, and as it stands in the text."""
    scanned, words = wording.text, wording.words
    starts = [place.start for place in places]
    firsts = [wording.first_from(start) for start in starts]
    gains: list[dict[str, float]] = [{} for _ in places]
    for hit, kind, weight in marks:
        index = bisect_right(starts if hit.in_text else firsts, hit.start) - 1
        if index >= 0:
            gains[index][kind] = gains[index].get(kind, 0.0) + weight
    title = set(words[: firsts[0]]) if firsts else set()
    sentences = []
    for number, (place, first, end, gained) in enumerate(zip(places, firsts, [*firsts[1:], None], gains, strict=False)):
        written, visible = scanned[place.start : place.end], shown[place.start : place.end]
        weight = _weight(written, words[first:end], number, gained, title) - (0 if place.whole else 2.0)
        sentences.append((-weight, number, written if "```" in visible or "<!--" in visible else visible))
    return sentences


def _weight(sentence: str, words: list[str], number: int, gains: dict[str, float], title: set[str]) -> float:
    spaceless = not sentence.isascii() and KANA_OR_HAN.search(sentence)
    length = len(sentence) // 3 if spaceless else len(words)
    letters = len(sentence) if spaceless else sum(map(len, filter(str.isalpha, words)))
    if length < 3 or letters < 0.6 * (len(sentence) - sentence.count(" ")) or sentence[0] in "#>|_<":
        return -1.0
    # The matter mostly stands at the beginning.
    weight = 0.5 + max(0.0, 1.5 - 0.4 * number)
    for kind, most in _MOST_OF.items():
        found = gains.get(kind, 0.0)
        weight += min(found, most) if most > 0 else max(found, most)
    weight += 1.0 if sentence[-1] in "?？" else 0.0
    weight += 0.7 if _PARTICULAR.search(sentence) else 0.0
    weight -= 1.0 if length < 5 else 0.5 if length < 7 else 0.0
    weight -= 1.5 if "://" in sentence else 0.0  # of which nothing is shown
    weight -= 3.0 if _TICKED.match(sentence) else 0.0
    return weight - 2.0 if title and title.issuperset(words) else weight


def _chosen(sentences: list[tuple[float, int, str]], room: int, least: float) -> str:
    """The weightiest sentences that there is room for, in their order."""
    ranked = sorted(one for one in sentences if one[0] < -least)
    chosen: dict[int, str] = {}
    for weight, number, sentence in ranked[: 2 * _MOST_SENTENCES]:
        text = _bare(sentence)
        left = room - sum(len(other) + 3 for other in chosen.values())
        if chosen and (weight > _AT_LEAST * ranked[0][0] or len(text) > left or text in chosen.values()):
            continue
        if text:
            chosen[number] = text
        if len(chosen) == _MOST_SENTENCES:
            break
    parts: list[str] = []
    for number in sorted(chosen):
        parts += [("" if not parts else " " if number - 1 in chosen else " / "), chosen[number]]
    return "".join(parts)


def _bare(sentence: str) -> str:
    """A sentence without the mark of a list or the greeting before it."""
    lead = _LEADS.match(sentence)
    if lead and lead.end() < len(sentence):
        sentence = sentence[lead.end() :]
    greeting = _GREETING.match(sentence)
    if greeting and len(sentence) - greeting.end() > 10:
        sentence = sentence[greeting.end() :]
    return " ".join(sentence.split()).rstrip(" ,:;")

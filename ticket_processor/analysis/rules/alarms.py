"""Alarms in a ticket of any category: incidents, legal threats, danger, a customer about to leave.

Sentence by sentence, by phrases that speak for themselves (``words/alarms.toml``, ``words/stakes.toml``) and by parts
that do so together, such as a device and that it is gone (``words/incidents.toml``). A sentence that says there is
none, that it is over, planned or a question about what is offered raises no alarm, nor does a text that tells more of
such things than of an incident of now (``words/bearing.toml``). Learnt weights have the last word on whole mails (see
:mod:`.incident_model`). A long mail is about more than one thing: there, what stands around one sentence decides.
Pure functions, safe in any thread.

A negation takes the alarm from words: "nothing is urgent", "kein Ausfall", 障害はありません. It reaches the next word
of its clause that means something, over words that do not, and over "or" the one behind it. In "not only urgent", "no
answer for days, urgent" and "no access and it is urgent" it reaches no urgency. In Japanese it stands behind. These
words are in ``words/negation.toml``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import pairwise, product
from typing import Any, NamedTuple

from ...core.models import Risk
from ...core.text import lazy_pattern
from .incident_model import LANGUAGES, chances
from .matcher import Hit, PhraseMatcher, Wording, counting, entries_of, lists

# A set of characters is searched for fast.
_SHOUTED = re.compile(r"[A-Z](?<!\w.)[A-Z]{3,}(?:\W+[A-Z]{2,}){2,}")
_AGAINST_REACH = 2
# How far the parts of an incident may stand from each other, in words; in characters where no spaces divide them.
_NEAR, _NEAR_IN_TEXT = 8, 25
_MOST_PARTS = 20
"""Words of one kind among which parts of an incident are looked for."""
_NO_WORDS = ("together", "throughout", "hypothetical")
INCIDENTS = frozenset(("security", "outage", "safety"))
"""The alarms of something that must not wait."""
_ALONE = INCIDENTS | {"legal", "churn", "haste", "defused"}
Hits = dict[str, list[Hit[tuple[str, ...]]]]
Signs = dict[str, set[int]]
"""The entries found in a text, by kind."""
# How much each entry of a kind says that a text is about no incident of now.
_AGAINST = {"elsewhere": 2, "general": 1}
# How likely an incident has to be by the learnt weights: where phrases tell of one, where none does, and in a long
# text, which says something around each of many sentences (scripts/measure_rules.py prints what that gives).
_LIKELY, _LIKELY_BY_ITSELF, _LIKELY_IN_A_PART = 0.67, 0.9, 0.9
_LONGEST = 120
"""Words, as many as the learnt mails have. Of a longer text the weights see what stands around a sentence."""
_BEFORE, _BEHIND = 30, 40
"""Words before and behind the beginning of a sentence that are looked at with it."""
# "Is it not an outage?" and "nobody can" deny nothing.
_NONE = r"(?:(?:あり|ござい)ません|無い|ない|なく|なかった)"
_DENIED_BEHIND = lazy_pattern(
    rf"(?:[一-龯]{{0,4}}(?:(?:で|じゃ)?[はもが]|じゃ){_NONE}|[一-龯]{{0,4}}[はも]?なし"
    r"|[一-龯]{0,4}は(?:発生|起き|起こ|確認|検知|受け)(?:し|って|て|されて|できて)?て?は?(?:い|おり)?(?:ません|ない)"
    r"|(?<=[れし])て?は?(?:い|おり)?(?:ません|ない|なかった))(?!(?:でしょう|です|の|だ)?か(?!ら))"
)
_FAR = 16
_NEGATIVE_ITSELF = frozenset("誰何")
ALARMS = ("security", "safety", "legal", "outage", "churn")


@cache
def _negations(language: str) -> dict[str, frozenset[str]]:
    """Those of ``language`` and English, unless they are everyday words of ``language``; of all where it is unknown."""
    tables = lists("negation")
    known = tables["negations"]
    common = set(lists("languages")["words"].get(language, "").split()) if language != "en" else set()

    def of(kind: str) -> frozenset[str]:
        rows = tables[kind]
        split = entries_of if kind == "negations" else str.split
        if language not in known:
            return frozenset(word for row in rows.values() for word in split(row))
        return frozenset({*split(rows[language]), *(set(split(rows["en"])) - common)})

    found = {kind: of(kind) for kind in ("negations", "of_things", "between", "or", "until", "pressing")}
    # The first word of those of two is looked for first.
    return {**found, "begin": frozenset(entry.split(" ")[0] for entry in found["negations"] if " " in entry)}


class Denials:
    """The denials in a text whose ``language`` (an ISO 639-1 code) is known."""

    def __init__(self, wording: Wording, language: str) -> None:
        self._wording = wording
        self._language = language

    def of(self, hit: Hit[Any]) -> bool:
        """Whether what was found is denied."""
        if not hit.in_text:
            return hit.start in self._places
        text = self._wording.text
        if not _NEGATIVE_ITSELF.isdisjoint(text[hit.start : hit.end]):
            return False
        return bool(_DENIED_BEHIND.match(text, hit.end, hit.end + _FAR))

    @cached_property
    def _places(self) -> set[int]:
        known, words = _negations(self._language), self._wording.words
        negations, begin = known["negations"], known["begin"]
        found = [at for at, word in enumerate(words) if word in negations]
        pairs = [] if begin.isdisjoint(words) else enumerate(pairwise(words), 1)
        found += [at for at, pair in pairs if pair[0] in begin and " ".join(pair) in negations]
        starts = set(self._wording.clauses) if found else set()
        places: set[int] = set()
        for at in found:
            left = 1 + (words[at] in known["of_things"])
            for place in range(at + 1, len(words)):
                word = words[place]
                if place in starts or word in known["until"]:
                    break
                if word in known["or"]:
                    left = max(left, 1)
                elif not left or (left == 1 and words[at] in known["of_things"] and word in known["pressing"]):
                    break
                places.add(place)
                left -= word not in known["between"] and word not in known["or"]
        return places


class Stakes(NamedTuple):
    """Which kinds of alarm the words of a text raise, and whether they press for haste.

    ``calm``: some sentence says that there is nothing, that it is over, planned or a question about what is offered.
    """

    security: bool = False
    outage: bool = False
    legal: bool = False
    safety: bool = False
    churn: bool = False
    haste: bool = False
    calm: bool = False

    @property
    def alarms(self) -> tuple[str, ...]:
        """The kinds of alarm by name."""
        return tuple(kind for kind in ALARMS if getattr(self, kind))

    @property
    def incident(self) -> bool:
        """Whether something is happening that must not wait: a security incident, an outage, a danger."""
        return self.security or self.outage or self.safety

    @property
    def risk(self) -> Risk:
        """The risk of leaving the ticket alone."""
        if self.security or self.legal or self.safety:
            return Risk.HIGH
        return Risk.MEDIUM if self.outage or self.churn else Risk.LOW


@cache
def _hypothetical() -> frozenset[str]:
    return frozenset(entry for words in lists("incidents")["hypothetical"].values() for entry in entries_of(words))


class _Combination(NamedTuple):
    """An alarm, and the parts that raise it when they stand near the first of them."""

    kind: str
    parts: tuple[str, ...]
    needed: frozenset[str]


@cache
def _combinations(reach: str) -> tuple[_Combination, ...]:
    return tuple(
        _Combination(kind, tuple(parts), frozenset(parts))
        for kind, rows in lists("incidents")[reach].items()
        for parts in rows
    )


def alarm_entries(language: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Entries for texts of ``language`` with all that they mean: alarms, parts of one, or what takes it out."""
    phrases: dict[str, dict[str, str]] = {**lists("alarms"), **lists("stakes")}
    known = phrases["security"]
    phrases |= {name: words for name, words in lists("incidents").items() if name not in _NO_WORDS}
    phrases |= lists("bearing")
    meanings: dict[str, list[str]] = {}
    for kind, words in phrases.items():
        for name in counting(language, known):
            for entry in entries_of(words.get(name, "")):
                # "brand" burns in German only.
                if language in known or name == "en" or " " in entry or not entry.isascii():
                    meanings.setdefault(entry, []).append(kind)
    return ((entry, tuple(kinds)) for entry, kinds in meanings.items())


def stakes_in(wording: Wording, language: str, hits: list[Hit[tuple[str, ...]]]) -> Stakes:
    """The alarms of a text of ``language`` (ISO 639-1), in which ``hits`` of :func:`alarm_entries` were found."""
    sentences = _sentences(wording, language, hits) if hits else []
    found = _raised_by_all(sentences, wording, language)
    if "!!!" in wording.text or _SHOUTED.search(wording.text):
        found.add("haste")
    return Stakes(**dict.fromkeys(found, True))


def raised_by(
    stakes: Stakes, hits: list[Hit[tuple[str, ...]]], wording: Wording, denials: Denials
) -> list[Hit[tuple[str, ...]]]:
    """The words that raised the incidents of ``stakes``; of parts in a sentence the stretch from one to the other."""
    kinds = {kind for kind in INCIDENTS if getattr(stakes, kind)}
    meant = [hit for hit in hits if not denials.of(hit)]
    found = [hit for hit in meant if not kinds.isdisjoint(hit.value)]
    for row in _combinations("together"):
        parts = [[hit for hit in meant if part in hit.value][:_MOST_PARTS] for part in row.parts[:2]]
        for one, other in product(*parts) if row.kind in kinds else ():
            if _near([one], [other]):
                start, end = min(one.start, other.start), max(one.end, other.end)
                stretch = one._replace(start=start, end=end)
                first, last = (start, end - 1) if one.in_text else (wording.places[start], wording.places[end - 1])
                if bisect_right(wording.sentence_places, first) == bisect_right(wording.sentence_places, last):
                    found.append(stretch)
    return found


def found_in(text: str, language: str) -> tuple[set[str], Signs]:
    """What phrases and parts raise in ``text``, and the entries found; learnt weights have no say yet."""
    wording = Wording(text)
    hits = PhraseMatcher(alarms=alarm_entries(language)).find(wording.words, text)["alarms"]
    return _together(_sentences(wording, language, hits))


def _raised_by_all(sentences: list[_Sentence], wording: Wording, language: str) -> set[str]:
    """What a text raises. In a long one an incident has to show in what stands around some sentence."""
    found, signs = _together(sentences)
    words, places = wording.words, wording.places
    if len(words) <= _LONGEST:
        return _weighed(found, signs, wording) if language in LANGUAGES else found
    incidents: set[str] = set()
    alarming: set[str] = set()
    for sentence in sentences:
        first, last = max(0, sentence.first - _BEFORE), sentence.first + _BEHIND
        raised, near = _together([each for each in sentences if first <= each.first < last])
        alarming |= raised & INCIDENTS
        if raised.isdisjoint(INCIDENTS) or raised & INCIDENTS <= incidents:
            continue
        part = wording.text[places[first] : places[last] if last < len(places) else None]
        odds = chances(words[first:last], marks_of(raised, near, part))
        if language not in LANGUAGES or odds is None or odds.of_any >= _LIKELY_IN_A_PART:
            incidents |= raised & INCIDENTS
    calm = {"calm"} if not incidents and alarming | (found & INCIDENTS) else set()
    return found - INCIDENTS | incidents | calm


def _together(sentences: list[_Sentence]) -> tuple[set[str], Signs]:
    """What these sentences raise together, and the entries in them."""
    signs: Signs = {}
    found: set[str] = set()
    below: set[str] = set()
    for sentence in sentences:
        for kind, entries in sentence.signs.items():
            signs.setdefault(kind, set()).update(entries)
        if sentence.below:
            below |= sentence.raised
        else:
            found |= sentence.raised
    if "calm" in below and INCIDENTS.isdisjoint(below):
        found -= INCIDENTS  # a heading only names what the text is about
    found |= below
    found |= {row.kind for row in _combinations("throughout") if row.needed <= signs.keys()}
    if not INCIDENTS.isdisjoint(found) and _is_elsewhere(signs):
        found = found - INCIDENTS | {"calm"}
    return found, signs


def marks_of(found: set[str], signs: Signs, text: str) -> set[str]:
    """What phrases tell of a text, for the learnt weights: what they raise, the kinds found, and whether it asks."""
    marks = {f"@{kind}" for kind in signs} | {f"@@{kind}" for kind in found & INCIDENTS}
    if "?" in text or "？" in text:
        marks.add("@?")
    if text.rstrip().endswith(("?", "？")):
        marks.add("@?end")
    return marks


class _Sentence(NamedTuple):
    """A sentence with hits: the number of its first word, what it raises, and the entries in it.

    ``below``: it stands below the first line, which may be a heading.
    """

    first: int
    below: bool
    raised: set[str]
    signs: Signs


def _sentences(wording: Wording, language: str, hits: list[Hit[tuple[str, ...]]]) -> list[_Sentence]:
    """The sentences of a text with hits. One hit that goes beyond a sentence lies in none."""
    text, places = wording.text, wording.places
    headed = text.find("\n")
    starts = wording.sentence_places
    inside: dict[int, list[Hit[tuple[str, ...]]]] = {}
    for hit in hits:
        first, last = (hit.start, hit.end - 1) if hit.in_text else (places[hit.start], places[hit.end - 1])
        at = starts[bisect_right(starts, first) - 1]
        if at == starts[bisect_right(starts, last) - 1]:
            inside.setdefault(at, []).append(hit)
    denials = Denials(wording, language)
    found: list[_Sentence] = []
    for at, those in sorted(inside.items()):
        first, signs = wording.first_from(at), Signs()
        raised = _raised(those, first, wording.words, signs, denials)
        found.append(_Sentence(first, 0 <= headed < at, raised, signs))
    return found


def _weighed(found: set[str], signs: Signs, wording: Wording) -> set[str]:
    """``found`` as the learnt weights see it: alarming words alone raise nothing, and free words may."""
    odds = chances(wording.words, marks_of(found, signs, wording.text))
    if odds is None:
        return found
    raised = found & INCIDENTS
    if raised:
        return found if odds.of_any >= _LIKELY else found - raised | {"calm"}
    if odds.of_any < _LIKELY_BY_ITSELF:
        return found
    named = sorted(INCIDENTS.intersection(signs), key=odds._asdict().__getitem__)
    return found | {named[-1] if named else odds.likeliest}


def _is_elsewhere(signs: Signs) -> bool:
    """Whether what tells of drills, news, offers and the past outweighs what tells of an incident of now."""
    against = sum(weight * len(signs.get(kind, ())) for kind, weight in _AGAINST.items())
    return against > len(signs.get("present", ()))


def _raised(
    found: list[Hit[tuple[str, ...]]], first: int, words: list[str], signs: Signs, denials: Denials
) -> set[str]:
    """What a sentence raises whose first word is number ``first``, and ``calm``; ``signs`` gets all entries found."""
    hits: Hits = {}
    denied = {place for hit in found if denials.of(hit) for place in range(hit.start, hit.end)}
    for hit in found:
        if hit.start in denied:
            continue
        for kind in hit.value:
            hits.setdefault(kind, []).append(hit)
            signs.setdefault(kind, set()).add(hit.entry)
    present = hits.keys()
    alone = _ALONE & present
    together = [row for row in _combinations("together") if row.needed <= present]
    if not alone and not together:
        return set()
    if "shadow" in hits:
        hits = _unhidden(hits)
    needed = alone.union(*(row.parts for row in together))
    meant = {kind: [h for h in hits.get(kind, ()) if not _is_against(h, words, first)] for kind in needed}
    kinds = {kind for kind in alone if meant[kind]}
    kinds |= {row.kind for row in together if all(_near(meant[row.parts[0]], meant[part]) for part in row.parts[1:])}
    return kinds - INCIDENTS - {"defused"} | {"calm"} if "defused" in kinds else kinds


def _unhidden(hits: Hits) -> Hits:
    """``hits`` without those inside a shadow."""
    shadows = hits.pop("shadow")
    return {
        kind: kept
        for kind, all_of in hits.items()
        if (kept := [h for h in all_of if not any(s.start <= h.start and h.end <= s.end for s in shadows)])
    }


def _is_against(hit: Hit[tuple[str, ...]], words: list[str], first: int) -> bool:
    """Whether "against" or "prevent" stands right before ``hit``."""
    before = words[max(first, hit.start - _AGAINST_REACH) : hit.start]
    return not (hit.in_text or _hypothetical().isdisjoint(before))


def _near(one: list[Hit[tuple[str, ...]]], other: list[Hit[tuple[str, ...]]]) -> bool:
    """Whether a hit of ``one`` stands near, and beside, a hit of ``other``."""
    return any(
        0 <= max(a.start - b.end, b.start - a.end) <= (_NEAR_IN_TEXT if a.in_text else _NEAR)
        for a in one
        for b in other
        if a.in_text == b.in_text
    )

"""Whether a customer's further message only thanks: known phrases cover every word of it.

So nothing can be asked, denied or told beside them; words that no list holds, digits and question marks end it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from ..core.lazy_pattern import lazy_pattern
from ..core.models import Ticket
from .rules.matcher import lists
from .text.cleaning import clean
from .text.machine_mail import machine_mail

LONGEST, MOST_WORDS = 300, 40
"""Characters and words of a message that only thanks: a longer one has more to say."""
MOST_NAMES = 3
"""Words of a name, or of two lines below a sign-off."""
_TABLES = ("thanks", "beside", "greeting", "sign_off")
_NAMED = {"thanks": 1, "greeting": MOST_NAMES, "sign_off": MOST_NAMES}
"""Words of a name that may end a clause behind a phrase of this table."""
_JOINED = ("ja", "signs")
"""Have no spaces between words."""
_CLAUSES = lazy_pattern(r"[.!¡,;:…\n。、！～〜・()\"“”«»*]+|(?<=\s)[–—]+(?=\s)|'(?=\s|$)|(?<=\s)'")
_EMOTICON = lazy_pattern(r"(?<!\w)[:;8]-?[)DPp](?!\w)|\^\^|<3")
_SAD = lazy_pattern(r"[:;][-']?[(\[]")
_DENIALS = frozenset("no nope not nein nicht nee niet non pas não".split())
"""Written as names are, behind thanks, these are none."""


@cache
def _phrases() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Every phrase with its table. Repetitions are bounded, so that no message takes long."""
    return tuple(
        (table, re.compile(body if language in _JOINED else rf"{body}(?!\w)", re.IGNORECASE))
        for table in _TABLES
        for language, phrases in lists("mere_thanks")[table].items()
        for body in (f"(?:{phrase.replace(')*', '){0,5}')})" for phrase in phrases)
    )


def is_mere_thanks(ticket: Ticket, text: str, *, files: bool = False) -> bool:
    """Whether a message on ``ticket`` only thanks. Quoted mail and signatures are not read; ``files`` came with it.

    What a machine wrote is none, whatever it says.
    """
    mail = ticket.model_copy(update={"subject": "Re:", "description": text, "channel": "email"})
    return not files and machine_mail(mail) is None and only_thanks(clean("", text), ticket.names)


def only_thanks(text: str, names: Collection[str] = ()) -> bool:
    """Whether a text without quotes and signature thanks and says nothing else; ``names`` are the writer's."""
    if len(text) > LONGEST or len(text.split()) > MOST_WORDS or _SAD.search(text):
        return False
    plain = _EMOTICON.sub(" ", text.replace("’", "'").replace("-", " "))
    own = {word.casefold() for name in names for word in name.replace("-", " ").split()}
    thanked, signed = False, 0
    for clause in filter(None, (part.strip() for part in _CLAUSES.split(plain))):
        if found := _tables_of(clause):
            thanked = thanked or "thanks" in found
            signed = MOST_NAMES if found == {"sign_off"} else signed
        elif len(clause.split()) <= signed and _is_name(clause):
            signed -= len(clause.split())
        elif not set(clause.casefold().split()) <= own:
            return False
    return thanked


def _tables_of(clause: str) -> frozenset[str]:
    """The tables of the phrases that cover a clause, as many as there are in one way; empty where they do not."""
    ways: dict[tuple[int, str], frozenset[str]] = {(0, ""): frozenset()}
    best: frozenset[str] = frozenset()
    while ways:
        place = min(ways)
        found = ways.pop(place)
        at, last = place
        if at >= len(clause):
            best = max(best, found, key=len)
            continue
        for table, phrase in _phrases():
            match = phrase.match(clause, at)
            if match and match.end() > at:
                end = len(clause) - len(clause[match.end() :].lstrip())
                ways[end, table] = max(ways.get((end, table), frozenset()), found | {table}, key=len)
        if (most := _NAMED.get(last)) and (name := clause[at:].split()) and len(name) <= most and _is_name(clause[at:]):
            best = max(best, found, key=len)
        elif most and _is_name(name[0]):
            end = at + len(name[0]) + 1
            ways[end, ""] = max(ways.get((end, ""), frozenset()), found, key=len)
    return best


def _is_name(text: str) -> bool:
    """Whether every word is written as names are: a capital, then small letters."""
    words = text.split()
    like_names = all(word.isalpha() and word[0].isupper() and (word[1:].islower() or len(word) == 1) for word in words)
    return like_names and _DENIALS.isdisjoint(map(str.casefold, words))

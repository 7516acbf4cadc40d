"""Words by which a ticket's language, category, urgency, mood and risk are recognised. Data only.

Syntax of an entry, entries being separated by commas:

- ``refund``: the whole word, in any case; ``refund*``: words beginning so; ``*rechnung``: words ending so;
  ``*rechnung*``: words containing it (for languages that join words)
- ``money back``: words in a row; ``charged ~ twice``: with up to three other words between them
- in Japanese and Chinese entries are looked for anywhere, for lack of spaces

Numbers in front are weights. Category weights say how far an entry decides alone (3), helps (2) or hints (1);
zero takes a phrase's words out. Urgency points add up: sixteen make a ticket critical, four high, two below zero low.
The lists were written by hand from knowledge of the languages, and revised where labelled tickets showed them wrong; no
weight was computed from data.
"""

from .categories import CATEGORIES, NOT_ABOUT, SYNONYMS
from .entries import ByLanguage, Weighted
from .moods import EMOJI, EMOTICONS, FALSE_FRIENDS, INTENSIFIERS, NEGATIONS, SENTIMENT
from .urgency import NONE_OF, URGENCY

__all__ = [
    "CATEGORIES",
    "EMOJI",
    "EMOTICONS",
    "FALSE_FRIENDS",
    "INTENSIFIERS",
    "NEGATIONS",
    "NONE_OF",
    "NOT_ABOUT",
    "SENTIMENT",
    "SYNONYMS",
    "URGENCY",
    "ByLanguage",
    "Weighted",
]

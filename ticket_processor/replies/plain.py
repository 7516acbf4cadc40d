"""A stranger's sentence as plain words that no helpdesk renders, with what prices and menus need. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..analysis.text.outgoing import leaving_line, with_names
from ..core.sanitize import plain_line

_MENU = re.compile(r"(?<=\S) +> +(?=\S)")
_DOLLARS = re.compile(r"\$(?=\d)")
_ANY_CURRENCY = "¤"
"""Stands for a dollar sign while mark-up is taken out."""


def plain_words(text: str, limit: int) -> str:
    """``text`` as one line without links, mark-up and mentions; ``File > Save`` has an arrow, and a price its ``$``."""
    return _prepared(plain_line, text, limit)


def plain_words_leaving(text: str, limit: int) -> str:
    """The same, without personal data; names of files and machines have raised dots."""
    return _prepared(leaving_line, with_names(text), limit)


def _prepared(plain: Callable[[str, int], str], text: str, limit: int) -> str:
    marked = _DOLLARS.sub(_ANY_CURRENCY, _MENU.sub(" → ", text.replace(_ANY_CURRENCY, "")))
    return plain(marked, limit).replace(_ANY_CURRENCY, "$")

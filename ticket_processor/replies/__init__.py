"""Drafts of replies that say nothing but what an article says. Off until settings ask for it.

The part of an article's text that a reply may rest on, and the word lists of replies.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from ..analysis.rules.injection import signs_of
from ..core.text import compatible, strip_hidden


@cache
def word_lists(name: str) -> dict[str, Any]:
    """The lists of ``words/NAME.toml``, read once."""
    return tomllib.loads(files(__package__).joinpath(f"words/{name}.toml").read_text("utf-8"))


@lru_cache(maxsize=1024)
def usable_text(text: str) -> str:
    """``text`` without the lines that speak to a program or say what a customer is to be told.

    Whoever may edit an article could otherwise speak through the replies. A line that is left is an ordinary one: it
    can be quoted, and a reply may repeat it.
    """
    lines = text.splitlines()
    orders = {at for at, line in enumerate(lines) if _gives_orders(line)}
    for at, pair in enumerate(pairwise(lines)):  # an order that a line break divides
        if orders.isdisjoint((at, at + 1)) and _gives_orders(" ".join(pair)):
            orders |= {at, at + 1}
    return strip_hidden("\n".join(line for at, line in enumerate(lines) if at not in orders)).strip()


def _gives_orders(line: str) -> bool:
    folded = " ".join(compatible(strip_hidden(line)).casefold().replace("’", "'").split())
    return bool(folded) and (bool(signs_of(line)) or any(order.search(folded) for order in _orders()))


@cache
def _orders() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(order) for order in word_lists("orders")["orders"])

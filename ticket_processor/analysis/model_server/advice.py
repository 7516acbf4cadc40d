"""A model's advice to agents, read strictly: the likely cause, steps to try, and whether the first reply will do.

It goes into the internal note and nowhere else. Whoever wrote the ticket may speak through it: a sentence that is not
plain words, gives orders to a program, or names a number that the ticket lacks is dropped. Of steps all or none are
taken: without one of them the others may do harm. Pure functions, safe in any thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from ...core.models import AdvicePart, Frozen
from ...core.sanitize import compatible, strip_hidden
from ..rules.injection import signs_of
from .answer_object import read_share
from .prompt import MAX_ROOT_CAUSE, MAX_STEP, MAX_STEPS

_OWN_NUMBER = re.compile(r"\s*\(?\d{1,2}[.):]\s+")
_FIRST_PART = '"root_cause"'


class Advice(Frozen):
    """What of the advice may be shown, and the parts that were missing or not as asked."""

    root_cause: str = ""
    steps: tuple[str, ...] = ()
    resolution_likelihood: float | None = None
    advice_dropped: tuple[AdvicePart, ...] = ()


def read_advice(found: Mapping[str, Any], ticket: str, plain: Callable[[object, int], str]) -> Advice:
    """The advice in an answer about ``ticket``; ``plain`` makes a text redacted plain words. Never raises."""
    numbers = _numbers(ticket)

    def sentence(value: object, limit: int) -> str | None:
        """Plain words; empty for none, ``None`` where they may not be shown."""
        if not isinstance(value, str) or len(value) > limit:
            return None
        text = value[own.end() :] if (own := _OWN_NUMBER.match(value)) else value
        words = plain(text.replace(" > ", " → "), limit)  # a menu's sign is mark-up to helpdesks
        same = _letters(words) == _letters(text)  # or it has lost a link, an address or mark-up
        return words if same and not signs_of(value) and _numbers(words) <= numbers else None

    cause = sentence(found["root_cause"] or "", MAX_ROOT_CAUSE) if "root_cause" in found else None
    given = found.get("steps")
    steps = [sentence(item, MAX_STEP) for item in given[:MAX_STEPS]] if isinstance(given, list) else [None]
    likelihood = read_share(found.get("resolution_likelihood"))
    dropped = dict(zip(get_args(AdvicePart), (cause is None, None in steps, likelihood is None), strict=True))
    return Advice(
        root_cause=cause or "",
        steps=() if None in steps else tuple(dict.fromkeys(filter(None, steps))),
        resolution_likelihood=likelihood,
        advice_dropped=tuple(name for name, is_dropped in dropped.items() if is_dropped),
    )


def without_advice(answer: str) -> str:
    """An answer that was cut off in its advice, closed before it."""
    labels, _, _ = answer.rpartition(_FIRST_PART)
    return labels.rstrip().rstrip(",") + "}"


def _letters(text: str) -> str:
    """Letters and digits alone: what differs in them lost or gained a word when it was made plain."""
    return re.sub(r"[\W_]", "", compatible(strip_hidden(text))).casefold()


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+", compatible(strip_hidden(text))))

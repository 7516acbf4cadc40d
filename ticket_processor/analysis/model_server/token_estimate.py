"""Estimates of the tokens that a text costs, without the vocabulary of any model.

Vocabularies weigh megabytes, differ between models and are fetched from the network. Four bytes of UTF-8 a token is a
little high for OpenAI's since 2024, in English and the languages of Western Europe as in Japanese. Numbers, code and
older vocabularies take more: a :class:`~ticket_processor.analysis.budget.Budget` learns how much from the answers.
"""

from __future__ import annotations

import math

MESSAGE_TOKENS = 4
"""Tokens of a chat message besides its words: its role and its borders."""

REPLY_TOKENS = 3
"""Tokens of the answer's opening, once for each request."""

_BYTES = 4


def estimate_tokens(text: str) -> int:
    """The tokens that ``text`` costs a model."""
    return math.ceil(len(text.encode("utf-8", "replace")) / _BYTES)


def beginning_of(text: str, tokens: int) -> str:
    """The longest beginning of ``text`` that costs at most ``tokens``, cut anywhere."""
    head = text.encode("utf-8", "replace")[: tokens * _BYTES].decode("utf-8", "ignore")
    return text[: len(head)]

"""Estimates of the tokens that a text costs, without the vocabulary of any model.

Vocabularies weigh megabytes, differ between models and are fetched from the network. Some four bytes of UTF-8 a token
is a little high for prose by OpenAI's since 2024, in English and the languages of Western Europe as in Japanese.
Numbers, codes and marks take more, and are counted apart: a limit to costs must hold for a pasted log as well. What is
left of the difference, a :class:`~ticket_processor.analysis.budget.Budget` learns from the answers.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right

MESSAGE_TOKENS = 4
"""Tokens of a chat message besides its words: its role and its borders."""

REPLY_TOKENS = 3
"""Tokens of the answer's opening, once for each request."""

_BYTES = 4.4
"""Of prose, in a token."""
_CODE = re.compile(r"[A-Za-z]*[0-9][A-Za-z0-9]*")
"""Numbers, and words with a digit: hexadecimal digits, keys, versions."""
_OF_CODE = 0.7
"""Tokens for each character of these."""
_MARK = re.compile(r"[!-/:-@\[-`{-~](?=\S)")
"""A mark that no space follows, as in code and logs, where two are often one token."""
_OF_MARK = 0.6


def estimate_tokens(text: str) -> int:
    """The tokens that ``text`` costs a model."""
    code, marks = sum(map(len, _CODE.findall(text))), len(_MARK.findall(text))
    prose = len(text.encode("utf-8", "replace")) - code - marks
    return math.ceil(prose / _BYTES + code * _OF_CODE + marks * _OF_MARK)


def beginning_of(text: str, tokens: int) -> str:
    """The longest beginning of ``text`` that costs at most ``tokens``, cut anywhere."""
    if estimate_tokens(text) <= tokens:
        return text
    longest = range(min(len(text), int(tokens * _BYTES)) + 1)
    return text[: bisect_right(longest, tokens, key=lambda length: estimate_tokens(text[:length])) - 1]

"""List prices of common models, with the date of the list. ``[models.prices]`` of the settings wins over them.

Vendors change prices and grant discounts, so whatever is counted by this list says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

LISTED = "2026-10-31"
"""The day of the list: what vendors published by then."""

LIST_PRICES: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "gpt-5": (1.25, 10.0, 0.125),
        "gpt-5-mini": (0.25, 2.0, 0.025),
        "gpt-5-nano": (0.05, 0.4, 0.005),
        "gpt-5.4-mini": (0.75, 4.5, 0.075),
        "gpt-4.1": (2.0, 8.0, 0.5),
        "gpt-4.1-mini": (0.4, 1.6, 0.1),
        "gpt-4o-mini": (0.15, 0.6, 0.075),
        "claude-haiku-4-5": (1.0, 5.0, 0.1),
        "claude-haiku-5-5": (0.1, 0.5, 0.01),
        "claude-sonnet-4-6": (3.0, 15.0, 0.3),
        "claude-sonnet-5-5": (2.0, 10.0, 0.1),
        "gemini-2.5-flash": (0.3, 2.5, 0.03),
        "gemini-2.5-flash-lite": (0.1, 0.4, 0.01),
        # No price for cached input is published.
        "mistral-small-latest": (0.1, 0.3, 0.1),
    }
)
"""US dollars for a million tokens: input, output, cached input. Standard calls with prompts of ordinary length."""

_OWN_SERVERS = ("ollama", "vllm", "llama.cpp", "lm-studio")
_VENDOR = re.compile(r"(?:openai|azure|anthropic|gemini|google|mistral)/")
_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|20\d{6})$")


def list_price(model: str, preset: str = "compatible") -> tuple[float, float, float] | None:
    """The list price of a model by its vendor's name; ``None`` for an unknown one, and on a server of one's own.

    The vendor before it (``openai/gpt-5-mini``) and the date of its version behind it make no difference.
    """
    if preset in _OWN_SERVERS:
        return None
    return LIST_PRICES.get(_DATED.sub("", _VENDOR.sub("", model, count=1)))

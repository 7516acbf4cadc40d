"""Commands and options of earlier versions, with what to use instead; whoever still types one reads it."""

from __future__ import annotations

from collections.abc import Mapping

REMOVED: Mapping[str, str] = {
    "kb search --solved": "solved tickets are no longer kept",
}
"""By the command's path without ``ticketbot``, such as ``kb doctor`` or, for an option, ``run --limit``."""

"""Commands and options of earlier versions, with what to use instead; whoever still types one reads it."""

from __future__ import annotations

from collections.abc import Mapping

REMOVED: Mapping[str, str] = {
    "release": (
        "keep the settings file in git, and compare a change with 'ticketbot eval --gate --candidate FILE' before it "
        "goes live"
    ),
    "report --account": "name the account's file with --config",
    "eval --against": "name the earlier settings file with --config, and the newer one with --candidate",
    "kb search --solved": "solved tickets are no longer kept",
}
"""By the command's path without ``ticketbot``, such as ``kb doctor`` or, for an option, ``run --limit``."""

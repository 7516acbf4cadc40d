"""Commands and options of earlier versions, with what to use instead; whoever still types one reads it."""

from __future__ import annotations

from collections.abc import Mapping

REMOVED: Mapping[str, str] = {
    "audit export": "'ticketbot audit show TICKET --json' and 'ticketbot audit cat' print what the log holds",
    "schedule install --mail-to": "put a line MAILTO=ADDRESS into the crontab, above the entry",
    "schedule show --mail-to": "put a line MAILTO=ADDRESS into the crontab, above the entry",
    "schedule show --output": "redirect what it prints: ticketbot schedule show > FILE",
    "kb search --solved": "solved tickets are no longer kept",
}
"""By the command's path without ``ticketbot``, such as ``kb doctor`` or, for an option, ``run --limit``."""

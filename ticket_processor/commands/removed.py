"""Commands and options of earlier versions, with what to use instead; whoever still types one reads it."""

from __future__ import annotations

from collections.abc import Mapping

REMOVED: Mapping[str, str] = {
    "audit export": "'ticketbot audit show TICKET --json' and 'ticketbot audit cat' print what the log holds",
    "backtest --rivals": "intelligent triage is compared by itself where tickets carry its tags",
    "backtest --intents": "what an intent means is learnt from the other tickets",
    "backtest --rival-price": "intelligent triage is compared without a price",
    "schedule install --mail-to": "put a line MAILTO=ADDRESS into the crontab, above the entry",
    "schedule show --mail-to": "put a line MAILTO=ADDRESS into the crontab, above the entry",
    "schedule show --output": "redirect what it prints: ticketbot schedule show > FILE",
    "kb search --solved": "solved tickets are no longer kept",
}
"""By the command's path without ``ticketbot``, such as ``kb doctor`` or, for an option, ``run --limit``."""

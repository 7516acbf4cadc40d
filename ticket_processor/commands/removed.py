"""Commands and options of earlier versions, with what to use instead; whoever still types one reads it."""

from __future__ import annotations

from collections.abc import Mapping

REMOVED: Mapping[str, str] = {
    "learn thresholds": "'ticketbot backtest' proposes thresholds, by what people chose on solved tickets",
    "learn confusions": "'ticketbot backtest' prints the confusion matrix",
    "learn doubts": "'ticketbot backtest' and 'ticketbot eval' list labels that look wrong",
    "kb search --solved": "solved tickets are no longer kept",
}
"""By the command's path without ``ticketbot``, such as ``kb doctor`` or, for an option, ``run --limit``."""

"""What figures are called, what they mean and how they are rounded: the same wherever they are shown.

``docs/report-figures.md`` is written from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

MEANINGS: Mapping[str, str] = {
    "tickets": "each counts once, with its last outcome",
    "outcomes": "results of tickets in each run: one that two runs tried counts in both",
    "answers": ("times that a ticket was understood, by a model, the classifier or the keyword rules"),
    "success rate": (
        "writes (a ticket updated, or something suggested in its note), as a share of these and of the tickets that "
        "failed, each once; what was left alone is not counted"
    ),
    "error rate": "tickets that failed, as a share of the same: what the success rate lacks to 100%",
    "fallback rate": (
        "answers that the classifier or the keyword rules gave though a model is configured, whatever the reason, as a "
        "share of all answers"
    ),
    "unplanned fallback rate": (
        "the same without those that were meant to be: no text to read, the models' budget used up"
    ),
    "review rate": "unsure answers, as a share of all answers",
    "escalated": "tickets whose last answer says that they cannot wait",
    "unsure": "answers after which a person is asked to look at the ticket (the tag `ai_review`)",
    "latency p50": (
        "half of the answers took no longer, understanding and writing together; in a job of many tickets, "
        "understanding only"
    ),
    "latency p95": "95% of the answers took no longer, as for p50",
    "latency p99": "99% of the answers took no longer, as for p50",
    "cost": "US dollars for models that have a price in the settings; failed tickets cost as well",
    "tokens": "of models, in and out",
    "cost per ticket": "the cost, divided by the tickets that were understood",
    "used": "a draft of whose wording a person's reply has 85%; quoted mail and signatures do not count",
    "edited": "a draft of whose wording a person's reply has 35%, or a part that makes up most of that reply",
    "ignored": "a draft of which a person's reply has less",
    "repeat rate": "answers kept from an earlier ticket of the same text, at no cost, as a share of all answers",
}
"""Each figure by its name. The period, and for health and alerts the kinds of runs, come on top."""
NONE = "-"
_ENDS: Mapping[str, str] = {
    "HelpdeskDown": "helpdesk unreachable",
    "NotAuthorised": "not authorised at the helpdesk",
    "RateLimited": "told to wait by the helpdesk",
    "Halted": "kill switch",
    "NotePublished": "a note became public",
    "AuditUnwritable": "log not writable",
    "StateUnusable": "state not usable",
    "DeadlineReached": "out of time",
    "Stopping": "stopped by a signal",
    "ConfigError": "settings",
    "RunLocked": "another run was active",
    "CannotRun": "could not go on",
    "unexpected": "unexpected error",
}
"""What ended a run early (``stopped_by``), for people."""


def end_words(stopped_by: str) -> str:
    """What ended a run early, in words; an unknown name is returned unchanged."""
    return _ENDS.get(stopped_by, stopped_by)


def percent(share: float | None) -> str:
    """``12.3%``, or ``99.52%`` near 0 and 1; never 0% for more than nothing, or 100% for less than all."""
    if share is None:
        return NONE
    if 0 < share < 0.00005:
        return "<0.01%"
    if 0.99995 < share < 1:
        return ">99.99%"
    fine = 0 < share < 0.02 or 0.98 < share < 1
    return f"{share:.{2 if fine else 1}%}"


def points(difference: float) -> str:
    """A difference of shares in percentage points: ``+33.3 pts``, ``-0.35 pts``; ``±0 pts`` if it rounds to zero."""
    digits = 2 if abs(difference) < 0.01 else 1
    said = f"{100 * difference:+.{digits}f}"
    return f"{said} pts" if any(digit in said for digit in "123456789") else "±0 pts"


def dollars(value: float | None) -> str:
    """US dollars in cents, ``$1,234.50``, or with two digits if it is less than ten cents, ``$0.0043``."""
    if value is None:
        return NONE
    if abs(value) >= 0.0995 or value == 0:
        return f"${value:,.2f}"
    rounded = float(f"{value:.2g}")
    return f"${rounded:.{1 - math.floor(math.log10(abs(rounded)))}f}"


def seconds(milliseconds: float | None) -> str:
    """``340 ms``, ``1.2 s``, from milliseconds."""
    if milliseconds is None:
        return NONE
    return f"{milliseconds:.0f} ms" if milliseconds < 999.5 else f"{milliseconds / 1000:,.1f} s"


def span(seconds: float) -> str:
    """A length of time in its two greatest units."""
    rest = max(0, round(seconds))
    if rest < 120:
        return f"{rest} s"
    units = ((86_400, "d"), (3600, "h"), (60, "min"))
    parts: list[str] = []
    for unit, name in units:
        if rest >= unit or parts:
            parts.append(f"{rest // unit} {name}")
            rest %= unit
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))

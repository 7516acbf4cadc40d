"""Health checks of alerts: which are open, and whether messages arrive. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.clock import iso
from ..facts import Severity
from ..open_alerts import Memory
from ..slo import HOUR
from .checks import Check, fail, ok, skipped, warn
from .words import ago

SAME_ROUND_S = 60.0
"""A failure so shortly before the memory was saved belongs to the last messages sent."""
UNREADABLE = "not known, since alerts.json in the state folder cannot be read"


def alerts(memory: Memory | None) -> Check:
    """The check of open alerts, as of the last run; ``memory`` is ``None`` if it cannot be read."""
    name = "alerts"
    if memory is None:
        return skipped(name, UNREADABLE)
    if not memory.open:
        return ok(name, "none is open" if memory.saved else "none is open; no run has looked yet")
    by_rank = sorted(memory.open.items(), key=lambda item: (-item[1].severity.rank, item[1].since))
    words = ", ".join(f"{rule} ({one.severity.value}, since {iso(one.since)})" for rule, one in by_rank)
    judge = fail if by_rank[0][1].severity is Severity.CRITICAL else warn
    return judge(name, f"open: {words}; see 'ticketbot alerts list'", open=[rule for rule, _ in by_rank])


def alerting(told: int, problems: Sequence[str], memory: Memory | None, now: float) -> Check:
    """The check of delivery. ``told`` is the number of addresses; ``problems`` are sentences about them."""
    name = "alerting"
    if not told:
        return skipped(name, "nobody is told of alerts: TICKETBOT_ALERT_URLS and TICKETBOT_PAGE_URLS are not set")
    words = list(problems)
    failure = memory.last_failure if memory else None
    recent = memory and failure and (now - failure.at <= HOUR or memory.saved - failure.at <= SAME_ROUND_S)
    if failure and recent and failure.why not in problems:
        words.append(f"a message could not be sent {ago(now - failure.at)} to {failure.target}: {failure.why}")
    if words:
        return warn(name, f"{'; '.join(words)}; try 'ticketbot alerts test'")
    return ok(name, f"{told} {'address' if told == 1 else 'addresses'} can be told; 'ticketbot alerts test' tries it")

"""The newest tickets of a category, from the log: what an alert about it names. Their numbers only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from ..audit.files import log_files, read_lines
from ..settings.schema import Settings
from ..wiring.parts import keyring
from .slo import DAY

MOST = 5
DAYS = 7
PATIENCE_S = 2.0
_LINES = 1000
"""So many are read between two looks at the clock."""


def examples(
    settings: Settings, categories: Collection[str], now: float, monotonic: Callable[[], float]
) -> dict[str, tuple[int, ...]]:
    """Up to :data:`MOST` tickets of each category, the newest day's first; fewer where the log takes too long to read.

    Raises :class:`CannotRun` when the log cannot be read.
    """
    until = monotonic() + PATIENCE_S
    found: dict[str, tuple[int, ...]] = dict.fromkeys(categories, ())
    first = datetime.fromtimestamp(now - DAYS * DAY, UTC).strftime("%Y-%m-%d")
    keys = keyring(settings)
    for file in reversed(log_files(settings.log_dir, first_day=first)):
        of_day = {name: deque[int](maxlen=MOST) for name in categories}
        for number, (_, line) in enumerate(read_lines(file, keys)):
            if number % _LINES == 0 and monotonic() > until:
                break
            if line is None or line.get("event") != "ticket" or line.get("dry_run"):
                continue
            category = (line.get("analysis") or {}).get("category")
            if category in of_day and line["ticket_id"] not in of_day[category]:
                of_day[category].append(line["ticket_id"])
        for name, tickets in of_day.items():
            found[name] = tuple(dict.fromkeys((*found[name], *reversed(tickets))))[:MOST]
        if monotonic() > until or all(len(tickets) == MOST for tickets in found.values()):
            break
    return found

"""Messages on standard error for ``--verbose`` and ``TICKETBOT_LOG_LEVEL``: requests and decisions.

No header, query or body is shown, so no secret and no word of a customer. Without both nothing is printed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

LEVELS = {"off": logging.CRITICAL + 1, "error": logging.ERROR, "warning": logging.WARNING, "info": logging.INFO,
          "debug": logging.DEBUG}  # fmt: skip
"""``info`` shows decisions, ``debug`` requests as well."""
_LONGEST = 300
_root = logging.getLogger("ticketbot")
_root.propagate = False  # a library that sets up the root logger would print everything twice
_root.addHandler(logging.NullHandler())
_root.setLevel(LEVELS["off"])
_decisions = _root.getChild("decision")
_insisted = False


def show(level: str, *, insist: bool = False) -> None:
    """Show messages of this level. A level set with ``insist`` (by an option) overrides later calls without it."""
    global _insisted  # one process is one command
    if _insisted and not insist:
        return
    _insisted = insist
    _root.setLevel(LEVELS[level])
    if _root.level <= logging.ERROR and not any(isinstance(one, _OnStandardError) for one in _root.handlers):
        _root.addHandler(_OnStandardError())


class _OnStandardError(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to the present ``sys.stderr``, with times in UTC."""

    def __init__(self) -> None:
        super().__init__()
        formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        self.setFormatter(formatter)


def decision(ticket_id: int, outcome: str, reason: Callable[[], str]) -> None:
    """Show a ticket's outcome and its reason, in redacted words; ``reason`` is called only if it is shown."""
    if _decisions.isEnabledFor(logging.INFO):
        _decisions.info("ticket %d: %s (%s)", ticket_id, outcome, plain(reason()))


def plain(words: str) -> str:
    """Words as one short line without control characters."""
    return "".join(char if char.isprintable() else " " for char in words)[:_LONGEST]

"""The last resort against a call that never ends: cron must be able to start the next run."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ExitCode

GRACE_S = 20.0


@contextmanager
def watchdog(deadline_s: float) -> Iterator[None]:
    """While this is open, the process may live for ``deadline_s`` and a little; then it is cut off."""
    timer = threading.Timer(deadline_s + GRACE_S, _too_late)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _too_late() -> None:
    sys.stderr.write("ticketbot: a call did not end, and the run was cut off after its deadline\n")
    sys.stderr.flush()
    os._exit(int(ExitCode.CANNOT_RUN))

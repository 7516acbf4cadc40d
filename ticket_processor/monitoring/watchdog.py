"""Ends a process that hangs, so that the scheduler can start the next run."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..core.errors import ExitCode

GRACE_S = 20.0
"""Time after the deadline for the run to end and send its alerts."""
LAST_WORDS_S = 5.0


@contextmanager
def watchdog(
    deadline_s: float | None, last_words: Callable[[], object] = lambda: None, *, grace_s: float = GRACE_S
) -> Iterator[None]:
    """End the process (exit code 3) if this is still open ``grace_s`` after ``deadline_s``.

    ``last_words`` is called before that, from another thread, and has :data:`LAST_WORDS_S`. Without a deadline the
    process is never ended.
    """
    if deadline_s is None:
        yield
        return
    timer = threading.Timer(deadline_s + grace_s, _too_late, [last_words])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _too_late(last_words: Callable[[], object]) -> None:
    speaking = threading.Thread(target=last_words, daemon=True)
    speaking.start()
    speaking.join(LAST_WORDS_S)
    sys.stderr.write("ticketbot: a call did not end, and the run was cut off after its deadline\n")
    sys.stderr.flush()
    os._exit(int(ExitCode.CANNOT_RUN))

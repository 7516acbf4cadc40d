"""The last resort against a call that never ends: cron must be able to start the next run."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import ExitCode

GRACE_S = 20.0
"""A run that keeps its deadline has ended by then, alerts included."""
LAST_WORDS_S = 5.0


@contextmanager
def watchdog(
    deadline_s: float | None, last_words: Callable[[], object] = lambda: None, *, grace_s: float = GRACE_S
) -> Iterator[None]:
    """While this is open, the process may live for ``deadline_s`` and a little; then it is cut off (exit code 3).

    ``last_words`` are called before that, from another thread, and have :data:`LAST_WORDS_S`. Without a deadline
    nothing is cut off.
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

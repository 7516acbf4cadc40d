"""Servers as commands: they run until a signal comes, and then wind up what is under way."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..core.clock import SystemClock
from ..core.errors import ExitCode, Stopping
from .screen import harmless

if TYPE_CHECKING:
    from ..web.server import Server
    from ..web.worker import Worker

POLL_S = 0.25
"""How long a signal may go unnoticed: on Windows a waiting main thread hears none."""
JOB_S, END_S = 12.0, 17.0
"""After a signal: how long the run under way may go on before it is asked to wind up, and how long all of it takes."""


def until_stopped(
    clock: SystemClock,
    jobs: SystemClock,
    server: Server,
    worker: Worker,
    end: Callable[[], object],
    announce: Callable[[], object],
) -> ExitCode:
    """Serve until a signal comes, then call ``end`` once nothing more is taken in.

    ``jobs`` is the clock of runs: the one under way is asked to wind up when it takes too long.
    """
    server.start()
    worker.start()
    announce()
    try:
        while server.is_alive and worker.is_alive():
            clock.wait(POLL_S)
    except Stopping:
        code = ExitCode.OK
    else:
        code = ExitCode.CANNOT_RUN  # neither ends by itself
    began = jobs.monotonic()
    worker.stop()
    server.stop()
    end()
    worker.join(max(0.0, began + JOB_S - jobs.monotonic()))
    if worker.is_alive():
        jobs.stop()
        worker.join(max(0.0, began + END_S - jobs.monotonic()))
    return code


def url_of(host: str, at: socket.socket) -> str:
    """The address of a socket that listens at ``host``."""
    return f"http://{f'[{host}]' if ':' in host else host}:{at.getsockname()[1]}"


def say_line(text: str) -> None:
    """Write a line for the journal; the time is the journal's, or ours at a terminal."""
    stamp = time.strftime("%H:%M:%S ") if sys.stderr.isatty() else ""
    sys.stderr.write(f"{stamp}{harmless(text, one_line=True)}\n")
    sys.stderr.flush()

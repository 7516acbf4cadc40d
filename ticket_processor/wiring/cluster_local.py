"""A cluster on this machine for one run: a scheduler and workers as processes, which end with it."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ..core.errors import CannotRun

START_S = 30.0
THREADS = 16
_PROGRAM = (sys.executable, "-m", "ticket_processor")


@contextmanager
def local_cluster(workers: int, *, threads: int = THREADS, config: Path | None = None) -> Iterator[str]:
    """The address of a scheduler with so many workers. Raises :class:`CannotRun`."""
    with ExitStack() as stack:
        scheduler = stack.enter_context(_process("scheduler", "--port", "0"))
        address = _first_line(scheduler).partition(" at ")[2].partition(" ")[0]
        if not address:
            raise CannotRun("the scheduler on this machine did not begin")
        settings = () if config is None else ("--config", str(config))
        for _ in range(workers):
            stack.enter_context(
                _process("worker", "--scheduler", address, "--threads", str(threads), "--quiet", *settings)
            )
        yield address


@contextmanager
def _process(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A command of this program, which ends when its standard input does: also when this process is killed."""
    process = subprocess.Popen(  # noqa: S603 - this program
        [*_PROGRAM, *words, "--with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if words[0] == "scheduler" else subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()  # nothing of it is needed any more
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _first_line(process: subprocess.Popen[str]) -> str:
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        lines.put(process.stdout.readline() if process.stdout else "")

    threading.Thread(target=read, daemon=True).start()
    with suppress(queue.Empty):
        return lines.get(timeout=START_S)
    return ""

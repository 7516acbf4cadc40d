"""A scheduler and workers for tests: as threads of this process, or as processes that a test may kill."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue

from ticket_processor.analysis.model_server.settings import ModelTarget
from ticket_processor.core.clock import SystemClock

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 40.0


@contextmanager
def scheduler_here() -> Iterator[str]:
    """A scheduler in a thread, and its address."""
    from ticket_processor.wiring.cluster_dask import run_scheduler

    clock, told = SystemClock(), Queue[str]()
    thread = threading.Thread(target=run_scheduler, args=[clock, "127.0.0.1", 0, "tcp", 0, told.put], daemon=True)
    thread.start()
    try:
        yield told.get(timeout=PATIENCE_S)
    finally:
        clock.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@contextmanager
def worker_here(scheduler: str, models: Sequence[ModelTarget], say: Callable[[str], object]) -> Iterator[None]:
    """A worker in a thread, with two threads."""
    from ticket_processor.wiring.cluster_dask import run_worker

    clock, begun = SystemClock(), threading.Event()

    def hear(line: str) -> None:
        if line.startswith("Working"):
            begun.set()
        say(line)

    def work() -> None:
        run_worker(clock, scheduler, models, threads=2, host=None, health_port=0, death_timeout=20, say=hear)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        assert begun.wait(PATIENCE_S)
        yield
    finally:
        clock.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


class Node:
    """``ticketbot scheduler`` or ``ticketbot worker`` as a process. Whatever it printed is in ``lines``."""

    def __init__(self, folder: Path, environ: dict[str, str], *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ticket_processor", *words],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def line(self, beginning: str) -> str:
        """The line that begins so, once it is there."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            for line in list(self.lines):
                if line.startswith(beginning):
                    return line
            assert self.process.poll() is None, self.lines
            time.sleep(0.05)
        raise AssertionError(self.lines)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Nodes:
    """A scheduler with workers as processes. ``address`` is the scheduler's, ``environ`` what they all see."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self._folder = folder
        self.environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), **environ}
        self._stack = ExitStack()
        self.workers: list[Node] = []

    def __enter__(self) -> Nodes:
        self.scheduler = self._started("scheduler", "--port", "0", "--insecure")
        self.address = self.scheduler.line("The scheduler").split(" at ")[1].split(" ")[0]
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _started(self, *words: str) -> Node:
        node = Node(self._folder, self.environ, *words)
        self._stack.callback(node.end)
        return node

    def add(self, workers: int, *words: str, threads: int = 4) -> None:
        """Start so many workers, and wait until they work."""
        new = [
            self._started("worker", "--scheduler", self.address, "--threads", str(threads), "--insecure", *words)
            for _ in range(workers)
        ]
        for node in new:
            node.line("Working")
        self.workers += new

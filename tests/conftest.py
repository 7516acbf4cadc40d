"""For all tests: the default set and the slow one, and that what one test does to ``requests`` ends with it."""

from __future__ import annotations

import atexit
import gc
import os
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import settings

from ticket_processor.core.models import Ticket

from .support.lazy import share_word_lists
from .support.memory_helpdesk import Office, Open

os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads that compute wait for each other where many processes run
MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""In bytes. The files of all tests take less than a tenth of it."""
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
    room = os.statvfs(MEMORY)
    if room.f_bavail * room.f_frsize > ROOM and not room.f_flag & os.ST_NOEXEC:  # some tests write what they start
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))  # no test waits for a disk
share_word_lists()
settings.register_profile("few", deadline=None, max_examples=25)
settings.register_profile("many", deadline=None, max_examples=200)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="the slow set: tests marked slow")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the set. Properties have few examples; ``--hypothesis-profile many`` gives them many."""
    if not config.getoption("--hypothesis-profile"):
        settings.load_profile("few")
    if hasattr(config, "workerinput"):
        atexit.register(os._exit, 0)  # a worker of many ends at once; to clear up what it has loaded takes seconds
    if not config.option.markexpr:
        config.option.markexpr = "slow" if config.getoption("slow") else "not slow"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without looking for garbage: all that is made stays, and is not looked through later either."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        gc.unfreeze()


@pytest.fixture(autouse=True)
def _sessions_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.sessions, "HTTPAdapter", requests.sessions.HTTPAdapter)


@pytest.fixture
def open_office(tmp_path: Path) -> Iterator[Open]:
    opened: list[Office] = []

    def make(*tickets: Ticket) -> Office:
        opened.append(Office(tmp_path, *tickets))
        return opened[-1]

    yield make
    for office in opened:
        office.state.close()


MISSING = {
    "no Chromium or Chrome": "a browser (on Debian: apt install chromium)",
    "there is no crontab": "crontab (on Debian: apt install cron)",
    "belongs to the extra 'bench'": "XGBoost and CatBoost (.venv/bin/pip install -c constraints.txt '.[bench]')",
    "nothing is forbidden here": "a user that is not root",
    "root has all": "a user that is not root",
}
"""What tests are skipped for, and how to have it."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was missing on this machine, and how many tests were skipped for it."""
    skipped: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", ()):
        for reason, wanted in MISSING.items():
            skipped[wanted] += reason in str(report.longrepr)
    for wanted, count in skipped.items():
        if count:
            terminalreporter.write_line(f"{count} tests were skipped for want of {wanted}")

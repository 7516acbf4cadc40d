"""Incidents that a sandbox over HTTP or the disk plays: the intended alert, once, and that it is over.

The real run with real clients; time is virtual, the webhook is real. tests/monitoring/test_rules.py has every rule.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.settings.schema import Settings
from ticket_processor.wiring import parts as wiring

from ..imitation import Rules
from .alarmed import Desk, Receiver

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated"),  # some of Apprise's plugins use it
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # a run's process ends with it, and so do its connections
]


OpenDesk = Callable[..., Desk]


@pytest.fixture(scope="module")
def rules_once() -> RulesAnalyser:
    """Compiling the word lists takes longer than a run."""
    settings = Settings()
    return RulesAnalyser(settings.taxonomy)


@pytest.fixture
def open_desk(tmp_path: Path, rules_once: RulesAnalyser, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenDesk]:
    monkeypatch.setattr(wiring, "RulesAnalyser", lambda *_: rules_once)
    opened: list[Desk] = []
    receiver = Receiver()

    def make(**options: Any) -> Desk:
        opened.append(Desk(tmp_path, receiver, **options))
        return opened[-1]

    yield make
    for desk in opened:
        desk.close()
    receiver.close()
    gc.collect()


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """A desk with rules only, that has triaged two tickets and found nothing wrong."""
    desk = open_desk()
    desk.run(2)
    assert desk.receiver.messages == []
    return desk


# Promises


def test_a_note_becomes_public(open_desk: OpenDesk) -> None:
    desk = open_desk(rules=Rules(job_seconds=(0.05, 0.0), batch_private=False))
    desk.tickets(60)
    desk.run(3)
    desk.alarmed("note_published")
    (desk.folder / "ticketbot.toml").write_text('[run]\nwrite_mode = "single"\n', encoding="utf-8")
    for number, ticket in desk.sandbox.store.tickets.items():  # what somebody does who has looked into it
        for note in (*desk.sandbox.store.bot_comments(number), *(one.comment for one in ticket.audits)):
            if note is not None and "public" in note:
                note["public"] = False
    desk.run(1, resume=True)
    desk.run(1)
    desk.over("note_published")


# Time


@contextmanager
def held(desk: Desk) -> Iterator[None]:
    """Something else holds the state."""
    began, done = threading.Event(), threading.Event()

    def hold() -> None:
        with wiring.lock(desk.folder / "state"):
            began.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert began.wait(10)
    yield
    done.set()
    holder.join()


@contextmanager
def stopped(desk: Desk) -> Iterator[None]:
    switch = desk.folder / "state" / "STOP"
    switch.touch()
    yield
    switch.unlink()


@pytest.mark.parametrize(
    ("trouble", "before", "unheard", "heard", "rule"),
    [
        (stopped, 0, 6, 3, "stopped"),
        (held, 5, 3, 3, "not_caught_up"),
    ],
)
def test_what_lasts_is_told_once_and_that_it_is_over(
    desk: Desk, trouble: Callable[[Desk], Any], before: int, unheard: int, heard: int, rule: str
) -> None:
    """It lasts for so many runs that hear nothing and so many until it is told."""
    desk.run(before)
    with trouble(desk):
        desk.run(unheard, tickets=1)
        desk.alarmed()
        desk.run(heard, tickets=1)
        desk.alarmed(rule)
    desk.run(2)
    desk.over(rule)

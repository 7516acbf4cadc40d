from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.monitoring.memory import FILE_NAME, AlertStore, Memory, Receiver, after, after_sending, owed
from ticket_processor.monitoring.run_metrics import HOUR

from ..support.recorded_runs import NOW, PERIOD_S

CHAT, PAGER = Receiver("chat"), Receiver("pager", critical_only=True)


class Story:
    """Runs one after the other: what holds, who is told, and whether they can be."""

    def __init__(self, *targets: Receiver) -> None:
        self.targets = targets or (CHAT, PAGER)
        self.memory = Memory()
        self.now = NOW

    def run(
        self,
        *holding: str,
        early: bool = False,
        broken: Sequence[str] = (),
        later: float = PERIOD_S,
    ) -> list[tuple[str, str, str]]:
        """One run, which may have been stopped ``early``; (target, rule, what) of the messages that arrived."""
        self.now += later
        conditions = {rule: f"{rule} holds" for rule in holding}
        self.memory = after(self.memory, conditions, self.now, over=not early)
        arrived = [news for news in owed(self.memory, self.targets, self.now) if news.target not in broken]
        for news in arrived:
            self.memory = after_sending(self.memory, news)
        self.memory = Memory.model_validate_json(self.memory.model_dump_json())  # as it is on disk
        return [(news.target, news.rule, news.what) for news in arrived]


def test_a_condition_is_told_once_and_once_that_it_is_over() -> None:
    story = Story(CHAT)
    assert story.run("spend") == [("chat", "spend", "begun")]
    assert story.run("spend") == []
    assert story.run("spend") == []
    assert story.run() == [("chat", "spend", "over")]
    assert story.run() == []
    assert story.memory.open == {}


def test_a_target_that_could_not_be_told_is_told_by_the_next_run_and_the_others_not_twice() -> None:
    story = Story(CHAT, Receiver("mail"))
    assert story.run("spend", broken=["mail"]) == [("chat", "spend", "begun")]
    assert story.run("spend") == [("mail", "spend", "begun")]
    assert story.run(broken=["chat"]) == [("mail", "spend", "over")]
    assert story.run() == [("chat", "spend", "over")]


def test_flapping_is_told_once_an_hour_at_most() -> None:
    story = Story(CHAT)
    said = []
    for _ in range(18):
        said += story.run("spend")
        said += story.run()
    begun = [what for _, _, what in said if what == "begun"]
    assert 1 < len(begun) <= 6
    assert len(said) == 2 * len(begun)


rules = st.sampled_from(["spend", "stopped", "errors_fast", "not_caught_up", "token_ends"])
runs = st.lists(
    st.tuples(st.sets(rules, max_size=3), st.sets(st.sampled_from(["chat", "pager"]))),
    max_size=14,
)


@given(runs)
def test_beginnings_and_ends_take_turns_whatever_happens(steps: list[tuple[set[str], set[str]]]) -> None:
    story = Story()
    known: dict[tuple[str, str], str] = {}
    for holding, broken in steps:
        for target, rule, what in story.run(*sorted(holding), broken=sorted(broken)):
            before = known.get((target, rule), "over")
            assert (what == "begun") == (before == "over"), (target, rule, before, what)
            known[target, rule] = what
    for _ in range(2):
        for target, rule, what in story.run(later=HOUR):
            known[target, rule] = what
    assert set(known.values()) <= {"over"}


OLD_MEMORY = """
{
  "saved": 1791183600.0, "seen": 1791183600.0,
  "conditions": {
    "slow": {"severity": "warning", "message": "5 of 20", "since": 1791180000.0, "told": ["everybody"]},
    "spend": {"severity": "warning", "message": "$5", "since": 1791180000.0, "told": ["everybody"], "tickets": [1]}
  },
  "ended_at": {"spend": 1791180000.0},
  "summaries": {"everybody": "2026-10-04"},
  "escalated": [{"ticket_id": 5, "reasons": ["security"], "at": 1791183600.0, "told": ["everybody"]}],
  "breakers": {"everybody": {"failures": 3, "open_until": 1791184000.0}}
}
"""
"""As earlier versions kept it, with what has been removed since."""


def test_an_upgrade_goes_on_with_what_was_open_and_drops_what_there_is_no_more() -> None:
    story = Story(Receiver("everybody"))
    story.memory = Memory.model_validate_json(OLD_MEMORY)
    assert set(story.memory.open) == {"spend"}
    assert [one.ticket_id for one in story.memory.escalated] == [5]
    story.now = 1_791_184_200
    assert story.run() == [("everybody", "spend", "over")]


# On disk


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "state").mkdir()
    return tmp_path / "state", tmp_path / "logs"


MEMORY = Memory(summary="2026-11-20")


def test_what_is_saved_is_loaded_again_and_is_nobody_else_s(folders: tuple[Path, Path]) -> None:
    assert AlertStore(*folders).save(MEMORY, NOW)
    assert AlertStore(*folders).load() == MEMORY.model_copy(update={"saved": NOW})
    assert [path.name for path in folders[0].iterdir()] == [FILE_NAME]
    assert not folders[1].exists()
    if sys.platform != "win32":
        assert stat.S_IMODE((folders[0] / FILE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"saved": "soon"}', '{"strange": 1}', "\x00" * 100])
def test_a_damaged_file_counts_for_nothing(folders: tuple[Path, Path], text: str) -> None:
    (folders[0] / FILE_NAME).write_text(text, encoding="utf-8")
    store = AlertStore(*folders)
    assert store.load() == Memory()
    assert store.save(MEMORY, NOW)
    assert store.load().summary == MEMORY.summary


def test_without_a_state_folder_it_is_kept_beside_the_log_and_comes_back(folders: tuple[Path, Path]) -> None:
    folders[0].rmdir()
    folders[0].write_text("a file where the folder should be", encoding="utf-8")
    assert AlertStore(*folders).save(MEMORY, NOW)
    folders[0].unlink()
    folders[0].mkdir()
    assert AlertStore(*folders).load().summary == MEMORY.summary
    assert AlertStore(*folders).save(MEMORY, NOW + 1)
    assert list(folders[1].iterdir()) == []


def test_a_disk_without_any_room_is_told_as_not_kept(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    AlertStore(*folders).save(MEMORY, NOW)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert not AlertStore(*folders).save(Memory(summary="later"), NOW + 1)
    assert [path.name for path in folders[0].iterdir()] == [FILE_NAME]
    assert AlertStore(*folders).load().saved == NOW, "the old file is whole"


def test_only_one_process_tends_to_alerts_at_a_time(folders: tuple[Path, Path]) -> None:
    first, second = AlertStore(*folders), AlertStore(*folders)
    seen: list[bool] = []

    def try_it() -> None:
        with second.alone(0.05) as alone:
            seen.append(alone)

    with first.alone(0.05) as alone:
        assert alone
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    try_it()
    assert seen == [False, True]

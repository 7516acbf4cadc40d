"""Told once, and told when it is over; to everybody, and across runs, whatever the disk does."""

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
from ticket_processor.monitoring.run_metrics import DAY, HOUR

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


def test_who_is_paged_hears_of_critical_conditions_only() -> None:
    story = Story()
    assert story.run("spend", "errors_fast") == [
        ("chat", "errors_fast", "begun"),
        ("pager", "errors_fast", "begun"),
        ("chat", "spend", "begun"),
    ]


def test_a_target_that_could_not_be_told_is_told_by_the_next_run_and_the_others_not_twice() -> None:
    story = Story(CHAT, Receiver("mail"))
    assert story.run("spend", broken=["mail"]) == [("chat", "spend", "begun")]
    assert story.run("spend") == [("mail", "spend", "begun")]
    assert story.run(broken=["chat"]) == [("mail", "spend", "over")]
    assert story.run() == [("chat", "spend", "over")]


def test_what_comes_back_soon_is_told_when_it_lasts() -> None:
    story = Story(CHAT)
    story.run("dead_letters")
    story.run()
    quiet = [story.run("dead_letters") for _ in range(6)]
    assert quiet[:5] == [[]] * 5
    assert story.run("dead_letters") + quiet[5] == [("chat", "dead_letters", "begun")]


def test_flapping_is_told_once_an_hour_at_most() -> None:
    story = Story(CHAT)
    said = []
    for _ in range(18):
        said += story.run("spend")
        said += story.run()
    begun = [what for _, _, what in said if what == "begun"]
    assert 1 < len(begun) <= 6
    assert len(said) == 2 * len(begun)


def test_what_nobody_had_been_told_of_does_not_have_to_cool_down() -> None:
    story = Story(CHAT)
    story.run("spend", broken=["chat"])
    story.run()
    assert story.run("spend") == [("chat", "spend", "begun")]


def test_a_run_that_was_stopped_early_ends_nothing() -> None:
    story = Story(CHAT)
    story.run("helpdesk_unreachable")
    assert story.run("state_unusable", early=True) == [("chat", "state_unusable", "begun")]
    assert set(story.memory.open) == {"helpdesk_unreachable", "state_unusable"}
    assert story.run() == [("chat", "helpdesk_unreachable", "over"), ("chat", "state_unusable", "over")]


def test_who_is_new_in_the_settings_is_told_what_is_open_and_who_has_left_them_is_forgotten() -> None:
    story = Story(CHAT)
    story.run("spend")
    story.targets = (Receiver("mail"),)
    assert story.run("spend") == [("mail", "spend", "begun")]
    assert story.run() == [("mail", "spend", "over")]
    assert story.run(later=DAY + 1) == []
    assert "chat" not in story.memory.model_dump_json()


def test_an_end_is_told_although_the_clock_was_put_back_before_it_could_be() -> None:
    story = Story(CHAT)
    assert story.run("spend") == [("chat", "spend", "begun")]
    assert story.run(broken=["chat"]) == []
    assert story.run(later=-HOUR) == [("chat", "spend", "over")]
    assert story.run() == []


def test_an_end_that_cannot_be_told_for_a_day_is_not_told_any_more() -> None:
    story = Story(CHAT)
    story.run("spend")
    story.run(broken=["chat"])
    story.run(broken=["chat"], later=DAY + 1)
    assert story.memory.conditions == {}
    assert story.run() == []


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

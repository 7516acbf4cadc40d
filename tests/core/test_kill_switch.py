"""Stopping everything at once, and saying how to go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticket_processor.core.errors import Halted
from ticket_processor.core.guards import KillSwitch


def test_without_a_switch_nothing_is_stopped(tmp_path: Path) -> None:
    KillSwitch().check()
    KillSwitch(tmp_path / "STOP").check()
    KillSwitch(tmp_path / "no such folder" / "STOP").check()


def test_the_file_stops_as_soon_as_it_is_there_and_no_longer(tmp_path: Path) -> None:
    file = tmp_path / "STOP"
    switch = KillSwitch(file)
    switch.check()
    file.touch()
    with pytest.raises(Halted, match="remove it") as halted:
        switch.check()
    assert str(file) in str(halted.value)
    file.unlink()
    switch.check()


def test_a_folder_or_a_dangling_link_of_that_name_stops_as_well(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(Halted):
        KillSwitch(tmp_path / "folder").check()
    try:
        (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    except OSError:
        pytest.skip("this system lets nobody make links")
    with pytest.raises(Halted):
        KillSwitch(tmp_path / "link").check()


@pytest.mark.parametrize(
    ("set_by", "release", "other"),
    [
        ("TICKETBOT_STOP", "set it to 0", "run.stop"),
        ("TICKETBOT_STOP (in .env)", "set it to 0", "run.stop"),
        ("run.stop in ticketbot.toml", "set it to false", "TICKETBOT_STOP"),
    ],
)
def test_a_setting_stops_without_any_file_and_the_message_names_that_one_only(
    tmp_path: Path, set_by: str, release: str, other: str
) -> None:
    with pytest.raises(Halted) as halted:
        KillSwitch(tmp_path / "STOP", set_by=set_by).check()
    assert set_by in str(halted.value)
    assert release in str(halted.value)
    assert other not in str(halted.value)


def test_a_file_that_cannot_be_looked_for_counts_as_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "lstat", forbidden)
    with pytest.raises(Halted, match="let this user read its folder"):
        KillSwitch(tmp_path / "STOP").check()

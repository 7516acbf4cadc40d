"""What crontab, systemctl and schtasks are told, what of theirs is left alone, and what a refusal looks like."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from ticket_processor.core.errors import CannotRun, ConfigError
from ticket_processor.schedule import schedulers
from ticket_processor.schedule.schedulers import (
    Cron,
    ScheduledJob,
    Scheduler,
    Systemd,
    Windows,
    install,
    mark_in,
    may_start_runs,
    remove,
)

from .test_schedule import FILE, a_job, a_task, task

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs are imitated by shell scripts")
PROGRAMS = {
    "crontab": """\
[ -f "$HOME/refusal" ] && { cat "$HOME/refusal" >&2; exit 1; }
[ "$1" = -u ] && shift 2
case "$1" in
  -l) [ -f "$HOME/tab" ] && cat "$HOME/tab" || { echo "${NONE:-no crontab for jo}" >&2; exit 1; } ;;
  -r) rm "$HOME/tab" ;;
  -) cat > "$HOME/tab" ;;
esac""",
    "systemctl": '[ -f "$HOME/refusal" ] && { cat "$HOME/refusal" >&2; exit 1; }; exit 0',
    "schtasks": """\
case "$1" in
  /Query) cat "$HOME/task" ;;
  /Create) [ -f "$HOME/refusal" ] && { cat "$HOME/refusal" >&2; exit 1; }; cp "$5" "$HOME/task" ;;
  /Delete) rm "$HOME/task" ;;
esac""",
}


class Programs:
    """Imitated programs on the ``PATH``, which keep what they are given and write down what they are asked."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "bin").mkdir()
        for name, text in PROGRAMS.items():
            script = home / "bin" / name
            script.write_text(f'#!/bin/sh\necho "{name} $*" >> "$HOME/asked"\n{text}\n', encoding="utf-8")
            script.chmod(0o755)
        self.crontab = home / "tab"
        self.task = home / "task"
        self.units = home / "config" / "systemd" / "user"

    def asked(self) -> list[str]:
        """What they were asked since the last time."""
        file = self.home / "asked"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines

    def refuse(self, words: str) -> None:
        (self.home / "refusal").write_text(words, encoding="utf-8")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(schedulers, "is_root", lambda: False)
    monkeypatch.setattr(schedulers, "SYSTEM_UNITS", tmp_path / "nowhere")
    return Programs(tmp_path)


EACH: dict[str, tuple[Callable[[str], Scheduler], Callable[..., ScheduledJob]]] = {
    "cron": (Cron, a_job),
    "systemd": (Systemd, a_job),
    "windows": (Windows, a_task),
}
each = pytest.mark.parametrize(("kind", "job_of"), EACH.values(), ids=EACH)


@each
def test_what_is_installed_is_there_until_it_is_removed(
    kind: Callable[[str], Scheduler], job_of: Callable[..., ScheduledJob], programs: Programs
) -> None:
    scheduler, job = kind("ticketbot"), job_of()
    assert "there is nothing called ticketbot" in remove(scheduler)
    install(scheduler, job)
    once = scheduler.entries()
    assert {mark_in(text) for text in once} == {job.settings}
    install(scheduler, job)
    assert scheduler.entries() == once
    install(scheduler, job_of(every_min=30))
    assert scheduler.entries() != once
    assert {mark_in(text) for text in scheduler.entries()} == {job.settings}
    assert remove(scheduler) == f"{scheduler.where}: ticketbot is removed; no more runs of {job.settings}"
    assert scheduler.entries() == []
    assert not programs.crontab.exists()


@each
def test_another_installations_entry_is_left_and_another_name_stands_beside_it(
    kind: Callable[[str], Scheduler], job_of: Callable[..., ScheduledJob], programs: Programs
) -> None:
    install(kind("ticketbot"), job_of())
    before = kind("ticketbot").entries()
    with pytest.raises(ConfigError, match=r"runs .*ticketbot\.toml; give another --name"):
        install(kind("ticketbot"), job_of(settings="/srv/eu.toml"))
    assert kind("ticketbot").entries() == before
    if kind is not Windows:
        install(kind("ticketbot-eu"), job_of(name="ticketbot-eu", settings="/srv/eu.toml"))
        remove(kind("ticketbot"))
        assert kind("ticketbot").entries() == []
        assert kind("ticketbot-eu").entries() != []


# --- cron


@pytest.mark.parametrize("before", [b"# caf\xe9 \xff\r\n\n0 5 * * * backup\t%x\n", b"0 5 * * * no end", None])
def test_other_lines_of_a_crontab_stay_byte_for_byte(before: bytes | None, programs: Programs) -> None:
    if before is not None:
        programs.crontab.write_bytes(before)
    install(Cron("ticketbot"), a_job())
    assert programs.crontab.read_bytes().startswith(before or b"# BEGIN")
    with programs.crontab.open("ab") as crontab:
        crontab.write(b"MAILTO=jo\n")
    install(Cron("ticketbot"), a_job(every_min=30))
    remove(Cron("ticketbot"))
    begin = b"" if before is None else before if before.endswith(b"\n") else before + b"\n"
    assert programs.crontab.read_bytes() == begin + b"MAILTO=jo\n"


def test_root_asks_for_the_owners_crontab(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedulers, "is_root", lambda: True)
    install(Cron("ticketbot", "jo"), a_job())
    assert set(programs.asked()) == {"crontab -u jo -l", "crontab -u jo -"}


def test_an_owner_without_a_name_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nameless(_path: Path) -> str:
        raise KeyError("getpwuid(): uid not found: 54321")

    monkeypatch.setattr(schedulers, "is_root", lambda: True)
    monkeypatch.setattr(Path, "owner", nameless)
    with pytest.raises(ConfigError, match="a user whom this system has no name for"):
        schedulers.owner_of(tmp_path)


@pytest.mark.parametrize("words", ["can't open 'jo': No such file or directory", "can't open your crontab file."])
def test_other_systems_words_for_no_crontab_are_understood(
    words: str, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NONE", words)
    install(Cron("ticketbot"), a_job())
    assert b"ticketbot run" in programs.crontab.read_bytes()


def test_a_crontab_that_may_not_be_read_is_never_written(programs: Programs) -> None:
    programs.crontab.write_bytes(b"precious\n")
    programs.refuse("You (jo) are not allowed to use this program (crontab)")
    for act in (partial(install, Cron("ticketbot"), a_job()), partial(remove, Cron("ticketbot"))):
        with pytest.raises(CannotRun, match=r"You \(jo\) are not allowed"):
            act()
    assert programs.crontab.read_bytes() == b"precious\n"
    assert "crontab -" not in programs.asked()


@pytest.mark.parametrize("keep", [slice(0, 2), slice(1, None), slice(0, 1)], ids=["no end", "no begin", "one line"])
def test_half_an_entry_takes_no_other_line_with_it(keep: slice, programs: Programs) -> None:
    half = "".join(Cron("ticketbot").texts(a_job())[0].splitlines(keepends=True)[keep]) + "0 5 * * * backup\n"
    programs.crontab.write_text(half, encoding="utf-8")
    install(Cron("ticketbot"), a_job())
    assert programs.crontab.read_text(encoding="utf-8").startswith(half)
    remove(Cron("ticketbot"))
    assert programs.crontab.read_text(encoding="utf-8") == half


# --- systemd


def test_units_are_written_and_the_timer_is_started_and_stopped(programs: Programs) -> None:
    install(Systemd("ticketbot"), a_job())
    assert programs.asked()[-2:] == ["systemctl --user daemon-reload", "systemctl --user enable --now ticketbot.timer"]
    assert {path.name for path in programs.units.iterdir()} == {"ticketbot.service", "ticketbot.timer"}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in programs.units.iterdir()}
    assert modes == {0o644}
    (programs.units / "other.service").write_text("theirs", encoding="utf-8")
    remove(Systemd("ticketbot"))
    assert [path.name for path in programs.units.iterdir()] == ["other.service"]
    assert programs.asked() == ["systemctl --user disable --now ticketbot.timer", "systemctl --user daemon-reload"]


def test_without_a_manager_nothing_is_written(programs: Programs) -> None:
    programs.refuse("Failed to connect to bus: No medium found")
    with pytest.raises(CannotRun, match="No medium found"):
        install(Systemd("ticketbot"), a_job())
    assert not programs.units.exists()


@pytest.mark.parametrize(
    ("kind", "job_of", "file", "theirs"),
    [
        (Systemd, a_job, "config/systemd/user/ticketbot.timer", "[Timer]\nOnCalendar=daily\n"),
        (Windows, a_task, "task", "<Task><Description>backup</Description></Task>"),
    ],
)
def test_what_somebody_else_wrote_is_left_alone(
    kind: Callable[[str], Scheduler], job_of: Callable[..., ScheduledJob], file: str, theirs: str, programs: Programs
) -> None:
    programs.units.mkdir(parents=True)
    (programs.home / file).write_text(theirs, encoding="utf-8")
    with pytest.raises(ConfigError, match="is not ticketbot's"):
        install(kind("ticketbot"), job_of())
    with pytest.raises(CannotRun, match="is not ticketbot's"):
        remove(kind("ticketbot"))
    assert (programs.home / file).read_text(encoding="utf-8") == theirs


def test_units_that_cannot_be_read_or_removed_are_told(programs: Programs) -> None:
    install(Systemd("ticketbot"), a_job())
    with (
        patch.object(Path, "unlink", side_effect=PermissionError(13, "Permission denied", "the timer")),
        pytest.raises(CannotRun, match=r"the timer cannot be read or changed \(Permission denied\)"),
    ):
        remove(Systemd("ticketbot"))
    (programs.units / "ticketbot.timer").unlink()
    (programs.units / "ticketbot.timer").mkdir()
    with pytest.raises(CannotRun, match=r"ticketbot\.timer cannot be read or changed"):
        remove(Systemd("ticketbot"))


# --- Task Scheduler


def test_task_scheduler_gets_a_file_in_utf_16(programs: Programs) -> None:
    install(Windows("ticketbot"), a_task())
    assert programs.task.read_text(encoding="utf-16").endswith(task(a_task()))


def test_a_task_is_known_again_in_another_code_page(programs: Programs) -> None:
    job = a_task(settings="C:\\B\u00fcro \u6771\\ticketbot.toml")
    programs.task.write_bytes(task(job).replace('"C:', "&quot;C:").encode("cp850", "replace"))
    install(Windows("ticketbot"), job)


# --- whether runs are scheduled


def test_runs_may_be_scheduled_by_a_timer_or_a_line_of_the_crontab(programs: Programs) -> None:
    assert not may_start_runs(programs.home)
    install(Systemd("eu"), a_job(name="eu"))
    assert may_start_runs(programs.home)
    remove(Systemd("eu"))
    programs.crontab.write_text(f"*/10 * * * * ticketbot run --config {FILE}\n", encoding="utf-8")
    assert may_start_runs(programs.home)
    programs.refuse("You are not allowed")
    assert may_start_runs(programs.home), "what cannot be read may start runs"

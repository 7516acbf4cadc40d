"""What schedulers are given: read back by their own rules it is the job again, or the path was refused before."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.schedule import schedulers
from ticket_processor.schedule.schedulers import (
    PERIODS_MIN,
    Cron,
    ScheduledJob,
    Systemd,
    Windows,
    mark_in,
    problems,
)

LETTERS = st.characters(categories=["L", "M", "N", "P", "S"], exclude_characters="/%$\"'`\\")


def paths(odd: str, *, start: str, without: str = "") -> st.SearchStrategy[str]:
    """Paths that every scheduler takes, with characters in them that mean something to a shell or to systemd."""
    letters = st.one_of(st.sampled_from(odd), LETTERS.filter(lambda mark: mark not in without))
    names = st.text(letters, min_size=1, max_size=12).map(str.strip).filter(bool)
    return st.lists(names, min_size=1, max_size=4).map(lambda found: start + start[-1].join(found))


PATHS = paths(" #;&|*?~<>(){}[]!=-+:@^,.\u00fc\U0001f600", start="/")
WINDOWS_PATHS = paths(" #;&(){}[]!=-+@^,.\u00fc", start="C:\\", without='<>:"\\|?*')
FILE = "/srv/ticketbot/ticketbot.toml"


def a_job(**values: Any) -> ScheduledJob:
    job = ScheduledJob(
        name="ticketbot",
        every_min=10,
        limit_s=580,
        command=("/srv/ticketbot/bin/ticketbot", "run", "--quiet", "--config", FILE),
        folder="/srv/ticketbot",
        settings=FILE,
        user="ticketbot",
    )
    return replace(job, **values)


def jobs_with(paths: st.SearchStrategy[str]) -> st.SearchStrategy[ScheduledJob]:
    def job(program: str, file: str, folder: str) -> ScheduledJob:
        command = (program, "run", "--quiet", "--config", file)
        return a_job(command=command, folder=folder, settings=file)

    return st.builds(job, paths, paths, paths)


def crontab(job: ScheduledJob, timeout: str | None = None) -> str:
    with patch.object(shutil, "which", lambda _name: timeout):
        return Cron(job.name).texts(job)[0]


def units(job: ScheduledJob, *, system: bool) -> tuple[str, str]:
    with patch.object(schedulers, "is_root", lambda: system):
        service, timer = Systemd(job.name).texts(job)
    return service, timer


def task(job: ScheduledJob) -> str:
    return Windows(job.name).texts(job)[0]


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("cron", {}, None),
        ("cron", {"folder": "/srv/our site; #1 (new) & {more}"}, None),
        ("windows", {"folder": "C:\\My Bot 100% O'Brien"}, None),
        ("cron", {"every_min": 7}, "10, 12, 15, 20, 30, 60, 120"),
        ("cron", {"every_min": 0}, "--every 0"),
        ("cron", {"every_min": 5}, "set run.deadline_s to 260 or less"),
        ("cron", {"name": "A b"}, "--name"),
        ("cron", {"name": "a\n"}, "--name"),
        ("cron", {"name": "a" * 41}, "--name"),
        ("cron", {"folder": "/a\nb"}, '"/a\\nb" holds a character'),
        ("cron", {"folder": "/a\udce4"}, "rename it"),
        ("cron", {"folder": "/100%"}, "rename it"),
        ("cron", {"folder": "/$HOME"}, "rename it"),
        ("systemd", {"folder": "/a\u2028b"}, "rename it"),
        ("systemd", {"folder": "/a\\"}, "rename it"),
        ("systemd", {"folder": "/a "}, "rename it"),
        ("systemd", {"command": ("/it's/ticketbot", "run")}, "rename it"),
        ("windows", {"folder": "C:\\%TEMP%\\bot"}, "rename it"),
        ("windows", {"command": ("C:\\$(Arg0)\\ticketbot.exe", "run")}, "rename it"),
    ],
)
def test_what_a_scheduler_cannot_take_is_refused_in_a_sentence(
    kind: str, values: dict[str, Any], words: str | None
) -> None:
    found = problems(kind, a_job(**values), deadline_s=540)
    assert len(found) == (words is not None)
    assert all("\n" not in problem and words is not None and words in problem for problem in found)


@given(job=jobs_with(st.one_of(PATHS, WINDOWS_PATHS)), every=st.sampled_from(PERIODS_MIN))
def test_every_text_says_whose_it_is(job: ScheduledJob, every: int) -> None:
    job = replace(job, every_min=every)
    for text in (crontab(job), *units(job, system=True), task(job)):
        unescaped = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
        assert mark_in(unescaped) == job.settings


def test_what_is_not_ours_carries_no_mark_and_that_of_an_earlier_version_is_known() -> None:
    assert mark_in("[Unit]\nDescription=ticketbot schedule for nothing") is None
    assert mark_in('# ticketbot schedule for "/srv/a.toml", every 10 minutes\n') == "/srv/a.toml"


# --- cron


@given(job=jobs_with(PATHS), timeout=st.one_of(st.none(), st.just("/usr/bin/timeout")))
def test_cron_and_the_shell_after_it_read_the_same_words(job: ScheduledJob, timeout: str | None) -> None:
    assert problems("cron", job, 540) == []
    line = crontab(job, timeout).split("\n")[2].split(None, 5)[5]
    assert "%" not in line, "which ends a command"
    limit = [timeout, "-k", "30", "580"] if timeout else []
    assert shlex.split(line) == ["cd", job.folder, "&&", *limit, *job.command]


@pytest.mark.parametrize(
    ("every", "times"),
    [
        (1, "* * * * *"),
        (5, "2-59/5 * * * *"),
        (10, "7-59/10 * * * *"),
        (60, "7 * * * *"),
        (120, "7 */2 * * *"),
        (1440, "7 0 * * *"),
    ],
)
def test_a_block_has_the_job_in_one_line(every: int, times: str) -> None:
    lines = crontab(a_job(every_min=every), "/usr/bin/timeout").splitlines()
    assert lines[0].startswith("# BEGIN ticketbot schedule ticketbot:")
    assert lines[2:] == [
        f"{times} cd /srv/ticketbot && /usr/bin/timeout -k 30 580 /srv/ticketbot/bin/ticketbot run --quiet "
        "--config /srv/ticketbot/ticketbot.toml",
        "# END ticketbot schedule ticketbot",
    ]


# --- systemd


def unit(text: str) -> dict[str, list[str]]:
    """The settings of a unit, each with its values."""
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value.strip())
    return found


@pytest.mark.parametrize("system", [True, False])
@given(job=jobs_with(PATHS))
def test_systemd_reads_the_same_words(system: bool, job: ScheduledJob) -> None:
    assert problems("systemd", job, 540) == []
    read = unit(units(job, system=system)[0])
    (command,), (folder,) = read["ExecStart"], read["WorkingDirectory"]
    assert not re.search(r"[%$\\'`]", command + folder), "what systemd reads as something else"
    assert tuple(re.findall(r'"([^"]*)"|(\S+)', command)) == tuple(
        (word, "") if " " in word else ("", word) for word in job.command
    )
    assert folder == job.folder


def test_the_service_is_one_run_that_sees_only_what_it_needs() -> None:
    read = unit(units(a_job(), system=True)[0])
    for name, value in {
        "Type": "oneshot",
        "User": "ticketbot",
        "TimeoutStartSec": "580",
        "TimeoutStopSec": "30",
        "KillMode": "mixed",
        "SuccessExitStatus": "75 143",
        "After": "network-online.target time-sync.target",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "full",
        "UMask": "0077",
    }.items():
        assert read[name] == [value], name


def test_the_timer_makes_up_for_a_missed_run_and_keeps_its_distance() -> None:
    read = unit(units(a_job(), system=True)[1])
    assert read == {
        "Description": ["ticketbot: a run every 10 minutes"],
        "OnCalendar": ["*:0/10 UTC"],
        "Persistent": ["true"],
        "AccuracySec": ["1s"],
        "RandomizedDelaySec": ["30"],
        "FixedRandomDelay": ["true"],
        "WantedBy": ["timers.target"],
    }


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("there is no systemd-analyze here")
    return found


ODD_PATHS = ["/a b", "/\u00e4 \u00f6", "/a;b #c", "/{a} (b)", "/~a&b"]


@pytest.mark.parametrize("system", [True, False], ids=["system", "user"])
def test_systemd_itself_finds_nothing_wrong_with_the_units(system: bool, analyze: str, tmp_path: Path) -> None:
    for number, path in enumerate(ODD_PATHS):
        command = ("/bin/sh", "run", "--config", path)
        job = a_job(command=command, folder=path, settings=path, user="root")
        service, timer = units(job, system=system)
        (tmp_path / f"odd{number}.service").write_text(service, encoding="utf-8")
        (tmp_path / f"odd{number}.timer").write_text(timer, encoding="utf-8")
    ended = subprocess.run(
        [analyze, "verify", *([] if system else ["--user"]), "--man=no", *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    told = [line for line in ended.stderr.splitlines() if str(tmp_path) in line or "odd" in line]
    assert (ended.returncode, told) == (0, [])


# --- Windows

NAMESPACE = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


@cache
def schema() -> Any:
    from xmlschema import XMLSchema

    return XMLSchema(Path(__file__).with_name("task_scheduler.xsd"))


def a_task(**values: Any) -> ScheduledJob:
    folder, settings = "C:\\My Bot", "C:\\My Bot\\ticketbot.toml"
    command = ("C:\\Program Files\\b\\ticketbot.exe", "run", "--quiet", "--config", settings)
    return a_job(**{"command": command, "folder": folder, "settings": settings, "user": "OFFICE\\jo", **values})


def test_the_task_is_as_the_schema_says() -> None:
    text = task(a_task())
    for every in PERIODS_MIN:
        schema().validate(task(a_task(every_min=every)))
    read = ElementTree.fromstring(text)
    for path, value in {
        "t:Principals/t:Principal/t:UserId": "OFFICE\\jo",
        "t:Principals/t:Principal/t:LogonType": "S4U",
        "t:Principals/t:Principal/t:RunLevel": "LeastPrivilege",
        "t:Triggers/t:TimeTrigger/t:Repetition/t:Interval": "PT0H10M0S",
        "t:Triggers/t:TimeTrigger/t:StartBoundary": "2026-01-01T00:07:00Z",
        "t:Actions/t:Exec/t:Command": "C:\\Program Files\\b\\ticketbot.exe",
        "t:Actions/t:Exec/t:Arguments": 'run --quiet --config "C:\\My Bot\\ticketbot.toml"',
        "t:Actions/t:Exec/t:WorkingDirectory": "C:\\My Bot",
    }.items():
        assert read.findtext(path, namespaces=NAMESPACE) == value, path
    names = ("MultipleInstancesPolicy", "StopIfGoingOnBatteries", "StartWhenAvailable", "ExecutionTimeLimit")
    told = [read.findtext(f"t:Settings/t:{name}", namespaces=NAMESPACE) for name in names]
    assert told == ["IgnoreNew", "false", "true", "PT0H9M40S"]


@given(job=jobs_with(WINDOWS_PATHS))
def test_windows_reads_the_same_words_in_every_code_page(job: ScheduledJob) -> None:
    assert problems("windows", job, 540) == []
    text = task(job)
    assert text.isascii()
    found = {element.tag.split("}")[1]: element.text or "" for element in ElementTree.fromstring(text).iter()}
    assert (found["Command"], found["Arguments"]) == (job.command[0], subprocess.list2cmdline(job.command[1:]))
    assert found["WorkingDirectory"] == job.folder
    assert mark_in(found["Description"]) == job.settings
    schema().validate(text)

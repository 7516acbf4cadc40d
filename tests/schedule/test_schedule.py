"""What schedulers are given: read back by their own rules it is the job again, whatever the paths are called."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from ticket_processor.schedule import cron, systemd, windows
from ticket_processor.schedule.job import (
    PERIODS_MIN,
    File,
    Installed,
    LocalJob,
    ScheduledJob,
    cron_times,
    every_of,
    followers,
    limit_after,
    mark,
    marked_for,
    minute_of,
    problems_of,
    unwritable,
)
from ticket_processor.settings.schema import AlertSettings

ODD = " %%$$\"'\\\\`#;&|*?~<>(){}[]!=-+:@^,.\u00fc\u3000\U0001f600"
LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="/\ufffe\uffff")
TOGETHER = ["\\\\", "\\%", "%%", "$$", "%h", "'%'", '"$', "\\'", '\\"', "${x}"]
NAMES = st.lists(st.one_of(st.sampled_from(ODD), st.sampled_from(TOGETHER), LETTERS), min_size=1, max_size=12).map(
    "".join
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))
WINDOWS_NAMES = st.text(
    st.one_of(st.sampled_from(" %$'`#;&(){}[]!=-+@^,.\u00fc"), LETTERS.filter(lambda mark: mark not in '<>:"\\|?*')),
    min_size=1,
    max_size=12,
)
WINDOWS_PATHS = st.lists(WINDOWS_NAMES, min_size=1, max_size=4).map(lambda names: "C:\\" + "\\".join(names))
NAMESPACE = {"t": windows.NAMESPACE}


def a_job(**values: Any) -> LocalJob:
    return replace(
        LocalJob(
            name="ticketbot",
            every_min=10,
            limit_s=580,
            minute=7,
            command=(
                "/srv/ticketbot/bin/ticketbot",
                "run",
                "--quiet",
                "--config",
                "/srv/ticketbot/ticketbot.toml",
            ),
            folder="/srv/ticketbot",
            settings="/srv/ticketbot/ticketbot.toml",
            reads=("/srv/ticketbot/.venv", "/usr"),
            writes=("/srv/ticketbot/state", "/srv/ticketbot/logs"),
            user="ticketbot",
        ),
        **values,
    )


def jobs_with(paths: st.SearchStrategy[str]) -> st.SearchStrategy[LocalJob]:
    def job(program: str, file: str, folder: str, writes: str) -> LocalJob:
        command = (program, "run", "--quiet", "--config", file)
        return a_job(command=command, folder=folder, settings=file, writes=(writes,))

    return st.builds(job, paths, paths, paths, paths)


# --- how often, and how long


def test_a_schedulers_limit_is_twenty_seconds_above_our_own_watchdog() -> None:
    assert limit_after(540 + 20) == 580
    assert limit_after(30.5 + 20) == 71


@pytest.mark.parametrize("every", PERIODS_MIN)
def test_every_period_offered_comes_round_evenly(every: int) -> None:
    assert 60 % every == 0 or (every % 60 == 0 and 1440 % every == 0)
    assert problems_of("ticketbot", every, 10, 50) == []


@given(seed=st.text(), every=st.sampled_from(PERIODS_MIN))
def test_the_minute_is_in_the_period_and_never_the_full_hour(seed: str, every: int) -> None:
    minute = minute_of(seed, every)
    assert minute == minute_of(seed, every)
    assert (1 <= minute < min(every, 60)) or (every == 1 and minute == 0)


def test_hosts_are_spread_over_the_period() -> None:
    assert {minute_of(f"host{number} ticketbot", 10) for number in range(200)} == set(range(1, 10))


@pytest.mark.parametrize(
    ("every", "times"),
    [
        (1, "* * * * *"),
        (10, "7-59/10 * * * *"),
        (30, "7-59/30 * * * *"),
        (60, "7 * * * *"),
        (120, "7 */2 * * *"),
        (1440, "7 0 * * *"),
    ],
)
def test_crons_fields_say_when(every: int, times: str) -> None:
    assert cron_times(ScheduledJob("ticketbot", every, 580, 7)) == times


def test_a_period_that_a_run_may_outlast_is_refused_with_both_ways_out() -> None:
    (problem,) = problems_of("ticketbot", 5, 540, 580)
    for words in ("--every 5", "run.deadline_s = 540", "580 s", "--every 10", "run.deadline_s = 260"):
        assert words in problem
    assert problems_of("ticketbot", 10, 540, 580) == []
    assert problems_of("ticketbot", 10, 561, 601)


def test_a_run_of_a_day_has_no_period_that_is_long_enough() -> None:
    (problem,) = problems_of("ticketbot", 1440, 86_400, 86_440)
    assert "run.deadline_s = 86360 or less" in problem
    assert problem.count("--every") == 1


def test_a_period_that_does_not_come_round_evenly_is_refused() -> None:
    for every in (0, -10, 7, 45, 90, 2880):
        (problem,) = problems_of("ticketbot", every, 540, 580)
        assert "10, 12, 15, 20, 30, 60, 120" in problem


@pytest.mark.parametrize("name", ["", "Ticketbot", "a b", "-a", "a-", "a/b", "a%b", "ä", "a" * 41, "a\n"])
def test_a_name_that_some_scheduler_would_choke_on_is_refused(name: str) -> None:
    (problem,) = problems_of(name)
    assert "--name" in problem


def test_a_path_with_a_line_break_or_half_a_character_is_refused_without_being_printed_raw() -> None:
    bad = ["/a\nb", "/a\x7f", "/a\udce4", "/a\u2028b", "/a\uffff"]
    problems = unwritable(["/good", "/gööd name", *bad, bad[0]])
    assert len(problems) == len(bad)
    assert all("\n" not in problem and problem.isascii() for problem in problems)


@given(settings=st.one_of(PATHS, WINDOWS_PATHS), before=st.text(max_size=20))
def test_the_mark_is_ascii_and_says_whose_it_is(settings: str, before: str) -> None:
    assert mark(settings).isascii()
    assert marked_for(f"{before}\n# {mark(settings)}\nmore") == settings


def test_what_is_not_ours_carries_no_mark() -> None:
    assert marked_for("[Unit]\nDescription=ticketbot schedule for nothing") is None


@given(every=st.sampled_from(PERIODS_MIN), minute=st.integers(0, 59))
def test_how_often_is_read_back_from_crons_fields(every: int, minute: int) -> None:
    assert every_of(cron_times(ScheduledJob("ticketbot", every, 580, minute))) == every


@pytest.mark.parametrize(
    ("times", "every"), [("*/15 * * * *", 15), ("*/7 * * * *", None), ("@hourly", None), ("", None)]
)
def test_what_was_written_by_hand_is_read_where_it_is_plain(times: str, every: int | None) -> None:
    assert every_of(times) == every


def test_rarer_runs_name_each_setting_that_has_to_follow_and_its_value() -> None:
    alerts, heartbeat = followers(60, 40, heartbeat=True)
    for words in ("60 minutes", "alerts.stale_minutes = 240 (it is 40)"):
        assert words in alerts
    assert "its period to 60 and its grace to 90 minutes" in heartbeat
    assert followers(60, 240, heartbeat=False) == []
    assert followers(60, None, heartbeat=False) == [], "it follows the runs by itself"


def test_runs_as_often_as_everything_expects_need_nothing_to_follow() -> None:
    assert followers(10, 40, heartbeat=True) == []
    assert followers(1, 40, heartbeat=False) == []
    (heartbeat,) = followers(1, 40, heartbeat=True)
    assert "its period to 1 and its grace to 2 minutes" in heartbeat


@pytest.mark.parametrize("every", PERIODS_MIN)
def test_what_is_asked_to_follow_can_be_set_and_is_then_enough(every: int) -> None:
    (told,) = followers(every, 2, heartbeat=False)
    values = {name: float(value) for name, value in re.findall(r"alerts\.(\w+) = ([\d.]+)", told)}
    alerts = AlertSettings(**values)
    assert followers(every, alerts.stale_minutes, heartbeat=False) == []
    assert (alerts.stale_minutes or 0) > 3 * every, "two missed runs are not told of"


# --- cron

CRONS = {
    # What the crons in use make of a command before the shell gets it.
    "as in Debian": lambda text: re.sub(r"\\([%\\])", r"\1", _until_bare_percent(text)),
    "cronie, BSD": lambda text: re.sub(r"\\(.)", lambda found: found[found[1] == "%"], _until_bare_percent(text)),
    "as it was first": lambda text: _until_bare_percent(text),
}


def _until_bare_percent(text: str) -> str:
    """A command ends at the first % that no backslash stands before; what follows is its standard input."""
    return re.match(r"(?:\\.|[^%\\])*\\?", text, re.DOTALL)[0]  # type: ignore[index]


@pytest.mark.parametrize("name", CRONS)
@given(job=jobs_with(PATHS), timeout=st.one_of(st.none(), PATHS))
def test_every_cron_and_the_shell_after_it_read_the_same_words(name: str, job: LocalJob, timeout: str | None) -> None:
    line = cron.command(job, timeout)
    assert "\n" not in line
    limit = [timeout, "-k", "30", "580"] if timeout else []
    assert shlex.split(CRONS[name](line)) == ["cd", job.folder, "&&", *limit, *job.command]


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no sh here")
@settings(max_examples=15)
@given(words=st.lists(st.one_of(NAMES, PATHS), min_size=1, max_size=40))
def test_a_real_shell_reads_the_same_words(words: list[str]) -> None:
    for read in CRONS.values():
        line = read(f"printf '{'%'}s\\0' ".replace("%", r"\%") + " ".join(map(cron.quote, words)))
        # The format is this test's own; only the words are what is looked at.
        line = re.sub(r"^printf '.*?' ", r"printf '%s\\0' ", line, count=1)
        out = subprocess.run(["sh", "-c", line], capture_output=True, check=True).stdout
        assert out.decode().split("\0")[:-1] == words


def test_a_block_has_the_job_in_one_line_and_whose_it_is() -> None:
    lines = cron.render(a_job(), timeout="/usr/bin/timeout", mail_to="team@example.com").splitlines()
    assert lines[0].startswith("# BEGIN ticketbot schedule ticketbot:")
    assert marked_for(lines[1]) == "/srv/ticketbot/ticketbot.toml"
    assert lines[2] == "MAILTO=team@example.com"
    assert lines[3] == (
        "7-59/10 * * * * cd /srv/ticketbot && /usr/bin/timeout -k 30 580 /srv/ticketbot/bin/ticketbot run --quiet "
        "--config /srv/ticketbot/ticketbot.toml"
    )
    assert lines[4:] == ["# END ticketbot schedule ticketbot"]


@pytest.mark.parametrize("every", PERIODS_MIN)
@pytest.mark.parametrize("mail_to", [None, "team@example.com"])
def test_a_block_says_what_it_was_installed_with(every: int, mail_to: str | None) -> None:
    block = cron.render(a_job(every_min=every), timeout="/usr/bin/timeout", mail_to=mail_to)
    assert cron.installed(block) == Installed(every_min=every, mail_to=mail_to)


def test_a_block_whose_line_was_taken_out_by_hand_does_not_say_how_often() -> None:
    lines = cron.render(a_job(), mail_to="team@example.com").splitlines()
    paused = "\n".join([*lines[:3], f"# {lines[3]}", lines[4]])
    assert cron.installed(paused) == Installed(mail_to="team@example.com")


OTHER_LINES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40).filter(
    lambda text: "ticketbot schedule" not in text
)
CRONTABS = st.lists(OTHER_LINES, max_size=5).map("\n".join)


@given(crontab=CRONTABS, job=jobs_with(PATHS), other=st.booleans())
def test_putting_in_and_taking_out_leaves_the_rest_byte_for_byte(crontab: str, job: LocalJob, other: bool) -> None:
    if other:
        crontab = cron.put(crontab, "ticketbot-eu", cron.render(a_job(name="ticketbot-eu")))
    block = cron.render(job)
    full = cron.put(crontab, job.name, block)
    assert full.startswith(crontab)
    assert full.endswith(block)
    assert cron.block_in(full, job.name) == block
    assert cron.put(full, job.name, block) == full, "twice is as once"
    added_end = "\n" if crontab and not crontab.endswith("\n") else ""
    assert cron.take(full, job.name) == crontab + added_end
    assert cron.take(crontab, job.name) == crontab


@given(before=CRONTABS, after=CRONTABS)
def test_a_changed_entry_replaces_the_one_in_the_middle_and_goes_to_the_end(before: str, after: str) -> None:
    old, new = cron.render(a_job(minute=3)), cron.render(a_job(), mail_to="a@example.com")
    full = f"{before}\n{old}{after}"
    changed = cron.put(full, "ticketbot", new)
    assert changed.endswith(new)
    assert changed.count("# BEGIN ticketbot schedule") == 1
    rest = f"{before}\n{after}"
    assert changed.removesuffix(new) == rest + ("" if rest.endswith("\n") else "\n")


@pytest.mark.parametrize(
    "keep", [slice(0, 2), slice(1, None), slice(0, 1)], ids=["no end", "no beginning", "first line"]
)
def test_half_a_block_is_not_touched(keep: slice) -> None:
    half = "".join(cron.render(a_job()).splitlines(keepends=True)[keep])
    with pytest.raises(cron.BrokenBlock):
        cron.put(half, "ticketbot", cron.render(a_job()))
    with pytest.raises(cron.BrokenBlock):
        cron.take(half, "ticketbot")


def test_a_line_that_somebody_wrote_by_hand_is_noticed() -> None:
    block = cron.render(a_job())
    crontab = f"# ticketbot run\n0 5 * * * backup\n*/10 * * * * cd /srv && .venv/bin/ticketbot run --quiet\n{block}"
    assert cron.by_hand(crontab) == [3]
    assert cron.by_hand(block) == []


def test_a_command_that_some_crons_would_cut_off_is_refused() -> None:
    long = a_job(folder="/" + "ä" * 300, command=("/" + "x" * 400, "run"))
    (problem,) = cron.problems(long)
    assert "too long" in problem
    assert cron.problems(a_job()) == []


@pytest.mark.parametrize("address", ["two words", '""', 'a"b', "a%b", "A=b", "a#b", "a,"])
def test_an_address_that_would_break_the_line_is_refused(address: str) -> None:
    (problem,) = cron.problems(a_job(), mail_to=address)
    assert "--mail-to" in problem
    assert address in problem
    assert cron.problems(a_job(), mail_to="a@example.com,b@example.com") == []
    assert cron.problems(a_job(), mail_to="") == []


def test_without_an_address_the_mail_is_the_owners() -> None:
    assert cron.render(a_job(), mail_to="") == cron.render(a_job())


@pytest.mark.parametrize("every", PERIODS_MIN)
def test_the_systems_own_crontab_accepts_every_period(every: int, tmp_path: Path) -> None:
    check = _syntax_check()
    file = tmp_path / "crontab"
    file.write_text(cron.render(a_job(every_min=every, folder="/a %b"), mail_to="a@example.com"), encoding="utf-8")
    ended = subprocess.run([*check, str(file)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def _syntax_check() -> list[str]:
    """How this crontab checks a file without installing it."""
    if shutil.which("crontab") is None:
        pytest.skip("there is no crontab here")
    usage = subprocess.run(["crontab", "-h"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    for option in ("-T", "-n"):
        if re.search(rf"{option}\b.*(test|syntax|dry run)", usage.stderr + usage.stdout):
            return ["crontab", option]
    pytest.skip("this crontab cannot check a file without installing it")


# --- systemd


def unit(text: str) -> dict[str, list[str]]:
    """The settings of a unit, each with its values."""
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value.strip())
    return found


def words_of(value: str, *, variables: bool) -> list[str]:
    """A value's words as systemd takes them apart: quotation marks, backslashes, %% and, in commands, $$."""
    words, quoted, word, place = [], "", None, 0
    while place < len(value):
        mark = value[place]
        if mark == "\\":
            place += 1
            assert value[place] in "\\\"'", "an escape that means something else in a command than in a path"
            word = (word or "") + value[place]
        elif quoted:
            quoted, word = ("", word) if mark == quoted else (quoted, (word or "") + mark)
        elif mark in "\"'":
            quoted, word = mark, word or ""
        elif mark in " \t":
            words, word = words + ([word] if word is not None else []), None
        else:
            word = (word or "") + mark
        place += 1
    assert not quoted
    words += [word] if word is not None else []
    return [_without_specifiers(word, variables and number > 0) for number, word in enumerate(words)]


def _without_specifiers(word: str, variables: bool) -> str:
    for special in "%$" if variables else "%":
        assert word.count(special) == 2 * word.count(special * 2), f"a bare {special} in {word}"
        word = word.replace(special * 2, special)
    return word


@pytest.mark.parametrize("system", [True, False])
@given(job=jobs_with(PATHS))
def test_systemd_reads_the_same_words(system: bool, job: LocalJob) -> None:
    if systemd.problems(job):
        return
    read = unit(systemd.service(job, system=system))
    (command,) = read["ExecStart"]
    words = words_of(command, variables=True)
    if words[:2] == ["/bin/sh", "-c"]:
        assert words[2] == 'exec "$0" "$@"'
        words = words[3:]
    else:
        assert not set(words[0]) & set("\"'\\$"), "what systemd refuses in a program's path"
    assert tuple(words) == job.command
    (folder,) = read["WorkingDirectory"]
    assert _without_specifiers(folder, variables=False) == job.folder
    places = [word for value in read.get("ReadWritePaths", []) for word in words_of(value, variables=False)]
    assert places == ([f"-{path}" for path in job.writes] if system else [])


@pytest.mark.parametrize("folder", ["/a\\", "/a ", "/a\u3000"])
def test_a_folder_that_systemd_would_read_otherwise_is_refused(folder: str) -> None:
    (problem,) = systemd.problems(a_job(folder=folder))
    assert "rename" in problem


def test_the_service_is_one_run_with_a_limit_above_our_own() -> None:
    read = unit(systemd.service(a_job(), system=True))
    for name, value in {
        "Type": "oneshot",
        "User": "ticketbot",
        "TimeoutStartSec": "580",
        "TimeoutStopSec": "30",
        "KillMode": "mixed",
        "SuccessExitStatus": "75 143",
        "After": "network-online.target time-sync.target",
        "Wants": "network-online.target",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "UMask": "0077",
    }.items():
        assert read[name] == [value], name
    assert read["ReadWritePaths"] == ["-/srv/ticketbot/state", "-/srv/ticketbot/logs"]


def test_the_timer_makes_up_for_a_missed_run_and_keeps_its_distance() -> None:
    read = unit(systemd.timer(a_job()))
    assert read == {
        "Description": ["ticketbot: a run every 10 minutes"],
        "OnCalendar": ["*:0/10 UTC"],
        "Persistent": ["true"],
        "AccuracySec": ["1s"],
        "RandomizedDelaySec": ["30"],
        "FixedRandomDelay": ["true"],
        "WantedBy": ["timers.target"],
    }


@pytest.mark.parametrize("every", PERIODS_MIN)
def test_a_timer_says_how_often_it_was_installed_for(every: int) -> None:
    assert systemd.installed(systemd.timer(a_job(every_min=every))) == Installed(every_min=every)
    assert systemd.installed("[Timer]\nOnCalendar=Mon..Fri 08:00\n") == Installed()


def test_a_users_service_asks_for_nothing_that_a_users_manager_cannot_give() -> None:
    read = unit(systemd.service(a_job(), system=False))
    assert read["NoNewPrivileges"] == ["yes"]
    assert "SystemCallFilter" in read
    for name in ("User", "ProtectSystem", "CapabilityBoundingSet", "PrivateDevices", "ProtectClock", "After"):
        assert name not in read, name


def test_homes_and_temporary_folders_are_hidden_unless_the_run_needs_them() -> None:
    at_home = unit(systemd.service(a_job(reads=("/home/jo/bot/.venv",)), system=True))
    assert at_home["ProtectHome"] == ["read-only"]
    temporary = unit(systemd.service(a_job(writes=("/var/tmp/state",)), system=True))
    assert "PrivateTmp" not in temporary
    assert "/tmp" in temporary["ReadWritePaths"]
    besides = unit(systemd.service(a_job(reads=("/homestead", "/tmpfiles")), system=True))
    assert besides["ProtectHome"] == ["yes"]
    assert besides["PrivateTmp"] == ["yes"]


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("there is no systemd-analyze here")
    return found


ODD_PATHS = ["/a b", "/100%", "/%h", "/$HOME", "/${x}", '/a"b', "/it's", "/a\\b", "/a\\\"'$%b", "/ä\u3000ö", "/a;b #c"]


@pytest.mark.parametrize("system", [True, False], ids=["system", "user"])
def test_systemd_itself_finds_nothing_wrong_with_the_units(system: bool, analyze: str, tmp_path: Path) -> None:
    names = []
    for number, path in enumerate(ODD_PATHS):
        name = f"odd{number}"
        command = ("/bin/sh", "run", "--config", path)
        job = a_job(name=name, command=command, folder=path, settings=path, writes=(path,), user="root")
        for file in systemd.files(job, str(tmp_path), system=system):
            Path(file.path).write_text(file.text, encoding="utf-8")
            names.append(file.path)
    # A program with such a path is started by the shell; that one systemd can look for.
    job = a_job(name="program", command=("/od'd $x%\\/ticketbot", "run"), user="root")
    for file in systemd.files(job, str(tmp_path), system=system):
        Path(file.path).write_text(file.text, encoding="utf-8")
        names.append(file.path)
    ended = subprocess.run(
        [analyze, "verify", *([] if system else ["--user"]), "--man=no", *names],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    told = [line for line in ended.stderr.splitlines() if str(tmp_path) in line or "odd" in line]
    assert (ended.returncode, told) == (0, [])


def test_the_system_service_is_exposed_to_little(analyze: str, tmp_path: Path) -> None:
    for reads in (("/srv",), ("/home/jo/bot",)):
        file, _timer = systemd.files(a_job(reads=reads), str(tmp_path), system=True)
        Path(file.path).write_text(file.text, encoding="utf-8")
        ended = subprocess.run(
            [analyze, "security", "--offline=true", "--no-pager", "--threshold=20", file.path],
            capture_output=True,
            text=True,
            check=False,
        )
        if "unrecognized option" in ended.stderr:
            pytest.skip("this systemd-analyze cannot look at a file")
        assert ended.returncode == 0, ended.stdout[-200:] + ended.stderr


def test_systemd_itself_knows_every_period(analyze: str) -> None:
    for every in PERIODS_MIN:
        times = systemd.calendar(a_job(every_min=every))
        ended = subprocess.run(
            [analyze, "calendar", "--iterations=3", "--base-time=2026-03-12 00:30:00 UTC", times],
            capture_output=True,
            text=True,
            check=False,
        )
        if "unrecognized option" in ended.stderr:
            pytest.skip("this systemd-analyze has no base time")
        moments = re.findall(r"\d{4}-(\d\d)-(\d\d) (\d\d):(\d\d):\d\d UTC", ended.stdout)
        minutes = [(int(day) * 24 + int(hour)) * 60 + int(minute) for _, day, hour, minute in dict.fromkeys(moments)]
        assert [later - sooner for sooner, later in pairwise(minutes)] == [every, every], times


# --- Windows

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("task_scheduler.xsd"))


def a_task(**values: Any) -> LocalJob:
    values = {
        "command": (
            "C:\\Program Files\\b\\ticketbot.exe",
            "run",
            "--quiet",
            "--config",
            "C:\\My Bot\\ticketbot.toml",
        ),
        "folder": "C:\\My Bot",
        "settings": "C:\\My Bot\\ticketbot.toml",
        "user": "OFFICE\\jo",
        **values,
    }
    return a_job(**values)


def arguments_of(line: str) -> list[str]:
    """A command line as Windows' C library takes it apart: backslashes count only before a quotation mark."""
    words: list[str] = []
    word, quoted, begun, place = "", False, False, 0
    while place < len(line):
        slashes = len(line) - place - len(line[place:].lstrip("\\"))
        place += slashes
        if slashes and line[place : place + 1] == '"':
            word, begun = word + "\\" * (slashes // 2) + ('"' if slashes % 2 else ""), True
            place += slashes % 2
            continue
        if slashes:
            word, begun = word + "\\" * slashes, True
            continue
        mark = line[place]
        if mark == '"':
            quoted, begun = not quoted, True
        elif mark in " \t" and not quoted:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + mark, True
        place += 1
    return [*words, word] if begun else words


def test_the_task_is_as_the_schema_says() -> None:
    text = windows.render(a_task())
    SCHEMA.validate(text)
    task = ElementTree.fromstring(text)
    for path, value in {
        "t:Principals/t:Principal/t:UserId": "OFFICE\\jo",
        "t:Principals/t:Principal/t:LogonType": "S4U",
        "t:Principals/t:Principal/t:RunLevel": "LeastPrivilege",
        "t:Triggers/t:TimeTrigger/t:Repetition/t:Interval": "PT10M",
        "t:Triggers/t:TimeTrigger/t:StartBoundary": "2026-01-01T00:07:00Z",
        "t:Actions/t:Exec/t:Command": "C:\\Program Files\\b\\ticketbot.exe",
        "t:Actions/t:Exec/t:Arguments": 'run --quiet --config "C:\\My Bot\\ticketbot.toml"',
        "t:Actions/t:Exec/t:WorkingDirectory": "C:\\My Bot",
    }.items():
        assert task.findtext(path, namespaces=NAMESPACE) == value, path
    settings = task.find("t:Settings", namespaces=NAMESPACE)
    assert settings is not None
    assert {element.tag.rpartition("}")[2]: element.text for element in settings} == {
        "MultipleInstancesPolicy": "IgnoreNew",
        "DisallowStartIfOnBatteries": "false",
        "StopIfGoingOnBatteries": "false",
        "AllowHardTerminate": "true",
        "StartWhenAvailable": "true",
        "RunOnlyIfNetworkAvailable": "false",
        "AllowStartOnDemand": "true",
        "Enabled": "true",
        "Hidden": "false",
        "RunOnlyIfIdle": "false",
        "WakeToRun": "false",
        "ExecutionTimeLimit": "PT9M40S",
    }


def test_the_schema_notices_a_trigger_in_the_wrong_order() -> None:
    text = windows.render(a_task())
    enabled = "<Enabled>true</Enabled>"
    begin, end = text.index("<TimeTrigger>"), text.index("</TimeTrigger>")
    moved = text[:begin] + text[begin:end].replace(enabled, "", 1) + enabled + text[end:]
    assert not SCHEMA.is_valid(moved)


@pytest.mark.parametrize("every", PERIODS_MIN)
def test_every_period_is_one_that_task_scheduler_takes(every: int) -> None:
    SCHEMA.validate(windows.render(a_task(every_min=every)))


@given(job=jobs_with(WINDOWS_PATHS))
def test_windows_reads_the_same_words(job: LocalJob) -> None:
    if windows.problems(job):
        return
    file = windows.encoded(windows.render(job))
    assert file.startswith(b"\xff\xfe")
    task = ElementTree.fromstring(file)
    found = {element.tag.split("}")[1]: element.text or "" for element in task.iter()}
    assert (found["Command"], *arguments_of(found["Arguments"])) == job.command
    assert found["WorkingDirectory"] == job.folder
    assert marked_for(found["Description"]) == job.settings
    SCHEMA.validate(file.decode("utf-16").split("\n", 1)[1])


@given(job=jobs_with(WINDOWS_PATHS))
def test_what_is_printed_means_the_same_in_every_code_page(job: LocalJob) -> None:
    assert windows.render(job).isascii()


@pytest.mark.parametrize("every", PERIODS_MIN)
def test_a_task_says_how_often_it_was_installed_for(every: int) -> None:
    assert windows.installed(windows.render(a_task(every_min=every))) == Installed(every_min=every)


@pytest.mark.parametrize(
    ("span", "every"), [("P1D", 1440), ("PT60M", 60), ("PT1H30M", None), ("PT90S", None), ("P", None), ("?", None)]
)
def test_other_words_for_a_period_are_understood(span: str, every: int | None) -> None:
    assert windows.installed(f"<Interval>{span}</Interval>") == Installed(every_min=every)


def test_the_file_for_task_scheduler_is_utf_16_and_every_other_one_utf_8() -> None:
    assert windows.file(a_task()).data == windows.encoded(windows.file(a_task()).text)
    assert File("a", "\u00fc\n").data == b"\xc3\xbc\n"


def test_what_task_scheduler_would_replace_or_cut_is_refused() -> None:
    assert windows.problems(a_task()) == []
    (problem,) = windows.problems(a_task(folder="C:\\%TEMP%\\bot"))
    assert "%...%" in problem
    (problem,) = windows.problems(a_task(command=("C:\\$(Arg0)\\ticketbot.exe", "run")))
    assert "$(" in problem
    (problem,) = windows.problems(a_task(folder="C:\\" + "x" * 260))
    assert "260" in problem
    (problem,) = windows.problems(a_task(user=""))
    assert "USERNAME" in problem


@pytest.mark.parametrize(("seconds", "text"), [(580, "PT9M40S"), (600, "PT10M"), (86_400, "PT24H"), (3661, "PT1H1M1S")])
def test_a_time_span_is_written_as_xml_has_it(seconds: int, text: str) -> None:
    assert windows.duration(seconds) == text

"""Asking the system's schedulers: what they are told, what of theirs is left alone, and what a refusal looks like."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ticket_processor.commands.schedulers import Cron, Systemd, Windows
from ticket_processor.commands.system_commands import Said, run_program, write_file
from ticket_processor.core.errors import CannotRun, ConfigError
from ticket_processor.schedule import cron, windows
from ticket_processor.schedule.job import Installed

from ..schedule.test_schedule import a_job, a_task

OURS = "/srv/ticketbot/ticketbot.toml"


class Programs:
    """Programs that answer by ``answers``, keyed by the beginning of what they are asked; all else they take."""

    def __init__(self, answers: dict[str, Said | Callable[[bytes], Said]] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[str] = []
        self.given: list[bytes] = []

    def __call__(self, arguments: Sequence[str], standard_input: bytes = b"") -> Said:
        line = " ".join(arguments)
        self.asked.append(line)
        self.given.append(standard_input)
        for begin, answer in self.answers.items():
            if line.startswith(begin):
                return answer(standard_input) if callable(answer) else answer
        return Said(0)


# --- cron


class Crontab(Programs):
    """A crontab that keeps what it is given."""

    def __init__(self, content: bytes | None = None, *, user: str = "") -> None:
        crontab = f"crontab -u {user}" if user else "crontab"
        super().__init__({f"{crontab} -l": self._list, f"{crontab} -r": self._clear, f"{crontab} -": self._keep})
        self.content = content

    def _list(self, _given: bytes) -> Said:
        return Said(1, b"", b"no crontab for jo\n") if self.content is None else Said(0, self.content)

    def _clear(self, _given: bytes) -> Said:
        self.content = None
        return Said(0)

    def _keep(self, given: bytes) -> Said:
        self.content = given
        return Said(0)


def a_cron(crontab: Programs, *, user: str | None = None, **values: object) -> Cron:
    job = replace(a_job(), **values)
    return Cron(job.name, crontab, user=user, block=cron.render(job), settings=job.settings)


def test_the_first_entry_makes_a_crontab_and_removing_it_leaves_none() -> None:
    crontab = Crontab()
    assert "added" in a_cron(crontab).install()[0]
    assert crontab.content == cron.render(a_job()).encode()
    assert "taken out" in a_cron(crontab).remove()[0]
    assert crontab.content is None


def test_other_lines_stay_byte_for_byte_whatever_they_are_encoded_in() -> None:
    before = b"# caf\xe9 \xff\r\n\n0 5 * * * backup\t%x\n"
    crontab = Crontab(before)
    a_cron(crontab).install()
    assert crontab.content is not None
    assert crontab.content.startswith(before)
    a_cron(crontab).remove()
    assert crontab.content == before


def test_installing_twice_writes_once() -> None:
    crontab = Crontab()
    a_cron(crontab).install()
    crontab.asked.clear()
    assert "already" in a_cron(crontab).install()[0]
    assert crontab.asked == ["crontab -l"]


def test_a_new_period_replaces_the_entry() -> None:
    crontab = Crontab()
    a_cron(crontab).install()
    assert "replaced" in a_cron(crontab, every_min=30).install()[0]
    assert crontab.content is not None
    assert crontab.content.count(b"ticketbot run") == 1
    assert b"7-59/30" in crontab.content


def test_two_accounts_have_an_entry_each() -> None:
    crontab = Crontab()
    a_cron(crontab).install()
    a_cron(crontab, name="ticketbot-eu", settings="/srv/eu/ticketbot.toml").install()
    a_cron(crontab).remove()
    assert crontab.content == cron.render(a_job(name="ticketbot-eu", settings="/srv/eu/ticketbot.toml")).encode()


def test_another_installations_entry_is_not_written_over() -> None:
    crontab = Crontab()
    a_cron(crontab).install()
    with pytest.raises(ConfigError, match=r"runs /srv/ticketbot/ticketbot\.toml; give this one another --name"):
        a_cron(crontab, settings="/srv/eu/ticketbot.toml").install()
    assert crontab.content == cron.render(a_job()).encode()


def test_root_asks_for_the_owners_crontab() -> None:
    crontab = Crontab(user="jo")
    a_cron(crontab, user="jo").install()
    assert crontab.asked == ["crontab -u jo -l", "crontab -u jo -"]


@pytest.mark.parametrize(
    "words", ["crontab: can't open 'jo': No such file or directory", "crontab: can't open your crontab file."]
)
def test_other_systems_words_for_no_crontab_are_understood(words: str) -> None:
    crontab = Crontab()
    crontab.answers["crontab -l"] = Said(1, b"", words.encode())
    a_cron(crontab).install()
    assert crontab.content == cron.render(a_job()).encode()


def test_a_crontab_that_may_not_be_read_is_never_written() -> None:
    crontab = Crontab(b"precious\n")
    crontab.answers["crontab -l"] = Said(1, b"", b"You (jo) are not allowed to use this program (crontab)\n")
    with pytest.raises(CannotRun, match=r"You \(jo\) are not allowed"):
        a_cron(crontab).install()
    with pytest.raises(CannotRun, match="not allowed"):
        a_cron(crontab).remove()
    assert crontab.content == b"precious\n"


def test_a_refusal_is_told_in_crontabs_own_words() -> None:
    crontab = Crontab()
    crontab.answers["crontab -"] = Said(1, b"", b'"-":3: bad minute\nerrors in crontab file, can\'t install.\n')
    crontab.answers = {"crontab -l": crontab.answers["crontab -l"], **crontab.answers}
    with pytest.raises(CannotRun, match="bad minute"):
        a_cron(crontab).install()


def test_half_an_entry_is_told_and_left() -> None:
    half = cron.render(a_job()).encode().splitlines(keepends=True)[0]
    crontab = Crontab(half)
    for ask in (a_cron(crontab).install, a_cron(crontab).remove):
        with pytest.raises(CannotRun, match="half an entry"):
            ask()
    assert crontab.content == half


def test_a_line_by_hand_is_pointed_out() -> None:
    crontab = Crontab(b"*/10 * * * * cd /srv/ticketbot && .venv/bin/ticketbot run --quiet\n")
    assert "line 1" in a_cron(crontab).install()[-1]


def test_a_line_by_hand_in_another_users_crontab_is_pointed_out_with_the_way_there() -> None:
    crontab = Crontab(b"*/10 * * * * cd /srv/ticketbot && .venv/bin/ticketbot run --quiet\n", user="jo")
    added, by_hand = a_cron(crontab, user="jo").install()
    assert "crontab -u jo -l" in added
    assert "crontab -u jo -e" in by_hand


def test_what_an_entry_was_installed_with_is_read_back_for_its_own_installation_only() -> None:
    crontab = Crontab()
    assert a_cron(crontab).installed(OURS) is None
    Cron("ticketbot", crontab, block=cron.render(a_job(every_min=30), mail_to="a@example.com"), settings=OURS).install()
    assert a_cron(crontab).installed(OURS) == Installed(every_min=30, mail_to="a@example.com")
    assert a_cron(crontab).installed("/srv/eu/ticketbot.toml") is None


def test_removing_says_whose_entry_it_was() -> None:
    crontab = Crontab()
    a_cron(crontab, settings="/srv/eu/ticketbot.toml").install()
    assert a_cron(crontab).remove() == ["taken out of your crontab: the runs of /srv/eu/ticketbot.toml"]


def test_removing_what_is_not_there_is_no_error_and_says_where_it_is_not() -> None:
    crontab = Crontab(b"0 5 * * * backup\n")
    assert a_cron(crontab).remove() == ["your crontab: there is nothing called ticketbot; nothing was done"]
    assert crontab.content == b"0 5 * * * backup\n"


# --- systemd


def a_systemd(programs: Programs, folder: Path, *, system: bool = True, **values: object) -> Systemd:
    job = replace(a_job(), **values)
    return Systemd(job.name, programs, folder, system=system, job=job)


def test_units_are_written_and_the_timer_is_started(tmp_path: Path) -> None:
    programs = Programs()
    said = a_systemd(programs, tmp_path / "units").install()
    assert {path.name for path in (tmp_path / "units").iterdir()} == {"ticketbot.service", "ticketbot.timer"}
    assert programs.asked[-2:] == ["systemctl daemon-reload", "systemctl enable --now ticketbot.timer"]
    assert said == [
        f"{tmp_path / 'units'}/ticketbot.service written",
        f"{tmp_path / 'units'}/ticketbot.timer written",
        "systemctl daemon-reload",
        "systemctl enable --now ticketbot.timer",
    ]


def test_a_second_time_changes_no_file_and_asks_again(tmp_path: Path) -> None:
    a_systemd(Programs(), tmp_path).install()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    programs = Programs()
    assert sum("already" in line for line in a_systemd(programs, tmp_path).install()) == 2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert "systemctl enable --now ticketbot.timer" in programs.asked


def test_removing_stops_the_timer_and_takes_both_files_back(tmp_path: Path) -> None:
    (tmp_path / "other.service").write_text("theirs", encoding="utf-8")
    a_systemd(Programs(), tmp_path).install()
    programs = Programs()
    Systemd("ticketbot", programs, tmp_path, system=False).remove()
    assert [path.name for path in tmp_path.iterdir()] == ["other.service"]
    assert programs.asked == ["systemctl --user disable --now ticketbot.timer", "systemctl --user daemon-reload"]
    assert "nothing" in Systemd("ticketbot", programs, tmp_path, system=False).remove()[0]


def test_without_a_manager_nothing_is_written(tmp_path: Path) -> None:
    programs = Programs({"systemctl --user": Said(1, b"", b"Failed to connect to bus: No medium found\n")})
    with pytest.raises(CannotRun, match="No medium found; log in as this user"):
        a_systemd(programs, tmp_path, system=False).install()
    assert list(tmp_path.iterdir()) == []


def test_units_that_somebody_else_wrote_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ticketbot.timer").write_text("[Timer]\nOnCalendar=daily\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not ticketbot's"):
        a_systemd(Programs(), tmp_path).install()
    with pytest.raises(CannotRun, match="is not ticketbot's"):
        Systemd("ticketbot", Programs(), tmp_path, system=True).remove()
    assert (tmp_path / "ticketbot.timer").read_text(encoding="utf-8") == "[Timer]\nOnCalendar=daily\n"
    assert not (tmp_path / "ticketbot.service").exists()


def test_units_of_another_installation_are_left_alone(tmp_path: Path) -> None:
    a_systemd(Programs(), tmp_path).install()
    before = (tmp_path / "ticketbot.service").read_bytes()
    with pytest.raises(ConfigError, match="another --name"):
        a_systemd(Programs(), tmp_path, settings="/srv/eu/ticketbot.toml").install()
    assert (tmp_path / "ticketbot.service").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "units").write_text("a file", encoding="utf-8")
    with pytest.raises(CannotRun, match="cannot be"):
        a_systemd(Programs(), tmp_path / "units").install()


def test_a_timers_period_is_read_back_for_its_own_installation_only(tmp_path: Path) -> None:
    there = a_systemd(Programs(), tmp_path, every_min=120)
    assert there.installed(OURS) is None
    there.install()
    assert Systemd("ticketbot", Programs(), tmp_path, system=True).installed(OURS) == Installed(every_min=120)
    assert there.installed("/srv/eu/ticketbot.toml") is None


# --- Windows


class TaskScheduler(Programs):
    """Keeps the file that it is given, as it was when it was given it."""

    def __init__(self, known: bytes | None = None) -> None:
        super().__init__()
        self.known = known
        self.file: Path | None = None

    def __call__(self, arguments: Sequence[str], standard_input: bytes = b"") -> Said:
        self.asked.append(" ".join(arguments))
        match arguments:
            case ["schtasks", "/Query", "/TN", "ticketbot", "/XML"]:
                return Said(0, self.known) if self.known is not None else Said(1, b"", b"ERROR: not found")
            case ["schtasks", "/Create", "/TN", "ticketbot", "/XML", file, "/F"]:
                self.file = Path(file)
                self.known = self.file.read_bytes()
                return Said(0)
            case ["schtasks", "/Delete", "/TN", "ticketbot", "/F"]:
                self.known = None
                return Said(0)
        raise AssertionError(arguments)


def test_task_scheduler_gets_a_file_in_utf_16_which_is_gone_afterwards() -> None:
    tasks = TaskScheduler()
    assert "added" in Windows("ticketbot", tasks, job=a_task()).install()[0]
    assert tasks.known == windows.encoded(windows.render(a_task()))
    assert tasks.file is not None
    assert not tasks.file.exists()


@pytest.mark.parametrize(
    "as_printed", [lambda text: text, lambda text: text.decode("utf-16").encode("cp850", "replace")]
)
def test_a_task_that_is_there_is_replaced_and_can_be_removed(as_printed: Callable[[bytes], bytes]) -> None:
    job = a_task(settings="C:\\Büro \u6771\\ticketbot.toml")
    tasks = TaskScheduler(as_printed(windows.encoded(windows.render(job)).replace(b'"\0', b"&\0q\0u\0o\0t\0;\0")))
    assert "replaced" in Windows("ticketbot", tasks, job=job).install()[0]
    assert "removed" in Windows("ticketbot", tasks).remove()[0]
    assert tasks.known is None
    assert "nothing" in Windows("ticketbot", tasks).remove()[0]


def test_a_tasks_period_is_read_back_for_its_own_installation_only() -> None:
    tasks = TaskScheduler()
    assert Windows("ticketbot", tasks).installed("C:\\My Bot\\ticketbot.toml") is None
    Windows("ticketbot", tasks, job=a_task(every_min=15)).install()
    assert Windows("ticketbot", tasks).installed("C:\\My Bot\\ticketbot.toml") == Installed(every_min=15)
    assert Windows("ticketbot", tasks).installed("C:\\Another\\ticketbot.toml") is None


def test_somebody_elses_task_is_left_alone() -> None:
    tasks = TaskScheduler(b"<Task><Description>backup</Description></Task>")
    with pytest.raises(ConfigError, match="is not ticketbot's"):
        Windows("ticketbot", tasks, job=a_task()).install()
    with pytest.raises(CannotRun, match="is not ticketbot's"):
        Windows("ticketbot", tasks).remove()
    assert tasks.known is not None


def test_a_refusal_of_task_scheduler_says_what_to_do() -> None:
    programs = Programs({"schtasks /Query": Said(1), "schtasks": Said(1, b"", b"ERROR: Access is denied.\r\n")})
    with pytest.raises(CannotRun, match=r"Access is denied\.; .*Run as administrator"):
        Windows("ticketbot", programs, job=a_task()).install()


# --- programs


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(CannotRun, match="there is no program ticketbot-no-such-program here"):
        run_program(["ticketbot-no-such-program", "-l"])


def test_programs_are_asked_in_english_with_everything_else_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("TICKETBOT_TESTED", "yes")
    said = run_program(
        [sys.executable, "-c", "import os; print(os.environ['LC_ALL'], os.environ['TICKETBOT_TESTED'], input())"],
        b"given",
    )
    assert (said.code, said.out.split()) == (0, [b"C", b"yes", b"given"])


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps access lists instead")
def test_what_a_scheduler_is_handed_can_be_read_by_everybody_and_changed_by_its_owner(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_file(tmp_path / "units" / "ticketbot.service", b"[Service]")
    finally:
        os.umask(before)
    (written,) = (tmp_path / "units").iterdir()
    assert stat.S_IMODE(written.stat().st_mode) == 0o644

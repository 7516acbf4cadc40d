"""``ticketbot schedule`` for several accounts: one job, which starts one run for all of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .accounts import Accounts
from .test_schedule_command import CRONTAB, needs_sh

WINDOWS_USER = {"USERNAME": "jo", "USERDOMAIN": "OFFICE"}


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Accounts]:
    """Two accounts in a folder, and a crontab that is a file."""
    accounts = Accounts(tmp_path, "acme", "bolt")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "crontab").write_text(CRONTAB, encoding="utf-8")
    (programs / "crontab").chmod(0o755)
    accounts.environ |= {
        "PATH": os.pathsep.join((str(programs), os.environ["PATH"])),
        "CRONTAB": str(tmp_path / "crontab.txt"),
    }
    yield accounts
    accounts.close()


def crontab(desks: Accounts) -> list[str]:
    return (desks.folder / "crontab.txt").read_text(encoding="utf-8").splitlines()


@needs_sh
def test_a_folder_is_one_entry_whose_runs_triage_every_account_from_anywhere(desks: Accounts) -> None:
    desks("run", "--config", "accounts", "--since", "1d", "--limit", "1", "--quiet")
    installed = desks("schedule", "install", "cron", "--every", "15", "--config", "accounts")
    assert "an entry was added" in installed.out
    (line,) = (line for line in crontab(desks) if "/15 * * * * " in line)
    command = line.split(None, 5)[5]
    assert command.endswith(f"run --quiet --config {desks.configs}")
    subprocess.run(["/bin/sh", "-c", command], cwd="/", env={"PATH": "/usr/bin:/bin"}, check=True)
    assert [desks.triaged(name) for name in desks.stores] == [[1, 2], [1, 2]]
    again = desks("schedule", "install", "cron", "--config", str(desks.configs))
    assert "already, as it is" in again.out
    assert "kept: every 15 minutes" in again.err
    assert f"the runs of {desks.configs}" in desks("schedule", "remove", "cron", "--config", "accounts").out
    assert not (desks.folder / "crontab.txt").exists()


@needs_sh
def test_before_every_account_has_begun_nothing_is_installed(desks: Accounts) -> None:
    desks("run", "--config", "accounts/acme.toml", "--since", "now")
    refused = desks("schedule", "install", "cron", "--config", "accounts", code=2)
    assert "ticketbot: bolt: no run has been made yet" in refused.err
    assert "acme" not in refused.err
    assert not (desks.folder / "crontab.txt").exists()


@needs_sh
def test_one_account_of_the_folder_may_have_a_job_of_its_own(desks: Accounts) -> None:
    desks("run", "--config", "accounts/acme.toml", "--since", "now")
    desks("schedule", "install", "cron", "--config", "accounts/acme.toml", "--name", "acme")
    (line,) = (line for line in crontab(desks) if line[0].isdigit())
    assert line.endswith(f"run --quiet --config {desks.configs / 'acme.toml'}")


@pytest.mark.parametrize("scheduler", ["cron", "systemd", "windows"])
def test_an_account_that_is_wrong_is_named_with_each_of_its_problems(desks: Accounts, scheduler: str) -> None:
    (desks.configs / "bolt.toml").write_text('helpdesk = "local"\nno_such = 1\n[run]\nworkers = "x"\n', "utf-8")
    refused = desks("schedule", "show", scheduler, "--config", "accounts", code=2, **WINDOWS_USER)
    assert refused.err.count("ticketbot: bolt: ") == 2
    assert "acme" not in refused.err
    assert refused.out == ""


def test_systemd_lets_the_run_write_for_each_account_and_leaves_it_the_longest_deadline(desks: Accounts) -> None:
    file = desks.configs / "bolt.toml"
    file.write_text(file.read_text("utf-8") + "[run]\ndeadline_s = 1000\n", "utf-8")
    too_often = desks("schedule", "show", "systemd", "--config", "accounts", code=2)
    assert "with run.deadline_s = 1000 a run that hangs is cut off after 1040 s" in too_often.err
    shown = desks("schedule", "show", "systemd", "--every", "20", "--config", "accounts").out
    assert f"\nWorkingDirectory={desks.configs}\n" in shown
    assert "\nTimeoutStartSec=1040\n" in shown
    for name in desks.stores:
        for kind in ("state", "logs"):
            assert f"{desks.configs / kind / name}\n" in shown


def test_files_are_named_in_the_task_one_by_one(desks: Accounts) -> None:
    words = [word for name in desks.stores for word in ("--config", str(Path("accounts", f"{name}.toml")))]
    shown = desks("schedule", "show", "windows", *words, **WINDOWS_USER)
    task = ElementTree.fromstring(shown.out)
    (arguments,) = (each.text or "" for each in task.iter() if each.tag.endswith("}Arguments"))
    files = [str(desks.configs / f"{name}.toml") for name in desks.stores]
    assert arguments.endswith(" ".join(f"--config {file}" for file in files))


def test_an_entry_can_be_removed_although_the_files_are_gone(desks: Accounts) -> None:
    ended = desks("schedule", "remove", "cron", "--config", "elsewhere", "--config", "nowhere")
    assert "there is nothing called ticketbot" in ended.out

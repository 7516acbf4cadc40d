"""``ticketbot schedule`` through the real command: what is installed starts a real run, from anywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .accounts import Accounts
from .conftest import Command, Desk, Ended

SECRET = "sandbox-secret"
WINDOWS_USER = {"USERNAME": "jo", "USERDOMAIN": "OFFICE"}
needs_sh = pytest.mark.skipif(sys.platform == "win32", reason="needs a shell and a crontab")
CRONTAB = """\
#!/bin/sh
[ "$1" = -u ] && shift 2
case "$1" in
  -l) if [ -f "$CRONTAB" ]; then cat "$CRONTAB"; else echo "no crontab for you" >&2; exit 1; fi ;;
  -r) rm "$CRONTAB" ;;
  -) cat > "$CRONTAB" ;;
  *) exit 2 ;;
esac
"""


def with_crontab(folder: Path) -> str:
    """A search path that begins with an imitated ``crontab``."""
    (folder / "bin").mkdir()
    (folder / "bin" / "crontab").write_text(CRONTAB, encoding="utf-8")
    (folder / "bin" / "crontab").chmod(0o755)
    return os.pathsep.join((str(folder / "bin"), os.environ["PATH"]))


class Site:
    """An installation in a folder with an awkward name, with its settings where a scheduled run looks for them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.folder = desk.folder / "our site; one & more"
        self.folder.mkdir()
        self.config = self.folder / "ticketbot.toml"
        self.config.write_text("[run]\nworkers = 4\n", encoding="utf-8")
        self.crontab = desk.folder / "crontab.txt"
        self.path = with_crontab(desk.folder)
        self.write_env()

    def write_env(self, **other: str) -> None:
        places = {"TICKETBOT_STATE_DIR": str(self.desk.state), "TICKETBOT_LOG_DIR": str(self.desk.logs)}
        lines = [f"{name}='{value}'" for name, value in {**self.desk.environ, **places, **other}.items()]
        (self.folder / ".env").write_text("\n".join(lines), encoding="utf-8")

    def __call__(self, *arguments: str, code: int = 0, **environ: str) -> Ended:
        environ = {"PATH": self.path, "CRONTAB": str(self.crontab), **environ}
        return self.desk(*arguments, "--config", str(self.config.relative_to(self.desk.folder)), code=code, **environ)

    def begin(self) -> None:
        self("run", "--since", "1d", "--limit", "1", "--quiet")


@pytest.fixture
def site(desk: Desk) -> Site:
    return Site(desk)


def test_all_problems_are_told_at_once(site: Site) -> None:
    site.config.write_text("[run]\nworkers = 0\n", encoding="utf-8")
    site.write_env(TICKETBOT_STATEDIR="x")
    refused = site("schedule", "install", "systemd", "--every", "7", "--name", "A B", code=2)
    for word in ("run.workers", "TICKETBOT_STATEDIR", "--every 7", "--name"):
        assert sum(word in line for line in refused.err.splitlines()) == 1, word
    assert refused.out == ""


@needs_sh
def test_settings_of_this_terminal_alone_are_no_settings_of_a_scheduled_run(site: Site) -> None:
    (site.folder / ".env").unlink()
    refused = site("schedule", "show", "cron", code=2)
    for word in ("ZENDESK_URL", "ZENDESK_OAUTH_CLIENT_SECRET", str(site.folder / ".env")):
        assert word in refused.err
    assert SECRET not in refused.err


@pytest.mark.parametrize("scheduler", ["cron", "systemd", "windows"])
def test_no_file_holds_a_secret_and_every_path_is_absolute(site: Site, scheduler: str) -> None:
    shown = site("schedule", "show", scheduler, USERNAME="jo", USERDOMAIN="OFFICE")
    assert SECRET not in shown.out + shown.err
    # Written plain or escaped, the folder's first words are what both have in common.
    assert str(site.desk.folder / "our site") in shown.out
    assert not re.search(r"(?<!/)our site", shown.out)


@needs_sh
@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "no program crontab"),
        ("#!/bin/sh\necho 'You are not allowed to use this program' >&2\nexit 1\n", "You are not allowed"),
    ],
)
def test_a_crontab_that_does_not_answer_is_3_with_the_reason(site: Site, script: str | None, words: str) -> None:
    site.begin()
    if script is None:
        refused = site("schedule", "install", "cron", code=3, PATH=str(site.folder))
    else:
        (site.desk.folder / "bin" / "crontab").write_text(script, encoding="utf-8")
        refused = site("schedule", "install", "cron", code=3)
    assert words in refused.err
    assert "note:" not in refused.err, "what holds for an installed job is said of none"
    assert refused.out == ""


@needs_sh
def test_an_entry_can_be_removed_although_the_settings_are_broken(site: Site) -> None:
    site.begin()
    site("schedule", "install", "cron")
    site.config.write_text("broken", encoding="utf-8")
    (site.folder / ".env").unlink()
    site("schedule", "remove", "cron")
    assert not site.crontab.exists()


def test_without_a_configuration_file_the_folder_is_what_counts(site: Site) -> None:
    site.config.unlink()
    command = Command(site.folder, site.desk.environ)
    shown = command("schedule", "show", "systemd")
    (start,) = (line for line in shown.out.splitlines() if line.startswith("ExecStart="))
    assert start.endswith("run --quiet")
    (folder,) = (line for line in shown.out.splitlines() if line.startswith("WorkingDirectory="))
    assert folder.removeprefix("WorkingDirectory=") == str(site.folder)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may give a file away")
def test_root_schedules_for_the_owner_of_the_settings(site: Site) -> None:
    import pwd

    owner = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
    os.chown(site.config, owner.pw_uid, owner.pw_gid)
    shown = site("schedule", "show", "systemd")
    assert f"\nUser={owner.pw_name}\n" in shown.out
    assert "will be root's" not in shown.err
    assert f"crontab of {owner.pw_name}: there is nothing" in site("schedule", "remove", "cron").out
    os.chown(site.config, 0, 0)
    assert "will be root's" in site("schedule", "show", "systemd").err


# --- several accounts: one job, which starts one run for all of them


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Accounts]:
    """Two accounts in a folder, and a crontab that is a file."""
    accounts = Accounts(tmp_path, "acme", "bolt")
    accounts.environ |= {"PATH": with_crontab(tmp_path), "CRONTAB": str(tmp_path / "crontab.txt")}
    yield accounts
    accounts.close()


@needs_sh
def test_a_folder_is_one_entry_whose_runs_triage_every_account_from_anywhere(desks: Accounts) -> None:
    desks("run", "--config", "accounts", "--since", "1d", "--limit", "1", "--quiet")
    installed = desks("schedule", "install", "cron", "--every", "15", "--config", "accounts")
    assert "ticketbot is installed; a run every 15 minutes" in installed.out
    (line,) = (
        line
        for line in (desks.folder / "crontab.txt").read_text(encoding="utf-8").splitlines()
        if "/15 * * * * " in line
    )
    command = line.split(None, 5)[5]
    assert command.endswith(f"run --quiet --config {desks.configs}")
    subprocess.run(["/bin/sh", "-c", command], cwd="/", env={"PATH": "/usr/bin:/bin"}, check=True)
    assert [desks.triaged(name) for name in desks.stores] == [[1, 2], [1, 2]]
    before = (desks.folder / "crontab.txt").read_bytes()
    desks("schedule", "install", "cron", "--every", "15", "--config", str(desks.configs))
    assert (desks.folder / "crontab.txt").read_bytes() == before
    assert f"no more runs of {desks.configs}" in desks("schedule", "remove", "cron", "--config", "accounts").out
    assert not (desks.folder / "crontab.txt").exists()


@pytest.mark.parametrize("scheduler", ["cron", "systemd", "windows"])
def test_an_account_that_is_wrong_is_named_with_each_of_its_problems(desks: Accounts, scheduler: str) -> None:
    (desks.configs / "bolt.toml").write_text('helpdesk = "local"\nno_such = 1\n[run]\nworkers = "x"\n', "utf-8")
    refused = desks("schedule", "show", scheduler, "--config", "accounts", code=2, **WINDOWS_USER)
    assert refused.err.count("ticketbot: bolt: ") == 2
    assert "acme" not in refused.err
    assert refused.out == ""


def test_systemd_leaves_the_run_the_longest_deadline(desks: Accounts) -> None:
    file = desks.configs / "bolt.toml"
    file.write_text(file.read_text("utf-8") + "[run]\ndeadline_s = 1000\n", "utf-8")
    too_often = desks("schedule", "show", "systemd", "--config", "accounts", code=2)
    assert "with run.deadline_s = 1000 a run that hangs is cut off after 1040 s" in too_often.err
    shown = desks("schedule", "show", "systemd", "--every", "20", "--config", "accounts").out
    assert f"\nWorkingDirectory={desks.configs}\n" in shown
    assert "\nTimeoutStartSec=1040\n" in shown

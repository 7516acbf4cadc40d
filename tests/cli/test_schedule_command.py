"""``ticketbot schedule`` through the real command: what is installed starts a real run, from anywhere."""

from __future__ import annotations

import os
import re
import sys
from contextlib import closing
from pathlib import Path

import pytest

from .accounts import Accounts
from .conftest import Command, Desk, Ended

SECRET = "sandbox-secret"
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
def test_a_job_that_is_refused_is_3_and_one_can_be_removed_although_the_settings_are_broken(site: Site) -> None:
    site("run", "--since", "1d", "--limit", "1", "--quiet")
    refused = site("schedule", "install", "cron", code=3, PATH=str(site.folder))
    assert "no program crontab" in refused.err
    assert "note:" not in refused.err, "what holds for an installed job is said of none"
    assert refused.out == ""
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


def test_a_folder_is_one_job_with_the_longest_deadline_of_its_accounts(tmp_path: Path) -> None:
    with closing(Accounts(tmp_path, "acme", "bolt")) as desks:
        file = desks.configs / "bolt.toml"
        wrong = 'helpdesk = "local"\nno_such = 1\n[run]\nworkers = "x"\n'
        whole = file.read_text("utf-8") + "[run]\ndeadline_s = 1000\n"
        show = ("schedule", "show", "systemd", "--config", "accounts")
        file.write_text(wrong, "utf-8")
        refused = desks(*show, code=2)
        assert (refused.err.count("ticketbot: bolt: "), "acme" in refused.err, refused.out) == (2, False, "")
        file.write_text(whole, "utf-8")
        too_often = desks(*show, code=2)
        assert "with run.deadline_s = 1000 a run that hangs is cut off after 1040 s" in too_often.err
        shown = desks(*show, "--every", "20").out
        assert f" run --quiet --config {desks.configs}\n" in shown
        assert f"\nWorkingDirectory={desks.configs}\n" in shown
        assert "\nTimeoutStartSec=1040\n" in shown

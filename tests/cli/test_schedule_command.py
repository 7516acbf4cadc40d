"""``ticketbot schedule`` through the real command: what is installed starts a real run, from anywhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ticket_processor.commands.installation import Account, barred

from .conftest import Command, Desk, Ended

SECRET = "sandbox-secret"
needs_sh = pytest.mark.skipif(sys.platform == "win32", reason="needs a shell and a crontab")
CRONTAB = """\
#!/bin/sh
case "$1" in
  -l) if [ -f "$CRONTAB" ]; then cat "$CRONTAB"; else echo "no crontab for you" >&2; exit 1; fi ;;
  -r) rm "$CRONTAB" ;;
  -) cat > "$CRONTAB" ;;
  *) exit 2 ;;
esac
"""


class Site:
    """An installation in a folder with an awkward name, with its settings where a scheduled run looks for them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.folder = desk.folder / "our site 100% $HOME 'n' more"
        self.folder.mkdir()
        self.config = self.folder / "ticketbot.toml"
        self.config.write_text("[run]\nworkers = 4\n", encoding="utf-8")
        self.crontab = desk.folder / "crontab.txt"
        programs = desk.folder / "bin"
        programs.mkdir()
        (programs / "crontab").write_text(CRONTAB, encoding="utf-8")
        (programs / "crontab").chmod(0o755)
        self.path = os.pathsep.join((str(programs), os.environ["PATH"]))
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

    def commands(self) -> list[str]:
        """The commands of the crontab as cron hands them to the shell."""
        lines = [
            line for line in self.crontab.read_text(encoding="utf-8").splitlines() if line and line[0] in "*0123456789"
        ]
        return [line.split(None, 5)[5].replace(r"\%", "%") for line in lines]


@pytest.fixture
def site(desk: Desk) -> Site:
    return Site(desk)


@needs_sh
def test_what_is_installed_runs_from_anywhere_with_an_empty_environment(site: Site) -> None:
    site.begin()
    site("schedule", "install", "cron")
    (command,) = site.commands()
    ended = subprocess.run(
        ["/bin/sh", "-c", command], cwd="/", env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    site.desk.assert_done()


@needs_sh
def test_twice_is_one_entry_and_removing_leaves_what_was_there(site: Site) -> None:
    site.crontab.write_bytes(b"# mine\n0 5 * * * backup %x\n")
    site.begin()
    assert "added" in site("schedule", "install", "cron").out
    once = site.crontab.read_bytes()
    assert "already" in site("schedule", "install", "cron").out
    assert site.crontab.read_bytes() == once
    assert "taken out" in site("schedule", "remove", "cron").out
    assert site.crontab.read_bytes() == b"# mine\n0 5 * * * backup %x\n"
    assert "nothing" in site("schedule", "remove", "cron").out


@needs_sh
def test_show_prints_what_install_puts_there_and_changes_nothing(site: Site) -> None:
    site.begin()
    shown = site("schedule", "show", "cron", "--every", "30", "--mail-to", "team@example.com")
    assert "by hand: crontab -" in shown.err
    assert "this is for another system" not in shown.err
    assert not site.crontab.exists()
    site("schedule", "install", "cron", "--every", "30", "--mail-to", "team@example.com")
    assert site.crontab.read_text(encoding="utf-8") == shown.out


@needs_sh
def test_what_is_not_said_again_stays_as_it_was_installed_and_the_output_says_so(site: Site) -> None:
    site.begin()
    first = site("schedule", "install", "cron", "--every", "15", "--mail-to", "team@example.com")
    assert "kept:" not in first.err
    assert first.out.splitlines()[-1] == "a run every 15 minutes"
    before = site.crontab.read_bytes()
    again = site("schedule", "install", "cron")
    assert site.crontab.read_bytes() == before
    assert "kept: every 15 minutes, mail to team@example.com" in again.err
    assert again.out.splitlines()[-1] == "a run every 15 minutes"
    assert site("schedule", "show", "cron").out.encode() == before
    assert "cron starts these runs as well" in site("schedule", "show", "systemd").err
    rarer = site("schedule", "install", "cron", "--every", "30")
    assert "kept: mail to team@example.com" in rarer.err
    assert "-59/30 * * * * " in site.crontab.read_text(encoding="utf-8")
    site("schedule", "install", "cron", "--mail-to", "")
    changed = site.crontab.read_text(encoding="utf-8")
    assert "MAILTO" not in changed
    assert "-59/30 * * * * " in changed


@needs_sh
def test_nothing_is_kept_of_another_installations_entry(site: Site) -> None:
    site.begin()
    site("schedule", "install", "cron", "--every", "30")
    text = site.crontab.read_text(encoding="utf-8")
    site.crontab.write_text(text.replace('ticketbot schedule for "', 'ticketbot schedule for "/srv'), encoding="utf-8")
    shown = site("schedule", "show", "cron")
    assert "kept:" not in shown.err
    assert "-59/10 * * * * " in shown.out


@needs_sh
def test_an_entry_that_cannot_be_read_back_is_told_with_what_is_set_instead(site: Site) -> None:
    site.begin()
    site("schedule", "install", "cron", "--every", "30")
    by_hand = re.sub(
        r"^\S+ \* \* \* \*", "1,17,43 * * * *", site.crontab.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    site.crontab.write_text(by_hand, encoding="utf-8")
    told = site("schedule", "install", "cron")
    assert "how often the entry that is there starts runs cannot be read; set: every 10 minutes" in told.err
    (site.desk.folder / "bin" / "crontab").write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
    shown = site("schedule", "show", "cron")
    assert "what an earlier installation was made with cannot be read" in shown.err
    assert "set: every 10 minutes" in shown.err


@pytest.mark.parametrize("scheduler", ["cron", "systemd"])
def test_where_nothing_is_installed_nothing_cannot_be_read(site: Site, scheduler: str) -> None:
    shown = site("schedule", "show", scheduler, PATH=str(site.folder))
    assert "cannot be read" not in shown.err


def test_rarer_runs_say_which_settings_have_to_follow_until_they_do(site: Site) -> None:
    site.write_env(TICKETBOT_HEARTBEAT_URL="https://hc.example/secret-uuid")
    site.config.write_text("[alerts]\nstale_minutes = 40\n", encoding="utf-8")
    shown = site("schedule", "show", "systemd", "--every", "60")
    for words in ("alerts.stale_minutes = 240 (it is 40)", "its period to 60 and"):
        assert words in shown.err
    assert "secret-uuid" not in shown.out + shown.err
    site.config.write_text("[alerts]\nstale_minutes = 240\n", encoding="utf-8")
    site.write_env()
    assert "every 60 minutes" not in site("schedule", "show", "systemd", "--every", "60").err


def test_a_file_is_written_byte_for_byte_as_it_is_handed_over(site: Site) -> None:
    site.config.rename(site.config.with_name("\u00fcber \u6771.toml"))
    site.config = site.config.with_name("\u00fcber \u6771.toml")
    user = {"USERNAME": "jo", "USERDOMAIN": "OFFICE"}
    file = site.desk.folder / "new" / "task.xml"
    written = site("schedule", "show", "windows", "--output", str(file), **user)
    assert written.out.splitlines()[0] == f"{file} written"
    assert file.read_bytes().startswith('\ufeff<?xml version="1.0" encoding="UTF-16"?>\r\n'.encode("utf-16-le"))
    task = ElementTree.fromstring(file.read_bytes())
    printed = site("schedule", "show", "windows", **user)
    assert "schtasks /Create /TN ticketbot /XML ticketbot.xml" in printed.err
    assert ("this is for another system" in printed.err) == (sys.platform != "win32")
    assert printed.out.isascii(), "so that no code page matters"
    same = ElementTree.fromstring(printed.out)
    texts = [(element.text or "").strip() for element in same.iter()]
    assert texts == [(element.text or "").strip() for element in task.iter()]
    assert any(str(site.config) in text for text in texts)


def test_more_than_one_file_goes_into_a_folder(site: Site) -> None:
    folder = site.desk.folder / "units"
    told = site("schedule", "show", "systemd", "--output", str(folder), "--json").object
    assert {Path(path).name for path in told["written"]} == {"ticketbot.service", "ticketbot.timer"}
    for file in told["files"]:
        assert (folder / Path(file["path"]).name).read_bytes() == file["content"].encode()
    (site.desk.folder / "taken").write_text("a file", encoding="utf-8")
    refused = site("schedule", "show", "systemd", "--output", str(site.desk.folder / "taken"), code=3)
    assert "cannot be written" in refused.err


@needs_sh
def test_before_the_first_run_nothing_is_installed_and_show_says_why(site: Site) -> None:
    refused = site("schedule", "install", "cron", code=2)
    assert "ticketbot run --since now" in refused.err
    assert not site.crontab.exists()
    assert "ticketbot run --since now" in site("schedule", "show", "cron").err


def test_all_problems_are_told_at_once(site: Site) -> None:
    site.config.write_text("[run]\nworkers = 0\n", encoding="utf-8")
    site.write_env(TICKETBOT_STATEDIR="x")
    refused = site(
        "schedule", "install", "systemd", "--every", "7", "--name", "A B", "--mail-to", "a@example.com", code=2
    )
    for word in ("run.workers", "TICKETBOT_STATEDIR", "--every 7", "--name", "--mail-to belongs to cron"):
        assert sum(word in line for line in refused.err.splitlines()) == 1, word
    assert refused.out == ""


def test_a_period_shorter_than_a_run_is_refused_until_runs_are_shorter(site: Site) -> None:
    assert "run.deadline_s = 260 or less" in site("schedule", "show", "cron", "--every", "5", code=2).err
    site.config.write_text("[run]\ndeadline_s = 260\n", encoding="utf-8")
    assert "TimeoutStartSec=300\n" in site("schedule", "show", "systemd", "--every", "5").out


@needs_sh
def test_settings_of_this_terminal_alone_are_no_settings_of_a_scheduled_run(site: Site) -> None:
    (site.folder / ".env").unlink()
    refused = site("schedule", "show", "cron", code=2)
    hint = refused.err.splitlines()[-1]
    for word in ("ZENDESK_URL", "ZENDESK_OAUTH_CLIENT_SECRET", "set in this terminal", str(site.folder / ".env")):
        assert word in hint
    assert SECRET not in refused.err


@needs_sh
def test_a_difference_between_this_terminal_and_the_file_is_told(site: Site) -> None:
    assert "set otherwise" not in site("schedule", "show", "cron").err
    shown = site("schedule", "show", "cron", ZENDESK_OAUTH_CLIENT_ID="another", TICKETBOT_MODELS="m")
    (note,) = (line for line in shown.err.splitlines() if "set otherwise" in line)
    assert "ZENDESK_OAUTH_CLIENT_ID, TICKETBOT_MODELS:" in note


@pytest.mark.parametrize("scheduler", ["cron", "systemd", "windows"])
def test_no_file_holds_a_secret_and_every_path_is_absolute(site: Site, scheduler: str) -> None:
    shown = site("schedule", "show", scheduler, "--json", USERNAME="jo", USERDOMAIN="OFFICE")
    assert SECRET not in shown.out + shown.err
    assert shown.object["scheduler"] == scheduler
    assert shown.object["commands"]
    for file in shown.object["files"]:
        assert file["path"]
        # Written plain or escaped, the folder's first words are what both have in common.
        assert str(site.desk.folder / "our site") in file["content"]
        assert not re.search(r"(?<!/)our site", file["content"])


@needs_sh
def test_json_of_install_and_remove_says_what_was_done(site: Site) -> None:
    site.begin()
    assert "added" in site("schedule", "install", "cron", "--json").object["done"][0]
    assert site("schedule", "remove", "cron", "--json").object == {
        "scheduler": "cron",
        "name": "ticketbot",
        "done": [f"taken out of your crontab: the runs of {site.config}"],
    }


@needs_sh
def test_a_system_without_crontab_is_3_and_says_so(site: Site) -> None:
    site.begin()
    refused = site("schedule", "install", "cron", code=3, PATH=str(site.folder))
    assert "no program crontab" in refused.err
    assert refused.out == ""


@needs_sh
def test_a_crontab_that_refuses_is_3_with_its_own_words(site: Site) -> None:
    site.begin()
    script = site.desk.folder / "bin" / "crontab"
    script.write_text("#!/bin/sh\necho 'You are not allowed to use this program' >&2\nexit 1\n", encoding="utf-8")
    assert "You are not allowed" in site("schedule", "install", "cron", code=3).err


@needs_sh
def test_an_entry_can_be_removed_although_the_settings_are_broken(site: Site) -> None:
    site.begin()
    site("schedule", "install", "cron")
    site.config.write_text("broken", encoding="utf-8")
    (site.folder / ".env").unlink()
    site("schedule", "remove", "cron")
    assert not site.crontab.exists()


@needs_sh
def test_two_accounts_are_two_names(site: Site) -> None:
    site.begin()
    site("schedule", "install", "cron")
    other = site.folder.with_name("other")
    other.mkdir()
    for name in (".env", "ticketbot.toml"):
        (other / name).write_bytes((site.folder / name).read_bytes())
    site.config = other / "ticketbot.toml"
    assert "another --name" in site("schedule", "install", "cron", code=2).err
    site("schedule", "install", "cron", "--name", "ticketbot-eu")
    assert len(site.commands()) == 2


def test_folders_beside_the_settings_are_told_to_systemd_without_detours(site: Site) -> None:
    (site.folder / ".env").write_text(
        "\n".join(f"{name}={value}" for name, value in site.desk.environ.items()), encoding="utf-8"
    )
    site.config.write_text('log_dir = "../receipts"\nstate_dir = "./state"\n', encoding="utf-8")
    shown = site("schedule", "show", "systemd").out
    places = [line for line in shown.splitlines() if line.startswith("ReadWritePaths=")]
    assert not any("/.." in line or "/./" in line for line in places)
    assert any(f"-{site.desk.folder / 'receipts'}" in line for line in places)


def test_without_a_configuration_file_the_folder_is_what_counts(site: Site) -> None:
    site.config.unlink()
    command = Command(site.folder, site.desk.environ)
    shown = command("schedule", "show", "systemd")
    (start,) = (line for line in shown.out.splitlines() if line.startswith("ExecStart="))
    assert start.endswith("run --quiet")
    (folder,) = (line for line in shown.out.splitlines() if line.startswith("WorkingDirectory="))
    assert folder.removeprefix("WorkingDirectory=").replace("%%", "%") == str(site.folder)


@needs_sh
def test_the_program_is_this_installations_own(site: Site) -> None:
    words = shlex.split(site("schedule", "show", "cron").out.splitlines()[2].split(None, 5)[5])
    program = next(word for word in words if Path(word).name.startswith(("ticketbot", "python")))
    assert Path(program).parent == Path(sys.executable).parent


only_root = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may give a file away")


@only_root
def test_what_the_runs_user_may_not_use_is_found_and_nothing_else() -> None:
    import pwd

    owner = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
    account = Account(owner.pw_name, Path(owner.pw_dir), other_user=owner.pw_name)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        secret, logs, state = folder / ".env", folder / "logs", folder / "below" / "state"
        places = {secret: 4, logs: 7, state: 7}
        assert str(secret) not in barred(account, places)[0], "what is only read may be missing"
        assert f"{logs}, {state};" in barred(account, places)[0]
        assert barred(Account("root", Path("/root"), is_root=True), places) == []
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        assert barred(account, places) == []
        secret.touch(mode=0o600)
        assert f"{secret};" in barred(account, places)[0]
        os.chown(secret, 0, owner.pw_gid)
        secret.chmod(0o640)
        assert barred(account, places) == []
        folder.chmod(0o600)
        assert barred(account, places) != []


@only_root
def test_root_schedules_for_the_owner_of_the_settings(site: Site) -> None:
    import pwd

    owner = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
    os.chown(site.config, owner.pw_uid, owner.pw_gid)
    shown = site("schedule", "show", "systemd")
    assert f"\nUser={owner.pw_name}\n" in shown.out
    assert "will be root's" not in shown.err
    commands = site("schedule", "show", "cron", "--json").object["commands"]
    assert commands == [f"crontab -u {owner.pw_name} -e"]
    (site.folder / ".env").chmod(0o600)
    site.desk.state.mkdir(exist_ok=True)
    (barred,) = (line for line in site("schedule", "show", "cron").err.splitlines() if "may not" in line)
    for place in (site.folder / ".env", site.desk.state):
        assert str(place) in barred
    os.chown(site.config, 0, 0)
    assert "will be root's" in site("schedule", "show", "systemd").err

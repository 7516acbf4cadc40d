"""``ticketbot schedule`` through the real command: what is installed starts a real run, from anywhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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
    assert not site.crontab.exists()
    site("schedule", "install", "cron", "--every", "30", "--mail-to", "team@example.com")
    assert site.crontab.read_text(encoding="utf-8") == shown.out


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


@pytest.mark.parametrize("scheduler", ["cron", "systemd", "windows", "kubernetes"])
def test_no_file_holds_a_secret_and_every_path_is_absolute(site: Site, scheduler: str) -> None:
    image = ("--image", "ticketbot:1.0") if scheduler == "kubernetes" else ()
    shown = site("schedule", "show", scheduler, "--json", *image, USERNAME="jo", USERDOMAIN="OFFICE")
    assert SECRET not in shown.out + shown.err
    assert shown.object["scheduler"] == scheduler
    assert shown.object["commands"]
    for file in shown.object["files"]:
        assert file["path"]
        if scheduler != "kubernetes":
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
        "done": ["taken out of your crontab"],
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


def test_kubernetes_needs_no_account_here_and_takes_the_configuration_along(bare: Command) -> None:
    (bare.folder / "ticketbot.toml").write_text("# Ours: \u00fc\n[run]\ndeadline_s = 240\n", encoding="utf-8")
    shown = bare("schedule", "show", "kubernetes", "--image", "registry.example/ticketbot:1.0", "--every", "5")
    documents = {document["kind"]: document for document in yaml.safe_load_all(shown.out)}
    assert documents["ConfigMap"]["data"]["ticketbot.toml"] == "# Ours: \u00fc\n[run]\ndeadline_s = 240\n"
    assert documents["CronJob"]["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 280
    assert "--image" in bare("schedule", "show", "kubernetes", code=2).err


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


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may give a file away")
def test_root_schedules_for_the_owner_of_the_settings(site: Site) -> None:
    import pwd

    owner = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
    os.chown(site.config, owner.pw_uid, owner.pw_gid)
    shown = site("schedule", "show", "systemd")
    assert f"\nUser={owner.pw_name}\n" in shown.out
    assert "will be root's" not in shown.err
    commands = site("schedule", "show", "cron", "--json").object["commands"]
    assert commands == [f"crontab -u {owner.pw_name} -e"]
    os.chown(site.config, 0, 0)
    assert "will be root's" in site("schedule", "show", "systemd").err

"""``ticketbot run`` with several configuration files: an account each, in one process."""

from __future__ import annotations

import io
import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.commands import many_accounts
from ticket_processor.commands.screen import Screen
from ticket_processor.core.clock import SystemClock
from ticket_processor.core.errors import worst
from ticket_processor.settings.schema import Settings
from ticket_processor.wiring import runs
from ticket_processor.wiring.runs import Finished, RunArguments

from .accounts import Accounts
from .conftest import wait_for


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Accounts]:
    """Three accounts."""
    accounts = Accounts(tmp_path, "acme", "bolt", "cord")
    yield accounts
    accounts.close()


def test_a_folder_of_accounts_is_triaged_in_one_process_each_with_its_own_state_and_log(desks: Accounts) -> None:
    ended = desks("run", "--config", "accounts", "--since", "1d")
    for name in desks.stores:
        assert desks.triaged(name) == [1, 2]
        assert (desks.configs / "state" / name / "state.sqlite3").is_file()
        assert list((desks.configs / "logs" / name).glob("*.jsonl"))
        assert f"{name}: ticket 1: updated" in ended.out
    assert "3 accounts, 3 of them well: 6 updated" in ended.out
    versions = [desks.ticket(name, 1).version for name in desks.stores]
    assert "nothing to do" in desks("run", "--config", "accounts").out
    assert [desks.ticket(name, 1).version for name in desks.stores] == versions


def test_an_account_that_is_broken_stops_no_other_and_the_worst_exit_code_is_the_commands(desks: Accounts) -> None:
    (desks.configs / "bolt.toml").write_text('helpdesk = "local"\nno_such = 1\n[run]\nworkers = "x"\n', "utf-8")
    ended = desks("run", "--config", "accounts", "--since", "1d", "--json", code=2)
    by_name = {one["account"]: one for one in ended.object["accounts"]}
    assert [by_name[name]["exit_code"] for name in ("acme", "bolt", "cord")] == [0, 2, 0]
    assert len(by_name["bolt"]["error"]) == 2
    assert by_name["acme"]["outcomes"] == {"updated": 2}
    assert ended.object["exit_code"] == 2
    assert ended.object["outcomes"] == {"updated": 4}
    assert desks.triaged("acme") == desks.triaged("cord") == [1, 2]
    assert "ticketbot: bolt: no_such (bolt.toml, line 2) is no setting" in ended.err


def test_quiet_prints_only_what_went_wrong_and_where(desks: Accounts) -> None:
    desks("run", "--config", "accounts", "--since", "1d")
    silent = desks("run", "--config", "accounts", "--quiet")
    assert (silent.out, silent.err) == ("", "")
    (desks.configs / "state" / "cord" / "STOP").touch()
    stopped = desks("run", "--config", "accounts", "--quiet", code=3)
    assert stopped.out == ""
    assert stopped.err.startswith("ticketbot: cord: ")


def test_two_files_for_one_account_are_both_refused_and_name_each_other(desks: Accounts) -> None:
    whole = (desks.configs / "acme.toml").read_text("utf-8")
    (desks.configs / "twin.toml").write_text(whole, "utf-8")
    ended = desks("run", "--config", "accounts", "--since", "1d", code=2)
    for one, other in (("acme", "twin"), ("twin", "acme")):
        assert f"ticketbot: {one}: {Path('accounts') / other}.toml has the same account" in ended.err
        assert f"ticketbot: {one}: {Path('accounts') / other}.toml has the same state folder" in ended.err
        assert f"ticketbot: {one}: {Path('accounts') / other}.toml has the same log folder" in ended.err
    assert desks.triaged("acme") == []
    assert desks.triaged("bolt") == [1, 2]


def test_a_dry_run_writes_nothing_and_names_each_accounts_folders(desks: Accounts) -> None:
    ended = desks(
        "run", "--config", "accounts/acme.toml", "--config", "accounts/bolt.toml", "--dry-run", "--since", "1d"
    )
    assert desks.triaged("acme") == desks.triaged("bolt") == []
    assert f"acme: state in {Path('accounts/state/acme')}, log in {Path('accounts/logs/acme')}" in ended.out
    assert "bolt: ticket 2" in ended.out
    assert "cord" not in ended.out


def test_what_is_for_one_account_is_refused_for_several(desks: Accounts) -> None:
    ended = desks("run", "--config", "accounts", "--ticket", "1", "--resume", code=2)
    assert "--ticket is for one account" in ended.err
    assert "--resume is for one account" in ended.err
    assert "there is no .toml file" in desks("run", "--config", str(desks.folder), code=2).err


def test_an_account_may_have_its_variables_beside_its_file_and_no_other_gets_them(desks: Accounts) -> None:
    (desks.configs / "acme.env").write_text("TICKETBOT_STATE_DIR=accounts/elsewhere\n", "utf-8")
    ended = desks(
        "run", "--config", "accounts", "--since", "1d", "--json",
        TICKETBOT_STATE_DIR=str(desks.folder / "common"),
    )  # fmt: skip
    states = {one["account"]: Path(one["state"]) for one in ended.object["accounts"]}
    assert states["acme"] == Path("accounts/elsewhere")
    assert states["bolt"] == Path("accounts/state/bolt")
    assert "TICKETBOT_STATE_DIR: each belongs to one account" in ended.err
    alone = desks("run", "--config", "accounts/acme.toml", "--json")
    assert alone.object["outcomes"] == {}
    assert not (desks.configs / "state" / "acme").exists()


def test_a_command_for_one_account_refuses_a_folder_in_plain_words(desks: Accounts) -> None:
    for folder in ("accounts", "."):
        told = desks("undo", "latest", "--config", folder, code=2).err
        assert f"{folder} is a folder of configuration files" in told


def test_health_examines_every_account_and_the_worst_exit_code_is_the_commands(desks: Accounts) -> None:
    desks("run", "--config", "accounts", "--since", "1d")
    (desks.configs / "bolt.toml").write_text("no_such = 1\n", "utf-8")
    told = desks("health", "--config", "accounts", "--json", code=2).object
    assert [one["name"] for one in told["accounts"]] == ["acme", "bolt", "cord"]
    assert told["accounts"][1]["exit_code"] == told["exit_code"] == 2
    assert told["accounts"][0]["exit_code"] < 2
    shown = desks("health", "--config", "accounts", "--offline", code=2).out
    assert f"log in {Path('accounts/logs/cord')}" in shown
    assert "3 accounts, " in shown
    assert "--serve is for one account" in desks("health", "--config", "accounts", "--serve", "0", code=2).err


def test_report_has_a_row_for_each_account_and_all_of_one_by_its_name(desks: Accounts) -> None:
    desks("run", "--config", "accounts", "--since", "1d")
    shown = desks("report", "--config", "accounts").out
    rows = {line.split()[0]: line.split()[1:3] for line in shown.splitlines() if line.split()[0:1] != []}
    assert [rows[name] for name in ("acme", "bolt", "cord", "all")] == [["2", "2"], ["2", "2"], ["2", "2"], ["6", "6"]]
    told = desks("report", "--config", "accounts", "--json").object
    assert {one["name"]: one["totals"]["tickets"] for one in told["accounts"]} == {"acme": 2, "bolt": 2, "cord": 2}
    assert told["totals"]["tickets"] == 6
    one = desks("report", "--config", "accounts", "--account", "bolt", "--json").object
    assert (one["account"], one["totals"]["tickets"]) == (told["accounts"][1]["account"], 2)
    assert "only acme, bolt, cord" in desks("report", "--config", "accounts", "--account", "dole", code=2).err
    assert "add --account NAME" in desks("report", "--config", "accounts", "--markdown", code=2).err

    (desks.configs / "cord.toml").write_text("no_such = 1\n", "utf-8")
    ended = desks("report", "--config", "accounts", "--json", code=2)
    assert [("error" in one) for one in ended.object["accounts"]] == [False, False, True]
    assert ended.object["totals"]["tickets"] == 4


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that a process could hear")
def test_a_signal_ends_every_account_and_those_that_were_through_stay_so(desks: Accounts) -> None:
    busy = threading.Event()

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            busy.set()
            self.send_response(429)
            self.send_header("Retry-After", "30")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (desks.configs / "bolt.toml").write_text(
            f'state_dir = "state/bolt"\nlog_dir = "logs/bolt"\n[zendesk]\nurl = "http://127.0.0.1:{server.server_port}"\n'
            'email = "a@example.com"\n',
            "utf-8",
        )
        (desks.configs / "bolt.env").write_text("ZENDESK_API_TOKEN=0123456789\n", "utf-8")
        process = desks.start("run", "--config", "accounts", "--since", "1d", "--json")
        wait_for(busy, process)
        while not (desks.ended("cord") and desks.ended("acme")):
            time.sleep(0.05)
            assert process.poll() is None
        process.terminate()
        ended = desks.end(process, code=143)
        server.shutdown()
    codes = {one["account"]: one["exit_code"] for one in ended.object["accounts"]}
    assert codes == {"acme": 0, "bolt": 143, "cord": 0}
    assert desks.triaged("acme") == desks.triaged("cord") == [1, 2]


def test_an_account_whose_call_never_ends_is_given_up_and_the_others_have_their_runs(
    desks: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_last = threading.Event()

    def hangs(settings: Settings, *asked: Any, **more: Any) -> Finished:
        if settings.log_dir.name == "bolt":
            assert at_last.wait(20)
        return really_run(settings, *asked, **more)

    really_run, really_tended = runs.run, many_accounts.tended
    monkeypatch.setattr(runs, "run", hangs)
    soon = {"bolt": {"deadline_s": 0.1, "grace_s": 0.1}}
    monkeypatch.setattr(
        many_accounts,
        "tended",
        lambda *given, **more: really_tended(*given, **{**more, **soon.get(more["account"], {})}),
    )
    out = io.StringIO()
    files = sorted(desks.configs.glob("*.toml"))
    code, abandoned = many_accounts.run_all(
        SystemClock(), Screen(as_json=True, out=out), files, RunArguments(since=0.0), flags={}, workers=4, without={}
    )
    at_last.set()
    assert (code, abandoned) == (3, 1)
    ended = {one["account"]: one for one in json.loads(out.getvalue())["accounts"]}
    assert {name: one["exit_code"] for name, one in ended.items()} == {"acme": 0, "bolt": 3, "cord": 0}
    assert ended["bolt"]["error"] == ["a call did not end, and the run was given up after its deadline"]


def test_one_file_is_one_run_as_ever_and_loads_nothing_of_this(desks: Accounts) -> None:
    told = desks("run", "--config", "accounts/acme.toml", "--since", "1d", "--json").object
    assert "accounts" not in told
    assert told["outcomes"] == {"updated": 2}
    said = desks("run", "--config", "accounts/bolt.toml", "--since", "1d").out
    assert said.startswith("ticket ")
    assert "ticket 1: updated" in said
    script = (
        "import sys; sys.argv[1:] = ['run', '--config', 'accounts/cord.toml', '--since', '1d']\n"
        "from ticket_processor.cli import main\n"
        "try: main()\n"
        "finally: print(sorted(name for name in sys.modules if 'many_accounts' in name or 'fair_pool' in name))"
    )
    assert desks.end(desks.python("-c", script)).out.splitlines()[-1] == "[]"


def test_the_worst_exit_code_is_what_needs_a_person_most() -> None:
    assert worst([0, 75, 1, 3, 2]) == 2
    assert worst([0, 75, 1, 3]) == 3
    assert worst([0, 75, 1]) == 1
    assert worst([0, 75]) == 75
    assert worst([2, 143]) == 143
    assert worst([]) == 0

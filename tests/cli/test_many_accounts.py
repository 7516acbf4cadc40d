"""``ticketbot run`` with several configuration files: an account each, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ticket_processor.commands.many_accounts import names_of
from ticket_processor.core.errors import worst

from ..servers.scripted import reply, scripted
from .accounts import Accounts


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Accounts]:
    """Three accounts."""
    accounts = Accounts(tmp_path, "acme", "bolt", "cord")
    yield accounts
    accounts.close()


@pytest.mark.parametrize(
    ("codes", "found"),
    [([0, 75, 1, 3, 2], 2), ([0, 75, 1, 3], 3), ([0, 75, 1], 1), ([0, 75], 75), ([2, 143], 143), ([], 0)],
)
def test_the_worst_exit_code_is_what_needs_a_person_most(codes: list[int], found: int) -> None:
    assert worst(codes) == found


def test_no_two_accounts_have_the_same_name() -> None:
    files = [Path(name) for name in ("eu/acme.toml", "us/acme.toml", "eu/bolt.toml", "a/x/cord.toml", "b/x/cord.toml")]
    assert names_of(files) == ["eu/acme", "us/acme", "bolt", str(files[3]), str(files[4])]


def test_what_is_wrong_with_one_account_is_told_with_its_name_and_its_exit_code(desks: Accounts) -> None:
    desks("run", "--config", "accounts", "--since", "1d")
    for name in desks.stores:
        assert (desks.configs / "state" / name / "state.sqlite3").is_file()
        assert list((desks.configs / "logs" / name).glob("*.jsonl"))
    stop = desks.configs / "state" / "cord" / "STOP"
    stop.touch()
    stopped = desks("run", "--config", "accounts", "--quiet", code=3)
    assert stopped.out == ""
    assert stopped.err.startswith("cord: ticketbot: ")
    assert {"acme", "bolt"} & {*re.findall(r"\w+", stopped.err)} == set(), "what went well is not told"
    stop.unlink()

    (desks.configs / "bolt.toml").write_text("no_such = 1\n", "utf-8")
    told = desks("health", "--config", "accounts", "--json", code=2).object
    assert [one["account"] for one in told["accounts"]] == ["acme", "bolt", "cord"]
    assert told["accounts"][1]["exit_code"] == told["exit_code"] == 2
    assert told["accounts"][0]["exit_code"] < 2
    shown = desks("health", "--config", "accounts", "--offline", code=2).out
    assert "cord: ok" in shown
    assert "3 accounts, " in shown


def test_two_files_for_one_account_are_both_refused_and_name_each_other(desks: Accounts) -> None:
    whole = (desks.configs / "acme.toml").read_text("utf-8")
    (desks.configs / "twin.toml").write_text(whole, "utf-8")
    ended = desks("run", "--config", "accounts", "--since", "1d", code=2)
    for one, other in (("acme", "twin"), ("twin", "acme")):
        assert f"{one}: ticketbot: {Path('accounts') / other}.toml has the same account" in ended.err
        assert f"{one}: ticketbot: {Path('accounts') / other}.toml has the same state folder" in ended.err
        assert f"{one}: ticketbot: {Path('accounts') / other}.toml has the same log folder" in ended.err
    assert desks.triaged("acme") == []
    assert desks.triaged("bolt") == [1, 2]


def test_what_is_for_one_account_is_refused_for_several(desks: Accounts) -> None:
    ended = desks("run", "--config", "accounts", "--ticket", "1", "--resume", code=2)
    assert "--ticket is for one account" in ended.err
    assert "--resume is for one account" in ended.err
    refused = desks("run", "--config", "accounts", "--config", "accounts/acme.toml", "--since", "1d", code=2)
    assert "acme.toml is named twice" in refused.err
    assert "there is no .toml file" in desks("run", "--config", str(desks.folder), code=2).err


def test_an_account_may_have_its_variables_beside_its_file_and_no_other_gets_them(desks: Accounts) -> None:
    (desks.configs / "acme.env").write_text("TICKETBOT_STATE_DIR=accounts/elsewhere\n", "utf-8")
    ended = desks(
        "run", "--config", "accounts", "--since", "1d", "--json",
        TICKETBOT_STATE_DIR=str(desks.folder / "common"),
    )  # fmt: skip
    assert (desks.folder / "accounts/elsewhere/state.sqlite3").is_file()
    assert (desks.configs / "state/bolt/state.sqlite3").is_file()
    assert not (desks.folder / "common").exists()
    assert "TICKETBOT_STATE_DIR: each belongs to one account" in ended.err
    alone = desks("run", "--config", "accounts/acme.toml", "--json")
    assert alone.object["outcomes"] == {}
    assert not (desks.configs / "state" / "acme").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that a process could hear")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_a_signal_ends_every_account_and_those_that_were_through_stay_so(
    desks: Accounts, number: signal.Signals, code: int
) -> None:
    with scripted(reply("", 429, retry_after="30")) as server:
        (desks.configs / "bolt.toml").write_text(
            f'state_dir = "state/bolt"\nlog_dir = "logs/bolt"\n[zendesk]\nurl = "{server.url.removesuffix("/v1")}"\n'
            'email = "a@example.com"\n',
            "utf-8",
        )
        (desks.configs / "bolt.env").write_text("ZENDESK_API_TOKEN=0123456789\n", "utf-8")
        process = desks.start("run", "--config", "accounts", "--since", "1d", "--json")
        while not (server.received and desks.ended("cord") and desks.ended("acme")):
            time.sleep(0.05)
            assert process.poll() is None
        process.send_signal(number)
        ended = desks.end(process, code=code)
    codes = {one["account"]: one["exit_code"] for one in ended.object["accounts"]}
    assert codes["bolt"] == code
    assert {codes["acme"], codes["cord"]} <= {0, code}  # the signal may still meet their very end
    assert desks.triaged("acme") == desks.triaged("cord") == [1, 2]

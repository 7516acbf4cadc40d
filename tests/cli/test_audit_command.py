"""``ticketbot audit``: the log is verified, told, handed out and erased from, through the real command."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import re
import sys
import threading
from pathlib import Path
from typing import Any, cast
from unittest import mock

import filelock
import pytest

from ticket_processor.audit.lines import encode
from ticket_processor.audit.writer import LogWriter
from ticket_processor.cli import app
from ticket_processor.commands.audit_erase import erase_tickets
from ticket_processor.core.clock import SystemClock
from ticket_processor.core.errors import ConfigError
from ticket_processor.wiring.parts import LOCK_NAME

from ..support.cases import for_each
from .conftest import Command, Desk, Ended, OpenDesk, is_chat

CANARY = "zxcanary"


def rows_of(*people: str) -> list[dict[str, Any]]:
    """A ticket of each of these, with words of its own in it."""
    return [
        {
            "subject": f"Charged twice {CANARY}{number}",
            "body": f"I was charged twice this month, {CANARY}{number}. Please check my invoice.",
            "age": 7200.0 - 60 * number,
            "requester": {"name": person.partition("@")[0], "email": person},
        }
        for number, person in enumerate(people, start=1)
    ]


@pytest.fixture
def run_once(open_desk: OpenDesk) -> Desk:
    """A desk with tickets of Ada and Bob, triaged; some of what they wrote is in the log."""
    desk = open_desk(rows_of("ada@example.com", "bob@example.com", "ada@example.com"))
    desk("run", "--since", "1d")
    assert words_of(desk, 1) > 0
    return desk


def words_of(desk: Desk, number: int) -> int:
    """How often a ticket's words stand in any file of log and state."""
    files = [path for folder in (desk.logs, desk.state) for path in folder.rglob("*") if path.is_file()]
    return sum(path.read_bytes().lower().count(f"{CANARY}{number}".encode()) for path in files)


def audit(desk: Command, *words: str, code: int = 0, **environ: str) -> Ended:
    return desk("audit", *words, code=code, **environ)


def log_file(desk: Command) -> Path:
    (path,) = desk.logs.glob("*.jsonl")
    return path


@for_each("words", ["run", "run --dry-run", "report", "audit verify", "audit erase --ticket 1 --yes"])
def test_a_day_that_an_earlier_version_packed_is_told_with_what_to_do(words: str, run_once: Desk) -> None:
    packed = run_once.logs / "ticketbot-2026-01-02.jsonl.gz"
    packed.write_bytes(b"x")
    before = log_file(run_once).read_bytes()
    ended = run_once(*words.split(), code=3)
    assert f"the log {packed} is packed, as earlier versions did: unpack it with gunzip, once" in ended.err
    assert log_file(run_once).read_bytes() == before


# verify


def test_a_log_that_holds_is_told_with_its_end(run_once: Desk) -> None:
    ended = audit(run_once, "verify")
    assert ended.out.startswith("The log holds: 1 file, ")
    assert "end known from the state: " in ended.out
    assert "no anchor from elsewhere" in ended.err
    told = audit(run_once, "verify", "--json").object
    assert (told["holds"], told["exit_code"], told["flaws"], told["files"]) == (True, 0, [], 1)
    assert told["anchors"] == [{"anchor": told["head"], "given_by": "the state", "stands": True}]


def test_an_end_that_somebody_else_knows_is_looked_up(run_once: Desk) -> None:
    head = audit(run_once, "verify", "--json").object["head"]
    run_once("run")
    ended = audit(run_once, "verify", "--anchor", head)
    assert f"end known from --anchor: {head} stands" in ended.out
    assert "no anchor" not in ended.err
    path = log_file(run_once)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    (run_once.state / "state.sqlite3").unlink()
    assert audit(run_once, "verify").code == 0
    cut = audit(run_once, "verify", "--anchor", head, code=1)
    assert f"{head} IS NOT THERE" in cut.out


def test_without_the_key_nothing_is_judged_and_none_is_made(run_once: Desk) -> None:
    elsewhere = run_once.folder / "elsewhere"
    ended = audit(run_once, "verify", code=3, TICKETBOT_STATE_DIR=str(elsewhere))
    assert "TICKETBOT_AUDIT_KEY" in ended.err
    assert not elsewhere.exists()
    other = audit(run_once, "verify", code=3, TICKETBOT_STATE_DIR=str(elsewhere), TICKETBOT_AUDIT_KEY="x" * 20)
    assert "unchecked" in other.out
    assert "Not all of the log could be checked" in other.out


@pytest.mark.parametrize("command", [("verify",), ("show", "1")])
def test_where_there_is_no_log_nobody_is_asked_for_its_key(command: tuple[str, ...], bare: Command) -> None:
    ended = audit(bare, *command, code=3)
    assert f"there is no log in {bare.logs}" in ended.err
    assert "TICKETBOT_AUDIT_KEY" not in ended.err


def test_verifying_asks_nobody_and_changes_nothing(run_once: Desk) -> None:
    run_once.seen.clear()
    before = {path: path.read_bytes() for path in (*run_once.logs.iterdir(), *run_once.state.iterdir())}
    with filelock.FileLock(run_once.state / "run.lock"):
        audit(run_once, "verify")
        audit(run_once, "show", "1")
        audit(run_once, "show")
    assert run_once.seen == []
    after = {path: path.read_bytes() for path in (*run_once.logs.iterdir(), *run_once.state.iterdir())}
    assert after == before


# show


def test_a_tickets_story_is_told_in_order_and_a_line_that_was_changed_stands_out(run_once: Desk) -> None:
    run_once.advance(60)
    run_once("undo", "latest")
    shown = audit(run_once, "show", "2").out.splitlines()
    assert shown[-1].startswith("Ticket 2: 4 lines of 2 runs, 2 writes")
    assert shown[-1].endswith("each as it was written")
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC  ", shown[0])
    assert "about to be written" in shown[0]
    assert "+ai_processed" in shown[0]
    assert "answered by: rules" in shown[1]
    assert "+ai_processed" not in shown[1]
    assert "-ai_processed" in shown[2]
    told = audit(run_once, "show", "2", "--json").object
    assert [event["event"] for event in told["events"]] == ["intent", "ticket"] * 2
    assert {event["log"]["verdict"] for event in told["events"]} == {"holds"}
    assert {event["ticket_id"] for event in told["events"]} == {2}
    path = log_file(run_once)
    path.write_bytes(path.read_bytes().replace(b'"category":"billing"', b'"category":"refund"'))
    assert "NOT to be relied on" in audit(run_once, "show", "2", code=1).out
    flaws = audit(run_once, "verify", "--json", code=1).object["flaws"]
    assert {flaw["file"] for flaw in flaws} == {path.name}


@pytest.mark.parametrize("day", ["2026-11-19", "2026-11-21"])
def test_a_line_without_a_seal_stands_out_before_and_after_the_first_sealed_one(day: str, bare: Command) -> None:
    writer = LogWriter(bare.logs, b"k" * 20)
    writer.append("2026-11-20", [{"event": "alert", "what": "x"}])
    writer.close()
    told = {"ts": f"{day}T00:00:00Z", "event": "ticket", "run_id": "r", "ticket_id": 7, "outcome": "updated"}
    (bare.logs / f"ticketbot-{day}.jsonl").write_bytes(encode({**told, "reason": "by m-1"}))
    ended = audit(bare, "show", "7", code=1, TICKETBOT_AUDIT_KEY="k" * 20)
    assert ended.out.startswith(f"changed  {day}")


@for_each(
    ("words", "told"),
    [
        (("2026-11-20", "--json"), "--json prints one ticket's story: name its number"),
        (("0",), "there is no ticket 0"),
        (("1", "2026-11-20"), "one ticket at a time is shown"),
    ],
)
def test_a_story_is_of_one_ticket_whose_number_is_given(words: tuple[str, ...], told: str, run_once: Desk) -> None:
    assert told in audit(run_once, "show", *words, code=2).err


# erase


@pytest.mark.parametrize(
    ("at", "goes_on"),
    [
        *((at, "run") for at in ("erase", "erase_words", "_forget_answers", "forget_elsewhere", "keep_head")),
        ("erase_words", "the same"),
        ("_forget_answers", "another"),
    ],
)
def test_an_erasure_that_was_cut_off_is_finished_by_the_next_one_or_by_a_run(
    open_desk: OpenDesk, at: str, goes_on: str
) -> None:
    desk = open_desk(rows_of("ada@example.com", "bob@example.com"), model=True)
    desk("run", "--since", "1d")
    killed = mock.patch(f"ticket_processor.wiring.erasing.{at}", side_effect=ZeroDivisionError)
    with killed, contextlib.suppress(ZeroDivisionError):
        desk("audit", "erase", "--ticket", "1", "--yes", code=None)
    if goes_on == "run":
        desk("run", "--dry-run")
        assert words_of(desk, 1) > 0 or at != "erase"
        ended = desk("run")
        assert "the erasure of 1 ticket that was cut off is finished" in ended.out + ended.err
        assert "cut off" not in desk("run").err
    else:
        number = "1" if goes_on == "the same" else "2"
        told = desk("audit", "erase", "--ticket", number, "--yes", "--json").out
        assert json.loads(told)["tickets"] == ([1] if goes_on == "the same" else [1, 2])
    assert words_of(desk, 1) == 0
    assert audit(desk, "verify", "--json").object["erased"] >= 2


def test_whatever_a_requester_wrote_is_found_by_number_and_by_address(run_once: Desk) -> None:
    ada = run_once.ticket(1)["requester_id"]
    by_number = audit(run_once, "erase", "--requester", str(ada), "--dry-run", "--json").object
    ended = audit(run_once, "erase", "--requester", "Ada@Example.com", "--yes", "--json")
    assert by_number["tickets"] == ended.object["tickets"] == [1, 3]
    assert (words_of(run_once, 1), words_of(run_once, 3)) == (0, 0)
    assert words_of(run_once, 2) > 0
    everything = [path.read_bytes() for folder in (run_once.logs, run_once.state) for path in folder.iterdir()]
    assert b"ada@" not in b"".join(everything).lower()
    assert "ada@" not in (ended.out + ended.err).lower()


def test_nothing_is_erased_unless_somebody_means_it(run_once: Desk) -> None:
    before = {path: path.read_bytes() for path in run_once.logs.iterdir()}
    assert "--yes" in audit(run_once, "erase", "--ticket", "1", code=2).err
    assert "--ticket ID" in audit(run_once, "erase", "--yes", code=2).err
    told = audit(run_once, "erase", "--ticket", "1", "--dry-run").out
    assert told.startswith("To be erased: the words of 1 ticket, 2 lines in 1 file")
    assert {path: path.read_bytes() for path in run_once.logs.iterdir()} == before


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("said", ["y", "n"])
def test_a_person_at_a_terminal_is_asked_first(said: str, run_once: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**run_once.environ, "TICKETBOT_STATE_DIR": str(run_once.state)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TICKETBOT_LOG_DIR", str(run_once.logs))
    monkeypatch.chdir(run_once.folder)
    asked = []

    def answer() -> str:
        with pytest.raises(filelock.Timeout), filelock.FileLock(run_once.state / LOCK_NAME, blocking=False):
            pass  # a run that begins meanwhile ends with 75
        asked.append(said)
        return f"{said}\n"

    terminal = Terminal()
    monkeypatch.setattr(terminal, "readline", answer)
    monkeypatch.setattr(sys, "stdin", terminal)
    doubtful = contextlib.nullcontext() if said == "y" else pytest.raises(ConfigError, match="nothing was erased")
    with doubtful:
        erase_tickets(SystemClock(), tickets=[1])
    assert (asked, words_of(run_once, 1) == 0) == ([said], said == "y")


def test_a_requester_whom_nobody_knows_is_told_without_the_address(run_once: Desk) -> None:
    ended = audit(run_once, "erase", "--requester", "eve@example.com", "--yes", code=2)
    assert "no user with this address" in ended.err
    assert "--ticket" in ended.err
    assert "eve@" not in ended.err
    assert "neither" in audit(run_once, "erase", "--requester", "eve", "--yes", code=2).err


def test_a_dry_run_that_is_under_way_leaves_no_words_behind_an_erasure(open_desk: OpenDesk) -> None:
    desk = open_desk(rows_of("ada@example.com", "bob@example.com"), model=True)
    asked, go_on = desk.when(is_chat), threading.Event()
    desk.sandbox.on_request.append(lambda request: None if not is_chat(request) else go_on.wait(60) and None)
    dry_run = desk.start("run", "--dry-run", "--since", "1d")
    assert asked.wait(60)
    ended = audit(desk, "erase", "--ticket", "1", "--yes", code=75)
    assert "a dry run is active" in ended.err
    go_on.set()
    desk.end(dry_run)
    assert words_of(desk, 1) > 0
    audit(desk, "erase", "--ticket", "1", "--yes")
    assert words_of(desk, 1) == 0


def test_a_tickets_words_are_gone_from_an_encrypted_log_too(open_desk: OpenDesk) -> None:
    pytest.importorskip("cryptography")
    desk = open_desk(rows_of("ada@example.com", "bob@example.com"))
    desk.environ["TICKETBOT_AUDIT_ENCRYPTION_KEYS"] = base64.b64encode(os.urandom(32)).decode()
    desk("run", "--since", "1d")
    assert words_of(desk, 1) == 0  # encrypted
    assert f"{CANARY}1" in audit(desk, "show").out.lower()
    assert audit(desk, "erase", "--ticket", "1", "--yes", "--json").object["lines"] == 2
    shown = audit(desk, "show").out.lower()
    assert (f"{CANARY}1" in shown, f"{CANARY}2" in shown) == (False, True)
    assert audit(desk, "verify").code == 0
    del desk.environ["TICKETBOT_AUDIT_ENCRYPTION_KEYS"]
    assert "unchecked" in audit(desk, "verify", code=3).out
    assert "TICKETBOT_AUDIT_ENCRYPTION_KEYS" in audit(desk, "show", code=3).err


@pytest.mark.parametrize(
    "words", [("run",), ("run", "--dry-run"), ("undo", "latest"), ("audit", "erase", "--ticket", "1")]
)
def test_an_encrypted_log_is_never_silently_written_in_the_clear(words: tuple[str, ...], open_desk: OpenDesk) -> None:
    pytest.importorskip("cryptography")
    desk = open_desk(rows_of("ada@example.com"))
    desk.environ["TICKETBOT_AUDIT_ENCRYPTION_KEYS"] = base64.b64encode(os.urandom(32)).decode()
    desk("run", "--since", "1d")
    del desk.environ["TICKETBOT_AUDIT_ENCRYPTION_KEYS"]
    before = {path: path.read_bytes() for path in desk.logs.iterdir()}
    desk.seen.clear()
    words = (*words, "--yes") if "erase" in words else words
    for keys in ("", base64.b64encode(os.urandom(32)).decode()):
        ended = desk(*words, code=None, TICKETBOT_AUDIT_ENCRYPTION_KEYS=keys)
        assert ended.code in ((3,) if "undo" in words else (2,))  # which cannot even read what it is to take back
        assert "TICKETBOT_AUDIT_ENCRYPTION_KEYS" in ended.err
    assert desk.seen == []
    assert {path: path.read_bytes() for path in before} == before


UNKNOWN = "neither log nor state knows it"


def test_a_ticket_that_nobody_knows_is_named_and_costs_no_kept_answer(open_desk: OpenDesk) -> None:
    desk = open_desk(rows_of("ada@example.com", "bob@example.com"), model=True)
    desk("run", "--since", "1d")
    before = {path: path.read_bytes() for path in (*desk.logs.iterdir(), desk.state / "answers.sqlite3")}
    ended = audit(desk, "erase", "--ticket", "471", "--ticket", "472", code=1)
    assert ended.out.startswith("Nothing to erase: ")
    assert "answers.sqlite3" in ended.out
    assert [line for line in ended.err.splitlines() if UNKNOWN in line] == [
        f"ticketbot: not erased: ticket {number}: {UNKNOWN}" for number in (471, 472)
    ]
    assert audit(desk, "erase", "--ticket", "471", "--dry-run", "--json", code=1).object["unknown"] == [471]
    assert {path: path.read_bytes() for path in before} == before
    mixed = audit(desk, "erase", "--ticket", "1", "--ticket", "471", "--yes", "--json", code=1)
    assert (mixed.object["unknown"], mixed.object["answers_dropped"], mixed.object["lines"]) == ([471], 2, 2)
    assert f"ticket 471: {UNKNOWN}" in mixed.err
    assert words_of(desk, 1) == 0


# cat


def test_a_day_or_all_of_it_is_printed_as_it_was(run_once: Desk) -> None:
    path = log_file(run_once)
    whole = path.read_text(encoding="utf-8")
    day = path.name[len("ticketbot-") :][:10]
    assert audit(run_once, "show").out == audit(run_once, "show", day).out == whole
    assert audit(run_once, "show", day, day).out == whole * 2
    assert "neither a ticket nor a day" in audit(run_once, "show", "2020-01-01", code=2).err


# What stands in a log, and terminals


class Printed(io.TextIOWrapper):
    """Standard output that is a terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")

    def isatty(self) -> bool:
        return True

    def told(self) -> str:
        self.flush()
        return cast(io.BytesIO, self.buffer).getvalue().decode()


COMMANDS = (("verify",), ("show", "7"), ("show", "7", "--json"), ("show",))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_line_of_a_log_drives_the_terminal_that_it_is_shown_at(
    words: tuple[str, ...], bare: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202ethgir\u2028\x7fover\rwritten\nThe log holds: 1 file"
    analysis = {"category": evil, "summary": evil, "evidence": [evil]}
    line = {"event": "ticket", "ts": evil, "ticket_id": 7, "run_id": evil, "reason": evil, "analysis": analysis}
    bare.logs.mkdir()
    (bare.logs / "ticketbot-2026-11-21.jsonl").write_bytes(
        encode({"event": "segment", "segment": evil, "key_id": evil})
        + encode({**line, "change": {"tags_added": [evil], "note": evil}, "mac": "0" * 32, "seq": 1})
        + encode({"event": "alert", "what": evil, "tickets": [7], evil: evil, "head": evil})
        + b'{"ts":"\x1b[2J\xc2\x9b31m\xff torn'
    )
    monkeypatch.setenv("TICKETBOT_LOG_DIR", str(bare.logs))
    monkeypatch.setenv("TICKETBOT_STATE_DIR", str(bare.state))
    monkeypatch.setenv("TICKETBOT_AUDIT_KEY", "k" * 20)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.chdir(bare.folder)
    out, err = Printed(), Printed()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with pytest.raises(SystemExit):
        app(["audit", *words])
    printed = out.told() + err.told()
    assert "\\u001b[2J" in printed or words[0] == "verify"
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e]|\r(?!\n)", printed)
    assert "\nThe log holds" not in printed
    if "--json" in words:
        assert words[0] == "verify" or json.loads(out.told())["events"][0]["reason"] == evil

"""Settings, state, log and what was learnt that are not there or cannot be used: what a command says of it."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from ticket_processor.learning.store import FILE_NAME as LEARNT
from ticket_processor.state.store import FILE_NAME

from .conftest import Command, Desk, OpenDesk

NOWHERE = {"TICKETBOT_STATE_DIR": "", "TICKETBOT_LOG_DIR": ""}


EVERYWHERE = (
    "run|retry list|undo latest|report|report --escalated|audit verify|audit show 1|audit show|alerts --test|"
    "learn show|learn review|learn approve 1|learn pin 1|eval --gate --candidate x.toml"
)


@pytest.mark.parametrize("command", EVERYWHERE.split("|"))
def test_where_there_are_no_settings_the_first_sentence_says_so(bare: Command, command: str) -> None:
    ended = bare(*command.split(), code=None, **NOWHERE)
    assert ended.code in (2, 3)
    first = ended.err.splitlines()[0]
    assert f"there is no ticketbot.toml in {bare.folder.resolve()}" in first
    assert "--config" in first
    assert "ticketbot init" in first
    assert [path.name for path in bare.folder.iterdir()] == []


@pytest.mark.parametrize("kind", ["a file named", "a file here", "secrets here", "the environment"])
def test_whoever_has_settings_is_told_what_is_wrong_with_them_alone(bare: Command, kind: str) -> None:
    path = bare.folder / {"a file named": "other.toml", "secrets here": ".env"}.get(kind, "ticketbot.toml")
    environ = {**NOWHERE, "ZENDESK_SUBDOMAIN": "acme"} if kind == "the environment" else NOWHERE
    if kind != "the environment":
        path.write_text("ZENDESK_SUBDOMAIN=acme\n" if path.name == ".env" else '[zendesk]\nurl = "acme"\n')
    named = ("--config", path.name) if kind == "a file named" else ()
    problems = json.loads(bare("run", "--json", *named, code=2, **environ).out)["error"]
    assert [problem.partition(":")[0] for problem in problems] == ["no credentials"]
    assert "there is no ticketbot.toml" not in bare("report", *named, code=2, **environ).err


has_pipes = pytest.mark.skipif(os.name != "posix", reason="pipes have no place in folders there, and links want rights")
COMMANDS = (("run", "--since", "1d"), ("run", "--dry-run", "--since", "1d"), ("retry", "list"), ("undo", "latest"))


@has_pipes
@pytest.mark.parametrize(("kind", "name"), [("link", ""), ("pipe", ""), ("link", "-wal"), ("pipe", "-shm")])
def test_a_state_that_is_no_file_is_refused(desk: Desk, tmp_path: Path, kind: str, name: str) -> None:
    desk("run", "--since", "1d")
    file, target = desk.state / (FILE_NAME + name), tmp_path / "target"
    if file.exists():
        file.rename(target)
    made = target.read_bytes() if target.exists() else None
    if kind == "link":
        file.symlink_to(target)
    else:
        os.mkfifo(file)
    words = {"link": "a symbolic link", "pipe": "a named pipe"}[kind]
    for command in COMMANDS:
        (sentence,) = [line for line in desk(*command, code=3).err.splitlines() if words in line]
        assert sentence.startswith(
            f"ticketbot: the state {file} is {words}, which is neither followed nor opened: put "
        )
        assert (target.read_bytes() if target.exists() else None) == made, command


@has_pipes
def test_a_pipe_among_the_logs_files_is_refused_and_not_waited_for(desk: Desk) -> None:
    desk("run", "--since", "1d")
    (log,) = desk.logs.glob("*.jsonl")
    day = date.fromisoformat(log.name[10:20])
    os.mkfifo(log.with_name(log.name.replace(str(day), str(day - timedelta(days=1)))))
    for command in (("audit", "verify"), ("audit", "show", "1"), ("report",), ("undo", "latest")):
        ended = desk(*command, code=3)
        assert "is a named pipe, and no file" in ended.err + ended.out, command


def test_a_run_triages_without_what_was_learnt_and_says_so(open_desk: OpenDesk) -> None:
    desk = open_desk(2, model=True)
    desk.configure("[learning]\nexamples = 4\n")
    desk.state.mkdir()
    (desk.state / LEARNT).write_bytes(b"no database" * 1_000)
    assert "what was learnt is not used" in desk("run", "--since", "1d").err
    desk.assert_done()
    report = desk("report", "--json").object
    assert report["totals"]["tickets"] == 2
    assert "scoreboard unavailable" in str(report["remarks"])

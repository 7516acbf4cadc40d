"""A state or log file that is a link or a pipe: one sentence, and nothing is followed or waited for."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from ticket_processor.state.store import FILE_NAME

from .conftest import Desk

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="pipes have no place in folders there, and links want rights"
)
COMMANDS = (("run", "--since", "1d"), ("run", "--dry-run", "--since", "1d"), ("retry", "list"), ("undo", "latest"))


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


def test_a_pipe_among_the_logs_files_is_refused_and_not_waited_for(desk: Desk) -> None:
    desk("run", "--since", "1d")
    (log,) = desk.logs.glob("*.jsonl")
    day = date.fromisoformat(log.name[10:20])
    os.mkfifo(log.with_name(log.name.replace(str(day), str(day - timedelta(days=1)))))
    for command in (("audit", "verify"), ("audit", "show", "1"), ("report",), ("undo", "latest")):
        ended = desk(*command, code=3)
        assert "is a named pipe, and no file" in ended.err + ended.out, command

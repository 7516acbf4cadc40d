"""Whoever types a command or an option of an earlier version reads what to use instead."""

from __future__ import annotations

import re

import pytest
import typer.main

from ticket_processor.cli import app
from ticket_processor.commands import command_group
from ticket_processor.commands.command_group import removed


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        typer.main.get_command(app).main(list(arguments), prog_name="ticketbot")
    assert ended.value.code == 2
    words = re.sub(r"[^\w.'-]+", " ", capsys.readouterr().err)
    assert "Traceback" not in words
    return words


def test_what_was_removed_says_what_to_use_instead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = {"frobnicate": "use run", "retry all": "use retry run", "run --frob": "use --limit"}
    monkeypatch.setattr(command_group, "removed", lambda: gone)
    for path, instead in gone.items():
        words = said(capsys, *path.split())
        assert f"'ticketbot {path}' is gone" in words
        assert instead in words
    assert "is gone" not in said(capsys, "frobnicat")
    assert "is gone" not in said(capsys, "run", "--fro")


@pytest.mark.parametrize("path", removed())
def test_nothing_that_was_removed_is_there(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"'ticketbot {path}' is gone" in said(capsys, *path.split())

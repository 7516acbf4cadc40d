"""Names of commands: examples and messages name real ones, and a removed one gets a message."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main
from typer.testing import CliRunner

import ticket_processor
from ticket_processor.cli import app
from ticket_processor.commands import command_group
from ticket_processor.commands.command_group import examples as examples_of
from ticket_processor.commands.command_group import removed

ROOT: Any = typer.main.get_command(app)


def commands(group: Any, context: typer.Context, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if hasattr(command, "commands"):
            yield from commands(command, typer.Context(command, info_name=name, parent=context), (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands(ROOT, typer.Context(ROOT, info_name="ticketbot")))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_ends_with_examples_that_it_takes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticket_processor.core.verbose.show", lambda *_, **__: None)  # for this process's other tests
    shown = CliRunner().invoke(app, [*name.split(), "--help"], prog_name="ticketbot").stdout.rstrip().splitlines()
    examples = examples_of(name)
    assert 1 <= len(examples) <= 2
    assert [line.strip() for line in shown[-len(examples) :]] == list(examples)
    for example in examples:
        words = shlex.split(example.partition(" < ")[0])
        program, rest = words[0], words[1:]
        assert program == "ticketbot"
        assert rest[: len(name.split())] == name.split()
        with COMMANDS[name].make_context(name, rest[len(name.split()) :]) as context:
            assert context.params is not None


def test_every_command_argument_and_option_says_what_it_is_for() -> None:
    assert [name for name, command in COMMANDS.items() if not command.help] == []
    silent = [f"{name} {each.name}" for name, command in COMMANDS.items() for each in command.params if not each.help]
    assert silent == []


def test_an_option_that_is_none_would_be_noticed() -> None:
    with pytest.raises(Exception, match="no-such-option"):
        COMMANDS["run"].make_context("run", ["--no-such-option"])


# Every command that the program's own messages, help and settings name is one that the command line takes


PACKAGE = Path(ticket_processor.__file__).parent
PROPOSED = re.compile(r"['`“]ticketbot (?P<quoted>[^'`“”\n]+)['`”]|\Aticketbot (?P<whole>[a-z].* --.*)\Z")
GROUPS = {name.rpartition(" ")[0] for name in COMMANDS if " " in name}


def strings_of(path: Path) -> Iterator[str]:
    """The texts of a file; of Python its strings, with ``{}`` where a value is filled in."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield text
        return
    nodes = list(ast.walk(ast.parse(text)))
    pieces = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            yield node.value


def proposed() -> Iterator[str]:
    for path in (path for ending in ("*.py", "*.toml", "*.html") for path in PACKAGE.rglob(ending)):
        for text in strings_of(path):
            yield from (found["quoted"] or found["whole"] for found in PROPOSED.finditer(text))


def takes(words: list[str]) -> bool:
    """Whether the command line takes them. A command or a group that is only named needs no arguments."""
    if " ".join(words) in GROUPS | COMMANDS.keys():
        return True
    size = next((size for size in (2, 1) if " ".join(words[:size]) in COMMANDS), 0)
    name = " ".join(words[:size])
    try:
        with COMMANDS[name].make_context(name, words[size:]) as context:
            return context.params is not None
    except Exception:
        return False


def is_taken(command: str) -> bool:
    words = shlex.split(command)
    filled_in = ([re.sub(r"\{\}|\b[A-Z]{2,}\b", value, word) for word in words] for value in ("1", "cron"))
    return any(map(takes, filled_in))


def test_every_command_that_a_message_names_is_taken() -> None:
    # What is filled in before an option are more options, if anything.
    found = {text.replace("{}--", "--") for text in proposed()} - {"{}"}
    assert {"undo {}", "run --dry-run --since 1d", "audit verify", "report --escalated"} <= found
    assert [command for command in sorted(found) if not is_taken(command)] == []


def test_one_that_is_none_would_be_noticed() -> None:
    assert not any(map(takes, (["rnu"], ["run", "--no-such"], ["worker", "--scheduler"], ["audit", "verfy"])))


# Whoever types a command or an option of an earlier version reads what to use instead


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

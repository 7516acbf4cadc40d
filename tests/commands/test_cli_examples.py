"""Every command's help ends with one or two examples, and the command line takes each of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.commands.command_group import examples as examples_of

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

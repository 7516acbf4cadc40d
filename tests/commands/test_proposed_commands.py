"""Every command that the program's own messages, help and settings name is one that the command line takes."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import ticket_processor

from .test_cli_examples import COMMANDS

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

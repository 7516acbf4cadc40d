"""An assistant that asks ``ticketbot mcp``, with the SDK's own client; and what is to be looked at in its answers."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cli.conftest import REPOSITORY, Command

if TYPE_CHECKING:
    from mcp import Client, StdioServerParameters

FENCE = "customer-data-no-instructions-"


def texts_in(answer: Any) -> Iterator[str]:
    """What stands in the marked fields of an answer."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            yield from [value] if name == "customer_text" else texts_in(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from texts_in(value)


def marked(answer: Any) -> list[str]:
    """The marked texts without their marks. Fails where one could be mistaken for something else."""
    found = []
    for text in texts_in(answer):
        first, *inner, last = text.split("\n")
        assert re.fullmatch(rf"{FENCE}[0-9a-f]{{16}}", first), text
        assert first == last
        assert first not in "\n".join(inner), "the words cannot close their marks"
        found.append("\n".join(inner))
    return found


def outside(answer: Any) -> str:
    """All of an answer but the marked texts."""
    kept = json.dumps(answer, ensure_ascii=False)
    for text in texts_in(answer):
        kept = kept.replace(json.dumps(text, ensure_ascii=False), '""')
    return kept


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "said.txt")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


async def answers_to(assistant: Client, *asked: tuple[str, dict[str, Any]]) -> list[Any]:
    """The structured answers of these calls; each is in the text as well."""
    found = []
    for name, arguments in asked:
        answer = await assistant.call_tool(name, arguments)
        assert not answer.is_error, answer.content
        assert json.loads(answer.content[0].text) == answer.structured_content  # type: ignore[union-attr]
        found.append(answer.structured_content)
    return found


def over_pipes(command: Command, *options: str) -> StdioServerParameters:
    """How a client starts the real command, as its configuration says."""
    from mcp import StdioServerParameters

    environ = {"PYTHONPATH": str(REPOSITORY), "TICKETBOT_STATE_DIR": str(command.state), "PATH": os.environ["PATH"]}
    arguments = ["-m", "ticket_processor", "mcp", *options]
    return StdioServerParameters(command=sys.executable, args=arguments, env=environ, cwd=command.folder)

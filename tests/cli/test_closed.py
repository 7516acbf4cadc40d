"""A command closes what it opened: connections to the helpdesk and to models, files, the state."""

from __future__ import annotations

import pytest

from .conftest import OpenDesk

pytestmark = pytest.mark.slow

COMMANDS = [
    ("run", "--since", "1d"),
    ("analyse", "1"),
    ("seed", "--llm", "--count", "1", "--out", "seeded.jsonl"),
    ("init",),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nothing_that_was_opened_is_left_to_the_interpreter(open_desk: OpenDesk, arguments: tuple[str, ...]) -> None:
    desk = open_desk(2, model=True)
    # A warning within a destructor cannot end the process, but it is always printed.
    process = desk.python("-W", "error::ResourceWarning", "-m", "ticket_processor", *arguments)
    err = desk.end(process, code=None).err
    assert process.returncode in (0, 1)
    assert "ResourceWarning" not in err
    assert "Exception ignored" not in err

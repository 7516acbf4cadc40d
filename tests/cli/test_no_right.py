"""State or log of another user: every command says whose it is and what to do, in the same words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from .conftest import Desk, Ended

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
NO_RIGHTS = ("setpriv", "--inh-caps=-all", "--bounding-set=-all") if IS_ROOT else ()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.name != "posix" or (IS_ROOT and shutil.which("setpriv") is None),
        reason="needs a user who may not do everything",
    ),
]
Without = Callable[..., Ended]


@pytest.fixture
def without(desk: Desk) -> Without:
    """The command by a user who has no more rights than the files say, root too."""

    def call(*arguments: str, code: int = 3) -> Ended:
        process = subprocess.run(
            [*NO_RIGHTS, sys.executable, "-m", "ticket_processor", *arguments],
            cwd=desk.folder,
            env=desk._environment({}),
            input="Refund\nI was charged twice.",
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert process.returncode == code, (arguments, process.stdout, process.stderr)
        return Ended(process.returncode, process.stdout, process.stderr)

    desk("run", "--since", "1d")
    return call


def test_a_closed_state_folder_is_told_in_the_same_words_by_every_command(desk: Desk, without: Without) -> None:
    commands = (
        "run|run --dry-run|retry list|retry run|undo latest|undo latest --dry-run|analyse -|eval --from-helpdesk|"
    )
    commands += "audit verify|audit erase --ticket 1 --yes"
    before = desk.state.stat().st_mode
    desk.state.chmod(0)
    try:
        ended = [without(*command.split()).err.splitlines() for command in commands.split("|")]
    finally:
        desk.state.chmod(before)
    (sentence,) = {next(line for line in lines if "note:" not in line) for lines in ended}
    assert sentence.startswith(f"ticketbot: the state folder {desk.state} cannot be used ({desk.state} belongs to ")
    assert sentence.endswith("make it writable, or name another as state_dir (TICKETBOT_STATE_DIR)")

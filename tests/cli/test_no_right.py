"""State or log of another user: every command says whose it is and what to do, in the same words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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


def closed(path: Path, mode: int, without: Without, *commands: tuple[str, ...]) -> dict[tuple[str, ...], str]:
    """What each command says of ``path``, which has that mode meanwhile."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        ended = {command: without(*command).err for command in commands}
    finally:
        path.chmod(before)
    assert not [text for text in ended.values() if "bug" in text or "Errno" in text], ended
    return {
        command: next((line for line in text.splitlines() if "note:" not in line), "")
        for command, text in ended.items()
    }


def test_a_closed_state_folder_is_told_in_the_same_words_by_every_command(desk: Desk, without: Without) -> None:
    said = closed(
        desk.state,
        0,
        without,
        ("run",),
        ("run", "--dry-run"),
        ("retry", "list"),
        ("retry", "run"),
        ("undo", "latest"),
        ("undo", "latest", "--dry-run"),
        ("analyse", "-"),
        ("eval", "--from-helpdesk"),
        ("audit", "verify"),
        ("audit", "erase", "--ticket", "1", "--yes"),
    )
    (sentence,) = set(said.values())
    assert sentence.startswith(f"ticketbot: the state folder {desk.state} cannot be used ({desk.state} belongs to ")
    assert sentence.endswith("make it writable, or name another as state_dir (TICKETBOT_STATE_DIR)")


def test_a_closed_log_is_told_and_no_receipts_are_promised(desk: Desk, without: Without) -> None:
    file = next(desk.logs.glob("*.jsonl"))
    for path, mode in ((desk.logs, 0), (file, 0o444)):
        before = path.stat().st_mode
        path.chmod(mode)
        try:
            ended = without("run")
        finally:
            path.chmod(before)
        assert "receipts" not in ended.out
        assert f"cannot be written ({path} belongs to " in ended.err
        assert f"mode is {mode:03o}" in ended.err
    said = closed(desk.logs, 0, without, ("report",), ("audit", "show", "1"))
    assert all(f"the log {desk.logs} cannot be read: {desk.logs} belongs to " in text for text in said.values())

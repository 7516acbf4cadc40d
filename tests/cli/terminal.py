"""The command at a terminal of its own, and what that shows."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..support import fork_server
from .conftest import TOO_LONG_S, Command

_READ_S = 10.0


@contextmanager
def terminal(
    command: Command, *arguments: str, fresh: bool = False, **environ: str
) -> Iterator[tuple[subprocess.Popen[str], bytearray]]:
    """The command whose input and both outputs are one terminal, and what that is sent, complete at the end.

    ``fresh``: in an interpreter that has loaded nothing yet. What still runs at the end is killed.
    """
    import pty  # Windows has none

    ours, theirs = pty.openpty()
    surroundings = command._surroundings(environ) | dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    process = fork_server.start(arguments, fresh=fresh, **surroundings)
    os.close(theirs)
    shown = bytearray()

    def read() -> None:
        with suppress(OSError):  # Linux says so at the end
            while part := os.read(ours, 65536):
                shown.extend(part)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield process, shown
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join(_READ_S)
        os.close(ours)


def shown_on_a_terminal(command: Command, *arguments: str, **environ: str) -> str:
    """All that a command shows, which has to end well."""
    with terminal(command, *arguments, **environ) as (process, shown):
        assert process.wait(TOO_LONG_S) == 0
    return shown.decode("utf-8", "replace").replace("\r\n", "\n")

"""This installation's own program, as another process or a person starts it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def program() -> tuple[str, ...]:
    """This installation's own command, or its Python with ``-P``, which imports nothing from the current folder."""
    script = Path(sys.executable).with_name("ticketbot.exe" if sys.platform == "win32" else "ticketbot")
    return (str(script),) if script.is_file() else (sys.executable, "-P", "-m", "ticket_processor")


def called_here() -> str:
    """What a person types in this folder to start this installation's program."""
    words = program()
    if shutil.which("ticketbot") == words[0]:
        return "ticketbot"
    path = Path(words[0])
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    first = f'"{path}"' if " " in str(path) else str(path)
    return " ".join((first, *words[1:]))

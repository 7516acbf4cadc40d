"""What ``--help`` says, without a process for it."""

from __future__ import annotations

from functools import cache

from typer.testing import CliRunner

from ticket_processor.cli import app


@cache
def help_text(*command: str) -> str:
    """What a command shows with ``--help``; nothing when there is no such command."""
    shown = CliRunner().invoke(app, [*command, "--help"], prog_name="ticketbot")
    return shown.stdout if shown.exit_code == 0 else ""

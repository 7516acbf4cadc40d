"""What the commands of the command line share: options, errors as sentences and exit codes, signals."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from typer.core import TyperGroup

from ..core.errors import ConfigError, ExitCode, RunLocked, Stopping, TicketbotError, unexpected
from .cli_examples import epilog

if TYPE_CHECKING:
    from ..core.clock import SystemClock

STOP_WITHIN_S = 19.0
"""After a signal the process is gone within this time, whatever hangs."""
ConfigOption = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation on every supported Python
    typer.Option(
        "--config", metavar="FILE", help="Configuration file (default: TICKETBOT_CONFIG, or ticketbot.toml here)."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
HtmlOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(metavar="FILE", help="Write a report with plots; needs the extra 'report'."),
]


def _verbose(asked: bool) -> None:
    if asked:
        from ..core.verbose import show

        show("debug", insist=True)


VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose",
        callback=_verbose,
        is_eager=True,
        expose_value=False,
        help="Show requests and decisions on standard error; TICKETBOT_LOG_LEVEL does so for every command.",
    ),
]


class Commands(TyperGroup):
    """The commands, each with examples at the end of its help.

    A value that is none of the choices is told without a word of Pydantic's.
    """

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        command = super().get_command(ctx, cmd_name)
        if command is not None and not command.epilog:
            command.epilog = epilog(" ".join((*ctx.command_path.split()[1:], cmd_name)))
        return command

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


@contextmanager
def errors(as_json: bool, *, quiet: bool = False) -> Iterator[None]:
    """Known errors become sentences on stderr and an exit code; with ``--json``, one object on stdout as well.

    ``quiet``: that another run is active is told by the exit code alone, for a schedule that mails whatever is printed.
    """
    try:
        yield
    except TicketbotError as error:
        problems = error.problems if isinstance(error, ConfigError) else (str(error),)
        for problem in () if quiet and isinstance(error, RunLocked) else problems:
            typer.echo(f"ticketbot: {problem}", err=True)
        if as_json:
            import json

            with suppress(OSError):  # it may be what went wrong
                typer.echo(json.dumps({"error": list(problems), "exit_code": int(error.exit_code)}, ensure_ascii=False))
        leave(error.exit_code)
    except KeyboardInterrupt:
        leave(ExitCode.INTERRUPTED)
    except typer.Exit:
        raise
    except BrokenPipeError:
        # Whoever read along has seen enough, as `| head` has; what is left to flush at the end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        leave(ExitCode.OK)
    except Exception as error:  # noqa: BLE001 - a bug; cron must not take it for "some tickets failed"
        typer.echo(f"ticketbot: {unexpected(error)}; this is a bug in ticketbot, please report it", err=True)
        leave(ExitCode.CANNOT_RUN)


@contextmanager
def signals() -> Iterator[SystemClock]:
    """A clock that Ctrl-C, SIGTERM and Windows' Ctrl-Break stop: every wait ends, the run winds up."""
    from ..core.clock import SystemClock

    clock = SystemClock()

    def stop(number: int, _frame: object) -> None:
        code = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
        try:
            clock.check()
        except Stopping:
            os._exit(code)  # asked twice
        timer = threading.Timer(STOP_WITHIN_S, os._exit, [int(code)])
        timer.daemon = True
        timer.start()
        # Not from here: this frame may have interrupted the very wait whose lock setting the event takes.
        threading.Thread(target=clock.stop, args=[code], daemon=True).start()

    names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield clock
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def leave(code: int, abandoned: int = 0) -> None:
    """End with ``code``; at once when threads hang in calls that the interpreter would wait for."""
    if abandoned:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code))
    raise typer.Exit(int(code))

"""Loads a command when it is asked for, and runs it: its clock, its errors as sentences, its exit code.

A command is a function whose signature declares its arguments and options. It returns its exit code, or the code and
how many threads it left behind in calls that hang. Where it has a parameter ``clock``, it gets one that signals stop.
"""

from __future__ import annotations

import inspect
import os
import signal
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module, resources
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from ..core.errors import ConfigError, ExitCode, RunLocked, Stopping, TicketbotError, unexpected

if TYPE_CHECKING:
    from ..core.clock import SystemClock

STOP_WITHIN_S = 19.0
"""After a signal the process is gone within this time (and its clock's ``grace_s``), whatever hangs."""
Work = Callable[..., int | tuple[int, int]]


@dataclass(frozen=True)
class CommandEntry:
    """A command's line in the list of commands, and where its function is: ``module:function`` in this package.

    Without a place it is a group of ``commands``; ``help`` is its own help where the line is too short for that.
    """

    line: str
    place: str = ""
    commands: Mapping[str, CommandEntry] = field(default_factory=dict)
    help: str = ""


class CommandGroup(TyperGroup):
    """Commands by name, each imported when it is asked for, so that their list needs none of them.

    ``panels`` are the commands under the headings of help.
    """

    panels: Mapping[str, Mapping[str, CommandEntry]] = {}

    def __init__(self, *, entries: Mapping[str, CommandEntry] | None = None, **more: Any) -> None:
        super().__init__(**more)
        self.panels = self.panels if entries is None else {"Commands": entries}
        self.entries = {name: entry for panel in self.panels.values() for name, entry in panel.items()}
        self.commands: dict[str, Any] = dict.fromkeys(self.entries)  # loaded by get_command

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        if cmd_name in self.entries and self.commands[cmd_name] is None:
            path = f"{_path(ctx)} {cmd_name}".strip()
            self.commands[cmd_name] = _loaded(cmd_name, self.entries[cmd_name], examples(path))
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        longest = max(map(len, self.entries))
        for heading, entries in self.panels.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(longest), entry.line) for name, entry in entries.items()])

    def shell_complete(self, ctx: typer.Context, incomplete: str) -> list[Any]:  # type: ignore[override]
        """What may follow; Typer would import every command for its help."""
        if incomplete.startswith("-"):
            return [item for item in super().shell_complete(ctx, incomplete) if item.value.startswith("-")]
        found = [(name, entry.line) for name, entry in self.entries.items() if name.startswith(incomplete)]
        return [SimpleNamespace(value=name, help=line, type="plain") for name, line in found]

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        for words in (args[:1], args[:2]):  # the second where a group has become a command
            self._refuse_removed(ctx, " ".join([*_path(ctx).split(), *words]))
        return super().resolve_command(ctx, args)

    @staticmethod
    def _refuse_removed(ctx: typer.Context, path: str) -> None:
        if instead := removed().get(path):
            ctx.fail(f"'ticketbot {path}' is gone: {instead}.")

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")  # which is Pydantic's word, not ours
            raise
        except Exception as error:
            option, where = getattr(error, "option_name", None), getattr(error, "ctx", None)
            if option and where:  # Typer's NoSuchOption, which it does not export
                self._refuse_removed(where, f"{_path(where)} {option}")
            raise


@cache
def removed() -> dict[str, str]:
    """What to use instead of each command and option of earlier versions.

    By the command's path, such as ``kb doctor`` or, for an option, ``run --limit``.
    """
    text = resources.files(__package__).joinpath("removed.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _path(ctx: typer.Context) -> str:
    return " ".join(ctx.command_path.split()[1:])


def examples(command: str) -> list[str]:
    """One or two examples for a command, at the end of its ``--help``; none for a group."""
    text = resources.files(__package__).joinpath("cli_examples.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if f"{line} ".startswith(f"ticketbot {command} ")]


def _loaded(name: str, entry: CommandEntry, shown: Sequence[str]) -> Any:
    if entry.commands:
        return CommandGroup(
            name=name,
            entries=entry.commands,
            help=entry.help or entry.line,
            no_args_is_help=True,
            rich_markup_mode=None,
        )
    module, _, function = entry.place.partition(":")
    with errors():
        work: Work = getattr(import_module(f".{module}", __package__), function)
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    # The lines of an epilog that begins with this mark are not joined.
    end = "\n".join(("\b", f"Example{'s' * (len(shown) > 1)}:", *(f"  {one}" for one in shown)))
    app.command(name, epilog=end)(_run(work))
    made: Any = typer.main.get_command(app)
    for parameter in made.params:
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None  # Typer would add Python's own words, such as <list[Path]>
    return made


def _run(work: Work) -> Callable[..., None]:
    """The function that Typer calls: it gives ``work`` a clock and its options, and ends with its exit code."""
    signature = inspect.signature(work, eval_str=True)
    options = {name: each for name, each in signature.parameters.items() if name != "clock"}

    def run(**given: Any) -> None:
        # A scheduler mails what a run prints: that another run is active, the exit code tells.
        quiet = work.__name__ == "run" and given.get("quiet", False)
        with errors(given.get("as_json", False), quiet=quiet), ExitStack() as stack:
            if "clock" in signature.parameters:
                given["clock"] = stack.enter_context(signals())
            ended = work(**given)
        leave(*ended) if isinstance(ended, tuple) else leave(ended)

    run.__doc__ = work.__doc__
    run.__signature__ = signature.replace(parameters=list(options.values()))  # type: ignore[attr-defined]
    run.__annotations__ = {name: each.annotation for name, each in options.items()}
    return run


@contextmanager
def errors(as_json: bool = False, *, quiet: bool = False) -> Iterator[None]:
    """Known errors become sentences on stderr and an exit code; with ``--json``, one object on stdout as well.

    With ``quiet`` nothing says that another run is active but the exit code.
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
        # The reader has seen enough, as `| head` has; what is left to flush at the end goes nowhere.
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
            _end_at_once(code)  # asked twice
        timer = threading.Timer(STOP_WITHIN_S + clock.grace_s, _end_at_once, [int(code)])
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


def _end_at_once(code: int) -> None:
    """End the process, whatever hangs. A terminal that shows a bar gets its next prompt in a line of its own."""
    with suppress(OSError, ValueError):
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), b"\n")
    os._exit(int(code))


def leave(code: int, abandoned: int = 0) -> None:
    """End with ``code``; at once when threads hang in calls that the interpreter would wait for."""
    if abandoned:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code))
    raise typer.Exit(int(code))

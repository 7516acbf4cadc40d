"""The command line: the commands by name, their exit codes, and how the program starts and ends; no logic.

Only typer and the standard library are imported here, so that ``--help`` is instant; a command's module, which
declares its options, is imported when the command is named.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import Annotated

import typer

from . import __version__
from .commands.command_group import CommandEntry, CommandGroup
from .core.errors import ExitCode


class Commands(CommandGroup):
    """The commands of ``ticketbot``, in the order in which help lists them."""

    panels = {  # noqa: RUF012 - never changed
        "Begin": {
            "init": CommandEntry("Write the settings files, and check what they reach.", "init:init"),
            "doctor": CommandEntry("Name what is wrong with settings, categories and rules.", "doctor:doctor"),
            "sandbox": CommandEntry("Serve a local imitation of a helpdesk and of OpenAI.", "seed:sandbox"),
            "seed": CommandEntry("Fill a sandbox account with invented tickets.", "seed:seed"),
        },
        "Every day": {
            "run": CommandEntry("Triage new tickets, once.", "run:run"),
            "analyse": CommandEntry("Show one ticket's way through the chain; writes nothing.", "analyse:analyse"),
            "retry": CommandEntry(
                "Tickets that wait for a later run, or failed too often.",
                commands={
                    "list": CommandEntry("Print the retry list.", "retry:show"),
                    "run": CommandEntry("Try the tickets of the list now.", "retry:run"),
                    "drop": CommandEntry("Take tickets off the list for good.", "retry:drop"),
                },
            ),
            "undo": CommandEntry("Undo a run, except where a person has changed something.", "undo:undo"),
            "apply": CommandEntry("Write what a dry run has kept in a file, exactly once.", "retry:apply"),
            "report": CommandEntry("Show what was triaged in a period, how well and at what cost.", "report:report"),
            "dashboard": CommandEntry(
                "Show tickets, costs, runs and health on pages in a browser.", "portal:dashboard"
            ),
        },
        "Quality": {
            "eval": CommandEntry("Measure analysers on labelled or on solved tickets.", "evaluate:evaluate"),
            "learn": CommandEntry(
                "What people change of our labels: collect it, learn from it.",
                commands={
                    "collect": CommandEntry("Read which labels people kept and changed.", "learn:collect"),
                    "show": CommandEntry("Show which labels people kept and changed.", "learn:show"),
                    "review": CommandEntry("Show corrections that wait to be approved.", "learn:review"),
                    "approve": CommandEntry("Approve corrections.", "learn:approve"),
                    "reject": CommandEntry("Reject corrections.", "learn:reject"),
                    "log": CommandEntry("Print everything that was learnt or decided.", "learn:log"),
                    "undo": CommandEntry("Take back something that was learnt.", "learn:undo"),
                    "pin": CommandEntry("Pin right answers that no change may lose.", "learn:pin"),
                    "pins": CommandEntry("Print the pinned cases.", "learn:pins"),
                },
            ),
            "train": CommandEntry("Learn a local classifier from labelled tickets.", "train:train"),
            "kb": CommandEntry(
                "Your articles: read them, search them, measure the search.",
                commands={
                    "sync": CommandEntry("Read new and changed articles from every source.", "kb:sync"),
                    "search": CommandEntry("Show the passages that answer a question best.", "kb:search"),
                    "show": CommandEntry("Print an article as it is searched.", "kb:show"),
                    "eval": CommandEntry("Measure search on questions with known articles.", "kb:evaluate_search"),
                    "doctor": CommandEntry("List what to mend in your articles.", "doctor:check_articles"),
                },
            ),
            "redact": CommandEntry("Show a text as a model would see it; needs no settings.", "analyse:redact"),
        },
        "Operate": {
            "schedule": CommandEntry(
                "Runs at fixed times, by the scheduler of the system.",
                help="Runs at fixed times, by cron, systemd or Task Scheduler.",
                commands={
                    "install": CommandEntry("Install the schedule, or bring it up to date.", "schedule:install"),
                    "show": CommandEntry("Print what install would hand over; changes nothing.", "schedule:show"),
                    "remove": CommandEntry("Take back what install put there, and nothing else.", "schedule:remove"),
                },
            ),
            "health": CommandEntry("Look at everything that runs need, within 10 s.", "health:health"),
            "alerts": CommandEntry("Print the open alerts, or send a test message.", "health:alerts"),
            "serve": CommandEntry("Triage tickets within seconds of the helpdesk's webhooks.", "serve:serve"),
            "mcp": CommandEntry("Let an assistant ask the log questions; it can change nothing.", "mcp:mcp"),
            "portal": CommandEntry("Serve a ticket form, tracking and an agents' list of our own.", "portal:portal"),
            "local": CommandEntry(
                "Move to another machine; erase a local customer.",
                commands={
                    "export": CommandEntry("Write it all as JSON lines, for another machine.", "local:export_all"),
                    "import": CommandEntry("Take in such lines.", "local:import_all"),
                    "erase": CommandEntry("Erase a customer from the local helpdesk.", "local:erase"),
                },
            ),
            "audit": CommandEntry(
                "The log: check it, read it, erase words from it.",
                commands={
                    "verify": CommandEntry("Check that the log is as it was written.", "audit:verify"),
                    "show": CommandEntry("Print one ticket's story, or days of the log, decrypted.", "audit:show"),
                    "erase": CommandEntry("Erase customers' words from log and state.", "audit_erase:erase_tickets"),
                },
            ),
            "worker": CommandEntry("Ask models for runs on other machines.", "serve:worker"),
            "scheduler": CommandEntry("Bring workers and runs together.", "serve:scheduler"),
        },
    }


app = typer.Typer(
    name="ticketbot",
    cls=Commands,
    help="Triage for helpdesk tickets: tags, priority and one short internal note, exactly once.",
    epilog="Exit codes: 0 all good, 1 some tickets failed, 2 wrong usage or configuration, 3 could not run, "
    "75 another run is active, 130/143 stopped by a signal.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ticketbot {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Triage for helpdesk tickets: tags, priority and one short internal note, exactly once."""


def main() -> None:
    """Run the ``ticketbot`` command."""
    gc.set_threshold(10_000)  # loading makes many objects and no garbage: at the usual 700 a sixth of it is collecting
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")  # tickets hold every script; a code page does not
    try:
        app(prog_name="ticketbot")
    except SystemExit as end:
        if (why := _unprinted()) is None or end.code not in (None, 0):
            raise
        sys.stderr.write(f"ticketbot: nothing can be printed to standard output: {why}\n")
        sys.exit(int(ExitCode.CANNOT_RUN))


def _unprinted() -> str | None:
    """Flush standard output; returns why that failed, or ``None`` if it worked or the reader has gone.

    Without this, the interpreter would report the failure in its own words after the program's last line.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return None if isinstance(error, BrokenPipeError) else error.strerror or str(error)
    return None


if __name__ == "__main__":
    main()

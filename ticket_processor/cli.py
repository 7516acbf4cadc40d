"""The command line: declarations, output, exit codes; no logic.

Only typer and the standard library are imported here, so that ``--help`` is instant; each command imports its
work when it is called.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from . import __version__
from .commands.cli_support import Commands, ConfigOption, HtmlOption, JsonOption, VerboseOption, errors, leave, signals
from .commands.operations_cli import app as operations
from .core.errors import ExitCode

app = typer.Typer(
    name="ticketbot",
    cls=Commands,
    help="Triage for helpdesk tickets: tags, priority and one short internal note, exactly once.",
    epilog="Exit codes: 0 all good, 1 some tickets failed, 2 wrong usage or configuration, 3 could not run, "
    "75 another run is active, 130/143 stopped by a signal.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)

AnalyserOption = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        metavar="NAME",
        help="What to measure: chain, rules, classifier or model:NAME; may be repeated. Default: chain and rules.",
    ),
]
PrecisionOption = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Propose thresholds at which this share of answers is right."),
]
ShowErrorsOption = Annotated[
    bool, typer.Option("--show-errors", help="With --html: list wrong answers with the tickets' redacted words.")
]


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


@app.command()
def run(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; write nothing to the helpdesk or the cursor.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Triage at most N tickets; those left alone do not count."),
    ] = None,
    since: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="WHEN", help="Begin with tickets created since: now, 45m, 12h, 7d, 2026-11-01 or a full time."
        ),
    ] = None,
    ticket: Annotated[
        Optional[list[int]],  # noqa: UP045
        typer.Option("--ticket", min=1, metavar="ID", help="Triage only this ticket; may be repeated."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="With --ticket: triage it although it is done, such as after an undo.")
    ] = False,
    again_run: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--again-run", metavar="RUN", help="Triage again the tickets that a run wrote on: its id, or latest."
        ),
    ] = None,
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, metavar="N", help="Analyses at the same time. Default: run.workers."),
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Run against an embedded sandbox with invented tickets: a tour.")
    ] = False,
    no_llm: Annotated[bool, typer.Option("--no-llm", help="Keyword rules only, whatever models are set.")] = False,
    retry_fallbacks: Annotated[
        bool,
        typer.Option("--retry-fallbacks", help="Also ask a model about tickets that the rules had to answer."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue after a run stopped because a note became public.")
    ] = False,
    verify: Annotated[
        Literal["all", "sample", "none"],
        typer.Option(help="Which writes to read back at the end of the run."),
    ] = "sample",
    backfill: Annotated[
        bool, typer.Option("--backfill", help="Analyse solved tickets since --since into a file; write nothing else.")
    ] = False,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--out", metavar="FILE", help="With --backfill: the file, new or continued. Default: backfill.jsonl."
        ),
    ] = None,
    as_new: Annotated[
        bool, typer.Option("--as-new", help="With --backfill: whole decisions, with priority, group and note.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only what went wrong.")] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Triage new tickets, once."""
    with errors(as_json, quiet=quiet):
        from .commands import backfill as history
        from .commands.run import check_named
        from .commands.run import run as work

        wishes = history.BackfillOptions(out, as_new)
        others = {
            "--backfill": backfill,
            "--sandbox": sandbox,
            "--since": since is not None,
            "--retry-fallbacks": retry_fallbacks,
        }
        check_named(ticket or (), again, again_run or "", others)
        if backfill:
            begin = history.check(
                since,
                dry_run=dry_run,
                sandbox=sandbox,
                retry_fallbacks=retry_fallbacks,
                resume=resume,
                verify=verify != "sample",
            )
            with signals() as clock:
                code, abandoned = history.backfill(
                    clock,
                    wishes,
                    config=config,
                    since=begin,
                    limit=limit,
                    workers=workers,
                    no_llm=no_llm,
                    quiet=quiet,
                    as_json=as_json,
                )
            leave(code, abandoned)
        wishes.check_unused()
        with signals() as clock:
            code, abandoned = work(
                clock,
                config=config,
                dry_run=dry_run,
                limit=limit,
                since=since,
                workers=workers,
                sandbox=sandbox,
                no_llm=no_llm,
                retry_fallbacks=retry_fallbacks,
                resume=resume,
                verify=verify,
                quiet=quiet,
                as_json=as_json,
                tickets=ticket or (),
                again=again,
                again_run=again_run or "",
            )
    leave(code, abandoned)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What 'ticketbot run --backfill' wrote.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")] = False,
    limit: Annotated[Optional[int], typer.Option(min=1, metavar="N", help="Write at most this many tickets.")] = None,  # noqa: UP045
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only what went wrong.")] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write the results of a backfill to the helpdesk, exactly once."""
    with errors(as_json):
        from .commands.apply import apply as work

        with signals() as clock:
            code, abandoned = work(
                clock, file, config=config, dry_run=dry_run, limit=limit, quiet=quiet, as_json=as_json
            )
    leave(code, abandoned)


@app.command()
def seed(
    count: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, metavar="N", help="How many tickets; beyond the packaged ones, variations of them."),
    ] = None,
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Your own tickets instead: .jsonl or .jsonl.gz with subject and body."),
    ] = None,
    llm: Annotated[
        bool, typer.Option("--llm", help="Have new tickets written by the first model of the list.")
    ] = False,
    category: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="NAME", help="With --llm: this category only; may be repeated. Default: all."),
    ] = None,
    language: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="CODE", help="With --llm: in this language, such as de; may be repeated. Default: en."),
    ] = None,
    mood: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="MOOD", help="With --llm: negative, neutral or positive; may be repeated. Default: all."),
    ] = None,
    save: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="With --llm: add the labelled rows here. Default: seeded-DATE.jsonl."),
    ] = None,
    save_only: Annotated[
        bool, typer.Option("--save-only", help="With --llm: fill the file, and leave the helpdesk alone.")
    ] = False,
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, metavar="N", help="With --llm: requests at the same time."),
    ] = None,
    random_seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="The same number gives the same tickets.")
    ] = 0,
    insist: Annotated[
        bool, typer.Option("--yes-this-is-a-sandbox", help="Seed although the account looks like production.")
    ] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Fill a sandbox account with invented tickets."""
    with errors(as_json):
        from .commands.seed import SeedOptions
        from .commands.seed import seed as work

        wishes = SeedOptions(category or (), language or (), mood or (), save, save_only, workers)
        with signals() as clock:
            code, abandoned = work(
                clock,
                config=config,
                count=count,
                file=file,
                random_seed=random_seed,
                insist=insist,
                llm=llm,
                wishes=wishes,
                as_json=as_json,
            )
    leave(code, abandoned)


@app.command(short_help="Show one ticket's way through the chain; writes nothing.")
def analyse(
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help="A ticket's number, or - for standard input.")],
    no_llm: Annotated[bool, typer.Option("--no-llm", help="Keyword rules only, whatever models are set.")] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show one ticket's way through the chain, step by step; writes nothing."""
    with errors(as_json):
        from .commands.analyse import analyse as work

        with signals() as clock:
            code = work(clock, ticket, config=config, no_llm=no_llm, as_json=as_json)
    leave(code)


@app.command("eval")
def evaluate(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Labelled tickets, .jsonl or .jsonl.gz: subject, body, category, ..."),
    ],
    analyser: AnalyserOption = None,
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, metavar="N", help="At most this many tickets of each file."),
    ] = None,
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, metavar="N", help="Questions to a model at the same time."),
    ] = None,
    precision: PrecisionOption = 0.95,
    details: Annotated[bool, typer.Option("--details", help="Print every table of every file.")] = False,
    html: HtmlOption = None,
    show_errors: ShowErrorsOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Measure analysers on labelled tickets; needs no helpdesk."""
    with errors(as_json):
        from .commands.evaluate import evaluate as work

        with signals() as clock:
            code = work(
                clock,
                files,
                config=config,
                analysers=analyser or (),
                limit=limit,
                workers=workers,
                precision=precision,
                details=details,
                html=html,
                show_errors=show_errors,
                as_json=as_json,
            )
    leave(code)


@app.command(short_help="Measure analysers on solved tickets, and propose thresholds.")
def backtest(
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="Tickets created since: 90d, 2w, 2026-11-01 or a full time.")
    ] = "90d",
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, metavar="N", help="At most this many tickets, the newest first."),
    ] = 1000,
    analyser: AnalyserOption = None,
    category_from: Annotated[
        str,
        typer.Option(
            metavar="HOW", help="Where people's category is: auto, tag, group, or field:ID (a ticket field's number)."
        ),
    ] = "auto",
    include_ours: Annotated[
        bool,
        typer.Option(
            "--include-ours", help="Include tickets that ticketbot triaged; labels that people left count as chosen."
        ),
    ] = False,
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, metavar="N", help="Questions to a model at the same time."),
    ] = None,
    precision: PrecisionOption = 0.95,
    html: HtmlOption = None,
    show_errors: ShowErrorsOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Measure analysers on the helpdesk's solved tickets, and propose thresholds; writes nothing there."""
    with errors(as_json):
        from .commands.backtest import backtest as work

        with signals() as clock:
            code = work(
                clock,
                config=config,
                since=since,
                limit=limit,
                analysers=analyser or (),
                category_from=category_from,
                include_ours=include_ours,
                workers=workers,
                precision=precision,
                html=html,
                show_errors=show_errors,
                as_json=as_json,
            )
    leave(code)


@app.command(short_help="Show a text as a model would see it; needs no settings.")
def redact(
    file: Annotated[str, typer.Argument(help="A text file, .jsonl with subject and body, or - for standard input.")],
    level: Annotated[
        str, typer.Option(metavar="LEVEL", help="How much to replace: secrets, standard or strict.")
    ] = "standard",
    name: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--name", metavar="NAME", help="A known name, such as the requester's; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a text as a model would see it, and how much was replaced; redacts only, and needs no settings."""
    with errors(as_json):
        from .commands.redact import redact as work

        code = work(file, level=level, names=name or (), as_json=as_json)
    leave(code)


@app.command(short_help="Serve a local imitation of Zendesk and OpenAI.")
def sandbox(
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Where to listen; 0 picks a free port.")
    ] = 8808,
    tickets: Annotated[
        int, typer.Option(min=0, metavar="N", help="Number of tickets at the start, minutes to hours old.")
    ] = 0,
    plan: Annotated[
        str,
        typer.Option(
            metavar="PLAN",
            help="Rate limits: team, growth, professional, enterprise, enterprise-plus, sandbox, unlimited.",
        ),
    ] = "enterprise",
    faults: Annotated[
        str, typer.Option(metavar="FAULTS", help="Misbehaviour: 'lost-reply=0.05,error-before=0.02', or a JSON file.")
    ] = "",
    llm_latency: Annotated[
        str,
        typer.Option(metavar="SECONDS", help="Seconds a model answer takes: median, or median:p95, such as 2 or 2:4."),
    ] = "0",
    random_seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="The same number gives the same faults and latencies.")
    ] = 0,
) -> None:
    """Serve a local imitation of Zendesk and OpenAI, and print the variables that point a command at it."""
    with errors(as_json=False):
        from .commands.sandbox import serve_sandbox

        with signals() as clock:
            serve_sandbox(
                clock,
                port=port,
                tickets=tickets,
                plan=plan,
                faults=faults,
                llm_latency=llm_latency,
                random_seed=random_seed,
            )


retry_app = typer.Typer(
    cls=Commands,
    help="Tickets that wait for a later run, or failed too often.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.add_typer(retry_app, name="retry")
RetriedOption = Annotated[
    Optional[list[int]],  # noqa: UP045
    typer.Option("--ticket", min=1, metavar="ID", help="Only this ticket of the list; may be repeated."),
]


@retry_app.command("list", short_help="Print the retry list.")
def retry_list(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Print the tickets that wait for a later run or failed too often, with attempts and reason."""
    with errors(as_json):
        from .commands.retry import show as work

        code = work(config=config, as_json=as_json)
    leave(code)


@retry_app.command("run", short_help="Try the tickets of the list now.")
def retry_run(
    ticket: RetriedOption = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Try the tickets of the list now, dead letters included, and no others."""
    with errors(as_json):
        from .commands.retry import run as work

        with signals() as clock:
            code, abandoned = work(clock, config=config, tickets=ticket or (), as_json=as_json)
    leave(code, abandoned)


@retry_app.command("drop", short_help="Take tickets off the list for good.")
def retry_drop(
    ticket: RetriedOption = None,
    all_dead: Annotated[
        bool, typer.Option("--all-dead", help="All dead letters: tickets that failed too often.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Take tickets off the list, with a receipt: no run tries them again, except retry run --ticket ID."""
    with errors(as_json):
        from .commands.retry import drop as work

        with signals() as clock:
            code = work(clock, config=config, tickets=ticket or (), all_dead=all_dead, as_json=as_json)
    leave(code)


taxonomy_app = typer.Typer(
    cls=Commands, help="Your categories: show them, check them.", rich_markup_mode=None, no_args_is_help=True
)
app.add_typer(taxonomy_app, name="taxonomy")


@taxonomy_app.command("check", short_help="Find overlaps, gaps, and targets that cannot work.")
def taxonomy_check(
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the helpdesk for tags, fields and groups.")
    ] = False,
    log_days: Annotated[
        int,
        typer.Option(min=0, max=3650, metavar="N", help="Look for unused and missing categories in the log of N days."),
    ] = 30,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Find overlaps, gaps, and targets that cannot work; writes nothing.

    Exit code 0: no problems; 1: problems; 3: the helpdesk could not be asked.
    """
    with errors(as_json):
        from .commands.taxonomy import check as work

        with signals() as clock:
            code = work(clock, config=config, offline=offline, log_days=log_days, as_json=as_json)
    leave(code)


@taxonomy_app.command("show")
def taxonomy_show(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Print the categories of both levels as they are used."""
    with errors(as_json):
        from .commands.taxonomy import show as work

        code = work(config=config, as_json=as_json)
    leave(code)


@app.command()
def train(
    files: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Argument(metavar="FILE…", help="Labelled tickets: .jsonl or .jsonl.gz.", show_default=False),
    ] = None,
    from_helpdesk: Annotated[
        bool, typer.Option("--from-helpdesk", help="Learn from what people chose on the helpdesk's solved tickets.")
    ] = False,
    since: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="WHEN", help="With --from-helpdesk: tickets created since then. Default: 180d."),
    ] = None,
    include_ours: Annotated[
        bool, typer.Option("--include-ours", help="With --from-helpdesk: also tickets that ticketbot triaged.")
    ] = False,
    task: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="TASK", help="category, urgency or sentiment; may be repeated. Default: all three."),
    ] = None,
    bench: Annotated[
        bool, typer.Option("--bench", help="Compare six methods by cross-validation; keep the best for each task.")
    ] = False,
    report: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Write an HTML report with pictures and the misclassified tickets."),
    ] = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FOLDER", help="Folder of the classifier. Default: where a run looks for it."),
    ] = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Learn a local classifier from labelled tickets."""
    with errors(as_json):
        from .commands.train import train as work

        with signals() as clock:
            code = work(
                clock,
                config=config,
                files=files or (),
                from_helpdesk=from_helpdesk,
                since=since,
                include_ours=include_ours,
                tasks=task or (),
                bench=bench,
                report=report,
                out=out,
                as_json=as_json,
            )
    leave(code)


@app.command()
def undo(
    run_id: Annotated[
        str, typer.Argument(metavar="RUN_ID", help="A run's id, its beginning, or latest: the last run that wrote.")
    ],
    ticket: Annotated[
        Optional[list[int]],  # noqa: UP045
        typer.Option("--ticket", metavar="ID", help="Only on this ticket; may be repeated."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be taken back; write nothing.")] = False,
    while_stopped: Annotated[
        bool, typer.Option("--while-stopped", help="Work although the kill switch is set.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only what went wrong.")] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Take back what a run wrote, where nobody has touched it since.

    Tags, priority, group and ticket fields go back to what they were, with one internal note. Notes of the run stay:
    the helpdesk cannot delete them. A second undo does nothing.

    Exit code 0: done; 1: some tickets failed or are not known yet, so repeat the command; 2: no such run.
    """
    with errors(as_json):
        from .commands.undo import undo as work

        with signals() as clock:
            code = work(
                clock,
                run_id,
                config=config,
                tickets=ticket or (),
                dry_run=dry_run,
                while_stopped=while_stopped,
                quiet=quiet,
                as_json=as_json,
            )
    leave(code)


@app.command(short_help="Write the settings files, and check what they reach.")
def init(
    folder: Annotated[Path, typer.Argument(help="Folder for the files.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Write the files; contact no server.")] = False,
) -> None:
    """Write ticketbot.toml and .env.example, and check helpdesk and models."""
    with errors(as_json=False):
        from .commands.init import init as work

        code = work(folder, force=force, offline=offline)
    leave(code)


app.add_typer(operations)


def main() -> None:
    """The ``ticketbot`` command."""
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
    """Why what was said could not be printed in the end; ``None`` when it was, or when the reader has gone away.

    The interpreter would find out behind the last line of the program, and say so in its own words.
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

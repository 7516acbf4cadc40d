"""The commands that look after ticketbot: schedule, health, alerts, report, dashboard, audit. No logic here either."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from .cli_support import Commands, ConfigOption, JsonOption, VerboseOption, errors, leave, signals

app = typer.Typer(rich_markup_mode=None)
"""Its commands become those of ``ticketbot``."""


@app.command(short_help="Show what was triaged in a period, how well and at what cost.")
def report(
    since: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="WHEN", help="From: 24h, 7d, 2w, 2026-11-01 or a full time (UTC). Default: 7d."),
    ] = None,
    until: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="WHEN", help="To, in the same form; not included. Default: now."),
    ] = None,
    period: Annotated[
        Optional[Literal["day", "week", "month"]],  # noqa: UP045
        typer.Option(help="The last whole day, week or month (UTC), instead of --since."),
    ] = None,
    overrides: Annotated[
        bool, typer.Option("--overrides", help="Also read solved tickets from the helpdesk: what did people change?")
    ] = False,
    sample: Annotated[
        int, typer.Option(min=1, max=20_000, metavar="N", help="With --overrides: how many tickets to read.")
    ] = 200,
    knowledge: Annotated[
        bool, typer.Option("--knowledge", help="Also search the Help Center: which topics have no article?")
    ] = False,
    at_least: Annotated[
        int, typer.Option(min=1, metavar="N", help="With --knowledge: only topics of N tickets or more.")
    ] = 5,
    within: Annotated[
        float,
        typer.Option(min=1, metavar="SECONDS", help="With --overrides or --knowledge: stop asking after this time."),
    ] = 300,
    html: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Write a page with plots."),
    ] = None,
    csv: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FILE", help="Write all figures as CSV; - prints them instead of tables."),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print it as GitHub Markdown instead of tables.")
    ] = False,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="With --markdown: write it there instead."),
    ] = None,
    subjects: Annotated[
        bool, typer.Option("--subjects", help="Also read the listed tickets' subjects from the helpdesk; redacted.")
    ] = False,
    urgency: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="LABEL", help="Only critical, high, medium or low urgency; may be repeated."),
    ] = None,
    sentiment: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="LABEL", help="Only negative, neutral or positive sentiment; may be repeated."),
    ] = None,
    risk: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="LABEL", help="Only high, medium or low risk; may be repeated."),
    ] = None,
    mail: Annotated[
        bool, typer.Option("--mail", help="Mail it, page attached, to the mail addresses in TICKETBOT_ALERT_URLS.")
    ] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show what was triaged in a period, how well and at what cost; from the log, so it needs no helpdesk.

    Exit code 3 with --mail: the mail was not sent.
    """
    with errors(as_json):
        from .report import ReportOptions
        from .report import report as work

        wishes = ReportOptions(
            since,
            until,
            period,
            csv,
            html,
            mail,
            overrides,
            sample,
            knowledge,
            at_least,
            within,
            markdown=markdown,
            output=output,
            subjects=subjects,
            urgencies=tuple(urgency or ()),
            sentiments=tuple(sentiment or ()),
            risks=tuple(risk or ()),
        )
        with signals() as clock:
            code = work(clock, wishes, config=config, as_json=as_json)
    leave(code)


@app.command(short_help="List tickets that are escalated and still open.")
def escalated(
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="Escalated since: 12h, 7d, 2026-11-01 or a full time (UTC).")
    ] = "7d",
    everything: Annotated[bool, typer.Option("--all", help="Also those that are solved, closed or deleted.")] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List the tickets that are escalated and still open: from the log, and from the helpdesk what became of them."""
    with errors(as_json):
        from .escalated import escalated as work

        with signals() as clock:
            code = work(clock, config=config, since=since, everything=everything, as_json=as_json)
    leave(code)


@app.command()
def dashboard(
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Where to listen; 0 picks a free port.")
    ] = 8501,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; there is no sign-in, so keep it to this machine.")
    ] = "127.0.0.1",
    public_url: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="URL", help="Address that people see, when it is behind a reverse proxy."),
    ] = None,
    reports: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FOLDER", help="Evaluation reports (.html, .json). Default: reports beside the settings."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Open no browser; none is opened without a terminal either.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Show tickets, costs, runs and health on pages in a browser."""
    with errors(as_json=False):
        from .dashboard import dashboard as work

        with signals() as clock:
            code, abandoned = work(
                clock,
                config=config,
                host=host,
                port=port,
                public_url=public_url,
                reports=reports,
                browser=not no_browser,
            )
    leave(code, abandoned)


@app.command(short_help="Look at everything that runs need, within 10 s.")
def health(
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask helpdesk and model servers.")] = False,
    serve: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=0, max=65535, metavar="PORT", help="Serve /healthz and Prometheus' /metrics until stopped."),
    ] = None,
    host: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="ADDRESS", help="With --serve: where to listen. Default: 127.0.0.1."),
    ] = None,
    allow_host: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="NAME", help="With --serve: another name of this machine; may be repeated."),
    ] = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Look at everything that runs need, within 10 s. Exit code 0: healthy; 1: degraded; 3: unhealthy."""
    with errors(as_json):
        from .health import health as work

        with signals() as clock:
            code, abandoned = work(
                clock,
                config=config,
                offline=offline,
                serve=serve,
                host=host,
                names=allow_host or (),
                as_json=as_json,
            )
    leave(code, abandoned)


schedule_app = typer.Typer(
    cls=Commands,
    help="Runs at fixed times, by cron, systemd or Task Scheduler.",
    short_help="Runs at fixed times, by the scheduler of the system.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.add_typer(schedule_app, name="schedule")
SchedulerArgument = Annotated[
    Optional[Literal["cron", "systemd", "windows"]],  # noqa: UP045
    typer.Argument(metavar="SCHEDULER", help="cron, systemd or windows. Default: what this system has."),
]
JobNameOption = Annotated[
    str, typer.Option("--name", metavar="NAME", help="What the job is called; another for each account.")
]
EveryOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--every", metavar="MINUTES", help="From the start of a run to the next. Default: as installed before, else 10."
    ),
]
MailToOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--mail-to",
        metavar="ADDRESS",
        help="cron: who gets what a run prints. Default: as installed before, else its owner ('').",
    ),
]


@schedule_app.command("install", short_help="Have the system start runs, or bring that up to date.")
def schedule_install(
    scheduler: SchedulerArgument = None,
    every: EveryOption = None,
    name: JobNameOption = "ticketbot",
    mail_to: MailToOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Have the system start runs; again, and it is brought up to date, with what is not said as it was."""
    with errors(as_json):
        from .schedule import install as work
        from .schedule_options import ScheduleOptions

        code = work(scheduler, ScheduleOptions(name, every, config, mail_to), as_json=as_json)
    leave(code)


@schedule_app.command("show", short_help="Print what install would hand over; changes nothing.")
def schedule_show(
    scheduler: SchedulerArgument = None,
    every: EveryOption = None,
    name: JobNameOption = "ticketbot",
    mail_to: MailToOption = None,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="PATH", help="Write it there instead, byte for byte: a file, or a folder for several."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Print what install would hand over, ready for use; change nothing."""
    with errors(as_json):
        from .schedule import show as work
        from .schedule_options import ScheduleOptions

        code = work(scheduler, ScheduleOptions(name, every, config, mail_to), output=output, as_json=as_json)
    leave(code)


@schedule_app.command("remove")
def schedule_remove(
    scheduler: SchedulerArgument = None,
    name: JobNameOption = "ticketbot",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Take back what install put there, and nothing else."""
    with errors(as_json):
        from .schedule import remove as work

        code = work(scheduler, name, config, as_json=as_json)
    leave(code)


alerts_app = typer.Typer(
    cls=Commands,
    help="Alerts: send a test message, and see which are open.",
    short_help="Alerts: send a test message, see which are open.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.add_typer(alerts_app, name="alerts")


@alerts_app.command("test", short_help="Send a test message of each severity to every address.")
def alerts_test(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Send a test message of each severity to every address, and say which arrived.

    Exit code 1: one did not arrive; 2: there is no address.
    """
    with errors(as_json):
        from .alerts import test as work

        with signals() as clock:
            code = work(clock, config=config, as_json=as_json)
    leave(code)


@alerts_app.command("list", short_help="Print the open alerts.")
def alerts_list(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Print the open alerts, and the addresses that could not be reached, with the reason."""
    with errors(as_json):
        from .alerts import show as work

        code = work(config=config, as_json=as_json)
    leave(code)


audit_app = typer.Typer(
    cls=Commands,
    help="The log: check it, read it, hand it out, erase words from it.",
    short_help="The log: check it, read it, erase words from it.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.add_typer(audit_app, name="audit")
TicketsOption = Annotated[
    Optional[list[int]],  # noqa: UP045
    typer.Option("--ticket", min=1, metavar="ID", help="Only this ticket; may be repeated."),
]
RequesterOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--requester", metavar="ID_OR_EMAIL", help="All tickets of this requester; asks the helpdesk."),
]


@audit_app.command("verify", short_help="Check that the log is as it was written.")
def audit_verify(
    anchor: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="DAY:LINES:MAC", help="A head of the log that was kept elsewhere; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Check that the log is as it was written. Exit code 0: it is; 1: it was changed; 3: not all could be checked."""
    with errors(as_json):
        from .audit import verify as work

        code = work(config=config, anchors=anchor or (), as_json=as_json)
    leave(code)


@audit_app.command("show", short_help="Print one ticket's story, and whether its lines hold.")
def audit_show(
    ticket: Annotated[int, typer.Argument(min=1, metavar="TICKET", help="The ticket's number.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Print one ticket's story: every intent, receipt, alert and undo, and whether each line is as it was written.

    Exit code 1: a line was changed.
    """
    with errors(as_json):
        from .audit_story import show as work

        code = work(config=config, ticket=ticket, as_json=as_json)
    leave(code)


@audit_app.command("export", short_help="Export events, decrypted, without personal data.")
def audit_export(
    since: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="WHEN", help="From: 12h, 7d, 2026-11-01 or a full time."),
    ] = None,
    until: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="WHEN", help="To, in the same form; not included."),
    ] = None,
    ticket: TicketsOption = None,
    requester: RequesterOption = None,
    form: Annotated[
        Literal["jsonl", "csv"], typer.Option("--format", help="The log's own lines, or a table.")
    ] = "jsonl",
    out: Annotated[str, typer.Option(metavar="FILE", help="The file, with a manifest beside it; - prints.")] = "-",
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Also summaries, quotes, found entities and notes.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Export events, decrypted, without personal data unless --with-text asks for it."""
    with errors(as_json=False):
        from .audit_export import export as work

        with signals() as clock:
            code = work(
                clock,
                config=config,
                since=since,
                until=until,
                tickets=ticket or (),
                requester=requester,
                form=form,
                out=out,
                with_text=with_text,
            )
    leave(code)


@audit_app.command("erase", short_help="Erase customers' words from log and state.")
def audit_erase(
    ticket: TicketsOption = None,
    requester: RequesterOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be erased; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Erase the customers' words of these tickets from log and state; the log still verifies.

    Exit code 1: something could not be erased; 75: a run or dry run is active.
    """
    with errors(as_json):
        from .audit_erase import erase_tickets as work

        with signals() as clock:
            code = work(
                clock,
                config=config,
                tickets=ticket or (),
                requester=requester,
                dry_run=dry_run,
                yes=yes,
                as_json=as_json,
            )
    leave(code)


@audit_app.command("cat")
def audit_cat(
    what: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="FILE|DAY…", help="Files of a log, or days; default: all of it.", show_default=False),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Print the log as it was before it was packed and encrypted."""
    with errors(as_json=False):
        from .audit import cat as work

        code = work(config=config, wanted=what or ())
    leave(code)

"""``ticketbot retry``: lists, tries or drops tickets that wait for a later run or failed too often.

``ticketbot apply``: writes what a dry run has kept in a file, in the same way as a run. :func:`play` shows a run of any
command.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..audit.receipts import keep_head
from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.models import Outcome, OutcomeStatus
from ..core.reasons import ALREADY_DONE, DROPPED
from ..core.tables import Table, as_text
from ..monitoring.run_watch import tally_of, tended
from ..pipeline.planned_writes import planned_writes
from ..reporting.run_words import Seen
from ..settings.load import load
from ..settings.schema import Settings
from ..state.records import Retry
from ..wiring import runs
from ..wiring.desks import Subjects
from ..wiring.parts import audit_log, lock, new_run_id, opened_state
from ..wiring.runs import RunArguments
from .options import ConfigOption, JsonOption, TicketsOption
from .screen import Screen, shortened

if TYPE_CHECKING:
    from .tour import Tour


def show(as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Print the tickets that wait for a later run or failed too often, with attempts and reason."""
    settings = load(config=config)
    with opened_state(settings.state_folder, settings.desk.base_url, dry_run=True) as state:
        items = state.retries()
    dead = sum(item.dead for item in items)
    table = "\n".join(shortened(_table(items).splitlines()))
    shown = ("ticket_id", "attempts", "dead", "reason")
    rows = [{name: getattr(item, name) for name in shown} for item in items]
    Screen(as_json=as_json).result(
        f"{table}\n{len(items) - dead} waiting, {dead} dead" if items else "the retry list is empty",
        {"waiting": len(items) - dead, "dead": dead, "tickets": rows},
    )
    return ExitCode.OK


def run(
    clock: SystemClock, tickets: TicketsOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> tuple[int, int]:
    """Try the tickets of the list now, dead letters included, and no others."""
    settings = load(config=config)
    asked = RunArguments(kind="retry", tickets=tuple(tickets or ()))
    return play(settings, asked, clock, Screen(as_json=as_json), what="retry")


def drop(
    clock: SystemClock,
    tickets: TicketsOption = None,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="All that failed too often.")] = False,
    config: ConfigOption = None,
) -> int:
    """Take tickets off the list, with a receipt: no run tries them again, except retry run --ticket ID."""
    named = set(tickets or ())
    if bool(named) == all_dead:
        raise ConfigError("say which: --ticket ID, which may be repeated, or --all-dead")
    settings = load(config=config)
    with lock(settings.state_folder), opened_state(settings.state_folder, settings.desk.base_url) as state:
        listed = {item.ticket_id: item for item in state.retries()}
        if strange := sorted(named - listed.keys()):
            raise ConfigError(
                *(f"ticket {number} is not on the retry list; see 'ticketbot retry list'" for number in strange)
            )
        chosen = [item for item in listed.values() if (item.dead if all_dead else item.ticket_id in named)]
        audit = audit_log(settings, clock, new_run_id(clock))
        try:
            for item in chosen:
                audit.alert(DROPPED, ticket_id=item.ticket_id, attempts=item.attempts, reason=item.reason)
                audit.ticket(Outcome(ticket_id=item.ticket_id, status=OutcomeStatus.SKIPPED, reason=DROPPED))
                state.drop(item.ticket_id)
            keep_head(state, audit)
        finally:
            audit.close()
    message = f"{_table(chosen)}\n{len(chosen)} dropped; no run tries them any more"
    Screen().say(message if chosen else "nothing to drop")
    return ExitCode.OK


def _table(items: Sequence[Retry]) -> str:
    """A line for each ticket, below a line of headings."""
    rows = tuple(
        (str(item.ticket_id), str(item.attempts), "dead" if item.dead else "waiting", item.reason) for item in items
    )
    return as_text(Table("", ("ticket", "attempts", "<state", "<reason"), rows)).lstrip("\n")


DEADLINE_S = 12 * 3600.0
"""A file may hold a backlog of years, and a person watches."""


def apply(
    clock: SystemClock,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What 'ticketbot run --dry-run --out FILE' kept.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Write what a dry run has kept in a file, exactly once."""
    settings = load(config=config)
    account = settings.desk.base_url
    total = sum(1 for _ in planned_writes(file, account))  # so that a broken line is found before anything is written
    run = settings.run.model_copy(update={"deadline_s": DEADLINE_S})
    settings = settings.model_copy(update={"run": run})
    asked = RunArguments(kind="apply", verdicts=planned_writes(file, account))
    screen, title = Screen(as_json=as_json), f"Applied {file}, run"
    return play(settings, asked, clock, screen, what="applying", total=total, title=title)


def play(
    settings: Settings,
    asked: RunArguments,
    clock: SystemClock,
    screen: Screen,
    *,
    what: str,
    total: int | None = None,
    title: str | None = None,
    no_llm: bool = False,
    tour: Tour | None = None,
) -> tuple[int, int]:
    """Play it with alerts around it, and show its outcomes and its summary.

    ``what`` names the bar, with a ``total`` where that is known; ``title`` stands before the run's id. ``tour`` shows
    the tickets of the sandbox afterwards, in place of a line for each. Returns the exit code, and how many threads
    were left behind in calls that hang.
    """
    subjects = Subjects(lambda sentence: screen.notices([sentence]))
    tally = tally_of(settings, subjects)
    tally.no_llm = no_llm
    kept: list[Seen] = []

    def listen(outcome: Outcome) -> None:
        shown = tour is not None or outcome.status is OutcomeStatus.PLANNED
        seen = tally.take(outcome, shown=shown or screen.tells_each)
        if shown:
            kept.append(seen)  # only where they are shown afterwards: a backlog may be long
        # Of a file that is applied again, the summary counts what was written before.
        screen.outcome(seen, line=tour is None and (asked.kind, outcome.reason) != ("apply", ALREADY_DONE))

    silent = asked.dry_run or tour is not None
    with tended(settings, clock, asked.kind, deadline_s=settings.run.deadline_s, silent=silent) as tending:
        screen.notices(settings.notices)
        with screen.progress(what, total, under_way=lambda: subjects.under_way()[0]):
            finished = runs.play(settings, asked, clock=clock, listener=listen, subjects=subjects)
        summary = finished.summary
        more = () if tour is None else tour.shown(screen, kept, dry_run=summary.dry_run)
        tending.ended(summary, tally=tally)
        screen.finished(summary, finished.log, kept if summary.dry_run else (), title=title, tally=tally, more=more)
    return summary.exit_code, finished.abandoned

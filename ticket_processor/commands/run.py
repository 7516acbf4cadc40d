"""``ticketbot run``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core.clock import SystemClock
from ..core.errors import ConfigError
from ..core.models import Outcome, OutcomeStatus
from ..monitoring.run_watch import tally_of, tended
from ..pipeline.verification import Verify
from ..reporting.run_tally import Seen
from ..settings.load import load
from ..wiring.runs import RunArguments
from ..wiring.runs import run as run_once
from ..wiring.ticket_subjects import Subjects
from .parse_time import parse_since
from .screen import Screen


def check_named(tickets: Sequence[int], again: bool, again_run: str, others: Mapping[str, bool]) -> None:
    """Raises :class:`ConfigError` for what makes no sense together; ``others`` are options, and whether given."""
    problems = []
    if again and not tickets:
        problems.append("--again goes with --ticket ID: say which tickets to triage anew")
    if tickets or again_run:
        mine = "--ticket" if tickets else "--again-run"
        problems += [f"{mine} names the tickets, so {name} has no use here" for name, given in others.items() if given]
    if problems:
        raise ConfigError(*problems)


def run(
    clock: SystemClock,
    *,
    config: Path | None,
    dry_run: bool,
    limit: int | None,
    since: str | None,
    workers: int | None,
    sandbox: bool,
    no_llm: bool,
    retry_fallbacks: bool,
    resume: bool,
    verify: Verify,
    quiet: bool,
    as_json: bool,
    tickets: Sequence[int] = (),
    again: bool = False,
    again_run: str = "",
) -> tuple[int, int]:
    """``ticketbot run``. Returns the exit code, and how many threads were left behind in hanging calls."""
    flags: dict[tuple[str, ...], object] = {("run", "workers"): workers}
    if no_llm:
        flags["models", "names"] = []
    moment = None if since is None else parse_since(since, clock.now())
    asked = RunArguments(
        dry_run=dry_run,
        limit=limit,
        since=moment,
        resume=resume,
        retry_fallbacks=retry_fallbacks,
        verify=verify,
        tickets=tuple(tickets),
        again=again,
        again_run=again_run,
    )
    screen = Screen(quiet=quiet, as_json=as_json)
    settings = load(config=config, flags=flags, need_helpdesk=not sandbox)
    subjects = Subjects()
    tally = tally_of(settings, subjects)
    kept: list[Seen] = []

    def listen(outcome: Outcome) -> None:
        shown = sandbox or outcome.status is OutcomeStatus.PLANNED
        seen = tally.take(outcome, shown=shown or screen.tells_each)
        if shown:
            kept.append(seen)  # only where they are shown afterwards: a backlog may be long
        screen.outcome(seen, line=not sandbox)

    deadline_s = settings.run.deadline_s
    with tended(settings, clock, "run", deadline_s=deadline_s, silent=sandbox or dry_run) as tending:
        more: tuple[str, ...] = ()
        if sandbox:
            from .before_after import show
            from .tour import Tour, where_to_look

            with Tour(settings, clock, no_llm=no_llm) as tour:
                tally.url_of = tour.settings.zendesk.ticket_url
                screen.say(tour.seeded)
                with screen.progress("triage"):
                    finished = tour.run(asked, listen, subjects)
                if not (dry_run or quiet or as_json):
                    show(tour.rows(kept), sys.stdout)
                more = where_to_look(tour.settings)
        else:
            screen.notices(settings.notices)
            with screen.progress("triage"):
                finished = run_once(settings, asked, clock=clock, listener=listen, subjects=subjects)
        tending.ended(finished.summary, tally=tally)
        screen.finished(finished.summary, finished.log, kept if dry_run else (), tally=tally, more=more)
    return finished.summary.exit_code, finished.abandoned

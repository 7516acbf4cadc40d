"""``ticketbot run``."""

from __future__ import annotations

from pathlib import Path

from ..assembly import Asked
from ..assembly import run as run_once
from ..clock import SystemClock
from ..config import load
from ..models import Outcome, OutcomeStatus
from ..screen import Screen
from ..statement import Verify
from .moments import parse_since
from .tending import tended


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
) -> tuple[int, int]:
    """``ticketbot run``. Returns the exit code, and how many threads were left behind in hanging calls."""
    flags: dict[tuple[str, ...], object] = {("run", "workers"): workers}
    if no_llm:
        flags["models", "names"] = []
    moment = None if since is None else parse_since(since, clock.now())
    asked = Asked(
        dry_run=dry_run, limit=limit, since=moment, resume=resume, retry_fallbacks=retry_fallbacks, verify=verify
    )
    screen = Screen(quiet=quiet, as_json=as_json)
    outcomes: list[Outcome] = []

    def listen(outcome: Outcome) -> None:
        if sandbox or outcome.status is OutcomeStatus.PLANNED:
            outcomes.append(outcome)  # kept only where they are shown afterwards: a backlog may be long
        screen.outcome(outcome, line=not sandbox)

    settings = load(config=config, flags=flags, need_helpdesk=not sandbox)
    deadline_s = settings.run.deadline_s
    with tended(settings, clock, "run", deadline_s=deadline_s, silent=sandbox or dry_run) as tending:
        if sandbox:
            from ..tour import Tour

            with Tour(settings, clock, no_llm=no_llm) as tour:
                screen.say(tour.seeded)
                with screen.progress("triage"):
                    finished = tour.run(asked, listen)
                if not dry_run:
                    screen.before_and_after(tour.rows(outcomes))
        else:
            screen.notices(settings.notices)
            with screen.progress("triage"):
                finished = run_once(settings, asked, clock=clock, listener=listen)
        tending.ended(finished.summary, log_events=finished.log_events)
        screen.finished(finished.summary, finished.log, outcomes if dry_run else ())
    return finished.summary.exit_code, finished.abandoned

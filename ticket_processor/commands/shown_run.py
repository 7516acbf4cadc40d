"""A run as a command plays it: alerts around it, its outcomes on the screen, its summary, its exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..core.clock import SystemClock
from ..core.models import Outcome, OutcomeStatus
from ..core.reasons import ALREADY_DONE
from ..monitoring.run_watch import tally_of, tended
from ..reporting.run_words import Seen
from ..settings.schema import Settings
from ..wiring import runs
from ..wiring.ticket_subjects import Subjects
from .screen import Screen

if TYPE_CHECKING:
    from .tour import Tour


def play(
    settings: Settings,
    asked: runs.RunArguments,
    clock: SystemClock,
    screen: Screen,
    *,
    what: str,
    total: int | None = None,
    title: str | None = None,
    no_llm: bool = False,
    heard: Callable[[Outcome], object] | None = None,
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
        if heard is not None:
            heard(outcome)

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

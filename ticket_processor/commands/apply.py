"""``ticketbot apply``: what a file of results says, written to the helpdesk as a run would write it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from ..assembly import Asked, write
from ..backfill_file import DECIDED, Results, locked
from ..clock import SystemClock
from ..config import load
from ..errors import ConfigError
from ..id_set import IdSet
from ..models import Outcome, OutcomeStatus, RunSummary, Usage
from ..screen import Screen
from ..settings import Settings
from ..settlement import ALREADY_DONE
from ..state import FILE_NAME, State, Verdict
from .backfill import settings_digest
from .tending import tended

DEADLINE_S = 12 * 3600.0
CLOSED = "closed"
SOLVED = "solved"


def apply(
    clock: SystemClock,
    path: Path,
    *,
    config: Path | None,
    dry_run: bool,
    limit: int | None,
    quiet: bool,
    as_json: bool,
) -> tuple[int, int]:
    """``ticketbot apply``. Returns the exit code, and how many threads were left behind in hanging calls.

    The whole file is read before anything is written. Raises :class:`ConfigError` for one that is about another
    account, or that cannot be read.
    """
    settings = load(config=config)
    screen = Screen(quiet=quiet, as_json=as_json)
    results = Results(path, settings.zendesk.base_url)
    outcomes: list[Outcome] = []

    def listen(outcome: Outcome) -> None:
        if outcome.status is OutcomeStatus.PLANNED:
            outcomes.append(outcome)
        screen.outcome(outcome, line=outcome.reason != ALREADY_DONE)  # the summary counts these

    with locked(path):
        screen.notices([*settings.notices, *_differences(results, settings)])
        contents = _Contents(results, settings)
        # Whoever solved a ticket has had a head start, and one that was reopened is new work for a run.
        statuses = (*settings.run.statuses, SOLVED) if results.header.as_new else (SOLVED,)
        run = settings.run.model_copy(update={"deadline_s": DEADLINE_S, "wait_minutes": 0.0})
        with tended(settings, clock, "apply", deadline_s=DEADLINE_S, silent=dry_run) as tending:
            with screen.progress("applying", min(contents.total, limit or contents.total)):
                finished = write(
                    settings.model_copy(update={"run": run}),
                    islice(contents.verdicts(), limit),
                    Asked(dry_run=dry_run),
                    statuses=statuses,
                    clock=clock,
                    listener=listen,
                )
            tending.ended(finished.summary, log_events=finished.log_events)
            summary = _as_apply(finished.summary, contents.left_out)
            title = f"Would apply {path}, dry run" if dry_run else f"Applied {path}, run"
            screen.finished(summary, finished.log, outcomes, title=title)
    return summary.exit_code, finished.abandoned


class _Contents:
    """What of a file there is to write. Making one reads the whole file, so that nothing is written by half of it.

    ``left_out`` counts what is known to need no write: closed tickets, and those that this installation has written.
    """

    def __init__(self, results: Results, settings: Settings) -> None:
        self._results = results
        self._done = IdSet()
        self.total = 0
        self.left_out: Counter[str] = Counter()
        with closing(State.scratch_copy(settings.state_folder / FILE_NAME)) as state:
            for entry in results.entries():
                if entry.kind != DECIDED:
                    continue
                if entry.status == CLOSED:
                    self.left_out[CLOSED] += 1
                elif state.is_done(entry.ticket_id):
                    self.left_out[ALREADY_DONE] += 1
                    self._done.add(entry.ticket_id)
                else:
                    self.total += 1

    def verdicts(self) -> Iterator[Verdict]:
        """The decisions to be written, in the file's order."""
        for entry in self._results.entries():
            if entry.status != CLOSED and entry.ticket_id not in self._done:
                verdict = entry.verdict()
                if verdict is not None:
                    yield verdict


def _differences(results: Results, settings: Settings) -> list[str]:
    """What the settings say otherwise than when the file was made. Raises :class:`ConfigError` for the marker."""
    header = results.header
    if header.marker != settings.policy.marker:
        raise ConfigError(
            f"{results.path} marks tickets with {header.marker}, and these settings with {settings.policy.marker}: "
            "put policy.tag_prefix back, or make the file anew"
        )
    if header.policy != settings_digest(settings):
        return ["the settings that decide have changed since the file was made; it is written as it stands"]
    return []


def _as_apply(summary: RunSummary, left_out: Counter[str]) -> RunSummary:
    """The summary, with what needed no look at the helpdesk, and without models: none was asked."""
    outcomes, reasons = Counter(summary.outcomes), Counter(summary.reasons)
    if left_out:
        outcomes[OutcomeStatus.SKIPPED.value] += left_out.total()
        reasons += left_out
    return summary.model_copy(
        update={
            "seen": summary.seen + left_out.total(),
            "outcomes": dict(outcomes),
            "reasons": dict(reasons),
            "answered_by": {},
            "usage": Usage(),
            "cost_usd": 0.0,
            "cached": 0,
            "forecast": None,
        }
    )

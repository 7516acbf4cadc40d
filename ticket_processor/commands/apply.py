"""``ticketbot apply``: writes a backfill's results to the helpdesk, in the same way as a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from ..analysis.model_server.answer_gate import unlike_an_answer
from ..analysis.text.redact import redact
from ..audit.keys import known_keys
from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.id_set import IdSet
from ..core.models import Outcome, OutcomeStatus, Usage
from ..core.reasons import ALREADY_DONE
from ..core.run_summary import RunSummary
from ..monitoring.run_watch import tally_of, tended
from ..pipeline.backfill.results_file import ANEW, DECIDED, Entry, Refused, Results, locked
from ..pipeline.backfill.walk import BackfillPolicy
from ..reporting.run_tally import Seen
from ..settings.load import load
from ..settings.schema import Settings
from ..state.records import Verdict
from ..state.store import FILE_NAME, State
from ..wiring.runs import RunArguments, write
from ..wiring.ticket_subjects import Subjects
from .backfill import settings_digest
from .options import ConfigOption, DetailsOption, JsonOption, QuietOption, VerboseOption
from .screen import Screen

DEADLINE_S = 12 * 3600.0
CLOSED = "closed"
SOLVED = "solved"
REFUSED = "refused"


def apply(
    clock: SystemClock,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What 'ticketbot run --backfill' wrote.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Write at most this many tickets.")] = None,
    details: DetailsOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Write the results of a backfill to the helpdesk, exactly once."""
    if details and not dry_run:
        raise ConfigError("--details belongs to --dry-run")
    # The whole file is read before anything is written. A line that today's settings would not decide so is refused.
    settings = load(config=config)
    screen = Screen(quiet=quiet, as_json=as_json, brief=dry_run and not details)
    given = [key.get_secret_value() for key in settings.audit.keys]
    results = Results(file, settings.desk.base_url, known_keys(given, settings.state_folder))
    subjects = Subjects(lambda sentence: screen.notices([sentence]))
    tally = tally_of(settings, subjects)
    kept: list[Seen] = []

    def listen(outcome: Outcome) -> None:
        planned = outcome.status is OutcomeStatus.PLANNED
        seen = tally.take(outcome, shown=planned or screen.tells_each)
        if planned:
            kept.append(seen)
        screen.outcome(seen, line=outcome.reason != ALREADY_DONE)  # the summary counts these

    with locked(file):
        screen.notices([*settings.notices, *_differences(results, settings)])
        contents = _Contents(results, settings)
        for refused in contents.refused:
            screen.outcome(_as_outcome(refused))
        if contents.refused:
            screen.notices([f"of {file} {len(contents.refused)} lines are refused; {ANEW}"])
        # People have had their head start on a solved ticket. A reopened one is new work for a run.
        statuses = (*settings.run.statuses, SOLVED) if results.header.as_new else (SOLVED,)
        run = settings.run.model_copy(update={"deadline_s": DEADLINE_S, "wait_minutes": 0.0})
        with tended(settings, clock, "apply", deadline_s=DEADLINE_S, silent=dry_run) as tending:
            with screen.progress("applying", min(contents.total, limit or contents.total)):
                finished = write(
                    settings.model_copy(update={"run": run}),
                    islice(contents.verdicts(), limit),
                    RunArguments(dry_run=dry_run),
                    statuses=statuses,
                    clock=clock,
                    listener=listen,
                    subjects=subjects,
                )
            tending.ended(finished.summary, tally=tally)
            summary = _as_apply(finished.summary, contents.left_out, len(contents.refused))
            title = f"Would apply {file}, dry run" if dry_run else f"Applied {file}, run"
            screen.finished(summary, finished.log, kept, title=title, tally=tally)
    return summary.exit_code, finished.abandoned


class _Contents:
    """The lines of a file that are to be written. The constructor reads the whole file before any is written.

    ``left_out`` counts lines that need no write: closed tickets, and those that this installation has written.
    ``refused`` are lines that were edited, or that today's settings would decide otherwise.
    """

    def __init__(self, results: Results, settings: Settings) -> None:
        self._results = results
        self._settings = settings
        self._judgement = BackfillPolicy(settings.policy, settings.taxonomy, as_new=results.header.as_new)
        self.refused: list[Refused] = []
        self._done = IdSet()
        self.total = 0
        self.left_out: Counter[str] = Counter()
        with closing(State.scratch_copy(settings.state_folder / FILE_NAME)) as state:
            for entry in results.entries(self._wrong_with, self.refused.append):
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
        for entry in self._results.entries(self._wrong_with):  # the file may have changed since
            if entry.status != CLOSED and entry.ticket_id not in self._done:
                verdict = entry.verdict()
                if verdict is not None:
                    yield verdict

    def _wrong_with(self, entry: Entry) -> str | None:
        """Why a line is not applied: its analysis would not pass the gate, or today's settings decide otherwise."""
        analysis, decision = entry.analysis, entry.decision
        if analysis is None or decision is None:
            return None
        settings = self._settings
        wrong = unlike_an_answer(analysis, settings.taxonomy, settings.entities, lambda text: redact(text).text)
        if wrong:
            return f"its analysis would not pass the gate on models' answers ({', '.join(wrong)})"
        today = self._judgement(entry.ticket_id, analysis).model_dump()
        others = [name for name, value in decision.model_dump().items() if value != today.get(name)]
        return f"today's settings decide otherwise ({', '.join(others)})" if others else None


def _as_outcome(refused: Refused) -> Outcome:
    reason = f"refused, line {refused.line} of the file: {refused.why}"
    return Outcome(ticket_id=refused.ticket_id, status=OutcomeStatus.FAILED, reason=reason)


def _differences(results: Results, settings: Settings) -> list[str]:
    """A notice if the settings have changed since the file was made. Raises :class:`ConfigError` for another marker."""
    header = results.header
    if header.marker != settings.policy.marker:
        raise ConfigError(
            f"{results.path} marks tickets with {header.marker}, and these settings with {settings.policy.marker}: "
            "put policy.tag_prefix back, or make the file anew"
        )
    if header.policy != settings_digest(settings):
        return ["the settings that decide have changed since the file was made; only what they still say is written"]
    return []


def _as_apply(summary: RunSummary, left_out: Counter[str], refused: int) -> RunSummary:
    """The summary with refused and left-out lines counted in, and without models: none was asked."""
    outcomes, reasons = Counter(summary.outcomes), Counter(summary.reasons)
    if left_out:
        outcomes[OutcomeStatus.SKIPPED.value] += left_out.total()
        reasons += left_out
    if refused:
        outcomes[OutcomeStatus.FAILED.value] += refused
        reasons[REFUSED] += refused
    return summary.model_copy(
        update={
            "seen": summary.seen + left_out.total() + refused,
            "exit_code": summary.exit_code or (int(ExitCode.SOME_FAILED) if refused else 0),
            "outcomes": dict(outcomes),
            "reasons": dict(reasons),
            "answered_by": {},
            "usage": Usage(),
            "cost_usd": 0.0,
            "cached": 0,
            "forecast": None,
        }
    )

"""``ticketbot undo``: takes a run's writes back, and prints what stays and why."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from ..core.clock import Clock, SystemClock
from ..core.models import Change, Outcome, OutcomeStatus
from ..core.reasons import ALREADY_UNDONE, NOT_KNOWN_YET, OTHER_RUN, in_words
from ..core.run_summary import RunSummary
from ..pipeline.undo.revert import WORDS, Left, told
from ..pipeline.undo.run import not_reached, other_run
from ..settings.load import load
from ..wiring.undo import AskedUndo, Undone
from ..wiring.undo import undo as take_back
from .options import ConfigOption, JsonOption
from .screen import Screen

SAY_IT_AGAIN = "some writes of the run were still under way; say the same command again in a few minutes"
EVERY_TICKETS = 100
EVERY_S = 10.0
"""Without a progress bar a line reports progress, after this many tickets or seconds."""
_CALLED = {
    OutcomeStatus.UPDATED: "taken back",
    OutcomeStatus.PLANNED: "to be taken back",
    OutcomeStatus.SKIPPED: "left",
    OutcomeStatus.FAILED: "failed",
}


def undo(
    clock: SystemClock,
    run_id: Annotated[
        str, typer.Argument(metavar="RUN_ID", help="A run's id, its beginning, or latest: the last run that wrote.")
    ],
    tickets: Annotated[
        list[int] | None, typer.Option("--ticket", metavar="ID", help="Only on this ticket; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be taken back; write nothing.")] = False,
    while_stopped: Annotated[
        bool, typer.Option("--while-stopped", help="Work although the kill switch is set.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Undo what a run wrote, except where a person has changed it since.

    Tags, priority, group and ticket fields go back to what they were. Zendesk cannot delete notes: there those of the
    run stay, and one more says what was undone. On Freshdesk they go, unless edited. A second undo does nothing.

    Exit code 0: done; 1: some tickets failed or are not known yet, so repeat the command; 2: no such run.
    """
    settings = load(config=config)
    screen = Screen(as_json=as_json)
    screen.notices(settings.notices)
    rows: list[dict[str, object]] = []
    parts = InPart()
    asked = AskedUndo(run_id=run_id, ticket_ids=tuple(tickets or ()), dry_run=dry_run, while_stopped=while_stopped)
    with ExitStack() as stack:
        progress = Progress(screen.say, clock)

        def begin(total: int) -> None:
            stack.enter_context(screen.progress("would take back" if dry_run else "taking back", total))
            progress.total = total

        def listen(outcome: Outcome, left: tuple[Left, ...]) -> None:
            if as_json:
                rows.append(_row(outcome, left))
            parts.add(outcome, left)
            screen.outcome(outcome, line=False)
            if _worth_a_line(outcome, left):
                screen.say(line(outcome, left))
            if not screen.watched:
                progress.looked_at(outcome)

        finished = take_back(
            settings,
            asked,
            clock=clock,
            listener=listen,
            tell=lambda sentence: screen.notices([sentence]),
            begin=begin,
        )
    summary = finished.summary
    remark = settings.desk.can.undone
    if summary.stopped:
        sys.stderr.write(f"ticketbot: ended early: {summary.stopped}\n")
    screen.result(text(finished, parts, remark), {**counts(finished, parts), "remark": remark, "tickets": rows})
    if NOT_KNOWN_YET in summary.reasons:
        sys.stderr.write(f"ticketbot: {SAY_IT_AGAIN}\n")
    return summary.exit_code


class Progress:
    """Reports progress in plain lines. Set ``total`` before the first ticket."""

    def __init__(self, say: Callable[[str], None], clock: Clock) -> None:
        self.total = 0
        self._say = say
        self._clock = clock
        self._looked_at = self._since = 0
        self._said = clock.monotonic()

    def looked_at(self, outcome: Outcome) -> None:
        """Count a ticket. Tickets that were undone before take no time, so they alone print no line."""
        self._looked_at += 1
        self._since += outcome.reason != ALREADY_UNDONE
        now = self._clock.monotonic()
        if self._since >= EVERY_TICKETS or now - self._said >= EVERY_S:
            self._since, self._said = 0, now
            self._say(f"{self._looked_at} of {self.total} looked at")


@dataclass
class InPart:
    """Tickets on which a part of the write stays: how many, and how many by kind of part and reason."""

    tickets: int = 0
    why: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, outcome: Outcome, left: tuple[Left, ...]) -> None:
        """Count the ticket if a part of the write stays."""
        if left and outcome.status in (OutcomeStatus.UPDATED, OutcomeStatus.PLANNED):
            self.tickets += 1
            self.why.update({(item.part.partition(" ")[0], item.why) for item in left})

    @property
    def text(self) -> str:
        """Such as ``, 3 of them in part (priority: changed since 2, tag: changed since 1)``, or nothing."""
        if not self.tickets:
            return ""
        reasons = (
            f"{kind}: {WORDS[why]}" + (f" {number}" if self.tickets > 1 else "")  # type: ignore[index]
            for (kind, why), number in sorted(self.why.items())
        )
        return f", {self.tickets} of them in part ({', '.join(reasons)})"


def _worth_a_line(outcome: Outcome, left: tuple[Left, ...]) -> bool:
    """Whether a line is printed: full undos are only in the receipts, and failures print in any case."""
    if outcome.status is OutcomeStatus.UPDATED:
        return bool(left)
    return outcome.status is not OutcomeStatus.FAILED and outcome.reason != ALREADY_UNDONE


def line(outcome: Outcome, left: tuple[Left, ...]) -> str:
    """One ticket's outcome: the parts taken back, and those that stay, with the reason."""
    words = f"ticket {outcome.ticket_id}: {_CALLED.get(outcome.status, outcome.status)}"
    other = other_run(outcome.reason)
    reason = in_words(outcome.reason) if other is None else f"written by run {other}: take that one back"
    parts = [f"{words} ({reason})" if outcome.change is None else f"{words}: {'; '.join(told(outcome.change))}"]
    if left:
        parts.append("stays: " + ", ".join(f"{item.part} ({WORDS[item.why]})" for item in left))
    return "; ".join(parts)


def _row(outcome: Outcome, left: tuple[Left, ...]) -> dict[str, object]:
    other = other_run(outcome.reason)
    return {
        "ticket_id": outcome.ticket_id,
        "outcome": _CALLED.get(outcome.status, outcome.status).replace(" ", "_"),
        "reason": outcome.reason if other is None else OTHER_RUN,
        "written_by": other,
        "taken_back": outcome.change and _parts(outcome.change),
        "left": [item.model_dump() for item in left],
    }


def _parts(change: Change) -> dict[str, Any]:
    """The change without the values of ticket fields, which people wrote: ids only."""
    parts: dict[str, Any] = {"tags_off": change.tags_removed, "tags_back": change.tags_added}
    if change.priority is not None or "priority" in change.cleared:
        parts["priority"] = {"from": change.priority_before, "to": change.priority}
    if change.group is not None or "group" in change.cleared:
        parts["group"] = {"from": change.group_before, "to": change.group}
    return {**parts, "fields": [*change.fields, *change.fields_cleared]}


def counts(finished: Undone, parts: InPart) -> dict[str, object]:
    """The undo in numbers, for a program."""
    summary = finished.summary
    reasons, others = _reasons(summary)
    if others:
        reasons[OTHER_RUN] = others.total()
    return {
        "run_id": summary.run_id,
        "undoes": finished.run_id,
        "log_head": summary.log_head,
        "dry_run": summary.dry_run,
        "outcomes": {_called(name).replace(" ", "_"): count for name, count in summary.outcomes.items()},
        "in_part": {
            "tickets": parts.tickets,
            "left": [
                {"part": kind, "why": why, "tickets": number} for (kind, why), number in sorted(parts.why.items())
            ],
        },
        "sent_not_confirmed": summary.writes.open,
        "not_reached": not_reached(summary),
        "reasons": reasons,
        "written_by": others,
        "requests": summary.requests,
        "duration_s": summary.duration_s,
        "stopped": summary.stopped,
        "exit_code": summary.exit_code,
        "log": str(finished.log),
    }


def text(finished: Undone, parts: InPart, remark: str) -> str:
    """The undo in a few lines."""
    summary = finished.summary
    ends = [
        f"{count} {_called(name)}" + (parts.text if name in (OutcomeStatus.UPDATED, OutcomeStatus.PLANNED) else "")
        for name, count in sorted(summary.outcomes.items(), reverse=True)
    ]
    if summary.writes.open:
        ends.append(f"{summary.writes.open} sent and not confirmed yet (the same command again looks them up)")
    if not_reached(summary):
        ends.append(f"{not_reached(summary)} not reached")
    begin = "Dry run of an undo" if summary.dry_run else "Undo"
    ended = ", ".join(ends) or "it wrote on no ticket"
    lines = [f"{begin} of run {finished.run_id}: {ended} ({summary.duration_s:.1f} s)"]
    reasons, others = _reasons(summary)
    if reasons:
        lines.append("  because " + "; ".join(f"{in_words(why)}: {n}" for why, n in sorted(reasons.items())))
    for other, number in sorted(others.items()):
        lines.append(f"  {number} {'was' if number == 1 else 'were'} written by run {other}: take that one back")
    lines += [f"  {remark}", f"  receipts: {finished.log}"]
    return "\n".join(lines)


def _reasons(summary: RunSummary) -> tuple[dict[str, int], Counter[str]]:
    """How many tickets were left or failed, by reason; and by run, how many another run wrote on."""
    reasons: dict[str, int] = {}
    others: Counter[str] = Counter()
    for reason, number in summary.reasons.items():
        other = other_run(reason)
        if other is None:
            reasons[reason] = number
        else:
            others[other] += number
    return reasons, others


def _called(status: str) -> str:
    return _CALLED[OutcomeStatus(status)]

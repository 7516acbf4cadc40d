"""``ticketbot undo``."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ..clock import SystemClock
from ..config import load
from ..models import Change, Outcome, OutcomeStatus, RunSummary
from ..screen import Screen
from ..take_back import WORDS, Left, told
from ..wiring import AskedUndo, Undone
from ..wiring import undo as take_back

NOTES_STAY = "notes of the run stay on their tickets: the helpdesk cannot delete them"
_CALLED = {
    OutcomeStatus.UPDATED: "taken back",
    OutcomeStatus.PLANNED: "to be taken back",
    OutcomeStatus.SKIPPED: "left",
    OutcomeStatus.FAILED: "failed",
}


def undo(
    clock: SystemClock,
    run_id: str,
    *,
    config: Path | None,
    tickets: Collection[int],
    dry_run: bool,
    while_stopped: bool,
    as_json: bool,
) -> int:
    """``ticketbot undo``. Returns the exit code."""
    settings = load(config=config)
    screen = Screen(quiet=False, as_json=as_json)
    screen.notices(settings.notices)
    rows: list[dict[str, object]] = []

    def listen(outcome: Outcome, left: tuple[Left, ...]) -> None:
        if as_json:
            rows.append(_row(outcome, left))
        if outcome.status is OutcomeStatus.FAILED:
            screen.outcome(outcome)
        else:
            screen.say(_line(outcome, left))

    asked = AskedUndo(run_id=run_id, ticket_ids=tuple(tickets), dry_run=dry_run, while_stopped=while_stopped)
    finished = take_back(settings, asked, clock=clock, listener=listen)
    summary = finished.summary
    screen.result(_text(finished), {**_counts(finished), "tickets": rows})
    if summary.stopped:
        sys.stderr.write(f"ticketbot: ended early: {summary.stopped}\n")
    return summary.exit_code


def _line(outcome: Outcome, left: tuple[Left, ...]) -> str:
    """One ticket's end: what was taken back, and what stays and why."""
    words = f"ticket {outcome.ticket_id}: {_CALLED.get(outcome.status, outcome.status)}"
    parts = [f"{words} ({outcome.reason})" if outcome.change is None else f"{words}: {'; '.join(told(outcome.change))}"]
    if left:
        parts.append("stays: " + ", ".join(f"{item.part} ({WORDS[item.why]})" for item in left))
    return "; ".join(parts)


def _row(outcome: Outcome, left: tuple[Left, ...]) -> dict[str, object]:
    return {
        "ticket_id": outcome.ticket_id,
        "outcome": _CALLED.get(outcome.status, outcome.status).replace(" ", "_"),
        "reason": outcome.reason,
        "taken_back": outcome.change and _parts(outcome.change),
        "left": [item.model_dump() for item in left],
    }


def _parts(change: Change) -> dict[str, Any]:
    """Without what people wrote into fields: their numbers only."""
    parts: dict[str, Any] = {"tags_off": change.tags_removed, "tags_back": change.tags_added}
    if change.priority is not None or "priority" in change.cleared:
        parts["priority"] = {"from": change.priority_before, "to": change.priority}
    if change.group is not None or "group" in change.cleared:
        parts["group"] = {"from": change.group_before, "to": change.group}
    return {**parts, "fields": [*change.fields, *change.fields_cleared]}


def _counts(finished: Undone) -> dict[str, object]:
    summary = finished.summary
    return {
        "run_id": summary.run_id,
        "undoes": finished.run_id,
        "dry_run": summary.dry_run,
        "outcomes": {_called(name).replace(" ", "_"): count for name, count in summary.outcomes.items()},
        "not_reached": _not_reached(summary),
        "reasons": summary.reasons,
        "requests": summary.requests,
        "duration_s": summary.duration_s,
        "stopped": summary.stopped,
        "exit_code": summary.exit_code,
        "log": str(finished.log),
        "remark": NOTES_STAY,
    }


def _text(finished: Undone) -> str:
    """The undo in a few lines."""
    summary = finished.summary
    counts = ", ".join(f"{count} {_called(name)}" for name, count in sorted(summary.outcomes.items(), reverse=True))
    if counts and _not_reached(summary):
        counts += f", {_not_reached(summary)} not reached"
    begin = "Dry run of an undo" if summary.dry_run else "Undo"
    lines = [f"{begin} of run {finished.run_id}: {counts or _nothing(summary)} ({summary.duration_s:.1f} s)"]
    if summary.reasons:
        lines.append("  because " + ", ".join(f"{reason}: {n}" for reason, n in sorted(summary.reasons.items())))
    lines += [f"  {NOTES_STAY}", f"  receipts: {finished.log}"]
    return "\n".join(lines)


def _called(status: str) -> str:
    return _CALLED[OutcomeStatus(status)]


def _not_reached(summary: RunSummary) -> int:
    """Tickets that the undo came to no end with, because it ended early."""
    return summary.seen - sum(summary.outcomes.values())


def _nothing(summary: RunSummary) -> str:
    return "nothing done" if summary.stopped else "it wrote on no ticket"

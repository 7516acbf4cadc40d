"""``ticketbot undo``: takes a run's writes back, and prints what stays and why."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from typing import Annotated, Any

import typer

from ..core.clock import SystemClock
from ..core.models import Outcome, OutcomeStatus
from ..core.reasons import ALREADY_UNDONE, NOT_KNOWN_YET, OTHER_RUN, in_words
from ..core.run_summary import RunSummary
from ..pipeline.undo.revert import WORDS, Left, undone_parts
from ..pipeline.undo.run import not_reached, other_run
from ..reporting.run_words import Seen
from ..settings.load import load
from ..wiring.undo import Undone
from ..wiring.undo import undo as take_back
from .options import ConfigOption, JsonOption, TicketsOption
from .screen import Screen

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
    tickets: TicketsOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be taken back; write nothing.")] = False,
    while_stopped: Annotated[bool, typer.Option("--while-stopped", help="Although the kill switch is set.")] = False,
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
    in_part = 0
    with ExitStack() as stack:

        def begin(total: int) -> None:
            stack.enter_context(screen.progress("would take back" if dry_run else "taking back", total))

        def listen(outcome: Outcome, left: tuple[Left, ...]) -> None:
            nonlocal in_part
            if as_json:
                rows.append(_row(outcome, left))
            in_part += bool(left) and outcome.status in (OutcomeStatus.UPDATED, OutcomeStatus.PLANNED)
            screen.outcome(Seen(outcome), line=False)
            # Full undos are only in the receipts, and failures print in any case.
            partial = left if outcome.status is OutcomeStatus.UPDATED else outcome.reason != ALREADY_UNDONE
            if partial and outcome.status is not OutcomeStatus.FAILED:
                screen.say(line(outcome, left))

        finished = take_back(
            settings,
            clock,
            run_id,
            tickets or (),
            dry_run=dry_run,
            while_stopped=while_stopped,
            listener=listen,
            begin=begin,
        )
    summary = finished.summary
    remark = settings.desk.can.undone
    if summary.stopped:
        sys.stderr.write(f"ticketbot: ended early: {summary.stopped}\n")
    screen.result(text(finished, in_part, remark), {**_counts(finished, in_part), "remark": remark, "tickets": rows})
    if NOT_KNOWN_YET in summary.reasons:
        sys.stderr.write(
            "ticketbot: some writes of the run were still under way; say the same command again in a few minutes\n"
        )
    return summary.exit_code


def line(outcome: Outcome, left: tuple[Left, ...]) -> str:
    """One ticket's outcome: the parts taken back, and those that stay, with the reason."""
    words = f"ticket {outcome.ticket_id}: {_CALLED[outcome.status]}"
    other = other_run(outcome.reason)
    reason = in_words(outcome.reason) if other is None else f"written by run {other}: take that one back"
    parts = [f"{words} ({reason})" if outcome.change is None else f"{words}: {'; '.join(undone_parts(outcome.change))}"]
    if left:
        parts.append("stays: " + ", ".join(f"{item.part} ({WORDS[item.why]})" for item in left))
    return "; ".join(parts)


def _row(outcome: Outcome, left: tuple[Left, ...]) -> dict[str, object]:
    other, change = other_run(outcome.reason), outcome.change
    back: dict[str, Any] | None = None
    if change is not None:  # without the values of ticket fields, which people wrote
        back = {"tags_off": change.tags_removed, "tags_back": change.tags_added}
        for name in ("priority", "group"):
            if (now := getattr(change, name)) is not None or name in change.cleared:
                back[name] = {"from": getattr(change, f"{name}_before"), "to": now}
        back["fields"] = [*change.fields, *change.fields_cleared]
    return {
        "ticket_id": outcome.ticket_id,
        "outcome": _CALLED[outcome.status].replace(" ", "_"),
        "reason": outcome.reason if other is None else OTHER_RUN,
        "written_by": other,
        "taken_back": back,
        "left": [item.model_dump() for item in left],
    }


def _counts(finished: Undone, in_part: int) -> dict[str, object]:
    """The undo in numbers, for a program."""
    summary = finished.summary
    reasons, others = _reasons(summary)
    if others:
        reasons[OTHER_RUN] = others.total()
    as_they_are = {"run_id", "log_head", "dry_run", "requests", "duration_s", "stopped", "exit_code"}
    return {
        **summary.model_dump(mode="json", include=as_they_are),
        "undoes": finished.run_id,
        "outcomes": {_CALLED[OutcomeStatus(name)].replace(" ", "_"): count for name, count in summary.outcomes.items()},
        "in_part": in_part,
        "sent_not_confirmed": summary.writes.open,
        "not_reached": not_reached(summary),
        "reasons": reasons,
        "written_by": others,
        "log": str(finished.log),
    }


def text(finished: Undone, in_part: int, remark: str) -> str:
    """The undo in a few lines; ``in_part`` is on how many tickets a part of the write stays."""
    summary = finished.summary
    some = f", {in_part} of them in part" if in_part else ""
    ends = [
        f"{count} {_CALLED[OutcomeStatus(name)]}" + some * (name in (OutcomeStatus.UPDATED, OutcomeStatus.PLANNED))
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
    reasons = {why: number for why, number in summary.reasons.items() if other_run(why) is None}
    others = {other: number for why, number in summary.reasons.items() if (other := other_run(why)) is not None}
    return reasons, Counter(others)

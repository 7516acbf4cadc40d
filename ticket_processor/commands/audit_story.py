"""``ticketbot audit show``: one ticket's story from the log, and whether each line is as it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from ..audit.chain import Chain, CheckedLine, LineVerdict, judged_lines
from ..audit.files import LogFile, log_files
from ..audit.lines import Line
from ..core.errors import ExitCode
from ..core.wording import many
from ..dashboard.timeline import Moment, moments
from ..settings.load import load
from ..wiring.parts import keyring
from .audit import reading_keys
from .options import ConfigOption, JsonOption
from .screen import Screen

_OURS = ("seq", "mac", "personal")
_MARKS = {LineVerdict.CHANGED: "changed", LineVerdict.UNCHECKED: "unchecked", LineVerdict.UNSEALED: "unsealed"}


@dataclass(frozen=True)
class Told:
    """An event of the ticket, and its line in the log."""

    file: LogFile
    judged: CheckedLine
    line: Line


def show(
    ticket: Annotated[int, typer.Argument(min=1, metavar="TICKET", help="The ticket's number.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Print one ticket's story: every intent, receipt, alert and undo, and whether each line is as it was written.

    Exit code 1: a line was changed.
    """
    settings = load(config=config, need_helpdesk=False)
    keys, ring = reading_keys(settings), keyring(settings)
    screen = Screen(as_json=as_json)
    files = log_files(settings.log_dir)
    told: list[Told] = []
    closed = False
    with screen.progress("files", len(files)) as advance:
        begun = False
        for file in files:
            chain = Chain(file.day, keys, ring, begun=begun)
            for judged in judged_lines(file, chain, worth=_may_be_about(ticket)):
                closed = closed or (judged.verdict is LineVerdict.UNCHECKED and judged.line is None)
                if judged.line is not None and _is_about(judged.line, ticket):
                    told.append(Told(file, judged, judged.line))
            begun = begun or chain.begun
            advance(1)
    if closed:
        screen.notices(["some of the log is encrypted with a key that is not here; the story may not be whole"])
    screen.blocks(list(_blocks(told)), loud=_MARKS[LineVerdict.CHANGED])
    screen.result(_text(ticket, told), _data(ticket, told))
    changed = any(each.judged.verdict is LineVerdict.CHANGED for each in told)
    return ExitCode.SOME_FAILED if changed else ExitCode.OK


def _may_be_about(ticket: int) -> Callable[[bytes], bool]:
    """Whether a stored line may concern the ticket; every encrypted line may."""
    own = b'"ticket_id":%d,' % ticket
    return lambda stored: own in stored or b'"tickets":[' in stored or stored.startswith(b'{"seq":')


def _is_about(line: Line, ticket: int) -> bool:
    tickets = line.get("tickets")
    return line.get("ticket_id") == ticket or (isinstance(tickets, list) and ticket in tickets)


def _blocks(told: list[Told]) -> Iterator[tuple[str, list[str]]]:
    """A heading and details for each event. Changes that an intent announced are not repeated when they are done."""
    announced: dict[str, tuple[tuple[str, str, str], ...]] = {}
    for each, moment in zip(told, moments([each.line for each in told]), strict=True):
        intent = str(each.line.get("intent"))
        news = moment.kind == "intent" or announced.get(intent) != moment.changes
        if moment.kind == "intent":
            announced[intent] = moment.changes
        mark = _MARKS.get(each.judged.verdict, "erased" if each.judged.erased else "")
        what = f"{moment.headline} (dry run)" if moment.dry_run else moment.headline
        heading = (mark, f"{moment.at[:19].replace('T', ' ')} UTC", moment.run_id, what)
        yield "  ".join(part for part in heading if part), list(_details(each, moment, changes=news))


def _details(told: Told, moment: Moment, *, changes: bool) -> Iterator[str]:
    if told.judged.verdict in _MARKS:
        yield f"{told.file.path.name}, line {told.judged.number + 1}: {told.judged.why}"
    if changes:
        tags = " ".join(_tags(moment))
        if tags:
            yield f"tags: {tags}"
        yield from _values(moment)
        change = told.line.get("change")
        if isinstance(change, dict) and (note := change.get("note")):
            yield f"note: {' '.join(str(note).split())}"
    yield from (f"{name.lower()}: {value}" for name, value in moment.facts)
    if moment.summary:
        yield f"summary: {moment.summary}"
    if moment.kind == "alert":
        known = ("ts", "event", "run_id", "dry_run", "what", "ticket_id", "tickets", "upto", *_OURS)
        yield from (f"{name}: {value}" for name, value in told.line.items() if name not in known and value is not None)


def _tags(moment: Moment) -> Iterator[str]:
    yield from (f"+{after}" if after else f"-{before}" for name, before, after in moment.changes if name == "tag")


def _values(moment: Moment) -> Iterator[str]:
    for name, before, after in moment.changes:
        if name == "escalated":
            yield f"escalated: {after}"
        elif name not in ("tag", "note"):
            yield f"{name}: {before or '-'} -> {after or '-'}"


def _cost(told: list[Told]) -> float | None:
    """US dollars; ``None`` if no model has a price."""
    costs = [each.line.get("cost_usd") for each in told if each.line.get("event") == "ticket"]
    known = [cost for cost in costs if isinstance(cost, int | float)]
    return sum(known) if known else None


def _text(ticket: int, told: list[Told]) -> str:
    if not told:
        return f"the log has no line about ticket {ticket}"
    runs = len({str(each.line.get("run_id")) for each in told})
    ends = (each.line for each in told if each.line.get("outcome") in ("updated", "suggested"))
    writes = sum(line.get("change") is not None for line in ends)
    wrong = sum(each.judged.verdict is not LineVerdict.HOLDS for each in told)
    trust = f"{wrong} NOT to be relied on" if wrong else "each as it was written"
    cost = _cost(told)
    return (
        f"Ticket {ticket}: {many(len(told), 'line')} of {many(runs, 'run')}, "
        f"{many(writes, 'write')}, {'no price known' if cost is None else f'${cost:.6f}'}; {trust}"
    )


def _data(ticket: int, told: list[Told]) -> dict[str, Any]:
    return {
        "ticket_id": ticket,
        "cost_usd": _cost(told),
        "events": [
            {
                **{name: value for name, value in each.line.items() if name not in _OURS},
                "log": {
                    "file": each.file.path.name,
                    "line": each.judged.number + 1,
                    "verdict": each.judged.verdict.value,
                    "why": each.judged.why or None,
                    "erased": each.judged.erased,
                },
            }
            for each in told
        ],
    }

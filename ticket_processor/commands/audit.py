"""``ticketbot audit verify`` and ``show``: checks the log, prints a ticket's story, or the log decrypted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from ..audit.chain import Chain, CheckedLine, LineVerdict, judged_lines
from ..audit.files import KEY_FILE, KEY_VARIABLE, LogFile, known_keys, log_files, readable
from ..audit.lines import Line
from ..audit.receipts import left_in
from ..audit.verify import VerificationReport, check
from ..audit.writer import Head
from ..core.errors import CannotRun, ConfigError, ExitCode, StateUnusable, TicketbotError
from ..core.text import many
from ..reporting.story import Moment, moments
from ..settings.load import load
from ..settings.schema import Settings
from ..state.store import FILE_NAME, State
from ..wiring.parts import keyring
from .options import ConfigOption, JsonOption
from .screen import Screen, print_raw

MOST_PRINTED = 50
BY_STATE, BY_PERSON = "the state", "--anchor"
NO_ANCHOR = (
    "no anchor from elsewhere was given: whoever can change log and state together may have cut off its end unnoticed. "
    "Give the end that a heartbeat, a daily summary or 'run --json' told, as --anchor"
)


def verify(
    anchors: Annotated[
        list[str] | None, typer.Option("--anchor", metavar="DAY:LINES:MAC", help="A head of the log kept elsewhere.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Check that the log is as it was written. Exit code 0: it is; 1: it was changed; 3: not all could be checked."""
    given = [(BY_PERSON, _head(text)) for text in anchors or ()]
    settings = load(config=config, need_helpdesk=False)
    keys = reading_keys(settings)
    screen = Screen(as_json=as_json)
    remarks: list[str] = []
    state_head = _left(settings, remarks)
    known = [(BY_STATE, state_head)] if state_head else []
    with screen.progress("files", len(log_files(settings.log_dir))) as advance:
        report = check(settings.log_dir, keys, keyring(settings), [*known, *given], done=advance)
    if not report.files and not report.flaws:
        raise no_log(settings)
    remarks += report.notes
    if not given:
        remarks.append(NO_ANCHOR)
    code = ExitCode.SOME_FAILED if report.flaws else ExitCode.CANNOT_RUN if report.unchecked else ExitCode.OK
    screen.table(_rows(report))
    screen.result(
        _text(report), {"holds": report.holds, **report.model_dump(mode="json"), "notes": remarks, "exit_code": code}
    )
    screen.notices(() if as_json else remarks)
    return code


def no_log(settings: Settings) -> TicketbotError:
    """The error for a folder without any file of a log."""
    return _not_here(settings, f"there is no log in {settings.log_dir.absolute()}: name its folder (TICKETBOT_LOG_DIR)")


def _not_here(settings: Settings, what: str) -> TicketbotError:
    """A usage error in a wrong folder, where the user has to act; elsewhere the command cannot do its work."""
    return ConfigError(*settings.lost, what) if settings.lost else CannotRun(what)


def reading_keys(settings: Settings) -> tuple[bytes, ...]:
    """The keys that may have sealed the log.

    Raises an error when there is no log, or no key is here: reading must not make one.
    """
    files = log_files(settings.log_dir)
    keys = known_keys([key.get_secret_value() for key in settings.audit.keys], settings.state_folder)
    if not files and not keys:
        raise no_log(settings)
    if not keys:
        where = f"set {KEY_VARIABLE}, or TICKETBOT_STATE_DIR to the folder that holds its {KEY_FILE}"
        raise _not_here(settings, f"the key that seals the log is not here: {where}")
    return keys


def _left(settings: Settings, remarks: list[str]) -> Head | None:
    """The log's end as the last run left it, from the state."""
    path = settings.state_folder / FILE_NAME
    if not path.exists():
        return None
    try:
        with closing(State.scratch_copy(path)) as state:
            head = left_in(state, settings.log_dir)
        return Head.parse(head) if head else None
    except (StateUnusable, ValueError) as error:
        remarks.append(f"where the log ended is not known from the state: {error}")
        return None


def _head(text: str) -> Head:
    try:
        head = Head.parse(text)
        date.fromisoformat(head.day)
    except ValueError:
        raise ConfigError("--anchor: write DAY:LINES:MAC, as a heartbeat or 'run --json' (log_head) tells it") from None
    return head


def _files(folder: Path, wanted: Sequence[str]) -> list[LogFile]:
    """The log's files of these days in their order; without days, all of them."""
    found = log_files(folder) if not wanted else []
    for day in wanted:
        of_day = log_files(folder, first_day=day, last_day=day)
        if not of_day:
            raise ConfigError(f"{day} is neither a ticket nor a day of the log in {folder}, such as 2026-11-21")
        found += of_day
    return found


def _rows(report: VerificationReport) -> list[tuple[str, str, str]]:
    rows = [("changed", flaw.where, flaw.what) for flaw in report.flaws]
    rows += [("unchecked", flaw.where, flaw.what) for flaw in report.unchecked]
    more = len(rows) - MOST_PRINTED + report.more_flaws
    return rows[:MOST_PRINTED] + ([("", "", f"and {more} more")] if more > 0 else [])


def _text(report: VerificationReport) -> str:
    counted = f"{many(report.files, 'file')}, {many(report.lines, 'line')}"
    if report.flaws:
        first = f"The log does not hold: {many(len(report.flaws), 'flaw')} in {counted}"
    elif report.unchecked:
        first = f"Not all of the log could be checked: {counted}, and nothing changed in what could"
    else:
        first = f"The log holds: {counted}, each as it was written"
    lines = [first]
    if report.erased:
        lines.append(f"  erased: the words of {many(report.erased, 'line')}, as the log says")
    if report.expired:
        lines.append(f"  deleted when their time had come: {many(len(report.expired), 'day')}")
    for anchor in report.anchors:
        stands = {True: "stands", False: "IS NOT THERE", None: "cannot be looked up any more"}[anchor["stands"]]
        lines.append(f"  end known from {anchor['given_by']}: {anchor['anchor']} {stands}")
    return "\n".join([*lines, f"  end of the log now: {report.head or 'unknown'}"])


_OURS = ("seq", "mac", "personal")
_MARKS = {LineVerdict.CHANGED: "changed", LineVerdict.UNCHECKED: "unchecked"}


Told = tuple[str, CheckedLine, Line]
"""An event of the ticket: its file's name, and its line in the log."""


def show(
    wanted: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TICKET | DAY…]", help="Lines of days are printed as they are."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Print one ticket's story: every intent, receipt, alert and undo, and whether each line is as it was written.

    Or print lines of the log, decrypted. Exit code 1: a line of the ticket was changed.
    """
    ticket = _ticket(wanted or ())
    if as_json and ticket is None:
        raise ConfigError("--json prints one ticket's story: name its number")
    settings = load(config=config, need_helpdesk=False)
    if ticket is not None:
        return _show_story(settings, ticket, as_json)
    keys, files = keyring(settings), _files(settings.log_dir, wanted or ())
    if not files:
        raise no_log(settings)
    for file in files:
        for item in readable(file, keys):
            print_raw(item.raw)
    return ExitCode.OK


def _ticket(wanted: Sequence[str]) -> int | None:
    """The ticket that is wanted; ``None`` where it is days. Raises :class:`ConfigError`."""
    numbers = [int(text) for text in wanted if text.isascii() and text.isdecimal()]
    if not numbers:
        return None
    if len(wanted) > 1:
        raise ConfigError("one ticket at a time is shown, and days without a ticket")
    if numbers[0] == 0:
        raise ConfigError("there is no ticket 0: numbers begin at 1")
    return numbers[0]


def _show_story(settings: Settings, ticket: int, as_json: bool) -> int:
    keys, ring = reading_keys(settings), keyring(settings)
    screen = Screen(as_json=as_json)
    files = log_files(settings.log_dir)
    story: list[Told] = []
    closed = False
    with screen.progress("files", len(files)) as advance:
        for file in files:
            for judged in judged_lines(file, Chain(file.day, keys, ring)):
                closed = closed or (judged.verdict is LineVerdict.UNCHECKED and judged.line is None)
                if judged.line is not None and _is_about(judged.line, ticket):
                    story.append((file.path.name, judged, judged.line))
            advance(1)
    if closed:
        screen.notices(["some of the log is encrypted with a key that is not here; the story may not be whole"])
    screen.blocks(list(_blocks(story)))
    screen.result(_story_text(ticket, story), _data(ticket, story))
    changed = any(judged.verdict is LineVerdict.CHANGED for _, judged, _ in story)
    return ExitCode.SOME_FAILED if changed else ExitCode.OK


def _is_about(line: Line, ticket: int) -> bool:
    tickets = line.get("tickets")
    return line.get("ticket_id") == ticket or (isinstance(tickets, list) and ticket in tickets)


def _blocks(story: list[Told]) -> Iterator[tuple[str, list[str]]]:
    """A heading and details for each event. Changes that an intent announced are not repeated when they are done."""
    announced: dict[str, tuple[tuple[str, str, str], ...]] = {}
    for (file, judged, line), moment in zip(story, moments([line for *_, line in story]), strict=True):
        intent = str(line.get("intent"))
        news = moment.kind == "intent" or announced.get(intent) != moment.changes
        if moment.kind == "intent":
            announced[intent] = moment.changes
        mark = _MARKS.get(judged.verdict, "erased" if judged.erased else "")
        what = f"{moment.headline} (dry run)" if moment.dry_run else moment.headline
        heading = (mark, f"{moment.at[:19].replace('T', ' ')} UTC", moment.run_id, what)
        yield "  ".join(part for part in heading if part), list(_details(file, judged, line, moment, changes=news))


def _details(file: str, judged: CheckedLine, line: Line, moment: Moment, *, changes: bool) -> Iterator[str]:
    if judged.verdict in _MARKS:
        yield f"{file}, line {judged.number + 1}: {judged.why}"
    if changes:
        tags = " ".join(
            f"+{after}" if after else f"-{before}" for name, before, after in moment.changes if name == "tag"
        )
        if tags:
            yield f"tags: {tags}"
        for name, before, after in moment.changes:
            if name == "escalated":
                yield f"escalated: {after}"
            elif name not in ("tag", "note"):
                yield f"{name}: {before or '-'} -> {after or '-'}"
        change = line.get("change")
        if isinstance(change, dict) and (note := change.get("note")):
            yield f"note: {' '.join(str(note).split())}"
    yield from (f"{name.lower()}: {value}" for name, value in moment.facts)
    if moment.summary:
        yield f"summary: {moment.summary}"
    if moment.kind == "alert":
        known = ("ts", "event", "run_id", "dry_run", "what", "ticket_id", "tickets", "upto", *_OURS)
        yield from (f"{name}: {value}" for name, value in line.items() if name not in known and value is not None)


def _story_text(ticket: int, story: list[Told]) -> str:
    if not story:
        return f"the log has no line about ticket {ticket}"
    runs = len({str(line.get("run_id")) for *_, line in story})
    ends = (line for *_, line in story if line.get("outcome") in ("updated", "suggested"))
    writes = sum(line.get("change") is not None for line in ends)
    wrong = sum(judged.verdict is not LineVerdict.HOLDS for _, judged, _ in story)
    trust = f"{wrong} NOT to be relied on" if wrong else "each as it was written"
    return f"Ticket {ticket}: {many(len(story), 'line')} of {many(runs, 'run')}, {many(writes, 'write')}; {trust}"


def _data(ticket: int, story: list[Told]) -> dict[str, Any]:
    return {
        "ticket_id": ticket,
        "events": [
            {
                **{name: value for name, value in line.items() if name not in _OURS},
                "log": {
                    "file": file,
                    "line": judged.number + 1,
                    "verdict": judged.verdict.value,
                    "why": judged.why or None,
                    "erased": judged.erased,
                },
            }
            for file, judged, line in story
        ],
    }

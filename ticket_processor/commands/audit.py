"""``ticketbot audit verify`` and ``cat``: checks the log, and prints it decrypted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ..audit.files import LogFile, check_opened, last_header, log_files, read_lines
from ..audit.findings import VerificationReport
from ..audit.keys import FILE_NAME as KEY_FILE
from ..audit.keys import VARIABLE, known_keys
from ..audit.retention import left_in
from ..audit.verify import check
from ..audit.writer import Head
from ..core.errors import CannotRun, ConfigError, ExitCode, StateUnusable, TicketbotError
from ..core.wording import many
from ..settings.load import load
from ..settings.schema import Settings
from ..state.store import FILE_NAME, State
from ..wiring.parts import keyring
from .options import ConfigOption, JsonOption
from .screen import Screen, standard_output

MOST_PRINTED = 50
NOT_SEALED = (
    "nothing in the log is sealed yet, so nothing can be verified: the next 'ticketbot run' makes the key, and seals "
    "what it writes"
)
BY_STATE, BY_PERSON = "the state", "--anchor"
NO_ANCHOR = (
    "no anchor from elsewhere was given: whoever can change log and state together may have cut off its end unnoticed. "
    "Give the end that a heartbeat, a daily summary or 'run --json' told, as --anchor"
)
NO_END = (
    "neither the state nor an --anchor says where the log ended: nobody can tell whether its end was cut off. Give the "
    "end that a heartbeat, a daily summary or 'run --json' told, as --anchor"
)


def verify(
    anchors: Annotated[
        list[str] | None,
        typer.Option(
            "--anchor", metavar="DAY:LINES:MAC", help="A head of the log that was kept elsewhere; may be repeated."
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Check that the log is as it was written. Exit code 0: it is; 1: it was changed; 3: not all could be checked."""
    given = [(BY_PERSON, _head(text)) for text in anchors or ()]
    settings = load(config=config, need_helpdesk=False)
    keys = reading_keys(settings)
    if not keys:
        raise CannotRun(NOT_SEALED)
    screen = Screen(as_json=as_json)
    remarks: list[str] = []
    state_head = _left(settings, remarks)
    known = [(BY_STATE, state_head)] if state_head else []
    with ExitStack() as stack:
        report = check(
            settings.log_dir,
            keys,
            keyring(settings),
            [*known, *given],
            begin=lambda files: stack.enter_context(screen.progress("files", files)),
        )
    if not report.files and not report.flaws:
        raise no_log(settings)
    remarks += report.notes
    if not given:
        remarks.append(NO_ANCHOR if known else NO_END)
    code = ExitCode.SOME_FAILED if report.flaws else ExitCode.CANNOT_RUN if report.unchecked else ExitCode.OK
    screen.table(("", "Where", "What"), _rows(report), loud="changed")
    screen.result(
        _text(report), {"holds": report.holds, **report.model_dump(mode="json"), "notes": remarks, "exit_code": code}
    )
    screen.notices(() if as_json else remarks)
    return code


def cat(
    wanted: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE|DAY…", help="Files of a log, or days; default: all of it.", show_default=False),
    ] = None,
    config: ConfigOption = None,
) -> int:
    """Print the log, decrypted."""
    settings = load(config=config, need_helpdesk=False)
    keys, out = keyring(settings), standard_output()
    files = _files(settings.log_dir, wanted or ())
    if not files:
        raise no_log(settings)
    for file in files:
        for raw, line in read_lines(file, keys):
            if line is None:
                check_opened(raw, file.path)
            out.write(raw)
    out.flush()
    return ExitCode.OK


def no_log(settings: Settings) -> TicketbotError:
    """The error for a folder without any file of a log."""
    return _not_here(settings, f"there is no log in {settings.log_dir.absolute()}: name its folder (TICKETBOT_LOG_DIR)")


def _not_here(settings: Settings, what: str) -> TicketbotError:
    """A usage error in a wrong folder, where the user has to act; elsewhere the command cannot do its work."""
    return ConfigError(*settings.lost, what) if settings.lost else CannotRun(what)


def reading_keys(settings: Settings) -> tuple[bytes, ...]:
    """The keys that may have sealed the log; none for an unsealed log.

    Raises an error when there is no log, or when it is sealed and no key is here: reading must not make a key.
    """
    files = log_files(settings.log_dir)
    keys = known_keys([key.get_secret_value() for key in settings.audit.keys], settings.state_folder)
    if not files and not keys:
        raise no_log(settings)
    if not keys and any(last_header(file) is not None for file in files):
        where = f"set {VARIABLE}, or TICKETBOT_STATE_DIR to the folder that holds its {KEY_FILE}"
        raise _not_here(settings, f"the key that seals the log is not here: {where}")
    return keys


def _left(settings: Settings, remarks: list[str]) -> Head | None:
    """The log's end as the last run left it, from the state."""
    path = settings.state_folder / FILE_NAME
    if not path.exists():
        return None
    try:
        state = State.scratch_copy(path)
        try:
            told = left_in(state, settings.log_dir)
        finally:
            state.close()
        return Head.parse(told) if told else None
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
    """The named files and days in their order; without names, the whole log."""
    if not wanted:
        return log_files(folder)
    found = []
    for text in wanted:
        path = Path(text)
        named = LogFile.at(path)
        if named.day:
            if not path.is_file():
                raise ConfigError(f"{text} does not exist")
            found.append(named)
            continue
        of_day = log_files(folder, first_day=text, last_day=text)
        if not of_day:
            raise ConfigError(f"{text} is neither a file of a log nor a day of the log in {folder}, such as 2026-11-21")
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
    if report.unsealed:
        lines.append(f"  from before there was a chain: {many(report.unsealed, 'line')}, which nothing protects")
    for anchor in report.anchors:
        stands = {True: "stands", False: "IS NOT THERE", None: "cannot be looked up any more"}[anchor.stands]
        lines.append(f"  end known from {anchor.given_by}: {anchor.anchor} {stands}")
    return "\n".join([*lines, f"  end of the log now: {report.head or 'unknown'}"])

"""``ticketbot audit erase``: what is personal of some tickets goes for good, wherever ticketbot keeps it."""

from __future__ import annotations

import sys
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

import typer

from ..answer_store import FILE_NAME as ANSWERS
from ..answer_store import AnswerStore
from ..clock import SystemClock
from ..config import Settings, load
from ..errors import CannotRun, ConfigError, ExitCode
from ..log_erase import Found, erase, every_file, find
from ..log_upkeep import keep_head
from ..screen import Screen
from ..wiring import audit_log, keyring, lock, new_run_id, opened_state
from .audit_requester import tickets_of

ELSEWHERE = (
    "not reached: the notes on the tickets in the helpdesk, files of 'run --backfill', exports, reports with "
    "--show-errors, a classifier trained on these tickets, what model servers keep, and backups of all of these"
)


def erase_tickets(
    clock: SystemClock,
    *,
    config: Path | None,
    tickets: Collection[int],
    requester: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """``ticketbot audit erase``. Returns the exit code: 1 when something could not be erased."""
    if not tickets and requester is None:
        raise ConfigError("say whose: --ticket ID, which may be repeated, or --requester")
    settings = load(config=config)
    screen = Screen(quiet=False, as_json=as_json)
    wanted = frozenset(tickets) | (tickets_of(settings, clock, requester) if requester is not None else frozenset())
    if not wanted:
        screen.result(
            "the helpdesk shows no ticket of this requester: name those that were deleted there with --ticket",
            {"tickets": [], "lines": 0, "files": 0},
        )
        return ExitCode.OK
    found = _found(settings, screen, wanted)
    if dry_run:
        screen.result(_text("To be erased", wanted, found, None, []), _data(wanted, found, None, [], dry_run=True))
        return _code(found.troubles)
    if not yes:
        _ask(wanted, found)
    with ExitStack() as stack:
        stack.enter_context(lock(settings.state_folder))
        state = stack.enter_context(opened_state(settings.state_folder, settings.zendesk.base_url))
        audit = audit_log(settings, clock, new_run_id(clock))
        stack.callback(audit.close)
        found = _found(settings, screen, wanted)
        with screen.progress("files", len(found.lines)) as advance:
            gone = erase(audit, wanted, keyring(settings), found, done=advance)
        given_up = state.erase(wanted)
        answers = _forget_answers(settings, clock, gone.troubles)
        keep_head(state, audit)
    screen.result(
        _text("Erased", wanted, gone, answers, given_up), _data(wanted, gone, answers, given_up, dry_run=False)
    )
    return _code(gone.troubles)


def _found(settings: Settings, screen: Screen, wanted: Collection[int]) -> Found:
    with screen.progress("files", len(every_file(settings.log_dir))) as advance:
        return find(settings.log_dir, wanted, keyring(settings), done=advance)


def _ask(wanted: Collection[int], found: Found) -> None:
    """Have a person confirm. Raises :class:`ConfigError` when nobody is there, or does not want it."""
    if not sys.stdin.isatty():
        raise ConfigError("this cannot be taken back: add --yes, or look first with --dry-run")
    asked = f"Take the words of {_tickets(wanted)} out of {found.total} lines, and drop all kept answers of models?"
    if not typer.confirm(asked, err=True):
        raise ConfigError("nothing was erased")


def _forget_answers(settings: Settings, clock: SystemClock, troubles: list[str]) -> int:
    """Drop the kept answers, and a damaged store of them that was put aside."""
    path = settings.state_folder / ANSWERS
    try:
        path.with_suffix(".damaged").unlink(missing_ok=True)
        if not path.exists():
            return 0
        store = AnswerStore(path, clock, days=0)
        try:
            return store.forget()
        finally:
            store.close()
    except (OSError, CannotRun) as error:
        troubles.append(str(error))
        return 0


def _code(troubles: Collection[str]) -> int:
    for trouble in troubles:
        sys.stderr.write(f"ticketbot: not erased: {trouble}\n")
    return ExitCode.SOME_FAILED if troubles else ExitCode.OK


def _tickets(wanted: Collection[int]) -> str:
    return f"{len(wanted)} ticket{'' if len(wanted) == 1 else 's'}"


def _text(first: str, wanted: Collection[int], found: Found, answers: int | None, given_up: list[int]) -> str:
    files = len(found.lines)
    lines = [
        f"{first}: the words of {_tickets(wanted)}, {found.total} lines in {files} file{'' if files == 1 else 's'}"
    ]
    if found.leftovers:
        lines.append(f"  with them what crashes left in the log's folder, whosever it is: {len(found.leftovers)} files")
    if answers is None:
        lines.append("  and all kept answers of models, since nothing says whose they are; that costs asking again")
    else:
        lines.append(f"  kept answers of models dropped, since nothing says whose they are: {answers}")
    if given_up:
        lines.append(f"  given up: what was to be put back for people on {', '.join(map(str, given_up))}")
    return "\n".join([*lines, f"  {ELSEWHERE}"])


def _data(
    wanted: Collection[int], found: Found, answers: int | None, given_up: list[int], *, dry_run: bool
) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "tickets": sorted(wanted),
        "lines": found.total,
        "files": len(found.lines),
        "leftovers": len(found.leftovers),
        "answers_dropped": answers,
        "given_up": given_up,
        "troubles": found.troubles,
        "not_reached": ELSEWHERE,
    }

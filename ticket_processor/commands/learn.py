"""``ticketbot learn``: collects what people changed, has a person decide, pins cases, takes back what was learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ..analysis.classifier.storage import put_back
from ..analysis.text.outgoing import leaving_line
from ..core.clock import SystemClock, iso
from ..core.errors import ConfigError, ExitCode
from ..core.models import Ticket
from ..core.tables import MOST_LINES, Table
from ..core.tables import show as show_tables
from ..core.text import many, person_at_keyboard
from ..learning import gate
from ..learning.collect import redacted_text
from ..learning.examples import RETRAINED
from ..learning.gate import FIELDS, PINNED, Bound, PinnedCase, from_corrections, of_today
from ..learning.scoreboard import CorrectionGroup, Scoreboard, correction_groups, decide_pending, kept_scoreboard
from ..learning.store import CATEGORIES, DECIDED, FILE_NAME, Correction, CorrectionStatus, LearningStore, LearntChange
from ..reporting.report import plain
from ..reporting.sections import scoreboard_tables
from ..settings.load import load
from ..settings.schema import Settings
from ..wiring import learnt as wiring
from ..wiring.desks import reading
from .options import ConfigOption, DetailedOption, JsonOption, check_together
from .screen import Screen, shortened

COLLECT_S, READ_WITHIN_S = 3600.0, 60.0


def collect(
    clock: SystemClock,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Read at most N histories.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Read what people made of our labels on settled tickets, a history each; a later call goes on from there."""
    settings = load(config=config)
    screen = Screen(as_json=as_json)
    with (
        closing(LearningStore(settings.state_folder / FILE_NAME)) as store,
        reading(settings, clock, COLLECT_S, writes=True) as (desk, transport, deadline),
        screen.progress("reading which labels people kept and changed") as advance,
    ):
        done = wiring.collect(settings, desk, transport, store, deadline, clock.now(), most=limit, advance=advance)
    left = ", ".join(f"{number:,} {why}" for why, number in done.left_out.items())
    screen.result(
        f"{many(done.settled, 'ticket')} settled, {many(done.histories, 'history')} read, "
        f"{many(done.corrections, 'correction')} found; "
        f"{many(done.waiting, 'ticket')} still wait; {many(done.requests, 'request')}"
        + (f"\nleft out: {left}" if left else "")
        + ("\n'ticketbot learn review' shows corrections, 'learn show' all of it" if done.histories else ""),
        vars(done),
    )
    if done.ended_early is not None:
        screen.notices([f"not all was read: {done.ended_early}"])
    return ExitCode.OK


def show(details: DetailedOption = False, as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Show what people made of labels: accuracy and coverage by label."""
    settings = load(config=config, need_helpdesk=False, need_any=True)
    found = kept_scoreboard(settings.state_folder) or Scoreboard()
    screen = Screen(as_json=as_json)
    if as_json:
        screen.result("", plain(found))
    elif not found.tickets:
        screen.say("nothing was collected; 'ticketbot learn collect' reads which labels people kept and changed")
    else:
        tables = [table for table in scoreboard_tables(found) if table.rows]
        if not show_tables(tables, most=None if details else MOST_LINES - 2):
            screen.say("\n--details adds every label")
    return ExitCode.OK


def log(as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Print everything that was learnt or decided, and what of it was taken back."""
    with _opened(config, read_only=True) as store:
        changes = store.changes()
    Screen(as_json=as_json).result(
        "\n".join(shortened([*map(_in_words, changes)], last=True)) or "nothing was learnt yet",
        {"changes": [asdict(item) for item in changes]},
    )
    return ExitCode.OK


def undo(
    clock: SystemClock,
    change: Annotated[int, typer.Argument(metavar="ID", help="As learn log prints it.", min=1)],
    config: ConfigOption = None,
) -> int:
    """Take back something that was learnt; what was decided anew since then stays."""
    settings = load(config=config, need_helpdesk=False, need_any=True)
    with _opened(config) as store, store.transaction():
        kind = next((item.what for item in store.changes() if item.id == change), PINNED)
        if kind not in (DECIDED, PINNED, RETRAINED):
            raise ConfigError(f"change {change} ({kind}) cannot be taken back")
        undone = store.undo(change, clock.now())
        if undone is not None and undone.what == RETRAINED:
            put_back(settings.classifier_folder, undone.detail["former"], undone.detail["now"])
    if undone is None:
        raise ConfigError(f"there is no change {change} that could be taken back; see 'ticketbot learn log'")
    Screen().say(_in_words(undone))
    return ExitCode.OK


@contextmanager
def _opened(config: Path | None, *, read_only: bool = False) -> Iterator[LearningStore]:
    """The learning store of these settings; it is made unless ``read_only``."""
    settings = load(config=config, need_helpdesk=False, need_any=True)
    opened = LearningStore.scratch_copy if read_only else LearningStore
    with closing(opened(settings.state_folder / FILE_NAME)) as store:
        yield store


def _in_words(change: LearntChange) -> str:
    undone = "" if change.undone_at is None else f", taken back {iso(change.undone_at)}"
    start = f"{change.id:>5}  {iso(change.at)}  "
    if change.what == DECIDED:
        return f"{start}{change.decision()}{undone}"
    known = {name: value for name, value in change.detail.items() if value and not isinstance(value, dict)}
    details = (f"{name}={len(value) if isinstance(value, list) else value}" for name, value in known.items())
    return f"{start}{change.what} by {change.who}{undone}  {' '.join(details)}"


COLUMNS = ("<field", "<ticketbot said", "<people say", "tickets", "people", "<most by", "<ids")
MOST_IDS = 8
MOST_TEXTS, LONGEST_TEXT = 3, 200

IdsArgument = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="As learn review prints them.", min=1)]
FieldOption = Annotated[str | None, typer.Option(metavar="FIELD", help="Only this field, such as category.")]
OursOption = Annotated[str | None, typer.Option(metavar="LABEL", help="Only where ticketbot said this, or none.")]
TheirsOption = Annotated[str | None, typer.Option(metavar="LABEL", help="Only where people say this.")]


def review(
    texts: Annotated[bool, typer.Option("--texts", help="Also redacted words of three tickets of each group.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Show pending corrections, grouped by what they change; decides nothing."""
    with _opened(config, read_only=True) as store:
        waiting = store.corrections("pending")
    groups, screen = correction_groups(waiting), Screen(as_json=as_json)
    known = {item.id: item for item in waiting if texts}
    if as_json:
        rows = [{**asdict(group), **({"texts": _texts(group, known)} if texts else {})} for group in groups]
        screen.result("", {"pending": rows})
    elif not groups:
        screen.say("no correction waits; 'ticketbot learn collect' looks for some")
    else:
        show_tables([Table("Corrections that wait", COLUMNS, tuple(map(_row, groups)))])
        for group in groups if texts else ():
            screen.say(f"\n{group.field}: {group.ours or 'none'} -> {group.theirs}")
            for one in _texts(group, known):
                screen.say(f"  {one['id']}, ticket {one['ticket']}: {one['text']}")
        screen.say("\n'ticketbot learn approve' and 'learn reject' take ids, or --field with --ours and --theirs.")
    return ExitCode.OK


def _texts(group: CorrectionGroup, known: Mapping[int, Correction]) -> list[dict[str, Any]]:
    """Some of the group's corrections, with the beginnings of their redacted texts on a line each."""
    some = [known[number] for number in group.ids if known[number].text][:MOST_TEXTS]
    return [{"id": item.id, "ticket": item.ticket_id, "text": leaving_line(item.text, LONGEST_TEXT)} for item in some]


def _row(group: CorrectionGroup) -> tuple[str, ...]:
    account, most = group.people[0]
    ids = " ".join(map(str, group.ids[:MOST_IDS])) + (" …" if len(group.ids) > MOST_IDS else "")
    counts = (f"{group.tickets:,}", f"{len(group.people):,}", f"{account or 'unknown'} ({most:,})")
    return (group.field, group.ours or "none", group.theirs, *counts, ids)


def _deciding(status: CorrectionStatus, verb: str) -> Callable[..., int]:
    """The command that gives pending corrections this status."""

    def decide(
        clock: SystemClock,
        ids: IdsArgument = None,
        field: FieldOption = None,
        ours: OursOption = None,
        theirs: TheirsOption = None,
        config: ConfigOption = None,
    ) -> int:
        if bool(ids) == (theirs is not None) or (ids and (field or ours)) or (theirs is not None and field is None):
            raise ConfigError("name corrections by their ids, or by --field and --theirs, with or without --ours")
        with _opened(config) as store:
            waiting = {item.id: item for item in store.corrections("pending")}
            if strange := sorted(set(ids or ()) - waiting.keys()):
                raise ConfigError(*(f"correction {one} does not wait; see 'ticketbot learn review'" for one in strange))
            wanted = ids or [
                item.id
                for item in waiting.values()
                if (item.field, item.theirs) == (field, theirs) and ours in (None, item.ours or "none")
            ]
            done = decide_pending(store, wanted, status, person_at_keyboard(), clock.now())
        if done is None:
            raise ConfigError(f"no correction of {field} to {theirs} waits as named; see 'ticketbot learn review'")
        chosen = many(len(done.detail["before"]), "correction")
        Screen().say(f"{chosen} {status} (learn undo {done.id} takes it back)")
        return ExitCode.OK

    decide.__doc__ = f"{verb} pending corrections by ids, or all between two labels of a field."
    return decide


approve, reject = _deciding("approved", "Approve"), _deciding("rejected", "Reject")


def pin(
    clock: SystemClock,
    corrections: IdsArgument = None,
    ticket: Annotated[
        int | None, typer.Option(min=1, metavar="ID", help="All approved corrections of this ticket.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All approved corrections.")] = False,
    field: FieldOption = None,
    value: Annotated[
        str | None, typer.Option(metavar="VALUE", help="With --ticket and --field: the right value of a ticket.")
    ] = None,
    at_least: Annotated[bool, typer.Option("--at-least", help="A higher value is right as well.")] = False,
    config: ConfigOption = None,
) -> int:
    """Pin approved corrections, or a ticket with its right value, as cases that the gate holds changes to."""
    if [bool(corrections), ticket is not None, every].count(True) != 1:
        raise ConfigError("name corrections by their ids, or a ticket with --ticket, or say --all")
    check_together(locals(), parts={"--ticket": ("--value",), "--field": ("--value",), "--value": ("--at-least",)})
    settings, left = load(config=config, need_helpdesk=value is not None, need_any=True), 0
    bound: Bound = "at_least" if at_least else "is"
    with closing(LearningStore(settings.state_folder / FILE_NAME)) as store:
        if value is not None and ticket is not None and field is not None:
            cases = [PinnedCase(0, ticket, field, bound, value, _text_of(settings, clock, ticket))]
        else:
            known = store.corrections(None if corrections else "approved", field)
            chosen = [item for item in known if every or item.ticket_id == ticket or item.id in (corrections or ())]
            if strange := sorted(set(corrections or ()) - {item.id for item in chosen}):
                raise ConfigError(*(f"there is no correction {number} to pin" for number in strange))
            usable = chosen if corrections else [item for item in chosen if item.field in FIELDS and item.text]
            cases, left = list(from_corrections(usable)), len(chosen) - len(usable)
        cases = [of_today(case, settings.taxonomy) for case in cases]
        names = settings.taxonomy.names
        if gone := {case.value for case in cases if case.field in CATEGORIES and case.value not in names}:
            raise ConfigError(f"{', '.join(sorted(gone))} is no category: choose one of {', '.join(names)}")
        found = gate.pin(store, cases, person_at_keyboard(), clock.now())
    screen = Screen()
    pinned = [f"pinned {case.id}: ticket {case.ticket_id}, {case.wanted}" for case in found]
    screen.say("\n".join(pinned) or "nothing to pin")
    if left:
        screen.notices([f"left out: {many(left, 'correction')} of fields that cannot be pinned"])
    return ExitCode.OK


def _text_of(settings: Settings, clock: SystemClock, ticket_id: int) -> str:
    """The ticket's redacted text."""
    with reading(settings, clock, READ_WITHIN_S) as (desk, *_):
        ticket = desk.fetch([ticket_id]).get(ticket_id)
    if not isinstance(ticket, Ticket):
        raise ConfigError(f"ticket {ticket_id} is not on the helpdesk")
    return redacted_text(ticket, settings.models.redaction)


def pins(as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Print the pinned cases; as JSON with their redacted texts."""
    with _opened(config, read_only=True) as store:
        found = gate.pinned(store)
    lines = [f"{case.id:>5}  ticket {case.ticket_id}  {case.wanted}" for case in found]
    Screen(as_json=as_json).result(
        "\n".join(shortened(lines)) or "no case is pinned", {"pins": [case.as_row() for case in found]}
    )
    return ExitCode.OK

"""``ticketbot learn``: collects what people changed, has a person decide, pins cases, takes back what was learnt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ..analysis.classifier.storage import put_back
from ..core.clock import Deadline, SystemClock, iso
from ..core.errors import ConfigError, ExitCode
from ..core.sanitize import plain_line
from ..core.tables import MOST_LINES, Table, show_briefly
from ..core.tables import show as show_tables
from ..core.taxonomy import Taxonomy
from ..core.wording import many, person_at_keyboard
from ..learning.collect import redacted_text
from ..learning.model import CATEGORIES, Correction, CorrectionStatus, LearntChange
from ..learning.pins import FIELDS, PINNED, Bound, PinnedCase, Pins, from_corrections, of_today
from ..learning.retraining import RETRAINED
from ..learning.review import CorrectionGroup, correction_groups, decide_pending, told
from ..learning.scoreboard import Scoreboard, kept_scoreboard
from ..learning.store import DECIDED, FILE_NAME, LearningStore
from ..reporting.report import scoreboard_data
from ..reporting.tables import scoreboard_tables
from ..settings.load import load
from ..settings.schema import Settings
from ..wiring.desks import reading_desk
from ..wiring.parts import strictest_redaction, transport_for
from .options import ConfigOption, DetailedOption, JsonOption
from .screen import Screen, shortened

COLLECT_S = 3600.0


def collect(
    clock: SystemClock,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Read at most N histories.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Read what people made of our labels on settled tickets, a history each; a later call goes on from there."""
    from ..wiring import learning as wiring  # the others need no helpdesk
    from ..wiring.desks import reading_desk
    from ..wiring.parts import transport_for

    settings = load(config=config)
    screen = Screen(as_json=as_json)
    deadline, now = Deadline(clock, COLLECT_S), clock.now()
    with (
        closing(LearningStore(settings.state_folder / FILE_NAME)) as store,
        closing(
            transport_for(settings.desk, clock, deadline, share=settings.run.limit_share, read_only=True)
        ) as transport,
        reading_desk(settings, transport) as desk,
        screen.progress("reading which labels people kept and changed") as advance,
    ):
        done, expired = wiring.collect(
            settings, desk, transport, store, deadline, now, since=0.0, most=limit, advance=advance
        )
    left = ", ".join(f"{number:,} {why}" for why, number in done.left_out.items())
    screen.result(
        f"{many(done.settled, 'ticket')} settled, {many(done.histories, 'history')} read, "
        f"{many(done.corrections, 'correction')} found; "
        f"{many(done.waiting, 'ticket')} still wait; {many(done.requests, 'request')}"
        + (f"\nleft out: {left}" if left else "")
        + ("\n'ticketbot learn review' shows corrections, 'learn show' all of it" if done.histories else ""),
        vars(done),
    )
    screen.notices(expired)
    if done.ended_early is not None:
        screen.notices([f"not all was read: {done.ended_early}"])
    return ExitCode.OK


def show(
    details: DetailedOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Show what people made of labels: accuracy and coverage by label."""
    settings = load(config=config, need_helpdesk=False, need_any=True)
    found = kept_scoreboard(settings.state_folder, 0.0) or Scoreboard()
    screen = Screen(as_json=as_json)
    if as_json:
        screen.result("", scoreboard_data(found))
    elif not found.tickets:
        screen.say("nothing was collected; 'ticketbot learn collect' reads which labels people kept and changed")
    else:
        tables = [table for table in scoreboard_tables(found) if table.rows]
        if details:
            show_tables(tables)
        elif not show_briefly(tables, most=MOST_LINES - 2):
            screen.say("\n--details adds every label")
    return ExitCode.OK


def log(as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Print everything that was learnt or decided, and what of it was taken back."""
    with opened_learning(config, read_only=True) as store:
        changes = store.changes()
    Screen(as_json=as_json).result(
        "\n".join(shortened([*map(_told, changes)], last=True)) or "nothing was learnt yet",
        {"changes": [asdict(item) for item in changes]},
    )
    return ExitCode.OK


def undo(
    clock: SystemClock,
    change: Annotated[int, typer.Argument(metavar="ID", help="As learn log prints it.", min=1)],
    config: ConfigOption = None,
) -> int:
    """Take back something that was learnt; what was decided anew since then stays."""
    with opened_learning(config) as store, store.writing():
        kind = next((item.what for item in store.changes() if item.id == change), PINNED)
        if kind not in (DECIDED, PINNED, RETRAINED):
            raise ConfigError(f"change {change} ({kind}) cannot be taken back")
        undone = store.undo(change, clock.now())
        if undone is not None and undone.what == RETRAINED:
            folder = load(config=config, need_helpdesk=False, need_any=True).classifier_folder
            put_back(folder, undone.detail["former"], undone.detail["now"])
    if undone is None:
        raise ConfigError(f"there is no change {change} that could be taken back; see 'ticketbot learn log'")
    Screen().say(_told(undone))
    return ExitCode.OK


@contextmanager
def opened_learning(config: Path | None, *, read_only: bool = False) -> Iterator[LearningStore]:
    """The learning store of these settings; it is made unless ``read_only``."""
    settings = load(config=config, need_helpdesk=False, need_any=True)
    with closing(LearningStore(settings.state_folder / FILE_NAME, read_only=read_only)) as store:
        yield store


def _told(change: LearntChange) -> str:
    undone = "" if change.undone_at is None else f", taken back {iso(change.undone_at)}"
    start = f"{change.id:>5}  {iso(change.at)}  "
    if change.what == DECIDED:
        return f"{start}{told(change)}{undone}"
    details = " ".join(
        f"{name}={_short(value)}" for name, value in change.detail.items() if value and not isinstance(value, dict)
    )
    return f"{start}{change.what} by {change.who}{undone}  {details}"


def _short(value: object) -> str:
    return f"{len(value)}" if isinstance(value, list) else str(value)


COLUMNS = ("<field", "<ticketbot said", "<people say", "tickets", "people", "<most by", "<ids", "<remark")
MOST_IDS = 8
MOST_TEXTS, LONGEST_TEXT = 3, 200

IdsArgument = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="As learn review prints them.", min=1)]
FieldOption = Annotated[str | None, typer.Option("--field", metavar="FIELD", help="Only this field, such as category.")]
OursOption = Annotated[
    str | None,
    typer.Option("--ours", metavar="LABEL", help="Only where ticketbot said this, or none."),
]
TheirsOption = Annotated[str | None, typer.Option("--theirs", metavar="LABEL", help="Only where people say this.")]


def review(
    texts: Annotated[bool, typer.Option("--texts", help="Also redacted words of three tickets of each group.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Show pending corrections, grouped by what they change; decides nothing."""
    with opened_learning(config, read_only=True) as store:
        waiting = store.corrections("pending", kept=True)
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


def approve(
    clock: SystemClock,
    ids: IdsArgument = None,
    field: FieldOption = None,
    ours: OursOption = None,
    theirs: TheirsOption = None,
    one_person: Annotated[
        bool, typer.Option("--one-person", help="Also those of an account that pushes a label.")
    ] = False,
    config: ConfigOption = None,
) -> int:
    """Approve pending corrections by ids, or all between two labels of a field."""
    return _decided(clock, "approved", ids, (field, ours, theirs), config, one_person=one_person)


def reject(
    clock: SystemClock,
    ids: IdsArgument = None,
    field: FieldOption = None,
    ours: OursOption = None,
    theirs: TheirsOption = None,
    config: ConfigOption = None,
) -> int:
    """Reject pending corrections by ids, or all between two labels of a field."""
    return _decided(clock, "rejected", ids, (field, ours, theirs), config, one_person=True)


def _decided(
    clock: SystemClock,
    status: CorrectionStatus,
    ids: list[int] | None,
    change: tuple[str | None, str | None, str | None],
    config: Path | None,
    *,
    one_person: bool,
) -> int:
    field, ours, theirs = change
    if bool(ids) == (theirs is not None) or (ids and (field or ours)) or (theirs is not None and field is None):
        raise ConfigError("name corrections by their ids, or by --field and --theirs, with or without --ours")
    with opened_learning(config) as store:
        groups = correction_groups(store.corrections("pending", kept=True))
        waiting = {number: group for group in groups for number in group.ids}
        if strange := sorted(set(ids or ()) - waiting.keys()):
            raise ConfigError(
                *(f"correction {number} does not wait; see 'ticketbot learn review'" for number in strange)
            )
        wanted = ids or [number for number, group in waiting.items() if _fits(group, field, ours, theirs)]
        if not wanted:
            raise ConfigError(f"no correction of {field} to {theirs} waits as named; see 'ticketbot learn review'")
        left = [] if one_person else [number for number in wanted if number in waiting[number].pushed]
        done = decide_pending(store, set(wanted) - set(left), status, person_at_keyboard(), clock.now())
    chosen = [] if done is None else done.detail["before"]
    undo = "" if done is None else f" (learn undo {done.id} takes it back)"
    screen = Screen()
    screen.say(f"{many(len(chosen), 'correction')} {status}{undo}")
    if left:
        screen.notices([f"{len(left):,} were left out, by accounts that push a label; --one-person approves them too"])
    return ExitCode.OK


def _fits(group: CorrectionGroup, field: str | None, ours: str | None, theirs: str | None) -> bool:
    said = group.ours or "none"
    return group.field == field and group.theirs == theirs and ours in (None, said)


def _texts(group: CorrectionGroup, known: Mapping[int, Correction]) -> list[dict[str, Any]]:
    """Some of the group's corrections, with the beginnings of their redacted texts on a line each."""
    some = [known[number] for number in group.ids if known[number].text][:MOST_TEXTS]
    return [{"id": item.id, "ticket": item.ticket_id, "text": plain_line(item.text, LONGEST_TEXT)} for item in some]


def _row(group: CorrectionGroup) -> tuple[str, ...]:
    account, most = group.people[0]
    ids = " ".join(map(str, group.ids[:MOST_IDS])) + (" …" if len(group.ids) > MOST_IDS else "")
    return (
        group.field,
        group.ours or "none",
        group.theirs,
        f"{group.tickets:,}",
        f"{len(group.people):,}",
        f"{account or 'unknown'} ({most:,})",
        ids,
        "kept" if group.kept else f"{len(group.pushed):,} by {group.by_one}, who pushes it" if group.pushed else "",
    )


READ_WITHIN_S = 60.0


def pin(
    clock: SystemClock,
    corrections: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", help="Approved corrections.", min=1)
    ] = None,
    ticket: Annotated[
        int | None, typer.Option("--ticket", min=1, metavar="ID", help="All approved corrections of this ticket.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All approved corrections.")] = False,
    field: Annotated[str | None, typer.Option(metavar="FIELD", help="Only this field, such as urgency.")] = None,
    value: Annotated[
        str | None,
        typer.Option(metavar="VALUE", help="With --ticket and --field: the right value; reads the ticket's text."),
    ] = None,
    at_least: Annotated[bool, typer.Option("--at-least", help="A higher value is right as well.")] = False,
    config: ConfigOption = None,
) -> int:
    """Pin approved corrections, or a ticket with its right value, as cases that the gate holds changes to."""
    given = [bool(corrections), ticket is not None, every]
    if given.count(True) != 1:
        raise ConfigError("name corrections by their ids, or a ticket with --ticket, or say --all")
    if value is not None and (ticket is None or field is None):
        raise ConfigError("--value goes with --ticket and --field")
    if at_least and value is None:
        raise ConfigError("--at-least goes with --value")
    settings, left = load(config=config, need_helpdesk=value is not None, need_any=True), 0
    bound: Bound = "at_least" if at_least else "is"
    with closing(LearningStore(settings.state_folder / FILE_NAME)) as store:
        if value is not None and ticket is not None and field is not None:
            cases = [PinnedCase(0, ticket, field, bound, value, _text_of(settings, clock, ticket))]
        else:
            known = store.corrections(None if corrections else "approved", field, kept=bool(corrections))
            chosen = [item for item in known if every or item.ticket_id == ticket or item.id in (corrections or ())]
            if strange := sorted(set(corrections or ()) - {item.id for item in chosen}):
                raise ConfigError(*(f"there is no correction {number} to pin" for number in strange))
            usable = chosen if corrections else [item for item in chosen if item.field in FIELDS and item.text]
            cases, left = list(from_corrections(usable)), len(chosen) - len(usable)
        cases = [of_today(case, settings.taxonomy) for case in cases]
        _check(cases, settings.taxonomy)
        found = Pins(store).pin(cases, person_at_keyboard(), clock.now())
    told = [f"pinned {case.id}: ticket {case.ticket_id}, {case.wanted}" for case in found]
    screen = Screen()
    screen.say("\n".join(told) or "nothing to pin")
    if left:
        screen.notices(
            [f"{many(left, 'correction')} {'was' if left == 1 else 'were'} left out: such fields cannot be pinned"]
        )
    return ExitCode.OK


def pins(
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Print the pinned cases; as JSON with their redacted texts."""
    with opened_learning(config, read_only=True) as store:
        found = Pins(store).all()
    told = [f"{case.id:>5}  ticket {case.ticket_id}  {case.wanted}" for case in found]
    Screen(as_json=as_json).result(
        "\n".join(shortened(told)) or "no case is pinned", {"pins": [case.as_row() for case in found]}
    )
    return ExitCode.OK


def _check(cases: Sequence[PinnedCase], taxonomy: Taxonomy) -> None:
    """Raises :class:`ConfigError` for a category that there is not."""
    strange = {case.value for case in cases if case.field in CATEGORIES and case.value not in taxonomy.names}
    if strange:
        raise ConfigError(f"{', '.join(sorted(strange))} is no category: choose one of {', '.join(taxonomy.names)}")


def _text_of(settings: Settings, clock: SystemClock, ticket_id: int) -> str:
    """The ticket's redacted text; the helpdesk is only read."""
    deadline = Deadline(clock, READ_WITHIN_S)
    share = settings.run.limit_share
    with (
        closing(transport_for(settings.desk, clock, deadline, share=share, read_only=True)) as transport,
        reading_desk(settings, transport) as desk,
    ):
        ticket = desk.fetch([ticket_id]).get(ticket_id)
    if ticket is None:
        raise ConfigError(f"ticket {ticket_id} is not on the helpdesk")
    return redacted_text(ticket, strictest_redaction(settings))

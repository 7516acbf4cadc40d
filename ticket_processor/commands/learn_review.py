"""``ticketbot learn review``, ``approve`` and ``reject``: a person decides which corrections may teach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.sanitize import plain_line
from ..core.tables import Table, show
from ..core.wording import many, person_at_keyboard
from ..learning.model import Correction, CorrectionStatus
from ..learning.review import CorrectionGroup, correction_groups, decide_pending
from .learn import opened_learning
from .options import ConfigOption, JsonOption
from .screen import Screen

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
        show([Table("Corrections that wait", COLUMNS, tuple(map(_row, groups)))])
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

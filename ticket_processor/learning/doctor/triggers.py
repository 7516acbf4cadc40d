"""Which triggers and automations work because of our writes, in which cases, and after which other rules. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ...helpdesk.business_rules import AccountSetup, BusinessRule
from .conditions import ORDERS, Truth, holds, understood
from .effects import fights
from .possible import ADDING, NO_MOVES, TAG_ACTIONS, Moves, PossibleWrite, TooManyCases, contradicts, possible_writes
from .writes import PlannedWrites

ROUNDS = 5
TOO_MANY = ("more tags and fields than can be tried",)
"""Rules that set off rules that set off rules …"""


@dataclass
class SetOff:
    """A rule that our writes set off; ``cases`` are those in which it works, ``after`` the rules that lead to it."""

    rule: BusinessRule
    cases: list[PossibleWrite]
    always: bool
    caused: bool = True
    """Whether it works because of our write; otherwise it would work without, and only undoes what that set."""
    after: tuple[BusinessRule, ...] = ()
    unknown: tuple[str, ...] = field(default=())
    """Conditions that are not known here, on which it hangs."""


def set_off(setup: AccountSetup, planned: PlannedWrites) -> list[SetOff]:
    """The triggers and automations that our writes set off, and those that these set off in turn."""
    found: dict[str, SetOff] = {}
    for _ in range(ROUNDS):
        before = list(found.values())
        moves = _moves(before)
        for rule in setup.of("trigger"):
            after = _sources(rule, before)
            if rule.id not in found and (after or not before):
                works = _trigger(rule, planned, setup.own_user, moves)
                if works is not None:
                    works.after = after
                    found[rule.id] = works
        if len(found) == len(before):
            break
    triggers = list(found.values())
    later = _with_tags_of(triggers, setup, planned)
    automations = []
    for rule in setup.of("automation"):
        works = _automation(rule, planned, NO_MOVES)
        if works is None or not works.caused:
            chained = _automation(rule, later, _moves(triggers))
            if chained is not None and chained.caused:
                chained.after = _sources(rule, triggers)
                works = chained
        automations += [] if works is None else [works]
    return [*triggers, *automations]


def _trigger(rule: BusinessRule, planned: PlannedWrites, user: str | None, moves: Moves) -> SetOff | None:
    cases, always = [], True
    try:
        possible = list(possible_writes(planned, [rule], user, moves))
    except TooManyCases:
        return SetOff(rule, [], always=False, unknown=TOO_MANY)
    for case in possible:
        truth = holds(rule.conditions, case.update)
        if truth is Truth.NO or contradicts(rule, case):
            always = False
            continue
        always = always and truth is Truth.YES
        cases.append(case)
    return SetOff(rule, cases, always, unknown=_unknown(rule)) if cases else None


def _automation(rule: BusinessRule, planned: PlannedWrites, moves: Moves) -> SetOff | None:
    """Where it works on a ticket because of our write, or undoes what that set."""
    caused, undone = [], []
    try:
        possible = list(possible_writes(planned, [rule], moves=moves, statuses=ORDERS["status"][:-1]))
    except TooManyCases:
        return SetOff(rule, [], always=False, unknown=TOO_MANY)
    for case in possible:
        if holds(rule.conditions, case.update) is Truth.NO:
            continue
        if holds(rule.conditions, case.before) is Truth.NO:
            caused.append(case)
        elif any(fights(action, case) for action in rule.actions):
            undone.append(case)
    if not caused and not undone:
        return None
    return SetOff(rule, caused or undone, always=False, caused=bool(caused), unknown=_unknown(rule))


def together(planned: PlannedWrites, first: BusinessRule, second: BusinessRule, user: str | None) -> bool:
    """Whether one write of ours may set off both triggers."""
    try:
        cases = list(possible_writes(planned, [first, second], user))
    except TooManyCases:
        return True
    return any(
        holds(first.conditions, case.update) is not Truth.NO and holds(second.conditions, case.update) is not Truth.NO
        for case in cases
    )


def _unknown(rule: BusinessRule) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.field for item in rule.conditions.conditions() if not understood(item)))


def _moves(found: Iterable[SetOff]) -> Moves:
    """The values that these rules give to fields."""
    moves: dict[str, set[str]] = {}
    for works in found:
        for action in works.rule.actions:
            if action.field not in TAG_ACTIONS and not action.field.startswith("notification_"):
                moves.setdefault(action.field, set()).add(action.values[0])
    return {name: frozenset(values) for name, values in moves.items()}


def _sources(rule: BusinessRule, found: Iterable[SetOff]) -> tuple[BusinessRule, ...]:
    """Those of the rules that change something which this one asks."""
    asked = {item.field for item in rule.conditions.conditions()}
    words = {word for item in rule.conditions.conditions() if item.field == "current_tags" for word in item.words}
    return tuple(
        works.rule
        for works in found
        if any(
            action.words & words if action.field in ADDING else action.field in asked for action in works.rule.actions
        )
    )


def _with_tags_of(found: Iterable[SetOff], setup: AccountSetup, planned: PlannedWrites) -> PlannedWrites:
    """Our writes, each also with the tags that triggers add to it and automations ask for."""
    rules = [works.rule for works in found]
    added = {word for rule in rules for item in rule.actions if item.field in ADDING for word in item.words}
    asked = {word for rule in setup.of("automation") for item in rule.conditions.conditions() for word in item.words}
    extras = {frozenset({word}) for word in (added & asked) - planned.tags}
    more = {replace(write, extra=extra) for write in planned.writes for extra in extras}
    return replace(planned, writes=planned.writes | more)

"""The updates that a rule may meet: our writes on every ticket that differs in what the rule asks or does. Pure.

Only what the rule mentions is varied, so that the cases are few and none is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, combinations, islice, product
from math import prod

from ...helpdesk.business_rules import BusinessRule, RuleAction, RuleCondition
from .conditions import ORDERS, HypotheticalUpdate, Truth, holds
from .writes import PlannedWrite, PlannedWrites

MOST_CASES = 100_000
ANOTHER = "another"
"""Stands for every value that the rule does not mention."""
ADDING = ("current_tags", "set_tags")
TAG_ACTIONS = (*ADDING, "remove_tags")

Moves = Mapping[str, frozenset[str]]
"""Values that other rules give to fields in the same update."""
NO_MOVES: Moves = {}


class TooManyCases(Exception):
    """A rule asks so much that its cases cannot all be tried."""


@dataclass(frozen=True)
class PossibleWrite:
    """One of our writes on one kind of ticket, as a rule meets it; ``before`` is the ticket without the write."""

    update: HypotheticalUpdate
    before: HypotheticalUpdate
    ours: frozenset[str]
    """Our tags that the write brings, of those that the rule mentions, and the marker."""
    sets: frozenset[str]
    """The fields whose values the write sets."""


def possible_writes(
    planned: PlannedWrites,
    rules: Collection[BusinessRule],
    own_user: str | None = None,
    moves: Moves = NO_MOVES,
    statuses: Iterable[str] = (),
) -> Iterator[PossibleWrite]:
    """Every case that makes a difference to these rules. ``statuses``: where it is not about the moment of a write."""
    named: dict[str, set[str]] = {}
    for rule in rules:
        for item in chain[RuleCondition | RuleAction](rule.conditions.conditions(), rule.actions):
            named.setdefault(item.field, set()).update(item.values)
    fields = [name for name in named if name in ("priority", "status", "group_id") or name in planned.sets]
    fields += [name for name in named if name in moves and name not in fields]
    tags = _tags_in(named)
    writes = {_seen(write, named, planned, tags) for write in planned.writes}
    foreign = _foreign(rules, planned.tags)
    before = [_before(name, named[name], tuple(statuses) or planned.statuses) for name in fields]
    pushes = [("", *sorted(moves.get(name, ()))) for name in fields]
    if len(writes) * len(foreign) * prod(map(len, before)) * prod(map(len, pushes)) > MOST_CASES:
        raise TooManyCases
    for write, people, values, pushed in product(writes, foreign, product(*before), product(*pushes)):
        held = dict(zip(fields, values, strict=True))
        after = {name: _after(name, value, write, planned) for name, value in held.items()}
        sets = frozenset(name for name, value in after.items() if value != held[name])
        after |= {name: value for name, value in zip(fields, pushed, strict=True) if value}
        update = HypotheticalUpdate(
            tags=write.tags | write.extra | people,
            values={name: (value, after[name]) for name, value in held.items()},
            comment="internal" if write.note else None,
            own_user=own_user,
        )
        still = {name: (value, value) for name, value in held.items()}
        yield PossibleWrite(update, replace(update, tags=people, values=still, comment=None), write.tags, sets)


def contradicts(rule: BusinessRule, case: PossibleWrite) -> bool:
    """Whether the trigger has seen to it, when the ticket came in, that there is no such case.

    It worked then, so its tags are there, and what it fills is not empty for us to fill.
    """
    new = {name: ("", "new" if name == "status" else old) for name, (old, _) in case.before.values.items()}
    creation = replace(case.before, values=new, update_type="Create", comment="public", by_customer=True)
    undone = any(
        not action.words <= case.update.tags
        if action.field in ADDING
        else action.field in new and not case.before.values[action.field][0] and action.values[0]
        for action in rule.actions
    )
    return undone and holds(rule.conditions, creation) is not Truth.NO


def removed_tags(action: RuleAction, tags: frozenset[str]) -> frozenset[str]:
    """Which of the tags the action takes off."""
    if action.field == "set_tags":
        return tags - action.words
    return tags & action.words if action.field == "remove_tags" else frozenset()


def _tags_in(named: Mapping[str, Collection[str]]) -> frozenset[str]:
    names = ("current_tags", *TAG_ACTIONS)
    return frozenset(word for name in names for value in named.get(name, ()) for word in value.split())


def _seen(
    write: PlannedWrite, named: Mapping[str, object], planned: PlannedWrites, tags: frozenset[str]
) -> PlannedWrite:
    """The write as far as the rules see it: most writes differ in nothing that they ask."""
    return PlannedWrite(
        tags=(write.tags & tags) | {planned.marker},
        priority=write.priority if "priority" in named else "",
        group=write.group if "group_id" in named else "",
        fields=tuple(item for item in write.fields if item[0] in named),
        note=write.note if "comment_is_public" in named else True,
        extra=write.extra & tags,
    )


def _foreign(rules: Collection[BusinessRule], ours: frozenset[str]) -> list[frozenset[str]]:
    """Every set of tags that people may have set, as far as the rules tell them apart."""
    alike: dict[frozenset[int], str] = {}
    lists = [item.words for rule in rules for item in rule.conditions.conditions() if item.field == "current_tags"]
    lists += [item.words for rule in rules for item in rule.actions if item.field in TAG_ACTIONS]
    for word in sorted(frozenset().union(*lists) - ours):
        alike.setdefault(frozenset(place for place, words in enumerate(lists) if word in words), word)
    words = list(alike.values())
    sets = chain.from_iterable(combinations(words, size) for size in range(len(words) + 1))
    return [frozenset(chosen) for chosen in islice(sets, MOST_CASES + 1)]


def _before(name: str, named: Collection[str], statuses: tuple[str, ...]) -> list[str]:
    if name == "status":
        return list(statuses)
    if name == "priority":
        return list(ORDERS["priority"])
    return list(dict.fromkeys(("", *sorted(named), ANOTHER)))


def _after(name: str, before: str, write: PlannedWrite, planned: PlannedWrites) -> str:
    wanted = {"priority": write.priority, "group_id": write.group, **dict(write.fields)}.get(name, "")
    return wanted if wanted and (not before or name in planned.overwrites) else before

"""Labels that people finally chose: examples from the helpdesk's solved tickets. Reads only.

A helpdesk records labels and not who chose them, so these rules decide:

- urgency is the ticket's priority;
- category is what the taxonomy's targets say (ticket field, tag, group), in this order or by the one asked for; a tag
  named like a category counts too, unless the category has its own. Marks of several categories count as none;
- a ticket that ticketbot triaged is left out, unless people are known to have decided about its labels (``decided``);
- follow-ups (which inherit labels), merged tickets and machine mail are left out;
- a label that a trigger, an automation or a macro set counts as chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from ..analysis.text.machine_mail import machine_mail
from ..core.errors import ConfigError
from ..core.models import Priority, Ticket, Urgency
from ..core.taxonomy import Category, Taxonomy
from ..policy.decide import RESERVED_TAGS, Policy
from .data import Example, label_name

MERGED_TAG = "closed_by_merge"
"""Zendesk's own, on a ticket that was merged into another."""

OURS = "triaged by ticketbot"

How = Literal["field", "tag", "group", "ours"]
_AUTO: tuple[How, ...] = ("field", "tag", "group")

_URGENCY = {
    Priority.URGENT: Urgency.CRITICAL,
    Priority.HIGH: Urgency.HIGH,
    Priority.NORMAL: Urgency.MEDIUM,
    Priority.LOW: Urgency.LOW,
}


class SolvedDesk(Protocol):
    """A helpdesk that can list its solved tickets."""

    def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
        """Solved and closed tickets created since ``since`` (Unix seconds), newest first where it can."""


@dataclass(frozen=True)
class CategoryFrom:
    """Where people's category is looked for: ``ways`` in order, and which ticket field where it is one alone."""

    ways: tuple[How, ...] = _AUTO
    field: int | None = None

    @classmethod
    def parse(cls, text: str) -> CategoryFrom:
        """``auto``, ``tag``, ``group`` or ``field:ID``. Raises :class:`ConfigError`."""
        match text.strip().lower().partition(":"):
            case ("auto", "", ""):
                return cls()
            case ("tag", "", ""):
                return cls(("tag",))
            case ("group", "", ""):
                return cls(("group",))
            case ("field", ":", number) if number.isascii() and number.isdecimal():
                return cls(("field",), int(number))
        raise ConfigError("--category-from: write auto, tag, group, or field:ID with a ticket field's number")


@dataclass(frozen=True)
class Solved:
    """The examples found. ``read`` counts all tickets looked at, ``left_out`` those that are no examples, by reason.

    ``category_by`` counts where categories came from, ``unclear`` the examples whose marks contradict each other,
    ``ours`` those that ticketbot had triaged. ``tags`` are the tags of each example.
    """

    examples: tuple[Example, ...]
    read: int
    left_out: Mapping[str, int]
    category_by: Mapping[str, int]
    unclear: int = 0
    ours: int = 0
    tags: tuple[tuple[str, ...], ...] = ()


def solved_examples(
    desk: SolvedDesk,
    taxonomy: Taxonomy,
    policy: Policy,
    *,
    since: float,
    limit: int | None = None,
    category_from: CategoryFrom = CategoryFrom(),
    decided: Collection[int] = (),
    advance: Callable[[int], object] = lambda _count: None,
) -> Solved:
    """Solved tickets created since ``since`` with the labels that people left on them, at most ``limit`` examples.

    Raises what reading the helpdesk raises. ``decided`` are tickets of ours whose labels people kept or changed.
    ``advance`` gets the number of tickets read.
    """
    reader = _Reader(taxonomy, policy, category_from, decided)
    examples: list[Example] = []
    tags: list[tuple[str, ...]] = []
    read = 0
    for page in desk.solved(since):
        for ticket in page:
            if limit is not None and len(examples) == limit:
                break
            read += 1
            example = reader.example(ticket)
            if example is not None:
                examples.append(example)
                tags.append(tuple(ticket.tags))
        advance(len(page))
        if limit is not None and len(examples) == limit:
            break  # before another page is asked for
    return Solved(
        examples=tuple(examples),
        read=read,
        left_out=dict(reader.left_out.most_common()),
        category_by=dict(reader.category_by.most_common()),
        unclear=reader.unclear,
        ours=reader.ours,
        tags=tuple(tags),
    )


class _Reader:
    """Reads labels off tickets, and counts how. For one thread."""

    def __init__(self, taxonomy: Taxonomy, policy: Policy, where: CategoryFrom, decided: Collection[int]) -> None:
        self._taxonomy = taxonomy
        self._policy = policy
        self._where = where
        self._decided = decided
        self._seen: set[int] = set()
        self.left_out: Counter[str] = Counter()
        self.category_by: Counter[str] = Counter()
        self.unclear = self.ours = 0

    def example(self, ticket: Ticket) -> Example | None:
        """The ticket as an example, or ``None`` where it is none."""
        if ticket.id in self._seen:  # a search may list one twice
            return None
        self._seen.add(ticket.id)
        ours = self._is_ours(ticket)
        reason = self._unfit(ticket, ours=ours)
        if reason is None:
            urgency = None if ticket.priority is None else _URGENCY[ticket.priority]
            category, how, unclear = self._category(ticket, ours=ours)
            self.unclear += unclear
            if urgency is not None or category is not None:
                if category is not None:
                    self.category_by[how] += 1
                self.ours += ours
                return Example(
                    id=str(ticket.id),
                    subject=ticket.subject,
                    body=ticket.description,
                    names=ticket.names,
                    category=category,
                    urgency=urgency,
                )
            reason = "without any label"
        self.left_out[reason] += 1
        return None

    def _unfit(self, ticket: Ticket, *, ours: bool) -> str | None:
        if ticket.status not in ("solved", "closed"):
            return "reopened since"  # the search index lags behind
        if MERGED_TAG in ticket.tags:
            return "merged into another"
        if ticket.follow_up:
            return "follow-ups of another"
        if machine_mail(ticket):
            return "machine mail"
        if ours and ticket.id not in self._decided:
            return OURS
        return None

    def _is_ours(self, ticket: Ticket) -> bool:
        marks = (self._policy.tag("urgency", ""), self._policy.tag("sentiment", ""))
        return self._policy.marker in ticket.tags or any(
            tag.startswith(f"{mark}_") for tag in ticket.tags for mark in marks
        )

    def _category(self, ticket: Ticket, *, ours: bool) -> tuple[str | None, str, bool]:
        """A category of either level, how it was found, and whether the marks contradict each other."""
        for how in self._where.ways:
            found = self._most_exact([item for item in self._taxonomy.categories if self._says(how, item, ticket)])
            if found:
                return (found[0], how, False) if len(found) == 1 else (None, how, True)
        if not ours or self._where.ways != _AUTO:
            return None, "", False
        # Where a category has targets and the ticket has none of them, a person took them off.
        found = self._most_exact([item for item in self._own_tags(ticket) if not _has_targets(item)])
        return (found[0], "ours", False) if len(found) == 1 else (None, "", len(found) > 1)

    def _says(self, how: How, category: Category, ticket: Ticket) -> bool:
        if how == "group":
            return category.group is not None and category.group == ticket.group
        if how == "tag":
            return (category.tag or category.name) in ticket.tags
        if self._where.field is None:
            return any(_holds(ticket.fields.get(key, ""), value) for key, value in category.fields.items())
        value = ticket.fields.get(self._where.field, "")
        wanted = category.fields.get(self._where.field)
        return _holds(value, wanted) if wanted is not None else label_name(value) == category.name

    def _own_tags(self, ticket: Ticket) -> list[Category]:
        return [
            item
            for item in self._taxonomy.categories
            if self._policy.tag(item.name) in ticket.tags and item.name not in RESERVED_TAGS
        ]

    def _most_exact(self, found: list[Category]) -> list[str]:
        """The names, without categories whose sub-category is there as well."""
        parents = {item.parent for item in found}
        return [item.name for item in found if item.name not in parents]


def _holds(value: str, wanted: str) -> bool:
    """Whether a field holds a value; several are read with spaces between them."""
    return bool(value) and (value == wanted or wanted in value.split())


def _has_targets(category: Category) -> bool:
    return category.tag is not None or category.group is not None or bool(category.fields)


NO_CATEGORY = "no ticket carries the field, tag or group of a category, so none has a category to compare with"
_PLACES = {"field": "a ticket field", "tag": "a tag", "group": "the group", "ours": "a tag in ticketbot's words"}


def how_it_was_decided(solved: Solved, since: str) -> list[str]:
    """Sentences on what was compared and what was left out, for people to judge it by."""
    lines = [f"{solved.read} solved and closed tickets created since {since}; {len(solved.examples)} can be compared."]
    by = ", ".join(f"{_PLACES[how]} ({count})" for how, count in solved.category_by.items())
    with_priority = sum(example.urgency is not None for example in solved.examples)
    category = f"category is from {by}" if by else NO_CATEGORY
    lines.append(f"Urgency is the ticket's priority ({with_priority}); {category}.")
    if solved.unclear:
        lines.append(f"{solved.unclear} have the marks of several categories, so their category does not count.")
    if solved.left_out:
        lines.append("Left out: " + ", ".join(f"{count} {reason}" for reason, count in solved.left_out.items()) + ".")
    if solved.ours:
        lines.append(f"{solved.ours} of them were triaged by ticketbot, and people kept or changed their labels.")
    lines.append("Labels that your own triggers, automations or macros set count as chosen by people.")
    return lines

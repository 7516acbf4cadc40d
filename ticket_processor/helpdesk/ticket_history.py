"""The history of one ticket, edit by edit, and what follows from it. Pure data and functions.

This is the one place where "is our write there?", "did a person take this off?", "is this value still ours?" and
"who has touched it since?" are answered; each from the helpdesk's own record, which no agent can edit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Literal

from pydantic import Field

from ..core.models import Change, Frozen, Priority, TakenOff, Ticket

SHORT_KEY = 8
"""Characters of a key that a person sees in the note."""
FieldValue = tuple[str | None, str | None]
Part = Literal["group", "priority"] | int
"""A field by its number."""
Move = tuple[Any, Any]


class Edit(Frozen):
    """One change of a ticket, by whomever: values are (before, after), and ``None`` where a field did not change.

    ``author`` is the comment's, where there is one. ``key`` and ``intent`` are set on writes of ours. ``text`` are the
    words of a public comment: never log them; ``files``: some came with it. ``way`` is how it came about: by hand (at
    the screen, by mail), through the helpdesk's API, by a macro that a person applied, or by the account's own rules
    and the helpdesk itself; ``unknown`` where it keeps no record.
    """

    at: str
    author: int | None = None
    way: Literal["hand", "api", "macro", "rules", "unknown"] = "hand"
    key: str = ""
    intent: str = ""
    creation: bool = False
    tags_added: frozenset[str] = frozenset()
    tags_removed: frozenset[str] = frozenset()
    priority: tuple[Priority | None, Priority | None] | None = None
    group: tuple[int | None, int | None] | None = None
    status: tuple[str | None, str | None] | None = None
    fields: dict[int, FieldValue] = Field(default_factory=dict)
    comment: Literal["public", "internal"] | None = None
    text: str = ""
    files: bool = False
    note: int | None = Field(None, description="number of a note of ours that can be deleted again")
    dropped: frozenset[str] = Field(frozenset(), description="parts of a write of ours that the helpdesk left out")
    note_edited: bool = Field(False, description="another user has edited that note")

    @property
    def moves(self) -> dict[Part, Move]:
        """The values that changed, but for tags and status: before and after, by part."""
        moves: dict[Any, Move | None] = {"group": self.group, "priority": self.priority, **self.fields}
        return {part: move for part, move in moves.items() if move is not None}


class Ours(Frozen):
    """The values that our writes put on a ticket and that are unchanged since."""

    tags: frozenset[str] = frozenset()
    priority: Priority | None = None
    group: int | None = None
    fields: dict[int, str] = Field(default_factory=dict)


class History(Frozen):
    """A ticket's edits, oldest first. ``options`` are the tags that stand for a drop-down's values, by field."""

    edits: tuple[Edit, ...] = ()
    options: dict[int, frozenset[str]] = Field(default_factory=dict)

    def find(self, *keys: str) -> Edit | None:
        """The write that carries one of ``keys``, whatever has happened to the ticket since.

        Of a write that only its note tells of, no more is known than how its key begins.
        """
        wanted = {key for key in keys if key}
        wanted |= {key[:SHORT_KEY] for key in wanted}
        return next((edit for edit in self.edits if edit.key in wanted), None)

    def triaged(self, key: str = "") -> Edit | None:
        """The write that triaged the ticket first: the one that carries ``key``, else our first, whatever its key.

        Every other write of ours comes after it, and earlier versions made keys from what may have changed since.
        """
        return self.find(key) or next((edit for edit in self.edits if edit.key), None)

    def born_with(self, tag: str) -> bool:
        """Whether the ticket had ``tag`` when it was made, and nothing since can be a write of ours.

        The items of a job may have lost their key, so that any later change through the API could be one.
        """
        made = self.edits[0] if self.edits else None
        later = any(edit.key or edit.way == "api" for edit in self.edits[1:])
        return made is not None and made.creation and not made.key and tag in made.tags_added and not later

    def taken_off(self, ticket: Ticket | None = None) -> TakenOff:
        """Tags, field values, group and priority that a person took off the ticket and that are still off.

        What the record has on the ticket, and the ``ticket`` as it was read just before does not show, was taken off
        as well: not every change is on record.
        """
        removed: set[str] = set()
        there: set[str] = set()
        emptied: dict[Part, bool] = {}
        filled: set[Part] = set()
        for edit in self.edits:
            # What a write of ours took off was there, whatever the record says, and we may put it back.
            removed = (removed - edit.tags_removed if edit.key else removed | edit.tags_removed) - edit.tags_added
            there = (there | edit.tags_added) - edit.tags_removed
            for part, (before, after) in edit.moves.items():
                if after is not None:
                    filled.add(part)
                    emptied[part] = False
                elif before is not None:
                    filled.discard(part)
                    emptied[part] = not edit.key
            for key, tags in self.options.items():
                # Taking a choice's tag off empties the drop-down, which the record need not say.
                if not edit.key and key not in edit.fields and edit.tags_removed & tags and not edit.tags_added & tags:
                    emptied[key] = True
        if ticket is not None:
            removed |= there.difference(ticket.tags)
            shown: dict[Any, object] = {"group": ticket.group, "priority": ticket.priority, **ticket.fields}
            emptied |= {part: True for part in filled if shown.get(part) is None}
        gone = {part for part, is_gone in emptied.items() if is_gone}
        fields = frozenset(part for part in gone if isinstance(part, int))
        return TakenOff(tags=frozenset(removed), fields=fields, group="group" in gone, priority="priority" in gone)

    def last_written(self) -> Ours:
        """The values of our last write that are unchanged since, even if they were there before it."""
        return self._values(lambda changes: changes[-1][1][1] if changes[-1][0] else None)

    def ours(self) -> Ours:
        """The values that are on the ticket because we wrote them, and that are unchanged since.

        What a write of ours took away from others, and another one put back, is not ours.
        """
        return self._values(_owned)

    def _values(self, owned: Callable[[Sequence[tuple[bool, Move]]], Any]) -> Ours:
        """Our tags, and what is ``owned`` of each part's changes; each comes with whether a write of ours made it."""
        changes: dict[Part, list[tuple[bool, Move]]] = {}
        for edit in self.edits:
            for part, move in edit.moves.items():
                changes.setdefault(part, []).append((bool(edit.key), move))
        values = {part: value for part, each in changes.items() if (value := owned(each)) is not None}
        group, priority = values.pop("group", None), values.pop("priority", None)
        return Ours(tags=self._put_on(for_good=False), group=group, priority=priority, fields=values)

    def judged(self, tags: Collection[str]) -> bool:
        """Whether a person has taken off or put back a tag of ours; ``tags`` are those there now.

        A drop-down's tag goes with its field and is no label.
        """
        choices = frozenset[str]().union(*self.options.values())
        return bool(self._put_on(for_good=True) - self.ours().tags.intersection(tags) - choices)

    def _put_on(self, *, for_good: bool) -> frozenset[str]:
        """Tags that writes of ours put on and did not take off; ``for_good``: whatever others have done with them."""
        tags: frozenset[str] = frozenset()
        theirs: frozenset[str] = frozenset()
        for edit in self.edits:
            if edit.key:
                theirs |= edit.tags_removed - tags
                tags = (tags - edit.tags_removed) | (edit.tags_added - theirs)
            elif not for_good:
                tags -= edit.tags_removed | edit.tags_added
        return tags

    def passed_over(self, write: Edit, stamp: str) -> bool:
        """Whether the ticket had changed between ``stamp``, which guarded ``write``, and that write."""
        before = self.edits[: self.edits.index(write)] if write in self.edits else ()
        return any(edit.at > stamp for edit in before)

    def by_people(self) -> tuple[bool, ...]:
        """Of each edit, whether a person made it: no write of ours, no rule, no other program under our own user.

        Another user's edit through the API counts as that person's: nothing tells a script from an app on a phone. So
        does a change of which the helpdesk keeps no record.
        """
        own = {edit.author for edit in self.edits if edit.key}
        return tuple(
            not edit.key
            and edit.way != "rules"
            and (edit.author is not None or edit.way == "unknown")
            and not (edit.way == "api" and edit.author in own)
            for edit in self.edits
        )

    def last_of_ours(self) -> Edit | None:
        return next((edit for edit in reversed(self.edits) if edit.key), None)

    def said_since(self, write: Edit | None, author: int) -> tuple[Edit, ...]:
        """Public comments of one person, such as the requester, after ``write``."""
        start = 0 if write is None else self.edits.index(write) + 1
        return tuple(edit for edit in self.edits[start:] if edit.comment == "public" and edit.author == author)


def _owned(changes: Iterable[tuple[bool, Move]]) -> object:
    """The last of one part's values if it is ours."""
    value: object = None
    theirs: list[object] = []
    for mine, (before, after) in changes:
        if mine and before is not None and before != value:
            theirs.append(before)
        value = after if mine and after not in theirs else None
    return value


class Overwritten(Frozen):
    """Values of people that a write of ours replaced unseen: the guard had a hole."""

    tags: tuple[str, ...] = ()
    tags_back: tuple[str, ...] = Field((), description="that a person had taken off, and our write put on again")
    priority: Priority | None = None
    group: int | None = None
    fields: dict[int, str] = Field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.parts)

    @property
    def parts(self) -> list[str]:
        """The lost parts, in the words of a receipt."""
        return [
            name
            for name, lost in (
                ("tags", self.tags or self.tags_back),
                ("priority", self.priority),
                ("group", self.group),
                ("fields", self.fields),
            )
            if lost
        ]


def overwritten(write: Edit, change: Change) -> Overwritten:
    """The values that ``write``, as the helpdesk recorded it, took away besides what ``change`` meant to."""
    priority, group = (write.priority or (None, None))[0], (write.group or (None, None))[0]
    meant = {*change.fields_replaced, *change.fields_cleared}
    emptied = {key: before for key, (before, _) in write.fields.items() if before is not None}
    # A drop-down's old value goes with its tag, and comes back with it.
    words = {word for value in emptied.values() for word in value.split()}
    return Overwritten(
        tags=tuple(sorted(write.tags_removed.difference(change.tags_removed, words))),
        tags_back=tuple(sorted(write.tags_added.intersection(change.tags_before))),
        priority=priority if priority != change.priority_before else None,
        group=group if group != change.group_before else None,
        fields={
            key: before
            for key, before in emptied.items()
            if key not in meant and not set(before.split()) <= set(change.tags_removed)
        },
    )


def left_out(write: Edit, change: Change, tags: Collection[str], priority: Priority | None) -> frozenset[str]:
    """The parts that the helpdesk left out of ``change``, which it took: neither its record has them nor the ticket.

    ``tags`` and ``priority`` are the ticket's. What others change afterwards does not count: it is on record.
    """
    parts: dict[str, bool] = {
        "tags": bool(change.tags_added) and set(change.tags_added).isdisjoint({*tags, *write.tags_added}),
        "priority": change.priority is not None and write.priority is None and priority is not change.priority,
    }
    return frozenset(part for part, lacks in parts.items() if lacks)


def changed(before: Iterable[str], after: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Tags that came and tags that went between two lists."""
    old, new = frozenset(before), frozenset(after)
    return new - old, old - new

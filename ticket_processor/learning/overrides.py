"""Judges from a ticket's history what people made of our labels, which are told by their tags. Pure.

What ticketbot replaced itself (second looks, repairs, an undo) is no override. What rules, macros and other programs
changed is told apart, and so is a change of which the helpdesk keeps no record. Marks such as ``ai_review`` are no
labels, since people take them off as they work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..core.clock import moment_of
from ..core.models import Sentiment, Urgency
from ..core.taxonomy import Taxonomy
from ..helpdesk.ticket_history import Edit, History
from ..policy.decide import ALSO, Mode, Policy
from .model import ActorKind, Fate, Reaction

ANOTHER = "another value"
"""In place of what a person wrote into a field that offers no choices."""

SETTLED_AFTER_S = 14 * 86_400.0
"""So long after our first write a label's fate counts although the ticket is not solved."""

ENDED = ("solved", "closed")
Actor = Literal["us"] | ActorKind


PARTS = ("category", "subcategory", "secondary", "urgency", "sentiment", "priority", "group", "tag")
"""In the order of a report; behind them fields, as ``field 2001``."""

ONE_OF = ("category", "subcategory", "secondary", "urgency", "sentiment")
"""Parts that have one label at a time; of others each tag stands for itself."""


@dataclass(frozen=True)
class Words:
    """The part and label of each tag of ours, and the values that we put into each ticket field.

    ``never`` are parts that we do not label at all.
    """

    tags: Mapping[str, tuple[str, str]]
    values: Mapping[int, frozenset[str]] = field(default_factory=dict)
    never: frozenset[str] = frozenset()

    def expected(self, part: str) -> bool:
        """Whether we may have abstained where this part of a ticket is empty: we label it on other tickets."""
        if part.startswith("field "):
            return int(part.removeprefix("field ")) in self.values
        return part not in self.never


def words_of(policy: Policy, taxonomy: Taxonomy, categories: Iterable[str] = ()) -> Words:
    """The words of these settings. ``categories`` are earlier ones, which the log knows still."""
    found: dict[str, tuple[str, str]] = {}
    for name in taxonomy.names:
        found[policy.tag(name)] = ("category" if taxonomy[name].parent is None else "subcategory", name)
    for name in categories:
        found.setdefault(policy.tag(name), ("category", name))
    for name in (*taxonomy.names, *categories):
        found.setdefault(policy.tag(ALSO, name), ("secondary", name))
    found |= {policy.tag("urgency", level): ("urgency", level.value) for level in Urgency}
    found |= {policy.tag("sentiment", mood): ("sentiment", mood.value) for mood in Sentiment}
    values: defaultdict[int, set[str]] = defaultdict(set)
    for item in taxonomy.categories:
        if item.tag:
            found.setdefault(item.tag, ("tag", item.tag))
        for key, value in item.fields.items():
            values[key].add(value)
    never = set() if any(item.group is not None for item in taxonomy.categories) else {"group"}
    never |= set() if policy.tag_secondary else {"secondary"}
    never |= {part for part in ("priority", "group") if getattr(policy, part).mode is Mode.OFF}
    return Words(found, {key: frozenset(chosen) for key, chosen in values.items()}, frozenset(never))


def place_of(part: str) -> tuple[int, str]:
    """The sort key of a part."""
    return (PARTS.index(part), "") if part in PARTS else (len(PARTS), part)


@dataclass(frozen=True)
class Written:
    """A ticket that got writes of ours with an answer behind them, and the settings file of each, by its intent."""

    ticket_id: int
    category: str
    settings_files: Mapping[str, str]


def actors_of(history: History) -> tuple[Actor, ...]:
    """Of each edit, who made it. A macro counts as a rule: nobody had to look at what it set.

    Another user's edit through the API is a person's where the same user also did something by hand on this ticket,
    as agents do beside their apps; else a program's.
    """
    own = {edit.author for edit in history.edits if edit.key}
    by_hand = {edit.author for edit in history.edits if edit.way in ("hand", "macro") and not edit.key} - own

    def actor(edit: Edit) -> Actor:
        if edit.key:
            return "us"
        if edit.way == "unknown":
            return "unknown"
        if edit.way in ("rules", "macro") or edit.author is None:
            return "rule"
        return "bot" if edit.way == "api" and edit.author not in by_hand else "person"

    return tuple(map(actor, history.edits))


def judge(
    history: History, words: Words, written: Written, *, requester: int | None = None
) -> tuple[Reaction, ...] | None:
    """What people made of our labels after our first write; ``None`` if the record holds no write of ours.

    A label that nobody changed is kept once a person other than the ``requester`` has dealt with the ticket since.
    """
    first = next((place for place, edit in enumerate(history.edits) if edit.key), None)
    if first is None:
        return None
    values: defaultdict[tuple[str, str], _Value] = defaultdict(_Value)
    sets: defaultdict[tuple[str, str], _Tags] = defaultdict(_Tags)
    looked: int | None = None
    for place, (edit, actor) in enumerate(zip(history.edits, actors_of(history), strict=True)):
        step = _Step(actor, edit.author, moment_of(edit.at), edit.intent)
        for part, before, after in _changes(edit, history.options):
            values[part, ""].change(step, before, after)
        for name, added, removed in _tag_changes(edit, words):
            sets[name].change(step, added, removed, values[name])
        if place == first:
            for value in values.values():
                value.begin()
        elif place > first and actor == "person":
            looked = edit.author if edit.author not in (None, requester) else looked
    ticket = _Judged(history, words, written, looked, history.edits[first])
    labels = [
        ticket.label(part, value)
        for (part, _), value in values.items()
        if value.ours or (value.added and words.expected(part))
    ]
    return tuple(sorted(labels, key=lambda item: (place_of(item.field), item.label)))


@dataclass(frozen=True)
class _Step:
    """One edit: who made it, and when; of ours also its intent."""

    actor: Actor
    author: int | None
    at: float
    intent: str


@dataclass
class _Value:
    """One part of a ticket, followed through its edits: our last value, and what became of it.

    ``said`` is a person's last word on it, ``moved_by`` who else has changed ours, ``found`` what was there before us.
    """

    ours: str | None = None
    wrote: _Step | None = None
    said: str | None = None
    said_by: _Step | None = None
    moved_by: _Step | None = None
    now: str | None = None
    found: str | None = None
    _theirs: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Our first write was made, and did not touch this if it is not ours: what was said before does not count."""
        if self.wrote is None:
            self.found, self.said_by = self.now, None

    def change(self, step: _Step, before: str | None, after: str | None) -> None:
        self.now = after
        if step.actor == "us":
            self.took(before)
            # What a write of ours took from others, and another one puts back, is theirs.
            self.ours = None if after in self._theirs else after
            self.wrote, self.said, self.said_by, self.moved_by = step, None, None, None
        elif step.actor == "person":
            self.said, self.said_by = after, step
        else:
            self.moved_by = step if after != self.ours else None

    def took(self, value: str | None) -> None:
        """A write of ours took this away."""
        if value is not None and value != self.ours:
            self._theirs.add(value)

    def left_with(self, step: _Step, after: str | None, removed: Sequence[str]) -> None:
        """A write of ours removed other labels of this part: a person's choice among them no longer counts."""
        self.now = after
        if self.said in removed:
            self.said = after
        self.moved_by = (self.moved_by or step) if after != self.ours else None

    @property
    def added(self) -> bool:
        """Whether a person filled what we had left empty."""
        return self.wrote is None and self.said_by is not None and self.said is not None and self.found is None

    def fate(self, *, looked: bool) -> tuple[Fate, _Step | None]:
        """What became of it, and whose step that was, where it was one."""
        if self.added:
            return "added", self.said_by
        if self.said_by is not None:
            return ("kept" if self.said == self.ours else "removed" if self.said is None else "changed"), self.said_by
        if self.moved_by is None:
            return ("kept" if looked else "untouched"), None
        if self.moved_by.actor == "unknown":
            return ("removed" if self.now is None else "changed"), self.moved_by
        return "reverted_by_rule", self.moved_by


@dataclass
class _Tags:
    """The tags of one part. A second one beside ours says otherwise, whether or not ours was taken off."""

    _there: bool = False
    _others: list[str] = field(default_factory=list)

    def change(self, step: _Step, added: Sequence[str], removed: Sequence[str], value: _Value) -> None:
        if step.actor == "us":
            for label in removed:
                value.took(label)
            if added or value.ours in removed:
                value.change(step, value.ours, added[0] if added else None)
                self._there, self._others = True, []
            else:
                self._others = [label for label in self._others if label not in removed]
                value.left_with(step, self._standing(value), removed)
            return
        self._there = (self._there and value.ours not in removed) or value.ours in added
        self._others = [label for label in self._others if label not in removed]
        self._others += [label for label in added if label != value.ours]
        value.change(step, value.ours, self._standing(value))

    def _standing(self, value: _Value) -> str | None:
        return self._others[-1] if self._others else value.ours if self._there else None


@dataclass(frozen=True)
class _Judged:
    """A ticket whose labels are judged. ``looked`` is a person who has dealt with it, ``first`` our first write."""

    history: History
    words: Words
    written: Written
    looked: int | None
    first: Edit

    def label(self, part: str, value: _Value) -> Reaction:
        """What became of one part."""
        fate, by = value.fate(looked=self.looked is not None)
        theirs = value.said if fate in ("changed", "added") else None
        if by is not None and by.actor == "unknown":
            theirs = value.now
        theirs = None if theirs is None else self._shown(part, theirs)
        wrote = value.wrote
        person: ActorKind = "person" if fate == "kept" else "unknown"
        return Reaction(
            ticket_id=self.written.ticket_id,
            field=part,
            label=value.ours or theirs or "",
            ours=value.ours,
            theirs=theirs,
            fate=fate,
            actor_kind=person if by is None or by.actor == "us" else by.actor,
            author=self.looked if by is None else by.author,
            at=next((step.at for step in (by, wrote) if step is not None), 0.0),
            settled_at=self._settled_at,
            settings_file=self.written.settings_files.get((wrote or self.first).intent, ""),
        )

    def _shown(self, part: str, value: str) -> str:
        if not part.startswith("field "):
            return value
        key = int(part.removeprefix("field "))
        known = self.words.values.get(key, frozenset()) | self.history.options.get(key, frozenset())
        return value if set(value.split()) <= known else ANOTHER

    @property
    def _settled_at(self) -> float:
        began = moment_of(self.first.at)
        after = self.history.edits[self.history.edits.index(self.first) :]
        ends = [moment_of(edit.at) for edit in after if edit.status is not None and edit.status[1] in ENDED]
        return min([*ends, began + SETTLED_AFTER_S])


def _changes(edit: Edit, options: Mapping[int, frozenset[str]]) -> Iterable[tuple[str, str | None, str | None]]:
    if edit.priority is not None:
        yield "priority", edit.priority[0] and edit.priority[0].value, edit.priority[1] and edit.priority[1].value
    if edit.group is not None:
        yield "group", _text(edit.group[0]), _text(edit.group[1])
    for key, (before, after) in edit.fields.items():
        yield f"field {key}", before, after
    # To swap or remove a choice's tag changes the drop-down, which the record need not say.
    for key, choices in options.items():
        if key not in edit.fields and (gone := sorted(choices & edit.tags_removed)):
            came = sorted(choices & edit.tags_added)
            yield f"field {key}", gone[0], came[0] if came else None


def _tag_changes(edit: Edit, words: Words) -> Iterable[tuple[tuple[str, str], list[str], list[str]]]:
    """Labels that came and went, by part; a category's own tag stands for itself alone."""
    came: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    went: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for tags, found in ((edit.tags_added, came), (edit.tags_removed, went)):
        for tag in sorted(tags & words.tags.keys()):
            part, label = words.tags[tag]
            found[part, "" if part in ONE_OF else label].append(label)
    for name in dict.fromkeys((*came, *went)):
        yield name, came[name], went[name]


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)

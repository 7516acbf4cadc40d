"""Judges from a ticket's history whether people changed what ticketbot had set. Pure data and functions.

What ticketbot replaced itself (second looks, repairs, an undo) is no override, nor is what the account's rules changed:
such a label is not judged. Marks such as ``ai_review`` are no labels, since people take them off as they work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..core.models import Priority, Sentiment, Urgency
from ..core.taxonomy import Taxonomy
from ..helpdesk.ticket_history import Edit, History
from ..policy.decide import ALSO, Policy

Fate = Literal["left", "changed", "taken_off", "by_rules"]
PARTS = ("category", "subcategory", "secondary", "urgency", "sentiment", "priority", "group", "tag")
"""In the order of a report; behind them fields, as ``field 2001``."""

ANOTHER = "another value"
"""In place of what a person wrote into a field that offers no choices."""

_ONE_OF = ("category", "subcategory", "secondary", "urgency", "sentiment")
_RANK = {priority: -place for place, priority in enumerate(Priority)}


@dataclass(frozen=True)
class Written:
    """A ticket that got writes of ours with an answer behind them: its confidence, by the write's intent."""

    ticket_id: int
    category: str
    confidence: Mapping[str, float]


@dataclass(frozen=True)
class Words:
    """The part and label of each tag of ours, and the values that we put into each ticket field."""

    tags: Mapping[str, tuple[str, str]]
    values: Mapping[int, frozenset[str]] = field(default_factory=dict)


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
    return Words(found, {key: frozenset(chosen) for key, chosen in values.items()})


@dataclass(frozen=True)
class JudgedLabel:
    """One label of ours on one ticket, and what people made of it. ``theirs`` is set where they changed it."""

    part: str
    ours: str
    fate: Fate
    theirs: str | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class TicketJudgement:
    """People's reaction to one ticket after our first write. ``raised`` and ``lowered`` are priorities they chose."""

    dealt_with: bool
    labels: tuple[JudgedLabel, ...] = ()
    raised: Priority | None = None
    lowered: Priority | None = None


def judge(history: History, words: Words, written: Written, *, requester: int | None = None) -> TicketJudgement | None:
    """Judge our labels by people's changes; ``None`` if the record holds no write of ours.

    A ticket is dealt with once a person other than its ``requester`` has changed it after our first write.
    """
    first = next((place for place, edit in enumerate(history.edits) if edit.key), None)
    if first is None:
        return None
    values: defaultdict[tuple[str, str], _Value] = defaultdict(_Value)
    sets: defaultdict[tuple[str, str], _Tags] = defaultdict(_Tags)
    priorities: list[Priority | None] = []
    dealt_with = False
    for place, (edit, person) in enumerate(zip(history.edits, history.by_people(), strict=True)):
        by = "us" if edit.key else "people" if person else "rules"
        dealt_with = dealt_with or (person and place > first and edit.author not in (None, requester))
        for part, before, after in _changes(edit, history.options):
            values[part, ""].change(by, before, after, edit.intent)
        for name, added, removed in _tag_changes(edit, words):
            sets[name].change(by, added, removed, values[name], edit.intent)
        if edit.priority is not None and person and place > first:
            priorities += edit.priority
    judged = [_judged(part, value, history, words, written) for (part, _), value in values.items() if value.ours]
    was, now = (_rank(priorities[0]), _rank(priorities[-1])) if priorities else (0, 0)
    return TicketJudgement(
        dealt_with=dealt_with,
        labels=tuple(sorted(judged, key=lambda item: (place_of(item.part), item.ours))),
        raised=priorities[-1] if now > was else None,
        lowered=priorities[-1] if now < was else None,
    )


@dataclass
class _Value:
    """One part of a ticket, followed through its edits: our last value, and what became of it."""

    ours: str | None = None
    intent: str = ""
    said: str | None = None
    spoken: bool = False
    moved: bool = False
    _theirs: set[str] = field(default_factory=set)

    def change(self, by: str, before: str | None, after: str | None, intent: str = "") -> None:
        if by == "us":
            self.took(before)
            # What a write of ours took from others, and another one puts back, is theirs.
            self.ours = None if after in self._theirs else after
            self.intent, self.said, self.spoken, self.moved = intent, None, False, False
        elif by == "people":
            self.said, self.spoken = after, True
        else:
            self.moved = after != self.ours

    def took(self, value: str | None) -> None:
        """A write of ours took this away."""
        if value is not None and value != self.ours:
            self._theirs.add(value)

    def left_with(self, after: str | None, removed: Sequence[str]) -> None:
        """A write of ours removed other labels of this part: a person's choice among them no longer counts."""
        if self.said in removed:
            self.said = after
        self.moved = after != self.ours

    @property
    def fate(self) -> Fate:
        if not self.spoken:
            return "by_rules" if self.moved else "left"
        if self.said == self.ours:
            return "left"
        return "taken_off" if self.said is None else "changed"


@dataclass
class _Tags:
    """The tags of one part. A second one beside ours says otherwise, whether or not ours was taken off."""

    _there: bool = False
    _others: list[str] = field(default_factory=list)

    def change(self, by: str, added: Sequence[str], removed: Sequence[str], value: _Value, intent: str) -> None:
        if by == "us":
            for label in removed:
                value.took(label)
            if added or value.ours in removed:
                value.change(by, value.ours, added[0] if added else None, intent)
                self._there, self._others = True, []
            else:
                self._others = [label for label in self._others if label not in removed]
                value.left_with(self._standing(value), removed)
            return
        self._there = (self._there and value.ours not in removed) or value.ours in added
        self._others = [label for label in self._others if label not in removed]
        self._others += [label for label in added if label != value.ours]
        value.change(by, value.ours, self._standing(value))

    def _standing(self, value: _Value) -> str | None:
        return self._others[-1] if self._others else value.ours if self._there else None


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
            found[part, "" if part in _ONE_OF else label].append(label)
    for name in dict.fromkeys((*came, *went)):
        yield name, came[name], went[name]


def _judged(part: str, value: _Value, history: History, words: Words, written: Written) -> JudgedLabel:
    theirs = value.said if value.fate == "changed" else None
    if theirs is not None and part.startswith("field "):
        key = int(part.removeprefix("field "))
        known = words.values.get(key, frozenset()) | history.options.get(key, frozenset())
        theirs = theirs if set(theirs.split()) <= known else ANOTHER
    return JudgedLabel(part, value.ours or "", value.fate, theirs, written.confidence.get(value.intent))


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _rank(priority: Priority | None) -> int:
    """The rank of a priority; none counts as normal."""
    return _RANK[priority or Priority.NORMAL]


def place_of(part: str) -> tuple[int, str]:
    """The sort key of a part."""
    return (PARTS.index(part), "") if part in PARTS else (len(PARTS), part)

"""Judges from a ticket's history what people did with our labels, which tags represent. Pure.

Our own replacements (second looks, repairs, an undo) are no overrides. Changes by rules, macros and other programs are
counted separately, and so are changes of which the helpdesk keeps no record. Marks such as ``ai_review`` are no labels,
since people take them off as they work.
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
from .store import ActorKind, Fate, Reaction

ANOTHER = "another value"
"""Replaces what a person wrote into a field without choices."""

SETTLED_AFTER_S = 14 * 86_400.0
"""Seconds after our first write from which a label's fate counts, even if the ticket is not solved."""

ENDED = ("solved", "closed")
Actor = Literal["us"] | ActorKind


PARTS = ("category", "subcategory", "secondary", "urgency", "sentiment", "priority", "group", "tag")
"""Parts in the order of a report; fields, such as ``field 2001``, follow them."""

ONE_OF = ("category", "subcategory", "secondary", "urgency", "sentiment")
"""Parts that have one label at a time; in other parts each tag is independent."""


@dataclass(frozen=True)
class Words:
    """The part and label of each tag of ours, and the values that we put into each ticket field.

    ``never`` are parts that we do not label at all.
    """

    tags: Mapping[str, tuple[str, str]]
    values: Mapping[int, frozenset[str]] = field(default_factory=dict)
    never: frozenset[str] = frozenset()

    def expected(self, part: str) -> bool:
        """True if we label this part on some tickets, so that an empty one may mean that we abstained."""
        if part.startswith("field "):
            return int(part.removeprefix("field ")) in self.values
        return part not in self.never


def words_of(policy: Policy, taxonomy: Taxonomy, categories: Iterable[str] = ()) -> Words:
    """The words of these settings. ``categories`` are earlier ones that the log still names."""
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
    """A ticket that we wrote analyses to, and the settings file of each write, by its intent.

    ``first`` is the time of the first write (Unix seconds).
    """

    ticket_id: int
    category: str
    settings_files: Mapping[str, str]
    first: float = 0.0


def actors_of(history: History) -> tuple[Actor, ...]:
    """Who made each edit. A macro counts as a rule, since no person has to look at what it sets.

    Another user's edit through the API is a person's if the same user also edited this ticket by hand, as agents with
    apps do; otherwise a program's.
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
    """What people did with our labels after our first write; ``None`` if the record holds no write of ours.

    An unchanged label counts as kept if a person other than the ``requester`` has edited the ticket since.
    """
    first = next((place for place, edit in enumerate(history.edits) if edit.key), None)
    if first is None:
        return None
    parts: defaultdict[tuple[str, str], _Part] = defaultdict(_Part)
    looked: int | None = None
    for place, (edit, actor) in enumerate(zip(history.edits, actors_of(history), strict=True)):
        for name, before, after in _changes(edit, history.options):
            parts[name, ""].change((actor, edit), before, after)
        for key, added, removed in _tag_changes(edit, words):
            parts[key].change_tags((actor, edit), added, removed)
        if place == first:
            for part in parts.values():
                part.begin()
        elif place > first and actor == "person" and edit.author not in (None, requester):
            looked = edit.author
    reactions = [
        _reaction(name, part, history, words, written, history.edits[first:], looked)
        for (name, _), part in parts.items()
        if part.ours or (part.added and words.expected(name))
    ]
    return tuple(sorted(reactions, key=lambda item: (place_of(item.field), item.label)))


_Step = tuple[Actor, Edit]


@dataclass
class _Part:
    """One part of a ticket, followed through its edits: our last value, and what others did with it.

    ``said`` is the last value that a person set, ``moved_by`` what else changed ours, ``found`` the value before us.
    ``others`` are tags beside ours: the last of them is the ticket's value, whether ours is there or not.
    """

    ours: str | None = None
    wrote: Edit | None = None
    said: str | None = None
    said_by: _Step | None = None
    moved_by: _Step | None = None
    now: str | None = None
    found: str | None = None
    there: bool = False
    others: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Start judging at our first write: if it did not set this part, what people set before does not count."""
        if self.wrote is None:
            self.found, self.said_by = self.now, None

    def change(self, step: _Step, before: str | None, after: str | None) -> None:
        """Follow a change of the value. A value that our write removed and a later one restored is not ours."""
        actor, edit = step
        if actor == "us":
            if before is not None and before != self.ours:
                self.taken.add(before)
            self.ours = None if after in self.taken else after
            self.wrote, self.said, self.said_by, self.moved_by = edit, None, None, None
        elif actor == "person":
            self.said, self.said_by = after, step
        else:
            self.moved_by = step if after != self.ours else None
        self.now = after

    def change_tags(self, step: _Step, added: Sequence[str], removed: Sequence[str]) -> None:
        ours = step[0] == "us"
        if ours and (added or self.ours in removed):
            self.taken |= {label for label in removed if label != self.ours}
            self.change(step, self.ours, added[0] if added else None)
            self.there, self.others = True, []
            return
        self.there = (self.there and self.ours not in removed) or self.ours in added
        self.others = [label for label in self.others if label not in removed]
        self.others += [label for label in added if label != self.ours]
        now = self.others[-1] if self.others else self.ours if self.there else None
        if not ours:
            self.change(step, self.ours, now)
            return
        # Our write took other labels off, so a person's choice among them no longer counts.
        self.taken |= set(removed)
        self.now = now
        if self.said in removed:
            self.said = now
        self.moved_by = (self.moved_by or step) if now != self.ours else None

    @property
    def added(self) -> bool:
        """True if a person filled what we had left empty."""
        return self.wrote is None and self.said_by is not None and self.said is not None and self.found is None

    def fate(self, *, looked: bool) -> tuple[Fate, _Step | None]:
        """The fate of our value, and the step that decided it, if any."""
        if self.added:
            return "added", self.said_by
        if self.said_by is not None:
            return ("kept" if self.said == self.ours else "removed" if self.said is None else "changed"), self.said_by
        if self.moved_by is None:
            return ("kept" if looked else "untouched"), None
        if self.moved_by[0] == "unknown":
            return ("removed" if self.now is None else "changed"), self.moved_by
        return "reverted_by_rule", self.moved_by


def _reaction(
    name: str, part: _Part, history: History, words: Words, written: Written, since: Sequence[Edit], looked: int | None
) -> Reaction:
    """The reaction for one part. ``since`` begins with our first write; ``looked`` is a person's step after it."""
    fate, by = part.fate(looked=looked is not None)
    actor, edit = by or ("us", part.wrote)
    theirs = part.now if actor == "unknown" else part.said if fate in ("changed", "added") else None
    if theirs is not None and name.startswith("field "):
        key = int(name.removeprefix("field "))
        known = words.values.get(key, frozenset()) | history.options.get(key, frozenset())
        theirs = theirs if set(theirs.split()) <= known else ANOTHER
    ends = [moment_of(one.at) for one in since if one.status is not None and one.status[1] in ENDED]
    kind: ActorKind = actor if actor != "us" else "person" if fate == "kept" else "unknown"
    return Reaction(
        ticket_id=written.ticket_id,
        field=name,
        label=part.ours or theirs or "",
        ours=part.ours,
        theirs=theirs,
        fate=fate,
        actor_kind=kind,
        author=looked if by is None else by[1].author,
        at=0.0 if edit is None else moment_of(edit.at),
        settled_at=min([*ends, moment_of(since[0].at) + SETTLED_AFTER_S]),
        settings_file=written.settings_files.get((part.wrote or since[0]).intent, ""),
    )


def _changes(edit: Edit, options: Mapping[int, frozenset[str]]) -> Iterable[tuple[str, str | None, str | None]]:
    if edit.priority is not None:
        yield "priority", edit.priority[0] and edit.priority[0].value, edit.priority[1] and edit.priority[1].value
    if edit.group is not None:
        before, after = (None if value is None else str(value) for value in edit.group)
        yield "group", before, after
    for key, (before, after) in edit.fields.items():
        yield f"field {key}", before, after
    # Swapping or removing a choice's tag changes the drop-down, although the record may not say so.
    for key, choices in options.items():
        if key not in edit.fields and (gone := sorted(choices & edit.tags_removed)):
            came = sorted(choices & edit.tags_added)
            yield f"field {key}", gone[0], came[0] if came else None


def _tag_changes(edit: Edit, words: Words) -> Iterable[tuple[tuple[str, str], list[str], list[str]]]:
    """Labels that were added and removed, by part; a category's own tag is independent of others."""
    came: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    went: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for tags, found in ((edit.tags_added, came), (edit.tags_removed, went)):
        for tag in sorted(tags & words.tags.keys()):
            part, label = words.tags[tag]
            found[part, "" if part in ONE_OF else label].append(label)
    for name in dict.fromkeys((*came, *went)):
        yield name, came[name], went[name]

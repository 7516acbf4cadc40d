"""The scoreboard: how often people kept our labels, and what they put in their place; corrections in groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pydantic import computed_field

from ..core.models import Frozen
from ..core.text import many
from .overrides import place_of
from .store import FILE_NAME, Correction, CorrectionStatus, LearningStore, LearntChange, Reaction

MOST_PAIRS = 10


class Count(Frozen):
    """What became of labels of ours. ``added`` are those that people set where we abstained.

    ``unknown`` were changed by nobody knows whom; they, rules' changes and what nobody touched are not judged.
    """

    kept: int = 0
    changed: int = 0
    removed: int = 0
    added: int = 0
    untouched: int = 0
    reverted_by_rule: int = 0
    unknown: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def judged(self) -> int:
        """Labels of ours that people kept, changed or removed."""
        return self.kept + self.changed + self.removed

    @computed_field  # type: ignore[prop-decorator]
    @property
    def accuracy(self) -> float | None:
        """The share of the judged labels that people kept.

        ``None`` without any, and where nobody knows who made most changes: what is left flatters.
        """
        return self.kept / self.judged if self.judged and self.unknown <= self.changed + self.removed else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def coverage(self) -> float | None:
        """The share of what people had an opinion on that we had labelled; ``None`` without any."""
        opinions = self.judged + self.added
        return self.judged / opinions if opinions else None


class LabelCount(Count):
    """The same for one label."""

    label: str


class FileCount(Count):
    """The same for what one settings file decided."""

    settings_file: str


class PartCount(Count):
    """The same for one part of a ticket, and for its labels and settings files, those judged most often first."""

    part: str
    labels: tuple[LabelCount, ...] = ()
    settings_files: tuple[FileCount, ...] = ()


class Pair(Frozen):
    """A label of ours, and the one that people put in its place."""

    part: str
    ours: str
    theirs: str
    tickets: int


class Scoreboard(Frozen):
    """What became of our labels, by part, and the ten changes that people made most often.

    ``touched`` are the ``tickets`` that a person has dealt with; accuracy speaks of them alone.
    """

    tickets: int = 0
    touched: int = 0
    parts: tuple[PartCount, ...] = ()
    pairs: tuple[Pair, ...] = ()


def scoreboard(reactions: Iterable[Reaction]) -> Scoreboard:
    """Add up what became of labels."""
    labels = list(reactions)
    by_part: defaultdict[str, list[Reaction]] = defaultdict(list)
    for item in labels:
        by_part[item.field].append(item)
    pairs = Counter((item.field, item.ours or "", item.theirs or "") for item in labels if _fate(item) == "changed")
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return Scoreboard(
        tickets=len({item.ticket_id for item in labels}),
        touched=len({item.ticket_id for item in labels if item.actor_kind == "person"}),
        parts=tuple(_part(part, by_part[part]) for part in sorted(by_part, key=place_of)),
        pairs=tuple(
            Pair(part=part, ours=ours, theirs=theirs, tickets=number)
            for (part, ours, theirs), number in ranked[:MOST_PAIRS]
        ),
    )


def scoreboard_of(store: LearningStore, since: float = 0.0, until: float | None = None) -> Scoreboard | None:
    """The scoreboard of labels confirmed or changed in a period (Unix seconds); ``None`` where there are none."""
    labels = [item for item in store.reactions(since) if until is None or item.settled_at < until]
    return scoreboard(labels) if labels else None


def kept_scoreboard(state_folder: Path, since: float = 0.0, until: float | None = None) -> Scoreboard | None:
    """The same of what was collected; ``None`` also where nothing was. Raises :class:`StateUnusable`."""
    with closing(LearningStore.scratch_copy(state_folder / FILE_NAME)) as store:
        return scoreboard_of(store, since, until)


def decided_by_people(state_folder: Path) -> frozenset[int]:
    """The tickets that a person has dealt with after us, as far as was collected: the labels there are people's now.

    A ticket with a correction that was rejected is none of them.
    """
    with closing(LearningStore.scratch_copy(state_folder / FILE_NAME)) as store:
        wrong = {item.ticket_id for item in store.corrections("rejected")}
        dealt_with = {item.ticket_id for item in store.reactions() if item.actor_kind == "person"}
    return frozenset(dealt_with - wrong)


def _fate(label: Reaction) -> str:
    """What a label counts as: ``unknown`` where nobody knows who changed it."""
    changed = label.fate in ("changed", "removed")
    return "unknown" if changed and label.actor_kind == "unknown" else label.fate


def _part(part: str, labels: Sequence[Reaction]) -> PartCount:
    return PartCount(
        part=part,
        labels=tuple(LabelCount(label=name, **count) for name, count in _counted(labels, "label")),
        settings_files=tuple(
            FileCount(settings_file=name, **count) for name, count in _counted(labels, "settings_file") if name
        ),
        **Counter(map(_fate, labels)),
    )


def _counted(labels: Iterable[Reaction], by: str) -> list[tuple[str, Counter[str]]]:
    """How often each name met each fate, those judged most often first."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for item in labels:
        found[getattr(item, by)][_fate(item)] += 1
    return sorted(found.items(), key=lambda item: (-Count(**item[1]).judged, item[0]))


@dataclass(frozen=True)
class CorrectionGroup:
    """Corrections of a field from ``ours`` (``None``: we abstained) to ``theirs``.

    ``people`` are the accounts that made them, by how many they made.
    """

    field: str
    ours: str | None
    theirs: str
    ids: tuple[int, ...]
    tickets: int
    people: tuple[tuple[int | None, int], ...]


def correction_groups(corrections: Iterable[Correction]) -> list[CorrectionGroup]:
    """The groups, the largest first."""
    of_change: defaultdict[tuple[str, str | None, str], list[Correction]] = defaultdict(list)
    for item in corrections:
        of_change[item.field, item.ours, item.theirs].append(item)
    groups = [
        CorrectionGroup(
            *change,
            ids=tuple(sorted(item.id for item in items)),
            tickets=len({item.ticket_id for item in items}),
            people=tuple(Counter(item.author for item in items).most_common()),
        )
        for change, items in of_change.items()
    ]
    return sorted(groups, key=lambda group: (-group.tickets, group.field, group.ours or "", group.theirs))


def decide_pending(
    store: LearningStore, ids: Collection[int], status: CorrectionStatus, by: str, at: float
) -> LearntChange | None:
    """Approve or reject those of these corrections that still wait; ``None`` where none does."""
    with store.transaction():
        waiting = [item.id for item in store.corrections("pending") if item.id in ids]
        return store.decide(waiting, status, by, at) if waiting else None


def told(change: LearntChange) -> str:
    """What a change decided about corrections, as a sentence: ``3 corrections approved by ana``."""
    return f"{many(len(change.detail['before']), 'correction')} {change.detail['status']} by {change.who}"

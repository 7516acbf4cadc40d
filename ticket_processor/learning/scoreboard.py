"""The scoreboard: how often people kept our labels, and what they replaced them by; corrections in groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pydantic import computed_field

from ..core.models import Frozen
from .overrides import place_of
from .store import FILE_NAME, Correction, CorrectionStatus, LearningStore, LearntChange, Reaction

MOST_PAIRS = 10


class Count(Frozen):
    """Counts of our labels by fate. ``added`` are those that people set where we abstained.

    ``unknown`` ones were changed without a record of who did it; these, changes by rules and untouched ones are not
    judged.
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

        ``None`` without any, and if most changes are ``unknown``: the share of the others would be too high.
        """
        return self.kept / self.judged if self.judged and self.unknown <= self.changed + self.removed else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def coverage(self) -> float | None:
        """The share of labels judged or added by people that we had set; ``None`` without any."""
        opinions = self.judged + self.added
        return self.judged / opinions if opinions else None


class LabelCount(Count):
    """The counts of one label."""

    label: str


class FileCount(Count):
    """The counts of labels that one settings file decided."""

    settings_file: str


class PartCount(Count):
    """The counts of one part of a ticket, and of its labels and settings files, those judged most often first."""

    part: str
    labels: tuple[LabelCount, ...] = ()
    settings_files: tuple[FileCount, ...] = ()


class Pair(Frozen):
    """A label of ours, and the one by which people replaced it."""

    part: str
    ours: str
    theirs: str
    tickets: int


class Scoreboard(Frozen):
    """The counts of our labels, by part, and the ten changes that people made most often.

    ``touched`` are the ``tickets`` that a person has edited; accuracy refers to them alone.
    """

    tickets: int = 0
    touched: int = 0
    parts: tuple[PartCount, ...] = ()
    pairs: tuple[Pair, ...] = ()


def scoreboard(reactions: Iterable[Reaction]) -> Scoreboard:
    """Count the fates of labels."""
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
    """The scoreboard of labels settled in a period (Unix seconds); ``None`` if there are none."""
    labels = [item for item in store.reactions(since) if until is None or item.settled_at < until]
    return scoreboard(labels) if labels else None


def kept_scoreboard(state_folder: Path, since: float = 0.0, until: float | None = None) -> Scoreboard | None:
    """The scoreboard from the state folder; ``None`` also if nothing was collected. Raises :class:`StateUnusable`."""
    with closing(LearningStore.scratch_copy(state_folder / FILE_NAME)) as store:
        return scoreboard_of(store, since, until)


def decided_by_people(state_folder: Path) -> frozenset[int]:
    """The collected tickets that a person has edited after us, whose labels are people's decisions now.

    Tickets with a rejected correction are left out.
    """
    with closing(LearningStore.scratch_copy(state_folder / FILE_NAME)) as store:
        wrong = {item.ticket_id for item in store.corrections("rejected")}
        dealt_with = {item.ticket_id for item in store.reactions() if item.actor_kind == "person"}
    return frozenset(dealt_with - wrong)


def _fate(label: Reaction) -> str:
    """The fate under which a label is counted: ``unknown`` if there is no record of who changed it."""
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

    ``people`` are the accounts that made them, with how many each made.
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
    """Approve or reject those of these corrections that are pending; ``None`` if none is."""
    with store.transaction():
        waiting = [item.id for item in store.corrections("pending") if item.id in ids]
        return store.decide(waiting, status, by, at) if waiting else None

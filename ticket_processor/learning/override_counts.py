"""How often people changed what ticketbot had set, added up over a sample of tickets. Pure data and functions."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol, TypeVar

from pydantic import Field

from ..core.models import Frozen, Priority
from ..evaluation.scores import wilson_lower
from .label_words import place_of
from .model import Reaction
from .overrides import TicketJudgement

BANDS = (0.0, 0.5, 0.7, 0.85, 1.0)
"""Limits of the bands of confidence. An answer as sure as a limit is in the band above it."""

MOST_PAIRS = 10
NOBODY = "solved without a person"
NO_LABEL = "without a label of ours"


class OfTicket(Protocol):
    """Something about one ticket of a category."""

    @property
    def ticket_id(self) -> int:
        """The ticket's number."""

    @property
    def category(self) -> str:
        """Its category, by our answer."""


Item = TypeVar("Item", bound=OfTicket)


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

    @property
    def judged(self) -> int:
        """Labels of ours that people kept, changed or removed."""
        return self.kept + self.changed + self.removed

    @property
    def accuracy(self) -> float | None:
        """The share of the judged labels that people kept.

        ``None`` without any, and where nobody knows who made most changes: what is left flatters.
        """
        return self.kept / self.judged if self.judged and self.unknown <= self.changed + self.removed else None

    @property
    def at_least(self) -> float:
        """The lower end of Wilson's 95% interval for the accuracy, even if all unknown changes were people's."""
        return wilson_lower(self.kept, self.judged + self.unknown)

    @property
    def coverage(self) -> float | None:
        """The share of what people had an opinion on that we had labelled; ``None`` without any."""
        opinions = self.judged + self.added
        return self.judged / opinions if opinions else None


class LabelCount(Count):
    """The same for one label, one model, or one language."""

    label: str


class Band(Count):
    """The same for answers of at least ``lower`` confidence and less than ``upper``, the last band's limit included."""

    lower: float
    upper: float


class PartCount(Count):
    """The same for one part of a ticket, and for its labels, models, languages, settings files and bands.

    All but bands are ordered by how often they were judged.
    """

    part: str
    labels: tuple[LabelCount, ...] = ()
    models: tuple[LabelCount, ...] = ()
    languages: tuple[LabelCount, ...] = ()
    settings_files: tuple[LabelCount, ...] = ()
    bands: tuple[Band, ...] = ()


class Pair(Frozen):
    """A label of ours, and the one that people put in its place."""

    part: str
    ours: str
    theirs: str
    tickets: int


class Overrides(Frozen):
    """People's changes on a sample of our solved tickets.

    ``written`` are all of the period's, ``looked_at`` those whose status was read, ``solved`` those of them that are
    solved or closed, ``histories`` those of them that were read; ``judged`` those that a person has dealt with and that
    have a label of ours; on ``overridden`` of them a person changed at least one, on ``unknown`` others somebody did
    whom the helpdesk does not tell. ``left_out`` counts why others were not judged. ``raised`` are tickets whose
    priority a person raised after us, ``raised_to_urgent`` among them. ``requests`` is what it cost, ``ended_early``
    why not all was read.
    """

    written: int = 0
    looked_at: int = 0
    solved: int = 0
    histories: int = 0
    judged: int = 0
    overridden: int = 0
    unknown: int = 0
    raised: int = 0
    raised_to_urgent: int = 0
    lowered: int = 0
    parts: tuple[PartCount, ...] = ()
    pairs: tuple[Pair, ...] = ()
    left_out: dict[str, int] = Field(default_factory=dict)
    requests: int = 0
    ended_early: str | None = None

    @property
    def rate(self) -> float | None:
        """The share of the judged tickets on which a person changed a label of ours."""
        return self.overridden / self.judged if self.judged else None

    @property
    def rate_at_most(self) -> float:
        """The upper end of Wilson's 95% interval for it, even if all unknown changes were people's."""
        return 1.0 - wilson_lower(self.judged - self.overridden - self.unknown, self.judged)


def add_up(tickets: Iterable[TicketJudgement]) -> Overrides:
    """Add up the judgements; ``judged`` are tickets that a person has dealt with, and that have a label of ours."""
    labels: list[Reaction] = []
    left_out: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for ticket in tickets:
        labels += ticket.labels
        if not ticket.dealt_with:
            left_out[NOBODY] += 1
            continue
        totals["raised"] += ticket.raised is not None
        totals["raised_to_urgent"] += ticket.raised is Priority.URGENT
        totals["lowered"] += ticket.lowered is not None
        if not any(item.ours for item in ticket.labels):
            left_out[NO_LABEL] += 1
            continue
        totals["judged"] += 1
        fates = {fate_of(item) for item in ticket.labels}
        overridden = bool(fates & {"changed", "removed"})
        totals["overridden"] += overridden
        totals["unknown"] += "unknown" in fates and not overridden
    return Overrides(parts=parts_of(labels), pairs=pairs_of(labels), left_out=dict(left_out), **totals)


def fate_of(label: Reaction) -> str:
    """What a label counts as: ``unknown`` where nobody knows who changed it."""
    changed = label.fate in ("changed", "removed")
    return "unknown" if changed and label.actor_kind == "unknown" else label.fate


def parts_of(labels: Iterable[Reaction]) -> tuple[PartCount, ...]:
    """What became of labels, by part, and in it by label, model, language and band of confidence."""
    found: defaultdict[str, list[tuple[str, Reaction]]] = defaultdict(list)
    for item in labels:
        found[item.field].append((fate_of(item), item))
    return tuple(_part(part, found[part]) for part in sorted(found, key=place_of))


def pairs_of(labels: Iterable[Reaction]) -> tuple[Pair, ...]:
    """What people put in our labels' place most often."""
    pairs = Counter((item.field, item.ours or "", item.theirs or "") for item in labels if fate_of(item) == "changed")
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(
        Pair(part=part, ours=ours, theirs=theirs, tickets=number)
        for (part, ours, theirs), number in ranked[:MOST_PAIRS]
    )


def _part(part: str, labels: Sequence[tuple[str, Reaction]]) -> PartCount:
    bands: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for fate, item in labels:
        if item.confidence is not None:
            bands[_band(item.confidence)][fate] += 1
    return PartCount(
        part=part,
        labels=_counted((item.label, fate) for fate, item in labels),
        models=_counted((item.model, fate) for fate, item in labels if item.model),
        languages=_counted((item.language, fate) for fate, item in labels if item.language),
        settings_files=_counted((item.settings_file, fate) for fate, item in labels if item.settings_file),
        bands=tuple(Band(lower=low, upper=high, **bands[at]) for at, (low, high) in enumerate(pairwise(BANDS)))
        if bands
        else (),
        **Counter(fate for fate, _ in labels),
    )


def _counted(fates: Iterable[tuple[str, str]]) -> tuple[LabelCount, ...]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for label, fate in fates:
        found[label][fate] += 1
    counted = [LabelCount(label=label, **count) for label, count in found.items()]
    return tuple(sorted(counted, key=lambda item: (-item.judged, item.label)))


def _band(confidence: float) -> int:
    return sum(confidence >= limit for limit in BANDS[1:-1])


def in_sample_order(written: Sequence[Item], run_ids: Iterable[str]) -> list[Item]:
    """The tickets so that every beginning of the list is a random sample with each category's share in it.

    The same tickets and runs give the same order.
    """
    seed = hashlib.sha256("\0".join(sorted(set(run_ids))).encode()).digest()
    dice = random.Random(seed)
    by_category: defaultdict[str, list[Item]] = defaultdict(list)
    for item in sorted(written, key=lambda item: item.ticket_id):
        by_category[item.category].append(item)
    placed: list[tuple[float, int, Item]] = []
    for _, items in sorted(by_category.items()):
        dice.shuffle(items)
        offset = dice.random()
        placed += [((place + offset) / len(items), item.ticket_id, item) for place, item in enumerate(items)]
    return [item for _, _, item in sorted(placed, key=lambda entry: entry[:2])]

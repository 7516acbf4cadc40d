"""How often people changed what ticketbot had set, added up over a sample of tickets. Pure data and functions."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from pydantic import Field

from ..core.models import Frozen, Priority
from ..evaluation.scores import wilson_lower
from .overrides import TicketJudgement, place_of

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
    """How often people left a label of ours, changed it, or took it off; what rules changed is not judged."""

    left: int = 0
    changed: int = 0
    taken_off: int = 0
    by_rules: int = 0

    @property
    def judged(self) -> int:
        """Labels on tickets that a person has dealt with, without those that rules changed."""
        return self.left + self.changed + self.taken_off

    @property
    def precision(self) -> float | None:
        """The share of labels that people left; ``None`` without any."""
        return self.left / self.judged if self.judged else None

    @property
    def at_least(self) -> float:
        """The lower end of Wilson's 95% interval for the precision."""
        return wilson_lower(self.left, self.judged)


class LabelCount(Count):
    """The same for one label of one part."""

    label: str


class Band(Count):
    """The same for answers of at least ``lower`` confidence and less than ``upper``, the last band's limit included."""

    lower: float
    upper: float


class PartCount(Count):
    """The same for one part of a ticket, its labels by how often they were judged, and its bands of confidence."""

    part: str
    labels: tuple[LabelCount, ...]
    bands: tuple[Band, ...]


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
    have a label of ours; on ``overridden`` of them a person changed at least one. ``left_out`` counts why others were
    not judged. ``raised`` are tickets whose priority a person raised after us, ``raised_to_urgent`` among them.
    ``requests`` is what it cost, ``ended_early`` why not all was read.
    """

    written: int = 0
    looked_at: int = 0
    solved: int = 0
    histories: int = 0
    judged: int = 0
    overridden: int = 0
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
        """The upper end of Wilson's 95% interval for it."""
        return 1.0 - wilson_lower(self.judged - self.overridden, self.judged)


def add_up(tickets: Iterable[TicketJudgement]) -> Overrides:
    """Add up the judgements; tickets that no person has dealt with, or without a label, are left out."""
    counts: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    bands: defaultdict[str, defaultdict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    pairs: Counter[tuple[str, str, str]] = Counter()
    left_out: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for ticket in tickets:
        if not ticket.dealt_with:
            left_out[NOBODY] += 1
            continue
        totals["raised"] += ticket.raised is not None
        totals["raised_to_urgent"] += ticket.raised is Priority.URGENT
        totals["lowered"] += ticket.lowered is not None
        if not ticket.labels:
            left_out[NO_LABEL] += 1
            continue
        totals["judged"] += 1
        totals["overridden"] += any(item.fate in ("changed", "taken_off") for item in ticket.labels)
        for item in ticket.labels:
            counts[item.part][item.ours][item.fate] += 1
            if item.confidence is not None:
                bands[item.part][_band(item.confidence)][item.fate] += 1
            if item.theirs is not None:
                pairs[item.part, item.ours, item.theirs] += 1
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return Overrides(
        parts=tuple(_part(part, counts[part], bands[part]) for part in sorted(counts, key=place_of)),
        pairs=tuple(
            Pair(part=part, ours=ours, theirs=theirs, tickets=number)
            for (part, ours, theirs), number in ranked[:MOST_PAIRS]
        ),
        left_out=dict(left_out),
        **totals,
    )


def _part(part: str, labels: Mapping[str, Mapping[str, int]], bands: Mapping[int, Mapping[str, int]]) -> PartCount:
    counted = [LabelCount(label=label, **found) for label, found in labels.items()]
    total = sum((Counter(found) for found in labels.values()), Counter[str]())
    return PartCount(
        part=part,
        labels=tuple(sorted(counted, key=lambda item: (-item.judged, item.label))),
        bands=tuple(
            Band(lower=BANDS[at], upper=BANDS[at + 1], **bands.get(at, {})) for at in range(len(BANDS) - 1) if bands
        ),
        **total,
    )


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

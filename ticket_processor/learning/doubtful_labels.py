"""Finds labels of people that look wrong: those that the most similar tickets hardly have. Pure.

Each ticket's neighbours vote on its label without it (leave-one-out).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .neighbours import ExampleIndex, LearntExample

NEIGHBOURS = 30
"""Twice as many as vote on a new ticket: what is asked is whether they have the label at all, and some are wrong."""
FEWEST_TICKETS = 100
LEAST_ACCURACY = 0.65
"""Of the vote; below it, neighbours know too little to doubt anybody."""


@dataclass(frozen=True)
class DoubtfulLabel:
    """A ticket's label, its share of its neighbours' weight, and the label that has most of it."""

    ticket: str
    label: str
    share: float
    neighbours_say: str
    their_share: float


@dataclass(frozen=True)
class LabelDoubts:
    """How often the vote agrees with the label of ``tickets``, and the doubtful ones, the most doubtful first.

    Where tickets are too few or the vote is right too rarely, ``usable`` is false, and nothing is doubted.
    """

    tickets: int
    accuracy: float
    doubtful: tuple[DoubtfulLabel, ...]

    @property
    def usable(self) -> bool:
        """Whether the neighbours know enough."""
        return self.tickets >= FEWEST_TICKETS and self.accuracy >= LEAST_ACCURACY


Neighbours = Sequence[Sequence[tuple[int, float]]]
"""For each ticket the places of those most like it, with their scores."""


def neighbours_of(texts: Sequence[str], advance: Callable[[int], object] = lambda _count: None) -> Neighbours:
    """The neighbours of each redacted text among the others."""
    index = ExampleIndex(LearntExample(place, "", text) for place, text in enumerate(texts))
    found = []
    for place, text in enumerate(texts):
        near = [(example.id, score) for example, score in index.nearest(text, NEIGHBOURS + 1) if example.id != place]
        found.append(near[:NEIGHBOURS])
        advance(1)
    return found


def doubtful_labels(tickets: Sequence[tuple[str, str]], neighbours: Neighbours) -> LabelDoubts:
    """The doubts about tickets, each with its number and its label."""
    doubts, agreed = [], 0
    for (ticket, label), near in zip(tickets, neighbours, strict=True):
        weights: defaultdict[str, float] = defaultdict(float)
        for place, score in near:
            weights[tickets[place][1]] += score
        total = sum(weights.values())
        if total <= 0:
            continue
        most = min(weights, key=lambda name: (-weights[name], name))
        agreed += most == label
        if most != label:
            doubt = DoubtfulLabel(ticket, label, weights[label] / total, most, weights[most] / total)
            doubts.append((doubt.share, -total, doubt))
    ranked = tuple(doubt for *_, doubt in sorted(doubts, key=lambda one: one[:2]))
    found = LabelDoubts(len(tickets), agreed / max(1, len(tickets)), ranked)
    return found if found.usable else LabelDoubts(found.tickets, found.accuracy, ())

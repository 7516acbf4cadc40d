"""Pairs of sentences of one reply, from two articles, that give different figures of one kind. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from .statements import FigureStatement, Measure, exclude_each_other, vague_stems

DAY = 86_400
IN_DAYS = {"business": (1, 1.4, 2), "month": (28, 31, 0)}
"""The fewest and the most days that one has, and how many more the weekend adds that it may begin before."""


def differing(said: Sequence[FigureStatement]) -> Iterator[tuple[FigureStatement, FigureStatement]]:
    """Pairs of sentences of one reply, from two articles, that give different figures of one kind.

    Working days, days and months are of one kind. What an article says of the other one's subject elsewhere in the
    reply counts with its sentence: it may well give both figures.
    """
    for one, other in combinations(said, 2):
        if one.article_id == other.article_id:
            continue
        ours, theirs = (
            [measure for each in said if each is side or _beside(each, side, opposite) for measure in each.measures]
            for side, opposite in ((one, other), (other, one))
        )
        if (
            _differ_in_kind(one.measures, other.measures)
            and _differ_in_kind(ours, other.measures)
            and _differ_in_kind(one.measures, theirs)
        ):
            yield one, other


def about_one_thing(one: FigureStatement, other: FigureStatement) -> bool:
    """Whether two sentences of one reply seem to be about one thing, of which only one figure can be right.

    They share a telling word, no word of one excludes a word of the other, and they do not each name something of their
    own title that the other one lacks. That is enough, since both answer one ticket.
    """
    shared = (one.words & other.words) - vague_stems()
    if not shared or exclude_each_other(one.words - other.words, other.words - one.words, one.lang):
        return False
    own = [mine.scope & mine.words - theirs.scope - theirs.words for mine, theirs in ((one, other), (other, one))]
    return not all(own)


def _differ(ours: Sequence[Measure], theirs: Sequence[Measure]) -> bool:
    """Whether each sentence has a figure of one unit for one thing that the other has not."""
    alone = [one for one in ours if not any(_agree(one, other) for other in theirs)]
    for other in theirs:
        near = [one for one in alone if one.unit == other.unit and {one.bound, other.bound} != {"least", "most"}]
        if near and not any(_agree(one, other) for one in ours):
            return True
    return False


def _differ_in_kind(ours: Sequence[Measure], theirs: Sequence[Measure]) -> bool:
    """As :func:`_differ`; besides, working days and months are compared with the other one's days."""
    apart = [
        [_in_days(each) for each in mine if each.unit not in {one.unit for one in others}]
        for mine, others in ((ours, theirs), (theirs, ours))
    ]
    return _differ(ours, theirs) or _differ(*apart)


def _in_days(measure: Measure) -> Measure:
    if measure.unit not in IN_DAYS:
        return measure
    fewest, most, more = IN_DAYS[measure.unit]
    return replace(measure, unit="second", low=measure.low * fewest * DAY, high=(measure.high * most + more) * DAY)


def _beside(each: FigureStatement, side: FigureStatement, opposite: FigureStatement) -> bool:
    return each.article_id == side.article_id and bool(each.words & opposite.words - vague_stems())


def _agree(one: Measure, other: Measure) -> bool:
    """Whether both can be true: they overlap, but are no ranges of which one end differs."""
    one_end = (one.low == other.low) != (one.high == other.high) and one.low < one.high and other.low < other.high
    return one.unit == other.unit and one.low <= other.high and other.low <= one.high and not one_end

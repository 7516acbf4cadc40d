"""How probable falls of precision are by chance: one permutation test over all fields of the same tickets. Pure."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

DRAWS = 10_000
Mark = Literal["right", "wrong", "none"]
"""What an answer is worth: ``none`` where no label is written."""
MarkPair = tuple[Mark, Mark]
"""The marks of one ticket with the first settings and with the second."""
_Tally = tuple[int, int, int, int]
"""Of tickets on which the second writes: its right and written labels, and those of the first."""


def chances_of_falls(tickets: Sequence[Mapping[str, MarkPair]], draws: int = DRAWS) -> dict[str, float]:
    """By field, how probable it is that any field falls as clearly as this one, where both settings are equally good.

    Each draw swaps the two marks of a ticket in all of its fields at once: fields that change together count as one,
    and those that do not change cost nothing (the smallest p of all fields, after Westfall and Young). Ties count half
    (mid-p). With one field and labels on the same tickets this is McNemar's test. A label that the second settings
    leave away is not compared: writing less is no fall.
    """
    fields = sorted({field for marks in tickets for field in marks})
    patterns = Counter(tuple(_tallies(marks.get(field)) for field in fields) for marks in tickets)
    found = [_added((pattern[i][0], count) for pattern, count in patterns.items()) for i in range(len(fields))]
    moves = [
        (count, [(i, _difference(*both)) for i, both in enumerate(pattern) if both[0] != both[1]])
        for pattern, count in patterns.items()
    ]
    moves = [(count, moved) for count, moved in moves if moved]
    dice = random.Random(0)
    falls = [[_fall(tally) for tally in found]]
    for _ in range(draws if moves else 0):
        drawn = [list(tally) for tally in found]
        for count, moved in moves:
            swapped = dice.getrandbits(count).bit_count()
            for i, difference in moved:
                drawn[i] = [value + swapped * step for value, step in zip(drawn[i], difference, strict=True)]
        falls.append([_fall(tally) for tally in drawn])
    columns = [_upper_shares([draw[i] for draw in falls]) for i in range(len(fields))]
    smallest = sorted(map(min, zip(*columns, strict=True)))
    return {field: _lower_share(smallest, columns[i][0]) if falls[0][i] > 0 else 1.0 for i, field in enumerate(fields)}


def _tallies(pair: MarkPair | None) -> tuple[_Tally, _Tally]:
    """What a ticket adds to a field's tally, as it is and swapped."""
    if pair is None or pair[1] == "none":
        return (0, 0, 0, 0), (0, 0, 0, 0)
    return _tally(*pair), _tally(pair[1], pair[0])


def _tally(first: Mark, second: Mark) -> _Tally:
    if second == "none":
        return (0, 0, 0, 0)
    return int(second == "right"), 1, int(first == "right"), int(first != "none")


def _added(tallies: Iterable[tuple[_Tally, int]]) -> list[int]:
    total = [0, 0, 0, 0]
    for tally, count in tallies:
        total = [value + count * more for value, more in zip(total, tally, strict=True)]
    return total


def _difference(tally: _Tally, swapped: _Tally) -> tuple[int, ...]:
    return tuple(after - before for before, after in zip(tally, swapped, strict=True))


def _fall(tally: Sequence[int]) -> float:
    """By how much precision falls; rounded, so that ties are equal."""
    right, written, right_before, written_before = tally
    if not (written and written_before):
        return 0.0
    return round(right_before / written_before - right / written, 12)


def _upper_shares(values: Sequence[float]) -> list[float]:
    """For each value, the share of values above it, and half of those that are equal."""
    order = sorted(values)
    shares = {
        value: 1 - (bisect_left(order, value) + bisect_right(order, value)) / (2 * len(order)) for value in set(values)
    }
    return [shares[value] for value in values]


def _lower_share(order: Sequence[float], value: float) -> float:
    """The share of values below, and half of those that are equal."""
    return (bisect_left(order, value) + bisect_right(order, value)) / (2 * len(order))

"""Ids that a run has to remember however large the backlog is: many of them, most of them neighbours."""

from __future__ import annotations

_BITS = 8


class IdSet:
    """A set of whole numbers. Neighbours share their memory: a hundred thousand in a row take some 60 KB, not 7 MB."""

    __slots__ = ("_blocks",)

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def add(self, number: int) -> None:
        """Add it, if it is not there yet."""
        block = number >> _BITS
        self._blocks[block] = self._blocks.get(block, 0) | 1 << (number & ((1 << _BITS) - 1))

    def __contains__(self, number: int) -> bool:
        return bool(self._blocks.get(number >> _BITS, 0) >> (number & ((1 << _BITS) - 1)) & 1)

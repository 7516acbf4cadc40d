"""Shards of an account: which of several drivers a ticket belongs to, by its number alone."""

from __future__ import annotations

from dataclasses import dataclass

MOST_SHARDS = 64
_64_BITS = (1 << 64) - 1


@dataclass(frozen=True)
class Shard:
    """Part ``number`` (from 1) ``of`` so many of an account's tickets."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that ``2/3`` means. Raises :class:`ValueError`."""
        number, slash, of = text.partition("/")
        if slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) <= MOST_SHARDS:
            return cls(int(number), int(of))
        raise ValueError(f"must be a shard such as 1/3: which one, and of how many ({MOST_SHARDS} at most)")

    def has(self, ticket_id: int) -> bool:
        """Whether the ticket is of this shard. Of ``of`` shards exactly one has it."""
        return _mixed(ticket_id) % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def _mixed(number: int) -> int:
    """The number's bits mixed (the end of SplitMix64): an account's numbers may all be even, or end with 1."""
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & _64_BITS
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & _64_BITS
    return number ^ (number >> 31)

"""Many ids in little memory."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.id_set import IdSet

IDS = st.integers(0, 2**63) | st.integers(0, 600)


@given(st.lists(IDS), st.lists(IDS))
def test_it_holds_what_was_added_and_nothing_else(added: list[int], others: list[int]) -> None:
    ids = IdSet()
    for number in added:
        ids.add(number)
    for number in (*added, *others, *(number + 1 for number in added), *(number ^ 256 for number in added)):
        assert (number in ids) is (number in set(added))


def test_neighbours_share_their_memory() -> None:
    ids = IdSet()
    for number in range(360_000_000_000, 360_000_100_000):
        ids.add(number)
    blocks = ids._blocks
    size = sys.getsizeof(blocks) + sum(map(sys.getsizeof, blocks)) + sum(map(sys.getsizeof, blocks.values()))
    assert size < 100_000

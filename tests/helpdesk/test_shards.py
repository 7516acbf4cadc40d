from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.helpdesk.protocol import MOST_SHARDS, Shard


@given(st.integers(1, 2**63), st.integers(1, MOST_SHARDS))
def test_each_ticket_is_of_exactly_one_shard(ticket_id: int, of: int) -> None:
    assert sum(Shard(number, of).has(ticket_id) for number in range(1, of + 1)) == 1


def test_a_ticket_stays_where_it_was_in_another_version() -> None:
    assert [number for number in range(1, 21) if Shard(1, 3).has(number)] == [5, 9, 14, 17, 18]


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/", "/2", "a/2", "-1/2", "1/65", "1/2/3", ""])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a shard such as 1/3"):
        Shard.parse(text)

"""``ticketbot doctor`` against an imitated Freshdesk account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .freshdesk_desk import FreshDesk, freshdesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[FreshDesk]:
    with freshdesk(tmp_path) as found:
        yield found


def test_statuses_of_the_accounts_own_that_count_as_on_hold_are_named(desk: FreshDesk) -> None:
    choices = next(row for row in desk.sandbox.desk.ticket_fields if row["type"] == "default_status")["choices"]
    choices["8"] = ["New", "Being Processed"]
    assert "statuses of the account's own count as on hold: 8 (New)\n  to do: name those" in desk("doctor").out
    desk.configure("[freshdesk]\nopen_statuses = [8]\n")
    assert "on hold" not in desk("doctor").out

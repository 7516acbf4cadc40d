"""Fixtures that several modules share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ticket_processor.core.models import Ticket

from .office import Office, Open


@pytest.fixture
def open_office(tmp_path: Path) -> Iterator[Open]:
    opened: list[Office] = []

    def make(*tickets: Ticket) -> Office:
        opened.append(Office(tmp_path, *tickets))
        return opened[-1]

    yield make
    for office in opened:
        office.state.close()

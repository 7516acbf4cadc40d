"""A desk whose model is slow, and a cluster of processes to ask it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cli.conftest import Desk, OpenDesk, open_desk
from ..imitation.latency import LatencyProfile
from .nodes import Nodes

__all__ = ["open_desk"]

ANSWER_S = 0.3
TIMEOUT_S = 2.0


@pytest.fixture
def slow_desk(open_desk: OpenDesk, tmp_path: Path) -> Desk:
    """Eighty tickets, and a model that takes its time; requests may take two seconds."""
    desk = open_desk(80, model=True, llm_latency=LatencyProfile(ANSWER_S, ANSWER_S * 1.01))
    (tmp_path / "ticketbot.toml").write_text(f"[models]\ntimeout_s = {TIMEOUT_S}\n", encoding="utf-8")
    return desk


@pytest.fixture
def nodes(slow_desk: Desk) -> Iterator[Nodes]:
    """A scheduler that can ask the desk's model as soon as it has workers."""
    with Nodes(slow_desk.folder, slow_desk.environ) as nodes:
        yield nodes

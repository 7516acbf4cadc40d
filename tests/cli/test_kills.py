"""Real runs killed at random moments: the next ones bring to its end what they left, once and with receipts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ticket_processor.sandbox.store import Comment

from .killed import Story

pytestmark = pytest.mark.slow

SINGLE, BATCH = 5, 16
"""Stories of both write modes, by rules alone: the model's package takes a second to load."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("seed", "batch"), [(SINGLE, False), (BATCH, True)], ids=["one by one", "in jobs"])
def test_a_run_killed_at_any_moment_leaves_nothing_that_the_next_ones_do_not_settle(
    tmp_path: Path, seed: int, batch: bool
) -> None:
    story = Story(seed, tmp_path)
    assert (story.batch, story.model) == (batch, False)
    ending = story.play(6)
    assert not ending.violations
    assert ending.without_receipt == 0
    assert ending.kills == 6
    assert ending.writes > 20


@pytest.mark.timeout(300)
def test_a_write_without_a_receipt_would_be_noticed(tmp_path: Path) -> None:
    """Receipts are taken out of the log, one write is repeated by hand, a tag of a person's taken off."""
    story = Story(SINGLE, tmp_path)
    story.play(1)
    log = max((tmp_path / "logs").glob("*.jsonl"))
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    gone = next(line for line in lines if '"event":"ticket"' in line and '"outcome":"updated"' in line)
    log.write_text("".join(line for line in lines if line != gone), encoding="utf-8")
    ticket = next(item for item in story.store.tickets.values() if story.our_writes(item.id))
    (write,) = story.our_writes(ticket.id)
    story.store.person_edit(ticket.id, add_tags=("theirs",))
    with story.store.lock:
        story.store.change(
            ticket,
            {"tags": [tag for tag in ticket.tags if tag != "theirs"]},
            actor="api",
            author_id=write.author_id,
            comment=Comment("Again.", None, True),
            custom=write.custom,
            raw=write.raw,
        )
    kinds = Counter(sentence.partition(": ")[2].split(" ")[0] for sentence in story.judged().violations)
    assert {"1", "2", "3", "12"} <= set(kinds)

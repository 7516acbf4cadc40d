"""Real runs killed at random moments: the next ones bring to its end what they left, once and with receipts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticket_processor.sandbox.store import Comment

from .killed import Story

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SINGLE, BATCH = 5, 1
"""Stories of both write modes."""


@pytest.mark.parametrize(("seed", "batch"), [(SINGLE, False), (BATCH, True)], ids=["one by one", "in jobs"])
def test_a_run_killed_at_any_moment_leaves_nothing_that_the_next_ones_do_not_settle(
    tmp_path: Path, seed: int, batch: bool
) -> None:
    story = Story(seed, tmp_path)
    assert story.batch is batch
    ending = story.play(6)
    assert not ending.wrong
    assert ending.kills == 6
    assert ending.writes > 20
    # What stands above would be noticed: a lost receipt, a write that is repeated, a tag of a person's that is gone.
    log = max((tmp_path / "logs").glob("*.jsonl"))
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    gone = next(line for line in lines if '"event":"ticket"' in line and '"outcome":"updated"' in line)
    log.write_text("".join(line for line in lines if line != gone), encoding="utf-8")
    number = next(iter(story.theirs))
    ticket = story.store.tickets[number]
    (write,) = story.our_writes(ticket)
    changed = {"tags": [tag for tag in ticket.tags if tag not in story.theirs[number]]}
    again = Comment("Again.", None, True)
    story.store.change(
        ticket, changed, actor="api", author_id=write.author_id, comment=again, custom=write.custom, raw=write.raw
    )
    said = "\n".join(story.wrong())
    for words in (
        "has no receipt",
        f"ticket {number}: 2 writes, public notes: [False, True]",
        "person's tags are gone",
    ):
        assert words in said

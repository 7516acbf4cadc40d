"""A disk that is full, read-only or broken, at any operation: nothing happens unannounced, and the next run makes good.

Here every kind of operation is struck once in each of two scenes; ``scripts/kill_runs.py --disk`` strikes every one.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.errors import AuditUnwritable

from ..support.bad_disk import KINDS
from .disk_stories import FAULTS, SCENES, Fault, Scene, operations, play

SEED = 7


def by_kind(done: tuple[str, ...]) -> Iterator[list[int]]:
    """The numbers of the operations that do the same to the same kind of file."""
    kinds: dict[str, list[int]] = {}
    for number, operation in enumerate(done, start=1):
        kinds.setdefault(re.sub(r"\d{4}-\d\d-\d\d|alerts-\w+", "*", operation), []).append(number)
    yield from kinds.values()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("scene", [SCENES[1], SCENES[2]], ids=lambda scene: scene.name)
def test_a_fault_at_any_operation_costs_no_receipt_and_the_next_run_settles_everything(
    scene: Scene, tmp_path: Path
) -> None:
    dice = random.Random(SEED)
    faults = itertools.cycle(dice.sample(FAULTS, len(FAULTS)))
    done = operations(scene, tmp_path / "whole")
    codes = set()
    for numbers in by_kind(done):
        at = dice.choice(numbers)
        fault = next(faults).at_operation(at)
        ended = play(scene, fault, tmp_path / str(at))
        assert not ended.wrong, (fault, ended.struck, ended.said)
        codes.add(ended.code)
    assert codes == {0, 3}


@pytest.mark.slow
def test_from_the_first_operation_on_nothing_is_asked_of_the_helpdesk(tmp_path: Path) -> None:
    for scene, kind in itertools.product(SCENES, KINDS):
        ended = play(scene, Fault(1, kind), tmp_path / "x")
        assert (ended.code, ended.effects, ended.wrong) == (3, 0, ())


@pytest.mark.parametrize(
    ("what", "told"), [("intent", "nothing on the disk announces it"), ("ticket", "has no receipt")]
)
def test_lines_that_were_lost_in_silence_would_be_noticed(
    what: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = getattr(AuditLog, what)

    def careless(self: AuditLog, *given: object) -> None:
        with suppress(AuditUnwritable):
            whole(self, *given)

    monkeypatch.setattr(AuditLog, what, careless)
    scene = SCENES[0]
    done = operations(scene, tmp_path / "whole")
    lines = [at for at, each in enumerate(done, start=1) if each.startswith("write") and each.endswith(".jsonl")]
    ends = (play(scene, Fault(at, "broken", once=True), tmp_path / "x") for at in lines)
    assert any(told in sentence for ended in ends for sentence in ended.wrong)

"""What became of labels in the last four weeks and before: counted as the scoreboard does, and told when it drifts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ticket_processor.learning.label_trends import LabelTrend, label_trends
from ticket_processor.learning.model import Reaction
from ticket_processor.learning.store import FILE_NAME, LearningStore
from ticket_processor.monitoring.facts import Facts
from ticket_processor.monitoring.rules import look

DAY = 86_400.0
NOW = 1000 * DAY
KEPT = Reaction(1, "category", "billing", "billing", "billing", "kept", "person", 12, 0.0, NOW - DAY)
CHANGED = replace(KEPT, theirs="account", fate="changed")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LearningStore]:
    with closing(LearningStore(tmp_path / FILE_NAME)) as store:
        yield store


def test_only_what_people_did_counts_by_the_time_at_which_it_settled(store: LearningStore, tmp_path: Path) -> None:
    before, long_ago = NOW - 30 * DAY, NOW - 90 * DAY
    found = [
        KEPT, CHANGED, replace(CHANGED, fate="removed"), replace(CHANGED, actor_kind="unknown"),
        replace(KEPT, fate="reverted_by_rule", actor_kind="rule"), replace(KEPT, fate="untouched"),
        replace(KEPT, fate="added"), replace(KEPT, settled_at=before), replace(CHANGED, settled_at=before),
        replace(CHANGED, settled_at=long_ago), replace(CHANGED, settled_at=NOW + DAY),
        replace(KEPT, label="account", settled_at=before),
    ]  # fmt: skip
    store.keep(replace(item, ticket_id=number) for number, item in enumerate(found))
    assert label_trends(tmp_path, NOW) == (LabelTrend("category", "billing", 6, 3, 2, 1, 2, 1),)


def told(**counts: int) -> bool:
    usual = {"written": 200, "judged": 100, "changed": 10, "reverted": 0, "judged_before": 200, "changed_before": 20}
    trend = LabelTrend("category", "billing", **{**usual, **counts})
    return [one.rule for one in look([], Facts(NOW, labels=(trend,))).conditions] == ["overrides"]


def test_more_changes_are_told_where_they_are_many_and_no_chance() -> None:
    assert told(changed=30)
    assert not told()
    assert not told(changed=16)  # may be chance
    assert not told(changed=0)  # nobody's trouble
    assert not told(judged=49, changed=30)
    assert not told(judged_before=49, changed_before=0, changed=30)
    assert not told(judged=4000, judged_before=8000, changed=500, changed_before=800)  # surely more, hardly so


def test_rules_that_change_more_than_a_twentieth_are_told() -> None:
    assert told(reverted=11)
    assert not told(reverted=10)
    assert not told(written=40, reverted=20)

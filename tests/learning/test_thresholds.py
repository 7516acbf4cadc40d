"""Thresholds out of what people kept: proved by enough reviewed values, and only for that model and taxonomy."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ticket_processor.analysis.classifier.storage import Description
from ticket_processor.cli import app
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.learning.model import ActorKind, Fate, Reaction
from ticket_processor.learning.store import FILE_NAME, LearningStore
from ticket_processor.learning.thresholds import by_part, proved_thresholds
from ticket_processor.policy.decide import Policy
from ticket_processor.settings.load import load
from ticket_processor.wiring.learnt_policy import with_learnt

TODAY = default_taxonomy().digest


def reaction(number: int, fate: Fate = "kept", *, by: ActorKind = "person", **more: object) -> Reaction:
    given = {"confidence": 0.9, "model": "m-1", "taxonomy_hash": TODAY, "field": "category", **more}
    return Reaction(
        number, label="billing", ours="billing", theirs=None, fate=fate, actor_kind=by, author=1, at=1.0,
        settled_at=2.0, **given,  # type: ignore[arg-type]
    )  # fmt: skip


def test_three_hundred_reviewed_values_prove_a_threshold_and_fewer_do_not() -> None:
    kept = [reaction(number) for number in range(300)]
    [found] = proved_thresholds(kept, 0.95)
    assert found.found is not None
    assert (found.found.threshold, found.reviewed) == (0.9, 300)
    [fewer] = proved_thresholds(kept[1:], 0.95)
    assert fewer.found is None
    assert by_part([fewer], TODAY) == {"tags": {}}


def test_where_nobody_knows_who_changes_values_changes_count_against_them() -> None:
    kept = [reaction(number) for number in range(300)]
    changed = [reaction(1_000 + number, "changed", by="unknown") for number in range(100)]
    [found] = proved_thresholds([*kept, *changed], 0.95)
    assert (found.kept, found.reviewed, found.found) == (300, 400, None)


@pytest.mark.parametrize(("fate", "by"), [("untouched", "unknown"), ("reverted_by_rule", "rule")])
def test_what_no_person_looked_at_counts_neither_way(fate: Fate, by: ActorKind) -> None:
    kept = [reaction(number) for number in range(300)]
    others = [reaction(1_000 + number, fate, by=by) for number in range(300)]
    assert proved_thresholds([*kept, *others], 0.95) == proved_thresholds(kept, 0.95)


def test_another_model_and_other_categories_have_proved_nothing() -> None:
    other = [reaction(number, model="m-2") for number in range(40)]
    before = [reaction(number, taxonomy_hash="before", model="m-3") for number in range(300)]
    found = proved_thresholds([*(reaction(number) for number in range(300)), *other, *before], 0.95)
    assert by_part(found, TODAY) == {"tags": {"m-1": 0.9}}


def test_labels_of_runs_that_collect_nothing_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETBOT_STATE_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    LearningStore(tmp_path / FILE_NAME).keep([reaction(number, taxonomy_hash="") for number in range(300)])
    told = CliRunner().invoke(app, ["learn", "thresholds"]).output
    assert "unknown" in told
    assert "learning.collect_share" in told


def test_ticket_fields_share_the_highest_of_their_thresholds() -> None:
    sure = [reaction(number, field="field 1") for number in range(300)]
    surer = [reaction(number, field="field 2", confidence=0.97) for number in range(300)]
    assert by_part(proved_thresholds([*sure, *surer], 0.95), TODAY) == {"fields": {"m-1": 0.97}}
    assert by_part(proved_thresholds([*sure, *surer[1:]], 0.95), TODAY) == {"fields": {}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKETBOT_STATE_DIR", str(tmp_path))
    return tmp_path


def test_thresholds_are_lines_for_the_settings_and_in_use_only_once_applied(folder: Path) -> None:
    store = LearningStore(folder / FILE_NAME)
    store.keep([reaction(number) for number in range(300)])
    told = json.loads(CliRunner().invoke(app, ["learn", "thresholds", "--json"]).output)
    policy = Policy.model_validate(tomllib.loads(told["policy"])["policy"])
    assert (policy.tags.by_model, policy.by_model_for) == ({"m-1": 0.9}, TODAY)
    assert (told["change"], store.changes()) == (None, [])
    applied = CliRunner().invoke(app, ["learn", "thresholds", "--apply"])
    assert "learn undo 1" in applied.output
    assert "said=tags m-1 0.90" in CliRunner().invoke(app, ["learn", "log"]).output


def trained(folder: Path, digest: str, at: str) -> None:
    """A classifier's description where a run looks for it."""
    (folder / "classifier").mkdir(exist_ok=True)
    description = Description(
        ticketbot="0", trained_at=at, rows=9, source="a test", taxonomy=("general",), tasks={}, sha256=digest * 64
    )
    (folder / "classifier" / "classifier.json").write_text(description.model_dump_json(), encoding="utf-8")


def test_what_was_proved_of_a_classifier_does_not_hold_for_one_that_was_trained_since(folder: Path) -> None:
    trained(folder, "a", "1970-01-01T00:00:00Z")
    store = LearningStore(folder / FILE_NAME)
    store.keep(reaction(number, model=name) for name, first in (("classifier", 0), ("m-1", 300))
               for number in range(first, first + 300))  # fmt: skip
    CliRunner().invoke(app, ["learn", "thresholds", "--apply"])

    def in_use() -> object:
        return with_learnt(load(need_helpdesk=False))[0].policy.tags.by_model

    assert in_use() == {"classifier": 0.9, "m-1": 0.9}
    trained(folder, "b", "2026-01-01T00:00:00Z")
    assert in_use() == {"m-1": 0.9}
    told = json.loads(CliRunner().invoke(app, ["learn", "thresholds", "--json"]).output)
    assert [one["model"] for one in told["thresholds"]] == ["m-1"]
    trained(folder, "a", "1970-01-01T00:00:00Z")
    assert in_use() == {"classifier": 0.9, "m-1": 0.9}


def test_what_is_applied_for_one_part_leaves_the_others_as_they_are(folder: Path) -> None:
    store = LearningStore(folder / FILE_NAME)
    store.keep(reaction(number, field=name) for name in ("category", "priority") for number in range(300))

    def in_use() -> tuple[object, object]:
        policy = with_learnt(load(need_helpdesk=False))[0].policy
        return policy.tags.by_model, policy.priority.by_model

    for words in (["--part", "priority"], ["--part", "tags", "--precision", "0.9"]):
        CliRunner().invoke(app, ["learn", "thresholds", "--apply", *words])
    assert in_use() == ({"m-1": 0.9}, {"m-1": 0.9})
    CliRunner().invoke(app, ["learn", "undo", "1"])
    assert in_use() == ({"m-1": 0.9}, None)


def test_thresholds_of_other_categories_prove_nothing_once_some_of_todays_are_applied(folder: Path) -> None:
    (folder / "ticketbot.toml").write_text(
        '[policy]\nby_model_for = "before"\n[policy.priority]\nby_model = { "m-1" = 0.5 }\n', encoding="utf-8"
    )
    store = LearningStore(folder / FILE_NAME)
    store.keep([reaction(number) for number in range(300)])
    CliRunner().invoke(app, ["learn", "thresholds", "--apply"])
    policy = with_learnt(load(need_helpdesk=False))[0].policy
    assert (policy.by_model_for, policy.tags.by_model, policy.priority.by_model) == (TODAY, {"m-1": 0.9}, {})


def test_a_part_that_does_not_exist_is_named(folder: Path) -> None:
    ended = CliRunner().invoke(app, ["learn", "thresholds", "--part", "tag"])
    assert (ended.exit_code, "tags, priority, group, fields" in ended.output) == (2, True)

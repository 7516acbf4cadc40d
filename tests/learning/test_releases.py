"""``ticketbot release``: changed settings are put in place once they pass the gate, and the earlier ones back."""

from __future__ import annotations

import json
import os
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.learning.releases import check_no_secret, release_id
from ticket_processor.learning.store import FILE_NAME, LearningStore
from ticket_processor.settings.schema import Settings
from ticket_processor.settings.sources import VARIABLES

from .test_gate import WITHOUT_TECHNICAL, folder  # noqa: F401 - a fixture

FIRST = "# ours\n[run]\nworkers = 3\n"
SECOND = "[policy]\nreview_below = 0.6\n"
THIRD = '[policy]\nnote = "never"\n'
LABELLED = ("--labelled", "rows.jsonl")


def told(*words: str, code: int = 0) -> Any:
    ended = CliRunner().invoke(app, [*words, "--json"])
    assert ended.exit_code == code, ended.output
    return json.loads(ended.stdout)


def release(*words: str, code: int = 0) -> Any:
    return told("release", *words, code=code)


@pytest.fixture
def place(folder: Path) -> Path:  # noqa: F811 - the fixture
    (folder / "ticketbot.toml").write_text(FIRST, encoding="utf-8")
    for name, text in (("second", SECOND), ("third", THIRD), ("bad", WITHOUT_TECHNICAL)):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder / "ticketbot.toml"


def test_a_release_that_passes_the_gate_is_put_in_place_and_taken_back_to_the_byte(place: Path) -> None:
    assert release("show")["active"] is None
    done = release("activate", "second.toml", "--note", "more reviews", *LABELLED)
    assert place.read_text(encoding="utf-8") == SECOND
    assert {item["name"]: (item["before"], item["after"]) for item in done["changes"]} == {
        "policy.review_below": (0.5, 0.6),
        "run.workers": (3, 8),
    }
    shown = release("show")
    assert shown["active"]["id"] == shown["running"] == done["release"]
    assert (shown["active"]["note"], shown["edited"]) == ("more reviews", False)
    assert release("rollback")["release"] == done["before"]
    assert place.read_text(encoding="utf-8") == FIRST
    logged = told("learn", "log")["changes"]
    assert [(item["what"], item["detail"]["gate"]) for item in logged] == [
        ("release", "passed"),
        ("release", "rollback"),
    ]


def test_what_the_gate_refuses_is_not_put_in_place_unless_forced_and_the_log_says_so(place: Path) -> None:
    assert release("activate", "bad.toml", *LABELLED, code=1)["gate"]["passed"] is False
    assert place.read_text(encoding="utf-8") == FIRST
    assert told("learn", "log")["changes"] == []
    release("activate", "bad.toml", "--force")
    assert place.read_text(encoding="utf-8") == WITHOUT_TECHNICAL
    assert told("learn", "log")["changes"][0]["detail"]["gate"] == "forced"


def test_rollbacks_go_back_step_by_step_and_to_any_release_by_its_id(place: Path) -> None:
    second = release("activate", "second.toml", "--force")
    third = release("activate", "third.toml", "--force")
    assert release("rollback")["release"] == second["release"]
    assert release("rollback")["release"] == second["before"]
    assert "no earlier release" in release("rollback", code=2)["error"][0]
    release("rollback", third["release"][:5])
    assert place.read_text(encoding="utf-8") == THIRD
    assert [one["id"] for one in release("list")["releases"]] == [second["before"], second["release"], third["release"]]
    found = release("diff", second["release"], third["release"])["changes"]
    assert [item["name"] for item in found] == ["policy.note", "policy.review_below"]
    assert release("diff", "third.toml")["changes"] == []


def test_of_a_category_that_is_gone_or_new_only_what_it_says_is_told(place: Path) -> None:
    found = {item["name"]: item["after"] for item in release("diff", "ticketbot.toml", "bad.toml")["changes"]}
    assert found["categories.technical.description"] is None
    assert {name.split(".")[-1] for name in found} <= {"categories", "description", "keywords", "examples", "workers"}


def test_a_file_that_was_edited_by_hand_is_replaced_only_on_request_and_kept(place: Path) -> None:
    release("activate", "second.toml", "--force")
    by_hand = SECOND + "tag_secondary = true\n"
    place.write_text(by_hand, encoding="utf-8")
    shown = release("show")
    assert (shown["edited"], [item["name"] for item in shown["changes"]]) == (True, ["policy.tag_secondary"])
    for words in (("rollback",), ("activate", "third.toml", "--force")):
        assert "was edited" in release(*words, code=2)["error"][0]
    release("activate", "third.toml", "--force", "--yes")
    release("rollback")
    assert place.read_text(encoding="utf-8") == by_hand


def test_a_change_that_decides_nothing_is_no_release(place: Path) -> None:
    release("activate", "second.toml", "--force")
    (place.parent / "same.toml").write_text(SECOND + "[run]\nworkers = 4\n", encoding="utf-8")
    assert "in place already" in release("activate", "same.toml", "--force", code=2)["error"][0]

    place.write_text(SECOND + "[run]\nworkers = 5\n", encoding="utf-8")
    assert "in place already" in release("rollback", release("show")["running"], "--yes", code=2)["error"][0]


def test_settings_that_were_edited_in_place_become_a_release_by_the_gate(place: Path) -> None:
    first = release("activate", "ticketbot.toml", "--note", "as we began")
    assert (first["release"], first["changes"]) == (first["before"], [])
    place.write_text(WITHOUT_TECHNICAL, encoding="utf-8")
    assert release("activate", "ticketbot.toml", *LABELLED, code=1)["gate"]["passed"] is False
    place.write_text(SECOND, encoding="utf-8")
    done = release("activate", "ticketbot.toml", *LABELLED)
    assert (done["before"], done["gate"]["passed"]) == (first["release"], True)
    assert release("show")["edited"] is False
    release("rollback")
    assert place.read_text(encoding="utf-8") == FIRST
    gates = [item["detail"]["gate"] for item in told("learn", "log")["changes"]]
    assert gates == ["unchanged", "passed", "rollback"]


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_file_that_is_a_link_stays_one(place: Path) -> None:
    real = place.rename(place.parent / "real.toml")
    place.symlink_to(real)
    release("activate", "second.toml", "--force")
    assert place.is_symlink()
    assert real.read_text(encoding="utf-8") == SECOND


def test_a_release_never_moves_the_account_or_the_state_folder(place: Path) -> None:
    (place.parent / "other.toml").write_text('[zendesk]\nsubdomain = "other"\n' + SECOND, encoding="utf-8")
    assert "account" in release("activate", "other.toml", "--force", code=2)["error"][0]


def test_a_learnt_change_is_not_how_a_release_is_taken_back(place: Path) -> None:
    release("activate", "second.toml", "--force")
    assert "release rollback" in told("learn", "undo", "1", code=2)["error"][0]


def test_a_file_that_cannot_be_replaced_leaves_no_trace(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_given: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refused)
    assert "cannot be replaced" in release("activate", "second.toml", "--force", code=3)["error"][0]
    assert place.read_text(encoding="utf-8") == FIRST
    assert release("show")["active"] is None
    assert sorted(path.name for path in place.parent.glob(".*")) == []


def test_the_gate_compares_with_a_release_where_it_is_asked_to(place: Path) -> None:
    before = release("activate", "bad.toml", "--force")["before"]
    gate = ("eval", "--gate", "rows.jsonl", "--candidate", "bad.toml")
    assert told(*gate)["changes"] == {}
    assert told(*gate, "--against", before, code=1)["passed"] is False


def secrets(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        for kind in [field.annotation, *typing.get_args(field.annotation)]:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from secrets(kind, (*above, name))
        if "SecretStr" in repr(field.annotation):
            yield (*above, name)


@pytest.mark.parametrize("path", sorted(secrets(Settings)), ids=".".join)
def test_no_secret_gets_into_a_release(place: Path, path: tuple[str, ...]) -> None:
    word = "quokka-quokka-quokka"
    value = f'["{word}"]' if path in {item.path for item in VARIABLES.values() if item.many} else f'"{word}"'
    (place.parent / "leaky.toml").write_text(f"[{'.'.join(path[:-1])}]\n{path[-1]} = {value}\n", encoding="utf-8")
    release("activate", "leaky.toml", "--force", code=2)
    assert not any(word.encode() in file.read_bytes() for file in place.parent.glob("learning*"))
    assert place.read_text(encoding="utf-8") == FIRST


def test_a_secret_in_a_comment_is_refused_and_the_file_that_init_writes_is_not(place: Path) -> None:
    (place.parent / "leaky.toml").write_text(f'# api_token = "quokka123"\n{SECOND}', encoding="utf-8")
    assert "api_token" in release("activate", "leaky.toml", "--force", code=2)["error"][0]
    template = Path(__file__).parents[2] / "ticket_processor" / "commands" / "settings_template.toml"
    check_no_secret(template.read_bytes())


def test_the_environment_s_secrets_are_in_no_release(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "quokka-key")
    monkeypatch.setenv("TICKETBOT_MODELS", "gpt-5-mini")
    release("activate", "second.toml", "--force")
    store = LearningStore(place.parent / FILE_NAME, read_only=True)
    assert not [row for row in store.rows("SELECT file, settings FROM release") if "quokka" in repr(row)]
    assert "models.names" in str(store.rows("SELECT settings FROM release"))


def test_the_id_depends_on_what_decides_alone() -> None:
    def of(**parts: Any) -> str:
        return release_id(Settings.model_validate(parts))

    same = of()
    assert of(run={"workers": 3}, log_dir="elsewhere", alerts={"day_usd": 3}) == same
    assert of(models={"api_key": "secret"}, learning={"collect_share": 0.05}) == same
    categories = [{"name": "general", "description": "All"}]
    assert len({same, of(policy={"review_below": 0.6}), of(models={"names": ["a"]}), of(categories=categories)}) == 4

"""A command that somebody types in the wrong folder says so, before it lists what is missing there."""

from __future__ import annotations

import json

import pytest

from .conftest import Command

NOWHERE = {"TICKETBOT_STATE_DIR": "", "TICKETBOT_LOG_DIR": ""}


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("retry", "list"),
        ("undo", "latest"),
        ("report",),
        ("report", "--escalated"),
        ("audit", "verify"),
        ("audit", "show", "1"),
        ("audit", "show"),
        ("alerts", "--test"),
        ("learn", "show"),
        ("learn", "review"),
        ("learn", "approve", "1"),
        ("learn", "pin", "1"),
        ("eval", "--gate", "--candidate", "x.toml"),
    ],
    ids=" ".join,
)
def test_where_there_are_no_settings_the_first_sentence_says_so(bare: Command, arguments: tuple[str, ...]) -> None:
    ended = bare(*arguments, code=None, **NOWHERE)
    assert ended.code in (2, 3)
    first = ended.err.splitlines()[0]
    assert f"there is no ticketbot.toml in {bare.folder.resolve()}" in first
    assert "--config" in first
    assert "ticketbot init" in first
    assert [path.name for path in bare.folder.iterdir()] == []


@pytest.mark.parametrize("kind", ["a file named", "a file here", "secrets here", "the environment"])
def test_whoever_has_settings_is_told_what_is_wrong_with_them_alone(bare: Command, kind: str) -> None:
    path = bare.folder / {"a file named": "other.toml", "secrets here": ".env"}.get(kind, "ticketbot.toml")
    environ = {**NOWHERE, "ZENDESK_SUBDOMAIN": "acme"} if kind == "the environment" else NOWHERE
    if kind != "the environment":
        path.write_text("ZENDESK_SUBDOMAIN=acme\n" if path.name == ".env" else '[zendesk]\nurl = "acme"\n')
    named = ("--config", path.name) if kind == "a file named" else ()
    problems = json.loads(bare("run", "--json", *named, code=2, **environ).out)["error"]
    assert [problem.partition(":")[0] for problem in problems] == ["no credentials"]
    assert "there is no ticketbot.toml" not in bare("report", *named, code=2, **environ).err

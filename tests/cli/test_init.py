"""``ticketbot init``: files to start from that work as they are, and a look at what can be reached."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ticket_processor.analysis.model_server.settings import ModelSettings
from ticket_processor.commands import doctor
from ticket_processor.core.clock import Deadline
from ticket_processor.monitoring.health_checks import Status
from ticket_processor.policy.decide import Policy
from ticket_processor.policy.note import NoteWhen
from ticket_processor.settings.load import load
from ticket_processor.settings.schema import Settings
from ticket_processor.settings.sources import VARIABLES

from ..servers.scripted import reply, scripted
from .conftest import Command, Desk

_SETTING_COMMENTED_OUT = re.compile(r"^# (?=\[|\"?[\w.-]+\"? = )", re.MULTILINE)
NEW = Policy(note=NoteWhen.WHEN_USEFUL, tag_secondary=True, rules_may_set=("tags", "priority"))
"""What a new site begins with, where it is not the default."""


@pytest.fixture
def written(bare: Command) -> Path:
    bare("init", "--offline")
    return bare.folder / "ticketbot.toml"


def uncommented(path: Path) -> str:
    return _SETTING_COMMENTED_OUT.sub("", path.read_text(encoding="utf-8"))


def test_both_files_are_written_once_and_offline_nobody_is_asked(desk: Desk) -> None:
    first = desk("init", "--offline")
    assert [line.split()[0] for line in first.out.splitlines()] == ["ok", "ok", "Next:"]
    assert ".env" in first.out.splitlines()[-1]
    for name in ("ticketbot.toml", ".env.example"):
        (desk.folder / name).write_text("mine", encoding="utf-8")
    second = desk("init", "--offline")
    assert second.out.count("stays as it is") == 2
    assert (desk.folder / "ticketbot.toml").read_text(encoding="utf-8") == "mine"
    assert desk.seen == []
    (desk.folder / ".env.example").unlink()
    desk("init", "--offline")
    assert (desk.folder / "ticketbot.toml").read_text(encoding="utf-8") == "mine"
    assert "ZENDESK_URL" in (desk.folder / ".env.example").read_text(encoding="utf-8")


def test_the_files_go_where_they_are_asked_for(bare: Command) -> None:
    (bare.folder / "site").mkdir()
    bare("init", "site", "--offline")
    assert {path.name for path in (bare.folder / "site").iterdir()} == {"ticketbot.toml", ".env.example"}


def test_the_next_step_names_the_file_where_it_is_elsewhere(smart: Desk) -> None:
    (smart.folder / "site").mkdir()
    last = smart("init", "site").out.splitlines()[-1]
    assert last.startswith(f"Next: ticketbot run --config {Path('site') / 'ticketbot.toml'} --dry-run --since 1d")


def test_the_file_loads_as_it_is_and_a_new_site_begins_with_notes_when_useful_second_tags_and_careful_rules(
    written: Path,
) -> None:
    assert load(folder=written.parent, environ={}, need_helpdesk=False) == Settings(policy=NEW)
    lines = written.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 60
    assert "docs/settings.md" in lines[0]


def test_without_the_file_or_with_an_older_one_all_is_as_it_was(tmp_path: Path) -> None:
    every = ("tags", "priority", "group", "fields")
    for text in (None, "[policy]\nreview_below = 0.5\n"):
        if text is not None:
            (tmp_path / "ticketbot.toml").write_text(text, encoding="utf-8")
        policy = load(folder=tmp_path, environ={}, need_helpdesk=False).policy
        assert (policy.note, policy.tag_secondary, policy.rules_may_set) == (NoteWhen.ALWAYS, False, every)


def test_the_file_loads_with_every_line_uncommented(written: Path) -> None:
    text = uncommented(written)
    assert text.count("\n# ") < written.read_text(encoding="utf-8").count("\n# ")
    written.write_text(text, encoding="utf-8")
    settings = load(folder=written.parent, environ={}, need_helpdesk=False)
    assert settings.taxonomy.names == ("billing", "general")
    assert settings.policy.tags.mode == "suggest"
    assert settings.models.names == ("gpt-6-luna",)


def test_every_variable_is_in_the_example_and_the_example_works_as_it_is(written: Path) -> None:
    example = written.with_name(".env.example").read_text(encoding="utf-8")
    for name in VARIABLES:
        assert re.search(rf"^# {name}=$", example, re.MULTILINE), name
    written.with_name(".env").write_text(example.replace("# ZENDESK", "ZENDESK"), encoding="utf-8")
    settings = load(folder=written.parent, environ={}, need_helpdesk=False)
    assert settings == Settings(policy=NEW)


def test_without_an_account_it_says_what_is_missing(bare: Command) -> None:
    ended = bare("init")
    todo = [line for line in ended.out.splitlines() if line.startswith("todo ")]
    assert len(todo) == 3
    assert "ZENDESK_SUBDOMAIN" in ended.out
    last = ended.out.splitlines()[-1]
    assert last.startswith("Next: ")
    assert ".env" in last
    assert "ticketbot run --dry-run --since 1d" in last


def test_wrong_credentials_are_told_and_3(smart: Desk) -> None:
    ended = smart("init", code=3, ZENDESK_OAUTH_CLIENT_SECRET="Wrong-Secret-3", OPENAI_API_KEY="Wrong-Secret-4")
    failed = [line for line in ended.out.splitlines() if line.startswith("FAIL ")]
    assert len(failed) == 2
    assert "Wrong-Secret" not in ended.out + ended.err


def test_models_for_which_there_is_no_time_left_have_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "Deadline", lambda clock, _seconds: Deadline(clock, 0.3))
    with scripted(reply({}, ends="hang")) as server:
        settings = Settings(models=ModelSettings(names=("slow", "next"), base_url=server.url))
        found = list(doctor.check_models(settings))
    assert [check.status for check in found] == [Status.FAIL, Status.FAIL]
    assert "model next: " in found[1].text

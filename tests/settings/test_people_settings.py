"""The settings by which people keep tickets for themselves, or stop everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticket_processor.core.errors import ConfigError
from ticket_processor.settings.load import load
from ticket_processor.settings.schema import Settings

GOOD = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": "t0ken"}


def settings(folder: Path, toml: str = "", **environ: str) -> Settings:
    (folder / "ticketbot.toml").write_text(toml, encoding="utf-8")
    return load(folder=folder, environ={**GOOD, **environ})


@pytest.mark.parametrize("yes", ["1", "true", "yes", "STOP", "please", "2026-11-21"])
def test_anything_but_a_clear_no_in_the_environment_stops(tmp_path: Path, yes: str) -> None:
    assert settings(tmp_path, TICKETBOT_STOP=yes).run.stop


def test_the_hands_off_tag_follows_the_prefix(tmp_path: Path) -> None:
    assert settings(tmp_path).hands_off_tag == "ai_hands_off"
    assert settings(tmp_path, '[policy]\ntag_prefix = "tb_"\n').hands_off_tag == "tb_hands_off"


@pytest.mark.parametrize(
    ("toml", "name"),
    [
        ("[run]\nwait_minutes = -1\n", "run.wait_minutes"),
        ("[run]\nwait_minutes = 1441\n", "run.wait_minutes"),
        ("[run]\ncanary_percent = 101\n", "run.canary_percent"),
        ('[skip]\nchannels = "chat"\n', "skip.channels"),
        ('[skip]\ntags = [""]\n', "skip.tags"),
        ('[skip]\nbrands = ["acme"]\n', "skip.brands"),
        ('[skip]\nrequesters = ["Somebody Secret"]\n', "skip.requesters"),
        ("[skip]\nmachine_mails = true\n", "skip.machine_mails"),
    ],
)
def test_what_can_never_hold_is_refused_by_its_name_and_not_quoted(tmp_path: Path, toml: str, name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        settings(tmp_path, toml)
    (problem,) = {sentence.partition(":")[0].partition(" ")[0] for sentence in refused.value.problems}
    assert problem.startswith(name)
    assert "Secret" not in str(refused.value)

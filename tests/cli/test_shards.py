"""``ticketbot run --shard``: one account, several drivers, each with its tickets."""

from __future__ import annotations

from pathlib import Path

from ticket_processor.helpdesk.protocol import Shard
from ticket_processor.settings.load import load

from .conftest import Desk

FIRST = Shard(1, 2)


def test_a_state_keeps_to_its_shard_and_says_what_to_do(desk: Desk) -> None:
    desk("run", "--shard", "1/2", "--since", "1d")
    for options in (("--shard", "2/2"), ("--shard", "1/3"), ()):
        refused = desk("run", *options, code=2)
        assert "is of shard 1/2" in refused.err
        assert "TICKETBOT_STATE_DIR" in refused.err
    assert desk.marked() == [number for number in desk.tickets if FIRST.has(number)]
    assert "--since" not in desk("run", "--shard", "1/2").err


def test_limits_and_a_days_budget_are_divided_among_the_shards(tmp_path: Path) -> None:
    (tmp_path / "ticketbot.toml").write_text("[run]\nlimit_share = 0.6\n[budget]\nday_usd = 9\nrun_usd = 1\n", "utf-8")
    environ = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": "t0ken"}
    whole = load(folder=tmp_path, environ=environ)
    part = load(folder=tmp_path, environ=environ, flags={("run", "shard"): "2/3"})
    assert (whole.run.limit_share, whole.budget.day_usd) == (0.6, 9)
    assert abs(part.run.limit_share - 0.2) < 1e-9
    assert (part.budget.day_usd, part.budget.run_usd) == (3, 1)

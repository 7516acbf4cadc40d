"""``ticketbot seed``: invented tickets into an account, once, and only where they belong."""

from __future__ import annotations

import re
from pathlib import Path

from .conftest import OpenDesk, Unmarked


def test_an_account_that_looks_like_production_is_refused_unless_somebody_insists(
    open_desk: OpenDesk, tmp_path: Path
) -> None:
    (tmp_path / "own.jsonl").write_text('{"subject": "a"}\n{"subject": "b"}\n', encoding="utf-8")
    desk = open_desk(3, kind=Unmarked, plan="enterprise")
    refused = desk("seed", "--file", "own.jsonl", code=2)
    assert "looks like production" in refused.err
    assert "127.0.0.1" in refused.err
    assert "300 a minute" in refused.err
    assert "--yes-this-is-a-sandbox" in refused.err
    assert all(request.startswith("GET ") or "oauth" in request for request in desk.helpdesk_requests())
    assert len(desk.tickets) == 3

    desk("seed", "--file", "own.jsonl", "--yes-this-is-a-sandbox")
    assert len(desk.tickets) == 5


def test_a_trial_account_is_known_by_its_limits(open_desk: OpenDesk, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text('{"subject": "a"}\n', encoding="utf-8")
    desk = open_desk(0, kind=Unmarked, plan="sandbox")
    assert "limit of 40" in desk("seed", "--file", "own.jsonl").out
    assert len(desk.tickets) == 1


def test_seeding_needs_an_account_and_the_right_credentials(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    assert desk("seed", code=3, ZENDESK_OAUTH_CLIENT_SECRET="wrong").err
    assert "ZENDESK_SUBDOMAIN" in desk("seed", code=2, ZENDESK_URL="").err


def test_a_lost_reply_is_not_repeated_and_seeding_again_doubles_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk(0, faults="lost-reply:POST:/tickets:times=1")
    ended = desk("seed", "--count", "20", code=3)
    assert "seed again" in ended.err
    assert sum(name.startswith("POST /api/v2/tickets") for name in desk.helpdesk_requests()) == 1
    desk("seed", "--count", "20")
    assert len({desk.ticket(number)["external_id"] for number in desk.tickets}) == len(desk.tickets) == 20


# Newly written by a model


def test_cost_is_counted_and_a_budget_stops_it_with_1(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True)
    desk.configure("[models.prices]\nsandbox-model = [1.0, 10.0, 0.5]\n[budget]\nrun_usd = 0.05\n")
    told = desk("seed", "--llm", "--count", "400", code=1).out
    found = re.search(
        r"(\d+) tickets written\..* out, \$([\d.]+)\..* (\d+) are missing: the budget of a run is spent", told
    )
    assert found, told
    assert 0 < float(found[2]) <= 0.05
    assert int(found[1]) == len(desk.tickets) == 400 - int(found[3]) > 0


def test_a_model_that_cannot_be_used_is_3_and_nothing_is_created(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True)
    assert "model_unknown" in desk("seed", "--llm", code=3, TICKETBOT_MODELS="no-such-model").err
    assert "model_not_authorised" in desk("seed", "--llm", code=3, OPENAI_API_KEY="wrong").err
    down = desk("seed", "--llm", code=3, OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert "does not answer: model_unreachable" in down.err
    assert not desk.tickets


def test_production_is_refused_before_anything_is_paid_for(open_desk: OpenDesk) -> None:
    desk = open_desk(3, kind=Unmarked, plan="enterprise", model=True)
    assert "looks like production" in desk("seed", "--llm", code=2).err
    assert not desk.model_requests()

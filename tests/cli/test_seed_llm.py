"""``ticketbot seed --llm``: tickets newly written by the sandbox's model, put into the account."""

from __future__ import annotations

import re

from ticket_processor.core.taxonomy import default_taxonomy

from .conftest import OpenDesk


def test_a_model_writes_tickets_of_every_category_in_every_mood(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True)
    told = desk("seed", "--llm", "--language", "de").out
    leaves = [name for name in default_taxonomy().names if not default_taxonomy().children(name)]
    count = 3 * len(leaves)
    assert re.search(rf"^{count} tickets written. Tokens: [1-9]\d* in, [1-9]\d* out. {count} tickets", told, re.M)
    assert "missing" not in told
    assert len(desk.tickets) == count


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


def test_wrong_wishes_are_2_and_all_told_at_once(open_desk: OpenDesk) -> None:
    bare = open_desk(0)
    wrong = ("--category", "gardening", "--language", "Klingon")
    told = bare("seed", "--llm", *wrong, code=2, TICKETBOT_MODELS="").err
    assert re.search("--category gardening: none of billing", told)
    assert "--language Klingon" in told
    assert "TICKETBOT_MODELS" in told
    assert "belong to --llm" in bare("seed", "--language", "de", code=2).err
    assert "choose one" in bare("seed", "--llm", "--file", "x.jsonl", code=2).err


def test_production_is_refused_before_anything_is_paid_for(open_desk: OpenDesk) -> None:
    from .conftest import Unmarked

    desk = open_desk(3, kind=Unmarked, plan="enterprise", model=True)
    assert "looks like production" in desk("seed", "--llm", code=2).err
    assert not desk.model_requests()

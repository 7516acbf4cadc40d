"""List prices: for known models, with their date, and never over the settings' own."""

from __future__ import annotations

import re

import pytest

from ticket_processor.analysis.model_server.presets import LIST_PRICES, LISTED, list_price, price_note, resolve, targets
from ticket_processor.analysis.model_server.settings import ModelSettings
from ticket_processor.commands.screen import summary_text
from ticket_processor.core.models import Usage
from ticket_processor.core.run_summary import RunSummary
from ticket_processor.settings.checks import misfits


def models(**settings: object) -> ModelSettings:
    return ModelSettings.model_validate({"api_key": "k", **settings})


@pytest.mark.parametrize(
    "name", ["gpt-5-mini", "openai/gpt-5-mini", "gpt-5-mini-2025-08-07", "azure/gpt-5-mini-2025-08-07"]
)
def test_a_known_model_has_its_list_price_under_all_its_names(name: str) -> None:
    assert list_price(name) == LIST_PRICES["gpt-5-mini"]


@pytest.mark.parametrize("name", ["qwen3:8b", "gpt-5-mini-tuned", "my/gpt-5-mini", "", "gpt"])
def test_an_unknown_model_has_no_price(name: str) -> None:
    assert list_price(name) is None
    assert price_note(()) == ""


def test_every_list_price_is_one_and_the_list_has_its_date() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", LISTED)
    for fresh, output, cached in LIST_PRICES.values():
        assert 0 < cached <= fresh < output


def test_the_price_of_the_settings_wins_and_is_no_list_price() -> None:
    own = resolve(models(names=["gpt-5-mini"], prices={"gpt-5-mini": (1, 2, 3)}), "gpt-5-mini")
    assert (own.price, own.listed) == ((1, 2, 3), False)
    listed = models(names=["cheap", "other"], use={"cheap": {"model": "gpt-5-nano"}})
    assert [target.price for target in targets(listed)] == [LIST_PRICES["gpt-5-nano"], None]
    assert price_note(targets(listed)) == f"list price of {LISTED} for cheap"


def test_a_server_of_ones_own_costs_what_the_settings_say_whatever_its_model_is_called() -> None:
    assert resolve(models(names=["gpt-5-mini"], preset="ollama"), "gpt-5-mini").price is None


def test_a_run_says_once_whose_prices_its_cost_is_counted_by() -> None:
    summary = RunSummary(run_id="r", dry_run=False, usage=Usage(input=9, output=1), cost_usd=0.5, price_note="list X")
    assert "$0.5000 (list X)" in summary_text(summary, None)
    unknown = summary.model_copy(update={"cost_usd": 0.0, "price_note": "", "unpriced": 1})
    assert "1 out, no price" in summary_text(unknown, None)
    free = unknown.model_copy(update={"unpriced": 0})
    assert "no price" not in summary_text(free, None)


def test_a_budget_in_dollars_needs_no_price_for_a_model_of_the_list() -> None:
    def told(**settings: object) -> str:
        return " ".join(misfits({"models": settings, "budget": {"run_usd": 1.0}}))

    assert "no price" not in told(names=["gpt-5-mini"])
    assert "no price for gpt-5-mini" in told(names=["gpt-5-mini"], preset="vllm")
    assert "no price for other" in told(names=["other"])

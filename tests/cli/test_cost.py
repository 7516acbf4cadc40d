"""What models cost: repeats are free, limits hold, and a dry run says what is to be expected."""

from __future__ import annotations

from .conftest import OpenDesk

PRICED = '[models.prices]\n"sandbox-model" = [10.0, 40.0, 1.0]\n'


def test_the_days_budget_holds_over_runs_and_rules_do_the_rest(open_desk: OpenDesk) -> None:
    desk = open_desk(8, model=True)
    desk.configure(PRICED + "[budget]\nday_usd = 0.06\n")
    desk("run", "--since", "1d", "--limit", "4", "--workers", "1")
    desk("run", "--workers", "1")
    desk.assert_done()
    lines = desk.events("ticket")
    spent = sum(line["cost_usd"] or 0 for line in lines)
    assert 0 < spent <= 0.06
    assert 0 < desk.sandbox.llm_calls < 8
    whys = {line["analysis"]["why_fallback"] for line in lines if line["analysis"]["source"] == "rules"}
    assert whys == {"budget_of_day_spent"}


def test_a_budget_without_a_price_is_refused_with_the_setting_named(open_desk: OpenDesk) -> None:
    desk = open_desk(1, model=True)
    desk.configure("[budget]\nrun_usd = 0.5\n")
    assert "models.prices has no price for sandbox-model" in desk("run", "--since", "1d", code=2).err


SIXTY = [{"subject": f"Order {n}", "body": f"Where is my order {n}? It is late.", "age": 3600.0} for n in range(60)]
UNKEPT = '[models.prices]\n"sandbox-model" = [0.25, 2.0, 0.025]\n[cache]\ndays = 0\n'


def test_sixty_tickets_share_a_budget_to_its_end_and_no_further(open_desk: OpenDesk) -> None:
    desk = open_desk(SIXTY, model=True)
    dry = ("run", "--since", "1d", "--dry-run", "--workers", "8", "--json")
    desk.configure(UNKEPT)
    whole = desk(*dry).object["cost_usd"]
    desk.configure(f"{UNKEPT}[budget]\nrun_usd = {1.3 * whole:.6f}\n")
    assert desk(*dry).object["sources"] == {"model": 60}
    limit = round(0.44 * whole, 6)
    desk.configure(f"{UNKEPT}[budget]\nrun_usd = {limit}\n")
    tight = desk(*dry).object
    assert tight["sources"]["model"] >= 20
    assert 0.95 * limit <= tight["cost_usd"] <= limit
    print(f"60 tickets cost {whole}; of {limit} {tight['cost_usd']} were spent on {tight['sources']}")

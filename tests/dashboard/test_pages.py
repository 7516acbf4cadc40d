from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ticket_processor import __version__
from ticket_processor.learning.store import FILE_NAME as LEARNT
from ticket_processor.learning.store import LearningStore, Reaction
from ticket_processor.monitoring.memory import AlertStore, Memory, OpenAlert
from ticket_processor.state.store import FILE_NAME

from .conftest import Pages, values, words
from .logs import DAY, HOUR, NOW, failed, fell_back, run, ticket

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.slow  # each page is run whole

ALL = ("overview", "tickets", "review", "try_it", "costs", "runs")
FIGURES = ("overview", "tickets", "costs", "runs")
HOSTILE = "![x](http://127.0.0.1:9/x.png) <img src=x> [l](http://127.0.0.1:9/) $a_b$ :red[x]"


def charts(page: AppTest) -> int:
    return len(page.get("vega_lite_chart"))


def cells(page: AppTest, column: str) -> list[object]:
    return [value for table in page.dataframe if column in table.value for value in table.value[column].tolist()]


# Every page


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_a_log_that_is_not_there_yet_is_no_error(pages: Pages, name: str) -> None:
    page = pages.open(name)
    assert not page.error or name == "runs"
    assert page.title[0].value
    if name in FIGURES:
        assert "no log yet" in page.info[0].value
        assert "ticketbot run" in page.info[0].value


@pytest.mark.parametrize("name", FIGURES)
def test_a_log_that_cannot_be_read_is_told_in_a_sentence(pages: Pages, name: str) -> None:
    pages.log(ticket(1))
    (file,) = pages.logs.glob("*.jsonl")
    file.write_text('{"event":"segment","cipher":{}}\n{"seq":1,"sealed":"AAAA"}\n', encoding="utf-8")
    if name == "runs":
        pages.state.mkdir()
        spend = OpenAlert(since=NOW - 60, message="it is dear")
        AlertStore(pages.state, pages.logs).save(Memory(conditions={"spend": spend}), NOW)
    page = pages.open(name)
    assert "TICKETBOT_AUDIT_ENCRYPTION_KEYS" in page.text[-1].value
    assert "cannot be shown" in page.error[-1].value
    if name == "runs":
        assert "as far as looked at" in words(page)
        assert cells(page, "Check")
        assert cells(page, "What") == ["it is dear"]


@pytest.mark.parametrize("name", ALL)
def test_no_page_shows_a_secret_and_no_words_of_a_log_become_mark_up(pages: Pages, name: str) -> None:
    secret = "Secret-0123456789abcdef"
    pages.configure(
        zendesk={"url": "http://127.0.0.1:9", "oauth_token": secret},
        models={"names": ["model-a"], "api_key": secret},
        audit={"keys": [secret]},
    )
    pages.log(
        ticket(1, category=HOSTILE, language=HOSTILE, model=HOSTILE, reason=HOSTILE, summary=HOSTILE, run=HOSTILE),
        fell_back(2, why_fallback=HOSTILE),
        *run(HOSTILE, 2 * HOUR, stopped=HOSTILE),
    )
    page = pages.open(name, {"ticket": "1"} if name == "tickets" else {})
    assert secret not in str(page)
    assert "127.0.0.1:9/" not in words(page)
    assert not page.get("html")


def test_words_of_the_note_and_of_evidence_are_not_shown(pages: Pages) -> None:
    pages.log(ticket(1))
    assert "Words of the note" not in str(pages.open("tickets", {"ticket": "1"}))


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_page_says_which_account_and_by_which_version(pages: Pages, name: str) -> None:
    pages.configure(zendesk={"url": "acme", "oauth_token": "token"})
    pages.log(ticket(1), *run("run-1", 2 * HOUR))
    page = pages.open(name)
    assert f"acme.zendesk.com  ·  ticketbot {__version__}" in [text.value for text in page.text]
    if name in FIGURES:
        assert "2026-11-13 12:31 to 2026-11-20 12:30 UTC, as of 2026-11-20 12:30 UTC" in words(page)


# Overview


def test_the_overview_compares_the_period_with_the_one_before(pages: Pages) -> None:
    pages.log(
        ticket(1), ticket(2), fell_back(3), failed(4), ticket(10, 8 * DAY), ticket(11, 9 * DAY), ticket(90, 40 * DAY)
    )  # fmt: skip
    page = pages.open("overview")
    shown = values(page)
    assert shown["Tickets"] == ("4", "+2")
    assert shown["Success rate"] == ("75.0%", "-25.0 pts")
    assert shown["Fallback rate"] == ("33.3%", "+33.3 pts")
    assert shown["Latency p95"] == ("1.0 s", "")
    assert shown["Cost"] == ("$0.020", "")
    assert charts(page) == 7


def test_the_overview_begins_with_what_a_lead_looks_for(pages: Pages) -> None:
    escalation = ticket(5)["change"] | {"escalated": ["critical"]}
    pages.log(*(ticket(number) for number in range(1, 5)), ticket(5, change=escalation))
    page = pages.open("overview")
    assert [tile.label for tile in page.metric][:4] == ["Tickets", "Escalated", "Unsure", "Success rate"]
    shown = values(page)
    assert shown["Escalated"][0] == "1"
    (row,) = page.dataframe[0].value.to_dict("records")
    assert row["Ticket"] == "5"
    assert not {"Subject", "Status"} & set(row)
    assert "1 escalated" in words(page)


# Filters


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "line"),
    [
        ({"category": "refund"}, ticket(2, category="refund")),
        ({"urgency": "high"}, ticket(2, urgency="high")),
        ({"sentiment": "negative"}, ticket(2, sentiment="negative")),
        ({"secondary": "refund"}, ticket(2, secondary=["refund", "order"])),
        ({"language": "de"}, ticket(2, language="de")),
        ({"outcome": "suggested"}, ticket(2, outcome="suggested")),
        ({"analyser": "rules"}, fell_back(2)),
    ],
    ids=lambda given: next(iter(given)) if len(given) == 1 else "",
)
def test_each_filter_narrows_by_itself(pages: Pages, query: dict[str, str], line: dict[str, object]) -> None:
    pages.log(ticket(1), line, ticket(3))
    assert cells(pages.open("tickets", query), "Ticket") == [2]


# Tickets


def test_the_table_comes_in_pages_with_the_newest_first(pages: Pages) -> None:
    pages.log(*(ticket(n, n * 60.0) for n in range(1, 121)))
    page = pages.open("tickets")
    assert cells(page, "Ticket") == list(range(1, 51))
    assert "120 receipts; 1 to 50" in page.caption[1].value
    page = pages.open("tickets", {"page": "3"})
    assert cells(page, "Ticket") == list(range(101, 121))


def test_a_page_that_is_not_there_any_more_is_not_asked_for(pages: Pages) -> None:
    pages.log(*(ticket(n, n * 60.0, category="refund" if n < 3 else "billing") for n in range(1, 121)))
    page = pages.open("tickets", {"page": "3"})
    page.multiselect(key="category").set_value(["refund"]).run()
    assert cells(page, "Ticket") == [1, 2]
    assert len(cells(pages.open("tickets", {"page": "99"}), "Ticket")) == 50


def test_the_table_is_searched_and_sorted_as_a_whole(pages: Pages) -> None:
    pages.log(*(ticket(n, n * 60.0, confidence=n / 200, language="fr" if n > 90 else "en") for n in range(1, 121)))
    page = pages.open("tickets")
    page.text_input(key="q").set_value(" FR ").run()
    assert cells(page, "Ticket") == list(range(91, 121))
    page.selectbox(key="sort").set_value("Ticket, highest first").run()
    assert cells(page, "Ticket") == list(range(120, 90, -1))
    page.text_input(key="q").set_value("nothing is like this").run()
    assert "Nothing that is like this" in page.info[0].value


def test_a_tickets_number_opens_its_story(pages: Pages) -> None:
    intent = {**ticket(7, 2 * HOUR), "event": "intent", "analysis": None}
    alert = {
        "ts": "2026-11-20T11:59:00.000Z",
        "event": "alert",
        "run_id": "run-1",
        "what": "dead_letter",
        "ticket_id": 7,
    }
    undone = ticket(7, 600.0, run="run-2-undo", analysis=None, reason="undone")
    pages.log(intent, ticket(7, 2 * HOUR - 1, summary="Asks for [EMAIL_1]"), alert, undone, ticket(8))
    page = pages.open("tickets")
    page.number_input(key="ticket").set_value(7).run()
    told = [text.value for text in page.text[1:]]
    assert "undone" in told[0]
    assert "dead_letter" in told[1]
    assert told[3] == "Asks for [EMAIL_1]"
    assert "about to be written" in told[4]
    assert "ai_billing" in cells(page, "After")
    assert "model-a" in cells(page, "Value")
    page.button[0].click().run()
    assert cells(page, "Ticket")


# Costs


def test_costs_are_split_by_model_and_told_against_the_budget(pages: Pages) -> None:
    pages.configure(budget={"day_usd": 0.04})
    pages.log(ticket(1), ticket(2, model="model-b"), fell_back(3), ticket(4, DAY))
    page = pages.open("costs")
    shown = values(page)
    assert shown["Cost"][0] == "$0.030"
    assert shown["Cost per ticket"][0] == "$0.0075"
    assert shown["Tokens"][0] == "1,800"
    assert cells(page, "Answered by") == ["model-a", "model-b", "rules"]
    assert charts(page) == 2
    assert cells(page, "Why") == ["timeout"]
    told = [bar.proto.text for bar in page.get("progress")]
    assert told == [r"Today (UTC): \$0.020 of \$0.040, 50%"]


def test_what_models_without_a_price_cost_is_not_said_to_be_nothing(pages: Pages) -> None:
    pages.log(ticket(1, cost_usd=None), ticket(2, cost_usd=None), fell_back(3))
    for name in ("overview", "costs"):
        page = pages.open(name)
        assert values(page)["Cost"][0] == "–"
        assert "the cost of 2 answers by models without a price" in words(page)
    assert values(page)["Cost per ticket"][0] == "–"
    pages.log(ticket(4))
    page = pages.open("costs")
    assert values(page)["Cost"][0] == "$0.010"


# Runs and health


def test_service_levels_are_told_against_the_settings(pages: Pages) -> None:
    pages.configure(slo={"success": 0.9, "latency_s": 0.5})
    pages.log(ticket(1), ticket(2), fell_back(3), failed(4), *run("run-1", 2 * HOUR))
    page = pages.open("runs")
    assert cells(page, "Reached") == ["75.0%", "0.0%"]
    assert cells(page, "Target")[0] == "90.0%"
    assert cells(page, "Result") == ["missed", "missed"]
    assert "Unplanned fallback rate: 33.3%; an alert comes above 10.0%." in words(page)


def test_runs_are_listed_with_their_exit_codes(pages: Pages) -> None:
    killed = run("run-3", HOUR)[:1]
    pages.log(
        ticket(1),
        *run("run-1", 3 * HOUR),
        *run("run-2", 2 * HOUR, exit_code=3, stopped="the helpdesk is down"),
        *killed,
        *({**line, "dry_run": True} for line in run("run-0", 4 * HOUR)),
    )
    page = pages.open("runs")
    assert cells(page, "Run") == ["run-3", "run-2", "run-1", "run-0"]
    assert cells(page, "Exit code") == ["unfinished", "3", "0", "0"]
    assert "the helpdesk is down" in cells(page, "Ended early")
    told = dict(zip(cells(page, "Measure"), cells(page, "Value"), strict=True))
    assert (told["runs"], told["dry runs"], told["without an end"]) == ("3", "1", "1")


def test_health_is_looked_at_without_asking_a_server(pages: Pages) -> None:
    pages.configure(zendesk={"url": "http://127.0.0.1:9", "oauth_token": "token"})
    page = pages.open("runs")
    found = dict(zip(cells(page, "Check"), cells(page, "Found"), strict=True))
    assert found["helpdesk"] == "not asked (--offline)"
    assert "free" in str(found["log_folder"])
    assert "'ticketbot health' does" in words(page)


def test_what_cannot_be_read_is_not_said_to_be_nothing(pages: Pages) -> None:
    pages.state.mkdir(exist_ok=True)
    for name in (FILE_NAME, "alerts.json"):
        (pages.state / name).write_text("neither a database nor an object " * 200, encoding="utf-8")
    said = words(pages.open("runs"))
    assert "1 failed" in said
    assert "Open alerts are not known: alerts.json" in said
    assert "as far as looked at" in said
    assert "No alert is open" not in said


def test_open_alerts_are_shown_the_worst_first(pages: Pages) -> None:
    pages.state.mkdir(exist_ok=True)
    AlertStore(pages.state, pages.logs).save(
        Memory(
            conditions={
                "spend": OpenAlert(message="it is dear", since=NOW - 900),
                "helpdesk_unreachable": OpenAlert(message="it is away", since=NOW - 60),
                "stopped": OpenAlert(message="is over", since=NOW - 60, over=NOW),
            }
        ),
        NOW,
    )
    assert cells(pages.open("runs"), "What") == ["it is away", "it is dear"]


# Try it


def test_a_pasted_ticket_is_shown_on_its_way_and_stored_nowhere(pages: Pages) -> None:
    before = {path: path.stat() for path in pages.folder.rglob("*")}
    page = pages.open("try_it")
    page.text_input[0].set_value("Charged twice")
    page.text_area[0].set_value("I was charged twice, my card is 4111 1111 1111 1111.\n\n-- \nJane Doe")
    page.button[0].click().run()
    shown = "\n".join(block.value for block in page.code)
    assert "[CARD_1]" in shown
    assert "4111" not in shown.split("Charged twice", 1)[1]
    assert "+ tag ai_billing" in shown
    assert "Triage: billing" in shown
    assert "category: billing" in shown
    assert {path: path.stat() for path in pages.folder.rglob("*")} == before


def answered(page: AppTest) -> list[str]:
    """What the page says of the chain's links, without the time that each took."""
    (block,) = page.code
    chain = block.value.partition("4. The chain\n")[2].partition("\n\n")[0]
    return [line.strip().rpartition(" (")[0] for line in chain.splitlines()]


def test_the_model_is_asked_only_where_that_is_ticked(pages: Pages) -> None:
    pages.configure(models={"names": ["model-a"], "base_url": "http://127.0.0.1:9/v1", "api_key": "key"})
    page = pages.open("try_it")
    page.text_area[0].set_value("The app crashes.")
    page.button[0].click().run()
    assert answered(page) == ["rules: answered"]
    page.checkbox[0].check()
    page.button[0].click().run()
    assert [line.split(":")[0] for line in answered(page)] == ["model-a", "rules"]


# Quality


def test_the_scoreboard_shows_what_people_made_of_labels(pages: Pages) -> None:
    pages.log(ticket(1))
    assert "No labels were confirmed" in words(pages.open("review"))

    def reaction(number: int, fate: Any, theirs: str | None = None) -> Reaction:
        label, at = "billing", NOW - HOUR
        return Reaction(
            number, "category", label, label, theirs, fate, "person", 7, at, at
        )  # fmt: skip

    pages.state.mkdir(exist_ok=True)
    with closing(LearningStore(pages.state / LEARNT)) as store:
        store.keep([reaction(1, "kept"), reaction(2, "kept"), reaction(3, "changed", "refund")])
    page = pages.open("review")
    assert any("3 tickets collected" in text.value for text in page.text)
    assert cells(page, "Accuracy")[0] == "67%"
    assert cells(page, "People say") == ["refund"]

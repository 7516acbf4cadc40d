"""What a team lead sees of a run: subjects and addresses, what is escalated, requests and decisions, reports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from .alarmed import Receiver
from .conftest import Desk, OpenDesk

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # some of Apprise's plugins use it
HACKED = {
    "subject": "Account of jane@example.com hacked",
    "body": "We have been hacked and somebody is stealing our data. Please help at once! WORDSofTHEcustomer",
}
CALM = {"subject": "Invoice", "body": "Hello, could you please send me the invoice for last month again? Thank you."}
ROWS = [{**row, "age": 7000.0 - number} for number, row in enumerate((HACKED, CALM, CALM))]


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk(ROWS)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def test_a_dry_run_and_json_have_the_same_under_clear_keys(desk: Desk) -> None:
    told = desk("run", "--since", "1d", "--dry-run", "--json").object
    first = next(item for item in told["planned"] if item["ticket_id"] == 1)
    assert first["url"] == f"{desk.url}/agent/tickets/1"
    assert "hacked" in first["subject"]
    assert told["to_look_at"]["escalated"] == 1
    assert told["tickets_to_look_at"][0]["ticket_id"] == 1
    assert "security" in told["tickets_to_look_at"][0]["reasons"]
    assert told["next"]
    shown = desk("run", "--since", "1d").out
    assert "jane@example.com" not in shown
    assert "to look at: 1 escalated" in shown
    logged = "".join(path.read_text(encoding="utf-8") for path in desk.logs.glob("*.jsonl"))
    assert "/agent/tickets/" not in logged


def test_escalated_tickets_are_told_once_without_a_customers_word(desk: Desk, receiver: Receiver) -> None:
    desk.environ |= {"TICKETBOT_ALERT_URLS": receiver.hook, "TICKETBOT_PAGE_URLS": receiver.hook + "2"}
    desk("run", "--since", "1d", "--quiet")
    (message,) = receiver.messages
    assert message["path"] == "/hook"
    assert "1 ticket escalated" in message["title"]
    assert message["message"].startswith("#1: security")
    assert f"{desk.url}/agent/tickets/1" in message["message"]
    assert "hacked" not in json.dumps(message)
    desk("run", "--quiet")
    assert len(receiver.messages) == 1


def test_whoever_could_not_be_told_of_escalated_tickets_is_told_by_the_next_run(desk: Desk, receiver: Receiver) -> None:
    desk.environ["TICKETBOT_ALERT_URLS"] = receiver.hook
    receiver.fails = True
    desk("run", "--since", "1d", "--quiet")
    receiver.fails = False
    desk("run", "--quiet")
    assert [message["message"][:3] for message in receiver.messages] == ["#1:"]


def test_what_is_escalated_and_still_open_is_listed(desk: Desk) -> None:
    desk("run", "--since", "1d", "--quiet")
    told = desk("report", "--escalated", "--json").object
    (one,) = told["tickets"]
    assert (one["ticket_id"], one["status"], one["url"]) == (1, "new", f"{desk.url}/agent/tickets/1")
    assert "hacked" in one["subject"]
    assert "jane@example.com" not in one["subject"]
    desk.sandbox.store.person_edit(1, status="solved")
    assert desk("report", "--escalated", "--json").object["tickets"] == []
    assert "1 ticket escalated" in desk("report", "--escalated").out


# Requests and decisions


@pytest.mark.parametrize("how", ["option", "variable"])
def test_requests_and_decisions_can_be_watched_without_a_secret_or_a_customers_word(
    open_desk: OpenDesk, how: str
) -> None:
    desk = open_desk(ROWS, model=True)
    desk.environ["OPENAI_API_KEY"] = desk.sandbox.credentials.openai_key
    if how == "option":
        ended = desk("run", "--since", "1d", "--verbose", "--json")
    else:
        ended = desk("run", "--since", "1d", "--json", TICKETBOT_LOG_LEVEL="DEBUG")
    assert ended.object["exit_code"] == 0, "standard output holds nothing else"
    assert re.search(
        r"^\S+Z ticketbot\.request: GET 127\.0\.0\.1/api/v2/incremental/tickets/cursor -> 200 in \d+ ms, request \w+$",
        ended.err,
        re.MULTILINE,
    )
    assert "POST 127.0.0.1/v1/chat/completions -> 200" in ended.err
    assert "ticketbot.decision: ticket 1: updated (by " in ended.err
    known = desk.sandbox.credentials
    for hidden in (known.oauth_client_secret, known.openai_key, "WORDSofTHE", "hacked", "start_time", "Bearer"):
        assert hidden not in ended.err

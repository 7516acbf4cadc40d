"""``ticketbot run`` over HTTP: what it writes, what it leaves alone, and what its options do."""

from __future__ import annotations

import json

from ticket_processor.sandbox.messages import Request, Response

from ..imitation import Sandbox
from .conftest import Desk, OpenDesk, is_update


def test_quiet_prints_nothing_when_all_is_good_and_what_went_wrong_otherwise(open_desk: OpenDesk) -> None:
    desk = open_desk(faults="status:PUT:/tickets/2$:status=422:times=1")
    first = desk("run", "--since", "1d", "--quiet", code=1)
    assert first.out == ""
    assert "ticket 2" in first.err
    second = desk("run", "--quiet")
    assert second.out == second.err == ""
    desk.assert_done()


def test_no_llm_asks_no_model(smart: Desk) -> None:
    ended = smart("run", "--since", "1d", "--no-llm")
    assert smart.model_requests() == []
    assert ended.err == "ticketbot: note: keyword rules understand the tickets, because of --no-llm\n"
    assert "no model" not in ended.out.partition("\nRun ")[2]
    assert "TICKETBOT_MODELS" not in str(
        smart("run", "--since", "1d", "--no-llm", "--dry-run", "--json").object["next"]
    )
    smart.assert_done()
    assert not any("ai_fallback" in smart.ticket(number)["tags"] for number in smart.tickets)


def test_a_named_ticket_that_is_not_there_is_exit_code_1(desk: Desk) -> None:
    assert desk("run", "--ticket", "1", "--ticket", "4711", "--json", code=1).object["exit_code"] == 1
    assert desk.events("run_finished")[-1]["exit_code"] == 1
    assert "no ticket has the number" in desk("run", "--ticket", "4711", code=1).out
    desk("run", "--ticket", "1")


def test_a_dry_run_shows_what_stays_remembers_nothing_and_leaves_the_place_of_the_next_run(smart: Desk) -> None:
    smart.sandbox.store.person_edit(1, add_tags=("vip",), priority="low")
    smart.advance(120)
    assert "priority stays low" in smart("run", "--since", "1d", "--dry-run", "--details").out
    # Answers that were paid for are kept, what seals its receipts, and an empty lock; nothing that says where a run has
    # come to.
    assert {path.name.partition("-")[0] for path in smart.state.iterdir()} == {
        *("answers.sqlite3", "audit.key", "erase.lock")
    }
    assert (smart.state / "erase.lock").stat().st_size == 0
    assert all(line["dry_run"] for line in smart.events())

    told = smart("run", "--since", "1d", "--dry-run", "--json").object
    assert {item["ticket_id"] for item in told["planned"]} == set(smart.tickets)
    assert all(item["change"]["tags_added"] for item in told["planned"])

    smart("run", code=2)  # nothing was remembered, so it still is the first run
    smart("run", "--since", "1d")
    smart.sandbox.store.create(subject="Refund", body="I want my money back, please.")
    smart.advance(120)
    assert "1 planned" in smart("run", "--dry-run").out
    assert "1 updated" in smart("run").out
    smart.assert_done()


def test_an_api_token_works_and_its_end_is_announced(desk: Desk) -> None:
    desk.environ |= {
        "ZENDESK_OAUTH_CLIENT_ID": "",
        "ZENDESK_OAUTH_CLIENT_SECRET": "",
        "ZENDESK_EMAIL": desk.sandbox.credentials.email,
        "ZENDESK_API_TOKEN": desk.sandbox.credentials.api_token,
    }
    ended = desk("run", "--since", "1d", "--json")
    assert "2027-04-30" in ended.err
    assert ended.object["outcomes"] == {"updated": 6}
    desk.assert_done()


class Indiscreet(Sandbox):
    """A helpdesk whose first note becomes public, whatever was sent."""

    told = False

    def handle(self, request: Request) -> Response:
        response = super().handle(request)
        if is_update(request) and response.status == 200 and not self.told:
            self.told = True
            body = response.json()
            for event in body["audit"]["events"]:
                if event["type"] == "Comment":
                    event["public"] = True
            response.body = json.dumps(body).encode()
        return response


def test_a_note_that_became_public_halts_every_run_until_somebody_resumes(open_desk: OpenDesk) -> None:
    desk = open_desk(kind=Indiscreet)
    ended = desk("run", "--since", "1d", code=3)
    assert "public" in ended.err
    (alert,) = [line for line in desk.events("alert") if "note_published" in json.dumps(line)]
    assert "public" in alert["message"]
    assert len(desk.marked()) == 1
    desk.helpdesk_requests()

    for _ in range(2):
        again = desk("run", code=3)
        assert "--resume" in again.err
        assert [name for name in desk.helpdesk_requests() if name.startswith("PUT")] == []
    assert len(desk.marked()) == 1

    desk("run", "--resume")
    desk.assert_done()
    desk("run")
    desk.assert_done()


def test_since_on_a_later_run_gives_up_the_cursor_and_says_so(desk: Desk) -> None:
    first = desk("run", "--since", "1d")
    assert first.err == ""
    assert not [line for line in desk.events("alert") if "since_replaces_cursor" in json.dumps(line)]
    second = desk("run", "--since", "1d")
    assert "note: --since was given" in second.err
    assert len([line for line in desk.events("alert") if "since_replaces_cursor" in json.dumps(line)]) == 1
    assert len(desk("run", "--since", "1d", "--json").object["remarks"]) == 1
    assert desk("run", "--dry-run", "--since", "1d").err == "", "a dry run gives nothing up"
    assert desk("run").err == ""
    desk.assert_done()

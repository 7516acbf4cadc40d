"""``ticketbot run`` over HTTP: what it writes and leaves alone, how many requests it takes, and its options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ticket_processor.helpdesk.protocol import Shard
from ticket_processor.sandbox.access import Credentials
from ticket_processor.sandbox.messages import Request, Response
from ticket_processor.settings.load import load

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


def test_a_named_ticket_that_is_not_there_is_exit_code_1(desk: Desk) -> None:
    assert desk("run", "--ticket", "1", "--ticket", "4711", "--json", code=1).object["exit_code"] == 1
    assert desk.events("run_finished")[-1]["exit_code"] == 1
    assert "no ticket has the number" in desk("run", "--ticket", "4711", code=1).out
    desk("run", "--ticket", "1")


def test_a_dry_run_shows_what_stays_remembers_nothing_and_leaves_the_place_of_the_next_run(smart: Desk) -> None:
    smart.sandbox.store.person_edit(1, add_tags=("vip",), priority="low")
    smart.advance(120)
    assert "priority stays low" in smart("run", "--since", "1d", "--dry-run", "--details").out
    # Answers that were paid for are kept, what seals its receipts, and an empty lock; not where a run has come to.
    kept = {path.name.partition("-")[0] for path in smart.state.iterdir()}
    assert kept == {"answers.sqlite3", "audit.key", "erase.lock"}
    assert (smart.state / "erase.lock").stat().st_size == 0
    assert all(line["dry_run"] for line in smart.events())

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


def test_many_tickets_take_few_requests(open_desk: OpenDesk) -> None:
    desk = open_desk(100)
    ended = desk("run", "--since", "1d", "--json")
    desk.assert_done()
    assert ended.object["outcomes"] == {"updated": 100}
    asked = desk.helpdesk_requests()
    assert not any(line.startswith("PUT") and not line.endswith("/update_many") for line in asked)
    assert sum(not line.endswith("/audits") for line in asked) <= 12
    assert len(asked) <= 40  # the first five and a sample of the rest are looked at closely
    told = [line for line in desk.events("ticket") if line["job"]]
    assert len(told) == 100
    assert {line["intent"] for line in told} <= {line["intent"] for line in desk.events("intent")}


LEAST = "read tickets:write"


def scoped(open_desk: OpenDesk, allowed: str, asked: str, tickets: int = 6) -> Desk:
    """An account whose OAuth client may have the scopes ``allowed``, and settings that ask for ``asked``."""
    desk = open_desk(tickets, credentials=Credentials(allowed_scopes=frozenset(allowed.split())))
    desk.configure(f'[zendesk]\noauth_scope = "{asked}"\n')
    return desk


@pytest.mark.parametrize("tickets", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_the_least_scopes_do_all_that_a_run_and_an_undo_need(open_desk: OpenDesk, tickets: int) -> None:
    desk = scoped(open_desk, LEAST, LEAST, tickets)
    ended = desk("run", "--since", "1d", "--json").object
    assert ended["outcomes"] == {"updated": tickets}
    assert ended["statement"]["checked"] == min(tickets, 20)
    desk.assert_done()
    desk("undo", ended["run_id"])
    assert desk.marked() == []


def test_a_scope_that_the_client_may_not_have_is_named_and_nothing_is_written(open_desk: OpenDesk) -> None:
    desk = scoped(open_desk, LEAST, "read write")
    told = " ".join(desk("run", "--since", "1d", code=3).err.split())
    assert "does not grant this OAuth client the scope 'read write' (invalid_scope)" in told
    assert "set zendesk.oauth_scope" in told
    assert desk.marked() == []


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
    for flags, found in (({}, (0.6, 9, 1)), ({("run", "shard"): "2/3"}, (0.2, 3, 1))):
        loaded = load(folder=tmp_path, environ=environ, flags=flags)
        assert (loaded.run.limit_share, loaded.budget.day_usd, loaded.budget.run_usd) == pytest.approx(found)

"""``ticketbot probe``: what an account does with jobs is found out on a scratch ticket, and remembered."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from ticket_processor.batch_trust import Learnt, learnt, remember
from ticket_processor.sandbox import Rules
from ticket_processor.state import FILE_NAME, State

from .conftest import Desk, OpenDesk, Unmarked

QUICK = {"job_seconds": (0.05, 0.0)}
EARLIER = Learnt(
    how="readback", at="2026-01-01T00:00:00Z", ok=True, comment=True, private=True, metadata=True, stamps=True
)


@pytest.fixture(autouse=True)
def short_margin(tmp_path: Path) -> None:
    """Stamps are old enough after a second."""
    (tmp_path / "ticketbot.toml").write_text("[run]\nstable_read_s = 1\n", encoding="utf-8")


def known(folder: Path) -> Learnt | None:
    with closing(State(folder / FILE_NAME)) as state:
        return learnt(state)


def assert_one_solved_ticket(desk: Desk) -> None:
    (number,) = desk.tickets
    assert (desk.ticket(number)["subject"], desk.ticket(number)["status"]) == ("ticketbot probe", "solved")


def test_where_everything_works_jobs_may_be_used(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    told = desk("probe")
    assert "Jobs of many updates may be used here." in told.out
    assert "The scratch ticket 1 stays, solved" in told.out
    assert "BAD" not in told.out
    assert told.err == ""
    found = known(desk.state)
    assert found is not None
    assert (found.ok, found.how, found.conflict_error, found.stamp_rule) == (True, "probe", "UpdateConflict", "equal")
    assert_one_solved_ticket(desk)


def test_a_run_after_a_probe_leaves_the_scratch_ticket_alone(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    desk("probe")
    desk.advance(120)
    desk("run", "--since", "1d", "--quiet")
    assert desk.marked() == []


@pytest.mark.parametrize(
    ("rules", "check", "why"),
    [
        ({"batch_comment": False}, "a note in a job", "a note in a job is dropped"),
        ({"batch_metadata": False}, "our key in a job", "the key in a job is dropped"),
        ({"batch_stamps": False}, "an old stamp in a job", "an old stamp in a job does not stop the write"),
    ],
    ids=["comment", "metadata", "stamps"],
)
def test_where_a_job_does_not_keep_its_word_single_updates_have_to_do(
    open_desk: OpenDesk, rules: dict[str, bool], check: str, why: str
) -> None:
    desk = open_desk(0, rules=Rules(**QUICK, **rules))
    with_words = desk("probe", code=1)
    assert f"will not be used here, single updates will: {why}." in with_words.out
    (bad,) = [line for line in with_words.out.splitlines() if line.startswith("BAD")]
    assert check in bad
    found = known(desk.state)
    assert found is not None
    assert (found.ok, found.why) == (False, why)
    assert_one_solved_ticket(desk)


def test_with_json_one_object_says_everything(open_desk: OpenDesk) -> None:
    desk = open_desk(0, rules=Rules(**QUICK, stamp_rule="not_newer"))
    told = desk("probe", "--json").object
    assert told["ticket"] == 1
    assert told["account"] == desk.url
    assert told["learnt"] | {"ok": True, "stamp_rule": "not_newer"} == told["learnt"]
    assert {finding["check"] for finding in told["findings"]} >= {"a note in a job", "a stamp of tomorrow"}
    assert told["remembered_in"] == [str(desk.state)]


def test_an_account_that_looks_like_production_is_refused_unless_somebody_insists(open_desk: OpenDesk) -> None:
    desk = open_desk(0, kind=Unmarked, plan="enterprise")
    refused = desk("probe", code=2)
    assert "looks like production" in refused.err
    assert "--yes-this-is-a-sandbox" in refused.err
    assert all(request.startswith("GET ") or "oauth" in request for request in desk.helpdesk_requests())
    assert not desk.tickets

    desk("probe", "--yes-this-is-a-sandbox")
    assert_one_solved_ticket(desk)


def test_a_job_that_does_not_end_is_given_up_and_what_was_known_stays(open_desk: OpenDesk) -> None:
    desk = open_desk(0, faults="job-slow:seconds=100000")
    with closing(State(desk.state / FILE_NAME)) as state:
        remember(state, EARLIER)
    began = time.monotonic()
    ended = desk("probe", "--wait", "2", code=3)
    assert time.monotonic() - began < 30
    assert "has not ended a job of one within 2 s (it is queued)" in ended.err
    assert "--wait" in ended.err
    assert known(desk.state) == EARLIER
    assert_one_solved_ticket(desk)


def test_a_lost_answer_teaches_nothing_and_the_next_probe_everything(open_desk: OpenDesk) -> None:
    desk = open_desk(0, faults="lost-reply:PUT:/update_many:times=1")
    ended = desk("probe", code=3)
    assert "no clear answer to a write on the scratch ticket" in ended.err
    assert "probe again" in ended.err
    assert known(desk.state) is None
    desk("probe")
    assert known(desk.state) is not None


def test_what_a_sandbox_account_taught_can_be_remembered_for_another_account(
    open_desk: OpenDesk, tmp_path: Path
) -> None:
    desk = open_desk(0)
    production = tmp_path / "production"
    missing = desk("probe", "--also-in", str(production), code=2)
    assert "--also-in" in missing.err
    assert not production.exists()
    assert not desk.tickets

    with closing(State(production / FILE_NAME)) as state:
        state.remember(account="https://acme.zendesk.com", cursor="export:x")
    told = desk("probe", "--also-in", str(production))
    assert str(production) in told.out
    assert known(production) == known(desk.state) is not None
    with closing(sqlite3.connect(production / FILE_NAME)) as database:
        facts = dict(database.execute("SELECT name, value FROM facts"))
    assert (facts["account"], facts["cursor"]) == ("https://acme.zendesk.com", "export:x")


def test_a_user_without_the_right_credentials_is_told(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    assert desk("probe", "--json", code=3, ZENDESK_OAUTH_CLIENT_SECRET="wrong").object["exit_code"] == 3

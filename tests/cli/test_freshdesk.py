"""Every command against an imitated Freshdesk account, chosen by its settings alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ticket_processor.sandbox.account import PERSON_ID

from ..imitation import FaultPlan, FaultRule, FreshdeskRules
from .conftest import Command
from .freshdesk_desk import FreshDesk, freshdesk

HIGH, RESOLVED = 3, 4
TEXTS = {
    "Charged twice": "I was charged twice for this invoice, please refund one payment.",
    "Login broken": "I cannot log in any more, my password is not accepted since today.",
    "Where is my parcel?": "The parcel should have been delivered on Monday.",
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[FreshDesk]:
    """Three tickets of an hour ago."""
    with freshdesk(tmp_path) as found:
        for subject, text in TEXTS.items():
            found.add(subject, text)
        found.advance(3600)
        yield found


def test_tickets_that_begin_in_a_status_of_the_accounts_own_are_triaged_and_one_that_a_person_put_there_is_not(
    desk: FreshDesk,
) -> None:
    store = desk.sandbox.desk
    store.statuses[8] = "Waiting on the bank"
    for number in (1, 2, 3):
        store.tickets[number].json["status"] = 8
    store.person_edit(2, reply="We have asked the bank.")
    desk.advance(60)
    desk("run", "--since", "1d")
    assert [number for number in (1, 2, 3) if desk.notes(number)] == [1, 3]
    desk.configure("[freshdesk]\nopen_statuses = [8]\n")
    desk("run", "--ticket", "2")
    assert desk.notes(2)


def test_a_ticket_that_is_named_has_its_requesters_name_taken_out_and_its_skip_rules_kept(desk: FreshDesk) -> None:
    number = desk.add("Invoice", "Ada Quist here, please send my invoice again.")
    desk.advance(60)
    assert "Ada" not in desk("analyse", str(number)).out
    desk.configure('[skip]\nrequesters = ["ada@example.com"]\n')
    ended = desk("run", "--ticket", str(number), "--json").object
    assert ended["reasons"] == {"skip_rule_requester": 1}
    assert desk.writes() == []


def test_an_agent_who_wrote_a_named_ticket_has_their_name_taken_out_as_well(desk: FreshDesk) -> None:
    number = desk.add("Printer", "Alex Agent here, the printer on our floor is broken.", requester_id=PERSON_ID)
    desk.advance(60)
    assert "Alex" not in desk("analyse", str(number)).out


def test_an_undo_takes_all_of_it_back_the_notes_too(desk: FreshDesk) -> None:
    desk("run", "--since", "1d")
    desk.sandbox.desk.person_edit(2, edit_note=(desk.notes(2)[0]["id"], "I say otherwise."))
    desk.advance(60)
    assert "note deleted" in desk("undo", "latest", "--dry-run").out
    desk.writes()
    ended = desk("undo", "latest")
    assert "notes of the run are deleted, but for those that a person edited" in ended.out
    assert [desk.ticket(n)["tags"] for n in (1, 2, 3)] == [[], [], []]
    assert (desk.notes(1), desk.ticket(1)["priority"]) == ([], 1)
    assert "I say otherwise." in desk.notes(2)[0]["body_text"]


def test_people_and_past_are_read_for_reports_training_and_history(desk: FreshDesk) -> None:
    for number in range(5):  # a topic has at least so many
        desk.add("Charged twice", f"I was charged twice, case {number}.")
    desk.advance(60)
    desk("run", "--since", "1d")
    person = desk.sandbox.desk.person_edit
    person(1, priority=HIGH, reply="Refunded.", status=RESOLVED)
    other = desk.add("Invoice", "Please send my invoice again.")
    person(other, add_tags=("billing",), priority=HIGH, reply="Here it is.", status=RESOLVED)
    desk.advance(600)
    desk.writes()
    report = desk("report", "--overrides", "--knowledge", "--json").object
    assert report["collected"]["histories"] == 1
    assert sum(part["unknown"] for part in report["scoreboard"]["parts"]) == 1, "nobody knows who raised the priority"
    assert report["knowledge"]["ended_early"] is None
    tested = desk("eval", "--from-helpdesk", "--since", "7d", "--json").object
    assert tested["compared"] == 1
    assert desk("retry", "list").out.startswith("the retry list is empty")
    assert desk("report", "--escalated", "--json").object
    assert "charged twice" in desk("analyse", "1").out.lower()
    found = desk("audit", "erase", "--requester", "ada@example.com", "--dry-run", "--json").object
    assert set(found["tickets"]) >= {1, 2, 3}
    desk("audit", "verify")
    assert desk.writes() == []


def test_the_taxonomy_is_checked_against_fields_and_groups(desk: FreshDesk) -> None:
    desk.configure(
        '[[categories]]\nname = "billing"\ndescription = "Bills."\ngroup = 1\nfields = { 2001 = "Nowhere" }\n'
        '[[categories]]\nname = "general"\ndescription = "Else."\n'
    )
    found = desk("doctor", "--json", code=1).object
    told = " ".join(finding["text"] for finding in found["findings"] if finding["severity"] == "problem")
    assert "no group 1:" in told
    assert "has no option Nowhere" in told


def test_the_health_of_the_account_is_told(desk: FreshDesk) -> None:
    checks = {check["name"]: check for check in desk("health", "--json", code=None).object["checks"]}
    assert checks["helpdesk"]["text"].startswith(f"Freshdesk at {desk.environ['FRESHDESK_URL']}: signed in")
    assert checks["credentials"]["status"] == "ok"
    assert checks["search_index"]["status"] == "skipped"


def test_a_refused_key_stops_everything_with_one_sentence(desk: FreshDesk) -> None:
    ended = desk("run", "--since", "1d", code=3, FRESHDESK_API_KEY="wr0ng")
    assert "Freshdesk refused the credentials (HTTP 401)" in ended.err
    assert "wr0ng" not in ended.out + ended.err


def test_seeding_twice_creates_nothing_twice(desk: FreshDesk) -> None:
    assert "5 tickets created" in desk("seed", "--count", "5").out
    desk.advance(60)
    assert "2 tickets created, 5 were there already, 0 refused" in desk("seed", "--count", "7").out


def test_a_production_account_is_not_seeded(tmp_path: Path) -> None:
    with freshdesk(tmp_path, freshdesk_rules=FreshdeskRules(search_lag=0.0)) as desk:
        hide = desk.sandbox.after_request
        hide.append(lambda _request, response: response.headers.pop("X-Ticketbot-Sandbox", None) and None)
        assert "this account looks like production" in desk("seed", "--count", "2", code=2).err
        assert desk.writes() == []


def test_init_writes_files_for_freshdesk_that_name_what_is_missing(bare: Command) -> None:
    ended = bare("init", "--helpdesk", "freshdesk", code=0)
    assert "FRESHDESK_DOMAIN or FRESHDESK_URL is missing" in ended.out
    text = (bare.folder / "ticketbot.toml").read_text(encoding="utf-8")
    assert '\nhelpdesk = "freshdesk"\n' in text
    assert "[zendesk]" not in text
    assert "ZENDESK_" not in (bare.folder / ".env.example").read_text(encoding="utf-8")


def test_the_tour_of_freshdesk_needs_no_account(bare: Command) -> None:
    ended = bare("run", "--sandbox", "--no-llm", TICKETBOT_HELPDESK="freshdesk")
    assert ended.out.startswith("128 invented tickets seeded into a sandbox")
    assert "0 human values changed, 0 foreign tags removed, 0 public comments" in ended.out


@pytest.mark.parametrize(
    "fault",
    [
        FaultRule("unauthorised", method="PUT", path="/tickets/2"),
        FaultRule("status", method="PUT", path="/tickets/2", status=302),
        FaultRule("unauthorised", method="GET", path="/tickets/2"),
        FaultRule("status", method="GET", path="/tickets/2", status=204),
        FaultRule("status", method="GET", path="/tickets/2", status=302),
        FaultRule("odd-row", ticket=2, odd="cut"),
        FaultRule("odd-row", ticket=2, odd="login-page"),
    ],
    ids=lambda fault: f"{fault.method} {fault.kind} {fault.status} {fault.odd}",
)
def test_whatever_is_answered_about_one_ticket_the_others_are_done_and_it_is_named(
    desk: FreshDesk, fault: FaultRule
) -> None:
    desk.sandbox.faults = FaultPlan([fault])
    ended = desk("run", "--since", "1d", code=None)
    assert ended.code in (0, 1)  # 0: the note is there, and the ticket waits for the next run
    assert all("ai_processed" in desk.ticket(number)["tags"] for number in (1, 3))
    assert ("behind ticket 1" if fault.odd == "login-page" else "ticket 2: ") in ended.out + ended.err

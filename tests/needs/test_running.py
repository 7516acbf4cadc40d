"""Needs 1 to 12: running. What people who start ``ticketbot`` rely on, seen from outside."""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.support.local_files import add_group

from ..cli.accounts import Accounts
from ..cli.conftest import Command, Desk, OpenDesk, is_chat, is_update, rows, wait_for
from ..cli.freshdesk_desk import freshdesk
from ..cli.terminal import terminal
from ..cluster.nodes import Nodes
from ..imitation import FaultPlan
from ..imitation.latency import LatencyProfile

WINDOWS = sys.platform == "win32"
AREA, FINANCE = 2001, 8002
"""A drop-down field and a group of the sandboxes."""


def receipts(command: Command, outcome: str | None = None) -> dict[int, dict[str, Any]]:
    """The last receipt of each ticket."""
    return {line["ticket_id"]: line for line in command.events("ticket") if outcome in (None, line["outcome"])}


def arrive(desk: Desk, count: int) -> list[int]:
    """So many new tickets, now; they have rested since."""
    numbers = [desk.sandbox.store.create(subject=row["subject"], body=row["body"]).id for row in rows(count)]
    desk.advance(120)
    return numbers


def elsewhere(desk: Desk, name: str) -> dict[str, str]:
    """The variables of another machine: state and log of its own."""
    folder = desk.folder / name
    return {"TICKETBOT_STATE_DIR": str(folder / "state"), "TICKETBOT_LOG_DIR": str(folder / "logs")}


def assert_once(desk: Desk) -> None:
    """Each ticket has the marker and one note, and one receipt says that it was written."""
    desk.assert_done()
    written = [line["ticket_id"] for line in desk.events("ticket") if line["outcome"] == "updated"]
    assert sorted(written) == sorted(desk.tickets)


@dataclass(frozen=True)
class Seen:
    """A ticket as the helpdesk shows it."""

    tags: set[str]
    priority: object
    group: object
    field: object
    notes: list[tuple[bool, str]]
    """Of each note of ours: whether customers see it, and its text."""


@contextmanager
def on_zendesk(open_desk: OpenDesk, role: str) -> Iterator[tuple[Command, Callable[[int], Seen], int]]:
    desk = open_desk(3, bot_role=role, model=True)
    all_three = threading.Barrier(3)
    desk.sandbox.on_request.append(lambda request: is_chat(request) and all_three.wait(20))

    def look(number: int) -> Seen:
        ticket, notes = desk.ticket(number), [(note["public"], note["plain_body"]) for note in desk.notes(number)]
        fields = {item["id"]: item["value"] for item in ticket["custom_fields"]}
        return Seen(set(ticket["tags"]), ticket["priority"], ticket["group_id"], fields[AREA], notes)

    yield desk, look, FINANCE
    assert not all_three.broken, "three workers ask at the same time"
    assert any("/search/export" in request.path for request in desk.seen) == (role == "agent")


@contextmanager
def on_freshdesk(folder: Path) -> Iterator[tuple[Command, Callable[[int], Seen], int]]:
    with freshdesk(folder) as desk:
        for row in rows(3):
            desk.add(row["subject"], row["body"])
        desk.advance(3600)
        group = max(desk.sandbox.store.groups)

        def look(number: int) -> Seen:
            ticket, notes = desk.ticket(number), desk.notes(number)
            shown = [(not note["private"], note["body_text"]) for note in notes]
            words = {1: None, 2: "normal", 3: "high", 4: "urgent"}
            area = ticket["custom_fields"]["cf_product_area"]
            return Seen(set(ticket["tags"]), words[ticket["priority"]], ticket["group_id"], area, shown)

        yield desk, look, group


@contextmanager
def on_local(folder: Path) -> Iterator[tuple[Command, Callable[[int], Seen], int]]:
    desk = Accounts(folder, "acme")
    store = desk.stores["acme"]
    desk.environ = {"TICKETBOT_HELPDESK": "local", "TICKETBOT_LOCAL_PATH": str(desk.configs / "acme.sqlite3")}

    def look(number: int) -> Seen:
        ticket, notes = desk.ticket("acme", number), store.messages(number, public_only=False)
        shown = [(note.public, note.body) for note in notes]
        return Seen(set(ticket.tags), ticket.priority, ticket.group, ticket.fields.get(AREA), shown)

    yield desk, look, add_group(store, 1, "Finance")
    desk.close()


@pytest.mark.parametrize("door", ["Zendesk's export", "Zendesk's search", "Freshdesk", "local"])
def test_a_run_writes_tags_priority_group_field_and_one_internal_note_with_a_receipt(
    open_desk: OpenDesk, tmp_path: Path, door: str
) -> None:
    """Need 1: new tickets of each helpdesk are read, analysed on threads and written on."""
    place = {
        "Zendesk's export": lambda: on_zendesk(open_desk, "admin"),
        "Zendesk's search": lambda: on_zendesk(open_desk, "agent"),
        "Freshdesk": lambda: on_freshdesk(tmp_path),
        "local": lambda: on_local(tmp_path),
    }[door]
    value = "Web shop" if door == "Freshdesk" else "area_web_shop"
    with place() as (command, look, group):
        command.configure(
            '[[categories]]\nname = "billing"\ndescription = "Charges and invoices."\ntag = "money"\n'
            f'keywords = {{ en = ["charged ~ twice"] }}\ngroup = {group}\nfields = {{ {AREA} = "{value}" }}\n'
            '[[categories]]\nname = "general"\ndescription = "Everything else."\n',
        )
        command("run", "--since", "1d", "--workers", "4")
        seen, other = look(1), look(2)
        assert {"ai_processed", "ai_billing", "money", "ai_urgency_medium", "ai_sentiment_neutral"} <= seen.tags
        assert (seen.priority, seen.group, seen.field) == ("normal", group, value)
        assert {"ai_processed", "ai_general"} <= other.tags
        assert (other.group, other.field, len(other.notes)) == (None, None, 1)
        ((public, note),) = seen.notes
        assert not public
        assert note.startswith("Triage: billing, urgency medium")
        receipt = receipts(command, "updated")[1]
        assert {"ai_billing", "money"} <= set(receipt["change"]["tags_added"])
        assert receipt["change"]["priority"]["to"] == "normal"
        assert receipt["change"]["group"] == {"from": None, "to": group}
        assert receipt["change"]["fields"] == {str(AREA): {"from": None, "to": value}}


def test_nothing_is_written_twice_by_a_second_run_another_run_another_folder_or_another_machine(
    open_desk: OpenDesk,
) -> None:
    """Need 2: however many runs there are, each ticket is written on once."""
    desk = open_desk(6, faults="slow:PUT:seconds=0.5:times=2")
    writes = desk.when(is_update)
    first = desk.start("run", "--since", "1d")
    wait_for(writes, first)
    assert "another run is active" in desk("run", code=75).err
    other = desk.start("run", "--since", "1d", **elsewhere(desk, "beside"))
    desk.end(first)
    desk.end(other, code=None)
    desk.assert_done()
    desk.advance(300)
    before = [len(ticket.audits) for ticket in desk.tickets.values()]
    assert "nothing to do" in desk("run").out
    for name in ("beside", "new"):
        desk("run", "--since", "1d", **elsewhere(desk, name))
    assert [len(ticket.audits) for ticket in desk.tickets.values()] == before
    desk.assert_done()


def test_a_dry_run_shows_each_change_with_subject_and_link_and_writes_nothing(open_desk: OpenDesk) -> None:
    """Need 3: what a run would write can be seen before it is written."""
    desk = open_desk(3, model=True)
    before = {number: dict(ticket.json) for number, ticket in desk.tickets.items()}
    shown = desk("run", "--since", "1d", "--dry-run").out
    for number, subject in ((1, "Charged twice (0)"), (2, "Error on login (1)"), (3, "Where is my order? (2)")):
        (head,) = [line for line in shown.splitlines() if line.startswith(f"ticket {number} ")]
        assert f"“{subject}”" in head
        assert f"{desk.url}/agent/tickets/{number}" in head
    for words in ("+ tag ai_processed", "+ tag ai_billing", "~ priority - -> high", "+ note | Triage: ", "3 planned"):
        assert words in shown
    assert {entry for entry in desk.helpdesk_requests() if not entry.startswith("GET ")} == {"POST /oauth/tokens"}
    assert {number: ticket.json for number, ticket in desk.tickets.items()} == before
    desk("run", "--since", "1d", "--dry-run", "--out", "planned.jsonl")
    assert {number: ticket.json for number, ticket in desk.tickets.items()} == before
    for _ in range(2):
        desk("apply", "planned.jsonl")
        assert_once(desk)
    assert desk.sandbox.openai.calls == 3, "what the dry run has paid for is not paid again"


def test_options_choose_tickets_and_analyser_and_a_first_run_asks_where_to_begin(open_desk: OpenDesk) -> None:
    """Need 4: since, limit, ticket, retry-fallbacks, no-llm, json and sandbox."""
    desk = open_desk([{**row, "age": age} for row, age in zip(rows(6), (9e4, 3e4, 2e4, 9e3, 8e3, 7e3), strict=True)])
    assert "--since now" in desk("run", code=2).err
    assert (desk.seen, desk.events()) == ([], [])
    desk("run", "--since", "12h", "--limit", "2")
    assert len(desk.marked()) == 2
    desk("run", "--ticket", "1", "--ticket", "6", "--no-llm")
    assert {1, 6} <= set(desk.marked())
    assert len(desk.marked()) == 4
    desk("run")
    assert_once(desk)

    desk.environ |= {
        "OPENAI_BASE_URL": f"{desk.url}/v1",
        "OPENAI_API_KEY": desk.sandbox.credentials.openai_key,
        "TICKETBOT_MODELS": "sandbox-model",
    }
    old, late = arrive(desk, 2)
    told = desk("run", "--no-llm", "--json", "--limit", "1").object
    assert (told["outcomes"], told["sources"], told["exit_code"]) == ({"updated": 1}, {"rules": 1}, 0)
    assert desk.sandbox.openai.calls == 0
    desk("run", OPENAI_API_KEY="wrong")
    assert "ai_fallback" in desk.ticket(late)["tags"] or "ai_fallback" in desk.ticket(old)["tags"]
    (unsure,) = [number for number in (old, late) if "ai_fallback" in desk.ticket(number)["tags"]]
    desk.advance(600)
    desk("run", "--retry-fallbacks")
    assert "ai_fallback" not in desk.ticket(unsure)["tags"]
    assert receipts(desk)[unsure]["analysis"]["source"] == "model"

    tour = Command(desk.folder)
    told = tour("run", "--sandbox", "--json", "--no-llm").object
    assert told["outcomes"]["updated"] >= 100
    tour.close()


def test_init_writes_settings_and_checks_them_and_doctor_names_what_is_wrong(open_desk: OpenDesk) -> None:
    """Need 5: the first look on a new account."""
    desk = open_desk(1, model=True)
    good = desk("init")
    for line in ("ticketbot.toml written", ".env.example written", "signed in", "model sandbox-model: answers"):
        assert re.search(rf"(?m)^ok .*{line}", good.out), line
    desk("run", "--since", "1d")
    assert desk.marked() == [1]
    bad = desk("init", code=3, ZENDESK_OAUTH_CLIENT_SECRET="wrong")
    assert re.search(r"(?m)^(?!ok)\w+ .*Zendesk at", bad.out)
    assert "stays as it is" in bad.out

    assert "0 conflicts" in desk("doctor").out
    store = desk.sandbox.store
    condition = {"field": "current_tags", "operator": "includes", "value": "ai_processed"}
    mail = {"field": "notification_user", "value": ["requester_id", "Subject", "Body"]}
    trigger = {"id": 1, "title": "Tell customers that we look", "active": True, "position": 1}
    store.triggers[1] = {**trigger, "conditions": {"all": [condition], "any": []}, "actions": [mail]}
    told = desk("doctor", code=1).out
    assert "Tell customers that we look" in told
    assert "1 conflict" in told


JUMPING = """
import time
real, calls = time.time, iter(range(10**9))
time.time = lambda: real() + (0, 7200, -7200)[next(calls) // 40 % 3]
from ticket_processor import cli
cli.main()
"""
"""The command on a machine whose clock is put two hours forward and back all the time."""
STRIKES: dict[str, int | None] = {
    "Ctrl-C": 130,
    "SIGTERM": 143,
    "kill -9": -9,
    "full disk": 3,
    "lost network": None,
    "clock jumps": None,
}
"""What strikes as the second ticket is written on, and the exit code of the run."""


@pytest.mark.skipif(WINDOWS, reason="Windows has neither signals nor limits for a process")
@pytest.mark.parametrize("strike", STRIKES)
def test_whatever_ends_a_run_nothing_is_lost_or_done_twice_and_the_next_run_finishes_it(
    open_desk: OpenDesk, strike: str
) -> None:
    """Need 6: signals, a kill, a full disk, a lost network and a clock that jumps."""
    network = ",lost-reply:PUT:times=2:after=1,lost-request:PUT:times=2,error-after:PUT:times=1"
    slow = "slow:PUT:seconds=0.3:times=" + ("1" + network if strike == "lost network" else "6")
    desk = open_desk(6, faults=slow)  # so slow that no run is through before it is struck
    second = desk.when(is_update, nth=2)
    arguments = ("run", "--since", "1d", "--workers", "2")
    process = desk.python("-c", JUMPING, *arguments) if strike == "clock jumps" else desk.start(*arguments)
    wait_for(second, process)
    if strike == "full disk":
        import resource

        if not hasattr(resource, "prlimit"):
            process.kill()
            pytest.skip("no process can be limited from outside here")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    elif strike in ("Ctrl-C", "SIGTERM", "kill -9"):
        process.send_signal({"C": signal.SIGINT, "M": signal.SIGTERM, "9": signal.SIGKILL}[strike[-1]])
    desk.end(process, code=STRIKES[strike])
    if STRIKES[strike]:
        assert len(desk.marked()) < 6, "the run was cut off"
    desk.sandbox.faults = FaultPlan()
    desk.advance(120)
    desk("run")
    assert_once(desk)
    assert desk("audit", "verify").code == 0


HASTY = """
import time
from ticket_processor import cli
real = time.monotonic
begun = real()
time.monotonic = lambda: begun + 10 * (real() - begun)
cli.main()
"""
"""The command with a clock that goes ten times as fast."""
LEFT_ALONE: dict[str, dict[str, Any]] = {
    "skip_rule_messaging": {"channel": "native_messaging"},
    "machine_mail_bounce": {"requester_email": "MAILER-DAEMON@example.com", "subject": "Undelivered Mail"},
    "machine_mail_out_of_office": {"subject": "Out of office", "body": "I am out of the office until Monday."},
    "closed": {"status": "closed"},
    "hands_off": {"tags": ["ai_hands_off"]},
    "skip_rule_tag": {"tags": ["legal"]},
    "waiting_for_people": {},
}
"""Tickets by the reason that the receipt gives for leaving them alone."""


def test_what_stops_a_run_or_keeps_it_from_a_ticket_is_named(open_desk: OpenDesk, tmp_path: Path) -> None:
    """Need 7: stop file, budget, deadline, canary, head start, and tickets that are left alone."""
    desk = open_desk(8)
    desk.configure('[run]\nwait_minutes = 30\n[skip]\ntags = ["legal"]\n')
    expected = {}
    for reason, parts in LEFT_ALONE.items():
        ticket = desk.sandbox.store.create(**{"subject": "Broken", "body": "It does not work.", **parts})
        expected[ticket.id] = reason
    desk.advance(120)
    desk.state.mkdir()
    stop = desk.state / "STOP"
    stop.touch()
    assert str(stop) in desk("run", "--since", "1d", code=3).err
    assert desk.seen == []
    stop.unlink()
    desk("run", "--since", "1d")
    assert {number: line["reason"] for number, line in receipts(desk, "skipped").items()} == expected
    assert desk.marked() == [*range(1, 9)]
    desk.advance(1800)
    desk("run")
    (waited,) = [number for number, reason in expected.items() if reason == "waiting_for_people"]
    assert desk.marked() == [*range(1, 9), waited]

    with freshdesk(tmp_path / "freshdesk") as other:
        other.folder.mkdir()
        spam = other.add("Prize", "You have won.")
        other.sandbox.store.spam(spam)
        other.advance(3600)
        other("run", "--since", "1d", "--ticket", str(spam), code=None)
        other("run", "--ticket", str(spam))
        assert (other.writes(), receipts(other)[spam]["reason"]) == ([], "deleted")

    smart = open_desk(12, model=True)
    smart.environ |= elsewhere(smart, "smart")
    smart.folder = tmp_path / "smart"
    smart.folder.mkdir()
    smart.configure(
        "[run]\ndeadline_s = 30\ncanary_percent = 40\n[budget]\nrun_usd = 0.03\n"
        "[models.prices]\nsandbox-model = [10.0, 40.0, 1.0]\n",
    )
    told = smart("run", "--since", "1d", "--workers", "1", "--json").object
    assert 0 < told["cost_usd"] <= 0.03
    assert set(told["fallbacks"]) == {"budget_of_run_spent"}
    assert told["sources"]["model"] >= 1
    assert told["sources"]["rules"] >= 1
    inside, outside = smart.marked(), receipts(smart, "skipped")
    assert sorted([*inside, *outside]) == sorted(smart.tickets)
    assert {line["reason"] for line in outside.values()} == {"outside_canary"}
    smart.configure("[run]\ndeadline_s = 30\n")
    arrive(smart, 40)
    smart.sandbox.openai.latency = LatencyProfile(0.3, 0.31)
    hasty = smart.end(smart.python("-c", HASTY, "run", "--workers", "1"))
    assert "the run's time is used up" in hasty.err
    assert len(smart.marked()) < len(inside) + 40
    smart("run", "--no-llm")
    smart.assert_done(sorted(set(smart.tickets) - set(outside)))


def test_undo_takes_back_what_nobody_has_touched_and_says_what_stays_and_why(open_desk: OpenDesk) -> None:
    """Need 8: undo of the last run, and of a run by its id."""
    desk = open_desk(4)
    first = desk("run", "--since", "1d", "--limit", "3", "--json").object["run_id"]
    desk.advance(120)
    desk("run")
    desk.sandbox.store.person_edit(1, remove_tags=("ai_billing",))
    desk.sandbox.store.person_edit(1, add_tags=("ai_billing",))
    desk.sandbox.store.person_edit(2, priority="low")
    desk.sandbox.store.person_edit(3, status="closed")
    desk.advance(600)
    triaged = {number: dict(desk.ticket(number)) for number in desk.tickets}

    desk("undo", "latest")
    assert (desk.ticket(4)["tags"], desk.ticket(4)["priority"]) == ([], None)
    assert {number: desk.ticket(number) for number in (1, 2, 3)} == {n: triaged[n] for n in (1, 2, 3)}
    told = desk("undo", first).out
    assert (desk.ticket(1)["tags"], desk.ticket(1)["priority"]) == (["ai_billing"], None), "a person put it back"
    assert (desk.ticket(2)["tags"], desk.ticket(2)["priority"]) == ([], "low")
    assert desk.ticket(3) == triaged[3]
    assert re.search(r"ticket 2: .*tags removed: .*; .*: priority \(changed since\)", told)
    assert re.search(r"ticket 3: .*closed", told)
    assert "notes of the run stay" in told
    undone = [[note["plain_body"].startswith("Undo of run") for note in desk.notes(n)] for n in (1, 2, 3, 4)]
    assert undone == [[False, True], [False, True], [False], [False, True]]
    desk.advance(600)
    before = [len(ticket.audits) for ticket in desk.tickets.values()]
    desk("undo", first)
    assert [len(ticket.audits) for ticket in desk.tickets.values()] == before, "a second undo does nothing"


def test_the_retry_list_is_shown_tried_and_given_up(open_desk: OpenDesk) -> None:
    """Need 9: retry list, retry run, retry drop."""
    desk = open_desk(4, faults="status:PUT:/tickets/[23]$:status=422")
    desk.configure("[run]\nwrite_mode = 'single'\n")
    desk("run", "--since", "1d", code=1)
    for _ in range(4):
        desk("run", code=1)
    told = desk("retry", "list", "--json").object["tickets"]
    assert [(item["ticket_id"], item["attempts"], item["dead"]) for item in told] == [(2, 5, True), (3, 5, True)]
    assert all("422" in item["reason"] for item in told)
    desk.sandbox.faults = FaultPlan()
    assert desk("run").code == 0
    assert desk.marked() == [1, 4], "a dead letter waits for a person"
    desk("retry", "run", "--ticket", "2")
    desk.assert_done([1, 2, 4])
    assert [line.split()[0] for line in desk("retry", "list").out.splitlines()[1:2]] == ["3"]
    desk("retry", "drop", "--ticket", "3")
    assert receipts(desk)[3]["reason"] == "retry_dropped"
    assert desk("retry", "list", "--json").object["tickets"] == []
    desk("retry", "run")
    assert desk.marked() == [1, 2, 4]


def test_a_part_that_the_helpdesk_refuses_costs_that_part_only_and_is_told(open_desk: OpenDesk) -> None:
    """Need 10: a group that does not exist; the rest is written, and the group once it exists."""
    desk = open_desk(3)
    desk.configure(
        'fallback_category = "general"\n[[categories]]\nname = "general"\ndescription = "Everything."\n'
        f'group = 424242\nfields = {{ {AREA} = "area_web_shop" }}\n'
        '[[categories]]\nname = "other"\ndescription = "Nothing."\n',
    )
    ended = desk("run", "--since", "1d")
    assert "Zendesk knows no group 424242" in ended.err
    assert "3 of them without a part that the helpdesk refuses" in ended.out
    desk.assert_done()
    for number in desk.tickets:
        ticket = desk.ticket(number)
        assert {"ai_general", "area_web_shop"} <= set(ticket["tags"])
        assert (ticket["priority"] is None, ticket["group_id"]) == (False, None)
        assert receipts(desk)[number]["change"]["group"] == {"from": None, "to": None}
    assert [item["reason"] for item in desk("retry", "list", "--json").object["tickets"]] == ["incomplete"] * 3
    store = desk.sandbox.store
    store.groups[424242] = {**store.groups[FINANCE], "id": 424242, "name": "New"}
    desk.advance(300)
    desk("run")
    assert [desk.ticket(number)["group_id"] for number in desk.tickets] == [424242] * 3
    desk.assert_done()
    assert desk("retry", "list", "--json").object["tickets"] == []


@pytest.mark.skipif(WINDOWS, reason="Windows has no such terminals")
def test_a_person_sees_a_bar_cron_gets_plain_lines_and_the_exit_code_says_how_it_went(open_desk: OpenDesk) -> None:
    """Need 11: progress bar, plain lines, and the exit codes 0, 1, 2, 3 and 75."""
    desk = open_desk(4)
    limited = ("run", "--since", "1d", "--limit", "2")
    with terminal(desk, *limited, fresh=True, TERM="xterm", COLUMNS="100") as (process, shown):
        assert process.wait(20) == 0
    assert b"\x1b[" in shown
    assert re.search(rb"triage \d of 2", shown)
    assert b"2 updated" in shown

    cron = desk("run", "--limit", "1").out
    assert "\x1b" not in cron
    assert re.match(r"ticket 3: updated \(.*\); \+ai_processed .*; “Where is my order\? \(2\)”; http", cron)
    stop = {"TICKETBOT_STOP": "1"}
    desk.sandbox.faults = FaultPlan.parse("status:PUT:/tickets/4$:status=422:times=1")
    for code, arguments, environ in (
        (1, ("run",), {}),
        (0, ("run", "--quiet"), {}),
        (2, ("run", "--limit", "none"), {}),
        (2, ("run",), {"TICKETBOT_MODELS": "x", "OPENAI_BASE_URL": "no address"}),
        (3, ("run",), stop),
        (3, ("run",), {"ZENDESK_OAUTH_CLIENT_SECRET": "wrong"}),
    ):
        ended = desk(*arguments, code=code, **environ)
        assert bool(ended.err) == (code > 0), arguments
    with FileLock(desk.state / "run.lock"):
        assert "another run is active" in desk("run", code=75).err
    desk.assert_done()


def test_many_accounts_shards_of_one_and_workers_elsewhere_do_each_ticket_once(
    open_desk: OpenDesk, tmp_path: Path
) -> None:
    """Need 12: several accounts side by side, one account shared, and a cluster that may be lost."""
    with closing(Accounts(tmp_path, "acme", "bolt", "cord")) as accounts:
        broken = accounts.configs / "bolt.toml"
        broken.write_text('helpdesk = "local"\n[run]\nworkers = "x"\n', "utf-8")
        told = accounts("run", "--config", "accounts", "--since", "1d", "--json", code=2).object
        codes = {one["account"]: one["exit_code"] for one in told["accounts"]}
        assert (codes, told["exit_code"]) == ({"acme": 0, "bolt": 2, "cord": 0}, 2)
        assert told["outcomes"] == {"updated": 4}
        assert {name: accounts.triaged(name) for name in codes} == {"acme": [1, 2], "bolt": [], "cord": [1, 2]}
        broken.unlink()
        accounts.stores["dole"] = accounts.add("dole")
        files = [item for name in ("acme", "dole") for item in ("--config", f"accounts/{name}.toml")]
        both = accounts("run", *files, "--since", "1d")
        assert accounts.triaged("dole") == [1, 2]
        assert re.search(r"2 accounts, 2 of them well: 2 updated", both.out)

    desk = open_desk(12)
    arguments = [("run", "--since", "1d", "--shard", f"{part}/3") for part in (1, 2, 3)]
    for process in [desk.start(*words, **elsewhere(desk, words[-1][0])) for words in arguments]:
        desk.end(process)
    desk.assert_done()
    counts = []
    for part in (1, 2, 3):
        lines = (desk.folder / str(part) / "logs").glob("*.jsonl")
        counts.append(sum(text.count('"outcome":"updated"') for text in (path.read_text("utf-8") for path in lines)))
    assert (sum(counts), min(counts) > 0) == (12, True)

    smart = open_desk(24, model=True, llm_latency=LatencyProfile(0.2, 0.21))
    smart.configure("[models]\ntimeout_s = 2\n")
    smart.environ |= elsewhere(smart, "cluster")
    with Nodes(smart.folder, smart.environ) as nodes:
        nodes.add(1)
        asked = smart.when(is_chat, nth=6)
        process = smart.start("run", "--since", "1d", "--json", "--insecure", "--cluster", nodes.address)
        wait_for(asked, process)
        nodes.scheduler.process.kill()
        told = smart.end(process, within=60).object
    assert told["sources"] == {"model": 24}
    assert min(told["cluster"]["answered"], told["cluster"]["here"]) > 0
    assert any("finished on this machine" in remark for remark in told["remarks"])
    smart.assert_done()

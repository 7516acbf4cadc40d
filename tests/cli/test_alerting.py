"""The real command, a webhook and a dead man's switch: what they hear, and that a run is none the worse for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.core.clock import SystemClock
from ticket_processor.core.errors import ExitCode
from ticket_processor.core.run_summary import RunSummary
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.monitoring import run_watch as tending_module
from ticket_processor.monitoring.memory import AlertStore, Memory
from ticket_processor.monitoring.run_watch import AT_MOST_S, WHEN_STOPPED_S, tended
from ticket_processor.wiring import parts as wiring

from ..imitation import Rules
from .alarmed import Desk as VirtualDesk
from .alarmed import Receiver
from .conftest import Command, Desk, OpenDesk

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # some of Apprise's plugins use it
CANARY = "CANARYcanary"
SLACK = f"slack://T1JJ3T3L2/A1BRTD4JD/{CANARY}dlnazkcOXrIde"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def watched(desk: Desk, receiver: Receiver) -> Desk:
    """Six tickets, a webhook, a dead man's switch."""
    desk.environ |= {"TICKETBOT_ALERT_URLS": receiver.hook, "TICKETBOT_HEARTBEAT_URL": receiver.beat}
    return desk


def test_a_run_that_may_not_sign_in_is_told_once_and_that_it_is_over(watched: Desk, receiver: Receiver) -> None:
    good = watched.environ["ZENDESK_OAUTH_CLIENT_SECRET"]
    watched.environ["ZENDESK_OAUTH_CLIENT_SECRET"] = "wrong"
    for _ in range(2):
        watched("run", "--since", "1d", "--quiet", code=3)
    assert receiver.said == [("begun", "helpdesk_unreachable")]
    assert "\nended early: not authorised at the helpdesk\n" in receiver.pings[-1][1]
    listed = watched("alerts", "--json").object
    assert [(one["rule"], one["severity"], one["told"]) for one in listed["open"]] == [
        ("helpdesk_unreachable", "critical", ["json (no. 1 of TICKETBOT_ALERT_URLS)"])
    ]
    watched.environ["ZENDESK_OAUTH_CLIENT_SECRET"] = good
    watched("run", "--since", "1d")
    assert receiver.said == [("begun", "helpdesk_unreachable"), ("over", "helpdesk_unreachable")]
    assert watched("alerts").out == "nothing is open\n"
    watched.assert_done()


def test_the_heartbeat_hears_counts_and_where_the_log_ended_and_no_word_of_a_ticket(
    open_desk: OpenDesk, receiver: Receiver
) -> None:
    desk = open_desk([{"subject": f"{CANARY} charged twice", "body": f"{CANARY} pay me back", "age": 600}])
    desk.environ["TICKETBOT_HEARTBEAT_URL"] = receiver.beat
    summary = desk("run", "--since", "1d", "--json").object
    path, body = receiver.pings[-1]
    assert path == "0"
    assert f"run: {summary['run_id']}, exit code 0" in body
    assert "1 updated" in body
    assert f"log head: {summary['log_head']}" in body
    assert CANARY not in str(receiver.pings)
    assert CANARY not in (desk.state / "alerts.json").read_text(encoding="utf-8")


def test_what_a_person_starts_leaves_a_line_and_says_nothing_of_the_schedule(watched: Desk, receiver: Receiver) -> None:
    watched("run", "--since", "1d", TICKETBOT_HEARTBEAT_URL="")
    watched("retry", "run")
    watched("run", "--dry-run", "--since", "30d", "--quiet", "--out", "planned.jsonl")
    watched("apply", "planned.jsonl")
    assert [path for path, _ in receiver.pings] == ["log"] * 2
    assert [body.partition(":")[0] for _, body in receiver.pings] == ["retry", "apply"]
    assert receiver.messages == []


def test_dry_runs_the_tour_and_what_only_looks_tell_nobody(watched: Desk, receiver: Receiver) -> None:
    watched("run", "--since", "1d", "--dry-run", ZENDESK_OAUTH_CLIENT_SECRET="wrong", code=3)
    watched("run", "--sandbox", "--limit", "3", "--quiet")
    watched("run", "--since", "1d", TICKETBOT_ALERT_URLS="", TICKETBOT_HEARTBEAT_URL="")
    watched.advance(60)
    watched("undo", "latest")
    watched("retry", "list")
    watched("retry", "drop", "--all-dead")
    assert (receiver.messages, receiver.pings) == ([], [])


def test_a_receiver_that_is_down_is_told_once_and_asked_in_every_run(watched: Desk, receiver: Receiver) -> None:
    receiver.fails = True
    wrong = {"ZENDESK_OAUTH_CLIENT_SECRET": "wrong", "TICKETBOT_HEARTBEAT_URL": ""}
    said = [watched("run", "--since", "1d", "--quiet", code=3, **wrong).err for _ in range(3)]
    name = "json (no. 1 of TICKETBOT_ALERT_URLS)"
    first, *later = ([line for line in err.splitlines() if name in line] for err in said)
    assert first == [f"ticketbot: note: an alert did not reach {name}: it answered HTTP 500; each run tries again"]
    assert later == [[], []], "a scheduler mails what is said"
    failure = watched("alerts", "--json").object["last_failure"]
    assert (failure["target"], failure["why"]) == (name, "it answered HTTP 500")
    assert watched("alerts").out.count("HTTP 500") == 1


# The commands


def test_everybody_gets_a_test_message_of_each_severity(bare: Command, receiver: Receiver) -> None:
    urls = {"TICKETBOT_ALERT_URLS": receiver.hook, "TICKETBOT_PAGE_URLS": f"json://{receiver.address}/page"}
    ended = bare("alerts", "--test", **urls, TICKETBOT_HEARTBEAT_URL=receiver.beat)
    assert ended.out.splitlines() == [
        "ok    json (no. 1 of TICKETBOT_ALERT_URLS): warning",
        "ok    json (no. 1 of TICKETBOT_ALERT_URLS): critical",
        "ok    json (no. 1 of TICKETBOT_PAGE_URLS): critical",
        "ok    heartbeat (TICKETBOT_HEARTBEAT_URL): log",
    ]
    assert [(one["path"], one["severity"]) for one in receiver.messages if one["path"] == "/page"] == [
        ("/page", "critical")
    ]
    assert [path for path, _ in receiver.pings] == ["log"]


def test_a_test_that_does_not_arrive_is_told_without_the_address(bare: Command, receiver: Receiver) -> None:
    receiver.fails = True
    ended = bare("alerts", "--test", "--json", TICKETBOT_ALERT_URLS=f"{receiver.hook},{SLACK}oops", code=1)
    assert [row["arrived"] for row in ended.object["sent"]] == [False] * 4
    assert CANARY not in ended.out + ended.err
    assert receiver.address not in ended.out + ended.err


# Inside


@pytest.fixture
def office(tmp_path: Path, receiver: Receiver) -> Iterator[VirtualDesk]:
    made = VirtualDesk(tmp_path, receiver)
    (tmp_path / "state").mkdir()
    yield made
    made.close()


def test_what_breaks_in_here_stays_in_here(
    office: VirtualDesk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(_self: AlertStore) -> Memory:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(AlertStore, "load", broken)
    office.told({})
    err = capfd.readouterr().err
    assert "alerts could not be looked after: unexpected RuntimeError" in err
    assert CANARY not in err


@pytest.mark.parametrize("code", [ExitCode.CANNOT_RUN, ExitCode.TERMINATED])
def test_receivers_that_hang_keep_a_run_for_as_long_as_was_promised_and_no_longer(
    office: VirtualDesk, receiver: Receiver, code: ExitCode, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    """Whoever stops a run by a signal waits for less."""
    assert (AT_MOST_S, WHEN_STOPPED_S) == (10.0, 3.0)
    monkeypatch.setattr(tending_module, "AT_MOST_S", 2.0)
    monkeypatch.setattr(tending_module, "WHEN_STOPPED_S", 0.5)
    receiver.hangs = True
    office.environ["TICKETBOT_HEARTBEAT_URL"] = receiver.beat
    began = time.monotonic()
    with tended(office.settings, SystemClock(), "run") as tending:
        summary = RunSummary(run_id="x", dry_run=False, stopped_by="AuditUnwritable", exit_code=int(code))
        tending.ended(summary)
    took = time.monotonic() - began
    assert (took < 1.9) if code is ExitCode.TERMINATED else (took > 1.9)
    assert took < 5
    err = capfd.readouterr().err
    assert "did not reach json (no. 1 of TICKETBOT_ALERT_URLS): it did not answer in time" in err
    assert "the heartbeat was not heard: it did not answer in time" in err


HANGING = """
import sys, threading, time
from pathlib import Path
from typing import Any
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.core.clock import SystemClock
from ticket_processor.monitoring.run_watch import tended
from ticket_processor.settings.load import load

settings = load(folder=Path.cwd())
with tended(settings, SystemClock(), "run", deadline_s=0.6, grace_s=0.2):
    print("begun", flush=True)
    {hang}
print("this is never reached", flush=True)
"""


@pytest.mark.parametrize("hang", ["time.sleep(90)", "lock = threading.Lock(); lock.acquire(); lock.acquire()"])
def test_a_run_that_hangs_is_cut_off_and_leaves_word_everywhere(watched: Desk, receiver: Receiver, hang: str) -> None:
    process = watched.python("-c", HANGING.format(hang=hang))
    ended = watched.end(process, code=3, within=60)
    assert ended.out == "begun\n"
    assert "was cut off after its deadline" in ended.err
    (line,) = watched.events("alert")
    assert (line["what"], line["kind"]) == ("cut_off", "run")
    assert [path for path, _ in receiver.pings] == ["start", "3"]
    assert receiver.said == []


@pytest.mark.slow
def test_a_log_that_hangs_as_well_does_not_save_it(watched: Desk, receiver: Receiver) -> None:
    hang = "import filelock; watched = filelock.FileLock('logs/.ticketbot-log.lock'); watched.acquire(); time.sleep(90)"
    (watched.folder / "logs").mkdir()
    began = time.monotonic()
    ended = watched.end(watched.python("-c", HANGING.format(hang=hang)), code=3, within=60)
    assert time.monotonic() - began < 40
    assert "was cut off" in ended.err
    assert receiver.pings[-1][0] == "3"


# Incidents that take hours, in virtual time


@pytest.fixture
def quick_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling the word lists takes longer than a run."""
    once = RulesAnalyser(default_taxonomy())
    monkeypatch.setattr(wiring, "RulesAnalyser", lambda *_: once)


@pytest.mark.slow
@pytest.mark.usefixtures("quick_rules")
def test_a_note_becomes_public(office: VirtualDesk) -> None:
    desk = office
    desk.sandbox.store.go_by(Rules(job_seconds=(0.05, 0.0), batch_private=False))
    desk.tickets(60)
    desk.run(3)
    desk.alarmed("note_published")
    (desk.folder / "ticketbot.toml").write_text('[run]\nwrite_mode = "single"\n', encoding="utf-8")
    for number, ticket in desk.sandbox.store.tickets.items():  # what somebody does who has looked into it
        for note in (*desk.sandbox.store.bot_comments(number), *(one.comment for one in ticket.audits)):
            if note is not None and "public" in note:
                note["public"] = False
    desk.run(1, resume=True)
    desk.run(1)
    desk.over("note_published")


@contextmanager
def held(desk: VirtualDesk) -> Iterator[None]:
    """Something else holds the state."""
    began, done = threading.Event(), threading.Event()

    def hold() -> None:
        with wiring.lock(desk.folder / "state"):
            began.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert began.wait(10)
    yield
    done.set()
    holder.join()


@contextmanager
def stopped(desk: VirtualDesk) -> Iterator[None]:
    switch = desk.folder / "state" / "STOP"
    switch.touch()
    yield
    switch.unlink()


@pytest.mark.slow
@pytest.mark.usefixtures("quick_rules")
@pytest.mark.parametrize(
    ("trouble", "before", "unheard", "heard", "rule"),
    [
        (stopped, 0, 6, 3, "stopped"),
        (held, 5, 3, 3, "not_caught_up"),
    ],
)
def test_what_lasts_is_told_once_and_that_it_is_over(
    office: VirtualDesk, trouble: Callable[[VirtualDesk], Any], before: int, unheard: int, heard: int, rule: str
) -> None:
    """It lasts for so many runs that hear nothing and so many until it is told."""
    desk = office
    desk.run(before + 2)
    desk.alarmed()
    with trouble(desk):
        desk.run(unheard, tickets=1)
        desk.alarmed()
        desk.run(heard, tickets=1)
        desk.alarmed(rule)
    desk.run(2)
    desk.over(rule)

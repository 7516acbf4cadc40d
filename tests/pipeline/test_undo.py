from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ticket_processor.audit.files import read_events
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.commands.undo import line
from ticket_processor.core.clock import Deadline, iso
from ticket_processor.core.errors import (
    ConfigError,
    Halted,
    MissingPart,
    NotePublished,
    OutcomeUnknown,
    PartRefused,
    TicketError,
    UpdateConflict,
)
from ticket_processor.core.models import (
    Change,
    Decision,
    Outcome,
    OutcomeStatus,
    Priority,
    PublicReply,
    ReplyPlan,
    Ticket,
)
from ticket_processor.core.reasons import PUT_BACK
from ticket_processor.core.run_summary import RunSummary
from ticket_processor.helpdesk.protocol import Fetched, JobStatus
from ticket_processor.helpdesk.ticket_history import Edit, History, Overwritten
from ticket_processor.pipeline.context import HALTED
from ticket_processor.pipeline.job_trust import remember
from ticket_processor.pipeline.jobs import Delivery
from ticket_processor.pipeline.settlement import completion, repair
from ticket_processor.pipeline.undo.revert import Left, TakeBack, as_change, take_back, undo_key
from ticket_processor.pipeline.undo.run import (
    PastRuns,
    RunWrites,
    Undo,
    UndoTools,
    other_run,
)
from ticket_processor.state.records import ScheduledReply, Verdict
from ticket_processor.state.store import State
from ticket_processor.tags import key_of_stage

from ..support.fakes import START, FakeDesk, ItemFate, ManualClock, a_change, a_ticket
from ..support.memory_helpdesk import difference
from ..support.writeback_rig import learnt

RUN, LATER = "20261121T030000Z-aaaaaa", "20261121T031000Z-bbbbbb"
AREA, ORDER = 2001, 2002
KEY = "k" * 32
OURS = ("ai_processed", "ai_billing")


class Account(FakeDesk):
    """A helpdesk in memory that records every edit, as the real one does, and guards updates by the stamp.

    ``job_answers`` is what questions for jobs are answered with in turn, the last for ever.
    """

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self.clock = clock
        self.job_answers: list[Mapping[str, JobStatus]] = []

    def add(self, ticket_id: int = 1, **fields: Any) -> None:
        self.tickets[ticket_id] = a_ticket(ticket_id, age=7200.0, **fields)
        self.edits[ticket_id] = []

    def edit(self, ticket_id: int = 1, *, ago: float = 600.0, key: str = "", intent: str = "", **values: Any) -> Edit:
        """Somebody changes a ticket; with a key, it was us."""
        before, stamp = self.tickets[ticket_id], iso(self.clock.now() - ago)
        comment = "internal" if values.pop("note", None) else None
        if "fields" in values:
            values["fields"] = {number: value for number, value in values["fields"].items() if value is not None}
        after = before.model_copy(update={**values, "updated_at": stamp})
        edit = Edit(at=stamp, key=key, intent=intent, comment=comment, **difference(before, after))
        self.edits[ticket_id].append(edit)
        self.tickets[ticket_id] = after
        return edit

    def run_writes(self, ticket_id: int = 1, *, run: str = RUN, key: str = KEY, **values: Any) -> Edit:
        return self.edit(ticket_id, key=key, intent=f"{run}-{ticket_id}", **{"ago": 900.0, **values})

    def tag(self, ticket_id: int = 1, *, add: Sequence[str] = (), remove: Sequence[str] = (), **values: Any) -> Edit:
        tags = tuple(item for item in self.tickets[ticket_id].tags if item not in remove)
        return self.edit(ticket_id, tags=(*tags, *(item for item in add if item not in tags)), **values)

    def apply(self, change: Change, fate: ItemFate = "made") -> Edit:
        ticket = self.tickets[change.ticket_id]
        return self.edit(
            change.ticket_id,
            ago=0.0,
            key=change.key,
            intent=change.intent,
            tags=change.tags,
            priority=None if "priority" in change.cleared else change.priority or ticket.priority,
            group=None if "group" in change.cleared else change.group or ticket.group,
            fields={**ticket.fields, **change.fields, **dict.fromkeys(change.fields_cleared)},
            note=change.note,
        )

    def fetch(self, ticket_ids: Sequence[int]) -> Fetched:
        now, found = {"read_at": self.clock.now()}, super().fetch(ticket_ids)
        return {number: ticket.model_copy(update=now) for number, ticket in found.items()}

    def history(self, ticket_id: int) -> History:
        self.asked.append(("history", ticket_id))
        return History(edits=tuple(self.edits[ticket_id]))

    def update(self, change: Change) -> Edit | None:
        super().update(change)
        if self.tickets[change.ticket_id].updated_at != change.stamp:
            raise UpdateConflict("changed")
        return self.apply(change)

    def jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobStatus]:
        told = super().jobs(job_ids)
        if self.job_answers:
            return self.job_answers.pop(0) if len(self.job_answers) > 1 else self.job_answers[0]
        return told


class Bench:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.account = Account(self.clock)
        self.state = State(None)
        self.folder = folder
        self.seconds = 3600.0
        self.results: dict[int, tuple[Outcome, tuple[Left, ...]]] = {}
        self.undos = 0

    def undo(self, *ticket_ids: int, run: str = RUN, key: str | tuple[str, ...] = KEY, **options: Any) -> RunSummary:
        """``options`` are the undo's own, ``before_write``, and ``taken_back`` (of which receipts say so)."""
        self.undos += 1
        self.results.clear()
        name = f"undo{self.undos}"
        audit = AuditLog(self.folder, self.clock, name, dry_run=options.get("dry_run", False))
        before_write = options.pop("before_write", lambda: None)
        keys = (key,) if isinstance(key, str) else key
        writes = RunWrites(run, dict.fromkeys(ticket_ids or (1,), keys), options.pop("taken_back", set()))
        deadline = Deadline(self.clock, self.seconds)
        given: dict[str, Any] = {"run_id": name, "delivery": Delivery("single"), **options}
        tools = UndoTools(self.account, self.state, audit, self.clock, deadline, before_write, **given)
        try:
            return Undo(tools, writes, self._listen).execute()
        finally:
            audit.close()

    def _listen(self, outcome: Outcome, left: tuple[Left, ...]) -> None:
        self.results[outcome.ticket_id] = (outcome, left)

    @property
    def one(self) -> tuple[str, str, list[str]]:
        ((outcome, left),) = self.results.values()
        return outcome.status.value, outcome.reason, [f"{item.part}: {item.why}" for item in left]

    @property
    def ticket(self) -> Ticket:
        return self.account.tickets[1]

    def lines(self, event: str) -> list[dict[str, Any]]:
        paths = sorted(self.folder.glob("*.jsonl"))
        return [line for path in paths for line in read_events(path) if line["event"] == event]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.state.close()


@pytest.fixture
def triaged(bench: Bench) -> Bench:
    """One ticket that the run has put tags, a priority, a group and a field on."""
    bench.account.add(tags=("vip",))
    bench.account.run_writes(tags=("vip", *OURS), priority=Priority.HIGH, group=5, fields={ORDER: "A-1"})
    return bench


def values(ticket: Ticket) -> tuple[set[str], object, object, dict[int, str]]:
    return set(ticket.tags), ticket.priority, ticket.group, dict(ticket.fields)


# What is taken back


@pytest.mark.parametrize(
    ("seen", "left"),
    [
        ({"tags": (*OURS, "ai_replied"), "comment": "public"}, "reply to the customer: customers_saw_it"),
        ({"status": ("open", "solved")}, "status solved: customers_saw_it"),
    ],
    ids=["a reply", "a status"],
)
def test_what_customers_have_seen_stays_and_is_named(bench: Bench, seen: dict[str, Any], left: str) -> None:
    bench.account.add(tags=OURS)
    bench.account.run_writes(tags=seen.pop("tags", OURS))
    bench.account.edits[1][-1] = bench.account.edits[1][-1].model_copy(update=seen)
    bench.undo()
    assert bench.one == ("skipped", "seen_by_customers", [left])
    assert bench.account.written == []


def test_an_undo_cancels_the_reply_that_the_run_has_announced(triaged: Bench) -> None:
    text = "Hello"
    reply = PublicReply(text=text, category="billing", threshold=0.9, draft=hashlib.sha256(text.encode()).hexdigest())
    due = ScheduledReply(
        ticket_id=1, step="reply", plan=ReplyPlan(reply=reply, delay_s=600.0), key=KEY, tags=(), priority=None, group=5
    )
    triaged.state.schedule_reply(due)
    triaged.undo(dry_run=True)
    assert triaged.state.scheduled_replies() == [due]
    triaged.undo()
    assert triaged.state.scheduled_replies() == []


def test_a_ticket_that_is_not_as_the_record_says_is_believed(triaged: Bench) -> None:
    ticket = triaged.account.tickets[1]
    silently = {"priority": Priority.LOW, "tags": (*ticket.tags, "x"), "fields": {ORDER: "C-3"}}
    triaged.account.tickets[1] = ticket.model_copy(update=silently)
    triaged.undo()
    assert triaged.one[2] == [f"field {ORDER}: changed_since", "priority: changed_since"]
    assert values(triaged.ticket) == ({"vip", "x"}, Priority.LOW, None, {ORDER: "C-3"})


SECOND = "s" * 32
BY_LATER = {"key": SECOND, "intent": f"{LATER}-1"}
UNDONE_LATER = {"key": key_of_stage(SECOND, "undo"), "intent": "other-undo-1"}
LOW, HIGH, URGENT = Priority.LOW, Priority.HIGH, Priority.URGENT
SINCE: dict[str, tuple[list[dict[str, Any]], list[str], tuple[object, ...]]] = {
    "what people have changed stays as they want it": (
        [{"add": ["theirs"], "priority": URGENT}, {"group": 6}],
        ["group: changed_since", "priority: changed_since"],
        ({"vip", "theirs"}, URGENT, 6, {}),
    ),
    "what was taken off and put back is theirs": (
        [{"remove": ["ai_billing"], "priority": LOW}, {"add": ["ai_billing"], "priority": HIGH}],
        ["priority: changed_since", "tag ai_billing: changed_since"],
        ({"vip", "ai_billing"}, HIGH, None, {}),
    ),
    "what people have taken back themselves is no matter": (
        [{"remove": ["ai_billing"], "priority": None}],
        [],
        ({"vip"}, None, None, {}),
    ),
    "another group could cost the assignee": ([{"assignee": 77}], ["group: assigned"], ({"vip"}, None, 5, {})),
    "what a later run changed stays": (
        [{"add": ["ai_refund"], "remove": ["vip"], "priority": LOW, **BY_LATER}],
        ["priority: a_later_run_wrote"],
        ({"ai_refund"}, LOW, None, {}),
    ),
    "so does what the undo of a later run changed besides": (
        [{"priority": LOW, **BY_LATER}, {"priority": HIGH, "group": 6, **UNDONE_LATER}],
        ["group: a_later_run_wrote"],
        ({"vip"}, None, 6, {}),
    ),
}


@pytest.mark.parametrize(("edits", "left", "after"), SINCE.values(), ids=SINCE)
def test_what_has_changed_since_stays_and_the_rest_goes(
    triaged: Bench, edits: list[dict[str, Any]], left: list[str], after: tuple[object, ...]
) -> None:
    for edit in edits:
        triaged.account.tag(**edit)
    triaged.undo()
    assert triaged.one == ("updated", "taken_back", left)
    assert values(triaged.ticket) == after


TOUCHED = [f"field {AREA}: changed_since", "tag area_web: changed_since"]
CHOICES: dict[str, tuple[list[dict[str, Any]], list[str], dict[int, str]]] = {
    "it goes with its tag": ([], [], {}),
    "who changed it has changed its tags, of which the record is silent": (
        [{"fields": {AREA: "area_web area_app"}}],
        TOUCHED,
        {AREA: "area_web area_app"},
    ),
    "who changed its tag has changed it": (
        [{"remove": ["area_web"]}, {"add": ["area_web"]}],
        TOUCHED,
        {AREA: "area_web"},
    ),
}


@pytest.mark.parametrize(("edits", "left", "fields"), CHOICES.values(), ids=CHOICES)
def test_a_drop_down_and_its_tag_are_one(
    bench: Bench, edits: list[dict[str, Any]], left: list[str], fields: dict[int, str]
) -> None:
    bench.account.add()
    bench.account.run_writes(tags=("ai_processed", "area_web"), fields={AREA: "area_web"})
    for edit in edits:
        bench.account.tag(**edit)
    bench.undo()
    assert bench.one[2] == left
    assert values(bench.ticket) == ({"area_web"} if left else set(), None, None, fields)


# Which tickets


def test_undoing_twice_does_nothing_with_and_without_the_receipts(triaged: Bench) -> None:
    triaged.undo()
    after = values(triaged.ticket)
    triaged.clock.advance(60)
    triaged.undo()
    assert triaged.one == ("skipped", "already_undone", [])
    asked = triaged.account.times("history")
    triaged.undo(taken_back={1})
    assert triaged.one == ("skipped", "already_undone", [])
    assert triaged.account.times("history") == asked
    assert len(triaged.account.written) == 1
    assert values(triaged.ticket) == after


def test_deleted_closed_and_hands_off_tickets_are_left(triaged: Bench) -> None:
    account = triaged.account
    for number, tags, status in ((2, OURS, "closed"), (3, (*OURS, "ai_hands_off"), "open")):
        account.add(number)
        account.run_writes(number, tags=OURS)
        account.edit(number, tags=tags, status=status)
    account.add(4)
    account.run_writes(4, tags=OURS)
    del account.tickets[4]
    summary = triaged.undo(1, 2, 3, 4, hands_off="ai_hands_off")
    assert summary.reasons == {"closed": 1, "hands_off": 1, "deleted": 1}
    assert [change.ticket_id for change in account.written] == [1]


def test_a_write_that_never_arrived_or_was_another_runs_is_none_of_ours(triaged: Bench) -> None:
    triaged.account.add(2)
    triaged.undo(1, 2, run=LATER)
    reason = triaged.results[1][0].reason
    assert other_run(reason) == RUN
    assert other_run("nothing_of_ours") is None
    assert line(triaged.results[1][0], ()) == f"ticket 1: left (written by run {RUN}: take that one back)"
    assert triaged.results[2][0].reason == "nothing_of_ours"
    assert triaged.account.written == []


def test_a_ticket_that_changed_just_now_is_waited_for(triaged: Bench) -> None:
    triaged.account.tag(add=["theirs"], ago=1.0)
    assert triaged.undo().exit_code == 0
    assert triaged.one == ("updated", "taken_back", [])
    assert sum(triaged.clock.waits) >= 6.0


# Once, and guarded


def test_a_lost_answer_is_looked_up_and_not_repeated(triaged: Bench) -> None:
    def lost(change: Change) -> None:
        triaged.account.apply(change)
        raise OutcomeUnknown("lost")

    triaged.account.updates = [lost]
    triaged.undo()
    assert triaged.one == ("updated", "confirmed_by_reading", [])
    assert len(triaged.account.written) == 1


def test_after_three_conflicts_the_ticket_has_failed(triaged: Bench) -> None:
    triaged.account.updates = [
        lambda _, ago=ago: triaged.account.edit(status="open", ago=ago)  # type: ignore[misc]
        for ago in (100.0, 90.0, 80.0)
    ]
    assert triaged.undo().exit_code == 1
    assert triaged.one[:2] == ("failed", "changed_again_and_again")


@pytest.mark.parametrize(("part", "left", "group"), [("group", ["group: refused"], 5), ("note", [], 4)])
def test_a_part_that_the_helpdesk_refuses_stays_and_the_rest_goes(
    bench: Bench, part: MissingPart, left: list[str], group: int
) -> None:
    bench.account.add(group=4)
    bench.account.run_writes(tags=OURS, group=5)
    bench.account.updates = [PartRefused("refused", part)]
    bench.undo()
    assert bench.one == ("updated", "taken_back", left)
    assert values(bench.ticket) == (set(), None, group, {})


def test_a_record_that_cannot_be_read_is_that_tickets_failure(triaged: Bench) -> None:
    triaged.account.add(2)
    triaged.account.run_writes(2, tags=OURS)
    history = triaged.account.history

    def unreadable(ticket_id: int) -> History:
        if ticket_id == 1:
            raise TicketError("not shown")
        return history(ticket_id)

    triaged.account.history = unreadable  # type: ignore[method-assign]
    assert triaged.undo(1, 2).outcomes == {"failed": 1, "updated": 1}


def test_a_dry_run_sends_nothing_and_leaves_the_state_alone(triaged: Bench) -> None:
    summary = triaged.undo(dry_run=True)
    assert triaged.one == ("planned", "taken_back", [])
    assert triaged.account.written == []
    assert summary.dry_run
    assert not triaged.state.is_done(1)


# Several writes of one run on a ticket


@pytest.mark.parametrize(("edited", "deleted"), [(False, {5}), (True, set())])
def test_a_note_that_can_be_deleted_stays_where_a_person_has_edited_it(edited: bool, deleted: set[int]) -> None:
    note = Edit(at="2026-11-21T03:00:00Z", key=KEY, intent=f"{RUN}-1", comment="internal", note=5, note_edited=edited)
    back = take_back(History(edits=(note,)), a_ticket(), lambda edit: edit is note)
    assert back.of("note").keys() == deleted
    assert [item.part for item in back.left] == ["note 5"] * edited


def test_two_writes_of_a_run_are_taken_back_together_with_one_note(triaged: Bench) -> None:
    triaged.account.edit(group=6, priority=Priority.URGENT)
    triaged.account.tag(
        add=["ai_refund"], remove=["ai_billing"], priority=Priority.LOW, key=SECOND, intent=f"{RUN}-2", ago=600.0
    )
    triaged.undo(key=(KEY, SECOND))
    assert triaged.one == ("updated", "taken_back", ["group: changed_since"])
    assert values(triaged.ticket) == ({"vip"}, Priority.URGENT, 6, {}), "what people set between them comes back"
    triaged.clock.advance(60)
    triaged.undo(key=(KEY, SECOND))
    assert triaged.one == ("skipped", "already_undone", [])
    assert len(triaged.account.written) == 1


# What was put back for people


def a_repair(key: str, **lost: Any) -> Verdict:
    return repair(a_change(1, key=key), Overwritten(**lost), a_verdict(1, key))


def test_what_a_run_put_back_for_people_stays(triaged: Bench) -> None:
    """Its receipt is missing, so that only the ticket's own record tells what it was."""
    mended = a_repair(KEY, tags=("theirs",), priority=Priority.LOW)
    triaged.account.tag(add=["theirs"], priority=Priority.LOW, key=mended.key, intent=f"{LATER}-1")
    rest = completion(Outcome(ticket_id=1, status=OutcomeStatus.UPDATED, reason=PUT_BACK, missing=("group",)), mended)
    triaged.account.edit(group=7, key=rest.key, intent=f"{LATER}-2")
    after = values(triaged.ticket)
    summary = triaged.undo(run=LATER, key=(mended.key, rest.key))
    assert triaged.one == ("skipped", PUT_BACK, [])
    assert (values(triaged.ticket), summary.exit_code) == (after, 0)
    triaged.account.edit(fields={ORDER: "B-2"}, key="own", intent=f"{LATER}-3")
    triaged.undo(run=LATER, key=(mended.key, rest.key, "own"))
    assert values(triaged.ticket) == after


# Writes that are still on their way

UNDER_WAY = JobStatus(ended=False, results={})


def on_its_way(bench: Bench, *ticket_ids: int, job: str = "j1") -> list[Change]:
    """What a run that ended early left behind: open intents, and a job's id."""
    changes = []
    for number in ticket_ids:
        bench.account.add(number)
        ticket = bench.account.tickets[number]
        change = a_change(number, key=KEY, intent=f"{RUN}-{number}").model_copy(
            update={"stamp": ticket.updated_at, "tags": OURS, "tags_added": OURS}
        )
        changes.append(change)
        bench.state.keep_verdict(a_verdict(number, KEY))
    bench.state.open_intent(*changes)
    bench.state.job_begun(job, [change.intent for change in changes], bench.clock.now())
    return changes


def arrive(bench: Bench, change: Change) -> None:
    bench.account.run_writes(change.ticket_id, tags=OURS, ago=60.0)


def test_a_job_that_is_under_way_is_waited_for_and_what_it_brought_taken_back(bench: Bench) -> None:
    one, two = on_its_way(bench, 1, 2)
    jobs = bench.account.jobs

    def ask(job_ids: Sequence[str]) -> Mapping[str, JobStatus]:
        if bench.account.times("jobs") == 4:
            arrive(bench, one)
            bench.account.job_answers = [{"j1": JobStatus(ended=True, results={1: True, 2: False})}]
        return jobs(job_ids)

    bench.account.job_answers = [{"j1": UNDER_WAY}]
    bench.account.jobs = ask  # type: ignore[method-assign]
    assert bench.undo(1, 2).exit_code == 0
    assert {number: result[0].reason for number, result in bench.results.items()} == {
        1: "taken_back",
        2: "nothing_of_ours",
    }
    assert bench.ticket.tags == ()
    assert two.intent not in [change.intent for change in bench.account.written]


# Note, receipts, state


def test_neither_note_nor_log_repeats_what_people_wrote_into_a_field(bench: Bench) -> None:
    bench.account.add(fields={ORDER: "Jane Roe, 12 Elm Street"})
    bench.account.run_writes(tags=OURS, fields={ORDER: "to be asked"})
    bench.undo()
    assert bench.ticket.fields == {ORDER: "Jane Roe, 12 Elm Street"}
    assert f"field {ORDER} as it was" in str(bench.account.written[0].note)
    log = "".join(path.read_text(encoding="utf-8") for path in bench.folder.iterdir())
    assert "Jane" not in f"{bench.account.written[0].note}{log}"


def a_verdict(ticket_id: int, key: str) -> Verdict:
    decision = Decision(ticket_id=ticket_id, priority=Priority.HIGH, reason="test")
    return Verdict(ticket_id=ticket_id, key=key, analysis=None, decision=decision, clean_stamp="", follows=True)


def test_what_a_later_run_was_to_complete_is_given_up_and_nothing_else(triaged: Bench) -> None:
    triaged.account.add(2)
    triaged.account.run_writes(2, tags=OURS)
    triaged.account.edit(2, status="closed")
    triaged.account.add(3)
    for number, key in ((1, KEY), (2, KEY), (3, "another")):
        triaged.state.settled(number, then=(a_verdict(number, key_of_stage(key, "complete")), "incomplete"))
    triaged.state.remember_fallback(1, OURS)
    triaged.undo(1, 2, 3)
    assert [item.verdict.ticket_id for item in triaged.state.unsettled()] == [3]
    assert triaged.state.fallbacks() == {}
    assert triaged.state.is_done(1)  # or the next run would triage it again


# What stops it


def test_a_kill_switch_stops_it_before_anything_is_sent(triaged: Bench) -> None:
    def stop() -> None:
        raise Halted("the kill switch is set")

    summary = triaged.undo(before_write=stop)
    assert summary.exit_code == 3
    assert summary.stopped is not None
    assert "--while-stopped" in summary.stopped
    assert triaged.account.times("history") == 0


def test_after_a_note_became_public_no_note_of_an_undo_is_written_either(triaged: Bench) -> None:
    triaged.account.updates = [NotePublished("note became public")]
    assert triaged.undo().exit_code == 3
    assert triaged.state.fact(HALTED) == "note became public"
    assert triaged.undo().exit_code == 3
    assert len(triaged.account.written) == 1
    assert triaged.undo(dry_run=True).exit_code == 0


def test_a_helpdesk_that_asked_for_peace_is_left_in_peace(triaged: Bench) -> None:
    triaged.state.keep_not_before("helpdesk", START + 100, START)
    assert triaged.undo().exit_code == 3
    assert triaged.account.times("history") == 0
    triaged.clock.advance(100)
    assert triaged.undo().exit_code == 0


def test_many_go_as_jobs_once_the_account_has_proved_fit_for_them_which_is_remembered(bench: Bench) -> None:
    for number in range(1, 8):
        bench.account.add(number)
        bench.account.run_writes(number, tags=OURS)
    assert bench.undo(*range(1, 8), delivery=Delivery("batch")).outcomes == {"updated": 7}
    # First five, which are looked at closely, and one that has to fail.
    assert (bench.account.sizes(), len(bench.account.stale)) == ([6, 2], 1)
    assert learnt(bench.state).ok

    remember(bench.state, learnt(bench.state).model_copy(update={"ok": False}))
    bench.account.add(8)
    bench.account.run_writes(8, tags=OURS)
    bench.undo(8, delivery=Delivery("batch"))
    assert len(bench.account.jobs_taken) == 2


def test_when_the_time_is_used_up_the_rest_is_for_the_same_command_again(triaged: Bench) -> None:
    triaged.seconds = 3.0
    triaged.account.tag(add=["theirs"], ago=0.0)
    summary = triaged.undo()
    assert (summary.exit_code, summary.outcomes) == (1, {})
    assert "the same command" in str(summary.stopped)


# Which run


class Log:
    """A folder of receipts, as runs leave them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()

    def run(self, run_id: str, *written: int, sent: Sequence[int] = (), dry_run: bool = False, **facts: str) -> None:
        audit = AuditLog(self.folder, self.clock, run_id, dry_run=dry_run)
        audit.run_started(**facts)
        status = OutcomeStatus.PLANNED if dry_run else OutcomeStatus.UPDATED
        for number in (*written, *sent):
            key = f"key{number}" if "undoes" not in facts else key_of_stage(f"key{number}", "undo")
            change = a_change(number, intent=audit.new_intent(), key=key)
            if not dry_run:
                audit.intent(change)
            if number in written:
                audit.ticket(Outcome(ticket_id=number, status=status, reason="test", change=change))
        audit.run_finished(RunSummary(run_id=run_id, dry_run=dry_run))
        audit.close()
        self.clock.advance(600)

    @property
    def past(self) -> PastRuns:
        return PastRuns(self.folder)

    def writes(self, asked: str) -> RunWrites:
        return self.past.writes(self.past.find(asked))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_a_run_is_found_by_its_id_its_beginning_or_as_the_latest_that_wrote(log: Log) -> None:
    log.run("2026A-1", 1)
    log.run("2026B-1", 2, 3)
    log.run("2026C-1")
    log.run("2026D-1", 4, dry_run=True)
    log.run("2026E-1-undo", 2, 3, undoes="2026B-1")
    assert log.writes("latest").run_id == "2026B-1"
    assert log.writes("2026A").keys == {1: ("key1",)}
    log.run("2026A-12", 5)
    assert log.writes("2026A-1").keys == {1: ("key1",)}
    assert log.writes("2026C-1").keys == {}
    assert log.writes("2026B-1").taken_back == {2, 3}
    assert log.writes("2026A-1").taken_back == set()


def test_a_write_without_a_receipt_may_have_been_made_and_counts_for_the_run_that_sent_it(log: Log) -> None:
    log.run("2026A-1", sent=[1, 2])
    audit = AuditLog(log.folder, log.clock, "2026B-1")
    audit.run_started()
    change = a_change(1, intent="2026A-1-1", key="key1")
    audit.ticket(Outcome(ticket_id=1, status=OutcomeStatus.UPDATED, reason="confirmed_by_reading", change=change))
    audit.close()
    assert log.writes("2026A-1").keys == {1: ("key1",), 2: ("key2",)}
    assert log.writes("2026B-1").keys == {1: ("key1",)}  # the ticket's own record says whose write it is


def several(log: Log, run_id: str, *writes: tuple[str, str], tries: int = 1) -> None:
    """A run with these writes, (key, reason), on ticket 1; each was sent so often until it was made."""
    audit = AuditLog(log.folder, log.clock, run_id)
    audit.run_started()
    for key, reason in writes:
        for _ in range(tries):
            change = a_change(1, intent=audit.new_intent(), key=key)
            audit.intent(change)
        audit.ticket(Outcome(ticket_id=1, status=OutcomeStatus.UPDATED, reason=reason, change=change))
    audit.close()


def test_every_write_of_a_run_is_known_and_a_ticket_is_taken_back_when_its_last_one_was(log: Log) -> None:
    several(log, "2026A-1", ("first", "test"), ("second", "test"), tries=2)
    assert log.writes("2026A-1").keys == {1: ("first", "second")}
    for number, key in enumerate(("first", "second"), start=1):
        audit = AuditLog(log.folder, log.clock, f"2026B-{number}-undo")
        audit.run_started(undoes="2026A-1")
        change = a_change(1, intent=audit.new_intent(), key=key_of_stage(key, "undo"))
        audit.ticket(Outcome(ticket_id=1, status=OutcomeStatus.UPDATED, reason="taken_back", change=change))
        audit.close()
        assert log.writes("2026A-1").taken_back == ({1} if key == "second" else set())


def test_what_a_run_put_back_is_not_among_what_can_be_taken_back(log: Log) -> None:
    log.run("2026A-1", 2)
    several(log, "2026B-1", ("repair", PUT_BACK), tries=2)
    assert log.writes("latest").run_id == "2026A-1"
    assert log.writes("2026B-1").keys == {}
    several(log, "2026C-1", ("repair", PUT_BACK), ("own", "test"))
    assert log.writes("latest").keys == {1: ("own",)}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("2027", "knows no run 2027"),
        ("", "knows no run"),
        ("2026", "3 runs begin with 2026"),
        ("2026B-1", "was a dry run"),
        ("2026C-1-undo", "took back run 2026A-1; that cannot be undone"),
    ],
)
def test_a_run_that_cannot_be_taken_back_is_refused_with_the_reason(log: Log, asked: str, sentence: str) -> None:
    log.run("2026A-1", 1)
    log.run("2026B-1", 1, dry_run=True)
    log.run("2026C-1-undo", 1, undoes="2026A-1")
    with pytest.raises(ConfigError, match=sentence):
        log.past.find(asked)


@pytest.mark.parametrize("asked", ["latest", "2026A-1"])
def test_a_log_folder_without_receipts_is_called_that_and_not_a_run_that_is_unknown(log: Log, asked: str) -> None:
    for folder, sentence in ((log.folder / "none", "does not exist"), (log.folder, "holds no receipts")):
        with pytest.raises(ConfigError, match=sentence) as caught:
            PastRuns(folder).find(asked)
        assert str(folder) in str(caught.value)
        assert "log_dir (TICKETBOT_LOG_DIR)" in str(caught.value)
    log.run("2026Z-1")
    with pytest.raises(ConfigError, match="no run in the log"):
        log.past.find("latest")


def test_a_ticket_that_the_run_did_not_write_on_is_no_choice(log: Log) -> None:
    log.run("2026A-1", 1, 2)
    assert log.writes("2026A-1").of([2, 2]).keys == {2: ("key2",)}
    with pytest.raises(ConfigError, match="did not write on ticket 3"):
        log.writes("2026A-1").of([2, 3])


# Any history

TAGS = ("a", "b", "c", "d")
PRIORITIES = (None, Priority.LOW, Priority.HIGH)
an_edit = st.fixed_dictionaries(
    {},
    optional={
        "flip": st.frozensets(st.sampled_from(TAGS), min_size=1, max_size=3),
        "priority": st.sampled_from(PRIORITIES),
        "group": st.sampled_from((None, 1, 2)),
        "field": st.sampled_from((None, "x", "y")),
    },
)
by_whom = st.sampled_from(("person", "later"))


def edited(account: Account, how: Mapping[str, Any], **by: str) -> Edit:
    ticket = account.tickets[1]
    values: dict[str, Any] = {name: how[name] for name in ("priority", "group") if name in how}
    if "flip" in how:
        values["tags"] = tuple(sorted(set(ticket.tags) ^ how["flip"]))
    if "field" in how:
        values["fields"] = {ORDER: how["field"]}
    return account.edit(**values, **by)


def parts(edit: Edit) -> set[str]:
    """What an edit touched, in words of this test's own."""
    touched = {f"tag {name}" for name in edit.tags_added | edit.tags_removed}
    touched |= {"priority"} if edit.priority else set()
    touched |= {"group"} if edit.group else set()
    return touched | {f"field {number}" for number in edit.fields}


@given(st.lists(st.tuples(st.booleans(), an_edit), min_size=1, max_size=5))
def test_runs_of_several_writes_taken_back_from_the_last_to_the_first_leave_nothing(
    story: list[tuple[bool, dict[str, Any]]],
) -> None:
    account = Account(ManualClock())
    account.add()
    before = values(account.tickets[1])
    runs: list[list[Edit]] = []
    for number, (same, how) in enumerate(story):
        if not (same and runs):
            runs.append([])
            start = account.tickets[1]
        runs[-1].append(edited(account, how, key=f"key{number}", intent=f"run{len(runs)}-{number}"))
        touched = set().union(*map(parts, runs[-1]))
        # What a run has undone itself tells nobody that it was there.
        assume(all(value(start, part) != value(account.tickets[1], part) for part in touched))
    for writes in reversed(runs):
        back = take_back(account.history(1), account.tickets[1], lambda edit, writes=writes: edit in writes)  # type: ignore[misc]
        assert back.left == ()
        if back.values:
            change = as_change(account.tickets[1], back, key=undo_key(writes[-1]), intent="undo-1", run_id=RUN)
            account.apply(change)
    assert values(account.tickets[1]) == before


def value(ticket: Ticket, part: str) -> object:
    kind, _, name = part.partition(" ")
    if kind == "tag":
        return name in ticket.tags
    return ticket.fields.get(int(name)) if kind == "field" else getattr(ticket, kind)


@given(st.lists(an_edit, max_size=3), an_edit, st.lists(st.tuples(by_whom, an_edit), max_size=5))
def test_of_any_history_only_what_nobody_touched_since_goes_back(
    earlier: list[dict[str, Any]], write: dict[str, Any], later: list[tuple[str, dict[str, Any]]]
) -> None:
    account = Account(ManualClock())
    account.add()
    for how in earlier:
        edited(account, how)
    before = account.tickets[1]
    ours = edited(account, write, key=KEY, intent=f"{RUN}-1")
    touched: set[str] = set()
    for number, (who, how) in enumerate(later):
        by = {} if who == "person" else {"key": f"later{number}", "intent": f"{LATER}-{number}"}
        touched |= parts(edited(account, how, **by))
    found = account.tickets[1]
    back = taken(account)
    everything = {f"tag {name}" for name in TAGS} | {"priority", "group", f"field {ORDER}"}
    result = account.tickets[1]
    for part in everything:
        if part in parts(ours) - touched:
            assert value(result, part) == value(before, part), part
        else:
            assert value(result, part) == value(found, part), part  # touched since, or never ours
    assert {item.part for item in back.left} == {
        part for part in parts(ours) & touched if value(found, part) != value(before, part)
    }


def taken(account: Account) -> TakeBack:
    """Take the write under :data:`KEY` back, as the helpdesk would record it."""
    back = take_back(account.history(1), account.tickets[1], lambda edit: edit.key == KEY)
    if back.values:
        account.apply(as_change(account.tickets[1], back, key="u", intent="undo-1", run_id=RUN))
    return back

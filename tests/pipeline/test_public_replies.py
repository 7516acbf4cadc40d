from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.analysis.chain import Understanding
from ticket_processor.audit.files import read_events
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.clock import Deadline, iso
from ticket_processor.core.errors import (
    CannotRun,
    OutcomeUnknown,
    TicketError,
    TicketGone,
    UpdateRefused,
)
from ticket_processor.core.models import Change, Outcome, Priority, PublicReply, ReplyPlan, Ticket
from ticket_processor.helpdesk.protocol import Fetched
from ticket_processor.helpdesk.ticket_history import Edit, History
from ticket_processor.helpdesk.zendesk_format import reply_html
from ticket_processor.pipeline.analyse import Answers, Judge, ReplyStep
from ticket_processor.pipeline.context import Parts, RunChecks, RunOptions
from ticket_processor.pipeline.public_replies import TOO_LATE_S, ReplySender
from ticket_processor.pipeline.record import RunHost
from ticket_processor.pipeline.shared_faults import SharedFaults
from ticket_processor.policy.decide import Policy
from ticket_processor.policy.skip_rules import Selection, SkipRules
from ticket_processor.state.records import ScheduledReply
from ticket_processor.state.store import State

from ..support.fakes import START, ManualClock, a_ticket
from ..support.memory_helpdesk import RULES
from ..support.writeback_rig import books

TEXT = "Hello,\n\nA refund takes 5 days. [1]\n\n[1] Refunds: https://help.example.com/refunds?a=1&b=2"
REPLY = PublicReply(text=TEXT, category="billing", threshold=0.9, draft=hashlib.sha256(TEXT.encode()).hexdigest())
KEY = "k" * 32
TAGS = ("ai_processed", "ai_billing")
WRITTEN_AGO = 700.0
"""Seconds since the note that announced the reply."""


class Rig:
    """A ticket whose note has announced a reply, ten minutes ago; and runs that look at what is due."""

    def __init__(self, folder: Path, *, then: str | None = None) -> None:
        self.clock = ManualClock()
        self.state = State(None)
        self.folder = folder
        self.objection: str | None = None
        self.wants_replies = True
        self.written: list[Change] = []
        self.steps: list[Exception | None] = []
        self.ended: list[Outcome] = []
        self.unread: dict[int, TicketError] = {}
        created = iso(START - 7200)
        self.edits = [
            Edit(at=created, creation=True, author=9, comment="public"),
            Edit(at=iso(START - WRITTEN_AGO), key=KEY, intent="run-1", comment="internal", tags_added=frozenset(TAGS)),
        ]
        self.ticket: Ticket | None = a_ticket(1, age=7200.0, tags=TAGS, priority=Priority.NORMAL, requester=9)
        self.touch(ago=WRITTEN_AGO)
        plan = ReplyPlan.model_validate({"reply": REPLY, "delay_s": 600.0, "then": then, "then_s": 3600.0})
        self.state.schedule_reply(
            ScheduledReply(ticket_id=1, step="reply", plan=plan, key=KEY, tags=(), priority=Priority.NORMAL, group=None)
        )

    def touch(self, *, ago: float = 0.0, **fields: Any) -> None:
        """The ticket is changed so long before now."""
        assert self.ticket is not None
        stamp = iso(self.clock.now() - ago)
        self.ticket = self.ticket.model_copy(update={**fields, "updated_at": stamp})

    def edit(self, *, ago: float = 60.0, **values: Any) -> None:
        self.edits.append(Edit.model_validate({"at": iso(self.clock.now() - ago), **values}))
        self.touch(ago=ago)

    def run(
        self, *, dry_run: bool = False, rules: SkipRules | None = None, stop: bool = False
    ) -> list[tuple[str, str]]:
        """What became of it, as (status, reason)."""
        audit = AuditLog(self.folder, self.clock, f"run{self.clock.now():.0f}")
        options = RunOptions(run_id="run", dry_run=dry_run)
        selection = Selection(rules or SkipRules())
        parts = _Parts(
            self.clock,
            stop,
            desk=self,
            state=self.state,
            audit=audit,
            selection=selection,
            answers=_Answers(self.wants_replies, self.objection),
        )
        self.ended.clear()
        try:
            if due := self.state.scheduled_replies():
                checks, record = RunChecks(parts, options, SharedFaults()), books(parts, self.ended.append).record_reply
                ReplySender(self, parts, options, checks, record).send_due(due)  # type: ignore[arg-type]
        finally:
            audit.close()
        return [(outcome.status.value, outcome.reason) for outcome in self.ended]

    def lines(self, event: str) -> list[dict[str, Any]]:
        return [
            line for path in sorted(self.folder.glob("*.jsonl")) for line in read_events(path) if line["event"] == event
        ]

    # The helpdesk

    def fetch(self, ticket_ids: Sequence[int]) -> Fetched:
        assert list(ticket_ids) == [1]
        if self.unread or self.ticket is None:
            return dict(self.unread)
        return {1: self.ticket.model_copy(update={"read_at": self.clock.now()})}

    def history(self, ticket_id: int) -> History:
        return History(edits=tuple(self.edits))

    def update(self, change: Change) -> Edit | None:
        self.written.append(change)
        step = self.steps.pop(0) if self.steps else None
        if step is not None:
            if isinstance(step, OutcomeUnknown):
                self.apply(change)
            raise step
        return self.apply(change)

    def apply(self, change: Change) -> Edit:
        status = None if change.closing is None else ("open", change.closing.status)
        self.edit(
            ago=0.0,
            key=change.key,
            intent=change.intent,
            comment="public" if change.reply else None,
            status=status,
            tags_added=frozenset(change.tags_added),
        )
        self.touch(tags=change.tags, **({} if change.closing is None else {"status": change.closing.status}))
        return self.edits[-1]


class _Parts(Parts):
    def __init__(self, clock: ManualClock, stop: bool, **parts: object) -> None:
        given = {"deadline": Deadline(clock, 540.0), "host": RunHost(), "kill_switch": _Switch(stop), **parts}
        self.__dict__.update(judge=Judge(Understanding([], RULES), Policy()), **given)


class _Answers(Answers):
    def __init__(self, public: bool, says: str | None) -> None:
        self.public = public
        self._says = says

    def objection(self, plan: ReplyPlan, step: ReplyStep) -> str | None:
        return self._says


class _Switch:
    def __init__(self, on: bool) -> None:
        self._on = on

    def check(self) -> None:
        if self._on:
            raise CannotRun("stopped by a person")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_a_reply_goes_out_once_when_its_time_has_come(rig: Rig) -> None:
    assert rig.run() == [("updated", "public_reply")]
    assert rig.run() == []
    (change,) = rig.written
    assert change.reply == REPLY
    assert change.closing is None
    assert change.tags == (*TAGS, "ai_replied")


def test_nothing_is_sent_before_the_delay_is_over(rig: Rig) -> None:
    rig.clock.advance(599.0 - WRITTEN_AGO)
    assert rig.run() == []
    rig.clock.advance(1.0)
    assert rig.run() == [("updated", "public_reply")]


TOUCHES: dict[str, Callable[[Rig], None]] = {
    "a person's comment": lambda rig: rig.edit(author=7, comment="internal"),
    "the customer's answer": lambda rig: rig.edit(author=9, comment="public"),
    "a person's tag": lambda rig: rig.edit(author=7, tags_added=frozenset({"vip"})),
    "an edit of which no more is known": lambda rig: rig.edit(),
    "another program": lambda rig: rig.edit(way="api", author=5),
    "a rule that comments": lambda rig: rig.edit(way="rules", comment="public"),
    "a rule that sets a status": lambda rig: rig.edit(way="rules", status=("open", "pending")),
    "a second look of ours": lambda rig: rig.edit(key="z" * 32, intent="run-2"),
    "a tag that is on no record": lambda rig: rig.touch(ago=WRITTEN_AGO, tags=(*TAGS, "vip")),
    "a priority that is on no record": lambda rig: rig.touch(ago=WRITTEN_AGO, priority=Priority.HIGH),
    "an agent who opened the ticket": lambda rig: rig.edits.__setitem__(
        0, rig.edits[0].model_copy(update={"author": 7})
    ),
    "a first message that nobody sees": lambda rig: rig.edits.__setitem__(
        0, rig.edits[0].model_copy(update={"comment": "internal"})
    ),
    "a follow-up of a closed ticket": lambda rig: rig.touch(ago=WRITTEN_AGO, follow_up=True),
    "a person before the note": lambda rig: rig.edits.insert(
        1, Edit(at=iso(START - 3000), author=7, comment="internal")
    ),
}


def unannounced(rig: Rig) -> None:
    del rig.edits[1]
    rig.edits.append(Edit(at=iso(START - WRITTEN_AGO), way="rules"))


def undated(date: str) -> Callable[[Rig], object]:
    return lambda rig: rig.edits.__setitem__(1, rig.edits[1].model_copy(update={"at": date}))


CANCELLED: dict[str, tuple[Callable[[Rig], object], str]] = {
    **{what: (touch, "touched") for what, touch in TOUCHES.items()},
    "a conversation": (lambda rig: rig.touch(ago=WRITTEN_AGO, messaging=True), "messaging"),
    "it waits": (lambda rig: rig.touch(ago=WRITTEN_AGO, status="pending"), "person_was_faster_pending"),
    "it is solved": (lambda rig: rig.touch(ago=WRITTEN_AGO, status="solved"), "solved"),
    "it is somebody's": (lambda rig: rig.touch(ago=WRITTEN_AGO, assignee=7), "person_was_faster_assigned"),
    "settings that no longer agree": (lambda rig: setattr(rig, "objection", "not_wanted"), "not_wanted"),
    "articles that no longer agree": (lambda rig: setattr(rig, "objection", "articles_changed"), "articles_changed"),
    "it is hours late": (lambda rig: rig.clock.advance(TOO_LATE_S), "too_late"),
    "its announcement has no date": (undated(""), "too_late"),
    "its announcement has a strange date": (undated("soon"), "too_late"),
    "its announcement is not on record": (unannounced, "not_on_record"),
}


@pytest.mark.parametrize(("what", "why"), CANCELLED.values(), ids=CANCELLED)
def test_what_cancels_it_cancels_it_for_good(rig: Rig, what: Callable[[Rig], object], why: str) -> None:
    what(rig)
    assert rig.run() == [("skipped", f"reply_cancelled_{why}")]
    assert rig.run() == []
    assert rig.written == []


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (TicketGone("closed"), ("skipped", "reply_cancelled_closed")),
        (UpdateRefused("the helpdesk refuses it"), ("failed", "the helpdesk refuses it")),
    ],
)
def test_a_refusal_ends_it(rig: Rig, error: Exception, end: tuple[str, str]) -> None:
    rig.steps = [error]
    assert rig.run() == [end]
    assert rig.state.scheduled_replies() == []


def test_settings_that_want_no_replies_cancel_it_unread_and_a_dry_run_keeps_it(rig: Rig) -> None:
    rig.wants_replies, rig.unread = False, {1: TicketError("unread")}
    assert rig.run(dry_run=True) == []
    assert len(rig.state.scheduled_replies()) == 1
    assert rig.run() == [("skipped", "reply_cancelled_not_wanted")]
    assert rig.state.scheduled_replies() == []
    assert rig.written == []


def test_a_dry_run_plans_it_and_sends_nothing(rig: Rig) -> None:
    assert rig.run(dry_run=True) == [("planned", "public_reply")]
    assert rig.written == []


def test_the_status_follows_later_in_a_call_of_its_own(tmp_path: Path) -> None:
    rig = Rig(tmp_path, then="solved")
    rig.run()
    rig.clock.advance(3599.0)
    assert rig.run() == []
    rig.clock.advance(1.0)
    assert rig.run() == [("updated", "status_after_reply")]
    reply, status = rig.written
    assert (reply.closing, status.reply) == (None, None)
    assert status.closing is not None
    assert (status.closing.status, status.closing.draft) == ("solved", REPLY.draft)
    assert rig.lines("intent")[-1]["change"]["close"]["category"] == "billing"
    assert rig.state.scheduled_replies() == []


def test_a_reply_is_escaped_but_for_the_addresses_of_its_articles() -> None:
    shown = reply_html("<b>{{ticket.id}}</b>\nhttps://help.example.com/a?x=1&y=2")
    assert shown == (
        "<p>&lt;b&gt;&#123;&#123;ticket.id&#125;&#125;&lt;/b&gt;<br>"
        '<a href="https://help.example.com/a?x=1&amp;y=2">https://help.example.com/a?x=1&amp;y=2</a></p>'
    )

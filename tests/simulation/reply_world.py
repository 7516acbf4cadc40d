"""Stories in which notes announce public replies that go out later, and statuses that follow them."""

from __future__ import annotations

import hashlib
import html
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ticket_processor import zendesk
from ticket_processor.audit import receipts
from ticket_processor.core.errors import OutcomeUnknown
from ticket_processor.core.models import Analysis, Change, Decision, PublicReply, ReplyPlan, StatusChange, Ticket
from ticket_processor.core.reasons import NOT_WANTED
from ticket_processor.helpdesk import zendesk_format
from ticket_processor.knowledge.model import Passage
from ticket_processor.pipeline import public_replies
from ticket_processor.pipeline.analyse import Answers, ReplyStep
from ticket_processor.pipeline.public_replies import ReplySender
from ticket_processor.replies import public
from ticket_processor.replies.assembly import ReplyDraft, assembled
from ticket_processor.replies.grounding import Claim, Proposal
from ticket_processor.replies.public import why_not_now
from ticket_processor.replies.settings import PublicReplySettings, ReplySettings
from ticket_processor.sandbox.store import Audit, StoredTicket
from ticket_processor.state.records import ScheduledReply
from ticket_processor.tags import COMPLETE, key_of_stage

from . import invariants
from .guards import Guard, patch
from .mutations import MUTATIONS
from .world import ARTICLE, TAXONOMY, World

SAYS = "A refund for {} is on your account within 5 working days."
WANTED = ReplySettings(
    categories=dict.fromkeys(TAXONOMY.names, "public"),
    public=PublicReplySettings(thresholds=dict.fromkeys(TAXONOMY.names, 0.9), never=(), then="pending"),
)
CHANGES: tuple[str | None, ...] = (
    f"{SAYS} Until then, please wait.",
    SAYS.replace("5", "9"),
    SAYS.replace("is on", "is not on"),
    None,
)
"""What an article says once it is changed: the first still supports a reply, the last is none."""
PLACEHOLDER = "\n{{ticket.id}}"
"""Stands behind each reply, as no draft of an article's words can."""


class ReplyWorld(World):
    """One story with public replies. What people and the helpdesk do is drawn as in every other story."""

    def __init__(self, seed: int, **options: object) -> None:
        self.plans: dict[str, ReplyPlan] = {}
        """Every reply that a run has thought of, by its draft."""
        self.terms = random.Random(f"replies {seed}")
        self.delay_s = self.terms.choice((120.0, 300.0))
        self.then = self.terms.choice((None, "pending", "solved"))
        self.then_s = self.terms.choice((180.0, 900.0))
        self.wanted_until = self.terms.choice((None, None, None, 900.0))
        """Seconds into the story at which the settings stop asking for public replies."""
        dice = random.Random(f"articles of replies {seed}")
        self.changed_to = dice.choice(CHANGES)
        self.changes_after = dice.choice((None, None, 400.0, 1200.0))
        """Seconds into the story after which runs find the article changed."""
        super().__init__(seed, **options)  # type: ignore[arg-type]
        self._edit_weight *= self.terms.choice((0.0, 0.3, 1.0))
        self._started = self.time.now()

    def _answers(self) -> Answers:
        return _Replies(self)

    def with_a_reply(self, ticket: Ticket, analysis: Analysis, decision: Decision) -> tuple[Analysis, Decision]:
        if decision.note is None or random.Random(f"reply {self.seed} {ticket.id}").random() < 0.2:
            return analysis, decision
        says = SAYS.format(analysis.category)
        claim = Claim(text=says, source="A1", quote=says)
        proposal = Proposal(claims=(claim,), steps=(), missing=(), verdict="answer")
        said = assembled(proposal, {"A1": _article(says)}, "en")
        assert isinstance(said, ReplyDraft)
        text = said.text + PLACEHOLDER
        draft = hashlib.sha256(text.encode()).hexdigest()
        reply = PublicReply(text=text, category=analysis.category, threshold=0.9, draft=draft)
        plan = ReplyPlan(
            reply=reply, delay_s=self.delay_s, then=self.then, then_s=self.then_s, claims=said.sourced, language="en"
        )
        self.plans[draft] = plan
        return analysis, decision.model_copy(update={"note": f"{decision.note}\nA reply goes out.", "reply": plan})

    def still_wanted(self) -> bool:
        """Whether the settings ask for public replies."""
        return self.wanted_until is None or self.time.now() - self._started < self.wanted_until

    def is_changed(self, at: float) -> bool:
        """Whether a run that begins then finds the article changed."""
        return self.changes_after is not None and at - self._started >= self.changes_after

    def is_said(self, run: str) -> bool:
        """Whether the article still said what replies say when this run began."""
        return not self.is_changed(self.run_starts.get(run, 0.0)) or SAYS in (self.changed_to or "")

    def our_writes(self, ticket_id: int) -> list[Audit]:
        """The audits of our writes that customers see nothing of; see :meth:`shown_writes`."""
        return [audit for audit in super().our_writes(ticket_id) if not _is_shown(audit)]

    def shown_writes(self, ticket_id: int) -> Sequence[Audit]:
        """The audits of our public comments, and of our changes of the status."""
        return [audit for audit in super().our_writes(ticket_id) if _is_shown(audit)]


class _Replies(Answers):
    """What the knowledge base has for one run, which finds its article as it is when the run begins."""

    public = True

    def __init__(self, world: ReplyWorld) -> None:
        self._world = world
        self._says = world.changed_to if world.is_changed(world.time.now()) else SAYS

    def add(
        self, ticket: Ticket, analysis: Analysis, decision: Decision, *, may_ask: bool = True
    ) -> tuple[Analysis, Decision]:
        return self._world.with_a_reply(ticket, analysis, decision)

    def objection(self, plan: ReplyPlan, step: ReplyStep) -> str | None:
        if not self._world.still_wanted():
            return NOT_WANTED
        passages = [] if self._says is None else [_article(self._says.format(plan.reply.category))]
        wanted = WANTED.model_copy(update={"public": WANTED.public.model_copy(update={"then": plan.then})})
        return why_not_now(_without_placeholder(plan), step, wanted, lambda _article: passages)


def _article(says: str) -> Passage:
    return Passage("refunds", "folder", "Refunds", ARTICLE, "en", "everyone", 0.0, 0, "", says)


def _without_placeholder(plan: ReplyPlan) -> ReplyPlan:
    text = plan.reply.text.removesuffix(PLACEHOLDER)
    draft = hashlib.sha256(text.encode()).hexdigest()
    return plan.model_copy(update={"reply": plan.reply.model_copy(update={"text": text, "draft": draft})})


def _is_shown(audit: Audit) -> bool:
    return bool(audit.comment_public) or "status" in audit.raw or audit.values.get("status") is not None


# What must never happen in stories with public replies: the amendments to the promises 2, 4 and 5


REPLY_KEYS = {"tags", "safe_update", "updated_stamp", "metadata", "comment"}
STATUS_KEYS = {"tags", "safe_update", "updated_stamp", "metadata", "status"}


def violations(world: ReplyWorld) -> list[str]:
    """One sentence for each broken promise; empty when all were kept."""
    return invariants.violations(world) + invariants.of_tickets(world, partial(_of_ticket, world))


def _of_ticket(world: ReplyWorld, ticket: StoredTicket) -> Iterator[str]:
    shown = world.shown_writes(ticket.id)
    replies = [audit for audit in shown if audit.comment_public]
    statuses = [audit for audit in shown if "status" in audit.raw or audit.values.get("status")]
    if len(replies) > 1 or len(statuses) > 1:
        yield f"2 public: {len(replies)} public replies and {len(statuses)} changes of the status"
    if set(map(id, replies)) & set(map(id, statuses)):
        yield "5 status: a reply and a status in one call"
    for audit in shown:
        yield from _accounted(world, ticket, audit)
        if audit.tags_removed or audit.values.get("priority") or audit.values.get("group_id"):
            yield "3 human values: a public reply, or a status, changed something else"
    for audit in replies:
        if not world.is_said(_run_of(world, audit)):
            yield "2 public: a reply that its article no longer said"
        announced = [earlier for earlier in world.our_writes(ticket.id) if earlier.at < audit.at]
        announced = [earlier for earlier in announced if earlier.comment_public is False]
        if not announced:
            yield "2 public: a reply that no note has announced"
            continue
        yield from _in_order(world, ticket, audit, announced[-1], world.delay_s, "2 public: a reply")
        if set(audit.raw) - REPLY_KEYS:
            yield f"5 only listed fields: {sorted(set(audit.raw) - REPLY_KEYS)} with a reply"
    for audit in statuses:
        if set(audit.raw) - STATUS_KEYS:
            yield f"5 only listed fields: {sorted(set(audit.raw) - STATUS_KEYS)} with a status"
        earlier = [reply for reply in replies if reply.at < audit.at]
        if not earlier:
            yield "5 status: changed without a reply of ours"
            continue
        yield from _in_order(world, ticket, audit, earlier[-1], world.then_s, "5 status: changed")
        change = audit.values.get("status")
        if change is None or change[1] != world.then:
            yield f"5 status: set to {change and change[1]}, and {world.then} was asked for"


def _in_order(
    world: ReplyWorld, ticket: StoredTicket, audit: Audit, behind: Audit, delay_s: float, what: str
) -> Iterator[str]:
    """Late enough, and on a ticket that nobody has touched."""
    if int(audit.at) - int(behind.at) < delay_s - 1:
        yield f"{what} after {audit.at - behind.at:.0f} s instead of {delay_s:.0f} s"
    for edit in invariants.touches(world, audit):
        if edit is not ticket.audits[0]:
            yield f"{what} although a person had touched the ticket {audit.at - edit.at:.0f} s before"
    allowed = {_key(behind), key_of_stage(_key(behind), COMPLETE), _key(audit)}
    for edit in world.our_writes(ticket.id):
        if behind.at < edit.at < audit.at and _key(edit) not in allowed:
            yield f"{what} although we had written on the ticket since"


def _accounted(world: ReplyWorld, ticket: StoredTicket, audit: Audit) -> Iterator[str]:
    """An intent that names category, threshold and draft stands in the log, and so does the end."""
    intent = audit.custom.get("ticketbot", {}).get("intent")
    lines = [line for line in world.log if line["event"] == "intent" and line["intent"] == intent]
    if len(lines) != 1:
        yield f"12 audit: {len(lines)} intent lines of a write that customers see"
        return
    said: Mapping[str, Any] = lines[0]["change"].get("reply" if audit.comment_public else "close") or {}
    plan = world.plans.get(said.get("draft", ""))
    if plan is None or (said["category"], said["threshold"]) != (plan.reply.category, plan.reply.threshold):
        yield "12 audit: the intent names no category, threshold and draft"
    elif audit.comment_public:
        sent = audit.raw["comment"]["html_body"]
        words = html.unescape(re.sub(r"</?(?:p|a)\b[^>]*>", "", sent).replace("<br>", "\n"))
        if hashlib.sha256(words.encode()).hexdigest() != said["draft"] or "{{" in sent:
            yield "2 public: the reply is not the draft that was decided"
    ended = any(
        line["event"] == "ticket" and line["outcome"] == "updated" and line["intent"] == intent for line in world.log
    )
    # What was sent by the last run that knew of it may have died with that run's end.
    last = max(world.run_starts.values())
    if world.keeps_state and not ended and not ticket.deleted and audit.at < last:
        yield "12 audit: no line says how a write that customers see has ended"


def _run_of(world: ReplyWorld, audit: Audit) -> str:
    """The run that sent this."""
    intent = audit.custom.get("ticketbot", {}).get("intent")
    return next((line["run_id"] for line in world.log if line.get("intent") == intent), "")


def _key(audit: Audit) -> str:
    return str(audit.custom.get("ticketbot", {}).get("key", ""))


def sent_in(world: ReplyWorld) -> dict[str, int]:
    """How much of what these stories are about has happened."""
    shown = [audit for number in world.sandbox.store.tickets for audit in world.shown_writes(number)]
    reasons = [str(line["reason"]) for line in world.log if line["event"] == "ticket"]
    return {
        "public replies": sum(bool(audit.comment_public) for audit in shown),
        "statuses behind them": sum(not audit.comment_public for audit in shown),
        "replies cancelled for a touch": sum(reason == "reply_cancelled_touched" for reason in reasons),
        "replies cancelled otherwise": sum(
            reason.startswith("reply_cancelled") and not reason.endswith(("_touched", "_articles_changed"))
            for reason in reasons
        ),
        "replies cancelled for a changed article": sum(
            reason == "reply_cancelled_articles_changed" for reason in reasons
        ),
        "replies confirmed by reading": sum(
            line["event"] == "ticket"
            and line["reason"] == "confirmed_by_reading"
            and bool((line["change"] or {}).get("reply") or (line["change"] or {}).get("close"))
            for line in world.log
        ),
    }


# Guards of public replies taken away one at a time: the simulation must notice each, or it proves nothing


def _another_key_each_time(ticket: Ticket, stage: str, whole: Any = public_replies.write_key) -> str:
    return str(whole(ticket, f"{stage} {ticket.read_at}"))


def _with_its_status(replies: ReplySender, reply: ScheduledReply, ticket: Ticket, intent: str) -> Change:
    change = _CHANGE(replies, reply, ticket, intent)
    if reply.plan.then is None or change.reply is None:
        return change
    said = change.reply
    status = StatusChange(status=reply.plan.then, category=said.category, threshold=said.threshold, draft=said.draft)
    return change.model_copy(update={"closing": status})


def _answers_ignored_behind_a_reply(reply: ScheduledReply, *rest: Any) -> bool:
    return reply.step == "reply" and _TOUCHED(reply, *rest)


def _rules_may_answer(reply: ScheduledReply, ticket: Ticket, history: Any, written: Any) -> bool:
    """Whoever edits behind our note is taken for a rule of the account."""
    place = history.edits.index(written)
    edits = history.edits[: place + 1]
    return _TOUCHED(reply, ticket, history.model_copy(update={"edits": edits}), written)


def _unnamed(change: Change) -> dict[str, object]:
    facts = _FACTS(change)
    for name in ("reply", "close"):
        facts.pop(name, None)
    return facts


def _body(**instead: object) -> Callable[[Change], dict[str, object]]:
    whole = zendesk.update_body

    def body(change: Change) -> dict[str, object]:
        made = whole(change)
        if change.reply is not None or change.closing is not None:
            made = {name: instead.get(name, value) for name, value in made.items() if instead.get(name, value) != ""}
        return made

    return body


def _with_placeholders(text: str) -> str:
    return f"<p>{text}</p>"


def _sends_twice(desk: zendesk.Zendesk, change: Change, whole: Any = zendesk.Zendesk.update) -> Any:
    try:
        return whole(desk, change)
    except OutcomeUnknown:
        return whole(desk, change)


_CHANGE = ReplySender._change
_TOUCHED = public_replies._touched
_FACTS = receipts.logged_change

REPLY_MUTATIONS: Mapping[str, Guard] = {
    "replies on touched tickets": Guard(11, patch(public_replies, "_touched", return_value=False)),
    "a status although somebody answered": Guard(
        373, patch(public_replies, "_touched", _answers_ignored_behind_a_reply)
    ),
    "edits behind the note taken for rules": Guard(228, patch(public_replies, "_touched", _rules_may_answer)),
    "no delay": Guard(3, patch(public_replies, "_delay", return_value=0.0)),
    "an earlier reply not looked for": Guard(22, patch(public_replies, "write_key", _another_key_each_time)),
    "a reply with its status in one call": Guard(6, patch(ReplySender, "_change", _with_its_status)),
    "the intent names no draft": Guard(6, patch(receipts, "logged_change", _unnamed)),
    "no stamp on what customers see": Guard(20, patch(zendesk, "update_body", _body(safe_update="", updated_stamp=""))),
    "placeholders in a public reply": Guard(6, patch(zendesk_format, "reply_html", _with_placeholders)),
    "a reply resent without reading": Guard(17, patch(zendesk.Zendesk, "update", _sends_twice)),
    "writes repeated by the transport": MUTATIONS["writes repeated by the transport"].noticed_by(11),
    "a changed article is not checked": Guard(1, patch(public, "still_said", return_value=True)),
}

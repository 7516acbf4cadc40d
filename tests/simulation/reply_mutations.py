"""Guards of public replies taken away one at a time: the simulation must notice each, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

from ticket_processor import zendesk
from ticket_processor.audit import receipts
from ticket_processor.core.errors import OutcomeUnknown
from ticket_processor.core.models import Change, StatusChange, Ticket
from ticket_processor.helpdesk import zendesk_format
from ticket_processor.pipeline import public_replies
from ticket_processor.pipeline.public_replies import ReplySender
from ticket_processor.replies import public
from ticket_processor.state.records import ScheduledReply

from .mutations import MUTATIONS


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
_FACTS = receipts._change

REPLY_MUTATIONS: Mapping[str, Callable[[], Any]] = {
    "replies on touched tickets": lambda: mock.patch.object(public_replies, "_touched", return_value=False),
    "a status although somebody answered": lambda: mock.patch.object(
        public_replies, "_touched", _answers_ignored_behind_a_reply
    ),
    "edits behind the note taken for rules": lambda: mock.patch.object(public_replies, "_touched", _rules_may_answer),
    "no delay": lambda: mock.patch.object(public_replies, "_delay", return_value=0.0),
    "an earlier reply not looked for": lambda: mock.patch.object(public_replies, "write_key", _another_key_each_time),
    "a reply with its status in one call": lambda: mock.patch.object(ReplySender, "_change", _with_its_status),
    "the intent names no draft": lambda: mock.patch.object(receipts, "_change", _unnamed),
    "no stamp on what customers see": lambda: mock.patch.object(
        zendesk, "update_body", _body(safe_update="", updated_stamp="")
    ),
    "placeholders in a public reply": lambda: mock.patch.object(zendesk_format, "reply_html", _with_placeholders),
    "a reply resent without reading": lambda: mock.patch.object(zendesk.Zendesk, "update", _sends_twice),
    "writes repeated by the transport": MUTATIONS["writes repeated by the transport"],
    "a changed article is not checked": lambda: mock.patch.object(public, "still_said", return_value=True),
}
"""Each gives a context manager in which one guard is gone."""

NOTICED_BY: Mapping[str, int] = {
    "a status although somebody answered": 373,
    "edits behind the note taken for rules": 228,
    "an earlier reply not looked for": 22,
    "no stamp on what customers see": 20,
    "replies on touched tickets": 11,
    "no delay": 3,
    "a reply with its status in one call": 2,
    "the intent names no draft": 1,
    "placeholders in a public reply": 1,
    "a reply resent without reading": 15,
    "writes repeated by the transport": 11,
    "a changed article is not checked": 1,
}
"""The seed of a story that notices it; 0 where none is named. When it no longer does, others are tried, for seconds."""

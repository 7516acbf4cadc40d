"""Guards of jobs, recovery and replies, to be taken away one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any
from unittest import mock

from ticket_processor import zendesk
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.errors import AuditUnwritable, OutcomeUnknown, StateUnusable
from ticket_processor.core.models import Change, Outcome, Ticket
from ticket_processor.helpdesk import ticket_history as history
from ticket_processor.helpdesk.protocol import JobStatus
from ticket_processor.pipeline import intake, jobs, select, settlement, verify
from ticket_processor.policy.decide import Policy
from ticket_processor.policy.reanalysis import CustomerReply
from ticket_processor.state.records import Retry, Verdict
from ticket_processor.state.store import State

from .guards import Guard, patch


class _Everything(dict[int, bool]):
    """Says yes of every ticket."""

    def get(self, key: int, default: bool | None = None) -> bool:  # type: ignore[override]
        return True


@contextmanager
def _items_of_jobs(change_body: Callable[[Mapping[str, object]], dict[str, object]]) -> Iterator[None]:
    """Single updates carry what they should, and the items of jobs do not.

    The patches end with the mutation, whatever becomes of a thread that is killed while it sends.
    """
    whole_body, whole_send = zendesk.update_body, zendesk.Zendesk.update_many
    sending = threading.local()

    def body(change: Change) -> dict[str, object]:
        whole = whole_body(change)
        return change_body(whole) if getattr(sending, "a_job", False) else whole

    def send(desk: zendesk.Zendesk, changes: Sequence[Change], **rest: Any) -> str:
        sending.a_job = True
        try:
            return whole_send(desk, changes, **rest)
        finally:
            sending.a_job = False

    with mock.patch.object(zendesk, "update_body", body), mock.patch.object(zendesk.Zendesk, "update_many", send):
        yield


def _items_without(*names: str) -> Any:
    return _items_of_jobs(lambda body: {name: value for name, value in body.items() if name not in names})


def _public_items() -> Any:
    def public(body: Mapping[str, object]) -> dict[str, object]:
        comment = body.get("comment")
        return {**body, "comment": {**comment, "public": True}} if isinstance(comment, dict) else dict(body)

    return _items_of_jobs(public)


def _whatever_a_job_says(row: Mapping[str, Any], whole: Any = zendesk.job_status) -> JobStatus:
    return JobStatus(ended=whole(row).ended, results=_Everything())


def _failed_items_count(row: Mapping[str, Any], whole: Any = zendesk.job_status) -> JobStatus:
    status = whole(row)
    return JobStatus(ended=status.ended, results=dict.fromkeys(status.results, True))


def _lost_jobs_are_done(desk: zendesk.Zendesk, ids: Sequence[str], whole: Any = zendesk.Zendesk.jobs) -> Any:
    return {job: JobStatus(ended=True, results=_Everything()) for job in ids} | dict(whole(desk, ids))


def _job_sent_twice(
    desk: zendesk.Zendesk, changes: Sequence[Change], whole: Any = zendesk.Zendesk.update_many, **rest: Any
) -> str:
    try:
        return str(whole(desk, changes, **rest))
    except OutcomeUnknown:
        return str(whole(desk, changes, **rest))


def _no_intent_of_a_job(log: AuditLog, *changes: Change, whole: Any = AuditLog.intent) -> None:
    whole(log, changes[0])


def _no_receipt_of_a_job(log: AuditLog, outcome: Outcome, whole: Any = AuditLog.ticket) -> None:
    if outcome.job is None:
        whole(log, outcome)


@contextmanager
def _without_receipts() -> Iterator[None]:
    """A disk that takes nothing more stops nobody."""
    written, noted = AuditLog.intent, State.open_intent

    def intent(log: AuditLog, *changes: Change) -> None:
        with suppress(AuditUnwritable):
            written(log, *changes)

    def open_intent(state: State, *changes: Change) -> None:
        with suppress(StateUnusable):
            noted(state, *changes)

    with mock.patch.object(AuditLog, "intent", intent), mock.patch.object(State, "open_intent", open_intent):
        yield


def _waits_for_nobody(ledger: intake.PageLedger, _ticket_id: int) -> None:
    return None


def _forgets_who_waits(state: State, ticket_id: int, reason: str, *, failed: bool, **_: Any) -> Retry:
    state.settled(ticket_id)
    return Retry(ticket_id, int(failed), reason, False)


def _never_again(work: settlement.Settlement, *words: Any, whole: Any = settlement.Settlement.end, **rest: Any) -> Any:
    return whole(work, *words, **{**rest, "retry": False})


def _everything_again(_outcome: Outcome, verdict: Verdict) -> Verdict:
    return verdict.model_copy(update={"key": f"{verdict.key[:-1]}x", "follows": True})


def _another_key_each_time(
    ticket: Ticket, told: Any, policy: Policy, whole: Any = select.reply_to
) -> CustomerReply | None:
    reply = whole(ticket, told, policy)
    return reply and replace(reply, key=f"{reply.key[:20]}{ticket.read_at:.0f}")


UNVERIFIED = patch(jobs, "shows", return_value=True)
"""What a job says is not compared with the ticket either; otherwise that would save the day."""

JOB_MUTATIONS: Mapping[str, Guard] = {
    "items of jobs without stamps": Guard(20, partial(_items_without, "safe_update", "updated_stamp")),
    "items of jobs without their key": Guard(0, partial(_items_without, "metadata")),
    "items of jobs without their note": Guard(0, partial(_items_without, "comment")),
    "items of jobs with a public note": Guard(0, _public_items),
    "whatever a job does not name is taken for done": Guard(
        332, patch(zendesk, "job_status", _whatever_a_job_says), UNVERIFIED
    ),
    "a job's failed items are taken for done": Guard(
        465, patch(zendesk, "job_status", _failed_items_count), UNVERIFIED
    ),
    "a job that nobody knows is taken for done": Guard(
        338, patch(zendesk.Zendesk, "jobs", _lost_jobs_are_done), UNVERIFIED
    ),
    "job resent without reading": Guard(11, patch(zendesk.Zendesk, "update_many", _job_sent_twice)),
    "intents of a job not written down": Guard(0, patch(AuditLog, "intent", _no_intent_of_a_job)),
    "ends of a job's items not written down": Guard(1, patch(AuditLog, "ticket", _no_receipt_of_a_job)),
    "written although no receipt can be": Guard(303, _without_receipts),
    "cursor does not wait for jobs": Guard(0, patch(intake.PageLedger, "begin", _waits_for_nobody)),
    "retry list forgotten": Guard(8, patch(State, "retry_later", _forgets_who_waits)),
    "deferred taken for done": Guard(9, patch(settlement.Settlement, "end", _never_again)),
    "completion writes everything again": Guard(1, patch(settlement, "completion", _everything_again)),
    "what a stopped run could not read is forgotten": Guard(112, patch(verify.WriteVerifier, "leave_unread")),
    "what a record lacks not noticed": Guard(31, patch(settlement, "left_out", return_value=frozenset())),
    "reply triaged although a person has judged": Guard(197, patch(history.History, "judged", return_value=False)),
    "reply triaged again and again": Guard(438, patch(select, "reply_to", _another_key_each_time)),
}

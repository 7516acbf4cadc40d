"""Guards against lasting faults, to be taken away one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from ticket_processor import zendesk
from ticket_processor.core import reasons
from ticket_processor.core.errors import CannotRun, HelpdeskDown
from ticket_processor.core.models import Ticket
from ticket_processor.helpdesk import ticket_history as history
from ticket_processor.helpdesk.protocol import Fetched
from ticket_processor.helpdesk.ticket_history import Edit, History
from ticket_processor.helpdesk.zendesk_reads import ZendeskReads
from ticket_processor.pipeline import job_trust, select, settlement
from ticket_processor.pipeline.job_trust import BatchTrust, JobTrust
from ticket_processor.pipeline.jobs import UpdateJobs
from ticket_processor.pipeline.select import Selector
from ticket_processor.pipeline.shared_faults import SharedFaults
from ticket_processor.pipeline.verification import WriteVerifier
from ticket_processor.state.store import State
from ticket_processor.tags import earlier_key


def _every_fault_is_the_helpdesks(
    reads: ZendeskReads, *given: Any, about_one: bool = False, whole: Any = ZendeskReads.get, **rest: Any
) -> Any:
    return whole(reads, *given, **rest)


def _one_odd_row_spoils_all(reads: ZendeskReads, *given: Any, whole: Any = ZendeskReads.tickets) -> Any:
    tickets, unread = whole(reads, *given)
    if unread:
        raise HelpdeskDown("an answer holds a ticket without sense")
    return tickets, unread


def _left_out_is_gone(_desk: zendesk.Zendesk, _ticket_id: int, _found: Fetched) -> None:
    return None


def _stale_jobs_end_runs(desk: zendesk.Zendesk, ids: Sequence[str], whole: Any = zendesk.Zendesk._jobs) -> Any:
    told = whole(desk, ids)
    if told is None:
        raise CannotRun("jobs cannot be shown")
    return told


@contextmanager
def _counted_against_each() -> Iterator[None]:
    with (
        mock.patch.object(SharedFaults, "is_shared", return_value=False),
        mock.patch.object(State, "has_worked", return_value=None),
    ):
        yield


def _trusted_for_ever(state: Any, now: str) -> BatchTrust:
    return BatchTrust(at=now, ok=True, metadata=True, stamps=True)


def _learns_in_silence(trust: JobTrust, known: BatchTrust, whole: Any = JobTrust._learn) -> None:
    whole(trust, known)
    trust.guard_ended = False


def _by_its_key_only(told: History, key: str = "") -> Edit | None:
    return told.find(key)


@contextmanager
def _key_from_the_first_message() -> Iterator[None]:
    with (
        mock.patch.object(select, "write_key", earlier_key),
        mock.patch.object(History, "triaged", _by_its_key_only),
    ):
        yield


def _any_marker_means_done(
    selector: Selector, ticket: Ticket, *given: Any, whole: Any = Selector.reason_to_skip, **rest: Any
) -> str | None:
    if selector._triage.marked(ticket):
        return reasons.ALREADY_DONE
    reason: str | None = whole(selector, ticket, *given, **rest)
    return reason


FAULT_MUTATIONS: Mapping[str, Callable[[], Any]] = {
    "a fault of one ticket ends the run": lambda: mock.patch.object(ZendeskReads, "get", _every_fault_is_the_helpdesks),
    "an odd row spoils its page": lambda: mock.patch.object(ZendeskReads, "tickets", _one_odd_row_spoils_all),
    "a ticket that an answer leaves out is taken for deleted": lambda: mock.patch.object(
        zendesk.Zendesk, "_fetch_alone", _left_out_is_gone
    ),
    "a stale job ends the run": lambda: mock.patch.object(zendesk.Zendesk, "_jobs", _stale_jobs_end_runs),
    "a fault of the account is counted against each ticket": _counted_against_each,
    "what a job's item replaced is not compared": lambda: mock.patch.object(JobTrust, "unguarded", False),
    "a guard that ended is not told": lambda: mock.patch.object(JobTrust, "_learn", _learns_in_silence),
    "writes in guarded jobs are not read back": lambda: mock.patch.object(WriteVerifier, "_compare"),
    "jobs are used on after one has overwritten": lambda: mock.patch.object(job_trust, "revoked", _trusted_for_ever),
    "a job whose reply was lost is sent again at once": lambda: mock.patch.object(
        UpdateJobs, "may_still_write", return_value=False
    ),
    "search begins where it ended": lambda: mock.patch.object(zendesk, "SEARCH_WINDOW_S", 0.0),
    "key made from the first message": _key_from_the_first_message,
    "earlier versions' keys not known": lambda: mock.patch.object(History, "triaged", _by_its_key_only),
    "a copied marker means done": lambda: mock.patch.object(Selector, "reason_to_skip", _any_marker_means_done),
    "what our write took away is not put back": lambda: mock.patch.object(
        settlement, "overwritten", return_value=history.Overwritten()
    ),
}
"""Each gives a context manager in which one guard is gone."""

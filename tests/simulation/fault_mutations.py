"""Guards against lasting faults, to be taken away one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
from ticket_processor.pipeline.verify import WriteVerifier
from ticket_processor.state.store import State
from ticket_processor.tags import earlier_key

from .guards import Guard, patch


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


def _trusted_for_ever(state: Any, now: str) -> BatchTrust:
    return BatchTrust(at=now, ok=True, metadata=True, stamps=True)


def _learns_in_silence(trust: JobTrust, known: BatchTrust, whole: Any = JobTrust._learn) -> None:
    whole(trust, known)
    trust.guard_ended = False


def _by_its_key_only(told: History, key: str = "") -> Edit | None:
    return told.find(key)


def _any_marker_means_done(
    selector: Selector, ticket: Ticket, *given: Any, whole: Any = Selector.reason_to_skip, **rest: Any
) -> str | None:
    if selector._triage.marked(ticket):
        return reasons.ALREADY_DONE
    reason: str | None = whole(selector, ticket, *given, **rest)
    return reason


FAULT_MUTATIONS: Mapping[str, Guard] = {
    "a fault of one ticket ends the run": Guard(9, patch(ZendeskReads, "get", _every_fault_is_the_helpdesks)),
    "an odd row spoils its page": Guard(35, patch(ZendeskReads, "tickets", _one_odd_row_spoils_all)),
    "a ticket that an answer leaves out is taken for deleted": Guard(
        8, patch(zendesk.Zendesk, "_fetch_alone", _left_out_is_gone)
    ),
    "a stale job ends the run": Guard(37, patch(zendesk.Zendesk, "_jobs", _stale_jobs_end_runs)),
    "a fault of the account is counted against each ticket": Guard(
        94, patch(SharedFaults, "is_shared", return_value=False), patch(State, "has_worked", return_value=None)
    ),
    "what a job's item replaced is not compared": Guard(1087, patch(JobTrust, "unguarded", False)),
    "a guard that ended is not told": Guard(44, patch(JobTrust, "_learn", _learns_in_silence)),
    "writes in guarded jobs are not read back": Guard(112, patch(WriteVerifier, "_compare")),
    "jobs are used on after one has overwritten": Guard(355, patch(job_trust, "revoked", _trusted_for_ever)),
    "a job whose reply was lost is sent again at once": Guard(
        68, patch(UpdateJobs, "may_still_write", return_value=False)
    ),
    "search begins where it ended": Guard(295, patch(zendesk, "SEARCH_WINDOW_S", 0.0)),
    "key made from the first message": Guard(
        1536, patch(select, "write_key", earlier_key), patch(History, "triaged", _by_its_key_only)
    ),
    "earlier versions' keys not known": Guard(1566, patch(History, "triaged", _by_its_key_only)),
    "a copied marker means done": Guard(0, patch(Selector, "reason_to_skip", _any_marker_means_done)),
    "what our write took away is not put back": Guard(
        68, patch(settlement, "overwritten", return_value=history.Overwritten())
    ),
}

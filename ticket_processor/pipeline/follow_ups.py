"""Verdicts for a later run, which complete or repair a write that was made."""

from __future__ import annotations

from collections.abc import Iterable

from ..audit.receipts import AuditLog
from ..core import reasons
from ..core.models import Change, Decision, Outcome, Overwrite
from ..helpdesk.ticket_history import Overwritten, overwritten
from ..state.records import FollowUp, Verdict
from ..tags import COMPLETE, REPAIR, key_of_stage
from .job_trust import JobTrust
from .settlement import Settlement


def follow_up(work: Settlement, outcome: Outcome, change: Change, audit: AuditLog, trust: JobTrust) -> FollowUp | None:
    """What a write has left to do for a later run: what a person has lost by it, and what the helpdesk refused."""
    # A ticket that has no room for a note never gets any.
    missing = completion(outcome, work.verdict) if set(outcome.missing) - {"note"} else None
    lost = overwritten(work.recorded, change) if work.recorded is not None else None
    if lost and work.recorded is not None:
        trust.overwrote(change, work.recorded)  # first: a reader of the alert may count on it
        audit.alert("overwrote", ticket_id=work.ticket_id, parts=lost.parts)
        return repair(change, lost, work.verdict, missing), REPAIR
    return None if missing is None else (missing, reasons.INCOMPLETE)


def completion(outcome: Outcome, verdict: Verdict) -> Verdict:
    """The verdict with which a later run writes what the helpdesk refused of this one, under a key of its own."""
    missing, decision = outcome.missing, verdict.decision
    rest = Decision(
        ticket_id=verdict.ticket_id,
        reason=decision.reason,
        tags=decision.tags if "tags" in missing else (),
        priority=decision.priority if "priority" in missing else None,
        group=decision.group if "group" in missing else None,
        fields=decision.fields if "fields" in missing else {},
        priority_overwrite=decision.priority_overwrite,
        priority_raises_only=decision.priority_raises_only,
        group_overwrite=decision.group_overwrite,
        fields_overwrite=decision.fields_overwrite,
    )
    return _later(verdict, rest, key_of_stage(verdict.key, COMPLETE), completes=True)


def repair(change: Change, lost: Overwritten, verdict: Verdict, missing: Verdict | None = None) -> Verdict:
    """The verdict with which a later run puts back what our write took away, where it is still unset.

    ``missing`` is what the helpdesk refused of that write: it goes along.
    """
    bot_set = Overwrite.BOT_SET
    refused = missing.decision if missing is not None else Decision(ticket_id=change.ticket_id, reason="")
    decision = Decision(
        ticket_id=change.ticket_id,
        tags=lost.tags,
        tags_removed=lost.tags_back,
        priority=lost.priority or refused.priority,
        group=lost.group or refused.group,
        fields={**refused.fields, **lost.fields},
        priority_overwrite=bot_set,
        group_overwrite=bot_set,
        fields_overwrite=bot_set,
        reason=reasons.PUT_BACK,
    )
    return _later(verdict, decision, key_of_stage(change.key, REPAIR), completes=False, puts_back=True)


def _later(verdict: Verdict, decision: Decision, key: str, **which: bool) -> Verdict:
    """The verdict of a later write on the same ticket."""
    own = {"decision": decision, "key": key, "follows": True, "replaces": (), "anew": False, "unchanged_at": ""}
    return verdict.told().model_copy(update={**own, **which})


def incomplete(parts: Iterable[str]) -> str:
    """The reason of a ticket that is written but for some parts, which the helpdesk refuses."""
    return "_".join((reasons.INCOMPLETE, *sorted(parts)))

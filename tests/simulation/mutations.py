"""Guards taken away one at a time: the simulation must notice each, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from ticket_processor import tags, zendesk
from ticket_processor.core.errors import OutcomeUnknown, UpdateConflict
from ticket_processor.core.models import Change, Decision, Overwrite, TakenOff, Ticket
from ticket_processor.helpdesk import ticket_history as history
from ticket_processor.helpdesk import transport, zendesk_format
from ticket_processor.helpdesk.protocol import Page
from ticket_processor.pipeline import intake, select, settlement, verdicts, write_planner
from ticket_processor.policy.decide import Policy
from ticket_processor.policy.skip_rules import SkipRules
from ticket_processor.state.records import Open

from .fault_mutations import FAULT_MUTATIONS
from .job_mutations import JOB_MUTATIONS


def _without(*names: str) -> Callable[[Change], dict[str, object]]:
    whole = zendesk.update_body

    def body(change: Change) -> dict[str, object]:
        return {name: value for name, value in whole(change).items() if name not in names}

    return body


def _public_by_default(change: Change, whole: Any = zendesk.update_body) -> dict[str, object]:
    body: dict[str, object] = whole(change)
    comment = body.get("comment")
    if isinstance(comment, dict):
        body["comment"] = {"html_body": comment["html_body"]}
    return body


def _cursor_moves_first(ledger: intake.PageLedger, page: Page) -> None:
    if page.cursor is not None:
        ledger._store(page.cursor)
    ledger._pages.append(intake._OpenPage(None))


def _sends_twice(desk: zendesk.Zendesk, change: Change, whole: Any = zendesk.Zendesk.update) -> None:
    try:
        whole(desk, change)
    except OutcomeUnknown:
        whole(desk, change)


def _ignores_conflicts(desk: zendesk.Zendesk, change: Change, whole: Any = zendesk.Zendesk.update) -> None:
    try:
        whole(desk, change)
    except UpdateConflict:
        return


def _key_changes_with_every_run(ticket: Ticket, stage: str = "triage", whole: Any = tags.write_key) -> str:
    return str(whole(ticket, f"{stage}{ticket.read_at}"))


def _overwriting(part: str) -> Callable[..., Change]:
    whole = write_planner.merge

    def merged(ticket: Ticket, decision: Decision, **rest: Any) -> Change:
        return whole(ticket, decision.model_copy(update={f"{part}_overwrite": Overwrite.ALWAYS}), **rest)

    return merged


def _everything_replaced(decision: Decision, ticket: Ticket, ours: Sequence[str], policy: Policy) -> Decision:
    return decision.model_copy(update={"tags_removed": ticket.tags})


def _nothing_replaced(item: Open, now: float, whole: Any = settlement.Settlement.of) -> settlement.Settlement:
    verdict = item.verdict.model_copy(update={"replaces": ()})
    made: settlement.Settlement = whole(replace(item, verdict=verdict), now)
    return made


@contextmanager
def _judgement_ignored() -> Iterator[None]:
    """Neither when it is selected nor before the write is looked at what a person has taken off."""
    with (
        mock.patch.object(select, "still_ours", return_value=True),
        mock.patch.object(settlement.Settlement, "of", _nothing_replaced),
    ):
        yield


@contextmanager
def _marker_trusted() -> Iterator[None]:
    """Whatever a marked ticket's record says, it is done."""
    with (
        mock.patch.object(write_planner.Triage, "marked", lambda self, ticket: self.policy.marker in ticket.tags),
        mock.patch.object(history.History, "born_with", return_value=False),
    ):
        yield


@contextmanager
def _another_key_in_every_run() -> Iterator[None]:
    """And a write is known by its key alone: any write of ours says that the ticket is triaged."""
    with (
        mock.patch.object(select, "write_key", _key_changes_with_every_run),
        mock.patch.object(history.History, "triaged", lambda self, key="": self.find(key)),
    ):
        yield


def _conversations_taken(rules: SkipRules, ticket: Ticket, whole: Any = SkipRules.reason) -> str | None:
    reason: str | None = whole(rules, ticket.model_copy(update={"messaging": False}))
    return reason


MUTATIONS: Mapping[str, Callable[[], Any]] = {
    "no stamp": lambda: mock.patch.object(zendesk, "update_body", _without("safe_update", "updated_stamp")),
    "no stable-read rule": lambda: mock.patch.object(write_planner.Triage, "stable", return_value=True),
    "key not looked for": lambda: mock.patch.object(history.History, "find", return_value=None),
    "key not written": lambda: mock.patch.object(zendesk, "update_body", _without("metadata")),
    "marker of a follow-up trusted": _marker_trusted,
    "key differs between runs": _another_key_in_every_run,
    "public not stated": lambda: mock.patch.object(zendesk, "update_body", _public_by_default),
    "priority overwritten": lambda: mock.patch.object(write_planner, "merge", _overwriting("priority")),
    "group overwritten": lambda: mock.patch.object(write_planner, "merge", _overwriting("group")),
    "fields overwritten": lambda: mock.patch.object(write_planner, "merge", _overwriting("fields")),
    "what people took off put back": lambda: mock.patch.object(history.History, "taken_off", return_value=TakenOff()),
    "drop-down sent without its tag": lambda: mock.patch.object(zendesk.Zendesk, "_ticket_fields", return_value={}),
    "second look although a person has judged": _judgement_ignored,
    "judged tickets triaged anew": lambda: mock.patch.object(history.History, "judged", return_value=False),
    "second look takes off people's tags": lambda: mock.patch.object(verdicts, "replacing", _everything_replaced),
    "tags replaced instead of merged": lambda: mock.patch.object(
        tags, "merge_tags", lambda current, add, remove=(): tuple(add)
    ),
    "cursor moved before its page is settled": lambda: mock.patch.object(
        intake.PageLedger, "open", _cursor_moves_first
    ),
    "write resent without reading": lambda: mock.patch.object(zendesk.Zendesk, "update", _sends_twice),
    "conflict taken for success": lambda: mock.patch.object(zendesk.Zendesk, "update", _ignores_conflicts),
    "what the helpdesk drops not noticed": lambda: mock.patch.object(
        zendesk_format, "_dropped", return_value=frozenset()
    ),
    "a refused note ends the write": lambda: mock.patch.object(zendesk.Zendesk, "_is_full", return_value=False),
    "conversations triaged": lambda: mock.patch.object(SkipRules, "reason", _conversations_taken),
    "writes repeated by the transport": lambda: mock.patch.object(transport, "REPEATABLE", ("GET", "PUT")),
    **JOB_MUTATIONS,
    **FAULT_MUTATIONS,
}
"""Each gives a context manager in which one guard is gone."""

NOTICED_BY: Mapping[str, int] = {
    "a guard that ended is not told": 44,
    "writes in guarded jobs are not read back": 112,
    "jobs are used on after one has overwritten": 355,
    "what a job's item replaced is not compared": 1087,
    "no stamp": 18,
    "no stable-read rule": 257,
    "key not looked for": 95,
    "marker of a follow-up trusted": 60,
    "key differs between runs": 395,
    "priority overwritten": 2,
    "group overwritten": 4,
    "fields overwritten": 27,
    "what people took off put back": 18,
    "second look although a person has judged": 228,
    "judged tickets triaged anew": 197,
    "second look takes off people's tags": 22,
    "write resent without reading": 17,
    "conflict taken for success": 4,
    "writes repeated by the transport": 11,
    "conversations triaged": 24,
    "a refused note ends the write": 42,
    "what the helpdesk drops not noticed": 395,
    "what a record lacks not noticed": 31,
    "what a stopped run could not read is forgotten": 112,
    "items of jobs without stamps": 20,
    "whatever a job does not name is taken for done": 2,
    "a job's failed items are taken for done": 8,
    "a job that nobody knows is taken for done": 338,
    "job resent without reading": 11,
    "ends of a job's items not written down": 1,
    "written although no receipt can be": 303,
    "retry list forgotten": 8,
    "deferred taken for done": 9,
    "completion writes everything again": 1,
    "reply triaged although a person has judged": 197,
    "reply triaged again and again": 129,
    "a fault of one ticket ends the run": 9,
    "an odd row spoils its page": 35,
    "a ticket that an answer leaves out is taken for deleted": 8,
    "a stale job ends the run": 37,
    "a fault of the account is counted against each ticket": 94,
    "a job whose reply was lost is sent again at once": 68,
    "search begins where it ended": 295,
    "key made from the first message": 1536,
    "earlier versions' keys not known": 1566,
    "what our write took away is not put back": 68,
}
"""The seed of a story that notices it; 0 where none is named. When it no longer does, others are tried."""


@contextmanager
def mutation(name: str) -> Iterator[None]:
    """Within this block the guard is gone."""
    with MUTATIONS[name]():
        yield

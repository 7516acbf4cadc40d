"""Guards taken away one at a time: the simulation must notice each, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ticket_processor import tags, zendesk
from ticket_processor.core.errors import OutcomeUnknown, UpdateConflict
from ticket_processor.core.models import Change, Decision, Overwrite, TakenOff, Ticket
from ticket_processor.helpdesk import ticket_history as history
from ticket_processor.helpdesk import transport, zendesk_format
from ticket_processor.helpdesk.protocol import Page
from ticket_processor.pipeline import analyse, intake, select, settlement
from ticket_processor.policy.decide import Policy
from ticket_processor.policy.skip_rules import SkipRules
from ticket_processor.state.records import Open

from .fault_mutations import FAULT_MUTATIONS
from .guards import Guard, patch
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
    whole = select.merge

    def merged(ticket: Ticket, decision: Decision, **rest: Any) -> Change:
        return whole(ticket, decision.model_copy(update={f"{part}_overwrite": Overwrite.ALWAYS}), **rest)

    return merged


def _everything_replaced(decision: Decision, ticket: Ticket, ours: Sequence[str], policy: Policy) -> Decision:
    return decision.model_copy(update={"tags_removed": ticket.tags})


def _nothing_replaced(item: Open, now: float, whole: Any = settlement.Settlement.of) -> settlement.Settlement:
    verdict = item.verdict.model_copy(update={"replaces": ()})
    made: settlement.Settlement = whole(replace(item, verdict=verdict), now)
    return made


def _conversations_taken(rules: SkipRules, ticket: Ticket, whole: Any = SkipRules.reason) -> str | None:
    reason: str | None = whole(rules, ticket.model_copy(update={"messaging": False}))
    return reason


MUTATIONS: Mapping[str, Guard] = {
    "no stamp": Guard(20, patch(zendesk, "update_body", _without("safe_update", "updated_stamp"))),
    "no stable-read rule": Guard(257, patch(select.Triage, "stable", return_value=True)),
    "key not looked for": Guard(31, patch(history.History, "find", return_value=None)),
    "key not written": Guard(0, patch(zendesk, "update_body", _without("metadata"))),
    "marker of a follow-up trusted": Guard(
        60,
        patch(select.Triage, "marked", lambda self, ticket: self.policy.marker in ticket.tags),
        patch(history.History, "born_with", return_value=False),
    ),
    "key differs between runs": Guard(
        395,
        patch(select, "write_key", _key_changes_with_every_run),
        patch(history.History, "triaged", lambda self, key="": self.find(key)),
    ),
    "public not stated": Guard(0, patch(zendesk, "update_body", _public_by_default)),
    "priority overwritten": Guard(2, patch(select, "merge", _overwriting("priority"))),
    "group overwritten": Guard(4, patch(select, "merge", _overwriting("group"))),
    "fields overwritten": Guard(27, patch(select, "merge", _overwriting("fields"))),
    "what people took off put back": Guard(18, patch(history.History, "taken_off", return_value=TakenOff())),
    "drop-down sent without its tag": Guard(0, patch(zendesk.Zendesk, "_ticket_fields", return_value={})),
    "second look although a person has judged": Guard(
        228, patch(select, "still_ours", return_value=True), patch(settlement.Settlement, "of", _nothing_replaced)
    ),
    "second look takes off people's tags": Guard(22, patch(analyse, "replacing", _everything_replaced)),
    "tags replaced instead of merged": Guard(0, patch(tags, "merge_tags", lambda current, add, remove=(): tuple(add))),
    "cursor moved before its page is settled": Guard(0, patch(intake.PageLedger, "open", _cursor_moves_first)),
    "write resent without reading": Guard(17, patch(zendesk.Zendesk, "update", _sends_twice)),
    "conflict taken for success": Guard(4, patch(zendesk.Zendesk, "update", _ignores_conflicts)),
    "what the helpdesk drops not noticed": Guard(395, patch(zendesk_format, "_dropped", return_value=frozenset())),
    "a refused note ends the write": Guard(42, patch(zendesk.Zendesk, "_is_full", return_value=False)),
    "conversations triaged": Guard(24, patch(SkipRules, "reason", _conversations_taken)),
    "writes repeated by the transport": Guard(11, patch(transport, "REPEATABLE", ("GET", "PUT"))),
    **JOB_MUTATIONS,
    **FAULT_MUTATIONS,
}

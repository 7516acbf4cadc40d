"""What a rule's actions do to customers, to our labels, and to others. Pure.

Facts and their sources: developer.zendesk.com, "Actions reference"; support.zendesk.com, "About CCs and followers":
a mail to requester and CCs is held back when a trigger meets no public comment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ...helpdesk.business_rules import BusinessRule, RuleAction
from .possible import PossibleWrite, removed_tags

Severity = Literal["conflict", "warning", "advice"]
SEVERITIES: tuple[Severity, ...] = ("conflict", "warning", "advice")

_AGENTS = ("assignee_id", "current_user", "all_agents", "group_id", "")
_SILENT = frozenset(
    "current_tags set_tags remove_tags priority group_id assignee_id type follower cc set_schedule locale_id brand_id "
    "ticket_form_id custom_status_id add_skills remove_skills skills ticket_type_id subject target_of_priority "
    "comment_mode_is_public".split()
)
"""Actions that reach nobody; whether they undo what we wrote is looked at apart."""
_MAILS = ("notification_user", "notification_sms_user", "deflection")


@dataclass(frozen=True)
class RuleEffect:
    """What one action does, in words that follow the rule's name, and what to do about it."""

    severity: Severity
    kind: Literal["customer", "status", "fight", "loop", "people", "outside", "unknown"]
    text: str
    advice: str


EXCLUDE = "add the condition that the tags contain none of: {marker}"
BY_API = ", or that the update is not via Web service (API)"
_PRIVATE = "no need to act while our notes are internal; a condition on a public comment makes it plain"


def effects(rule: BusinessRule, action: RuleAction, marker: str, webhooks: frozenset[str]) -> Iterator[RuleEffect]:
    """What the action does whenever the rule works because of our write."""
    name, first = action.field, action.values[0]
    keep = EXCLUDE.format(marker=marker) + (BY_API if rule.kind == "trigger" else "")
    if name in _MAILS:
        yield _mail(rule, name, first, keep)
    elif name == "satisfaction_score" or name.startswith("notification_messaging"):
        yield RuleEffect("conflict", "customer", "asks the customer for a rating", keep)
    elif name in ("tweet_requester", "comment_value", "comment_value_html"):
        if not any(other.field == "comment_mode_is_public" and other.values[0] == "false" for other in rule.actions):
            yield RuleEffect("conflict", "customer", "writes to the customer", keep)
    elif name == "status":
        yield RuleEffect("conflict", "status", f"sets the status to {first}", keep)
    elif name == "notification_webhook" and first in webhooks:
        text = "calls ticketbot serve for each write of its own: a loop"
        yield RuleEffect("conflict", "loop", text, EXCLUDE.format(marker=marker))
    elif name in ("notification_webhook", "notification_target", "notification_zis", "share_ticket"):
        text = "tells another system of it" if name != "share_ticket" else "shares the ticket with another account"
        yield RuleEffect("warning", "outside", text, f"make sure that nobody answers to that; otherwise {keep}")
    elif name in ("notification_group", "notification_sms_group"):
        yield RuleEffect("advice", "people", "notifies agents", f"if that is too much, {keep}")
    elif name.startswith("side_conversation"):
        yield RuleEffect("warning", "outside", "opens a side conversation", keep)
    elif name not in _SILENT and not name.startswith("custom_fields_"):
        yield RuleEffect("warning", "unknown", f"does something that is not known here ({name})", "look at it yourself")


def fights(action: RuleAction, case: PossibleWrite) -> str | None:
    """How the action undoes what this write has just set; ``None`` where it leaves that alone."""
    gone = removed_tags(action, case.ours)
    if gone:
        return "replaces all tags, ours with them" if action.field == "set_tags" else "takes our tags off again"
    if action.field in case.sets and action.values[0] != case.update.values[action.field][1]:
        what = {"priority": "priority", "group_id": "group"}.get(action.field, "ticket field")
        return f"replaces the {what} that we set"
    return None


def _mail(rule: BusinessRule, name: str, to: str, keep: str) -> RuleEffect:
    how = "sends an SMS to" if "sms" in name else "mails"
    if to == "requester_and_ccs" and rule.kind == "trigger" and name == "notification_user":
        text = "would mail the customer, but Zendesk holds that back for internal notes"
        return RuleEffect("warning", "customer", text, _PRIVATE)
    if to.startswith("requester"):
        return RuleEffect("conflict", "customer", f"{how} the customer", keep)
    if to in _AGENTS:
        return RuleEffect("advice", "people", f"{how} agents", f"if that is too much, {keep}")
    return RuleEffect("warning", "people", f"{how} user {to}, who may be a customer", keep)

"""Which triggers and automations of the helpdesk clash with what a run writes. Pure; reads the rules, tries no cases.

A rule is passed over only where one of its conditions fails on every update of ours, so it may name too many.
Facts and their sources: developer.zendesk.com, "Conditions reference" and "Actions reference"; support.zendesk.com,
"About CCs and followers": a mail to requester and CCs is held back when a trigger meets no public comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..core.findings import Finding, SetupSeverity, in_order
from ..core.models import Overwrite
from ..core.sanitize import plain_line
from ..core.taxonomy import Taxonomy
from ..helpdesk.protocol import BusinessRule, RuleAction, RuleCondition
from .decide import Mode, Policy
from .note import NoteWhen

API_CHANNEL = "5"
_TO_CUSTOMERS = {
    "notification_user": "mails the customer",
    "notification_sms_user": "sends the customer an SMS",
    "deflection": "mails the customer articles",
    "satisfaction_score": "asks the customer for a rating",
    "tweet_requester": "writes to the customer",
    "comment_value": "writes to the customer",
    "comment_value_html": "writes to the customer",
    "status": "sets the status",
}
_ADDRESSED = ("notification_user", "notification_sms_user", "deflection")
"""Of these those whose first value names who gets it."""
_FIELDS = {"priority": "the priority", "group_id": "the group"}


@dataclass(frozen=True)
class OurUpdates:
    """What runs may write under these settings: tags by prefix or name, and the values of each field."""

    marker: str
    prefix: str
    names: frozenset[str]
    values: Mapping[str, frozenset[str]]
    overwrites: bool
    notes: bool
    statuses: frozenset[str]

    def tags_in(self, words: frozenset[str]) -> list[str]:
        """Those of the words that are tags of ours."""
        return sorted(word for word in words if word in self.names or (self.prefix and word.startswith(self.prefix)))


def our_updates(policy: Policy, taxonomy: Taxonomy, statuses: Sequence[str]) -> OurUpdates:
    """What the policy lets runs write on tickets with these statuses."""
    labels = policy.tags.mode is Mode.APPLY
    groups = {policy.escalation.group, *policy.tiers.groups.values(), *(item.group for item in taxonomy.categories)}
    values: dict[str, set[str]] = {"priority": {"low", "normal", "high", "urgent"}}
    values["group_id"] = {str(group) for group in groups if group is not None}
    for category in taxonomy.categories:
        for number, value in category.fields.items():
            values.setdefault(f"custom_fields_{number}", set()).add(value)
    parts = {name: {"priority": policy.priority, "group_id": policy.group}.get(name, policy.fields) for name in values}
    return OurUpdates(
        marker=policy.marker,
        prefix=policy.tag_prefix if labels else "",
        names=frozenset({policy.marker, *(item.tag for item in taxonomy.categories if labels and item.tag)}),
        values={name: frozenset(found) for name, found in values.items() if found and parts[name].mode is Mode.APPLY},
        overwrites=any(part.overwrite is Overwrite.ALWAYS for part in parts.values()),
        notes=policy.note is not NoteWhen.NEVER,
        statuses=frozenset(statuses),
    )


def rule_clashes(rules: Sequence[BusinessRule], ours: OurUpdates) -> list[Finding]:
    """The rules that mail customers on our updates, set or remove what we set, or ask for our marker."""
    return in_order(finding for rule in rules for finding in _of_rule(rule, ours))


def _of_rule(rule: BusinessRule, ours: OurUpdates) -> Iterator[Finding]:
    trigger, asks = rule.kind == "trigger", (*rule.all_of, *rule.any_of)
    by_us = any(_asks_for(condition, ours, trigger=trigger) for condition in asks)
    works = not _excluded(rule, ours) if trigger else by_us
    tests = [finding for action in rule.actions for finding in _clash(rule, action, ours, works=works, by_us=by_us)]
    yield from tests
    if works and not tests and any(ours.marker in condition.words for condition in asks):
        yield _finding(rule, "warning", "marker", f"works on tickets that carry {ours.marker}", "check that it may")


def _clash(rule: BusinessRule, action: RuleAction, ours: OurUpdates, *, works: bool, by_us: bool) -> Iterator[Finding]:
    name, first = action.field, action.values[0]
    keep = f"add the condition that the tags contain none of: {ours.marker}"
    if works and name in _TO_CUSTOMERS and (name not in _ADDRESSED or first.startswith("requester")):
        held_back = rule.kind == "trigger" and name == "notification_user" and first == "requester_and_ccs"
        once = any(_once(condition, rule) for condition in (*rule.all_of, *rule.any_of))
        more = ", but Zendesk holds that back for internal notes" if held_back else ", once a ticket" if once else ""
        text = f"{_TO_CUSTOMERS[name]} on our update{more}"
        yield _finding(rule, "warning" if more else "problem", "customer", text, keep)
    elif name in ("current_tags", "set_tags", "remove_tags"):
        yield from _tags(rule, action, ours, works=works)
    elif ours.values.get(name, frozenset()) - set(action.values) and (works or rule.kind == "automation"):
        sure = by_us and rule.kind == "trigger"
        text = f"sets {_FIELDS.get(name, 'a ticket field')}, as we do"
        yield _finding(rule, "problem" if sure else "warning", "fight", text, f"take that action out, or {keep}")


def _tags(rule: BusinessRule, action: RuleAction, ours: OurUpdates, *, works: bool) -> Iterator[Finding]:
    named, marks = ours.tags_in(action.words), ours.marker in action.words
    advice = "take that action out, or set policy.tag_prefix"
    if action.field == "remove_tags" and named:
        text = f"takes off {', '.join(named)}" + (": the ticket looks as if we had never seen it" if marks else "")
        yield _finding(rule, "problem" if marks or works else "warning", "fight", text, advice)
    elif named:
        text = f"sets {', '.join(named)}" + (": its tickets count as done" if marks else ", as we do")
        yield _finding(rule, "problem" if marks else "warning", "marker" if marks else "same_tags", text, advice)
    elif action.field == "set_tags" and works:
        yield _finding(rule, "problem", "fight", "replaces all tags, ours with them", "add tags instead")


def _once(condition: RuleCondition, rule: BusinessRule) -> bool:
    """Whether the rule excludes tickets by a tag that it sets itself."""
    added = {word for action in rule.actions if action.field == "current_tags" for word in action.words}
    return condition.field == "current_tags" and condition.operator == "not_includes" and bool(condition.words & added)


def _excluded(rule: BusinessRule, ours: OurUpdates) -> bool:
    """Whether no update of ours meets the rule's conditions."""
    none_of_any = bool(rule.any_of) and all(_never(condition, ours) for condition in rule.any_of)
    return none_of_any or any(_never(condition, ours) for condition in rule.all_of)


def _never(asked: RuleCondition, ours: OurUpdates) -> bool:
    """Whether the condition fails on every update of ours."""
    name, operator, values = asked.field, asked.operator, set(asked.values)
    negative = operator in ("is_not", "not_includes")
    if name == "current_tags":
        return negative and ours.marker in asked.words
    known = {
        "update_type": {"Change"},
        "current_via_id": {API_CHANNEL},
        "role": {"agent"},
        "comment_is_public": {"false", "not_relevant"} if ours.notes else set[str](),
    }
    if name in known:
        by_name = name == "role" and any(value.isdecimal() for value in values)
        return not by_name and bool(values & known[name]) is negative
    if name in ("assignee_id", "requester_id") and values == {"current_user"}:
        return operator == "is"  # we work on other people's tickets only
    new = ours.values.get(name, frozenset())
    if operator in ("value_previous", "changed_from"):
        return not new or ("" not in values and not ours.overwrites)
    if operator in ("changed", "value", "changed_to"):
        return not new or (operator != "changed" and not new & values)
    return name == "status" and operator in ("is", "includes") and not ours.statuses & values


def _asks_for(asked: RuleCondition, ours: OurUpdates, *, trigger: bool) -> bool:
    """Whether the condition asks for something that our update brings."""
    name, operator = asked.field, asked.operator
    if name == "current_tags":
        return operator == "includes" and bool(ours.tags_in(asked.words))
    if trigger and name in ("update_type", "comment_is_public", "current_via_id"):
        return True
    new = ours.values.get(name, frozenset())
    return bool(new & set(asked.values)) if operator in ("is", "includes") else bool(new)


def _finding(rule: BusinessRule, severity: SetupSeverity, kind: str, text: str, advice: str) -> Finding:
    return Finding(
        part="rules",
        severity=severity,
        kind=kind,
        what=f"{rule.kind} '{plain_line(rule.title, 80)}' ({rule.id})",
        id=rule.id,
        text=text,
        advice=advice,
        seen_by="customers" if kind == "customer" else "agents",
    )

"""Finds the helpdesk's triggers and automations that clash with what runs write, and faults of categories. Pure.

It reads the rules without simulating them: a rule is excluded only if one of its conditions fails on every update of
ours, so it may name too many.
Facts and their sources: developer.zendesk.com, "Conditions reference" and "Actions reference"; support.zendesk.com,
"About CCs and followers": a mail to requester and CCs is held back when a trigger meets no public comment.

Each check of the categories gives findings; :func:`check` collects them. Data of the helpdesk is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ..analysis.rules.matcher import words_of
from ..core.models import Overwrite
from ..core.tables import Finding, SetupSeverity, in_order
from ..core.taxonomy import Category, Taxonomy
from ..core.text import many, plain_line
from ..helpdesk.protocol import AccountLabels, BusinessRule, RuleAction, RuleCondition, TicketField
from .decide import ALSO, RESERVED_TAGS, FieldPolicy, Mode, Policy
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
"""Actions whose first value names the recipient."""
_FIELDS = {"priority": "the priority", "group_id": "the group"}


@dataclass(frozen=True)
class OurUpdates:
    """What runs may write with these settings: tags by prefix or name, and the values of each field."""

    marker: str
    prefix: str
    names: frozenset[str]
    values: Mapping[str, frozenset[str]]
    overwrites: bool
    notes: bool
    statuses: frozenset[str]

    def tags_in(self, words: frozenset[str]) -> list[str]:
        """The words that are tags of ours."""
        return sorted(word for word in words if word in self.names or (self.prefix and word.startswith(self.prefix)))


def our_updates(policy: Policy, taxonomy: Taxonomy, statuses: Sequence[str]) -> OurUpdates:
    """What the policy allows runs to write on tickets with these statuses."""
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
        yield _rule_finding(
            rule, "warning", "marker", f"works on tickets that carry {ours.marker}", "check that it may"
        )


def _clash(rule: BusinessRule, action: RuleAction, ours: OurUpdates, *, works: bool, by_us: bool) -> Iterator[Finding]:
    name, first = action.field, action.values[0]
    keep = f"add the condition that the tags contain none of: {ours.marker}"
    if works and name in _TO_CUSTOMERS and (name not in _ADDRESSED or first.startswith("requester")):
        held_back = rule.kind == "trigger" and name == "notification_user" and first == "requester_and_ccs"
        once = any(_once(condition, rule) for condition in (*rule.all_of, *rule.any_of))
        more = ", but not for internal notes" if held_back else ", once a ticket" if once else ""
        text = f"{_TO_CUSTOMERS[name]} on our update{more}"
        yield _rule_finding(rule, "warning" if more else "problem", "customer", text, keep)
    elif name in ("current_tags", "set_tags", "remove_tags"):
        yield from _tags(rule, action, ours, works=works)
    elif ours.values.get(name, frozenset()) - set(action.values) and (works or rule.kind == "automation"):
        sure = by_us and rule.kind == "trigger"
        text = f"sets {_FIELDS.get(name, 'a ticket field')}, as we do"
        yield _rule_finding(rule, "problem" if sure else "warning", "fight", text, f"take that action out, or {keep}")


def _tags(rule: BusinessRule, action: RuleAction, ours: OurUpdates, *, works: bool) -> Iterator[Finding]:
    named, marks = ours.tags_in(action.words), ours.marker in action.words
    advice = "take that action out, or set policy.tag_prefix"
    if action.field == "remove_tags" and named:
        text = f"takes off {', '.join(named)}" + (": the ticket looks as if we had never seen it" if marks else "")
        yield _rule_finding(rule, "problem" if marks or works else "warning", "fight", text, advice)
    elif named:
        text = f"sets {', '.join(named)}" + (": its tickets count as done" if marks else ", as we do")
        yield _rule_finding(rule, "problem" if marks else "warning", "marker" if marks else "same_tags", text, advice)
    elif action.field == "set_tags" and works:
        yield _rule_finding(rule, "problem", "fight", "replaces all tags, ours with them", "add tags instead")


def _once(condition: RuleCondition, rule: BusinessRule) -> bool:
    """True if the rule excludes tickets with a tag that it sets itself."""
    added = {word for action in rule.actions if action.field == "current_tags" for word in action.words}
    return condition.field == "current_tags" and condition.operator == "not_includes" and bool(condition.words & added)


def _excluded(rule: BusinessRule, ours: OurUpdates) -> bool:
    """True if no update of ours meets the rule's conditions."""
    none_of_any = bool(rule.any_of) and all(_never(condition, ours) for condition in rule.any_of)
    return none_of_any or any(_never(condition, ours) for condition in rule.all_of)


def _never(asked: RuleCondition, ours: OurUpdates) -> bool:
    """True if the condition fails on every update of ours."""
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
    """True if the condition asks for something that our updates bring."""
    name, operator = asked.field, asked.operator
    if name == "current_tags":
        return operator == "includes" and bool(ours.tags_in(asked.words))
    if trigger and name in ("update_type", "comment_is_public", "current_via_id"):
        return True
    new = ours.values.get(name, frozenset())
    return bool(new & set(asked.values)) if operator in ("is", "includes") else bool(new)


def _rule_finding(rule: BusinessRule, severity: SetupSeverity, kind: str, text: str, advice: str) -> Finding:
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


SHORT_DESCRIPTION = 4
"""Minimum number of words of a category's description."""


def check(taxonomy: Taxonomy, policy: Policy) -> list[Finding]:
    """All findings that need no data of the helpdesk, problems first."""
    found = [
        *_descriptions(taxonomy),
        *_overlaps(taxonomy),
        *_keywords(taxonomy),
        *_targets(taxonomy, policy),
    ]
    return in_order(found)


def check_labels(taxonomy: Taxonomy, policy: Policy, labels: AccountLabels) -> list[Finding]:
    """Compare the categories with the helpdesk's own tags, fields and groups; problems first."""
    found = [finding for item in taxonomy.categories for finding in _labels_of(item, policy, labels)]
    for setting, group in _groups_of(policy):
        if group not in labels.groups:
            text = f"the helpdesk has no group {group}, which {setting} names"
            found.append(_finding("problem", "helpdesk", None, text))
    return in_order(found)


def _finding(severity: SetupSeverity, kind: str, category: str | None, text: str) -> Finding:
    return Finding(part="categories", severity=severity, kind=kind, what=category or "", text=text)


def _descriptions(taxonomy: Taxonomy) -> Iterator[Finding]:
    for item in taxonomy.categories:
        words = len(words_of(item.description))
        if not words:
            text = "has no description: write the sentence by which a new colleague would sort a ticket"
            yield _finding("problem", "description", item.name, text)
        elif words < SHORT_DESCRIPTION:
            text = f"its description has {many(words, 'word')}: say what belongs here and what does not"
            yield _finding("advice", "description", item.name, text)
        if not item.examples:
            text = "has no examples: two or three real sentences help a model more than a longer description"
            yield _finding("advice", "examples", item.name, text)


def _overlaps(taxonomy: Taxonomy) -> Iterator[Finding]:
    for one, other in combinations(taxonomy.categories, 2):
        mine = {_folded(text) for text in one.examples}
        if both := mine & {_folded(text) for text in other.examples}:
            text = f"shares {many(len(both), 'example')} with {other.name}: leave each with the one it belongs to"
            yield _finding("problem", "overlap", one.name, text)


def _keywords(taxonomy: Taxonomy) -> Iterator[Finding]:
    having: dict[str, list[tuple[str, Category]]] = {}
    for item in taxonomy.categories:
        for entry in dict.fromkeys(entry for list_ in item.keywords.values() for entry in list_):
            if trouble := _keyword_trouble(entry):
                yield _of_keyword(trouble, item, entry)
            elsewhere = having.setdefault(entry.casefold(), [])
            for theirs, other in {other.name: (theirs, other) for theirs, other in elsewhere}.values():
                if other.name not in (item.name, item.parent) and other.parent != item.name:
                    yield _of_keyword(f"is in {item.name} as well, so it speaks for neither", other, theirs)
            elsewhere.append((entry, item))


def _keyword_trouble(entry: str) -> str:
    words = words_of(entry.replace("*", "").replace("~", " "))
    if not words:
        return "can never match: a keyword needs letters or digits"
    if re.search(r"^\s*~|~\s*$|\w\*\w", entry):
        return "can never match: it has '*' inside a word, or '~' at an end"
    if "," in entry:
        return "contains a comma, so it is one phrase: list its parts separately"
    if "*" in entry and all(len(word) < 3 for word in words):
        return "is in nearly every text: write out more of the word"
    return ""


def _of_keyword(text: str, item: Category, entry: str) -> Finding:
    return _finding("problem", "keyword", item.name, f"keyword '{plain_line(entry, 60)}' {text}")


def _targets(taxonomy: Taxonomy, policy: Policy) -> Iterator[Finding]:
    ours = {policy.tag(name): "has a meaning of its own" for name in RESERVED_TAGS}
    ours |= {policy.tag(name): f"says that a ticket is {name}" for name in taxonomy.names}
    if policy.tag_secondary:
        ours |= {policy.tag(ALSO, name): f"says that a ticket is also {name}" for name in taxonomy.names}
    for item in taxonomy.categories:
        wants: list[tuple[str, FieldPolicy, bool]] = [
            ("tag", policy.tags, item.tag is not None),
            ("group", policy.group, item.group is not None),
            ("fields", policy.fields, bool(item.fields)),
        ]
        for name, field, wanted in wants:
            if wanted and field.mode is Mode.OFF:
                setting = "tags" if name == "tag" else name
                text = f"its {name} is never set: policy.{setting} is off"
                yield _finding("problem", "target", item.name, text)
        if item.tag in ours and item.tag != policy.tag(item.name):
            text = f"its tag {item.tag} {ours[item.tag]}: choose another"
            yield _finding("problem", "target", item.name, text)

    for setting, _ in _groups_of(policy) if policy.group.mode is Mode.OFF else ():
        text = f"{setting} does nothing: policy.group is off"
        yield _finding("problem", "target", None, text)


def _groups_of(policy: Policy) -> Iterator[tuple[str, int]]:
    """Groups that the policy itself names, by setting."""
    if policy.escalation.group is not None:
        yield "policy.escalation.group", policy.escalation.group
    for tier, group in policy.tiers.groups.items() if policy.preset == "tiers" else ():
        yield f"policy.tiers.groups.{tier}", group


def _labels_of(item: Category, policy: Policy, labels: AccountLabels) -> Iterator[Finding]:
    """Faults of a category in this account, where a drop-down's options are tags."""
    options = {value: field for field in labels.fields if field.active for value in field.options}
    instead = {tag: f'use fields = {{ {{}} = "{tag}" }} instead' for tag in (policy.tag(item.name), item.tag) if tag}
    if policy.tag_secondary:
        instead.setdefault(policy.tag(ALSO, item.name), "switch policy.tag_secondary off, or rename the option")
    found = [
        f"the tag {tag} is an option of the field {_named(field)}: as a tag it would change that field, even one that "
        f"a person filled in; {advice.replace('{}', str(field.id))}"
        for tag, advice in instead.items()
        if labels.tags is not None and (field := options.get(tag))
    ]
    if item.group is not None and item.group not in labels.groups:
        found.append(f"the helpdesk has no group {item.group}: its tickets cannot be written")
    known = {field.id: field for field in labels.fields}
    for key, value in item.fields.items():
        if trouble := _trouble(known.get(key), value):
            found.append(f"its field {key} {trouble}")
    for text in found:
        yield _finding("problem", "helpdesk", item.name, text)


def _trouble(field: TicketField | None, value: str) -> str:
    if field is None:
        return "does not exist in the helpdesk"
    if not field.active:
        return f"({_named(field)}) is switched off in the helpdesk"
    if field.system:
        return f"({_named(field)}) is one of the helpdesk's own, which fields cannot set"
    if field.kind == "checkbox":
        return f"({_named(field)}) is a box, which always holds an answer and is never filled in; use a tag instead"
    if field.options and value not in field.options:
        return f"({_named(field)}) has no option {plain_line(value, 60)}: it has {', '.join(list(field.options)[:8])}"
    return ""


def _named(field: TicketField) -> str:
    return f"'{plain_line(field.title, 60)}'"


def _folded(text: str) -> str:
    return " ".join(words_of(text))

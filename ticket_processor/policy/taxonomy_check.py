"""Finds faults of a site's categories, and advice for them. Pure functions.

Each check looks at one thing and gives findings; :func:`check` puts them together. What needs the helpdesk gets it as
plain data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from ..analysis.rules.matcher import words_of
from ..analysis.text.similarity import EVERYDAY
from ..core.findings import Finding, SetupSeverity, in_order
from ..core.models import Urgency
from ..core.sanitize import plain_line
from ..core.taxonomy import Category, Taxonomy
from ..core.wording import many
from ..helpdesk.protocol import AccountLabels, TicketField
from .decide import ALSO, RESERVED_TAGS, FieldPolicy, Mode, Policy

SHORT_DESCRIPTION = 4
"""Words. Fewer tell a new colleague nothing."""


def check(taxonomy: Taxonomy, policy: Policy) -> list[Finding]:
    """Everything that can be said without the helpdesk, problems first."""
    found = [
        *_descriptions(taxonomy),
        *_overlaps(taxonomy),
        *_keywords(taxonomy),
        *_floors(taxonomy),
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
                yield _of_keyword(*trouble, item, entry)
            elsewhere = having.setdefault(entry.casefold(), [])
            for theirs, other in {other.name: (theirs, other) for theirs, other in elsewhere}.values():
                if other.name not in (item.name, item.parent) and other.parent != item.name:
                    text = f"is in {item.name} as well, so it speaks for neither"
                    yield _of_keyword("problem", text, other, theirs)
            elsewhere.append((entry, item))


def _keyword_trouble(entry: str) -> tuple[SetupSeverity, str] | None:
    words = words_of(entry.replace("*", "").replace("~", " "))
    if not words:
        return "problem", "can never match: a keyword needs letters or digits"
    if re.search(r"^\s*~|~\s*$|\w\*\w", entry):
        return "problem", "can never match: it has '*' inside a word, or '~' at an end"
    if "," in entry:
        return "problem", "contains a comma, so it is one phrase: list its parts separately"
    if "*" in entry and all(len(word) < 3 for word in words):
        return "problem", "is in nearly every text: write out more of the word"
    if all(word in EVERYDAY for word in words):
        return "advice", "is an everyday word: it does not tell categories apart"
    return None


def _of_keyword(severity: SetupSeverity, text: str, item: Category, entry: str) -> Finding:
    return _finding(severity, "keyword", item.name, f"keyword '{plain_line(entry, 60)}' {text}")


def _floors(taxonomy: Taxonomy) -> Iterator[Finding]:
    order = list(Urgency)
    for item in taxonomy.categories:
        floor, above = item.priority_floor, taxonomy[item.parent].priority_floor if item.parent else None
        if floor is not None and above is not None and order.index(above) < order.index(floor):
            text = f"its priority_floor {floor} does nothing: that of {item.parent} is {above}"
            yield _finding("problem", "floor", item.name, text)
        elif floor is Urgency.LOW:
            yield _finding("advice", "floor", item.name, "its priority_floor low does nothing: no urgency lies below")


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

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.core.tables import Finding
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.helpdesk.protocol import AccountLabels, TicketField
from ticket_processor.policy.decide import FieldPolicy, Mode, Policy
from ticket_processor.policy.setup_checks import check, check_labels

GENERAL = Category(name="general", description="Whatever fits nowhere else at all.", examples=("Nice site.",))
OFF = FieldPolicy(mode=Mode.OFF)


def category(name: str = "billing", **fields: Any) -> Category:
    given: dict[str, Any] = {"description": f"Everything about {name} here.", "examples": (f"My {name}.",)}
    return Category(name=name, **{**given, **fields})


def findings(*categories: Category, policy: Policy | None = None, **options: Any) -> list[Finding]:
    return check(Taxonomy(categories=(*categories, GENERAL)), policy or Policy(), **options)


def only(found: list[Finding], kind: str) -> list[tuple[str, str | None]]:
    return [(item.severity, item.what or None) for item in found if item.kind == kind]


# Descriptions and examples


def test_the_default_categories_have_no_problem() -> None:
    found = check(default_taxonomy(), Policy())
    assert [item for item in found if item.severity == "problem"] == []
    assert only(found, "overlap") == []


@pytest.mark.parametrize(
    ("description", "severity"),
    [("", "problem"), (" … ", "problem"), ("Money things.", "advice"), ("It is all about money.", None)],
)
def test_a_category_that_nobody_could_sort_by_is_told(description: str, severity: str | None) -> None:
    found = findings(category(description=description))
    assert only(found, "description") == ([(severity, "billing")] if severity else [])


def test_an_example_of_two_categories_is_told_whatever_its_case() -> None:
    found = findings(category("billing", examples=("My card.",)), category("shipping", examples=("my CARD",)))
    assert only(found, "overlap") == [("problem", "billing")]
    assert "shares 1 example with shipping" in found[0].text


# Keywords


@pytest.mark.parametrize("entry", ["!!!", "", "*", "~", "#", "~foo", "foo~", "foo bar*baz"])
def test_a_keyword_that_can_never_be_found_is_told(entry: str) -> None:
    (found,) = findings(category(keywords={"en": (entry,)}))
    assert (found.severity, found.kind) == ("problem", "keyword")
    assert "never" in found.text


@pytest.mark.parametrize(
    ("entry", "words"),
    [("invoice, bill", "comma"), ("a*", "nearly every")],
)
def test_a_keyword_that_does_not_do_what_it_was_meant_to_is_told(entry: str, words: str) -> None:
    (found,) = findings(category(keywords={"en": (entry,)}))
    assert found.severity == "problem"
    assert words in found.text


def test_a_keyword_of_two_categories_is_told_once_whatever_its_language_and_case() -> None:
    found = findings(
        category("billing", keywords={"en": ("Invoice",)}), category("shipping", keywords={"de": ("invoice",)})
    )
    assert only(found, "keyword") == [("problem", "billing")]


# Targets


@pytest.mark.parametrize(
    ("fields", "policy"),
    [({"tag": "x"}, {"tags": OFF}), ({"group": 1}, {"group": OFF}), ({"fields": {1: "x"}}, {"fields": OFF})],
)
def test_a_target_that_policy_switches_off_is_told(fields: dict[str, Any], policy: dict[str, Any]) -> None:
    assert only(findings(category(**fields), policy=Policy(**policy)), "target") == [("problem", "billing")]
    assert findings(category(**fields)) == []


ESCALATING = {"escalation": {"group": 2}}
TIERED = {"preset": "tiers", "tiers": {"groups": {"1": 2}}}


@pytest.mark.parametrize("policy", [ESCALATING, TIERED])
def test_a_group_of_the_policy_that_is_never_set_or_does_not_exist_is_told(policy: dict[str, Any]) -> None:
    switched_off = only(findings(category(), policy=Policy(group=OFF, **policy)), "target")
    assert switched_off == [("problem", None)]
    assert only(findings(category(), policy=Policy(**policy)), "target") == []
    taxonomy = Taxonomy(categories=(category(), GENERAL))
    for groups, told in (({1: "Support"}, [("problem", None)]), ({2: "Second line"}, [])):
        found = check_labels(taxonomy, Policy(**policy), AccountLabels(tags={}, fields=(), groups=groups))
        assert only(found, "helpdesk") == told


@pytest.mark.parametrize("tag", ["ai_processed", "ai_fallback", "ai_shipping", "ai_tier_1"])
def test_a_target_tag_that_means_something_else_is_told(tag: str) -> None:
    assert only(findings(category(tag=tag), category("shipping")), "target") == [("problem", "billing")]


# The helpdesk's own words

TOPIC = TicketField(id=5, title="Topic", kind="tagger", options={"topic_billing": "Money", "area": "Shipping"})
LABELS = AccountLabels(
    tags={"billing": 12, "finance": 3},
    fields=(
        TOPIC,
        TicketField(id=6, title="Old", kind="tagger", active=False, options={"refund": "Refund"}),
        TicketField(id=7, title="Priority", kind="priority", system=True),
        TicketField(id=8, title="VIP", kind="checkbox"),
        TicketField(id=9, title="Order", kind="text"),
    ),
    groups={1: "Support"},
)


def told(item: Category, labels: AccountLabels = LABELS, policy: Policy | None = None) -> list[tuple[str, str]]:
    found = check_labels(Taxonomy(categories=(item, GENERAL)), policy or Policy(), labels)
    assert all(finding.what == item.name for finding in found)
    return [(finding.severity, finding.text) for finding in found]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"group": 2}, "no group 2"),
        ({"fields": {1: "x"}}, "field 1 does not exist"),
        ({"fields": {6: "refund"}}, "switched off"),
        ({"fields": {7: "high"}}, "one of the helpdesk's own"),
        ({"fields": {8: "true"}}, "is a box"),
        ({"fields": {5: "moon"}}, "no option moon: it has topic_billing, area"),
        ({"tag": "area"}, "would change that field"),
    ],
)
def test_a_target_that_cannot_work_in_the_helpdesk_is_a_problem(fields: dict[str, Any], words: str) -> None:
    found = told(category("zebra", **fields))
    assert [severity for severity, text in found if words in text] == ["problem"]

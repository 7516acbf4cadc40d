from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.core.tables import Finding
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.helpdesk.protocol import BusinessRule, RuleAction, RuleCondition
from ticket_processor.policy.decide import Policy
from ticket_processor.policy.setup_checks import our_updates, rule_clashes

MAIL = RuleAction("notification_user", ("requester_id", "Subject", "Body"))
MAIL_BOTH = RuleAction("notification_user", ("requester_and_ccs", "Subject", "Body"))


def asks(field: str, operator: str = "is", *values: str) -> RuleCondition:
    return RuleCondition(field, values or ("",), operator)


def rule(*conditions: RuleCondition, do: RuleAction | tuple[RuleAction, ...] = MAIL, **more: Any) -> BusinessRule:
    actions = do if isinstance(do, tuple) else (do,)
    return BusinessRule(
        **{"kind": "trigger", "id": "1", "title": "Rule", "all_of": conditions, **more}, actions=actions
    )


def found(*rules: BusinessRule, policy: Policy | None = None, taxonomy: Taxonomy | None = None) -> list[Finding]:
    return rule_clashes(rules, our_updates(policy or Policy(), taxonomy or default_taxonomy(), ("new", "open")))


def conflicts(*rules: BusinessRule, **settings: Any) -> list[tuple[str, str]]:
    return [(item.id, item.kind) for item in found(*rules, **settings) if item.severity == "problem"]


CHANGE, CREATE = asks("update_type", "is", "Change"), asks("update_type", "is", "Create")
LATER = {"kind": "automation"}
CLASHING = {
    "the priority's change": rule(asks("priority", "changed")),
    "either of two": rule(any_of=(asks("priority", "value", "high"), asks("status", "changed"))),
    "an empty priority before": rule(asks("priority", "value_previous", "")),
    "articles": rule(
        asks("current_tags", "includes", "ai_sentiment_negative urgent_case"),
        do=RuleAction("deflection", ("requester_id", "Subject", "Body")),
    ),
    "by its channel": rule(asks("current_via_id", "is", "5"), do=RuleAction("remove_tags", ("ai_review ai_fallback",))),
    "opens": rule(asks("group_id", "is", ""), CHANGE, do=RuleAction("status", ("open",))),
    "reopens on notes": rule(asks("comment_is_public", "is", "false"), do=RuleAction("status", ("open",))),
    "mails later": rule(asks("current_tags", "includes", "ai_refund"), asks("updated_at", "is", "24"), **LATER),
    "late and urgent": rule(asks("priority", "is", "urgent"), asks("OPEN", "is", "4"), do=MAIL_BOTH, **LATER),
    "cleans up": rule(asks("SOLVED", "is", "24"), do=RuleAction("remove_tags", ("ai_processed",)), **LATER),
    "writes": rule(asks("priority", "changed"), do=RuleAction("tweet_requester", ("Hello",))),
    "calms": rule(asks("priority", "value", "urgent"), do=RuleAction("priority", ("normal",))),
    "replaces tags": rule(CHANGE, do=RuleAction("set_tags", ("tidy",))),
    "marks": rule(asks("current_tags", "includes", "vip"), CREATE, do=RuleAction("current_tags", ("ai_processed",))),
    "everything": rule(CHANGE),
    "lowers money": rule(asks("current_tags", "includes", "ai_billing"), do=RuleAction("priority", ("low",))),
    "tidies": rule(CHANGE, asks("status", "less_than", "solved"), do=RuleAction("set_tags", ("tidy",))),
    "pending on notes": rule(asks("comment_is_public", "is", "not_relevant"), do=RuleAction("status", ("pending",))),
    "asks nothing": rule(),
    "asks for what stays": rule(asks("status", "not_changed"), CHANGE),
    "asks for what is not known": rule(CHANGE, asks("lunar_phase", "is", "full")),
    "by one user": rule(CHANGE, asks("role", "is", "42")),
}
HARMLESS = {
    "customer's own note": rule(asks("comment_is_public", "is", "false"), asks("role", "is", "end_user")),
    "public comments": rule(CHANGE, asks("comment_is_public", "is", "requester_can_see_comment"), do=MAIL_BOTH),
    "new tickets": rule(asks("status", "is_not", "solved"), CREATE),
    "people's changes": rule(CHANGE, asks("current_via_id", "is_not", "5")),
    "not the marker's": rule(asks("priority", "changed"), asks("current_tags", "not_includes", "ai_processed")),
    "requester's update": rule(asks("requester_id", "is", "current_user"), CHANGE),
    "no longer urgent": rule(asks("priority", "value_previous", "urgent")),
    "opened": rule(asks("status", "value", "open")),
    "moved": rule(asks("organization_id", "changed")),
    "given to somebody": rule(asks("assignee_id", "value", "77")),
    "came by mail": rule(asks("via_id", "is", "4"), CREATE),
    "rated": rule(asks("satisfaction_score", "changed")),
    "neither of two": rule(any_of=(asks("status", "changed"), CREATE)),
    "not triaged": rule(asks("current_tags", "not_includes", "ai_processed"), asks("NEW", "is", "24"), **LATER),
    "no priority for two days": rule(asks("priority", "is", ""), asks("NEW", "is", "48"), **LATER),
    "pending": rule(asks("status", "is", "pending"), CHANGE),
    "pending for days": rule(asks("status", "is", "pending"), asks("PENDING", "is", "72"), **LATER),
    "closes": rule(asks("SOLVED", "is", "96"), do=RuleAction("status", ("closed",)), **LATER),
    "agents": rule(CHANGE, do=RuleAction("notification_user", ("assignee_id", "Subject", "Body"))),
    "another tag": rule(CHANGE, do=RuleAction("current_tags", ("seen",))),
    "assigned to a colleague": rule(
        asks("assignee_id", "changed"),
        asks("assignee_id", "is_not", "current_user"),
        do=RuleAction("notification_user", ("assignee_id", "Subject", "Body")),
    ),
    "who answers keeps it": rule(
        asks("assignee_id", "is", ""),
        asks("comment_is_public", "is", "true"),
        do=RuleAction("assignee_id", ("current_user",)),
    ),
    "solved": rule(asks("status", "value", "solved")),
    "customer is back": rule(CHANGE, asks("role", "is", "end_user"), do=RuleAction("status", ("open",))),
    "reminds": rule(asks("status", "is", "hold"), asks("HOLD", "is", "72"), **LATER),
}


@pytest.mark.parametrize("name", CLASHING)
def test_a_rule_that_clashes_is_named(name: str) -> None:
    assert conflicts(CLASHING[name])


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_rule_is_not_named(name: str) -> None:
    assert found(HARMLESS[name]) == []


def test_a_rule_that_asks_for_our_marker_is_named_whatever_it_does() -> None:
    (finding,) = found(
        rule(asks("current_tags", "includes", "ai_processed"), do=RuleAction("notification_group", ("7",)))
    )
    assert (finding.severity, finding.kind) == ("warning", "marker")


def test_only_what_the_settings_let_us_write_clashes() -> None:
    alarm = rule(asks("priority", "value", "low"))
    assert conflicts(alarm) == [("1", "customer")]
    assert conflicts(alarm, policy=Policy.model_validate({"priority": {"mode": "suggest"}})) == []
    note = rule(asks("comment_is_public", "is", "not_relevant"))
    assert conflicts(note) == [("1", "customer")]
    assert conflicts(note, policy=Policy.model_validate({"note": "never"})) == []
    urgent_before = rule(asks("priority", "value_previous", "urgent"))
    assert conflicts(urgent_before, policy=Policy.model_validate({"priority": {"overwrite": "always"}}))
    labelled = rule(asks("current_tags", "includes", "ai_refund"), asks("NEW", "is", "4"), **LATER)
    assert conflicts(labelled, policy=Policy.model_validate({"tags": {"mode": "off"}})) == []


def test_tags_groups_and_fields_of_the_sites_own_categories_are_ours() -> None:
    taxonomy = Taxonomy(
        categories=(
            Category(name="parcels", description="Parcels.", tag="logistics", group=7, fields={9: "parcel"}),
            Category(name="general", description="Rest."),
        )
    )
    policy = Policy(tag_prefix="bot_")
    rules = (
        rule(asks("group_id", "value", "7"), id="group"),
        rule(asks("custom_fields_9", "changed"), id="field"),
        rule(asks("current_tags", "includes", "logistics"), asks("NEW", "is", "4"), id="tag", **LATER),
        rule(asks("current_tags", "includes", "bot_parcels"), do=RuleAction("group_id", ("8",)), id="moves"),
        rule(asks("group_id", "value", "8"), id="other group"),
        rule(asks("custom_fields_8", "changed"), id="other field"),
    )
    named = [name for name, _ in conflicts(*rules, policy=policy, taxonomy=taxonomy)]
    assert named == ["group", "field", "tag", "moves"]

"""The doctor's pure part: conditions over one hypothetical update, and rules over all that we may write."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.helpdesk.business_rules import AccountSetup, BusinessRule, Clause, RuleAction, RuleCondition
from ticket_processor.helpdesk.protocol import AccountLabels, TicketField
from ticket_processor.learning.doctor.conditions import HypotheticalUpdate, Truth, holds, judge
from ticket_processor.learning.doctor.examine import SetupFinding, examine
from ticket_processor.learning.doctor.writes import planned_writes
from ticket_processor.policy.decide import Mode, Policy

AS_IT_COMES = planned_writes(Policy(), default_taxonomy(), ("new", "open"))
YES, NO, MAYBE = Truth.YES, Truth.NO, Truth.MAYBE
OURS = HypotheticalUpdate(
    tags=frozenset({"ai_processed", "vip"}),
    values={"priority": ("", "high"), "status": ("open", "open"), "group_id": ("7", "7"), "custom_fields_9": ("", "x")},
    comment="internal",
    own_user="42",
)
MAIL = RuleAction("notification_user", ("requester_id", "Subject", "Body"))


def asks(field: str, operator: str = "is", *values: str) -> RuleCondition:
    return RuleCondition(field, operator, values or ("",))


def rule(
    *conditions: RuleCondition | Clause, do: RuleAction | tuple[RuleAction, ...] = MAIL, **more: Any
) -> BusinessRule:
    actions = do if isinstance(do, tuple) else (do,)
    return BusinessRule(
        **{"kind": "trigger", "id": "1", "title": "Rule", **more}, conditions=Clause("all", conditions), actions=actions
    )


def found(*rules: BusinessRule, policy: Policy | None = None, taxonomy: Taxonomy | None = None) -> list[SetupFinding]:
    """What the doctor says of these rules themselves."""
    planned = AS_IT_COMES
    if policy is not None or taxonomy is not None:
        planned = planned_writes(policy or Policy(), taxonomy or default_taxonomy(), ("new", "open"))
    policy, taxonomy = policy or Policy(), taxonomy or default_taxonomy()
    return [item for item in examine(AccountSetup(rules=rules), planned, policy, taxonomy) if item.rule_id]


def conflicts(*rules: BusinessRule, **settings: Any) -> list[tuple[str, str]]:
    return [(item.rule_id, item.kind) for item in found(*rules, **settings) if item.severity == "conflict"]


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        (asks("current_tags", "includes", "gold vip"), YES),
        (asks("current_tags", "includes", "gold"), NO),
        (asks("current_tags", "not_includes", "gold vip"), NO),
        (asks("update_type", "is", "Change"), YES),
        (asks("update_type", "is", "Create"), NO),
        (asks("priority", "changed"), YES),
        (asks("priority", "not_changed"), NO),
        (asks("priority", "value", "high"), YES),
        (asks("priority", "value", "urgent"), NO),
        (asks("priority", "value_previous", "low"), NO),
        (asks("priority", "not_value_previous", "low"), YES),
        (asks("priority", "greater_than", "normal"), YES),
        (asks("priority", "less_than", "high"), NO),
        (asks("status", "less_than", "solved"), YES),
        (asks("status", "changed"), NO),
        (asks("status", "includes", "new", "open"), YES),
        (asks("group_id", "is_not", ""), YES),
        (asks("custom_fields_9", "present"), YES),
        (asks("custom_fields_9", "not_present"), NO),
        (asks("custom_fields_8", "is", "x"), MAYBE),
        (asks("custom_fields_8", "changed"), NO),
        (asks("comment_is_public", "is", "true"), NO),
        (asks("comment_is_public", "is", "false"), YES),
        (asks("comment_is_public", "is", "not_relevant"), YES),
        (asks("comment_is_public", "is", "requester_can_see_comment"), NO),
        (asks("current_via_id", "is", "5"), YES),
        (asks("current_via_id", "is_not", "5"), NO),
        (asks("role", "is", "end_user"), NO),
        (asks("role", "is", "42"), YES),
        (asks("role", "is_not", "42"), NO),
        (asks("role", "is", "43"), NO),
        (asks("assignee_id", "changed"), NO),
        (asks("assignee_id", "is", "current_user"), NO),
        (asks("assignee_id", "is", "43"), MAYBE),
        (asks("organization_id", "is", "5"), MAYBE),
        (asks("subject_includes_word", "includes", "refund"), MAYBE),
        (asks("lunar_phase", "is", "full"), MAYBE),
        (asks("lunar_phase", "changed"), MAYBE),
        (asks("PENDING", "is", "24"), YES),
    ],
)
def test_a_condition_holds_does_not_hold_or_may_hold_after_an_update(condition: RuleCondition, truth: Truth) -> None:
    assert judge(condition, OURS) is truth


def test_all_and_any_keep_what_is_not_known_apart_from_what_is() -> None:
    yes, no, maybe = asks("priority", "changed"), asks("status", "changed"), asks("lunar_phase")
    assert holds(Clause("all", ()), OURS) is YES
    assert holds(Clause("all", (yes, maybe)), OURS) is MAYBE
    assert holds(Clause("all", (no, maybe)), OURS) is NO
    assert holds(Clause("any", (yes, maybe)), OURS) is YES
    assert holds(Clause("any", (no, maybe)), OURS) is MAYBE
    assert holds(Clause("all", (yes, Clause("any", (no, no)))), OURS) is NO


def test_conditions_that_never_hold_together_are_no_conflict() -> None:
    mail_on_calm_alarm = rule(asks("priority", "value", "urgent"), asks("current_tags", "includes", "ai_urgency_low"))
    assert conflicts(mail_on_calm_alarm) == []
    unchanged = rule(asks("priority", "changed"), asks("priority", "not_changed"))
    assert conflicts(unchanged) == []
    assert conflicts(rule(asks("priority", "value", "urgent"))) == [("1", "customer")]


def test_only_what_the_settings_let_us_write_sets_a_rule_off() -> None:
    alarm = rule(asks("priority", "value", "low"))
    assert conflicts(alarm) == [("1", "customer")]
    assert conflicts(alarm, policy=Policy.model_validate({"priority": {"mode": "suggest"}})) == []
    tagged = rule(asks("current_tags", "includes", "bot_parcels"))
    parcels = Taxonomy(
        categories=(Category(name="parcels", description="Parcels."), Category(name="general", description="Rest."))
    )
    policy = Policy(tag_prefix="bot_")
    assert "when we write bot_parcels" in found(tagged, policy=policy, taxonomy=parcels)[0].text


def test_a_rule_that_has_worked_when_the_ticket_came_in_is_spent() -> None:
    thanks = (MAIL, RuleAction("current_tags", ("thanked",)))
    once = (asks("status", "less_than", "solved"), asks("current_tags", "not_includes", "thanked"))
    assert conflicts(rule(*once, do=thanks)) == []
    # This one waits for an agent, so it is not.
    assert conflicts(rule(*once, asks("role", "is_not", "end_user"), do=thanks)) == [("1", "customer")]


def test_a_value_that_a_trigger_sets_on_new_tickets_is_one_that_we_leave_alone() -> None:
    vip = (asks("status", "is", "new"), asks("current_tags", "includes", "vip"))
    assert found(rule(*vip, do=RuleAction("priority", ("high",)))) == []
    ours = (asks("status", "is", "new"), asks("current_tags", "includes", "ai_order"))
    assert conflicts(rule(*ours, do=RuleAction("priority", ("high",)))) == [("1", "fight")]


def test_the_rules_of_a_fresh_zendesk_account_are_no_conflicts() -> None:
    change, create = asks("update_type", "is", "Change"), asks("update_type", "is", "Create")
    note, others = asks("comment_is_public", "is", "not_relevant"), asks("assignee_id", "is_not", "current_user")
    both = RuleAction("notification_user", ("requester_and_ccs", "Subject", "Body"))
    assignee = RuleAction("notification_user", ("assignee_id", "Subject", "Body"))
    survey = (RuleAction("satisfaction_score", ("offered",)), both)
    group = RuleAction("notification_group", ("group_id", "Subject", "Body"))
    everybody = RuleAction("notification_user", ("all_agents", "Subject", "Body"))
    unassigned, solved = asks("assignee_id", "is", ""), asks("status", "is", "solved")
    reopened = (asks("status", "value_previous", "solved"), asks("status", "is_not", "closed"))
    kept = (asks("assignee_id", "not_changed"), asks("status", "not_value_previous", "solved"))
    by_mail = (asks("current_via_id", "is", "4"), asks("role", "is", "agent"))
    asked = (asks("SOLVED", "is", "24"), asks("satisfaction_score", "is", "true"))
    rules = [
        rule(asks("status", "is_not", "solved"), create, do=both, id="received"),
        rule(change, asks("comment_is_public", "is", "requester_can_see_comment"), do=both, id="comment"),
        rule(create, asks("comment_is_public", "is", "true"), asks("role", "is", "agent"), do=both, id="proactive"),
        rule(note, others, *kept, do=assignee, id="update"),
        rule(asks("assignee_id", "changed"), others, do=assignee, id="assignment"),
        rule(others, *reopened, do=assignee, id="reopened"),
        rule(asks("group_id", "changed"), asks("group_id", "is_not", ""), unassigned, do=group, id="group"),
        rule(create, do=everybody, id="agents"),
        rule(unassigned, *by_mail, do=RuleAction("assignee_id", ("current_user",)), id="first"),
        rule(solved, asks("SOLVED", "is", "96"), do=RuleAction("status", ("closed",)), kind="automation", id="close"),
        rule(solved, *asked, do=survey, kind="automation", id="rating"),
    ]
    assert [(item.rule_id, item.severity, item.kind) for item in found(*rules)] == [("update", "advice", "people")]


def test_what_a_rule_does_may_set_off_another() -> None:
    solve = rule(asks("current_tags", "includes", "ai_general"), do=RuleAction("status", ("solved",)), title="Solve")
    survey = rule(asks("status", "value", "solved"), do=RuleAction("satisfaction_score", ("offered",)), id="2")
    assert conflicts(survey) == []
    assert conflicts(solve, survey) == [("1", "status"), ("2", "customer")]
    assert "after 'Solve'" in found(solve, survey)[1].text
    asked = rule(asks("current_tags", "includes", "poll"), asks("SOLVED", "is", "24"), kind="automation", id="3")
    tag = rule(asks("current_tags", "includes", "ai_refund"), do=RuleAction("current_tags", ("poll",)))
    assert conflicts(asked) == []
    assert conflicts(tag, asked) == [("3", "customer")]


def test_a_condition_that_is_not_known_is_said_to_be_so() -> None:
    (finding,) = found(rule(asks("update_type", "is", "Change"), asks("lunar_phase", "is", "full")))
    assert finding.severity == "conflict"
    assert "perhaps, for its condition on lunar_phase is not known here" in finding.text
    (finding,) = found(rule(asks("priority", "changed"), do=RuleAction("ring_the_bell", ("1",))))
    assert (finding.severity, finding.kind) == ("warning", "unknown")


def test_a_mail_to_requester_and_ccs_is_held_back_for_an_internal_note() -> None:
    both = RuleAction("notification_user", ("requester_and_ccs", "Subject", "Body"))
    (finding,) = found(rule(asks("update_type", "is", "Change"), do=both))
    assert (finding.severity, finding.customers_see) == ("warning", True)
    later = rule(asks("priority", "is", "urgent"), asks("NEW", "is", "4"), do=both, kind="automation")
    assert conflicts(later) == [("1", "customer")]


def test_a_status_that_the_ticket_has_already_is_no_change() -> None:
    same = rule(asks("status", "is", "open"), asks("priority", "changed"), do=RuleAction("status", ("open",)))
    assert conflicts(same) == []


def test_an_automation_counts_only_where_our_write_is_the_cause() -> None:
    aged = (asks("priority", "is", "urgent"), asks("OPEN", "is", "4"))
    assert conflicts(rule(*aged, kind="automation")) == [("1", "customer")]
    assert conflicts(rule(asks("status", "is", "pending"), asks("PENDING", "is", "72"), kind="automation")) == []
    (finding,) = found(rule(asks("OPEN", "is", "48"), do=RuleAction("priority", ("low",)), kind="automation"))
    assert (finding.severity, finding.text) == ("warning", "replaces the priority that we set later")


def test_an_automation_that_waits_for_silence_is_said_to_be_postponed() -> None:
    silent = asks("updated_at", "greater_than", "72")
    (finding,) = found(rule(asks("status", "less_than", "pending"), silent, kind="automation"))
    assert (finding.severity, finding.kind) == ("advice", "postponed")
    assert found(rule(asks("status", "is", "solved"), silent, kind="automation")) == []


def test_two_triggers_that_want_different_things_are_named_only_where_they_meet() -> None:
    first = rule(asks("priority", "value", "high"), do=RuleAction("group_id", ("1",)))
    second = rule(asks("current_tags", "includes", "ai_urgency_high"), do=RuleAction("group_id", ("2",)), id="2")
    other = rule(asks("current_tags", "includes", "ai_urgency_low"), do=RuleAction("group_id", ("2",)), id="3")
    assert [(item.rule_id, item.kind) for item in found(first, second)] == [("1", "quarrel")]
    assert found(first, other) == []


def test_a_rule_without_conditions_on_which_nothing_hangs_is_named() -> None:
    (finding,) = found(rule(asks("update_type", "is", "Change"), do=RuleAction("current_tags", ("seen",))))
    assert (finding.severity, finding.kind) == ("advice", "every_update")


def test_a_rule_that_asks_too_much_to_be_tried_counts_as_perhaps() -> None:
    tags = tuple(asks("current_tags", "includes", f"tag_{number}") for number in range(40))
    (finding,) = found(rule(*tags, asks("update_type", "is", "Change")))
    assert finding.severity == "conflict"
    assert "perhaps" in finding.text


CHANGE, CREATE = asks("update_type", "is", "Change"), asks("update_type", "is", "Create")
TO_LATER = {"kind": "automation"}
PLANTED = {
    "either of two": rule(Clause("any", (asks("priority", "value", "high"), asks("priority", "value", "urgent")))),
    "articles": rule(
        asks("current_tags", "includes", "ai_sentiment_negative urgent_case"),
        do=RuleAction("deflection", ("requester_id", "Subject", "Body")),
    ),
    "by its channel": rule(asks("current_via_id", "is", "5"), do=RuleAction("remove_tags", ("ai_review ai_fallback",))),
    "opens": rule(asks("group_id", "is", ""), CHANGE, do=RuleAction("status", ("open",))),
    "reopens on notes": rule(asks("comment_is_public", "is", "false"), do=RuleAction("status", ("open",))),
    "mails later": rule(asks("current_tags", "includes", "ai_refund"), asks("updated_at", "is", "24"), **TO_LATER),
    "cleans up": rule(asks("SOLVED", "is", "24"), do=RuleAction("remove_tags", ("ai_processed",)), **TO_LATER),
    "writes": rule(asks("priority", "changed"), do=RuleAction("tweet_requester", ("Hello",))),
    "calms": rule(asks("priority", "value", "urgent"), do=RuleAction("priority", ("normal",))),
    "marks": rule(asks("current_tags", "includes", "vip"), CREATE, do=RuleAction("current_tags", ("ai_processed",))),
    "asks nothing": rule(),
    "asks for what stays": rule(asks("status", "not_changed"), CHANGE),
}
HARMLESS = {
    "customer's own note": rule(asks("comment_is_public", "is", "false"), asks("role", "is", "end_user")),
    "requester's update": rule(asks("requester_id", "is", "current_user"), CHANGE),
    "no longer urgent": rule(asks("priority", "value_previous", "urgent")),
    "opened": rule(asks("status", "value", "open")),
    "moved": rule(asks("organization_id", "changed")),
    "given to somebody": rule(asks("assignee_id", "value", "77")),
    "came by mail": rule(asks("via_id", "is", "4"), CREATE),
    "rated": rule(asks("satisfaction_score", "changed")),
    "another form": rule(asks("ticket_form_id", "changed")),
    "not triaged": rule(asks("current_tags", "not_includes", "ai_processed"), asks("NEW", "is", "24"), **TO_LATER),
    "no priority for two": rule(asks("priority", "is", ""), asks("NEW", "is", "48"), **TO_LATER),
    "pending": rule(asks("status", "is", "pending"), CHANGE),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_conflict_is_named(name: str) -> None:
    assert conflicts(PLANTED[name])


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_rule_is_not(name: str) -> None:
    assert conflicts(HARMLESS[name]) == []


@pytest.mark.parametrize("mode", Mode)
def test_a_field_that_solving_needs_is_named_where_thanks_may_solve_a_ticket(mode: Mode) -> None:
    policy = Policy(thanks_keep_solved=mode)
    setup = AccountSetup(labels=AccountLabels(None, (TicketField(5, "Root cause", "text", required=True),)))
    told = examine(setup, planned_writes(policy, default_taxonomy(), ("new", "open")), policy, default_taxonomy())
    assert ("required_field" in [item.kind for item in told]) is (mode is Mode.APPLY)

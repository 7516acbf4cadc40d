"""Whether a rule's conditions hold after one hypothetical update: yes, no, or maybe. Pure.

Facts and their sources: developer.zendesk.com, "Conditions reference"; support.zendesk.com, "Ticket trigger conditions
and actions reference".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from ...helpdesk.business_rules import Clause, RuleCondition

API_CHANNEL = "5"
"""The number of the channel by which our updates come."""
ORDERS: Mapping[str, tuple[str, ...]] = {
    "priority": ("", "low", "normal", "high", "urgent"),
    "status": ("new", "open", "pending", "hold", "solved", "closed"),
}
LATER = frozenset(
    "NEW OPEN PENDING HOLD SOLVED CLOSED assigned_at updated_at requester_updated_at assignee_updated_at due_date "
    "until_due_date created_at exact_created_at sla_next_breach_at until_sla_next_breach_at".split()
)
"""Conditions on the time that has passed: some day they hold."""
OF_THE_TICKET = frozenset(
    "assignee_id requester_id organization_id via_id recipient type locale_id brand_id ticket_form_id ticket_type_id "
    "custom_status_id satisfaction_score satisfaction_reason_code satisfaction_probability subject_includes_word "
    "comment_includes_word description_includes_word ticket_is_public reopens replies agent_stations group_stations "
    "in_business_hours within_schedule set_schedule schedule_id requester_role submitter_role cc attachment follower "
    "number_of_incidents requester_twitter_followers_count requester_twitter_statuses_count "
    "requester_twitter_verified received_from received_at".split()
)
"""What depends on the ticket and its people; our updates change none of it."""
_PEOPLES = ("user.", "requester.", "organization.")
_CHANGES = frozenset(
    "changed not_changed value value_previous not_value not_value_previous changed_to changed_from not_changed_to "
    "not_changed_from".split()
)


class Truth(StrEnum):
    """Whether something holds."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"

    def __invert__(self) -> Truth:
        return {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.MAYBE: Truth.MAYBE}[self]


@dataclass(frozen=True)
class HypotheticalUpdate:
    """One update, and the ticket after it.

    ``values`` holds fields before and after, ``""`` for an empty one. Every other field is as it happens to be on the
    ticket, and stays so.
    """

    tags: frozenset[str] = frozenset()
    values: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    update_type: Literal["Create", "Change"] = "Change"
    comment: Literal["internal", "public"] | None = None
    by_customer: bool = False
    own_user: str | None = None


def holds(clause: Clause, update: HypotheticalUpdate) -> Truth:
    """Whether the clause holds; maybe, where that hangs on something that neither update nor clause tells."""
    found = {judge(part, update) if isinstance(part, RuleCondition) else holds(part, update) for part in clause.parts}
    decisive, other = (Truth.NO, Truth.YES) if clause.join == "all" else (Truth.YES, Truth.NO)
    return decisive if decisive in found else Truth.MAYBE if Truth.MAYBE in found else other


def understood(condition: RuleCondition) -> bool:
    """Whether the condition's field is known here; one that is not holds maybe."""
    name = condition.field
    return (
        name in _JUDGES
        or name in ORDERS
        or name in LATER
        or name in OF_THE_TICKET
        or name == "group_id"
        or name.startswith((*_PEOPLES, "custom_fields_"))
    )


def judge(condition: RuleCondition, update: HypotheticalUpdate) -> Truth:
    """Whether one condition holds after the update."""
    name = condition.field
    if name in _JUDGES:
        return _JUDGES[name](condition, update)
    if name in LATER:
        return Truth.YES
    if name in update.values:
        return _compared(condition, *update.values[name])
    if condition.operator in _CHANGES and understood(condition):
        return _truth(condition.operator.startswith("not_"))
    mine = name in ("assignee_id", "requester_id") and condition.values == ("current_user",)
    if mine and not update.by_customer and condition.operator in ("is", "is_not"):
        return _truth(condition.operator == "is_not")  # we work on other people's tickets only
    return Truth.MAYBE


def _compared(condition: RuleCondition, before: str, after: str) -> Truth:
    """A condition on a field whose values are known, before and after."""
    operator, values = condition.operator, condition.values
    moved = before != after
    plain: Mapping[str, bool] = {
        "is": after in values,
        "includes": after in values,
        "present": bool(after),
        "changed": moved,
        "value": moved and after in values,
        "changed_to": moved and after in values,
        "value_previous": moved and before in values,
        "changed_from": moved and before in values,
    }
    if operator in plain:
        return _truth(plain[operator])
    positive = "is" if operator == "is_not" else operator.removeprefix("not_")
    if operator != positive and positive in plain:
        return _truth(not plain[positive])
    order = ORDERS.get(condition.field, ())
    if operator in ("less_than", "greater_than") and after in order and values[0] in order:
        here, limit = order.index(after), order.index(values[0])
        return _truth(here < limit if operator == "less_than" else here > limit)
    return Truth.MAYBE


def _tags(condition: RuleCondition, update: HypotheticalUpdate) -> Truth:
    if condition.operator not in ("includes", "not_includes"):
        return Truth.MAYBE
    return _negated(condition, _truth(bool(condition.words & update.tags)))


def _update_type(condition: RuleCondition, update: HypotheticalUpdate) -> Truth:
    return _negated(condition, _truth(update.update_type in condition.values))


def _comment(condition: RuleCondition, update: HypotheticalUpdate) -> Truth:
    known = {
        "true": update.comment == "public",
        "false": update.comment == "internal",
        "not_relevant": update.comment is not None,
        "requester_can_see_comment": update.comment == "public",
    }
    found = [known[value] for value in condition.values if value in known]
    return _negated(condition, _truth(any(found))) if found else Truth.MAYBE


def _channel(condition: RuleCondition, update: HypotheticalUpdate) -> Truth:
    return Truth.MAYBE if update.by_customer else _negated(condition, _truth(API_CHANNEL in condition.values))


def _role(condition: RuleCondition, update: HypotheticalUpdate) -> Truth:
    known = {"end_user": update.by_customer, "agent": not update.by_customer}
    found: set[Truth] = set()
    for value in condition.values:
        if value in known:
            found.add(_truth(known[value]))
        elif value.isdecimal() and update.own_user is not None and not update.by_customer:
            found.add(_truth(value == update.own_user))
        else:
            found.add(Truth.MAYBE)
    return _negated(condition, next((truth for truth in (Truth.YES, Truth.MAYBE) if truth in found), Truth.NO))


_JUDGES: Mapping[str, Callable[[RuleCondition, HypotheticalUpdate], Truth]] = {
    "current_tags": _tags,
    "update_type": _update_type,
    "comment_is_public": _comment,
    "current_via_id": _channel,
    "role": _role,
}


def _negated(condition: RuleCondition, truth: Truth) -> Truth:
    return ~truth if condition.operator in ("is_not", "not_includes") else truth


def _truth(value: bool) -> Truth:
    return Truth.YES if value else Truth.NO

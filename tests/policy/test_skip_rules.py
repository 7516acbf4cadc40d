from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ticket_processor.core.models import Ticket
from ticket_processor.policy.skip_rules import Selection, SkipRules, SkipSettings, in_share

from ..support.fakes import a_ticket


def reason(ticket: Ticket, **settings: Any) -> str | None:
    return SkipRules(SkipSettings(**settings)).reason(ticket)


@pytest.mark.parametrize(
    ("name", "settings", "fields"),
    [
        ("channel", {"channels": ["Chat"]}, {"channel": "chat"}),
        ("brand", {"brands": [7, 8]}, {"brand": 8}),
        ("group", {"groups": [7]}, {"group": 7}),
        ("organization", {"organizations": [7]}, {"organization": 7}),
        ("tag", {"tags": ["vip", "Legal"]}, {"tags": ("other", "legal")}),
        ("requester", {"requesters": [7]}, {"requester": 7}),
        ("requester", {"requesters": ["7"]}, {"requester": 7}),
        ("requester", {"requesters": ["Boss@Example.com"]}, {"sender": "boss@example.com"}),
        ("requester", {"requesters": ["partner.example"]}, {"sender": "Anna@Partner.Example"}),
        ("requester", {"requesters": ["@partner.example"]}, {"sender": "anna@partner.example"}),
        ("requester", {"requesters": ["partner.example"]}, {"requester_address": "anna@partner.example"}),
        ("messaging", {}, {"messaging": True}),
    ],
)
def test_one_value_of_one_list_is_enough_and_the_reason_names_the_list(
    name: str, settings: dict[str, Any], fields: dict[str, Any]
) -> None:
    assert reason(a_ticket(**fields), **settings) == f"skip_rule_{name}"
    assert reason(a_ticket(), **settings) is None


def test_a_domain_is_no_part_of_another_and_an_address_no_domain() -> None:
    settings = {"requesters": ["example.com", "boss@partner.example"]}
    for sender in ("a@notexample.com", "a@example.com.evil.test", "example.com@other.test", "a@partner.example", ""):
        assert reason(a_ticket(sender=sender), **settings) is None


@pytest.mark.parametrize("wrong", [["somebody"], ["a b@example.com"], [""], [True], [1.5], "example.com"])
def test_a_requester_that_can_never_match_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        SkipSettings(requesters=wrong)  # type: ignore[arg-type]


def test_a_ticket_with_the_hands_off_tag_is_never_touched_whatever_else_holds() -> None:
    rules = SkipRules(SkipSettings(tags=("vip",)), hands_off="bot_Hands_Off")
    assert rules.reason(a_ticket(tags=("vip", "bot_hands_off"))) == "hands_off"
    assert rules.reason(a_ticket(tags=("BOT_Hands_off",))) == "hands_off"
    assert rules.reason(a_ticket(tags=("vip", "ai_hands_off"))) == "skip_rule_tag"


class Me:
    """The signed-in user; counts how often it is asked for."""

    def __init__(self, number: int | None = 9) -> None:
        self.number = number
        self.asked = 0

    def __call__(self) -> int | None:
        self.asked += 1
        return self.number


def test_what_the_signed_in_user_wrote_itself_is_left_alone_and_others_tickets_are_not() -> None:
    me = Me()
    rules = SkipRules(own_user=me)
    assert rules.reason(a_ticket(channel="api", requester=9)) == "skip_rule_own_notes"
    assert rules.reason(a_ticket(channel="api", requester=10)) is None
    assert rules.reason(a_ticket(channel="api")) is None


def test_rules_come_before_machine_mail_and_that_before_the_canary() -> None:
    bounce = {"sender": "MAILER-DAEMON@example.com", "subject": "Undelivered Mail"}
    nothing = Selection(SkipRules(SkipSettings(channels=("chat",))), canary_percent=0)
    assert nothing.reason(a_ticket(channel="chat", **bounce)) == "skip_rule_channel"
    assert nothing.reason(a_ticket(**bounce)) == "machine_mail_bounce"
    assert nothing.reason(a_ticket()) == "outside_canary"
    assert Selection(SkipRules(), machine_mail=False).reason(a_ticket(**bounce)) is None


# The canary


@given(st.integers(1, 2**63))
def test_everything_is_in_a_canary_of_a_hundred_percent_and_nothing_in_one_of_none(ticket_id: int) -> None:
    assert in_share("canary", ticket_id, 100)
    assert not in_share("canary", ticket_id, 0)


@pytest.mark.parametrize("percent", [1, 5, 50, 90])
def test_the_share_is_about_as_large_as_was_asked_for(percent: int) -> None:
    of = 20_000
    share = sum(in_share("canary", ticket_id, percent) for ticket_id in range(1, of + 1)) / of
    assert share == pytest.approx(percent / 100, abs=0.015)


# The head start


@pytest.mark.parametrize(("age", "waits"), [(0, True), (599, True), (600, False), (3600, False)])
def test_a_ticket_waits_until_it_is_old_enough_by_the_helpdesks_clock(age: float, waits: bool) -> None:
    assert Selection(SkipRules(), wait_s=600).must_wait(a_ticket(age=age)) is waits


def test_a_change_begins_no_second_head_start() -> None:
    assert not Selection(SkipRules(), wait_s=600).must_wait(a_ticket(age=3600, touched=5))

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from ticket_processor.monitoring.health_checks import Check, Status
from ticket_processor.monitoring.health_servers import of_helpdesk
from ticket_processor.settings.helpdesks import FreshdeskSettings, VendorSettings, ZendeskSettings

from ..support.fakes import ManualClock, ScriptedAdapter, Step, answer

ACCOUNT = ZendeskSettings(url="acme", email="bot@example.com", api_token=SecretStr("s3cret-token"))
FRESH = FreshdeskSettings(url="acme", api_key=SecretStr("s3cret-key"))
ADMIN = {"id": 7, "role": "admin", "role_type": 4, "custom_role_id": None, "ticket_restriction": None}
AGENT = ADMIN | {"role": "agent", "role_type": 0, "suspended": False}
ALL = {"ticket_access": "all", "ticket_editing": True, "ticket_tag_editing": True}


def look_at(account: VendorSettings, *steps: Step) -> tuple[dict[str, Check], list[Any]]:
    adapter = ScriptedAdapter(*steps)
    probe = of_helpdesk(account, ManualClock(), offline=False, adapter=lambda: adapter)
    found = {check.name: check for check in probe.answer()}
    assert "s3cret" not in "".join(check.text for check in found.values())
    return found, adapter.sent


def look(*steps: Step, account: ZendeskSettings = ACCOUNT) -> tuple[Check, list[Any]]:
    found, sent = look_at(account, *steps)
    return found["helpdesk"], sent


@pytest.mark.parametrize(
    ("user", "role", "status", "words"),
    [
        ({"id": None}, None, Status.FAIL, "is nobody"),
        ({"suspended": True}, None, Status.FAIL, "is suspended"),
        ({"role": "end-user"}, None, Status.FAIL, "has to be an agent"),
        ({"role_type": 1}, None, Status.FAIL, "is a light agent"),
        ({"custom_role_id": 5}, {"ticket_editing": False}, Status.FAIL, "may not edit tickets"),
        ({"custom_role_id": 5}, {"ticket_tag_editing": False}, Status.FAIL, "may not edit tags"),
        ({"custom_role_id": 5}, {"ticket_access": "within-groups"}, Status.WARN, "only some tickets (within-groups)"),
        ({"ticket_restriction": "groups"}, None, Status.WARN, "only some tickets (groups)"),
        ({"custom_role_id": 5}, {}, Status.OK, "tickets can be read"),
    ],
)
def test_what_the_user_may_not_do_is_told_with_what_follows(
    user: dict[str, Any], role: dict[str, Any] | None, status: Status, words: str
) -> None:
    configuration = {"custom_role": {"id": 5, "configuration": ALL | (role or {})}}
    desk, sent = look(answer(200, {"tickets": []}), answer(200, {"user": AGENT | user}), answer(200, configuration))
    assert (desk.status, words in desk.text) == (status, True), desk.text
    assert len(sent) == (2 if role is None else 3)


ALL_IS_WELL = "signed in, tickets can be read"


@pytest.mark.parametrize(
    ("asked", "granted", "status", "words"),
    [
        ("read write", "read", Status.FAIL, "only the scope 'read' of 'read write': nothing can be written"),
        ("read write", "tickets:read tickets:write", Status.WARN, "audits cannot be read, and runs end with 3"),
        (
            "read write",
            "read tickets:write",
            Status.WARN,
            "runs work, and what needs more, such as 'serve install-webhook', does not",
        ),
        ("read tickets:write", "tickets:write read", Status.OK, ALL_IS_WELL),
        ("read tickets:write", "read write", Status.OK, ALL_IS_WELL),
        ("read write", "read,write", Status.OK, ALL_IS_WELL),
        # Where Zendesk does not say what it has granted, nothing is known, and nothing said.
        ("read write", None, Status.OK, ALL_IS_WELL),
        ("read write", "", Status.OK, ALL_IS_WELL),
        ("read write", ["read"], Status.OK, ALL_IS_WELL),
    ],
)
def test_a_token_of_less_than_was_asked_for_is_told_with_what_does_not_work(
    asked: str, granted: object, status: Status, words: str
) -> None:
    account = ZendeskSettings(
        url="acme", oauth_client_id="bot", oauth_client_secret=SecretStr("s3cret"), oauth_scope=asked
    )
    token = {"access_token": "s3cret-token", "expires_in": 1800} | ({} if granted is None else {"scope": granted})
    desk, sent = look(answer(201, token), answer(200, {"tickets": []}), answer(200, {"user": ADMIN}), account=account)
    assert (desk.status, words in desk.text) == (status, True), desk.text
    assert ("scope" in desk.text) == (status is not Status.OK)
    assert len(sent) == (2 if status is Status.FAIL else 3)


def test_a_token_that_may_not_read_tickets_is_blamed_and_not_the_user() -> None:
    told = "You are missing the following required scopes: read"
    desk, _ = look(answer(403, {"error": "Forbidden", "description": told}))
    assert desk.status is Status.FAIL
    assert "the token lacks the scope 'read': see zendesk.oauth_scope" in desk.text


# Freshdesk

FRESH_AGENT = {"id": 7, "type": "support_agent", "ticket_scope": 1}
LIMITS = {"X_RateLimit_Total": "400.0", "X_RateLimit_Remaining": "390"}


def test_an_account_that_answers_is_told_with_its_plans_limit_and_its_clock() -> None:
    found, sent = look_at(
        FRESH, answer(200, [], **LIMITS, Date="Sat, 21 Nov 2026 03:28:30 GMT"), answer(200, FRESH_AGENT)
    )
    desk = found["helpdesk"]
    assert desk.status is Status.OK
    assert desk.text.startswith("Freshdesk at https://acme.freshdesk.com: signed in, tickets can be read")
    assert desk.text.endswith("the plan allows 400 requests a minute")
    assert found["clock"].status is Status.FAIL
    assert found["credentials"].status is Status.OK
    assert [request.path_url for request in sent] == ["/api/v2/tickets?per_page=1", "/api/v2/agents/me"]
    assert sent[0].headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (answer(200, FRESH_AGENT | {"ticket_scope": 2}), "sees some of them only"),
        (answer(200, FRESH_AGENT | {"type": "collaborator"}), "may not change tickets"),
    ],
)
def test_an_agent_with_too_few_rights_is_a_warning(agent: Step, words: str) -> None:
    found, _ = look_at(FRESH, answer(200, []), agent)
    assert found["helpdesk"].status is Status.WARN
    assert words in found["helpdesk"].text


@pytest.mark.parametrize("agent", [answer(403, {"code": "access_denied"}), answer(200, []), answer(500, {})])
def test_a_freshdesk_agent_who_is_not_shown_is_no_trouble(agent: Step) -> None:
    found, _ = look_at(FRESH, answer(200, []), agent, agent, agent, agent)
    assert found["helpdesk"].status is Status.OK

"""Health checks of a Zendesk account: what its user may see and change, and the plan's limit."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from ticket_processor.monitoring.health.checks import Check, Status
from ticket_processor.monitoring.health.remote import of_helpdesk
from ticket_processor.settings.helpdesks import ZendeskSettings

from ..support.fakes import ManualClock, ScriptedAdapter, Step, answer

ACCOUNT = ZendeskSettings(subdomain="acme", email="bot@example.com", api_token=SecretStr("s3cret-token"))
ADMIN = {"id": 7, "role": "admin", "role_type": 4, "custom_role_id": None, "ticket_restriction": None}
AGENT = ADMIN | {"role": "agent", "role_type": 0, "suspended": False}
ALL = {"ticket_access": "all", "ticket_editing": True, "ticket_tag_editing": True}


def look(*steps: Step) -> tuple[Check, list[Any]]:
    adapter = ScriptedAdapter(*steps)
    probe, _certificate = of_helpdesk(ACCOUNT, ManualClock(), offline=False, adapter=lambda: adapter, share=0.5)
    found = {check.name: check for check in probe.look().checks}
    assert "s3cret" not in "".join(check.text for check in found.values())
    return found["helpdesk"], adapter.sent


def test_an_admin_is_well_and_the_plans_limit_is_told() -> None:
    headers = {"ratelimit-limit": "700", "ratelimit-remaining": "690", "ratelimit-reset": "30"}
    desk, sent = look(answer(200, {"tickets": []}, **headers), answer(200, {"user": ADMIN}))
    assert desk.status is Status.OK
    assert desk.text.endswith(
        "the plan allows 700 requests a minute: at run.limit_share = 0.5 about 5,833 tickets a minute in jobs, "
        "50 one by one"
    )
    assert (desk.facts["role"], desk.facts["requests_a_minute"]) == ("admin", 700)
    assert len(sent) == 2


def test_an_agent_is_well_and_told_to_work_by_search() -> None:
    desk, _ = look(answer(200, {"tickets": []}), answer(200, {"user": AGENT}))
    assert desk.status is Status.OK
    assert "by search, some minutes late" in desk.text


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


@pytest.mark.parametrize("shown", [answer(403, {}), answer(200, []), answer(500, {})])
def test_a_user_who_is_not_shown_is_no_trouble(shown: Step) -> None:
    desk, _ = look(answer(200, {"tickets": []}), shown, shown, shown, shown)
    assert desk.status is Status.OK

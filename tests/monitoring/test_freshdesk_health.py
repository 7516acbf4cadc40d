"""Health checks of a Freshdesk account: reachable, key accepted, rights, the plan's limit, the clock."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from ticket_processor.monitoring.health.checks import Check, Status
from ticket_processor.monitoring.health.helpdesk import of_helpdesk
from ticket_processor.settings.helpdesks import FreshdeskSettings

from ..support.fakes import ManualClock, ScriptedAdapter, Step, answer

ACCOUNT = FreshdeskSettings(url="acme", api_key=SecretStr("s3cret-key"))
AGENT = {"id": 7, "type": "support_agent", "ticket_scope": 1}
LIMITS = {"X_RateLimit_Total": "400.0", "X_RateLimit_Remaining": "390"}


def look(*steps: Step) -> tuple[dict[str, Check], list[Any]]:
    adapter = ScriptedAdapter(*steps)
    probe = of_helpdesk(ACCOUNT, ManualClock(), offline=False, adapter=lambda: adapter)
    found = {check.name: check for check in probe.answer()}
    assert "s3cret" not in "".join(check.text for check in found.values())
    return found, adapter.sent


def test_an_account_that_answers_is_told_with_its_plans_limit_and_its_clock() -> None:
    found, sent = look(answer(200, [], **LIMITS, Date="Sat, 21 Nov 2026 03:28:30 GMT"), answer(200, AGENT))
    desk = found["helpdesk"]
    assert desk.status is Status.OK
    assert desk.text.startswith("Freshdesk at https://acme.freshdesk.com: signed in, tickets can be read")
    assert desk.text.endswith("the plan allows 400 calls a minute")
    assert found["clock"].status is Status.FAIL
    assert found["credentials"].status is Status.OK
    assert [request.path_url for request in sent] == ["/api/v2/tickets?per_page=1", "/api/v2/agents/me"]
    assert sent[0].headers["Authorization"].startswith("Basic ")


def test_an_hourly_limit_is_told_as_such() -> None:
    hourly = {"X_RateLimit_Total": "3000", "X_RateLimit_Remaining": "2900"}
    found, _ = look(answer(200, [], **hourly), answer(200, AGENT))
    assert "50 calls a minute, an hour's calls spread over its minutes" in found["helpdesk"].text


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (answer(200, AGENT | {"ticket_scope": 2}), "sees some of them only"),
        (answer(200, AGENT | {"type": "collaborator"}), "may not change tickets"),
    ],
)
def test_an_agent_with_too_few_rights_is_a_warning(agent: Step, words: str) -> None:
    found, _ = look(answer(200, []), agent)
    assert found["helpdesk"].status is Status.WARN
    assert words in found["helpdesk"].text


@pytest.mark.parametrize("agent", [answer(403, {"code": "access_denied"}), answer(200, []), answer(500, {})])
def test_an_agent_who_is_not_shown_is_no_trouble(agent: Step) -> None:
    found, _ = look(answer(200, []), agent, agent, agent, agent)
    assert found["helpdesk"].status is Status.OK


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (answer(401, {"code": "invalid_credentials"}), "not_authorised"),
        (answer(403, {"code": "access_denied"}), "forbidden"),
        (answer(404, ""), "http_404"),
    ],
)
def test_an_account_that_refuses_has_failed(step: Step, problem: str) -> None:
    found, _ = look(step)
    assert (found["helpdesk"].status, found["helpdesk"].facts["problem"]) == (Status.FAIL, problem)
    assert found["helpdesk"].text.startswith("Freshdesk at ")

"""Whatever a client sends to the public pages, none of them breaks: schemathesis looks for a server error."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import PortalRig
from .test_public_tracking import opened


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_schemathesis_finds_no_server_error(rig: PortalRig) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, given, settings

    browser, ticket = opened(rig)
    cookies = {each.name: str(each.value) for each in browser.cookies.jar}
    token = browser.token(f"/t/{ticket.number}")
    schema = schemathesis.openapi.from_dict(rig.app.openapi())
    schema.app = rig.app
    statuses: set[int] = set()
    for operation in [result.ok() for result in schema.get_all_operations()]:

        @settings(
            max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(operation.as_strategy())
        def play(case: Any) -> None:
            if "number" in case.path_parameters:
                case.path_parameters["number"] = ticket.number
            if isinstance(case.body, dict):
                case.body["form_token"] = token
            answer = case.call(cookies=cookies, allow_redirects=False)
            statuses.add(answer.status_code)
            assert answer.status_code < 500

        play()
    assert {200, 303, 404, 422} <= statuses

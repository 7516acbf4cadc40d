"""Credentials, tokens, scopes, rate limits and the headers every answer has."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ticket_processor.sandbox.credentials import Credentials
from ticket_processor.sandbox.messages import Request, Response

from .helpers import Desk

CLIENT = {
    "grant_type": "client_credentials",
    "client_id": "ticketbot",
    "client_secret": "sandbox-secret",
    "scope": "read write",
}


def token(desk: Desk, **changes: Any) -> Response:
    return desk.ask("POST", "/oauth/tokens", {**CLIENT, **changes}, auth=None)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "auth",
    [
        basic("bot@example.com/token:wrong"),
        basic("other@example.com/token:sandbox-token"),
        basic("bot@example.com:sandbox-token"),
        "Basic ???",
        "Digest x",
        "Bearer wrong",
    ],
)
def test_wrong_credentials_are_refused_with_401(auth: str) -> None:
    answer = Desk().ask("GET", "tickets/1", auth=auth)
    assert answer.status == 401
    assert "error" in answer.json()


def test_without_credentials_everything_is_401_except_users_me() -> None:
    desk = Desk()
    assert desk.ask("GET", "tickets/1", auth=None).json() == {"error": "Couldn't authenticate you"}
    me = desk.ask("GET", "users/me.json", auth=None)
    assert (me.status, me.json()["user"]["name"]) == (200, "Anonymous user")
    assert desk.get("users/me")["user"]["role"] == "admin"


def test_the_documented_bearer_token_and_own_credentials_are_accepted() -> None:
    assert Desk().ask("GET", "tickets/1", auth="Bearer sandbox-oauth-token").status == 200
    own = Desk(credentials=Credentials(oauth_token="mine"))
    assert own.ask("GET", "tickets/1", auth="Bearer mine").status == 200
    assert own.ask("GET", "tickets/1", auth="Bearer sandbox-oauth-token").status == 401


@pytest.mark.parametrize("path", ["/oauth/tokens", "/oauth/tokens.json", "/api/v2/oauth/tokens"])
def test_an_issued_token_works_until_it_expires_by_the_sandboxs_clock(path: str) -> None:
    desk = Desk()
    answer = desk.ask("POST", path, {**CLIENT, "expires_in": 300}, auth=None)
    assert answer.status == 201
    issued = answer.json()
    assert (issued["token_type"], issued["expires_in"], issued["scope"]) == ("bearer", 300, "read write")
    bearer = f"Bearer {issued['access_token']}"
    desk.clock.advance(299)
    assert desk.ask("GET", "tickets/1", auth=bearer).status == 200
    desk.clock.advance(1)
    late = desk.ask("GET", "tickets/1", auth=bearer)
    assert (late.status, late.json()["error"]) == (401, "invalid_token")


def test_a_token_lives_half_an_hour_by_default_and_may_be_asked_for_with_a_form() -> None:
    desk = Desk()
    body = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in CLIENT.items()).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = desk.sandbox.handle(Request("POST", "/oauth/tokens", {}, headers, body))
    assert (answer.status, answer.json()["expires_in"]) == (201, 1_800)


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"expires_in": 299}, 400, "invalid_request"),
        ({"expires_in": 172_801}, 400, "invalid_request"),
        ({"expires_in": "soon"}, 400, "invalid_request"),
        ({"scope": "read tickets:read"}, 400, "invalid_scope"),
    ],
)
def test_a_token_request_with_a_mistake_is_refused(changes: dict[str, Any], status: int, error: str) -> None:
    answer = token(Desk(), **changes)
    assert (answer.status, answer.json()["error"]) == (status, error)


def test_scopes_decide_and_a_mistyped_one_allows_nothing() -> None:
    desk = Desk()

    def status(scope: str, method: str, path: str, payload: object = None) -> int:
        bearer = "Bearer " + token(desk, scope=scope).json()["access_token"]
        return desk.ask(method, path, payload, auth=bearer).status

    change = {"ticket": {"priority": "low"}}
    assert status("raed", "GET", "tickets/1") == 403
    assert status("read", "GET", "tickets/1") == 200
    assert status("read", "PUT", "tickets/1", change) == 403
    assert status("tickets:read tickets:write", "PUT", "tickets/1", change) == 200
    assert status("tickets:read", "GET", "tickets/1/audits") == 403
    assert status("read", "GET", "tickets/1/audits") == 200


def test_every_answer_says_when_it_was_given_and_where_the_limit_stands() -> None:
    desk = Desk(plan="professional")
    headers = desk.ask("GET", "tickets/1").headers
    assert headers["Date"] == "Sat, 21 Nov 2026 03:30:00 GMT"
    assert headers["X-Ticketbot-Sandbox"] == "1"
    assert headers["x-zendesk-api-version"] == "v2"
    assert len(headers["x-request-id"]) == 32
    assert headers["X-Rate-Limit"] == headers["ratelimit-limit"] == "400"
    assert headers["X-Rate-Limit-Remaining"] == headers["ratelimit-remaining"] == "399"
    assert headers["ratelimit-reset"] == "60"
    for older, newer in (("", "-limit"), ("-remaining", "-remaining"), ("-reset", "-reset")):
        assert headers[f"rate-limit{older}"] == headers[f"ratelimit{newer}"]
    assert headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("plan", "total"), [("team", 200), ("growth", 400), ("enterprise", 700), ("enterprise-plus", 2_500)]
)
def test_the_plans_limit_holds_for_a_minute(plan: str, total: int) -> None:
    desk = Desk(plan=plan)
    desk.clock.advance(45.5)
    statuses = [desk.ask("GET", "tickets/1").status for _ in range(total + 1)]
    assert statuses == [200] * total + [429]
    refused = desk.ask("GET", "tickets/1")
    assert refused.headers["Retry-After"] == "15"
    assert refused.headers["Content-Type"].startswith("text/plain")
    assert refused.headers["X-Rate-Limit-Remaining"] == "0"
    assert desk.ask("GET", "help_center/articles").status == 200
    desk.clock.advance(14.5)
    assert desk.ask("GET", "tickets/1").status == 200


@pytest.mark.parametrize(
    ("plan", "path", "header", "most", "resets"),
    [
        ("professional", "incremental/tickets/cursor?start_time=1", "zendesk-ratelimit-incremental-exports", 10, 60),
        ("sandbox", "ticket_fields", "zendesk-ratelimit-ticket-fields-index", 40, 60),
        ("professional", "PUT", "zendesk-ratelimit-per-ticket-updates", 30, 600),  # of one ticket by one user
    ],
)
def test_some_endpoints_have_a_limit_of_their_own(plan: str, path: str, header: str, most: int, resets: int) -> None:
    desk = Desk(2, plan=plan)
    answers = [desk.put(1, subject=f"s{n}") if path == "PUT" else desk.ask("GET", path) for n in range(most + 1)]
    assert answers[0].headers[header] == f"total={most}; remaining={most - 1}; resets={resets}"
    assert [answer.status for answer in answers] == [200] * most + [429]
    if "incremental" in path:
        assert answers[-1].json()["error"] == "APIRateLimitExceeded"
        assert answers[-1].headers[header] == f"total={most}; remaining=0; resets={resets}"
    assert desk.put(2, subject="x").status == 200


@pytest.mark.parametrize(("plan", "total"), [("enterprise", 100), ("sandbox", 20), ("enterprise-plus", 300)])
def test_ticket_updates_have_a_limit_of_their_own_and_jobs_do_not_count(plan: str, total: int) -> None:
    desk = Desk(30, plan=plan)
    answers = [desk.put(1 + number % 30, subject=f"s{number}") for number in range(total + 1)]
    assert [answer.status for answer in answers] == [200] * total + [429]
    assert answers[0].headers["zendesk-rate-limit-tickets-update"].startswith(f"total={total}; remaining=")
    assert answers[-1].json()["errors"][0]["code"] == "TooManyRequests"
    assert desk.ask("PUT", "tickets/update_many", {"tickets": [{"id": 1, "priority": "low"}]}).status == 200


def test_without_limits_nothing_is_refused() -> None:
    desk = Desk(plan="unlimited")
    assert all(desk.put(1, subject=f"s{number}").status == 200 for number in range(800))


@pytest.mark.parametrize("options", [{"plan": "gold"}, {"bot_role": "owner"}])
def test_an_option_outside_its_list_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"plan|bot_role"):
        Desk(**options)  # type: ignore[arg-type]


def test_links_start_with_the_base_url() -> None:
    desk = Desk(1, base_url="http://desk.example")
    assert desk.get("tickets/1")["ticket"]["url"] == "http://desk.example/api/v2/tickets/1.json"
    desk.store.base_url = "http://other.example"
    assert desk.get("tickets/1")["ticket"]["url"].startswith("http://other.example/")

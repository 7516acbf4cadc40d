"""Freshdesk: who may ask, what it costs, and the headers every answer has."""

from __future__ import annotations

import pytest

from ticket_processor.sandbox.credentials import Credentials

from .freshdesk_helpers import KEY, FreshDesk, basic


@pytest.mark.parametrize("auth", [None, basic("wrong:X"), basic("sandbox-api-key"), "Basic ???", "Bearer x"])
def test_without_the_key_everything_is_refused_with_401(auth: str | None) -> None:
    answer = FreshDesk().ask("GET", "tickets/1", auth=auth)
    assert answer.status == 401
    assert answer.json()["code"] == "invalid_credentials"


def test_any_password_goes_with_the_key_and_a_sandbox_may_have_its_own() -> None:
    assert FreshDesk().ask("GET", "tickets/1", auth=basic("sandbox-api-key:anything")).status == 200
    own = FreshDesk(credentials=Credentials(api_key="mine"))
    assert own.ask("GET", "tickets/1", auth=basic("mine:X")).status == 200
    assert own.ask("GET", "tickets/1", auth=KEY).status == 401


def test_the_caller_is_told_who_he_is() -> None:
    me = FreshDesk().get("agents/me")
    assert (me["id"], me["contact"]["email"]) == (9001, "bot@example.com")


@pytest.mark.parametrize(
    ("role", "allowed", "refused"),
    [
        ("agent", ["GET tickets/1", "PUT tickets/1", "GET agents/me"], ["GET automations/1/rules", "GET groups"]),
        (
            "observer",
            ["GET tickets/1", "GET agents/me"],
            ["PUT tickets/1", "POST tickets/1/notes", "GET ticket_fields"],
        ),
    ],
)
def test_a_role_without_the_right_is_refused_with_403(role: str, allowed: list[str], refused: list[str]) -> None:
    desk = FreshDesk(bot_role=role)
    bodies = {"PUT": {"priority": 2}, "POST": {"body": "x"}}
    answers = [desk.ask(*route.split(), bodies.get(route.split()[0])) for route in (*allowed, *refused)]
    assert [answer.status for answer in answers] == [200] * len(allowed) + [403] * len(refused)
    assert answers[-1].json()["code"] == "access_denied"
    assert not desk.store.tickets[1].notes


def test_every_answer_says_where_the_limit_stands() -> None:
    headers = FreshDesk(plan="growth").ask("GET", "tickets/1").headers
    assert headers["Date"] == "Sat, 21 Nov 2026 03:30:00 GMT"
    assert headers["X-Ticketbot-Sandbox"] == "1"
    assert len(headers["X-Request-Id"]) == 32
    assert headers["X-RateLimit-Total"] == "200"
    assert headers["X-RateLimit-Remaining"] == "199"
    assert headers["X-RateLimit-Used-CurrentRequest"] == "1"
    assert "Retry-After" not in headers


def test_a_trial_writes_its_total_with_a_decimal_point() -> None:
    desk = FreshDesk(plan="trial")
    assert desk.ask("GET", "tickets/1").headers["X-RateLimit-Total"] == "50.0"
    statuses = [desk.ask("GET", "tickets/1").status for _ in range(50)]
    assert statuses == [200] * 49 + [429]


@pytest.mark.parametrize(
    ("path", "credits"),
    [
        ("tickets/1", 1),
        ("tickets/1?include=conversations", 2),
        ("tickets/1?include=conversations,requester,stats", 4),
        ("tickets", 1),
        ("tickets?include=description", 3),
        ("tickets?include=description,stats", 5),
        ("tickets/1/conversations", 1),
    ],
)
def test_what_is_included_costs_more_and_in_a_list_twice_as_much(path: str, credits: int) -> None:
    headers = FreshDesk().ask("GET", path).headers
    assert headers["X-RateLimit-Used-CurrentRequest"] == str(credits)
    assert headers["X-RateLimit-Remaining"] == str(700 - credits)


@pytest.mark.parametrize(
    ("plan", "total"), [("growth", 200), ("pro", 400), ("enterprise", 700), ("plus1000", 1_000), ("plus2000", 2_000)]
)
def test_the_plans_credits_hold_for_a_minute_of_the_clock(plan: str, total: int) -> None:
    desk = FreshDesk(plan=plan)
    desk.clock.advance(45.5)
    statuses = [desk.ask("GET", "tickets/1").status for _ in range(total + 1)]
    assert statuses == [200] * total + [429]
    refused = desk.ask("GET", "tickets/1")
    assert refused.headers["Retry-After"] == "15"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    desk.clock.advance(14.5)
    assert desk.ask("GET", "tickets/1").status == 200


def test_invalid_and_refused_requests_count_as_well() -> None:
    desk = FreshDesk(plan="trial")
    for method, path, auth in (("GET", "tickets/99", KEY), ("GET", "nothing", KEY), ("GET", "tickets/1", None)):
        desk.ask(method, path, auth=auth)
    desk.put(1, nonsense=1)
    assert desk.ask("GET", "tickets/1").headers["X-RateLimit-Remaining"] == "45"


@pytest.mark.parametrize(
    ("method", "path", "most"),
    [("GET", "tickets", 20), ("PUT", "tickets/1", 80), ("POST", "tickets", 80), ("GET", "contacts", 20)],
)
def test_some_endpoints_have_a_lower_limit_of_their_own(method: str, path: str, most: int) -> None:
    desk = FreshDesk(plan="growth")
    bodies = {"PUT": {"priority": 2}, "POST": {"subject": "x", "description": "y", "email": "a@example.com"}}
    answers = [desk.ask(method, path, bodies.get(method)) for _ in range(most + 1)]
    assert all(answer.status < 300 for answer in answers[:-1])
    assert answers[-1].status == 429
    assert answers[-1].headers["Retry-After"] == "60"
    assert desk.ask("GET", "tickets/1").status == 200


def test_without_limits_nothing_is_refused_and_no_total_is_told() -> None:
    desk = FreshDesk(plan="unlimited")
    answers = [desk.put(1, subject=f"s{number}") for number in range(900)]
    assert {answer.status for answer in answers} == {200}
    assert "X-RateLimit-Total" not in answers[0].headers


@pytest.mark.parametrize("options", [{"plan": "professional"}, {"bot_role": "owner"}])
def test_an_option_outside_its_list_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"plan|bot_role"):
        FreshDesk(**options)  # type: ignore[arg-type]


def test_an_unknown_address_is_404_without_a_body_and_a_wrong_method_405() -> None:
    desk = FreshDesk()
    gone = desk.ask("GET", "nothing")
    assert (gone.status, gone.body) == (404, b"")
    wrong = desk.ask("PUT", "tickets", {})
    assert (wrong.status, wrong.json()["code"], wrong.headers["Allow"]) == (405, "method_not_allowed", "GET, POST")

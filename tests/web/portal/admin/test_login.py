from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import pytest
from argon2 import PasswordHasher

from ticket_processor.web.portal import parts
from ticket_processor.web.portal.agent_accounts import COOKIE, LIFE_S, WRONG, Passwords, why_weak

from ..conftest import Browser
from .conftest import PASSWORD, AgentsDesk, send


def log_in(browser: Browser, email: str = "bea@example.com", password: str = PASSWORD, **more: str) -> object:
    return send(browser, "/admin/login", {"email": email, "password": password, **more}, page="/admin/login")


def test_an_agent_logs_in_and_is_led_to_the_page_that_was_asked_for(desk: AgentsDesk) -> None:
    desk.person("bea@example.com", "agent")
    browser = desk.rig.browser()
    refused = browser.get("/admin/tickets/7?x=1", follow_redirects=False)
    assert (refused.status_code, refused.headers["location"]) == (
        303,
        "/admin/login?next=%2Fadmin%2Ftickets%2F7%3Fx%3D1",
    )
    answer = log_in(browser, "BEA@example.com ", next="/admin/tickets/7?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/tickets/7?x=1")
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith(COOKIE))
    assert {"HttpOnly", "SameSite=strict", "Path=/admin"} <= set(cookie.split("; "))
    assert browser.get("/admin").status_code == 200


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.test", "//evil.test", "/admin\\@evil.test", "/administrator", "/admin/login", "/t/1",
        "/admin/\r\nX: 1",
    ],
)  # fmt: skip
def test_a_login_leads_to_no_page_of_a_stranger(desk: AgentsDesk, to: str) -> None:
    desk.person("bea@example.com", "agent")
    assert log_in(desk.rig.browser(), next=to).headers["location"] == "/admin"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("bea@example.com", "correct horse battery stapl"),
        ("nobody@example.com", PASSWORD),
        ("ann@example.com", PASSWORD),
        ("bea@example.com", ""),
        ("", ""),
    ],
)
def test_wrong_password_unknown_mail_and_customers_get_the_same_answer(
    desk: AgentsDesk, email: str, password: str
) -> None:
    desk.person("bea@example.com", "agent")
    desk.person("ann@example.com", "customer")
    browser = desk.rig.browser()
    answer = log_in(browser, email, password)
    assert answer.status_code == 401
    assert WRONG in answer.text
    assert COOKIE not in browser.cookies


def test_an_unknown_mail_costs_as_much_time_as_a_wrong_password() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=2**14, parallelism=1))
    stored = passwords.hash(PASSWORD)
    times: dict[str | None, list[float]] = {stored: [], None: []}
    for _ in range(9):
        for one, taken in times.items():
            began = time.process_time()
            assert not passwords.fits(one, "another password")
            taken.append(time.process_time() - began)
    known, unknown = (median(taken) for taken in times.values())
    assert 0.5 < known / unknown < 2  # without the work of a hash it would be a thousandth


def test_a_login_gives_the_session_a_new_name_and_ends_the_old_one(desk: AgentsDesk) -> None:
    browser = desk.signed_in(desk.person("bea@example.com", "agent"))
    old = browser.cookies[COOKIE]
    log_in(browser)
    assert browser.cookies[COOKIE] != old
    stolen = desk.rig.browser()
    stolen.cookies.set(COOKIE, old, domain="help.test", path="/admin")
    assert stolen.get("/admin", follow_redirects=False).status_code == 303


def test_a_session_ends_with_its_logout_and_with_the_day(desk: AgentsDesk) -> None:
    desk.person("bea@example.com", "agent")
    browser, other = desk.rig.browser(), desk.rig.browser()
    log_in(browser), log_in(other)
    token = browser.cookies[COOKIE]
    assert send(browser, "/admin/logout").headers["location"] == "/admin/login"
    assert COOKIE not in browser.cookies
    browser.cookies.set(COOKIE, token, domain="help.test", path="/admin")
    assert browser.get("/admin", follow_redirects=False).status_code == 303
    assert other.get("/admin", follow_redirects=False).status_code == 200
    desk.rig.at += LIFE_S + 1
    assert other.get("/admin", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    ("emails", "addresses", "tried"),
    [(60, 1, 20), (1, 60, 10)],
    ids=["of many accounts from one address", "of one account from many addresses"],
)
def test_no_more_passwords_are_tried_at_once_than_one_after_another(
    desk: AgentsDesk, monkeypatch: pytest.MonkeyPatch, emails: int, addresses: int, tried: int
) -> None:
    desk.person("0@example.com", "agent")
    monkeypatch.setattr(Passwords, "fits", lambda *_: time.sleep(0.2))  # as long as a proper hash takes
    browsers = [desk.rig.browser(f"203.0.113.{number % addresses}") for number in range(60)]
    tokens = [browser.token("/admin/login") for browser in browsers]

    def guess(number: int) -> int:
        email = f"{number % emails}@example.com"
        values = {"email": email, "password": f"guess {number}", "form_token": tokens[number]}
        return browsers[number].post("/admin/login", data=values).status_code

    with ThreadPoolExecutor(60) as pool:
        assert Counter(pool.map(guess, range(60))) == {401: tried, 429: 60 - tried}


@pytest.mark.parametrize("email", ["bea@example.com", "nobody@example.com"])
def test_after_ten_wrong_passwords_for_an_account_none_is_tried_for_ten_minutes_wherever_they_come_from(
    desk: AgentsDesk, email: str
) -> None:
    desk.person("bea@example.com", "agent")
    others = iter(range(1, 100))

    def guess(written: str = email) -> int:
        return log_in(desk.rig.browser(f"198.51.100.{next(others)}"), written, "a guess").status_code

    assert [guess(), guess(f" {email.upper()} ")] == [401, 401]
    assert [guess() for _ in range(10)] == [401] * 8 + [429] * 2
    desk.rig.at += 600
    assert guess() == 401


def test_names_of_which_there_is_no_account_displace_the_count_of_none(
    desk: AgentsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MOST_KEYS", 3)
    desk.person("bea@example.com", "agent")

    def guess(number: int, email: str = "bea@example.com") -> int:
        return log_in(desk.rig.browser(f"198.51.100.{number}"), email, "a guess").status_code

    assert [guess(number) for number in range(11)] == [401] * 10 + [429]
    for number in range(5):
        guess(20 + number, f"nobody{number}@example.com")
    assert guess(30) == 429


def test_who_has_logged_in_before_is_not_locked_out_by_others_nor_may_guess_without_end(desk: AgentsDesk) -> None:
    desk.person("bea@example.com", "agent")
    desk.person("bob@example.com", "agent")
    own, new = desk.rig.browser("203.0.113.1"), desk.rig.browser("203.0.113.2")
    assert log_in(own).status_code == 303
    assert send(own, "/admin/logout").status_code == 303
    for number in range(12):
        log_in(desk.rig.browser(f"198.51.100.{number}"), password="a guess")
    assert log_in(new).status_code == 429
    assert log_in(own).status_code == 303
    copied = [desk.rig.browser(f"192.0.2.{number}") for number in range(12)]
    for browser in copied:
        browser.cookies.update(own.cookies)
    assert [log_in(browser, password="a guess").status_code for browser in copied] == [401] * 10 + [429] * 2
    for number in range(10):
        log_in(desk.rig.browser(f"198.51.100.{100 + number}"), "bob@example.com", "a guess")
    assert log_in(own, "bob@example.com").status_code == 429, "it knows Bea's browser"


def test_a_form_from_elsewhere_logs_nobody_in_or_out(desk: AgentsDesk, agent: Browser) -> None:
    values = {"email": "bea@example.com", "password": PASSWORD}
    assert desk.rig.browser().post("/admin/login", data=values).status_code == 403
    assert agent.post("/admin/logout").status_code == 403
    assert agent.get("/admin").status_code == 200


def test_a_new_password_ends_the_other_sessions(desk: AgentsDesk) -> None:
    person = desk.person("bea@example.com", "agent")
    browser, other = desk.signed_in(person), desk.signed_in(person)
    new = "a wholly different phrase"
    for current, wanted in (("wrong", new), (PASSWORD, "short")):
        answer = send(browser, "/admin/password", {"current": current, "new": wanted})
        assert answer.status_code == 422
    assert send(browser, "/admin/password", {"current": PASSWORD, "new": new}).status_code == 303
    assert browser.get("/admin", follow_redirects=False).status_code == 200
    assert other.get("/admin", follow_redirects=False).status_code == 303
    assert log_in(desk.rig.browser()).status_code == 401
    assert log_in(desk.rig.browser(), password=new).status_code == 303


@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        (PASSWORD, True),
        ("fourteen chars", False),
        ("aaaaaaaaaaaaaaaaaaaa", False),
        ("my bea@example.com", False),
        ("x1y2z" * 41, False),
    ],
)
def test_weak_passwords_are_refused(password: str, is_good: bool) -> None:
    assert (why_weak(password, "bea@example.com") is None) == is_good

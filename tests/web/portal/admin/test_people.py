from __future__ import annotations

import re

import pytest

from ..conftest import Browser, PortalRig
from .conftest import PASSWORD, AgentsDesk, send


def password_on(page: str) -> str:
    found = re.search(r"<code>([^<]+)</code>", page)
    assert found
    return found[1]


def log_in(rig: PortalRig, email: str, password: str) -> int:
    browser = rig.browser()
    return send(browser, "/admin/login", {"email": email, "password": password}, page="/admin/login").status_code


def test_an_admin_adds_an_agent_whose_password_is_shown_once(rig: PortalRig, admin: Browser) -> None:
    answer = send(admin, "/admin/people", {"email": "Carl@Example.com", "name": "Carl", "role": "agent"})
    password = password_on(answer.text)
    assert len(password) >= 20
    assert password not in admin.get("/admin/people").text
    assert log_in(rig, "carl@example.com", password) == 303
    person = rig.store.by_email("carl@example.com")
    assert person
    assert (person.name, person.role) == ("Carl", "agent")


@pytest.mark.parametrize("email", ["", "carl", "@", "a@", "carl@example.com\r\nBcc: x@y.z", "root@example.com"])
def test_an_address_that_is_none_or_taken_is_refused(rig: PortalRig, admin: Browser, email: str) -> None:
    assert send(admin, "/admin/people", {"email": email, "name": "Carl"}).status_code == 422
    assert len(rig.store.team()) == 1


def test_a_new_password_replaces_the_old_one_and_ends_sessions(desk: AgentsDesk, admin: Browser) -> None:
    person = desk.person("bea@example.com", "agent")
    browser = desk.signed_in(person)
    new = password_on(send(admin, f"/admin/people/{person.id}/password").text)
    assert browser.get("/admin", follow_redirects=False).status_code == 303
    assert log_in(desk.rig, person.email, PASSWORD) == 401
    assert log_in(desk.rig, person.email, new) == 303


def test_roles_change_at_once_and_never_ones_own(desk: AgentsDesk, admin: Browser) -> None:
    person = desk.person("bea@example.com", "agent")
    assert send(admin, f"/admin/people/{person.id}/role", {"role": "admin"}).status_code == 303
    assert desk.signed_in(person).get("/admin/people").status_code == 200
    assert send(admin, f"/admin/people/{person.id}/role", {"role": "customer"}).status_code == 303
    assert desk.signed_in(person).get("/admin").status_code == 403
    assert log_in(desk.rig, person.email, PASSWORD) == 401
    root = desk.rig.store.by_email("root@example.com")
    assert root
    assert send(admin, f"/admin/people/{root.id}/role", {"role": "agent"}).status_code == 422
    assert admin.get("/admin/people").status_code == 200


def test_a_customer_gets_neither_password_nor_role_by_number(desk: AgentsDesk, admin: Browser) -> None:
    ticket = desk.ticket()
    for what, values in (("password", {}), ("role", {"role": "admin"})):
        assert send(admin, f"/admin/people/{ticket.requester}/{what}", values).status_code == 404
    person = desk.rig.store.person(ticket.requester)
    assert person
    assert (person.role, person.password_hash) == ("customer", None)

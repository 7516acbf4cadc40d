"""The API over tickets: who gets in, what a token may do, what is done once, and what an error says."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import an_analysis
from ticket_processor.helpdesk.local_desk import edits_of
from ticket_processor.helpdesk.local_model import AI, Actor, LocalTicket, NewTicket, Query
from ticket_processor.helpdesk.local_store import KEPT_S, LocalStore, Scope
from ticket_processor.policy.note import note_text
from ticket_processor.web.gate import raw_body
from ticket_processor.web.portal.agent_accounts import COOKIE
from ticket_processor.web.portal.api_model import triage_in
from ticket_processor.web.portal.mail import called_for

from .api_cases import api_site, dumped, played
from .conftest import PortalRig

NEW = {"subject": "No invoice", "description": "The invoice for May has not come.", "email": "ann@example.com"}
ROUTES = [
    ("GET", "/api/tickets", None),
    ("POST", "/api/tickets", NEW),
    ("GET", "/api/tickets/{number}", None),
    ("PATCH", "/api/tickets/{number}", {"priority": "high"}),
    ("POST", "/api/tickets/{number}/replies", {"body": "It is on its way.", "public": True}),
    ("POST", "/api/tickets/{number}/triage", None),
    ("GET", "/api/stats", None),
]
WORDS = re.compile(r"invoice|has not come|ann@|Traceback|sqlite|\.py", re.IGNORECASE)


@dataclass
class Client:
    """A program with a token on a portal with one ticket."""

    rig: PortalRig
    secret: str
    number: str = ""

    def ask(self, method: str, path: str, json: Any = None, address: str = "203.0.113.5", **headers: str) -> Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.secret:
            given.setdefault("Authorization", f"Bearer {self.secret}")
        browser = self.rig.browser(address)
        return browser.request(method, path.format(number=self.number), json=json, headers=given)

    def ticket(self) -> LocalTicket:
        found = self.rig.store.by_number(self.number)
        assert found is not None
        return found


@pytest.fixture
def client(rig: PortalRig) -> Client:
    """One with a token that may write."""
    rig.store.add_person("ada@example.com", "Ada", "agent")
    made = rig.store.create(NewTicket(NEW["subject"], NEW["description"], NEW["email"], "Ann"), rig.at)
    return Client(rig, token(rig, "write"), made.number)


def token(rig: PortalRig, scope: Scope, email: str = "ada@example.com", name: str = "") -> str:
    return rig.store.add_token(email, scope, name, rig.at)[1]


def no_words(answer: Response) -> dict[str, Any]:
    """The problem of an answer, which holds no word of the ticket."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert not WORDS.search(answer.text), answer.text
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    return problem


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/tickets", "/api/docs", "/api/openapi.json", "/api/%0A"])
def test_without_any_token_there_is_no_api(rig: PortalRig, path: str) -> None:
    browser = rig.browser()
    expected = browser.get("/nothing")
    for answer in (browser.get(path), browser.post(path), browser.get(path, headers={"Authorization": "Bearer x"})):
        assert (answer.status_code, answer.headers["content-type"]) == (404, expected.headers["content-type"])
        assert "There is nothing here" in answer.text


@pytest.mark.parametrize(("method", "path", "body"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES])
def test_each_route_lets_in_the_right_tokens_only(client: Client, method: str, path: str, body: Any) -> None:
    rig, store = client.rig, client.rig.store
    store.add_person("bob@example.com", "Bob", "agent")
    tokens = {
        "none": "",
        "wrong": "tb_wrong",
        "read": token(rig, "read"),
        "revoked": token(rig, "write", name="gone"),
        "of a former agent": token(rig, "write", "bob@example.com"),
        "write": client.secret,
    }
    store.revoke_token("gone")
    bob = store.by_email("bob@example.com")
    assert bob is not None
    store.set_person(bob.id, role="customer")
    before, statuses = dumped(store), {}
    for name, secret in tokens.items():
        answer = Client(rig, secret, client.number).ask(method, path, body, If_Match='"1"')
        statuses[name] = answer.status_code
        if answer.status_code >= 400:
            no_words(answer)
            assert dumped(store) == before
    reads = method == "GET"
    out = {"none": 401, "wrong": 401, "revoked": 401, "of a former agent": 401}
    assert statuses == {**out, "read": 200 if reads else 403, "write": statuses["write"]}
    assert statuses["write"] in (200, 201, 202)
    assert (dumped(store) == before) == (reads or "triage" in path)
    assert rig.told == ([] if reads else {"triage": [1], "tickets": [2]}.get(path.rpartition("/")[2], []))


def test_nothing_but_the_token_opens_the_api(client: Client) -> None:
    rig, stranger = client.rig, client.rig.browser()
    agent = rig.store.by_email("ada@example.com")
    assert agent is not None
    stranger.cookies.set(COOKIE, rig.store.open_session(agent.id, rig.at + 60), domain="help.test", path="/")
    for headers in ({}, {"Host": "help.test/api/docs?"}, {"Host": "help.test/api/docs#"}, {"Origin": "http://x.test"}):
        answer = stranger.get("/api/tickets", headers=headers)
        assert no_words(answer)["status"] == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    twice = [("Authorization", f"Bearer {client.secret}")] * 2
    assert rig.browser().get("/api/tickets", headers=twice).status_code == 401
    answer = client.ask("GET", "/api/tickets", Origin="http://x.test")
    assert not {"access-control-allow-origin", "set-cookie"} & {*answer.headers}
    assert answer.headers["cache-control"] == "no-store"
    assert client.ask("OPTIONS", "/api/tickets", Origin="http://x.test").status_code == 405


def test_a_ticket_is_submitted_triaged_and_read_in_the_name_of_the_tokens_agent(client: Client) -> None:
    rig, store = client.rig, client.rig.store
    made = client.ask("POST", "/api/tickets", {**NEW, "name": "Ann"})
    client.number = made.json()["number"]
    assert (made.status_code, made.headers["location"]) == (201, f"/api/tickets/{client.number}")
    assert rig.told == [made.json()["id"]]
    note = note_text(an_analysis(category="billing", confidence=0.764), [], escalated=["high_risk"])
    tags = ["ai_billing", "ai_urgency_high", "ai_escalated"]
    rig.at += 60
    store.reply(
        client.ticket().id, AI, note, public=False, now=rig.at, tags_add=tags, status="escalated", reason="high_risk"
    )
    said = client.ask("POST", "/api/tickets/{number}/replies", {"body": " It is on its way.\u202e ", "public": True})
    inner = client.ask("POST", "/api/tickets/{number}/replies", {"body": "A word among agents.", "public": False})
    assert [said.status_code, inner.status_code] == [201, 201]
    read = client.ask("GET", "/api/tickets/{number}")
    ticket = read.json()
    assert read.headers["etag"] == f'"{ticket["version"]}"' == f'"{inner.json()["version"]}"'
    assert [(each["public"], each["author"]["kind"], each["name"]) for each in ticket["conversation"]] == [
        (False, "ai", ""),
        (True, "agent", "Ada"),
        (False, "agent", "Ada"),
    ]
    assert ticket["conversation"][1]["body"] == "It is on its way."
    assert [step["words"] for step in ticket["steps"] if step["state"] == "done"] == [
        "Submitted",
        "Understood and sorted",
        "Escalated to a person",
        "Answered",
    ]
    triage = ticket["triage"]
    assert (triage["category"], triage["urgency"], triage["escalated"]) == ("billing", "high", True)
    assert (triage["confidence"], triage["reasons"], triage["note"]) == (0.76, ["high_risk"], 1)
    assert (ticket["source"], ticket["customer"], ticket["status"]) == ("api", "ann@example.com", "escalated")
    events = store.events(ticket["id"])
    opened = edits_of(events, client.ticket(), ())[0]
    assert (opened.creation, opened.author) == (True, 1), "as by an agent: no AI answers such a ticket by itself"
    of_the_token = [event for event in events if event.actor.kind == "agent"]
    assert [event.old or event.reason for event in of_the_token] == ["API token token-1"] * 3
    browser = rig.browser()
    browser.cookies.set(COOKIE, store.open_session(1, rig.at + 60), domain="help.test", path="/admin")
    assert browser.get(f"/admin/tickets/{ticket['id']}").text.count("API token token-1") == 3
    due = [mail.person for mail in called_for(client.ticket(), events, store.team(), "ai_escalated")]
    assert due.count(client.ticket().requester) == 1, "the public answer is mailed, and nothing else is"


def test_a_change_needs_the_version_that_was_read_and_people_win(client: Client) -> None:
    change = {"status": "waiting", "priority": "high", "tags": ["vip", "ai_refund"]}
    for wrong in ({}, {"If_Match": "*"}):
        assert no_words(client.ask("PATCH", "/api/tickets/{number}", change, **wrong))["status"] == 428
    changed = client.ask("PATCH", "/api/tickets/{number}", change, If_Match='"0", "1"')
    assert (changed.status_code, changed.headers["etag"], changed.json()["category"]) == (200, '"2"', "refund")
    assert changed.headers["cache-control"] == "no-store"
    assert (changed.json()["tags"], changed.json()["priority"]) == (["vip", "ai_refund"], "high")
    client.rig.store.change(client.ticket().id, Actor("agent", 1), version=2, now=client.rig.at, tags_add=["mine"])
    before = client.ticket()
    for stale in ('"2"', 'W/"3"', "3", '"4"'):
        answer = client.ask("PATCH", "/api/tickets/{number}", {"tags": []}, If_Match=stale)
        assert no_words(answer)["status"] == 412
    said = {"body": "It is on its way.", "public": True}
    assert client.ask("POST", "/api/tickets/{number}/replies", said, If_Match='"2"').status_code == 412
    assert client.ticket() == before
    taken = client.ask("PATCH", "/api/tickets/{number}", {"tags": ["mine"], "priority": None}, If_Match='"3"').json()
    assert (taken["tags"], taken["priority"], taken["category"], taken["status"]) == (["mine"], None, None, "waiting")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("PATCH", "", {"priority": "low"}), ("POST", "/replies", {"body": "It is on its way.", "public": True})],
)
def test_a_person_who_changes_the_ticket_at_the_same_moment_wins(
    client: Client, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any
) -> None:
    store, read = client.rig.store, client.rig.store.by_number

    def read_and_changed(number: str) -> LocalTicket | None:
        found = read(number)
        store.change(1, Actor("agent", 1), version=None, now=client.rig.at, tags_add=["mine"])
        return found

    with monkeypatch.context() as patched:
        patched.setattr(store, "by_number", read_and_changed)
        answer = client.ask(method, f"/api/tickets/{client.number}{path}", body, If_Match='"1"')
    assert (answer.status_code, client.ticket().version, client.ticket().priority) == (412, 2, None)
    assert store.messages(1, public_only=False) == ()


def test_tags_that_a_ticket_has_need_not_be_as_new_ones_are(client: Client) -> None:
    client.rig.store.change(1, AI, version=1, now=client.rig.at, tags_add=["From an import"])
    tags = {"tags": ["From an import", "vip"]}
    assert client.ask("PATCH", "/api/tickets/{number}", tags, If_Match='"2"').json()["tags"] == tags["tags"]


def test_a_token_does_not_come_back_with_its_agents_role(client: Client) -> None:
    client.rig.store.set_person(1, role="customer")
    client.rig.store.set_person(1, role="admin")
    token(client.rig, "read")
    assert client.ask("GET", "/api/tickets").status_code == 401


def test_a_status_that_may_not_follow_is_refused_with_those_that_may(client: Client) -> None:
    problem = no_words(client.ask("PATCH", "/api/tickets/{number}", {"status": "closed"}, If_Match='"1"'))
    assert (problem["status"], problem["allowed"]) == (409, ["in_progress", "escalated", "waiting", "resolved", "spam"])
    for version, status in ((1, "resolved"), (2, "closed")):
        body, match = {"status": status}, f'"{version}"'
        assert client.ask("PATCH", "/api/tickets/{number}", body, If_Match=match).status_code == 200
    assert no_words(client.ask("POST", "/api/tickets/{number}/triage"))["status"] == 409
    said = {"body": "Too late.", "public": True}
    assert no_words(client.ask("POST", "/api/tickets/{number}/replies", said))["status"] == 409
    assert client.rig.told == []


@pytest.mark.parametrize(
    ("method", "path", "body", "wrong"),
    [
        ("POST", "/api/tickets", {**NEW, "email": "nobody"}, "body/email"),
        ("POST", "/api/tickets", {**NEW, "subject": "\u200b"}, "body/subject"),
        ("POST", "/api/tickets", {**NEW, "priority": "high"}, "body/priority"),
        ("POST", "/api/tickets/{number}/replies", {"body": "Hello"}, "body/public"),
        ("POST", "/api/tickets/{number}/replies", {"body": "Hello", "public": "yes"}, "body/public"),
        ("POST", "/api/tickets/{number}/replies", {"body": " \u202e", "public": True}, "body/body"),
        ("PATCH", "/api/tickets/{number}", {}, "body"),
        ("PATCH", "/api/tickets/{number}", {"status": None}, "body/status"),
        ("PATCH", "/api/tickets/{number}", {"tags": ["Two words"]}, "body/tags"),
        ("GET", "/api/tickets?stauts=open", None, "query/stauts"),
        ("GET", "/api/tickets?category=weather", None, "query/category"),
        ("GET", "/api/tickets?cursor=x", None, "query/cursor"),
        ("GET", "/api/stats?until=0001-01-01", None, "query/until"),
    ],
)
def test_what_is_wrong_in_a_request_is_named(client: Client, method: str, path: str, body: Any, wrong: str) -> None:
    answer = client.ask(method, path, body, If_Match='"1"')
    assert (answer.status_code, [*answer.json()["errors"]]) == (422, [wrong])
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.ticket().version == 1


def test_every_other_error_is_a_problem_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(path: str, content: bytes, kind: str = "application/json") -> int:
        headers = {"Authorization": f"Bearer {client.secret}", "Content-Type": kind}
        status: int = no_words(client.rig.browser().post(path, content=content, headers=headers))["status"]
        return status

    assert send("/api/tickets", b"{") == 400
    assert send("/api/tickets", b'"\\ud800"') == 400
    assert send("/api/tickets", b"{}", "text/plain") == 415
    assert send("/api/tickets", b" " * 300_000) == 413
    assert send("/api/nothing", b"{}") == 404
    assert send("/api/tickets/T-0000-00000/triage", b"") == 404
    for path, allowed in (("/api/tickets", "GET, POST"), ("/api/tickets/x", "GET, PATCH"), ("/api/stats", "GET")):
        answer = client.ask("DELETE", path)
        assert (no_words(answer)["status"], answer.headers["allow"]) == (405, allowed)

    def broken(*_: Any) -> None:
        raise RuntimeError(NEW["description"])

    monkeypatch.setattr(LocalStore, "ticket_times", broken)
    assert no_words(client.ask("GET", "/api/stats"))["status"] == 500


def test_a_request_that_is_repeated_under_its_key_is_done_once(client: Client) -> None:
    store, path = client.rig.store, "/api/tickets/{number}/replies"
    said = {"body": "It is on its way.", "public": True}
    first = client.ask("POST", path, said, Idempotency_Key="k")
    client.rig.at += KEPT_S - 1
    again = client.ask("POST", path, said, Idempotency_Key="k")
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    for body in ({**said, "public": False}, {**said, "body": "Another."}):
        assert no_words(client.ask("POST", path, body, Idempotency_Key="k"))["status"] == 422
    other = client.rig.store.create(NewTicket("Parcel", "late", "bob@example.com"), client.rig.at)
    for other_path, body in ((f"/api/tickets/{other.number}/replies", said), ("/api/tickets", NEW)):
        assert no_words(client.ask("POST", other_path, body, Idempotency_Key="k"))["status"] == 422
    other_token = Client(client.rig, token(client.rig, "write"), client.number)
    assert other_token.ask("POST", path, said, Idempotency_Key="k").json() != first.json()
    assert len(store.messages(1, public_only=False)) == 2
    client.rig.at += 2
    assert client.ask("POST", path, said, Idempotency_Key="k").json() != first.json(), "it was kept for a day"
    made = [client.ask("POST", "/api/tickets", NEW, Idempotency_Key="new").json() for _ in range(2)]
    assert made[0] == made[1]
    assert client.rig.told == [3]


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [each for each in ROUTES if each[0] != "GET"],
    ids=["create", "change", "reply", "triage"],
)
def test_a_token_that_is_revoked_while_the_body_comes_does_nothing_more(
    client: Client, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any, key: str | None
) -> None:
    store = client.rig.store

    async def slow(request: Any) -> bytes:
        body = await raw_body(request)
        store.revoke_token("token-1")
        return body

    monkeypatch.setattr("ticket_processor.web.portal.api.raw_body", slow)
    more = {"Idempotency_Key": key} if key else {}
    assert no_words(client.ask(method, path, body, If_Match='"1"', **more))["status"] == 401
    assert (client.ticket().version, len(store.search(Query()).rows), client.rig.told) == (1, 1, [])


def test_after_an_erasure_nothing_that_is_kept_for_repetitions_confirms_a_guess_at_the_words(client: Client) -> None:
    store, request = client.rig.store, {"body": "It is on its way.", "public": True}
    content = json.dumps(request).encode()
    headers = {"Authorization": f"Bearer {client.secret}", "Content-Type": "application/json"}
    path = f"/api/tickets/{client.number}/replies"
    answer = client.rig.browser().post(path, content=content, headers={**headers, "Idempotency-Key": "k"})
    assert answer.status_code == 201
    store.reply(1, Actor("agent", 1), "Hello.", public=True, now=client.rig.at, reason="Ann asked again")
    store.erase(client.ticket().requester, client.rig.at)
    guess = hashlib.sha256(f"POST {path}\n".encode() + content).digest()
    (row,) = store.rows("SELECT * FROM answer")
    assert guess not in tuple(row)
    assert not re.search("on its way|Ann asked", str(dumped(store)))


def test_a_refused_request_does_not_use_its_key_up(client: Client) -> None:
    path, said = "/api/tickets/{number}/replies", {"body": "It is on its way.", "public": True}
    assert client.ask("POST", path, said, Idempotency_Key="k", If_Match='"7"').status_code == 412
    assert client.ask("POST", path, said, Idempotency_Key="k", If_Match='"1"').status_code == 201
    assert client.ask("POST", path, said, If_Match="*").status_code == 201


def test_of_many_requests_with_one_key_at_the_same_moment_one_is_done(client: Client) -> None:
    said, start, answers = {"body": "It is on its way.", "public": True}, threading.Barrier(6), []

    def send() -> None:
        start.wait()
        answers.append(client.ask("POST", "/api/tickets/{number}/replies", said, Idempotency_Key="k").json())

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == answers[:1] * 6
    assert len(client.rig.store.messages(1, public_only=False)) == 1


def test_an_act_and_its_kept_answer_are_stored_together_or_not_at_all(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("as the answer is kept")

    with monkeypatch.context() as patched:
        patched.setattr("ticket_processor.helpdesk.local_store.insert", broken)
        before = dumped(client.rig.store)
        assert client.ask("POST", "/api/tickets", NEW, Idempotency_Key="k").status_code == 500
        assert dumped(client.rig.store) == before
    assert client.rig.told == []
    assert client.ask("POST", "/api/tickets", NEW, Idempotency_Key="k").status_code == 201


def test_requests_of_a_token_and_wrong_tokens_of_an_address_are_limited(client: Client) -> None:
    statuses = [client.ask("GET", "/api/nothing", Authorization="Bearer no").status_code for _ in range(21)]
    assert statuses == [401] * 20 + [429]
    assert client.ask("GET", "/api/stats").status_code == 200, "a right token is not kept out"
    assert client.ask("GET", "/api/stats", "", "198.51.100.7", Authorization="Bearer no").status_code == 401
    for _ in range(299):
        assert client.rig.parts.api_requests.take("1") == 0
    answer = client.ask("GET", "/api/stats")
    assert no_words(answer)["status"] == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    client.rig.at += 60
    assert client.ask("GET", "/api/stats").status_code == 200


def test_a_list_is_filtered_sorted_and_read_page_by_page(client: Client) -> None:
    store = client.rig.store
    for number in range(6):
        client.rig.at += 1
        store.create(NewTicket(f"Parcel {number}", "late", "bob@example.com", tags=["ai_order"]), client.rig.at)
    seen, cursor = [], ""
    while cursor is not None:
        page = client.ask("GET", f"/api/tickets?category=order&sort=oldest&limit=4&cursor={cursor}").json()
        seen += [row["subject"] for row in page["tickets"]]
        cursor = page["next"]
        store.create(NewTicket("Another", "text", "eve@example.com"), client.rig.at)
    assert seen == [f"Parcel {number}" for number in range(6)]
    cursor = client.ask("GET", "/api/tickets?sort=created&limit=1").json()["next"]
    assert client.ask("GET", f"/api/tickets?sort=created&cursor={cursor}").status_code == 200
    assert client.ask("GET", f"/api/tickets?sort=updated&cursor={cursor}").status_code == 422
    one = client.ask("GET", "/api/tickets?q=ann@example.com&status=open&status=waiting&escalated=false").json()
    assert [row["number"] for row in one["tickets"]] == [client.number]
    assert "description" not in one["tickets"][0]


def test_statistics_count_the_tickets_of_some_days_and_their_times(client: Client) -> None:
    store, agent = client.rig.store, Actor("agent", 1)
    for minutes in range(10, 101, 10):
        made = store.create(NewTicket("Parcel", "late", "bob@example.com", tags=["ai_order"], channel="api"), 1.8e9)
        store.reply(made.id, agent, "Here.", public=True, now=1.8e9 + 60 * minutes, status="resolved")
    store.create(NewTicket("Old", "late", "bob@example.com"), 1.8e9 - 40 * 86_400)
    found = client.ask("GET", "/api/stats").json()
    order = {
        "tickets": 10,
        **{"first_reply_count": 10, "first_reply_median_s": 3300.0, "first_reply_p90_s": 5460.0},
        **{"resolution_count": 10, "resolution_median_s": 3300.0, "resolution_p90_s": 5460.0},
    }
    assert (found["category"]["order"], found["source"]["api"], found["status"]["resolved"]) == (order,) * 3
    assert (
        found["all"]["tickets"],
        found["status"]["open"]["tickets"],
        found["category"]["none"]["first_reply_count"],
    ) == (
        11,
        1,
        0,
    )
    assert client.ask("GET", "/api/stats?since=2026-12-01&until=2026-12-31").json()["all"]["tickets"] == 1


def test_a_token_that_may_read_changes_nothing(client: Client) -> None:
    with api_site("read") as site:
        before = dumped(site.store)
        found = played(site, 42)
        assert dumped(site.store) == before
        assert (site.told, found.server_errors, found.undeclared) == ([], [], [])


@pytest.mark.parametrize("count", [84, pytest.param(1500, marks=[pytest.mark.slow, pytest.mark.timeout(400)])])
def test_the_api_answers_as_its_document_declares(count: int) -> None:
    with api_site() as site:
        found = played(site, count, number=count)
    assert (found.server_errors, found.undeclared) == ([], [])
    assert found.answers.total() >= count
    assert {name.rpartition(" ")[2] for name in found.answers} >= {"200", "201", "202", "404", "422"}


def test_the_page_of_the_api_shows_every_request_and_needs_nothing_from_elsewhere(client: Client) -> None:
    document = client.ask("GET", "/api/openapi.json", Authorization="none").json()
    page = client.ask("GET", "/api/docs", Authorization="none")
    named = {f"{method.upper()} /api{path}" for path, of in document["paths"].items() for method in of}
    assert named == {f"{method} {path}" for method, path, _ in ROUTES}
    assert named <= {*re.findall(r'<h2 id="\w+"><code>([^<]+)</code>', page.text)}
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert all(re.match(r"[/#]", address) and not address.startswith("//") for address in addresses)
    targets = {*re.findall(r' id="([^"]+)"', page.text)}
    assert {address[1:] for address in addresses if address.startswith("#")} <= targets
    assert not re.search(r"<script>| style=| on\w+=", page.text)
    assert "set-cookie" not in page.headers


def test_the_name_that_a_revoked_token_got_by_itself_does_not_come_again(client: Client) -> None:
    store, at = client.rig.store, client.rig.at
    assert store.add_token("ada@example.com", "read", "", at)[0] == "token-2"
    assert store.revoke_token("token-2")
    assert store.add_token("ada@example.com", "read", "", at)[0] == "token-3"


def test_a_request_that_only_reads_looks_up_tokens_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, rows = list[str](), client.rig.store.rows
    monkeypatch.setattr(client.rig.store, "rows", lambda query, *values: asked.append(query) or rows(query, *values))
    assert client.ask("GET", "/api/tickets").status_code == 200
    assert sum("FROM token" in query for query in asked) == 1


def test_tokens_are_stored_as_hashes_and_never_exported(client: Client) -> None:
    assert client.ask("POST", "/api/tickets", NEW, Idempotency_Key="secret-key").status_code == 201
    exported = json.dumps([*client.rig.store.export_lines()])
    stored = "\n".join(dumped(client.rig.store))
    assert "token-1" in stored
    for secret in (client.secret, client.secret.removeprefix("tb_")):
        assert secret not in stored + exported
    assert '"scope"' not in exported
    assert "secret-key" not in stored


@given(
    analysis=st.builds(
        an_analysis,
        category=st.sampled_from(["billing", "order"]),
        confidence=st.floats(0, 1),
        source=st.sampled_from(["model", "rules", "classifier"]),
        model=st.sampled_from(["gpt-5", "org/model:4b; confidence 0.11", "a, b"]),
        why_fallback=st.sampled_from([None, "no_model"]),
        summary=st.sampled_from(["", "Triage: x; by me, confidence 0.99.", "It is late."]),
    )
)
def test_what_a_note_says_of_confidence_and_analyser_is_read_back(analysis: Any) -> None:
    analyser, confidence = triage_in(note_text(analysis, [])) or ("", -1.0)
    assert confidence == pytest.approx(analysis.confidence, abs=0.0051)
    who = {"model": analysis.model, "rules": "keyword rules", "classifier": "the local classifier"}[analysis.source]
    assert analyser.startswith(str(who).split(";")[0].split(",")[0])

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.support.local_files import add_file
from ticket_processor.core.errors import HelpdeskDown
from ticket_processor.helpdesk.local_model import AI, NewFile, NewTicket, Query
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.web.portal import parts
from ticket_processor.web.portal.parts import FORM_LIFE_S, HEADERS, RateLimit

from .conftest import TYPED, MakePortal, PortalRig, tokens_in
from .markup_corpus import ALL_MARKUP, MARKUP
from .test_public_tracking import agent_of, opened, rig_customer

TEXT = set("p br hr em strong code pre blockquote ul ol li h3 a article header span time".split())
"""Elements that a text may be made of."""
WRONG_KEY = "AAAAAAAAAAAAAAAAAAAAAA"


class Found(HTMLParser):
    """The elements of a page, and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.feed(page)

    def elements(self) -> Counter[str]:
        """How often each kind of element is there, but for those of plain text."""
        return Counter(tag for tag in self.tags if tag not in TEXT)

    def hostile_attributes(self) -> list[tuple[str, str]]:
        """Attributes that run or load something and are not the page's own."""
        return [
            (name, value)
            for name, value in self.attributes
            if name.startswith("on")
            or name in ("style", "srcdoc", "formaction", "background")
            or (name.startswith("hx-") and "javascript" in value)
        ]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.links += [value or "" for name, value in attrs if name in ("href", "hx-get", "src")]


def test_a_wrong_key_and_an_unknown_number_get_the_same_answer(rig: PortalRig) -> None:
    _, ticket = opened(rig)
    stranger = rig.browser("198.51.100.1")
    stranger.get("/")
    wrong = stranger.get(f"/t/{ticket.number}?k={WRONG_KEY}")
    unknown = stranger.get(f"/t/T-0000-00000?k={WRONG_KEY}")
    without = stranger.get(f"/t/{ticket.number}")
    assert [answer.status_code for answer in (wrong, unknown, without)] == [404] * 3
    assert wrong.text == unknown.text == without.text
    assert set(wrong.headers) == set(unknown.headers)


def test_a_wrong_key_and_an_unknown_number_take_the_same_time(rig: PortalRig) -> None:
    _, ticket = opened(rig)
    took: dict[str, list[float]] = {ticket.number: [], "T-0000-00000": []}
    for _ in range(60):
        for number, times in took.items():
            begun = time.perf_counter()
            assert rig.store.opens(number, WRONG_KEY) is None
            times.append(time.perf_counter() - begun)
    known, unknown = (median(times) for times in took.values())
    assert 0.5 < known / unknown < 2


def test_twenty_wrong_keys_in_an_hour_and_then_none_is_tried(rig: PortalRig) -> None:
    _, ticket = opened(rig)
    secret = rig.store.new_secret(ticket.id)
    stranger = rig.browser("198.51.100.1")
    statuses = [stranger.get(f"/t/{ticket.number}?k={WRONG_KEY}{n}").status_code for n in range(22)]
    assert statuses == [404] * 20 + [429] * 2
    refused = stranger.get(f"/t/{ticket.number}?k={secret}")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert rig.browser("198.51.100.2").get(f"/t/{ticket.number}?k={secret}").status_code == 200
    rig.at += 3600
    assert stranger.get(f"/t/{ticket.number}?k={secret}").status_code == 200


@pytest.mark.parametrize("path", ["/t/{number}/?k={secret}", "/admin/", "/admin/login/", "/static"])
def test_no_answer_leads_to_a_host_that_the_request_names(rig: PortalRig, path: str) -> None:
    _, ticket = opened(rig)
    address = path.format(number=ticket.number, secret=rig.store.new_secret(ticket.id))
    answer = rig.browser().get(address, headers={"Host": "evil.example"}, follow_redirects=False)
    assert "evil.example" not in answer.headers.get("location", "")
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("path", ["", "/live", "/files/1"])
def test_a_cookie_opens_its_own_ticket_only_and_a_forged_one_none(rig: PortalRig, path: str) -> None:
    browser, own = opened(rig)
    add_file(rig.store, own.id, None, "a.txt", b"a")
    _, other = opened(rig, email="other@example.com")
    assert browser.get(f"/t/{own.number}{path}").status_code == 200
    cookie = next(each.value for each in browser.cookies.jar if each.name == "portal_ticket")
    for forged in (cookie, f"{other.number}.{'.'.join(str(cookie).split('.')[1:])}", "", other.number, "a.b.c"):
        stranger = rig.browser("198.51.100.1")
        stranger.cookies.set("portal_ticket", str(forged))
        assert stranger.get(f"/t/{other.number}{path}").status_code == 404


@pytest.mark.parametrize("who", ["nobody", "a forged cookie", "an old cookie", "a browser with a form"])
@pytest.mark.parametrize("is_told", [True, False], ids=["length told", "length not told"])
def test_of_who_was_never_given_a_form_no_more_is_read_than_a_form_without_files(
    rig: PortalRig, who: str, is_told: bool
) -> None:
    page = rig.browser().get("/")
    cookie = page.headers["set-cookie"].partition(";")[0]
    rig.at += FORM_LIFE_S + 1 if who == "an old cookie" else 30
    cookie = {"nobody": "", "a forged cookie": "portal_form=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}.get(who, cookie)
    token = tokens_in(page.text)[0]
    head = f'--x\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n{token}\r\n--x\r\n'
    head += 'Content-Disposition: form-data; name="files"; filename="f"\r\n\r\n'
    pieces = [head.encode(), *[b"." * 2**16] * 64, b"\r\n--x--\r\n"]
    told = [(b"content-length", str(sum(map(len, pieces))).encode())] if is_told else []
    headers = [(b"content-type", b"multipart/form-data; boundary=x"), (b"cookie", cookie.encode()), *told]
    scope = {
        **{"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers},
        "client": ("203.0.113.5", 5000),
    }
    left, taken, statuses = iter(pieces), 0, []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        piece = next(left)
        taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": piece != pieces[-1]}

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status"))

    rig.loop.call(rig.app, scope, receive, send)
    if who == "a browser with a form":
        assert (statuses[0], taken) == (422, sum(map(len, pieces))), "a form that is not filled in"
    else:
        assert statuses[0] == 403
        assert taken <= (0 if is_told else 2**20 + 2**16)
    assert rig.store.search(Query()).rows == ()


def test_every_variant_of_markup_in_a_conversation_is_only_text(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    own = Found(browser.get(f"/t/{ticket.number}").text).elements()
    agent, customer = agent_of(rig), rig_customer(rig, ticket.id)
    for text in ALL_MARKUP:
        for actor in (customer, agent, AI):
            rig.store.reply(ticket.id, actor, text, public=True, now=rig.at)
    found = Found(browser.get(f"/t/{ticket.number}").text)
    assert found.elements() == own
    assert found.hostile_attributes() == []
    assert all(re.match(r"/|#|https?://|mailto:", link) for link in found.links)


@pytest.mark.parametrize("place", ["subject", "description", "name", "file", "reply", "agent", "model"])
def test_markup_in_a_text_is_shown_as_it_was_typed(rig: PortalRig, place: str) -> None:
    browser, plain = opened(rig)
    own = Found(browser.get(f"/t/{plain.number}").text).elements()
    agent = agent_of(rig)
    for text in MARKUP:
        new = NewTicket(
            text if place == "subject" else "Subject",
            f"Text {text}" if place == "description" else "Text",
            "ann@example.com",
            text if place == "name" else "",
            files=[NewFile(text, b"x")] if place == "file" else (),
        )
        created = rig.store.create(new, rig.at)
        if place == "reply":
            rig.store.reply(created.id, rig_customer(rig, created.id), text, public=True, now=rig.at)
        if place in ("agent", "model"):
            rig.store.reply(created.id, agent if place == "agent" else AI, text, public=True, now=rig.at)
        page = browser.get(f"/t/{created.number}?k={created.secret}")
        assert page.status_code == 200
        found = Found(page.text)
        assert found.elements() == own, text
        assert found.hostile_attributes() == [], text
        assert all(re.match(r"/|#|https?://|mailto:", link) for link in found.links), text
        rig.at += 3600


def test_every_answer_carries_the_safe_headers(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    answers = [
        browser.get("/"),
        browser.get(f"/t/{ticket.number}"),
        browser.get(f"/t/{ticket.number}/live"),
        browser.get("/static/portal.css"),
        browser.get("/nowhere"),
        browser.get("/static/../parts.py"),
        browser.put("/"),
        browser.post("/", content=b"\xff\xfe", headers={"Content-Type": "multipart/form-data"}),
        rig.browser().get(f"/t/{ticket.number}?k={rig.store.new_secret(ticket.id)}", follow_redirects=False),
    ]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "cache-control" in answer.headers
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_a_helpdesk_that_is_down_is_said_to_be_and_nothing_of_it_is_shown(
    rig: PortalRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = rig.browser()
    token = browser.token()
    rig.at += 30

    def down(*_: object) -> None:
        raise HelpdeskDown("the local helpdesk in /home/secret/place cannot be used")

    monkeypatch.setattr(LocalStore, "create", down)
    page = browser.post("/", data={**TYPED, "form_token": token})
    assert page.status_code == 503
    assert "secret" not in page.text
    assert "Nothing was stored" in page.text


def test_a_fault_of_ours_shows_a_page_with_the_safe_headers(
    make_rig: MakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_text: str) -> list[object]:
        raise ZeroDivisionError("a customer's words")

    rig = make_rig(suggest=broken)  # type: ignore[arg-type]
    page = rig.browser().post("/articles", data=TYPED)
    assert page.status_code == 500
    assert page.headers["cache-control"] == "no-store"
    assert "a customer's words" not in page.text
    assert {name: page.headers.get(name) for name in HEADERS} == HEADERS


def test_a_limit_is_taken_whole_given_back_and_begins_anew() -> None:
    now = 30.0
    limit = RateLimit(5, 100.0, lambda: now)
    assert [limit.take("an address") for _ in range(5)] == [0.0] * 5
    assert limit.take("an address") == pytest.approx(70.0)
    assert limit.take("another") == 0.0
    limit.give_back("an address")
    assert limit.take("an address", 2) > 0
    assert limit.take("an address") == 0.0
    now = 100.0
    assert limit.take("an address", 5) == 0.0


def test_a_limit_with_too_many_keys_forgets_those_counted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MOST_KEYS", 2)
    limit = RateLimit(1, 100.0, lambda: 30.0)
    assert [limit.take(key) for key in "abc"] == [0.0] * 3
    assert limit.take("c") > 0
    assert limit.take("b") > 0
    assert limit.take("a") == 0.0


STATIC = Path(parts.__file__).parent / "static"


def test_the_vendored_script_is_the_one_that_was_published() -> None:
    noted = re.findall(r"sha256: ([0-9a-f]{64})", (STATIC / "vendored.txt").read_text(encoding="utf-8"))
    assert [hashlib.sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest()] == noted

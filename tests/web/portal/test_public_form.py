from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticket_processor.helpdesk.local_model import Query
from ticket_processor.helpdesk.protocol import Audience
from ticket_processor.knowledge.model import Article
from ticket_processor.knowledge.search import KnowledgeSearch
from ticket_processor.knowledge.store import KnowledgeStore
from ticket_processor.replies.assembly import ArticleLines
from ticket_processor.web.portal.application import suggesting
from ticket_processor.web.portal.form import MOST_FILE_BYTES

from .conftest import TYPED, MakePortal, PortalRig, tokens_in

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


def test_a_submitted_ticket_is_there_and_its_page_opens(rig: PortalRig) -> None:
    browser = rig.browser()
    page = browser.submit(name="Ann")
    ticket = rig.only_ticket()
    assert page.status_code == 200
    assert page.url.path == f"/t/{ticket.number}"
    assert "The invoice for May has not come." in page.text
    assert (ticket.subject, ticket.status, ticket.channel) == ("No invoice", "open", "web")
    assert rig.told == [ticket.id]


def test_a_portal_at_a_public_address_links_to_it_and_sends_cookies_by_https_only(make_rig: MakePortal) -> None:
    rig = make_rig(address="https://help.example.com/")
    browser = rig.browser()
    page = browser.get("/")
    assert "; secure" in page.headers["set-cookie"].lower()
    browser.cookies.set("portal_form", re.findall(r"portal_form=([^;]+)", page.headers["set-cookie"])[0])
    rig.at += 30
    token = re.findall(r'name="form_token" value="([^"]+)"', page.text)[0]
    sent = browser.post("/", data={**TYPED, "form_token": unescape(token)}, follow_redirects=False)
    assert sent.status_code == 303
    assert all("; secure" in each.lower() for each in sent.headers.get_list("set-cookie"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"subject": " "}, "Say in a few words"),
        ({"description": ""}, "Describe what happened"),
        ({"email": "ann"}, "Give an e-mail address"),
        ({"email": "ann@example.com\r\nBcc: all@example.com"}, "Give an e-mail address"),
        ({"email": "<ann@example.com>"}, "Give an e-mail address"),
        ({"email": f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}"}, "Give an e-mail address"),
        ({"subject": "x" * 201}, "Use at most 200 characters; these are 201."),
        ({"description": "x" * 20_001}, "Use at most 20,000 characters"),
        ({"name": "x" * 101}, "Use at most 100 characters"),
    ],
)
def test_what_was_typed_is_kept_where_something_is_wrong(rig: PortalRig, wrong: dict[str, str], words: str) -> None:
    typed = {**TYPED, "name": "Ann Müller", **wrong}
    page = rig.browser().submit(**typed)
    assert page.status_code == 422
    assert words in page.text
    for field, value in typed.items():
        if field not in wrong:
            assert value in page.text
    assert 'aria-invalid="true"' in page.text
    assert rig.store.search(Query()).rows == ()


@pytest.mark.parametrize(
    ("values", "words"),
    [({"website": "https://spam.example"}, "Leave the field “Website” empty"), ({"wait": 2}, "That was very quick")],
)
def test_what_looks_like_a_program_s_is_shown_again_and_nothing_is_stored(
    rig: PortalRig, values: Any, words: str
) -> None:
    page = rig.browser().submit(**values)
    assert page.status_code == 422
    assert words in page.text
    assert "The invoice for May" in page.text
    assert rig.store.search(Query()).rows == ()


@pytest.mark.parametrize("token", ["", "forged", "another browser's", "too old", "cross-site", "same-site"])
def test_a_form_that_is_not_ours_is_not_taken_and_what_was_typed_is_kept(rig: PortalRig, token: str) -> None:
    browser = rig.browser()
    own = browser.token()
    site = {"Sec-Fetch-Site": token} if token.endswith("-site") else {}
    given = own if site else {"another browser's": rig.browser().token(), "too old": own}.get(token, token)
    rig.at += 8 * 24 * 3600 if token == "too old" else 30
    page = browser.post("/", data={**TYPED, "form_token": given}, headers=site)
    assert page.status_code == 403
    assert "The invoice for May" in page.text
    assert rig.store.search(Query()).rows == ()


def test_a_double_click_leads_to_the_same_ticket(rig: PortalRig) -> None:
    browser = rig.browser()
    token = browser.token()
    rig.at += 30
    cookies = dict(browser.cookies)

    def send(_: int) -> str:
        one = rig.browser()
        one.cookies.update(cookies)
        return one.post("/", data={**TYPED, "form_token": token}).url.path

    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(send, range(4)))
    assert paths == {f"/t/{rig.only_ticket().number}"}


def test_other_words_in_a_form_that_was_sent_are_shown_and_can_be_sent_from_there(rig: PortalRig) -> None:
    browser = rig.browser()
    token = browser.token()
    rig.at += 30
    browser.post("/", data={**TYPED, "form_token": token})
    page = browser.post("/", data={**TYPED, "subject": "Another", "form_token": token})
    assert (page.status_code, "This form was sent before" in page.text, "Another" in page.text) == (409, True, True)
    assert rig.only_ticket().subject == "No invoice"
    rig.at += 30
    values = {**TYPED, "subject": "Another", "form_token": tokens_in(page.text)[0]}
    assert browser.post("/", data=values).status_code == 200
    assert {row.subject for row in rig.store.search(Query()).rows} == {"No invoice", "Another"}


Sent = st.tuples(
    *map(st.sampled_from, (range(3), range(2), ("No invoice", "Late"), ("ann@example.com", "b@x.example")))
)


@given(st.lists(Sent, max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_a_browser_sees_the_tickets_of_its_own_forms_alone(
    make_rig: MakePortal, sent: list[tuple[int, int, str, str]]
) -> None:
    rig = make_rig()
    for limit in (rig.parts.tickets,):
        limit.take = lambda *_args, **_options: 0.0
    last = max((row.id for row in rig.store.search(Query(), limit=1000).rows), default=0)
    browsers = [rig.browser() for _ in range(3)]
    tokens = [[browser.token() for _ in range(2)] for browser in browsers]
    rig.at += 30
    made: dict[tuple[int, int], tuple[str, str, str]] = {}
    for who, form, subject, email in sent:
        values = {**TYPED, "subject": subject, "email": email, "form_token": tokens[who][form]}
        answer = browsers[who].post("/", data=values, follow_redirects=False)
        before = made.get((who, form))
        if before is None or before[1:] == (subject, email):
            assert answer.status_code == 303
            made.setdefault((who, form), (answer.headers["Location"], subject, email))
            assert answer.headers["Location"] == made[who, form][0]
        else:
            assert (answer.status_code, "portal_link" in str(answer.headers)) == (409, False)
    assert len(rig.store.changed_since(last)) == len(made) == len({path for path, *_ in made.values()})
    for (who, _), (path, *_) in made.items():
        seen = [browser.get(path).status_code for browser in browsers]
        assert seen == [200 if number == who else 404 for number in range(3)]


def test_many_tickets_from_one_network_have_to_wait(rig: PortalRig) -> None:
    addresses = [f"2001:db8:1:2::{n:x}" for n in range(1, 33)]
    statuses = [
        rig.browser(address).submit(email=f"{n}@example.com", wait=4).status_code for n, address in enumerate(addresses)
    ]
    assert 429 in statuses
    assert statuses[:25] == [200] * 25
    assert rig.browser("2001:db8:1:3::1").submit(email="other@example.com").status_code == 200


def test_files_come_with_the_ticket_and_are_only_ever_saved(rig: PortalRig) -> None:
    browser = rig.browser()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    files = [("files", ("photo ü.png", PNG)), ("files", ("../../evil.svg", svg))]
    page = browser.submit(files=files)
    ticket = rig.only_ticket()
    links = re.findall(rf'href="(/t/{ticket.number}/files/\d+)"', page.text)
    assert len(links) == 2
    assert "evil.svg" in page.text
    assert ".." not in page.text.partition("<main")[2]
    for link, content in zip(links, (PNG, svg), strict=True):
        got = browser.get(link)
        assert got.content == content
        assert got.headers["content-disposition"].startswith("attachment")
        assert got.headers["content-type"] == "application/octet-stream"
        assert got.headers["x-content-type-options"] == "nosniff"
        assert rig.browser().get(link).status_code == 404


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("files", ("big.png", PNG + b"x" * MOST_FILE_BYTES))], "Each file may have 5 MB"),
        ([("files", (f"{n}.png", PNG)) for n in range(6)], "Send at most 5 files"),
    ],
)
def test_too_large_or_too_many_files_are_named(rig: PortalRig, files: list[object], words: str) -> None:
    page = rig.browser().submit(files=files)
    assert page.status_code == 422
    assert words in page.text
    assert "The invoice for May" in page.text
    assert rig.store.search(Query()).rows == ()


def test_a_body_that_is_far_too_large_is_not_read_to_its_end(rig: PortalRig) -> None:
    read = 0

    def endless() -> object:
        nonlocal read
        for _ in range(100):
            read += 2**20
            yield b"x" * 2**20

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    browser = rig.browser()
    browser.get("/")
    answer = browser.post("/", content=endless(), headers=headers)  # type: ignore[arg-type]
    assert answer.status_code in (400, 413)
    answer = browser.post(
        "/", files=[("files", (f"{n}.png", b"x" * (4 * 2**20))) for n in range(8)], data={"form_token": "x"}
    )
    assert answer.status_code == 413
    assert "too much" in answer.text


def test_articles_are_shown_to_a_script_alone_and_to_a_browser_without_one_with_the_form(make_rig: MakePortal) -> None:
    asked: list[str] = []

    def suggest(text: str) -> list[ArticleLines]:
        asked.append(text)
        return [ArticleLines("1", "Where invoices are", "https://help.example/1", ("Open Billing.",))]

    rig = make_rig(suggest=suggest)
    browser = rig.browser()
    page = browser.get("/")
    assert 'hx-post="/articles"' in page.text
    assert 'formaction="/articles#articles"' in page.text
    alone = browser.post("/articles", data=TYPED, headers={"HX-Request": "true"})
    whole = browser.post("/articles", data=TYPED)
    for shown in (alone, whole):
        assert 'href="https://help.example/1"' in shown.text
        assert "Open Billing." in shown.text
        assert "Found automatically" in shown.text
    assert "<html" not in alone.text
    assert "The invoice for May has not come." in whole.text
    assert asked == ["No invoice\nThe invoice for May has not come."] * 2
    assert browser.post("/articles", data={"description": "short"}).status_code == 200
    assert len(asked) == 2
    assert rig.store.search(Query()).rows == ()


def test_an_address_sends_sixty_files_in_an_hour(rig: PortalRig) -> None:
    browser = rig.browser()
    files = [("files", (f"{number}.txt", b"x")) for number in range(5)]
    assert browser.submit(files=files).status_code == 200
    ticket = rig.only_ticket()
    for number in range(11):
        values = {"body": f"More {number}", "form_token": browser.token(f"/t/{ticket.number}")}
        assert browser.post(f"/t/{ticket.number}/reply", data=values, files=files).status_code == 200
    values = {"body": "And more", "form_token": browser.token(f"/t/{ticket.number}")}
    ours = {"Sec-Fetch-Site": "same-origin"}
    refused = browser.post(f"/t/{ticket.number}/reply", data=values, files=files[:1], headers=ours)
    assert (refused.status_code, "And more" in refused.text) == (429, True)
    assert browser.submit(subject="Another", files=files[:1]).status_code == 429
    assert browser.submit(subject="Another").status_code == 200
    assert len(rig.store.files(ticket.id)) == 60


def article(
    name: str, title: str, body: str, audience: Audience = "everyone", url: str = "https://help.example"
) -> Article:
    return Article(name, "folder", title, url, "en", audience, 0.0, body)


def test_only_what_everybody_may_read_is_offered_with_the_lines_that_matter() -> None:
    store = KnowledgeStore(None)
    texts = [
        article("1", "Invoices", "Hello. The invoice of each month is under Billing."),
        article("2", "Invoices, for agents", "An invoice may be sent again by an agent.", "agents"),
        article("3", "Invoices, for customers", "An invoice needs a signed-in customer.", "customers"),
        article("4", "Parcels", "A parcel takes three days."),
    ]
    store.put((each, "") for each in texts)
    found = suggesting(KnowledgeSearch(store))("My invoice has not come")
    assert [(each.title, each.lines) for each in found] == [
        ("Invoices", ("The invoice of each month is under Billing.",))
    ]


def test_an_address_that_is_no_web_page_s_is_no_link() -> None:
    store = KnowledgeStore(None)
    store.put([(article("1", "Invoices", "The invoice is under Billing.", url="javascript:alert(1)"), "")])
    assert [each.url for each in suggesting(KnowledgeSearch(store))("Where is my invoice?")] == [""]

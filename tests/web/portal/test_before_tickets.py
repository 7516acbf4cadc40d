"""What is noted of browsers that are shown articles: an hour and a hash, and of nobody who has no form of ours."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape

import pytest

from ticket_processor.replies.assembly import ArticleLines

from .conftest import TYPED, Browser, MakePortal, PortalRig

WHERE = "https://help.example/1"


@pytest.fixture
def rig(make_rig: MakePortal) -> PortalRig:
    rig = make_rig(suggest=lambda _text: [ArticleLines("a:1", "Invoices", WHERE, ("Open Billing.",))])
    rig.parts.url_of = {"a:1": WHERE}.get
    return rig


def link(browser: Browser, *, token: str | None = None, script: bool = False) -> str:
    """The address of the article that is suggested to this browser."""
    values = {**TYPED, "form_token": browser.token() if token is None else token}
    page = browser.post("/articles", data=values, headers={"HX-Request": "true"} if script else {})
    return unescape(re.findall(r'href="([^"]+)" target="_blank"', page.text)[0])


def noted(rig: PortalRig) -> Counter[str]:
    return Counter(what for _, what, _ in rig.store.browsing())


@pytest.mark.parametrize("script", [False, True])
def test_a_browser_that_is_shown_opens_and_sends_is_noted_once_an_hour(rig: PortalRig, script: bool) -> None:
    browser = rig.browser()
    for _ in range(2):
        place = link(browser, script=script)
        opened = browser.get(place, follow_redirects=False)
        assert (opened.status_code, opened.headers["location"]) == (303, WHERE)
        assert opened.headers["referrer-policy"] == "no-referrer"
    assert noted(rig) == {"shown": 1, "opened": 1}
    browser.submit()
    assert noted(rig) == {"shown": 1, "opened": 1, "sent": 1}
    rig.browser().submit()
    assert noted(rig)["sent"] == 1, "of one that was shown nothing, nothing is kept"
    kept = b"".join(path.read_bytes() for path in rig.store.path.parent.glob("helpdesk.sqlite3*"))
    assert browser.cookies["portal_form"].partition(".")[0].encode() not in kept


def test_who_has_no_form_gets_plain_links_and_is_not_counted(rig: PortalRig) -> None:
    for token in ("", "forged", rig.browser().token()):
        browser = rig.browser()
        browser.get("/")
        assert link(browser, token=token) == WHERE
    own = rig.browser()
    place = link(own)
    before = noted(rig)
    for browser, headers in ((rig.browser(), {}), (own, {"Sec-Purpose": "prefetch;prerender"})):
        assert browser.get(place, headers=headers, follow_redirects=False).status_code == 303
    assert noted(rig) == before == {"shown": 1}


def test_nobody_is_counted_unless_the_settings_say_so(rig: PortalRig) -> None:
    rig.parts.url_of = None
    browser = rig.browser()
    assert link(browser) == WHERE
    signed = rig.parts.cookies.sign("article", "a:1")
    assert browser.get("/articles/open", params={"article": signed}, follow_redirects=False).status_code == 404
    browser.submit()
    assert not noted(rig)


def test_a_link_leads_to_an_article_of_ours_and_nowhere_else(rig: PortalRig) -> None:
    browser = rig.browser()
    place = link(browser)
    signed = rig.parts.cookies.sign
    strange = [signed("article", one) for one in ("a:2", "https://evil.example")]
    strange += [signed("ticket", "a:1"), "a:1", WHERE]
    for article in (*strange, place.partition("=")[2] + "x"):
        assert browser.get("/articles/open", params={"article": article}, follow_redirects=False).status_code == 404
    assert browser.get("/articles/open").status_code == 404
    rig.parts.url_of = lambda _id: ""  # since its writers took it from the public
    assert browser.get(place, follow_redirects=False).status_code == 404
    rig.parts.url_of = {"a:1": WHERE}.get
    rig.at += 8 * 24 * 3600
    assert browser.get(place, follow_redirects=False).status_code == 404
    assert noted(rig) == {"shown": 1}


def test_what_was_noted_goes_after_ninety_days_and_a_flood_is_not_noted(rig: PortalRig) -> None:
    link(rig.browser())
    rig.at += 90 * 24 * 3600
    rig.store.forget_browsing(rig.at)
    assert noted(rig)
    rig.at += 3600
    rig.store.forget_browsing(rig.at)
    assert not noted(rig)
    for _ in range(rig.parts.noted.most):
        rig.parts.noted.take("203.0.113.5")
    link(rig.browser())
    assert not noted(rig)

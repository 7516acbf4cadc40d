"""Need 45: who was answered by an article before a ticket."""

from __future__ import annotations

import html
import re
import time

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.core.clock import SystemClock
from ticket_processor.dashboard.server import DashboardOptions, give
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.settings.load import load

from ..cli.drafting import KNOWLEDGE
from ..dashboard.conftest import Pages, main_module, pages
from ..web.portal.site import LEAST_S, Site, site
from .parts import articles
from .test_knowledge_and_doors import Visitor

__all__ = ["main_module", "pages", "site"]
INVOICE = {"subject": "Where is my invoice?", "description": "The invoice of May has not come."}


def test_readers_of_articles_who_sent_no_ticket_are_counted_net_of_those_who_came_back(
    site: Site, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Need 45: shown, opened, not submitted within 24 hours, net of those who come back; report and dashboard."""
    desk = site.command
    desk.configure(f'helpdesk = "local"\nlog_dir = "logs"\n{KNOWLEDGE}\n[portal]\ncount_readers = true\n')
    articles(desk, invoices="# Invoices\nThe invoice of each month is under Billing, as a file.\n")
    monkeypatch.chdir(desk.folder)
    assert CliRunner().invoke(app, ["kb", "sync"], env=desk.environ).exit_code == 0
    url = site.serve()
    visitors = looks, soon, _, comes_back = [Visitor(url) for _ in range(4)]
    for visitor in visitors:
        page = visitor.send("/", "/articles", INVOICE).text
        place = html.unescape(re.findall(r'href="(/articles/open[^"]+)"', page)[0])
        if visitor is not looks:
            opened = visitor.session.get(url + place, allow_redirects=False, timeout=30)
            assert opened.headers["Location"] == "https://help.example.com/invoices"
    with_store(site, "UPDATE browsing SET hour = hour - 30")
    tokens = [re.findall(r'name="form_token" value="([^"]+)"', visitor.get().text)[0] for visitor in (soon, comes_back)]
    time.sleep(LEAST_S)
    for visitor, token in zip((soon, comes_back), tokens, strict=True):
        typed = {**INVOICE, "email": "carla@example.org", "form_token": html.unescape(token)}
        assert "/t/" in visitor.session.post(f"{url}/", data=typed, timeout=30).url
        if visitor is soon:
            with_store(site, "UPDATE browsing SET hour = hour - 29 WHERE what = 'sent'")
    assert site.stop() == 0

    found = desk("report", "--json", "--since", "7d").object["before_tickets"]
    assert found == {"shown": 4, "opened": 3, "unsent": 2, "back": 1, "open_yet": 0}
    told = desk("report", "--details", "--since", "7d").out
    assert re.search(r"sent none +1\b", told)
    assert "given up, written by mail, used another browser" in " ".join(told.split())
    give(DashboardOptions(load(environ=desk.environ), SystemClock(), private=True))
    page = pages.open("overview", {"period": "7 d"})
    assert any("opened one of them" in frame.value.to_string() for frame in page.dataframe)


def with_store(site: Site, statement: str) -> None:
    store: LocalStore = site.store
    with store.writing() as db:
        db.execute(statement)
    store.close()

"""A portal on a real store in a temporary file, and browsers that fill its forms in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
pytest.importorskip("nh3", reason="the extra 'serve' is not installed")

from anyio.from_thread import start_blocking_portal
from argon2 import PasswordHasher
from httpx2 import Response
from starlette.testclient import TestClient

from ticket_processor.helpdesk.local_model import LocalTicket, Query
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.web.portal.application import make_portal
from ticket_processor.web.portal.parts import Portal, Suggest

from ...dashboard.browser import browser

START = 1_800_000_000.0
TYPED = {"subject": "No invoice", "description": "The invoice for May has not come.", "email": "ann@example.com"}


class Browser(TestClient):
    """A browser with its own cookies; follows redirections."""

    rig: PortalRig

    def token(self, path: str = "/") -> str:
        """The token in the forms of a page."""
        return tokens_in(self.get(path).text)[0]

    def submit(self, *, wait: float = 30, **values: Any) -> Response:
        """Open the form, wait as a person would, and send it."""
        token = self.token()
        self.rig.at += wait
        files = values.pop("files", None)
        return self.post("/", data={**TYPED, "form_token": token, **values}, files=files)

    def act(self, ticket: LocalTicket, what: str, **values: Any) -> Response:
        """Send one of the forms on the ticket's page."""
        token = self.token(f"/t/{ticket.number}")
        return self.post(f"/t/{ticket.number}/{what}", data={"form_token": token, **values})


@dataclass
class PortalRig:
    """The application, its store and its time."""

    store: LocalStore
    at: float = START
    told: list[int] = field(default_factory=list)
    app: Any = None
    parts: Any = None
    loop: Any = None

    def notified(self, ticket_id: int) -> bool:
        self.told.append(ticket_id)
        return True

    def browser(self, address: str = "203.0.113.5") -> Browser:
        """Another browser, at this address."""
        browser = Browser(self.app, base_url="http://help.test", client=(address, 5000), raise_server_exceptions=False)
        browser.rig, browser.portal = self, self.loop
        return browser

    def only_ticket(self) -> LocalTicket:
        """The one ticket that there is."""
        [ticket] = self.store.search(Query()).rows
        return ticket


def tokens_in(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'name="form_token" value="([^"]+)"', page)]


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with its least work: each portal hashes once as it starts, and a proper hash takes 50 ms and 64 MiB."""
    cheap = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("ticket_processor.web.portal.agent_accounts.PasswordHasher", cheap)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A real browser, for tests that are marked with ``MARKS`` of ``real_browser``."""
    with browser() as found:
        yield found


MakePortal = Callable[..., PortalRig]


@pytest.fixture(scope="session")
def loop() -> Iterator[Any]:
    """Where the browsers' requests are answered; each one would start threads of its own."""
    with start_blocking_portal() as started:
        yield started


_SPARE: list[PortalRig] = []
"""Portals of tests that have ended. To build an application takes longer than most tests."""


@pytest.fixture
def make_rig(tmp_path: Path, loop: Any) -> Iterator[MakePortal]:
    """Make a portal, with articles where ``suggest`` finds some. Nothing but the application's routes is an old one."""
    opened: list[PortalRig] = []

    def make(*, suggest: Suggest | None = None, address: str = "http://help.test") -> PortalRig:
        path = tmp_path / "helpdesk.sqlite3"
        spare = _SPARE.pop() if _SPARE else None
        if spare is None:
            rig = PortalRig(LocalStore(path))
        else:
            rig = PortalRig(spare.store, app=spare.app, parts=spare.parts)
            for old in (rig.store, rig.parts):
                vars(old).clear()
            LocalStore.__init__(rig.store, path)
        rig.loop = loop
        opened.append(rig)
        options: Any = {"now": lambda: rig.at, "notify": rig.notified, "suggest": suggest, "address": address}
        options |= {"key": b"a key for tests only, 32 bytes long", "name": "Acme help"}
        if spare is None:
            rig.parts = Portal(rig.store, **options)
            rig.app = make_portal(rig.parts)
        else:
            Portal.__init__(rig.parts, rig.store, **options)
        return rig

    yield make
    for rig in opened:
        rig.store.close()
    _SPARE.extend(opened)


@pytest.fixture
def rig(make_rig: MakePortal) -> PortalRig:
    """A portal without articles."""
    return make_rig()

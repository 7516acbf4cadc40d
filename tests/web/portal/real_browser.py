"""A portal that listens and a real browser for it, which tells what it was asked for and who could not read a page."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ...dashboard.browser import executable
from .conftest import PortalRig

MARKS = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="playwright is not installed"),
    pytest.mark.skipif(executable() is None, reason="there is no Chromium, Chrome or Edge"),
]
AXE = Path(__file__).resolve().parents[3] / "node_modules" / "axe-core" / "axe.min.js"
WIDE = (1280, 900)
SIZES = {"wide": WIDE, "at 200% zoom": (640, 450), "narrow": (320, 700)}


@dataclass
class Watched:
    """What tabs asked for, and what the browser complained of."""

    asked: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    @property
    def strangers(self) -> list[str]:
        return [url for url in self.asked if urlsplit(url).hostname != "127.0.0.1"]


@dataclass
class ListeningPortal:
    """A portal that listens, and a browser for it."""

    rig: PortalRig
    url: str
    chromium: Any
    watched: Watched = field(default_factory=Watched)

    @contextmanager
    def tab(self, *, script: bool = True) -> Iterator[Any]:
        """A tab with no memory of others."""
        context = self.chromium.new_context(
            viewport={"width": WIDE[0], "height": WIDE[1]},
            java_script_enabled=script,
            locale="en-GB",
            timezone_id="Asia/Tokyo",
            base_url=self.url,
        )
        try:
            page = context.new_page()
            page.on("request", lambda request: self.watched.asked.append(request.url))
            page.on("pageerror", lambda error: self.watched.troubles.append(f"error: {error}"))
            page.on("dialog", lambda dialog: (self.watched.troubles.append("a script has run"), dialog.dismiss()))
            page.on("console", lambda said: self.watched.troubles.append(said.text) if said.type == "error" else None)
            yield page
        finally:
            context.close()


@contextmanager
def listening_portal(rig: PortalRig, chromium: Any) -> Iterator[ListeningPortal]:
    """Let the portal listen."""
    from ticket_processor.web.server import Server, listening

    at = listening("127.0.0.1", 0)
    server = Server(rig.app, at)
    server.start()
    try:
        yield ListeningPortal(rig, f"http://127.0.0.1:{at.getsockname()[1]}", chromium)
    finally:
        server.stop()


def faults_of(page: Any, name: str) -> list[tuple[str, str]]:
    """What does not fit or cannot be read by everybody on this page: in light and dark, narrow, zoomed and wide."""
    found = []
    page.wait_for_load_state()
    if AXE.is_file():
        page.evaluate(AXE.read_text(encoding="utf-8"))
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            found.append((f"{name}, {size}", "is scrolled sideways"))
        for scheme in ("light", "dark") if AXE.is_file() else ():
            page.emulate_media(color_scheme=scheme)
            told = page.evaluate("axe.run().then(result => result.violations)")
            found += [(f"{name}, {size}, {scheme}: {each['id']}", each["nodes"][0]["html"]) for each in told]
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    return found


def tab_to(page: Any, selector: str, most: int = 200) -> None:
    """Press Tab until the focus is there."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")

"""A real browser that can reach this machine only, and tells everything that it was asked for."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
DESKTOP, PHONE = (1400, 1000), (390, 844)
_WAIT_MS = 90_000

_POINTS = """() => [...document.querySelectorAll('.stVegaLiteChart')].map(
  chart => chart.querySelectorAll('path[aria-roledescription=bar]').length)"""
_TOO_WIDE = """() => [document.documentElement, document.querySelector('[data-testid=stMain]')].map(
  part => part.scrollWidth - part.clientWidth)"""


def executable() -> str | None:
    """A browser of this machine, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Tab:
    """A page of the dashboard in a browser."""

    page: Any
    url: str
    asked: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def open(self, name: str, query: str = "", *, pause_ms: float = 300) -> None:
        """Go there, and wait until everything is shown."""
        self.page.goto(f"{self.url}/{'' if name == 'overview' else name}{query and '?'}{query}")
        self.page.wait_for_selector("h1", timeout=_WAIT_MS)
        self.settle(pause_ms)

    def settle(self, pause_ms: float = 300) -> None:
        """Wait until nothing is being worked out, and every chart is drawn."""
        self.page.wait_for_function(
            "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
            " && !document.querySelector('[data-testid=stSkeleton]')"
            " && [...document.querySelectorAll('.stVegaLiteChart')].every(chart => chart.querySelector('svg path'))",
            timeout=_WAIT_MS,
        )
        self.page.wait_for_timeout(pause_ms)  # the last bars grow

    def points(self) -> list[int]:
        """How many bars, points or fields each chart has drawn."""
        found: list[int] = self.page.evaluate(_POINTS)
        return found

    def too_wide(self) -> int:
        """Pixels by which the page has to be scrolled sideways."""
        return max(self.page.evaluate(_TOO_WIDE))

    @property
    def strangers(self) -> list[str]:
        """What was asked of any other machine."""
        return [url for url in self.asked if urlsplit(url).hostname not in ("127.0.0.1", None)]


@contextmanager
def browser() -> Iterator[Any]:
    """A browser with a profile of its own, gone afterwards."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable(), headless=True, args=list(FLAGS))
        try:
            yield found
        finally:
            found.close()


@contextmanager
def tab(of: Any, url: str, *, size: tuple[int, int] = DESKTOP, dark: bool = False, scale: float = 1.0) -> Iterator[Tab]:
    """A tab of that size, with no memory of others."""
    width, height = size
    context = of.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        device_scale_factor=scale,
        locale="en-GB",
        base_url=url,
    )
    try:
        made = Tab(context.new_page(), url)
        made.page.on("request", lambda request: made.asked.append(request.url))
        made.page.on("websocket", lambda socket: made.asked.append(socket.url))
        made.page.on("requestfailed", lambda request: made.troubles.append(f"failed: {request.url}"))
        made.page.on("pageerror", lambda error: made.troubles.append(f"error: {error}"))
        made.page.on("console", lambda said: made.troubles.extend(_trouble(said)))
        yield made
    finally:
        context.close()


def _trouble(said: Any) -> list[str]:
    """What the browser complains of. Streamlit looks for its server below a page's address first, which is no fault."""
    where = urlsplit(said.location.get("url") or "").path
    if said.type != "error" or (" 404 " in said.text and where.endswith(("/_stcore/health", "/_stcore/host-config"))):
        return []
    return [f"console: {said.text} ({where})"]


@contextmanager
def dashboard(folder: Path, environ: Mapping[str, str], *arguments: str) -> Iterator[str]:
    """The command in a process of its own, with its settings in ``folder``; where it is."""
    command = [sys.executable, "-m", "ticket_processor", "dashboard", "--port", "0", *arguments]
    process = subprocess.Popen(command, cwd=folder, env=dict(environ), stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        found = re.search(r"The dashboard is at (\S+) ", told)
        assert found, f"the dashboard did not start: {told}"
        yield found[1]
    finally:
        process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGINT)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.run_summary import RunRecord, RunSummary
from ticket_processor.state.store import FILE_NAME, State

from ..cli.conftest import OURS, REPOSITORY
from .browser import DESKTOP, PHONE, Tab, browser, dashboard, executable, tab
from .logs import DAY, HOUR, NOW, failed, fell_back, run, ticket, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(executable() is None, reason="no Chromium or Chrome on this machine"),
]

PERIOD = "period=custom&from=2026-11-14&until=2026-11-20"
CHARTS = {"overview": 7, "tickets": 0, "review": 0, "try_it": 0, "costs": 2, "runs": 0}
_CHART_TEXT = """() => [...document.querySelectorAll('.stVegaLiteChart svg text')]
  .filter(text => text.textContent.trim())
  .map(text => [text.textContent, getComputedStyle(text).fill])"""
HOSTILE = "![x](http://127.0.0.1:9/x.png)<img src='http://127.0.0.1:9/y.png'>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("dashboard")
    lines = []
    for number in range(1, 181):
        kind = ("billing", "refund", "technical")[number % 3]
        language = ("en", "de")[number % 2]
        lines.append(ticket(number, number * 0.75 * HOUR, category=kind, language=language))
    lines += [fell_back(200, HOUR), failed(201, 2 * HOUR), ticket(202, 3 * HOUR, category=HOSTILE, summary=HOSTILE)]
    for day in range(6):
        lines += run(f"run-{day}", day * DAY + HOUR)
    write(made / "logs", lines)
    (made / "state").mkdir()
    state = State(made / "state" / FILE_NAME)
    for day in range(6):
        outcomes = {"updated": 30, "failed": day % 2}
        summary = RunSummary(run_id=f"run-{day}", dry_run=False, outcomes=outcomes, newly_failed=day % 2)
        begun = NOW - day * DAY - HOUR
        state.keep_run(RunRecord(run_id=f"run-{day}", started=begun, finished=begun + 5, summary=summary))
    state.close()
    return made


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(OURS)}
    environ = {**kept, "PYTHONPATH": str(REPOSITORY), "TICKETBOT_STATE_DIR": str(folder / "state")}
    with dashboard(folder, environ) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture
def desktop(chromium: Any, url: str) -> Iterator[Tab]:
    with tab(chromium, url) as made:
        yield made


@dataclass
class Arrivals:
    """A tab that refreshes itself, and how many tickets it is to show soon."""

    shown: Tab
    expected: int


@pytest.fixture(scope="module")
def arrivals(chromium: Any, url: str, folder: Path) -> Iterator[Arrivals]:
    """Two tickets come in while the page is open. It takes ten seconds to notice, so it is opened before all others."""
    with tab(chromium, url) as shown:
        shown.open("overview", f"{PERIOD}&refresh=10+s")
        before = int(shown.page.get_by_test_id("stMetricValue").first.inner_text())
        write(folder / "logs", [ticket(900, 0.5 * HOUR), ticket(901, 0.5 * HOUR)])
        yield Arrivals(shown, before + 2)


def test_every_page_is_drawn_fits_and_asks_nobody_else(arrivals: Arrivals, desktop: Tab) -> None:
    for name, charts in CHARTS.items():
        desktop.open(name, PERIOD)
        for width, height in (DESKTOP, PHONE):
            desktop.page.set_viewport_size({"width": width, "height": height})
            desktop.settle()
            assert desktop.too_wide() <= 0, f"{name} has to be scrolled sideways at {width} pixels"
            drawn = desktop.points()
            assert len(drawn) == charts, name
            assert all(drawn), f"{name}: a chart is empty: {drawn}"
        assert desktop.page.get_by_text("This is a bug").count() == 0, name
        desktop.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    check_asked(desktop)
    assert desktop.page.title() == "ticketbot", "a log's script was run"


def check_asked(shown: Tab) -> None:
    """Nobody but the dashboard was asked for anything, and nothing went wrong."""
    assert shown.asked
    assert shown.strangers == []
    assert not [asked for asked in shown.asked if ":9/" in asked], "what stands in a log was loaded"
    assert shown.troubles == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_in_charts_has_enough_contrast(chromium: Any, url: str, dark: bool) -> None:
    with tab(chromium, url, dark=dark) as shown:
        for name in ("overview", "costs"):
            shown.open(name, PERIOD)
            found = shown.page.evaluate(_CHART_TEXT)
            ground = shown.page.evaluate("() => getComputedStyle(document.querySelector('.stApp')).backgroundColor")
            assert len(found) > 10
            faint = {text: colour for text, colour in found if contrast(colour, ground) < 4.5}
            assert faint == {}, name


def contrast(one: str, other: str) -> float:
    """The ratio that WCAG asks for, of two colours as a browser writes them."""
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def rows(shown: Tab) -> list[str]:
    """The table's rows, as those who cannot see it are told."""
    found = shown.page.locator("[data-testid=stDataFrame] tbody [role=row]")
    found.first.wait_for(state="attached")
    texts: list[str] = found.all_text_contents()
    return texts


def test_a_filter_is_in_the_address_and_goes_along_to_other_pages(desktop: Tab) -> None:
    desktop.open("overview", PERIOD)
    desktop.page.get_by_role("combobox", name="Category", exact=True).click()
    desktop.page.get_by_role("option", name="refund").click()
    desktop.page.keyboard.press("Escape")
    desktop.page.wait_for_function("() => location.search.includes('category=refund')")
    desktop.settle()
    address = desktop.page.url
    desktop.page.get_by_test_id("stSidebarNav").get_by_text("Tickets", exact=True).last.click()
    desktop.page.get_by_text("60 receipts;").wait_for()
    assert all("refund" in row for row in rows(desktop))
    desktop.page.goto(address)
    desktop.page.get_by_test_id("stMetricValue").first.wait_for()
    desktop.settle()
    assert desktop.page.get_by_test_id("stMetricValue").first.inner_text() == "60"


def test_new_tickets_arrive_by_themselves(arrivals: Arrivals) -> None:
    tickets = arrivals.shown.page.get_by_test_id("stMetricValue").first
    tickets.get_by_text(str(arrivals.expected)).wait_for(timeout=30_000)

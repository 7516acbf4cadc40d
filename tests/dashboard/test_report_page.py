from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ticket_processor.commands.report import page
from ticket_processor.reporting.index import LogIndex
from ticket_processor.reporting.report import gather
from ticket_processor.settings.schema import Settings

from ..support.log_days import at, receipt, write_log
from .browser import PHONE, browser, executable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(executable() is None, reason="no Chromium or Chrome on this machine"),
]

_TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_COLOURS = """() => [...document.querySelectorAll('h1, td, th')].map(
  part => getComputedStyle(part).color.match(/\\d+/g).slice(0, 3).map(Number))"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    folder = tmp_path_factory.mktemp("report")
    lines = [
        receipt(day * 100 + number, f"11-{day} {number:02}:00", "failed" if number == 9 else "updated", category=label)
        for day in range(14, 21)
        for number, label in enumerate(("billing", "a_category_of_a_name_that_is_rather_long", "refund") * 4)
    ]
    write_log(folder / "logs", lines)
    with LogIndex(folder / "logs", lambda: at("11-21 03:30")) as index:
        found = gather(
            index, at("11-14 00:00"), at("11-21 00:00"), Settings.model_validate({"zendesk": {"url": "acme"}})
        )
    file = folder / "report.html"
    file.write_text(page(found), encoding="utf-8")
    with browser() as chromium:
        yield chromium, file.as_uri()


def opened(shown: tuple[Any, str], **options: Any) -> tuple[Any, list[str]]:
    chromium, url = shown
    tab = chromium.new_context(**options).new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda said: asked.append(said.text))
    tab.goto(url)
    return tab, asked


def brightness(colours: list[list[int]]) -> list[float]:
    return [sum(colour) / 3 for colour in colours]


def test_it_asks_for_nothing_and_fits_a_desk_and_a_phone(shown: tuple[Any, str]) -> None:
    for width, height in ((1200, 900), PHONE):
        tab, asked = opened(shown, viewport={"width": width, "height": height})
        assert asked == [shown[1]]
        assert tab.evaluate(_TOO_WIDE) <= 0
        assert tab.title() == "Triage report: acme.zendesk.com, 2026-11-14 to 2026-11-20 (UTC)"
        tab.context.close()


def test_words_are_light_in_the_dark_and_dark_on_paper(shown: tuple[Any, str]) -> None:
    tab, _ = opened(shown, color_scheme="dark")
    assert min(brightness(tab.evaluate(_COLOURS))) > 120
    tab.emulate_media(media="print", color_scheme="dark")
    assert max(brightness(tab.evaluate(_COLOURS))) < 120
    tab.context.close()

"""How long the dashboard's first page takes to be painted, with a small log and with a large one.

python scripts/bench_dashboard.py [--small LINES] [--large LINES] [--days N] [--times N] [--most RATIO]

Both logs are made up (see bench_report.py) and hold the same days. The page is the overview as it opens, over seven
days, in a real browser: from the address to the last bar of the last chart. Measured are a visit to a dashboard that
runs already, the first visit after its start with the log's index at hand, and that without one, which is made first;
and, since a browser takes its time for anything, what Python alone takes for the page. Exit code 1: a ratio is above
``--most``, that without an index apart. Needs the development packages and a Chromium or Chrome.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import development  # noqa: F401 - for its effect
import streamlit as st
from bench_report import write_log
from streamlit.testing.v1 import AppTest

from tests.dashboard.browser import browser, dashboard, executable, tab
from ticket_processor.audit.files import INDEX_FOLDER, log_files
from ticket_processor.core.clock import SystemClock
from ticket_processor.dashboard.options import DashboardOptions, give
from ticket_processor.dashboard.server import SCRIPT
from ticket_processor.settings.schema import Settings

ROOT = Path(__file__).resolve().parent.parent
CHARTS = 8
FEWEST = 10_000
COLD = "without an index"


def visit(chromium: Any, url: str, query: str) -> float:
    """Seconds until everything is painted, in a browser that has never been there."""
    with tab(chromium, url) as shown:
        began = time.perf_counter()
        shown.open("overview", query, pause_ms=0)
        took = time.perf_counter() - began
        drawn = shown.points()
        if len(drawn) != CHARTS or not all(drawn):
            sys.exit(f"the page is not whole: {drawn}")
        return took


def worked_out(folder: Path, times: int, query: str) -> tuple[float, float]:
    """Seconds that the page takes without a browser: with the index open and no answer remembered, and to open it."""
    logging.disable(logging.WARNING)  # Streamlit notices that it does not run as a server
    give(DashboardOptions(Settings(log_dir=folder / "logs", state_dir=folder / "state"), folder, SystemClock()))
    AppTest.from_file(SCRIPT, default_timeout=600).run()  # loads what any page needs
    opening: list[float] = []
    asking: list[float] = []
    for took in (opening, asking):
        for _ in range(times):
            st.cache_data.clear()
            if took is opening:
                st.cache_resource.clear()
            page = AppTest.from_file(SCRIPT, default_timeout=600)
            for name, value in parse_qsl(query):
                page.query_params[name] = value
            began = time.perf_counter()
            page.run()
            took.append(time.perf_counter() - began)
            if len(page.get("plotly_chart")) != CHARTS:
                sys.exit("the page is not whole")
    return statistics.median(asking), statistics.median(opening)


def measured(chromium: Any, folder: Path, times: int, query: str) -> dict[str, float]:
    """Medians of visits, in seconds."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "TICKETBOT_LOG_DIR": str(folder / "logs")}
    environ["TICKETBOT_STATE_DIR"] = str(folder / "state")
    shutil.rmtree(folder / "logs" / INDEX_FOLDER, ignore_errors=True)
    with dashboard(folder, environ) as url:
        cold = visit(chromium, url, query)
    first = []
    for _ in range(times):
        with dashboard(folder, environ) as url:
            first.append(visit(chromium, url, query))
            again = [visit(chromium, url, query) for _ in range(times)]
    asking, opening = worked_out(folder, times, query)
    return {
        "it runs already": statistics.median(again),
        "first after its start": statistics.median(first),
        "Python, index open": asking,
        "Python, index at hand": opening,
        COLD: cold,
    }


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--most", type=float, default=3.0)
    parser.add_argument("--query", default="", help="of the address, such as period=30+d")
    asked = parser.parse_args()
    if asked.small < FEWEST:
        parser.error(f"--small: at least {FEWEST:,} lines, or some charts have nothing to show")
    if executable() is None:
        sys.exit("there is no Chromium or Chrome on this machine")
    found: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-dashboard-") as temporary, browser() as chromium:
        for lines in (asked.small, asked.large):
            folder = Path(temporary) / str(lines)
            write_log(folder / "logs", lines, asked.days, packed=True)
            files = log_files(folder / "logs")
            size = sum(file.path.stat().st_size for file in files)
            print(f"{lines:,} lines in {len(files)} files, {size / 1e6:,.0f} MB packed", flush=True)
            found[lines] = measured(chromium, folder, asked.times, asked.query)
    small, large = found[asked.small], found[asked.large]
    print(f"\n{'Overview painted, seconds':26}{asked.small:>12,}{asked.large:>12,}   ratio")
    for name in small:
        print(f"{name:26}{small[name]:>12.2f}{large[name]:>12.2f}{large[name] / small[name]:>8.2f}")
    return int(any(large[name] / small[name] > asked.most for name in small if name != COLD))


if __name__ == "__main__":
    sys.exit(main())

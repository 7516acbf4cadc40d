"""The arithmetic about threads and machines follows from the measured figures and the program's limits."""

from __future__ import annotations

import math
import re
from pathlib import Path

from ticket_processor.helpdesk.freshdesk_format import SUB_LIMITS
from ticket_processor.settings.schema import RunSettings, Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "scaling.md").read_text(encoding="utf-8")
FIGURES = (DOCS / "figures.md").read_text(encoding="utf-8")
SHARE = Settings().run.limit_share
MEAN_S = 2 * math.exp((math.log(2) / 1.6449) ** 2 / 2)
"""Of the model of the figures: log-normal, half of its answers within 2 s and 95% within 4 s."""


def figure(pattern: str) -> list[float]:
    """The numbers of a line of figures."""
    found = re.search(pattern, FIGURES)
    assert found is not None, pattern
    return [float(number.replace(",", "")) for number in found.groups()]


def told(bound: str) -> float:
    """The tickets a minute in the row that begins so."""
    (row,) = re.findall(rf"^\| {re.escape(bound)}.*\| ([\d,]+) \|$", PAGE, flags=re.MULTILINE)
    return float(row.replace(",", ""))


def near(value: float, expected: float) -> bool:
    return math.isclose(value, expected, rel_tol=0.03)


def test_what_the_helpdesks_let_through() -> None:
    (requests,) = figure(r"Requests for each ticket: .*; ([\d.]+); \d+ s\*\*")
    assert near(told("Zendesk Enterprise"), 700 * SHARE / requests)
    tickets, credits = figure(r"Credits that a run of (\d+) tickets booked.*?\*\*([\d,]+),")
    assert min(SUB_LIMITS) == 200
    assert near(told("Freshdesk Growth"), 200 * SHARE / (credits / tickets))


def test_what_one_machine_does() -> None:
    (rules,) = figure(r"by rules through jobs, the process on one core: \*\*(\d+) a second")
    assert near(told("one processor"), 60 * rules)
    (share,) = figure(r"3.3 s more; 76%; 8.4 s more, (\d+)%")
    assert near(told("200 threads"), 200 * 60 / MEAN_S * share / 100)


def test_how_many_threads_and_machines_that_takes() -> None:
    threads = re.search(r"So (\d+) threads reach", PAGE)
    assert threads is not None
    assert near(float(threads[1]), told("Zendesk Enterprise") * MEAN_S / 60)
    assert told("Freshdesk Growth") * MEAN_S / 60 <= 1
    most = next(bound.le for bound in RunSettings.model_fields["workers"].metadata if hasattr(bound, "le"))
    assert f"`run.workers` goes up to {most}" in PAGE
    assert "one for 48\ntickets a minute, 21 for 1,000" in PAGE
    assert (60 * 4 / 5, math.ceil(1_000 * 5 / (60 * 4))) == (48, 21)
    (tokens,) = figure(r"Tokens of a prompt .*?\*\*median (\d+)")
    assert f"*s* is {tokens:.0f} tokens" in PAGE

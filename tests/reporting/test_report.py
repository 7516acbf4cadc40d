from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.commands import report as report_page
from ticket_processor.commands.report import markdown, period_of
from ticket_processor.core.clock import iso, parse_iso
from ticket_processor.core.errors import ConfigError
from ticket_processor.core.tables import as_csv
from ticket_processor.reporting import report as tables
from ticket_processor.reporting.index import LogIndex
from ticket_processor.reporting.report import Report, as_data, gather
from ticket_processor.settings.schema import Settings

from ..support.fakes import START
from ..support.log_days import at, receipt, run_lines, write_log
from ..support.zones import ELSEWHERE, needs_zones, standing_in

SETTINGS = Settings.model_validate({"zendesk": {"url": "acme"}, "slo": {"latency_s": 2.0}})
NASTY = '<script>alert("1")</script> $x^2$ =HYPERLINK("http://evil.example") & more'


def made(
    folder: Path, lines: Iterable[dict[str, Any]], since: str = "11-14 00:00", until: str = "11-21 00:00"
) -> Report:
    write_log(folder, lines)
    with LogIndex(folder, lambda: START) as index:
        return gather(index, at(since), at(until), SETTINGS)


def csv_rows(report: Report) -> list[list[str]]:
    return list(csv.reader(io.StringIO(as_csv([*tables.whole(report)]))))


def test_nothing_in_markdown_becomes_mark_up_a_mention_a_link_or_a_formula(tmp_path: Path) -> None:
    nasty = f"{NASTY} | a | [x](http://evil.example) @everyone #12 `c` **b**"
    formula = '=HYPERLINK("http://evil.example")'
    lines = [
        receipt(1, "11-20 08:00", category=nasty, model=formula),
        receipt(2, "11-20 08:00", "failed", reason=formula, analysis=None),
    ]
    text = markdown(made(tmp_path, lines))
    assert "evil" in text
    for mark in ("<script", "http://evil", "](", "@everyone", " #12", "`c`", "**b**", " $x", "| ="):
        assert mark not in text.replace("\\#", "").replace("\\`", "").replace("\\*", "").replace("\\$", ""), mark
    tables = [line for line in text.splitlines() if line.startswith("|")]
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in tables}
    assert widths <= {3, 4, 5, 6, 7}
    assert all(line.endswith(" |") for line in tables)


def a_week(**facts: Any) -> list[dict[str, Any]]:
    """Two tickets a day for six weeks, and four more of another kind in the last one."""
    lines = [
        line
        for day in days()
        for line in (receipt(number(day, 1), f"{day} 08:00", **facts), receipt(number(day, 2), f"{day} 20:00"))
    ]
    lines += [
        receipt(
            10 + n,
            "11-18 09:00",
            category="refund",
            source="rules",
            model=None,
            cost_usd=None,
            tokens={"input": 0, "output": 0, "cached": 0},
            total_ms=3000,
        )
        for n in (1, 2)
    ]
    lines += [
        receipt(20, "11-18 10:00", "failed", reason="HTTP 503"),
        receipt(21, "11-18 10:00", "skipped", analysis=None),
    ]
    for day in ("11-17", "11-18"):
        lines += run_lines(f"r{day}", f"{day} 08:00", f"{day} 08:01")
    return lines


def days() -> list[str]:
    return [f"10-{day:02d}" for day in range(10, 32)] + [f"11-{day:02d}" for day in range(1, 21)]


def number(day: str, which: int) -> int:
    return int(day.replace("-", "")) * 10 + which


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return made(tmp_path_factory.mktemp("log"), a_week())


def only_now() -> list[dict[str, Any]]:
    """The last week alone."""
    return [line for line in a_week() if line["ts"] >= "2026-11-14"]


@pytest.mark.slow
def test_what_a_report_cannot_know_it_says(tmp_path: Path) -> None:
    recent = [line for line in a_week() if line["ts"] >= "2026-11-10"]
    (remark,) = made(tmp_path / "a", recent).remarks
    assert remark == "the log begins on 2026-11-10: there is no whole period before this one to compare it with"
    assert made(tmp_path / "b", recent, "11-08 00:00").remarks[0] == "the log begins on 2026-11-10, within this period"
    (empty,) = made(tmp_path / "c", recent, "11-20 21:00", "11-20 22:00").remarks
    assert empty == "the log has no ticket in this period; it covers 2026-11-10 to 2026-11-20"
    assert made(tmp_path / "d", []).remarks == ("there is no log yet",)
    (unpriced,) = made(tmp_path / "e", a_week(cost_usd=None)).remarks
    assert unpriced.startswith("7 answers of models have no price")


def test_json_holds_everything_and_no_python(report: Report) -> None:
    data = json.loads(json.dumps(as_data(report), allow_nan=False))
    assert (data["since"], data["until"]) == ("2026-11-14T00:00:00Z", "2026-11-21T00:00:00Z")
    assert (data["totals"]["tickets"], data["before"]["tickets"]) == (18, 14)
    assert data["totals"]["fallback_rate"] == pytest.approx(2 / 17, abs=1e-6)
    assert data["latency_ms"] == {"count": 17, "p50": 1000, "p95": 3000, "p99": 3000, "most": 3000, "in_time": 15}
    assert data["by"]["category"][1] == {"label": "refund", "tickets": 2, "share": pytest.approx(2 / 17, abs=1e-6)}
    assert data["runs"]["exit_codes"] == {"0": 2}
    assert [item["label"] for item in data["models"]] == ["m-1", "rules"]
    assert len(data["series"]) == 7
    assert (data["collected"], data["knowledge"]) == (None, None)


def test_spreadsheets_take_no_label_for_a_formula(tmp_path: Path) -> None:
    lines = [receipt(1, "11-18 08:00", "failed", reason="=1+1", model="@SUM(A1)", category="-x")]
    rows = csv_rows(made(tmp_path, lines))
    assert len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    assert {"'=1+1", "'@SUM(A1)", "'-x"} <= set(cells)
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+")) or (cell.startswith("-") and cell != "-")]


def test_tables_say_what_the_figures_say(report: Report) -> None:
    found = {table.title: table for table in tables.tables(report)}
    overview = {row[0]: row[1:] for row in found["Overview"].rows}
    assert overview["tickets"] == ("18", "14", "+29%")
    assert overview["latency p95"] == ("3.0 s", "1.0 s", "+200%")
    assert overview["success rate"] == ("94.1%", "100.0%", "-5.9 pts")
    assert overview["fallback rate"] == ("11.8%", "0.0%", "+11.8 pts")
    assert overview["cost"] == ("$0.15", "$0.14", "+7%")
    assert ("category", "billing", "15", "88.2%", "14") in found["Tickets"].rows
    assert ("failed", "1", "HTTP 503") in found["Why they failed or were left alone"].rows
    assert [row[3] for row in found["Service levels"].rows] == ["missed", "missed"]
    assert ("by exit code", "0: 2") in found["Runs"].rows
    (day,) = (row for row in tables.series(report).rows if row[0] == "2026-11-18 00:00")
    assert day[2] == "1", "failed"
    assert all(len(row) == len(table.columns) for table in found.values() for row in table.rows)


def test_an_empty_period_has_a_report_all_the_same(tmp_path: Path) -> None:
    empty = made(tmp_path, [])
    assert json.dumps(as_data(empty))
    assert csv_rows(empty)
    assert [row for table in tables.tables(empty) for row in table.rows] == [("tickets", "0")]
    assert "There is no log yet." in report_page.page(empty)
    assert report_page.mail_body(empty)


# The page


class _Page(HTMLParser):
    """What is on a page: its elements, their attributes, its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_needs_nothing_else_and_runs_nothing_whatever_stands_in_the_log(tmp_path: Path) -> None:
    lines = [
        *only_now(),
        receipt(5, "11-18 08:00", "failed", reason=NASTY, model=NASTY, category=NASTY, language=NASTY),
    ]
    text = report_page.page(made(tmp_path, lines))
    found = _Page(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & set(found.tags)
    assert "default-src 'none'" in text
    for tag, name, value in found.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in ("href", "xlink:href", "src"):
            assert (value or "").startswith("#"), (tag, name, value)
    assert not re.findall(r"url\((?!#)", text)
    assert NASTY in found.text.replace("\xa0", " ")
    ids = [value for _, name, value in found.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_no_form_holds_a_word_of_a_customer(report: Report) -> None:
    for form in (
        report_page.page(report),
        report_page.mail_body(report),
        as_csv([*tables.whole(report)]),
        json.dumps(as_data(report)),
    ):
        assert "twice" not in form  # which is in each summary and quote of this log


def test_a_mail_is_aligned_text_and_nothing_but(tmp_path: Path) -> None:
    lines = [*only_now(), receipt(5, "11-18 08:00", "failed", reason=NASTY)]
    found = _Page(report_page.mail_body(made(tmp_path, lines)))
    assert found.tags == ["pre"]
    text = re.sub(r" +", " ", found.text)
    assert "1 HTTP 503" in text
    assert f" {NASTY} " in text.replace("\n", " \n")
    assert text.startswith(
        "Triage report: acme.zendesk.com, 2026-11-14 to 2026-11-20 (UTC)\nMade 2026-11-21 03:30 UTC by"
    )
    assert "\nNote: the log begins on 2026-11-14: there is no whole period before" in text
    assert "\n tickets 19\n understood 18\n" in text


def test_what_ended_runs_early_and_what_costs_are_not_known_is_told_in_words(tmp_path: Path) -> None:
    early = [
        *run_lines("r-1", "11-18 08:00", "11-18 08:01", exit_code=143, stopped="stopped", stopped_by="Stopping"),
        *run_lines("r-2", "11-18 09:00", "11-18 09:01", exit_code=3, stopped="down", stopped_by="HelpdeskDown"),
        *run_lines("r-3", "11-18 10:00", "11-18 10:01", exit_code=3, stopped="odd", stopped_by="OfAnotherVersion"),
    ]
    found = made(tmp_path, [receipt(5, "11-18 08:00", cost_usd=None), *early])
    (runs,) = (table for table in tables.tables(found) if table.title == "Runs")
    ended = dict(runs.rows)["ended early"]
    assert sorted(ended.split(", ")) == ["OfAnotherVersion: 1", "helpdesk unreachable: 1", "stopped by a signal: 1"]
    told = {row[0]: row[1] for row in tables.overview(found).rows}
    assert told["cost"] == "no price"
    assert "cost per ticket" not in told
    assert "$0.00" not in report_page.page(found)


# Which period


def asked(**wishes: Any) -> tuple[str, str]:
    since, until = period_of(START, **wishes)
    first, last = (datetime.fromtimestamp(edge, UTC) for edge in (since, until))
    return f"{first:%m-%d %H:%M}", f"{last:%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({}, ("11-14 03:30", "11-21 03:30")),
        ({"since": "24h"}, ("11-20 03:30", "11-21 03:30")),
        ({"since": "2026-11-01"}, ("11-01 00:00", "11-21 03:30")),
        ({"since": "2026-11-01", "until": "2026-11-08"}, ("11-01 00:00", "11-08 00:00")),
        ({"until": "2026-11-08"}, ("11-01 00:00", "11-08 00:00")),
        ({"since": "999999d"}, ("01-01 00:00", "11-21 03:30")),
        ({"period": "day"}, ("11-20 00:00", "11-21 00:00")),
        ({"period": "week"}, ("11-09 00:00", "11-16 00:00")),
        ({"period": "month"}, ("10-01 00:00", "11-01 00:00")),
    ],
)
def test_a_period_is_what_was_asked_for(wishes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert asked(**wishes) == expected


@needs_zones
@pytest.mark.parametrize("zone", ELSEWHERE)
@pytest.mark.parametrize(
    ("period", "edges"),
    [
        ("day", ("2026-10-30T00:00:00Z", "2026-10-31T00:00:00Z")),
        ("week", ("2026-10-19T00:00:00Z", "2026-10-26T00:00:00Z")),
        ("month", ("2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z")),
    ],
)
@pytest.mark.parametrize("hour", [2, 20])  # it is another day by then in one of the zones, and at 20:00 another month
def test_a_period_is_of_days_in_utc_wherever_the_machine_stands(
    zone: str, period: Any, edges: tuple[str, str], hour: int
) -> None:
    with standing_in(zone):
        since, until = period_of(parse_iso(f"2026-10-31T{hour:02}:00:00Z"), period=period)
    assert (iso(since), iso(until)) == edges


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"since": "yesterday"}, "--since: not understood"),
        ({"until": "soon"}, "--until: not understood"),
        ({"since": "2027-01-01"}, "--since lies in the future"),
        ({"since": "1d", "until": "2d"}, "--since must lie before --until"),
    ],
)
def test_a_period_that_is_none_is_told(wishes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        asked(**wishes)

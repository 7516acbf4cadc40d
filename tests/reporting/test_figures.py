from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.clock import parse_iso
from ticket_processor.reporting import figures, queries
from ticket_processor.reporting.figures import PLANNED
from ticket_processor.reporting.index import LogIndex
from ticket_processor.reporting.queries import LogSelection
from ticket_processor.settings.schema import SloSettings

from ..support.cases import for_each
from ..support.fakes import START
from ..support.log_days import at, receipt, run_lines, write_log

Line = dict[str, Any]
CATEGORIES = ("billing", "refund", "technical")


def opened(folder: Path, *lines: Line, now: float = START) -> LogIndex:
    write_log(folder, lines)
    return LogIndex(folder, lambda: now)


def a_log(seed: int, count: int = 150) -> list[Line]:
    """Lines of few tickets, so that many of them have several, in no order."""
    dice = random.Random(seed)
    lines = []
    for number in range(count):
        minute = dice.randrange(4 * 24 * 60)
        when = datetime(2026, 11, 17, tzinfo=UTC) + timedelta(minutes=minute)
        outcome = dice.choice(("updated", "updated", "suggested", "skipped", "failed"))
        understood = outcome != "skipped" or dice.random() < 0.2
        source = dice.choice(("model", "model", "rules", "classifier"))
        kind = dice.choice(("", "", "", "", "-undo", "dry"))
        facts: dict[str, Any] = {
            "category": dice.choice(CATEGORIES),
            "urgency": dice.choice(("low", "high")),
            "sentiment": dice.choice(("negative", "neutral")),
            "language": dice.choice(("en", "de")),
            "source": source,
            "model": dice.choice(("m-1", "m-2")) if source == "model" else None,
            "why_fallback": None if source == "model" else dice.choice(("model_timeout", *PLANNED)),
            "cached": dice.random() < 0.1,
            "suspicious": ["tells_a_model"] if dice.random() < 0.1 else [],
        }
        line = receipt(
            dice.randrange(1, 40),
            f"{when:%m-%d %H:%M}",
            outcome,
            run_id=f"run-{number}{kind if kind != 'dry' else ''}",
            reason=dice.choice(("triaged", "person_was_faster_open", "HTTP 503")),
            tags=["ai_processed", *dice.choice(([], ["ai_review"]))],
            total_ms=dice.randrange(1, 30_000),
            **(facts if understood else {"analysis": None}),
        )
        line["change"]["escalated"] = ["legal"] if dice.random() < 0.1 else []
        line["dry_run"] = kind == "dry"
        if dice.random() < 0.3:
            line["job"], line["timings_ms"]["analyse"] = "job-1", dice.randrange(1, 30_000)
        if understood and dice.random() < 0.2:
            line["cost_usd"] = None
        lines.append(line)
    return lines


class ByHand:
    """What the figures should be, line by line."""

    def __init__(self, lines: list[Line], selection: LogSelection) -> None:
        in_order = sorted(lines, key=lambda line: line["ts"])
        period = [
            line
            for line in in_order
            if selection.since <= parse_iso(line["ts"]) < selection.until
            and not line["dry_run"]
            and not line["run_id"].endswith("-undo")
        ]
        self.last = {line["ticket_id"]: line for line in period}
        self.labelled = {line["ticket_id"]: line for line in period if line["analysis"]}

        def selected(line: Line) -> bool:
            analysis = line["analysis"] or {}
            told = {**analysis, "outcome": line["outcome"], "analyser": analysis.get("source")}
            return all(told.get(name) in allowed for name, allowed in selection.labels.items())

        self.lines = [line for line in period if selected(line)]
        self.ended = [line for line in self.last.values() if selected(line)]
        self.understood = [line for line in self.labelled.values() if selected(line)]


SELECTIONS = (
    LogSelection(at("11-17 00:00"), at("11-21 00:00")),
    LogSelection(at("11-18 06:30"), at("11-20 11:15")),
    LogSelection(labels={"category": ("billing", "technical"), "urgency": ("high",)}),
    LogSelection(labels={"outcome": ("failed",), "sentiment": ("negative",)}),
    LogSelection(labels={"language": ("de",), "analyser": ("rules",)}),
    LogSelection(until=at("11-19 12:00"), labels={"model": ("m-2",)}),
    LogSelection(at("12-01 00:00"), at("12-02 00:00")),
)


@pytest.fixture(scope="module", params=range(4))
def log(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LogIndex, list[Line]]]:
    lines = a_log(request.param)
    with opened(tmp_path_factory.mktemp("log"), *lines) as index:
        yield index, lines


each_selection = for_each("selection", SELECTIONS)


@each_selection
def test_totals_are_what_counting_gives(log: tuple[LogIndex, list[Line]], selection: LogSelection) -> None:
    index, hand = log[0], ByHand(log[1], selection)
    found = figures.totals(index, selection)
    outcomes = Counter(line["outcome"] for line in hand.ended)
    assert (found.tickets, found.understood, found.lines) == (len(hand.ended), len(hand.understood), len(hand.lines))
    assert (found.updated, found.suggested, found.skipped, found.failed) == tuple(
        outcomes[name] for name in ("updated", "suggested", "skipped", "failed")
    )
    assert found.suspicious == sum(bool(line["analysis"]["suspicious"]) for line in hand.understood)
    answers = [line for line in hand.lines if line["analysis"]]
    without = [line["analysis"]["why_fallback"] for line in answers if line["analysis"]["source"] != "model"]
    fell_back = [why for why in without if why != "no_model_configured"]
    assert (found.answers, found.fallback) == (len(answers), len(fell_back))
    assert found.unplanned_fallback == sum(why == "model_timeout" for why in fell_back)
    assert found.review == sum("ai_review" in line["change"]["tags_added"] for line in answers)
    assert found.escalated == sum(bool(line["change"]["escalated"]) for line in hand.understood)
    assert found.written == sum(line["outcome"] in ("updated", "suggested") for line in hand.lines)
    assert found.failed_at_least_once == len({line["ticket_id"] for line in hand.lines if line["outcome"] == "failed"})
    assert found.cost_usd == pytest.approx(sum(line["cost_usd"] or 0 for line in hand.lines))
    assert found.unpriced == sum(line["tokens"]["input"] > 0 and line["cost_usd"] is None for line in hand.lines)
    assert found.tokens_in == sum(line["tokens"]["input"] for line in hand.lines)
    assert found.answers_from_cache == sum(bool((line["analysis"] or {}).get("cached")) for line in hand.lines)


@each_selection
def test_every_dimension_adds_up_to_its_tickets(log: tuple[LogIndex, list[Line]], selection: LogSelection) -> None:
    index, hand = log[0], ByHand(log[1], selection)
    found = figures.breakdowns(index, selection, queries.DIMENSIONS)
    expected: dict[str, Callable[[Line], str | None]] = {
        **{name: lambda line, name=name: line["analysis"][name] for name in ("category", "urgency", "language")},
        "answered_by": lambda line: line["analysis"]["model"] or line["analysis"]["source"],
        "analyser": lambda line: line["analysis"]["source"],
        "why_fallback": lambda line: line["analysis"]["why_fallback"],
        "outcome": lambda line: line["outcome"],
        "reason": lambda line: line["reason"],
    }
    for name, of in expected.items():
        lines = hand.ended if name in ("outcome", "reason") else hand.understood
        counts = Counter(label for line in lines if (label := of(line)))
        parts = found[name]  # type: ignore[index]
        assert {part.label: part.tickets for part in parts} == dict(counts), name
        assert [part.tickets for part in parts] == sorted((part.tickets for part in parts), reverse=True)
        assert sum(part.share for part in parts) == pytest.approx(1.0 if parts else 0.0)


@each_selection
def test_latencies_are_exact(log: tuple[LogIndex, list[Line]], selection: LogSelection) -> None:
    index, hand = log[0], ByHand(log[1], selection)
    times = sorted(line["timings_ms"]["analyse" if line["job"] else "total"] for line in hand.lines if line["analysis"])
    found = figures.latency(index, selection, quick_ms=9_000)
    assert found.count == len(times)
    assert found.in_time == sum(time <= 9_000 for time in times)
    if times:
        quantiles = [times[-(-len(times) * share // 100) - 1] for share in (50, 95, 99)]
        assert [found.p50_ms, found.p95_ms, found.p99_ms, found.most_ms] == [*quantiles, times[-1]]


@pytest.mark.slow
@pytest.mark.parametrize("step", ["hour", "day", "week"])
@each_selection
def test_steps_of_time_add_up_to_the_period(
    log: tuple[LogIndex, list[Line]], selection: LogSelection, step: figures.Step
) -> None:
    index, hand = log[0], ByHand(log[1], selection)
    total = figures.totals(index, selection)
    points = figures.series(index, selection, step)
    assert [point.at for point in points] == sorted({point.at for point in points})
    assert sum(point.tickets for point in points) == total.tickets
    assert sum(point.failed for point in points) == total.failed
    assert sum(point.fallback for point in points) == total.fallback
    assert sum(point.answers for point in points) == total.answers
    assert sum(point.cost_usd for point in points) == pytest.approx(total.cost_usd)
    by_category = figures.series(index, selection, step, "category")
    named = Counter[str]()
    for point in by_category:
        named[point.label] += point.tickets
    del named[""]
    assert +named == Counter(line["analysis"]["category"] for line in hand.understood)


@pytest.mark.slow
@for_each("order_by", queries.SORTABLE)
def test_pages_together_hold_every_line_once_in_order(log: tuple[LogIndex, list[Line]], order_by: str) -> None:
    index, lines = log
    selection = SELECTIONS[1]
    hand = ByHand(lines, selection)
    pages = [queries.page(index, selection, order_by=order_by, limit=20, offset=at) for at in range(0, 200, 20)]
    rows = [row for page, _ in pages for row in page]
    assert {total for _, total in pages} == {len(hand.lines)}
    assert sorted(row["run_id"] for row in rows) == sorted(line["run_id"] for line in hand.lines)
    values = [row[order_by] for row in rows]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values == known + [None] * (len(values) - len(known))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("refund", {2}),
        ("REFUND", {2}),
        ("503", {3}),
        ("ai_vip", {1}),
        ("12", {12}),
        ("20261120t080000z-bb", {3}),
        ("%", set()),
        ("'; DROP", set()),
        ("  ", {1, 2, 3, 12}),
        ("nowhere", set()),
    ],
)
def test_a_search_looks_into_numbers_labels_reasons_and_tags(tmp_path: Path, text: str, expected: set[int]) -> None:
    lines = [
        receipt(1, "11-20 08:00", tags=["ai_vip"]),
        receipt(2, "11-20 08:01", category="refund"),
        receipt(3, "11-20 08:02", "failed", reason="HTTP 503", run_id="20261120T080000Z-bbbbbb"),
        receipt(12, "11-20 08:03", analysis=None, tags=[]),
    ]
    with opened(tmp_path, *lines) as index:
        rows, total = queries.page(index, LogSelection(text=text))
    assert {row["ticket_id"] for row in rows} == expected
    assert total == len(expected)


def test_a_column_that_is_none_to_sort_by_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as index, pytest.raises(ValueError, match="'ts; DROP' is none of"):
        queries.page(index, LogSelection(), order_by="ts; DROP")


def test_a_ticket_that_failed_first_is_a_failure_of_the_service_and_a_written_ticket(tmp_path: Path) -> None:
    lines = [receipt(1, f"11-20 08:{minute}0", "failed", intent=f"i{minute}") for minute in range(5)]
    lines.append(receipt(1, "11-20 09:00", intent="i9"))
    lines += [receipt(number, "11-20 09:00") for number in range(2, 11)]
    with opened(tmp_path, *lines) as index:
        total = figures.totals(index, LogSelection())
        took = figures.latency(index, LogSelection(), quick_ms=999)
    success, latency = figures.objectives(total, took, SloSettings(success=0.9, latency_s=0.999))
    assert (total.tickets, total.updated, total.failed, total.failed_at_least_once) == (10, 10, 0, 1)
    assert (success.good, success.total, success.met) == (10, 11, True)
    assert success.budget_left == pytest.approx(1 - 1 / 1.1)
    assert (latency.good, latency.met) == (0, False)


def test_a_run_whose_models_have_no_price_costs_no_price_and_not_nothing(tmp_path: Path) -> None:
    lines = [
        *run_lines("unpriced", "11-20 08:00", "11-20 08:01", exit_code=0, cost_usd=0.0),
        receipt(1, "11-20 08:00", run_id="unpriced", cost_usd=None),
        *run_lines("rules", "11-20 08:10", "11-20 08:11", exit_code=0, cost_usd=0.0),
        receipt(2, "11-20 08:10", run_id="rules", cost_usd=None, source="rules", model=None, tokens={"input": 0}),
        *run_lines("priced", "11-20 08:20", "11-20 08:21", exit_code=0, cost_usd=0.5),
        *run_lines("killed", "11-20 08:30", None),
    ]
    with opened(tmp_path, *lines) as index:
        found = queries.run_lines(index, at("11-20 00:00"), at("11-21 00:00"))
    assert {row["run_id"]: (row["cost"], row["exit_code"]) for row in found} == {
        "unpriced": (None, 0),
        "rules": (0.0, 0),
        "priced": (0.5, 0),
        "killed": (None, None),
    }

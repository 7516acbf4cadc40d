"""The sections of a report: for each, the query of the log, and the tables that show the result.

The report shows all :data:`SECTIONS` in each of its forms (text, page, Markdown, CSV, mail, JSON), and the dashboard
those of a page. A new section needs an entry there, and no other edit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from ..audit.erase import ERASED, ERASING
from ..audit.receipts import EXPIRED
from ..core.reasons import DROPPED, in_words
from ..core.tables import SENTENCES, WHERE, Table
from ..core.text import many
from ..learning.scoreboard import Count, Scoreboard
from ..settings.schema import Settings
from ..wiring.desks import LookedUp
from . import before_tickets, figures, queries
from .drafts import drafts_tables
from .figures import DimensionShare, Latency, Totals
from .glossary import dollars, end_words, percent, seconds
from .index import LogIndex
from .knowledge_gaps import knowledge_tables
from .queries import EscalatedLine, LogSelection
from .service_times import found_times, times_tables
from .themes import theme_tables

MOST_REASONS = 10
MOST_ESCALATED = 20
"""So many escalated tickets are listed, the newest first."""
NOTHING_WRONG = ("write_mode", ERASING, ERASED, EXPIRED, DROPPED, "since_replaces_cursor")
"""Alerts of the log that mean nothing is wrong: a person caused them, or they are part of how runs work."""
LEFT_ALONE = "left alone"
NO_PRICE = "no price"


def price(value: float | None) -> str:
    """Dollars, or that there is no price."""
    return NO_PRICE if value is None else dollars(value)


def _count(value: float | None) -> str:
    return f"{value or 0:,}"


FIGURES: Mapping[str, tuple[str, Callable[[float | None], str]]] = {
    "tickets": ("tickets", _count),
    "understood": ("understood", _count),
    "answers": ("answers", _count),
    "updated": ("updated", _count),
    "suggested in a note": ("suggested", _count),
    LEFT_ALONE: ("skipped", _count),
    "failed": ("failed", _count),
    "success rate": ("success_rate", percent),
    "error rate": ("error_rate", percent),
    "fallback rate": ("fallback_rate", percent),
    "review rate": ("review_rate", percent),
    "escalated": ("escalated", _count),
    "tried to instruct a model": ("suspicious", _count),
    "latency p50": ("p50_ms", seconds),
    "latency p95": ("p95_ms", seconds),
    "latency p99": ("p99_ms", seconds),
    "cost": ("known_cost", price),
    "cost per ticket": ("cost_per_ticket", dollars),
    "tokens in": ("tokens_in", _count),
    "tokens out": ("tokens_out", _count),
    "repeat rate": ("repeat_rate", percent),
}
"""The main figures by name: the key in :func:`values_of`, and how one is written."""


def values_of(totals: Totals, took: Latency) -> dict[str, Any]:
    """All figures of a period, by key."""
    more = {"known_cost": totals.known_cost, "tokens": totals.tokens_in + totals.tokens_out}
    return {**vars(totals), **totals.rates, **more, **vars(took)}


Found = Mapping[str, Any]
"""What was found, by its keys in JSON."""
DashboardPage = Literal["overview", "costs", "runs"]


@dataclass(frozen=True)
class AskedPeriod:
    """The part of the log that sections are about, and the settings."""

    index: LogIndex
    selection: LogSelection
    settings: Settings

    @cached_property
    def totals(self) -> Totals:
        """The period in numbers."""
        return figures.totals(self.index, self.selection)

    @cached_property
    def latency(self) -> Latency:
        """How long answers took, and how many were in time."""
        return figures.latency(self.index, self.selection, quick_ms=self.settings.slo.latency_s * 1000)


@dataclass(frozen=True)
class Section:
    """A part of the report.

    ``find`` returns the data for ``keys`` in JSON; it is ``None`` if a command reads them from the helpdesk on request.
    ``tables`` makes tables of the data; those without rows are not shown. ``page`` is the dashboard's page with the
    tables, ``brief`` the number of their rows in the short report. ``unread`` names the data that is incomplete if
    reading it stopped early (``ended_early``).
    """

    keys: tuple[str, ...]
    tables: Callable[[Found, Settings], Iterable[Table]]
    find: Callable[[AskedPeriod], Found] | None = None
    page: DashboardPage | None = None
    brief: int = 0
    unread: str = ""


def find_all(asked: AskedPeriod) -> Found:
    """The data of all sections from the log; ``None`` for data that commands read from the helpdesk."""
    found: dict[str, Any] = {key: None for each in SECTIONS for key in each.keys}
    for each in SECTIONS:
        if each.find is not None:
            found |= each.find(asked)
    return found


def tables_of(page: DashboardPage, asked: AskedPeriod) -> list[Table]:
    """The tables for a page of the dashboard."""
    chosen = ((each, each.find) for each in SECTIONS if each.page == page)
    return [table for each, find in chosen if find for table in each.tables(find(asked), asked.settings)]


def _find_escalated(asked: AskedPeriod) -> Found:
    url_of = asked.settings.ticket_url
    return {"escalated": queries.escalated(asked.index, asked.selection, url_of=url_of, most=MOST_ESCALATED)}


def escalated_table(found: Sequence[EscalatedLine], now: Mapping[int, LookedUp] | None = None) -> Table:
    """The table of escalated tickets with their addresses; with ``now`` also their status and subject."""
    links = any(one.url for one in found)
    rows = []
    for one in found:
        row = [str(one.ticket_id), f"{one.at:%Y-%m-%d %H:%M}", ", ".join(one.reasons).replace("_", " ")]
        if now is not None:
            ticket = now.get(one.ticket_id, LookedUp())
            row += [ticket.status or "?", ticket.subject or "-"]
        rows.append((*row, *((one.url or "",) * links)))
    asked = () if now is None else ("<status", "<subject")
    columns = ("ticket", "<when (UTC)", "<why", *asked, *((WHERE,) * links))
    return Table("Escalated last", columns, tuple(rows))


def _find_reasons(asked: AskedPeriod) -> Found:
    def why(outcome: str) -> list[DimensionShare]:
        chosen = replace(asked.selection, labels={**asked.selection.labels, "outcome": (outcome,)})
        return figures.breakdowns(asked.index, chosen, ("reason",))["reason"][:MOST_REASONS]

    return {"failure_reasons": why("failed"), "skip_reasons": why("skipped")}


def _reasons(found: Found, _settings: Settings) -> Iterator[Table]:
    rows = tuple(
        (name if place == 0 else "", f"{part.tickets:,}", in_words(part.label))
        for name, parts in (("failed", found["failure_reasons"]), (LEFT_ALONE, found["skip_reasons"]))
        for place, part in enumerate(parts)
    )
    yield Table("Why they failed or were left alone", ("<", "tickets", "<reason"), rows)


def _find_objectives(asked: AskedPeriod) -> Found:
    return {"objectives": figures.objectives(asked.totals, asked.latency, asked.settings.slo)}


def _objectives(found: Found, settings: Settings) -> Iterator[Table]:
    """The service levels, and what is left of what they allow."""
    names = {"success": "success rate", "latency": f"answers within {settings.slo.latency_s:g} s"}
    rows = tuple(
        (
            names[item.name],
            percent(item.target),
            percent(item.share),
            "met" if item.met else "missed",
            percent(item.budget_left) if item.budget_left is not None and item.budget_left > 0 else "none",
        )
        for item in found["objectives"]
        if item.total
    )
    yield Table("Service levels", ("<", "target", "reached", "<result", "error budget left"), rows)


def _models(found: Found, _settings: Settings) -> Iterator[Table]:
    """Answers, tokens and cost of each model, and of the analysers that replaced one."""
    rows = tuple(
        (
            item["label"] or "-",
            f"{item['answers']:,}",
            f"{item['tokens_in']:,}",
            f"{item['tokens_out']:,}",
            dollars(item["cost_usd"]) if item["cost_usd"] or not item["unpriced"] else NO_PRICE,
            dollars(item["cost_usd"] / item["answers"]) if item["cost_usd"] else "-",
        )
        for item in found["models"]
    )
    columns = ("<answered by", "answers", "tokens in", "tokens out", "cost", "cost per answer")
    yield Table("Answers", columns, rows)


def _find_runs(asked: AskedPeriod) -> Found:
    since, until = asked.selection.since, asked.selection.until
    alerts = queries.alerts(asked.index, since, until)
    return {
        "runs": figures.runs(asked.index, since, until),
        "alerts": {what: count for what, count in alerts.items() if what not in NOTHING_WRONG},
    }


def _runs(found: Found, _settings: Settings) -> Iterator[Table]:
    """How runs ended, and their alerts."""
    runs = found["runs"]
    rows: list[tuple[str, str]] = []
    if runs["count"]:
        rows += [("runs", f"{runs['count']:,}"), ("by exit code", _counts(runs["exit_codes"]) or "-")]
    if stopped := runs["stopped_by"]:
        rows.append(("ended early", _counts({end_words(name): count for name, count in stopped.items()})))
    if runs["unfinished"]:
        rows.append(("without an end", f"{runs['unfinished']:,}"))
    if runs["p95_duration_s"] is not None:
        rows.append(("run duration p95", seconds(runs["p95_duration_s"] * 1000)))
    if runs["dry"]:
        rows.append(("dry runs", f"{runs['dry']:,}"))
    rows += [(f"alert {what}", f"{count:,}") for what, count in found["alerts"].items()]
    yield Table("Runs", ("<measure", "<value"), tuple(rows))


def _counts(counts: Mapping[int, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in counts.items())


def _find_customer_replies(asked: AskedPeriod) -> Found:
    return {"customer_replies": queries.customer_replies(asked.index, asked.selection)}


def _customer_replies(found: Found, _settings: Settings) -> Iterator[Table]:
    """The customers' replies that runs have looked at, by kind."""
    counts, total = found["customer_replies"], sum(found["customer_replies"].values())
    rows = tuple((kind.replace("_", " "), f"{count:,}", percent(count / total)) for kind, count in counts.items())
    yield Table("Customers' replies", ("<kind", "replies", "share"), rows)


PEOPLE = "Labels people kept and changed"
_FATES = tuple(name.replace("_", " ") for name in Count.model_fields)
_SHARES = ("accuracy", "coverage")


def _people(found: Found, _settings: Settings) -> Iterator[Table]:
    if found["scoreboard"] is not None:
        yield from scoreboard_tables(found["scoreboard"])
    elif found["collected"] is not None:
        left = found["collected"].left_out
        said = ["No ticket of this period is settled yet."]
        said += [f"Not judged: {', '.join(f'{number:,} {why}' for why, number in left.items())}."] if left else []
        yield Table(PEOPLE, SENTENCES, tuple((text,) for text in said))


def scoreboard_tables(found: Scoreboard) -> Iterator[Table]:
    """The scoreboard: by part and label, what people chose instead, and by settings file."""
    said = [
        f"{many(found.tickets, 'ticket')} collected, {found.touched:,} of them touched by a person. Accuracy is kept "
        "among kept, changed and removed; coverage is the share of people's labels where ticketbot had one."
    ]
    if any(part.unknown for part in found.parts):
        said.append("Where nobody knows who made most changes, no accuracy is told.")
    yield Table(PEOPLE, SENTENCES, tuple((text,) for text in said))
    rows: list[tuple[str, ...]] = []
    for part in found.parts:
        rows.append((part.part, "all", *_numbers(part)))
        rows += [("", label.label, *_numbers(label)) for label in part.labels if len(part.labels) > 1]
    yield Table("Kept as ticketbot set it", ("<part", "<label", "judged", *_FATES, *_SHARES), tuple(rows))
    yield Table(
        "Changed most often",
        ("<part", "<ticketbot said", "<people say", "tickets"),
        tuple((pair.part, pair.ours, pair.theirs, f"{pair.tickets:,}") for pair in found.pairs),
    )
    files = tuple(
        (part.part if place == 0 else "", count.settings_file, f"{count.judged:,}", f"{count.kept:,}", *_shares(count))
        for part in found.parts
        for place, count in enumerate(part.settings_files)
    )
    yield Table("By settings file", ("<part", "<settings file", "judged", "kept", *_SHARES), files)


def _numbers(count: Count) -> tuple[str, ...]:
    numbers = (count.judged, *(getattr(count, name) for name in Count.model_fields))
    return (*(f"{number:,}" for number in numbers), *_shares(count))


def _shares(count: Count) -> tuple[str, ...]:
    return tuple("-" if share is None else f"{share:.0%}" for share in (count.accuracy, count.coverage))


SECTIONS: tuple[Section, ...] = (
    Section(("escalated",), lambda found, _: [escalated_table(found["escalated"])], _find_escalated, brief=5),
    Section(("failure_reasons", "skip_reasons"), _reasons, _find_reasons),
    Section(("objectives",), _objectives, _find_objectives, page="runs", brief=10),
    Section(
        ("service_times",),
        lambda found, _: times_tables(found["service_times"]),
        lambda asked: {"service_times": found_times(asked.settings, asked.selection, asked.index.now())},
        page="overview",
        brief=5,
    ),
    Section(("models",), _models, lambda asked: {"models": figures.spent(asked.index, asked.selection)}, page="costs"),
    Section(("customer_replies",), _customer_replies, _find_customer_replies, page="overview"),
    Section(("runs", "alerts"), _runs, _find_runs, page="runs"),
    Section(
        ("before_tickets",),
        lambda found, _: before_tickets.tables(found["before_tickets"]),
        lambda asked: {"before_tickets": before_tickets.counted(asked.settings, asked.selection, asked.index.now())},
        page="overview",
    ),
    Section(
        ("replies",),
        lambda found, _: drafts_tables(found["replies"]),
        unread="what people replied was not read to the end",
    ),
    Section(("collected", "scoreboard"), _people, unread="what people changed was not read to the end"),
    Section(
        ("knowledge",),
        lambda found, _: knowledge_tables(found["knowledge"]),
        unread="the help centre's articles could not be read",
    ),
    Section(
        ("themes",),
        lambda found, _: theme_tables(found["themes"]),
        unread="themes are merged by words alone",
    ),
)
"""In the order in which they are shown."""

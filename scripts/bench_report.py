"""How fast a report is, against reading the same lines with ``json.loads``, in the same run of the script.

python scripts/bench_report.py [LINES] [--days N] [--packed] [--keep INDEX_FOLDER]

The log is made up (1,000,000 lines over 365 days, unless told otherwise): every ten minutes a run with its tickets, an
intent and a receipt for each, some left alone, some failed and tried again, with the fields and lengths that receipts
have. ``--packed`` gzips all days but the last, as a log in use is. ``--keep`` leaves it in a folder, to be looked at.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ticket_processor.audit.files import INDEX_FOLDER, log_files
from ticket_processor.audit.lines import encode
from ticket_processor.reporting.index import LogIndex
from ticket_processor.reporting.report import gather

ROOT = Path(__file__).resolve().parent.parent
CATEGORIES = ("billing", "technical", "order", "account", "refund", "general", "feature_request", "security")
WEIGHTS = (24, 20, 16, 12, 10, 9, 6, 3)
SUBJECTS = (
    "Charged twice for the February subscription, asks for a refund of the second charge",
    "The app closes itself when a report is opened, since the update of last week",
    "Order has not arrived although tracking says that it was delivered on Monday",
    "Cannot sign in after the password was changed, the reset mail does not come",
    "Wants an invoice with the company's new address and VAT number for last year",
)
EVERY = timedelta(minutes=10)


def lines_of_day(day: datetime, count: int, dice: random.Random, first_ticket: int) -> Iterator[dict[str, Any]]:
    """About ``count`` lines: the day's runs, with more work by day than by night."""
    yield {"event": "segment", "segment": f"{day:%Y-%m-%d}", "schema": 1, "key_id": "99e16091"}
    steps = [day + number * EVERY for number in range(144)]
    busy = [1.05 + math.sin((step.hour + step.minute / 60 - 8) / 24 * 2 * math.pi) for step in steps]
    tickets = max(0, count - 2 * len(steps) - 1) / 1.92 / sum(busy)
    carry, number = 0.0, first_ticket
    for step, share in zip(steps, busy, strict=True):
        carry += tickets * share
        here, carry = int(carry), carry - int(carry)
        run_id = f"{step:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        yield from lines_of_run(step, run_id, range(number, number + here), dice)
        number += here


def lines_of_run(begin: datetime, run_id: str, tickets: range, dice: random.Random) -> Iterator[dict[str, Any]]:
    """One run's lines, as a run writes them."""
    moment = begin

    def line(event: str, **facts: Any) -> dict[str, Any]:
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"ts": stamp, "event": event, "run_id": run_id, "dry_run": False, **facts}

    yield line("run_started", kind="run", since=None, limit=None, notices=None)
    for at, ticket_id in enumerate(tickets):
        moment += timedelta(milliseconds=dice.randrange(20, 900))
        if dice.random() < 0.08:
            yield line("ticket", **outcome(ticket_id, "skipped", "machine_mail_auto_reply"))
            continue
        analysis, change = answer(dice), None
        change = changed(analysis)
        intent = f"{run_id}-{at + 1}"
        yield line("intent", ticket_id=ticket_id, intent=intent, change=change, **seal())
        took = {"analyse": int(dice.lognormvariate(7.6, 0.6)), "write": dice.randrange(150, 2500)}
        failed = dice.random() < 0.004
        facts = (
            outcome(ticket_id, "failed", "the helpdesk answered HTTP 503")
            if failed
            else outcome(ticket_id, "updated", "triaged")
        )
        facts |= {
            "intent": intent,
            "analysis": analysis,
            "change": change,
            "attempts": {"analyse": 1, "write": 1},
            "timings_ms": {**took, "total": sum(took.values())},
        }
        if analysis["source"] == "model":
            facts |= {"tokens": {"input": 612, "output": 83, "cached": 512}, "cost_usd": 0.000213}
        yield line("ticket", **facts, **seal())
        if failed:
            yield line("ticket", **{**facts, "outcome": "updated", "reason": "triaged"}, **seal())
    moment += timedelta(seconds=4)
    yield line(
        "run_finished", seen=len(tickets), outcomes={"updated": len(tickets)}, reasons={}, cost_usd=0.01,
        duration_s=12.5, exit_code=0, stopped=None, stopped_by=None, caught_up=True,
    )  # fmt: skip


def outcome(ticket_id: int, status: str, reason: str) -> dict[str, Any]:
    """What a receipt says of a ticket that nothing was found out about."""
    return {
        "ticket_id": ticket_id, "outcome": status, "reason": reason, "intent": None, "analysis": None, "change": None,
        "job": None, "attempts": {"analyse": 0, "write": 0}, "tokens": {"input": 0, "output": 0, "cached": 0},
        "cost_usd": None, "timings_ms": {"analyse": 0, "write": 0, "total": 0},
    }  # fmt: skip


def answer(dice: random.Random) -> dict[str, Any]:
    """What was understood."""
    by_rules = dice.random() < 0.04
    return {
        "category": dice.choices(CATEGORIES, WEIGHTS)[0], "subcategory": None, "secondary": [],
        "urgency": dice.choices(("low", "medium", "high", "critical"), (20, 55, 20, 5))[0],
        "sentiment": dice.choices(("negative", "neutral", "positive"), (30, 60, 10))[0], "urgent_tone": False,
        "risk": "low", "alarms": [], "language": dice.choices(("en", "de", "fr", "es"), (60, 20, 12, 8))[0],
        "summary": dice.choice(SUBJECTS), "entities": {}, "evidence": ["charged twice", "since the update"],
        "confidence": round(dice.uniform(0.4, 0.99), 2), "suspicious": [],
        "source": "rules" if by_rules else "model", "model": None if by_rules else "gpt-5-mini", "cached": False,
        "why_fallback": "model_timeout" if by_rules else None,
    }  # fmt: skip


def changed(analysis: dict[str, Any]) -> dict[str, Any]:
    """What it led to."""
    words = (analysis["category"], f"urgency_{analysis['urgency']}", f"sentiment_{analysis['sentiment']}")
    tags = ["ai_processed", *(f"ai_{word}" for word in words)]
    return {
        "tags_added": tags + ["ai_review"] * (analysis["confidence"] < 0.5), "tags_removed": [],
        "priority": {"from": None, "to": "normal"}, "group": {"from": None, "to": None}, "fields": {},
        "note": f"Triage: {', '.join(words)}; by gpt-5-mini, confidence {analysis['confidence']}.\n"
        f"Summary: “{analysis['summary']}”\nRef tb-42ac47cb", "escalated": [], "stamp": "2026-11-21T14:20:11Z",
        "key": secrets.token_hex(16),
    }  # fmt: skip


def seal() -> dict[str, Any]:
    """What the chain adds to a receipt with something personal."""
    return {"personal": {"digest": secrets.token_hex(16), "salt": secrets.token_hex(8)}}


def write_log(folder: Path, lines: int, days: int, *, packed: bool) -> tuple[float, float]:
    """A log of about so many lines; from when to when it goes (Unix seconds)."""
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(7)
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = end - timedelta(days=days)
    ticket, carry = 1000, 0.0
    for number in range(days):
        day = begin + timedelta(days=number)
        carry += lines / days
        made = list(lines_of_day(day, int(carry), dice, ticket))
        carry -= len(made)
        ticket += len(made)
        raw = b"".join(encode({**line, "seq": at, "mac": secrets.token_hex(16)}) for at, line in enumerate(made))
        path = folder / f"ticketbot-{day:%Y-%m-%d}.jsonl"
        if packed and number < days - 1:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(raw, 6))
        else:
            path.write_bytes(raw)
    return begin.timestamp(), end.timestamp()


def plain_loop(folder: Path) -> int:
    """What a report would have to do at least without an index: every line through ``json.loads``."""
    count = 0
    for file in log_files(folder):
        with file.open() as lines:
            for line in lines:
                json.loads(line)
                count += 1
    return count


def report(folder: Path, since: float, until: float) -> int:
    """A report of all of it."""
    with LogIndex(folder, time.time) as index:
        return gather(index, since, until).totals.tickets


def command(folder: Path, *words: str) -> None:
    """The whole command in a process of its own."""
    environment = {**os.environ, "TICKETBOT_LOG_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    words = (sys.executable, "-m", "ticket_processor", "report", *words, "--json")
    subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)


@dataclass(frozen=True)
class Took:
    """The quickest of several times: seconds, and of processors, all threads and processes together."""

    wall_s: float
    processor_s: float


def timed(work: Callable[[], Any], times: int = 1) -> Took:
    """How long it took."""
    found = []
    for _ in range(times):
        begin, spent = time.perf_counter(), processor_time()
        work()
        found.append(Took(time.perf_counter() - begin, processor_time() - spent))
    return min(found, key=lambda took: took.wall_s)


def processor_time() -> float:
    """Of this process, and of those that it has started and that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--packed", action="store_true")
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-report-") as temporary:
        folder = asked.keep or Path(temporary)
        since, until = write_log(folder, asked.lines, asked.days, packed=asked.packed)
        size = sum(file.path.stat().st_size for file in log_files(folder))
        count = plain_loop(folder)  # so that the first to be measured does not pay for the disk
        print(f"{count:,} lines in {asked.days} files, {size / 1e6:,.0f} MB{' packed' if asked.packed else ''}")
        loop = timed(lambda: plain_loop(folder), 2)
        show("json.loads, each line", loop, loop)
        index = folder / INDEX_FOLDER
        shutil.rmtree(index, ignore_errors=True)
        show("report of all, no index yet (cold)", timed(lambda: report(folder, since, until)), loop)
        show("report of all, index there (warm)", timed(lambda: report(folder, since, until), 5), loop)
        words = ("--since", f"{asked.days + 1}d")
        show("the same as a whole command", timed(lambda: command(folder, *words), 3), loop)
        stored = sum(path.stat().st_size for path in index.iterdir())
        shutil.rmtree(index)
        show("ticketbot report (7 days), cold", timed(lambda: command(folder)), loop)
        show("ticketbot report (7 days), warm", timed(lambda: command(folder), 3), loop)
        print(f"the index takes {stored / 1e6:.1f} MB, {100 * stored / size:.1f}% of the log")


def show(name: str, took: Took, loop: Took) -> None:
    """One measurement, and how many times as fast as the loop it was: by the clock, and in processor time."""
    times, of_processor = loop.wall_s / took.wall_s, loop.processor_s / took.processor_s
    print(f"{name:36} {took.wall_s:7.2f} s {times:6.1f}x   processor {took.processor_s:7.2f} s {of_processor:6.1f}x")


if __name__ == "__main__":
    main()

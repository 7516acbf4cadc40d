"""A log of any length, made up: every ten minutes a run with its tickets, an intent and a receipt for each, some left
alone, some failed and tried again, with the fields and lengths that receipts have. The same for the same arguments.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ticket_processor.audit.lines import encode

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
        run_id = f"{step:%Y%m%dT%H%M%SZ}-{dice.randbytes(3).hex()}"
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
        change = changed(analysis, dice)
        intent = f"{run_id}-{at + 1}"
        yield line("intent", ticket_id=ticket_id, intent=intent, change=change, **seal(dice))
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
        yield line("ticket", **facts, **seal(dice))
        if failed:
            yield line("ticket", **{**facts, "outcome": "updated", "reason": "triaged"}, **seal(dice))
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
    category = dice.choices(CATEGORIES, WEIGHTS)[0]
    return {
        "category": category, "subcategory": None, "secondary": [dice.choice(CATEGORIES)] * (dice.random() < 0.2),
        "urgency": dice.choices(("low", "medium", "high", "critical"), (20, 55, 20, 5))[0],
        "sentiment": dice.choices(("negative", "neutral", "positive"), (30, 60, 10))[0], "urgent_tone": False,
        "risk": dice.choices(("low", "medium", "high"), (85, 12, 3))[0], "alarms": [],
        "language": dice.choices(("en", "de", "fr", "es"), (60, 20, 12, 8))[0],
        "summary": dice.choice(SUBJECTS), "entities": {}, "evidence": ["charged twice", "since the update"],
        "confidence": round(dice.uniform(0.4, 0.99), 2), "suspicious": ["orders"] * (dice.random() < 0.01),
        "source": "rules" if by_rules else "model", "model": None if by_rules else "gpt-5-mini",
        "cached": dice.random() < 0.05, "why_fallback": "model_timeout" if by_rules else None,
    }  # fmt: skip


def changed(analysis: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """What it led to."""
    words = (analysis["category"], f"urgency_{analysis['urgency']}", f"sentiment_{analysis['sentiment']}")
    reasons = ["critical"] * (analysis["urgency"] == "critical") + ["high_risk"] * (analysis["risk"] == "high")
    marks = {"review": analysis["confidence"] < 0.5, "escalated": reasons, "fallback": analysis["why_fallback"]}
    tags = [f"ai_{word}" for word in ("processed", *words, *(name for name, holds in marks.items() if holds))]
    return {
        "tags_added": tags, "tags_removed": [],
        "priority": {"from": None, "to": "normal"}, "group": {"from": None, "to": None}, "fields": {},
        "note": f"Triage: {', '.join(words)}; by gpt-5-mini, confidence {analysis['confidence']}.\n"
        f"Summary: “{analysis['summary']}”\nRef tb-42ac47cb", "escalated": reasons, "stamp": "2026-11-21T14:20:11Z",
        "key": dice.randbytes(16).hex(),
    }  # fmt: skip


def seal(dice: random.Random) -> dict[str, Any]:
    """What the chain adds to a receipt with something personal."""
    return {"personal": {"digest": dice.randbytes(16).hex(), "salt": dice.randbytes(8).hex()}}


def write_log(folder: Path, lines: int, days: int, *, end: datetime | None = None) -> tuple[float, float]:
    """A log of about so many lines up to ``end``, today if not given; from when to when it goes (Unix seconds)."""
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(7)
    end = end or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = end - timedelta(days=days)
    ticket, carry = 1000, 0.0
    for number in range(days):
        day = begin + timedelta(days=number)
        carry += lines / days
        made = list(lines_of_day(day, int(carry), dice, ticket))
        carry -= len(made)
        ticket += len(made)
        raw = b"".join(encode({**line, "seq": at, "mac": dice.randbytes(16).hex()}) for at, line in enumerate(made))
        (folder / f"ticketbot-{day:%Y-%m-%d}.jsonl").write_bytes(raw)
    return begin.timestamp(), end.timestamp()

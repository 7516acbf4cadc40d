"""``ticketbot analyse``: shows one ticket's way through the chain, step by step; writes nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.models import Ticket
from ..core.sanitize import strip_hidden
from ..settings.load import load
from ..wiring.explain import Walk, as_data, fetched, pasted, walk, wanted_changes
from .options import ConfigOption, JsonOption, NoModelOption, VerboseOption
from .screen import Screen

DEADLINE_S = 300.0
STDIN = "-"
MOST_READ = 5_000_000


def analyse(
    clock: SystemClock,
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help="A ticket's number, or - for standard input.")],
    no_llm: NoModelOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Show one ticket's way through the chain, step by step; writes nothing."""
    flags: dict[tuple[str, ...], object] = {("models", "names"): []} if no_llm else {}
    by_id = ticket != STDIN
    if by_id and not (ticket.isascii() and ticket.isdecimal()):
        raise ConfigError("the ticket must be a number, or - to read one from standard input")
    settings = load(config=config, flags=flags, need_helpdesk=by_id)
    deadline = Deadline(clock, DEADLINE_S)
    read = fetched(int(ticket), settings, clock, deadline) if by_id else _from(sys.stdin, clock)
    walked = walk(read, settings, clock, deadline)
    screen = Screen(as_json=as_json)
    screen.notices(walked.troubles)
    screen.result("\n".join(_lines(walked)), as_data(read, walked))
    return ExitCode.OK


def _from(stream: Any, clock: SystemClock) -> Ticket:
    """A ticket from JSON with ``subject`` and ``body`` (or ``description``), or from text with a subject line."""
    # Bytes are UTF-8 whatever the locale says; a Windows console's code page would garble them.
    raw = getattr(stream, "buffer", stream).read(MOST_READ)
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    if not text.strip():
        raise ConfigError("standard input is empty: give a text, or JSON with subject and body")
    subject, _, body = text.lstrip("\ufeff").lstrip().partition("\n")
    names: tuple[str, ...] = ()
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        try:
            row = json.loads(text.lstrip("\ufeff"))
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            subject = str(row.get("subject") or "")
            body = str(row.get("description") or row.get("body") or "")
            requester = row.get("requester")
            names = (requester,) if isinstance(requester, str) else ()
    return pasted(clock, subject, body, names)


def _lines(walked: Walk) -> list[str]:
    lines = []
    analysis, decision = walked.analysis, walked.decision
    if walked.machine_mail:
        lines += [f"A run would skip this: machine mail ({walked.machine_mail}).", ""]
    lines.append("1. Cut away" if walked.cut else "1. Cut away: nothing")
    lines += [f"   - {line}" for line in walked.cut]
    for level, redacted in walked.redacted.items():
        counts = ", ".join(f"{kind}: {count}" for kind, count in redacted.counts.items()) or "nothing"
        lines += ["", f"2. Redacted (level {level}): {counts}"]
        lines += [f"   | {line}" for line in redacted.text.splitlines()]
    shown: list[Mapping[str, str]] = []
    for number, item in enumerate(walked.asked, start=1):
        lines += ["", f"3.{number} Asked {item.model} ({item.form})"]
        for message in item.messages:
            if message in shown:
                lines.append(f"   {message['role']}: as before")
                continue
            shown.append(message)
            lines.append(f"   {message['role']}:")
            lines += [f"   > {line}" for line in message["content"].splitlines()]
        lines.append("   answer:" if item.error is None else f"   no answer: {item.error}")
        # A model's words may hold control characters.
        lines += [f"   < {line}" for line in strip_hidden(item.answer or "").splitlines()]
    lines += ["", "4. The chain"]
    for step in walked.steps:
        reason = f"{step.reason}: {step.detail}" if step.detail else step.reason
        end = "answered" if step.analysis is not None else f"did not: {reason}"
        lines.append(f"   {step.link}: {end} ({step.ms} ms)")
    lines += ["", "5. Understood"]
    for name, value in analysis.model_dump(mode="json").items():
        if value not in (None, [], {}, "", False):
            shown_value = ", ".join(map(str, value)) if isinstance(value, list) else value
            lines.append(f"   {name}: {shown_value}")
    lines += ["", f"6. Decided ({decision.reason})"]
    lines += [f"   {change}" for change in wanted_changes(decision)]
    lines += [f"   note | {line}" for line in (decision.note or "").splitlines()]
    if analysis.cost_usd is not None:
        note = f" ({walked.price_note})" if walked.price_note and analysis.cost_usd else ""
        lines += ["", f"It cost ${analysis.cost_usd:.6f}{note}."]
    elif analysis.usage.input:
        lines += ["", "What it cost is not known: the model has no price."]
    return lines

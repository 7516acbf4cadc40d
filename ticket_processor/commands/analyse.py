"""``ticketbot analyse``: one ticket's way through the chain, step by step; nothing is written."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..analysis import ModelLink, Step, Understanding
from ..answer_store import FILE_NAME, AnswerStore
from ..chat_server import ChatServer, RawAnswer
from ..cleaning import as_text, clean
from ..clock import Deadline, SystemClock, iso
from ..config import Settings, load
from ..errors import AnalysisFailed, ConfigError, ExitCode
from ..machine_mail import machine_mail
from ..models import Analysis, Decision, Overwrite, RedactionLevel, Ticket
from ..plain import strip_hidden
from ..policy import decide
from ..redact import RedactedText
from ..screen import Screen
from ..wiring import transport_for, understanding
from ..zendesk import Zendesk

DEADLINE_S = 300.0
STDIN = "-"
MOST_READ = 5_000_000
MOST_COMPARED = 1_000
"""Lines that are compared to find what was cut; comparing takes the square of their number."""


@dataclass(frozen=True)
class Asked:
    """One request to a model server, and what came of it."""

    model: str
    form: str
    messages: tuple[Mapping[str, str], ...]
    answer: str | None
    error: str | None


class Recorder:
    """A model server that remembers what went through it. For one ticket at a time."""

    def __init__(self, server: ChatServer, asked: list[Asked]) -> None:
        self._server = server
        self._asked = asked

    def complete(
        self, model: str, messages: Sequence[Mapping[str, str]], response_format: Mapping[str, object] | None
    ) -> RawAnswer:
        form = str(response_format["type"]) if response_format else "prompt"
        copied = tuple(dict(message) for message in messages)
        try:
            answer = self._server.complete(model, messages, response_format)
        except AnalysisFailed as error:
            self._asked.append(Asked(model, form, copied, None, str(error)))
            raise
        self._asked.append(Asked(model, form, copied, answer.text, None))
        return answer


def analyse(
    clock: SystemClock, ticket: str, *, config: Path | None, no_llm: bool, as_json: bool, stdin: Any = None
) -> int:
    """``ticketbot analyse``. ``ticket`` is an id, or ``-`` for standard input. Returns the exit code."""
    flags: dict[tuple[str, ...], object] = {("models", "names"): []} if no_llm else {}
    by_id = ticket != STDIN
    if by_id and not (ticket.isascii() and ticket.isdecimal()):
        raise ConfigError("the ticket must be a number, or - to read one from standard input")
    settings = load(config=config, flags=flags, need_helpdesk=by_id)
    deadline = Deadline(clock, DEADLINE_S)
    read = _fetched(int(ticket), settings, clock, deadline) if by_id else _from(stdin or sys.stdin, clock)
    asked: list[Asked] = []
    troubles: list[str] = []
    # Spending goes into the same books as a run's; earlier answers are not used, since the chain is to be seen.
    folder = settings.state_folder if by_id or settings.zendesk.url or settings.zendesk.subdomain else None
    store = AnswerStore(folder / FILE_NAME if folder else None, clock, days=0)
    try:
        chain = understanding(
            settings, clock, deadline, None, store, troubles.append, lambda server: Recorder(server, asked)
        )
        steps: list[Step] = []
        analysis = chain(read, watch=steps.append)
    finally:
        store.close()
    decision = decide(read.id, analysis, settings.policy, settings.taxonomy)
    screen = Screen(quiet=False, as_json=as_json)
    screen.notices(troubles)
    told = _told(read, chain, steps, asked, analysis, decision)
    screen.result("\n".join(_lines(told, analysis, decision)), told)
    return int(ExitCode.OK)


def _fetched(ticket_id: int, settings: Settings, clock: SystemClock, deadline: Deadline) -> Ticket:
    transport = transport_for(settings.zendesk, clock, deadline, read_only=True)
    try:
        found = Zendesk(transport, source=settings.zendesk.source).fetch([ticket_id])
    finally:
        transport.close()
    if ticket_id not in found:
        raise ConfigError(f"there is no ticket {ticket_id} that these credentials may see")
    return found[ticket_id]


def _from(stream: Any, clock: SystemClock) -> Ticket:
    """A ticket from JSON with ``subject`` and ``body`` (or ``description``), or from text whose first line is one."""
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
    now = iso(clock.now())
    return Ticket(id=0, subject=subject, description=body, created_at=now, updated_at=now, names=names)


def _told(
    ticket: Ticket,
    chain: Understanding,
    steps: Sequence[Step],
    asked: Sequence[Asked],
    analysis: Analysis,
    decision: Decision,
) -> dict[str, Any]:
    cleaned = clean(ticket.subject, ticket.description)
    levels = {link.level for link in chain.links if isinstance(link, ModelLink)} or {RedactionLevel.STANDARD}
    seen = {level.value: chain.readable(ticket, level) for level in sorted(levels)}
    return {
        "ticket_id": ticket.id or None,
        "machine_mail": machine_mail(ticket),
        "cut": _cut(f"{ticket.subject}\n{as_text(ticket.description)}", cleaned),
        "redacted": {level: _redacted(text) for level, text in seen.items()},
        "asked": [
            {
                "model": item.model,
                "form": item.form,
                "messages": item.messages,
                "answer": item.answer,
                "error": item.error,
            }
            for item in asked
        ],
        "chain": [
            {"link": step.link, "answered": step.analysis is not None, "reason": step.reason, "ms": step.ms}
            for step in steps
        ],
        "analysis": analysis.model_dump(mode="json"),
        "decision": decision.model_dump(mode="json", exclude={"ticket_id"}),
    }


def _redacted(text: RedactedText) -> dict[str, Any]:
    return {"text": text.text, "replaced": text.counts}


def _cut(before: str, after: str) -> list[str]:
    """The lines that cleaning took away."""
    had = [line.strip() for line in strip_hidden(before).splitlines() if line.strip()][:MOST_COMPARED]
    kept = [line.strip() for line in after.splitlines() if line.strip()][:MOST_COMPARED]
    matcher = difflib.SequenceMatcher(None, had, kept, autojunk=False)
    return [line for what, a, b, _, _ in matcher.get_opcodes() if what in ("delete", "replace") for line in had[a:b]]


def _where(overwrite: Overwrite) -> str:
    return {
        Overwrite.NEVER: "where nobody has set any",
        Overwrite.BOT_SET: "where nobody but ticketbot has set any",
        Overwrite.ALWAYS: "whoever has set another",
    }[overwrite]


def _lines(told: Mapping[str, Any], analysis: Analysis, decision: Decision) -> list[str]:
    lines = []
    if told["machine_mail"]:
        lines += [f"A run would skip this: machine mail ({told['machine_mail']}).", ""]
    lines.append("1. Cut away" if told["cut"] else "1. Cut away: nothing")
    lines += [f"   - {line}" for line in told["cut"]]
    for level, redacted in told["redacted"].items():
        counts = ", ".join(f"{kind}: {count}" for kind, count in redacted["replaced"].items()) or "nothing"
        lines += ["", f"2. Redacted (level {level}): {counts}"]
        lines += [f"   | {line}" for line in redacted["text"].splitlines()]
    shown: list[Mapping[str, str]] = []
    for number, item in enumerate(told["asked"], start=1):
        lines += ["", f"3.{number} Asked {item['model']} ({item['form']})"]
        for message in item["messages"]:
            if message in shown:
                lines.append(f"   {message['role']}: as before")
                continue
            shown.append(message)
            lines.append(f"   {message['role']}:")
            lines += [f"   > {line}" for line in message["content"].splitlines()]
        lines.append("   answer:" if item["error"] is None else f"   no answer: {item['error']}")
        # A model's words may hold what a terminal obeys.
        lines += [f"   < {line}" for line in strip_hidden(item["answer"] or "").splitlines()]
    lines += ["", "4. The chain"]
    for step in told["chain"]:
        end = "answered" if step["answered"] else f"did not: {step['reason']}"
        lines.append(f"   {step['link']}: {end} ({step['ms']} ms)")
    lines += ["", "5. Understood"]
    for name, value in told["analysis"].items():
        if value not in (None, [], {}, "", False):
            shown_value = ", ".join(map(str, value)) if isinstance(value, list) else value
            lines.append(f"   {name}: {shown_value}")
    lines += ["", f"6. Decided ({decision.reason})"]
    lines += [f"   + tag {tag}" for tag in decision.tags]
    if decision.priority is not None:
        lines.append(f"   priority {decision.priority}, {_where(decision.priority_overwrite)}")
    if decision.group is not None:
        lines.append(f"   group {decision.group}, {_where(decision.group_overwrite)}")
    where = _where(decision.fields_overwrite)
    lines += [f"   field {key}: {value}, {where}" for key, value in decision.fields.items()]
    lines += [f"   note | {line}" for line in (decision.note or "").splitlines()]
    if analysis.cost_usd is not None:
        lines += ["", f"It cost ${analysis.cost_usd:.6f}."]
    return lines

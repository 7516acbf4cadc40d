"""One ticket's way through the chain, step by step, for a person to follow; nothing is written to a helpdesk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from ..analysis.budget import Allowance
from ..analysis.cache import FILE_NAME, AnswerStore
from ..analysis.chain import Step
from ..analysis.model_server.chat import ChatServer, RawAnswer
from ..analysis.text.cleaning import as_text, clean
from ..analysis.text.redact import RedactedText, redact
from ..core.clock import Clock, Deadline, iso
from ..core.errors import AnalysisFailed, CannotRun, ConfigError, TicketError
from ..core.models import Analysis, Decision, Ticket
from ..core.reasons import why_no_model
from ..core.text import strip_hidden
from ..policy.decide import decide
from ..policy.skip_rules import machine_mail
from ..settings.schema import Settings
from .desks import reading
from .parts import understanding

MOST_LINES = 3
"""Of each text, without details."""


@dataclass(frozen=True)
class ModelRequest:
    """One request to a model server, and what came of it."""

    model: str
    form: str
    messages: tuple[Mapping[str, str], ...]
    answer: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class _Recorded:
    """A model server, and a list of what was asked of it."""

    server: ChatServer
    asked: list[ModelRequest]

    def complete(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        response_format: Mapping[str, object] | None,
        allowance: Allowance | None = None,
    ) -> RawAnswer:
        form = str(response_format["type"]) if response_format else "prompt"
        request = ModelRequest(model, form, tuple(map(dict, messages)))
        try:
            answer = self.server.complete(model, messages, response_format, allowance)
        except AnalysisFailed as error:
            self.asked.append(replace(request, error=str(error)))
            raise
        self.asked.append(replace(request, answer=answer.text))
        return answer


@dataclass(frozen=True)
class Walk:
    """A ticket's whole way, in a customer's own words: never for a log. ``troubles`` are parts that were missing."""

    machine_mail: str | None
    cut: Sequence[str]
    redacted: Mapping[str, RedactedText]
    asked: Sequence[ModelRequest]
    steps: Sequence[Step]
    analysis: Analysis
    decision: Decision
    troubles: Sequence[str]
    price_note: str = ""


def pasted(clock: Clock, subject: str, body: str) -> Ticket:
    """A ticket that no helpdesk holds, created now."""
    now = iso(clock.now())
    return Ticket(id=0, subject=subject, description=body, created_at=now, updated_at=now)


def fetched(ticket_id: int, settings: Settings, clock: Clock, deadline: Deadline) -> Ticket:
    """A ticket as the helpdesk shows it. Raises ``CannotRun``, or ``ConfigError`` when there is none of that number."""
    with reading(settings, clock, deadline.remaining()) as (desk, *_):
        found = desk.fetch([ticket_id]).get(ticket_id)
    if isinstance(found, TicketError):
        raise CannotRun(f"ticket {ticket_id} cannot be read: {found}")
    if found is None:
        raise ConfigError(f"there is no ticket {ticket_id} that these credentials may see")
    return found


def walk(ticket: Ticket, settings: Settings, clock: Clock, deadline: Deadline) -> Walk:
    """Send the ticket through the chain of the settings, as a run would.

    Spending goes into the same books as a run's; kept answers are not used. Raises :class:`ConfigError` when a model
    of the list cannot be asked as the settings stand.
    """
    asked, troubles, steps = list[ModelRequest](), list[str](), list[Step]()
    with ExitStack() as stack:
        store = AnswerStore(settings.state_folder / FILE_NAME if settings.desk.named else None, clock, days=0)
        stack.callback(store.close)
        recorded = partial(_Recorded, asked=asked)
        chain = stack.enter_context(understanding(settings, clock, deadline, None, store, troubles.append, recorded))
        analysis = chain(ticket, watch=steps.append)
        decision = decide(ticket.id, analysis, settings.policy, settings.taxonomy)
        if settings.replies.wanted:
            from .answers import answers

            found = stack.enter_context(answers(settings, chain, store, troubles.append, recorded))
            analysis, decision = found.add(ticket, analysis, decision)
    cleaned = clean(ticket.subject, ticket.description)
    return Walk(
        machine_mail=machine_mail(ticket),
        cut=_cut(f"{ticket.subject}\n{as_text(ticket.description)}", cleaned),
        redacted={chain.level.value: redact(cleaned, names=ticket.names, level=chain.level)},
        asked=asked,
        steps=steps,
        analysis=analysis,
        decision=decision,
        troubles=troubles,
        price_note=chain.price_note,
    )


def _cut(before: str, after: str) -> list[str]:
    """The lines that cleaning took away."""
    kept = {"", *(line.strip() for line in after.splitlines())}
    return [line.strip() for line in strip_hidden(before).splitlines() if line.strip() not in kept]


def in_words(walked: Walk, *, details: bool = True) -> list[str]:
    """The way in lines, in the order that a run takes it; without ``details`` the beginning of long texts."""
    most = None if details else MOST_LINES
    analysis, decision = walked.analysis, walked.decision
    lines = [f"A run would skip this: machine mail ({walked.machine_mail}).", ""] if walked.machine_mail else []
    lines.append("1. Cut away" if walked.cut else "1. Cut away: nothing")
    lines += _begun("-", walked.cut, most)
    for level, redacted in walked.redacted.items():
        counts = ", ".join(f"{kind}: {count}" for kind, count in redacted.counts.items()) or "nothing"
        lines += ["", f"2. Redacted (level {level}): {counts}", *_begun("|", redacted.text.splitlines(), most)]
    for number, item in enumerate(walked.asked, start=1):
        lines += ["", f"3.{number} Asked {item.model} ({item.form})"]
        for message in item.messages if details else ():
            lines += [f"   {message['role']}:", *_begun(">", message["content"].splitlines(), None)]
        failed = item.error and why_no_model(*item.error.split(": ", 1))
        lines.append(f"   no answer: {failed}" if failed else "   answer:")
        # A model's words may hold control characters.
        lines += _begun("<", strip_hidden(item.answer or "").splitlines(), most)
    lines += ["", "4. The chain"]
    for step in walked.steps:
        why = why_no_model(step.reason or "", step.detail)
        end = "answered" if step.analysis is not None else f"did not answer: {why}"
        lines.append(f"   {step.link}: {end} ({step.ms} ms)")
    lines += ["", "5. Understood", *(f"   {line}" for line in _understood(analysis))]
    lines += ["", "6. Decided", *(f"   + tag {tag}" for tag in decision.tags)]
    wanted: dict[str, object] = {"priority": decision.priority, "group": decision.group}
    wanted |= {f"field {key}:": value for key, value in decision.fields.items()}
    lines += [f"   {name} {value}" for name, value in wanted.items() if value is not None]
    lines += _begun("note |", (decision.note or "").splitlines(), None)
    if analysis.cost_usd is not None:
        note = f" ({walked.price_note})" if walked.price_note and analysis.cost_usd else ""
        lines += ["", f"It cost ${analysis.cost_usd:.6f}{note}."]
    elif analysis.usage.input:
        lines += ["", "What it cost is not known: the model has no price."]
    return lines


def _begun(mark: str, lines: Sequence[str], most: int | None) -> list[str]:
    """The first lines behind a mark, and how many more there are."""
    left = 0 if most is None else len(lines) - most
    shown = [f"   {mark} {line}" for line in (lines if left <= 1 else lines[:most])]
    return shown if left <= 1 else [*shown, f"   ... {left} more lines"]


_NOT_SHOWN = {"source", "usage", "cost_usd", "attempts", "cached", "condenses", "settings_file", "why_fallback"}


def _understood(analysis: Analysis) -> Iterator[str]:
    """What was understood, a line each; what is not known or not there is left out."""
    for name, value in analysis:
        if value and name not in _NOT_SHOWN:
            several = value.items() if isinstance(value, dict) else [(name.replace("_", " "), value)]
            yield from (f"{each}: {_joined(name, found)}" for each, found in several)
    yield f"understood by: {analysis.model or {'rules': 'keyword rules'}.get(analysis.source, analysis.source)}"
    if analysis.why_fallback:
        yield f"no model answered: {why_no_model(analysis.why_fallback)}"
    if analysis.usage.input:
        yield f"tokens: {analysis.usage.input} in, {analysis.usage.output} out"


def _joined(name: str, value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    between = " " if name == "steps" else ", "
    return between.join(map(str, value)) if isinstance(value, tuple) else str(value)


def as_data(ticket: Ticket, walked: Walk) -> dict[str, Any]:
    """The same as plain data, for JSON."""
    return {
        "ticket_id": ticket.id or None,
        "machine_mail": walked.machine_mail,
        "cut": list(walked.cut),
        "redacted": {level: {"text": text.text, "replaced": text.counts} for level, text in walked.redacted.items()},
        "asked": [asdict(item) for item in walked.asked],
        "chain": [
            {"link": step.link, "answered": step.analysis is not None, "reason": step.reason}
            | ({"detail": step.detail} if step.detail else {})
            | {"ms": step.ms}
            for step in walked.steps
        ],
        "analysis": walked.analysis.model_dump(mode="json"),
        "decision": walked.decision.model_dump(mode="json", exclude={"ticket_id"}),
    }

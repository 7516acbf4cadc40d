"""The texts of alerts, written for somebody who has just been woken up. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..analysis.text.outgoing import told as leaves
from ..core.clock import iso
from .facts import Severity
from .open_alerts import EscalatedTicket, Owed
from .rules import RULES

MOST_LISTED = 50
_LONGEST = 400


@dataclass(frozen=True)
class Message:
    """A message to a receiver. ``key`` names its condition, and is the same for the begin and the end.

    ``severity`` is ``None`` for a message that is no alert. Services with room for a title only get ``line``, and the
    rest by name from ``details``. ``account`` names the desk; ``link`` is the runbook's address, if it has one.
    """

    title: str
    body: str
    severity: Severity | None = None
    key: str = ""
    what: Literal["begun", "worse", "over", "summary", "escalated", "test"] = "begun"
    account: str = ""
    line: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    link: str = ""

    def __post_init__(self) -> None:
        """Remove secrets from every text."""
        for name in ("title", "body", "line"):
            object.__setattr__(self, name, leaves(getattr(self, name)))
        object.__setattr__(self, "details", {name: leaves(text) for name, text in self.details.items()})


def plain(text: str) -> str:
    """The text in one line, changed so that no service makes a link, a mention or mark-up of it."""
    line = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
    for char, harmless in (("<", "‹"), (">", "›"), ("&", "＆"), ("@", "＠"), ("://", "∶//"), ("](", "] (")):
        line = line.replace(char, harmless)
    # A word joiner: the name looks the same but is no address any more.
    return re.sub(r"(?:(?<=//)|(?<![\w/\\.-]))((?:[\w-]+\.)+)(?=[A-Za-z]{2,}\b)", lambda name: name[1] + "\u2060", line)


def title_of(mark: str, what: str, account: str) -> str:
    """The title of a message: how bad, what, and where."""
    return f"[{mark}] {what} (ticketbot, {account})"


def message_of(news: Owed, account: str, runbook: str, machine: str = "") -> Message:
    """The message about a condition. ``account`` names the desk; ``runbook`` is the page that describes each rule.

    ``machine`` is the name of the computer that ticketbot runs on, where the commands are to be typed.
    """
    rule = RULES[news.rule]
    marks = {"begun": news.severity.value, "worse": f"{news.severity.value}, was a warning", "over": "over"}
    title = title_of(marks[news.what], rule.title, account)
    told, since = _sentence(news.message), _moment(news.since)
    link = f"{runbook}#{news.rule}" if re.match(r"https?://", runbook) else ""
    if news.what == "over":
        end = (
            "It goes on as a warning, and is not critical any more."
            if news.until is None
            else f"It began at {since} and was over at {_moment(news.until)}."
        )
        rows = {"Over": end, "Last said": told}
    else:
        rows = {
            "Since": since,
            "Machine": plain(machine),
            "What to do": rule.advice,
            "More": link or f"'{news.rule}' in {runbook}",
        }
    body = [end, f"It was: {told}"] if news.what == "over" else [told, *_lines(rows)]
    return Message(
        title=title,
        body="\n".join(body),
        severity=news.severity,
        key=f"ticketbot/{account}/{news.rule}",
        what=news.what,
        account=account,
        line=f"{title}: {told}",
        details={name: text for name, text in rows.items() if text},
        link=link,
    )


def escalation_of(tickets: Sequence[EscalatedTicket], account: str, url_of: Callable[[int], str]) -> Message:
    """One message for all escalated tickets: numbers, reasons and addresses, and no customer's word."""
    count = len(tickets)
    lines = [
        f"#{one.ticket_id}: {', '.join(one.reasons).replace('_', ' ')}  {url_of(one.ticket_id)}".rstrip()
        for one in tickets[:MOST_LISTED]
    ]
    if rest := count - len(lines):
        lines.append(f"and {rest} more")
    lines.append("'ticketbot escalated' lists what is still open.")
    what = f"{count} ticket{'s' * (count != 1)} escalated"
    return Message(title_of("escalated", what, account), "\n".join(lines), Severity.WARNING, "", "escalated", account)


def _lines(rows: Mapping[str, str]) -> list[str]:
    return [f"{name}: {text}" for name, text in rows.items() if text]


def _sentence(message: str) -> str:
    told = plain(leaves(message))
    told = told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"
    return f"{told[:1].upper()}{told[1:].rstrip('.')}."


def _moment(timestamp: float) -> str:
    return iso(timestamp)[:16].replace("T", " ") + " UTC"

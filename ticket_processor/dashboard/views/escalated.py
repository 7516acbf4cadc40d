"""Escalated: tickets that cannot wait, and what has become of them since."""

from __future__ import annotations

from ticket_processor.dashboard import parts
from ticket_processor.dashboard.sidebar import choose


def body() -> None:
    selection = selected()
    parts.about(selection)
    if not parts.nothing(selection):
        parts.escalated(selection, asking=asking)


parts.head("Escalated")
selected = choose()
asking = parts.ask_the_helpdesk()
parts.live(body)

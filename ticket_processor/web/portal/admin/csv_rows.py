"""Tickets as CSV for spreadsheets: UTF-8 with a byte order mark, without cells that look like formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from ....core.sanitize import harmless
from ....helpdesk.local_model import LocalTicket
from .edits import Choices

COLUMNS = (
    "number subject status priority category urgency sentiment escalated assignee group tags language "
    "created_at updated_at first_reply_at resolved_at closed_at"
).split()


def csv_of(pages: Iterable[Sequence[LocalTicket]], choices: Choices) -> Iterator[bytes]:
    """The file in pieces, one for each page."""
    yield b"\xef\xbb\xbf" + _lines([COLUMNS])
    for page in pages:
        yield _lines([_cells(ticket, choices) for ticket in page])


def _cells(ticket: LocalTicket, choices: Choices) -> list[object]:
    told = {
        "escalated": "yes" if ticket.escalated else "no",
        "assignee": choices.shown("assignee", str(ticket.assignee)) if ticket.assignee else "",
        "group": choices["group"].get(str(ticket.group), ""),
        "tags": " ".join(ticket.tags),
    }
    return [harmless(told.get(name, getattr(ticket, name))) for name in COLUMNS]


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")

"""Invented mails with subjects like those of bounces and automatic replies: 200 that people wrote, 200 of machines.

Written before the signs in ``machine_mail.py``, by the same author. Misses were read at even places only.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ticket_processor.core.models import Ticket

FOLDER = Path(__file__).parent / "mail"
_LINE = re.compile(r"(?:\((?P<sender>\S+@\S+)\) )?(?P<subject>.*?) :: (?P<text>.*)")
_STAMP = "2026-03-02T10:00:00Z"


class Mail(NamedTuple):
    """One line of a file: the language of its section, and the ticket that the mail becomes."""

    language: str
    ticket: Ticket


def read(name: str) -> list[Mail]:
    """The mails of ``people`` or of ``machines``."""
    mails: list[Mail] = []
    language = ""
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            language = line[3:]
        elif language and (found := _LINE.fullmatch(line)):
            ticket = Ticket(
                id=len(mails) + 1,
                subject=found["subject"],
                description=found["text"].replace("\\n", "\n"),
                sender=found["sender"] or "jo@customer.example",
                channel="email",
                created_at=_STAMP,
                updated_at=_STAMP,
            )
            mails.append(Mail(language, ticket))
    return mails

"""Takes a customer's words out of the state."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.errors import StateUnusable
from ..core.models import Change
from .records import Verdict, parsed
from .store import State

ERASING = "erasing"
"""Fact of the state: the tickets whose words are being erased, as JSON."""


def erase_words(state: State, ticket_ids: Iterable[int]) -> list[int]:
    """Take a customer's words out of what waits to be written on these tickets, and out of the file's free pages.

    Labels are still written, without summary and note. What was to be put back for a person holds that person's
    own values, so it is given up: returns the tickets of those. No other process may have the file open.
    """
    given_up = []
    with state.transaction() as db:
        for ticket_id in dict.fromkeys(ticket_ids):
            kept = db.execute("SELECT verdict FROM verdicts WHERE ticket_id = ?", (ticket_id,)).fetchone()
            verdict = kept and parsed(Verdict, kept[0])
            if verdict and verdict.puts_back:
                given_up.append(ticket_id)
                for table in ("verdicts", "retries"):
                    db.execute(f"DELETE FROM {table} WHERE ticket_id = ?", (ticket_id,))  # noqa: S608 - our own names
            elif verdict:
                state.keep_verdict(verdict.wordless())
            for table in ("writes", "scheduled_replies"):
                db.execute(f"DELETE FROM {table} WHERE ticket_id = ?", (ticket_id,))  # noqa: S608 - our own names
            rows = db.execute("SELECT intent, change FROM intents WHERE ticket_id = ?", (ticket_id,)).fetchall()
            for intent, text in rows:
                change = parsed(Change, text)
                if change.puts_back:
                    db.execute("DELETE FROM intents WHERE intent = ?", (intent,))
                else:
                    bare = change.model_copy(update={"note": None}).model_dump_json()
                    db.execute("UPDATE intents SET change = ? WHERE intent = ?", (bare, intent))
    if not state.vacuum():
        raise StateUnusable(f"the state in {state.path} is in use by another process: try again in a moment")
    return given_up

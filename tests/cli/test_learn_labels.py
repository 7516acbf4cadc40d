"""``learn doubts`` and ``learn confusions`` on a helpdesk: they read solved tickets, and write nothing."""

from __future__ import annotations

import json

import pytest

from ticket_processor.learning.store import FILE_NAME, LearningStore

from ..learning.test_confusions import WORDS, history
from .conftest import OpenDesk
from .test_train import tickets


@pytest.mark.slow
def test_solved_tickets_are_read_for_doubts_and_for_descriptions_and_stay_as_they_are(open_desk: OpenDesk) -> None:
    rows = [
        {
            "subject": f"Ticket {row['id']}",
            "body": row["body"],
            "tags": ["refund" if row["category"] == "technical" else row["category"]],
            "status": "solved",
            "age": 7200.0 - number,
        }
        for number, row in enumerate(tickets(150))
    ]
    rows[40]["tags"] = ["billing" if rows[40]["tags"] == ["refund"] else "refund"]
    desk = open_desk(rows)
    wrong = next(number for number, stored in desk.tickets.items() if stored.json["subject"] == rows[40]["subject"])
    before = {number: json.dumps(stored.json) for number, stored in desk.tickets.items()}
    told = desk("learn", "doubts", "--json").object
    assert told["tickets"] == len(rows)
    assert told["doubts"][0]["ticket"] == str(wrong)
    desk.state.mkdir(exist_ok=True)
    LearningStore(desk.state / FILE_NAME).keep(history())
    assert desk("learn", "confusions", "--json").object["descriptions"] == {}
    found = desk("learn", "confusions", "--from-helpdesk", "--json").object["descriptions"]
    assert found.keys() == WORDS.keys()
    assert {request.split()[0] for request in desk.helpdesk_requests() if "/oauth/" not in request} == {"GET"}
    assert {number: json.dumps(stored.json) for number, stored in desk.tickets.items()} == before

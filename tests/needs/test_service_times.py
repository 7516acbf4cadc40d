"""Need 42: who has to be answered by when."""

from __future__ import annotations

from typing import Any

from ..cli.conftest import Desk, OpenDesk, open_desk

__all__ = ["open_desk"]
HOUR = 3600.0
ON = "[policy.escalation]\nsla_minutes = 60\n"
GOLD = {"title": "Gold", "minutes": {"first_reply_time": {"high": 160, "normal": 600}}}


def with_policy(open_desk: OpenDesk) -> Desk:
    """Tickets: 20 min overdue, due in 40 min, due in 8 h, and one without a priority."""
    ages: list[dict[str, Any]] = [
        {"priority": "high", "age": 3 * HOUR},
        {"priority": "high", "age": 2 * HOUR},
        {"priority": "normal", "age": 2 * HOUR - 1},
        {"age": 2 * HOUR - 2},
    ]
    body = "I was charged twice for my subscription. Please check my invoice."
    desk = open_desk([{"subject": f"Charged twice ({n})", "body": body, **row} for n, row in enumerate(ages)])
    desk.sandbox.store.sla_policy = GOLD
    return desk


def test_a_note_says_when_a_reply_is_due_and_who_is_late_is_escalated_and_counted(
    open_desk: OpenDesk,
) -> None:
    """Need 42: service times in the note, an escalation and an alert before a breach, a table by category."""
    desk = with_policy(open_desk)
    desk.configure(ON)
    desk("run", "--since", "1d")
    said = {number: desk.notes(number)[0]["plain_body"] for number in desk.tickets}
    assert "First reply due in 40 min (from policy Gold)." in said[2]
    assert "Escalation: a service time that ends soon. Answer now" in said[2]
    assert "First reply due in 8 h (from policy Gold)." in said[3]
    assert "First reply was due 20 min ago (from policy Gold)." in said[1]
    assert "First reply" not in said[4]
    assert [number for number in desk.tickets if "ai_escalated" in desk.ticket(number)["tags"]] == [1, 2]
    (receipt,) = (line for line in desk.events("ticket") if line["ticket_id"] == 2)
    assert receipt["change"]["escalated"] == ["service_time"]
    assert [one["metric"] for one in receipt["service_times"]] == ["first reply"]
    (end,) = desk.events("run_finished")
    assert (end["due_soon"], end["overdue"]) == ({"billing": 1}, {"billing": 1})

    desk.sandbox.store.person_edit(3, comment="Your money is on its way.", public=True)
    desk.helpdesk_requests()
    desk.advance(9 * HOUR)
    desk("run")
    asked = desk.helpdesk_requests()
    assert asked
    assert not [request for request in asked if request.startswith("PUT")], "time alone writes nothing"
    found = desk("report", "--json", "--since", "7d").object["service_times"]
    assert found == {"billing": {"met": 1, "breached": 1, "at risk": 1, "open": 1}}
    shown = desk("report", "--details", "--since", "7d").out
    assert "at risk now" in shown
    assert "counts as missing" in " ".join(shown.split())

"""Need 47: the words behind an urgent ticket, and the kinds of customers' replies."""

from __future__ import annotations

from ticket_processor.core.clock import SystemClock
from ticket_processor.dashboard.server import DashboardOptions, give
from ticket_processor.settings.schema import Settings

from ..cli.conftest import OpenDesk, open_desk
from ..dashboard.conftest import Pages, main_module, pages
from .parts import answers, note_of

__all__ = ["main_module", "open_desk", "pages"]

OUTAGE = "Production is down since nine and nobody can log in. Please help us immediately."


def test_urgent_words_and_the_kinds_of_replies_are_told_wherever_people_look(open_desk: OpenDesk, pages: Pages) -> None:
    """Need 47: urgent words in note, receipt and dashboard; kinds of customers' replies in report and dashboard."""
    invoice = {"subject": "Invoice", "body": "Where is it?", "age": 7000.0}
    desk = open_desk([{"subject": "Help", "body": OUTAGE, "age": 7200.0}, invoice])
    desk.configure("[run]\nretriage_on_reply = true\n[policy]\nnote_urgent_words = true\n")
    desk("run", "--since", "1d")
    assert answers(desk, "urgency") == {1: "critical", 2: "medium"}
    (words,) = [line["analysis"]["urgent_words"] for line in desk.events("ticket") if line["ticket_id"] == 1]
    assert len(words) == 3
    assert all(word in OUTAGE for word in words)
    assert all(f"“{word}”" in note_of(desk).partition("Urgent because of: ")[2] for word in words)
    assert "Urgent because of" not in note_of(desk, 2)

    desk.advance(120)
    desk("run")
    customer = desk.ticket(1)["requester_id"]
    desk.sandbox.store.person_edit(1, comment="It still does not work.", public=True, author_id=customer)
    desk.advance(120)
    desk("run")
    assert desk.events("ticket")[-1]["customer_reply"] == {"kind": "same_problem", "number": 2}
    assert desk("report", "--json").object["customer_replies"] == {"same_problem": 1}
    assert "same problem" in desk("report", "--details").out

    give(DashboardOptions(Settings(log_dir=desk.logs, state_dir=desk.state), SystemClock(), private=True))
    assert any("same problem" in frame.value.to_string() for frame in pages.open("overview").dataframe)
    story = pages.open("tickets", {"ticket": 1})
    assert any(words[0] in frame.value.to_string() for frame in story.dataframe)

"""The page for people, filling, the help center, the clock."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from ticket_processor.sandbox.app import HelpdeskName
from ticket_processor.sandbox.articles import add_article
from ticket_processor.sandbox.clock import OffsetClock
from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.messages import Request, Response

from ..imitation import Sandbox
from ..imitation.clock import ManualClock
from .helpers import Desk

EVIL = "<script>alert('x')</script>\"&"


def page(desk: Desk, path: str) -> str:
    response = desk.ask("GET", path, auth=None)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return response.body.decode("utf-8")


def test_everything_on_the_pages_is_escaped() -> None:
    desk = Desk(0)
    ticket_id = desk.add(subject=EVIL, body=EVIL, tags=["<b>"], requester={"name": EVIL, "email": "a@example.com"})
    desk.store.person_edit(ticket_id, comment=EVIL, add_tags=["ai_<i>"])
    for path in ("/", f"/tickets/{ticket_id}"):
        text = page(desk, path)
        assert "<script" not in text
        assert "<i>" not in text
        assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34;&amp;" in text
        assert "http://" not in text.replace("http://sandbox.invalid", "")


def test_the_overview_counts_and_shows_the_newest_twenty_five_a_page() -> None:
    desk = Desk(53)
    desk.put(1, tags=["ai_processed"])
    text = page(desk, "/")
    assert text.count("<tr>") == 26
    assert "Page 1 of 3" in text
    assert [page(desk, f"/?page={number}").count("<tr>") for number in (2, 3, 4)] == [26, 4, 4]
    assert "<dt>With ai_processed</dt><dd>1</dd>" in text
    assert 'http-equiv="refresh" content="5"' in page(desk, "/?refresh=5")
    assert "http-equiv" not in text


def test_a_tickets_page_shows_its_conversation_and_history() -> None:
    desk = Desk(1)
    desk.put(1, tags=["ai_x"], comment={"body": "looked at", "public": False})
    desk.store.person_edit(1, status="open", macro="Greet")
    text = page(desk, "/agent/tickets/1")
    for part in ("Internal note", "looked at", "tags: ", "→ ai_x", "Ticket Bot (api)", "AgentMacroReference"):
        assert part in text
    assert "Nothing here" in page(desk, "/tickets/9")
    assert desk.ask("GET", "/else").status == 404
    assert desk.ask("POST", "/", {}).status == 404


def sent(desk: Desk, path: str, form: dict[str, str], **headers: str) -> Response:
    return desk.sandbox.handle(
        Request("POST", path, {}, {"Host": "127.0.0.1:8808", **headers}, urlencode(form).encode())
    )


@pytest.mark.parametrize("helpdesk", ["zendesk", "freshdesk"])
def test_a_person_works_on_a_ticket_by_its_page(helpdesk: HelpdeskName) -> None:
    desk = Desk(0, helpdesk=helpdesk)
    ticket_id = desk.add(tags=["old", "kept"])
    ticket = desk.sandbox.agenda.tickets[ticket_id]
    urgent, solved = ("urgent", "solved") if helpdesk == "zendesk" else ("Urgent", "Resolved")
    path = f"/tickets/{ticket_id}"
    answer = sent(
        desk, path, {"tags": "kept new", "priority": urgent, "status": solved}, Origin="http://127.0.0.1:8808"
    )
    assert (answer.status, answer.headers["Location"]) == (303, path)
    assert sorted(ticket.tags) == ["kept", "new"]
    shown = page(desk, path)
    assert f"<dt>Priority</dt><dd>{urgent}</dd>" in shown
    assert f"<dt>Status</dt><dd>{solved}</dd>" in shown
    for writer in ("note", "agent", "customer"):
        sent(desk, path, {"words": f"by {writer}", "as": writer})
    shown = page(desk, path)
    assert [shown.count(f"<pre>by {writer}</pre>") for writer in ("note", "agent", "customer")] == [1, 1, 1]
    assert "<dd>solved" not in shown.lower()  # the customer has opened it again
    assert shown.count('<article class="internal">') == 1


def test_another_sites_page_changes_no_ticket() -> None:
    desk = Desk(1)
    assert sent(desk, "/tickets/1", {"tags": "theirs"}, Origin="https://elsewhere.example").status == 403
    assert "theirs" not in desk.store.tickets[1].tags


def test_a_closed_ticket_takes_no_changes() -> None:
    desk = Desk(1)
    desk.store.person_edit(1, status="closed")
    sent(desk, "/tickets/1", {"tags": "late"})
    assert desk.store.tickets[1].tags == ()
    assert "This ticket takes no more changes." in page(desk, "/tickets/1")


def test_filling_repeats_the_rows_and_gives_ages_between_two_minutes_and_the_oldest() -> None:
    sandbox = Sandbox(ManualClock())
    rows = [{"subject": "a", "body": "x"}, {"subject": "b", "html_body": "<p>y</p>", "channel": "web"}]
    ids = fill(sandbox, rows, count=50, oldest=3_600)
    tickets = [sandbox.store.tickets[ticket_id] for ticket_id in ids]
    ages = [sandbox.store.now() - ticket.created for ticket in tickets]
    assert ages == sorted(ages, reverse=True)
    assert min(ages) >= 120
    assert max(ages) <= 3_600
    assert {ticket.json["via"]["channel"] for ticket in tickets} == {"email", "web"}
    assert {ticket.json["description"] for ticket in tickets} == {"x", "y"}
    with pytest.raises(ValueError, match="nothing to fill"):
        fill(sandbox, [])


def test_a_mail_ticket_says_who_wrote_it_and_keeps_its_attachments() -> None:
    desk = Desk(0)
    attachment = {"id": 1, "file_name": "a.txt", "content_type": "text/plain", "size": 3, "content_url": "x"}
    desk.add(requester={"name": "Ann", "email": "ann@example.com"}, attachments=[attachment])
    source = desk.get("tickets/1")["ticket"]["via"]["source"]
    assert source["from"] == {"address": "ann@example.com", "name": "Ann"}
    assert desk.get("tickets/1/comments")["comments"][0]["attachments"] == [attachment]


def test_articles_are_listed_by_language_and_found_by_their_words() -> None:
    desk = Desk(0)
    reset = add_article(desk.store, "Reset a password", "<p>Click <b>forgot</b>.</p>", label_names=("login",))
    add_article(desk.store, "Passwort", "<p>Neu setzen</p>", locale="de")
    add_article(desk.store, "Password draft", "<p>secret</p>", draft=True)
    assert len(desk.get("help_center/articles")["articles"]) == 3
    assert [row["id"] for row in desk.get("help_center/en-us/articles.json")["articles"]] != []
    assert [row["title"] for row in desk.get("help_center/de/articles")["articles"]] == ["Passwort"]
    found = desk.get("help_center/articles/search", query="forgot password")
    assert [(row["id"], row["snippet"]) for row in found["results"]] == [(reset, "Click forgot.")]
    assert desk.get("help_center/articles/search", label_names="login")["count"] == 1
    assert desk.ask("GET", "help_center/articles/search").status == 400


def test_clocks_move_forward_only() -> None:
    manual, offset = ManualClock(100.0), OffsetClock()
    manual.set(150.0)
    manual.advance(10)
    assert manual.now() == 160.0
    before = offset.now()
    offset.advance(1_000)
    assert offset.now() - before >= 1_000
    for clock in (manual, offset):
        with pytest.raises(ValueError, match="does not go back"):
            clock.advance(-1)
    with pytest.raises(ValueError, match="does not go back"):
        manual.set(0)


def test_a_clock_that_cannot_be_moved_says_so() -> None:
    class Still:
        def now(self) -> float:
            return 1_795_231_800.0

    desk = Desk(0)
    desk.sandbox.clock = Still()
    assert desk.ask("POST", "/sandbox/clock", {"advance": 1}).status == 409

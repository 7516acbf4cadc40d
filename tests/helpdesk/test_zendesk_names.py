"""The requester's names, read from what Zendesk gives with the tickets anyway."""

from __future__ import annotations

from .test_zendesk import START, Account

ANNA = {"name": "Anna Schmidt", "email": "anna@example.com"}


def test_the_export_tells_the_names_of_a_page_with_the_page_itself() -> None:
    account = Account()
    account.add(requester=ANNA, channel="web")
    account.add(requester={"name": "Bo Li", "email": "bo@example.com"}, channel="web")
    pages = list(account.desk.pages(None, START - 86400))
    assert [ticket.names for page in pages for ticket in page.tickets] == [("Anna Schmidt",), ("Bo Li",)]
    assert len([request for request in account.sent if "/tickets" in request.path]) == 1


def test_a_fetch_tells_the_names_without_a_request_of_its_own() -> None:
    account = Account()
    ticket_id = account.add(requester=ANNA, channel="web")
    account.sent.clear()
    assert account.one(ticket_id).names == ("Anna Schmidt",)
    assert len(account.sent) == 1


def test_a_search_tells_names_for_mail_only_since_it_has_no_side_load() -> None:
    account = Account(source="search")
    account.add(requester=ANNA, channel="email")
    account.add(requester=ANNA, channel="web")
    found = {
        ticket.channel: ticket.names for page in account.desk.pages(None, START - 86400) for ticket in page.tickets
    }
    assert found == {"email": ("Anna Schmidt",), "web": ()}


def test_names_of_agents_are_not_the_requesters() -> None:
    account = Account()
    ticket_id = account.add(requester=ANNA, channel="email")
    agent = account.store.users.add("Will May", "will@example.com", role="agent")
    account.store.person_edit(ticket_id, assignee_id=agent)
    assert account.one(ticket_id).names == ("Anna Schmidt",)

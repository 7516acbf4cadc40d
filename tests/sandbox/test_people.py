"""People of the imitated account: searched, listed with their addresses, and the tickets that they requested."""

from __future__ import annotations

from .helpers import Desk

ANNA = {"name": "Anna Schmidt", "email": "anna@example.com"}


def test_users_are_found_by_parts_of_their_name_and_addresses() -> None:
    desk = Desk(0)
    desk.add(requester=ANNA)
    for query in ("anna", "schmidt", "email:anna@example.com", 'email:"anna@example.com"', "name:anna", "ANNA@"):
        assert [user["name"] for user in desk.get("users/search.json", query=query)["users"]] == ["Anna Schmidt"], query
    for query in ("email:schmidt", "nobody", "phone:5", ""):
        assert desk.get("users/search.json", query=query)["users"] == [], query
    assert desk.ask("GET", 'users/search?query="open').status == 422


def test_the_list_of_found_users_comes_in_pages() -> None:
    desk = Desk(0)
    for number in range(3):
        desk.add(requester={"name": f"Anna {number}", "email": f"anna{number}@example.com"})
    first = desk.get("users/search.json", query="anna", per_page=2)
    assert (len(first["users"]), first["count"], first["previous_page"]) == (2, 3, None)
    assert "page=2" in first["next_page"]
    assert len(desk.get("users/search.json", query="anna", per_page=2, page=2)["users"]) == 1


def test_a_user_has_a_primary_address_and_others() -> None:
    desk = Desk(0)
    number = desk.store.tickets[desk.add(requester=ANNA)].json["requester_id"]
    desk.store.users.add_address(number, "a@example.org")
    shown = desk.get(f"users/{number}/identities.json")["identities"]
    assert [(row["value"], row["primary"]) for row in shown] == [("anna@example.com", True), ("a@example.org", False)]
    assert desk.get("users/search", query="a@example.org")["count"] == 1
    assert desk.ask("GET", "users/1/identities").status == 404


def test_requested_tickets_are_neither_deleted_nor_archived() -> None:
    desk = Desk(1)
    kept, gone = desk.add(requester=ANNA), desk.add(requester=ANNA)
    archived = desk.add(requester=ANNA, status="closed", age=200 * 86_400.0)
    desk.store.delete(gone)
    number = desk.store.tickets[kept].json["requester_id"]
    assert [row["id"] for row in desk.get(f"users/{number}/tickets/requested")["tickets"]] == [kept]
    found = desk.get("search/export", **{"query": f"requester:{number}", "filter[type]": "ticket"})["results"]
    assert {row["id"] for row in found} == {kept, archived}
    assert desk.ask("GET", "users/1/tickets/requested").status == 404

"""Freshdesk: the list of tickets and the search."""

from __future__ import annotations

import time

import pytest

from ticket_processor.sandbox.clock import iso

from ..imitation import FreshdeskRules
from .freshdesk_helpers import DAY, FreshDesk


def test_a_list_has_tickets_of_thirty_days_newest_first_and_all_changed_since_a_time() -> None:
    desk = FreshDesk(0)
    old, recent, young = desk.add(31 * DAY), desk.add(29 * DAY), desk.add(60)
    assert desk.listed() == [young, recent]
    assert desk.listed(updated_since="2026-01-01") == [young, recent, old]
    desk.store.person_edit(old, priority=3)
    assert desk.listed() == [young, recent]
    assert desk.listed(updated_since=iso(desk.clock.now() - 30)) == [old]


def test_a_list_is_ordered_as_asked() -> None:
    desk = FreshDesk(0)
    first, second, third = desk.add(300), desk.add(200), desk.add(100, status=3)
    desk.store.person_edit(first, priority=3)
    everything = {"updated_since": "2026-01-01"}
    assert desk.listed(order_by="updated_at", order_type="asc", **everything) == [second, third, first]
    assert desk.listed(order_by="updated_at", **everything) == [first, third, second]
    assert desk.listed(order_by="created_at", order_type="asc", **everything) == [first, second, third]
    assert desk.listed(order_by="updated_at", order_type="asc") == [second, third, first]


def test_the_second_that_is_named_counts_unless_the_account_says_otherwise() -> None:
    for inclusive in (True, False):
        desk = FreshDesk(1, FreshdeskRules(since_inclusive=inclusive))
        assert desk.listed(updated_since=desk.stamp(1)) == ([1] if inclusive else [])
        assert desk.listed(updated_since=iso(desk.store.tickets[1].changed - 1)) == [1]


def test_rows_have_no_description_unless_asked_and_tags_unless_the_account_omits_them() -> None:
    desk = FreshDesk(0)
    desk.add(tags=["vip"], html_body="<p>Hello <b>there</b></p>", body=None)
    row = desk.get("tickets")[0]
    assert row["tags"] == ["vip"]
    assert "description" not in row
    assert "conversations" not in row
    row = desk.get("tickets", include="description,requester")[0]
    assert (row["description"], row["description_text"]) == ("<p>Hello <b>there</b></p>", "Hello there")
    assert row["requester"]["email"] == "customer@example.com"
    omitting = FreshDesk(1, FreshdeskRules(tags_in_lists=False))
    assert "tags" not in omitting.get("tickets")[0]
    assert omitting.get("tickets/1")["tags"] == []


def test_spam_trash_and_archive_are_not_in_the_list() -> None:
    desk = FreshDesk(4)
    desk.store.spam(1)
    desk.store.delete(2)
    desk.store.person_edit(3, status=5)
    everything = {"updated_since": "2026-01-01"}
    assert desk.listed(**everything) == [4, 3]
    desk.clock.advance(120 * DAY)
    assert desk.listed(**everything) == [4]


def test_a_list_may_be_of_one_requesters_tickets() -> None:
    desk = FreshDesk(1)
    hers = desk.add(requester_email="ann@example.com")
    assert desk.listed(requester_id=desk.store.tickets[hers].json["requester_id"]) == [hers]
    assert desk.problem(desk.ask("GET", "tickets?requester_id=5"))[:2] == (400, "requester_id")


def test_pages_are_linked_and_the_last_one_is_not() -> None:
    desk = FreshDesk(5, base_url="http://desk.example")
    answer = desk.ask("GET", "tickets?per_page=2&page=2&order_type=asc")
    assert [row["id"] for row in answer.json()] == [3, 4]
    address = "http://desk.example/api/v2/tickets?per_page=2&page=3&order_type=asc"
    assert answer.headers["Link"] == f'<{address}>; rel="next"'
    last = desk.ask("GET", "tickets?per_page=2&page=3")
    assert (len(last.json()), "Link" in last.headers) == (1, False)
    assert desk.listed(per_page=2, page=9) == []
    assert len(FreshDesk(31).get("tickets")) == 30


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("per_page=101", "per_page", "invalid_value"),
        ("per_page=0", "per_page", "invalid_value"),
        ("page=x", "page", "invalid_value"),
        ("page=301", "page", "invalid_value"),
        ("order_by=subject", "order_by", "invalid_value"),
        ("order_type=up", "order_type", "invalid_value"),
        ("updated_since=soon", "updated_since", "invalid_value"),
        ("include=conversations", "include", "invalid_value"),
        ("sort=id", "sort", "invalid_field"),
    ],
)
def test_a_query_with_a_mistake_is_refused(query: str, field: str, code: str) -> None:
    desk = FreshDesk()
    answer = desk.ask("GET", f"tickets?{query}")
    assert desk.problem(answer) == (400, field, code)
    assert answer.json()["description"] == "Validation failed"


def test_page_three_hundred_is_the_last_and_the_refusal_says_so() -> None:
    desk = FreshDesk(301)
    answer = desk.ask("GET", "tickets?per_page=1&page=300")
    assert (len(answer.json()), "Link" in answer.headers) == (1, False)
    refused = desk.ask("GET", "tickets?per_page=1&page=301").json()
    assert refused["errors"][0]["message"].startswith("You cannot access tickets beyond the 300th page")


def test_a_ticket_that_changes_between_two_pages_makes_the_next_page_skip_one() -> None:
    desk = FreshDesk(0)
    ids = [desk.add(1_000 - number) for number in range(5)]
    query = {"updated_since": "2026-01-01", "order_by": "updated_at", "order_type": "asc", "per_page": 2}
    first = desk.listed(**query)
    desk.store.person_edit(ids[0], priority=4)
    assert [*first, *desk.listed(page=2, **query)] == [ids[0], ids[1], ids[3], ids[4]]


def test_listing_many_tickets_does_not_sort_them_for_each_request() -> None:
    desk = FreshDesk(0, plan="unlimited")
    for number in range(20_000):
        desk.add(30_000 - number)
    query = "tickets?updated_since=2026-01-01&order_by=updated_at&order_type=asc&per_page=100&include=description"

    def cost(repeat: int, prepared: bool) -> float:
        begun = time.perf_counter()
        for number in range(repeat):
            if prepared:
                desk.store.person_edit(1 + number, priority=2 + number % 3)
            assert desk.ask("GET", query).status == 200
        return (time.perf_counter() - begun) / repeat

    begun = time.perf_counter()
    sorted(desk.store.tickets.values(), key=lambda ticket: (ticket.stamp, ticket.id))
    one_sort = time.perf_counter() - begun
    assert min(cost(5, True) for _ in range(3)) < one_sort


# --- search --------------------------------------------------------------------------------------------------------


def found(desk: FreshDesk, query: str) -> list[int]:
    return [row["id"] for row in desk.get("search/tickets", query=f'"{query}"')["results"]]


def test_a_search_finds_tickets_by_tag_and_by_the_day_of_creation() -> None:
    desk = FreshDesk(0, FreshdeskRules(search_lag=0))
    old, new = desk.add(3 * DAY, tags=["vip"]), desk.add(600)
    assert found(desk, "tag:'vip'") == [old]
    assert found(desk, "created_at:>'2026-11-21'") == [new]
    assert found(desk, "created_at:>'2000-01-01'") == [new, old]
    for query in ("tag:'vip'", '"priority:3"', '"tag:vip"', '"created_at:>10"'):
        assert desk.problem(desk.ask("GET", f"search/tickets?query={query}"))[:2] == (400, "query")


def test_the_index_learns_of_changes_minutes_later_and_forgets_spam_trash_and_archive() -> None:
    desk = FreshDesk(2)
    desk.store.person_edit(1, add_tags=["vip"])
    assert found(desk, "tag:'vip'") == []
    desk.clock.advance(179)
    assert found(desk, "tag:'vip'") == []
    desk.clock.advance(1)
    assert found(desk, "tag:'vip'") == [1]
    desk.store.delete(1)
    desk.clock.advance(180)
    assert found(desk, "tag:'vip'") == []
    assert found(desk, "created_at:>'2000-01-01'") == [2]
    desk.store.person_edit(2, status=5)
    desk.clock.advance(120 * DAY)
    assert found(desk, "created_at:>'2000-01-01'") == []


def test_a_search_gives_thirty_to_a_page_and_ten_pages() -> None:
    desk = FreshDesk(35, FreshdeskRules(search_lag=0))
    page = desk.get("search/tickets", query="\"created_at:>'2000-01-01'\"", page=2)
    assert (page["total"], len(page["results"])) == (35, 5)
    assert desk.problem(desk.ask("GET", "search/tickets?query=%22tag:'x'%22&page=11"))[:2] == (400, "page")

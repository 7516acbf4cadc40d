"""The search over tickets: ``GET /search.json``, as a client that pages through it meets it."""

from __future__ import annotations

from typing import Any

import pytest

from .helpers import Desk


def ids(found: Any) -> list[int]:
    return [row["id"] for row in found["results"]]


def test_a_search_finds_tickets_by_type_words_tags_and_status() -> None:
    desk = Desk(0)
    first = desk.add(subject="Invoice is wrong", tags=["vip"])
    second = desk.add(subject="Parcel is late")
    found = desk.get("search.json", query="type:ticket invoice")
    assert (ids(found), found["count"], found["facets"]) == ([first], 1, None)
    assert (found["next_page"], found["previous_page"]) == (None, None)
    assert found["results"][0]["result_type"] == "ticket"
    assert "generated_timestamp" not in found["results"][0]
    assert ids(desk.get("search", query="type:ticket -tags:vip")) == [second]
    assert set(ids(desk.get("search.json", query="status<solved"))) == {first, second}
    assert desk.get("search/count.json", query="type:ticket") == {"count": 2}


def test_a_search_comes_in_pages_with_links_and_in_the_order_asked_for() -> None:
    desk = Desk(5)
    asked = {"query": "type:ticket", "per_page": 2, "sort_by": "created_at", "sort_order": "asc"}
    first = desk.get("search.json", **asked)
    third = desk.get("search.json", **asked, page=3)
    assert (len(first["results"]), first["count"], first["previous_page"]) == (2, 5, None)
    assert "page=2" in first["next_page"]
    assert "sort_order=asc" in first["next_page"]
    assert (len(third["results"]), third["next_page"]) == (1, None)
    assert "page=2" in third["previous_page"]
    every = ids(first) + ids(desk.get("search.json", **asked, page=2)) + ids(third)
    assert every == sorted(every)
    backwards = desk.get("search.json", query="type:ticket", sort_by="created_at")
    assert ids(backwards) == every[::-1]


def test_tickets_are_sorted_by_the_rank_of_priority_and_status() -> None:
    desk = Desk(0)
    low, urgent, none = desk.add(priority="low"), desk.add(priority="urgent"), desk.add()
    assert ids(desk.get("search.json", query="type:ticket", sort_by="priority")) == [urgent, low, none]


def test_beyond_a_thousand_results_a_search_is_refused() -> None:
    desk = Desk(0)
    for _ in range(1_020):
        desk.add()
    tenth = desk.get("search.json", query="type:ticket", page=10)
    assert (len(tenth["results"]), tenth["count"]) == (100, 1_020)
    assert "page=11" in tenth["next_page"]
    refused = desk.ask("GET", "search.json?query=type:ticket&page=11")
    assert refused.status == 422
    assert refused.json()["error"] == "invalid"
    assert len(desk.get("search.json", query="type:ticket", per_page=30, page=34)["results"]) == 10


@pytest.mark.parametrize(
    "query", ["", "type:user anna", "wrong:1", 'invoice "open', "created>0001-01-01T00:00%2B01:00"]
)
def test_a_query_that_cannot_be_answered_is_refused(query: str) -> None:
    assert Desk(1).ask("GET", f"search.json?query={query}").status == 422


def test_a_search_sees_what_the_index_has_seen() -> None:
    desk = Desk(0, search_lag=120.0)
    number = desk.add(age=0)
    assert ids(desk.get("search.json", query="type:ticket")) == []
    desk.clock.advance(121)
    assert ids(desk.get("search.json", query="type:ticket")) == [number]

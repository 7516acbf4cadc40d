"""The cursor export, the search export and the ticket list."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from .helpers import Desk

START = 1_700_000_000


def export(desk: Desk, **query: object) -> Any:
    return desk.get("incremental/tickets/cursor.json", **query)


def test_the_export_withholds_the_newest_minute() -> None:
    desk = Desk(0)
    old, young = desk.add(age=61), desk.add(age=30)
    assert [row["id"] for row in export(desk, start_time=START)["tickets"]] == [old]
    desk.clock.advance(31)
    assert [row["id"] for row in export(desk, start_time=START)["tickets"]] == [old, young]


def test_the_end_of_the_stream_still_has_a_cursor_that_finds_what_comes_later() -> None:
    desk = Desk(3)
    first = export(desk, start_time=START, per_page=2)
    assert first["end_of_stream"] is False
    second = export(desk, cursor=first["after_cursor"], per_page=2)
    assert second["end_of_stream"] is True
    empty = export(desk, cursor=second["after_cursor"])
    assert (empty["tickets"], empty["end_of_stream"]) == ([], True)
    assert empty["after_cursor"] == second["after_cursor"]
    desk.store.person_edit(1, add_tags=["x"])
    assert export(desk, cursor=empty["after_cursor"])["tickets"] == []
    desk.clock.advance(61)
    assert [row["id"] for row in export(desk, cursor=empty["after_cursor"])["tickets"]] == [1]


def test_a_cursor_is_the_position_of_the_last_row() -> None:
    desk = Desk(1)
    stamp = desk.store.tickets[1].json["generated_timestamp"]
    cursor = export(desk, start_time=START)["after_cursor"]
    assert base64.b64decode(cursor).decode() == f"{stamp}.0||1|"


def test_tickets_of_one_second_are_split_over_pages_without_loss_or_repetition() -> None:
    desk = Desk(0)
    ids = [desk.add(age=600) for _ in range(7)]
    seen, page = [], export(desk, start_time=START, per_page=3)
    while True:
        seen += [row["id"] for row in page["tickets"]]
        if page["end_of_stream"]:
            break
        page = export(desk, cursor=page["after_cursor"], per_page=3)
    assert seen == ids


@pytest.mark.parametrize("seconds", [0, 59, -100])
def test_a_start_within_the_last_minute_is_a_422(seconds: int) -> None:
    desk = Desk()
    answer = desk.ask("GET", f"incremental/tickets/cursor?start_time={int(desk.clock.now()) - seconds}")
    assert answer.status == 422
    assert answer.json()["description"].startswith("Too recent start_time.")


@pytest.mark.parametrize("query", ["", "start_time=x", "cursor=%21", "cursor=YWJj", "start_time=1&per_page=x"])
def test_nonsense_for_a_start_or_a_cursor_is_a_400(query: str) -> None:
    assert Desk().ask("GET", f"incremental/tickets/cursor?{query}").status == 400


def test_deleted_tickets_are_in_the_export_unless_excluded() -> None:
    desk = Desk(2)
    desk.store.scrub(1)
    desk.clock.advance(61)
    rows = export(desk, start_time=START)["tickets"]
    assert [(row["id"], row["status"]) for row in rows] == [(2, "new"), (1, "deleted")]
    assert (rows[1]["subject"], rows[1]["description"]) == ("SCRUBBED", "X")
    assert [row["id"] for row in export(desk, start_time=START, exclude_deleted="true")["tickets"]] == [2]


def search(desk: Desk, query: str, **more: object) -> Any:
    return desk.get("search/export", **{"filter[type]": "ticket", "query": query, **more})


def test_the_search_export_needs_its_type_as_a_filter_and_not_in_the_query() -> None:
    desk = Desk()
    assert desk.ask("GET", "search/export?query=x").status == 422
    assert desk.ask("GET", "search/export?filter[type]=ticket&query=type:ticket").status == 422
    assert desk.ask("GET", "search/export?filter[type]=ticket&query=wrong:1").status == 422


def test_the_search_export_filters_by_time_status_and_requester() -> None:
    desk = Desk(0)
    old = desk.add(age=7_200, requester={"email": "ann@example.com"})
    solved = desk.add(age=3_600, status="solved")
    new = desk.add(age=600)

    def found(query: str) -> list[int]:
        return [row["id"] for row in search(desk, query)["results"]]

    assert found("created>=2026-11-21T02:00:00Z") == [new, solved]
    assert found("created>2026-11-20") == [new, solved, old]
    assert found("status<solved") == [new, old]
    assert found("created>=2026-11-20 status>=solved") == [solved]
    assert found(f"requester:{desk.store.tickets[old].json['requester_id']}") == [old]
    for query in ("printer", "created>soon", "status:lost"):
        assert desk.ask("GET", f"search/export?filter[type]=ticket&query={query}").status == 422


def test_the_search_export_pages_by_a_cursor_that_lives_an_hour() -> None:
    desk = Desk(0)
    ids = [desk.add(age=600 - number) for number in range(5)]
    first = search(desk, "", **{"page[size]": 2})
    second = search(desk, "", **{"page[size]": 2, "page[after]": first["meta"]["after_cursor"]})
    third = search(desk, "", **{"page[size]": 2, "page[after]": second["meta"]["after_cursor"]})
    rows = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert rows == ids[::-1]
    assert (third["meta"]["has_more"], third["links"]["next"]) == (False, None)
    desk.clock.advance(3_601)
    late = f"search/export?filter[type]=ticket&page[after]={first['meta']['after_cursor']}"
    assert desk.ask("GET", late).status == 400


def test_a_lagging_index_shows_tickets_late_and_as_they_were() -> None:
    desk = Desk(1, search_lag=120.0)
    desk.store.person_edit(1, add_tags=["seen"])
    assert search(desk, "")["results"][0]["tags"] == []
    created = desk.ask("POST", "tickets", {"ticket": {"comment": {"body": "x"}}}).json()["ticket"]["id"]
    assert [row["id"] for row in search(desk, "")["results"]] == [1]
    desk.clock.advance(121)
    assert [row["id"] for row in search(desk, "")["results"]] == [created, 1]
    assert search(desk, "")["results"][1]["tags"] == ["seen"]


def test_the_list_pages_by_cursor_until_there_is_no_more() -> None:
    desk = Desk(5)
    seen: list[int] = []
    page = desk.get("tickets", **{"page[size]": 2})
    while True:
        seen += [row["id"] for row in page["tickets"]]
        if not page["meta"]["has_more"]:
            break
        page = desk.ask("GET", page["links"]["next"].removeprefix(desk.store.base_url)).json()
    assert seen == [1, 2, 3, 4, 5]
    assert page["meta"]["after_cursor"]
    down = desk.get("tickets", **{"page[size]": 2, "sort": "-id"})
    assert [row["id"] for row in down["tickets"]] == [5, 4]
    more = desk.get("tickets", **{"page[size]": 2, "sort": "-id", "page[after]": down["meta"]["after_cursor"]})
    assert [row["id"] for row in more["tickets"]] == [3, 2]


def test_the_list_also_pages_by_offset_but_not_deeply() -> None:
    desk = Desk(3)
    page = desk.get("tickets", per_page=2, page=2)
    assert [row["id"] for row in page["tickets"]] == [3]
    assert (page["count"], page["next_page"]) == (3, None)
    assert page["previous_page"].endswith("per_page=2&page=1")
    deep = desk.ask("GET", "tickets?page=102")
    assert (deep.status, deep.json()["errors"][0]["code"]) == (400, "InvalidPaginationDepth")


def test_sorting_by_creation_under_a_cursor_is_refused() -> None:
    answer = Desk().ask("GET", "tickets?page[size]=2&sort=created_at")
    assert (answer.status, answer.json()["errors"][0]["code"]) == (400, "InvalidPaginationParameter")
    assert Desk().ask("GET", "tickets?page[size]=2&page[after]=xx").status == 400

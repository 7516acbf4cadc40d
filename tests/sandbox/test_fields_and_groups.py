"""The account's own fields and groups, and drop-downs whose values are tags."""

from __future__ import annotations

from typing import Any

import pytest

from .helpers import Desk

AREA, ORDER = 2_001, 2_002


def fields(desk: Desk, ticket_id: int = 1) -> dict[int, Any]:
    shown = desk.get(f"tickets/{ticket_id}")["ticket"]
    assert shown["custom_fields"] == shown["fields"]
    return {item["id"]: item["value"] for item in shown["custom_fields"]}


def values(**by_name: Any) -> list[dict[str, Any]]:
    return [{"id": {"area": AREA, "order": ORDER}[name], "value": value} for name, value in by_name.items()]


def test_a_new_ticket_shows_the_accounts_own_fields_empty() -> None:
    assert fields(Desk(1)) == {AREA: None, ORDER: None}


def test_a_choice_brings_its_tag_and_another_choice_takes_it_away() -> None:
    desk = Desk(1)
    desk.put(1, custom_fields=values(area="area_app", order="A-7"))
    assert fields(desk) == {AREA: "area_app", ORDER: "A-7"}
    assert desk.tags(1) == ["area_app"]
    desk.put(1, custom_fields=values(area="area_web_shop"))
    assert desk.tags(1) == ["area_web_shop"]
    desk.put(1, custom_fields=values(area=None))
    assert (desk.tags(1), fields(desk)[AREA]) == ([], None)


@pytest.mark.parametrize(("tags", "kept"), [(["x"], None), (["x", "area_app"], "area_app")])
def test_of_a_choice_and_a_list_of_tags_in_one_write_the_tags_win(tags: list[str], kept: str | None) -> None:
    desk = Desk(1)
    desk.put(1, tags=tags, custom_fields=values(area="area_app"))
    assert fields(desk)[AREA] == kept
    assert set(desk.tags(1)) == set(tags)


def test_a_list_of_tags_without_a_choices_tag_empties_the_drop_down() -> None:
    desk = Desk(1)
    desk.store.person_edit(1, custom_fields={AREA: "area_app"})
    desk.put(1, tags=["x"])
    assert fields(desk)[AREA] is None


def test_a_tag_that_is_another_choice_takes_the_place_of_a_persons() -> None:
    desk = Desk(1)
    desk.store.person_edit(1, custom_fields={AREA: "area_web_shop"})
    desk.put(1, tags=["area_web_shop", "area_app"])
    assert fields(desk)[AREA] == "area_app"
    assert desk.tags(1) == ["area_app"]


def test_what_is_no_option_and_no_field_is_dropped_without_a_word() -> None:
    desk = Desk(1)
    response = desk.put(
        1, custom_fields=[*values(area="area_moon"), {"id": 99, "value": "x"}, {"id": 1_000, "value": 1}]
    )
    assert response.status == 200
    assert fields(desk) == {AREA: None, ORDER: None}


def test_a_group_is_one_of_the_accounts() -> None:
    desk = Desk(1)
    assert [row["name"] for row in desk.get("groups")["groups"]] == ["Finance", "Support"]
    assert desk.put(1, group_id=8_002).json()["ticket"]["group_id"] == 8_002
    refused = desk.put(1, group_id=1)
    assert refused.status == 422
    assert "group" in refused.json()["details"]
    desk.store.groups[8_002]["deleted"] = True
    assert len(desk.get("groups")["groups"]) == 1
    assert len(desk.get("groups", exclude_deleted="false")["groups"]) == 2


def test_people_set_groups_and_fields_and_a_follow_up_inherits_the_fields() -> None:
    desk = Desk(1)
    audit = desk.store.person_edit(1, group_id=8_001, custom_fields={ORDER: "A-8", AREA: "area_app"})
    assert audit is not None
    assert audit.change("group_id") == (None, 8_001)
    assert audit.change(str(ORDER)) == (None, "A-8")
    assert audit.tags_added == {"area_app"}
    desk.store.person_edit(1, status="closed")
    again = desk.store.follow_up(1, "It is back.")
    assert fields(desk, again.id) == {AREA: "area_app", ORDER: "A-8"}

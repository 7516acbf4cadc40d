"""Readings of tickets by id may show a state of some seconds ago, whole and consistent; writes never do."""

from __future__ import annotations

from typing import Any

from ticket_processor.sandbox.clock import parse_iso

from .helpers import Desk

LAG = 5.0


def lagging(tickets: int = 2, **options: Any) -> Desk:
    return Desk(tickets, plan="unlimited", replica_lag=LAG, **options)


def readings(desk: Desk, times: int = 60) -> list[dict[str, Any]]:
    return [desk.get("tickets/1")["ticket"] for _ in range(times)]


def test_without_lag_every_reading_shows_now_and_nothing_is_kept() -> None:
    desk = Desk(1)
    for number in range(5):
        desk.store.person_edit(1, add_tags=[f"t{number}"])
        assert f"t{number}" in desk.get("tickets/1")["ticket"]["tags"]
    assert desk.store.versions == {}


def test_just_after_an_edit_some_readings_show_it_and_some_do_not() -> None:
    desk = lagging()
    before = desk.stamp(1)
    desk.store.person_edit(1, add_tags=["new"])
    desk.clock.advance(2)
    seen = {(row["updated_at"], tuple(row["tags"])) for row in readings(desk)}
    assert seen == {(before, ()), (desk.stamp(1), ("new",))}


def test_an_edit_older_than_the_lag_is_shown_by_all() -> None:
    desk = lagging()
    desk.store.person_edit(1, add_tags=["new"])
    desk.clock.advance(LAG)
    assert {tuple(row["tags"]) for row in readings(desk)} == {("new",)}


def test_no_reading_is_older_than_the_lag() -> None:
    desk = lagging()
    for number in range(20):
        desk.store.person_edit(1, add_tags=[f"t{number:02}"])
        desk.clock.advance(1)
    for _ in range(60):
        stamp = parse_iso(desk.get("tickets/1")["ticket"]["updated_at"])
        assert desk.clock.now() - stamp <= LAG + 1
    assert len({row["updated_at"] for row in readings(desk)}) > 3


def test_one_answer_shows_one_moment_for_all_its_tickets() -> None:
    desk = lagging(2)
    for number in range(6):
        for key in (1, 2):
            desk.store.person_edit(key, add_tags=[f"t{number}"])
        desk.clock.advance(1)
    answers = [desk.get("tickets/show_many", ids="1,2")["tickets"] for _ in range(40)]
    assert all(first["tags"] == second["tags"] for first, second in answers)
    assert len({len(first["tags"]) for first, _ in answers}) > 2


def test_audits_and_comments_lag_as_well() -> None:
    desk = lagging()
    desk.put(1, tags=["mine"], comment={"body": "note", "public": False}, metadata={"k": "v"})
    desk.clock.advance(1)
    audits = {len(desk.get("tickets/1/audits")["audits"]) for _ in range(60)}
    comments = {len(desk.get("tickets/1/comments")["comments"]) for _ in range(60)}
    assert audits == comments == {1, 2}


def test_a_new_ticket_is_not_found_at_once_and_a_deleted_one_is_still_shown() -> None:
    desk = lagging(1)
    made = desk.ask("POST", "tickets", {"ticket": {"comment": {"body": "x"}}}).json()["ticket"]["id"]
    desk.store.delete(1)
    desk.clock.advance(1)
    assert {desk.ask("GET", f"tickets/{made}").status for _ in range(60)} == {200, 404}
    assert {desk.ask("GET", "tickets/1").status for _ in range(60)} == {200, 404}
    desk.clock.advance(LAG)
    assert {desk.ask("GET", f"tickets/{made}").status for _ in range(60)} == {200}
    assert {desk.ask("GET", "tickets/1").status for _ in range(60)} == {404}


def test_a_write_is_guarded_by_the_ticket_as_it_is() -> None:
    desk = lagging()
    old = desk.stamp(1)
    desk.store.person_edit(1, add_tags=["person"])
    answer = desk.put(1, tags=["mine"], safe_update=True, updated_stamp=old)
    assert (answer.status, desk.tags(1)) == (409, ["person"])


def test_the_same_seed_shows_the_same_states() -> None:
    def run(seed: int) -> list[int]:
        desk = lagging(seed=seed)
        seen = []
        for number in range(30):
            desk.store.person_edit(1, add_tags=[f"t{number}"])
            desk.clock.advance(0.7)
            seen.append(len(desk.get("tickets/1")["ticket"]["tags"]))
        return seen

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_the_lag_may_begin_and_end_at_any_time() -> None:
    desk = Desk(1)
    desk.store.person_edit(1, add_tags=["early"])
    desk.store.replica_lag = LAG
    assert {tuple(row["tags"]) for row in readings(desk)} == {("early",)}
    desk.store.person_edit(1, add_tags=["later"])
    desk.clock.advance(20)
    desk.store.replica_lag = 0.0
    desk.store.person_edit(1, add_tags=["last"])
    assert readings(desk, 1)[0]["tags"] == ["early", "last", "later"]
    desk.clock.advance(20)
    desk.store.replica_lag = LAG
    assert {tuple(row["tags"]) for row in readings(desk)} == {("early", "last", "later")}


def test_old_forms_are_not_kept_for_ever() -> None:
    desk = lagging()
    for number in range(50):
        desk.store.person_edit(1, add_tags=[f"t{number}"])
        desk.clock.advance(1)
    assert len(desk.store.versions[1]) <= LAG + 2

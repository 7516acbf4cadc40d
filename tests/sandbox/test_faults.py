"""Each kind of scripted misbehaviour, the plan's text, hooks, and repeatability."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.sandbox.messages import Request, Response

from ..imitation import KINDS, FaultPlan
from ..imitation.faults import BROKEN, ODD
from .helpers import Desk

CHANGE: dict[str, Any] = {"tags": ["mine"]}


def desk_with(faults: str | FaultPlan, **options: Any) -> Desk:
    return Desk(faults=faults, **options)


@pytest.mark.parametrize(
    ("kind", "status", "fate", "done", "content"),
    [
        ("lost-request", 0, "drop", False, ""),
        ("lost-reply", 200, "drop", True, "application/json"),
        ("half-body", 200, "half", True, "application/json"),
        ("error-before", 503, "reply", False, "text/plain"),
        ("error-before:status=504", 504, "reply", False, "text/plain"),
        ("error-after", 500, "reply", True, "text/plain"),
        ("conflict", 409, "reply", False, "application/json"),
        ("html", 200, "reply", False, "text/html"),
        ("not-json-4xx", 400, "reply", False, "text/plain"),
        ("unauthorised", 401, "reply", False, "application/json"),
        ("status:status=418", 418, "reply", False, "application/json"),
        ("slow:seconds=3600", 200, "reply", True, "application/json"),  # described, and not waited for
    ],
)
def test_a_fault_strikes_before_or_after_the_work(kind: str, status: int, fate: str, done: bool, content: str) -> None:
    desk = desk_with(f"{kind}:PUT:times=1")
    answer = desk.put(1, **CHANGE)
    assert (answer.status, answer.fate, answer.delay) == (status, fate, 3600.0 if "slow" in kind else 0.0)
    assert answer.headers.get("Content-Type", "").startswith(content)
    assert desk.tags(1) == (["mine"] if done else [])
    if kind == "conflict":
        assert answer.json() == {"error": "DatabaseConflict", "description": "Database collision"}
    assert desk.put(1, **CHANGE).fate == "reply"


def test_a_late_commit_lands_later_and_with_that_moments_stamp() -> None:
    desk = desk_with("late-commit:PUT:seconds=20:times=1")
    assert desk.put(1, **CHANGE).fate == "drop"
    assert desk.tags(1) == []
    desk.clock.advance(19)
    assert desk.get("tickets/1")["ticket"]["tags"] == []
    desk.clock.advance(60)
    ticket = desk.get("tickets/1")["ticket"]
    assert (ticket["tags"], ticket["updated_at"]) == (["mine"], "2026-11-21T03:30:20Z")


def test_a_late_commit_is_guarded_like_any_other_write() -> None:
    desk = desk_with("late-commit:PUT:times=1")
    desk.put(1, **CHANGE, safe_update=True, updated_stamp=desk.stamp(1))
    desk.store.person_edit(1, add_tags=["person"])
    desk.clock.advance(21)
    assert desk.get("tickets/1")["ticket"]["tags"] == ["person"]


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("seconds", "7"),
        ("http-date", "Sat, 21 Nov 2026 03:30:07 GMT"),
        ("decimal", "7.0"),
        ("huge", "31536000"),
        ("none", None),
    ],
)
def test_a_rate_limit_says_when_to_come_back_in_the_chosen_form(form: str, value: str | None) -> None:
    answer = desk_with(f"rate-limit:seconds=7:retry-after={form}").ask("GET", "tickets/1")
    assert (answer.status, answer.headers.get("Retry-After")) == (429, value)
    nonsense = desk_with("rate-limit:retry_after=junk").ask("GET", "tickets/1")
    assert not nonsense.headers["Retry-After"].isdigit()


@pytest.mark.parametrize("edit", ["add-tag", "remove-tag", "priority", "any"])
def test_a_person_edits_just_before_the_request_is_handled(edit: str) -> None:
    desk = desk_with(f"human-edit:PUT:/tickets/:edit={edit}:times=1")
    desk.store.person_edit(1, add_tags=["vip"])
    desk.clock.advance(60)
    answer = desk.put(1, tags=["mine"], safe_update=True, updated_stamp=desk.stamp(1))
    assert answer.status == 409
    assert desk.store.history[-1].actor == "person"
    assert "mine" not in desk.tags(1)


def test_a_person_edits_one_ticket_of_a_batch_and_none_where_there_is_no_ticket() -> None:
    desk = desk_with("human-edit:edit=add-tag")
    items = [{"id": number, "safe_update": True, "updated_stamp": desk.stamp(number)} for number in (1, 2, 3)]
    desk.ask("PUT", "tickets/update_many", {"tickets": items})
    assert sum(bool(desk.tags(number)) for number in (1, 2, 3)) == 1
    before = len(desk.store.history)
    desk.ask("GET", "ticket_fields")
    assert len(desk.store.history) == before


def test_an_edit_and_another_fault_can_strike_together() -> None:
    desk = desk_with("human-edit:PUT:edit=priority,lost-reply:PUT")
    assert desk.put(1, **CHANGE).fate == "drop"
    assert [audit.actor for audit in desk.store.history[-2:]] == ["person", "api"]


def test_a_rule_can_wait_and_can_end() -> None:
    desk = desk_with("error-before:GET:/tickets/\\d+:after=1:times=2")
    statuses = [desk.ask("GET", "tickets/1").status for _ in range(5)]
    assert statuses == [200, 503, 503, 200, 200]
    assert desk.ask("GET", "ticket_fields").status == 200


def test_the_same_seed_meets_the_same_faults() -> None:
    def run(seed: int) -> list[tuple[int, str]]:
        desk = desk_with("lost-reply=0.3,error-before=0.3,human-edit=0.2", seed=seed, plan="unlimited")
        answers = [desk.put(1 + number % 3, subject=f"s{number}") for number in range(60)]
        return [(answer.status, answer.fate) for answer in answers]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert len(set(run(1))) == 3


def test_the_compact_text_is_read_rule_by_rule() -> None:
    plan = FaultPlan.parse("lost-reply=0.05, error-before=0.02:seconds=1, human-edit=0.1:put:/tickets/")
    assert [(rule.kind, rule.probability) for rule in plan.rules] == [
        ("lost-reply", 0.05),
        ("error-before", 0.02),
        ("human-edit", 0.1),
    ]
    assert (plan.rules[2].method, plan.rules[2].path) == ("PUT", "/tickets/")
    assert FaultPlan.parse("").rules == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("explode", "unknown fault 'explode'; the faults are lost-request"),
        ("slow=2", "between 0 and 1"),
        ("slow=often", "probability must be a number"),
        ("slow:colour=red", "no option 'colour'"),
        ("slow:???", "no method, no /path"),
        ("slow:/(", "no regular expression"),
        ("slow:seconds=-1", "must not be negative"),
        ("status:status=99", "between 200 and 599"),
        ("rate-limit:retry_after=maybe", "retry_after is one of"),
        ("human-edit:edit=all", "edit is one of"),
    ],
)
def test_a_plan_with_a_mistake_says_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("(", r"\(").replace("?", r"\?")):
        FaultPlan.parse(text)


def test_every_kind_can_be_named_in_the_text() -> None:
    assert [rule.kind for rule in FaultPlan.parse(",".join(KINDS)).rules] == list(KINDS)


def test_the_clock_is_moved_and_counts_are_told_through_the_control_routes() -> None:
    desk = Desk(marker="mine")
    desk.sandbox.faults = FaultPlan.parse("unauthorised:GET")
    assert desk.ask("GET", "tickets/1").status == 401
    moved = desk.ask("POST", "/sandbox/clock", {"advance": 90})
    assert moved.json()["now"] == desk.clock.now() == 1_795_231_890.0
    for nonsense in ({"advance": -1}, {"advance": "x"}, {}, [], {"advance": float("nan")}):
        assert desk.ask("POST", "/sandbox/clock", nonsense).status == 400
    desk.put(1, **CHANGE)
    stats = desk.ask("GET", "/sandbox/stats").json()
    assert (stats["tickets"], stats["marked"]) == (3, 1)
    assert stats["requests"] == {"GET tickets/{id}": 1, "PUT tickets/{id}": 1}
    assert stats["faults"] == {"unauthorised": 1}
    assert desk.ask("GET", "/sandbox/else").status == 404


def test_hooks_run_before_and_after_and_may_edit_or_ask_again() -> None:
    desk = Desk()
    seen: list[tuple[str, int]] = []

    def before(request: Request) -> None:
        if request.method == "PUT":
            desk.store.person_edit(1, add_tags=["hook"])

    def after(request: Request, response: Response) -> None:
        if request.method == "PUT":
            seen.append((request.path, len(desk.get("tickets/1")["ticket"]["tags"])))

    desk.sandbox.on_request.append(before)
    desk.sandbox.after_request.append(after)
    assert desk.put(1, tags=["mine"], safe_update=True, updated_stamp=desk.stamp(1)).status == 409
    assert seen == [("/api/v2/tickets/1.json", 1)]


# Rows


@pytest.mark.parametrize("odd", sorted(set(ODD) - {"surrogate", "surrogate-tag", *BROKEN}))
def test_one_row_can_be_odd_and_the_others_are_as_ever(odd: str) -> None:
    desk = desk_with(f"odd-row:ticket=2:odd={odd}")
    first, second, third = desk.get("tickets/show_many?ids=1,2,3")["tickets"]
    whole = Desk().get("tickets/show_many?ids=1,2,3")["tickets"]
    assert (first["id"], third["id"]) == (1, 3)
    assert {name for name in second if second[name] != whole[1][name]} <= {*ODD[odd], "url", "etag"}
    assert second != whole[1]


def test_a_subject_can_hold_half_of_a_surrogate_pair() -> None:
    answer = desk_with("odd-row:ticket=2:odd=surrogate").ask("GET", "tickets/2")
    assert b'"subject":"\\ud83d"' in answer.body


@pytest.mark.parametrize("how", sorted(BROKEN))
def test_a_row_can_be_no_json_and_make_its_answer_unreadable(how: str) -> None:
    desk = desk_with(f"odd-row:ticket=2:odd={how}")
    spoilt, whole = desk.ask("GET", "tickets/show_many?ids=1,2,3"), desk.ask("GET", "tickets/show_many?ids=1,3")
    with pytest.raises(ValueError, match=r"."):
        spoilt.json()
    assert [row["id"] for row in whole.json()["tickets"]] == [1, 3]


def test_a_row_can_be_left_out_of_an_answer_about_many_and_of_no_other() -> None:
    desk = desk_with("omit-row:ticket=2")
    assert [row["id"] for row in desk.get("tickets/show_many?ids=1,2,3")["tickets"]] == [1, 3]
    assert desk.get("tickets/2")["ticket"]["id"] == 2


def test_an_oddity_that_there_is_not_is_named() -> None:
    with pytest.raises(ValueError, match="odd is one of any"):
        FaultPlan.parse("odd-row:odd=strange")

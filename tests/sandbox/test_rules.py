"""Where nobody knows how the vendor acts, a rule says which form is imitated; here each form is seen."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.sandbox.account import BOT_ID
from ticket_processor.sandbox.messages import Response

from ..imitation import Rules
from .helpers import Desk

STALE = "2020-01-01T00:00:00Z"


def batch_of_one(desk: Desk, stamp: str | None = None, **fields: object) -> dict[str, Any]:
    """The result of a batch that changes ticket 1."""
    item = {"id": 1, "safe_update": True, "updated_stamp": stamp or desk.stamp(1), **fields}
    job = desk.finish(desk.ask("PUT", "tickets/update_many", {"tickets": [item]}))
    result: dict[str, Any] = job["results"][0]
    return result


def notes(desk: Desk) -> list[dict[str, Any]]:
    return desk.store.bot_comments(1, BOT_ID)


FULL: dict[str, Any] = {
    "tags": ["mine"],
    "comment": {"html_body": "<p>note</p>", "public": False},
    "metadata": {"bot": {"key": "k"}},
}


@pytest.mark.parametrize(
    ("rules", "custom", "public"),
    [
        (Rules(), {"bot": {"key": "k"}}, [False]),
        (Rules(batch_comment=False), {"bot": {"key": "k"}}, []),  # dropped in silence
        (Rules(batch_metadata=False), {}, [False]),
        (Rules(batch_private=False), {"bot": {"key": "k"}}, [True]),
    ],
)
def test_a_batchs_item_may_carry_everything_or_what_the_rules_leave_of_it(
    rules: Rules, custom: dict[str, Any], public: list[bool]
) -> None:
    desk = Desk(1, rules=rules)
    assert batch_of_one(desk, **FULL)["success"] is True
    audit = desk.store.history[-1]
    assert (desk.tags(1), audit.custom, [note["public"] for note in notes(desk)]) == (["mine"], custom, public)
    assert set(audit.raw_keys) >= {"comment", "tags", "updated_stamp"}


def test_a_batchs_stamp_can_be_ignored() -> None:
    assert "outdated" in batch_of_one(Desk(1), STALE, **FULL)["details"]
    desk = Desk(1, rules=Rules(batch_stamps=False, job_seconds=(5.0, 0.0)))
    assert batch_of_one(desk, STALE, **FULL)["success"] is True
    queued = desk.ask("PUT", "tickets/update_many", {"tickets": [{"id": 1, "tags": [], "updated_stamp": STALE}]})
    desk.clock.advance(2)
    desk.store.person_edit(1, add_tags=["person"])
    assert "success" not in desk.finish(queued)["results"][0]


def test_what_a_batch_drops_a_single_update_keeps() -> None:
    rules = Rules(batch_comment=False, batch_metadata=False, batch_stamps=False, batch_private=False)
    desk = Desk(1, rules=rules)
    assert desk.put(1, **FULL, safe_update=True, updated_stamp=STALE).status == 409
    assert desk.put(1, **FULL).status == 200
    assert [note["public"] for note in notes(desk)] == [False]
    assert desk.store.history[-1].custom == FULL["metadata"]


def test_placeholders_in_a_comment_are_expanded_and_unknown_ones_removed() -> None:
    desk = Desk(1)
    raw, escaped = "{{ticket.id}} {{nothing.known}}", "&#123;&#123;ticket.id&#125;&#x7D;"
    for comment in ({"html_body": f"<p>&lt;{raw}&gt;</p>"}, {"html_body": f"<p>{escaped}</p>"}, {"body": f"<{raw}>"}):
        desk.put(1, comment=comment)
    assert [note["plain_body"] for note in notes(desk)] == ["<1 >", "{{ticket.id}}", "<1 >"]


def words(answer: Response) -> object:
    return answer.json() if "json" in answer.headers["Content-Type"] else answer.body.decode()


def test_a_conflict_can_be_written_in_several_ways() -> None:
    bodies = {}
    for form in ("error", "titled", "errors", "text"):
        desk = Desk(1, rules=Rules(conflict_form=form))  # type: ignore[arg-type]
        answer = desk.put(1, tags=[], safe_update=True, updated_stamp=STALE)
        assert answer.status == 409
        bodies[form] = words(answer)
        assert "outdated" in batch_of_one(desk, STALE)["details"]
    assert isinstance(bodies["error"], dict)
    assert bodies["error"]["error"] == "UpdateConflict"
    description = bodies["error"]["description"]
    assert bodies["titled"] == {"error": {"title": "UpdateConflict", "message": description}}
    assert bodies["errors"] == {"errors": [{"code": "UpdateConflict", "title": description}]}
    assert bodies["text"] == f"{description}\n"


def test_too_many_jobs_can_be_said_in_several_ways() -> None:
    change = {"tickets": [{"id": 1, "priority": "low"}]}
    seen = []
    for rules in (
        Rules(max_jobs=0),
        Rules(max_jobs=0, too_many_jobs_form="errors"),
        Rules(max_jobs=0, too_many_jobs_status=422, too_many_jobs_form="text"),
    ):
        answer = Desk(1, rules=rules).ask("PUT", "tickets/update_many", change)
        said = words(answer)
        first = next(iter(said)) if isinstance(said, dict) else str(said).split()[0]
        seen.append((answer.status, answer.headers.get("Retry-After"), first))
    assert seen == [(429, "10", "error"), (429, "10", "errors"), (422, None, "You")]


@pytest.mark.parametrize("guard", [True, False])
def test_an_item_whose_stamp_does_not_count_is_guarded_by_the_time_the_job_was_queued_or_not_at_all(
    guard: bool,
) -> None:
    desk = Desk(1, rules=Rules(batch_stamps=False, batch_guard=guard, job_seconds=(5.0, 0.0)))
    item = {"id": 1, "tags": ["ours"], "safe_update": True, "updated_stamp": desk.stamp(1)}
    queued = desk.ask("PUT", "tickets/update_many", {"tickets": [item]})
    desk.clock.advance(2)
    desk.store.person_edit(1, add_tags=["theirs"])
    desk.finish(queued)
    assert desk.tags(1) == (["theirs"] if guard else ["ours"])


def test_an_edit_can_move_no_stamp_and_be_on_no_record() -> None:
    desk = Desk(1)
    stamp = desk.stamp(1)
    desk.clock.advance(10)
    desk.store.person_edit(1, add_tags=["seen"], silent=True)
    desk.store.person_edit(1, add_tags=["unseen"], silent=True, hidden=True)
    assert (desk.stamp(1), desk.tags(1)) == (stamp, ["seen", "unseen"])
    assert len(desk.get("tickets/1/audits")["audits"]) == 2


def test_a_first_message_can_be_redacted() -> None:
    desk = Desk(1)
    desk.clock.advance(10)
    desk.store.redact(1)
    assert "work" not in desk.get("tickets/1")["ticket"]["description"]
    assert "work" not in str(desk.get("tickets/1/comments")["comments"][0]["body"])

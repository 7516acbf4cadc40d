"""Single tickets: the guard, what an update means, comments, creation, tags."""

from __future__ import annotations

import pytest

from ticket_processor.sandbox.account import BOT_ID, PERSON_ID

from .helpers import Desk


def test_a_stale_stamp_is_refused_with_409_and_changes_nothing() -> None:
    desk = Desk()
    read = desk.stamp(1)
    desk.store.person_edit(1, add_tags=["vip"])
    before = dict(desk.store.tickets[1].json)
    answer = desk.put(1, tags=["mine"], safe_update=True, updated_stamp=read)
    assert answer.status == 409
    assert answer.json()["error"] == "UpdateConflict"
    assert desk.store.tickets[1].json == before
    assert len(desk.store.tickets[1].comments) == 1


def test_a_fresh_stamp_passes_and_the_stamp_moves() -> None:
    desk = Desk()
    read = desk.stamp(1)
    assert desk.put(1, tags=["mine"], safe_update=True, updated_stamp=read).status == 200
    assert (read, desk.stamp(1)) == ("2026-11-21T03:20:00Z", "2026-11-21T03:30:00Z")
    assert desk.put(1, tags=["again"], safe_update=True, updated_stamp=read).status == 409


def test_two_edits_within_one_second_share_a_stamp_so_the_guard_cannot_tell_them_apart() -> None:
    desk = Desk()
    desk.store.person_edit(1, add_tags=["first"])
    read = desk.stamp(1)
    desk.clock.advance(0.5)
    desk.store.person_edit(1, add_tags=["second"])
    assert desk.stamp(1) == read
    assert desk.put(1, tags=["mine"], safe_update=True, updated_stamp=read).status == 200
    assert desk.tags(1) == ["mine"]
    assert [audit.actor for audit in desk.store.tickets[1].audits] == ["fill", "person", "person", "api"]


@pytest.mark.parametrize(("rule", "status"), [("equal", 409), ("not_newer", 200)])
def test_a_stamp_later_than_the_ticket_passes_only_under_the_rule_not_newer(rule: str, status: int) -> None:
    desk = Desk(stamp_rule=rule)
    late = "2026-11-21T03:30:00Z"
    assert desk.put(1, tags=["x"], safe_update=True, updated_stamp=late).status == status
    desk.clock.advance(5)
    desk.store.person_edit(1, add_tags=["y"])
    assert desk.put(1, tags=["x"], safe_update=True, updated_stamp=late).status == 409


def test_the_key_safe_update_makes_a_write_safe_whatever_its_value() -> None:
    desk = Desk()
    read = desk.stamp(1)
    desk.store.person_edit(1, add_tags=["vip"])
    assert desk.put(1, tags=[], safe_update=False, updated_stamp=read).status == 409
    assert desk.put(1, tags=[], safe_update=False).status == 400
    assert desk.put(1, tags=[], safe_update=True).status == 400
    assert desk.put(1, tags=[], updated_stamp=read).status == 200


def test_tags_replace_the_list_and_are_normalised() -> None:
    desk = Desk()
    desk.store.person_edit(1, add_tags=["old"])
    answer = desk.put(1, tags=["New One", "b,c", "B"])
    assert answer.json()["ticket"]["tags"] == ["b", "c", "new", "one"]


def test_additional_tags_have_no_effect_on_a_single_update_and_are_named_in_a_warning() -> None:
    desk = Desk()
    answer = desk.put(1, additional_tags=["x"], nonsense=1, priority="high")
    assert answer.status == 200
    assert desk.tags(1) == []
    assert answer.headers["x-zendesk-api-warn"] == (
        '{:allowed_parameters=>{:controller=>"tickets", :action=>"update", '
        ':unpermitted_keys=>["ticket.additional_tags", "ticket.nonsense"], :invalid_values=>[]}}'
    )


def test_the_audit_tells_what_was_there_before() -> None:
    desk = Desk()
    desk.store.person_edit(1, add_tags=["vip"], priority="low")
    answer = desk.put(1, tags=["vip", "mine"], priority="high", metadata={"key": "k1"})
    audit = answer.json()["audit"]
    changes = {event["field_name"]: event for event in audit["events"]}
    assert changes["tags"]["previous_value"] == ["vip"]
    assert changes["priority"]["previous_value"] == "low"
    assert audit["metadata"]["custom"] == {"key": "k1"}
    assert audit["author_id"] == BOT_ID


def test_a_comment_without_public_is_as_the_ticket_began() -> None:
    desk = Desk()
    for said, public in (({}, True), ({"public": False}, False)):
        desk.put(1, comment={"body": "for the team", **said})
        assert desk.store.tickets[1].comments[-1]["public"] is public
    assert [audit.comment_public for audit in desk.store.tickets[1].audits] == [True, True, False]
    internal = desk.ask("POST", "tickets", {"ticket": {"comment": {"body": "x", "public": False}}}).json()["ticket"]
    assert internal["is_public"] is False
    desk.put(internal["id"], comment={"body": "more"})
    assert desk.store.tickets[internal["id"]].comments[-1]["public"] is False


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("No {{ticket.id}}:   {{ticket.title}} {{nobody}}{% if x %}", "No 1: Broken"),
        ("ü" * 40_000, "ü" * 32_768),  # 64 kilobytes, and never cut inside a character
    ],
)
def test_placeholders_in_a_comment_are_expanded_or_removed_spaces_squeezed_and_the_rest_cut(
    sent: str, kept: str
) -> None:
    desk = Desk()
    desk.put(1, comment={"body": sent, "public": False})
    assert desk.store.tickets[1].comments[-1]["body"] == kept


def test_a_comment_alone_moves_the_stamp_and_leaves_an_audit() -> None:
    desk = Desk()
    read = desk.stamp(1)
    desk.put(1, comment={"body": "x", "public": False})
    assert desk.stamp(1) != read
    assert desk.store.tickets[1].audits[-1].raw_keys == ("comment",)


def test_an_update_that_changes_nothing_leaves_no_audit_and_no_new_stamp() -> None:
    desk = Desk()
    read = desk.stamp(1)
    answer = desk.put(1, status="new", tags=[])
    assert answer.json()["audit"]["events"] == []
    assert desk.stamp(1) == read
    assert len(desk.store.tickets[1].audits) == 1


def test_a_closed_ticket_cannot_be_updated() -> None:
    desk = Desk()
    desk.put(1, status="closed")
    answer = desk.put(1, priority="high")
    assert answer.status == 422
    assert answer.json()["details"]["status"][0]["description"] == "Status: closed prevents ticket update"


@pytest.mark.parametrize(
    "fields", [{"priority": "p1"}, {"status": "done"}, {"type": "x"}, {"assignee_email": "who@example.com"}]
)
def test_a_value_outside_the_vendors_list_is_a_422(fields: dict[str, str]) -> None:
    desk = Desk()
    answer = desk.put(1, **fields)
    assert answer.status == 422
    assert answer.json()["error"] == "RecordInvalid"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        *((path, "RecordNotFound") for path in ("tickets/999", "tickets/999.json", "tickets/999/comments")),
        ("job_statuses/V3-0", "RecordNotFound"),
        ("nothing/here", "InvalidEndpoint"),
    ],
)
def test_what_is_not_there_is_a_404(path: str, error: str) -> None:
    answer = Desk().ask("GET", path)
    assert (answer.status, answer.json()["error"]) == (404, error)


def test_a_body_that_is_no_json_is_a_400() -> None:
    desk = Desk()
    request = desk.ask("PUT", "tickets/1", None, Content_Type="application/json")
    assert request.status == 400
    assert desk.ask("PUT", "tickets/1", {"ticket": {"priority": "high"}}, Content_Type="text/x").status == 400


def test_show_many_takes_no_more_than_a_hundred() -> None:
    answer = Desk().ask("GET", "tickets/show_many?ids=" + ",".join(map(str, range(1, 102))))
    assert answer.status == 400
    assert answer.json() == {
        "error": "TooManyValues",
        "description": "Parameter  cannot specify more than 100 values",
        "max_count": 100,
    }


def test_a_created_ticket_answers_201_with_its_location() -> None:
    desk = Desk(0)
    ticket = {
        "subject": "Hi",
        "comment": {"body": "  kept   as is\n\n\n\nyes"},
        "requester": {"name": "Ann", "email": "ann@example.com"},
        "external_id": "e1",
        "tags": ["B", "a"],
    }
    answer = desk.ask("POST", "tickets.json", {"ticket": ticket})
    created = answer.json()["ticket"]
    assert answer.status == 201
    assert answer.headers["Location"] == created["url"]
    assert created["description"] == "  kept   as is\n\n\n\nyes"
    assert created["tags"] == ["a", "b"]
    assert desk.store.users[created["requester_id"]]["email"] == "ann@example.com"
    assert [row["id"] for row in desk.get("tickets", external_id="e1")["tickets"]] == [created["id"]]


def test_a_ticket_created_from_html_is_described_by_its_text() -> None:
    desk = Desk(0)
    markup = "<style>p{}</style><p>Hello <b>you</b> &amp; me</p><p>Bye</p>"
    answer = desk.ask("POST", "tickets", {"ticket": {"comment": {"html_body": markup}}})
    assert answer.json()["ticket"]["description"] == "Hello you & me\nBye"


def test_a_ticket_without_a_description_is_refused() -> None:
    answer = Desk(0).ask("POST", "tickets", {"ticket": {"subject": "x"}})
    assert answer.status == 422
    assert answer.json()["details"]["base"][0]["description"] == "Description: cannot be blank"


def test_an_idempotency_key_gives_the_first_answer_again_for_two_hours() -> None:
    desk = Desk(0)
    body = {"ticket": {"comment": {"body": "x"}}}
    first = desk.ask("POST", "tickets", body, Idempotency_Key="k")
    again = desk.ask("POST", "tickets", body, Idempotency_Key="k")
    assert first.headers["x-idempotency-lookup"] == "miss"
    assert again.headers["x-idempotency-lookup"] == "hit"
    assert (again.status, again.body) == (201, first.body)
    other = desk.ask("POST", "tickets", {"ticket": {"comment": {"body": "y"}}}, Idempotency_Key="k")
    assert (other.status, other.json()["error"]) == (400, "IdempotentRequestError")
    desk.clock.advance(7_201)
    assert desk.ask("POST", "tickets", body, Idempotency_Key="k").headers["x-idempotency-lookup"] == "miss"
    assert len(desk.store.tickets) == 2


def test_a_silent_change_moves_the_generated_timestamp_and_nothing_else() -> None:
    desk = Desk()
    read, generated = desk.stamp(1), desk.store.tickets[1].json["generated_timestamp"]
    desk.store.system_edit(1, add_tags=["org_tag"])
    assert desk.stamp(1) == read
    assert desk.store.tickets[1].json["generated_timestamp"] > generated
    assert len(desk.get("tickets/1/audits")["audits"]) == 1
    assert desk.store.history[-1].actor == "system"


def test_the_history_says_who_did_what_and_exactly_when() -> None:
    desk = Desk()
    desk.clock.advance(0.25)
    edit = desk.store.person_edit(1, add_tags=["vip"], comment="hello", public=True)
    assert edit is not None
    assert (edit.author_id, edit.actor, edit.comment_public) == (PERSON_ID, "person", True)
    assert edit.at == desk.clock.now()
    assert edit.tags_added == {"vip"}
    desk.put(1, tags=[], comment={"body": "x", "public": False}, updated_stamp="x")
    written = desk.store.history[-1]
    assert written.raw_keys == ("tags", "comment", "updated_stamp")
    assert written.tags_removed == {"vip"}


def test_comments_are_listed_oldest_first_or_the_other_way_round_and_in_pages() -> None:
    desk = Desk()
    for number in range(3):
        desk.clock.advance(1)
        desk.put(1, comment={"body": f"note {number}", "public": False})
    rows = desk.get("tickets/1/comments")["comments"]
    assert [row["body"] for row in rows][1:] == ["note 0", "note 1", "note 2"]
    page = desk.get("tickets/1/comments", **{"page[size]": 3, "sort": "-created_at"})
    assert [row["body"] for row in page["comments"]] == ["note 2", "note 1", "note 0"]
    assert page["meta"]["has_more"] is True
    after = page["meta"]["after_cursor"]
    rest = desk.get("tickets/1/comments", **{"page[size]": 3, "sort": "-created_at", "page[after]": after})
    assert [row["body"] for row in rest["comments"]] == ["It does not work."]
    assert rest["meta"]["has_more"] is False


def test_a_deleted_ticket_is_left_to_the_export_alone() -> None:
    desk = Desk(3)
    desk.store.delete(2)
    for method in ("GET", "PUT"):
        refused = desk.ask(method, "tickets/2", {"ticket": {}})
        assert (refused.status, refused.json()["error"]) == (404, "RecordNotFound")
    assert [row["id"] for row in desk.get("tickets")["tickets"]] == [1, 3]
    assert [row["id"] for row in desk.get("tickets/show_many", ids="1,2,3")["tickets"]] == [1, 3]
    assert desk.get("tickets/count")["count"]["value"] == 2
    desk.clock.advance(61)
    rows = desk.get("incremental/tickets/cursor", start_time=0)["tickets"]
    assert [(row["id"], row["status"]) for row in rows] == [(1, "new"), (3, "new"), (2, "deleted")]


def test_only_the_incremental_export_shows_the_generated_timestamp() -> None:
    desk = Desk(2)
    requester = desk.store.tickets[1].json["requester_id"]
    shown = [
        *desk.get("tickets")["tickets"],
        *desk.get("tickets?page[size]=1")["tickets"],
        *desk.get("tickets/show_many", ids="1,2")["tickets"],
        *desk.get("search/export?filter[type]=ticket")["results"],
        *desk.get(f"users/{requester}/tickets/requested")["tickets"],
        desk.get("tickets/1")["ticket"],
        desk.put(1, priority="high").json()["ticket"],
        desk.ask("POST", "tickets", {"ticket": {"comment": {"body": "New"}}}).json()["ticket"],
    ]
    assert len(shown) == 12
    assert not [row for row in shown if "generated_timestamp" in row]
    assert all("generated_timestamp" in row for row in desk.get("incremental/tickets/cursor", start_time=0)["tickets"])


def test_a_reply_has_an_etag_that_changes_with_it() -> None:
    desk = Desk(2)
    first, second = (desk.ask("GET", "tickets/1").headers["etag"] for _ in range(2))
    assert first == second
    assert first.startswith('W/"')
    desk.put(1, priority="high")
    assert desk.ask("GET", "tickets/1").headers["etag"] != first
    assert "etag" not in desk.ask("GET", "tickets/99").headers


@pytest.mark.parametrize(
    "path",
    [
        "tickets", "tickets/show_many?ids=1", "tickets/1/comments", "tickets/1/audits", "ticket_fields", "groups",
        "tags", "users/search?query=a",
    ],
)  # fmt: skip
def test_lists_by_offset_tell_their_count_and_the_pages_around(path: str) -> None:
    answer = Desk(2).get(path)
    assert isinstance(answer["count"], int)
    assert answer["next_page"] is answer["previous_page"] is None

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.core.errors import TicketError
from ticket_processor.core.models import Change, Priority, Ticket
from ticket_processor.helpdesk.request_tracker_format import (
    CustomField,
    Shape,
    TrackerRecord,
    TrackerUser,
    Transaction,
    custom_fields,
    history_of,
    note_of,
    read_said,
    read_ticket,
    read_transactions,
    replaced_priority,
    status_of,
    text_parts,
    write_body,
)
from ticket_processor.helpdesk.ticket_history import Edit, overwritten

BOT, AGENT, SYSTEM = (39, "ticketbot"), (37, "agent"), (1, "RT_System")
KEY, INTENT = "6dc5b63855df61935b2c6ac376fefc3c", "20261127T022430Z-58508a-3"
SHAPE = Shape()
RECORD = TrackerRecord({"Tags": CustomField(3, "Tags", ()), "Triage": CustomField(4, "Triage", ())}, SHAPE, BOT[0])
AT = "2026-11-27T02:24:32Z"
Row = tuple[str, str, str, str, tuple[int, str]]


def transactions(*rows: Row, at: str = AT, first: int = 321) -> list[Transaction]:
    """Transactions from type, field, old value, new value and user."""
    return read_transactions(
        [
            {
                "id": str(first + place),
                "Type": kind,
                "Field": field,
                "OldValue": old,
                "NewValue": new,
                "Created": at,
                "Creator": {"id": user[0], "Name": user[1]},
                "CustomFields": [],
            }
            for place, (kind, field, old, new, user) in enumerate(rows)
        ]
    )


TOUCHED = transactions(
    ("Comment", "", "", "", BOT),
    ("Set", "Priority", "0", "10", BOT),
    ("CustomField", "3", "", "person_14", AGENT),
    ("CustomField", "4", "", f"{KEY} {INTENT}", BOT),
    ("CustomField", "3", "", "ai_processed", BOT),
    ("CustomField", "3", "", "ai_refund", BOT),
    ("CustomField", "3", "person_14", "", BOT),
)
"""A person and ticketbot wrote at the same moment, and RT took both: the person's tag went."""
NOTE = {321: f"Triage: refund.\nRef tb-{KEY[:8]}"}


def edits(items: list[Transaction], said: dict[int, str] | None = None) -> list[Edit]:
    return list(RECORD.edits(items, NOTE if said is None else said))


def change(**parts: Any) -> Change:
    given = {"ticket_id": 13, "stamp": AT, "tags": ("seed",), "tags_before": ("seed",), "key": KEY, "intent": INTENT}
    return Change.model_validate({**given, **parts})


def ticket(**parts: Any) -> Ticket:
    return Ticket.model_validate({"id": 13, "created_at": AT, "updated_at": AT, **parts})


def test_a_request_of_ours_is_one_edit_with_its_note() -> None:
    person, ours = edits(TOUCHED)
    assert (person.author, person.tags_added, person.key) == (AGENT[0], {"person_14"}, "")
    assert (ours.key, ours.intent, ours.comment, ours.way) == (KEY, INTENT, "internal", "api")
    assert (ours.tags_added, ours.tags_removed) == ({"ai_processed", "ai_refund"}, {"person_14"})
    assert ours.priority == (None, Priority.LOW)


def test_what_a_person_lost_to_a_write_of_the_same_moment_is_known_and_counts_as_not_taken_off() -> None:
    found = edits(TOUCHED)
    lost = overwritten(found[-1], change(tags_added=("ai_processed", "ai_refund")))
    assert lost.tags == ("person_14",)
    history = history_of(ticket(tags=("ai_processed", "ai_refund")), found)
    assert history.taken_off().tags == frozenset()


def test_a_ticket_that_our_own_user_made_is_no_write_of_ours_and_had_its_tags() -> None:
    items = transactions(("Create", "", "", "", BOT), *[("Comment", "", "", "", BOT)], first=320)
    items += transactions(
        ("CustomField", "4", "", f"{KEY} {INTENT}", BOT), ("CustomField", "3", "", "ai_x", BOT), first=330
    )
    history = history_of(ticket(tags=("seed", "ai_x")), edits(items))
    made, ours = history.edits[0], history.find(KEY)
    assert (made.creation, made.key, made.tags_added) == (True, "", {"seed"})
    assert ours is not None
    assert (ours.creation, ours.tags_added) == (False, {"ai_x"})


@pytest.mark.parametrize(
    "rows",
    [
        [("CustomField", "4", "a", f"{KEY} 2", BOT), ("CustomField", "3", "", "two", BOT)],
        [("Set", "Priority", "10", "50", BOT), ("CustomField", "4", "a", f"{KEY} 2", BOT)],
    ],
)
def test_two_requests_of_ours_are_two_edits(rows: list[Row]) -> None:
    first = transactions(("CustomField", "3", "", "one", BOT), ("CustomField", "4", "", f"{KEY} 1", BOT), first=300)
    for later in (AT, "2026-11-27T02:24:40Z"):
        found = edits(first + transactions(*rows, at=later))
        assert [edit.intent for edit in found] == ["1", "2"]
        assert "one" in found[0].tags_added


def test_a_note_is_found_by_its_field_and_without_that_by_its_words() -> None:
    by_words = note_of(TOUCHED, NOTE, BOT[0], KEY)
    assert by_words is not None
    assert by_words.id == 321
    assert note_of(TOUCHED, {}, BOT[0], KEY) is None
    noted = {"id": "5", "name": "Triage run", "values": [KEY[:8]]}
    row = {"id": "9", "Type": "Comment", "Created": AT, "Creator": {"id": BOT[0], "Name": BOT[1]}}
    assert note_of(read_transactions([{**row, "CustomFields": [noted]}]), {}, BOT[0], KEY) is not None
    assert note_of(read_transactions([{**row, "CustomFields": [noted]}]), {}, AGENT[0], KEY) is None


def test_a_rule_of_the_site_is_no_person() -> None:
    status, queue = edits(transactions(("Status", "Status", "new", "open", SYSTEM), ("Set", "Queue", "3", "4", AGENT)))
    assert (status.way, queue.way, queue.group) == ("rules", "hand", (3, 4))


def test_an_undo_writes_the_very_number_that_was_there() -> None:
    back = change(priority=Priority.LOW, puts_back=True)
    replaced = replaced_priority(back, SHAPE, transactions(("Set", "Priority", "33", "100", BOT)), BOT[0])
    assert write_body(back, SHAPE, {}, replaced)["Priority"] == 33
    emptied = change(cleared=("priority",), puts_back=True)
    assert write_body(emptied, SHAPE, {}, replaced_priority(emptied, SHAPE, [], BOT[0]))["Priority"] == 0


@pytest.mark.parametrize(
    ("told", "priority"),
    [("0", None), ("9", None), ("10", "low"), ("50", "normal"), ("99", "high"), ("900", "urgent"), ("abc", None)],
)
def test_a_number_means_the_priority_that_it_reaches(told: str, priority: str | None) -> None:
    assert SHAPE.priority(told) == priority


def test_a_ticket_is_read_with_numbers_that_are_text() -> None:
    row = {
        "id": "1",
        "Subject": "Charged twice",
        "Priority": "55",
        "Created": AT,
        "LastUpdated": AT,
        "Queue": {"id": "3"},
        "Owner": {"id": "Nobody"},
        "Requestor": [{"id": "ann@example.com"}],
        "CustomFields": [
            {"id": "2", "name": "Tags", "values": ["vip", "a, b"]},
            {"id": "4", "name": "Triage", "values": ["x y"]},
            {"id": "6", "name": "Order", "values": ["A-7"]},
        ],
    }
    people = {
        "ann@example.com": TrackerUser(41, "ann@example.com", "ann@example.com", "Ann"),
        "Nobody": TrackerUser(6, "Nobody"),
    }
    read = read_ticket(row, "Please help.", SHAPE, None, "new", people)
    assert (read.id, read.tags, read.priority, read.group) == (1, ("vip", "a, b"), Priority.NORMAL, 3)
    assert (read.requester, read.requester_address, read.names, read.assignee) == (
        41,
        "ann@example.com",
        ("Ann",),
        None,
    )
    assert read.fields == {6: "A-7"}
    with pytest.raises(TicketError, match="cannot be read"):  # a write would lose the tags that are not shown
        read_ticket({**row, "CustomFields": []}, "", SHAPE, None, "new", people)


def test_of_a_mail_in_several_parts_the_plain_one_is_read_and_no_file_is_asked_for() -> None:
    rows = [
        {"id": "1", "TransactionId": "1", "ContentType": "text/html", "Content": "<p>Hello</p>", "Filename": ""},
        {"id": "2", "TransactionId": "1", "ContentType": "text/plain", "Content": "Hello", "Filename": ""},
        {"id": "3", "TransactionId": "1", "ContentType": "text/plain", "Content": "a log", "Filename": "log.txt"},
        {"id": "4", "TransactionId": "2", "ContentType": "text/html", "Content": "<p>Bye</p>", "Filename": ""},
        {"id": "5", "TransactionId": "3", "ContentType": "application/rtf", "Content": "{\\rtf1}", "Filename": "a.rtf"},
    ]
    assert [row["id"] for row in text_parts(rows, first=False)] == ["1", "2", "4"]
    assert [row["id"] for row in text_parts(rows, first=True)] == ["1", "2"]
    assert text_parts([], first=True) == text_parts(rows[4:], first=True) == []
    assert read_said(text_parts(rows, first=False)) == {1: "Hello", 2: "<p>Bye</p>"}


def test_only_rt_knows_which_of_a_sites_statuses_are_open() -> None:
    told = [("new", True), ("stalled", True), ("with-the-vendor", True), ("resolved", False), ("deleted", False)]
    assert [status_of(name, active=active) for name, active in told] == ["new", "hold", "open", "solved", "deleted"]


def test_a_write_holds_what_changes_and_its_key() -> None:
    fields = custom_fields({"CustomFields": [{"id": "7", "name": "Areas", "values": ["a", "b"]}]})
    body = write_body(
        change(tags=("seed", "x"), tags_added=("x",), group=4, fields={7: "a b", 8: "c d"}), SHAPE, fields, None
    )
    assert body == {
        "Queue": 4,
        "CustomFields": {"Triage": f"{KEY} {INTENT}", "Tags": ["seed", "x"], "7": ["a", "b"], "8": "c d"},
    }

from __future__ import annotations

from typing import Any

from ticket_processor.core.models import Change, Priority, Ticket
from ticket_processor.helpdesk.freshdesk_format import Conversation, history_of
from ticket_processor.state.records import KeptWrite

OWN, ANA, AGENT = 900, 31, 5
KEY = "0123456789abcdef0123456789abcdef"
MARKER = "ai_processed"
TICKET = Ticket(
    id=7,
    tags=("vip", "ai_billing", MARKER),
    priority=Priority.HIGH,
    requester=ANA,
    created_at="2026-11-22T08:00:00Z",
    updated_at="2026-11-22T08:10:00Z",
)
CHANGE = Change(
    ticket_id=7,
    stamp="2026-11-22T08:00:00Z",
    tags=TICKET.tags,
    tags_before=("vip",),
    tags_added=("ai_billing", MARKER),
    priority=Priority.HIGH,
    fields={501: "app"},
    key=KEY,
    intent="run-1",
)
DONE = KeptWrite(change=CHANGE, sent=1.0, done="2026-11-22T08:10:00Z")
NOTE = Conversation(1, "2026-11-22T08:10:00Z", OWN, private=True, incoming=False, text="Ref", reference=KEY[:8])


def _history(ticket: Ticket = TICKET, *said: Conversation, writes: tuple[KeptWrite, ...] = (DONE,)) -> Any:
    return history_of(ticket.model_copy(update={"fields": {501: "app"}}), said, writes, OWN, MARKER)


def test_a_write_of_ours_is_found_with_its_values_and_its_note() -> None:
    edit = _history(TICKET, NOTE).find(KEY)

    assert (edit.intent, edit.tags_added, edit.priority) == ("run-1", {"ai_billing", MARKER}, (None, Priority.HIGH))
    assert (edit.comment, edit.note, edit.note_edited) == ("internal", 1, False)


def test_what_a_person_changed_since_is_theirs() -> None:
    since = {"tags": ("vip", MARKER, "callback"), "priority": Priority.LOW, "updated_at": "2026-11-22T09:00:00Z"}
    history = _history(TICKET.model_copy(update=since))

    assert history.ours().tags == {MARKER}
    assert history.ours().priority is None
    assert history.ours().fields == {501: "app"}
    assert "ai_billing" in history.taken_off().tags
    assert history.judged(history.ours().tags)


def test_between_two_writes_of_ours_others_changed_what_the_second_one_found() -> None:
    tags = (*CHANGE.tags, "callback")
    second = CHANGE.model_copy(update={"key": "f" * 32, "intent": "run-2", "tags_before": tags, "tags": tags})
    later = KeptWrite(change=second.model_copy(update={"tags_added": ()}), done="2026-11-22T08:20:00Z")
    history = _history(TICKET.model_copy(update={"tags": tags}), writes=(DONE, later))

    by_others = [edit for edit in history.edits if edit.tags_added == {"callback"}]
    assert [edit.key for edit in by_others] == [""]
    assert history.find("f" * 32).intent == "run-2"


def test_without_our_record_marker_and_note_tell_which_write_it_was() -> None:
    lost = _history(TICKET, NOTE, writes=())

    assert lost.find(KEY).key == KEY[:8]
    assert lost.triaged("another").key == KEY[:8]
    assert _history(TICKET, writes=()).find(KEY) is None
    copied = Conversation(2, NOTE.at, AGENT, private=True, incoming=False, text="", reference=KEY[:8])
    assert _history(TICKET, copied, writes=()).find(KEY) is None

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.core.models import Priority
from ticket_processor.helpdesk.ticket_history import Edit, History
from ticket_processor.policy.decide import Mode, Policy
from ticket_processor.policy.note import NoteWhen
from ticket_processor.policy.reanalysis import (
    reopened_by_thanks,
    replacing,
    solved_again,
    still_holds,
    still_ours,
)
from ticket_processor.tags import merge

from ..support.fakes import a_decision, a_ticket

POLICY = Policy()
OURS = ("ai_processed", "ai_general", "ai_urgency_low", "ai_fallback", "ai_review")
TICKET = a_ticket(1, tags=("vip", *OURS), priority=Priority.NORMAL)
NEW = a_decision(
    1, tags=("ai_processed", "ai_billing", "ai_urgency_low"), priority=Priority.HIGH, note="Triage: billing."
)
SAME = a_decision(1, tags=("ai_processed", "ai_general", "ai_urgency_low"), priority=Priority.NORMAL, note="Triage.")


def test_a_priority_stays_whoever_set_it_and_another_is_suggested() -> None:
    decision = replacing(NEW, TICKET, OURS, POLICY)
    assert merge(TICKET, decision, key="k").priority is None
    assert decision.note is not None
    assert "stays normal; high is suggested" in decision.note
    empty = TICKET.model_copy(update={"priority": None})
    assert merge(empty, replacing(NEW, empty, OURS, POLICY), key="k").priority is Priority.HIGH


def test_a_model_that_agrees_takes_the_fallback_tag_off_without_a_second_note() -> None:
    decision = replacing(SAME, TICKET, OURS, POLICY)
    assert decision.note is None
    assert set(merge(TICKET, decision, key="k").tags_removed) == {"ai_fallback", "ai_review"}


@pytest.mark.parametrize("taken", OURS)
def test_whoever_took_one_of_our_tags_off_has_judged_the_ticket(taken: str) -> None:
    assert still_ours(TICKET, OURS, POLICY)
    left = tuple(tag for tag in TICKET.tags if tag != taken)
    assert not still_ours(TICKET.model_copy(update={"tags": left}), OURS, POLICY)


def test_group_and_fields_stay_and_the_note_says_what_is_suggested() -> None:
    ticket = TICKET.model_copy(update={"group": 1, "fields": {9: "topic_technical"}})
    wanted = NEW.model_copy(update={"group": 2, "fields": {9: "topic_billing"}})
    decision = replacing(wanted, ticket, OURS, POLICY)
    change = merge(ticket, decision, key="k")
    assert (change.group, change.fields) == (None, {})
    assert decision.note is not None
    assert "The group stays; 2 is suggested" in decision.note
    assert "Field 9 stays as it is; topic_billing is suggested" in decision.note


# A solved ticket that thanks reopened


CUSTOMER, AGENT = 7, 8
AT = "2026-05-03T10:00:00Z"
THANKED = a_ticket(1, status="open", requester=CUSTOMER, created_at="2026-05-01T10:00:00Z", updated_at=AT)
CREATED = Edit(at=THANKED.created_at, author=CUSTOMER, creation=True, comment="public", text="Where is my invoice?")
SOLVED = Edit(at="2026-05-02T10:00:00Z", author=AGENT, comment="public", text="Here.", status=("open", "solved"))
REOPENED: dict[str, Any] = {"status": ("solved", "open")}
RULE = {"at": AT, "way": "rules"}


def said(text: str = "Thank you!", **fields: Any) -> Edit:
    return Edit(**{"at": AT, "author": CUSTOMER, "comment": "public", "text": text, **REOPENED, **fields})


def found(*edits: Edit, **fields: Any) -> bool:
    return reopened_by_thanks(THANKED.model_copy(update=fields), History(edits=(CREATED, SOLVED, *edits)))


@pytest.mark.parametrize(
    "edits",
    [
        (said(),),
        (said(status=None), Edit(**RULE, **REOPENED)),
        (said(), Edit(**RULE, tags_added=frozenset({"reopened"}))),
    ],
    ids=["the answer itself reopens", "a rule of the helpdesk does", "and rules tag it"],
)
def test_thanks_that_reopened_the_ticket_are_found(edits: tuple[Edit, ...]) -> None:
    assert found(*edits)


@pytest.mark.parametrize(
    "edits",
    [
        (said("Thank you, but it is the wrong one."),),
        (said(files=True),),
        (said(status=None),),
        (said(status=("pending", "open")),),
        (said(author=9),),
        (said(comment="internal"),),
        (said(at=""),),
        (said(at="soon"),),
        (said("It is broken."), said(status=None)),
        (said(), said("Where is the other one?", status=None)),
        (said(), Edit(at=AT, author=AGENT, tags_added=frozenset({"vip"}))),
        (said(), Edit(at=AT, author=AGENT, comment="internal")),
        (said(), Edit(at=AT, author=AGENT, way="api", group=(None, 3))),
        (said(), Edit(at=AT, author=AGENT, way="macro", tags_added=frozenset({"macro"}))),
        (said(), Edit(**RULE, comment="public", text="We look into it.")),
        (said(), Edit(**RULE, status=("open", "pending"))),
        (said(status=None), Edit(at=AT, author=AGENT, **REOPENED)),
        (said(), Edit(at=AT, way="unknown", tags_added=frozenset({"vip"}))),
        (),
    ],
    ids=[
        "more is said",
        "files came with it",
        "it reopened nothing",
        "the ticket was not solved",
        "another customer wrote",
        "an internal note of the requester",
        "nobody knows when",
        "at no time",
        "thanks behind an answer that reopened it",
        "another answer behind the thanks",
        "an agent tagged it",
        "an agent made a note",
        "a program moved it",
        "a macro was applied",
        "a rule answered",
        "a rule set a status",
        "an agent reopened it",
        "somebody changed it",
        "nobody said anything",
    ],
)
def test_in_doubt_there_are_none(edits: tuple[Edit, ...]) -> None:
    assert not found(*edits)


def test_a_change_that_is_not_on_record_is_somebodys() -> None:
    assert not found(said(), updated_at="2026-05-03T10:00:30Z")
    assert not found(said(), status="pending")
    assert not found(said(), requester=None)


def test_a_mailbox_that_thanks_for_every_mail_is_not_answered_without_end() -> None:
    ours = Edit(at=AT, key="k" * 32, way="api", comment="internal", status=("open", "solved"))
    assert not found(said(), ours, said())
    assert found(said(), ours, said("No, it is not."), SOLVED, said())
    after_a_reply = ours.model_copy(update={"comment": None})
    assert found(after_a_reply, said())


def test_a_decision_holds_as_long_as_the_settings_that_it_was_made_by() -> None:
    history = History(edits=(CREATED, SOLVED, said()))
    policies = {mode: Policy(thanks_keep_solved=mode) for mode in Mode}
    applied = solved_again(1, policies[Mode.APPLY])
    assert applied.closing is not None
    assert applied.closing.status == "solved"
    assert [mode for mode in Mode if still_holds(applied, THANKED, history, policies[mode])] == [Mode.APPLY]
    suggested = solved_again(1, policies[Mode.SUGGEST])
    assert (suggested.closing, suggested.suggest_only) == (None, True)
    assert [mode for mode in Mode if still_holds(suggested, THANKED, history, policies[mode])] == [Mode.SUGGEST]


def test_without_notes_there_is_nothing_to_say_it_in() -> None:
    with pytest.raises(ValueError, match="thanks_keep_solved tells what it does in a note"):
        Policy(thanks_keep_solved=Mode.APPLY, note=NoteWhen.NEVER)

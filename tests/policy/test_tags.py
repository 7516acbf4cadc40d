from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.models import Overwrite, Priority, StatusChange, TakenOff
from ticket_processor.tags import (
    MAX_TAG_LENGTH,
    earlier_key,
    merge,
    merge_tags,
    merge_value,
    tag,
    write_key,
)

from ..support.fakes import a_decision, a_ticket

NAMES = st.sampled_from(["vip", "ai_processed", "ai_billing", "Spam", "été", "a-b", "ai_other_product", ""])
FREE = st.text(max_size=8)
LISTS = st.lists(st.one_of(NAMES, FREE), max_size=8)
SOLVED = StatusChange(status="solved")
FIELDS = st.dictionaries(st.integers(1, 5), st.sampled_from(["a", "b", "c"]), max_size=4)


@given(current=LISTS, add=LISTS)
def test_every_current_tag_stays_in_its_order(current: list[str], add: list[str]) -> None:
    merged = merge_tags(current, add)
    theirs = list(dict.fromkeys(current))
    assert list(merged[: len(theirs)]) == theirs


@given(current=LISTS, add=LISTS, remove=LISTS)
def test_only_tags_that_were_named_are_removed_and_never_one_that_is_wanted(
    current: list[str], add: list[str], remove: list[str]
) -> None:
    merged = merge_tags(current, add, remove)
    assert set(current) - set(merged) <= set(remove)
    assert {item for item in add if item} <= set(merged)
    assert not set(merged) & (set(remove) - set(add))


@given(current=LISTS, add=LISTS, remove=LISTS)
def test_no_tag_of_ours_is_there_twice_and_none_is_empty(current: list[str], add: list[str], remove: list[str]) -> None:
    merged = merge_tags(current, add, remove)
    assert len(merged) == len(set(merged))
    assert "" not in set(merged) - set(current)


@given(
    current=FIELDS,
    wanted=FIELDS,
    group=st.none() | st.integers(1, 3),
    emptied=st.sets(st.integers(1, 5)),
    tags_off=st.sets(st.sampled_from(["a", "b", "finance"])),
    group_off=st.booleans(),
)
def test_what_somebody_took_off_stays_off(
    current: dict[int, str],
    wanted: dict[int, str],
    group: int | None,
    emptied: set[int],
    tags_off: set[str],
    group_off: bool,
) -> None:
    ticket = a_ticket(fields=current, group=None)
    decision = a_decision(tags=("ai_processed", "finance"), group=group, fields=wanted)
    off = TakenOff(tags=frozenset(tags_off), fields=frozenset(emptied), group=group_off)
    change = merge(ticket, decision, key="k" * 32, unwanted=off)
    assert not change.fields.keys() & (emptied | current.keys())
    assert not set(change.fields.values()) & tags_off
    assert change.group == (None if group_off else group)
    assert ("finance" in change.tags) == ("finance" not in tags_off)
    assert {*change.fields, *change.fields_kept} == wanted.keys()


@pytest.mark.parametrize(
    ("overwrite", "ours", "written"),
    [
        (Overwrite.NEVER, Priority.LOW, None),
        (Overwrite.BOT_SET, Priority.LOW, Priority.HIGH),
        (Overwrite.BOT_SET, Priority.NORMAL, None),  # a person has changed what we put there
        (Overwrite.BOT_SET, None, None),
        (Overwrite.ALWAYS, None, Priority.HIGH),
    ],
)
def test_a_value_that_is_there_is_replaced_only_where_that_is_allowed(
    overwrite: Overwrite, ours: Priority | None, written: Priority | None
) -> None:
    assert merge_value(Priority.LOW, Priority.HIGH, overwrite, ours) == written


@pytest.mark.parametrize(("there", "written"), [(Priority.LOW, Priority.HIGH), (Priority.URGENT, None)])
def test_a_priority_that_may_only_be_raised_is_not_lowered(there: Priority, written: Priority | None) -> None:
    decision = a_decision(priority=Priority.HIGH, priority_overwrite=Overwrite.ALWAYS, priority_raises_only=True)
    assert merge(a_ticket(priority=there), decision, key="k").priority == written


def test_a_change_carries_the_stamp_that_it_was_merged_from_and_its_note_the_reference() -> None:
    ticket = a_ticket(tags=("vip",), touched=60.0)
    change = merge(ticket, a_decision(note="Look."), key="abcdef0123456789", intent="run-1")
    assert change.stamp == ticket.updated_at
    assert change.note == "Look.\nRef tb-abcdef01"
    assert (change.key, change.intent, change.tags_before) == ("abcdef0123456789", "run-1", ("vip",))


@given(parts=st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_a_tag_has_only_letters_digits_and_underscores_and_is_short(parts: list[str]) -> None:
    made = tag(*parts)
    assert re.fullmatch(r"[a-z0-9_]*", made)
    assert len(made) <= MAX_TAG_LENGTH
    assert made == made.strip("_")
    assert tag(made) == made


@pytest.mark.parametrize(
    ("parts", "made"),
    [
        (("ai", "Feature Request"), "ai_feature_request"),
        (("ai_", "sécurité!"), "ai__s_curit"),
        (("a" * 59, "b"), "a" * 59),
        (("", ""), ""),
    ],
)
def test_tags_are_spelt_so(parts: tuple[str, ...], made: str) -> None:
    assert tag(*parts) == made


@given(subject=st.text(), tags=LISTS, description=st.text())
def test_the_key_of_a_write_survives_every_edit(subject: str, tags: list[str], description: str) -> None:
    """Agents redact even the first message."""
    changed = {"subject": subject, "tags": tuple(tags), "description": description}
    edited = a_ticket(**changed, status="open", priority=Priority.LOW, touched=5)
    assert write_key(edited) == write_key(a_ticket())


def test_the_key_of_earlier_versions_is_the_one_that_they_have_written() -> None:
    assert earlier_key(a_ticket()) == "2c2ae627c0b701c2ae710e21c22ec5a3"


def test_another_ticket_another_birth_and_another_stage_have_other_keys() -> None:
    ticket = a_ticket()
    keys = {
        write_key(ticket),
        write_key(a_ticket(2)),
        write_key(a_ticket(age=7200)),
        write_key(ticket, stage="reply"),
    }
    assert len(keys) == 4
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


def test_an_assigned_ticket_keeps_its_group_whatever_may_be_replaced() -> None:
    decision = a_decision(group=8, group_overwrite=Overwrite.ALWAYS)
    assert merge(a_ticket(group=7), decision, key="k").group == 8
    assert merge(a_ticket(group=7, assignee=5), decision, key="k").group is None


def test_a_part_that_a_person_took_off_or_the_helpdesk_refuses_is_not_sent() -> None:
    decision = a_decision(priority=Priority.HIGH, group=8, fields={1: "x"}, note="Look.", closing=SOLVED)
    off = TakenOff(priority=True, group=True, fields=frozenset({1}))
    for without, unwanted in ((("priority", "group", "fields"), TakenOff()), ((), off)):
        change = merge(a_ticket(), decision, key="k", without=without, unwanted=unwanted)
        assert (change.priority, change.group, change.fields) == (None, None, {})
    whole = merge(a_ticket(), decision, key="k")
    assert (whole.priority, whole.group, whole.fields, whole.closing) == (Priority.HIGH, 8, {1: "x"}, SOLVED)
    without_note = merge(a_ticket(), decision, key="k", without=("note",))
    assert (without_note.note, without_note.closing) == (None, None)

from __future__ import annotations

from ticket_processor.core.models import Priority
from ticket_processor.helpdesk.ticket_history import Edit, History, overwritten

from ..support.fakes import a_change

AREA = 2001


def edit(at: int = 0, **fields: object) -> Edit:
    return Edit.model_validate({"at": f"2026-11-21T03:00:{at:02d}Z", "author": 7, **fields})


# What is ours


def test_what_our_last_write_put_there_is_known_whoever_had_it_before() -> None:
    lost = edit(key="a", priority=(Priority.URGENT, Priority.LOW))
    theirs = edit(priority=(Priority.LOW, Priority.NORMAL))
    back = edit(key="b", priority=(Priority.NORMAL, Priority.URGENT), fields={20: ("B", "A")}, group=(1, 2))
    history = History(edits=(lost, theirs, back))
    assert history.ours().priority is None
    last = history.last_written()
    assert (last.priority, last.group, last.fields) == (Priority.URGENT, 2, {20: "A"})
    assert History(edits=(lost, theirs)).last_written().priority is None


def test_the_first_write_of_ours_triaged_the_ticket_whatever_its_key() -> None:
    first, second = edit(key="of an earlier version"), edit(key="k")
    assert History(edits=(edit(), first, second)).triaged("k") == second
    assert History(edits=(edit(), first, second)).triaged("another") == first
    assert History(edits=(edit(),)).triaged("k") is None


# What a write took away


def test_somebody_was_passed_over_where_an_edit_lies_between_the_stamp_and_the_write() -> None:
    write = edit(9, key="k")
    stamp = "2026-11-21T03:00:05Z"
    assert History(edits=(edit(1), edit(7), write)).passed_over(write, stamp)
    assert not History(edits=(edit(1), edit(5), write, edit(11))).passed_over(write, stamp)


def test_a_field_that_a_write_emptied_unasked_comes_back_as_a_field_and_not_as_its_tag() -> None:
    write = edit(key="k", fields={AREA: ("area_app", None)}, tags_removed=frozenset({"area_app", "vip"}))
    lost = overwritten(write, a_change(tags_removed=()))
    assert (lost.tags, lost.fields) == (("vip",), {AREA: "area_app"})

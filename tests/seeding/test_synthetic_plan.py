"""What is planned, how it is asked for, and what is got out of an answer."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.models import Sentiment, Urgency
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.seeding.synthetic.plan import (
    Cell,
    Slot,
    count_there,
    default_categories,
    hints_for,
    missing,
    ordered_cells,
    shares,
)
from ticket_processor.seeding.synthetic.request import drafts_in, instructions, messages, slot_line

TAXONOMY = default_taxonomy()
CELLS = ordered_cells(TAXONOMY.names, ("en", "de"), tuple(Sentiment), 0)
SLOT = Slot(Cell("billing", "de", Sentiment.NEGATIVE), 0)


@given(count=st.integers(0, 500), more=st.integers(0, 100), seed=st.integers(0, 5))
def test_every_cell_gets_its_share_and_a_longer_plan_begins_like_a_shorter_one(
    count: int, more: int, seed: int
) -> None:
    cells = ordered_cells(TAXONOMY.names, ("en", "de"), tuple(Sentiment), seed)
    assert len(set(cells)) == len(cells) == 8 * 2 * 3
    short, long = shares(cells, count), shares(cells, count + more)
    assert sum(short.values()) == count
    assert max(short.values()) - min(short.values()) <= 1
    assert all(short[cell] <= long[cell] for cell in cells)
    slots = missing(cells, count, {})
    assert slots == missing(cells, count + more, {})[:count]


@given(count=st.integers(1, 48))
def test_a_small_plan_is_spread_over_the_categories(count: int) -> None:
    found = Counter(slot.cell.category for slot in missing(CELLS, count, {}))
    assert max(found.values()) - min(found[name] for name in TAXONOMY.names) <= 1


def test_another_seed_makes_another_plan_and_the_same_seed_the_same() -> None:
    again = ordered_cells(TAXONOMY.names, ("en", "de"), tuple(Sentiment), 0)
    assert again == CELLS
    assert ordered_cells(TAXONOMY.names, ("en", "de"), tuple(Sentiment), 1) != CELLS


def test_only_what_a_file_lacks_is_asked_for() -> None:
    full = missing(CELLS, 60, {})
    rows = [
        {"category": slot.cell.category, "language": slot.cell.language, "sentiment": slot.cell.mood.value}
        for slot in full[:37]
    ]
    foreign = [{"category": "billing", "language": "fr", "sentiment": "neutral"}, {"category": None}, {"id": "x"}]
    left = missing(CELLS, 60, count_there(CELLS, [*rows, *foreign]))
    assert left == full[37:]


def test_a_site_with_sub_categories_gets_tickets_for_those() -> None:
    taxonomy = Taxonomy(
        categories=(
            Category(name="money", description="Money."),
            Category(name="refund", description="Back.", parent="money"),
            Category(name="general", description="Rest."),
        )
    )
    assert default_categories(taxonomy) == ("refund", "general")
    cells = ordered_cells(("refund",), ("en",), (Sentiment.NEUTRAL,), 0)
    row = {"category": "money", "subcategory": "refund", "language": "en", "sentiment": "neutral"}
    assert count_there(cells, [row])[cells[0]] == 1


def test_hints_are_repeatable_and_differ_from_ticket_to_ticket_and_from_try_to_try() -> None:
    assert hints_for(SLOT, 0, TAXONOMY) == hints_for(SLOT, 0, TAXONOMY)
    many = {hints_for(Slot(SLOT.cell, index), 0, TAXONOMY) for index in range(50)}
    assert len(many) >= 48
    assert hints_for(SLOT, 0, TAXONOMY) != hints_for(SLOT.again, 0, TAXONOMY)
    assert hints_for(SLOT, 0, TAXONOMY) != hints_for(SLOT, 1, TAXONOMY)


def test_urgency_keeps_to_the_taxonomys_floor_and_no_wish_is_critical() -> None:
    floored = Taxonomy(
        categories=(
            Category(name="security", description="Breach.", priority_floor=Urgency.HIGH),
            Category(name="general", description="Rest."),
        )
    )
    drawn = {
        hints_for(Slot(Cell("security", "en", mood), index), 0, floored).urgency
        for mood in Sentiment
        for index in range(100)
    }
    assert drawn == {Urgency.CRITICAL, Urgency.HIGH}
    wishes = {
        hints_for(Slot(Cell("feature_request", "en", Sentiment.NEGATIVE), n), 0, TAXONOMY).urgency for n in range(200)
    }
    assert wishes == {Urgency.HIGH, Urgency.MEDIUM, Urgency.LOW}


def test_the_prompt_puts_the_fixed_part_first_and_names_labels_language_and_mood() -> None:
    line = slot_line(3, SLOT, hints_for(SLOT, 0, TAXONOMY))
    assert line.startswith("3. category billing; German (de); mood negative")
    plain, spelt = (messages(instructions(TAXONOMY), [line], schema_in_prompt=asked) for asked in (False, True))
    assert [message["role"] for message in plain] == ["system", "user"]
    assert plain[1]["content"] == line
    assert spelt[0]["content"].startswith(plain[0]["content"])
    assert "additionalProperties" in spelt[0]["content"]
    assert "additionalProperties" not in plain[0]["content"]


def entry(n: Any, word: str = "x") -> dict[str, Any]:
    return {"n": n, "subject": f"s {word}", "body": f"b {word}"}


WHOLE = json.dumps({"tickets": [entry(1), entry(2)]})


@pytest.mark.parametrize(
    "answer",
    [
        WHOLE,
        f"Here you are:\n```json\n{WHOLE}\n```\nAnything else?",
        f"<think>Let me see. {{maybe}}</think>\n{WHOLE}",
        f'First a draft: {{"tickets": [{json.dumps(entry(1, "draft"))}]}}. Better:\n{WHOLE}',
        json.dumps([entry(1), entry(2)]),
        json.dumps({"messages": [entry(1), entry(2)], "note": []}),
        json.dumps(entry(1)) + "\n" + json.dumps(entry(2)),
        json.dumps({"tickets": [entry(2), entry(1), entry(1, "second time"), entry(9), entry("1"), entry(True), "x"]}),
        json.dumps({"tickets": [{"subject": "s x", "body": "b x"}] * 2}),
    ],
    ids=["plain", "fenced", "thoughts", "draft", "list", "other name", "loose", "muddled", "unnumbered"],
)
def test_tickets_are_found_in_whatever_clothes_they_come(answer: str) -> None:
    assert drafts_in(answer, 2) == {1: ("s x", "b x"), 2: ("s x", "b x")}


def test_of_an_answer_that_was_cut_off_whole_tickets_are_kept() -> None:
    cut = json.dumps({"tickets": [entry(1), entry(2), entry(3)]})[:-30]
    assert set(drafts_in(cut, 3)) == {1, 2}


def test_thoughts_that_never_end_hold_no_ticket() -> None:
    assert drafts_in(f"<think>something like {WHOLE}", 2) == {}


def test_unnumbered_tickets_count_only_when_they_are_as_many_as_were_asked_for() -> None:
    answer = json.dumps({"tickets": [{"subject": "s", "body": "b"}]})
    assert drafts_in(answer, 2) == {}


PIECES = st.sampled_from(
    [WHOLE, '{"tickets": [', '{"n": 1, "subject": ', '"body"', "[[[[", "{{{{", "}", "]", "<think>"]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=20))
def test_no_answer_raises_and_no_number_is_made_up(parts: list[str]) -> None:
    assert set(drafts_in("".join(parts), 2)) <= {1, 2}


def test_an_endless_answer_is_read_in_reasonable_steps() -> None:
    assert drafts_in("{" * 200_000, 2) == {}
    assert drafts_in('{"a":' * 40_000, 2) == {}

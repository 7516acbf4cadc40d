"""Texts about one matter come together, whatever their words, order and number."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.reporting import likeness
from ticket_processor.reporting.likeness import Group, groups

MATTERS = {
    "dark": ["Please add a dark mode", "A dark mode for the app would be nice", "Dark mode is missing in the app"],
    "parcel": ["My parcel has not arrived", "Parcel lost: it has not arrived", "Where is the parcel? It never arrived"],
    "crash": ["Printing crashes the program", "Program crashes while printing", "Crashes when printing an invoice"],
}
TEXTS = [text for texts in MATTERS.values() for text in texts]


def together(found: list[Group], texts: list[str] = TEXTS) -> set[frozenset[str]]:
    return {frozenset(texts[place] for place in group.places) for group in found}


def test_texts_about_one_matter_are_one_group_named_by_what_they_share() -> None:
    found = groups([*TEXTS, "Thanks for everything"])
    assert together(found[:3]) == {frozenset(texts) for texts in MATTERS.values()}
    assert found[3].places == (len(TEXTS),)
    assert [set(group.name.split()) & {*"dark parcel printing".split()} for group in found[:3]] == [
        {"dark"}, {"parcel"}, {"printing"},
    ]  # fmt: skip


def test_vectors_bring_together_what_has_no_word_in_common() -> None:
    german = ["Bitte einen Dunkelmodus", "Paket nicht angekommen", "Absturz beim Drucken"]
    rows = [*numpy.repeat(numpy.eye(3), 3, axis=0), *numpy.eye(3)]
    found = groups([*TEXTS, *german], numpy.array(rows) + 5.0)  # of which models have much in common
    expected = {frozenset([*texts, other]) for texts, other in zip(MATTERS.values(), german, strict=True)}
    assert together(found, [*TEXTS, *german]) == expected
    assert len(groups([*TEXTS, *german])) == 6


def test_of_many_texts_some_are_grouped_and_the_others_go_where_they_are_most_like(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = [f"{text} {number}" for number in range(7) for text in TEXTS] + ["Thanks for everything"]
    whole = groups(many)
    rows = numpy.array([*numpy.tile(numpy.repeat(numpy.eye(3), 3, axis=0), (7, 1)), numpy.ones(3)])
    monkeypatch.setattr(likeness, "MOST_JOINED", 16)
    for vectors in (None, rows):
        found = groups(many, vectors)
        assert together(found, many) == together(whole, many)
        assert found[0].name


def test_what_a_form_asks_and_placeholders_of_redaction_make_no_group() -> None:
    matters = ("zebra", "tulip", "violin", "anchor")
    texts = [f"{word} – What is the current behaviour? / Call [PHONE_1]" for word in matters]
    assert len(groups([*texts, *TEXTS])) == len(matters) + len(MATTERS)


def test_japanese_has_no_spaces_and_is_grouped_by_pieces_of_its_words() -> None:
    found = groups(["請求書が届きません", "請求書がまだ届きません", "パスワードを忘れた"])
    assert [len(group.places) for group in found] == [2, 1]


WORDS = st.lists(st.sampled_from("gift card parking permit coffee broken late 7 [NAME_1]".split()), max_size=6)


@given(st.lists(WORDS.map(" ".join), max_size=30))
def test_each_text_is_in_one_group_and_the_same_texts_give_the_same_groups(texts: list[str]) -> None:
    found = groups(texts)
    assert sorted(place for group in found for place in group.places) == [*range(len(texts))]
    assert found == groups(texts)
    names = [group.name for group in found if group.name]
    assert len(names) == len(set(names))
    for group in found:
        said = " ".join(texts[place] for place in group.places)
        assert all(word in said or word.isdigit() for word in group.name.split())

"""Labelled tickets, and labels of them that look wrong."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.errors import ConfigError
from ticket_processor.core.models import Analysis, Sentiment, Urgency
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.evaluation.data import SUBCATEGORY, Example, Pairs, ScoredField, pairs, read_examples, read_file
from ticket_processor.evaluation.solved import doubtful_labels

DEFAULT = default_taxonomy()


def write(path: Path, *rows: Any) -> Path:
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def analysis(category: str = "general", *, sub: str | None = None, urgency: str = "medium") -> Analysis:
    return Analysis(
        category=category,
        subcategory=sub,
        urgency=Urgency(urgency),
        sentiment=Sentiment.NEUTRAL,
        language="en",
        summary="",
        confidence=0.5,
        source="rules",
    )


def compare(field: ScoredField, given: list[tuple[Example, Analysis]], **options: Any) -> Pairs:
    examples, analyses = zip(*given, strict=True)
    return pairs(field, examples, analyses, options.pop("taxonomy", DEFAULT), **options)


def categories(names: list[str], answers: list[str]) -> list[tuple[str, str]]:
    given = [
        (Example(id=str(n), category=name), analysis(answer))
        for n, (name, answer) in enumerate(zip(names, answers, strict=True))
    ]
    found = compare("category", given)
    return list(zip(found.gold, found.predicted, strict=True))


# Files


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_a_file_gives_its_labelled_tickets_in_order(tmp_path: Path, name: str) -> None:
    path = write(
        tmp_path / name,
        {
            "id": "a",
            "subject": "Größe",
            "body": "b",
            "category": "Feature Request",
            "priority": "HIGH",
            "sentiment": "Negative",
            "language": "DE-at",
        },
        {"id": 7, "text": "only text", "urgency": "urgent", "priority": None, "category": None},
        {"body": "no label at all", "category": None, "sentiment": ""},
        {"id": "c", "subject": "s", "body": "b", "labels": {"category": "billing", "urgency": "low"}},
    )
    first, second, third = read_examples([path])
    assert (first.subject, first.category, first.urgency) == ("Größe", "feature_request", Urgency.HIGH)
    assert (first.sentiment, first.language) == (Sentiment.NEGATIVE, "de")
    assert (second.id, second.body, second.urgency, second.category) == ("7", "only text", Urgency.CRITICAL, None)
    assert (third.category, third.urgency) == ("billing", Urgency.LOW)


def test_rows_without_an_id_get_their_place(tmp_path: Path) -> None:
    found = read_file(write(tmp_path / "c.jsonl", {"body": "x", "category": "billing"}))
    assert found.examples[0].id == "c.jsonl:1"


def test_unknown_labels_are_told_in_one_sentence_and_count_as_missing(tmp_path: Path) -> None:
    rows = [{"body": "x", "category": "billing", "priority": "P1", "sentiment": "grim"} for _ in range(3)]
    remarks: list[str] = []
    (example, *_) = read_examples([write(tmp_path / "a.jsonl", *rows)], remarks.append)
    assert (example.urgency, example.sentiment) == (None, None)
    assert remarks == [
        "a.jsonl: 3 rows have an unknown urgency (p1); not scored for it",
        "a.jsonl: 3 rows have an unknown sentiment (grim); not scored for it",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"id,body", "read from .jsonl"),
        ("a.jsonl", b'{"body": "x", "category": "billing"}\n["no object"]', "line 2: not a JSON object"),
        ("a.jsonl", b"{half", "line 1: not a JSON object"),
        ("a.jsonl", b'{"body": "x"}', "no labelled ticket"),
        ("a.jsonl.gz", b"not packed", "cannot be read"),
        ("a.jsonl.gz", gzip.compress(b'{"body": "x", "category": "billing"}', mtime=0)[:-9], "not a whole gzip file"),
        ("missing.jsonl", None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_labelled_set_is_refused_with_a_sentence(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_examples([tmp_path / name])


# Label spaces


def test_answers_in_the_taxonomys_own_words_stay_as_they_are() -> None:
    # No wish is in the truth, and calling something one is wrong, not "general".
    assert categories(["billing", "general"], ["billing", "feature_request"]) == [
        ("billing", "billing"),
        ("general", "feature_request"),
    ]


def test_categories_nobody_knows_are_left_out_and_counted() -> None:
    given = [(Example(id=str(n), category=name), analysis()) for n, name in enumerate(["general", "badges", "badges"])]
    found = compare("category", given)
    assert found.rows == (0,)
    assert found.unknown_told("x.jsonl") == (
        "x.jsonl: 2 rows have a category that the taxonomy does not know (badges); not scored for it"
    )


def test_a_site_with_categories_of_its_own_is_scored_in_them() -> None:
    names = [
        Category(name="invoices", description="d"),
        Category(name="reminders", description="d", parent="invoices"),
        Category(name="rest", description="d"),
    ]
    taxonomy = Taxonomy(categories=tuple(names), fallback="rest")
    given = [
        (Example(id="1", category="reminders"), analysis("invoices", sub="reminders")),
        (Example(id="2", category="reminders"), analysis("invoices")),
        (Example(id="3", category="rest"), analysis("invoices")),
    ]
    top = compare("category", given, taxonomy=taxonomy)
    assert list(zip(top.gold, top.predicted, strict=True)) == [
        ("invoices", "invoices"),
        ("invoices", "invoices"),
        ("rest", "invoices"),
    ]
    below = compare(SUBCATEGORY, given, taxonomy=taxonomy)
    assert below.rows == (0, 1)
    assert below.predicted == ("reminders", "invoices")


def test_three_levels_of_urgency_call_critical_high() -> None:
    def urgencies(levels: list[Urgency]) -> tuple[str, ...]:
        given = [(Example(id=str(n), urgency=level), analysis(urgency="critical")) for n, level in enumerate(levels)]
        return compare("urgency", given).predicted

    assert urgencies([Urgency.HIGH, Urgency.LOW]) == ("high", "high")
    assert urgencies([Urgency.CRITICAL, Urgency.LOW]) == ("critical", "critical")


# People's labels that look wrong are listed by what the other tickets teach, and only where these teach enough


WORDS = {
    "billing": "zinnia tulip begonia primrose lupin dahlia crocus".split(),
    "technical": "spade trowel rake hoe dibber mattock shears".split(),
    "order": "skillet saucepan colander whisk ladle cleaver grater".split(),
}
FILLER = [f"{one}{two}" for one in ("wander", "ponder", "gather", "linger") for two in ("ing", "ed", "s", "er", "ful")]
TAXONOMY = Taxonomy(categories=tuple(Category(name=name, description=name) for name in WORDS), fallback="order")


def tickets(count: int = 240) -> list[Example]:
    dice = random.Random(4)
    found = []
    for number in range(count):
        category = dice.choice(list(WORDS))
        words = [*dice.sample(WORDS[category], 4), *dice.sample(FILLER, 5)]
        dice.shuffle(words)
        found.append(Example(id=f"{number}", body=" ".join(words), category=category))
    return found


def wrongly(one: Example) -> Example:
    return one.model_copy(update={"category": next(name for name in WORDS if name != one.category)})


def test_planted_labels_are_listed_and_right_ones_are_not() -> None:
    right = tickets()
    assert doubtful_labels(right, TAXONOMY) == []
    planted = [wrongly(one) if place % 12 == 0 else one for place, one in enumerate(right)]
    found = doubtful_labels(planted, TAXONOMY)
    assert {one.ticket for one in found} == {one.id for one in right[::12]}
    assert {one.ticket: one.instead for one in found} == {one.id: one.category for one in right[::12]}


@pytest.mark.parametrize("count", [99, 240])
def test_nobody_is_doubted_where_tickets_are_few_or_labels_do_not_follow_from_words(count: int) -> None:
    dice = random.Random(6)
    rows = [wrongly(one) if place % 12 == 0 else one for place, one in enumerate(tickets(count))]
    if count > 99:
        rows = [one.model_copy(update={"category": dice.choice(list(WORDS))}) for one in rows]
    assert doubtful_labels(rows, TAXONOMY) == []

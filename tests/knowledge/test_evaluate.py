"""What `kb eval` measures and learns, and what it refuses."""

from __future__ import annotations

import pytest

from ticket_processor.knowledge.evaluate import Evaluation, LabelledQuestion, evaluate, scored
from ticket_processor.knowledge.search import KnowledgeSearch
from ticket_processor.knowledge.store import KnowledgeStore
from ticket_processor.knowledge.sync import EmbeddingModel, embed_missing

from .test_store import article

COUNT = 60
WORDS = [f"subject{number}" for number in range(COUNT)]


def measured(model: EmbeddingModel | None, questions: list[LabelledQuestion]) -> Evaluation:
    store = KnowledgeStore(None)
    store.put((article(f"a{number}", f"About {word}.", title=""), "") for number, word in enumerate(WORDS))
    if model is not None:
        embed_missing(store, model)
    articles = dict(store.all("SELECT id, article FROM chunk"))
    return evaluate(KnowledgeSearch(store, model), articles, questions, vectors=model is not None)


def asking(number: int, text: str) -> LabelledQuestion:
    return LabelledQuestion(f"q{number}", text, frozenset({f"a{number}"}))


def by_number(texts: object) -> list[list[float]]:
    """Vectors of a model that knows the number in a text, whatever else it says."""
    rows = []
    for text in texts:  # type: ignore[attr-defined]
        digits = "".join(char for char in text if char.isdigit())
        rows.append([float(place == int(digits)) for place in range(COUNT)])
    return rows


def test_the_measures_are_those_of_the_field() -> None:
    found = scored([("a", "b"), ("x", "b", "c"), ()], [{"a"}, {"b", "c"}, {"z"}])
    assert (found.hit_1, found.hit_5) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert (found.mrr_10, found.recall_10) == (pytest.approx(0.5), pytest.approx(2 / 3))


def test_a_model_that_helps_gets_a_weight() -> None:
    pytest.importorskip("numpy")
    questions = [asking(n, word if n % 2 else f"topic {n}") for n, word in enumerate(WORDS)]
    found = measured(EmbeddingModel("good", by_number), questions)
    assert found.scores["lexical"].hit_1 == pytest.approx(0.5)
    assert found.scores["fused"].hit_1 == 1.0
    assert found.weight > 0
    assert not found.refused


def test_a_model_that_harms_is_refused_and_words_alone_rank() -> None:
    pytest.importorskip("numpy")
    wrong = EmbeddingModel("bad", lambda texts: by_number(text.rpartition("subject")[2] for text in texts))
    found = measured(wrong, [asking(n, f"{word} {WORDS[(n + 1) % COUNT]}") for n, word in enumerate(WORDS[:-1])])
    assert found.weight == 0
    assert found.scores["fused"] == found.scores["issues"]
    assert found.scores["vector"].hit_1 < 0.5
    assert found.ranked["q7"][0] == "a7"

"""Searching: by words, by vectors, in a language, for a reader, for several issues at once."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence

import pytest

from ticket_processor.core.errors import AnalysisFailed
from ticket_processor.knowledge.model import Found
from ticket_processor.knowledge.search import (
    MOST_QUERIES,
    MOST_WORDS,
    WEIGHT,
    KnowledgeSearch,
    issue_queries,
    lexical,
    query_words,
)
from ticket_processor.knowledge.store import KnowledgeStore
from ticket_processor.knowledge.sync import EmbeddingModel, embed_missing

from .test_store import article


def filled(*articles: tuple[str, str, str, str]) -> KnowledgeStore:
    """A store with articles of these ids, texts, languages and audiences."""
    store = KnowledgeStore(None)
    store.put((article(name, text, title=name, lang=lang, audience=who), "") for name, text, lang, who in articles)
    return store


def ids(found: Sequence[Found]) -> list[str]:
    return [item.passage.article_id for item in found]


HELP = filled(
    ("refunds", "A refund takes five days to reach your card.", "en", "everyone"),
    ("invoices", "Download an invoice in your account.", "en", "customers"),
    ("secret", "Agents may grant a refund above the limit.", "en", "agents"),
    ("rueckzahlung", "Die Erstattung dauert fünf Tage. Refund in English.", "de", "everyone"),
)


def test_a_reader_finds_only_what_they_may_read() -> None:
    base = KnowledgeSearch(HELP)
    for audience, expected in (("everyone", []), ("customers", ["invoices"]), ("agents", ["invoices"])):
        assert ids(base.search(["invoice"], lang="en", audience=audience, limit=5)) == expected  # type: ignore[arg-type]
    assert ids(base.search(["refund"], lang="en", audience="customers", limit=5)) == ["refunds"]
    assert set(ids(base.search(["refund"], lang="en", audience="agents", limit=5))) == {"refunds", "secret"}


def test_words_rank_as_in_a_plain_index_of_the_same_passages() -> None:
    rng = random.Random(1)
    words = ["card", "refund", "parcel", "login", "invoice", "bank", "letter"]
    texts = [" ".join(rng.choices(words, k=rng.randint(1, 9))) for _ in range(60)]
    readers = ("everyone", "customers", "agents")
    store = filled(*((f"a{n}", text, ("en", "de")[n % 2], readers[n % 3]) for n, text in enumerate(texts)))
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE plain USING fts5(title, text, tokenize='porter')")
    database.executemany("INSERT INTO plain VALUES (?, ?)", ((f"a{n}", text) for n, text in enumerate(texts)))
    expected = database.execute(
        "SELECT -bm25(plain, 3, 1) AS score FROM plain WHERE plain MATCH 'card OR refund' ORDER BY score DESC"
    ).fetchall()
    found = lexical(store, "card refund", langs=None, audience="agents", limit=99)
    assert [score for _, score in found] == pytest.approx([score for (score,) in expected])


def test_a_question_stays_in_its_language_unless_that_has_nothing() -> None:
    base = KnowledgeSearch(HELP)
    assert ids(base.search(["refund"], lang="de", audience="everyone", limit=5)) == ["rueckzahlung"]
    assert ids(base.search(["five days"], lang="de", audience="everyone", limit=5)) == ["refunds"]


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "refund AND",
        "NEAR(a b)",
        "title:refund*",
        "a\0b",
        "-refund ^x {title}",
        "🙂",
        "",
        "the and of",
        "'; --",
        "*",
    ],
)
def test_a_customers_text_is_never_syntax(text: str) -> None:
    KnowledgeSearch(HELP).search([text], lang="en", audience="everyone", limit=5)


def test_a_pasted_log_makes_no_endless_query() -> None:
    words = query_words(" ".join(f"word{number}" for number in range(5_000)) * 2)
    assert len(words) == MOST_WORDS == len(set(words))
    assert len(issue_queries("This sentence says something new. " * 500)) <= MOST_QUERIES + 1


def test_one_issue_does_not_drown_another() -> None:
    noise = [(f"card{number}", "card payment declined bank card payment", "en", "everyone") for number in range(30)]
    store = filled(*noise, ("parcel", "Where a parcel is.", "en", "everyone"))
    text = (
        "My card payment was declined yesterday. The bank says my card is fine. I tried another card for the payment.\n"
        "The parcel ordered last week has not arrived. The courier shows the parcel nowhere. Find that parcel today."
    )
    assert len(issue_queries(text)) > 2
    found = ids(KnowledgeSearch(store).search(issue_queries(text), lang="en", audience="everyone", limit=3))
    assert "parcel" in found


def test_no_article_fills_the_list_alone() -> None:
    body = "\n".join(f"## Part {number}\nAbout refund number {number}." for number in range(6))
    store = filled(("long", body, "en", "everyone"), ("short", "A refund.", "en", "everyone"))
    found = ids(KnowledgeSearch(store).search(["refund"], lang="en", audience="everyone", limit=10))
    assert (found.count("long"), found.count("short")) == (2, 1)


def test_a_word_that_no_passage_has_lowers_a_score() -> None:
    base = KnowledgeSearch(HELP)
    [short] = base.search(["invoice"], lang="en", audience="agents", limit=1)
    [twice] = base.search(["invoice elephants"], lang="en", audience="agents", limit=1)
    assert short.score / 3 < twice.score < short.score


class Meaning:
    """A model that knows three subjects, and counts what it was asked."""

    SUBJECTS = (("money", "refund", "card"), ("parcel", "delivery"), ("login", "password"))

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failing = False
        self.reason = "embeddings_timeout"

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        if self.failing:
            raise AnalysisFailed(self.reason)
        return [
            [0.01 + sum(text.lower().count(word) for word in subject) for subject in self.SUBJECTS] for text in texts
        ]

    def model(self, name: str = "meaning", **prefixes: str) -> EmbeddingModel:
        return EmbeddingModel(name, self, **prefixes)


@pytest.fixture
def meaning() -> Meaning:
    pytest.importorskip("numpy")
    return Meaning()


def test_vectors_that_were_made_find_what_words_do_not_and_a_learnt_weight_wins(meaning: Meaning) -> None:
    store, model = (
        filled(("a", "About a refund.", "en", "everyone"), ("b", "A parcel.", "en", "everyone")),
        meaning.model(),
    )
    base = KnowledgeSearch(store, model)
    assert base.search(["my money"], lang="en", audience="everyone", limit=1) == []
    assert meaning.asked == [], "nobody is asked for the vector of a question before articles have some"
    embed_missing(store, model)
    [found] = base.search(["my money"], lang="en", audience="everyone", limit=1)
    assert (found.passage.article_id, found.score) == ("a", 0.0)
    store.set_fact(f"{WEIGHT} {model.key}", "0.0")
    assert base.search(["my money"], lang="en", audience="everyone", limit=1) == []


def test_vectors_keep_to_reader_and_language(meaning: Meaning) -> None:
    model = meaning.model()
    store = filled(
        ("agents", "refund", "en", "agents"),
        ("german", "refund", "de", "everyone"),
        ("all", "parcel", "en", "everyone"),
    )
    embed_missing(store, model)
    store.set_fact(f"{WEIGHT} {model.key}", "1")
    found = KnowledgeSearch(store, model).search(["money"], lang="en", audience="everyone", limit=5)
    assert ids(found) == ["all"]


def test_only_new_text_is_embedded(meaning: Meaning) -> None:
    store = filled(("a", "refund", "en", "everyone"), ("b", "parcel", "en", "everyone"))
    assert embed_missing(store, meaning.model()) == 2
    store.put([(article("a", "refund", title="a", url="https://x.example"), "")])
    assert embed_missing(store, meaning.model()) == 0
    store.put([(article("a", "password", title="a"), "")])
    assert embed_missing(store, meaning.model()) == 1
    assert store.all("SELECT count(*) FROM vector") == [(2,)]


@pytest.mark.parametrize("other", [{"name": "newer"}, {"passage_prefix": "passage: "}])
def test_vectors_of_another_model_or_prefix_are_never_compared(meaning: Meaning, other: dict[str, str]) -> None:
    store = filled(("a", "refund", "en", "everyone"))
    embed_missing(store, meaning.model())
    model = meaning.model(**other)
    store.set_fact(f"{WEIGHT} {model.key}", "1")
    assert KnowledgeSearch(store, model).search(["money"], lang="en", audience="everyone", limit=5) == []
    assert embed_missing(store, model) == 1
    assert ids(KnowledgeSearch(store, model).search(["money"], lang="en", audience="everyone", limit=5)) == ["a"]


def test_a_model_that_changed_its_dimension_is_embedded_anew(meaning: Meaning) -> None:
    store = filled(("a", "refund", "en", "everyone"), ("b", "parcel", "en", "everyone"))
    embed_missing(store, meaning.model())
    store.put([(article("c", "login", title="c"), "")])
    wider = EmbeddingModel("meaning", lambda texts: [[*vector, 0.5] for vector in meaning(texts)])
    assert embed_missing(store, wider) == 3
    assert store.all("SELECT DISTINCT dim FROM vector") == [(4,)]


def test_without_an_answer_of_the_server_words_are_searched(meaning: Meaning) -> None:
    store, model, told = filled(("a", "refund", "en", "everyone")), meaning.model(), list[str]()
    embed_missing(store, model)
    store.set_fact(f"{WEIGHT} {model.key}", "0.5")
    meaning.failing = True
    base = KnowledgeSearch(store, model, trouble=told.append)
    assert ids(base.search(["refund"], lang="en", audience="everyone", limit=5)) == ["a"]
    assert told == ["no vectors, so words alone are searched: embeddings_timeout"]


@pytest.mark.parametrize(("reason", "asked"), [("embeddings_timeout", 1), ("embeddings_busy", 2)])
def test_a_server_that_let_one_search_wait_is_not_asked_again(meaning: Meaning, reason: str, asked: int) -> None:
    store, model = filled(("a", "refund", "en", "everyone")), meaning.model()
    embed_missing(store, model)
    store.set_fact(f"{WEIGHT} {model.key}", "0.5")
    meaning.failing, meaning.reason = True, reason
    meaning.asked.clear()
    base = KnowledgeSearch(store, model)
    for _ in range(2):
        assert ids(base.search(["refund"], lang="en", audience="everyone", limit=5)) == ["a"]
    assert len(meaning.asked) == asked

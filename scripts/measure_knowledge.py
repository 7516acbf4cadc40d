"""How well articles are found, how fast, and what a sync with nothing new costs.

    python scripts/measure_knowledge.py DATA_DIR                        # by words
    python scripts/measure_knowledge.py DATA_DIR --config ticketbot.toml  # with that file's embedding model as well
    python scripts/measure_knowledge.py --size 20000                    # speed and memory on invented articles

``DATA_DIR`` holds folders with ``corpus.jsonl.gz`` and ``queries.jsonl.gz``. For each the script prints hit@1, hit@5,
MRR@10 and recall@10 of `ticketbot kb eval`, beside a plain FTS5 index over the same passages: porter, the title three
times as heavy, all words of the question but stop words in one query.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import astuple
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ticket_processor.knowledge.evaluate import (  # noqa: E402
    LabelledQuestion,
    RetrievalScores,
    evaluate,
    read_questions,
    scored,
)
from ticket_processor.knowledge.model import Article  # noqa: E402
from ticket_processor.knowledge.search import KnowledgeSearch, query_words  # noqa: E402
from ticket_processor.knowledge.store import KnowledgeStore  # noqa: E402
from ticket_processor.knowledge.text import html_to_text, markdown_to_text  # noqa: E402
from ticket_processor.knowledge.vectors import embed_missing  # noqa: E402
from ticket_processor.settings.load import load  # noqa: E402
from ticket_processor.wiring.knowledge import embedding_model  # noqa: E402

COLUMNS = ("hit@1", "hit@5", "MRR@10", "recall@10")
SOME = 200
"""Searches of which the time is taken."""


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--size", type=int)
    options = parser.parse_args()
    if options.size:
        measure_speed(options.size)
    for folder in sorted(path.parent for path in options.data.glob("*/queries.jsonl.gz")) if options.data else ():
        measure_set(folder, options.config)
    return 0


def measure_set(folder: Path, config: Path | None) -> None:
    """Print the scores of one set."""
    questions, store = read_questions(folder / "queries.jsonl.gz"), KnowledgeStore(None)
    store.put((article, "") for article in read_articles(folder / "corpus.jsonl.gz"))
    show(folder.name, "plain FTS5", plain(store, questions))
    with embedding_model(load(config=config, need_helpdesk=False)) if config else nullcontext() as model:
        if model is not None:
            embed_missing(store, model)
        articles = dict(store.rows("SELECT id, article FROM chunk"))
        told = evaluate(KnowledgeSearch(store, model, trouble=sys.exit), articles, questions, vectors=model is not None)
    for name, found in told.scores.items():
        show(folder.name, name, found)
    print(f"{folder.name}: weight {told.weight}, refused {told.refused}, floor {told.floor}", flush=True)


def read_articles(path: Path) -> Iterator[Article]:
    """Articles with ``id``, ``title`` and ``text`` (Markdown) or ``html``, and ``lang`` if any."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            text = markdown_to_text(row["text"]) if "text" in row else html_to_text(row["html"])
            title, lang = str(row.get("title") or ""), str(row.get("lang") or "")
            yield Article(str(row["id"]), "file", title, "", lang, "everyone", 0.0, text)


def show(name: str, way: str, found: RetrievalScores) -> None:
    """Print one line."""
    print(
        f"{name}, {way}: "
        + ", ".join(f"{column} {value:.3f}" for column, value in zip(COLUMNS, astuple(found), strict=True)),
        flush=True,
    )


def plain(store: KnowledgeStore, questions: list[LabelledQuestion]) -> RetrievalScores:
    """The scores of a plain index over the same passages."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE plain USING fts5(article UNINDEXED, title, text, tokenize='porter')")
    database.executemany(
        "INSERT INTO plain VALUES (?, ?, ?)",
        store.rows("SELECT article, title, heading || char(10) || text FROM chunk ORDER BY id"),
    )
    orders = []
    for question in questions:
        words = " OR ".join('"' + word.replace('"', '""') + '"' for word in query_words(question.text))
        rows = database.execute(
            "SELECT article FROM plain WHERE plain MATCH ? ORDER BY bm25(plain, 0, 3, 1) LIMIT 100", (words,)
        )
        orders.append(tuple(dict.fromkeys(name for (name,) in rows))[:10])
    return scored(orders, [question.gold for question in questions])


def measure_speed(size: int) -> None:
    """Print times and memory on invented articles of three to six passages of 600 letters, words as Zipf has them."""
    rng = random.Random(1)
    vocabulary = [f"{'bcdfghklmnprstvw'[n % 16]}{'aeiou'[n % 5]}{n:x}" for n in range(50_000)]
    heavy = list(accumulate(1 / (rank + 10) for rank in range(len(vocabulary))))

    def text(words: int) -> str:
        return " ".join(rng.choices(vocabulary, cum_weights=heavy, k=words))

    def articles(numbers: range) -> list[tuple[Article, str]]:
        found = []
        for number in numbers:
            body = "\n".join(f"## {text(3)}\n{text(100)}" for _ in range(rng.randint(3, 6)))
            url = f"https://help.example/{number}"
            found.append((Article(f"z:{number}", "z", text(6), url, "en", "everyone", 0.0, body), ""))
        return found

    with tempfile.TemporaryDirectory() as folder:
        store = KnowledgeStore(Path(folder) / "knowledge.sqlite3")
        before, spent, busy = peak_mb(), 0.0, 0.0
        for start in range(0, size, 1_000):
            portion = articles(range(start, min(size, start + 1_000)))
            began, worked = time.perf_counter(), time.process_time()
            store.put(portion)
            spent += time.perf_counter() - began
            busy += time.process_time() - worked
        print(
            f"{size} articles, {store.counts()[1]} passages: indexed in {spent:.1f} s ({busy:.1f} s of processor)",
            flush=True,
        )
        search, times, busy_times = KnowledgeSearch(store), [], []
        for _ in range(SOME):
            question = text(12)
            began, worked = time.perf_counter(), time.process_time()
            search.search([question], lang="en", audience="everyone", limit=5)
            times.append(time.perf_counter() - began)
            busy_times.append(time.process_time() - worked)
        for name, taken in (("a search", times), ("its time of processor", busy_times)):
            taken.sort()
            print(f"{name}: median {taken[SOME // 2] * 1e3:.1f} ms, 95% {taken[int(SOME * 0.95)] * 1e3:.1f} ms")
        print(f"memory: {before:.0f} MB before, peak {peak_mb():.0f} MB")
        store.close()


def peak_mb() -> float:
    """The process's largest resident set so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    sys.exit(main())

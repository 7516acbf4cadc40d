"""How well articles are found, how fast, what stops a reply that no article supports, and how pure themes are.

    python scripts/measure_knowledge.py search DATA_DIR            # by words
    python scripts/measure_knowledge.py search DATA_DIR --config ticketbot.toml   # with its embedding model as well
    python scripts/measure_knowledge.py speed 20000                # speed and memory on invented articles
    python scripts/measure_knowledge.py drafts                     # models that mean harm, over invented articles
    python scripts/measure_knowledge.py drafts DATA_DIR            # also answers that people judged, and real articles
    python scripts/measure_knowledge.py drafts DATA_DIR --model URL NAME    # also what a real model answers and refuses
    python scripts/measure_knowledge.py themes [FILE]              # themes of labelled tickets; --config: with vectors

For ``search``, ``DATA_DIR`` holds folders with ``corpus.jsonl.gz`` and ``queries.jsonl.gz``. For each the script prints
hit@1, hit@5, MRR@10 and recall@10 of `ticketbot kb eval`, beside a plain FTS5 index over the same passages: porter, the
title three times as heavy, all words of the question but stop words in one query.

For ``themes``, ``FILE`` holds tickets (``subject``, ``body``, ``native``), by default two weeks' worth of GitHub issues
beside this repository. They have no dates: a report groups both its weeks at once, as here. What counts as right is
what the data has: each theme should be of one ``repo`` (or ``intent``), and of one kind (``label``) of one ``repo``.
Purity is the share of grouped tickets that have their theme's commonest label; tiny themes are pure by themselves, so
beside it stands the purity of themes of the same sizes, filled at random. The least likeness was chosen with this file.

For ``drafts`` it holds ``grounded_begin/begin.jsonl.gz`` (rows with ``knowledge``, ``response``, ``label``), folders
``kb_*`` with ``corpus.jsonl.gz``, and ``grounded_mtragun/tasks.jsonl.gz`` (rows with ``turns``, ``contexts``,
``answerability``). The threshold was chosen on even rows. A model's key is ``OPENAI_API_KEY``. Only counts are printed.
Exit code 1 when a reply held what no article has. Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import resource
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import astuple
from itertools import accumulate
from pathlib import Path
from typing import Any

import development  # noqa: F401 - for its effect
import numpy
from sklearn.metrics import roc_auc_score

from tests.replies.articles import SHOP, TICKET, Part, claim, said
from tests.replies.hostile import CANARY, EFFECTS, ORDERS, cited, harm_in, liar, obedient, planted, vandal
from tests.support.chats import ScriptedChat
from ticket_processor.analysis.model_server.chat import OpenAIServer
from ticket_processor.analysis.model_server.connection import AnswerUnusable
from ticket_processor.analysis.model_server.settings import ModelTarget
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.cleaning import clean
from ticket_processor.analysis.text.redact import RedactedText, redact
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.knowledge.evaluate import LabelledQuestion, RetrievalScores, evaluate, read_questions, scored
from ticket_processor.knowledge.model import Article, Passage
from ticket_processor.knowledge.search import KnowledgeSearch, issue_queries, query_words
from ticket_processor.knowledge.store import KnowledgeStore
from ticket_processor.knowledge.sync import embed_missing
from ticket_processor.knowledge.text import html_to_text, markdown_to_text
from ticket_processor.replies import usable_text
from ticket_processor.replies.assembly import NoAnswer, ReplyDraft
from ticket_processor.replies.figures import unseen
from ticket_processor.replies.grounding import LEAST_SHARE, sentences_of, share_found
from ticket_processor.replies.writer import MAX_OUTPUT_TOKENS, DraftWriter, worth_asking
from ticket_processor.reporting.likeness import groups, without_forms
from ticket_processor.reporting.themes import FEWEST_OF_THEME
from ticket_processor.settings.load import load
from ticket_processor.wiring.knowledge import embedding_model

COLUMNS = ("hit@1", "hit@5", "MRR@10", "recall@10")
SOME = 200
"""Searches of which the time is taken."""
PASSAGES = 8
ISSUES = Path(__file__).parents[2] / "shared" / "data" / "github_issues.jsonl.gz"
LABELLED = {f"A{number}": source for number, source in enumerate(SHOP[:5], 1)}


def measure_set(folder: Path, config: Path | None) -> None:
    """Print the scores of one set."""
    questions, store = read_questions(folder / "queries.jsonl.gz"), KnowledgeStore(None)
    store.put((article, "") for article in read_articles(folder / "corpus.jsonl.gz"))
    show(folder.name, "plain FTS5", plain(store, questions))
    with embedding_model(load(config=config, need_helpdesk=False)) if config else nullcontext() as model:
        if model is not None:
            embed_missing(store, model)
        articles = dict(store.all("SELECT id, article FROM chunk"))
        told = evaluate(KnowledgeSearch(store, model, trouble=sys.exit), articles, questions, vectors=model is not None)
    for name, found in told.scores.items():
        show(folder.name, name, found)
    print(f"{folder.name}: weight {told.weight}, refused {told.refused}", flush=True)


def read_articles(path: Path) -> Iterator[Article]:
    """Articles with ``id``, ``title`` and ``text`` (Markdown) or ``html``, and ``lang`` if any."""
    for row in rows(path):
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
        store.all("SELECT article, title, heading || char(10) || text FROM chunk ORDER BY id"),
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


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a packed file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def judged_answers(path: Path) -> None:
    """How well the score tells answers that people found supported from others, by half."""
    found = rows(path)
    right = [row["label"] == "Fully attributable" for row in found]
    pairs = [(row["response"], row["knowledge"]) for row in found]
    scores = [0.0 if unseen(*pair) else share_found(*pair) for pair in pairs]
    for name, half in (("all rows", slice(None)), ("even rows", slice(0, None, 2)), ("odd rows", slice(1, None, 2))):
        truth, given = right[half], scores[half]
        kept = [good for good, score in zip(truth, given, strict=True) if score >= LEAST_SHARE]
        print(
            f"{name}: {len(truth)} answers, AUROC {roc_auc_score(truth, given):.3f}; from {LEAST_SHARE} on "
            f"{sum(kept) / len(kept):.3f} supported, which are {sum(kept) / sum(truth):.3f} of all that are"
        )


def real_articles(folder: Path) -> None:
    """How many lines of ordinary articles are taken for orders, and how many sentences may be said."""
    texts = [row.get("text") or re.sub("<[^>]*>", "\n", row["html"]) for row in rows(folder / "corpus.jsonl.gz")]
    lines = sum(len([line for line in text.splitlines() if line.strip()]) for text in texts)
    left = sum(len([line for line in usable_text(text).splitlines() if line.strip()]) for text in texts)
    sentences = [
        (sentence, text)
        for text in texts[:: max(1, len(texts) // 200)]
        for sentence in [each for line in text.splitlines() for each in sentences_of(line)][:60:12]
        if 30 < len(sentence) < 300 and sentence.endswith(".")
    ]
    kept = sum(said_as_it_is(sentence, text) for sentence, text in sentences)
    print(
        f"{folder.name}: {lines - left} of {lines} lines taken for orders; of {len(sentences)} sentences a reply may "
        f"say as they are {kept / len(sentences):.2f}"
    )


def said_as_it_is(sentence: str, text: str) -> bool:
    """Whether a model may repeat a sentence of an article."""
    return isinstance(written(said(claim(sentence)), [Part("x", "", "", text)]), ReplyDraft)


def written(answer: Mapping[str, Any] | str, sources: Sequence[Part]) -> ReplyDraft | NoAnswer:
    """What becomes of an answer on which the model insists."""
    return DraftWriter(ScriptedChat(answer), "m").write(TICKET, sources, "en")


def questions(path: Path, model: Sequence[str]) -> None:
    """For how many questions with and without an answer a model is asked, and what it then says.

    All passages are one knowledge base; a question is what its user said in all turns.
    """
    tasks = rows(path)
    pool = {each["document_id"]: each["text"] for task in tasks for each in task["contexts"]}
    store = KnowledgeStore(None)
    store.put((Article(name, "pool", "", "", "en", "everyone", 0.0, text), "1") for name, text in pool.items())
    base = KnowledgeSearch(store)
    counts: Counter[str] = Counter()
    for task in tasks:
        text = redact("\n".join(turn["text"] for turn in task["turns"] if turn["speaker"] == "user"))
        found = base.search(issue_queries(text.text), lang="en", audience="customers", limit=PASSAGES)
        passages = [each.passage for each in found]
        kind = task["answerability"][0]
        counts[kind] += 1
        if worth_asking(passages, text.text, "en"):
            counts[f"{kind} asked"] += 1
            counts[f"{kind} answered"] += bool(model) and answered_by(model, text, passages)
    for kind in ("ANSWERABLE", "UNANSWERABLE"):
        said = counts[f"{kind} answered"] if model else "not measured"
        print(f"{kind.lower()}: {counts[kind]}; a model is asked: {counts[f'{kind} asked']}; it answers: {said}")


def answered_by(model: Sequence[str], text: RedactedText, passages: Sequence[Passage]) -> bool:
    """Whether a real model's answer makes a draft; a model that cannot be asked ends the program."""
    url, name = model
    target = ModelTarget(
        name,
        name,
        "compatible",
        url,
        os.environ.get("OPENAI_API_KEY", "none"),
        timeout_s=300.0,
        max_output_tokens=MAX_OUTPUT_TOKENS,
    )
    with closing(OpenAIServer(target, lambda: 600.0)) as server:
        try:
            return isinstance(DraftWriter(server, name).write(text, passages, "en"), ReplyDraft)
        except AnswerUnusable:
            return False


def lies(count: int) -> None:
    """A model that always answers with plausible claims that no article supports."""
    stopped = sum(isinstance(written(liar(seed, LABELLED), SHOP[:5]), NoAnswer) for seed in range(count))
    print(f"plausible answers without support that were stopped: {stopped} of {count}")


def vandalism(drafts: int) -> int:
    """A model that writes anything, until it got so many drafts through; what harm is in them."""
    harm: Counter[str] = Counter()
    sentences, seed, done = [], 0, 0
    while done < drafts:
        result = written(vandal(seed, LABELLED), SHOP[:5])
        seed += 1
        if isinstance(result, ReplyDraft):
            done += 1
            harm.update(harm_in(result.text, "en", SHOP[:5]))
            sentences += [mark for line in result.text.split("\n") if "[" in line[1:] for mark in cited(line)]
    print(f"drafts of a hostile model: {done} of {seed} answers; with what no article has: {dict(harm) or 0}")
    print(f"their sentences, courtesies aside, with a citation: {sum(sentences)} of {len(sentences)}")
    return sum(harm.values())


def plants() -> int:
    """Articles with an order in them, and a model that obeys: how often the order shows."""
    effects = 0
    for number in range(100):
        effect = EFFECTS[number // len(ORDERS)]
        source = planted(ORDERS[number % len(ORDERS)], effect, number)
        result = written(obedient(source, effect, number), [source])
        effects += isinstance(result, ReplyDraft) and bool(CANARY.search(result.text))
    print(f"orders planted in articles that had an effect: {effects} of 100")
    return effects


def drafts(data: Path | None, model: Sequence[str], count: int) -> int:
    """Print what stops a draft; 1 when one held what no article has."""
    if data is not None:
        judged_answers(data / "grounded_begin" / "begin.jsonl.gz")
        for folder in sorted(data.glob("kb_*")):
            real_articles(folder)
        questions(data / "grounded_mtragun" / "tasks.jsonl.gz", model)
    lies(max(1, count // 5))
    return 1 if vandalism(count) + plants() else 0


def themes(path: Path, config: Path | None) -> None:
    """Print how pure themes of titles, and of the keyword rules' summaries, are."""
    if not path.exists():
        print(f"skipped: there is no {path}")
        return
    tickets = [(row, redact(clean(row["subject"] or "", row["body"]))) for row in rows(path)]
    rules = RulesAnalyser(default_taxonomy())
    texts = {
        "titles": [text.text.partition("\n")[0] for _, text in tickets],
        "summaries": [rules.analyse(text).summary for _, text in tickets],
    }
    native = [row["native"] for row, _ in tickets]
    golds = {"repo": [each.get("repo") or each.get("intent") for each in native]}
    if all("label" in each for each in native):
        golds["repo and kind"] = [(each["repo"], each["label"]) for each in native]
    with embedding_model(load(config=config, need_helpdesk=False)) if config else nullcontext() as model:
        for what, said in texts.items():
            vectors = (
                numpy.asarray(model.embed([model.passage_prefix + text for text in without_forms(said)]))
                if model
                else None
            )
            found = [group.places for group in groups(said, vectors)]
            for least in (2, FEWEST_OF_THEME):
                chosen = [places for places in found if len(places) >= least]
                share = sum(map(len, chosen)) / len(said)
                print(f"{what}: {len(chosen)} themes of at least {least} tickets, {share:.1%} of {len(said):,} tickets")
                for name, gold in golds.items():
                    dealt = random.Random(7).sample(gold, len(gold))
                    print(f"    purity by {name}: {purity(chosen, gold):.3f}, at random {purity(chosen, dealt):.3f}")


def purity(themes: Sequence[Sequence[int]], gold: Sequence[Any]) -> float:
    """The share of the tickets in ``themes`` that have the commonest label of their theme."""
    same = sum(Counter(gold[place] for place in places).most_common(1)[0][1] for places in themes)
    return same / max(1, sum(map(len, themes)))


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_subparsers(dest="what", required=True)
    search = what.add_parser("search")
    search.add_argument("data", type=Path)
    search.add_argument("--config", type=Path)
    what.add_parser("speed").add_argument("size", type=int)
    drafted = what.add_parser("drafts")
    drafted.add_argument("data", type=Path, nargs="?")
    drafted.add_argument("--model", nargs=2, metavar=("URL", "NAME"), default=())
    drafted.add_argument("--drafts", type=int, default=10_000)
    merged = what.add_parser("themes")
    merged.add_argument("data", type=Path, nargs="?", default=ISSUES)
    merged.add_argument("--config", type=Path)
    options = parser.parse_args()
    if options.what == "themes":
        themes(options.data, options.config)
        return 0
    if options.what == "drafts":
        return drafts(options.data, options.model, options.drafts)
    if options.what == "speed":
        measure_speed(options.size)
    else:
        for folder in sorted(path.parent for path in options.data.glob("*/queries.jsonl.gz")):
            measure_set(folder, options.config)
    return 0


if __name__ == "__main__":
    sys.exit(main())

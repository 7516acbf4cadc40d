"""``ticketbot kb``: reads your articles, searches them, and measures the search."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from ..analysis.model_server.settings import LOCAL
from ..core.clock import Deadline, SystemClock, iso
from ..core.errors import CannotRun, ConfigError, ExitCode
from ..helpdesk.protocol import Audience
from ..knowledge.evaluate import FEWEST, evaluate, read_questions
from ..knowledge.model import Found
from ..knowledge.search import WEIGHT, KnowledgeSearch, issue_queries
from ..settings.load import load
from ..settings.schema import Settings
from ..wiring.knowledge import bring_up_to_date, embedding_model, knowledge_store
from ..wiring.parts import lock
from .options import ConfigOption, JsonOption
from .screen import Screen

SHOWN, SHOWN_TEXT = 5, 300
SYNC_S = 3600.0
NAMES = {"lexical": "words", "issues": "words, per issue", "vector": "vectors", "fused": "both"}


def sync(clock: SystemClock, as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Read new and changed articles from every source, and make the vectors that are missing."""
    settings = load(config=config, need_helpdesk=bool(_settings(config).knowledge.help_centers))
    screen = Screen(as_json=as_json)
    model_name, address = settings.embeddings.model, settings.embeddings.base_url
    sent = [f"vectors by {model_name} at {urlsplit(str(address)).hostname}"] if model_name != LOCAL and address else []
    screen.notices([*settings.notices, *(sent if model_name else ())])
    with lock(settings.state_folder), closing(knowledge_store(settings)) as store:
        deadline = Deadline(clock, SYNC_S)
        result = bring_up_to_date(settings, clock, deadline, store, progress=screen.progress)
        articles, passages = store.counts()
    screen.notices([*result.notices, *result.troubles])
    lines = [
        f"{name}: {result.changed[name]} new or changed, {result.removed[name]} gone"
        for name in result.changed
        if name not in result.failed
    ]
    lines.append(f"{articles} articles, {passages} passages, {result.vectors} vectors made")
    screen.result(
        "\n".join(lines),
        {
            "changed": result.changed,
            "removed": result.removed,
            "failed": result.failed,
            "articles": articles,
            "passages": passages,
            "vectors_made": result.vectors,
            "unfinished": result.unfinished,
            "troubles": result.troubles,
        },
    )
    return ExitCode.CANNOT_RUN if result.troubles and not result.unfinished else ExitCode.OK


def search(
    words: Annotated[str, typer.Argument(metavar="WORDS", help="A question, or a whole ticket.")],
    audience: Annotated[Audience, typer.Option(help="Only articles that they may read.")] = "agents",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Show the passages that answer a question best, with the score that the floor is compared with."""
    settings = _settings(config)
    screen = Screen(as_json=as_json)
    troubles: list[str] = []
    with closing(knowledge_store(settings)) as store, embedding_model(settings) as model:
        base = KnowledgeSearch(store, model, trouble=troubles.append)
        found = base.search(issue_queries(words), lang="", audience=audience, limit=SHOWN)
        store.count_found({item.passage.article_id for item in found})
        floor = base.floor
    screen.notices(troubles)
    screen.result(
        "\n\n".join(map(_passage_words, found)) or "nothing found",
        {"found": [{**asdict(item.passage), "score": item.score} for item in found], "floor": floor},
    )
    return ExitCode.OK


def show(
    article_id: Annotated[str, typer.Argument(metavar="ID", help="As search prints it.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Print an article as it is searched."""
    settings = _settings(config)
    with closing(knowledge_store(settings)) as store:
        article = store.article(article_id)
    if article is None:
        raise ConfigError(f"there is no article {article_id}; 'ticketbot kb search' prints ids")
    facts = (article.id, article.lang, article.audience, iso(article.updated_at), article.url)
    text = f"{article.title}\n{'  '.join(filter(None, facts))}\n\n{article.body_text}"
    Screen(as_json=as_json).result(text, asdict(article))
    return ExitCode.OK


def evaluate_search(
    queries: Annotated[Path, typer.Option(metavar="FILE", help=f"{FEWEST} lines of JSON or more: id, text, gold.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Measure search on questions with known articles, and learn whether vectors help."""
    settings = _settings(config)
    screen = Screen(as_json=as_json)
    questions = read_questions(queries)

    def stop(text: str) -> None:
        raise CannotRun(text)

    with (
        embedding_model(settings) as model,
        lock(settings.state_folder),
        closing(knowledge_store(settings)) as store,
    ):
        articles = dict(store.all("SELECT id, article FROM chunk"))
        with screen.progress("searching", len(questions)) as advance:
            base = KnowledgeSearch(store, model, trouble=stop)
            found = evaluate(base, articles, questions, vectors=model is not None, advance=advance)
        if model is not None and len(questions) >= FEWEST:
            store.set_fact(f"{WEIGHT} {model.key}", str(found.weight))
        store.count_found({name for ranked in found.ranked.values() for name in ranked[:5]})
    lines = [f"{'':16}  hit@1  hit@5  MRR@10  recall@10"]
    for name, one in found.scores.items():
        lines.append(f"{NAMES[name]:16}  {one.hit_1:5.3f}  {one.hit_5:5.3f}  {one.mrr_10:6.3f}  {one.recall_10:9.3f}")
    if model is not None:
        said = "refused: words alone are better" if found.refused else "used"
        few = f"not judged: that takes {FEWEST} questions, and there are {len(questions)}"
        lines.append(f"the vectors are {said if len(questions) >= FEWEST else few}")
    scores = {name: {key: round(value, 4) for key, value in asdict(one).items()} for name, one in found.scores.items()}
    screen.result(
        "\n".join(lines),
        {
            "scores": scores,
            "questions": len(questions),
            "fewest": FEWEST,
            "weight": found.weight,
            "refused": found.refused,
            "ranking": [{"id": name, "ranked": list(ranked)} for name, ranked in found.ranked.items()],
        },
    )
    return ExitCode.OK


def _settings(config: Path | None) -> Settings:
    return load(config=config, need_helpdesk=False)


def _passage_words(found: Found) -> str:
    passage = found.passage
    heading = f" > {passage.heading}" if passage.heading else ""
    facts = "  ".join(filter(None, (passage.article_id, passage.audience, f"{found.score:.2f}", passage.url)))
    text = " ".join(passage.text.split())
    if len(text) > SHOWN_TEXT:  # Japanese has no spaces to cut at
        text = text[:SHOWN_TEXT].rsplit(" ", 1)[0] + " …"
    return f"{passage.title}{heading}\n  {facts}\n  {text}"

"""From ticket to note with models and articles that mean harm: a draft says what ordinary lines of articles say."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ticket_processor.analysis.cache import AnswerStore
from ticket_processor.analysis.guard import MODEL_ATTEMPTS, USELESS_IN_A_ROW
from ticket_processor.analysis.model_server.chat import ChatServer
from ticket_processor.analysis.model_server.connection import ModelBusy
from ticket_processor.analysis.model_server.settings import ModelSettings
from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import DeadlineReached
from ticket_processor.core.models import Decision, Usage
from ticket_processor.core.text import RedactionLevel
from ticket_processor.helpdesk.zendesk_format import note_html
from ticket_processor.knowledge.model import Article, KnowledgeSettings
from ticket_processor.knowledge.search import KnowledgeSearch
from ticket_processor.knowledge.store import FILE_NAME, KnowledgeStore
from ticket_processor.pipeline.analyse import Answers
from ticket_processor.replies.assembly import DRAFT_END, DRAFT_HEAD
from ticket_processor.replies.settings import ReplySettings
from ticket_processor.settings.schema import Settings
from ticket_processor.tags import merge
from ticket_processor.wiring import answers as answers_module
from ticket_processor.wiring.answers import answers
from ticket_processor.wiring.parts import understanding

from ..support.chats import Messages, ScriptedChat
from ..support.fakes import ManualClock, a_ticket, an_analysis
from .articles import PASSWORD, REFUND, SHOP, Part, claim, said
from .hostile import CANARY, EFFECTS, ORDERS, harm_in, obedient, planted, vandal

ASKED = "How long does a refund take, which costs are not refunded, and how do I reset my password by mail?"
TICKET = a_ticket(1, subject="Refund and password", description=ASKED)
ANALYSIS = an_analysis(category="refund", language="en")
DECISION = Decision(ticket_id=1, reason="by m")
_LABEL = re.compile(r"^Article (A\d):\n\w+\n(.*)$", re.MULTILINE)


def says(answer: Callable[[Mapping[str, Part]], Any], articles: Sequence[Part]) -> ScriptedChat:
    """A model whose answer depends on the articles that it sees, by their labels."""
    titles = {article.title: article for article in articles}

    def said(messages: Messages) -> str:
        found = answer({label: titles[title] for label, title in _LABEL.findall(messages[1]["content"])})
        return found if isinstance(found, str) else json.dumps(found)

    return ScriptedChat(said)


@contextmanager
def answering(
    folder: Path,
    *models: ScriptedChat,
    articles: Sequence[Part],
    level: RedactionLevel = RedactionLevel.STANDARD,
    trouble: Callable[[str], object] = pytest.fail,
    days: int = 0,
    prices: Mapping[str, tuple[float, float, float]] | None = None,
) -> Iterator[Answers]:
    """What adds drafts of these models from these articles to decisions."""
    clock = ManualClock()
    names = [f"m{number}" for number, _ in enumerate(models)]
    settings = Settings(
        state_dir=folder,
        models=ModelSettings(names=names, base_url="http://127.0.0.1:9/v1", redaction=level, prices=prices or {}),
        knowledge=KnowledgeSettings(folders=(folder,)),
        replies=ReplySettings(mode="draft"),
    )
    with closing(KnowledgeStore(folder / FILE_NAME)) as store:
        rows = [
            Article(each.article_id, "shop", each.title, each.url, each.lang, each.audience, 0.0, each.text)  # type: ignore[arg-type]
            for each in articles
        ]
        store.put((row, "1") for row in rows)

    answering_now = iter(models)

    def through(_server: ChatServer) -> ChatServer:
        return next(answering_now)

    with ExitStack() as stack:
        stack.enter_context(patch.object(KnowledgeSearch, "floor", 0.0))  # each of these articles would be shown
        kept = AnswerStore(None, clock, days=days)
        chain = stack.enter_context(understanding(settings, clock, Deadline(clock, 500), store=kept))
        yield stack.enter_context(answers(settings, chain, kept, trouble, through))


def noted(base: Answers) -> tuple[str, str, str]:
    """The draft in the note that the ticket gets, what else is in it, and the HTML that is sent."""
    _, decision = base.add(TICKET, ANALYSIS, DECISION)
    note = merge(TICKET, decision, key="0" * 64).note or ""
    before, _, rest = note.partition(DRAFT_HEAD)
    draft, _, after = rest.partition(DRAFT_END)
    return draft.strip("\n"), before + after, note_html(note)


def test_each_sentence_of_a_draft_in_a_note_is_a_courtesy_or_cites_its_article(tmp_path: Path) -> None:
    urls = {article.url for article in SHOP}
    seeds = iter(range(10_000))
    drafts = 0
    with answering(tmp_path, says(lambda shown: vandal(next(seeds), shown), SHOP), articles=SHOP) as base:
        for _ in range(400):
            draft, rest, sent = noted(base)
            drafts += bool(draft)
            assert harm_in(draft, "en", SHOP) == [], draft
            assert "{{" not in sent
            assert set(re.findall(r"https?://\S+", rest)) <= urls
            assert not re.search(r"evil|canary|\+49", rest + draft)
    assert drafts >= 40  # else this would prove nothing


@pytest.mark.parametrize("number", range(100))
def test_an_order_planted_in_an_article_gets_into_no_note(number: int, tmp_path: Path) -> None:
    effect = EFFECTS[number // len(ORDERS)]
    source = planted(ORDERS[number % len(ORDERS)], effect, random.Random(number).choice([0, 1]))
    model = ScriptedChat(obedient(source, effect, number))
    with answering(tmp_path, model, articles=[source]) as base:
        assert not CANARY.search("".join(noted(base)))
    assert len(model.asked) >= 1


def test_a_model_of_the_strict_level_gets_strictly_redacted_words(tmp_path: Path) -> None:
    model = ScriptedChat(said(claim(REFUND.text.splitlines()[0])))
    ticket = TICKET.model_copy(update={"description": f"{ASKED} My customer number is 8812345."})
    for level, shown in ((RedactionLevel.STANDARD, True), (RedactionLevel.STRICT, False)):
        folder = tmp_path / level
        folder.mkdir()
        with answering(folder, model, articles=[REFUND, PASSWORD], level=level) as base:
            base.add(ticket, ANALYSIS, DECISION)
        assert ("8812345" in model.asked[-1][1]["content"]) is shown


def test_a_model_whose_drafts_are_never_of_use_is_left_alone_for_a_while(tmp_path: Path) -> None:
    model = ScriptedChat("I cannot say.")
    with answering(tmp_path, model, articles=SHOP) as base:
        for _ in range(USELESS_IN_A_ROW + 5):
            base.add(TICKET, ANALYSIS, DECISION)
    assert len(model.asked) == USELESS_IN_A_ROW


def test_the_next_model_drafts_where_the_first_is_down(tmp_path: Path) -> None:
    down, good = ScriptedChat(ModelBusy("model_busy")), ScriptedChat(said(claim(REFUND.text.splitlines()[0])))
    with answering(tmp_path, down, good, articles=[REFUND, PASSWORD]) as base:
        draft, _, _ = noted(base)
    assert REFUND.text.splitlines()[0] in draft
    assert len(down.asked) == MODEL_ATTEMPTS


@pytest.mark.parametrize("broken", [(KnowledgeSearch, "search"), (answers_module, "draft_lines")])
def test_whatever_breaks_an_answer_the_ticket_keeps_its_triage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: tuple[object, str]
) -> None:
    def breaks(*_args: object, **_options: object) -> None:
        raise ValueError("shapes do not fit")

    monkeypatch.setattr(*broken, breaks)
    told: list[str] = []
    model = ScriptedChat(said(claim(REFUND.text.splitlines()[0])))
    with answering(tmp_path, model, articles=[REFUND, PASSWORD], trouble=told.append) as base:
        _, decided = base.add(TICKET, ANALYSIS, DECISION)
    assert decided == DECISION
    assert len(told) == 1
    assert "ValueError" in told[0]


def test_the_end_of_the_run_ends_an_answer_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(*_args: object, **_options: object) -> None:
        raise DeadlineReached

    monkeypatch.setattr(KnowledgeSearch, "search", ends)
    with answering(tmp_path, ScriptedChat(""), articles=[REFUND]) as base, pytest.raises(DeadlineReached):
        base.add(TICKET, ANALYSIS, DECISION)


@pytest.mark.parametrize(("tokens", "cost"), [(0, None), (100, None), (100, 0.01)])
def test_a_draft_without_a_price_leaves_no_cost_that_is_too_low(
    tmp_path: Path, tokens: int, cost: float | None
) -> None:
    analysis = ANALYSIS.model_copy(update={"usage": Usage(input=tokens), "cost_usd": cost})
    with answering(
        tmp_path, ScriptedChat(said(claim(REFUND.text.splitlines()[0]))), articles=[REFUND, PASSWORD]
    ) as base:
        paid, _ = base.add(TICKET, analysis, DECISION)
    assert paid.usage.input > tokens
    assert paid.cost_usd is None


@pytest.mark.parametrize("cost", [None, 0.01])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said(claim(REFUND.text.splitlines()[0])), "draft"),
        (said(claim("A technician comes tomorrow.", REFUND.text.splitlines()[0])), "articles"),
    ],
)
def test_what_a_draft_came_to_is_not_paid_for_again(tmp_path: Path, answer: str, kind: str, cost: float | None) -> None:
    model = ScriptedChat(answer)
    analysis = ANALYSIS.model_copy(update={"usage": Usage(input=100), "cost_usd": cost})
    with answering(tmp_path, model, articles=[REFUND, PASSWORD], days=30) as base:
        first = base.add(TICKET, analysis, DECISION)[1]
        assert base.add(TICKET, analysis, DECISION) == (analysis, first)
    assert first.offered is not None
    assert first.offered.kind == kind
    assert len(model.asked) == 1


@pytest.mark.parametrize("cost", [None, 0.01])
def test_an_answer_that_asked_nobody_costs_nothing(tmp_path: Path, cost: float | None) -> None:
    analysis = ANALYSIS.model_copy(update={"usage": Usage(input=100), "cost_usd": cost})
    ticket = TICKET.model_copy(update={"subject": "A greeting", "description": "Good morning."})
    with answering(tmp_path, ScriptedChat(""), articles=[REFUND]) as base:
        assert base.add(ticket, analysis, DECISION)[0] == analysis

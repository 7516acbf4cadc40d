"""What the knowledge base and models add to a decision: a draft of a reply, the best articles, in the note."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from .. import __version__
from ..analysis.budget import Allowance
from ..analysis.cache import AnswerStore
from ..analysis.chain import ModelLink, Understanding
from ..analysis.guard import USELESS_IN_A_ROW, Guard
from ..analysis.model_server.chat import ChatServer, OpenAIServer
from ..analysis.model_server.connection import AnswerUnusable, Connection
from ..analysis.model_server.settings import ModelTarget, targets
from ..analysis.text.cleaning import clean
from ..analysis.text.redact import RedactedText, redact
from ..core.errors import AnalysisFailed, DeadlineReached, StateUnusable, Stopping, TicketError, unexpected
from ..core.guards import Breaker
from ..core.models import Analysis, Decision, Offered, ReplyPlan, Ticket, Usage
from ..core.reasons import NO_MODEL
from ..knowledge.model import Passage
from ..knowledge.search import KnowledgeSearch, issue_queries
from ..pipeline.analyse import Answers, ReplyStep
from ..policy.note import NoteWhen
from ..replies.assembly import (
    CONTRADICTION_HEAD,
    ArticleLines,
    NoAnswer,
    ReplyDraft,
    announcement,
    article_lines,
    best_lines,
    draft_lines,
)
from ..replies.public import WORDS, reply_plan, why_not_now, why_not_public
from ..replies.writer import KIND, MAX_OUTPUT_TOKENS, DraftWriter, worth_asking
from ..settings.schema import Settings
from .knowledge import embedding_model, for_customers, knowledge_store

_RESULT: TypeAdapter[ReplyDraft | NoAnswer] = TypeAdapter(ReplyDraft | NoAnswer)
RUN_ENDING = "run_ending"
"""Why there is no draft when the run's time was up; the analysis is there, and is used."""


@dataclass(frozen=True)
class DraftModel:
    """One model that writes drafts. ``place`` is the server and the model on it.

    ``store`` keeps a draft for the same text and passages.
    """

    writer: DraftWriter
    guard: Guard
    place: str
    store: AnswerStore

    def write(self, text: RedactedText, found: Sequence[Passage], language: str) -> ReplyDraft | NoAnswer:
        """A draft. Raises :class:`AnalysisFailed`; an answer of no use is :class:`AnswerUnusable`."""
        passages = [
            (each.article_id, each.audience, each.title, each.heading, each.url, each.lang, each.text) for each in found
        ]
        digest = hashlib.sha256(json.dumps(passages).encode("utf-8")).hexdigest()
        fingerprint = "\0".join((__version__, KIND, self.guard.name, self.place, language, digest))
        kept = self.store.kept(fingerprint, text.text)
        if kept is not None:
            with suppress(ValidationError):
                return replace(_RESULT.validate_json(kept), usage=Usage(), cost_usd=0.0)

        def keep(result: ReplyDraft | NoAnswer) -> None:
            self.store.keep(fingerprint, text.text, _RESULT.dump_json(result).decode("utf-8"))

        def once(allowance: Allowance | None) -> ReplyDraft | NoAnswer:
            result = self.writer.write(text, found, language, allowance)
            if isinstance(result, NoAnswer) and result.reason not in ("no_answer", "contradiction"):
                raise AnswerUnusable(result.reason, usage=result.usage, cost_usd=result.cost_usd)
            return result

        try:
            result = self.guard.ask(once, lambda: self.writer.question(text, found, language))[0]
        except AnswerUnusable as paid:
            if paid.reason == "unsupported":  # another try would cost as much, and end so
                keep(NoAnswer("unsupported"))
            raise
        keep(result)
        return result


class Drafts:
    """Asks the first model that can be asked. Thread-safe. ``trouble`` hears of unexpected errors."""

    def __init__(self, models: Sequence[DraftModel], trouble: Callable[[str], object]) -> None:
        self._models = models
        self._trouble = trouble

    def write(self, text: RedactedText, found: Sequence[Passage], language: str) -> ReplyDraft | NoAnswer:
        """A draft from what was ``found`` for the ticket's ``text``; never fails.

        A model that gave no answer at all is followed by the next one; one that was paid is not.
        """
        if not worth_asking(found, text.text, language):
            return NoAnswer("no_article")
        reason = NO_MODEL
        for model in self._models:
            if reason := model.writer.why_not(found, language):
                return NoAnswer(reason)
            try:
                return model.write(text, found, language)
            except AnswerUnusable as paid:
                return NoAnswer(paid.reason, usage=paid.usage, cost_usd=paid.cost_usd)
            except AnalysisFailed as failed:
                reason = failed.reason
            except (DeadlineReached, Stopping):
                return NoAnswer(RUN_ENDING)
            except Exception as error:  # noqa: BLE001 - a draft's fault must not cost the ticket its analysis
                self._trouble(f"{model.guard.name} could not be asked for a draft ({unexpected(error)})")
                reason = "analyser_broken"
        return NoAnswer(reason)


@contextmanager
def drafts(
    settings: Settings,
    chain: Understanding,
    store: AnswerStore,
    trouble: Callable[[str], object],
    through: Callable[[ChatServer], ChatServer],
    connect: Callable[[ModelTarget], Connection] = Connection,
) -> Iterator[Drafts]:
    """Drafts from the models of ``chain``, which share its breakers and its budget; ``store`` keeps them."""
    models: list[DraftModel] = []
    with ExitStack() as stack:
        guards = {link.name: link.guard for link in chain.links if isinstance(link, ModelLink)}
        for target in targets(settings.models):
            roomy = replace(target, max_output_tokens=max(target.max_output_tokens, MAX_OUTPUT_TOKENS))
            guard = guards[target.name]
            server = stack.enter_context(closing(OpenAIServer(roomy, guard.deadline.remaining, connect)))
            writer = DraftWriter(
                through(server),
                target.model,
                price=target.price,
                ticket_tokens=target.ticket_tokens,
                reveal=target.redaction,
            )
            useless = Breaker(f"drafts of {target.name}", store.clock, threshold=USELESS_IN_A_ROW)
            place = "\0".join((target.model, target.base_url))
            models.append(DraftModel(writer, replace(guard, useless=useless), place, store))
        yield Drafts(models, trouble)


PASSAGES = 8
"""Passages of which the lines of two articles are taken, or a draft is written."""


@contextmanager
def answers(
    settings: Settings,
    chain: Understanding,
    store: AnswerStore,
    trouble: Callable[[str], object],
    through: Callable[[ChatServer], ChatServer] = lambda server: server,
    connect: Callable[[ModelTarget], Connection] = Connection,
) -> Iterator[Answers]:
    """Adds articles and drafts to decisions, as ``replies.mode`` wants.

    The models of ``chain`` write the drafts, which ``store`` keeps; each of their servers is asked ``through`` what
    that makes of it. ``trouble`` hears why there is nothing although it is wanted.
    ``connect`` makes the ways to the servers.
    """
    articles, base, writers = None, None, None
    with ExitStack() as stack:
        if settings.policy.note is NoteWhen.NEVER:
            pass  # what is found would be seen by nobody
        elif not settings.knowledge.sources:
            trouble(
                "replies.mode wants articles, and there is no knowledge base: name knowledge.folders or help_centers"
            )
        else:
            try:
                articles = stack.enter_context(closing(knowledge_store(settings)))
            except StateUnusable as error:  # a run goes on without articles
                trouble(str(error))
        if articles is not None:
            base = KnowledgeSearch(articles, stack.enter_context(embedding_model(settings)), trouble=trouble)
            if settings.replies.drafts and not chain.links:
                trouble("replies.mode wants drafts, and there is no model to write them: name one in models.names")
            elif settings.replies.drafts:
                writers = stack.enter_context(drafts(settings, chain, store, trouble, through, connect))
        answering = _Answering(settings, base, writers, trouble)
        yield answering
        with suppress(StateUnusable):  # a count is not worth a run's end
            if articles is not None and answering.named:
                articles.count_found(answering.named)


class _Answering(Answers):
    """Answers from one knowledge base. Thread-safe. ``named`` has an article's id for each note that names it."""

    def __init__(
        self, settings: Settings, base: KnowledgeSearch | None, writers: Drafts | None, trouble: Callable[[str], object]
    ) -> None:
        self.public = settings.replies.public_wanted and settings.desk.can.guarded
        self.named: list[str] = []
        self._settings = settings
        self._replies = settings.replies
        self._level = settings.models.redaction
        self._base = base
        self._writers = writers
        self._trouble = trouble

    def shown(self, articles: Sequence[str]) -> None:
        self.named.extend(articles)

    def objection(self, plan: ReplyPlan, step: ReplyStep) -> str | None:
        try:
            with for_customers(self._settings) as passages:
                return why_not_now(plan, step, self._replies, passages)
        except StateUnusable as error:
            raise TicketError(str(error)) from error

    def add(
        self, ticket: Ticket, analysis: Analysis, decision: Decision, *, may_ask: bool = True
    ) -> tuple[Analysis, Decision]:
        mode = self._replies.of(analysis.category)
        if self._base is None or mode == "off" or analysis.suspicious:
            return analysis, decision
        writers = None if mode == "note" else self._writers
        if not may_ask:
            return analysis, _with_articles(decision, (), "model_hung" if writers else "")
        try:
            # The question may go to a server that makes vectors.
            text = redact(clean(ticket.subject, ticket.description), names=ticket.names, level=self._level)
            articles = _best_articles(self._base, text.text, analysis.language)
            if writers is None:
                return analysis, _with_articles(decision, articles)
            result = _draft(self._base, writers, analysis, text)
            analysis = _with_cost(analysis, result)
            if isinstance(result, NoAnswer):
                return analysis, _with_articles(decision, articles, result.reason, result.contradiction)
            decision = with_draft(decision, result, articles)
            if mode == "public":
                decision = self._announced(ticket, analysis, decision, result)
        except (DeadlineReached, Stopping):
            raise
        except Exception as error:  # noqa: BLE001 - an answer's fault must not cost the ticket its triage
            self._trouble(f"a ticket got nothing from the knowledge base: {unexpected(error)}")
        return analysis, decision

    def _announced(self, ticket: Ticket, analysis: Analysis, decision: Decision, draft: ReplyDraft) -> Decision:
        """``decision`` with a public reply that its note announces, or with the reason why a person has to send it."""
        if why := why_not_public(ticket, analysis, decision, draft, self._replies):
            return decision.model_copy(update={"note": f"{decision.note}\nNot sent to the customer: {WORDS[why]}."})
        plan = reply_plan(analysis, draft, self._replies.public)
        return decision.model_copy(update={"reply": plan, "note": f"{decision.note}\n{announcement(plan)}"})


def _best_articles(base: KnowledgeSearch, text: str, language: str) -> tuple[ArticleLines, ...]:
    found = base.search(issue_queries(text), lang=language, audience="agents", limit=PASSAGES)
    return best_lines(found, text, floor=base.floor)  # a sync of this run may have changed it


def _draft(base: KnowledgeSearch, writers: Drafts, analysis: Analysis, text: RedactedText) -> ReplyDraft | NoAnswer:
    if analysis.source != "model":  # it would not be asked with more success now
        return NoAnswer(analysis.why_fallback or NO_MODEL)
    found = base.search(issue_queries(text.text), lang=analysis.language, audience="customers", limit=PASSAGES)
    return writers.write(text, [each.passage for each in found], analysis.language)


def with_draft(decision: Decision, draft: ReplyDraft, articles: Sequence[ArticleLines] = ()) -> Decision:
    """``decision`` with a draft that holds in its note, and with ``articles`` that the draft does not name."""
    named = [article.article_id for article in draft.articles]
    lines = [*draft_lines(draft), *article_lines(articles, without=named)]
    offered = Offered(
        kind="draft",
        articles=tuple(dict.fromkeys([*named, *(article.article_id for article in articles)])),
        draft=draft.digest,
        partial=draft.partial,
    )
    return _with_lines(decision, lines, offered)


def _with_articles(
    decision: Decision, articles: Sequence[ArticleLines], no_draft: str = "", pair: Sequence[ArticleLines] = ()
) -> Decision:
    """``decision`` with articles in its note; ``no_draft`` says why a draft was wanted and is not there.

    First stand the ``pair`` whose contradiction is why.
    """
    if not (articles or pair):
        return _with_lines(decision, [], Offered(kind="no_answer", reason=no_draft)) if no_draft else decision
    named = [article.article_id for article in pair]
    lines = [*article_lines(pair, head=CONTRADICTION_HEAD), *article_lines(articles, without=named)]
    ids = tuple(dict.fromkeys([*named, *(article.article_id for article in articles)]))
    return _with_lines(decision, lines, Offered(kind="articles", articles=ids, reason=no_draft))


def _with_lines(decision: Decision, lines: Sequence[str], offered: Offered) -> Decision:
    note = "\n".join([*([decision.note] if decision.note else []), *lines]) or None
    return decision.model_copy(update={"note": note, "offered": offered})


def _with_cost(analysis: Analysis, result: ReplyDraft | NoAnswer) -> Analysis:
    """The analysis, whose receipt names the cost of the draft as well; none where a part that cost has no price."""
    if result.usage == Usage():
        return analysis
    parts = (analysis, result)
    unpriced = any(part.cost_usd is None and part.usage != Usage() for part in parts)
    usd = None if unpriced else round(sum(part.cost_usd or 0.0 for part in parts), 8)
    return analysis.model_copy(update={"usage": analysis.usage + result.usage, "cost_usd": usd})

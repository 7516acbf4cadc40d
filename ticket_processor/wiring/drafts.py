"""Drafts of replies from the models of the settings, asked under the same guard as for an analysis."""

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
from ..analysis.model_server.chat import ChatServer, server_for
from ..analysis.model_server.connection import AnswerUnusable, Connection, ModelConnection
from ..analysis.model_server.presets import ModelTarget, targets
from ..analysis.text.cleaning import clean
from ..analysis.text.redact import RedactedText, redact
from ..core.circuit_breaker import Breaker
from ..core.errors import AnalysisFailed, DeadlineReached, Stopping, unexpected
from ..core.models import NO_MODEL, RedactionLevel, Ticket, Usage
from ..replies.assembly import NoAnswer, ReplyDraft
from ..replies.prompt import PROMPT_VERSION
from ..replies.sources import Citable
from ..replies.writer import KIND, MAX_OUTPUT_TOKENS, DraftWriter, worth_asking
from ..settings.schema import Settings

_RESULT: TypeAdapter[ReplyDraft | NoAnswer] = TypeAdapter(ReplyDraft | NoAnswer)
RUN_ENDING = "run_ending"
"""Why there is no draft when the run's time was up; the analysis is there, and is used."""


@dataclass(frozen=True)
class DraftModel:
    """One model that writes drafts. ``place`` is the server and the model on it.

    ``level`` is how much of a ticket is redacted for it. A draft holds an article's words and such of the ticket's as
    a receipt may, so ``store`` keeps it for the same text and passages, whatever the level.
    """

    writer: DraftWriter
    guard: Guard
    place: str
    level: RedactionLevel
    store: AnswerStore

    def write(self, ticket: Ticket, found: Sequence[Citable], language: str) -> ReplyDraft | NoAnswer:
        """A draft. Raises :class:`AnalysisFailed`; an answer of no use is :class:`AnswerUnusable`."""
        cleaned = clean(ticket.subject, ticket.description)
        text = redact(cleaned, names=ticket.names, level=self.level)
        fingerprint = self._fingerprint(found, language)
        kept = self.store.kept(fingerprint, text.text)
        if kept is not None:
            with suppress(ValidationError):
                return replace(_RESULT.validate_json(kept), usage=Usage(), cost_usd=0.0)
        try:
            result = self._asked(text, redact(cleaned, names=ticket.names).text, found, language)
        except AnswerUnusable as paid:
            if paid.reason == "unsupported":  # another try would cost as much, and end so
                self._keep(fingerprint, text, NoAnswer("unsupported"))
            raise
        self._keep(fingerprint, text, result)
        return result

    def _keep(self, fingerprint: str, text: RedactedText, result: ReplyDraft | NoAnswer) -> None:
        self.store.keep(fingerprint, text.text, _RESULT.dump_json(result).decode("utf-8"))

    def _fingerprint(self, found: Sequence[Citable], language: str) -> str:
        passages = [
            (each.article_id, each.audience, each.title, each.heading, each.url, each.lang, each.text) for each in found
        ]
        digest = hashlib.sha256(json.dumps(passages).encode("utf-8")).hexdigest()
        asked = (KIND, str(PROMPT_VERSION), self.guard.name, self.place, self.level, language, digest)
        return "\0".join((__version__, *asked))

    def _asked(self, text: RedactedText, told: str, found: Sequence[Citable], language: str) -> ReplyDraft | NoAnswer:
        def once(allowance: Allowance | None) -> ReplyDraft | NoAnswer:
            result = self.writer.write(text, found, language, allowance, told=told)
            if isinstance(result, NoAnswer) and result.reason not in ("no_answer", "contradiction"):
                raise AnswerUnusable(result.reason, usage=result.usage, cost_usd=result.cost_usd)
            return result

        return self.guard.ask(once, lambda: self.writer.question(text, found, language))[0]


class Drafts:
    """Asks the first model that can be asked. Thread-safe. ``trouble`` hears of unexpected errors."""

    def __init__(self, models: Sequence[DraftModel], trouble: Callable[[str], object]) -> None:
        self._models = models
        self._trouble = trouble

    def write(self, ticket: Ticket, text: str, found: Sequence[Citable], language: str) -> ReplyDraft | NoAnswer:
        """A draft from what was ``found`` for ``text``, the ticket as others may see it; never fails.

        A model that gave no answer at all is followed by the next one; one that was paid is not.
        """
        if not worth_asking(found, text, language):
            return NoAnswer("no_article")
        reason = NO_MODEL
        for model in self._models:
            if reason := model.writer.why_not(found, language):
                return NoAnswer(reason)
            try:
                return model.write(ticket, found, language)
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
    connect: Callable[[ModelTarget], ModelConnection] = Connection,
) -> Iterator[Drafts]:
    """Drafts from the models of ``chain``, which share its breakers and its budget; ``store`` keeps them."""
    models: list[DraftModel] = []
    with ExitStack() as stack:
        guards = {link.name: link.guard for link in chain.links if isinstance(link, ModelLink)}
        for target in targets(settings.models):
            roomy = replace(target, max_output_tokens=max(target.max_output_tokens, MAX_OUTPUT_TOKENS))
            guard = guards[target.name]
            server = stack.enter_context(closing(server_for(roomy, guard.deadline.remaining, connect)))
            writer = DraftWriter(
                through(server),
                target.model,
                price=target.price,
                ticket_tokens=target.ticket_tokens,
                reveal=target.redaction,
            )
            useless = Breaker(f"drafts of {target.name}", store.clock, threshold=USELESS_IN_A_ROW)
            place = "\0".join((target.model, target.base_url, target.api_version or ""))
            models.append(DraftModel(writer, replace(guard, useless=useless), place, target.redaction, store))
        yield Drafts(models, trouble)

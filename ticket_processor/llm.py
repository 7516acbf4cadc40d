"""Analyses tickets with a language model on any OpenAI-compatible server: asks, repeats once if need be, counts costs.

``prompt`` makes the request; ``answer`` checks the answer.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping

from .analysis.budget import Allowance, Question
from .analysis.model_server.answer import checked
from .analysis.model_server.chat import ChatServer, Message, RawAnswer, StructuredModel
from .analysis.model_server.connection import AnswerUnusable
from .analysis.model_server.prompt import (
    EarlierTickets,
    answer_schema,
    estimate_tokens,
    fingerprint,
    in_words,
    instructions,
    message_tokens,
    ticket_message,
)
from .analysis.rules.analyser import RulesAnalyser
from .analysis.rules.injection import signs_of
from .analysis.text.outgoing import leaving_line
from .analysis.text.redact import RedactedText, without_echo
from .core.errors import AnalysisFailed
from .core.models import Analysis, Risk, Urgency
from .core.taxonomy import Taxonomy
from .core.text import RedactionLevel

SHOWN_AGAIN_CHARS = 2_000
"""Characters of an unusable answer that are shown to the model that gave it."""
_PROMISES = 2
_ORDER = list(Urgency)
_RISKS = list(Risk)


class ModelAnalyser:
    """Asks one model. Thread-safe.

    ``price`` is dollars per million tokens of input, output and cached input. ``entities`` are names and meanings of
    what to pick out of a ticket. A ticket is cut to ``ticket_tokens``. ``rules`` give the lowest urgency and risk that
    a text's words allow, and the alarms that they raise. ``reveal`` is the level at which the texts were redacted.
    ``max_output_tokens`` is the limit that the server gets; here only estimates use it. ``advice`` also asks for the
    likely cause, steps to try, and whether the first reply will do. ``earlier`` picks labelled tickets that the model
    is shown before a ticket.
    """

    def __init__(
        self,
        server: ChatServer,
        model: str,
        taxonomy: Taxonomy,
        *,
        price: tuple[float, float, float] | None = None,
        entities: Mapping[str, str] | None = None,
        team_language: str = "en",
        ticket_tokens: int = 800,
        rules: RulesAnalyser | None = None,
        reveal: RedactionLevel = RedactionLevel.STANDARD,
        fence: Callable[[], str] = lambda: secrets.token_hex(6),
        max_output_tokens: int = 400,
        advice: bool = False,
        earlier: Callable[[RedactedText], EarlierTickets] | None = None,
    ) -> None:
        self.model = model
        self._asked = StructuredModel(server, model, "triage", price)
        self._taxonomy = taxonomy
        self._price = price
        self._entities = dict(entities or {})
        self._ticket_tokens = ticket_tokens
        self._rules = rules
        self._level = reveal
        self._fence = fence
        self._broken_promises = 0
        self._max_output_tokens = max_output_tokens
        self._advice = advice
        self._earlier = earlier
        self._schema = answer_schema(taxonomy, self._entities, advice=advice)
        self._plain_schema = answer_schema(taxonomy, self._entities, bounded=False, advice=advice)
        self._instructions = instructions(taxonomy, self._entities, team_language, advice=advice)
        self._schema_tokens = estimate_tokens(json.dumps(self._schema, ensure_ascii=False))
        self.fingerprint = fingerprint(taxonomy, self._instructions, self._schema, ticket_tokens)

    def analyse(self, text: RedactedText, allowance: Allowance | None = None) -> Analysis:
        """Analyse a redacted text with the model.

        If the first answer does not fit, the model is asked once more and told why, if ``allowance`` can pay for that.
        Raises :class:`ModelBusy` when another try may help, :class:`AnswerUnusable` with the cost when an answer came
        but could not be used (also when the server failed at the second try), else :class:`AnalysisFailed`.
        """
        try:
            return self._understand(text, allowance)
        except AnalysisFailed as failed:  # a server may quote what it was sent
            failed.detail = without_echo(failed.detail, text.text)
            raise

    def _understand(self, text: RedactedText, allowance: Allowance | None) -> Analysis:
        fence = self._fence()
        messages = self._messages(text, fence)
        first = self._asked.ask(messages, self._schema, self._plain_schema, allowance)
        raw, usage, calls = first, first.usage, 1
        try:
            answer = self._checked(raw, text, messages, fence)
            self._broken_promises = 0
        except AnalysisFailed as wrong:
            more, calls = [*messages, *self._repair(raw, wrong, fence)], 2
            try:
                if allowance is not None:
                    size = message_tokens(*(message["content"] for message in more)) + self._schema_tokens
                    allowance.again(usage, input=size, output=self._asked.room(self._max_output_tokens))
                raw = self._asked.ask(more, self._schema, self._plain_schema, allowance)
                usage = usage + raw.usage
                answer = self._checked(raw, text, messages, fence)
            except AnalysisFailed as error:
                spent = usage + error.usage if isinstance(error, AnswerUnusable) else usage
                raise AnswerUnusable(
                    error.reason, error.detail, usage=spent, cost_usd=self._asked.cost(spent)
                ) from error
            if first.finished:
                self._distrust()
        known = {
            "model": leaving_line(raw.model, 80) or self.model,
            "attempts": calls,
            "usage": usage,
            "cost_usd": self._asked.cost(usage),
            "examples": self._earlier(text).ids if self._earlier else (),
        }
        return self.hold(answer.model_copy(update=known), text)

    def _repair(self, raw: RawAnswer, wrong: AnalysisFailed, fence: str) -> list[Message]:
        """Messages that repeat the model's answer to it and say what was wrong."""
        # They hold the schema in words, however it was sent before: some servers accept a schema and ignore it.
        repair = f"That answer cannot be used ({wrong}). {in_words(self._schema)}"
        said = raw.text[:SHOWN_AGAIN_CHARS].replace(fence, "") or "(nothing)"
        return [{"role": "assistant", "content": said}, {"role": "user", "content": repair}]

    def fingerprint_of(self, text: RedactedText) -> str:
        """A digest of all that the answer depends on besides ``text``, the tickets shown before it included."""
        return "-".join((self.fingerprint, *map(str, self._earlier(text).ids if self._earlier else ())))

    def hold(self, analysis: Analysis, text: RedactedText) -> Analysis:
        """Raise an analysis to the lowest urgency and risk that the words of ``text`` and its category allow. Pure.

        Also for cached answers, which were given to a text that differs in white space only.
        """
        urgency = self._taxonomy.at_least_floor(analysis.subcategory or analysis.category, analysis.urgency)
        signs = {*analysis.suspicious, *signs_of(text.text)}  # cleaning may have uncovered some
        held: dict[str, object] = {"urgency": urgency, "suspicious": tuple(sorted(signs))}
        if self._rules is not None:
            stakes = self._rules.stakes(text)
            held |= {
                "urgency": min(urgency, Urgency.HIGH, key=_ORDER.index) if stakes.incident else urgency,
                "risk": max(analysis.risk, stakes.risk, key=_RISKS.index),
                "alarms": stakes.alarms,
            }
        return analysis.model_copy(update=held)

    def messages(self, text: RedactedText) -> list[Message]:
        """The first messages for ``text``, in the form that the server is known to accept; for display."""
        return self._asked.in_form(self._messages(text, self._fence()), self._schema)

    def question(self, text: RedactedText) -> Question:
        """The first request for ``text``: its estimated tokens and its price."""
        size = message_tokens(*(message["content"] for message in self.messages(text)))
        return Question(size + self._schema_tokens, self._asked.room(self._max_output_tokens), self._price)

    def _distrust(self) -> None:
        """Count that the server ignored the schema; after :data:`_PROMISES` times, send it the schema in words."""
        self._broken_promises += 1
        if self._broken_promises >= _PROMISES:
            self._asked.at_least("json_object")

    def _messages(self, text: RedactedText, fence: str) -> list[Message]:
        # The fixed part comes first. With many categories it is long enough for providers' caches (1,024 tokens).
        # A ticket's author cannot guess the fence.
        earlier = self._earlier(text).before(fence, self._level) if self._earlier else ""
        shown = earlier + ticket_message(text.text, fence, self._ticket_tokens, level=self._level)
        return [{"role": "system", "content": self._instructions}, {"role": "user", "content": shown}]

    def _checked(self, raw: RawAnswer, text: RedactedText, messages: list[Message], fence: str) -> Analysis:
        return checked(
            raw.text.replace(fence, ""),
            text.text,
            self._taxonomy,
            shown=messages[1]["content"],
            entities=self._entities,
            finished=raw.finished,
            advised=self._advice,
        )

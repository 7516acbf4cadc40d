"""Asks one model for claims about a ticket, and makes a draft of those that hold."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..analysis.budget import Allowance, Question
from ..analysis.model_server.chat import ChatServer, RawAnswer
from ..analysis.model_server.connection import AnswerUnusable, FormRefused
from ..analysis.model_server.prompt import estimate_tokens, in_words, message_tokens
from ..analysis.model_server.settings import FORMS, Price, cost_usd
from ..analysis.text.redact import RedactedText, without_echo
from ..core.errors import AnalysisFailed
from ..core.models import RedactionLevel, Usage
from ..knowledge.model import Passage
from . import usable_text
from .assembly import LANGUAGES, NoAnswer, ReplyDraft, assembled
from .grounding import all_stems, language_of, telling_stems
from .prompt import messages, proposal_schema, read_proposal

MAX_OUTPUT_TOKENS = 1_000
"""Room for an answer: claims with their quotes are longer than an analysis."""
KIND = "draft"
MOST_SOURCES = 5
FEWEST_SHARED = 2
"""Telling words that a passage shares with a ticket, if it may answer it."""

Message = dict[str, str]


class DraftWriter:
    """Asks one model. Thread-safe.

    ``price`` is input, output and cached input in dollars per million tokens.
    """

    def __init__(
        self,
        server: ChatServer,
        model: str,
        *,
        price: Price | None = None,
        ticket_tokens: int = 800,
        reveal: RedactionLevel = RedactionLevel.STANDARD,
        fence: Callable[[], str] = lambda: secrets.token_hex(6),
    ) -> None:
        """A ticket is redacted at ``reveal`` and cut to ``ticket_tokens``."""
        self.model = model
        self._server = server
        self._price = price
        self._ticket_tokens = ticket_tokens
        self._reveal = reveal
        self._fence = fence
        self._form = 0

    def question(self, ticket: RedactedText, found: Sequence[Passage], language: str) -> Question:
        """The request with which writing begins: its tokens, estimated, and its price."""
        sources = self._usable(found)
        texts = [message["content"] for message in self._messages(ticket, sources, language)]
        size = message_tokens(*texts) + estimate_tokens(json.dumps(proposal_schema(list(sources))))
        room = getattr(self._server, "room", None)  # thoughts count as output, and only servers know who thinks
        return Question(size, int(room(self.model)) if room else MAX_OUTPUT_TOKENS, self._price)

    def why_not(self, found: Sequence[Passage], language: str) -> str:
        """Why there is nothing to ask about what was ``found``: a fixed word; empty where there is."""
        if language not in LANGUAGES:
            return "language"
        return "" if self._usable(found) else "no_article"

    def write(
        self,
        ticket: RedactedText,
        found: Sequence[Passage],
        language: str,
        allowance: Allowance | None = None,
        *,
        told: str | None = None,
    ) -> ReplyDraft | NoAnswer:
        """A draft in ``language`` that rests on passages which were ``found``, best first, and on nothing else.

        Articles for agents are never used. ``told`` is what others may see of the ticket, if that is less than the
        model sees. Raises ``ModelBusy`` when another try may help, :class:`AnswerUnusable` with what it cost, else
        :class:`AnalysisFailed`.
        """
        if why_not := self.why_not(found, language):
            return NoAnswer(why_not)
        sources = self._usable(found)
        asked = self._messages(ticket, sources, language)
        try:
            raw = self._ask(asked, proposal_schema(list(sources)), allowance)
        except AnalysisFailed as failed:  # a server may quote what it was sent
            failed.detail = without_echo(failed.detail, ticket.text)
            raise
        try:
            proposal = read_proposal(raw.text, finished=raw.finished)
            result = assembled(proposal, sources, ticket.text if told is None else told, language)
        except AnalysisFailed as wrong:
            result = NoAnswer(wrong.reason)
        return replace(result, usage=raw.usage, cost_usd=self._cost(raw.usage))

    def _usable(self, found: Sequence[Passage]) -> dict[str, Passage]:
        fit = [source for source in found if source.audience != "agents" and usable_text(source.text)]
        return {f"A{number}": source for number, source in enumerate(fit[:MOST_SOURCES], 1)}

    def _messages(self, ticket: RedactedText, sources: Mapping[str, Passage], language: str) -> list[Message]:
        tokens, level = self._ticket_tokens, self._reveal
        return messages(ticket, sources, language, self._fence(), ticket_tokens=tokens, level=level)

    def _ask(self, asked: Sequence[Message], schema: Mapping[str, object], allowance: Allowance | None) -> RawAnswer:
        limits = {} if allowance is None else {"allowance": allowance}
        for form in range(self._form, len(FORMS)):
            system = {**asked[0], "content": f"{asked[0]['content']}\n{in_words(schema)}"} if form else asked[0]
            try:
                raw = self._server.complete(self.model, [system, *asked[1:]], _format(form, schema), **limits)
            except FormRefused:
                continue
            except AnswerUnusable as error:
                cost = self._cost(error.usage)
                raise AnswerUnusable(error.reason, error.detail, usage=error.usage, cost_usd=cost) from error
            self._form = max(self._form, form)  # remembered only now: the refusal may have had another reason
            return raw
        raise AnalysisFailed("model_refused_request")

    def _cost(self, usage: Usage) -> float | None:
        return None if self._price is None else round(cost_usd(usage, self._price), 8)


def worth_asking(found: Sequence[Passage], ticket: str, language: str) -> bool:
    """Whether a model could find an answer: words of the ticket stand in a passage, or it is in another language."""
    said = set(telling_stems(ticket))
    return any(
        language_of(each) != language
        or len(said & all_stems(f"{each.title} {each.heading} {each.text}")) >= FEWEST_SHARED
        for each in found
    )


def _format(form: int, schema: Mapping[str, object]) -> dict[str, object] | None:
    if FORMS[form] == "json_schema":
        return {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}
    return {"type": "json_object"} if FORMS[form] == "json_object" else None

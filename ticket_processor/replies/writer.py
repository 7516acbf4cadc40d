"""Asks one model for claims about a ticket, once more if need be, and makes a draft of those that hold."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..analysis.budget import Allowance, Question
from ..analysis.model_server.chat import ChatServer, RawAnswer
from ..analysis.model_server.connection import AnswerUnusable, FormRefused
from ..analysis.model_server.presets import FORMS, Price, cost_usd
from ..analysis.model_server.prompt import in_words, message_tokens
from ..analysis.model_server.token_estimate import estimate_tokens
from ..analysis.text.redact import RedactedText, without_echo
from ..core.errors import AnalysisFailed
from ..core.models import RedactionLevel, Usage
from ..knowledge.model import Passage
from .assembly import LANGUAGES, NoAnswer, ReplyDraft, assembled
from .grounding import all_stems, language_of, telling_stems
from .prompt import messages, proposal_schema, read_proposal
from .sources import usable_text

MAX_OUTPUT_TOKENS = 1_000
"""Room for an answer: claims with their quotes are longer than an analysis."""
KIND = "draft"
MOST_SOURCES = 5
FEWEST_SHARED = 2
"""Telling words that a passage shares with a ticket, if it may answer it."""
SHOWN_AGAIN_CHARS = 2_000
"""Characters of an answer without use that are shown to the model that gave it."""

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
        asked = self._messages(ticket, sources, language, self._fence())
        return Question(_size(asked, proposal_schema(list(sources))), self._room(), self._price, KIND)

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

        An answer that cannot be read, or of which nothing holds, is sent back once with what was wrong, as far as
        ``allowance`` has the money. Articles for agents are never used. ``told`` is what others may see of the ticket,
        if that is less than the model sees. Raises ``ModelBusy`` when another try may
        help, :class:`AnswerUnusable` with what it cost, else :class:`AnalysisFailed`.
        """
        if why_not := self.why_not(found, language):
            return NoAnswer(why_not)
        sources = self._usable(found)
        words = ticket.text if told is None else told
        fence, schema = self._fence(), proposal_schema(list(sources))
        asked = self._messages(ticket, sources, language, fence)
        try:
            raw = self._ask(asked, schema, allowance)
            result, wrong = self._read(raw, sources, words, language)
            usage = raw.usage
            if wrong:
                again = self._second(asked, raw, wrong, schema, fence, allowance)
                usage = usage + again.usage
                result, wrong = self._read(again, sources, words, language)
        except AnalysisFailed as failed:  # a server may quote what it was sent
            failed.detail = without_echo(failed.detail, ticket.text)
            raise
        return replace(result, usage=usage, cost_usd=self._cost(usage))

    def _usable(self, found: Sequence[Passage]) -> dict[str, Passage]:
        fit = [source for source in found if source.audience != "agents" and usable_text(source.text)]
        return {f"A{number}": source for number, source in enumerate(fit[:MOST_SOURCES], 1)}

    def _read(
        self, raw: RawAnswer, sources: Mapping[str, Passage], ticket: str, language: str
    ) -> tuple[ReplyDraft | NoAnswer, str]:
        """What an answer comes to, and what the model should know of it before it tries again, if it should."""
        try:
            proposal = read_proposal(raw.text, finished=raw.finished)
        except AnalysisFailed as wrong:
            return NoAnswer(wrong.reason), str(wrong)
        result = assembled(proposal, sources, ticket, language)
        if isinstance(result, NoAnswer) and result.reason == "unsupported":
            return result, ", ".join(reason for reason, _ in result.stopped) or "no claims"
        return result, ""

    def _second(
        self,
        asked: Sequence[Message],
        raw: RawAnswer,
        wrong: str,
        schema: Mapping[str, object],
        fence: str,
        allowance: Allowance | None,
    ) -> RawAnswer:
        repair = (
            f"That answer cannot be used ({wrong}). Say only what the quoted words say, close to their wording, or "
            f"give the verdict no_answer. {in_words(schema)}"
        )
        said = raw.text[:SHOWN_AGAIN_CHARS].replace(fence, "") or "(nothing)"
        more = [*asked, {"role": "assistant", "content": said}, {"role": "user", "content": repair}]
        try:
            if allowance is not None:
                allowance.again(raw.usage, input=_size(more, schema), output=self._room())
            return self._ask(more, schema, allowance)
        except AnalysisFailed as error:
            spent = raw.usage + error.usage if isinstance(error, AnswerUnusable) else raw.usage
            raise AnswerUnusable(error.reason, error.detail, usage=spent, cost_usd=self._cost(spent)) from error

    def _ask(
        self, asked: Sequence[Message], schema: Mapping[str, object], allowance: Allowance | None = None
    ) -> RawAnswer:
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

    def _messages(
        self, ticket: RedactedText, sources: Mapping[str, Passage], language: str, fence: str
    ) -> list[Message]:
        return messages(
            ticket,
            sources,
            language,
            fence,
            ticket_tokens=self._ticket_tokens,
            level=self._reveal,
        )

    def _room(self) -> int:
        room = getattr(self._server, "room", None)  # thoughts count as output, and only servers know who thinks
        return int(room(self.model)) if room else MAX_OUTPUT_TOKENS

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


def _size(asked: Sequence[Message], schema: Mapping[str, object]) -> int:
    return message_tokens(*(message["content"] for message in asked)) + estimate_tokens(json.dumps(schema))


def _format(form: int, schema: Mapping[str, object]) -> dict[str, object] | None:
    if FORMS[form] == "json_schema":
        return {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}
    return {"type": "json_object"} if FORMS[form] == "json_object" else None

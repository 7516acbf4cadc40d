"""Tickets newly written by a model: one prompt, and one check that a text has the language and label asked for.

What a fair model answers about the packaged tickets: mostly their labels, and now and then something else.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import cycle, islice, product

from ..analysis.budget import DAY_SPENT, RUN_SPENT, Budget, NotAsked, Question
from ..analysis.guard import PERMANENT, Guard
from ..analysis.model_server.answer import objects_in
from ..analysis.model_server.chat import ChatServer, StructuredModel
from ..analysis.model_server.connection import AnswerUnusable, ModelBusy
from ..analysis.model_server.prompt import LANGUAGES, closed_object, estimate_tokens
from ..analysis.model_server.settings import ModelTarget
from ..analysis.rules.analyser import RulesAnalyser
from ..analysis.text.cleaning import clean
from ..analysis.text.language import detect_language
from ..analysis.text.redact import redact
from ..core.clock import Clock, Deadline
from ..core.errors import AnalysisFailed, CannotRun
from ..core.guards import Breaker
from ..core.models import Analysis, Risk, Sentiment, Urgency, Usage
from ..core.taxonomy import Taxonomy, default_taxonomy
from ..core.text import strip_hidden
from .corpus import SeedLabels, SeedTicket, invented_person

BATCH = 5
"""Tickets in one request."""
ROUNDS = 3
"""How often a ticket is asked for at most."""
TOKENS_A_TICKET = 500
LONGEST_WAIT_S = 120.0
SURE_OF_LANGUAGE_FROM = 60
"""Characters; a shorter text may be in any language as far as the detector knows."""
RULES_ARE_SURE_FROM = 0.56
_SPENT = {RUN_SPENT: "the budget of a run is spent", DAY_SPENT: "the day's budget is spent"}
_TICKET = closed_object({"n": {"type": "integer"}, "subject": {"type": "string"}, "body": {"type": "string"}})
SCHEMA = closed_object({"tickets": {"type": "array", "items": _TICKET}})


@dataclass(frozen=True)
class Wish:
    """The labels that one ticket is to have. ``number`` makes it differ from others with the same."""

    number: int
    category: str
    language: str
    mood: Sentiment

    def line(self, place: int) -> str:
        """What the model is told about it."""
        language = LANGUAGES.get(self.language, "the language with the ISO 639-1 code")
        return (
            f"{place}. category {self.category}; {language} ({self.language}); mood {self.mood.value}; "
            f"variant {self.number}"
        )


def wishes(categories: Sequence[str], languages: Sequence[str], count: int, seed: int) -> list[Wish]:
    """``count`` wishes that share all combinations evenly; the same for the same ``seed``."""
    cells = list(product(dict.fromkeys(categories), dict.fromkeys(languages), Sentiment))
    random.Random(seed).shuffle(cells)
    chosen = sorted(islice(cycle(cells), count), key=lambda cell: cell[1])  # a request is in one language
    return [Wish(number, *cell) for number, cell in enumerate(chosen, start=seed * 10_000)]


def instructions(taxonomy: Taxonomy) -> str:
    """The fixed part of the prompt."""
    categories = "\n".join(f"- {category.name}: {category.description}" for category in taxonomy.categories)
    return (
        "You write invented messages from customers to a helpdesk, as test data. Each numbered line says what one "
        "message has to be like. Write it as its writer would, wholly in the language that is named, concrete, and "
        "unlike the others; some are one sentence, some are long. The mood shows in what is said; never name category "
        "or mood. Invent what is needed, such as product names, order numbers and dates, and leave nothing to be "
        "filled in. No phone, card or account numbers, passwords, links or postal addresses; an e-mail address only "
        f"at example.com.\nCategories:\n{categories}\n"
        'Answer with JSON only: {"tickets": [{"n": 1, "subject": "…", "body": "…"}, …]}, one entry for each line, "n" '
        "being its number."
    )


@dataclass
class TicketWriter:
    """Has a model write tickets, and counts what came of it. ``stopped`` says why it ended early, if it did."""

    server: ChatServer
    model: ModelTarget
    taxonomy: Taxonomy
    budget: Budget
    deadline: Deadline
    clock: Clock
    executor: Executor
    written: int = 0
    usage: Usage = field(default_factory=Usage)
    stopped: str = ""

    def __post_init__(self) -> None:
        self._asked = StructuredModel(self.server, self.model.model, "tickets", self.model.price)
        name, breaker = self.model.name, Breaker(self.model.name, self.clock)
        self._guard = Guard(name, breaker, self.deadline, self.budget, longest_wait_s=LONGEST_WAIT_S)
        self._rules = RulesAnalyser(self.taxonomy)
        self._prompt = instructions(self.taxonomy)
        self._seen: set[str] = set()

    @property
    def cost_usd(self) -> float | None:
        """What the answers cost so far; ``None`` without a price."""
        return self._asked.cost(self.usage)

    def tickets(self, wanted: Sequence[Wish]) -> Iterator[SeedTicket]:
        """The tickets that pass, as they come; what does not is asked for again.

        Raises :class:`CannotRun` when the model does not answer or cannot be used.
        """
        for _ in range(ROUNDS):
            again: list[Wish] = []
            parts = [wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH)]
            for part, (drafts, usage) in zip(parts, self.executor.map(self._ask, parts), strict=True):
                self.usage = self.usage + usage
                for place, wish in enumerate(part, start=1):
                    ticket = self._ticket(drafts.get(place), wish)
                    if ticket is None:
                        again.append(wish)
                        continue
                    self._seen.add(ticket.id)
                    self.written += 1
                    yield ticket
            wanted = again
            if not wanted or self.stopped:
                return

    def _ticket(self, draft: tuple[str, str] | None, wish: Wish) -> SeedTicket | None:
        """The ticket, unless its text is in another language, sure to be of another category, or there already."""
        if draft is None or not all(draft):
            return None
        subject, body = draft
        text, category = f"{subject}\n{body}", self.taxonomy.split(wish.category)[0]
        ticket_id = "llm-" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:20]
        found = self._rules.analyse(redact(text))
        other = found.category != category and found.confidence >= RULES_ARE_SURE_FROM
        strange = len(text) >= SURE_OF_LANGUAGE_FROM and detect_language(text) not in (wish.language, "und")
        if other or strange or ticket_id in self._seen:
            return None
        return SeedTicket(
            id=ticket_id,
            subject=subject,
            body=body,
            requester=invented_person(random.Random(ticket_id), wish.language),
            labels=SeedLabels(category=wish.category, sentiment=wish.mood, language=wish.language),
        )

    def _ask(self, part: Sequence[Wish]) -> tuple[dict[int, tuple[str, str]], Usage]:
        """Subject and body by place, none where nothing usable was answered or the budget is spent, and the tokens."""
        lines = "\n".join(wish.line(place) for place, wish in enumerate(part, start=1))
        most = Question(estimate_tokens(self._prompt + lines), TOKENS_A_TICKET * len(part), self.model.price)
        messages = [{"role": "system", "content": self._prompt}, {"role": "user", "content": lines}]
        try:
            raw, _ = self._guard.ask(
                lambda allowance: self._asked.ask(messages, SCHEMA, allowance=allowance), lambda: most
            )
            return drafts_in(raw.text), raw.usage
        except NotAsked as error:
            self.stopped = _SPENT.get(error.reason, error.reason)
        except AnswerUnusable as error:
            return {}, error.usage
        except AnalysisFailed as error:
            is_unusable = error.reason in (*PERMANENT, "model_refused_request")
            if is_unusable or isinstance(error, ModelBusy) or self._guard.breaker.seconds_until_trial():
                what = "cannot be used" if is_unusable else "does not answer"
                raise CannotRun(f"the model {self.model.name} {what}: {error.reason}") from error
        return {}, Usage()


def drafts_in(text: str) -> dict[int, tuple[str, str]]:
    """Subject and body by number, from the last list of tickets in a model's answer."""
    found: dict[int, tuple[str, str]] = {}
    for value in objects_in(text, json.JSONDecoder()):
        for item in next((inner for inner in value.values() if isinstance(inner, list)), [value]):
            match item:
                case {"n": int(number), "subject": str(subject), "body": str(body)}:
                    found[number] = (" ".join(strip_hidden(subject).split()), strip_hidden(body).strip())
    return found


WRONG_CATEGORIES, WRONG_URGENCIES = 0.10, 0.15
"""The shares of labels that are missed, as by a fair model on tickets that it has never seen."""
_SEED = 5
"""One with which the first tickets, in which the tour has people interfere, are understood."""
_URGENCIES = list(Urgency)


def fair_answers(tickets: Iterable[SeedTicket], taxonomy: Taxonomy) -> list[tuple[str, dict[str, object]]]:
    """Each ticket's text as a model sees it, with the answer by the names of its fields; the same every time.

    What labels do not say (summary, quotations) is taken from what keyword rules find.
    """
    rules = RulesAnalyser(taxonomy)
    answers = []
    for ticket in tickets:
        text = redact(clean(ticket.subject, ticket.text), names=(ticket.requester.name,))
        answers.append((text.text, _answer(ticket, rules.analyse(text))))
    return answers


def _answer(ticket: SeedTicket, found: Analysis) -> dict[str, object]:
    dice = random.Random(f"{ticket.id} {_SEED}")
    labels = ticket.labels
    category, urgency = labels.category, labels.urgency or Urgency.MEDIUM
    is_wrong = dice.random() < WRONG_CATEGORIES
    if is_wrong:
        category = dice.choice([name for name in default_taxonomy().top if name != labels.category])
    if dice.random() < WRONG_URGENCIES:
        at = _URGENCIES.index(urgency)
        urgency = dice.choice(_URGENCIES[max(0, at - 1) : at] + _URGENCIES[at + 1 : at + 2])
    presses = urgency in (Urgency.CRITICAL, Urgency.HIGH)
    grave = urgency is Urgency.CRITICAL or (presses and category == "security")
    return {
        # What a model says in a sentence or two: the first part of the rules' summary, without the subject.
        "summary": found.summary.partition(" / ")[0].split(" – ", 1)[-1],
        "evidence": list(found.evidence),
        "category": category,
        "secondary": [labels.category] if is_wrong else [],
        "urgency": urgency,
        "urgent_tone": presses and found.urgent_tone,
        "sentiment": labels.sentiment,
        "risk": Risk.HIGH if grave else Risk.MEDIUM if presses else Risk.LOW,
        "language": labels.language,
        "confidence": round(dice.uniform(0.5, 0.8) if is_wrong else dice.uniform(0.75, 0.97), 2),
    }

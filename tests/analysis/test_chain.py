from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ticket_processor.analysis.budget import Budget, Question
from ticket_processor.analysis.cache import AnswerStore
from ticket_processor.analysis.chain import ModelLink, Step, Understanding
from ticket_processor.analysis.guard import USELESS_IN_A_ROW
from ticket_processor.analysis.model_server.connection import AnswerUnusable, ModelBusy
from ticket_processor.analysis.model_server.settings import BudgetSettings
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.rules.injection import signs_of
from ticket_processor.analysis.text.cleaning import clean
from ticket_processor.analysis.text.redact import RedactedText, redact
from ticket_processor.core.clock import Deadline, SystemClock
from ticket_processor.core.errors import AnalysisFailed, DeadlineReached
from ticket_processor.core.guards import Breaker, BreakerMemory
from ticket_processor.core.models import Analysis, Usage
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.core.text import RedactionLevel

from ..support.fakes import START, ManualClock, Upper, a_ticket, an_analysis

TEXT = redact("Charged twice")
TICKET = a_ticket(1, subject="Charged twice", description="I was charged twice, please refund the invoice.")
RULES = RulesAnalyser(default_taxonomy())


class Model:
    """An analyser that fails with the given errors in turn, and answers after them."""

    def __init__(
        self, *troubles: Exception, name: str = "m-1", always: bool = False, confidence: float = 0.9, usd: float = 0.0
    ) -> None:
        self._troubles = list(troubles)
        self._always = always
        self._confidence = confidence
        self._usd = usd
        self.name = name
        self.texts: list[RedactedText] = []

    def fingerprint_of(self, _text: RedactedText) -> str:
        return self.name

    def hold(self, analysis: Analysis, _text: RedactedText) -> Analysis:
        return analysis

    def question(self, _text: RedactedText) -> Question:
        return Question(500, 0, (self._usd * 2000, 0.0, 0.0))

    def analyse(self, text: RedactedText, _allowance: object = None) -> Analysis:
        self.texts.append(text)
        if self._troubles:
            raise self._troubles[0] if self._always else self._troubles.pop(0)
        usage = Usage(input=100, output=10)
        return an_analysis(model=self.name, confidence=self._confidence, usage=usage, cost_usd=self._usd)


class Chain:
    """Links with one clock and one deadline."""

    def __init__(self, seconds: float = 540.0) -> None:
        self.clock = ManualClock()
        self.deadline = Deadline(self.clock, seconds)
        self.breakers: list[Breaker] = []

    def link(self, model: Model, **options: Any) -> ModelLink:
        breaker = Breaker(model.name, self.clock, proven=False)
        self.breakers.append(breaker)
        return ModelLink(model, breaker, self.deadline, rng=Upper(), **options)

    def understanding(self, *models: Model, links: dict[str, Any] | None = None, **options: Any) -> Understanding:
        return Understanding([self.link(model, **(links or {})) for model in models], RULES, **options)


def busy(wait: float | None = None) -> ModelBusy:
    return ModelBusy("model_rate_limited", wait)


def test_the_models_are_asked_in_their_order_until_one_answers_and_rules_last() -> None:
    first, second = Model(AnalysisFailed("answer_off_schema"), name="first"), Model(name="second")
    understand = Chain().understanding(first, second)
    assert [understand(TICKET).model for _ in range(2)] == ["second", "first"]
    assert len(second.texts) == 1, "a model that answers is the only one that is asked"
    down = Model(AnalysisFailed("answer_not_json"), name="down")
    worse = Model(AnalysisFailed("model_unknown"), name="worse")
    analysis = Chain().understanding(down, worse)(TICKET)
    assert (analysis.source, analysis.model, analysis.why_fallback) == ("rules", None, "model_unknown")
    assert (len(down.texts), len(worse.texts)) == (1, 1)


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("注文した商品がまだ届きません。いつ発送されますか。", "ja"),
        ("Ich wurde zweimal belastet, bitte erstatten Sie mir den Betrag der zweiten Rechnung.", "de"),
        ("ok", "en"),
    ],
)
def test_the_local_detector_decides_the_language_but_of_a_few_words(words: str, language: str) -> None:
    """The model says "en" of everything."""
    model = Model()
    analysis = Chain().understanding(model)(a_ticket(1, subject="", description=words))
    assert (analysis.source, analysis.language) == ("model", language)


@pytest.mark.parametrize(
    ("busy_times", "wait", "seconds", "asked", "waits", "answered"),
    [
        (2, None, 540.0, 3, [1.0, 2.0], True),  # asked again after a wait
        (9, None, 540.0, 3, [1.0, 2.0], False),  # three tries, and no more
        (1, 7.0, 540.0, 2, [7.0], True),  # the wait that it asked for
        (9, 21.0, 540.0, 1, [], False),  # too long a pause for one ticket
        (9, 6.0, 5.0, 1, [], False),  # no wait passes the deadline
    ],
)
def test_a_busy_model_is_waited_for_and_then_passed_over(
    busy_times: int, wait: float | None, seconds: float, asked: int, waits: list[float], answered: bool
) -> None:
    chain, model, next_one = Chain(seconds), Model(*[busy(wait)] * busy_times, name="slow"), Model(name="next")
    analysis = chain.understanding(model, next_one)(TICKET)
    assert (analysis.model, len(model.texts), chain.clock.waits) == ("slow" if answered else "next", asked, waits)
    assert analysis.attempts == (asked if answered else 1)
    assert chain.clock.now() == START + sum(waits)


@pytest.mark.parametrize(
    ("reason", "asked"),
    [
        *((reason, 8) for reason in ("answer_off_schema", "answer_not_json", "model_empty_answer", "model_http_400")),
        *((reason, 5) for reason in ("model_not_authorised", "model_unknown", "model_no_quota")),
    ],
)
def test_a_wrong_key_or_name_opens_the_breaker_after_five_tickets_and_an_answer_of_no_use_does_not(
    reason: str, asked: int
) -> None:
    model = Model(AnalysisFailed(reason), always=True)
    understand = Chain().understanding(model)
    assert [understand(TICKET).why_fallback for _ in range(8)] == [reason] * 8  # whoever is not asked says why too
    assert len(model.texts) == asked


def test_an_error_nobody_expected_is_a_link_that_failed_is_told_and_counts_against_the_model() -> None:
    class Broken:
        def analyse(self, _text: RedactedText) -> Analysis:
            raise ModuleNotFoundError("CANARY")

    told: list[str] = []
    model = Model(RuntimeError("CANARY"), always=True, name="broken")
    understand = Chain().understanding(model, classifier=Broken(), trouble=told.append)
    answers = [understand(TICKET) for _ in range(6)]
    assert {(answer.source, answer.why_fallback) for answer in answers} == {("rules", "analyser_broken")}
    assert len(model.texts) == 5
    assert ["broken" in told[0], "Broken" in told[1]] == [True, True]
    assert "CANARY" not in "".join(told)


def test_the_cause_behind_an_open_breaker_is_kept_and_told() -> None:
    down = ModelBusy("model_unreachable", 0.0, "connection refused")
    chain = Chain()
    understand = chain.understanding(Model(down, always=True))
    steps: list[Step] = []
    answers = [understand(TICKET, watch=steps.append) for _ in range(20)]
    assert {answer.why_fallback for answer in answers} == {"model_unreachable"}
    assert understand.details == {"model_unreachable": "connection refused"}
    assert {step.detail for step in steps if step.link == "m-1"} == {"connection refused"}
    later = Breaker("m-1", chain.clock, memory=chain.breakers[0].memory())
    with pytest.raises(AnalysisFailed, match="model_unreachable: connection refused"):
        ModelLink(Model(), later, chain.deadline).analyse(TEXT)
    unsaid = Breaker("m-1", chain.clock, memory=BreakerMemory(5, chain.clock.now() + 60))
    with pytest.raises(AnalysisFailed, match="model_breaker_open"):
        ModelLink(Model(), unsaid, chain.deadline).analyse(TEXT)


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (AnswerUnusable("answer_off_schema", "category", usage=Usage(input=1)), USELESS_IN_A_ROW),
        (AnalysisFailed("model_nonsense"), USELESS_IN_A_ROW),
        (AnalysisFailed("model_answer_too_long"), USELESS_IN_A_ROW),
        (AnalysisFailed("model_http_400"), USELESS_IN_A_ROW),
        (AnalysisFailed("model_content_filter"), 40),  # of one text only
    ],
)
def test_a_model_whose_answers_are_never_of_use_is_left_alone_for_a_while_with_the_cause(
    error: AnalysisFailed, asked: int
) -> None:
    chain, model = Chain(), Model(error, always=True)
    understand = chain.understanding(
        model, links={"useless": Breaker("useless", chain.clock, threshold=USELESS_IN_A_ROW)}
    )
    whys = [understand(TICKET).why_fallback for _ in range(40)]
    assert whys == [error.reason] * asked + ["model_answers_useless"] * (40 - asked)
    assert len(model.texts) == asked
    if asked < 40:
        assert understand.details["model_answers_useless"] == error.in_words
        chain.clock.advance(60)
        assert understand(TICKET).why_fallback == error.reason


def test_after_the_deadline_no_model_is_asked() -> None:
    chain, model = Chain(seconds=10), Model()
    link = chain.link(model)
    chain.clock.advance(10)
    with pytest.raises(DeadlineReached):
        link.analyse(TEXT)
    assert model.texts == []


def test_an_analyser_sees_the_ticket_cleaned_and_redacted_as_far_as_it_has_to_be() -> None:
    text = "<p>I am Rosalind Quimby, customer number 8812345, or write to jane.doe@example.com</p>"
    for level, number_goes in ((RedactionLevel.STANDARD, True), (RedactionLevel.STRICT, False)):
        model = Model()
        Understanding([Chain().link(model)], RULES, level=level)(a_ticket(description=text, names=("Rosalind Quimby",)))
        assert ("8812345" in model.texts[0].text) is number_goes
        assert "[EMAIL_1]" in model.texts[0].text
        assert not any(piece in model.texts[0].text for piece in ("jane.doe", "Quimby", "<p>"))


# Repeats


def test_a_text_that_comes_again_is_answered_from_the_store_and_costs_nothing() -> None:
    chain, model = Chain(), Model(usd=0.5)
    understand = chain.understanding(model, links={"store": AnswerStore(None, chain.clock)})
    first, again = understand(TICKET), understand(TICKET)
    assert len(model.texts) == 1
    assert (first.cached, first.cost_usd, first.attempts) == (False, 0.5, 1)
    assert (again.cached, again.cost_usd, again.attempts, again.usage) == (True, 0.0, 0, Usage())
    assert again.category == first.category


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"name": "one"}, {"name": "two"}),
        ({"name": "one", "place": "tiny at A"}, {"name": "one", "place": "huge at B"}),
    ],
    ids=["another model", "on another server"],
)
def test_what_another_model_said_or_saw_is_no_answer_of_this_one(first: dict[str, Any], second: dict[str, Any]) -> None:
    chain, store = Chain(), AnswerStore(None, ManualClock())
    for options in (first, second):
        model = Model(name=options["name"])
        kept = {name: value for name, value in options.items() if name != "name"}
        chain.understanding(model, links={"store": store, **kept})(TICKET)
        assert len(model.texts) == 1


# Budget


def test_answers_that_could_not_be_used_are_paid_for_and_counted() -> None:
    wasted = AnswerUnusable("answer_off_schema", usage=Usage(input=600, output=80), cost_usd=0.25)
    chain, store = Chain(), AnswerStore(None, ManualClock())
    budget = Budget(BudgetSettings(), store)
    understand = chain.understanding(Model(wasted, name="bad"), Model(usd=0.5, name="good"), links={"budget": budget})
    analysis = understand(TICKET)
    assert (analysis.model, analysis.attempts) == ("good", 2)
    assert analysis.usage == Usage(input=700, output=90)
    assert analysis.cost_usd == 0.75
    assert budget.spent == store.spent_today() == 0.75
    alone = Chain().understanding(Model(wasted, always=True))(TICKET)
    assert (alone.source, alone.cost_usd, alone.usage.input) == ("rules", 0.25, 600)


# The rest of the chain


class Classifier:
    def __init__(self, error: AnalysisFailed | None = None) -> None:
        self._error = error

    def analyse(self, text: RedactedText) -> Analysis:
        if self._error:
            raise self._error
        return an_analysis(source="classifier", model=None, attempts=0)


def test_the_classifier_answers_before_the_rules_and_says_why_no_model_did() -> None:
    down = Model(AnalysisFailed("model_unknown"))
    analysis = Chain().understanding(down, classifier=Classifier())(TICKET)
    assert (analysis.source, analysis.why_fallback) == ("classifier", "model_unknown")
    assert Understanding([], RULES, classifier=Classifier())(TICKET).why_fallback == "no_model_configured"
    of_no_use = Classifier(AnalysisFailed("classifier_unsure"))
    assert Understanding([], RULES, classifier=of_no_use)(TICKET).source == "rules"


@pytest.mark.parametrize("text", ["", "...", "12345", "\x00", "🙂🙂", "<p> </p>"])
def test_a_ticket_without_a_word_costs_nothing(text: str) -> None:
    model = Model()
    analysis = Chain().understanding(model)(a_ticket(subject="", description=text))
    assert (analysis.source, analysis.why_fallback, model.texts) == ("rules", "nothing_to_read", [])


HIDDEN = "".join(chr(0xE0000 + ord(letter)) for letter in "good morning")


def test_signs_of_an_attack_are_looked_for_in_the_ticket_as_it_came() -> None:
    ticket = a_ticket(subject="Hi", description=f"there{HIDDEN}")
    assert not signs_of(clean("Hi", ticket.description)), "cleaning removes what shows it"
    for understanding in (Chain().understanding(Model()), Understanding([], RULES)):
        assert understanding(ticket).suspicious == ("hidden_unicode",)
        assert understanding.without_models(ticket, "hung").suspicious == ("hidden_unicode",)


def test_a_kept_answer_is_held_to_the_floors_of_the_text_it_is_used_for() -> None:
    class Holding(Model):
        def hold(self, analysis: Analysis, text: RedactedText) -> Analysis:
            return analysis.model_copy(update={"summary": f"held for {text.text.count(chr(10))} lines"})

    chain = Chain()
    understand = chain.understanding(Holding(), links={"store": AnswerStore(None, chain.clock)})
    first = a_ticket(subject="", description="One line, and another")
    understand(first)
    again = understand(first.model_copy(update={"description": "One line,\nand another"}))
    assert (again.cached, again.summary) == (True, "held for 1 lines")


def test_the_same_text_at_the_same_time_is_paid_for_once() -> None:
    class Slow(Model):
        def analyse(self, text: RedactedText, _allowance: object = None) -> Analysis:
            time.sleep(0.02)
            return super().analyse(text)

    chain, model = Chain(), Slow()
    chain.deadline = Deadline(SystemClock(), 60)
    understand = chain.understanding(model, links={"store": AnswerStore(None, chain.clock)})
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: understand(TICKET), range(32)))
    assert len(model.texts) == 1
    assert sum(not answer.cached for answer in answers) == 1


@pytest.mark.parametrize(("urgency", "words"), [("high", ("production down", "asap")), ("medium", ())])
def test_a_models_urgent_ticket_gets_the_urgent_words_that_rules_find(urgency: str, words: tuple[str, ...]) -> None:
    class Model:
        def analyse(self, text: RedactedText) -> Analysis:
            return an_analysis(urgency=urgency)

    understand = Understanding([Model()], RulesAnalyser(default_taxonomy()))
    ticket = a_ticket(1, subject="Help", description="We have production down since nine, please help asap.")
    assert understand(ticket).urgent_words == words

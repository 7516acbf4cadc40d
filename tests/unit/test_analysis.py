"""The chain: who is asked, how often, and that somebody always answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ticket_processor.analysis import MODEL_ATTEMPTS, ModelLink, Understanding
from ticket_processor.breaker import Breaker
from ticket_processor.chat_server import ModelBusy
from ticket_processor.clock import Deadline
from ticket_processor.errors import AnalysisFailed, DeadlineReached, Stopping
from ticket_processor.models import Analysis
from ticket_processor.redact import RedactedText, redact
from ticket_processor.rules import RulesAnalyser
from ticket_processor.taxonomy import default_taxonomy

from .fakes import START, ManualClock, Upper, a_ticket, an_analysis

TEXT = redact("Charged twice")
TICKET = a_ticket(1, subject="Charged twice", description="I was charged twice, please refund the invoice.")
RULES = RulesAnalyser(default_taxonomy())


class Model:
    """An analyser that fails with the given errors in turn, and answers after them."""

    def __init__(self, *troubles: Exception, name: str = "m-1", always: bool = False) -> None:
        self._troubles = list(troubles)
        self._always = always
        self.name = name
        self.texts: list[RedactedText] = []

    def analyse(self, text: RedactedText) -> Analysis:
        self.texts.append(text)
        if self._troubles:
            raise self._troubles[0] if self._always else self._troubles.pop(0)
        return an_analysis(model=self.name)


class Chain:
    """Links with one clock and one deadline."""

    def __init__(self, seconds: float = 540.0) -> None:
        self.clock = ManualClock()
        self.deadline = Deadline(self.clock, seconds)
        self.breakers: list[Breaker] = []

    def link(self, model: Model, **options: int) -> ModelLink:
        breaker = Breaker(model.name, self.clock, **options)  # type: ignore[arg-type]
        self.breakers.append(breaker)
        return ModelLink(model, breaker, self.deadline, rng=Upper())

    def understanding(self, *models: Model) -> Understanding:
        return Understanding([self.link(model) for model in models], RULES)


def busy(wait: float | None = None) -> ModelBusy:
    return ModelBusy("model_rate_limited", wait)


def test_the_first_model_answers_and_nobody_else_is_asked() -> None:
    first, second = Model(name="first"), Model(name="second")
    assert Chain().understanding(first, second)(TICKET).model == "first"
    assert second.texts == []


def test_the_models_are_asked_in_their_order_and_rules_last() -> None:
    first = Model(AnalysisFailed("answer_off_schema"), name="first")
    second = Model(name="second")
    assert Chain().understanding(first, second)(TICKET).model == "second"
    down = Model(AnalysisFailed("answer_not_json"), name="down")
    worse = Model(AnalysisFailed("model_unknown"), name="worse")
    analysis = Chain().understanding(down, worse)(TICKET)
    assert (analysis.source, analysis.model, analysis.why_fallback) == ("rules", None, "model_unknown")
    assert (len(down.texts), len(worse.texts)) == (1, 1)


def test_without_any_model_rules_answer_and_say_so() -> None:
    analysis = Understanding([], RULES)(TICKET)
    assert (analysis.source, analysis.why_fallback) == ("rules", "no_model_configured")


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "🙂" * 5000, "<script>", "غير مفهوم"])
def test_rules_answer_whatever_the_ticket_says(text: str) -> None:
    analysis = Understanding([], RULES)(a_ticket(subject=text, description=text))
    assert analysis.category in default_taxonomy().names


def test_a_ticket_whose_model_hangs_is_answered_by_rules_at_once() -> None:
    model = Model()
    analysis = Chain().understanding(model).without_models(TICKET, "model_hung")
    assert (analysis.source, analysis.why_fallback) == ("rules", "model_hung")
    assert model.texts == []


def test_a_busy_model_is_asked_again_after_a_wait() -> None:
    chain, model = Chain(), Model(busy(), busy())
    assert chain.link(model).analyse(TEXT).attempts == 3
    assert len(model.texts) == 3
    assert chain.clock.waits == [1.0, 2.0]


def test_a_model_that_stays_busy_is_passed_over_after_three_tries() -> None:
    chain, model = Chain(), Model(busy(), always=True)
    with pytest.raises(ModelBusy):
        chain.link(model).analyse(TEXT)
    assert len(model.texts) == MODEL_ATTEMPTS == 3
    assert len(chain.clock.waits) == 2


def test_the_wait_that_a_model_asked_for_is_kept() -> None:
    chain, model = Chain(), Model(busy(7.0))
    chain.link(model).analyse(TEXT)
    assert chain.clock.waits == [7.0]


def test_a_model_that_wants_a_long_pause_is_passed_over_for_this_ticket() -> None:
    chain, slow, next_one = Chain(), Model(busy(21.0), always=True, name="slow"), Model(name="next")
    assert chain.understanding(slow, next_one)(TICKET).model == "next"
    assert (len(slow.texts), chain.clock.waits) == (1, [])


def test_no_wait_for_a_model_passes_the_deadline() -> None:
    chain, model = Chain(seconds=5.0), Model(busy(6.0), always=True)
    assert chain.understanding(model)(TICKET).why_fallback == "model_rate_limited"
    assert chain.clock.now() == START


@pytest.mark.parametrize("reason", ["answer_off_schema", "answer_not_json", "model_empty_answer", "model_http_400"])
def test_an_answer_that_cannot_be_used_is_not_asked_for_again_and_opens_no_breaker(reason: str) -> None:
    chain, model = Chain(), Model(AnalysisFailed(reason), always=True)
    link = chain.link(model)
    for _ in range(8):
        with pytest.raises(AnalysisFailed, match=reason):
            link.analyse(TEXT)
    assert len(model.texts) == 8


@pytest.mark.parametrize("reason", ["model_not_authorised", "model_unknown", "model_no_quota"])
def test_a_wrong_key_or_name_opens_the_breaker_after_five_tickets(reason: str) -> None:
    chain, model = Chain(), Model(AnalysisFailed(reason), always=True)
    understand = chain.understanding(model)
    whys = [understand(TICKET).why_fallback for _ in range(7)]
    assert whys == [reason] * 5 + ["model_breaker_open"] * 2
    assert len(model.texts) == 5


def test_an_open_breaker_sends_tickets_to_rules_until_the_trial_goes_well() -> None:
    chain, model = Chain(), Model(*[busy(0.0)] * 5)
    understand = chain.understanding(model)
    assert [understand(TICKET).why_fallback for _ in range(3)] == [
        "model_rate_limited",
        "model_breaker_open",  # the fifth failure in a row came in the middle of this ticket
        "model_breaker_open",
    ]
    assert len(model.texts) == 5
    chain.clock.advance(60)
    assert understand(TICKET).source == "model"


def test_one_models_open_breaker_does_not_touch_the_next_model() -> None:
    chain, down, fine = Chain(), Model(busy(0.0), always=True, name="down"), Model(name="fine")
    understand = chain.understanding(down, fine)
    assert [understand(TICKET).model for _ in range(5)] == ["fine"] * 5
    assert len(down.texts) == 5


def test_an_error_nobody_expected_counts_against_the_model_and_is_not_hidden() -> None:
    chain, model = Chain(), Model(RuntimeError("bug"), always=True)
    link = chain.link(model)
    for _ in range(5):
        with pytest.raises(RuntimeError):
            link.analyse(TEXT)
    with pytest.raises(AnalysisFailed, match="model_breaker_open"):
        link.analyse(TEXT)


def test_after_the_deadline_no_model_is_asked() -> None:
    chain, model = Chain(seconds=10), Model()
    link = chain.link(model)
    chain.clock.advance(10)
    with pytest.raises(DeadlineReached):
        link.analyse(TEXT)
    assert model.texts == []


def test_a_stop_ends_the_wait_for_a_busy_model() -> None:
    chain, model = Chain(), Model(busy(5.0), always=True)
    chain.clock.stop_during_wait = True
    with pytest.raises(Stopping):
        chain.understanding(model)(TICKET)
    assert len(model.texts) == 1


def test_an_analyser_sees_the_ticket_cleaned_and_redacted() -> None:
    model = Model()
    Chain().understanding(model)(a_ticket(subject="Help", description="<p>Mail me at jane.doe@example.com</p>"))
    (text,) = model.texts
    assert "jane.doe" not in text.text
    assert "<p>" not in text.text
    assert "[EMAIL_1]" in text.text


def test_attempts_count_every_call_that_was_paid_for() -> None:
    class Twice(Model):
        def analyse(self, text: RedactedText) -> Analysis:
            return super().analyse(text).model_copy(update={"attempts": 2})

    chain: Chain = Chain()
    model: Callable[..., Model] = Twice
    assert chain.link(model(busy(0.0))).analyse(TEXT).attempts == 3

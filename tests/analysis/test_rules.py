from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.rules.matcher import PhraseMatcher, Wording, words_of
from ticket_processor.analysis.rules.sentiment import mood_of, mood_tables
from ticket_processor.analysis.text.language import detect_language
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.models import Analysis, Sentiment, Urgency
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy

from ..support.cases import for_each
from .invented import rows

ANALYSER = RulesAnalyser(default_taxonomy())


def analyse(text: str, analyser: RulesAnalyser = ANALYSER) -> Analysis:
    return analyser.analyse(redact(text))


@for_each(("category", "language", "text"), rows("categories"))
def test_plain_cases_are_sorted_in_eight_languages(text: str, category: str, language: str) -> None:
    analysis = analyse(text)
    assert (analysis.category, analysis.language) == (category, language)


@pytest.mark.parametrize(
    ("text", "urgencies"),
    [
        ("Complete outage, production is down for all customers!", {Urgency.CRITICAL}),
        ("We lost data: data loss after the update", {Urgency.CRITICAL, Urgency.HIGH}),
        ("Unless this is solved my lawyer will take you to court", {Urgency.CRITICAL, Urgency.HIGH}),
        ("Please help as soon as possible, the server crashed", {Urgency.CRITICAL, Urgency.HIGH}),
        ("Totalausfall: die Produktion steht still", {Urgency.CRITICAL}),
        ("C'est urgent, panne totale du système", {Urgency.CRITICAL}),
        ("至急お願いします、サーバが停止しました", {Urgency.CRITICAL, Urgency.HIGH}),
        ("It is not urgent, whenever you have time", {Urgency.LOW}),
        ("A small suggestion: it would be nice to have bigger icons", {Urgency.LOW}),
        ("Nur eine Frage, nicht dringend", {Urgency.LOW}),
        ("I have received the blue one", {Urgency.LOW, Urgency.MEDIUM}),
        ("No data loss and no outage here", {Urgency.LOW, Urgency.MEDIUM}),
    ],
)
def test_urgency_follows_from_phrases(text: str, urgencies: set[Urgency]) -> None:
    assert analyse(text).urgency in urgencies


def test_thanks_for_a_fixed_incident_keep_the_floor_of_their_category() -> None:
    categories = Taxonomy(
        categories=(
            Category(name="safety", description="danger", keywords={"en": ("fire",)}, priority_floor=Urgency.HIGH),
            Category(name="general", description="anything else"),
        )
    )
    analysis = RulesAnalyser(categories).analyse(redact("Fire\nThanks, the fire is out and all good."))
    assert (analysis.category, analysis.urgency) == ("safety", Urgency.HIGH)


def test_the_summary_is_redacted_plain_and_short() -> None:
    analysis = analyse("**Refund** for jo@example.com, see https://evil.example\nPlease.")
    assert analysis.summary == "Refund for [EMAIL_1], see"
    assert (analysis.source, analysis.model) == ("rules", None)
    assert 200 < len(analyse("some words " * 200).summary) <= 300


@given(st.text(max_size=400))
def test_any_text_gets_an_analysis(text: str) -> None:
    analysis = analyse(text)
    assert analysis.category in default_taxonomy().names
    assert 0 <= analysis.confidence <= 0.9


@pytest.mark.parametrize("unit", ["charged ", "not a ", "返", "a'", "close my ", "é", "!", "A", "://", ":-)"])
def test_a_hostile_text_of_a_hundred_kilobytes_finishes(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    analyse(text)
    detect_language(text)


@for_each(
    ("language", "mood", "text"),
    [
        *rows("moods"),
        ("und", "neutral", ""),
        ("en", "neutral", "The delivery was good " + "and then the parcel lay on the desk of a colleague " * 4),
    ],
)
def test_moods_are_told_apart_and_depend_on_the_sentence(language: str, mood: str, text: str) -> None:
    wording, matcher = Wording(text), PhraseMatcher(**mood_tables(language))
    assert mood_of(wording, language, matcher, matcher.find(wording.words, text)) is Sentiment(mood)


@for_each(("language", "text"), [*rows("languages"), ("und", "")])
def test_languages_are_told_apart(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_without_the_learned_model_the_words_alone_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticket_processor.analysis.text.language._load_model", lambda: None)
    assert detect_language("Ich habe ein Problem mit der Rechnung, die nicht stimmt") == "de"
    assert detect_language("J'ai un problème avec la facture que vous avez envoyée") == "fr"
    assert detect_language("qwrt zxcv") == "und"


def test_entries_match_words_phrases_endings_and_gaps() -> None:
    entries = ["refund*", "*rechnung", "*ausfall*", "close ~ account", "l'erreur", "doesn't work", "返金"]
    matcher = PhraseMatcher(words=((entry, entry) for entry in entries))

    def found(text: str) -> set[str]:
        return {hit.value for hit in matcher.find(words_of(text), text)["words"]}

    assert found("Refunded!") == {"refund*"}
    assert found("prerefund") == set()
    assert found("Monatsrechnung, Rechnungen") == {"*rechnung"}
    assert found("Netzausfalls") == {"*ausfall*"}
    assert found("close my old bank account") == {"close ~ account"}
    assert found("close one two three four account") == set()
    assert found("L’erreur") == {"l'erreur"}
    assert found("It doesn’t work") == {"doesn't work"}
    assert found("全額返金してください") == {"返金"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Cannot log in\nWe present within the hour and nobody can log in.", ("within the hour", "nobody can log in")),
        ("The whole company is down\nPlease help asap", ("whole company", "asap", "is down")),
        ("Dringend\nKompletter Ausfall, niemand kann arbeiten.", ("Dringend", "Ausfall", "niemand kann arbeiten")),
        ("A question\nThere is no rush and no outage, I only wonder.", ()),
        ("My password\nPlease do it immediately for [CARD_1].", ("immediately",)),
        (
            "A rep who leaves on Friday acted oddly.\nHe exported every contact. Revoke his rights tonight, and soon.",
            (),
        ),
    ],
)
def test_the_words_that_made_a_text_urgent_are_quoted_as_they_stand_in_it(text: str, words: tuple[str, ...]) -> None:
    assert analyse(text).urgent_words == words
    assert all(each in text and len(each) <= 60 for each in words)


def test_a_category_that_is_urgent_by_itself_makes_no_word_urgent() -> None:
    pressing = Category(name="billing", description="Invoices.", priority_floor=Urgency.HIGH)
    general = Category(name="general", description="All else.")
    found = analyse("My invoice\nThe invoice has a typo.", RulesAnalyser(Taxonomy(categories=(pressing, general))))
    assert (found.urgency, found.urgent_words) == (Urgency.HIGH, ())


@given(st.lists(st.sampled_from("urgent asap nobody can log in production down . , \n account hacked".split(" "))))
def test_no_text_has_more_than_three_urgent_words_and_all_stand_in_it(parts: list[str]) -> None:
    found = analyse(" ".join(parts))
    assert len(found.urgent_words) <= 3
    assert all(" ".join(each.split()) in " ".join(" ".join(parts).split()) for each in found.urgent_words)
    assert found.urgent_words == () or found.urgency in (Urgency.HIGH, Urgency.CRITICAL)

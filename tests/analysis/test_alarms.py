"""Security incidents and outages: what must not wait, what only sounds alike, and what is at stake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.chain import Understanding
from ticket_processor.analysis.rules.alarms import stakes_of
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.models import Risk, Urgency
from ticket_processor.core.taxonomy import default_taxonomy

from ..support.fakes import a_ticket
from .alarms import ALARMS, HARMLESS, half

ANALYSER = RulesAnalyser(default_taxonomy())
PRESSING = (Urgency.HIGH, Urgency.CRITICAL)
PIECES = st.sampled_from(
    [
        *"hacked|our server|is down|stolen|my laptop|everyone|password|not|no|yesterday|if|lawyer|fire|smoke".split(
            "|"
        ),
        *"phishing|exercise|gehackt|Rechner|weg|ハッキング|サーバー|障害|盗まれ|it's|WHY ME NOW|!!!".split("|"),
        *("。", ". ", "? ", "; ", "\n", ", ", '"', "x" * 270),
    ]
)
TEXTS = st.lists(PIECES, max_size=25).map(" ".join) | st.lists(PIECES, max_size=25).map("".join)
LEAST_RECALL, MOST_FALSE = 0.9, 0.1


def test_the_table_is_large_enough_to_mean_something() -> None:
    for table in (ALARMS, HARMLESS):
        assert len(table) == 8
        assert len({text for texts in table.values() for text in texts}) == 128


@pytest.mark.parametrize("which", [0, 1], ids=["even", "odd"])
def test_nine_in_ten_real_incidents_are_pressing_and_have_a_floor(which: int) -> None:
    rows = half(ALARMS, which)
    urgent = [text for _, text in rows if ANALYSER.analyse(redact(text)).urgency in PRESSING]
    floored = [text for _, text in rows if ANALYSER.floor(redact(text)) is Urgency.HIGH]
    assert len(urgent) >= LEAST_RECALL * len(rows)
    assert len(floored) >= LEAST_RECALL * len(rows)


@pytest.mark.parametrize("which", [0, 1], ids=["even", "odd"])
def test_at_most_one_in_ten_look_alikes_raises_an_alarm(which: int) -> None:
    rows = half(HARMLESS, which)
    urgent = [text for _, text in rows if ANALYSER.analyse(redact(text)).urgency in PRESSING]
    floored = [text for _, text in rows if ANALYSER.floor(redact(text)) is not None]
    assert len(urgent) <= MOST_FALSE * len(rows)
    assert len(floored) <= MOST_FALSE * len(rows)


@pytest.mark.parametrize("language", ALARMS)
def test_no_language_is_left_behind(language: str) -> None:
    found = [text for text in ALARMS[language] if ANALYSER.floor(redact(text)) is Urgency.HIGH]
    assert len(found) >= 0.8 * len(ALARMS[language])


@pytest.mark.parametrize(
    ("alarming", "harmless"),
    [
        ("The site is down", "The site is not down"),
        ("We have an outage", "We have no outage"),
        ("Our server was hacked", "The hacked server was fixed last year"),
        ("Wir haben einen Totalausfall", "Wir haben keinen Totalausfall"),
        ("Le service est en panne", "Il n'y a aucune panne"),
    ],
)
def test_a_negation_takes_the_floor_away(alarming: str, harmless: str) -> None:
    assert ANALYSER.floor(redact(alarming)) is Urgency.HIGH
    assert ANALYSER.floor(redact(harmless)) is None


@pytest.mark.parametrize(
    "text",
    [
        "I left my work laptop in a taxi",
        "The laptop with our customer files went missing",
        "To a stranger on the phone, who claimed to be from your bank, I gave my card details",
        "The payslips of our staff went to the wrong distribution list",
        "Ins Portal kommt heute keiner unserer Kunden",
        "An employee of ours opened the attachment of a strange e-mail",
        "Ninguna tienda puede cobrar desde esta mañana",
        "Nessuna filiale riesce a fatturare",
        "Entraram na minha conta e mudaram o telefone",
        "会社のノートパソコンを電車に置き忘れました",
    ],
)
def test_parts_of_an_incident_raise_an_alarm_in_any_order(text: str) -> None:
    assert ANALYSER.floor(redact(text)) is Urgency.HIGH


@pytest.mark.parametrize(
    "text",
    [
        "I lost my password, please send me a reset link",
        "My phone lost its connection to the headset",
        "Can someone log in to my computer and install Word?",
        "Please scroll down on the site, the button is hidden",
        "Nobody can tell me when my order arrives",
        "Ransomware\nWe would like to book the training for ten people.",
        "How can we protect our data against ransomware?",
        "No customer data was leaked",
    ],
)
def test_parts_that_mean_something_else_raise_none(text: str) -> None:
    assert ANALYSER.floor(redact(text)) is None


def test_an_outage_that_is_not_fixed_yet_is_one() -> None:
    assert ANALYSER.floor(redact("The outage has not been resolved")) is Urgency.HIGH


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("I left my work laptop in a taxi", "security"),
        ("Someone reads our mail and stole customer records", "security"),
        ("The whole platform is down, none of our shops can sell anything", "technical"),
    ],
)
def test_an_incident_has_the_category_of_its_kind(text: str, category: str) -> None:
    assert ANALYSER.analyse(redact(text)).category == category


def test_an_alarm_in_one_sentence_is_not_undone_by_another() -> None:
    text = "There was no outage yesterday. Today the whole platform is down."
    assert ANALYSER.floor(redact(text)) is Urgency.HIGH


@pytest.mark.parametrize(
    ("text", "risk"),
    [
        ("My account was hacked", Risk.HIGH),
        ("I will talk to my lawyer about this", Risk.HIGH),
        ("Smoke is coming out of the charger", Risk.HIGH),
        ("I will file a GDPR complaint with the data protection authority", Risk.HIGH),
        ("Ich schalte meinen Rechtsanwalt ein", Risk.HIGH),
        ("If this happens again I will cancel my contract", Risk.MEDIUM),
        ("Your service is down", Risk.MEDIUM),
        ("Je vais résilier et aller chez un concurrent", Risk.MEDIUM),
        ("Where do I find my invoice?", Risk.LOW),
        ("", Risk.LOW),
    ],
)
def test_risk_says_what_is_at_stake(text: str, risk: Risk) -> None:
    assert ANALYSER.analyse(redact(text)).risk is risk


@pytest.mark.parametrize(
    "text",
    [
        "Please answer ASAP", "I need this immediately", "Bitte sofort erledigen", "C'est urgent",
        "Lo necesito cuanto antes", "Mi serve subito una risposta", "Graag zo snel mogelijk",
        "Preciso disso o quanto antes", "至急お願いします", "Where is my order!!!", "WHY DOES NOBODY ANSWER ME",
    ],
)  # fmt: skip
def test_pressing_for_haste_is_heard_whatever_the_matter(text: str) -> None:
    assert ANALYSER.analyse(redact(text)).urgent_tone


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("@air this has to be the absolute WORST EXPERIENCE EVER!!!", False),
        ("Danke, Bahn!!!! Sitzen in Göppingen fest! KEINE ZÜGE", False),
        ("TERRIBLE SERVICE!!! Please call me", True),
        ("Where is my order!!!", True),
        ("I am still waiting for my money!!!", True),
        ("ESTO ES UN DESASTRE!!! Necesito una respuesta", True),
        ("最悪です!!! 至急対応してください", True),
        ("To jest najgorsza firma!!!", True),  # no list knows this language
    ],
)
def test_who_is_loud_presses_only_where_the_text_asks_for_something(text: str, asks: bool) -> None:
    found = Understanding([], ANALYSER)(a_ticket(1, subject="", description=text))
    assert ANALYSER.analyse(redact(text)).urgent_tone
    assert found.urgent_tone is asks


@pytest.mark.parametrize(
    "text", ["How do I change my address?", "This is not urgent", "Keine Eile, danke", "PDF and CSV"]
)
def test_a_calm_writer_does_not_press(text: str) -> None:
    assert not ANALYSER.analyse(redact(text)).urgent_tone


@given(st.text(max_size=300), st.sampled_from(["en", "de", "ja", "und", "xx"]))
def test_any_text_has_stakes(text: str, language: str) -> None:
    assert stakes_of(text, language).risk in Risk


@given(TEXTS)
def test_an_analysis_that_shares_its_words_raises_what_the_text_raises(text: str) -> None:
    redacted = redact(text)
    assert ANALYSER.analyse(redacted).alarms == ANALYSER.alarms(redacted)


@pytest.mark.parametrize("unit", ["hacked ", "payment ", "no ", ". ", "!", "A ", "障害"])
def test_a_hostile_text_of_a_hundred_kilobytes_finishes(unit: str) -> None:
    stakes_of(unit * (100_000 // len(unit)), "und")


@pytest.mark.parametrize(
    "text",
    [
        "Application as security analyst\nFor three years I have investigated ransomware at a bank. My CV is attached.",
        "Bericht gesucht\nFür unsere Ablage: Der Server wurde letztes Jahr gehackt. Könnt ihr das Protokoll schicken?",
        "Assurance\nJ'envisage un contrat. Un vélo volé dans une cave serait-il couvert ?",
        "Gepland onderhoud\nZaterdagnacht is de webshop niet bereikbaar. U hoeft niets te doen.",
    ],
)
def test_a_text_about_work_news_offers_or_the_past_raises_no_alarm(text: str) -> None:
    assert ANALYSER.floor(redact(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "I read your newsletter.\nSince last night someone has been logged into my account, please block it right now.",
        "Nach der Schulung\nSeit heute früh sind alle Dateien verschlüsselt worden, bitte sofort helfen!",
    ],
)
def test_an_incident_of_now_outweighs_a_word_of_something_else(text: str) -> None:
    assert ANALYSER.floor(redact(text)) is Urgency.HIGH


def test_signs_far_apart_raise_an_alarm_together() -> None:
    text = (
        "A sales rep who leaves on Friday acted oddly.\nHe exported every contact.\nPlease revoke his rights tonight."
    )
    assert ANALYSER.floor(redact(text)) is Urgency.HIGH


def test_a_locked_file_is_not_held_to_ransom() -> None:
    assert ANALYSER.floor(redact("The build fails because the file is locked by the linter")) is None

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ticket_processor.analysis.chain import Understanding
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.rules.matcher import words_of
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.models import Risk, Urgency
from ticket_processor.core.taxonomy import default_taxonomy

from ..support.cases import for_each
from ..support.fakes import a_ticket
from .invented import ALARMS, HARMLESS, half, texts

ANALYSER = RulesAnalyser(default_taxonomy())
PRESSING = (Urgency.HIGH, Urgency.CRITICAL)
LEAST_RECALL, MOST_FALSE = 0.9, 0.1


@pytest.mark.parametrize("which", [0, 1], ids=["even", "odd"])
def test_nine_in_ten_real_incidents_are_pressing_and_have_a_floor(which: int) -> None:
    rows = half(ALARMS, which)
    urgent = [text for _, text in rows if ANALYSER.analyse(redact(text)).urgency in PRESSING]
    floored = [text for _, text in rows if ANALYSER.stakes(redact(text)).incident]
    assert len(urgent) >= LEAST_RECALL * len(rows)
    assert len(floored) >= LEAST_RECALL * len(rows)


@pytest.mark.parametrize("which", [0, 1], ids=["even", "odd"])
def test_at_most_one_in_ten_look_alikes_raises_an_alarm(which: int) -> None:
    rows = half(HARMLESS, which)
    urgent = [text for _, text in rows if ANALYSER.analyse(redact(text)).urgency in PRESSING]
    floored = [text for _, text in rows if ANALYSER.stakes(redact(text)).incident]
    assert len(urgent) <= MOST_FALSE * len(rows)
    assert len(floored) <= MOST_FALSE * len(rows)


@pytest.mark.parametrize("text", texts("have_a_floor"))
def test_what_says_an_incident_in_any_order_has_a_floor(text: str) -> None:
    assert ANALYSER.stakes(redact(text)).incident


@pytest.mark.parametrize("text", texts("have_no_floor"))
def test_what_is_denied_past_or_about_something_else_has_none(text: str) -> None:
    assert not ANALYSER.stakes(redact(text)).incident


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


PRESSES = [
    ("Please answer ASAP", True),
    ("I need this immediately", True),
    ("Bitte sofort erledigen", True),
    ("C'est urgent", True),
    ("Lo necesito cuanto antes", True),
    ("Mi serve subito una risposta", True),
    ("Graag zo snel mogelijk", True),
    ("Preciso disso o quanto antes", True),
    ("至急お願いします", True),
    ("WHY DOES NOBODY ANSWER ME", True),
    ("How do I change my address?", False),
    ("This is not urgent", False),
    ("Keine Eile, danke", False),
    ("PDF and CSV", False),
]
LOUD = [
    ("@air this has to be the absolute WORST EXPERIENCE EVER!!!", False),
    ("Danke, Bahn!!!! Sitzen in Göppingen fest! KEINE ZÜGE", False),
    ("TERRIBLE SERVICE!!! Please call me", True),
    ("Where is my order!!!", True),
    ("I am still waiting for my money!!!", True),
    ("ESTO ES UN DESASTRE!!! Necesito una respuesta", True),
    ("最悪です!!! 至急対応してください", True),
    ("To jest najgorsza firma!!!", True),  # no list knows this language
]


@for_each(("text", "presses"), [*PRESSES, *((text, True) for text, _ in LOUD)])
def test_pressing_for_haste_is_heard_whatever_the_matter(text: str, presses: bool) -> None:
    assert ANALYSER.analyse(redact(text)).urgent_tone is presses


@for_each(("text", "asks"), LOUD)
def test_who_is_loud_presses_only_where_the_text_asks_for_something(text: str, asks: bool) -> None:
    assert Understanding([], ANALYSER)(a_ticket(1, subject="", description=text)).urgent_tone is asks


# Mails by hands that wrote neither word lists nor what the weights were learnt from

HELD_BACK = Path(__file__).parent / "incident_texts" / "held_back.jsonl"

ENCRYPTED = (
    "Please call me\nGood morning, since last night all the files on our server have a strange ending and nobody in "
    "the office can open them. There is a text file that asks for money. What shall we do?"
)
DO_YOU_ENCRYPT = (
    "Question before we buy\nGood morning, we are comparing suppliers. Do you encrypt the backups on your servers, and "
    "what would happen to our files if somebody asked you for a ransom? Thank you for a short answer."
)


def raised(text: str) -> bool:
    return ANALYSER.analyse(redact(text)).urgency in PRESSING


@pytest.mark.parametrize(("kind", "least", "most"), [("incident", 55, 60), ("none", 0, 3)])
def test_mails_by_another_hand_are_told_apart(kind: str, least: int, most: int) -> None:
    rows = [json.loads(line) for line in HELD_BACK.read_text(encoding="utf-8").splitlines()]
    assert least <= sum(raised(row["text"]) for row in rows if row["kind"] == kind) <= most


(ORDINARY,) = texts("ordinary_mail")


@pytest.mark.parametrize(
    "mail", [f"{{}}\n\n{ORDINARY}", f"About the export\n{ORDINARY}\n\n{{}}", f"Two\n{ORDINARY} {{}}"]
)
def test_a_long_mail_raises_what_one_part_of_it_says(mail: str) -> None:
    assert len(words_of(ORDINARY)) > 120
    assert ANALYSER.stakes(redact(mail.format(ENCRYPTED))).incident
    assert not ANALYSER.stakes(redact(mail.format(DO_YOU_ENCRYPT))).incident
    assert not ANALYSER.stakes(redact(mail.format(""))).incident


def test_what_a_long_mail_offers_elsewhere_does_not_silence_an_incident() -> None:
    news = "In this issue of the newsletter: a drill for planned maintenance, and how to apply for a vacancy. "
    assert ANALYSER.stakes(redact(f"{ENCRYPTED}\n\n{ORDINARY}\n{news}")).incident

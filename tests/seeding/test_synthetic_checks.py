"""What is not taken from a model, and what is."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.core.models import Sentiment
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.seeding.corpus import load_corpus
from ticket_processor.seeding.synthetic.checks import Checks, Draft, KnownTexts, shingles
from ticket_processor.seeding.synthetic.plan import Cell, Slot, hints_for
from ticket_processor.seeding.synthetic.request import instructions, slot_line
from ticket_processor.seeding.variations import vary

from ..support.cases import for_each

TAXONOMY = default_taxonomy()
RULES = RulesAnalyser(TAXONOMY)
CORPUS = load_corpus()
SLOT = Slot(Cell("billing", "en", Sentiment.NEGATIVE), 0)
LINE = slot_line(1, SLOT, hints_for(SLOT, 0, TAXONOMY))
GOOD_SUBJECT = "Charged twice in one week"
GOOD = "Good morning,\n\nyou took 49.90 euros twice from my card this week. I am really annoyed.\n\nOttilie"


def checks(**options: Any) -> Checks:
    return Checks(TAXONOMY, RULES, instructions(TAXONOMY), **options)


def judged(body: str, subject: str = GOOD_SUBJECT, language: str = "en") -> str | None:
    slot = Slot(Cell("billing", language, Sentiment.NEGATIVE), 0)
    judge = checks()
    draft = judge.draft(subject, body)
    return draft if isinstance(draft, str) else judge.objection(draft, slot, LINE)


def test_a_good_ticket_is_taken() -> None:
    assert judged(GOOD) is None


@for_each(
    ("reason", "body"),
    [
        ("leaked_reasoning", f"<think>The tone should be angry.</think>{GOOD}"),
        ("leaked_reasoning", f"{GOOD}</think>"),
        ("leaked_reasoning", f"Sure, {GOOD}"),
        ("leaked_reasoning", f"Sure! {GOOD}"),
        ("leaked_reasoning", f"Here is a ticket about billing:\n{GOOD}"),
        ("leaked_reasoning", f"Here's the message you asked for:\n\n{GOOD}"),
        ("leaked_reasoning", f"{GOOD} As an AI, I have no card."),
        ("leaked_reasoning", f"{GOOD} As a large language model I cannot pay."),
        ("leaked_reasoning", f"```\n{GOOD}\n```"),
        ("leaked_reasoning", f"Subject: Charged twice\n{GOOD}"),
        ("leaked_reasoning", f"{GOOD}<|im_end|>"),
        ("leaked_reasoning", f"{GOOD}\n(This synthetic ticket shows a billing problem.)"),
        ("leaked_reasoning", f"Als KI habe ich keine Karte. {GOOD}"),
        ("leaked_prompt", f"{GOOD} Leave nothing to be filled in: no brackets, no blanks."),
        ("leaked_prompt", f"{GOOD} The mood and the urgency show in what is said."),
        ("leaked_prompt", f"{GOOD} I am {LINE.partition('mood ')[2][:90]}"),
        ("placeholder", f"{GOOD} My order is {{order_number}}."),
        ("placeholder", f"{GOOD} It was the {{{{product}}}}."),
        ("placeholder", f"{GOOD}\n[Your Name]"),
        ("placeholder", f"{GOOD}\n[NAME]"),
        ("placeholder", f"{GOOD} I bought it at <company>."),
        ("placeholder", f"{GOOD} Lorem ipsum dolor sit amet."),
        ("placeholder", f"{GOOD} My invoice is XXXX-1234."),
        ("placeholder", f"{GOOD} Number: ______"),
        ("placeholder", f"{GOOD} (insert date)"),
        ("label_named", f"{GOOD}\nCategory: billing"),
        ("label_named", f"{GOOD}\nPriority = high"),
        ("label_named", f"{GOOD} This is no feature_request."),
        ("personal_data", f"{GOOD} My card is 4111 1111 1111 1111."),
        ("personal_data", f"{GOOD} Pay it back to DE89 3704 0044 0532 0130 00."),
        ("personal_data", f"{GOOD} Write to ottilie.quandt@gmail.com."),
        ("personal_data", f"{GOOD} Call me: +49 30 901820."),
        ("personal_data", f"{GOOD} My password is Hunter2!xy."),
        ("personal_data", f"{GOOD} The request came from 8.8.8.8."),
        (
            "wrong_language",
            "Guten Tag,\n\nSie haben diese Woche zweimal 49,90 Euro von meiner Karte genommen. Ärgerlich.",
        ),
        ("too_short", "Twice."),
        ("too_long", GOOD * 100),
        ("empty", " \n\u200b "),
        ("unreadable", f"{GOOD} \ud800"),
        ("unreadable", f"{GOOD} \x00"),
    ],
)
def test_what_gives_model_prompt_or_person_away_is_rejected(reason: str, body: str) -> None:
    assert judged(body) == reason


@pytest.mark.parametrize(
    "body",
    [
        "Here is my third mail about the fee of 12 euros that you took by mistake last week. Please look.",
        "Is it sure that the invoice will be right next time? It has been wrong twice now, in May and June.",
        "You can write to me at ottilie@example.com, the invoice 2026-1188 is still wrong in the second line.",
        "Nothing works from 192.168.1.20, only the office does; and we are charged for both of the lines.",
        "I had to wait for 40 minutes... and then the line went dead. The bill: 3 < 5 but you charge for 5 > 3.",
    ],
)
def test_what_only_looks_suspicious_is_taken(body: str) -> None:
    assert judged(body) is None


@pytest.mark.parametrize("fields", [(None, "body"), ("subject", 7), ("", "body"), ("subject", ["x"])])
def test_what_is_no_text_is_empty(fields: tuple[object, object]) -> None:
    assert checks().draft(*fields) == "empty"


def test_the_subject_is_looked_at_as_well() -> None:
    assert judged(GOOD, subject="Order [NUMBER] charged twice") == "placeholder"
    assert judged(GOOD, subject="x" * 200) == "too_long"


def test_in_a_language_that_the_detector_may_not_know_only_english_is_wrong() -> None:
    body = "Mwezi huu mmelipisha kadi yangu mara mbili na sijafurahi hata kidogo kabisa."
    assert judged(body, subject="Mmelipisha mara mbili", language="sw") is None
    assert judged(GOOD, language="sw") == "wrong_language"


def test_tickets_written_by_people_pass_unless_something_is_really_wrong_with_them() -> None:
    judge = checks()
    rejected = {}
    normal = [ticket for ticket in CORPUS if ticket.kind == "normal" and ticket.body is not None]
    for ticket in normal:
        labels = ticket.labels
        assert labels.category
        assert labels.language
        assert labels.sentiment
        slot = Slot(Cell(labels.category, labels.language, labels.sentiment), 0)
        draft = judge.draft(ticket.subject, ticket.body)
        reason = draft if isinstance(draft, str) else judge.objection(draft, slot, "")
        if reason is not None:
            rejected[ticket.id] = reason
    assert len(normal) > 80
    assert len(rejected) <= 8
    assert set(rejected.values()) <= {"empty", "too_short", "personal_data", "placeholder"}


def test_a_stock_name_is_taken_now_and_then_but_not_often() -> None:
    judge = checks()
    reasons = []
    for number in range(100):
        draft = Draft(GOOD_SUBJECT, f"{GOOD} {number}\nJohn Doe")
        reasons.append(judge.objection(draft, SLOT, LINE))
        if reasons[-1] is None:
            judge.accepted(draft)
    assert reasons[0] is None
    assert reasons[1:] == ["stock_name"] * 99


def test_a_label_that_the_rules_doubt_is_said_and_one_that_they_share_is_not() -> None:
    judge = checks()
    refund = Draft("I want a refund", "Please refund the money for the broken kettle, I want my money back.")
    assert judge.doubt(refund, Slot(Cell("refund", "en", Sentiment.NEUTRAL), 0)) is None
    doubt = judge.doubt(refund, Slot(Cell("security", "en", Sentiment.NEUTRAL), 0))
    assert doubt == "rules say category refund"
    glad = Draft("Thank you", "I love your great service, thank you so much, you are wonderful!")
    assert "sentiment positive" in (judge.doubt(glad, Slot(Cell("general", "en", Sentiment.NEGATIVE), 0)) or "")


# --- near-duplicates ----------------------------------------------------------------------------------------------


def test_variations_of_a_ticket_are_near_duplicates_and_different_tickets_are_not() -> None:
    known = KnownTexts()
    for ticket in CORPUS:
        assert known.is_new(f"{ticket.subject}\n{ticket.text}"), ticket.id
        known.add(f"{ticket.subject}\n{ticket.text}")
    for ticket in itertools.islice(vary(CORPUS, 2 * len(CORPUS), 3), len(CORPUS), None):
        assert not known.is_new(f"{ticket.subject}\n{ticket.text}"), ticket.id


def test_numbers_case_and_punctuation_make_no_difference() -> None:
    known = KnownTexts()
    known.add("Order 4711 is late, and nobody answers!")
    assert known.closest("order 98122 IS LATE and nobody answers") == 1.0


@given(st.lists(st.text(max_size=60), max_size=6), st.text(max_size=60))
def test_the_index_finds_the_same_as_comparing_with_each(texts: list[str], other: str) -> None:
    known = KnownTexts()
    for text in texts:
        known.add(text)
    marks = shingles(other)
    expected = max((len(marks & shingles(text)) / len(marks | shingles(text)) for text in texts), default=0.0)
    assert known.closest(other) == pytest.approx(expected)
    assert all(known.closest(text) == 1.0 for text in texts)

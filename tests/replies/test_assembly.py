"""A model's answer is read strictly, and a reply put together from what of it holds."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticket_processor.core.errors import AnalysisFailed
from ticket_processor.replies import word_lists
from ticket_processor.replies.assembly import LANGUAGES, NoAnswer, ReplyDraft, assembled
from ticket_processor.replies.grounding import Proposal
from ticket_processor.replies.writer import proposal_schema, read_proposal

from .articles import FOR_AGENTS, GERMAN, PASSWORD, REFUND, Part, claim, said
from .hostile import harm_in

SOURCES = {"A1": REFUND, "A2": PASSWORD}
PAID, COSTS, UNTIL = REFUND.text.splitlines()
OPEN, MAIL, REUSE = PASSWORD.text.splitlines()


def reply(answer: dict[str, Any], sources: dict[str, Part] | None = None, language: str = "en") -> Any:
    proposal = read_proposal(json.dumps(answer))
    return assembled(proposal, sources or SOURCES, language)


def test_a_reply_is_courtesies_and_cited_sentences_with_links_of_the_index() -> None:
    result = reply(said(claim(PAID), steps=[claim(OPEN, source="A2"), claim(MAIL, source="A2")]))
    assert result.text == (
        "Hello,\n\nthank you for your message. Our articles say this about it:\n\n"
        "Refunds are paid to the card you used within 5 to 7 working days. [1]\n\n"
        "Please try these steps, in this order:\n"
        "1. Open Settings → Security and choose Reset password. [2]\n"
        "2. We send you a mail with a link, which can be used once. [2]\n\n"
        "You can read more here:\n"
        "[1] Refunds – https://help.shop.example/en/refunds\n"
        "[2] Reset your password – https://help.shop.example/en/password\n\n"
        "Kind regards"
    )
    assert not result.partial
    assert result.claims[0].quote == PAID


def test_numbers_are_given_to_articles_in_the_order_of_the_reply() -> None:
    result = reply(said(claim(MAIL, source="A2"), claim(PAID), claim(REUSE, source="A2")))
    assert [each.title for each in result.articles] == ["Reset your password", "Refunds"]
    assert [line.number for line in result.claims] == [1, 2, 1]


def test_a_claim_that_does_not_hold_is_left_out_and_the_reply_is_partial() -> None:
    result = reply(said(claim(PAID), claim("We refund within 90 days.", PAID)))
    assert [line.text for line in result.claims] == [PAID]
    assert (result.partial, result.stopped) == (True, (("number", 1),))
    assert word_lists("frames")["en"]["partial"] in result.text


def test_one_wrong_step_takes_all_steps_with_it() -> None:
    result = reply(said(claim(PAID), steps=[claim(OPEN, source="A2"), claim("Then delete your data.", OPEN, "A2")]))
    assert result.steps == ()
    assert result.partial


def test_of_a_model_that_mostly_invents_nothing_is_taken() -> None:
    lies = [claim("Your bank may take longer.", PAID), claim("A technician will come.", PAID)]
    assert reply(said(claim(PAID), *lies)) == NoAnswer("unsupported", (("wording", 2),))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Write to help@shop.example about it.", "not_plain"),
        ("Open https://help.shop.example/en/refunds first.", "not_plain"),
        ("Open help.shop.example first.", "not_plain"),
        ("Call 030 1234567.", "not_plain"),
        ("Dial 555-1234 for repairs.", "contact"),
        ("Open portal.intern for repairs.", "contact"),
        ("<b>Refunds</b> are paid to [CARD_1].", "not_plain"),
    ],
)
def test_links_addresses_and_placeholders_never_come_from_a_model_even_if_the_article_has_them(
    text: str, reason: str
) -> None:
    source = Part("x", "Contact", "https://help.shop.example/x", f"{text}\nYou can also find a form there.")
    assert reply(said(claim(text)), {"A1": source}) == NoAnswer("unsupported", ((reason, 1),))


def test_a_title_is_plain_and_an_address_that_is_none_is_left_out() -> None:
    source = Part("x", "Refunds {{x}} <b>", "javascript:alert(1)", REFUND.text)
    assert "\n[1] Refunds x\n" in reply(said(claim(PAID)), {"A1": source}).text


def test_no_answer_is_an_answer() -> None:
    assert reply(said(verdict="no_answer")) == NoAnswer("no_answer")
    assert reply(said(verdict="answer")) == NoAnswer("unsupported")


def test_what_an_article_in_another_language_says_is_marked() -> None:
    answer = said(claim("We refund the amount within 7 days.", GERMAN.text.splitlines()[0]))
    assert reply(answer, {"A1": GERMAN}).translated
    assert not reply(said(claim(PAID))).translated


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_a_frame_of_its_own(language: str) -> None:
    frames = word_lists("frames")
    assert frames[language].keys() == frames["en"].keys()
    source = Part("x", "T", "", "リセットボタンを5秒間押してください。 Reset-Knopf fünf", language)
    line = "リセットボタンを5秒間押してください。"
    result = reply(said(claim(line)), {"A1": source}, language)
    assert isinstance(result, ReplyDraft)
    assert result.text.startswith(frames[language]["greeting"])


def test_there_is_no_reply_in_a_language_without_courtesies() -> None:
    assert reply(said(claim(PAID)), language="fi") == NoAnswer("language")


def test_the_digest_stands_for_the_exact_text() -> None:
    one, same, other = (reply(said(claim(line))).digest for line in (PAID, PAID, UNTIL))
    assert one == same != other
    assert re.fullmatch("[0-9a-f]{64}", one)


WORDS = st.one_of(
    st.text(max_size=80),
    st.sampled_from([line for source in (REFUND, PASSWORD, FOR_AGENTS) for line in source.text.splitlines()]),
)
CLAIMS = st.builds(claim, WORDS.filter(bool), WORDS, st.sampled_from(["A1", "A2", "A3"]))


@settings(max_examples=300)
@given(
    st.lists(CLAIMS, max_size=8),
    st.lists(CLAIMS, max_size=4),
    st.sampled_from(["answer", "partial", "no_answer"]),
)
def test_whatever_is_proposed_a_reply_holds_nothing_that_no_article_says(
    claims: list[dict[str, str]], steps: list[dict[str, str]], verdict: str
) -> None:
    result = reply(said(*claims, steps=steps, verdict=verdict))
    if isinstance(result, ReplyDraft):
        assert verdict != "no_answer"
        assert harm_in(result.text, "en", [REFUND, PASSWORD]) == []
        assert {line.number for line in result.claims} <= set(range(1, len(result.articles) + 1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["claims", "steps", "verdict", "x"]), JSON), st.text(max_size=50))
def test_any_json_is_a_proposal_or_refused(answer: dict[str, Any], around: str) -> None:
    with suppress(AnalysisFailed):
        assert isinstance(read_proposal(f"{around}{json.dumps(answer)}{around}"), Proposal)


def test_an_answer_that_has_all_fields_is_read_through_prose_and_reasoning() -> None:
    answer = json.dumps(said(claim(PAID)))
    thought, draft = f"<think>{{ hm }}</think>\n```json\n{answer}\n```", f"Draft: {json.dumps(said())} Final: {answer}"
    for text in (answer, thought, draft):
        assert [each.text for each in read_proposal(text).claims] == [PAID]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I do not know.", "answer_not_json"),
        (json.dumps({**said(), "verdict": "maybe"}), "answer_off_schema: verdict"),
        (json.dumps({**said(), "claims": [{"text": "x", "source": "A1"}]}), "answer_off_schema: claims"),
        (json.dumps(said(*[claim(PAID)] * 9)), "answer_off_schema: claims"),
        (json.dumps(said(claim("x" * 401))), "answer_off_schema: claims"),
        ('{"claims": [], "verdict": "answer"}', "answer_off_schema: steps"),
        (
            '{"claims": [], "steps": [], "verdict": "answer", "verdict": "partial"}',
            "answer_off_schema",
        ),
    ],
)
def test_what_is_not_the_schema_is_refused_without_its_values(answer: str, reason: str) -> None:
    with pytest.raises(AnalysisFailed) as failed:
        read_proposal(answer)
    assert str(failed.value).startswith(reason)


def test_an_answer_that_was_cut_off_says_so() -> None:
    with pytest.raises(AnalysisFailed, match="answer_cut_off"):
        read_proposal('{"claims": [', finished=False)


def test_the_schema_names_the_sources_and_is_closed() -> None:
    schema: Any = proposal_schema(["A1", "A2"])
    assert schema["additionalProperties"] is False
    assert schema["properties"]["claims"]["items"]["properties"]["source"]["enum"] == ["A1", "A2"]
    assert list(schema["properties"]) == ["claims", "steps", "verdict"]


def test_a_reply_that_would_leave_changed_or_fill_a_note_is_none() -> None:
    secret = Part("x", "Keys", "https://help.shop.example/en/keys?api_key=sk-abcdefghijklmnop1234", REFUND.text)
    assert reply(said(claim(PAID)), {"A1": secret}) == NoAnswer("secret")
    lines = [f"Step {number} of many: {'open the red box with great care ' * 9}now." for number in range(20)]
    long = [claim(line) for line in lines]
    source = Part("x", "Boxes", "", "\n".join(lines))
    assert reply(said(*long[:8], steps=long[8:]), {"A1": source}) == NoAnswer("too_long")

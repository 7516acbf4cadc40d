"""Topics whose tickets mostly got no answer from articles."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ticket_processor.reporting.knowledge_gaps import Coverage, Knowledge
from ticket_processor.reporting.offers import Offer
from ticket_processor.reporting.unanswered import unanswered_themes, unanswered_topics, with_unanswered


def offer(ticket_id: int, kind: str = "draft", **facts: Any) -> Offer:
    given = {"category": "refund", "subcategory": "", "language": "en", "partial": False, "articles": (), **facts}
    reason = given.pop("reason", "no_answer" if kind == "no_answer" else "")
    return Offer(ticket_id=ticket_id, run_id="run-1", kind=kind, reason=reason, **given)


def topics(offered: list[Offer], ignored: Collection[int] = (), at_least: int = 4) -> list[Coverage]:
    return unanswered_topics(offered, ignored, at_least=at_least, fallback="general")


def test_a_topic_lacks_an_answer_when_most_of_its_tickets_got_none_that_people_used() -> None:
    tickets = [
        offer(1, "no_answer"),
        offer(2, partial=True, articles=("a", "b")),
        offer(3, articles=("b",)),
        offer(4, articles=("c",)),
    ]
    assert topics(tickets) == []
    (found,) = topics(tickets, {3})
    assert (found.topic, found.kind, found.language, found.gap) == ("refund", "category", "en", "no_answer")
    assert (found.tickets, found.no_answer, found.partial, found.ignored) == (4, 1, 1, 1)
    assert (found.examples, found.near) == ((3, 2, 1), ("b", "a"))


def test_what_a_model_did_not_answer_for_another_reason_is_no_topic() -> None:
    assert topics([offer(number, "no_answer", reason="model_unreachable") for number in range(9)]) == []
    shown = [offer(number, "articles", reason="no_article") for number in range(4)]
    assert [item.no_answer for item in topics(shown)] == [4], "articles that a model found no answer in"


def test_few_tickets_and_the_fallback_category_are_no_topic() -> None:
    tickets = [offer(number, "no_answer", category="general", subcategory="voucher") for number in range(4)]
    assert [(item.topic, item.kind) for item in topics(tickets)] == [("voucher", "subcategory")]
    assert topics(tickets, at_least=5) == []


def test_a_theme_is_what_several_unanswered_tickets_speak_of_and_others_do_not() -> None:
    tickets = [offer(number, "no_answer" if number < 4 else "draft") for number in range(8)]
    texts = {number: f"The gramophone of customer {number} is silent." for number in range(4)}
    texts |= dict.fromkeys(range(4, 8), "The parcel is late.")
    (theme,) = unanswered_themes(tickets, set(), texts, at_least=3)
    assert "gramophone" in theme.topic
    assert (theme.kind, theme.tickets, theme.no_answer, theme.examples) == ("theme", 4, 4, (3, 2, 1, 0))
    assert unanswered_themes(tickets[:2], set(), texts, at_least=1) == [], "words of a few customers are theirs"


def test_what_was_searched_and_what_notes_lacked_is_one_list() -> None:
    searched = Knowledge(
        at_least=2,
        searched=2,
        topics=(
            Coverage(topic="order", kind="category", language="en", tickets=30, articles=1),
            Coverage(topic="refund", kind="category", language="en", tickets=20, gap="no_article"),
        ),
    )
    lacking = [
        Coverage(topic="order", kind="category", language="en", tickets=9, offered=9, no_answer=8, gap="no_answer"),
        Coverage(topic="refund", kind="category", language="en", tickets=8, offered=8, ignored=8, gap="no_answer"),
        Coverage(topic="account", kind="category", language="de", tickets=25, offered=25, partial=20, gap="no_answer"),
    ]
    found = with_unanswered(searched, lacking)
    assert [(item.topic, item.tickets, item.offered, item.gap) for item in found.gaps] == [
        ("order", 30, 9, "no_answer"),
        ("account", 25, 25, "no_answer"),
        ("refund", 20, 8, "no_article"),
    ]

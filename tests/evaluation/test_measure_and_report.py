"""From answers to figures to a report: nothing invented, nothing leaked, nothing fetched."""

from __future__ import annotations

import json
import re
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from ticket_processor.core.errors import Stopping
from ticket_processor.core.models import Analysis, Sentiment, Ticket, Urgency, Usage
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.evaluation import report as reports
from ticket_processor.evaluation import report as tables
from ticket_processor.evaluation.data import Example, Labelled
from ticket_processor.evaluation.measure import Subject, SubjectResult, answer_all, as_data, measure

from ..support.fakes import ManualClock

TAXONOMY = default_taxonomy()
SECRET = "Call Jürgen at juergen@example.org <script>alert(1)</script> about it"


def examples(count: int = 40) -> tuple[Example, ...]:
    kinds = ("billing", "technical", "general", "account")
    return tuple(
        Example(
            id=f"row-{n}",
            subject=f"{kinds[n % 4]} matter",
            body=SECRET,
            category=kinds[n % 4],
            urgency=list(Urgency)[n % 4],
            language="de" if n % 2 else "en",
        )
        for n in range(count)
    )


def says(category: str, **update: object) -> Callable[[Ticket], Analysis]:
    def analyse(ticket: Ticket) -> Analysis:
        return Analysis(
            category=category,
            urgency=Urgency.HIGH,
            sentiment=Sentiment.NEUTRAL,
            language="en",
            summary="",
            confidence=0.9 if ticket.id % 4 == 1 else 0.4,
            source="rules",
        ).model_copy(update=update)

    return analyse


def result(analyse: Callable[[Ticket], Analysis], *sources: Labelled, name: str = "x") -> SubjectResult:
    subject = Subject(name, analyse)
    parts = [
        measure(one, answer_all(subject, one.examples, ManualClock()), TAXONOMY, precision=0.65)
        for one in sources or (Labelled("rows.jsonl", examples()),)
    ]
    return SubjectResult(name, tuple(parts))


def test_answers_come_in_the_order_of_the_tickets_however_many_work_on_them() -> None:
    met = threading.Barrier(4, timeout=30)

    def analyse(ticket: Ticket) -> Analysis:
        met.wait()  # passes only with four at once
        return says("billing", why_fallback=str(ticket.id))(ticket)

    told: list[int] = []
    answers = answer_all(Subject("x", analyse, workers=4), examples(), ManualClock(), told.append)
    assert [answer.analysis.why_fallback for answer in answers] == [str(n) for n in range(1, 41)]
    assert sum(told) == 40


@pytest.mark.parametrize("workers", [1, 3])
def test_a_signal_ends_the_measuring(workers: int) -> None:
    clock = ManualClock()
    done: list[int] = []

    def analyse(ticket: Ticket) -> Analysis:
        done.append(ticket.id)
        clock.stopped = True
        time.sleep(0.002)  # so that whoever waits for the answers gets its turn
        return says("billing")(ticket)

    with pytest.raises(Stopping):
        answer_all(Subject("x", analyse, workers=workers), examples(4000), clock)
    assert len(done) < 4000


def test_figures_are_those_of_the_answers() -> None:
    paid = {"cost_usd": 0.002, "usage": Usage(input=90, output=10), "source": "model", "model": "m-1"}
    (source,) = result(says("billing", **paid)).sources
    category, language = source.of("category"), source.of("language")
    assert category is not None
    assert category.scores.accuracy == 0.25
    assert category.by_language == {"de": (20, 0), "en": (20, 10)}
    assert category.thresholds is not None
    assert category.thresholds.all is not None
    # "billing" is right where it is sure, and only there.
    assert (category.thresholds.all.threshold, category.thresholds.all.rows) == (0.9, 10)
    assert len(set(category.curve())) == len(category.curve()) < 10, "no step of the curve comes twice"
    assert source.cost_usd == pytest.approx(0.08)
    assert source.usage == Usage(input=3600, output=400)
    assert (source.answered_by, source.fallbacks) == ({"m-1": 40}, {})
    assert source.ms_p50 <= source.ms_p95
    assert source.of("sentiment") is None
    assert language is not None
    assert language.scores.ece is None  # confidence is not about the language


def test_accuracy_by_language_needs_no_labelled_language() -> None:
    """A helpdesk's solved tickets carry none."""
    english = "My invoice is wrong and I would like to have it corrected, please look into it."
    german = "Meine Rechnung ist falsch, bitte korrigieren Sie das und schicken Sie mir eine neue."
    rows = tuple(
        Example(id=str(n), subject="", body=body, category="billing", urgency=Urgency.HIGH)
        for n, body in enumerate([english] * 3 + [german] * 2)
    )
    category = result(says("billing"), Labelled("solved tickets", rows)).sources[0].of("category")
    assert category is not None
    assert category.by_language == {"en": (3, 3), "de": (2, 2)}
    assert "category, x: by language" in [table.title for table in tables.details(category, "x")]


@pytest.mark.parametrize(
    ("why", "counted"), [("model_unreachable", {"model_unreachable": 8}), ("no_model_configured", {})]
)
def test_falling_back_is_counted_by_its_reason_but_rules_alone_are_none(why: str, counted: dict[str, int]) -> None:
    found = result(says("billing", why_fallback=why), Labelled("rows.jsonl", examples(8)))
    assert found.sources[0].fallbacks == counted


def test_the_data_are_plain_json_without_the_tickets_words() -> None:
    text = json.dumps(as_data([result(says("billing"))]), allow_nan=False)
    assert "example.org" not in text
    assert "row-1" not in text


class Page(HTMLParser):
    """The tags of a page, checked for what a browser would fetch or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(value) for name, value in attributes if name in ("src", "href", "xlink:href", "action")]


def report() -> str:
    labelled = Labelled("rows <b>.jsonl", examples())
    made = [result(says(answer), labelled, name=answer) for answer in ("billing", "technical")]
    return reports.page("How good?", made, ["a <remark>"])


def test_a_report_needs_nothing_else_and_runs_nothing() -> None:
    text = report()
    page = Page(text)
    assert page.tags.count("svg") >= 6
    assert not {"script", "link", "img", "image", "iframe", "object"} & set(page.tags)
    assert page.addresses == []
    assert "url(http" not in text
    assert "@import" not in text
    assert "rows &lt;b&gt;.jsonl" in text
    assert "a &lt;remark&gt;" in text


def test_pictures_of_confidence_stand_on_round_axes_from_0_to_1() -> None:
    pictures = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", report(), flags=re.S)]
    for picture in pictures:
        words = [text.text for text in picture.iter("text")]
        assert [words.count(number) for number in ("0.0", "0.2", "0.4", "0.6", "0.8", "1.0")] == [2] * 6
    assert [bar.findtext("title") for bar in pictures[0].iter("rect")] == [
        "confidence 0.40: 0% of 30 right",
        "confidence 0.90: 100% of 10 right",
    ]


def test_no_words_of_tickets_are_in_the_report() -> None:
    text = report()
    assert "example.org" not in text
    assert "row-1" not in text

"""From answers to figures to a report: nothing invented, nothing leaked, nothing fetched."""

from __future__ import annotations

import json
import re
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from ticket_processor.core.errors import Stopping
from ticket_processor.core.models import Analysis, Sentiment, Ticket, Urgency, Usage
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.evaluation import report as reports
from ticket_processor.evaluation import tables
from ticket_processor.evaluation.data import Example, Labelled
from ticket_processor.evaluation.labels import Pairs
from ticket_processor.evaluation.measure import FieldResult, SourceResult, SubjectResult, as_data, measure
from ticket_processor.evaluation.report import page
from ticket_processor.evaluation.runner import Subject, TimedAnalysis, answer_all
from ticket_processor.evaluation.scores import score

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


def says(category: Callable[[int], str], **update: object) -> Callable[[Ticket], Analysis]:
    def analyse(ticket: Ticket) -> Analysis:
        return Analysis(
            category=category(ticket.id - 1),
            urgency=Urgency.HIGH,
            sentiment=Sentiment.NEUTRAL,
            language="en",
            summary="",
            confidence=0.9 if ticket.id % 4 == 1 else 0.4,
            source="rules",
        ).model_copy(update=update)

    return analyse


def result(subject: Subject, labelled: Labelled) -> tuple[SubjectResult, tuple[TimedAnalysis, ...]]:
    answers = answer_all(subject, labelled.examples, ManualClock())
    return SubjectResult(subject.name, (measure(labelled, answers, TAXONOMY, precision=0.65),)), answers


def test_answers_come_in_the_order_of_the_tickets_however_many_work_on_them() -> None:
    met = threading.Barrier(4, timeout=30)

    def analyse(ticket: Ticket) -> Analysis:
        met.wait()  # passes only with four at once
        return says(lambda row: "billing", why_fallback=str(ticket.id))(ticket)

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
        return says(lambda row: "billing")(ticket)

    with pytest.raises(Stopping):
        answer_all(Subject("x", analyse, workers=workers), examples(4000), clock)
    assert len(done) < 4000


def test_figures_are_those_of_the_answers() -> None:
    labelled = Labelled("rows.jsonl", examples())
    paid = {"cost_usd": 0.002, "usage": Usage(input=90, output=10), "source": "model", "model": "m-1"}
    found, _ = result(Subject("x", says(lambda row: "billing", **paid)), labelled)
    (source,) = found.sources
    category = source.of("category")
    assert category is not None
    assert category.scores.accuracy == 0.25
    assert category.by_language == {"de": (20, 0), "en": (20, 10)}
    assert category.thresholds is not None
    assert category.thresholds.all is not None
    # "billing" is right where it is sure, and only there.
    assert (category.thresholds.all.threshold, category.thresholds.all.rows) == (0.9, 10)
    assert source.cost_usd == pytest.approx(0.08)
    assert source.usage == Usage(input=3600, output=400)
    assert (source.answered_by, source.fallbacks) == ({"m-1": 40}, {})
    assert source.ms_p50 <= source.ms_p95
    assert source.of("sentiment") is None
    language = source.of("language")
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
    found, _ = result(Subject("x", says(lambda row: "billing")), Labelled("solved tickets", rows))
    category = found.sources[0].of("category")
    assert category is not None
    assert category.by_language == {"en": (3, 3), "de": (2, 2)}
    shown = "\n".join(table.title for table in tables.details(found, found.sources[0]))
    assert "category, x, solved tickets: by language" in shown


def test_the_abstention_table_repeats_no_row() -> None:
    found, _ = result(Subject("x", says(lambda row: "billing")), Labelled("rows.jsonl", examples()))
    for table in tables.details(found, found.sources[0]):
        if "abstention" in table.title:
            assert len(set(table.rows)) == len(table.rows)
            assert len(table.rows) < 10


def test_falling_back_is_counted_by_its_reason_but_rules_alone_are_none() -> None:
    labelled = Labelled("rows.jsonl", examples(8))

    def fallbacks(why: str) -> object:
        return dict(
            result(Subject("x", says(lambda row: "billing", why_fallback=why)), labelled)[0].sources[0].fallbacks
        )

    assert fallbacks("model_unreachable") == {"model_unreachable": 8}
    assert fallbacks("no_model_configured") == {}


def test_the_mean_counts_every_source_alike() -> None:
    large, small = Labelled("a", examples(40)), Labelled("b", examples(4))
    parts = []
    for labelled, answer in ((large, "billing"), (small, "technical")):
        given = answer_all(Subject("x", says(lambda row, a=answer: a)), labelled.examples, ManualClock())  # type: ignore[misc]
        parts.append(measure(labelled, given, TAXONOMY))
    both = SubjectResult("x", tuple(parts))
    assert both.mean("category") == (2, 0.25, pytest.approx(0.1))
    assert both.mean("sentiment") is None


def test_the_data_are_plain_json_without_the_tickets_words() -> None:
    found, _ = result(Subject("x", says(lambda row: "billing")), Labelled("rows.jsonl", examples()))
    text = json.dumps(as_data([found]), allow_nan=False)
    assert "example.org" not in text
    assert "row-1" not in text


class Page(HTMLParser):
    """The tags of a page, checked for what a browser would fetch or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(str(value))
            if name in ("src", "href", "xlink:href", "data", "action"):
                self.addresses.append(str(value))


def report(*, errors: bool) -> str:
    labelled = Labelled("rows <b>.jsonl", examples())
    made = [
        result(Subject(name, says(lambda row, a=answer: a)), labelled)  # type: ignore[misc]
        for name, answer in (("one", "billing"), ("two", "technical"))
    ]
    return page("How good?", [subject for subject, _ in made], ["a <remark>"], [labelled] if errors else ())


def test_a_list_of_errors_says_how_many_there_are_and_how_many_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "30 wrong answers, surest first" in report(errors=True)
    monkeypatch.setattr(reports, "MOST_ERRORS", 2)
    assert "30 wrong answers, the surest 2 of them" in report(errors=True)


def test_a_report_needs_nothing_else_and_runs_nothing() -> None:
    text = report(errors=True)
    page = Page(text)
    assert page.tags.count("svg") >= 6
    assert not {"script", "link", "img", "image", "iframe", "object"} & set(page.tags)
    assert all(address.startswith("#") for address in page.addresses)
    assert len(page.ids) == len(set(page.ids))
    assert {address[1:] for address in page.addresses} <= set(page.ids)
    assert "url(http" not in text
    assert "@import" not in text
    assert "rows &lt;b&gt;.jsonl" in text
    assert "a &lt;remark&gt;" in text


def of_one_field(rows: list[tuple[str, str, float]]) -> SubjectResult:
    """An analyser's result on categories: truth, answer and confidence of each ticket."""
    gold, said, sure = zip(*rows, strict=True)
    item = FieldResult(
        field="category",
        scores=score(gold, said, sure),
        thresholds=None,
        by_language={},
        pairs=Pairs(tuple(range(len(rows))), gold, said, Counter()),
        confidence=sure,
    )
    return SubjectResult("x", (SourceResult("rows.jsonl", len(rows), (item,), 1.0, 1.0, Usage(), None, {}, {}),))


def test_the_confusion_matrix_is_a_table_shaded_by_the_share_of_its_row() -> None:
    rows = [("a<b>", "a<b>", 0.9)] * 3 + [("a<b>", "c", 0.9), ("c", "c", 0.9)]
    made = page("x", [of_one_field(rows)])
    table = ET.fromstring(re.findall(r'<table class="confusion".*?</table>', made, flags=re.S)[0])
    rows = {row.findtext("th"): row.findall("td") for row in table.findall("tbody/tr")}
    assert [span.text for span in table.iter("span")] == ["a<b>", "c"]
    assert {name: [cell.text for cell in cells] for name, cells in rows.items()} == {
        "a<b>": ["3", "1"],
        "c": [None, "1"],
    }
    opacity = {name: [cell.get("style", "none").split(", ")[-1] for cell in cells] for name, cells in rows.items()}
    assert opacity == {"a<b>": ["0.56)", "0.19)"], "c": ["none", "0.75)"]}, (
        "0.75 is the most, which leaves text readable"
    )


def test_pictures_of_confidence_stand_on_round_axes_from_0_to_1() -> None:
    made = page("x", [of_one_field([("a", "a", 0.9)] * 30 + [("a", "b", 0.4)] * 10)])
    reliability, abstention = (ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", made, flags=re.S))
    for picture in (reliability, abstention):
        words = [text.text for text in picture.iter("text")]
        assert [words.count(number) for number in ("0.0", "0.2", "0.4", "0.6", "0.8", "1.0")] == [2] * 6
    assert {bar.findtext("title") for bar in reliability.iter("rect")} == {
        "confidence 0.90: 100% of 30 right",
        "confidence 0.40: 0% of 10 right",
    }
    assert abstention.get("aria-label") == "Precision at coverage"


def test_tickets_words_are_in_the_report_only_when_asked_for_and_redacted_then() -> None:
    without, listed = report(errors=False), report(errors=True)
    assert "example.org" not in without
    assert "row-1" not in without
    assert "row-1" in listed
    assert "[EMAIL_1]" in listed
    assert "juergen@example.org" not in listed
    assert re.search(r"30 wrong answers", listed)

"""What a run prints, and where."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.commands.screen import Screen, harmless
from ticket_processor.core.models import Outcome, OutcomeStatus, Usage
from ticket_processor.core.run_summary import RunSummary
from ticket_processor.reporting.run_words import RunTally, Seen, difference, outcome_line, summary_text

from ..support.fakes import a_change, an_analysis

LOG = Path("logs/ticketbot-2026-11-21.jsonl")


class Watched:
    """A screen whose two outputs can be read."""

    def __init__(self, *, quiet: bool = False, as_json: bool = False) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.screen = Screen(quiet=quiet, as_json=as_json, out=self.out, err=self.err)


def an_outcome(status: OutcomeStatus = OutcomeStatus.UPDATED, **fields: Any) -> Seen:
    given: dict[str, Any] = {
        "ticket_id": 7,
        "status": status,
        "reason": "by m-1",
        "change": a_change(7),
        "analysis": an_analysis(),
        **fields,
    }
    return Seen(Outcome(**given))


def a_summary(**fields: Any) -> RunSummary:
    given: dict[str, Any] = {"run_id": "r", "dry_run": False, "outcomes": {"updated": 2}, "duration_s": 1.25, **fields}
    return RunSummary(**given)


def test_a_difference_shows_each_tag_the_priority_and_the_note() -> None:
    text = difference(an_outcome(OutcomeStatus.PLANNED, change=a_change(7, note="One\nTwo")))
    assert text.splitlines() == [
        "ticket 7 (by m-1)",
        "  + tag ai_processed",
        "  ~ priority - -> high",
        "  + note | One",
        "  + note | Two",
    ]


def test_a_difference_shows_group_and_fields_and_which_field_a_person_has_filled_in() -> None:
    change = a_change(7, group=8, fields={5: "topic"}, fields_kept=(6,), note=None)
    lines = difference(an_outcome(OutcomeStatus.PLANNED, change=change)).splitlines()
    assert lines[-3:] == ["  ~ group - -> 8", "  ~ field 5 -> topic", "    field 6 stays as it is, set already"]
    assert outcome_line(an_outcome(change=change)).endswith("; group - -> 8; field 5 -> topic")


def test_a_summary_tells_who_answered_what_it_cost_and_what_waits() -> None:
    text = summary_text(
        a_summary(
            outcomes={"updated": 2, "failed": 1},
            answered_by={"m-1": 2, "rules": 1},
            reasons={"closed": 1},
            usage=Usage(input=10, output=5),
            cost_usd=0.5,
            retry_list=3,
        ),
        LOG,
    )
    for part in (
        "1 failed, 2 updated",
        "m-1: 2, rules: 1",
        "the ticket is closed; the helpdesk allows no change: 1",
        "10 in, 5 out, $0.5000",
        "later run: 3",
    ):
        assert part in text
    assert str(LOG) in text


def test_where_nobody_watches_there_is_no_bar_and_failures_alone_go_to_the_error_output() -> None:
    watched = Watched()
    with watched.screen.progress("work", total=2) as advance:
        advance(1)
        watched.screen.outcome(an_outcome())
    assert watched.err.getvalue() == ""
    watched.screen.outcome(an_outcome(OutcomeStatus.FAILED))
    assert "failed" in watched.err.getvalue()
    assert "updated" in watched.out.getvalue()
    assert not {"failed", "\x1b"} & {*watched.out.getvalue().split()}


def test_with_json_there_is_exactly_one_object_on_the_output() -> None:
    watched = Watched(as_json=True)
    watched.screen.say("hello")
    watched.screen.notices(["mind the gap"])
    watched.screen.outcome(an_outcome())
    watched.screen.finished(a_summary(dry_run=True), LOG, [an_outcome(OutcomeStatus.PLANNED)])
    (line,) = watched.out.getvalue().splitlines()
    data = json.loads(line)
    assert (data["run_id"], data["outcomes"], data["log"]) == ("r", {"updated": 2}, str(LOG))
    assert data["planned"][0]["change"]["tags_added"] == ["ai_processed"]
    assert "mind the gap" in watched.err.getvalue()


@pytest.mark.parametrize("as_json", [False, True])
def test_why_a_run_ended_early_and_what_is_given_up_is_told_where_cron_looks(as_json: bool) -> None:
    watched = Watched(as_json=as_json)
    watched.screen.finished(a_summary(stopped="the helpdesk is away", dead_letters=5, new_dead_letters=2), LOG)
    ended, given_up = watched.err.getvalue().splitlines()
    assert "ended early: the helpdesk is away" in ended
    assert "2" in given_up
    assert str(LOG) in given_up


def shown_on(
    monkeypatch: pytest.MonkeyPatch, what: str = "work", columns: int = 80, **progress: Any
) -> tuple[str, list[str]]:
    """What a terminal is sent for a bar that moves by one, and its frames as a person reads them."""
    watched = Watched()
    monkeypatch.setattr(watched.err, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    with watched.screen.progress(what, **progress) as advance:
        advance(1)
    sent = watched.err.getvalue()
    frames = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", sent).replace("\r", "\n").splitlines()
    return sent, [frame for frame in frames if frame.strip()]


@pytest.mark.parametrize("columns", [80, 40])
def test_a_bar_is_one_line_at_any_width_and_never_hides_the_cursor(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = "model:gpt-6-luna, [bold]a file with a long name in a folder with a long name.jsonl"
    sent, frames = shown_on(monkeypatch, what, columns, total=100_000)
    assert "1 of 100,000" in frames[-1]
    assert max(map(len, frames)) <= columns
    assert all(frame.startswith("model:") for frame in frames), "no frame goes on in a second line"
    assert "\x1b[?25l" not in sent


# What others wrote

OBEYED = "\x1b[2J\x1b]0;title\x07\x9b31m\u202etxt\u2066\u2028\x7f\rover\b"


@given(st.text(alphabet=st.characters(codec=None)))
def test_nothing_that_a_terminal_obeys_is_printed_and_json_keeps_its_meaning(text: str) -> None:
    shown = harmless(text)
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert "\r" not in shown.replace("\r\n", "")
    assert len(harmless(text, one_line=True).splitlines()) <= 1
    written = json.dumps({"text": text}, ensure_ascii=False)
    assert json.loads(harmless(written)) == json.loads(written)


@pytest.mark.parametrize("terminal", [False, True])
def test_whatever_a_screen_is_given_a_terminal_obeys_none_of_it(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched()
    monkeypatch.setattr(watched.out, "isatty", lambda: terminal)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "300")
    watched.screen.say(OBEYED)
    watched.screen.notices([OBEYED])
    watched.screen.table([("x", OBEYED)])
    watched.screen.blocks([(OBEYED, [f"{OBEYED}\nanother line"])])
    watched.screen.result(OBEYED, {})
    watched.screen.finished(a_summary(remarks=(OBEYED,), stopped=OBEYED, exit_code=3), LOG)
    printed = watched.out.getvalue() + watched.err.getvalue()
    assert not set(OBEYED) & set(printed) - set("[2J]0;title31mtxtover\r\n")
    assert "\nanother line" not in printed
    assert printed.count("\\u001b[2J") == 8


def test_a_long_list_of_reasons_hides_no_subject_from_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    watched, every = Watched(), ("security", "critical", "high_risk", "negative_and_urgent")
    monkeypatch.setattr(watched.out, "isatty", lambda: True)
    tally = RunTally("ai_review", lambda number: f"Subject {number} \x1b[31m" + "and more of it " * 3)
    for number in (1, 2):
        tally.take(an_outcome(ticket_id=number, change=a_change(number, escalated=every)).outcome)
    watched.screen.finished(a_summary(), LOG, tally=tally)
    _, _, table = watched.out.getvalue().partition("Worth a look")
    assert "\x1b[31m" not in table
    for number in (1, 2):
        (line,) = [line for line in table.splitlines() if f"Subject {number}" in line]
        assert "escalated (security, " in line[:80]

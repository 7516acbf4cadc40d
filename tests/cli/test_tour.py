"""What a stranger sees first: the tour shows rightly understood tickets, says who understood them, and leads on."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from typing import Any, NamedTuple

import pytest

from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.seeding.corpus import load_corpus
from ticket_processor.seeding.synthetic import WRONG_CATEGORIES, WRONG_URGENCIES, fair_answers

from .conftest import REPOSITORY, Command
from .terminal import shown_on_a_terminal
from .test_sandbox_command import environment

CORPUS = load_corpus()
MOST_LINES, WIDTH = 120, 80
FREE_LINE = re.compile(r"    |  receipts: ")
"""Commands and paths stay whole, however long they are."""


class Toured(NamedTuple):
    """A tour's output on a terminal of 80 columns, and the last lines of its log by ticket."""

    command: Command
    shown: str
    receipts: dict[int, dict[str, Any]]
    notes: dict[int, str]


def flat(text: str) -> str:
    return re.sub(r"Ref tb-\w+", "Ref", " ".join(text.split()))


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Toured:
    if sys.platform == "win32":
        pytest.skip("Windows has no such terminals")
    command = Command(tmp_path_factory.mktemp("tour"))
    shown = shown_on_a_terminal(command, "run", "--sandbox", TERM="dumb", COLUMNS=str(WIDTH))
    (log,) = (command.logs / "sandbox").glob("*.jsonl")
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    receipts = {line["ticket_id"]: line for line in lines if line["event"] == "ticket"}
    notes = {line["ticket_id"]: line["change"]["note"] for line in lines if (line.get("change") or {}).get("note")}
    return Toured(command, shown, receipts, notes)


def shown_tickets(toured: Toured) -> list[int]:
    return [int(number) for number in re.findall(r"^#(\d+) ", toured.shown, re.MULTILINE)]


def test_every_ticket_is_done_and_the_receipts_stand_apart_from_real_ones(toured: Toured) -> None:
    command, receipts = toured.command, toured.receipts
    assert list(command.logs.glob("*.jsonl")) == []
    assert not command.state.exists()
    assert len(receipts) == len(CORPUS)
    done = [line for line in receipts.values() if line["outcome"] != "skipped"]
    assert len(receipts) - len(done) < 10
    for line in done:
        assert (line["outcome"], line["analysis"]["model"]) == ("updated", "sandbox-model")
        assert "ai_processed" in line["change"]["tags_added"]
        # No code that fenced the ticket in the prompt shows up in a note.
        assert not re.match(r"[0-9a-f]{12}\b", line["analysis"]["summary"])
    assert {"vip", "ai_from_another_tool"} <= set(re.findall(r"\w+", toured.shown))
    (log,) = (command.logs / "sandbox").glob("*.jsonl")
    assert str(log) in toured.shown


def test_no_ticket_that_is_shown_is_understood_otherwise_than_its_labels_say(toured: Toured) -> None:
    numbers = shown_tickets(toured)
    assert len(numbers) == 10
    understood = {number: toured.receipts[number]["analysis"] for number in numbers}
    assert sum(analysis is not None for analysis in understood.values()) >= 7
    for number, analysis in understood.items():
        labels = CORPUS[number - 1].labels.model_dump()
        assert analysis is None or labels == {name: analysis[name] for name in labels}


def test_it_says_who_understands_the_tickets_and_how_often_rightly(toured: Toured) -> None:
    words = flat(toured.shown)
    assert "sandbox-model, an imitation, understands them" in words
    rates = f"misses {WRONG_CATEGORIES:.0%} of the categories and {WRONG_URGENCIES:.0%} of the urgencies"
    assert rates in words
    pairs = [(line["analysis"], CORPUS[number - 1].labels) for number, line in toured.receipts.items()]
    known = [(analysis, labels) for analysis, labels in pairs if analysis]
    categories = sum(analysis["category"] == labels.category for analysis, labels in known)
    urgencies = sum(analysis["urgency"] == labels.urgency for analysis, labels in known)
    assert f"as labelled: {categories} categories and {urgencies} urgencies of {len(known)}" in words


def test_it_fits_on_a_terminal_and_breaks_lines_between_words(toured: Toured) -> None:
    lines = toured.shown.splitlines()
    assert len(lines) <= MOST_LINES
    assert [line for line in lines if len(line) > WIDTH and not FREE_LINE.match(line)] == []
    shown = flat(toured.shown)
    for number in shown_tickets(toured):
        if number in toured.notes:
            assert flat(toured.notes[number]) in shown


def test_the_readme_shows_a_note_of_the_tour_word_for_word(toured: Toured) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (sample,) = re.findall(r"```text\n(Triage: .*?)```", readme, re.DOTALL)
    notes = {flat(toured.notes[number]) for number in shown_tickets(toured) if number in toured.notes}
    assert flat(sample) in notes


def test_the_commands_at_its_end_run_where_they_are_printed(toured: Toured) -> None:
    ours = [shlex.split(line) for line in re.findall(r"^    (\S*ticketbot .+)$", toured.shown, re.MULTILINE)]
    assert [words[1] for words in ours] == ["audit", "sandbox", "init"]
    for words in ours:
        if words[1] == "sandbox":
            process = toured.command.start(*words[1:], "--port", "0")
            environment(process)
            process.send_signal(signal.SIGINT)
            toured.command.end(process)
            continue
        told = subprocess.run(
            words,
            **{**toured.command._surroundings({}), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
            check=False,
        )
        assert (told.returncode, told.stderr) == (0, "")
        assert words[1] != "audit" or "each as it was written" in told.stdout


def test_a_fair_model_misses_about_as_many_labels_as_is_said() -> None:
    tickets = [ticket for ticket in CORPUS if ticket.kind != "machine"]
    answers = [answer for _, answer in fair_answers(tickets, default_taxonomy())]
    for name, said in (("category", WRONG_CATEGORIES), ("urgency", WRONG_URGENCIES)):
        wrong = sum(answer[name] != getattr(row.labels, name) for row, answer in zip(tickets, answers, strict=True))
        assert wrong / len(tickets) == pytest.approx(said, abs=0.03)

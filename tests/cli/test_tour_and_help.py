"""What a stranger sees first: the tour, and help and version, which cost no time at all."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from typing import Any, NamedTuple

import pytest

from ticket_processor import __version__
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
    shown = flat(re.sub(r"(?m)^  note    ", "", toured.shown))
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


COMMANDS = ("run", "seed", "sandbox", "init", "dashboard")
HEAVY = (
    "openai", "requests", "pydantic", "rich", "phonenumbers", "httpx2", "stdnum", "orjson", "dotenv",
    "streamlit", "duckdb",
)  # fmt: skip
TYPER_BRINGS = ["pydantic"]
"""Typer itself imports this to read a command's options."""


def test_the_tour_as_one_object_does_not_touch_the_account_that_is_set(bare: Command) -> None:
    ended = bare(
        "run", "--sandbox", "--json", "--limit", "10",
        ZENDESK_URL="https://production.invalid", ZENDESK_OAUTH_TOKEN="Real-Secret", OPENAI_BASE_URL="https://x.invalid/v1",
    )  # fmt: skip
    told = ended.object
    assert told["outcomes"]["updated"] == 10
    assert told["exit_code"] == 0
    assert told["answered_by"] == {"sandbox-model": 10}
    assert "Real-Secret" not in ended.out + ended.err


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS)], ids=lambda value: " ".join(value) or "all")
def test_help_is_instant_since_nothing_heavy_is_imported(bare: Command, arguments: tuple[str, ...]) -> None:
    script = (
        "import sys, json\n"
        "from ticket_processor.cli import main\n"
        f"sys.argv = ['ticketbot', *{arguments!r}, '--help']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        f"    found = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "    print(json.dumps([end.code or 0, found]), file=sys.stderr)\n"
    )
    ended = bare.end(bare.python("-c", script))
    code, heavy = json.loads(ended.err)
    assert code == 0
    assert heavy == [] or (arguments and heavy == TYPER_BRINGS)
    assert "Usage: ticketbot" in ended.out
    assert "--help" in ended.out
    assert "\x1b" not in ended.out
    if not arguments:
        assert all(f"  {name} " in ended.out for name in COMMANDS)
        assert "75 another run is active" in ended.out


@pytest.mark.parametrize("arguments", [("--help",), ("audit", "--help"), ("rnu",), ("audit", "verfy")], ids=" ".join)
def test_a_list_of_commands_and_a_wrong_name_import_no_command(bare: Command, arguments: tuple[str, ...]) -> None:
    script = (
        "import sys, json\n"
        "from ticket_processor.cli import main\n"
        f"sys.argv = ['ticketbot', *{arguments!r}]\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    found = [name for name in sys.modules if name.startswith('ticket_processor.commands.')]\n"
        "    print(json.dumps(sorted(name.rpartition('.')[2] for name in found)))\n"
    )
    ended = bare.end(bare.python("-c", script))
    assert json.loads(ended.out.splitlines()[-1]) == ["command_group"]
    assert re.search(r"(Begin|Commands):", ended.out) or "Did you mean" in ended.err


def test_help_lists_what_one_begins_with_first(bare: Command) -> None:
    shown = bare("--help", COLUMNS="80").out
    headings = re.findall(r"^(\w[\w ]*):$", shown, re.MULTILINE)
    assert headings == ["Options", "Begin", "Every day", "Quality", "Operate"]
    assert shown.index("\n  init ") < shown.index("\n  run ") < shown.index("\n  eval ") < shown.index("\n  schedule ")
    assert "--install-completion" in shown


@pytest.mark.parametrize(("words", "found"), [("re", {"retry", "report", "redact"}), ("audit v", {"verify"})])
def test_a_shell_completes_names_of_commands_without_importing_one(bare: Command, words: str, found: set[str]) -> None:
    script = (
        "import sys, json\n"
        "from ticket_processor.cli import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(json.dumps([name for name in sys.modules if name.startswith('ticket_processor.commands.')]))\n"
    )
    environ = {"COMP_WORDS": f"ticketbot {words}", "COMP_CWORD": str(words.count(" ") + 1)}
    ended = bare.end(bare.python("-c", script, _TICKETBOT_COMPLETE="complete_bash", **environ))
    *names, imported = ended.out.splitlines()
    assert set(names) == found
    assert {name.rpartition(".")[2] for name in json.loads(imported)} == {"command_group"}


def test_a_run_without_replies_loads_neither_articles_nor_drafts(bare: Command) -> None:
    script = (
        "import sys, json\n"
        "from ticket_processor.cli import main\n"
        "sys.argv = ['ticketbot', 'run', '--sandbox', '--no-llm', '--limit', '2']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    parts = ('ticket_processor.knowledge.', 'ticket_processor.replies.', 'ticket_processor.wiring.')\n"
        "    print(json.dumps([name.partition('.')[2] for name in sys.modules if name.startswith(parts)]))\n"
    )
    loaded = set(json.loads(bare.end(bare.python("-c", script)).out.splitlines()[-1]))
    assert "wiring.runs" in loaded
    assert not loaded & {"wiring.answers", "wiring.knowledge", "knowledge.store", "knowledge.search", "replies.writer"}


def test_the_version_is_told(bare: Command) -> None:
    assert bare("--version", fresh=True).out == f"ticketbot {__version__}\n"


def test_without_a_command_help_is_shown_and_it_is_2(bare: Command) -> None:
    ended = bare(code=2, fresh=True)
    assert "Begin:" in ended.out + ended.err


@pytest.mark.parametrize("group", [(), ("audit",), ("schedule",), ("retry",), ("learn",)], ids=str)
def test_each_line_of_a_list_of_commands_is_a_whole_sentence(bare: Command, group: tuple[str, ...]) -> None:
    listed = bare(*group, "--help", COLUMNS="80").out
    listed = re.split(r"Begin:|Commands:", listed)[1].partition("\n  Exit codes")[0].splitlines()
    lines = [line for line in listed if line.startswith("  ")]
    assert lines
    assert [line for line in lines if line.endswith("...") or not line.endswith(".")] == []


def test_the_sandboxs_options_say_what_they_take(bare: Command) -> None:
    shown = bare("sandbox", "--help").out
    assert "--plan PLAN" in shown
    assert "<" not in shown.replace("<=", "")

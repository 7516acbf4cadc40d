"""What a stranger sees first: the tour, and help and version, which cost no time at all."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys

import pytest

from ticket_processor import __version__
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.seeding.corpus import load_corpus
from ticket_processor.seeding.synthetic import WRONG_CATEGORIES, WRONG_URGENCIES, fair_answers

from ..support.help_text import help_text
from .conftest import REPOSITORY, Command, Desk
from .terminal import shown_on_a_terminal
from .test_sandbox_command import environment

CORPUS = load_corpus()
MOST_LINES, WIDTH = 120, 80
FREE_LINE = re.compile(r"    |  receipts: ")
"""Commands and paths stay whole, however long they are."""


def flat(text: str) -> str:
    return re.sub(r"Ref tb-\w+", "Ref", " ".join(text.split()))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_the_tour_shows_what_it_did_on_one_page_and_its_commands_run_where_they_are_printed(bare: Command) -> None:
    shown = shown_on_a_terminal(bare, "run", "--sandbox", TERM="dumb", COLUMNS=str(WIDTH))
    words, numbers = flat(shown), [int(number) for number in re.findall(r"^#(\d+) ", shown, re.MULTILINE)]
    (log,) = (bare.logs / "sandbox").glob("*.jsonl")
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    receipts = {line["ticket_id"]: line for line in lines if line["event"] == "ticket"}
    notes = {line["ticket_id"]: line["change"]["note"] for line in lines if (line.get("change") or {}).get("note")}

    # Every ticket is done, and the receipts stand apart from real ones.
    assert list(bare.logs.glob("*.jsonl")) == []
    assert not bare.state.exists()
    assert str(log) in shown
    assert len(receipts) == len(CORPUS)
    done = [line for line in receipts.values() if line["outcome"] != "skipped"]
    assert len(receipts) - len(done) < 10
    for line in done:
        assert (line["outcome"], line["analysis"]["model"]) == ("updated", "sandbox-model")
        assert "ai_processed" in line["change"]["tags_added"]
        # No code that fenced the ticket in the prompt shows up in a note.
        assert not re.match(r"[0-9a-f]{12}\b", line["analysis"]["summary"])
    assert {"vip", "ai_from_another_tool"} <= set(re.findall(r"\w+", shown))

    # No ticket that is shown is understood otherwise than its labels say; how often the model is right is said.
    assert len(numbers) == 10
    known = {number: line["analysis"] for number, line in receipts.items() if line["analysis"]}
    assert sum(number in known for number in numbers) >= 7
    for number in known.keys() & set(numbers):
        labels = CORPUS[number - 1].labels.model_dump()
        assert labels == {name: known[number][name] for name in labels}
    assert "sandbox-model, an imitation, understands them" in words
    assert f"misses {WRONG_CATEGORIES:.0%} of the categories and {WRONG_URGENCIES:.0%} of the urgencies" in words
    categories, urgencies = (
        sum(one[name] == getattr(CORPUS[number - 1].labels, name) for number, one in known.items())
        for name in ("category", "urgency")
    )
    assert f"as labelled: {categories} categories and {urgencies} urgencies of {len(known)}" in words

    # It fits on a terminal and breaks lines between words; the README shows one of its notes.
    assert len(shown.splitlines()) <= MOST_LINES
    assert [line for line in shown.splitlines() if len(line) > WIDTH and not FREE_LINE.match(line)] == []
    whole = {flat(notes[number]) for number in numbers if number in notes}
    assert [note for note in whole if note not in flat(re.sub(r"(?m)^  note    ", "", shown))] == []
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (sample,) = re.findall(r"```text\n(Triage: .*?)```", readme, re.DOTALL)
    assert flat(sample) in whole

    ours = [shlex.split(line) for line in re.findall(r"^    (\S*ticketbot .+)$", shown, re.MULTILINE)]
    assert [arguments[1] for arguments in ours] == ["audit", "sandbox", "init"]
    for arguments in ours:
        if arguments[1] == "sandbox":
            process = bare.start(*arguments[1:], "--port", "0")
            environment(process)
            process.send_signal(signal.SIGINT)
            bare.end(process)
            continue
        told = subprocess.run(arguments, **bare._surroundings({}), check=False)
        assert (told.returncode, told.stderr) == (0, "")
        assert arguments[1] != "audit" or "each as it was written" in told.stdout


def test_a_fair_model_misses_about_as_many_labels_as_is_said() -> None:
    tickets = [ticket for ticket in CORPUS if ticket.kind != "machine"]
    answers = [answer for _, answer in fair_answers(tickets, default_taxonomy())]
    for name, said in (("category", WRONG_CATEGORIES), ("urgency", WRONG_URGENCIES)):
        wrong = sum(answer[name] != getattr(row.labels, name) for row, answer in zip(tickets, answers, strict=True))
        assert wrong / len(tickets) == pytest.approx(said, abs=0.03)


HEAVY = {
    "openai", "requests", "pydantic", "rich", "phonenumbers", "httpx2", "stdnum", "dotenv", "streamlit", "duckdb",
    "fastapi", "uvicorn", "starlette", "argon2", "itsdangerous", "nh3", "markdown_it",
}  # fmt: skip
TYPER_BRINGS = {"pydantic"}
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


@pytest.mark.parametrize("arguments", [("run",), ("dashboard",), ("portal",), ("serve",)], ids=" ".join)
def test_help_of_a_command_is_instant_since_nothing_heavy_is_imported(bare: Command, arguments: tuple[str]) -> None:
    ended, modules = bare.loaded(*arguments, "--help")
    assert (ended.code, modules & (HEAVY - {"requests"} if arguments == ("serve",) else HEAVY)) == (0, TYPER_BRINGS)
    assert f"Usage: ticketbot {arguments[0]}" in ended.out
    assert "\x1b" not in ended.out


def completing(words: str) -> dict[str, str]:
    found = {"COMP_WORDS": f"ticketbot {words}", "COMP_CWORD": str(words.count(" ") + 1)}
    return {"_TICKETBOT_COMPLETE": "complete_bash", **found}


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (("--help",), {}, r"\n  dashboard .*75 another run is active"),
        (("audit", "--help"), {}, "Commands:"),
        (("rnu",), {}, "Did you mean"),
        (("audit", "verfy"), {}, "Did you mean"),
        ((), completing("re"), "^(?=.*retry)(?=.*report)(?=.*redact)"),
        ((), completing("audit v"), "^verify$"),
    ],
)
def test_lists_completion_and_a_wrong_name_import_no_command(
    bare: Command, arguments: tuple[str, ...], environ: dict[str, str], said: str
) -> None:
    ended, modules = bare.loaded(*arguments, **environ)
    commands = {name for name in modules if name.startswith("ticket_processor.commands.")}
    assert commands == {"ticket_processor.commands.command_group"}
    assert modules & HEAVY <= (set() if arguments == ("--help",) else TYPER_BRINGS)
    assert re.search(said, (ended.out + ended.err.rpartition("[")[0]).strip(), re.DOTALL)


def test_help_lists_what_one_begins_with_first(bare: Command) -> None:
    shown = bare("--help", COLUMNS="80").out
    headings = re.findall(r"^(\w[\w ]*):$", shown, re.MULTILINE)
    assert headings == ["Options", "Begin", "Every day", "Quality", "Operate"]
    assert shown.index("\n  init ") < shown.index("\n  run ") < shown.index("\n  eval ") < shown.index("\n  schedule ")
    assert "--install-completion" in shown


NOT_OF_A_RUN = re.compile(
    r"ticket_processor\.(learning|dashboard|web\.portal|knowledge\.(store|search)|replies\.writer|wiring\.(answers|knowledge)"
    r"|helpdesk\.local_|settings\.local)|(streamlit|dask|distributed|sklearn|fastapi|uvicorn|nh3|argon2)$"
)
"""Modules that a run loads only if its settings ask for them: drafts, learning, clusters, local helpdesk, pages."""


def test_a_run_loads_nothing_that_it_does_not_use(desk: Desk) -> None:
    _, modules = desk.loaded("run", "--since", "1d")
    desk.assert_done()
    assert "ticket_processor.wiring.runs" in modules
    assert [*filter(NOT_OF_A_RUN.match, modules)] == []


def test_the_version_is_told(bare: Command) -> None:
    assert bare("--version", fresh=True).out == f"ticketbot {__version__}\n"


def test_without_a_command_help_is_shown_and_it_is_2(bare: Command) -> None:
    ended = bare(code=2, fresh=True)
    assert "Begin:" in ended.out + ended.err


@pytest.mark.parametrize("group", [(), ("audit",), ("schedule",), ("retry",), ("learn",)], ids=str)
def test_each_line_of_a_list_of_commands_is_a_whole_sentence(group: tuple[str, ...]) -> None:
    listed = re.split(r"Begin:|Commands:", help_text(*group))[1].partition("\n  Exit codes")[0].splitlines()
    lines = [line for line in listed if line.startswith("  ")]
    assert lines
    assert [line for line in lines if line.endswith("...") or not line.endswith(".")] == []

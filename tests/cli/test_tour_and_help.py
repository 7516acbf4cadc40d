"""The two-minute tour, and what costs no time at all: help and version."""

from __future__ import annotations

import json
import re

import pytest

from ticket_processor import __version__

from .conftest import Command

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

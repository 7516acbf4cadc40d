"""The README is tested: what it lists exists, and what exists is listed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ticket_processor.core.errors import ExitCode
from ticket_processor.core.models import OutcomeStatus
from ticket_processor.seeding.corpus import load_corpus
from ticket_processor.settings.variables import CONFIG_VARIABLE, VARIABLES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = (
    "run",
    "apply",
    "analyse",
    "redact",
    "seed",
    "eval",
    "backtest",
    "sandbox",
    "init",
    "retry list",
    "retry run",
    "retry drop",
    "undo",
    "health",
    "schedule install",
    "schedule show",
    "schedule remove",
    "alerts test",
    "alerts list",
    "audit verify",
    "audit show",
    "audit export",
    "audit erase",
    "audit cat",
    "taxonomy show",
    "taxonomy check",
    "train",
    "dashboard",
    "report",
    "escalated",
)


def _row(command: str) -> str:
    return next(line for line in README.splitlines() if line.startswith(f"| `ticketbot {command}`"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_in_its_row_and_no_other(command: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "ticket_processor", *command.split(), "--help"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    ).stdout
    offered = set(re.findall(r"^\s+(--[a-z-]+)", shown, re.MULTILINE)) - {"--help"}
    listed = set(re.findall(r"--[a-z][a-z-]+", _row(command)))
    assert offered == listed


def test_every_command_is_listed() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "ticket_processor", "--help"], capture_output=True, text=True, check=True
    ).stdout
    offered = re.findall(r"^  ([a-z]+)  ", shown[shown.index("Commands:") :], re.MULTILINE)
    assert sorted(offered) == sorted({command.split()[0] for command in COMMANDS})


def test_every_variable_is_listed_with_whether_it_is_a_secret() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \|.*\| (yes|) ?\|$", README, re.MULTILINE))
    assert set(rows) == {*VARIABLES, CONFIG_VARIABLE}
    assert {name for name, secret in rows.items() if secret} == {
        name for name, variable in VARIABLES.items() if variable.secret
    }


def test_every_exit_code_and_outcome_is_listed() -> None:
    table = README[README.index("### Exit codes") : README.index("## Settings")]
    listed = {
        int(number)
        for line in table.splitlines()
        for number in re.findall(r"\d+", line.split("|")[1:2][0] if "|" in line else "")
    }
    assert listed == {int(code) for code in ExitCode}
    assert all(f"`{status.value}`" in README for status in OutcomeStatus)


def test_the_number_of_invented_tickets_is_told_right() -> None:
    told = re.search(r"with (\d+) invented\s+tickets", README)
    assert told is not None
    assert int(told[1]) == len(load_corpus())


def test_every_file_and_script_that_is_named_exists() -> None:
    house = README[README.index("## The house") :]
    for name in re.findall(r"`([a-z_]+\.py)`", house):
        assert (ROOT / "ticket_processor" / name).is_file(), name
    for name in re.findall(r"scripts/[a-z_]+\.py", README):
        assert (ROOT / name).is_file(), name


def test_every_module_has_its_place_in_the_house() -> None:
    house = README[README.index("## The house") :]
    modules = {path.name for path in (ROOT / "ticket_processor").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert modules == set(re.findall(r"`([a-z_]+\.py)`", house))


def test_the_tests_are_told_by_one_command_that_ci_uses_too() -> None:
    assert "python scripts/run_tests.py" in README
    assert "scripts/run_tests.py" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")

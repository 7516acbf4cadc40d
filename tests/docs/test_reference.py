"""The pages about commands, settings and reasons are what the program says of itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from ticket_processor.core.errors import ExitCode
from ticket_processor.settings.sources import CONFIG_VARIABLE, VARIABLES

ROOT = Path(__file__).resolve().parents[2]


def test_the_pages_are_as_the_script_writes_them() -> None:
    script = [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"]
    ended = subprocess.run(script, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_nothing_is_listed_without_a_word_about_it() -> None:
    for name in ("commands.md", "settings.md", "reasons.md", "report-figures.md"):
        rows = re.findall(r"^\| (.*) \|$", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.MULTILINE)
        cells = [re.split(r" (?<!\\)\| ", row) for row in rows]
        meaning = -1 if name == "settings.md" else 1
        assert [each[0] for each in cells if not each[meaning].strip()] == []


def test_every_exit_code_and_every_variable_has_its_row() -> None:
    commands = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", commands, re.MULTILINE)} == {
        int(code) for code in ExitCode
    }
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (yes|) \| ", settings, re.MULTILINE))
    assert set(rows) == {*VARIABLES, CONFIG_VARIABLE}
    assert {name for name, secret in rows.items() if secret} == {
        name for name, variable in VARIABLES.items() if variable.secret
    }

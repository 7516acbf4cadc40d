"""What is typed for a part of ticketbot that is not installed: by the Python that runs it, in any shell."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
from pathlib import Path

import pytest

from ticket_processor.core import errors
from ticket_processor.core.errors import how_to_install

PACKAGE = Path(errors.__file__).parent


@pytest.fixture
def python(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Fakes of the interpreter, in which pip and ticketbot are installed."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: name)
    monkeypatch.setattr(errors.os, "name", "posix")
    return monkeypatch


def test_the_extra_is_added_to_the_python_that_runs_ticketbot(python: pytest.MonkeyPatch) -> None:
    python.setattr(sys, "executable", "/srv/ticketbot/.venv/bin/python")
    assert how_to_install("alerts") == '/srv/ticketbot/.venv/bin/python -m pip install "ticketbot[alerts]"'


@pytest.mark.parametrize(
    ("system", "executable", "first"),
    [
        ("posix", "/home/Ann Smith/venv/bin/python", "'/home/Ann Smith/venv/bin/python' -m pip"),
        ("nt", r"C:\Users\Ann Smith\venv\Scripts\python.exe", r'"C:\Users\Ann Smith\venv\Scripts\python.exe" -m pip'),
        ("nt", r"C:\ticketbot\.venv\Scripts\python.exe", r"C:\ticketbot\.venv\Scripts\python.exe -m pip"),
        ("posix", "", "python -m pip"),
    ],
    ids=["a space", "a space on Windows", "no space on Windows", "no path known"],
)
def test_its_path_is_quoted_where_the_shell_needs_it(
    python: pytest.MonkeyPatch, system: str, executable: str, first: str
) -> None:
    python.setattr(errors.os, "name", system)
    python.setattr(sys, "executable", executable)
    told = how_to_install("report")
    assert told.startswith(f"{first} install ")
    assert told.endswith('install "ticketbot[report]"')  # cmd.exe knows no other quotation marks


def test_no_message_of_the_program_has_a_command_of_its_own() -> None:
    own = [
        path.name
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "errors.py" and re.search(r"pip install|ticketbot\[", path.read_text(encoding="utf-8"))
    ]
    assert own == []

"""How well keyword rules do on labelled tickets, by ``ticketbot eval``; the tickets are no part of the project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..support.fork_server import run
from .figures import assert_as_recorded

LABELLED = [folder / "shared" / "data" for folder in Path(__file__).resolve().parents[2:]]
FILES = (
    "banking77 bitext_support bug_severity cfpb_complaints clinc_support github_issues it_service tickets_german "
    "tickets_multilang"
).split()
ROWS = 300
"""Of each file."""
WITHIN = 0.005

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_the_rules_find_category_and_urgency_as_well_as_they_did(tmp_path: Path) -> None:
    folder = next((each for each in LABELLED if each.is_dir()), None)
    if folder is None:
        pytest.skip("there is no folder shared/data with labelled tickets above this project")
    files = [str(folder / f"{name}.jsonl.gz") for name in FILES]
    command = ["eval", *files, "--analyser", "rules", "--limit", str(ROWS), "--json"]
    done = run(command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (rules,) = json.loads(done.stdout)["analysers"]
    found = {f"{name}.macro_f1": rules["mean"][name]["macro_f1"] for name in ("category", "urgency")}
    assert_as_recorded("eval", found, within=WITHIN)

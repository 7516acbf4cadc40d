"""Figures that a known input came to once, and comes to still."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import pytest

from ticket_processor.audit.files import events

from ..support.fork_server import run
from ..support.made_up_log import write_log
from .figures import assert_as_recorded, numbers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_report_comes_to_the_same_figures_as_it_did(tmp_path: Path) -> None:
    write_log(tmp_path / "logs", 46_600, 28, end=datetime(2026, 9, 29, tzinfo=UTC))
    receipts = sum(line["event"] == "ticket" for _, line in events(tmp_path / "logs"))
    assert 20_000 <= receipts < 21_000
    environment = {**os.environ, "TICKETBOT_LOG_DIR": str(tmp_path / "logs")}
    found = {"receipts": float(receipts)}
    for name, since in (("four weeks", "2026-09-01"), ("the last one", "2026-09-22")):
        command = ["report", "--since", since, "--until", "2026-09-29", "--json"]
        done = run(command, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        found |= numbers(json.loads(done.stdout), name)
    assert_as_recorded("report", found)


# How well keyword rules do on labelled tickets, by ``ticketbot eval``; the tickets are no part of the project


LABELLED = [folder / "shared" / "data" for folder in Path(__file__).resolve().parents[2:]]
FILES = (
    "banking77 bitext_support bug_severity cfpb_complaints clinc_support github_issues it_service tickets_german "
    "tickets_multilang"
).split()
ROWS = 300
"""Of each file."""
WITHIN = 0.005


def test_the_rules_find_category_and_urgency_as_well_as_they_did(tmp_path: Path) -> None:
    folder = next((each for each in LABELLED if each.is_dir()), None)
    if folder is None:
        pytest.skip("there is no folder shared/data with labelled tickets above this project")
    files = [str(folder / f"{name}.jsonl.gz") for name in FILES]
    command = ["eval", *files, "--analyser", "rules", "--limit", str(ROWS), "--json"]
    done = run(command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (rules,) = json.loads(done.stdout)["analysers"]
    found = {}
    for name in ("category", "urgency"):
        fields = [source["fields"][name] for source in rules["sources"] if name in source["fields"]]
        found[f"{name}.macro_f1"] = fmean(field["macro_f1"] for field in fields)
    assert_as_recorded("eval", found, within=WITHIN)

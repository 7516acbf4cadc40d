"""``ticketbot report`` over what real runs have logged: the figures are theirs, and nobody is asked or written to."""

from __future__ import annotations

import json
import os
import re
import stat

import pytest

from ..support.cases import for_each
from .conftest import Command, Desk, OpenDesk
from .mailbox import mailbox

SECRET = "hunter2-canary"


@pytest.fixture
def triaged(open_desk: OpenDesk) -> Desk:
    """Eight tickets by rules; one run that had all to do, one that had nothing."""
    desk = open_desk(8)
    desk("run", "--since", "1d")
    desk("run")
    desk.seen.clear()
    return desk


def test_it_needs_neither_an_account_nor_a_state_and_changes_no_line_of_the_log(triaged: Desk, bare: Command) -> None:
    before = {path.name: path.read_bytes() for path in triaged.logs.iterdir() if path.is_file()}
    ended = bare(
        "report", "--details", TICKETBOT_LOG_DIR=str(triaged.logs), TICKETBOT_STATE_DIR=str(bare.folder / "nowhere")
    )
    assert "fallback rate 0.0%" in re.sub(" +", " ", ended.out)
    assert ended.out.startswith("Triage report: no account named in the settings, 20")
    assert "no model is configured" in ended.out
    assert not (bare.folder / "nowhere").exists()
    assert {path.name: path.read_bytes() for path in triaged.logs.iterdir() if path.is_file()} == before


def test_a_report_is_forty_lines_of_which_details_has_the_rest(triaged: Desk) -> None:
    brief = triaged("report", "--since", "2h").out.splitlines()
    whole = triaged("report", "--since", "2h", "--details").out
    assert len(brief) <= 40
    assert [line for line in brief if line[:1] not in ("", " ")][1:-1] == ["Overview", "Tickets", "Service levels"]
    assert brief[-1].startswith("--details adds ")
    assert "why no model" not in "\n".join(brief)
    assert re.search("why no model +no model is configured", whole)
    assert "_" not in whole.replace("feature_request", "").split("Escalated last")[0]


def test_files_are_written_where_they_were_asked_for_and_for_their_owner_alone(triaged: Desk) -> None:
    files = [triaged.folder / "out" / f"week.{ending}" for ending in ("html", "csv", "MD", "json")]
    page, table, markdown, data = files
    page.parent.mkdir()
    ended = triaged("report", *(part for file in files for part in ("--out", str(file))), "--json")
    assert ended.object["totals"]["tickets"] == 8
    text = page.read_text(encoding="utf-8")
    assert text.count("<table") > 1
    assert "no model is configured" in text
    assert "Overview,tickets,8," in table.read_text(encoding="utf-8")
    assert "| tickets | 8 |" in markdown.read_text(encoding="utf-8")
    assert json.loads(data.read_text(encoding="utf-8")) == ended.object
    if os.name == "posix":
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@for_each(
    ("place", "words"),
    [
        ("typo/week.md", "there is no folder"),
        ("file/week.md", "there is no folder"),
        ("there", "this is a folder"),
        ("week.pdf", "its ending says the format, and must be one of .html, .md, .csv, .json"),
    ],
)
def test_a_file_that_cannot_be_written_is_told_at_once(triaged: Desk, place: str, words: str) -> None:
    (triaged.folder / "there").mkdir(exist_ok=True)
    (triaged.folder / "file").write_text("kept", encoding="utf-8")
    before = sorted(triaged.folder.iterdir())
    ended = triaged("report", "--out", place, "--overrides", code=2)
    assert f"--out {os.path.normpath(place)}: {words}" in ended.err
    assert sorted(triaged.folder.iterdir()) == before
    assert (triaged.folder / "file").read_text(encoding="utf-8") == "kept"
    assert triaged.seen == []


def test_a_mail_that_is_not_taken_is_told_without_its_address(triaged: Desk) -> None:
    with mailbox() as box:
        box.refusing = True
        url = box.url.replace("mailto://", f"mailto://user:{SECRET}@")
        ended = triaged("report", "--mail", "--json", code=3, TICKETBOT_ALERT_URLS=url)
    assert "the report was not mailed to mailto (no. 1 of TICKETBOT_ALERT_URLS)" in ended.err
    assert SECRET not in ended.err + ended.out
    assert "team@example.com" not in ended.err + ended.out

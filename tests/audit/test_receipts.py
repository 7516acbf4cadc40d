from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.audit.files import read_events
from ticket_processor.audit.lines import encode
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.errors import AuditUnwritable
from ticket_processor.core.models import Outcome, OutcomeStatus, Usage
from ticket_processor.core.run_summary import RunSummary

from ..support.bad_disk import Disk
from ..support.fakes import ManualClock, a_change, an_analysis


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def audit(tmp_path: Path, clock: ManualClock) -> Iterator[AuditLog]:
    audit = AuditLog(tmp_path / "logs", clock, "run-x")
    yield audit
    audit.close()


def events(audit: AuditLog) -> list[dict[str, Any]]:
    return list(read_events(audit.path))


def an_outcome(**fields: Any) -> Outcome:
    given: dict[str, Any] = {
        "ticket_id": 7,
        "status": OutcomeStatus.UPDATED,
        "reason": "by m-1",
        "analysis": an_analysis(usage=Usage(input=10, output=5, cached=2), cost_usd=0.001, attempts=2),
        "change": a_change(7),
        "attempts": 1,
        "timings_ms": {"analyse": 3, "write": 4, "total": 7},
        **fields,
    }
    return Outcome(**given)


def test_a_ticket_line_holds_everything_the_contract_names(audit: AuditLog) -> None:
    audit.ticket(an_outcome())
    (line,) = events(audit)
    assert re.fullmatch(r"2026-11-21T03:30:00\.000Z", line["ts"])
    assert (line["event"], line["run_id"], line["ticket_id"]) == ("ticket", "run-x", 7)
    assert (line["outcome"], line["reason"]) == ("updated", "by m-1")
    analysis = line["analysis"]
    names = ("category", "urgency", "sentiment", "language", "summary", "confidence", "source", "model")
    assert [analysis[name] for name in names] == [
        *("billing", "high", "negative", "en", "Charged twice.", 0.9, "model", "m-1")
    ]
    change = line["change"]
    assert change["tags_added"] == ["ai_processed"]
    assert change["tags_removed"] == []
    assert change["priority"] == {"from": None, "to": "high"}
    assert change["note"] == "Triage: billing."
    assert line["attempts"] == {"analyse": 2, "write": 1}
    assert line["tokens"] == {"input": 10, "output": 5, "cached": 2}
    assert line["cost_usd"] == 0.001
    assert line["timings_ms"] == {"analyse": 3, "write": 4, "total": 7}


def test_a_ticket_that_was_skipped_has_the_same_keys_with_nothing_in_them(audit: AuditLog) -> None:
    audit.ticket(an_outcome())
    audit.ticket(Outcome(ticket_id=8, status=OutcomeStatus.SKIPPED, reason="closed"))
    full, bare = events(audit)
    assert full.keys() - {"personal"} == bare.keys()
    assert (bare["analysis"], bare["change"], bare["cost_usd"]) == (None, None, None)
    assert bare["tokens"] == {"input": 0, "output": 0, "cached": 0}
    assert bare["timings_ms"] == {"analyse": 0, "write": 0, "total": 0}


def test_group_and_fields_are_told_from_and_to_and_what_people_wrote_is_not(audit: AuditLog) -> None:
    change = a_change(7, group=8, fields={5: "topic"}, fields_kept=(6,))
    audit.ticket(an_outcome(change=change))
    audit.ticket(an_outcome(change=a_change(7, group_before=9)))
    first, second = (line["change"] for line in events(audit))
    assert first["group"] == {"from": None, "to": 8}
    assert first["fields"] == {"5": {"from": None, "to": "topic"}}
    assert second["group"] == {"from": 9, "to": 9}
    assert second["fields"] == {}
    text = audit.path.with_suffix(".log").read_text(encoding="utf-8").splitlines()
    assert "group - -> 8; field 5 -> topic" in text[0]
    assert "group" not in text[1]


def test_a_run_is_framed_by_its_first_and_last_line(audit: AuditLog) -> None:
    audit.run_started(since=None, limit=3)
    audit.intent(a_change(7, intent=audit.new_intent()))
    audit.alert("dead_letter", ticket_id=7)
    audit.run_finished(RunSummary(run_id="run-x", dry_run=False, seen=1, outcomes={"updated": 1}))
    names = [line["event"] for line in events(audit)]
    assert names == ["run_started", "intent", "alert", "run_finished"]
    assert {line["run_id"] for line in events(audit)} == {"run-x"}
    assert all({"ts", "event", "run_id"} <= line.keys() for line in events(audit))


def test_an_intent_line_tells_what_is_about_to_be_sent(audit: AuditLog) -> None:
    change = a_change(7, intent="run-x-1")
    audit.intent(change)
    (line,) = events(audit)
    assert (line["ticket_id"], line["intent"]) == (7, "run-x-1")
    assert (line["change"]["stamp"], line["change"]["key"]) == (change.stamp, change.key)


def test_people_get_a_line_of_text_beside_it(audit: AuditLog) -> None:
    audit.ticket(an_outcome())
    text = audit.path.with_suffix(".log").read_text(encoding="utf-8")
    assert text.startswith("2026-11-21T03:30:00.000Z run-x ticket 7 updated (by m-1)")
    assert "+ ai_processed" in text
    assert "priority - -> high" in text


# Whatever is written can be read again

ODD = st.one_of(
    st.text(),
    st.text(alphabet=st.characters(codec=None, categories=["Cs", "Cc", "Zl", "Zp", "Lu"])),
    st.sampled_from(["\ud800", "a\udfffb", "\u2028", "\u2029", "\r\n", "\x85", "\x00", "😀\ud83d", "\ufeff"]),
)
SCALARS = st.one_of(ODD, st.integers(), st.integers(10**20, 10**500), st.floats(), st.booleans(), st.none())
FACTS = st.dictionaries(
    ODD, st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner, max_size=3))
)


def joined(text: str) -> str:
    """Two halves of one character side by side are that character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@given(facts=FACTS)
def test_whatever_a_line_holds_it_is_one_line_and_comes_back(tmp_path_factory: Any, facts: dict[str, Any]) -> None:
    data = encode({"event": "x", "facts": facts})
    assert data.endswith(b"\n")
    assert len(data.decode("utf-8").splitlines()) == 1
    path = tmp_path_factory.getbasetemp() / "odd.jsonl"
    path.write_bytes(data * 2)
    back = list(read_events(path))
    assert len(back) == 2
    assert back[0]["event"] == "x"
    assert set(back[0]["facts"]) == {joined(name) for name in facts}


# The file


def test_a_torn_last_line_is_removed_and_told(audit: AuditLog) -> None:
    audit.path.parent.mkdir()
    audit.path.write_bytes(b'{"event": "whole"}\n{"event": "to')
    audit.alert("after")
    whole, after, told = events(audit)
    assert (whole["event"], after["what"], told["what"], told["bytes"]) == ("whole", "after", "torn_line_repaired", 13)
    assert b'{"event": "to\n' not in audit.path.read_bytes()


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no such protection here")
def test_a_log_that_is_a_link_to_elsewhere_is_not_followed(audit: AuditLog, tmp_path: Path) -> None:
    audit.path.parent.mkdir()
    audit.path.symlink_to(tmp_path / "target")
    with pytest.raises(AuditUnwritable):
        audit.alert("x")
    assert not (tmp_path / "target").exists()


def test_the_last_line_of_a_run_is_on_the_disk_when_it_has_ended(audit: AuditLog, tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    with disk.at_work():
        audit.run_started()
        audit.run_finished(RunSummary(run_id="r", dry_run=False))
    done = [each for each in disk.operations if each.endswith(".jsonl")]
    assert done[-2:] == [f"write {audit.path.name}", f"fsync {audit.path.name}"]

from __future__ import annotations

import base64
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticket_processor.audit.files import events
from ticket_processor.audit.lines import Keyring
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.clock import iso
from ticket_processor.core.errors import CannotRun, ConfigError, how_to_install
from ticket_processor.core.models import Outcome, OutcomeStatus, Usage
from ticket_processor.reporting.index import LogIndex

from ..support.fakes import START, ManualClock, a_change, an_analysis
from ..support.log_days import TODAY, at, receipt, write_day, write_log

CANARY = "Zzyzx Quillfeather"
CALM = settings(
    max_examples=settings.default.max_examples // 2,  # each is a database
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def opened(folder: Path, **wishes: Any) -> LogIndex:
    return LogIndex(folder, lambda: START, **wishes)


def tickets(folder: Path, table: str = "work", **wishes: Any) -> list[int]:
    with opened(folder, **wishes) as index:
        return [number for (number,) in index.query(f"SELECT ticket_id FROM {table} ORDER BY ts, day, n")]


@pytest.fixture
def keys() -> Keyring:
    return Keyring([base64.b64encode(os.urandom(32)).decode()])


def test_a_receipt_comes_out_as_it_was_written(tmp_path: Path) -> None:
    clock = ManualClock()
    audit = AuditLog(tmp_path, clock, "run-x")
    analysis = an_analysis(
        usage=Usage(input=10, output=5, cached=2), cost_usd=0.25, attempts=2, suspicious=("tells_a_model",)
    )
    change = a_change(7, tags_added=("ai_processed", "ai_review"), escalated=("legal", "urgent"), intent="run-x-1")
    timings = {"analyse": 3, "write": 4, "total": 7}
    audit.ticket(
        Outcome(
            ticket_id=7,
            status=OutcomeStatus.UPDATED,
            reason="by m-1",
            analysis=analysis,
            change=change,
            attempts=1,
            timings_ms=timings,
        )
    )
    audit.ticket(Outcome(ticket_id=8, status=OutcomeStatus.SKIPPED, reason="closed"))
    audit.close()
    with opened(tmp_path) as index:
        columns = (
            "ticket_id, outcome, reason, intent, category, urgency, sentiment, language, analyser, model, suspicious, "
            "tags, review, escalated, priority_from, priority_to, tokens_in, tokens_out, tokens_cached, cost_usd, "
            "total_ms"
        )
        full, bare = index.query(f"SELECT {columns} FROM work ORDER BY ticket_id")
        ((when, confidence),) = index.query("SELECT ts, confidence FROM work WHERE ticket_id = 7")
    assert full == (
        7, "updated", "by m-1", "run-x-1", "billing", "high", "negative", "en", "model", "m-1", "tells_a_model",
        "ai_processed ai_review", True, "legal urgent", None, "high", 10, 5, 2, 0.25, 7,
    )  # fmt: skip
    assert bare == (8, "skipped", "closed", *[None] * 9, False, None, None, None, 0, 0, 0, None, 0)
    assert round(confidence, 3) == 0.9
    assert f"{when:%Y-%m-%dT%H:%M:%S}Z" == iso(START)


@CALM
@given(data=st.data())
def test_whatever_stands_between_the_receipts_all_of_them_are_found(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / str(data.draw(st.integers(0, 10**9)))
    good = [receipt(number, "11-19 08:00") for number in range(data.draw(st.integers(0, 4)))]
    odd = st.one_of(
        st.binary(max_size=80).map(lambda raw: raw.replace(b"\n", b"") + b"\n"),
        st.sampled_from(
            [
                b"\n", b"null\n", b"[1]\n", b"5\n", b'{"event":5}\n', b'{"event":"ticket"}\n', b"\x00" * 50 + b"\n",
                b'{"ts":"2026-11-19T08:00:00.000Z","event":"ticket","ticket_id":9,"analysis":{"summary":"\\ud83d"}}\n',
                b'{"ts":"2026-11-19T08:00:00.000Z","event":"ticket","ticket_id":9,"x":1' + b"0" * 400 + b"}\n",
                b'{"ts":"2026-11-19T08:00:00.000Z","event":"ticket","ticket_id":"nine"}\n',
                b'{"ts":"2026-11-19T08:00:00.000Z","event":"ticket","ticket_id":9,"analysis":[]}\n',
                b'{"ts":"2026-11-19T08:00:00.000Z","event":"ticket","ticket_id":9}{"event":"ticket"}\n',
                b'{"ts":"2026-11-19T08:00:00.000Z","event":"ticket","ticket_id":9,"outc\n',
                b'{"ts":"2026-11-19T08:00:00.000Z","event":"ticket","ticket_id":9,"analysis":{"category":"a\xff"}}\n',
                b'\xef\xbb\xbf{"ts":"2026-11-19T08:00:00.000Z","event":"ticket","ticket_id":9}\n',
            ]
        ),
    )  # fmt: skip
    lines: list[Any] = [*good, *data.draw(st.lists(odd, max_size=6))]
    mixed = data.draw(st.permutations(lines))
    write_day(folder, "2026-11-19", mixed)
    write_day(folder, TODAY, mixed)
    expected = [
        line["ticket_id"]
        for _, line in events(folder)
        if line["event"] == "ticket" and type(line.get("ticket_id")) is int and isinstance(line.get("ts"), str)
    ]
    with opened(folder) as index:
        found = index.query(
            "SELECT ticket_id FROM events WHERE event = 'ticket' AND ticket_id IS NOT NULL AND ts IS NOT NULL"
        )
    assert sorted(number for (number,) in found) == sorted(expected)


def test_what_a_crash_left_twice_counts_once_on_whatever_day_it_was_found_again(tmp_path: Path) -> None:
    first = receipt(1, "11-18 08:00", run_id="run-a", intent="run-a-1", reason="by m-1")
    again = receipt(1, "11-20 08:00", run_id="run-b", intent="run-a-1", reason="confirmed_by_reading")
    other = receipt(2, "11-20 08:00", run_id="run-b", intent="run-b-1")
    doubtful = receipt(3, "11-18 08:00", "failed", run_id="run-a", intent="run-a-3")
    settled = receipt(3, "11-20 08:00", run_id="run-b", intent="run-a-3")
    write_log(tmp_path, [first, again, other, doubtful, settled])
    with opened(tmp_path) as index:
        found = index.query("SELECT ticket_id, outcome, reason, next_at IS NULL FROM lines ORDER BY 1, ts")
    assert found == [
        (1, "updated", "by m-1", True),
        (2, "updated", "by m-1", True),
        (3, "failed", "by m-1", False),
        (3, "updated", "by m-1", True),
    ]


_steps = st.lists(
    st.tuples(
        st.integers(1, 3),  # ticket
        st.integers(0, 60 * 24 * 3 - 1),  # minute within three days
        st.booleans(),  # understood
        st.sampled_from(["run", "run", "run", "dry", "undo"]),
    ),
    max_size=12,
    unique_by=lambda step: step[1],
)


@CALM
@given(steps=_steps, until=st.integers(0, 60 * 24 * 3))
def test_each_tickets_last_line_before_a_moment_is_known_whatever_follows(
    tmp_path: Path, steps: list[tuple[int, int, bool, str]], until: int
) -> None:
    folder = Path(tempfile.mkdtemp(dir=tmp_path))  # one for each example
    begin = at("11-18 00:00")

    def line(ticket_id: int, minute: int, understood: bool, kind: str) -> dict[str, Any]:
        when = begin + 60 * minute
        text = iso(when)[5:16].replace("T", " ")
        run_id = f"r{minute}-undo" if kind == "undo" else f"r{minute}"
        found = receipt(ticket_id, text, run_id=run_id, **({} if understood else {"analysis": None}))
        return {**found, "dry_run": kind == "dry"}

    write_log(folder, [line(*step) for step in steps])
    write_day(folder, "2026-11-17", [])
    wanted: set[int] = set()
    labelled: set[int] = set()
    for ticket_id in {step[0] for step in steps}:
        mine = [step for step in steps if step[0] == ticket_id and step[3] == "run" and step[1] < until]
        wanted |= {max(step[1] for step in mine)} if mine else set()
        understood = [step[1] for step in mine if step[2]]
        labelled |= {max(understood)} if understood else set()
    asked = {"until": iso(begin + 60 * until)[:-1]}
    real = "ts < $until::TIMESTAMP AND NOT dry_run AND kind IS DISTINCT FROM 'undo'"
    with opened(folder) as index:
        last = index.query(f"SELECT ts FROM lines WHERE {real} AND coalesce(next_at >= $until::TIMESTAMP, true)", asked)
        named = index.query(
            f"SELECT ts FROM lines WHERE {real} AND category IS NOT NULL "
            "AND coalesce(next_labelled_at >= $until::TIMESTAMP, true)",
            asked,
        )

    def minutes(rows: list[tuple[Any, ...]]) -> list[int]:
        return sorted(round((at(f"{when:%m-%d %H:%M}") - begin) / 60) for (when,) in rows)

    assert minutes(last) == sorted(wanted)
    assert minutes(named) == sorted(labelled)


def test_nothing_in_a_customers_words_is_in_the_index_and_nothing_is_written(tmp_path: Path) -> None:
    personal = {"summary": CANARY, "evidence": [CANARY], "entities": {"name": CANARY}}
    line = receipt(1, "11-19 08:00", **personal)
    line["change"]["note"] = f"Summary: {CANARY}"
    torn = receipt(2, "11-19 08:01", **{**personal, "summary": f"{CANARY} \ud83d"})
    write_log(tmp_path, [line, torn, {**line, "ts": line["ts"].replace("11-19", "11-18")}])
    with opened(tmp_path) as index:
        everything = index.query("SELECT * FROM events")
        assert len(everything) == 3
        assert "Zzyzx" not in repr(everything)
    assert {path.suffix for path in tmp_path.iterdir()} == {".jsonl"}


# What changes while it is open


def test_asked_for_some_days_the_others_are_not_there(tmp_path: Path) -> None:
    write_log(tmp_path, [receipt(day, f"11-{day} 08:00") for day in (17, 18, 19, 21)])
    with opened(tmp_path, first_day="2026-11-18", last_day="2026-11-19") as index:
        assert index.query("SELECT ticket_id FROM work ORDER BY 1") == [(18,), (19,)]
        assert index.days == ("2026-11-17", "2026-11-21")
    assert tickets(tmp_path) == [17, 18, 19, 21]
    assert tickets(tmp_path, first_day="2026-11-19") == [19, 21]


def test_days_that_were_rewritten_added_or_removed_are_noticed(tmp_path: Path) -> None:
    write_log(tmp_path, [receipt(day, f"11-{day} 08:00") for day in (18, 19, 20)])
    with opened(tmp_path) as index:
        path = write_day(tmp_path, "2026-11-18", [receipt(99, "11-18 08:00")])
        os.utime(path, (5, 5))  # as long as before
        (tmp_path / "ticketbot-2026-11-19.jsonl").unlink()
        write_day(tmp_path, TODAY, [receipt(21, "11-21 08:00")])
        assert index.refresh()
        assert index.query("SELECT ticket_id FROM work ORDER BY day") == [(99,), (20,), (21,)]
        for file in tmp_path.iterdir():
            file.unlink()
        assert index.refresh()
        assert index.query("SELECT * FROM events") == []


# Encryption


@pytest.fixture
def encrypted(tmp_path: Path, keys: Keyring) -> Path:
    clock = ManualClock(START - 2 * 86_400)
    audit = AuditLog(tmp_path / "logs", clock, "run-x", keys=keys)
    for number in (1, 2, 3):
        audit.ticket(Outcome(ticket_id=number, status=OutcomeStatus.UPDATED, reason="by m-1", analysis=an_analysis()))
        clock.advance(86_400)
    audit.close()
    return tmp_path / "logs"


def test_an_encrypted_log_is_read_with_its_key(encrypted: Path, keys: Keyring) -> None:
    with opened(encrypted, keys=keys) as index:
        assert index.query("SELECT ticket_id, category FROM lines ORDER BY 1") == [
            *((number, "billing") for number in (1, 2, 3))
        ]
        assert not index.refresh()


def test_without_the_key_it_says_which_variable_must_hold_it(encrypted: Path) -> None:
    with pytest.raises(CannotRun, match=r"is encrypted: TICKETBOT_AUDIT_ENCRYPTION_KEYS must hold the key"):
        opened(encrypted)


def test_without_duckdb_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ConfigError, match=re.escape(how_to_install("report"))):
        opened(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="folders are private by themselves there")
def test_an_index_is_a_private_file_while_it_is_open_and_that_of_an_encrypted_log_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: Keyring
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    logs = tmp_path / "logs"
    logs.mkdir()
    with opened(logs):
        (folder,) = (tmp_path / "tmp").iterdir()
        assert (folder.stat().st_mode & 0o777, (folder / "index.duckdb").is_file()) == (0o700, True)
    assert list((tmp_path / "tmp").iterdir()) == []
    with opened(logs, keys=keys):
        assert list((tmp_path / "tmp").iterdir()) == []

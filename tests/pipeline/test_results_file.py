"""The file of a backfill: what it holds, how it is gone on with after any crash, and which files are refused."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticket_processor.audit.lines import encode
from ticket_processor.core.errors import CannotRun, ConfigError, RunLocked
from ticket_processor.core.models import Usage
from ticket_processor.pipeline.backfill.results_file import (
    DECIDED,
    SEAL,
    BackfillFile,
    Entry,
    Header,
    Refused,
    Results,
    Seals,
    locked,
)

from ..support.fakes import a_decision, an_analysis

ACCOUNT = "https://example.zendesk.com"
KEY = "0123456789abcdef" * 2


def a_header(**fields: Any) -> Header:
    given = {
        "version": "1.0",
        "account": ACCOUNT,
        "since": "2024-01-01T00:00:00Z",
        "created": "2026-11-21T03:30:00Z",
        "policy": "p" * 16,
        "marker": "ai_processed",
    }
    return Header(**{**given, **fields})


def decided(number: int, **fields: Any) -> Entry:
    decision = a_decision(number, fields={42: "topic"}, note=None, priority=None)
    given = {"status": "solved", "reason": decision.reason, "key": KEY, "clean_stamp": "2026-01-01T00:00:00Z"}
    return Entry(ticket_id=number, analysis=an_analysis(usage=Usage(input=9)), decision=decision, **{**given, **fields})


def left_alone(number: int, reason: str = "machine_mail_bounce") -> Entry:
    return Entry(ticket_id=number, status="closed", reason=reason)


def written(path: Path, *entries: Entry, **header: Any) -> Path:
    with BackfillFile(path, a_header(**header)) as file:
        for entry in entries:
            file.add(entry)
    return path


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    entries = [decided(1), left_alone(2), decided(3, status="closed")]
    results = Results(written(tmp_path / "f.jsonl", *entries), ACCOUNT)
    assert list(results.entries()) == entries
    assert results.header == a_header()


@given(summary=st.text(max_size=200), tags=st.lists(st.text(min_size=1, max_size=20), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_words_stay_on_one_line_and_come_back(tmp_path: Path, summary: str, tags: list[str]) -> None:
    entry = decided(1).model_copy(
        update={"analysis": an_analysis(summary=summary), "decision": a_decision(1, tags=tuple(tags))}
    )
    line = encode(entry.as_line())
    assert line.count(b"\n") == 1
    told = json.loads(line)
    assert Entry.of(told) == entry
    assert len(line.decode("utf-8").splitlines()) == 1


def test_a_verdict_has_the_key_and_stamp_of_the_file_and_costs_nothing_again() -> None:
    verdict = decided(7).verdict()
    assert verdict is not None
    assert (verdict.ticket_id, verdict.key, verdict.clean_stamp) == (7, KEY, "2026-01-01T00:00:00Z")
    assert verdict.analysis.usage == Usage()
    assert verdict.analysis.cost_usd is None
    assert left_alone(8).verdict() is None


@given(cut=st.integers(min_value=0), more=st.integers(min_value=1, max_value=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_torn_anywhere_is_gone_on_with_and_loses_at_most_its_last_line(
    tmp_path: Path, cut: int, more: int
) -> None:
    path = tmp_path / "f.jsonl"
    path.unlink(missing_ok=True)
    entries = [decided(1), left_alone(2), decided(3)]
    whole = written(path, *entries).read_bytes()
    torn = whole[: cut % (len(whole) + 1)]
    path.write_bytes(torn)
    kept = entries[: max(0, torn.count(b"\n") - 1)]
    with BackfillFile(path, a_header()) as file:
        assert len(file) == len(kept)
        assert file.repaired is (not torn.endswith(b"\n") and bool(torn))
        for number in range(10, 10 + more):
            file.add(decided(number))
    again = list(Results(path, ACCOUNT).entries())
    assert again == [*kept, *(decided(number) for number in range(10, 10 + more))]


def test_counts_and_contents_are_known_when_it_is_opened_again(tmp_path: Path) -> None:
    path = written(tmp_path / "f.jsonl", decided(1), decided(2, status="closed"), left_alone(3), left_alone(4))
    with BackfillFile(path, a_header(created="later", version="2.0")) as file:
        assert (1 in file, 4 in file, 5 in file) == (True, True, False)
        assert file.counts == {DECIDED: 2, "machine_mail_bounce": 2}
        assert file.closed == 1


def test_the_same_words_go_on_from_the_moment_that_they_meant_at_first(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    with BackfillFile(path, a_header(since="2024-01-01T00:00:00Z", since_asked="9w")):
        pass
    with BackfillFile(path, a_header(since="2024-01-02T03:04:05Z", since_asked="9w")) as file:
        assert file.header.since == "2024-01-01T00:00:00Z"
    other = a_header(since="2024-01-02T03:04:05Z", since_asked="8w")
    with pytest.raises(ConfigError, match="go on with --since 9w"), BackfillFile(path, other):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps rights elsewhere")
def test_nobody_else_may_read_it_or_hold_its_lock(tmp_path: Path) -> None:
    path = written(tmp_path / "f.jsonl", decided(1))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.with_name("f.jsonl.lock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"account": "https://other.zendesk.com"}, "is about https://example.zendesk.com"),
        ({"policy": "q" * 16}, "have changed since"),
        ({"as_new": True}, "begun without --as-new"),
        ({"since": "2023-01-01T00:00:00Z"}, "go on with --since 2024-01-01T00:00:00Z"),
        ({"since": "2023-01-01T00:00:00Z", "since_asked": "9w"}, "go on with --since 2024-01-01T00:00:00Z"),
    ],
)
def test_a_file_of_another_making_is_not_gone_on_with(tmp_path: Path, header: dict[str, Any], words: str) -> None:
    path = written(tmp_path / "f.jsonl", decided(1))
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=words), BackfillFile(path, a_header(**header)):
        pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["hello\n", "hello", '{"subject": "mine"}\n', "[1]\n"])
def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no results"), BackfillFile(path, a_header()):
        pass
    with pytest.raises(ConfigError, match="holds no results"):
        Results(path, ACCOUNT)
    assert path.read_text(encoding="utf-8") == text


def test_two_processes_cannot_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    with BackfillFile(path, a_header()):
        with pytest.raises(RunLocked, match="another ticketbot"), BackfillFile(path, a_header()):
            pass
        with pytest.raises(RunLocked), locked(path):
            pass
    with locked(path):
        pass


def test_a_file_that_cannot_be_written_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(CannotRun, match="folder"), BackfillFile(tmp_path / "folder", a_header()):
        pass


def test_nothing_comes_behind_half_a_line_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f.jsonl"
    real = os.write
    with BackfillFile(path, a_header()) as file:
        file.add(decided(1))
        monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[: len(data) // 2]))
        with pytest.raises(CannotRun, match=r"f\.jsonl cannot be written"):
            file.add(decided(2))
        monkeypatch.undo()
        with pytest.raises(CannotRun, match="not open"):
            file.add(decided(3))
    assert list(Results(path, ACCOUNT).entries()) == [decided(1)]


# Reading for apply


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rewritten(path: Path, told: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in told), encoding="utf-8")
    return path


def test_a_ticket_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    told = lines(written(tmp_path / "f.jsonl", decided(1), decided(2)))
    path = rewritten(tmp_path / "f.jsonl", [*told, told[1]])
    assert [entry.ticket_id for entry in Results(path, ACCOUNT).entries()] == [1, 2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ticketbot_backfill": 2, "version": "9.1"}, r"newer ticketbot \(9\.1\)"),
        ({"ticketbot_backfill": "x"}, "first line"),
        ({"account": "https://other.zendesk.com"}, "other.zendesk.com"),
    ],
)
def test_a_header_that_this_version_or_account_cannot_use_is_refused(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    first, *rest = lines(written(tmp_path / "f.jsonl", decided(1)))
    path = rewritten(tmp_path / "f.jsonl", [{**first, **change}, *rest])
    with pytest.raises(ConfigError, match=words):
        Results(path, ACCOUNT)


@pytest.mark.parametrize(
    "change",
    [
        {"ticket_id": "one"},
        {"key": "short"},
        {"key": ""},
        {"analysis": None},
        {"surprise": 1},
        {"decision": {"tags": ["ai_billing"], "tags_removed": ["vip"]}},
        {"decision": {"tags": ["ai_billing"], "status": "closed"}},
        {"decision": "all of them"},
    ],
)
def test_a_line_that_no_backfill_writes_ends_it_by_its_number(tmp_path: Path, change: dict[str, Any]) -> None:
    first, one, two = lines(written(tmp_path / "f.jsonl", decided(1), decided(2)))
    two = Seals([b""]).put_on({name: value for name, value in {**two, **change}.items() if name != SEAL}, first[SEAL])
    path = rewritten(tmp_path / "f.jsonl", [first, one, two])
    with pytest.raises(ConfigError, match="line 3"):
        list(Results(path, ACCOUNT).entries())


@pytest.mark.parametrize(
    "change",
    [
        {"ticket_id": 3},
        {"key": KEY[::-1]},
        {"status": "open"},
        {"decision": {"tags": ["ai_billing", "vip"]}},
        {"decision": {"tags": ["ai_billing"], "fields_overwrite": "always"}},
        {SEAL: "0" * 32},
        {SEAL: None},
        {SEAL: "ä"},
        {"surprise": 1},
    ],
)
def test_a_line_that_was_changed_is_left_out_and_told_by_its_number(tmp_path: Path, change: dict[str, Any]) -> None:
    first, one, two = lines(written(tmp_path / "f.jsonl", decided(1), decided(2)))
    path = rewritten(tmp_path / "f.jsonl", [first, {**one, **change}, two])
    told: list[Refused] = []
    assert list(Results(path, ACCOUNT).entries(refused=told.append)) == [decided(2)]
    assert told == [Refused(2, change.get("ticket_id", 1), "it is not as it was written")]


def test_a_line_of_another_file_is_left_out_and_one_that_was_taken_out_is_not_missed(tmp_path: Path) -> None:
    other = lines(written(tmp_path / "other.jsonl", decided(9), created="2026-11-22T00:00:00Z"))
    first, _, two = lines(written(tmp_path / "f.jsonl", decided(1), decided(2)))
    path = rewritten(tmp_path / "f.jsonl", [first, other[1], two])
    told: list[Refused] = []
    assert list(Results(path, ACCOUNT).entries(refused=told.append)) == [decided(2)]
    assert [item.ticket_id for item in told] == [9]


def test_an_older_key_is_known_and_another_is_not(tmp_path: Path) -> None:
    old, new = b"old" * 8, b"new" * 8
    path = tmp_path / "f.jsonl"
    with BackfillFile(path, a_header(), [old]) as file:
        file.add(decided(1))
    with BackfillFile(path, a_header(), [new, old]) as file:
        file.add(decided(2))
    assert [entry.ticket_id for entry in Results(path, ACCOUNT, [new, old]).entries()] == [1, 2]
    assert [entry.ticket_id for entry in Results(path, ACCOUNT, [old]).entries()] == [1]
    for keys in ([new], []):
        with pytest.raises(ConfigError, match="TICKETBOT_AUDIT_KEY"):
            Results(path, ACCOUNT, keys)
    with pytest.raises(ConfigError, match="TICKETBOT_AUDIT_KEY"), BackfillFile(path, a_header(), [new]):
        pass


def test_a_file_of_an_earlier_version_carries_no_seal_and_is_to_be_made_anew(tmp_path: Path) -> None:
    told = lines(written(tmp_path / "f.jsonl", decided(1)))
    path = rewritten(
        tmp_path / "f.jsonl", [{name: value for name, value in line.items() if name != SEAL} for line in told]
    )
    with pytest.raises(ConfigError, match="make it anew"):
        Results(path, ACCOUNT)
    with pytest.raises(ConfigError, match="make it anew"), BackfillFile(path, a_header()):
        pass


@pytest.mark.parametrize(
    "change", [{"as_new": True}, {"policy": "q" * 16}, {"since": "2020-01-01T00:00:00Z"}, {"marker": "vip"}]
)
def test_a_first_line_that_was_changed_is_told(tmp_path: Path, change: dict[str, Any]) -> None:
    first, *rest = lines(written(tmp_path / "f.jsonl", decided(1)))
    path = rewritten(tmp_path / "f.jsonl", [{**first, **change}, *rest])
    with pytest.raises(ConfigError, match="was changed"):
        Results(path, ACCOUNT)


def test_a_torn_last_line_is_left_out_and_a_torn_one_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "f.jsonl", decided(1), decided(2))
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert [entry.ticket_id for entry in Results(path, ACCOUNT).entries()] == [1]
    path.write_bytes(whole[:-20] + b"\n" + encode(decided(3).as_line()))
    with pytest.raises(ConfigError, match="line 3"):
        list(Results(path, ACCOUNT).entries())


def test_a_line_of_more_than_64_mb_ends_it_and_is_not_taken_into_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "f.jsonl", decided(1))
    with path.open("ab") as file:
        file.truncate(path.stat().st_size + 80_000_000)
    with pytest.raises(ConfigError, match="line 3 is longer than 64 MB"):
        list(Results(path, ACCOUNT).entries())


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Results(Path("nowhere.jsonl"), ACCOUNT)

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.audit.files import LogFile, events, log_files, read_lines
from ticket_processor.audit.lines import NO_MAC, Keyring, encode, erased, flaw, sealed
from ticket_processor.audit.writer import LogWriter

DAY = "2026-11-21"
KEY = b"a key of sixteen bytes or more"


def line(what: str = "x", **facts: object) -> dict[str, Any]:
    return {"ts": f"{DAY}T03:30:00.000Z", "event": "alert", "run_id": "r", "what": what, **facts}


def receipt(summary: str = "A card was charged twice.") -> dict[str, Any]:
    analysis = {"category": "billing", "summary": summary, "evidence": ["twice"], "entities": {}}
    return {"event": "ticket", "ticket_id": 7, "analysis": analysis, "change": {"note": "Said.", "tags_added": ["a"]}}


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Callable[..., LogWriter]]:
    writers: list[LogWriter] = []

    def writer(key: bytes = KEY, keys: Keyring | None = None) -> LogWriter:
        writers.append(LogWriter(tmp_path, key, keys))
        return writers[-1]

    yield writer
    for each in writers:
        each.close()


def flaws(folder: Path, keys: Keyring | None = None, key: bytes = KEY) -> list[str]:
    """What is wrong with the lines of a folder, by following each file's chain."""
    found = []
    for file in log_files(folder):
        before = NO_MAC
        for number, (_, raw, line, *_) in enumerate(read_lines(file, keys)):
            if line is None:
                found.append("torn")
                continue
            begins = line["event"] == "segment"
            if wrong := flaw(raw, line, key, NO_MAC if begins else before, number):
                found.append(wrong)
            before = line["mac"]
    return found


# The file


def test_two_writers_in_turn_read_what_the_other_wrote_and_not_the_day(
    tmp_path: Path, write: Callable[..., LogWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = write(), write()
    one.append(DAY, [line(str(number)) for number in range(500)])
    other.append(DAY, [line("this one had to read the day, once")])
    count, as_it_is = itertools.count(), LogFile.raw_lines
    monkeypatch.setattr(LogFile, "raw_lines", lambda file: (each for each in as_it_is(file) if next(count) >= 0))
    for number in range(20):
        (one, other)[number % 2].append(DAY, [line(f"in turn {number}")])
    assert next(count) <= 60, "lines"
    monkeypatch.undo()
    assert flaws(tmp_path) == []


def _append_many(folder: str, name: str) -> None:
    writer = LogWriter(Path(folder), KEY)
    for number in range(40):
        writer.append(DAY, [line(f"{name}-{number}")])
    writer.close()


def test_processes_and_threads_write_at_once_and_the_chain_holds(tmp_path: Path) -> None:
    processes = [get_context("spawn").Process(target=_append_many, args=(str(tmp_path), name)) for name in "ab"]
    for process in processes:
        process.start()
    writer = LogWriter(tmp_path, KEY)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: writer.append(DAY, [line(str(number))]), range(40)))
    writer.close()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert len(list(events(tmp_path))) == 120
    assert flaws(tmp_path) == []


@given(data=st.data())
def test_a_crash_at_any_byte_costs_at_most_the_torn_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    writer = LogWriter(folder, KEY)
    writer.append(DAY, [line("a"), receipt(), line("b")])
    writer.close()
    path = folder / f"ticketbot-{DAY}.jsonl"
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    writer = LogWriter(folder, KEY)
    writer.append(DAY, [line("after")])
    writer.close()
    assert flaws(folder) == []
    read = [each.get("what", each["event"]) for _, each in events(folder)]
    ends = [at for at, byte in enumerate(whole) if byte == 10]  # a line is whole without its end of line
    kept = sum(cut >= end for end in ends)
    assert read == [*["a", "ticket", "b"][: max(0, kept - 1)], "after"]


def test_lines_of_another_key_or_of_none_are_kept_and_the_chain_begins_anew(
    tmp_path: Path, write: Callable[..., LogWriter]
) -> None:
    (tmp_path / f"ticketbot-{DAY}.jsonl").write_bytes(b'{"event":"alert","what":"old"}\n')
    write(b"the first key of the two").append(DAY, [line("first")])
    write(b"the second key of the two").append(DAY, [line("second")])
    assert [read["what"] for _, read in events(tmp_path)] == ["old", "first", "second"]
    lines = [item.line for item in read_lines(log_files(tmp_path)[0]) if item.line]
    headers = [each for each in lines if each["event"] == "segment"]
    assert [header["after"]["lines"] for header in headers] == [1, 3]
    assert headers[0]["key_id"] != headers[1]["key_id"]


def test_a_last_line_of_another_key_without_its_end_of_line_is_kept(
    tmp_path: Path, write: Callable[..., LogWriter]
) -> None:
    write(key=b"a key that is no longer here").append(DAY, [line("a")])
    path = tmp_path / f"ticketbot-{DAY}.jsonl"
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    write().append(DAY, [line("b")])
    assert [read["what"] for _, read in events(tmp_path)] == ["a", "b"]


def test_a_changed_last_line_is_not_built_upon(tmp_path: Path, write: Callable[..., LogWriter]) -> None:
    write().append(DAY, [line("a"), line("b")])
    path = tmp_path / f"ticketbot-{DAY}.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"b"', b'"c"'))
    write().append(DAY, [line("d")])
    assert len(flaws(tmp_path)) == 1
    assert [read["what"] for _, read in events(tmp_path)] == ["a", "c", "d"]


def test_a_disk_that_is_full_in_the_middle_of_a_line_leaves_no_half_of_it(
    tmp_path: Path, write: Callable[..., LogWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = write()
    writer.append(DAY, [line("a")])
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: whole(descriptor, data[:20]))
    with pytest.raises(OSError, match="cut short"):
        writer.append(DAY, [line("b")])
    monkeypatch.undo()
    writer.append(DAY, [line("c")])
    assert [read["what"] for _, read in events(tmp_path)] == ["a", "c"]
    assert (flaws(tmp_path), writer.repaired) == ([], 20)


# Encryption


LINE: dict[str, Any] = {
    "event": "ticket",
    "ticket_id": 7,
    "analysis": {"summary": "Charged twice.", "category": "billing"},
}


def test_the_same_words_have_another_salt_and_digest_in_each_line_so_that_erased_ones_cannot_be_guessed() -> None:
    seals = [sealed(LINE, KEY, NO_MAC, 0)["personal"] for _ in range(20)]
    assert len({seal["salt"] for seal in seals}) == 20
    assert len({seal["digest"] for seal in seals}) == 20
    assert all(len(bytes.fromhex(seal["salt"])) >= 8 for seal in seals)


def test_an_erased_line_still_holds_and_keeps_neither_words_nor_salt() -> None:
    whole = sealed(LINE, KEY, NO_MAC, 0)
    less = erased(whole)
    assert flaw(encode(less), less, KEY, NO_MAC, 0) is None
    assert "Charged" not in str(less)
    assert set(less["personal"]) == {"digest"}
    assert less["analysis"] == {"category": "billing"}

"""The statement at a run's end, by the real command: what it says, what it reads for it, and what follows from it."""

from __future__ import annotations

from .conftest import Desk, OpenDesk


def audits_read(desk: Desk) -> int:
    return sum("/audits" in line for line in desk.helpdesk_requests())


def test_a_run_swears_to_what_it_wrote_and_reads_twenty_writes_back(open_desk: OpenDesk) -> None:
    read = 20
    desk = open_desk(22)
    ended = desk("run", "--since", "1d")
    zeros = "0 human values changed, 0 foreign tags removed, 0 public comments"
    assert f"  statement: 22 written, {read} read back: {zeros}\n" in ended.out
    assert audits_read(desk) == read
    (line,) = desk.events("run_finished")
    assert (line["statement"]["written"], line["statement"]["checked"]) == (22, read)
    (plain,) = desk.logs.glob("*.log")
    assert f"; 22 written, {read} read back: {zeros}; exit code 0" in plain.read_text(encoding="utf-8")

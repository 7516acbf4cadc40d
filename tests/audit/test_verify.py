from __future__ import annotations

import base64
import itertools
import os
import random
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.audit.files import events
from ticket_processor.audit.lines import Keyring, Line, encode, read
from ticket_processor.audit.receipts import EXPIRED, AuditLog, keep_head, look_after
from ticket_processor.audit.verify import VerificationReport, check
from ticket_processor.audit.writer import Head, LogWriter
from ticket_processor.core.errors import CannotRun
from ticket_processor.state.store import State

from ..support.bad_disk import Died, Disk, Dying
from ..support.cases import for_each
from ..support.fakes import ManualClock
from ..support.log_tamperings import KEY, KINDS, OLD_KEY, Tally, TrueLog, tamper, written
from .test_retention import DAY_S, Desk
from .test_retention import KEY as DESK_KEY

pytestmark = pytest.mark.usefixtures("unsynced")

DAY, DAY_BEFORE = "2026-11-21", "2026-11-20"
FOREIGN = b"a key that is not here at all"


def new_keyring() -> Keyring:
    return Keyring([base64.b64encode(os.urandom(32)).decode()])


def line(what: str = "x", **facts: object) -> Line:
    return {"ts": f"{DAY}T03:30:00.000Z", "event": "alert", "run_id": "r", "what": what, **facts}


class Log:
    """A log in a folder, written by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(
        self,
        day: str,
        *lines: Line,
        key: bytes = KEY,
        keyring: Keyring | None = None,
    ) -> Head:
        writer = LogWriter(self.folder, key, keyring)
        writer.append(day, lines or [line("a"), line("b")])
        head = writer.head
        writer.close()
        assert head
        return head

    def path(self, day: str = DAY) -> Path:
        return self.folder / f"ticketbot-{day}.jsonl"

    def lines(self, day: str = DAY) -> list[bytes]:
        return self.path(day).read_bytes().splitlines(keepends=True)

    def store(self, lines: list[bytes], day: str = DAY) -> None:
        self.path(day).write_bytes(b"".join(lines))

    def report(
        self,
        *anchors: Head | None,
        keys: tuple[bytes, ...] = (KEY,),
        keyring: Keyring | None = None,
    ) -> VerificationReport:
        known = [("--anchor", anchor) for anchor in anchors if anchor]
        return check(self.folder, keys, keyring, known)

    def wrong(self, *anchors: Head | None, **how: Any) -> list[str]:
        """What is found to be changed, with its place."""
        report = self.report(*anchors, **how)
        assert report.holds == (not report.flaws and not report.unchecked)
        return [f"{flaw.where}: {flaw.what}" for flaw in report.flaws]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


# Tampering


@pytest.fixture(scope="module", params=["plain", "encrypted"])
def true_log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TrueLog:
    encrypted = request.param == "encrypted"
    return written(tmp_path_factory.mktemp(request.param), random.Random(11), encrypted=encrypted)


def test_a_log_that_nobody_tampered_with_holds(true_log: TrueLog) -> None:
    report = true_log.check()
    assert report.holds, report.flaws
    assert (report.erased > 10, report.expired, report.notes) == (True, ("2026-11-12",), ())
    assert report.head == str(true_log.head)
    assert [anchor["stands"] for anchor in report.anchors] == [True]


@for_each("kind", KINDS)
def test_tampering_is_found(kind: str, true_log: TrueLog) -> None:
    rng = random.Random(f"{kind} {true_log.keyring is None}")
    tally = Tally()
    for _ in range(8):
        tamper(true_log, kind, rng, tally)
    assert tally.done >= 6
    assert tally.missed == []


# What is no tampering


@given(data=st.data())
def test_no_story_of_days_clocks_and_deaths_is_taken_for_tampering(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    keyring = new_keyring() if data.draw(st.booleans(), "encrypted") else None
    desk = Desk(tmp_path_factory.mktemp("story") / "logs", keyring)
    keep, now = data.draw(st.integers(2, 6), "days kept"), desk.clock.now()
    for _ in range(data.draw(st.integers(2, 8), "runs")):
        now += data.draw(st.sampled_from((600.0, 12 * 3600.0, DAY_S, 3 * DAY_S, -DAY_S, -2 * DAY_S)), "pause")
        desk.clock = ManualClock(now)
        dies_at = data.draw(st.none() | st.integers(1, 70), "dies at")
        when = data.draw(st.sampled_from(("before", "after", "half")), "when")
        disk = Disk(desk.folder) if dies_at is None else Dying(dies_at, when, desk.folder)
        with disk.at_work(), suppress(Died):
            desk.run(2, keep=keep)
        report = check(desk.folder, [DESK_KEY], keyring)
        assert report.holds, (report.flaws, report.unchecked)
    desk.clock = ManualClock(now)
    desk.run(1, keep=keep)
    left = [("the state", Head.parse(desk.left or ""))]
    report = check(desk.folder, [DESK_KEY], keyring, left)
    assert report.holds, (report.flaws, report.unchecked)


# What is wrong, in words


def test_a_changed_line_is_named_once_with_its_place(log: Log) -> None:
    log.write(DAY, *[line(str(number)) for number in range(9)])
    log.store([text.replace(b'"4"', b'"5"') for text in log.lines()])
    assert log.wrong() == [f"ticketbot-{DAY}.jsonl, line 6: it was changed, or a line before it is missing"]


def test_flaws_beyond_a_thousand_are_counted_only(log: Log) -> None:
    log.write(DAY, *[line(str(number)) for number in range(3000)])
    log.store([text.replace(b'"x":1', b"") if at % 2 else b"garbage\n" for at, text in enumerate(log.lines())])
    report = log.report()
    assert len(report.flaws) == 1000
    assert report.more_flaws > 1000


def test_an_end_that_was_cut_off_is_told_by_the_day_after_and_by_an_anchor(log: Log) -> None:
    log.write(DAY_BEFORE)
    end = log.write(DAY)
    log.store(log.lines(DAY_BEFORE)[:-1], DAY_BEFORE)
    log.store(log.lines()[:-1])
    gone = "its line 3, which is not there: lines were cut off, or the file was replaced"
    assert log.wrong(end) == [
        f"ticketbot-{DAY_BEFORE}.jsonl: ticketbot-{DAY}.jsonl holds on to {gone}",
        f"ticketbot-{DAY}.jsonl: --anchor names {gone}",
    ]
    assert [anchor["stands"] for anchor in log.report(end).anchors] == [False]


def test_an_encrypted_line_that_is_written_otherwise_is_told_although_it_says_the_same(log: Log) -> None:
    keyring = new_keyring()
    log.write(DAY, keyring=keyring)
    header, first, second = log.lines()
    log.store([header, first.replace(b'{"seq":', b'{ "seq":'), second])
    assert "line 2: it cannot be decrypted as what was written there" in log.wrong(keyring=keyring)[0]


def test_lines_that_cannot_be_checked_cannot_be_exchanged_below_a_header_that_can(log: Log) -> None:
    log.write(DAY, line("a"), line("b"), key=FOREIGN)
    other = log.lines()[1]
    end = log.write(DAY)
    assert log.wrong(end) == []
    lines = log.lines()
    log.store([*lines[:2], other.replace(b'"seq":1', b'"seq":2'), *lines[3:]])
    assert log.wrong(end) == [f"ticketbot-{DAY}.jsonl, line 4: what stands above it is not what it holds on to"]


def test_an_encrypted_end_that_was_cut_off_is_told_although_the_next_day_could_not_read_it(log: Log) -> None:
    keyring = new_keyring()
    log.write(DAY_BEFORE, *[line(str(number)) for number in range(5)], keyring=keyring)
    log.write(DAY)  # somebody has taken the key away
    assert log.wrong(keyring=keyring) == []
    log.store(log.lines(DAY_BEFORE)[:-1], DAY_BEFORE)
    assert len(log.wrong(keyring=keyring)) == 1


def test_a_missing_day_is_told_unless_its_time_had_come(log: Log) -> None:
    for day in ("2026-11-18", "2026-11-19", DAY_BEFORE, DAY):
        log.write(day)
    log.path("2026-11-18").unlink()
    log.path(DAY_BEFORE).unlink()
    assert log.wrong() == [
        "ticketbot-2026-11-18.jsonl: it is missing: ticketbot-2026-11-19.jsonl holds on to its line 3",
        f"ticketbot-{DAY_BEFORE}.jsonl: it is missing: ticketbot-{DAY}.jsonl holds on to its line 3",
    ]
    log.write(DAY, line(EXPIRED, days=["2026-11-17", "2026-11-18"], last="x"))
    assert log.wrong() == [f"ticketbot-{DAY_BEFORE}.jsonl: it is missing: ticketbot-{DAY}.jsonl holds on to its line 3"]


def test_a_day_from_another_log_with_the_same_key_is_a_stranger(log: Log, tmp_path: Path) -> None:
    log.write("2026-11-18")
    log.write(DAY)
    other = Log(tmp_path / "other")
    other.write(DAY_BEFORE)
    log.path(DAY_BEFORE).write_bytes(other.path(DAY_BEFORE).read_bytes())
    assert f"ticketbot-{DAY}.jsonl does not hold on to it: it was put there from elsewhere" in log.wrong()[-1]


def test_an_end_that_a_run_missed_is_told_until_it_is_back(log: Log) -> None:
    end = log.write(DAY_BEFORE)
    whole = log.lines(DAY_BEFORE)
    log.store(whole[:-1], DAY_BEFORE)
    clock = ManualClock()
    audit = AuditLog(log.folder, clock, "run", key=KEY)
    assert look_after(audit, clock.now(), str(end), 365, None, State(None))
    audit.close()
    told = f"ticketbot-{DAY}.jsonl, line 2: the end that the run before this one had left, {end}, is not there"
    assert log.wrong() == [told]
    log.store(whole, DAY_BEFORE)
    assert log.wrong() == []


def test_an_end_in_an_older_file_that_a_run_knew_is_looked_up(log: Log) -> None:
    log.write(DAY_BEFORE)
    log.write(DAY)
    end = log.write(DAY_BEFORE, line("a clock was put back"))
    log.write(DAY, {"event": "run_started", "run_id": "r", "follows": str(end)})
    assert log.wrong() == []
    log.store(log.lines(DAY_BEFORE)[:-1], DAY_BEFORE)
    assert [flaw.what for flaw in log.report().flaws] == [
        f"the end that the run before this one had left, {end}, is not there"
    ]


# What nobody can tell


def test_lines_under_a_key_that_is_not_here_are_unchecked_and_not_changed(log: Log) -> None:
    log.write(DAY_BEFORE, key=FOREIGN)
    end = log.write(DAY)
    report = log.report(end)
    assert (report.flaws, report.holds) == ((), False)
    assert "is not here (TICKETBOT_AUDIT_KEY)" in report.unchecked[0].what
    assert (report.unchecked[0].line, report.unchecked[0].last_line) == (1, 3)
    assert log.report(end, keys=(KEY, FOREIGN)).holds


# Keys that were lost, changed and made up


def unknown(log: Log, *anchors: Head | None, **how: Any) -> tuple[list[str], list[str]]:
    """The days that are told as changed, and those that cannot be checked."""
    report = log.report(*anchors, **how)
    return [flaw.file[10:20] for flaw in report.flaws], [flaw.file[10:20] for flaw in report.unchecked]


def test_a_file_written_anew_under_an_invented_key_is_changed_where_the_next_one_knows_its_true_key(log: Log) -> None:
    true = log.write(DAY_BEFORE)
    log.write(DAY)
    log.path(DAY_BEFORE).unlink()
    (log.folder / "forged").mkdir()
    forged = Log(log.folder / "forged")
    forged.write(DAY_BEFORE, key=FOREIGN)
    last = {**read(forged.lines(DAY_BEFORE)[-1]), "mac": true.mac}
    log.store([*forged.lines(DAY_BEFORE)[:-1], encode(last)], DAY_BEFORE)
    assert unknown(log) == ([DAY_BEFORE], [DAY_BEFORE])


@given(data=st.data())
def test_no_story_of_lost_changed_and_restored_keys_is_taken_for_tampering(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("keys") / "logs"
    keyring = new_keyring() if data.draw(st.booleans(), "encrypted") else None
    numbers, state, now, left = itertools.count(), State(None), ManualClock().now(), None
    had = keys = (b"key %d of the installation" % next(numbers),)
    for _ in range(data.draw(st.integers(1, 7), "runs")):
        event = data.draw(st.sampled_from(("nothing", "changed", "replaced", "lost", "restored", "all lost")), "key")
        if event == "changed":
            keys = (b"key %d of the installation" % next(numbers), *keys)
        elif event in ("replaced", "lost"):
            had, keys = keys, (b"key %d of the installation" % next(numbers),)
        elif event == "restored":
            keys = had
        elif event == "all lost":
            state.close()
            state, keys = State(None), (b"key %d of the installation" % next(numbers),)
            had, left = keys, None
        now += data.draw(st.sampled_from((600.0, DAY_S, 3 * DAY_S)), "pause")
        clock = ManualClock(now)
        audit = AuditLog(folder, clock, "run", key=keys[0], keys=keyring)
        audit.run_started(follows=left)
        look_after(audit, now, left, 365, keyring, state)
        audit.alert("ended")
        left = keep_head(state, audit)
        audit.close()
        report = check(folder, keys, keyring, [("the state", Head.parse(left or ""))])
        assert report.flaws == ()
        # A shell that does not have what the schedule has.
        report = check(folder, keys[-1:], keyring)
        assert report.flaws == ()
    state.close()


def test_encrypted_lines_without_their_key_are_unchecked_and_not_changed(log: Log) -> None:
    keyring = new_keyring()
    end = log.write(DAY, keyring=keyring)
    for given_keys in (None, new_keyring()):
        report = log.report(end, keyring=given_keys)
        assert report.flaws == ()
        assert "encrypted with is not here (TICKETBOT_AUDIT_ENCRYPTION_KEYS)" in report.unchecked[0].what
        assert report.anchors[0]["stands"] is None
    assert log.report(end, keyring=keyring).holds


def test_a_header_behind_encrypted_lines_is_not_taken_for_changed_without_their_key(log: Log) -> None:
    keyring = new_keyring()
    log.write(DAY, key=OLD_KEY, keyring=keyring)
    log.write(DAY, keyring=keyring)
    assert log.report(keys=(KEY, OLD_KEY)).flaws == ()
    assert log.report(keys=(KEY, OLD_KEY), keyring=keyring).holds


def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_checked(log: Log) -> None:
    log.write(DAY_BEFORE)
    log.write(DAY)
    log.path(DAY_BEFORE).unlink()
    log.path(DAY_BEFORE).mkdir()
    report = log.report()
    assert report.flaws == ()
    assert [item.what.partition(":")[0] for item in report.unchecked] == [
        "cannot be read",
        f"ticketbot-{DAY}.jsonl holds on to its line 3, which cannot be looked up",
    ]


# Files that are too large to be ours


@pytest.mark.slow
def test_a_line_of_more_than_64_mb_is_a_flaw_with_its_name_and_takes_no_more_memory(log: Log) -> None:
    log.write(DAY_BEFORE)
    log.write(DAY)
    path = log.path(DAY_BEFORE)
    with path.open("ab") as file:
        file.truncate(path.stat().st_size + 300_000_000)
    tracemalloc.start()
    report = log.report()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    told = [flaw.what for flaw in report.flaws]
    assert "line 4 is longer than 64 MB, and nothing behind it was read" in told
    assert peak < 200_000_000
    with pytest.raises(CannotRun, match="longer than 64 MB"):
        list(events(log.folder))


def test_a_log_whose_last_line_is_too_long_is_not_written_to_and_says_why(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write(DAY)
    with log.path().open("ab") as file:
        file.write(b"x" * 700_000)
    monkeypatch.setattr("ticket_processor.audit.writer.MAX_LINE", 200_000)
    with pytest.raises(OSError, match="a line at its end is longer than"):
        log.write(DAY)

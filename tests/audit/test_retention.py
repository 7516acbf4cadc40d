from __future__ import annotations

import base64
import itertools
import os
import shutil
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.audit.files import events, log_files
from ticket_processor.audit.lines import Keyring
from ticket_processor.audit.receipts import (
    BEHIND_S,
    CHANGED,
    EXPIRED,
    AuditLog,
    check_encryption,
    keep_head,
    left_in,
    look_after,
    not_before,
    stands,
)
from ticket_processor.audit.verify import check
from ticket_processor.audit.writer import last_head
from ticket_processor.core.errors import ConfigError
from ticket_processor.state.store import HELPDESK_DATE, State

from ..support.bad_disk import Died, Disk, Dying, Failing
from ..support.fakes import ManualClock

pytestmark = pytest.mark.usefixtures("unsynced")

KEY = b"a key of sixteen bytes or more"
DAY_S = 86_400.0
TODAY = date(2026, 11, 21)


def at(day: date, hour: float = 12.0) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() + hour * 3600


def named(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def days(folder: Path) -> list[str]:
    return [file.day for file in log_files(folder)]


class Desk:
    """A log that is written and looked after, day by day."""

    def __init__(self, folder: Path, keys: Keyring | None = None) -> None:
        self.folder = folder
        self.keys = keys
        self.clock = ManualClock(at(TODAY))
        self.left: str | None = None
        self.state = State(None)
        self.lines = itertools.count()
        self.said: list[str] = []
        """What was surely written, oldest first, as ``day what``."""

    def log(self) -> AuditLog:
        return AuditLog(self.folder, self.clock, "run", key=KEY, keys=self.keys)

    def write(self, day: date, count: int = 2) -> None:
        """Some lines on that day."""
        self.clock = ManualClock(at(day))
        self.run(count, upkeep=False)

    def agreed(self) -> State:
        """The state as a run has left it a moment ago, with whose clock the helpdesk's agreed."""
        self.state.remember(**{HELPDESK_DATE: repr(self.clock.now())})
        return self.state

    def run(self, count: int = 1, *, upkeep: bool = True, keep: int = 365) -> list[str]:
        """A run with so many lines, which looks after the log; gives what that could not do."""
        audit = self.log()
        troubles: list[str] = []
        try:
            audit.run_started()
            if upkeep:
                troubles = look_after(audit, self.clock.now(), self.left, keep, self.keys, self.agreed())
            for _ in range(count):
                what = f"{datetime.fromtimestamp(self.clock.now(), UTC).date()} line {next(self.lines)}"
                audit.alert(what)
                self.said.append(what)
        finally:
            self.left = str(audit.head) if audit.head else self.left
            audit.close()
        return troubles

    def events(self) -> list[str]:
        return [line["what"] for _, line in events(self.folder, keys=self.keys) if " line " in line.get("what", "")]

    def alerts(self, what: str) -> list[dict[str, Any]]:
        return [line for _, line in events(self.folder, keys=self.keys) if line.get("what") == what]

    def flaws(self) -> list[str]:
        """What verification says of the log as a whole."""
        report = check(self.folder, (KEY,), self.keys)
        return [str(flaw) for flaw in (*report.flaws, *report.unchecked)]


@pytest.fixture(params=["plain", "encrypted"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    keys = Keyring([base64.b64encode(bytes(32)).decode()]) if request.param == "encrypted" else None
    return Desk(tmp_path / "logs", keys)


@pytest.fixture
def plain(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "logs")


# Retention


@pytest.mark.parametrize(
    "today",
    [
        date(2026, 11, 21),
        date(2028, 2, 29),
        date(2028, 3, 1),
        date(2028, 12, 31),
        date(2029, 2, 28),
        date(2029, 3, 1),
        date(2101, 1, 1),
    ],
    ids=str,
)
def test_of_a_year_day_365_is_kept_and_day_367_is_gone(plain: Desk, today: date) -> None:
    for back in (368, 367, 366, 365, 364, 1):
        plain.write(today - timedelta(days=back))
    plain.clock = ManualClock(at(today, 0.0))
    assert plain.run(keep=365) == []
    kept = [(today - timedelta(days=back)).isoformat() for back in (365, 364, 1, 0)]
    assert days(plain.folder) == kept
    plain.clock = ManualClock(at(today, 23.999))
    plain.run(keep=365)
    assert days(plain.folder) == kept
    assert plain.flaws() == []


class Clocks(Desk):
    """The same, as commands do it: the state holds what the helpdesk has said, and nothing is presumed of it."""

    true = at(TODAY)

    def agreed(self) -> State:
        return self.state

    def log(self) -> AuditLog:
        audit = super().log()
        audit.not_before = not_before(self.state, self.clock.now())
        return audit

    def play(self, wrong_by: float = 0.0, *, keep: int = 365, answers: bool = True, date_wrong_by: float = 0.0) -> None:
        """A run under a clock that is so many seconds ahead; the helpdesk's own clock may be wrong as well."""
        self.clock = ManualClock(self.true + wrong_by)
        self.run(keep=keep)
        if answers:
            self.state.remember(**{HELPDESK_DATE: repr(self.true + date_wrong_by)})

    def pass_days(self, count: float) -> None:
        self.true += count * DAY_S


@pytest.fixture
def clocks(tmp_path: Path) -> Clocks:
    return Clocks(tmp_path / "logs")


@pytest.mark.parametrize("ahead", [0, 400])
def test_before_the_helpdesk_has_told_its_date_nothing_is_removed(clocks: Clocks, ahead: int) -> None:
    for back in (500, 499, 498):
        clocks.write(TODAY - timedelta(days=back))
    for _ in range(4):
        clocks.play(ahead * DAY_S, answers=False)
    assert len(days(clocks.folder)) == 4
    assert clocks.alerts(EXPIRED) == []


@given(data=st.data())
def test_whatever_the_clock_says_no_line_goes_before_its_time_and_none_stays_long_after(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    keep = data.draw(st.integers(1, 8), "days kept")
    desk = Clocks(tmp_path_factory.mktemp("clocks") / "logs")
    desk.play(keep=keep)
    written = {desk.said[-1]: desk.true}
    sure = desk.true
    for _ in range(data.draw(st.integers(1, 25), "runs")):
        desk.pass_days(data.draw(st.sampled_from((0.01, 0.4, 1, 1, 1, 3)), "pause"))
        wrong = data.draw(st.sampled_from((0, 0, 0.04, -0.04)) | st.floats(-500, 500), "days ahead")
        answers = data.draw(st.booleans(), "the helpdesk answers")
        desk.play(wrong * DAY_S, keep=keep, answers=answers)
        # Where the helpdesk has said nothing meanwhile, nobody can know better than it said last.
        written[desk.said[-1]] = sure if wrong < 0 else desk.true
        sure = desk.true if answers else sure
        there = set(desk.events())
        young = {what for what, moment in written.items() if desk.true - moment < keep * DAY_S - BEHIND_S}
        assert young <= there
        assert [flaw for flaw in desk.flaws() if "is missing" in flaw] == []
    desk.pass_days(keep + 1)
    for _ in range(2):
        desk.play(keep=keep)
    assert [day for day in days(desk.folder) if day < first_kept(desk.true, keep)] == []


def test_the_log_tells_what_went_and_where_it_ended(desk: Desk) -> None:
    for back in (402, 401, 400, 1):
        desk.write(TODAY - timedelta(days=back))
    last = str(last_head(log_files(desk.folder)[:3], desk.keys))
    desk.clock = ManualClock(at(TODAY))
    desk.run()
    (told,) = desk.alerts(EXPIRED)
    assert told["days"] == [(TODAY - timedelta(days=back)).isoformat() for back in (402, 401, 400)]
    assert told["last"] == last
    assert desk.flaws() == []
    desk.run()
    assert len(desk.alerts(EXPIRED)) == 1


def test_what_lies_beside_a_day_goes_with_it_and_what_is_not_ours_stays(plain: Desk) -> None:
    old, new = TODAY - timedelta(days=400), TODAY
    for day in (old, TODAY - timedelta(days=1), new):
        plain.write(day)
        for ending in ("torn", "jsonl.gz.tmp", "log.gz", "jsonl.old"):
            (plain.folder / f"ticketbot-{day}.{ending}").write_bytes(b"x")
    for other in ("notes.txt", "ticketbot-stuff.txt", "ticketbot-2020.jsonl", "other-2020-01-01.log"):
        (plain.folder / other).write_bytes(b"x")
    before = set(named(plain.folder))
    plain.clock = ManualClock(at(TODAY))
    assert plain.run() == []
    gone = before - set(named(plain.folder))
    assert {name for name in gone if str(old) in name} == {name for name in before if str(old) in name}
    assert {name for name in before if str(old) not in name} <= set(named(plain.folder))


def test_days_go_only_once_the_log_surely_says_so(plain: Desk) -> None:
    for back in (401, 400, 1):
        plain.write(TODAY - timedelta(days=back))
        plain.run(keep=3650)
    plain.clock = ManualClock(at(TODAY))
    disk = Disk(plain.folder)
    with disk.at_work():
        plain.run()
    assert not [name for name in named(plain.folder) if "2025" in name]
    done = disk.operations
    first = next(
        i for i, each in enumerate(done) if each.startswith("unlink ticketbot-2025") and not each.endswith("tmp")
    )
    told = [i for i, each in enumerate(done[:first]) if each == f"write ticketbot-{TODAY}.jsonl"]
    synced = [i for i, each in enumerate(done[:first]) if each == f"fsync ticketbot-{TODAY}.jsonl"]
    assert len(told) >= 2
    assert synced[-1] > told[-1], "a power cut must not leave days gone and nothing said of it"


def test_without_a_line_about_it_nothing_goes(plain: Desk) -> None:
    for back in (401, 400, 1):
        plain.write(TODAY - timedelta(days=back))
    plain.clock = ManualClock(at(TODAY))
    audit = plain.log()
    disk = Failing(10_000, "full", plain.folder)
    with disk.at_work():
        audit.run_started()
        disk.at = len(disk.operations) + 1
        (trouble,) = look_after(audit, plain.clock.now(), None, 365, None, plain.agreed())
    audit.close()
    assert "No space left" in trouble
    assert len(log_files(plain.folder)) == 4
    plain.run()
    assert (days(plain.folder), plain.flaws()) == ([str(TODAY - timedelta(days=1)), str(TODAY)], [])


# What stands in the way


def test_one_file_that_cannot_be_removed_does_not_keep_the_others(plain: Desk) -> None:
    for back in (403, 402, 401, 1):
        plain.write(TODAY - timedelta(days=back))
    plain.clock = ManualClock(at(TODAY))
    there = str(TODAY - timedelta(days=402))

    class OneIsBroken(Disk):
        def before(self, number: int, operation: str) -> None:
            if operation.startswith(f"unlink ticketbot-{there}"):
                raise OSError(5, "Input/output error")

    with OneIsBroken(plain.folder).at_work():
        (trouble,) = plain.run()
    assert "Input/output error" in trouble
    assert days(plain.folder) == [there, str(TODAY - timedelta(days=1)), str(TODAY)]


def spoil(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make of it what is none of ours: a line longer than any that is read."""
    monkeypatch.setattr("ticket_processor.audit.files.MAX_LINE", 1 << 20)
    path.write_bytes(b"x" * (1 << 20) + b"\n")


# Whether it is as it was left


@pytest.mark.parametrize("wrong", ["cut", "changed", "removed", "swapped", "emptied", "other day", "no head"])
def test_a_log_that_was_touched_is_told_once(plain: Desk, wrong: str) -> None:
    plain.run(3)
    path = plain.folder / f"ticketbot-{TODAY}.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    if wrong == "cut":
        path.write_bytes(b"".join(lines[:-1]))
    elif wrong == "changed":
        path.write_bytes(b"".join(lines[:-1]) + lines[-1].replace(b'"mac":"', b'"mac":"0'))
    elif wrong == "removed":
        path.unlink()
    elif wrong == "swapped":
        path.write_bytes(b"".join([*lines[:-2], lines[-1], lines[-2]]))
    elif wrong == "emptied":
        path.write_bytes(b"")
    elif wrong == "other day":
        path.rename(plain.folder / "ticketbot-2026-11-20.jsonl")
    else:
        plain.left = "no head at all"
    assert not stands(plain.folder, str(plain.left))
    (trouble,) = plain.run()
    assert "ticketbot audit verify" in trouble
    (told,) = plain.alerts(CHANGED)
    assert told["head"]
    assert plain.run() == []


def test_a_log_that_cannot_be_read_is_a_remark_and_no_end(plain: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    plain.write(TODAY - timedelta(days=1))
    spoil(log_files(plain.folder)[0].path, monkeypatch)
    plain.clock = ManualClock(at(TODAY))
    (trouble,) = plain.run()
    assert "cannot be read" in trouble
    assert CHANGED not in (plain.folder / f"ticketbot-{TODAY}.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("keys", [None, Keyring([base64.b64encode(bytes(range(32))).decode()])])
def test_lines_whose_key_is_not_here_are_not_called_changed(tmp_path: Path, keys: Keyring | None) -> None:
    desk = Desk(tmp_path / "logs", Keyring([base64.b64encode(bytes(32)).decode()]))
    desk.run()
    assert stands(desk.folder, str(desk.left), keys)


# Crashes


def first_kept(now: float, keep: int) -> str:
    return (datetime.fromtimestamp(now, UTC).date() - timedelta(days=keep)).isoformat()


def a_log_with_work_to_do(folder: Path) -> Desk:
    desk = Desk(folder)
    for back in (367, 366, 4, 3, 1):
        desk.write(TODAY - timedelta(days=back))
    (folder / f"ticketbot-{TODAY - timedelta(days=366)}.torn").write_bytes(b"x")
    desk.clock = ManualClock(at(TODAY))
    return desk


def steps(tmp_path: Path) -> int:
    desk = a_log_with_work_to_do(tmp_path / "counted")
    disk = Disk(desk.folder)
    with disk.at_work():
        desk.run()
    return len(disk.operations)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after", "half"])
def test_whatever_operation_it_dies_at_the_next_run_brings_it_to_its_end(tmp_path: Path, when: Any) -> None:
    count = steps(tmp_path)
    assert count > 25
    whole = a_log_with_work_to_do(tmp_path / "whole")
    for number in range(1, count + 1):
        folder = tmp_path / str(number)
        shutil.copytree(whole.folder, folder)
        desk = Desk(folder)
        desk.said, desk.left, desk.lines = list(whole.said), whole.left, itertools.count(100)
        disk = Dying(number, when, folder)
        with disk.at_work(), suppress(Died):
            desk.run()
        where = f"{when} {disk.operations[-1]} ({number})"
        died_in = set(desk.events()) - set(desk.said)
        desk.clock.advance(600)
        assert [each for each in desk.run() if "no longer holds" not in each] == [], where
        assert not [name for name in named(folder) if "2025-11-1" in name or "2025-11-20" in name], where
        kept = [what for what in desk.said if what >= "2026"]
        assert [what for what in desk.events() if what not in died_in] == kept, where
        assert desk.flaws() == [], where
        assert len(log_files(folder)) == 4, where
        assert not [name for name in named(folder) if name.endswith(".tmp")], where


@given(data=st.data())
def test_any_story_of_days_and_deaths_keeps_what_was_said_and_no_day_too_long(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    keep = data.draw(st.integers(1, 6), "days kept")
    desk = Desk(tmp_path_factory.mktemp("story") / "logs")
    doubtful: set[str] = set()
    now, first = desk.clock.now(), ""
    for _ in range(data.draw(st.integers(2, 8), "runs")):
        now += data.draw(st.sampled_from((600.0, 12 * 3600.0, DAY_S, 3 * DAY_S, -2 * DAY_S)), "pause")
        desk.clock = ManualClock(now)
        first = max(first, first_kept(now, keep))
        dies_at = data.draw(st.none() | st.integers(1, 70), "dies at")
        when = data.draw(st.sampled_from(("before", "after", "half")), "when")
        before = len(desk.said)
        disk = Disk(desk.folder) if dies_at is None else Dying(dies_at, when, desk.folder)
        with disk.at_work():
            try:
                desk.run(2, keep=keep)
            except Died:
                doubtful |= set(desk.events()) - set(desk.said[:before])
    desk.run(1, keep=keep)
    assert desk.run(1, keep=keep) == []
    assert all(name[len("ticketbot-") :] >= first_kept(now, keep) for name in named(desk.folder))
    there = [what for what in desk.events() if what not in doubtful]
    assert set(there) >= {what for what in desk.said if what >= first} - doubtful
    assert desk.flaws() == []


def test_a_line_that_only_looks_encrypted_does_not_stand_for_the_last_one(plain: Desk) -> None:
    plain.write(TODAY)
    file = log_files(plain.folder)[-1]
    head = last_head([file])
    assert head
    assert stands(plain.folder, str(head))
    lines = file.path.read_bytes().splitlines(keepends=True)
    forged = b'{"seq":%d,"sealed":"eA=="}\n' % (head.lines - 1)
    file.path.write_bytes(b"".join([*lines[:-1], forged]))
    assert not stands(plain.folder, str(head))


def test_the_end_of_another_log_is_not_looked_for_in_this_one(tmp_path: Path) -> None:
    state, clock = State(None), ManualClock()
    here, there = (AuditLog(tmp_path / name, clock, "r") for name in ("here", "there"))
    assert left_in(state, here.folder) is None
    assert keep_head(state, here) is None
    here.alert("x")
    assert keep_head(state, here) == str(here.head) == left_in(state, here.folder)
    assert left_in(state, there.folder) is None
    for each in (here, there):
        each.close()
    state.close()


# Encryption that ends, and keys that are lost


def master() -> str:
    return base64.b64encode(os.urandom(32)).decode()


OLD, NEW = master(), master()


def encrypted_log(folder: Path) -> Desk:
    desk = Desk(folder, Keyring([OLD]))
    desk.write(TODAY - timedelta(days=1))
    desk.clock = ManualClock(at(TODAY))
    return desk


@pytest.mark.parametrize("begun_today", [False, True])
@pytest.mark.parametrize(
    ("keys", "what_to_do"), [((), "set log_dir to a new folder"), ((NEW,), "put that one behind the new one")]
)
def test_an_encrypted_log_never_goes_on_in_the_clear_or_under_a_key_that_opens_none_of_it(
    keys: tuple[str, ...], what_to_do: str, begun_today: bool, tmp_path: Path
) -> None:
    desk = encrypted_log(tmp_path)
    if begun_today:
        desk.run()
    with pytest.raises(ConfigError, match=what_to_do) as caught:
        check_encryption(tmp_path, str(TODAY), Keyring(keys) if keys else None)
    assert not any(key in str(caught.value) for key in (OLD, NEW))


def test_a_day_that_is_empty_or_damaged_does_not_hide_that_the_log_is_encrypted(tmp_path: Path) -> None:
    encrypted_log(tmp_path)
    day = tmp_path / f"ticketbot-{TODAY}.jsonl"
    day.unlink(missing_ok=True)
    day.mkdir()
    with pytest.raises(ConfigError):
        check_encryption(tmp_path, str(TODAY), None)
    day.rmdir()
    day.write_bytes(b"")
    with pytest.raises(ConfigError):
        check_encryption(tmp_path, str(TODAY), None)

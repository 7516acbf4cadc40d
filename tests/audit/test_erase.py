from __future__ import annotations

import base64
import os
from contextlib import suppress
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.cache import FILE_NAME as ANSWERS
from ticket_processor.analysis.cache import AnswerStore
from ticket_processor.audit.erase import ERASED, ERASING, TicketTraces, erase, find
from ticket_processor.audit.files import events, log_files, read_lines
from ticket_processor.audit.lines import Keyring
from ticket_processor.audit.receipts import AuditLog, look_after
from ticket_processor.audit.verify import check
from ticket_processor.core.errors import AuditUnwritable, StateUnusable
from ticket_processor.core.models import Outcome, OutcomeStatus, Priority, Usage
from ticket_processor.state.records import Verdict, erase_words
from ticket_processor.state.store import FILE_NAME, HELPDESK_DATE, State

from ..support.bad_disk import Died, Disk, Dying
from ..support.fakes import START, ManualClock, a_change, a_decision, an_analysis

pytestmark = pytest.mark.usefixtures("unsynced")

KEY = b"a key of sixteen bytes or more"
CANARY = "canary-7f3a"
DAY_S = 86_400.0


def keyring() -> Keyring:
    return Keyring([base64.b64encode(os.urandom(32)).decode()])


class Office:
    """A log of several days in which each ticket has words of its own."""

    def __init__(self, folder: Path, keys: Keyring | None = None) -> None:
        self.folder = folder
        self.keys = keys

    def log(self, day: int = 0) -> AuditLog:
        return AuditLog(self.folder, ManualClock(START + day * DAY_S), "run", key=KEY, keys=self.keys)

    def write(self, day: int, *tickets: int) -> None:
        """An intent and a receipt for each ticket, both with words."""
        audit = self.log(day)
        for number in tickets:
            word = f"{CANARY}-{number}-"
            change = a_change(number, note=f"Note {word}n")
            analysis = an_analysis(
                summary=f"Summary {word}s",
                evidence=(f"quote {word}q",),
                urgent_words=(f"urgent {word}u",),
                entities={"order": f"{word}e"},
                root_cause=f"Cause {word}c",
                steps=(f"Try {word}t",),
            )
            audit.intent(change)
            audit.ticket(
                Outcome(ticket_id=number, status=OutcomeStatus.UPDATED, reason="m-1", analysis=analysis, change=change)
            )
        audit.close()

    def erase(self, *tickets: int) -> TicketTraces:
        audit = self.log()
        try:
            return erase(audit, tickets, self.keys, find(self.folder, tickets, self.keys))
        finally:
            audit.close()

    def words_of(self, number: int) -> int:
        """How often anything of a ticket's words stands anywhere in the folder, encrypted files included."""
        texts = [path.read_bytes() for path in self.folder.iterdir()]
        texts += [item.raw for file in log_files(self.folder) for item in read_lines(file, self.keys)]
        return sum(each.count(f"{CANARY}-{number}-".encode()) for each in texts)

    def assert_holds(self) -> None:
        report = check(self.folder, [KEY], self.keys)
        assert report.holds, (report.flaws, report.unchecked)


@pytest.fixture(params=["plain", "encrypted"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    office = Office(tmp_path, keyring() if request.param == "encrypted" else None)
    office.write(-2, 7, 8)
    office.write(-1, 9, 7)
    office.write(0, 7, 10)
    return office


# The log


def test_the_words_are_gone_from_every_file_and_the_chain_holds(office: Office) -> None:
    assert office.words_of(7) > 0
    gone = office.erase(7)
    assert office.words_of(7) == 0
    assert (gone.total, len(gone.lines), gone.troubles) == (6, 3, [])
    office.assert_holds()


def test_other_tickets_keep_their_words_and_the_lines_their_labels(office: Office) -> None:
    before = [line for _, line in events(office.folder, keys=office.keys)]
    others = {number: office.words_of(number) for number in (8, 9, 10)}
    office.erase(7)
    assert {number: office.words_of(number) for number in (8, 9, 10)} == others
    after = [line for _, line in events(office.folder, keys=office.keys)]
    for was, now in zip(before, after, strict=False):
        kept = [
            line["analysis"] and line["analysis"]["category"] if "analysis" in line else None for line in (was, now)
        ]
        assert kept[0] == kept[1]
        assert (was["ts"], was["mac"], was.get("ticket_id")) == (now["ts"], now["mac"], now.get("ticket_id"))


def test_it_is_written_down_before_and_after_without_whose_it_was(office: Office) -> None:
    office.erase(7, 99)
    first, second = [
        line for _, line in events(office.folder, keys=office.keys) if line.get("what", "").startswith("eras")
    ]
    assert (first["what"], second["what"]) == (ERASING, ERASED)
    assert (second["tickets"], second["lines"], second["files"]) == ([7, 99], 6, 3)
    assert set(second["upto"]) == {"2026-11-19", "2026-11-20", "2026-11-21"}


def test_what_crashes_left_goes_too_whosever_it_is(office: Office) -> None:
    names = ("ticketbot-2026-11-20.torn", "ticketbot-2026-11-19.torn.gz", "ticketbot-2026-11-18.jsonl.gz.tmp")
    for name in names:
        (office.folder / name).write_bytes(f"{CANARY}-7-".encode())
    gone = office.erase(7)
    assert [path.name for path in gone.leftovers] == sorted(names)
    assert office.words_of(7) == 0
    assert not any((office.folder / name).exists() for name in names)


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_torn_line_loses_its_words_and_is_as_torn_as_before(end: bytes, office: Office) -> None:
    path = office.folder / "ticketbot-2026-11-21.jsonl"
    last = path.read_bytes().splitlines(keepends=True)
    ours = next(line for line in last if (office.keys and b"sealed" in line) or b'"ticket_id":7,' in line)
    path.write_bytes(b"".join(last) + ours[:-40] + end)
    lines = len(path.read_bytes().splitlines())
    found = find(office.folder, [7], office.keys)
    audit = office.log(5)
    erase(audit, [7], office.keys, found)
    audit.close()
    assert office.words_of(7) == 0
    assert ours[:-40] not in b"".join(path.read_bytes() for path in office.folder.iterdir())
    assert len(path.read_bytes().splitlines()) in (lines, lines - 1)  # a torn end is removed when the log goes on


@pytest.mark.parametrize("days_wrong", [-30, -1, 30])
def test_an_erasure_under_a_wrong_clock_is_known_for_as_long_as_the_lines_it_was_made_in(
    days_wrong: int, office: Office
) -> None:
    audit = office.log(days_wrong)
    erase(audit, [7], office.keys, find(office.folder, [7], office.keys))
    left = str(audit.head)
    audit.close()
    assert office.words_of(7) == 0
    office.assert_holds()
    state = State(None)
    for day in (days_wrong, *range(5)):
        audit = office.log(day)
        audit.run_started(follows=left)
        state.remember(**{HELPDESK_DATE: repr(START + day * DAY_S)})
        assert look_after(audit, START + day * DAY_S, left, 2, office.keys, state) == []
        audit.alert("ended")
        left = str(audit.head)
        audit.close()
        office.assert_holds()


def test_a_file_whose_key_is_not_here_is_told_and_the_rest_is_erased(tmp_path: Path) -> None:
    Office(tmp_path, keyring()).write(-1, 7)
    office = Office(tmp_path, keyring())
    office.write(0, 7)
    gone = office.erase(7)
    assert gone.troubles == ["2 lines of ticketbot-2026-11-20.jsonl cannot be decrypted with the keys that are here"]
    assert gone.total == 2


def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_erased(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ticket_processor.audit.files.MAX_LINE", 1 << 20)
    with (office.folder / "ticketbot-2026-11-19.jsonl").open("ab") as file:
        file.write(b"x" * (1 << 20) + b"\n")
    gone = office.erase(7)
    (trouble,) = gone.troubles
    assert "ticketbot-2026-11-19.jsonl cannot be read: line " in trouble
    assert gone.total == 4


def test_nothing_is_erased_that_cannot_be_written_down(office: Office) -> None:
    before = office.words_of(7)
    audit = office.log()
    with (
        mock.patch.object(AuditLog, "alert", side_effect=AuditUnwritable("no")),
        pytest.raises(AuditUnwritable),
    ):
        erase(audit, [7], office.keys, find(office.folder, [7], office.keys))
    assert office.words_of(7) == before


def test_it_is_surely_written_down_before_the_first_word_goes(office: Office) -> None:
    disk = Disk(office.folder)
    with disk.at_work():
        office.erase(7)
    name = f"ticketbot-{log_files(office.folder)[-1].day}.jsonl"
    done = disk.operations
    first = next(number for number, each in enumerate(done) if each.startswith("replace ticketbot"))
    told = [each for each in done[:first] if each in (f"write {name}", f"fsync {name}")]
    assert told[-2:] == [f"write {name}", f"fsync {name}"]


def test_lines_that_another_process_adds_meanwhile_are_erased_and_explained(office: Office) -> None:
    found = find(office.folder, [7], office.keys)
    office.write(0, 7)
    audit = office.log()
    erase(audit, [7], office.keys, found)
    audit.close()
    assert office.words_of(7) == 0
    office.assert_holds()


@given(data=st.data())
def test_whoever_dies_while_erasing_leaves_whole_files_and_the_next_one_ends_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    office = Office(tmp_path_factory.mktemp("dies"), keyring() if data.draw(st.booleans()) else None)
    office.write(-2, 7, 8)
    office.write(0, 7)
    others = office.words_of(8)
    at, when = data.draw(st.integers(1, 40), "dies at"), data.draw(st.sampled_from(("before", "after", "half")), "when")
    with Dying(at, when, office.folder).at_work(), suppress(Died):
        office.erase(7)
    office.assert_holds()
    assert office.words_of(8) >= others  # what was being written lies beside its file
    office.erase(7)
    assert (office.words_of(7), office.words_of(8)) == (0, others)
    office.assert_holds()


# State and answers


def _files_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_the_state_forgets_the_words_and_keeps_what_is_to_be_written(tmp_path: Path) -> None:
    state = State(tmp_path / FILE_NAME)
    for number in (7, 8):
        word = f"{CANARY}-{number}-"
        analysis = an_analysis(summary=word, evidence=(word,), entities={"order": word}, usage=Usage(input=5))
        analysis = analysis.model_copy(update={"root_cause": word, "steps": (word,), "resolution_likelihood": 0.8})
        verdict = Verdict(
            ticket_id=number,
            key="k" * 32,
            analysis=analysis,
            decision=a_decision(number, note=word, tags=("ai_billing",)),
            clean_stamp="2026-11-21T02:30:00Z",
        )
        state.keep_verdict(verdict)
        state.open_intent(a_change(number, intent=f"i-{number}", note=word, priority=Priority.HIGH))
    assert erase_words(state, [7, 99]) == []
    (seven, eight) = state.unsettled()
    assert seven.verdict.analysis
    assert (seven.verdict.analysis.summary, seven.verdict.analysis.category) == ("", "billing")
    assert seven.verdict.analysis.resolution_likelihood == 0.8
    assert (seven.verdict.decision.note, seven.verdict.decision.tags) == (None, ("ai_billing",))
    assert (seven.sent[0].note, seven.sent[0].priority, seven.sent[0].intent) == (None, Priority.HIGH, "i-7")
    assert eight.verdict.decision.note == f"{CANARY}-8-"
    stored = _files_of(tmp_path)  # while it is open: its write-ahead log included
    assert (stored.count(f"{CANARY}-7-".encode()), f"{CANARY}-8-".encode() in stored) == (0, True)
    state.close()


def test_what_was_to_be_put_back_for_a_person_is_given_up_and_told(tmp_path: Path) -> None:
    state = State(tmp_path / FILE_NAME)
    decision = a_decision(7, fields={2002: f"{CANARY}-7-"})
    state.keep_verdict(
        Verdict(ticket_id=7, key="k" * 32, analysis=None, decision=decision, clean_stamp="s", puts_back=True)
    )
    state.open_intent(a_change(7, fields={2002: f"{CANARY}-7-"}, puts_back=True))
    assert erase_words(state, [7]) == [7]
    assert state.unsettled() == []
    assert CANARY.encode() not in _files_of(tmp_path)
    state.close()


def test_a_state_that_somebody_reads_is_not_taken_for_emptied(tmp_path: Path) -> None:
    import sqlite3

    state = State(tmp_path / FILE_NAME)
    state._db.execute("PRAGMA busy_timeout=0")
    reader = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM facts").fetchall()
    with pytest.raises(StateUnusable, match="in use by another process"):
        erase_words(state, [7])
    reader.close()
    assert erase_words(state, [7]) == []
    state.close()


def test_every_kept_answer_goes_and_the_spending_stays(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / ANSWERS, ManualClock())
    for number in range(50):
        store.put("m", f"text {number}", an_analysis(summary=f"{CANARY}-{number}-"))
    store.spend("m", Usage(input=5), 0.25)
    assert CANARY.encode() in _files_of(tmp_path)
    assert store.forget() == 50
    assert CANARY.encode() not in _files_of(tmp_path)
    assert store.get("m", "text 3") is None
    assert store.spent_today() == 0.25
    store.close()

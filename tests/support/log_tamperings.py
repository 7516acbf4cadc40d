"""A log as months of runs leave it, and every way to tamper with it that somebody without its key has."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ticket_processor.audit.erase import erase, find
from ticket_processor.audit.files import SEGMENT, LogFile, log_files
from ticket_processor.audit.lines import Keyring, Line, encode, erased, is_encrypted, key_id, read, sealed
from ticket_processor.audit.receipts import AuditLog, look_after
from ticket_processor.audit.verify import VerificationReport, check
from ticket_processor.audit.writer import Head, last_head
from ticket_processor.core.models import Outcome, OutcomeStatus, Usage
from ticket_processor.core.run_summary import RunSummary
from ticket_processor.state.store import HELPDESK_DATE, State

from .fakes import ManualClock, a_change, an_analysis

KEY, OLD_KEY, FOREIGN_KEY = b"the key that seals the log", b"the key before that one", b"a key of somebody else's"
LAST_DAY = datetime(2026, 11, 21, tzinfo=UTC)
RETENTION_DAYS = 8


@dataclass
class TrueLog:
    """A log that nobody has tampered with; ``head`` is its end as somebody else knows it."""

    folder: Path
    keys: tuple[bytes, ...]
    keyring: Keyring | None
    head: Head

    def __post_init__(self) -> None:
        self._files = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        self._content = self.content()

    @property
    def is_as_it_was(self) -> bool:
        """Whether the files say what they did."""
        return self.content() == self._content

    def check(self, *, anchored: bool = True) -> VerificationReport:
        """What verification makes of it now."""
        anchors = [("--anchor", self.head)] if anchored else []
        return check(self.folder, self.keys, self.keyring, anchors)

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """Whatever is done to the files meanwhile is undone."""
        try:
            yield
        finally:
            for path in self.folder.iterdir():
                if path.name not in self._files:
                    path.unlink()
            for name, data in self._files.items():
                path = self.folder / name
                if not path.exists() or path.read_bytes() != data:
                    path.write_bytes(data)

    def content(self) -> dict[str, bytes]:
        """What the files say. That the last end of line is there or not says nothing."""
        return {file.day: file.path.read_bytes().removesuffix(b"\n") for file in log_files(self.folder)}


def written(folder: Path, rng: random.Random, *, encrypted: bool = False, days: int = 9, tickets: int = 5) -> TrueLog:
    """Some days of runs: expired and erased ones, a new key, a clock that was put back, a day without runs."""
    keyring = Keyring([base64.b64encode(rng.randbytes(32)).decode()]) if encrypted else None
    left: str | None = None
    state = State(None)
    numbers = iter(range(1, 10_000))
    begin = LAST_DAY - timedelta(days=days)
    for day in [*range(days + 1), 5, days]:
        if day == 3:
            continue
        key = OLD_KEY if day < 2 else KEY
        for hour in (2, 14):
            clock = ManualClock((begin + timedelta(days=day, hours=hour)).timestamp())
            audit = AuditLog(folder, clock, f"run-{day}-{hour}", key=key, keys=keyring)
            audit.run_started(follows=left)
            state.remember(**{HELPDESK_DATE: repr(clock.now())})
            look_after(audit, clock.now(), left, RETENTION_DAYS, keyring, state)
            _triage(audit, [next(numbers) for _ in range(rng.randint(1, tickets))], clock)
            left = str(audit.head)
            audit.close()
    audit = AuditLog(folder, ManualClock(LAST_DAY.timestamp() + 80_000), "erasure", key=KEY, keys=keyring)
    gone = {number for number in range(20, 80) if number % 4 == 0}
    erase(audit, gone, keyring, find(folder, gone, keyring))
    _triage(audit, [next(numbers) for _ in range(tickets)], ManualClock(LAST_DAY.timestamp() + 80_100))
    audit.close()
    head = last_head(log_files(folder), keyring)
    assert head
    return TrueLog(folder, (KEY, OLD_KEY), keyring, head)


def _triage(audit: AuditLog, tickets: list[int], clock: ManualClock) -> None:
    for number in tickets:
        clock.advance(1.5)
        change = a_change(number, intent=audit.new_intent(), note=f"Triage: billing. Ticket {number}.")
        audit.intent(change)
        analysis = an_analysis(summary=f"Ticket {number} was charged twice.", evidence=("twice",), usage=Usage(input=9))
        audit.ticket(
            Outcome(ticket_id=number, status=OutcomeStatus.UPDATED, reason="m-1", analysis=analysis, change=change)
        )
    audit.run_finished(RunSummary(run_id="r", dry_run=False, outcomes={"updated": len(tickets)}))


class Tamperer:
    """Somebody who can write every file of the log, knows how it is made and how it is decrypted, and has no key."""

    def __init__(self, log: TrueLog, rng: random.Random) -> None:
        self._log = log
        self._rng = rng

    def do(self, kind: str) -> None:
        """One tampering of that kind; see :data:`KINDS`."""
        KINDS[kind](self)

    # Bytes

    def flip(self) -> None:
        file = self._any()
        data = bytearray(file.path.read_bytes())
        data[self._rng.randrange(len(data))] ^= 1 << self._rng.randrange(8)
        file.path.write_bytes(bytes(data))

    # Lines

    def delete(self) -> None:
        lines, file = self._lines()
        at = self._rng.randrange(len(lines))
        del lines[at : at + self._rng.choice((1, 1, 2, 5))]
        file.path.write_bytes(b"".join(lines))

    def swap(self) -> None:
        lines, file = self._lines(at_least=2)
        one, other = self._rng.sample(range(len(lines)), 2)
        lines[one], lines[other] = lines[other], lines[one]
        file.path.write_bytes(b"".join(lines))

    def duplicate(self) -> None:
        lines, file = self._lines()
        lines.insert(self._rng.randrange(len(lines) + 1), self._rng.choice(lines))
        file.path.write_bytes(b"".join(lines))

    def replace_by_other_day(self) -> None:
        lines, file = self._lines()
        others, _ = self._lines(but=file.day)
        lines[self._rng.randrange(len(lines))] = self._rng.choice(others)
        file.path.write_bytes(b"".join(lines))

    def insert(self) -> None:
        """A line without a seal, with somebody else's, or with one that was copied."""
        lines, file = self._lines()
        at = self._rng.randrange(len(lines) + 1)
        made: Line = {"ts": f"{file.day}T09:00:00.000Z", "event": "alert", "run_id": "r", "what": "nothing_happened"}
        how = self._rng.choice(("bare", "foreign", "copied"))
        if how == "foreign":
            made = sealed(made, FOREIGN_KEY, "0" * 32, at)
        elif how == "copied":
            made |= {"seq": at, "mac": "0" * 32}
        file.path.write_bytes(b"".join([*lines[:at], encode(made), *lines[at:]]))

    def edit(self) -> None:
        """Another value in a line, encrypted again where it was."""

        def change(line: Line) -> Line:
            name = self._rng.choice([name for name, value in line.items() if not isinstance(value, dict)])
            return {**line, name: {"ts": "2020-01-01T00:00:00.000Z", "outcome": "skipped"}.get(name, "edited")}

        self._edit(lambda line: line.get("event") != SEGMENT, change)

    def edit_words(self) -> None:
        def change(line: Line) -> Line:
            return {**line, "analysis": {**line["analysis"], "summary": "Nothing was charged."}}

        self._edit(lambda line: "summary" in (line.get("analysis") or {}), change)

    def strip_words(self) -> None:
        self._edit(lambda line: "salt" in (line.get("personal") or {}), erased)

    def put_words_back(self) -> None:
        def change(line: Line) -> Line:
            personal = {**line["personal"], "salt": "0" * 16}
            return {**line, "analysis": {**line["analysis"], "summary": "Another."}, "personal": personal}

        gone = lambda line: "summary" not in (line.get("analysis") or {"summary": 1})  # noqa: E731
        self._edit(gone, change)

    def edit_header(self) -> None:
        def change(line: Line) -> Line:
            if "after" in line and self._rng.random() < 0.5:
                name, value = self._rng.choice((("day", "2026-11-01"), ("lines", 3), ("mac", "0" * 32)))
                return {**line, "after": {**line["after"], name: value}}
            name = self._rng.choice([*line, "after"])
            return {key: value for key, value in {**line, name: "0" * 8}.items() if self._rng.random() > 0.1}

        self._edit(lambda line: line.get("event") == SEGMENT, change)

    def reseal(self) -> None:
        """All from some line on once more, in a chain of somebody else's."""
        lines, file = self._lines()
        opened = self._opened(file)
        at = self._rng.randrange(len(lines))
        before, made = "", b""
        for number, line in enumerate(opened[at:], start=at):
            bare = {name: value for name, value in line.items() if name not in ("mac", "personal", "seq", "cipher")}
            whole = sealed({**bare, "outcome": "skipped"}, FOREIGN_KEY, before, number)
            before, made = whole["mac"], made + encode(whole)
        file.path.write_bytes(b"".join(lines[:at]) + made)

    def forge_end(self) -> None:
        """The same below a header that names the key and holds on to what stands above."""
        lines, file = self._lines()
        at = self._rng.randrange(len(lines))
        file.path.write_bytes(b"".join(lines[:at]) + self._forged(file, at))

    def forge_insertion(self) -> None:
        """Made-up lines behind what is there, and an end that tells the mac which others may know of."""
        file = self._files()[-1]
        lines = file.path.read_bytes().splitlines(keepends=True)
        file.path.write_bytes(b"".join(lines) + self._forged(file, len(lines), also=self._opened(file)[-2:]))

    def forge_beginning(self) -> None:
        """The oldest files as a whole, each with the end that the next one knows of."""
        files = self._files()
        for file in files[: self._rng.randint(1, len(files) - 1)]:
            file.path.write_bytes(self._forged(file, 0))

    def _forged(self, file: LogFile, at: int, also: list[Line] | None = None) -> bytes:
        """Lines from ``at`` on below a header, under an invented key; the last one tells the mac that was there."""
        opened = self._opened(file)
        name = key_id(FOREIGN_KEY)
        header: Line = {"event": SEGMENT, "segment": file.day, "schema": 1, "key_id": name}
        if at:
            mac = next((str(line["mac"]) for line in reversed(opened[:at]) if "mac" in line), "")
            header["after"] = {"day": file.day, "lines": at, "mac": mac, "key_id": name}
        elif "after" in opened[0]:
            header["after"] = {**opened[0]["after"], "key_id": name}
        header = sealed(header, FOREIGN_KEY, "", at)
        before, made = header["mac"], encode(header)
        left = also if also is not None else opened[at + 1 :]
        for number, line in enumerate(left, start=at + 1):
            bare = {name: value for name, value in line.items() if name not in ("mac", "personal", "seq", "cipher")}
            whole = sealed({**bare, "outcome": "skipped"}, FOREIGN_KEY, before, number)
            if line is left[-1] and self._rng.random() < 0.5:
                whole["mac"] = line["mac"]  # what others know the end by
            before, made = whole["mac"], made + encode(whole)
        return made

    # Ends and files

    def cut_end(self) -> None:
        """Any number of bytes off the end of the newest file."""
        file = self._files()[-1]
        content = file.path.read_bytes()
        file.path.write_bytes(content[: -self._rng.randint(1, len(content) - 1)])

    def cut_lines_off_the_end(self) -> None:
        lines, file = self._lines(self._files()[-1])
        file.path.write_bytes(b"".join(lines[: -self._rng.randint(1, len(lines) - 1)]))

    def cut_end_of_older(self) -> None:
        file = self._rng.choice(self._files()[:-1])
        content = file.path.read_bytes()
        file.path.write_bytes(content[: -self._rng.randint(1, len(content))])

    def remove_newest(self) -> None:
        for file in self._files()[-self._rng.randint(1, 3) :]:
            file.path.unlink()

    def remove_middle(self) -> None:
        self._rng.choice(self._files()[1:-1]).path.unlink()

    def remove_oldest(self) -> None:
        for file in self._files()[: self._rng.randint(1, 3)]:
            file.path.unlink()

    def replace_file(self) -> None:
        one, other = self._rng.sample(self._files(), 2)
        one.path.write_bytes(other.path.read_bytes())

    def add_file(self) -> None:
        """A day of its own: made up, another one's copy, or from another log with the same key."""
        days = {file.day for file in self._files()}
        free = [day for n in range(30) if (day := str((LAST_DAY - timedelta(days=n)).date())) not in days]
        file = LogFile.at(self._log.folder / f"ticketbot-{self._rng.choice(free)}.jsonl")
        how = self._rng.choice(("bare", "copy", "foreign"))
        data = encode({"ts": f"{file.day}T09:00:00.000Z", "event": "alert", "run_id": "r", "what": "nothing"})
        if how == "copy":
            data = self._any().path.read_bytes()
        elif how == "foreign":
            header = sealed({"event": SEGMENT, "segment": file.day, "schema": 1, "key_id": "0" * 8}, b"?", "", 0)
            data = encode(header) + encode(sealed(read(data), b"?", header["mac"], 1))
        file.path.write_bytes(data)

    # What it takes

    def _files(self) -> list[LogFile]:
        return log_files(self._log.folder)

    def _any(self) -> LogFile:
        return self._rng.choice(self._files())

    def _lines(self, file: LogFile | None = None, *, at_least: int = 1, but: str = "") -> tuple[list[bytes], LogFile]:
        while file is None:
            chosen = self._any()
            if chosen.day != but and chosen.path.read_bytes().count(b"\n") >= at_least:
                file = chosen
        return file.path.read_bytes().splitlines(keepends=True), file

    def _opened(self, file: LogFile) -> list[Line]:
        """The lines in plain text: whoever has the key that encrypts still lacks the one that seals."""
        found, key = [], None
        for stored in file.path.read_bytes().splitlines(keepends=True):
            line = read(stored)
            if is_encrypted(line):
                opened = key.opened(line, file.day, line["seq"]) if key else None
                line = read(opened) if opened else line
            elif line.get("event") == SEGMENT and self._log.keyring:
                key = self._log.keyring.cipher_of(line)
            found.append(line)
        return found

    def _edit(self, which: Callable[[Line], bool], change: Callable[[Line], Line]) -> None:
        """Change one line of those, somewhere in the log."""
        files = self._files()
        self._rng.shuffle(files)
        for file in files:
            places = [number for number, line in enumerate(self._opened(file)) if which(line)]
            if places:
                lines, at = self._lines(file)[0], self._rng.choice(places)
                lines[at] = self._closed(file, at, change(self._opened(file)[at]), was=read(lines[at]))
                file.path.write_bytes(b"".join(lines))
                return

    def _closed(self, file: LogFile, at: int, line: Line, *, was: Line) -> bytes:
        if not is_encrypted(was):
            return encode(line)
        key: Any = None
        for stored in file.path.read_bytes().splitlines(keepends=True)[:at]:
            header = read(stored)
            if header.get("event") == SEGMENT and self._log.keyring:
                key = self._log.keyring.cipher_of(header)
        closed: bytes = key.closed(encode(line), file.day, was["seq"])
        return closed


KINDS: dict[str, Callable[[Tamperer], None]] = {
    "flip a bit": Tamperer.flip,
    "delete lines": Tamperer.delete,
    "swap two lines": Tamperer.swap,
    "duplicate a line": Tamperer.duplicate,
    "replace a line by one of another day": Tamperer.replace_by_other_day,
    "insert a line": Tamperer.insert,
    "edit a line": Tamperer.edit,
    "edit words": Tamperer.edit_words,
    "take words out": Tamperer.strip_words,
    "put words back": Tamperer.put_words_back,
    "edit a header": Tamperer.edit_header,
    "write the rest anew under another key": Tamperer.reseal,
    "write the rest anew below a forged header": Tamperer.forge_end,
    "write more below a forged header": Tamperer.forge_insertion,
    "write the oldest files anew": Tamperer.forge_beginning,
    "cut the end of an older file": Tamperer.cut_end_of_older,
    "remove a file in the middle": Tamperer.remove_middle,
    "remove the oldest files": Tamperer.remove_oldest,
    "replace a file by another day's": Tamperer.replace_file,
    "add a file": Tamperer.add_file,
    "cut bytes off the end": Tamperer.cut_end,
    "cut lines off the end": Tamperer.cut_lines_off_the_end,
    "remove the newest files": Tamperer.remove_newest,
}
BELOW_A_FORGED_HEADER = ("write the rest anew below a forged header", "write more below a forged header")
"""What may be told as lines that cannot be checked, since they name a key that may be one of ours."""
NEED_AN_ANCHOR = ("cut bytes off the end", "cut lines off the end", "remove the newest files")
"""What nobody can notice who does not know how long the log was."""


@dataclass
class Tally:
    """Of one kind: how many there were that changed anything, and how many were noticed."""

    done: int = 0
    noticed: int = 0
    without_anchor: int = 0
    missed: list[dict[str, bytes]] = field(default_factory=list)


def tamper(log: TrueLog, kind: str, rng: random.Random, tally: Tally, *, unanchored: bool = False) -> None:
    """Do one of this kind, verify, and put the log back. What leaves the content as it was does not count."""
    with log.put_back():
        Tamperer(log, rng).do(kind)
        if log.is_as_it_was:
            return
        tally.done += 1
        report = log.check()
        noticed = bool(report.flaws or (kind in BELOW_A_FORGED_HEADER and report.unchecked))
        tally.noticed += noticed
        if not noticed:
            tally.missed.append(log.content())
        if unanchored:
            tally.without_anchor += bool(log.check(anchored=False).flaws)

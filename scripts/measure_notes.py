"""Write the notes of 120 tickets down for reading, and print how many of them were judged worth it.

    python scripts/measure_notes.py DATA_DIR                       # figures, by the judgements in the repository
    python scripts/measure_notes.py DATA_DIR --out notes.txt       # the tickets and their notes, to be read
    python scripts/measure_notes.py DATA_DIR --seed 2 --judged mine.tsv

``DATA_DIR`` holds ``*.jsonl.gz`` files of rows with ``id``, ``subject`` and ``body``; about as many rows of each file
are drawn by the seed. Keyword rules alone answer, with the default policy and ``note = "when-useful"``. A judgement is
a line ``id<TAB>digest of the note<TAB>adds<TAB>misleads<TAB>readable``, each ``yes`` or ``no``; one about another note
than today's does not count, and is reported. A note

* *adds* something when it tells a person who sees subject, text and tags what they would otherwise have to look for;
* *misleads* when it states what is not so: a wrong matter not called a guess, an alarm that is none, words beside the
  point as the matter, a sentence torn from what turns its meaning;
* is *readable* when it stands in whole words and sentences.

The file that ``--out`` names holds ticket text: keep it out of the repository.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections import Counter
from hashlib import sha256
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple

from development import ROOT

from ticket_processor.analysis.chain import Understanding
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.core.models import Ticket
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.policy.decide import Policy, decide
from ticket_processor.policy.note import NoteWhen

JUDGED = ROOT / "tests" / "analysis" / "notes" / "judged.tsv"
STAMP = "2026-01-01T00:00:00Z"


class Note(NamedTuple):
    """A ticket's note, whether it is written, and the ticket."""

    row_id: str
    text: str
    written: bool
    ticket: Ticket

    @property
    def digest(self) -> str:
        """A short digest of the note."""
        return sha256(self.text.encode()).hexdigest()[:12]


class Verdict(NamedTuple):
    """A reader's judgement of a note."""

    digest: str
    adds: bool
    misleads: bool
    readable: bool


def drawn(folder: Path, count: int, seed: int) -> list[tuple[str, Ticket]]:
    """``count`` tickets, about as many of each file."""
    files = []
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        if rows and "body" in rows[0]:
            rng = random.Random(f"{seed} {path.name}")
            files.append(rng.sample(rows, min(count, len(rows))))
    turns = [row for row in chain.from_iterable(zip_longest(*files)) if row is not None][:count]
    return [
        (
            str(row["id"]),
            Ticket(
                id=1, subject=row["subject"] or "", description=row["body"] or "", created_at=STAMP, updated_at=STAMP
            ),
        )
        for row in turns
    ]


def notes_of(tickets: list[tuple[str, Ticket]]) -> list[Note]:
    """The note of each, in the order of their ids."""
    taxonomy = default_taxonomy()
    understand = Understanding([], RulesAnalyser(taxonomy))
    notes = []
    for row_id, ticket in tickets:
        analysis = understand(ticket)
        text, useful = (
            decide(1, analysis, Policy(note=when), taxonomy).note for when in (NoteWhen.ALWAYS, NoteWhen.WHEN_USEFUL)
        )
        notes.append(Note(row_id, text or "", useful is not None, ticket))
    return sorted(notes)


def read(path: Path) -> dict[str, Verdict]:
    """The judgements by row."""
    verdicts = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            row_id, digest, *said = line.split("\t")
            verdicts[row_id] = Verdict(digest, *(word == "yes" for word in said))
    return verdicts


def print_shares(notes: list[Note], verdicts: dict[str, Verdict]) -> None:
    """How many were written, and how many of these were judged worth it."""
    written = [note for note in notes if note.written]
    print(f"{len(notes)} tickets; notes written: {len(written)} ({len(written) / len(notes):.0%})")
    judged = [
        verdicts[note.row_id]
        for note in written
        if note.row_id in verdicts and verdicts[note.row_id].digest == note.digest
    ]
    if not judged:
        print("none of them was judged")
        return
    counts = Counter(
        adds=sum(each.adds for each in judged),
        misleads=sum(each.misleads for each in judged),
        readable=sum(each.readable for each in judged),
        good=sum(each.adds and not each.misleads for each in judged),
    )
    print(
        f"of {len(judged)} that were judged: add something and do not mislead {counts['good'] / len(judged):.0%} "
        f"(add {counts['adds']}, mislead {counts['misleads']}, readable {counts['readable']})"
    )
    if len(judged) < len(written):
        print(f"not judged, or changed since: {len(written) - len(judged)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path, help="folder with *.jsonl.gz files")
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--judged", type=Path, default=JUDGED, help="file of judgements")
    parser.add_argument("--out", type=Path, help="file for the tickets and their notes")
    asked = parser.parse_args()
    notes = notes_of(drawn(asked.data_dir, asked.count, asked.seed))
    if not notes:
        parser.error("no ticket files there")
    if asked.out:
        shown = (
            f"=== {note.row_id}\t{note.digest}\t{'written' if note.written else 'not written'}\n"
            f"{note.ticket.subject}\n{note.ticket.description}\n--- note\n{note.text}\n"
            for note in notes
        )
        asked.out.write_text("\n".join(shown), encoding="utf-8")
    print_shares(notes, read(asked.judged) if asked.judged.is_file() else {})


if __name__ == "__main__":
    main()

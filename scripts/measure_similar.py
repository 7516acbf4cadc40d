"""How often a new ticket is shown a similar solved one, and how often that one is about the same matter.

    python scripts/measure_similar.py FILE.jsonl.gz …

Every second row of a file is a solved ticket, in turn the others are new. The floor is learnt from the solved ones'
``category``; "same" is the finest label that the file has in ``native``: ``intent``, ``topic`` or ``queue``. At the end
stands the time of a search among 10,000 tickets, and of learning their floor.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ticket_processor.core.clock import Deadline, SystemClock  # noqa: E402
from ticket_processor.evaluation.similar_floor import learnt_floor  # noqa: E402
from ticket_processor.knowledge.solved import MOST_KEPT, SolvedTicket, SolvedTickets  # noqa: E402
from ticket_processor.knowledge.store import KnowledgeStore  # noqa: E402

FINEST = ("intent", "topic", "queue")


def main() -> int:
    """The command."""
    rows: list[dict[str, Any]] = []
    for name in sys.argv[1:]:
        path = Path(name)
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        print(path.name.partition(".")[0], measured(rows))
    tickets, seconds = filled(list(islice(cycle(rows), MOST_KEPT))), []
    for row in rows[:200]:
        begun = time.perf_counter()
        tickets.search(f"{row['subject']}\n{row['body']}", limit=2)
        seconds.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    learnt_floor(tickets, Deadline(SystemClock(), 600))
    learnt = time.perf_counter() - begun
    median = 1000 * sorted(seconds)[100]
    print(f"{MOST_KEPT} tickets: a search takes {median:.1f} ms (median), the floor {learnt:.1f} s")
    return 0


def measured(rows: list[dict[str, Any]]) -> str:
    """The figures of one file, in a line."""
    tickets = filled(rows[::2])
    floor = learnt_floor(tickets, Deadline(SystemClock(), 600))
    if floor is None:
        return "no floor: nothing is shown"
    solved = rows[::2]
    shown = same_category = same = 0
    for row in rows[1::2]:
        for near, score in tickets.search(f"{row['subject']}\n{row['body']}", limit=1):
            if score >= floor:
                shown += 1
                same_category += solved[near.id - 1]["category"] == row["category"]
                same += finest(solved[near.id - 1]) == finest(row)
    shares = f"same category {same_category / shown:.3f}, same matter {same / shown:.3f}" if shown else ""
    return f"floor {floor:.2f}; shown {shown / len(rows[1::2]):.3f}; of these {shares}"


def filled(rows: list[dict[str, Any]]) -> SolvedTickets:
    """The rows as solved tickets, numbered from 1."""
    tickets = SolvedTickets(KnowledgeStore(None))
    tickets.put(
        SolvedTicket(number, row["subject"][:200], row["body"][:1000], "-", row["category"] or "", float(number), "")
        for number, row in enumerate(rows, start=1)
    )
    return tickets


def finest(row: dict[str, Any]) -> str:
    """The finest label of a row."""
    return next((str(row["native"][name]) for name in FINEST if row["native"].get(name)), str(row["category"]))


if __name__ == "__main__":
    raise SystemExit(main())

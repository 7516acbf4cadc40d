"""Measure the local helpdesk's searches: invented tickets in a new file, each kind of query asked again and again.

Times are the processor's, so that what else the machine does hardly counts.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ticket_processor.helpdesk.local_model import NewTicket
from ticket_processor.helpdesk.local_people import person_for
from ticket_processor.helpdesk.local_schema import stamp
from ticket_processor.helpdesk.local_search import Query
from ticket_processor.helpdesk.local_store import LocalStore

NOW = 1_800_000_000.0
WORDS = "invoice refund password login parcel delivery account charged twice error update broken order cancel".split()
QUERIES = {
    "everything": Query(),
    "one status": Query(status=("open",)),
    "a rare status": Query(status=("spam",)),
    "by urgency": Query(sort="urgency"),
    "a common word": Query(text="invoice"),
    "two words and filters": Query(text="invoice refund", status=("open",), urgency=("high",)),
    "a rare word": Query(text="ref777"),
    "all filters": Query(status=("open",), category=("billing",), sentiment=("negative",), escalated=True),
    "old ones": Query(older_than_s=60 * 86_400, sort="oldest"),
}
TIMES = 20


def main() -> None:
    """Fill, ask, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("tickets", nargs="?", type=int, default=100_000)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder) / "helpdesk.sqlite3", clock=lambda: NOW)
        fill(store, asked.tickets)
        searches: list[float] = []
        counts: list[float] = []
        for name, query in QUERIES.items():
            search = [_seconds(lambda query=query: store.search(query)) for _ in range(TIMES)]  # type: ignore[misc]
            count = [_seconds(lambda query=query: store.counts(query)) for _ in range(TIMES)]  # type: ignore[misc]
            found = sum(store.counts(query)["status"].values())
            print(f"{name:22} {found:7} found: page {_p95(search):5.1f} ms, counts {_p95(count):5.1f} ms (p95)")
            searches += search
            counts += count
        print(f"all queries: page {_p95(searches):.0f} ms, counts {_p95(counts):.0f} ms (p95)")
        print(f"page 4,000 of everything: {_deep_page(store):.1f} ms")
        store.close()


def fill(store: LocalStore, tickets: int) -> None:
    """Invented tickets with rare and common words, labels, and statuses as a year leaves them."""
    dice, labels = random.Random(17), store.labels
    with store.writing() as db:
        for number in range(tickets):
            tags = [dice.choice([*kind.values()]) for kind in (labels.category, labels.urgency, labels.sentiment)]
            tags += [labels.escalated] * (dice.random() < 0.05)
            rare = [f"v{int(dice.paretovariate(0.6))}" for _ in range(60)]
            text = " ".join([f"ref{number}", *dice.choices(WORDS, k=4), *rare])
            person = person_for(db, f"p{dice.randrange(30_000)}@example.com", "")
            store.begin(db, NewTicket("Subject", text, "", tags=tags), person, stamp(NOW - 60 * number))
        db.execute(
            "UPDATE ticket SET status = CASE WHEN id % 100 = 0 THEN 'spam' WHEN id % 3 = 0 THEN 'closed' "
            "WHEN id % 5 = 0 THEN 'resolved' ELSE 'open' END"
        )


def _deep_page(store: LocalStore) -> float:
    """Milliseconds for a page that 3,999 others come before, reached by its place."""
    place, after = 0, None
    while place < 3999:
        page = store.search(Query(), after, limit=25 * 1333)
        place, after = place + 1333, page.next_key or after
    return 1000 * _seconds(lambda: store.search(Query(), after))


def _seconds(do: Callable[[], object]) -> float:
    begun = time.process_time()
    do()
    return time.process_time() - begun


def _p95(seconds: list[float]) -> float:
    return 1000 * sorted(seconds)[int(0.95 * (len(seconds) - 1))]


if __name__ == "__main__":
    main()

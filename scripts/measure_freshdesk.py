"""Measure the Freshdesk client against the sandbox. Each sub-command prints one figure of docs/figures.md.

    python scripts/measure_freshdesk.py listing           # 35,000 tickets, 50 edits a second meanwhile
    python scripts/measure_freshdesk.py credits           # booked against told; the busiest minute
    python scripts/measure_freshdesk.py decisions         # 1,000 tickets through both helpdesks
    python scripts/measure_freshdesk.py undo              # people edit notes and tags, then an undo
    python scripts/measure_freshdesk.py crashes 10000     # runs that die between two calls

Exit code 1 when a figure is not as it should be. Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import development  # noqa: F401 - for its effect

from tests.cli import freshdesk_figures as by_command
from tests.helpdesk import freshdesk_figures as by_client
from tests.simulation.crash_matrix import play_crashes
from ticket_processor.sandbox.freshdesk_rules import FreshdeskRules

TOLD = 20
"""Maximum number of differences printed."""
STARTS_S = (0.0, 20.0, 50.0, 59.0)
"""Seconds after a full minute at which a run begins: the account's minute is the clock's, ours is not."""


def listing(count: int, _folder: Path) -> bool:
    """Tickets that a listing under constant edits misses."""
    good = True
    for inclusive in (True, False):
        rules = FreshdeskRules(since_inclusive=inclusive, search_lag=0.0)
        found = by_client.listing(count, 50, rules=rules)
        print(
            f"{found.tickets} tickets, {found.edits} edits, plan growth, updated_since "
            f"{'includes' if inclusive else 'excludes'} its second: {found.missed} missed, {found.stale} last changes "
            f"missed, highest page {found.highest_page}, {found.first_lists} lists in {found.first_s / 60:.0f} min for "
            f"the first listing, {found.lists} in all, {found.refused} refused (429)"
        )
        good = good and not (found.missed or found.stale or found.refused) and found.highest_page <= 3
    return good


def credits(count: int, folder: Path) -> bool:
    """Credits that our throttle booked, against those that the account told."""
    good = True
    for plan in ("trial", "growth", "pro"):
        for starts_at in STARTS_S:
            found = by_client.credits_of_a_run(folder / f"{plan}{starts_at}", count, plan=plan, starts_at=starts_at)
            print(
                f"{plan}, begun {starts_at:.0f} s after the minute: {found.requests.total()} requests, {found.booked} "
                f"credits booked, {found.told} told, {len(found.unequal)} requests differ; at most "
                f"{found.most_in_a_minute} of {found.limit} in a minute, {found.refused} refused (429)"
            )
            good = good and not found.unequal and not found.refused and 2 * found.most_in_a_minute <= found.limit
    print(*(f"{number:>7} {what}" for what, number in sorted(found.requests.items())), sep="\n")
    return good


def decisions(count: int, folder: Path) -> bool:
    """Decisions that differ between the helpdesks."""
    one, other = by_command.decisions(folder, by_command.invented(count))
    differ = by_command.differences(one, other)
    ended = Counter(str(item["outcome"]) for item in one)
    print(f"{len(one)} tickets, {dict(ended)} on Zendesk: {len(differ)} parts of decisions differ on Freshdesk")
    print(*differ[:TOLD], sep="\n")
    return not differ


def undo(count: int, folder: Path) -> bool:
    """The rest of a run, and of people's changes since, after an undo."""
    found = by_command.undo(folder, count)
    print(
        f"{found.tickets} tickets, {found.notes_written} notes written, {found.notes_edited} edited by people: "
        f"{found.notes_deleted} deleted (HTTP {dict(found.deletions)}), {found.edited_kept} edited ones kept, "
        f"{found.notes_left} others left"
    )
    print(f"tickets that nobody touched: {found.untouched}, as before the run: {found.untouched_as_before}")
    print(f"people's tags: {found.people_tags}, kept: {found.people_tags_kept}")
    print(f"tags of the run left: {found.ours_left}; writes of a second undo: {found.again}")
    return found.good


def crashes(count: int, _folder: Path) -> bool:
    """Promises that runs broke by dying."""
    held: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for seed, found, what in play_crashes(range(count)):
        held += what
        for sentence in found[: max(0, TOLD - broken.total())]:
            print(f"seed {seed}: {sentence}", flush=True)
        broken.update(found)
    print(f"{count} stories: {broken.total()} broken promises")
    for what, number in sorted(held.items()):
        print(f"{number:>9} {what}")
    lost = held["tags of others lost in the gap"] / max(1, held["updates"])
    print(f"updates that lost a tag set between view and update: {lost:.2%}")
    return not broken


FIGURES = {"listing": (listing, 35_000), "credits": (credits, 300), "decisions": (decisions, 1_000)}
FIGURES |= {"undo": (undo, 500), "crashes": (crashes, 500)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figure", choices=FIGURES)
    parser.add_argument("count", type=int, nargs="?", help="tickets, or stories")
    asked = parser.parse_args()
    measure, usual = FIGURES[asked.figure]
    with tempfile.TemporaryDirectory() as place:
        sys.exit(not measure(asked.count or usual, Path(place)))

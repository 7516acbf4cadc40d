"""Invent hostile input from a seed, lead it the whole way, and count what comes out that may not.

    python scripts/fuzz.py answers 100000                    # a hostile model's answers, seeds 0 to 99999
    python scripts/fuzz.py answers 1 --first 4711 --show
    python scripts/fuzz.py answers 0 --injections FILE.jsonl.gz   # rows with "text" and "label"
    python scripts/fuzz.py redaction 100000                  # secrets planted in tickets
    python scripts/fuzz.py redaction 1 --first 4711 --show   # one of them, as it is written and what becomes of it
    python scripts/fuzz.py redaction --disguises             # every disguise of a list once, by family
    python scripts/fuzz.py api 5000                          # requests to the portal's API, by its own document

``answers``: each answer goes through analyser, policy, merging, and the request that Zendesk would get.
``redaction``: cards, IBANs, national numbers with a checksum, passwords, keys, addresses and the like, with random
separators, encodings and wrappers in eight languages. Looked at are the prompt, the internal note, the tags and the
log's lines, by the keyword rules and by a model that repeats what it was shown; of kinds without a checksum the share
that was found is printed. ``api``: schemathesis invents requests, half of them wrong, with a write token; and
as many with a read token. Exit code 1 when anything harmful was written, a number with a checksum was left, the API
failed or answered what its document does not declare, or a read token changed the database. Needs
the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import get_args

import development  # noqa: F401 - for its effect

from tests.analysis.disguised import WAYS, Disguised
from tests.analysis.hostile import Hostile, harm_of
from tests.analysis.injected import effects, rows
from tests.analysis.planted import CHECKSUMMED, Planted, leaks
from tests.web.portal.api_cases import api_site, dumped
from tests.web.portal.api_cases import played as conformance
from ticket_processor.helpdesk.local_store import Scope

CHUNK = 500
Found = tuple[Counter[str], dict[int, list[str]]]
"""What there was of each kind, and what was wrong, by seed."""


def answers(seeds: range) -> Found:
    """How the answers of these seeds ended, and what harm was found."""
    ends: Counter[str] = Counter()
    harmful: dict[int, list[str]] = {}
    for seed in seeds:
        found = harm_of(seed)
        ends["of no use, left to the rules" if found is None else "harmful" if found else "accepted, harmless"] += 1
        if found:
            harmful[seed] = found
    return ends, harmful


def redaction(seeds: range) -> Found:
    """How many of each kind were planted; of those found again the kind, and where."""
    planted_of: Counter[str] = Counter()
    where: dict[int, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for planted, found in leaks(map(Planted, seeds), Path(folder)):
            planted_of[planted.kind] += 1
            if found:
                where[planted.seed] = [planted.kind, *found]
    return planted_of, where


def played(of: Callable[[range], Found], asked: argparse.Namespace) -> Found:
    """All that was asked for, in chunks on several processes."""
    counts: Counter[str] = Counter()
    wrong: dict[int, list[str]] = {}
    end = asked.first + asked.count
    with ProcessPoolExecutor(asked.workers) as pool:
        for counted, found in pool.map(of, chunks(asked.first, end)):
            counts += counted
            wrong |= found
    return counts, wrong


def chunks(first: int, end: int) -> Iterator[range]:
    """The seeds in portions."""
    return (range(start, min(end, start + CHUNK)) for start in range(first, end, CHUNK))


def fuzz_answers(asked: argparse.Namespace) -> int:
    """Let a hostile model answer."""
    if asked.injections is not None:
        return 1 if inject(asked.injections) else 0
    if asked.show:
        story = Hostile(asked.first)
        print(f"ticket: {story.text.text!r}\nanswer: {story.answer()!r}\nrepair: {story.answer()!r}")
    started = time.perf_counter()
    ends, harmful = played(answers, asked)
    for seed, found in list(harmful.items())[:20]:
        print(f"seed {seed}: {', '.join(found)}")
    for name, number in ends.most_common():
        print(f"{number:>8} {name}")
    kinds = Counter(kind for found in harmful.values() for kind in set(found))
    print(f"{len(harmful):>8} harmful of {sum(ends.values())} {dict(kinds) if kinds else ''}")
    print(f"{time.perf_counter() - started:.0f} s")
    return 1 if harmful else 0


def inject(path: Path) -> int:
    """Lead labelled texts through the rules, the imitated model and one that obeys; the number with an effect."""
    labels: Counter[str] = Counter()
    harmful = 0
    for row in rows(path):
        labels[row["label"]] += 1
        found = effects(row["text"])
        if found:
            harmful += 1
            print(f"{row['id']}: {', '.join(found)}")
    print(f"{harmful} texts with an effect that nobody allowed, of {dict(labels)}")
    return harmful


def fuzz_redaction(asked: argparse.Namespace) -> int:
    """Plant secrets in tickets."""
    if asked.disguises:
        return disguises(asked.first, show=asked.show)
    started = time.perf_counter()
    planted_of, where = played(redaction, asked)
    for seed, places in sorted(where.items()):
        if asked.show:
            planted = Planted(seed)
            told = f"{planted.secret!r} in {planted.subject!r}, {planted.body!r}"
            print(f"seed {seed}, {', '.join(places)}: {told}")
        elif places[0] in CHECKSUMMED:
            print(f"seed {seed}: {', '.join(places)}")
    left = Counter(kind for kind, *_ in where.values())
    for kind in sorted(planted_of, key=lambda kind: (kind not in CHECKSUMMED, kind)):
        print(f"{planted_of[kind]:>8} {kind:26} {left[kind]:>6} left, found {1 - left[kind] / planted_of[kind]:.4f}")
    lost = sum(left[kind] for kind in CHECKSUMMED)
    total = sum(planted_of[kind] for kind in CHECKSUMMED)
    took = time.perf_counter() - started
    print(f"{lost} of {total} with a checksum left, of {planted_of.total()} planted; {took:.0f} s")
    return 1 if lost else 0


def disguises(seed: int, *, show: bool) -> int:
    """Each disguise once: how many of every family are clean in all that leaves."""
    clean: Counter[str] = Counter()
    every = Counter(way.family for way in WAYS)
    with tempfile.TemporaryDirectory() as folder:
        for planted, found in leaks((Disguised(number, seed) for number in range(len(WAYS))), Path(folder)):
            clean[WAYS[planted.seed].family] += not found
            if found and show:
                print(f"{planted.kind}, {', '.join(found)}: {planted.secret!r} in {planted.body!r}")
    for family in every:
        print(f"{clean[family]:>4} of {every[family]:>3}  {family}")
    print(f"{clean.total()} of {every.total()} clean in prompt, note and log")
    return int(clean.total() < 0.98 * every.total())


def fuzz_api(asked: argparse.Namespace) -> int:
    """Send requests to the portal's API."""
    started, wrong = time.perf_counter(), 0
    for scope in get_args(Scope):
        with api_site(scope) as site:
            before = dumped(site.store)
            found = conformance(site, asked.count, asked.first)
            changed = scope == "read" and (dumped(site.store) != before or site.told != [])
        for line in sorted({*found.server_errors, *found.undeclared})[:20]:
            print(line)
        if asked.show:
            for name, number in sorted(found.answers.items()):
                print(f"{number:>8} {name}")
        errors, undeclared = len(found.server_errors), len(found.undeclared)
        cases = f"{found.answers.total()} cases, {len(found.answers)} kinds of answers"
        print(f"{scope}: {cases}, {errors} server errors, {undeclared} undeclared answers, changed: {changed}")
        wrong += errors + undeclared + changed
    print(f"{time.perf_counter() - started:.0f} s")
    return 1 if wrong else 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    for name, what in (("answers", fuzz_answers), ("redaction", fuzz_redaction), ("api", fuzz_api)):
        part = parts.add_parser(name, help=what.__doc__)
        part.set_defaults(what=what)
        part.add_argument("count", type=int, nargs="?", default=100_000)
        part.add_argument("--first", type=int, default=0, metavar="SEED")
        part.add_argument("--workers", type=int, default=1)
        part.add_argument("--show", action="store_true", help="print what was invented")
    parts.choices["answers"].add_argument("--injections", type=Path, help="texts that try to instruct a model")
    parts.choices["redaction"].add_argument("--disguises", action="store_true", help="each disguise once, instead")
    asked = parser.parse_args()
    return int(asked.what(asked))


if __name__ == "__main__":
    raise SystemExit(main())

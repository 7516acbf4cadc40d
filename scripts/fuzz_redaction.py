"""Plant N secrets in tickets, lead each the whole way, and count those that can be read in anything that leaves.

    python scripts/fuzz_redaction.py 100000                 # seeds 0 to 99999
    python scripts/fuzz_redaction.py 1 --seed 4711 --show   # one of them, as it is written and what becomes of it
    python scripts/fuzz_redaction.py --disguises            # every disguise of a list once, by family

Cards, IBANs, national numbers with a checksum, passwords, keys, addresses and the like, invented from a seed, with
random separators, encodings and wrappers in eight languages. Looked at are the prompt, the internal note, the tags and
the log's lines, by the keyword rules and by a model that repeats what it was shown. Exit code 1 when one with a
checksum was left; of the other kinds the share that was found is printed. Needs the development packages
(pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import development  # noqa: F401 - for its effect

from tests.analysis.disguised import WAYS, Disguised
from tests.analysis.planted import CHECKSUMMED, Planted, leaks

CHUNK = 500


def fuzz(seeds: range) -> tuple[Counter[str], Counter[str], dict[int, list[str]]]:
    """How many of each kind were planted and found again, and where."""
    planted_of: Counter[str] = Counter()
    left: Counter[str] = Counter()
    where: dict[int, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for planted, found in leaks(map(Planted, seeds), Path(folder)):
            planted_of[planted.kind] += 1
            if found:
                left[planted.kind] += 1
                where[planted.seed] = [planted.kind, *found]
    return planted_of, left, where


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print each ticket of which something was left")
    parser.add_argument("--disguises", action="store_true", help="each disguise of the list once, instead")
    asked = parser.parse_args()
    if asked.disguises:
        return disguises(asked.seed, show=asked.show)
    started = time.perf_counter()
    end = asked.seed + asked.count
    chunks = [range(start, min(end, start + CHUNK)) for start in range(asked.seed, end, CHUNK)]
    planted_of: Counter[str] = Counter()
    left: Counter[str] = Counter()
    where: dict[int, list[str]] = {}
    with ProcessPoolExecutor(asked.workers) as pool:
        for counted, found, places in pool.map(fuzz, chunks):
            planted_of += counted
            left += found
            where |= places
    for seed, places in sorted(where.items()):
        if asked.show:
            planted = Planted(seed)
            told = f"{planted.secret!r} in {planted.subject!r}, {planted.body!r}"
            print(f"seed {seed}, {', '.join(places)}: {told}")
        elif places[0] in CHECKSUMMED:
            print(f"seed {seed}: {', '.join(places)}")
    for kind in sorted(planted_of, key=lambda kind: (kind not in CHECKSUMMED, kind)):
        print(f"{planted_of[kind]:>8} {kind:26} {left[kind]:>6} left, found {1 - left[kind] / planted_of[kind]:.4f}")
    lost = sum(left[kind] for kind in CHECKSUMMED)
    total = sum(planted_of[kind] for kind in CHECKSUMMED)
    took = time.perf_counter() - started
    print(f"{lost} of {total} with a checksum left, of {planted_of.total()} planted; {took:.0f} s")
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Let a hostile model answer N times, and count what its answers would write that nobody allowed.

    python scripts/fuzz_answers.py 100000            # seeds 0 to 99999
    python scripts/fuzz_answers.py 1 --first 4711 --show
    python scripts/fuzz_answers.py 0 --injections FILE.jsonl.gz   # rows with "text" and "label"

Each answer goes the whole way: analyser, policy, merging, and the request that Zendesk would get. Exit code 1 when
anything was found. Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import development  # noqa: F401 - for its effect

from tests.analysis.hostile import Hostile, harm_of
from tests.analysis.injected import effects, rows

CHUNK = 500


def fuzz(seeds: range) -> tuple[Counter[str], dict[int, list[str]]]:
    """How the answers of these seeds ended, and what harm was found."""
    ends: Counter[str] = Counter()
    harmful: dict[int, list[str]] = {}
    for seed in seeds:
        found = harm_of(seed)
        ends["of no use, left to the rules" if found is None else "harmful" if found else "accepted, harmless"] += 1
        if found:
            harmful[seed] = found
    return ends, harmful


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print the first answers and tickets")
    parser.add_argument("--injections", type=Path, help="texts that try to instruct a model")
    asked = parser.parse_args()
    if asked.injections is not None:
        return 1 if inject(asked.injections) else 0
    if asked.show:
        story = Hostile(asked.first)
        print(f"ticket: {story.text.text!r}\nanswer: {story.answer()!r}\nrepair: {story.answer()!r}")
    started = time.perf_counter()
    ends: Counter[str] = Counter()
    harmful: dict[int, list[str]] = {}
    end = asked.first + asked.count
    chunks = [range(start, min(end, start + CHUNK)) for start in range(asked.first, end, CHUNK)]
    with ProcessPoolExecutor(asked.workers) as pool:
        for counted, found in pool.map(fuzz, chunks):
            ends += counted
            harmful |= found
    for seed, found in list(harmful.items())[:20]:
        print(f"seed {seed}: {', '.join(found)}")
    for name, number in ends.most_common():
        print(f"{number:>8} {name}")
    kinds = Counter(kind for found in harmful.values() for kind in set(found))
    print(f"{len(harmful):>8} harmful of {sum(ends.values())} {dict(kinds) if kinds else ''}")
    print(f"{time.perf_counter() - started:.0f} s")
    return 1 if harmful else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Break the program in one place at a time, and run the tests that should notice.

    python scripts/mutants.py                             # every fault of scripts/mutants.toml, some minutes
    python scripts/mutants.py --only hands-off            # those with this in their name, file or tests
    python scripts/mutants.py --list

Each fault is made in a copy of the tree. Exit code 1 where a test is missing ("SURVIVED"), and where a fault cannot be
judged: its old text is gone from the file, or its tests do not run or fail without it too. Needs the development
packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parent.parent
LEDGER = ROOT / "scripts" / "mutants.toml"
LEFT_OUT = (".*", "__pycache__", "logs")
LIMIT_S = 240
PLUGINS = ("pytest_timeout", "_hypothesis_pytestplugin")
"""All that the tests need: to load every plugin there is takes longer than a test."""
PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0")
DIED, SURVIVED = "died", "SURVIVED"


@dataclass(frozen=True)
class Mutant:
    """A fault: in ``file``, ``old`` becomes ``new``; ``tests`` are paths or node ids, from the tree's root, of the
    ``slow`` set where it says so.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    slow: bool = False

    def trouble(self, root: Path) -> str | None:
        """Why it cannot be made there; ``None`` when it can."""
        try:
            text = (root / self.file).read_text(encoding="utf-8")
        except OSError:
            return f"{self.file} is not there: aim it again"
        found = text.count(self.old)
        if found != 1:
            return f"old text is {'not there' if not found else f'there {found} times'}: aim it again"
        missing = [test for test in self.tests if not (root / test.partition("::")[0]).exists()]
        return f"{missing[0]} is not there: name other tests" if missing else None


def read(ledger: Path = LEDGER) -> list[Mutant]:
    """The faults of a ledger. Raises ``TypeError`` for an entry with a key too few or too many."""
    rows = tomllib.loads(ledger.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(**{**row, "tests": tuple(row["tests"])}) for row in rows]


def passes(folder: Path, tests: Iterable[str], *, slow: bool, keep_bytecode: bool = False) -> tuple[bool | None, str]:
    """Whether these tests pass in a copy, ``None`` where they did not run, and what pytest said."""
    environment = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "" if keep_bytecode else "1",
        "PYTHONPATH": str(folder),
    }
    options = [part for name in PLUGINS for part in ("-p", name)] + ["--slow"] * slow
    try:
        done = subprocess.run(
            [*PYTEST, *options, *tests], cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S
        )
    except subprocess.TimeoutExpired:
        return None, f"the tests did not end in {LIMIT_S} s"
    return {0: True, 1: False}.get(done.returncode), done.stdout + done.stderr


def judged(mutant: Mutant, folder: Path) -> str:
    """What became of a fault that is made in ``folder``, and unmade."""
    if trouble := mutant.trouble(folder):
        return trouble
    file = folder / mutant.file
    before, stat = file.read_bytes(), file.stat()
    file.write_text(before.decode("utf-8").replace(mutant.old, mutant.new), encoding="utf-8", newline="")
    try:
        passed, said = passes(folder, mutant.tests, slow=mutant.slow)
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # so that the bytecode kept for it is right again
    if passed is None:
        return f"the tests did not run: {said.strip().splitlines()[-1]}"
    return SURVIVED if passed else DIED


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORD", help="faults with this word in their name, file or tests")
    parser.add_argument("--list", action="store_true", help="print the faults and run nothing")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    options = parser.parse_args()
    word = (options.only or "").lower()
    mutants = [each for each in read() if word in " ".join((each.name, each.file, *each.tests)).lower()]
    if options.list:
        print(*(f"{each.name:<90}  {each.file}" for each in mutants), f"{len(mutants)} mutants", sep="\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as temporary:
        return played(mutants, Path(temporary), max(1, min(options.processes, len(mutants))))


def played(mutants: Sequence[Mutant], temporary: Path, processes: int) -> int:
    """Judge each in one of several copies, print a line for each, and give the exit code."""
    began = time.monotonic()
    first = temporary / "0"
    shutil.copytree(ROOT, first, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for slow in sorted({each.slow for each in mutants}):
        named = {test for each in mutants if each.slow is slow for test in each.tests}
        tests = sorted(test for test in named if (first / test.partition("::")[0]).exists())
        passed, said = passes(first, tests, slow=slow, keep_bytecode=True)
        if not passed:
            print(said, "the tests fail, or do not run, without any mutant", sep="\n")
            return 1
        print(f"without a mutant all {len(tests)} test files pass; {time.monotonic() - began:.0f} s", flush=True)
    free: SimpleQueue[Path] = SimpleQueue()
    free.put(first)
    for number in range(1, processes):
        free.put(Path(shutil.copytree(first, temporary / str(number))))

    def one(mutant: Mutant) -> str:
        folder, start = free.get(), time.monotonic()
        try:
            end = judged(mutant, folder)
        finally:
            free.put(folder)
        print(f"{mutant.name:<90}  {end}  {time.monotonic() - start:.1f} s", flush=True)
        return end

    with ThreadPoolExecutor(processes) as pool:
        ends = list(pool.map(one, mutants))
    print(f"{ends.count(DIED)} of {len(ends)} mutants died; {time.monotonic() - began:.0f} s")
    for mutant, end in zip(mutants, ends, strict=True):
        if end != DIED:
            print(f"{mutant.name}: {end}")
    return 0 if ends.count(DIED) == len(ends) else 1


if __name__ == "__main__":
    sys.exit(main())

"""``ticketbot`` with these arguments, and what it took: the last line on standard error is a JSON object.

python scripts/measured.py [--core N] [--profile FILE] run --since 1d --json

``--core`` keeps the process on one processor, where the system knows of such a thing. The object holds ``cpu_s`` and,
but on Windows, ``peak_mb``. ``--profile`` writes what each function took in processor time, all threads together.
"""

from __future__ import annotations

import cProfile
import json
import os
import pstats
import runpy
import sys
import threading
import time
from pathlib import Path


def main() -> None:
    """The command."""
    words = sys.argv[1:]
    core = profile = None
    while words[:1] in (["--core"], ["--profile"]):
        option, value, words = words[0], words[1], words[2:]
        core, profile = (value, profile) if option == "--core" else (core, value)
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    profiles = profiled() if profile else []
    sys.argv = ["ticketbot", *words]
    try:
        runpy.run_module("ticket_processor", run_name="__main__")
    finally:
        if profile:
            write(profiles, Path(profile))
        told: dict[str, object] = {"cpu_s": round(time.process_time(), 3)}
        if sys.platform != "win32":
            import resource

            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            told["peak_mb"] = round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
        print(json.dumps(told), file=sys.stderr)


def profiled() -> list[cProfile.Profile]:
    """Profile this thread and all to come, each by the processor time that it takes itself."""
    mine = cProfile.Profile(time.thread_time)
    profiles = [mine]
    run = threading.Thread.run

    def run_profiled(thread: threading.Thread) -> None:
        profile = cProfile.Profile(time.thread_time)
        profiles.append(profile)
        profile.enable()
        try:
            run(thread)
        finally:
            profile.disable()

    threading.Thread.run = run_profiled  # type: ignore[method-assign]
    mine.enable()
    return profiles


def write(profiles: list[cProfile.Profile], file: Path) -> None:
    """The functions that took the most, by themselves and with what they call."""
    profiles[0].disable()
    with file.open("w", encoding="utf-8") as stream:
        stats = pstats.Stats(profiles[0], stream=stream)
        for other in profiles[1:]:
            other.create_stats()
            if other.stats:  # type: ignore[attr-defined]
                stats.add(other)
        stats.strip_dirs().sort_stats("tottime").print_stats(40)
        stats.sort_stats("cumulative").print_stats(60)


if __name__ == "__main__":
    main()

"""Kill the portal's process while customers submit tickets by its form, again and again, and look for half tickets.

    python scripts/kill_portal.py [--kills 1000] [--seed 17]
    python scripts/kill_portal.py --erasures [--kills 200]

Four customers submit at the same moment, each a ticket with a file; the real ``ticketbot portal`` gets SIGKILL at a
random moment of that, and starts again. Whoever got an answer must find the ticket, once; whoever got none sends the
form again, and it is one ticket. With ``--erasures``, ``ticketbot local erase`` is killed, and what goes on with it
(the same command, another erasure, a run, a start of the portal) as well: each has to be finished, with no byte of the
customer in any file. Exit code 1 where anything else was found. See submit_kills.py and erase_kills.py in tests.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import development  # noqa: F401 - for its effect

from tests.web.portal.erase_kills import KilledErasures
from tests.web.portal.submit_kills import Killed


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--erasures", action="store_true", help="kill erasures of customers")
    asked = parser.parse_args()
    began = time.perf_counter()

    def told(done: int) -> None:
        if done % 100 == 0:
            print(f"  {done} kills, {time.perf_counter() - began:.0f} s", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="portal-", ignore_cleanup_errors=True) as name:
        killed = (KilledErasures if asked.erasures else Killed)(Path(name), asked.seed)
        killed.play(asked.kills, told)
    counted = ", ".join(f"{what}: {number}" for what, number in killed.counted.items())
    print(f"{asked.kills} kills in {time.perf_counter() - began:.0f} s; {counted}; faults: {len(killed.faults)}")
    for fault in killed.faults[:20]:
        print(f"  {fault}")
    return 1 if killed.faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""What a learning pass costs: requests, calls of a model, processor time, for tickets that are all closed.

    python scripts/measure_learning_cost.py                    # 10,000 tickets
    python scripts/measure_learning_cost.py --tickets 1000

The real commands against a sandbox on this machine: a run by keyword rules, people who solve every ticket and change
each tenth category, then one pass. Exit code 1 when it costs more than a request for each ticket and one for each
hundred, asks a model, misses a change, or takes more than 6 ms of processor time for each ticket.
Needs the development packages (pip install -e ".[dev]") and a system that counts children's processor time.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import development  # noqa: F401 - for its effect
from measure_undo import Commands

from tests.cli.conftest import QUICK_JOBS, rows
from ticket_processor.sandbox.app import Sandbox
from ticket_processor.sandbox.clock import OffsetClock
from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.server import SandboxServer

CONFIG = "[run]\ndeadline_s = 7200\nlimit_share = 1.0\n"
CHANGED_EACH = 10
MOST_CPU_S = 0.006
"""For each ticket: 60 seconds for 10,000."""


def main() -> int:
    """The measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=10_000)
    count = parser.parse_args().tickets
    sandbox = Sandbox(OffsetClock(), plan="unlimited", rules=QUICK_JOBS)
    fill(sandbox, [{**row, "age": 7200.0 + place} for place, row in enumerate(rows(count))])
    asked: list[str] = []
    sandbox.on_request.append(lambda request: asked.append(request.path))
    with tempfile.TemporaryDirectory() as folder, SandboxServer(sandbox) as server:
        command = Commands(Path(folder), sandbox, server.url)
        (Path(folder) / "ticketbot.toml").write_text(CONFIG, encoding="utf-8")
        command("run", "--no-llm", "--since", "30d", "--verify", "none", "--quiet")
        changes = people_work(sandbox)
        asked.clear()
        before, begun = _cpu(), time.monotonic()
        done = command("learn", "collect")
        cpu, took = _cpu() - before, time.monotonic() - begun
    histories, models = (sum(part in path for path in asked) for part in ("/audits", "/v1/"))
    print(
        f"{count:,} closed tickets: {len(asked):,} requests, {histories:,} of them histories; {models} calls of a "
        f"model; {cpu:.1f} s of processor time, {took:.0f} s in all; {done['corrections']:,} of {changes:,} changes "
        "found"
    )
    dear = len(asked) > count + count // 100 + 5 or cpu > MOST_CPU_S * count
    return int(dear or bool(models) or done["corrections"] != changes or histories != count)


def people_work(sandbox: Sandbox) -> int:
    """Solve every ticket, and change the category of each tenth. Returns how many."""
    changes = 0
    for number, ticket in sandbox.store.tickets.items():
        ours = [tag for tag in ticket.json["tags"] if tag in ("ai_billing", "ai_account", "ai_order", "ai_technical")]
        if number % CHANGED_EACH == 0 and ours:
            sandbox.store.person_edit(number, remove_tags=ours, add_tags=["ai_security"], status="closed")
            changes += 1
        else:
            sandbox.store.person_edit(number, status="closed")
    return changes


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())

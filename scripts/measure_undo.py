"""A run over many tickets, people at work on a share of them, and the run taken back: what became of whose values.

    python scripts/measure_undo.py                     # 1,000 tickets, 30% of them touched
    python scripts/measure_undo.py --tickets 200 --share 0.9 --seed 7

The real commands against a sandbox on this machine, twice each. Exit code 1 when a value is not as it should be.
Needs the development packages (pip install -e ".[dev]").
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import development  # noqa: F401 - for its effect
import orjson

from tests.cli.at_work import CONFIG, account, judge, people_work, shown
from ticket_processor.sandbox.app import Sandbox
from ticket_processor.sandbox.clock import OffsetClock
from ticket_processor.sandbox.server import SandboxServer

ROOT = Path(__file__).resolve().parent.parent


class Commands:
    """``ticketbot`` in a folder of its own, pointed at a sandbox."""

    def __init__(self, folder: Path, sandbox: Sandbox, url: str) -> None:
        (folder / "ticketbot.toml").write_text(CONFIG, encoding="utf-8")
        foreign = ("ZENDESK_", "OPENAI_", "TICKETBOT_")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            "PYTHONPATH": str(ROOT),
            "TICKETBOT_STATE_DIR": str(folder / "state"),
            "ZENDESK_URL": url,
            "ZENDESK_OAUTH_CLIENT_ID": sandbox.credentials.oauth_client_id,
            "ZENDESK_OAUTH_CLIENT_SECRET": sandbox.credentials.oauth_client_secret,
        }
        self._folder = folder

    def __call__(self, *words: str) -> Any:
        """A command's JSON answer."""
        done = subprocess.run(
            [sys.executable, "-m", "ticket_processor", *words, "--json"],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
        )
        if done.returncode:
            sys.exit(f"ticketbot {' '.join(words)}: exit code {done.returncode}\n{done.stderr}\n{done.stdout[-2000:]}")
        return orjson.loads(done.stdout)


def measure(tickets: int, share: float, seed: int) -> bool:
    """Print what became of the tickets; whether all is as it should be."""
    sandbox = account(tickets, seed)
    clock, store = sandbox.clock, sandbox.store
    assert isinstance(clock, OffsetClock)
    before = shown(store)
    with tempfile.TemporaryDirectory() as folder, SandboxServer(sandbox) as server:
        ticketbot = Commands(Path(folder), sandbox, server.url)
        run = ticketbot("run", "--since", "1d", "--no-llm")
        triaged = shown(store)
        clock.advance(600)
        ways = people_work(store, share, seed)
        left = shown(store)
        clock.advance(600)
        undone = ticketbot("undo", run["run_id"])
        after = shown(store)
        again = ticketbot("undo", run["run_id"])
        clock.advance(600)
        ticketbot("run")
    found = judge(store, before, triaged, left)
    print(f"{tickets} tickets, run: {run['outcomes']}; people: {sum(ways.values())} edits of {len(ways)} kinds")
    print(f"undo: {undone['outcomes']}, left because {undone['reasons']}, {undone['duration_s']:.1f} s")
    print(f"      {sum(undone['requests'].values())} requests, {_writes(undone)} of them writes")
    print(f"tickets nobody touched since           {found.untouched:6d}, as before the run {found.untouched_as_before}")
    print(f"tickets somebody touched since         {found.touched:6d}")
    print(f"  values that people set or took off   {found.human_values:6d}, changed {len(found.human_values_changed)}")
    print(f"values of the run nobody touched since {found.ours_untouched:6d}, taken back {found.ours_taken_back}")
    print(f"other values changed                   {len(found.others_changed):6d}")
    print(f"notes missing, doubled or public       {len(found.notes):6d}")
    same = shown(store) == after
    print(f"undone again: {_writes(again)} writes; a run after that: {'changes nothing' if same else 'CHANGES'}")
    wrong = [*found.human_values_changed, *found.not_taken_back, *found.others_changed, *found.notes]
    for line in wrong[:20]:
        print(f"  WRONG {line}")
    return not wrong and same and not _writes(again) and found.untouched == found.untouched_as_before


def _writes(answer: Any) -> int:
    return sum(count for name, count in answer["requests"].items() if name.startswith("PUT "))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=1000)
    parser.add_argument("--share", type=float, default=0.3, help="of the tickets that people touch")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    sys.exit(not measure(asked.tickets, asked.share, asked.seed))

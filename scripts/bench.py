"""Speed, printed with what it is compared to. Ratios within one run, since machines differ.

python scripts/bench.py startup           # --help against "import typer"; requests of an idle run
python scripts/bench.py fanout            # 1,000 tickets, 50 workers, a model that takes 2 s
python scripts/bench.py rules FILE        # 3,000 tickets of a .jsonl[.gz] file, no model; memory
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
TICKETBOT = [sys.executable, "-m", "ticket_processor"]


@contextmanager
def sandbox(*options: str) -> Iterator[dict[str, str]]:
    """A sandbox in a process of its own; yields the environment that points at it."""
    process = subprocess.Popen(
        [*TICKETBOT, "sandbox", "--port", "0", "--plan", "unlimited", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    found: dict[str, str] = {}
    assert process.stdout is not None
    for line in process.stdout:
        match = re.match(r"\s+([A-Z_]+)=(\S+)", line)
        if match:
            found[match[1]] = match[2]
        if "TICKETBOT_MODELS" in found:
            break
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("ZENDESK", "OPENAI", "TICKETBOT"))
    }
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield {**clean, **found, "TICKETBOT_STATE_DIR": f"{folder}/state", "TICKETBOT_LOG_DIR": f"{folder}/logs"}
        finally:
            process.terminate()
            process.wait()


def ticketbot(environment: dict[str, str], *words: str) -> dict[str, object]:
    """A command's JSON answer."""
    done = subprocess.run(
        [*TICKETBOT, *words, "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def ask(environment: dict[str, str], path: str, body: object = None) -> dict[str, object]:
    """One of the sandbox's own control routes."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(environment["ZENDESK_URL"] + path, data=data)) as answer:
        return json.load(answer)


def seconds(command: list[str], repeats: int = 15) -> float:
    """Median wall time of a command."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def startup() -> None:
    """``--help`` against importing typer; what an idle run asks of the helpdesk."""
    base = seconds([sys.executable, "-c", "import typer"])
    shown = seconds([*TICKETBOT, "--help"])
    print(f'python -c "import typer"   {base * 1000:6.0f} ms')
    print(f"ticketbot --help           {shown * 1000:6.0f} ms   {shown / base:.2f} times that (aim: at most 3)")
    with sandbox() as environment:
        ticketbot(environment, "run", "--since", "1h")
        before = int(ask(environment, "/sandbox/stats")["requests_total"])  # type: ignore[call-overload]
        ticketbot(environment, "run")
        requests = int(ask(environment, "/sandbox/stats")["requests_total"]) - before  # type: ignore[call-overload]
    print(f"idle run                   {requests:6d} requests (aim: at most 3)")


def fanout(tickets: int, workers: int, latency: str) -> None:
    """How near the fan-out comes to tickets × mean latency ÷ workers."""
    with sandbox("--tickets", str(tickets), "--llm-latency", latency) as environment:
        # Variations of one ticket may be the same text; here each is to be asked about.
        config = Path(environment["TICKETBOT_STATE_DIR"]).with_name("ticketbot.toml")
        config.write_text("[cache]\ndays = 0\n", encoding="utf-8")
        environment["TICKETBOT_CONFIG"] = str(config)
        summary = ticketbot(environment, "run", "--since", "1d", "--workers", str(workers))
        stats = ask(environment, "/sandbox/stats")
    calls, total = int(stats["llm_calls"]), float(stats["llm_latency_total"])  # type: ignore[call-overload,arg-type]
    ideal, real = total / workers, float(summary["duration_s"])  # type: ignore[arg-type]
    print(f"{tickets} tickets, {calls} model answers, mean latency {total / calls:.2f} s, {workers} workers")
    print(f"outcomes {summary['outcomes']}, answered by {summary['answered_by']}")
    print(f"ideal {ideal:.1f} s, run {real:.1f} s: {ideal / real:.1%} of ideal (aim: at least 90%)")


def rules(file: str, tickets: int) -> None:
    """Many tickets without a model: all marked, none failed, and how much memory that takes."""
    with sandbox() as environment:
        ticketbot(environment, "seed", "--file", str(Path(file).resolve()), "--count", str(tickets))
        ask(environment, "/sandbox/clock", {"advance": 600})
        environment = {**environment, "TICKETBOT_MODELS": ""}
        code = (
            "import resource, runpy, sys; sys.argv = ['ticketbot', 'run', '--since', '1d', '--json']\n"
            "try: runpy.run_module('ticket_processor', run_name='__main__')\n"
            "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8"
        )
        summary = json.loads(done.stdout)
        stats = ask(environment, "/sandbox/stats")
    peak = int(done.stderr.split()[-1]) / (1024 * 1024 if sys.platform == "darwin" else 1024)
    print(f"{stats['tickets']} tickets, {stats['marked']} marked, outcomes {summary['outcomes']}")
    print(f"{summary['duration_s']:.1f} s, {tickets / summary['duration_s']:.0f} tickets a second, single updates")
    print(f"peak memory {peak:.0f} MB (aim: below 200)")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("startup", "fanout", "rules"))
    parser.add_argument("file", nargs="?")
    parser.add_argument("--tickets", type=int)
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--latency", default="2", help="seconds: median, or median:p95")
    options = parser.parse_args()
    if options.what == "startup":
        startup()
    elif options.what == "fanout":
        fanout(options.tickets or 1000, options.workers, options.latency)
    elif options.file:
        rules(options.file, options.tickets or 3000)
    else:
        parser.error("rules needs a FILE")


if __name__ == "__main__":
    main()

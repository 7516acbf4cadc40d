"""Measures how soon a ticket that was submitted to the portal is shown as triaged, with a model that takes 2 s.

python scripts/measure_portal_speed.py [--tickets 60] [--gap SECONDS] [--burst N] [--workers N]

A real ``ticketbot portal`` is filled in by form. Each ticket's page asks for news when the page says so, as htmx does,
until it says that it is sorted; when that was to be seen, the ticket's events say. ``--burst``: so many are submitted
together.
Portal, clients and the imitated model server share this machine's processors.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from html import unescape
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ticket_processor.core.clock import parse_iso  # noqa: E402
from ticket_processor.helpdesk.local_store import LocalStore  # noqa: E402
from ticket_processor.sandbox.app import Sandbox  # noqa: E402
from ticket_processor.sandbox.openai_api import LatencyProfile  # noqa: E402
from ticket_processor.sandbox.server import SandboxServer  # noqa: E402

LEAST_S = 3.2
"""A form that is sent sooner is taken for a program's."""
PATIENCE_S = 60.0
ASKING = re.compile(r'data-etag="([^"]*)".*?hx-get="([^"]+)" hx-trigger="every (\d+)s"', re.DOTALL)
SORTED = re.compile(r'<li class="done">Understood and sorted')
OURS = ("ZENDESK_", "FRESHDESK_", "TICKETBOT_", "OPENAI_")


@contextmanager
def portal(model_s: float, workers: int) -> Iterator[tuple[str, Path]]:
    """A portal in a process of its own, with a model whose answers take so long; its address and its file."""
    sandbox = Sandbox(plan="unlimited", llm_latency=LatencyProfile(model_s, model_s * 1.005))
    with tempfile.TemporaryDirectory(prefix="ticketbot-") as name, SandboxServer(sandbox) as server:
        environ = {
            **{key: text for key, text in os.environ.items() if not key.startswith(OURS)},
            "PYTHONPATH": str(ROOT),
            "TICKETBOT_HELPDESK": "local",
            "TICKETBOT_STATE_DIR": f"{name}/state",
            "TICKETBOT_LOG_DIR": f"{name}/logs",
            "TICKETBOT_MODELS": "sandbox-model",
            "OPENAI_BASE_URL": f"{server.url}/v1",
            "OPENAI_API_KEY": sandbox.credentials.openai_key,
        }
        Path(name, "ticketbot.toml").write_text(f"[run]\nworkers = {workers}\n", encoding="utf-8")
        # Named as a proxy, so that clients can have an address each: one address may not submit so many.
        words = ("portal", "--port", "0", "--proxy", "127.0.0.1")
        process = subprocess.Popen(
            [sys.executable, "-m", "ticket_processor", *words],
            cwd=name,
            env=environ,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\d.:]+", process.stdout.readline())
            if found is None:
                raise SystemExit("the portal did not start")
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield found[0], Path(name, "helpdesk.sqlite3")
        finally:
            process.terminate()
            process.wait(30)


def submitted(url: str, number: int, ready: threading.Barrier | None) -> tuple[float, float]:
    """Submit a ticket; the seconds to the answer, and to a page that shows it triaged."""
    session = requests.Session()
    session.headers["X-Forwarded-For"] = f"10.0.{number // 250}.{number % 250 + 1}"
    token = re.search(r'name="form_token" value="([^"]+)"', session.get(url, timeout=30).text)
    assert token is not None, "there is no form"
    time.sleep(LEAST_S)
    if ready is not None:
        ready.wait()
    ticket = {
        "subject": f"Charged twice, order {number}",
        "description": f"Hello, I was charged twice for order {number}-{random.random()}. Please check.",
        "email": f"customer{number}@example.com",
        "form_token": token[1],
    }
    began = time.perf_counter()
    answer = session.post(f"{url}/", data=ticket, timeout=30, allow_redirects=False)
    taken = time.perf_counter() - began
    assert answer.status_code == 303, f"the form answers {answer.status_code}"
    shown = session.get(url + answer.headers["Location"], timeout=30).text
    while not SORTED.search(shown) and time.perf_counter() - began < PATIENCE_S:
        found = ASKING.search(shown)
        assert found is not None, "the page does not ask for news"
        etag, address, every = map(unescape, found.groups())
        news = 304
        while news == 304 and time.perf_counter() - began < PATIENCE_S:
            time.sleep(float(every))
            got = session.get(url + address, headers={"If-None-Match": etag}, timeout=30)
            news = got.status_code
        shown = got.text
    return taken, time.perf_counter() - began


def triaged(file: Path) -> list[float]:
    """From each ticket's submission to its triage, as its events say."""
    with closing(LocalStore(file)) as store:
        found = []
        for ticket in store.changed_since(0, limit=-1):
            at = next(event.at for event in store.events(ticket.id) if event.actor.kind == "ai")
            found.append(parse_iso(at) - parse_iso(ticket.created_at))
    return found


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=60)
    parser.add_argument("--gap", type=float, default=2.0, help="seconds between two, on average")
    parser.add_argument("--burst", type=int, default=0, help="submit so many together, instead")
    parser.add_argument("--workers", type=int, default=8, help="analyses at the same time (run.workers)")
    parser.add_argument("--model", type=float, default=2.0, help="seconds that the model takes")
    asked = parser.parse_args(words)
    count, dice = asked.burst or asked.tickets, random.Random(3)
    ready = threading.Barrier(count) if asked.burst else None
    with portal(asked.model, asked.workers) as (url, file), ThreadPoolExecutor(count) as pool:
        jobs = []
        for number in range(count):
            jobs.append(pool.submit(submitted, url, number, ready))
            if not asked.burst:
                time.sleep(dice.expovariate(1 / asked.gap))
        took = [job.result() for job in jobs]
        times = {"form answered": [one[0] for one in took], "triaged": triaged(file), "shown": [one[1] for one in took]}
    how = "together" if asked.burst else f"about {asked.gap:g} s apart"
    print(f"{count} tickets submitted {how}, model {asked.model:g} s, {asked.workers} workers:")
    for name, found in times.items():
        found.sort()
        print(
            f"  {name}: median {found[len(found) // 2]:.2f} s, p95 {found[int(len(found) * 0.95)]:.2f} s, "
            f"longest {found[-1]:.2f} s"
        )
    print(f"  never shown: {sum(one[1] >= PATIENCE_S for one in took)}")


if __name__ == "__main__":
    main()

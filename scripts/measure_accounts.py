"""Twenty accounts in one process, three of them broken, against one account alone.

python scripts/measure_accounts.py                          # 20 accounts, 60 tickets each, a model with a median of 2 s
python scripts/measure_accounts.py --accounts 8 --tickets 20 --model 1

One of the broken accounts has wrong settings, one a helpdesk that refuses connections, one a helpdesk that takes them
and never answers. The helpdesks and the model are sandboxes in processes of their own on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import development  # noqa: F401 - for its effect

from ticket_processor.sandbox.app import Sandbox
from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.openai_api import LatencyProfile
from ticket_processor.sandbox.server import SandboxServer

ROOT = Path(__file__).resolve().parent.parent
ALONE = 3
"""So many accounts run alone, one after the other; the slowest is what the others are compared with."""
TEXTS = (
    ("Charged twice", "I was charged twice for my subscription this month. Please check my invoice."),
    ("Error on login", "The app shows an error and crashes whenever I try to log in. This is urgent!"),
    ("Where is my order?", "My parcel has not arrived, the tracking page says nothing. Thank you."),
)


def serve(count: int, tickets: int, model_s: float) -> None:
    """Serve so many helpdesks until standard input ends; the first line of output has their addresses."""
    rows = [{"subject": f"{TEXTS[n % 3][0]} ({n})", "body": f"{TEXTS[n % 3][1]} ({n})"} for n in range(tickets)]
    with ExitStack() as stack:
        served = []
        for number in range(count):
            sandbox = Sandbox(plan="enterprise", seed=number, llm_latency=LatencyProfile(model_s, 2 * model_s))
            fill(sandbox, rows)
            known = sandbox.credentials
            server = stack.enter_context(SandboxServer(sandbox))
            served.append([server.url, known.oauth_client_id, known.oauth_client_secret, known.openai_key])
        print(json.dumps(served), flush=True)
        sys.stdin.read()


@contextmanager
def helpdesks(count: int, tickets: int, model_s: float) -> Iterator[list[list[str]]]:
    """Addresses and credentials of so many helpdesks, in a process of their own."""
    words = [sys.executable, __file__, "--serve", str(count), "--tickets", str(tickets), "--model", str(model_s)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.communicate("")


def configure(folder: Path, name: str, known: Sequence[str], *, more: str = "") -> Path:
    """An account's files."""
    url, client, secret, key = known
    file = folder / f"{name}.toml"
    file.write_text(
        f'state_dir = "state/{name}"\nlog_dir = "logs/{name}"\n{more}\n[zendesk]\nurl = "{url}"\n'
        f'[models]\nnames = ["sandbox-model"]\nbase_url = "{url}/v1"\n',
        encoding="utf-8",
    )
    env = f"ZENDESK_OAUTH_CLIENT_ID={client}\nZENDESK_OAUTH_CLIENT_SECRET={secret}\nOPENAI_API_KEY={key}\n"
    file.with_suffix(".env").write_text(env, encoding="utf-8")
    return file


def ticketbot(*words: str) -> tuple[int, float, Any]:
    """Exit code, seconds and JSON answer of a run."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("ZENDESK", "OPENAI", "TICKETBOT"))}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "ticket_processor", "run", "--since", "1d", "--verify", "none", "--json", *words],
        cwd=ROOT, env=clean, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    return done.returncode, time.monotonic() - began, json.loads(done.stdout)


@contextmanager
def broken(folder: Path) -> Iterator[list[Path]]:
    """Three accounts that cannot have a run."""
    known = ("", "ticketbot", "secret-secret", "key-key-key")
    with socket.socket() as silent, socket.socket() as closed:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)  # connections are taken by the system, and nobody ever answers
        closed.bind(("127.0.0.1", 0))
        places = [f"http://127.0.0.1:{one.getsockname()[1]}" for one in (silent, closed)]
        yield [
            configure(folder, "silent", (places[0], *known[1:])),
            configure(folder, "closed", (places[1], *known[1:])),
            configure(folder, "wrong", (places[1], *known[1:]), more="no_such_setting = 1"),
        ]


def measure(accounts: int, tickets: int, model_s: float) -> None:
    """Print the comparison."""
    good = accounts - 3
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        single = stack.enter_context(helpdesks(ALONE, tickets, model_s))
        alone = []
        for number, known in enumerate(single):
            code, wall_s, told = ticketbot("--config", str(configure(folder, f"alone{number}", known)))
            assert (code, told["outcomes"]) == (0, {"updated": tickets}), told
            alone.append((told["duration_s"], wall_s))
        slowest = max(duration for duration, _ in alone)
        files = [
            configure(folder, f"desk{n:02}", known)
            for n, known in enumerate(stack.enter_context(helpdesks(good, tickets, model_s)))
        ]
        files += stack.enter_context(broken(folder))
        code, wall_s, told = ticketbot(*(word for file in files for word in ("--config", str(file))))
    by_name = {one["account"]: one for one in told["accounts"]}
    took = [by_name[file.stem]["duration_s"] for file in files[:good]]
    whole = sum(by_name[file.stem]["outcomes"] == {"updated": tickets} for file in files[:good])
    print(
        f"alone, {ALONE} accounts of {tickets} tickets one after the other: {', '.join(f'{d:.1f} s' for d, _ in alone)}"
    )
    ends = f"exit code {code}; all ended in {wall_s:.1f} s"
    print(f"{accounts} in one process, 3 broken: {whole} of {good} triaged whole; {ends}")
    print("broken: " + ", ".join(f"{file.stem} {by_name[file.stem]['exit_code']}" for file in files[good:]))
    print(f"a good account, median and slowest: {statistics.median(took):.1f} s, {max(took):.1f} s")
    print(f"against the slowest alone: {statistics.median(took) / slowest:.2f}, {max(took) / slowest:.2f} times")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--tickets", type=int, default=60)
    parser.add_argument("--model", type=float, default=2.0, metavar="SECONDS", help="median of an answer")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        with suppress(KeyboardInterrupt):
            serve(options.serve, options.tickets, options.model)
    else:
        measure(options.accounts, options.tickets, options.model)


if __name__ == "__main__":
    main()

"""Measures runs through a cluster, all of it on this machine; each figure has its own sub-command.

python scripts/measure_cluster.py linear           # 4,000 requests of 0.5 s to 1, 2, 4 and 8 workers with 16 threads
python scripts/measure_cluster.py rate             # requests that take no time: a second, and the driver's CPU for each
python scripts/measure_cluster.py memory           # peak memory of the driver: 5,000 requests and ten times as many
python scripts/measure_cluster.py run              # whole runs on a sandbox: a cluster, and threads without one
python scripts/measure_cluster.py kill worker      # kill -9 one of four workers in 20 runs
python scripts/measure_cluster.py kill scheduler --runs 50
python scripts/measure_cluster.py kill all         # every worker; also: freeze (SIGSTOP all of them), frozen (one)

Driver, scheduler, workers, helpdesk and model share this machine's processors.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import development  # noqa: F401 - for its effect

from tests.cli.conftest import QUICK_JOBS, Desk, is_chat, rows
from tests.cluster.nodes import Nodes
from tests.imitation import Sandbox
from tests.imitation.latency import LatencyProfile
from ticket_processor.analysis.model_server.connection import Connection
from ticket_processor.analysis.model_server.settings import targets
from ticket_processor.core.clock import Deadline, SystemClock
from ticket_processor.sandbox.app import SandboxServer, fill
from ticket_processor.sandbox.basics import OffsetClock
from ticket_processor.settings.load import load
from ticket_processor.wiring.cluster import Cluster, ClusterWanted
from ticket_processor.wiring.cluster_dask import connected, run_worker

ENVIRON = {"TICKETBOT_MODELS": "m", "OPENAI_API_KEY": "none"}
TEXT = "My order has not arrived after ten days, and I want my money back please. " * 8
ARGUMENTS = {"model": "m", "messages": [{"role": "system", "content": "x" * 2_500}, {"role": "user", "content": TEXT}]}
BODY = json.dumps({"choices": [{"message": {"content": "y" * 400}}], "usage": {"prompt_tokens": 1}}).encode()
TIMEOUT_S = 2.0
THREADS = 16


def sleeper(address: str, seconds: float) -> None:
    """Be a worker whose model does nothing but take its time."""

    def post(_connection: Connection, *_what: object, **_rest: object) -> bytes:
        time.sleep(seconds)
        return BODY

    Connection.post = post  # type: ignore[method-assign,assignment]
    Connection.get_ready = lambda _connection: None  # type: ignore[method-assign]
    models = targets(load(environ=ENVIRON, folder=Path(tempfile.gettempdir()), need_helpdesk=False).models)
    run_worker(SystemClock(), address, models, threads=THREADS, host=None, health_port=0, death_timeout=10.0, say=print)


@contextmanager
def asleep(workers: int, seconds: float) -> Iterator[tuple[Cluster, Any]]:
    """A cluster of sleepers, and the model that they pretend to be."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nodes = stack.enter_context(Nodes(folder, {}))
        for _ in range(workers):
            words = (sys.executable, __file__, "sleeper", nodes.address, str(seconds))
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
        settings = load(environ=ENVIRON, folder=folder, need_helpdesk=False)
        clock = SystemClock()
        from distributed import Client

        with Client(nodes.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)
        wanted = ClusterWanted(nodes.address)
        yield (
            stack.enter_context(connected(wanted, settings, clock, Deadline(clock, 7200))),
            targets(settings.models)[0],
        )


def asked(cluster: Cluster, model: Any, requests: int) -> tuple[float, float]:
    """The seconds, and the driver's CPU seconds, that so many requests take."""
    connection = cluster.connect(model)
    left = iter(range(requests))
    lock = threading.Lock()

    def ask() -> None:
        while True:
            with lock:
                if next(left, None) is None:
                    return
            connection.post("chat", ARGUMENTS, seconds=30.0)

    began, used = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(cluster.places) as pool:
        wait([pool.submit(ask) for _ in range(cluster.places)])
    assert cluster.use.here == 0, cluster.remarks()
    return time.perf_counter() - began, time.process_time() - used


def linear(requests: int, most: int) -> None:
    """Requests of half a second."""
    for workers in (number for number in (1, 2, 4, 8) if number <= most):
        with asleep(workers, 0.5) as (cluster, model):
            asked(cluster, model, 2 * workers * THREADS)
            took, cpu = asked(cluster, model, requests)
        ideal = requests * 0.5 / (workers * THREADS)
        print(
            f"{workers} x {THREADS}: {requests} requests in {took:.1f} s, ideal {ideal:.1f} s, "
            f"{ideal / took:.0%}; driver {1000 * cpu / requests:.2f} ms CPU a request",
            flush=True,
        )


def rate(requests: int) -> None:
    """Requests that take no time."""
    with asleep(2, 0.0) as (cluster, model):
        asked(cluster, model, 500)
        took, cpu = asked(cluster, model, requests)
    print(f"{requests} requests: {requests / took:.0f} a second; driver {1000 * cpu / requests:.2f} ms CPU each")


def memory(requests: int) -> None:
    """Peak memory after some requests, and after ten times as many."""
    peaks = []
    with asleep(2, 0.0) as (cluster, model):
        for count in (requests, 9 * requests):
            asked(cluster, model, count)
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(f"{requests} and {10 * requests} requests: {peaks[0]:.0f} MB, {peaks[1]:.0f} MB, {peaks[1] / peaks[0]:.2f} x")


@contextmanager
def desk(tickets: int, seconds: float) -> Iterator[Desk]:
    """A sandbox with tickets and a model that takes so long."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ticketbot-cluster-")))
        sandbox = Sandbox(
            OffsetClock(), plan="unlimited", rules=QUICK_JOBS, llm_latency=LatencyProfile(seconds, seconds * 1.001)
        )
        fill(sandbox, [{**row, "age": 7200.0} for row in rows(tickets)])
        server = stack.enter_context(SandboxServer(sandbox))
        here = Desk(folder, sandbox, server.url, model=True)
        stack.callback(here.close)
        (folder / "ticketbot.toml").write_text(f"[models]\ntimeout_s = {TIMEOUT_S}\n", encoding="utf-8")
        yield here


def whole(tickets: int, workers: int) -> None:
    """Whole runs, with a cluster and without one."""
    ideal = tickets * 0.5 / (workers * THREADS)
    for name in ("threads", "cluster"):
        with ExitStack() as stack:
            here = stack.enter_context(desk(tickets, 0.5))
            (here.folder / "ticketbot.toml").write_text("[models]\ntimeout_s = 30\n", encoding="utf-8")
            words: tuple[str, ...] = ("--workers", str(workers * THREADS))
            if name == "cluster":
                nodes = stack.enter_context(Nodes(here.folder, here.environ))
                nodes.add(workers, threads=THREADS)
                words = ("--insecure", "--cluster", nodes.address)
            process = here.start("run", "--since", "7d", "--json", *words, fresh=True)
            summary = here.end(process, within=1200).object
            took = summary["duration_s"]
            print(f"{name}: {tickets} tickets in {took} s, {ideal / took:.0%} of {ideal:.1f} s", flush=True)


def story(what: str, tickets: int, dice: random.Random | None) -> tuple[float, dict[str, Any], list[str]]:
    """One run that meets a loss at a random moment: its seconds after that, its summary, and what is wrong."""
    with desk(tickets, 0.3) as here, Nodes(here.folder, here.environ) as nodes:
        nodes.add(4)
        nth = tickets // 3 if dice is None else dice.randrange(1, tickets)
        asked = here.when(is_chat, nth=nth)
        process = here.start("run", "--since", "7d", "--json", "--insecure", "--cluster", nodes.address, fresh=True)
        while not asked.wait(0.05):
            assert process.poll() is None, process.communicate()
        if dice is not None:
            time.sleep(dice.random() * 0.3)
        began = time.monotonic()
        if what in LOSSES:
            LOSSES[what](nodes)
        wrong = []
        try:
            summary = here.end(process, code=0, within=120).object
        except (AssertionError, subprocess.TimeoutExpired) as error:
            return time.monotonic() - began, {"cluster": {}}, [str(error)[:300]]
        for number in here.tickets:
            if "ai_processed" not in here.ticket(number)["tags"]:
                wrong.append(f"ticket {number} lost")
            if len(here.notes(number)) != 1:
                wrong.append(f"ticket {number} has {len(here.notes(number))} notes")
        return time.monotonic() - began, summary, wrong


LOSSES: dict[str, Callable[[Nodes], object]] = {
    "worker": lambda nodes: nodes.workers[0].process.kill(),
    "scheduler": lambda nodes: nodes.scheduler.process.kill(),
    "all": lambda nodes: [worker.process.kill() for worker in nodes.workers],
    "freeze": lambda nodes: [worker.process.send_signal(signal.SIGSTOP) for worker in nodes.workers],
    "frozen": lambda nodes: nodes.workers[0].process.send_signal(signal.SIGSTOP),
}


def kill(what: str, runs: int, tickets: int) -> None:
    """Several such runs."""
    dice = random.Random(what)
    calm = [story("", tickets, None)[:2] for _ in range(3)]
    undisturbed = sorted(seconds for seconds, _ in calm)[1]
    whole = sorted(summary["duration_s"] for _, summary in calm)[1]
    took, whole_runs, again, lost, broken = [], list[float](), 0, Counter[str](), []
    for number in range(runs):
        seconds, summary, wrong = story(what, tickets, None if what == "worker" else dice)
        took.append(seconds)
        whole_runs.append(summary.get("duration_s", 0.0))
        again += summary["cluster"].get("again", 0)
        lost.update(filter(None, [summary["cluster"].get("lost")]))
        broken += [f"run {number}: {each}" for each in wrong]
    print(*broken, sep="\n")
    print(
        f"{what}: {runs} runs of {tickets} tickets, {len(broken)} wrong; seconds after the loss: median "
        f"{sorted(took)[runs // 2]:.1f}, longest {max(took):.1f}, undisturbed {undisturbed:.1f}; "
        f"whole runs: median {sorted(whole_runs)[runs // 2]:.1f}, longest {max(whole_runs):.1f}, "
        f"{max(whole_runs) / whole:.2f} x undisturbed {whole:.1f}; "
        f"clusters lost: {dict(lost)}; requests made again: {again}"
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("linear", "rate", "memory", "run", "kill", "sleeper"))
    parser.add_argument("more", nargs="*")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--tickets", type=int)
    parser.add_argument("--workers", type=int, default=8)
    options = parser.parse_args()
    if options.what == "sleeper":
        sleeper(options.more[0], float(options.more[1]))
    elif options.what == "linear":
        linear(options.tickets or 4_000, options.workers)
    elif options.what == "rate":
        rate(options.tickets or 5_000)
    elif options.what == "memory":
        memory(options.tickets or 5_000)
    elif options.what == "run":
        whole(options.tickets or 4_000, options.workers)
    else:
        kill(options.more[0], options.runs, options.tickets or 60)


if __name__ == "__main__":
    main()

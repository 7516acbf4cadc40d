"""Speed, printed with what it is compared to. Ratios within one run, since machines differ.

python scripts/bench.py startup           # --help against "import typer"; requests of an idle run
python scripts/bench.py fanout            # 1,000 tickets, 50 workers, a model that takes 2 s
python scripts/bench.py volume            # 10,000 tickets, 200 workers, Enterprise limits; against GET + PUT
python scripts/bench.py idle-seconds      # what runs of 50 to 10,000 tickets take beyond the model's own time
python scripts/bench.py rules FILE        # 10,000 tickets of a .jsonl[.gz] file on one core, no model
python scripts/bench.py memory            # 20,000 and 200,000 tickets by rules: the peaks (some twenty minutes)
python scripts/bench.py hops              # modules that one ticket enters between the first receipt and its own
python scripts/bench.py report            # a report of 466,000 lines over 90 days against json.loads of each line

The report's log is made up: every ten minutes a run with its tickets, an intent and a receipt for each, some left
alone, some failed and tried again, with the fields and lengths that receipts have.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import requests

ROOT = Path(__file__).resolve().parent.parent
TICKETBOT = [sys.executable, "-m", "ticket_processor"]
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
OVERLOADED = (429, 503)


class Ended(Exception):
    """The time of a measurement is over."""


SERVE = """
import json, sys
from ticket_processor.commands.command_group import signals
from ticket_processor.commands.seed import serve
from tests.imitation.latency import LatencyProfile
given, latency = map(json.loads, sys.argv[1:])
with signals() as clock:
    serve(clock, port=0, latency=LatencyProfile(*latency) if latency else None, **given)
"""


@contextmanager
def sandbox(
    tickets: int = 0,
    *,
    latency: str = "",
    plan: str = "unlimited",
    role: str = "admin",
    core: int | None = None,
) -> Iterator[dict[str, str]]:
    """A sandbox in a process of its own; yields the environment that points at it.

    ``latency`` is what a model's answer takes, in seconds: the median, or ``median:p95``.
    """
    median, _, high = latency.partition(":")
    profile = [float(median), float(high or 1.5 * float(median))] if latency else []
    given = {"tickets": tickets, "plan": plan, "role": role}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, json.dumps(given), json.dumps(profile)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    found: dict[str, str] = {}
    assert process.stdout is not None
    for line in process.stdout:
        match = re.match(r"\s+([A-Z_]+)=(\S+)", line)
        if match:
            found[match[1]] = match[2]
        if "TICKETBOT_MODELS" in found:
            break
    # Without compiled files each process would compile all modules anew, which no installation does.
    left_out = ("ZENDESK", "OPENAI", "TICKETBOT", "PYTHONDONTWRITEBYTECODE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield {**clean, **found, "TICKETBOT_STATE_DIR": f"{folder}/state", "TICKETBOT_LOG_DIR": f"{folder}/logs"}
        finally:
            process.terminate()
            process.wait()


def ticketbot(environment: dict[str, str], *words: str) -> dict[str, Any]:
    """A command's JSON answer."""
    done = subprocess.run(
        [*TICKETBOT, *words, "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        sys.exit(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@dataclass(frozen=True)
class Measured:
    """A run's summary, and what its process took; 0 on Windows, which does not tell."""

    summary: dict[str, Any]
    cpu_s: float
    peak_mb: float


def measured(environment: dict[str, str], *words: str, core: int | None = None) -> Measured:
    """A run in a process of its own, on one core if asked."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen([*TICKETBOT, *words, "--json"], cwd=ROOT, env=environment, stdout=out, stderr=err)
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        cpu_s = peak_mb = 0.0
        if hasattr(os, "wait4"):
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu_s = used.ru_utime + used.ru_stime
            peak_mb = used.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
        code = process.wait()
        out.seek(0)
        err.seek(0)
        said = out.read()
        if code or not said:
            sys.exit(err.read().decode())
        return Measured(json.loads(said), cpu_s, peak_mb)


def configured(environment: dict[str, str], toml: str, **more: str) -> dict[str, str]:
    """The environment with a configuration file of its own."""
    file = Path(environment["TICKETBOT_STATE_DIR"]).with_name("ticketbot.toml")
    file.write_text(toml, encoding="utf-8")
    return {**environment, "TICKETBOT_CONFIG": str(file), **more}


def ask(environment: dict[str, str], path: str) -> dict[str, Any]:
    """One of the sandbox's own routes."""
    with urlopen(environment["ZENDESK_URL"] + path) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


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
        before = int(ask(environment, "/sandbox/stats")["requests_total"])
        ticketbot(environment, "run")
        asked = int(ask(environment, "/sandbox/stats")["requests_total"]) - before
        busy = statistics.median(measured(environment, "run").cpu_s for _ in range(9))
    print(f"idle run                   {asked:6d} requests (aim: at most 3)")
    print(f"                           {busy:6.2f} s of processor time (aim: at most 0.40 s)")


def fanout(tickets: int, workers: int, latency: str) -> None:
    """How near the fan-out comes to tickets × mean latency ÷ workers."""
    with sandbox(tickets, latency=latency) as environment:
        # Variations of one ticket may be the same text; here each is to be asked about.
        environment = configured(environment, "[cache]\ndays = 0\n")
        summary = ticketbot(environment, "run", "--since", "1d", "--workers", str(workers))
        stats = ask(environment, "/sandbox/stats")
    print(f"outcomes {summary['outcomes']}, answered by {summary['answered_by']}")
    told_ideal(tickets, workers, stats, float(summary["duration_s"]), aim="90%")


def told_ideal(tickets: int, workers: int, stats: dict[str, Any], real: float, *, aim: str) -> None:
    """Print how near a run came to what the model's latency alone would take."""
    calls, total = int(stats["llm_calls"]), float(stats["llm_latency_total"])
    ideal = total / workers
    print(f"{tickets} tickets, {calls} model answers, mean latency {total / calls:.2f} s, {workers} workers")
    print(f"ideal {ideal:.1f} s, run {real:.1f} s: {ideal / real:.1%} of ideal (aim: at least {aim})")


def told_requests(summary: dict[str, Any], written: int) -> None:
    """Print what a run asked of the helpdesk."""
    asked = sum(summary["requests"].values())
    print(f"{asked} helpdesk requests: {asked / written:.4f} for each ticket written (aim: at most 0.05)")
    for what, count in sorted(summary["requests"].items(), key=lambda item: -item[1]):
        print(f"  {count:6d} {what}")


def volume(tickets: int, workers: int, latency: str, share: float, minutes: int) -> None:
    """Many tickets under an Enterprise account's limits, against a pool of threads that GETs and PUTs each ticket."""
    print("Enterprise: 700 requests, 100 ticket updates, 10 exports a minute; jobs start after 1 s, 0.07 s an item")
    with sandbox(tickets, latency=latency, plan="enterprise") as environment:
        toml = f"[cache]\ndays = 0\n[run]\nlimit_share = {share}\ndeadline_s = 7200\n"
        took = measured(configured(environment, toml), "run", "--since", "1d", "--workers", str(workers))
        stats = ask(environment, "/sandbox/stats")
    summary = took.summary
    real = float(summary["duration_s"])
    written = int(summary["outcomes"]["updated"])
    rate = written / real
    print(f"\nticketbot run --workers {workers}, run.limit_share = {share}")
    print(f"outcomes {summary['outcomes']}, answered by {summary['answered_by']}, {stats['marked']} marked")
    told_ideal(tickets, workers, stats, real, aim="85%")
    print(f"{rate:.1f} written a second; {took.cpu_s:.0f} s of processor time, peak memory {took.peak_mb:.0f} MB")
    told_requests(summary, written)
    with sandbox(tickets, latency=latency, plan="enterprise") as environment:
        done, span = get_and_put(environment, workers, minutes)
    plainly = done / span
    print(f"\nGET + PUT of each ticket, {workers} threads that heed Retry-After, {span:.0f} s from a full minute on:")
    print(f"{done} tickets, {plainly:.2f} a second; ticketbot did {rate / plainly:.0f} times as many (aim: 20)")


def idle_seconds() -> None:
    """Wall time beyond the ideal, for small and large runs under an account's limits, and what they ask of it."""
    print("Enterprise: 700 requests, 100 ticket updates, 10 exports a minute; Team: 200 requests")
    print("jobs start after 1 s, 0.07 s an item; model: p50 2 s, p95 4 s")
    rows = (
        (50, 10, 0.5, "enterprise", "admin", "at most 3 s"),
        (500, 50, 0.5, "enterprise", "admin", "at least 75%"),
        (1_600, 200, 0.5, "enterprise", "admin", "at most 11 s, 0.045 requests a ticket"),
        (1_600, 200, 0.5, "enterprise", "agent", "at most 1.3 times the admin's, 0.06 requests a ticket"),
        (400, 200, 0.5, "team", "admin", "at most 30 s in all"),
        (6_000, 200, 0.5, "enterprise", "admin", "at least 88%"),
        (10_000, 200, 0.8, "enterprise", "admin", "at least 95%"),
    )
    for tickets, workers, share, plan, role, aim in rows:
        with sandbox(tickets, latency="2:4", plan=plan, role=role) as environment:
            toml = f"[cache]\ndays = 0\n[run]\nlimit_share = {share}\ndeadline_s = 7200\n"
            took = measured(configured(environment, toml), "run", "--since", "1d", "--workers", str(workers))
            stats = ask(environment, "/sandbox/stats")
        real, ideal = float(took.summary["duration_s"]), float(stats["llm_latency_total"]) / workers
        requests_each = sum(took.summary["requests"].values()) / tickets
        print(
            f"{plan}, {role}: {tickets:6d} tickets, {workers:3d} workers, limit_share {share}: "
            f"{real:6.1f} s, ideal {ideal:6.1f} s: "
            f"{real - ideal:4.1f} s more, {ideal / real:.0%}; {requests_each:.4f} requests a ticket (aim: {aim})",
            flush=True,
        )
        print("   ", ", ".join(f"{count} {what}" for what, count in sorted(took.summary["requests"].items())))


def get_and_put(environment: dict[str, str], workers: int, minutes: int) -> tuple[int, float]:
    """Tickets done by a plain pool of threads, and the seconds that it had: whole minutes, as the limits have them."""
    base, model = environment["ZENDESK_URL"], environment["OPENAI_BASE_URL"]
    token = requests.post(
        f"{base}/oauth/tokens",
        json={
            "grant_type": "client_credentials",
            "client_id": environment["ZENDESK_OAUTH_CLIENT_ID"],
            "client_secret": environment["ZENDESK_OAUTH_CLIENT_SECRET"],
        },
        timeout=60,
    ).json()["access_token"]
    desk = {"Authorization": f"Bearer {token}"}
    llm = {"Authorization": f"Bearer {environment['OPENAI_API_KEY']}"}
    numbers, done, ended = itertools.count(1), itertools.count(), threading.Event()

    def patiently(session: requests.Session, method: str, url: str, **given: Any) -> requests.Response:
        while True:
            answer = session.request(method, url, timeout=60, **given)
            if answer.status_code not in OVERLOADED:
                return answer
            if ended.wait(float(answer.headers.get("Retry-After", "1"))):
                raise Ended

    def work() -> None:
        session = requests.Session()
        session.trust_env = False
        try:
            while not ended.is_set():
                triage(session)
        except (Ended, requests.RequestException):
            if not ended.is_set():
                raise

    def triage(session: requests.Session) -> None:
        url = f"{base}/api/v2/tickets/{next(numbers)}"
        ticket = patiently(session, "GET", url, headers=desk).json()["ticket"]
        words = [{"role": "user", "content": f"Classify: {ticket['subject']}\n{ticket['description']}"}]
        patiently(
            session,
            "POST",
            f"{model}/chat/completions",
            headers=llm,
            json={"model": environment["TICKETBOT_MODELS"], "messages": words},
        )
        change = {"ticket": {"tags": [*ticket["tags"], "triaged"], "priority": "normal"}}
        if patiently(session, "PUT", url, headers=desk, json=change).ok and not ended.is_set():
            next(done)

    time.sleep(60 - time.time() % 60)
    threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    time.sleep(60 * minutes - 0.5)  # the next minute's first updates are none of this one's
    ended.set()
    for thread in threads:
        thread.join()
    return next(done), 60.0 * minutes


def rules(file: str, tickets: int) -> None:
    """Many tickets without a model through jobs, on one core: how many a second."""
    mine, other = (CORES[0], CORES[-1]) if len(CORES) > 1 else (None, None)
    with sandbox(core=other) as environment:
        words = ("seed", "--file", str(Path(file).resolve()), "--count", str(tickets))
        subprocess.run([*TICKETBOT, *words], cwd=ROOT, env=environment, check=True)
        time.sleep(70)  # until the export has them all
        environment = configured(environment, "[run]\ndeadline_s = 7200\n", TICKETBOT_MODELS="")
        took = measured(environment, "run", "--since", "1d", core=mine)
        stats = ask(environment, "/sandbox/stats")
    summary = took.summary
    where = "one core of its own" if mine is not None else "any core (this system pins none, or has only one)"
    print(f"{stats['tickets']} tickets, {stats['marked']} marked, outcomes {summary['outcomes']}")
    print(f"the process on {where}; the sandbox elsewhere, its jobs start after 0.1 s and take no time")
    lasted = float(summary["duration_s"])
    print(f"{lasted:.1f} s: {tickets / lasted:.0f} tickets a second (aim: at least 300)")
    if mine is not None:
        print(f"of the core's time it used {took.cpu_s / lasted:.0%}; the rest went to other processes or to waiting")
    print(f"{took.cpu_s:.1f} s of processor time, starting included: {tickets / took.cpu_s:.0f} tickets a second of it")
    print(f"peak memory {took.peak_mb:.0f} MB")
    told_requests(summary, tickets)


HOPS = """
import sys, threading
from pathlib import Path
import ticket_processor
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.cli import main

ROOT, seen, watching = str(Path(ticket_processor.__file__).parent) + "/", set(), False

def entered(frame, event, _):
    if watching and event == "call" and frame.f_code.co_filename.startswith(ROOT):
        seen.add(frame.f_code.co_filename.removeprefix(ROOT))

def switching(name, on):
    of_log = getattr(AuditLog, name)
    def switched(self, *given, **named):
        global watching
        ended = of_log(self, *given, **named)
        watching = on
        return ended
    setattr(AuditLog, name, switched)

switching("run_started", True)
switching("ticket", False)
threading.setprofile(entered)
sys.setprofile(entered)
sys.argv = ["ticketbot", "run", "--since", "1d", "--limit", "1", "--no-llm", "--json"]
try:
    main()
finally:
    print(*sorted(seen), sep="\\n", file=sys.stderr)
"""
"""One run of one ticket, and the modules entered from its first receipt to the ticket's."""


def hops() -> None:
    """How many modules one ticket enters that the keyword rules answer."""
    with sandbox(tickets=1) as environment:
        done = subprocess.run(
            [sys.executable, "-c", HOPS], cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8"
        )
    if done.returncode or json.loads(done.stdout)["outcomes"] != {"updated": 1}:
        sys.exit(done.stderr)
    found = [line for line in done.stderr.splitlines() if line.endswith(".py")]
    way = [name for name in found if not name.startswith(("analysis/text/", "analysis/rules/"))]
    print(f"one ticket enters {len(found)} modules (aim: at most 45), {len(way)} without text and rules (30):")
    print(*way, sep="\n")


def memory(small: int, large: int) -> None:
    """The peak of a run over a large backlog against that over a small one."""
    peaks = []
    for tickets in (small, large):
        with sandbox(tickets) as environment:
            environment = configured(environment, "[run]\ndeadline_s = 86400\n", TICKETBOT_MODELS="")
            took = measured(environment, "run", "--since", "1d")
        rate = tickets / took.summary["duration_s"]
        print(f"{tickets:7d} tickets, outcomes {took.summary['outcomes']}: {took.peak_mb:.0f} MB, {rate:.0f} a second")
        peaks.append(took.peak_mb)
    print(f"{peaks[1] / peaks[0]:.2f} times the memory for {large // small} times the tickets (aim: at most 1.3)")


def plain_loop(folder: Path) -> int:
    """What a report has to do at least: every line through ``json.loads``."""
    from ticket_processor.audit.files import log_files

    count = 0
    for file in log_files(folder):
        with file.open() as lines:
            for line in lines:
                json.loads(line)
                count += 1
    return count


def whole_report(folder: Path, since: float, until: float) -> int:
    """A report of all of it."""
    from ticket_processor.reporting.index import LogIndex
    from ticket_processor.reporting.report import gather

    with LogIndex(folder, time.time) as index:
        return gather(index, since, until).totals.tickets


def report_command(folder: Path, *words: str) -> None:
    """The whole command in a process of its own."""
    environment = {**os.environ, "TICKETBOT_LOG_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    words = (sys.executable, "-m", "ticket_processor", "report", *words, "--json")
    subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)


@dataclass(frozen=True)
class Timing:
    """The quickest of several times: seconds, and of processors, all threads and processes together."""

    wall_s: float
    processor_s: float


def timed(work: Callable[[], Any], times: int = 1) -> Timing:
    """How long it took."""
    found = []
    for _ in range(times):
        begin, spent = time.perf_counter(), processor_time()
        work()
        found.append(Timing(time.perf_counter() - begin, processor_time() - spent))
    return min(found, key=lambda took: took.wall_s)


def processor_time() -> float:
    """Of this process, and of those that it has started and that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def show(name: str, took: Timing, loop: Timing) -> None:
    """One measurement, and how many times as fast as the loop it was: by the clock, and in processor time."""
    times, of_processor = loop.wall_s / took.wall_s, loop.processor_s / took.processor_s
    print(f"{name:36} {took.wall_s:7.2f} s {times:6.1f}x   processor {took.processor_s:7.2f} s {of_processor:6.1f}x")


def report(lines: int, days: int) -> None:
    """A report, as a call and as a command."""
    import development  # noqa: F401 - for its effect

    from tests.support.made_up_log import write_log
    from ticket_processor.audit.files import log_files

    with tempfile.TemporaryDirectory(prefix="bench-report-") as name:
        folder = Path(name)
        since, until = write_log(folder, lines, days)
        size = sum(file.path.stat().st_size for file in log_files(folder))
        count = plain_loop(folder)  # so that the first to be measured does not pay for the disk
        print(f"{count:,} lines in {days} files, {size / 1e6:,.0f} MB")
        loop = timed(lambda: plain_loop(folder), 2)
        show("json.loads, each line", loop, loop)
        show("report of all", timed(lambda: whole_report(folder, since, until), 3), loop)
        words = ("--since", f"{days + 1}d")
        show("the same as a whole command", timed(lambda: report_command(folder, *words), 3), loop)
        show("ticketbot report (7 days)", timed(lambda: report_command(folder), 3), loop)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what", choices=("startup", "fanout", "volume", "idle-seconds", "rules", "memory", "report", "hops")
    )
    parser.add_argument("file", nargs="?")
    parser.add_argument("--tickets", type=int)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--latency", help="seconds: median, or median:p95")
    parser.add_argument("--share", type=float, default=0.8, help="volume: run.limit_share")
    parser.add_argument("--minutes", type=int, default=2, help="volume: how long GET + PUT is measured")
    parser.add_argument("--lines", type=int, default=466_000, help="report: of the log")
    parser.add_argument("--days", type=int, default=90, help="report: of the log")
    options = parser.parse_args()
    if options.what == "startup":
        startup()
    elif options.what == "fanout":
        fanout(options.tickets or 1000, options.workers or 50, options.latency or "2")
    elif options.what == "volume":
        latency = options.latency or "2:4"
        volume(options.tickets or 10_000, options.workers or 200, latency, options.share, options.minutes)
    elif options.what == "idle-seconds":
        idle_seconds()
    elif options.what == "report":
        report(options.lines, options.days)
    elif options.what == "hops":
        hops()
    elif options.what == "memory":
        memory(20_000, options.tickets or 200_000)
    elif options.file:
        rules(options.file, options.tickets or 10_000)
    else:
        parser.error("rules needs a FILE")


if __name__ == "__main__":
    main()

"""What 1,000 accounts with 10 million tickets a day would need: machines, requests, money. Measured, then simulated.

python scripts/internet_scale.py                              # measures a run here, then plays a day
python scripts/internet_scale.py --measured 4.1,0.9,0.043,2.0,900,60 --accounts 1000 --tickets 10000000

Measured are two runs against a sandbox, of 100 and of 500 invented tickets: processor time and requests of a ticket
and of a run, and a ticket's tokens. (--measured repeats them: ms of a ticket, s of a run, requests of a ticket and of a
run, tokens in and out.)

Simulated is a day in slots of ten minutes. Accounts differ in size as Zipf has it (the n-th has 1/n of the first), each
has a working day of its own somewhere on earth (most tickets in nine hours, a fifth as many at night), tickets come at
random. Every slot each account has one run, which gets as far as the account's limits allow at a run.limit_share of a
half; the rest waits. Limits are Zendesk's: 2,500, 700 or 400 requests a minute by size, 10 exports of 1,000 tickets a
minute (30 with the add-on), and 100 single updates a minute (300) where jobs may not be used. Assumptions: a process
works on one core at 60%, with 200 threads; a model's answer takes 2 s; a machine has 4 cores.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import development  # noqa: F401 - for its effect
from bench import configured, measured, sandbox

from ticket_processor.analysis.model_server.presets import LISTED, cost_usd, list_price
from ticket_processor.core.models import Usage

SLOT_S, SLOTS = 600, 144
SHARE = 0.5
BUSY, THREADS, MODEL_S, CORES = 0.6, 200, 2.0, 4
MODELS = ("gpt-6-luna", "gpt-5.6-luna", "gemini-2.5-flash-lite")


@dataclass(frozen=True)
class Costs:
    """What a ticket takes, and what a run takes besides."""

    ticket_cpu_ms: float
    run_cpu_s: float
    ticket_requests: float
    run_requests: float
    tokens_in: float
    tokens_out: float


@dataclass
class SimulatedAccount:
    """An account's day: tickets a day, its hour of the day at 0:00 UTC, its limits, and what waits."""

    daily: float
    hour: float
    requests_min: int
    exports_min: int
    updates_min: int
    waiting: int = 0
    longest_s: float = 0.0
    slots_behind: int = 0

    def rate(self, slot: int) -> float:
        """Tickets to expect in this slot."""
        hour = (self.hour + slot * SLOT_S / 3600) % 24
        day = 1.0 if 9 <= hour < 18 else 0.2
        return self.daily * day / (9 * 6 + 15 * 6 * 0.2)

    def most(self, costs: Costs, *, jobs: bool) -> int:
        """Tickets that a slot's run can do within the limits."""
        minutes = SLOT_S / 60
        by_export = self.exports_min * SHARE * minutes * 1000
        if not jobs:
            return int(min(by_export, self.updates_min * SHARE * minutes))
        left = self.requests_min * SHARE * minutes - costs.run_requests
        return int(min(by_export, left / max(costs.ticket_requests, 1e-9)))


def measure() -> Costs:
    """Two runs here, and what lies between them."""
    took, told = [], []
    for count in (100, 500):
        with sandbox("--tickets", str(count), "--llm-latency", "0.05:0.1", plan="unlimited") as environment:
            toml = "[cache]\ndays = 0\n[run]\nwrite_mode = 'batch'\nverify_sample = 0\nworkers = 20\n"
            found = measured(configured(environment, toml), "run", "--since", "1d")
        took.append(found.cpu_s)
        told.append(found.summary)
    done = [summary["outcomes"]["updated"] for summary in told]
    asked = [sum(summary["requests"].values()) for summary in told]
    more = done[1] - done[0]
    cpu, requests = (took[1] - took[0]) / more, (asked[1] - asked[0]) / more
    usage = told[1]["usage"]
    return Costs(
        cpu * 1000,
        max(0.0, took[0] - cpu * done[0]),
        requests,
        max(0.0, asked[0] - requests * done[0]),
        usage["input"] / done[1],
        usage["output"] / done[1],
    )


def accounts_of(count: int, tickets: int, dice: random.Random) -> list[SimulatedAccount]:
    """So many accounts, the largest first."""
    whole = sum(1 / rank for rank in range(1, count + 1))
    made = []
    for rank in range(1, count + 1):
        daily = tickets / rank / whole
        plan = (2500, 30, 300) if daily > 50_000 else (700, 10, 100) if daily > 5_000 else (400, 10, 100)
        made.append(SimulatedAccount(daily, dice.uniform(0, 24), *plan))
    return made


def arrivals(mean: float, dice: random.Random) -> int:
    """A number from Poisson's distribution, which is nearly the normal one where it is large."""
    if mean > 50:
        return max(0, round(dice.gauss(mean, math.sqrt(mean))))
    count, left = 0, dice.expovariate(1.0)
    while left < mean:
        count, left = count + 1, left + dice.expovariate(1.0)
    return count


@dataclass
class Day:
    """A played day."""

    arrived: int
    done: int
    requests: float
    peak: int
    busiest: int


def play(accounts: Sequence[SimulatedAccount], costs: Costs, *, jobs: bool, seed: int) -> Day:
    """A day, after a first one that fills what waits."""
    dice = random.Random(seed)
    day = Day(0, 0, 0.0, 0, 0)
    for slot in range(2 * SLOTS):
        counted = slot >= SLOTS
        if slot == SLOTS:
            for one in accounts:
                one.longest_s, one.slots_behind = 0.0, 0
        in_slot = 0
        for one in accounts:
            new, most = arrivals(one.rate(slot), dice), one.most(costs, jobs=jobs)
            one.waiting += new
            done = min(one.waiting, most)
            one.waiting -= done
            one.slots_behind += bool(one.waiting)
            one.longest_s = max(one.longest_s, one.waiting / max(most, 1) * SLOT_S)
            in_slot += done
            if counted:
                day.arrived += new
                day.done += done
                day.requests += costs.run_requests + done * (costs.ticket_requests if jobs else 1.0 + 1 / 1000)
                day.busiest = max(day.busiest, done)
        if counted:
            day.peak = max(day.peak, in_slot)
    return day


def spread(sizes: Sequence[float], processes: int) -> float:
    """The fullest process where the largest account goes to the emptiest, and so on."""
    filled = [0.0] * processes
    for size in sorted(sizes, reverse=True):
        heapq.heapreplace(filled, filled[0] + size)
    return max(filled)


def tell(costs: Costs, count: int, tickets: int, seed: int, core_hour: float) -> None:
    """Print what the day needs."""
    print(f"a ticket: {costs.ticket_cpu_ms:.1f} ms of processor time, {costs.ticket_requests:.3f} requests, "
          f"{costs.tokens_in:.0f} tokens in, {costs.tokens_out:.0f} out")  # fmt: skip
    print(f"a run besides: {costs.run_cpu_s:.2f} s, {costs.run_requests:.1f} requests")
    for jobs in (True, False):
        accounts = accounts_of(count, tickets, random.Random(seed))
        day = play(accounts, costs, jobs=jobs, seed=seed)
        behind = [one for one in accounts if one.slots_behind]
        full = [one for one in accounts if one.slots_behind > SLOTS / 2]
        way = "jobs of 100 updates" if jobs else "single updates only"
        print(f"\n{way}: {count:,} accounts, {day.arrived:,} tickets came, {day.done:,} were triaged")
        print(f"  requests to helpdesks: {day.requests:,.0f} a day; at the peak {day.peak / SLOT_S:,.0f} tickets/s")
        busiest = day.busiest / SLOT_S
        print(f"  the largest account: {accounts[0].daily:,.0f} a day, {busiest:.0f}/s at its peak, which takes "
              f"run.workers = {math.ceil(busiest * MODEL_S)}")  # fmt: skip
        print(f"  {len(behind)} accounts hit limits of their own, {len(full)} for half of the day and more")
        if behind:
            longest, smallest = max(one.longest_s for one in behind), min(one.daily for one in behind)
            print(f"  longest wait {longest / 3600:,.0f} h; the smallest of them has {smallest:,.0f} a day")
        if not jobs:
            continue
        cpu_ticket, cpu_run = costs.ticket_cpu_ms / 1000, costs.run_cpu_s
        work = [max(one.rate(slot) for slot in range(SLOTS)) * cpu_ticket + cpu_run for one in accounts]
        by_cpu = (day.peak * cpu_ticket + count * cpu_run) / SLOT_S / BUSY
        by_threads = day.peak / SLOT_S * MODEL_S / THREADS
        processes = math.ceil(max(by_cpu, by_threads))
        while processes < 10 * count and spread(work, processes) > max(SLOT_S * BUSY, max(work)):
            processes += 1
        shards = [math.ceil(need / (SLOT_S * BUSY)) for need in work]
        split = sum(need > 1 for need in shards)
        processes = max(processes, math.ceil(by_cpu)) + sum(shards) - len(shards)
        machines = math.ceil(processes / CORES)
        threads = day.peak / SLOT_S * MODEL_S
        print(f"  machines: {machines} of {CORES} cores ({by_cpu:.1f} processes by processor time, {by_threads:.1f} by "
              f"{threads:,.0f} threads); {split} accounts need shards")  # fmt: skip
        print(
            f"  machines' money: ${machines * CORES * 24 * core_hour:,.0f} a day at ${core_hour} for an hour of a core"
        )
        tokens = (costs.tokens_in * day.done, costs.tokens_out * day.done)
        print(f"  tokens: {tokens[0] / 1e9:.1f} billion in, {tokens[1] / 1e9:.2f} out; a minute of the peak: "
              f"{day.peak / SLOT_S * 60 * (costs.tokens_in + costs.tokens_out) / 1e6:.0f} million")  # fmt: skip
        for model in MODELS:
            price = list_price(model)
            assert price is not None
            usd = cost_usd(Usage(input=int(tokens[0]), output=int(tokens[1])), price)
            print(f"  {model}: ${usd:,.0f} a day, ${usd / day.done * 1000:.2f} for 1,000 tickets")
        print(f"  (list prices of {LISTED}, no input cached)")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--tickets", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--core-hour", type=float, default=0.05, metavar="USD")
    parser.add_argument("--measured", help="figures of an earlier run, to save the time of a new one")
    options = parser.parse_args()
    costs = Costs(*map(float, options.measured.split(","))) if options.measured else measure()
    tell(costs, options.accounts, options.tickets, options.seed, options.core_hour)


if __name__ == "__main__":
    main()

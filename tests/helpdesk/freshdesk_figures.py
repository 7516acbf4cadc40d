"""What is measured of the Freshdesk client on virtual time: listing while people work, and credits."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ticket_processor.sandbox.access import FRESHDESK_PLANS

from ..imitation import FreshdeskRules
from ..support.freshdesk_account import HOURS, FreshAccount

GROUPS = (8001, 8002)
ROUND_TRIP_S = 0.5


@dataclass(frozen=True)
class Listed:
    """What listings found of an account on which people work."""

    tickets: int
    edits: int
    missed: int
    """Tickets that no listing showed."""
    stale: int
    """Tickets whose last change no listing showed."""
    first_lists: int
    first_s: float
    lists: int
    highest_page: int
    refused: int


def listing(
    tickets: int, edits_per_second: int, *, plan: str = "growth", rules: FreshdeskRules | None = None, runs: int = 4
) -> Listed:
    """List an account from its beginning while people edit its tickets, and go on from there every ten minutes.

    A second of the beginning holds up to 250 tickets, as an import would make them. People edit every second ticket,
    and stop before the last listing: the other tickets can be missed for good.
    """
    account = FreshAccount(plan=plan, latency=ROUND_TRIP_S, rules=rules)
    desk, clock, dice = account.desk, account.clock, random.Random(7)
    began = clock.now() - 40 * 24 * HOURS
    while len(desk.tickets) < tickets:
        began += dice.choice((1.0, 600.0))
        for _ in range(min(dice.choice((1, 2, 40, 250)), tickets - len(desk.tickets))):
            account.add(created_at=began)
    numbers = list(desk.tickets)
    worked_on = numbers[::2]
    working, made = True, 0

    def work() -> None:
        nonlocal made
        if working:
            number = dice.choice(worked_on)
            desk.person_edit(number, priority=desk.tickets[number].json["priority"] % 4 + 1)
            made += 1
            desk.later(desk.now() + 1.0 / edits_per_second, work)

    desk.later(clock.now(), work)
    shown: dict[int, str] = {}
    cursor: str | None = None
    first_lists, first_s = 0, 0.0
    for run in range(runs):
        started = clock.now()
        for page in account.client.pages(cursor, 0.0):
            cursor = page.cursor or cursor
            shown |= {ticket.id: ticket.updated_at for ticket in page.tickets}
        if run == 0:
            first_lists, first_s = len(account.asked), clock.now() - started
        clock.advance(600.0)
        desk.settle()
        working = run < runs - 2
    pages = [int(item.request.query.get("page", "1")) for item in account.asked]
    return Listed(
        tickets=tickets,
        edits=made,
        missed=sum(number not in shown for number in numbers),
        stale=sum(shown.get(number) != ticket.stamp for number, ticket in desk.tickets.items()),
        first_lists=first_lists,
        first_s=first_s,
        lists=len(pages),
        highest_page=max(pages),
        refused=sum(item.status == 429 for item in account.asked),
    )


@dataclass(frozen=True)
class Credits:
    """What a run's requests cost, by our throttle's books and by the account's headers."""

    outcomes: Counter[str]
    requests: Counter[str]
    booked: int
    told: int
    unequal: tuple[str, ...]
    most_in_a_minute: int
    limit: int
    refused: int


def credits_of_a_run(folder: Path, tickets: int, *, plan: str = "growth", starts_at: float = 0.0) -> Credits:
    """A run over tickets on a plan, begun so many seconds after a full minute, and some of them triaged anew.

    Some tickets have fields, or more conversations than a view shows.
    """
    account = FreshAccount(plan=plan, latency=0.2)
    dice = random.Random(3)
    for number in range(tickets):
        fields = {"custom_fields": {"cf_order_number": f"A-{number}"}} if dice.random() < 0.2 else {}
        ticket = account.add(requester_email=f"c{number % (1 + tickets // 3)}@example.com", fields=fields)
        for _ in range(12 * (dice.random() < 0.1)):
            account.desk.customer_replies(ticket.id, "And another thing.")
    clock = account.clock
    clock.advance(60 - clock.now() % 60 + starts_at)
    first = account.run(folder, "first", since=clock.now() - 24 * HOURS)
    clock.advance(600)
    second = account.run(folder, "second", anew=tuple(account.desk.tickets)[: 1 + tickets // 10])
    limit = FRESHDESK_PLANS[plan]["account"]
    return Credits(
        outcomes=Counter(first.summary.outcomes) + Counter(second.summary.outcomes),
        requests=Counter(_template(item.what) for item in account.asked),
        booked=sum(item.booked for item in account.asked),
        told=sum(item.credits for item in account.asked),
        unequal=tuple(
            f"{item.what}: {item.booked}, and not {item.credits}"
            for item in account.asked
            if item.booked != item.credits
        ),
        most_in_a_minute=max(account.per_minute().values()),
        limit=limit,
        refused=sum(item.status == 429 for item in account.asked),
    )


def _template(what: str) -> str:
    return "/".join("{id}" if part.isdigit() else part for part in what.split("/"))

"""When replies and solutions are due, in one form for all helpdesks; pure. Times are ISO 8601.

Only the helpdesk's clock is compared with them: a wrong clock of this machine escalates no ticket.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from .clock import iso, moment_of, parse_iso

BY_CLOCK = "service_time"
"""The reason for escalating a ticket because a service time ends soon."""
LATELY_S = 86_400.0
"""For so long after its end a service time that was missed is still worth an alert."""
State = Literal["met", "breached", "at risk", "open"]


@dataclass(frozen=True)
class ServiceTime:
    """One promise about a ticket, such as its ``first reply``. ``due_at`` is empty while its clock stands still.

    ``ended`` is how it ended, empty before. Own targets depend on the priority: while a ticket has none,
    ``by_priority`` holds the times for each, and ``done_at`` when it was kept, if it was.
    """

    metric: str
    due_at: str = ""
    policy: str = ""
    ended: Literal["met", "breached", ""] = ""
    by_priority: tuple[tuple[str, str], ...] = ()
    done_at: str = ""

    def state(self, now: float, minutes: float) -> State:
        """How it stands at ``now`` (Unix seconds); it is at risk in its last ``minutes``."""
        if self.ended:
            return self.ended
        left = parse_iso(self.due_at) - now if self.due_at else float("inf")
        return "breached" if left < 0 else "at risk" if left <= minutes * 60 else "open"


def service_time(metric: str, due_at: str, done_at: str = "", policy: str = "") -> ServiceTime:
    """The promise that is due then, and was kept at ``done_at``, if that is not empty; dates that are none count as
    missing."""
    due, done = moment_of(due_at), moment_of(done_at)
    ended: Literal["met", "breached", ""] = "" if done <= 0 else "breached" if 0 < due < done else "met"
    return ServiceTime(metric, due_at if due > 0 else "", policy, ended)


def own_times(
    created_at: str, done: Mapping[str, str | None], targets: Mapping[str, Mapping[str, int]], priority: str | None
) -> tuple[ServiceTime, ...]:
    """The promises by own targets: minutes by metric and priority. ``done`` is when each was kept."""
    made, times = parse_iso(created_at), []
    for metric, minutes in targets.items():
        due = tuple((name, iso(made + 60 * each)) for name, each in minutes.items())
        if due:
            times.append(ServiceTime(metric, policy="own targets", by_priority=due, done_at=done[metric] or ""))
    return tuple(times) if priority is None else for_priority(times, priority)


def for_priority(times: Iterable[ServiceTime], priority: str) -> tuple[ServiceTime, ...]:
    """The promises; of own targets those for this priority."""
    found = []
    for time in times:
        due = dict(time.by_priority).get(priority, "")
        if time.by_priority and due:
            found.append(service_time(time.metric, due, time.done_at, time.policy))
        elif not time.by_priority:
            found.append(time)
    return tuple(found)


def soonest(times: Iterable[ServiceTime]) -> ServiceTime | None:
    """The open promise that is due first, or the longest overdue one."""
    waiting = (time for time in times if time.due_at and not time.ended)
    return min(waiting, key=lambda time: parse_iso(time.due_at), default=None)


def ends_soon(times: Iterable[ServiceTime], now: float | None, minutes: float) -> bool:
    """True if an open promise is due within ``minutes``, or overdue. ``now`` is the helpdesk's clock, if known."""
    first = soonest(times)
    return first is not None and now is not None and first.state(now, minutes) in ("at risk", "breached")


def in_words(times: Iterable[ServiceTime], now: float | None) -> str:
    """``First reply due in 40 min (from policy Gold).``; empty if nothing is due."""
    first = soonest(times)
    if first is None or now is None:
        return ""
    left = parse_iso(first.due_at) - now
    size = abs(left) / 60
    span = f"{size:.0f} min" if size < 100 else f"{size / 60:.0f} h" if size < 48 * 60 else f"{size / 1440:.0f} days"
    whose = f" (from {'' if first.policy == 'own targets' else 'policy '}{first.policy})" if first.policy else ""
    return f"{first.metric.capitalize()} {f'due in {span}' if left >= 0 else f'was due {span} ago'}{whose}."


def as_rows(times: Iterable[ServiceTime]) -> list[dict[str, str]]:
    """The promises as receipts hold them."""
    return [{"metric": one.metric, "due_at": one.due_at, "policy": one.policy, "ended": one.ended} for one in times]


@dataclass(frozen=True)
class KeptTimes:
    """A triaged ticket's promises as a run has last read them. ``at`` is when it was triaged (Unix seconds)."""

    category: str
    priority: str
    at: float
    times: tuple[ServiceTime, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> KeptTimes:
        """From what :meth:`row` has made."""
        return cls(**{**row, "times": tuple(ServiceTime(**each) for each in row["times"])})

    def row(self) -> dict[str, Any]:
        """As the state keeps it."""
        return {**vars(self), "times": as_rows(self.times)}

    def read_again(self, times: Iterable[ServiceTime], *, over: bool) -> KeptTimes:
        """With the promises of a later reading; those that are open when the ticket is ``over`` are let go."""
        now = for_priority(times, self.priority)
        return replace(self, times=tuple(time for time in now if time.ended or not over))


def alarming(kept: Iterable[KeptTimes], now: float, minutes: float) -> Iterator[tuple[str, State]]:
    """The category and state of each open promise that is at risk, or was missed within the last day."""
    for one in kept:
        for time in one.times:
            lately = time.due_at and not time.ended and now - parse_iso(time.due_at) <= LATELY_S
            if lately and (state := time.state(now, minutes)) != "open":
                yield one.category, state

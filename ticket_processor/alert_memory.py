"""Which alerts are open, and who has been told of what: so that a condition is told once, and once that it is over.

Pure; :mod:`ticket_processor.alert_store` keeps it on disk. A target is told by comparing what it should know with what
it does know, so that what could not be sent is sent by the next run, and to nobody twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field

from .alert_rules import RULES, Condition, Found, look
from .alert_view import MISSED_RUNS, Facts, Limits, Look, Severity
from .breaker import BreakerMemory
from .models import Frozen, RunRecord
from .slo import DAY

EVENTS_KEPT_S = 3 * DAY
"""Longer than two runs a day apart."""
ENDS_KEPT_S = 4 * DAY
"""Longer than any rule is hushed for."""
MOST_ESCALATED = 200
"""So many escalated tickets are kept for those who could not be told of them; the log has all."""
GIVE_UP_S = DAY
"""A target that cannot be told for so long that something is over will not be told any more."""


class Remembered(Frozen):
    """A condition that holds, or that is over (``over``) while somebody has still to be told so.

    ``told`` is what each target knows. Times are Unix seconds.
    """

    severity: Severity
    message: str
    since: float
    over: float | None = None
    told: dict[str, Severity] = Field(default_factory=dict)


class Ended(Frozen):
    """When a condition was last over; and when, of those that anybody was told of, with the worst of it."""

    at: float
    told: Severity | None = None
    told_at: float = 0.0

    def within(self, seconds: float, now: float) -> bool:
        """Whether that is no longer ago than so many seconds."""
        return 0 <= now - self.at <= seconds

    def heard_within(self, seconds: float, now: float) -> Severity | None:
        """What somebody was told of it, where that was no longer ago."""
        return self.told if 0 <= now - self.told_at < seconds else None


class Failure(Frozen):
    """The last alert that could not be sent: to which target, by kind and masked name, and why in a few words."""

    at: float
    target: str
    why: str


class Breakers(Frozen):
    """What a target's circuit breaker has to remember, and when and why it was not reached the last time."""

    failures: int = 0
    open_until: float = 0.0
    at: float = 0.0
    why: str = ""

    @property
    def memory(self) -> BreakerMemory:
        """The breaker's own part."""
        return BreakerMemory(self.failures, self.open_until)

    def rests(self, now: float) -> bool:
        """Whether the target is left alone."""
        return now < self.open_until


class EscalatedTicket(Frozen):
    """An escalated ticket, why in fixed words, and which targets know of it. ``at`` is Unix seconds."""

    ticket_id: int
    reasons: tuple[str, ...] = ()
    at: float = 0.0
    told: tuple[str, ...] = ()


class Memory(Frozen):
    """All that is kept between runs. ``seen`` is when a scheduled run was last here."""

    saved: float = 0.0
    seen: float | None = None
    conditions: dict[str, Remembered] = Field(default_factory=dict)
    ended: dict[str, Ended] = Field(default_factory=dict)
    events: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    breakers: dict[str, Breakers] = Field(default_factory=dict)
    summaries: dict[str, str] = Field(default_factory=dict, description="the day that each target has a summary of")
    escalated: tuple[EscalatedTicket, ...] = ()
    """Tickets that somebody has still to be told of."""
    last_failure: Failure | None = None

    @property
    def open(self) -> dict[str, Remembered]:
        """What holds, by rule."""
        return {rule: one for rule, one in self.conditions.items() if one.over is None}

    def happened(self, rule: str, now: float) -> Memory:
        """An event of this rule happened now; those of days ago are forgotten."""
        moments = (*self.events.get(rule, ()), now)
        kept = tuple(moment for moment in moments if now - EVENTS_KEPT_S <= moment <= now)
        return self.model_copy(update={"events": {**self.events, rule: kept}})


@dataclass(frozen=True)
class Target:
    """Somebody to tell: ``id`` names it in the memory; with ``critical_only`` it is not told of warnings."""

    id: str
    critical_only: bool = False

    def wants(self, severity: Severity) -> bool:
        """Whether it is told of this."""
        return severity is Severity.CRITICAL or not self.critical_only


@dataclass(frozen=True)
class Owed:
    """What a target is to be told of a rule's condition.

    What is ``over`` ended at ``until``; without that it goes on, but is nothing that this target is told of.
    """

    target: str
    rule: str
    what: Literal["begun", "worse", "over"]
    severity: Severity
    message: str
    since: float
    until: float | None = None


def judged(memory: Memory, records: Sequence[RunRecord], facts: Facts, limits: Limits) -> Memory:
    """The memory, now that all rules have looked at these runs; events are taken from it, and not from ``facts``."""
    known = replace(facts, events=memory.events)
    if known.started is not None and Look(records, known, limits).away:
        memory = memory.happened(MISSED_RUNS, known.started)
        known = replace(known, events=memory.events)
    return after(memory, look(records, known, limits), facts.now)


def after(memory: Memory, found: Found, now: float) -> Memory:
    """The memory, now that ``found`` holds. What is over stays while somebody is owed the news."""
    holding = {condition.rule: condition for condition in found.conditions}
    conditions, ended = dict(memory.conditions), dict(memory.ended)
    for rule, one in memory.conditions.items():
        if one.over is None and rule not in holding and rule not in found.unknown:
            conditions[rule] = one.model_copy(update={"over": now})
            ended[rule] = _ended(one, ended.get(rule), now)
    for rule, condition in holding.items():
        before = conditions.get(rule)
        if before is None or before.over is not None:
            if _hushed(rule, holding.keys(), ended, now):
                continue
            told = before.told if before else {}
            conditions[rule] = _remembered(condition, now, told)
        else:
            conditions[rule] = _remembered(condition, before.since, before.told)
    kept = {rule: end for rule, end in ended.items() if end.within(ENDS_KEPT_S, now)}
    return memory.model_copy(update={"conditions": _needed(conditions, now), "ended": kept})


def _remembered(condition: Condition, since: float, told: Mapping[str, Severity]) -> Remembered:
    return Remembered(severity=condition.severity, message=condition.message, since=since, told=dict(told))


def _ended(one: Remembered, earlier: Ended | None, now: float) -> Ended:
    if one.told:
        return Ended(at=now, told=max(one.told.values(), key=lambda told: told.rank), told_at=now)
    return Ended(at=now) if earlier is None else earlier.model_copy(update={"at": now})


def _hushed(rule: str, holding: Iterable[str], ended: Mapping[str, Ended], now: float) -> bool:
    """Whether another alert says, or has just said, the same and more."""
    known = RULES.get(rule)
    louder = known.hushed if known else {}
    return any(other in holding for other in louder) or any(
        other in ended and ended[other].within(seconds, now) for other, seconds in louder.items()
    )


def _needed(conditions: Mapping[str, Remembered], now: float) -> dict[str, Remembered]:
    return {
        rule: one for rule, one in conditions.items() if one.over is None or (one.told and now - one.over <= GIVE_UP_S)
    }


def owed(memory: Memory, targets: Sequence[Target], now: float, cool_down_s: float) -> list[Owed]:
    """What each target is to be told, the worst first.

    What comes back within ``cool_down_s`` of its end is told when that is over, if it still holds, or at once when it
    is worse than it was.
    """
    news = []
    for rule, one in memory.conditions.items():
        for target in targets:
            told = one.told.get(target.id)
            wanted = one.severity if one.over is None and target.wants(one.severity) else None
            if wanted is not None and told is None:
                quiet = _cools_down(memory.ended.get(rule), wanted, now, cool_down_s)
                what: Literal["begun", "worse", "over"] | None = None if quiet else "begun"
            elif wanted is not None and told is not None:
                what = "worse" if wanted.rank > told.rank else None
            else:
                what = "over" if told is not None else None
            if what is not None:
                severity = wanted or told or one.severity
                news.append(Owed(target.id, rule, what, severity, one.message, one.since, one.over))
    return sorted(news, key=lambda one: (-one.severity.rank, one.what == "over", one.since, one.rule))


def _cools_down(end: Ended | None, wanted: Severity, now: float, cool_down_s: float) -> bool:
    heard = end.heard_within(cool_down_s, now) if end else None
    return heard is not None and wanted.rank <= heard.rank


def told(memory: Memory, news: Owed) -> Memory:
    """The memory, now that the target has been told."""
    one = memory.conditions.get(news.rule)
    if one is None:
        return memory
    knows = {target: severity for target, severity in one.told.items() if target != news.target}
    if news.what != "over":
        knows[news.target] = news.severity
    conditions = {**memory.conditions, news.rule: one.model_copy(update={"told": knows})}
    if one.over is not None and not knows:
        del conditions[news.rule]
    return memory.model_copy(update={"conditions": conditions})


def escalated_for(memory: Memory, target: str) -> tuple[EscalatedTicket, ...]:
    """The tickets that this target has still to be told of."""
    return tuple(one for one in memory.escalated if target not in one.told)


def told_of_escalated(memory: Memory, target: str) -> Memory:
    """The memory, now that the target knows of all of them."""
    news = tuple(
        one if target in one.told else one.model_copy(update={"told": (*one.told, target)}) for one in memory.escalated
    )
    return memory.model_copy(update={"escalated": news})


def still_to_tell(memory: Memory, targets: Iterable[str], now: float) -> Memory:
    """The memory without tickets that all of ``targets`` know of, or that nobody could be told of for a day."""
    known = set(targets)
    kept = tuple(one for one in memory.escalated if known - set(one.told) and now - one.at <= GIVE_UP_S)
    return memory.model_copy(update={"escalated": kept[-MOST_ESCALATED:]})


def without_strangers(memory: Memory, targets: Iterable[Target]) -> Memory:
    """Without what is known of targets that are no longer in the settings."""
    known = {target.id for target in targets}
    conditions = {}
    for rule, one in memory.conditions.items():
        kept = {target: severity for target, severity in one.told.items() if target in known}
        if one.over is None or kept:
            conditions[rule] = one.model_copy(update={"told": kept})
    return memory.model_copy(
        update={
            "conditions": conditions,
            "breakers": {target: kept for target, kept in memory.breakers.items() if target in known},
            "summaries": {target: day for target, day in memory.summaries.items() if target in known},
        }
    )

"""Which alerts are open and who knows of them, so that each alert is sent once, and its end once. Pure.

``alert_file`` keeps it on disk. What a target should know is compared with what it knows, so what
could not be sent is sent by the next run, and nothing is sent twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field, model_validator

from ..core.models import Frozen
from ..core.run_summary import RunRecord
from .facts import AlertLimits, Facts, Look, Severity
from .rules import RULES, HoldingConditions, look, rule_id
from .slo import DAY

ENDS_KEPT_S = DAY
"""The longest ``alerts.cool_down_minutes``."""
MOST_ESCALATED = 200
"""The most escalated tickets kept while nobody can be reached; the log has all of them."""
GIVE_UP_S = DAY
"""After failing for so long to send an end or an escalation to a target, it is dropped."""


class OpenAlert(Frozen):
    """A condition that holds, or that is over (``over``) while a target does not know that yet.

    ``told`` is the severity that each target knows of. Times are Unix seconds.
    """

    severity: Severity
    message: str
    since: float
    over: float | None = None
    told: dict[str, Severity] = Field(default_factory=dict)


class Ended(Frozen):
    """When a condition that a target knew of was last over, and the worst severity that was sent."""

    told: Severity
    told_at: float

    def within(self, seconds: float, now: float) -> bool:
        """Whether it ended less than so many seconds ago."""
        return 0 <= now - self.told_at < seconds


class Failure(Frozen):
    """The last message that could not be sent: the target by kind and masked name, and why in a few words."""

    at: float
    target: str
    why: str


class EscalatedTicket(Frozen):
    """An escalated ticket, and the reasons in fixed words. ``at`` is Unix seconds."""

    ticket_id: int
    reasons: tuple[str, ...] = ()
    at: float = 0.0


class Memory(Frozen):
    """Everything that is kept between runs. ``seen`` is when the last scheduled run ended."""

    saved: float = 0.0
    seen: float | None = None
    resumed: float = Field(0.0, description="when runs last began again after a pause")
    conditions: dict[str, OpenAlert] = Field(default_factory=dict)
    ended: dict[str, Ended] = Field(default_factory=dict)
    summaries: dict[str, str] = Field(default_factory=dict, description="the day of the last summary of each target")
    escalated: tuple[EscalatedTicket, ...] = ()
    """Tickets of which nobody has been told yet."""
    last_failure: Failure | None = None

    @model_validator(mode="before")
    @classmethod
    def _only_what_is_known(cls, data: Any) -> Any:
        """Drop what an earlier version kept and this one has no use for, such as open alerts of removed rules."""
        if not isinstance(data, dict):
            return data
        kept = {name: value for name, value in data.items() if name not in ("events", "breakers")}
        for name in ("conditions", "ended"):
            if isinstance(table := kept.get(name), dict):
                kept[name] = {
                    rule: _without(one, "tickets")
                    for rule, one in table.items()
                    if rule_id(rule) in RULES and not (isinstance(one, dict) and "at" in one)
                }
        if isinstance(kept.get("escalated"), list):
            kept["escalated"] = [_without(one, "told") for one in kept["escalated"]]
        return kept

    @property
    def open(self) -> dict[str, OpenAlert]:
        """The conditions that hold, by rule."""
        return {rule: one for rule, one in self.conditions.items() if one.over is None}


def _without(one: Any, name: str) -> Any:
    return {key: value for key, value in one.items() if key != name} if isinstance(one, dict) else one


@dataclass(frozen=True)
class Target:
    """A recipient: ``id`` names it in the memory; with ``critical_only`` it gets no warnings."""

    id: str
    critical_only: bool = False

    def wants(self, severity: Severity) -> bool:
        """Whether it gets alerts of this severity."""
        return severity is Severity.CRITICAL or not self.critical_only


@dataclass(frozen=True)
class Owed:
    """A message about a rule's condition that a target has still to get.

    A condition that is ``over`` ended at ``until``; without that it goes on, at a severity that this target does not
    get.
    """

    target: str
    rule: str
    what: Literal["begun", "worse", "over"]
    severity: Severity
    message: str
    since: float
    until: float | None = None


def judged(memory: Memory, records: Sequence[RunRecord], facts: Facts, limits: AlertLimits) -> Memory:
    """The memory after all rules have judged these runs; ``resumed`` is taken from the memory, not from ``facts``."""
    known = replace(facts, resumed=memory.resumed)
    memory = memory.model_copy(update={"resumed": Look(records, known, limits).resumed})
    return after(memory, look(records, known, limits), facts.now)


def after(memory: Memory, found: HoldingConditions, now: float) -> Memory:
    """The memory with the conditions of ``found``. One that is over stays until every target knows."""
    holding = {condition.rule: condition for condition in found.conditions}
    conditions, ended = dict(memory.conditions), dict(memory.ended)
    for rule, one in memory.conditions.items():
        if one.over is None and rule not in holding and found.judged(rule):
            conditions[rule] = one.model_copy(update={"over": now})
            if one.told:
                ended[rule] = Ended(told=max(one.told.values(), key=lambda told: told.rank), told_at=now)
    for rule, condition in holding.items():
        before = conditions.get(rule)
        goes_on = before is not None and before.over is None
        conditions[rule] = OpenAlert(
            severity=condition.severity,
            message=condition.message,
            since=before.since if before and goes_on else now,
            told=before.told if before else {},
        )
    kept = {rule: end for rule, end in ended.items() if end.within(ENDS_KEPT_S, now)}
    return memory.model_copy(update={"conditions": _needed(conditions, now), "ended": kept})


def _needed(conditions: Mapping[str, OpenAlert], now: float) -> dict[str, OpenAlert]:
    return {
        rule: one for rule, one in conditions.items() if one.over is None or (one.told and now - one.over <= GIVE_UP_S)
    }


def owed(memory: Memory, targets: Sequence[Target], now: float, cool_down_s: float) -> list[Owed]:
    """The messages that each target has still to get, the worst first.

    A condition that comes back within ``cool_down_s`` of its end is sent after that time if it still holds, or at once
    if it is worse than before.
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
    return end is not None and end.within(cool_down_s, now) and wanted.rank <= end.told.rank


def told(memory: Memory, news: Owed) -> Memory:
    """The memory after this message has been sent."""
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


def still_to_tell(memory: Memory, now: float) -> Memory:
    """The memory without escalated tickets that could not be sent for a day."""
    kept = tuple(one for one in memory.escalated if now - one.at <= GIVE_UP_S)
    return memory.model_copy(update={"escalated": kept[-MOST_ESCALATED:]})


def without_strangers(memory: Memory, targets: Iterable[Target]) -> Memory:
    """The memory without targets that are no longer in the settings."""
    known = {target.id for target in targets}
    conditions = {}
    for rule, one in memory.conditions.items():
        kept = {target: severity for target, severity in one.told.items() if target in known}
        if one.over is None or kept:
            conditions[rule] = one.model_copy(update={"told": kept})
    return memory.model_copy(
        update={
            "conditions": conditions,
            "summaries": {target: day for target, day in memory.summaries.items() if target in known},
        }
    )

"""What each rule looks at, and when it speaks: over the runs of the last weeks and a few facts. Pure.

Each check gives a severity and one sentence, without a word of any ticket, or ``None`` while all is well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .analysis import NOTHING_TO_READ, PERMANENT
from .budget import DAY_SPENT, RUN_SPENT
from .clock import parse_iso
from .label_drift import drift, most_changed
from .models import RunRecord, Statement
from .slo import DAY, FAST, HOUR, MINUTE, SLOW, STEADY, Counted, Span, counted, latencies

UNEXPECTED = "unexpected"
"""What ended a run (``stopped_by``) that nobody had thought of."""
HISTORY_S = 35 * DAY
"""How far back the rules look."""
CUT_OFF, LOG_CHANGED, LOG_REPAIRED = "cut_off", "log_changed", "log_repaired"
"""What happens at a moment, and is held up for a while: rules that live on ``Facts.events``."""
TOKENS_END = parse_iso("2027-04-30")
_COUNTDOWN = re.compile(r" for another \d+ s\b")
"""Long over when somebody reads the alert."""
_EXCUSED = (NOTHING_TO_READ, "no_model_configured", RUN_SPENT, DAY_SPENT)
_KNOWN_STOPS = (
    "HelpdeskDown",
    "NotAuthorised",
    "RateLimited",
    "Halted",
    "NotePublished",
    "AuditUnwritable",
    "StateUnusable",
    "DeadlineReached",
)
"""Runs that these ended have an alert of their own, or are none."""


class Severity(StrEnum):
    """How soon somebody should look."""

    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Higher is worse."""
        return 1 if self is Severity.CRITICAL else 0


@dataclass(frozen=True)
class Limits:
    """What the rules compare with; the defaults are those of the settings. Seconds, shares, US dollars."""

    success: float = 0.995
    alert_below: float = 0.99
    latency_s: float = 15.0
    latency_share: float = 0.95
    fallback_share: float = 0.1
    gap_s: float = 25 * MINUTE
    stale_s: float = 40 * MINUTE
    day_usd: float | None = None


@dataclass(frozen=True)
class Facts:
    """What the runs themselves do not say. Times are Unix seconds.

    ``started`` is when the scheduled run that has just ended began, ``seen`` when the one before it was here; either is
    ``None`` where it is not known. ``events`` are moments of the last day, by rule.
    """

    now: float
    history_known: bool = True
    models: bool = False
    api_token: bool = False
    halted: bool = False
    started: float | None = None
    seen: float | None = None
    events: Mapping[str, Sequence[float]] = field(default_factory=dict)


class Look:
    """Everything that a rule may look at. ``records`` are all runs, oldest first; ``runs`` the scheduled ones."""

    def __init__(self, records: Sequence[RunRecord], facts: Facts, limits: Limits) -> None:
        self.records = records
        self.facts = facts
        self.limits = limits
        self.now = facts.now
        self.runs = [record for record in records if record.kind == "run"]
        self.counted: Sequence[Counted] = counted(self.runs)

    def since(self, seconds: float, *, all_kinds: bool = False) -> list[RunRecord]:
        """The runs that ended in the last ``seconds``."""
        records = self.records if all_kinds else self.runs
        return [record for record in records if record.finished >= self.now - seconds]

    def stopped_by(self, name: str) -> int:
        """How many runs in a row, up to the last one, were ended by this."""
        count = 0
        for record in reversed(self.runs):
            if record.summary.stopped_by != name:
                break
            count += 1
        return count

    @property
    def last_stop(self) -> str | None:
        """What ended the very last run, of whatever kind, before its time."""
        return self.records[-1].summary.stopped_by if self.records else None

    @property
    def why(self) -> str:
        """The sentence that goes with it, to be put behind another one."""
        said = self.records[-1].summary.stopped if self.records else None
        return f": {_COUNTDOWN.sub('', said)}" if said else ""

    def events(self, rule: str, seconds: float) -> int:
        """How often it has happened in the last ``seconds``."""
        return sum(self.now - seconds <= moment <= self.now for moment in self.facts.events.get(rule, ()))


Said = tuple[Severity, str] | None
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def errors_fast(look: Look) -> Said:
    """Failures eat the month's budget within two days."""
    tally = FAST.over(look.counted, look.limits.success, look.now)
    if tally is None:
        return None
    return CRITICAL, f"{tally.failed} of {tally.handled} tickets failed in the last {FAST.long.runs} runs"


def errors_slow(look: Look) -> Said:
    """Failures eat it within five."""
    tally = SLOW.over(look.counted, look.limits.success, look.now)
    if tally is None:
        return None
    return CRITICAL, f"{tally.failed} of {tally.handled} tickets failed in the last {SLOW.long.runs} runs"


def errors_steady(look: Look) -> Said:
    """Failures eat it before the month is over."""
    tally = STEADY.over(look.counted, look.limits.success, look.now)
    if tally is None:
        return None
    return WARNING, f"{tally.failed} of {tally.handled} tickets failed in three days, more than allowed"


def success_low(look: Look) -> Said:
    """A day was worse than it may be."""
    tally = Span(DAY).tally(look.counted, look.now)
    if tally.failed < STEADY.least or 1 - tally.share >= look.limits.alert_below:
        return None
    return WARNING, f"only {1 - tally.share:.1%} of {tally.handled} tickets of the last 24 hours did not fail"


def slow(look: Look) -> Said:
    """Too few tickets were done in time."""
    took, limit = latencies(look.since(DAY)), look.limits.latency_s
    if took.count < 20 or took.within(limit * 1000) >= look.limits.latency_share * took.count:
        return None
    slow = took.count - took.within(limit * 1000)
    return WARNING, f"{slow} of {took.count} tickets of the last 24 hours took longer than {limit:g} s"


def unreachable(look: Look) -> Said:
    """Two runs in a row: one may have met a restart."""
    count = look.stopped_by("HelpdeskDown")
    return (CRITICAL, f"the helpdesk could not be reached in {count} runs in a row{look.why}") if count >= 2 else None


def not_authorised(look: Look) -> Said:
    """At once: it does not pass by itself."""
    refused = look.last_stop == "NotAuthorised"
    return (CRITICAL, f"the helpdesk refuses our credentials{look.why}") if refused else None


def rate_limited(look: Look) -> Said:
    """Three runs in a row."""
    count = look.stopped_by("RateLimited")
    return (WARNING, f"the helpdesk's rate limit ended {count} runs in a row") if count >= 3 else None


def _with_tickets(look: Look, count: int) -> list[tuple[int, Counter[str]]]:
    """The last runs of six hours that understood tickets: how many, and why models did not."""
    runs = [record.summary for record in look.since(6 * HOUR) if record.summary.sources]
    rows = []
    for summary in runs[-count:]:
        why = Counter({name: n for name, n in summary.fallbacks.items() if name not in _EXCUSED})
        rows.append((sum(summary.sources.values()), why))
    return rows if look.facts.models else []


def model_refused(look: Look) -> Said:
    """At once: it concerns every ticket, and does not pass by itself."""
    for _, why in _with_tickets(look, 1):
        if reasons := sorted(set(PERMANENT) & why.keys()):
            count = sum(why[name] for name in reasons)
            return (
                WARNING,
                f"a model server turns us away ({', '.join(reasons)}), so rules answered {_many(count, 'ticket')}",
            )
    return None


def models_silent(look: Look) -> Said:
    """Three runs with tickets, none of which a model answered."""
    rows = _with_tickets(look, 3)
    count = sum(why.total() for _, why in rows)
    if len(rows) < 3 or count < 5 or any(why.total() < understood for understood, why in rows):
        return None
    return WARNING, f"no model answered for any of {count} tickets, so rules did ({_reasons(rows)})"


def model_fallback(look: Look) -> Said:
    """More than now and then."""
    rows = _with_tickets(look, 6)
    whole, count = sum(understood for understood, _ in rows), sum(why.total() for _, why in rows)
    if whole < 20 or count < 5 or count <= look.limits.fallback_share * whole:
        return None
    return WARNING, f"no model answered for {count} of the last {whole} tickets, so rules did ({_reasons(rows)})"


def _reasons(rows: Sequence[tuple[int, Counter[str]]]) -> str:
    whole = sum((why for _, why in rows), Counter[str]())
    return ", ".join(f"{name}: {count}" for name, count in whole.most_common(3))


def not_caught_up(look: Look) -> Said:
    """Whatever the reason is, as long as no other rule tells of it."""
    if not look.runs or look.runs[-1].summary.stopped_by in _KNOWN_STOPS or look.facts.halted:
        return None
    caught_up = [run.finished for run in look.runs if run.summary.caught_up]
    since = max(caught_up, default=look.runs[0].started)
    if look.now - since < look.limits.stale_s:
        return None
    return CRITICAL, f"for {_minutes(look.now - since)} no run has looked at all new tickets{look.why}"


def missed_runs(look: Look) -> Said:
    """The scheduler or the machine was away."""
    started, seen = look.facts.started, look.facts.seen
    if started is None or seen is None or started - seen <= look.limits.gap_s:
        return None
    return WARNING, f"for {_minutes(started - seen)} there was no run, until the one that says this"


def cut_off(look: Look) -> Said:
    """Once is a warning, twice within the hour a habit."""
    count = look.events(CUT_OFF, HOUR)
    if not count:
        return None
    severity = CRITICAL if count > 1 else WARNING
    return severity, f"{_many(count, 'run')} of the last hour hung past the deadline, and had to be cut off"


def run_crashed(look: Look) -> Said:
    """At once."""
    if look.last_stop != UNEXPECTED:
        return None
    return CRITICAL, f"a run was ended by an error that nobody expected{look.why}"


def log_unwritable(look: Look) -> Said:
    """At once."""
    if look.last_stop != "AuditUnwritable":
        return None
    return CRITICAL, f"no receipts can be written, so nothing is{look.why}"


def state_unusable(look: Look) -> Said:
    """At once."""
    if look.last_stop != "StateUnusable":
        return None
    return CRITICAL, f"what has to be kept between runs cannot be, so nothing is done{look.why}"


def log_changed(look: Look) -> Said:
    """At once, and for a day."""
    if not look.events(LOG_CHANGED, DAY):
        return None
    return CRITICAL, "the log no longer holds the line that a run had ended with: it was changed, cut or removed"


def log_repaired(look: Look) -> Said:
    """A crash, or a full disk, was here."""
    return (WARNING, "the log ended in half a line, which was put aside") if look.events(LOG_REPAIRED, HOUR) else None


def note_published(look: Look) -> Said:
    """At once, until a run has gone on."""
    if not look.facts.halted and look.last_stop != "NotePublished":
        return None
    return CRITICAL, "a customer may have seen an internal note, and nothing more is written until somebody has looked"


def _statements(look: Look) -> list[Statement]:
    records = look.since(6 * HOUR, all_kinds=True)
    return [record.summary.statement for record in records if record.summary.statement is not None]


def overwrote(look: Look) -> Said:
    """At once: it is what must never happen."""
    values = sum(statement.human_values_changed for statement in _statements(look))
    tags = sum(statement.foreign_tags_removed for statement in _statements(look))
    if not values + tags:
        return None
    what = f"{_many(values, 'value')} changed and {_many(tags, 'tag')} removed"
    return CRITICAL, f"runs of the last 6 hours touched what was not theirs: {what}"


def write_not_found(look: Look) -> Said:
    """Receipts and record differ."""
    count = sum(statement.not_found for statement in _statements(look))
    if not count:
        return None
    return WARNING, f"the helpdesk does not have what {_many(count, 'receipt')} of the last 6 hours says was written"


def dead_letters(look: Look) -> Said:
    """New ones, as long as there are any."""
    new = sum(record.summary.new_dead_letters for record in look.since(DAY, all_kinds=True))
    counting = [run.summary for run in look.records if run.run_id and run.summary.stopped_by != "StateUnusable"]
    if not new or not counting or not counting[-1].dead_letters:
        return None
    return WARNING, f"{_many(new, 'ticket')} failed too often in the last 24 hours, and no run tries them any more"


def stopped(look: Look) -> Said:
    """An hour is long enough to have forgotten it."""
    count = look.stopped_by("Halted")
    if not count or look.now - look.runs[-count].started < HOUR:
        return None
    return WARNING, f"the kill switch has been set for {_minutes(look.now - look.runs[-count].started)}"


def backlog(look: Look) -> Said:
    """More comes in than runs get through."""
    count = look.stopped_by("DeadlineReached")
    return (WARNING, f"{count} runs in a row did not get through all tickets in their time") if count >= 6 else None


def spend(look: Look) -> Said:
    """By the budget's own word, or by the setting."""
    midnight = look.now // DAY * DAY
    today = [record.summary for record in look.records if record.started >= midnight]
    spent, limit = sum(summary.cost_usd for summary in today), look.limits.day_usd
    if any(DAY_SPENT in summary.fallbacks for summary in today):
        return WARNING, f"the models' budget of the day is used up (${spent:.2f}), and rules answer until midnight UTC"
    if limit is not None and spent >= limit:
        return WARNING, f"models have cost ${spent:.2f} since midnight UTC, and alerts.day_usd is {limit:g}"
    return None


def label_drift(look: Look) -> Said:
    """A week against the four before it."""
    week_ago = look.now - 7 * DAY
    before, recent = Counter[str](), Counter[str]()
    for record in look.runs:
        (recent if record.finished >= week_ago else before).update(record.summary.categories)
    index = drift(before, recent)
    if index is None:
        return None
    name, was, now = most_changed(before, recent)
    return WARNING, f"the mix of categories has changed (index {index:.2f}): {name} went from {was:.0%} to {now:.0%}"


def token_ends(look: Look) -> Said:
    """Two months ahead, and louder in the last week."""
    days = int((TOKENS_END - look.now) // DAY)
    if not look.facts.api_token or days > 60:
        return None
    when = f"in {days} days" if days > 0 else "now"
    return (CRITICAL if days <= 7 else WARNING), f"the helpdesk stops taking API tokens {when}, on 2027-04-30"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _minutes(seconds: float) -> str:
    minutes = int(seconds // MINUTE)
    return f"{minutes} minutes" if minutes < 180 else f"{minutes // 60} hours"

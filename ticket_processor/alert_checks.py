"""What each rule looks at, and when it speaks: over the runs of the last weeks and a few facts. Pure.

Each check gives a severity and one sentence, without a word of any ticket, or ``None`` while all is well. Numbers in a
sentence are those of the very runs that were looked at.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from .alert_view import CUT_OFF, LOG_CHANGED, LOG_REPAIRED, UNEXPECTED, Look, Severity, Unclear, many, span
from .analysis import PERMANENT
from .budget import DAY_SPENT
from .clock import parse_iso
from .label_drift import drift, most_changed
from .latency import BAND
from .metric_types import PLANNED
from .metric_words import percent, why_no_model
from .models import Statement
from .rhythm import GAP, LEAST_STALE_S, is_habit
from .slo import DAY, FAST, HOUR, SLOW, STEADY, Span, Tally, latencies

TOKENS_END = parse_iso("2027-04-30")
TOKENS_WARN_S = 60 * DAY
"""Signing in by another way has to be planned."""
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
Said = tuple[Severity, str] | Unclear | None
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def errors_fast(look: Look) -> Said:
    """Failures eat the month's budget within two days."""
    tally = FAST.over(look.counted, look.limits.success, look.now)
    if tally is None:
        return None
    return CRITICAL, f"{_failed(tally)} in {_last(tally.runs)} with tickets"


def errors_slow(look: Look) -> Said:
    """Failures eat it within five."""
    tally = SLOW.over(look.counted, look.limits.success, look.now)
    if tally is None:
        return None
    return CRITICAL, f"{_failed(tally)} in {_last(tally.runs)} with tickets"


def errors_steady(look: Look) -> Said:
    """Failures eat it before the month is over."""
    tally = STEADY.over(look.counted, look.limits.success, look.now)
    if tally is None:
        return None
    return WARNING, f"{_failed(tally)} in {look.lately(STEADY.long.seconds)}, more than the objective allows"


def success_low(look: Look) -> Said:
    """A day was worse than it may be."""
    tally = Span(DAY).tally(look.counted, look.now)
    rate = tally.success_rate
    if rate is None or tally.failed < STEADY.least or rate >= look.limits.alert_below:
        return None
    return WARNING, f"success rate {percent(rate)} in {look.lately(DAY)}: {_failed(tally)}"


def slow(look: Look) -> Said:
    """Too few answers were there in time."""
    took, limit = latencies(look.since(DAY)), look.limits.latency_s
    # A band is a tenth wide: what may have kept the time has kept it, so that the number told is true.
    late = took.count - took.within(limit * 1000 * BAND)
    if took.count < 20 or late < 3 or took.count - late >= look.limits.latency_share * took.count:
        return None
    return WARNING, f"{late} of {many(took.count, 'answer')} in {look.lately(DAY)} took longer than {limit:g} s"


def unreachable(look: Look) -> Said:
    """Two runs in a row: one may have met a restart."""
    count = look.stopped_by("HelpdeskDown", 2)
    return (CRITICAL, f"the helpdesk could not be reached in {count} runs in a row{look.why_run}") if count else None


def not_authorised(look: Look) -> Said:
    """At once: it does not pass by itself."""
    refused = look.last_stop == "NotAuthorised"
    return (CRITICAL, f"the helpdesk refuses our credentials{look.why}") if refused else None


def rate_limited(look: Look) -> Said:
    """Three runs in a row."""
    count = look.stopped_by("RateLimited", 3)
    return (WARNING, f"the helpdesk's rate limit ended {count} runs in a row") if count else None


def _with_answers(look: Look, count: int) -> list[tuple[int, Counter[str]]]:
    """The last runs with answers: how many, and why no model gave them, as far as one was to.

    Of six hours, or of as many runs where these are further apart.
    """
    if not look.facts.models:
        return []
    lately = look.since(max(6 * HOUR, (count + 0.5) * (look.period or 0.0)))
    runs = [record.summary for record in lately if record.summary.sources]
    rows = []
    for summary in runs[-count:]:
        why = Counter({name: n for name, n in summary.fallbacks.items() if name not in PLANNED})
        rows.append((sum(summary.sources.values()), why))
    return rows


def model_refused(look: Look) -> Said:
    """At once: it concerns every ticket, and does not pass by itself."""
    for answers, why in _with_answers(look, 1):
        if reasons := sorted(set(PERMANENT) & why.keys()):
            without = f"no model gave {sum(why[name] for name in reasons)} of {many(answers, 'answer')}"
            told = "; ".join(_cause(look, name) for name in reasons)
            return WARNING, f"a model server turns us away ({told}): {without} in {_last(1)} with any"
    return None


def models_silent(look: Look) -> Said:
    """Three runs with answers, none of which a model gave."""
    rows = _with_answers(look, 3)
    count = sum(why.total() for _, why in rows)
    if len(rows) < 3 or count < 5 or any(why.total() < answers for answers, why in rows):
        return None
    return (
        WARNING,
        f"no model gave any of {many(count, 'answer')} in {_last(len(rows))} with any ({_reasons(look, rows)})",
    )


def model_fallback(look: Look) -> Said:
    """More than now and then."""
    rows = _with_answers(look, 6)
    whole, count = sum(answers for answers, _ in rows), sum(why.total() for _, why in rows)
    if whole < 20 or count < 5 or count <= look.limits.fallback_share * whole:
        return None
    return WARNING, (
        f"unplanned fallback rate {percent(count / whole)}: no model gave {count} of {many(whole, 'answer')} "
        f"in {_last(len(rows))} with any ({_reasons(look, rows)})"
    )


def _reasons(look: Look, rows: Sequence[tuple[int, Counter[str]]]) -> str:
    whole = sum((why for _, why in rows), Counter[str]())
    named = [(_cause(look, name), count) for name, count in whole.most_common(3)]
    rest = whole.total() - sum(count for _, count in named)
    return "; ".join(f"{name}: {count}" for name, count in [*named, *([("others", rest)] if rest else [])])


def _cause(look: Look, reason: str) -> str:
    """Why no model answered, with what the last run that says so knows beyond the word."""
    details = (record.summary.causes.get(reason) for record in reversed(look.records))
    return why_no_model(reason, next(filter(None, details), ""))


def not_caught_up(look: Look) -> Said:
    """Whatever the reason is, as long as no other rule tells of it."""
    if not look.runs:
        return None
    caught_up = next((run.finished for run in reversed(look.runs) if run.summary.caught_up), look.runs[0].started)
    late = look.now - caught_up
    limit = look.stale_s
    if late < (LEAST_STALE_S if limit is None else limit):
        return None
    named = look.runs[-1].summary.stopped_by in _KNOWN_STOPS or look.facts.halted
    # While no run was there none could look; and of runs that a person starts nobody can say when they are late.
    if named or limit is None or look.now - look.resumed < limit:
        return Unclear.HERE
    return CRITICAL, f"for {span(late)} no run has looked at all new tickets{look.why_run}"


def missed_runs(look: Look) -> Said:
    """The scheduler or the machine was away, and mostly is not at this hour."""
    started, away, gap_s = look.facts.started, look.away, look.gap_s
    if away is None or started is None or gap_s is None:
        return None
    pauses = [(before.finished, after.started) for before, after in pairwise(look.runs)]
    earlier = [(began, ended) for began, ended in pauses if ended - began > gap_s and ended < started]
    if look.limits.gap_s is None and is_habit((started - away, started), earlier):
        return None
    due = f"; they come every {span(look.period, whole=round)}" if look.period else ""
    return WARNING, f"for {span(away)} there was no run, until the one that says this{due}"


def cut_off(look: Look) -> Said:
    """Once is a warning, twice within the hour, or in two runs that are further apart, a habit."""
    within = max(HOUR, GAP * (look.period or 0.0))
    count = look.events(CUT_OFF, within)
    if not count:
        return None
    severity = CRITICAL if count > 1 else WARNING
    lately = span(within, whole=math.ceil)
    return severity, f"{many(count, 'run')} hung past the deadline in the last {lately}, and had to be cut off"


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
    what = [f"{many(values, 'value')} changed"] if values else []
    what += [f"{many(tags, 'tag')} removed"] if tags else []
    if not what:
        return None
    return CRITICAL, f"runs in {look.lately(6 * HOUR)} touched what was not theirs: {' and '.join(what)}"


def write_not_found(look: Look) -> Said:
    """Receipts and record differ."""
    count = sum(statement.not_found for statement in _statements(look))
    if not count:
        return None
    checked = sum(statement.checked for statement in _statements(look))
    return WARNING, (
        f"the helpdesk's record lacks {count} of {many(checked, 'write')} that runs in {look.lately(6 * HOUR)} made "
        "and read back"
    )


def dead_letters(look: Look) -> Said:
    """New ones, as long as there are any."""
    new = sum(record.summary.new_dead_letters for record in look.since(DAY, all_kinds=True))
    counting = (run.summary for run in reversed(look.records) if run.run_id)
    left = next((summary.dead_letters for summary in counting if summary.stopped_by != "StateUnusable"), 0)
    if not new or not left:
        return None
    in_all = f"{left} in all {'is' if left == 1 else 'are'} not tried any more"
    return WARNING, f"{many(new, 'ticket')} failed too often in {look.lately(DAY)}; {in_all}"


def stopped(look: Look) -> Said:
    """An hour is long enough to have forgotten it."""
    count = look.stopped_by("Halted", 1)
    if not count or look.now - look.runs[-count].started < HOUR:
        return None
    return WARNING, f"the kill switch has been set for {span(look.now - look.runs[-count].started)}"


def backlog(look: Look) -> Said:
    """More comes in than runs get through."""
    count = look.stopped_by("DeadlineReached", 6)
    return (WARNING, f"{count} runs in a row did not get through all tickets in their time") if count else None


def spend(look: Look) -> Said:
    """By the budget's own word, or by the setting."""
    midnight = look.now // DAY * DAY
    today = [record.summary for record in look.since(DAY, all_kinds=True) if record.started >= midnight]
    spent, limit = sum(summary.cost_usd for summary in today), look.limits.day_usd
    if any(DAY_SPENT in summary.fallbacks for summary in today):
        return WARNING, f"the models' budget of the day is used up (${spent:.2f}): none is asked until midnight UTC"
    if limit is not None and spent >= limit:
        return WARNING, f"models have cost ${spent:.2f} since midnight UTC, and alerts.day_usd is {limit:g}"
    return None


def label_drift(look: Look) -> Said:
    """A week against the four before it."""
    week_ago = look.now - 7 * DAY
    before, recent = Counter[str](), Counter[str]()
    for record in look.runs:
        if categories := record.summary.categories:
            (recent if record.finished >= week_ago else before).update(categories)
    index = drift(before, recent)
    if index is None:
        return None
    name, was, now = most_changed(before, recent)
    went = f"{name} went from {was:.0%} to {now:.0%}"
    return WARNING, f"the mix of categories has changed in the last 7 days (index {index:.2f}): {went}"


def token_ends(look: Look) -> Said:
    """Two months ahead, and louder in the last week."""
    days = int((TOKENS_END - look.now) // DAY)
    if not look.facts.api_token or TOKENS_END - look.now > TOKENS_WARN_S:
        return None
    if days < 0:
        return CRITICAL, "the helpdesk no longer takes API tokens, since 2027-04-30"
    left = f"in {many(days, 'day')}" if days else "in less than a day"
    return (CRITICAL if days <= 7 else WARNING), f"the helpdesk stops taking API tokens {left}, on 2027-04-30"


def _failed(tally: Tally) -> str:
    return f"{tally.failed} of {many(tally.handled, 'ticket')} failed"


def _last(runs: int) -> str:
    return "the last run" if runs == 1 else f"the last {runs} runs"

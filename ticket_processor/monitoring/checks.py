"""The check of each alert rule, over the runs of the last weeks and a few facts. Pure.

A check returns a severity and one sentence without any word of a ticket, or ``None`` while all is well; one that can
find several things, a sentence for each. The numbers are those of the runs that were looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..analysis.budget import DAY_SPENT
from ..core.clock import parse_iso
from ..core.wording import many
from ..reporting.figures import PLANNED
from ..reporting.glossary import percent, why_no_model
from .facts import AlertFinding, Look, Severity, Unclear, span
from .slo import DAY, FAST, HOUR, LEAST_STALE_S

TOKENS_END = parse_iso("2027-04-30")
TOKENS_WARN_S = 60 * DAY
"""Time to plan another way of signing in."""
_OTHER_ALERTS = (
    "HelpdeskDown",
    "NotAuthorised",
    "Halted",
    "NotePublished",
    "AuditUnwritable",
    "StateUnusable",
)
"""Stops that have an alert of their own."""
Said = tuple[Severity, str | Sequence[AlertFinding]] | Unclear | None
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def errors_fast(look: Look) -> Said:
    """Failures use up the month's error budget within two days."""
    tally = FAST.over(look.counted, look.limits.success, look.now)
    if tally is None:
        return None
    return CRITICAL, f"{tally.failed} of {many(tally.handled, 'ticket')} failed in {_last(tally.runs)} with tickets"


def unreachable(look: Look) -> Said:
    """Two runs in a row could not reach the helpdesk; a single one may have met a restart."""
    count = look.stopped_by("HelpdeskDown", 2)
    return (CRITICAL, f"the helpdesk could not be reached in {count} runs in a row{look.why_run}") if count else None


def not_authorised(look: Look) -> Said:
    """The helpdesk refused the credentials; that does not pass by itself."""
    refused = look.last_stop == "NotAuthorised"
    return (CRITICAL, f"the helpdesk refuses our credentials{look.why}") if refused else None


def model_fallback(look: Look) -> Said:
    """Models gave too few of the answers in the last six runs with answers.

    The runs are those of six hours or, where runs are further apart, of six and a half intervals.
    """
    if not look.facts.models:
        return None
    lately = look.since(max(6 * HOUR, 6.5 * (look.period or 0.0)))
    runs = [record.summary for record in lately if record.summary.sources][-6:]
    answers = sum(sum(summary.sources.values()) for summary in runs)
    why = Counter[str]()
    for summary in runs:
        why.update({name: count for name, count in summary.fallbacks.items() if name not in PLANNED})
    count = why.total()
    if answers < 20 or count < 5 or count <= look.limits.fallback_share * answers:
        return None
    return WARNING, (
        f"unplanned fallback rate {percent(count / answers)}: no model gave {count} of {many(answers, 'answer')} "
        f"in {_last(len(runs))} with any ({_reasons(look, why)})"
    )


def _reasons(look: Look, why: Counter[str]) -> str:
    named = [(_cause(look, name), count) for name, count in why.most_common(3)]
    rest = why.total() - sum(count for _, count in named)
    return "; ".join(f"{name}: {count}" for name, count in [*named, *([("others", rest)] if rest else [])])


def _cause(look: Look, reason: str) -> str:
    """Why no model answered, with the detail that the last run with this reason recorded."""
    details = (record.summary.causes.get(reason) for record in reversed(look.records))
    return why_no_model(reason, next(filter(None, details), ""))


def not_caught_up(look: Look) -> Said:
    """No run has looked at all new tickets for too long, and no other alert says why.

    A run that used up its time is working through a backlog, which is no fault.
    """
    if not look.runs:
        return None
    caught_up = next((run.finished for run in reversed(look.runs) if run.summary.caught_up), look.runs[0].started)
    late = look.now - caught_up
    limit = look.stale_s
    if late < (LEAST_STALE_S if limit is None else limit):
        return None
    explained = look.runs[-1].summary.stopped_by in (*_OTHER_ALERTS, "DeadlineReached") or look.facts.halted
    # During a pause no run could look; and runs that a person starts are never late.
    if explained or limit is None or look.now - look.resumed < limit:
        return Unclear.HERE
    return CRITICAL, f"for {span(late)} no run has looked at all new tickets{look.why_run}"


def cluster_lost(look: Look) -> Said:
    """The last scheduled run had to do without its cluster."""
    used = look.runs[-1].summary.cluster if look.runs else None
    return (WARNING, f"the last run had to ask models itself: {used.lost}") if used and used.lost else None


def log_unwritable(look: Look) -> Said:
    """The last run could not write the log."""
    if look.last_stop != "AuditUnwritable":
        return None
    return CRITICAL, f"the log cannot be written, so no ticket is triaged{look.why}"


def state_unusable(look: Look) -> Said:
    """The last run could not use the state folder."""
    if look.last_stop != "StateUnusable":
        return None
    return CRITICAL, f"the state folder cannot be used, so no ticket is triaged{look.why}"


def note_published(look: Look) -> Said:
    """A note became public, and no run has gone on since."""
    if not look.facts.halted and look.last_stop != "NotePublished":
        return None
    return CRITICAL, "a customer may have seen an internal note; no run writes anything until a person has looked"


def overwrote(look: Look) -> Said:
    """A run of the last six hours overwrote a person's value or tag."""
    lately = look.since(6 * HOUR, all_kinds=True)
    statements = [run.summary.statement for run in lately if run.summary.statement is not None]
    values = sum(statement.human_values_changed for statement in statements)
    tags = sum(statement.foreign_tags_removed for statement in statements)
    what = [f"{many(values, 'value')} changed"] if values else []
    what += [f"{many(tags, 'tag')} removed"] if tags else []
    if not what:
        return None
    return CRITICAL, f"runs in {look.lately(6 * HOUR)} overwrote a person's work: {' and '.join(what)}"


def dead_letters(look: Look) -> Said:
    """Tickets were given up in the last 24 hours, and some are still on the dead-letter list."""
    new = sum(record.summary.new_dead_letters for record in look.since(DAY, all_kinds=True))
    counting = (run.summary for run in reversed(look.records) if run.run_id)
    left = next((summary.dead_letters for summary in counting if summary.stopped_by != "StateUnusable"), 0)
    if not new or not left:
        return None
    return WARNING, f"{many(new, 'ticket')} failed too often in {look.lately(DAY)}; the dead-letter list has {left}"


def stopped(look: Look) -> Said:
    """The kill switch has been set for an hour, long enough to be forgotten."""
    count = look.stopped_by("Halted", 1)
    if not count or look.now - look.runs[-count].started < HOUR:
        return None
    return WARNING, f"the kill switch has been set for {span(look.now - look.runs[-count].started)}"


def spend(look: Look) -> Said:
    """The models' budget of the day is used up, or models cost more than ``alerts.day_usd``."""
    midnight = look.now // DAY * DAY
    today = [record.summary for record in look.since(DAY, all_kinds=True) if record.started >= midnight]
    spent, limit = sum(summary.cost_usd for summary in today), look.limits.day_usd
    if any(DAY_SPENT in summary.fallbacks for summary in today):
        return WARNING, f"the models' budget of the day is used up (${spent:.2f}): no model is asked until midnight UTC"
    if limit is not None and spent >= limit:
        return WARNING, f"models have cost ${spent:.2f} since midnight UTC, and alerts.day_usd is {limit:g}"
    return None


def token_ends(look: Look) -> Said:
    """Zendesk's API tokens end within two months; critical in the last week."""
    days = int((TOKENS_END - look.now) // DAY)
    if not look.facts.api_token or TOKENS_END - look.now > TOKENS_WARN_S:
        return None
    if days < 0:
        return CRITICAL, "the helpdesk no longer takes API tokens, since 2027-04-30"
    left = f"in {many(days, 'day')}" if days else "in less than a day"
    return (CRITICAL if days <= 7 else WARNING), f"the helpdesk stops taking API tokens {left}, on 2027-04-30"


def _last(runs: int) -> str:
    return "the last run" if runs == 1 else f"the last {runs} runs"

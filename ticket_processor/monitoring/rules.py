"""The alert rules: they find the conditions that hold, from the runs of the last weeks and a few facts. Pure.

A rule's id is the name of its check. It never changes (dedup keys, runbooks and people's filters depend on it), and is
a heading in ``docs/alerts.md``.

A check returns one sentence without any word of a ticket, or ``None`` while all is well; one that can find several
things, a sentence for each.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property

from ..analysis.budget import DAY_SPENT
from ..core.models import Frozen
from ..core.reasons import why_no_model
from ..core.run_summary import RunRecord
from ..core.text import many
from ..reporting.figures import PLANNED
from ..reporting.glossary import percent, span
from ..settings.helpdesks import TOKENS_END
from ..settings.schema import Settings
from .run_metrics import (
    DAY,
    GAP,
    HOUR,
    LEAST_GAP_S,
    LEAST_STALE_S,
    LOOKED_AT,
    STALE,
    burning,
    period,
    unusual_volumes,
)

UNEXPECTED = "unexpected"
"""The ``stopped_by`` of a run that an unforeseen error ended."""
HISTORY_S = 36 * DAY
"""How far back the rules look: five whole weeks, and today."""
TOKENS_WARN_S = 60 * DAY
"""Time to plan another way of signing in."""
BACKLOG = "DeadlineReached"
"""The ``stopped_by`` of a run that used up its time: it works through a backlog, which is no fault."""
_OTHER_ALERTS = ("HelpdeskDown", "NotAuthorised", "Halted", "NotePublished", "AuditUnwritable", "StateUnusable")
"""Stops that have an alert of their own."""


class Severity(StrEnum):
    """How soon a person should look."""

    WARNING = "warning"
    CRITICAL = "critical"


class Look:
    """Everything that a rule may use. ``records`` are all runs, oldest first; ``runs`` the scheduled ones."""

    def __init__(self, records: Sequence[RunRecord], settings: Settings, now: float, *, halted: bool) -> None:
        self.records = records
        self.settings = settings
        self.slo = settings.slo
        self.now = now
        self.halted = halted
        self.runs = [record for record in records if record.kind == "run"]
        last = records[-1].summary if records else None
        self.last_stop = last.stopped_by if last else None
        self.why = _why(records[-1:])

    @cached_property
    def period(self) -> float | None:
        """Seconds from one scheduled run to the next; ``None`` if the runs are irregular or too few."""
        return period([run.started for run in self.runs[-LOOKED_AT - 1 :]])

    def since(self, seconds: float, *, all_kinds: bool = False) -> list[RunRecord]:
        """The runs that ended in the last ``seconds``."""
        return [run for run in (self.records if all_kinds else self.runs) if run.finished >= self.now - seconds]

    def stopped_by(self, name: str | None) -> list[RunRecord]:
        """The scheduled runs at the end that ``name`` stopped, oldest first."""
        return list(itertools.takewhile(lambda run: run.summary.stopped_by == name, reversed(self.runs)))[::-1]


Check = Callable[[Look], str | Mapping[str, str] | None]


class Rule(Frozen):
    """An alert rule: its check and severity, and the title and the advice of its messages."""

    check: Check
    severity: Severity
    title: str
    advice: str


RULES: dict[str, Rule] = {}
"""All rules by id."""


def alert(severity: Severity, title: str, advice: str) -> Callable[[Check], Check]:
    """Make the function that follows a rule, whose id is the function's name."""

    def listed(check: Check) -> Check:
        RULES[check.__name__] = Rule(check=check, severity=severity, title=title, advice=advice)
        return check

    return listed


@alert(
    Severity.CRITICAL,
    "No access to the helpdesk",
    "No ticket is lost: they wait. Not reached: look at the helpdesk's status page, then at network, proxy and "
    "DNS of this machine. Refused: was the OAuth client deleted, its secret renewed, the user suspended or no "
    "longer an admin? 'ticketbot health' tries both.",
)
def helpdesk_unreachable(look: Look) -> str | None:
    """The last run was refused, which does not pass by itself, or two in a row could not reach the helpdesk.

    A single one that could not may have met a restart.
    """
    if look.last_stop == "NotAuthorised":
        return f"the helpdesk refuses our credentials{look.why}"
    row = look.stopped_by("HelpdeskDown")
    if len(row) < 2:
        return None
    # Later runs may only have waited for the circuit breaker.
    return f"the helpdesk could not be reached in {len(row)} runs in a row{_why(row[:1])}"


@alert(
    Severity.CRITICAL,
    "Many tickets fail",
    "'ticketbot retry list' says which tickets failed and why; each run tries them again. If it began with a "
    "change of settings, take that back. TICKETBOT_STOP=1 in the environment or .env stops everything.",
)
def errors_fast(look: Look) -> str | None:
    """Failures use up the month's error budget within two days."""
    found = burning(look.runs, look.slo.success, look.now)
    if found is None:
        return None
    return f"{found.failed} of {many(found.handled, 'ticket')} failed in {_last(found.runs)} with tickets"


@alert(
    Severity.CRITICAL,
    "New tickets are not being looked at",
    "Are runs kept out by another one (exit code 75), such as a long 'ticketbot apply', stopped again and again, "
    "or started with --limit? Look into the scheduler's log, and at 'ticketbot health'.",
)
def not_caught_up(look: Look) -> str | None:
    """No scheduled run has looked at all new tickets for too long, and no other alert says why.

    During a pause no run could look; and runs that a person starts come at no interval, and are never late.
    """
    if not look.runs or look.period is None:
        return None
    caught_up = next((run.finished for run in reversed(look.runs) if run.summary.caught_up), look.runs[0].started)
    pause = max(LEAST_GAP_S, GAP * look.period)
    resumed = [
        after.started for before, after in itertools.pairwise(look.runs) if after.started - before.finished > pause
    ]
    if look.now - max([caught_up, *resumed]) < max(LEAST_STALE_S, STALE * look.period):
        return None
    if look.runs[-1].summary.stopped_by in (*_OTHER_ALERTS, BACKLOG) or look.halted:
        return None
    return f"for {span(look.now - caught_up)} no run has looked at all new tickets{look.why}"


@alert(
    Severity.WARNING,
    "The kill switch is set",
    "Was it forgotten? 'ticketbot health' names the file to remove, or the variable to unset.",
)
def stopped(look: Look) -> str | None:
    row = look.stopped_by("Halted")
    if not row or look.now - row[0].started < HOUR:
        return None
    return f"the kill switch has been set for {span(look.now - row[0].started)}"


@alert(
    Severity.WARNING,
    "Models often do not answer",
    "Those tickets are triaged without models. Is the model server up? Are key, model name and quota right "
    "('ticketbot init' asks each model one question)? Is models.timeout_s too short? Afterwards 'ticketbot run "
    "--retry-fallbacks'.",
)
def model_fallback(look: Look) -> str | None:
    """Models gave too few of the answers in the last six runs with answers, of the last day."""
    if not look.settings.models.names:
        return None
    runs = [record.summary for record in look.since(DAY) if record.summary.sources][-6:]
    answers = sum(sum(summary.sources.values()) for summary in runs)
    why = Counter[str]()
    for summary in runs:
        why.update({name: count for name, count in summary.fallbacks.items() if name not in PLANNED})
    count = why.total()
    if answers < 20 or count < 5 or count <= look.slo.fallback_share * answers:
        return None
    details = {name: detail for summary in runs for name, detail in summary.causes.items()}
    reasons = "; ".join(f"{why_no_model(name, details.get(name, ''))}: {times}" for name, times in why.most_common(3))
    return (
        f"unplanned fallback rate {percent(count / answers)}: no model gave {count} of {many(answers, 'answer')} "
        f"in {_last(len(runs))} with any ({reasons})"
    )


@alert(
    Severity.WARNING,
    "Models cost more than planned",
    "Nothing breaks. 'ticketbot report' shows what it went on; if that is as it should be, raise the limit.",
)
def spend(look: Look) -> str | None:
    midnight = look.now // DAY * DAY
    today = [record.summary for record in look.since(DAY, all_kinds=True) if record.started >= midnight]
    if not any(DAY_SPENT in summary.fallbacks for summary in today):
        return None
    spent = sum(summary.cost_usd for summary in today)
    return f"the models' budget of the day is used up (${spent:.2f}): no model is asked until midnight UTC"


@alert(
    Severity.CRITICAL,
    "An internal note became public",
    "The log's 'note_published' line names the ticket. Make the note internal there, find out which rule or app "
    "made it public, then go on with 'ticketbot run --resume', once.",
)
def note_published(look: Look) -> str | None:
    """A note became public, and no run has gone on since."""
    if not look.halted and look.last_stop != "NotePublished":
        return None
    return "a customer may have seen an internal note; no run writes anything until a person has looked"


@alert(
    Severity.CRITICAL,
    "A person's work was overwritten",
    "The log's 'overwrote' lines name the tickets; the next run puts values back. Set run.write_mode to 'single'.",
)
def overwrote(look: Look) -> str | None:
    """A run of the last six hours overwrote a person's value or tag."""
    lately = look.since(6 * HOUR, all_kinds=True)
    statements = [run.summary.statement for run in lately if run.summary.statement is not None]
    values = sum(statement.human_values_changed for statement in statements)
    tags = sum(statement.foreign_tags_removed for statement in statements)
    what = [f"{many(values, 'value')} changed"] if values else []
    what += [f"{many(tags, 'tag')} removed"] if tags else []
    if not what:
        return None
    return f"runs in the last 6 hours overwrote a person's work: {' and '.join(what)}"


@alert(
    Severity.WARNING,
    "Tickets were given up",
    "'ticketbot retry list' says which and why. Remove the cause, then 'ticketbot retry run'.",
)
def dead_letters(look: Look) -> str | None:
    """Tickets were given up in the last 24 hours, and some are still on the dead-letter list."""
    new = sum(record.summary.new_dead_letters for record in look.since(DAY, all_kinds=True))
    counting = (run.summary for run in reversed(look.records) if run.run_id)
    left = next((summary.dead_letters for summary in counting if summary.stopped_by != "StateUnusable"), 0)
    if not new or not left:
        return None
    return f"{many(new, 'ticket')} failed too often in the last 24 hours; the dead-letter list has {left}"


@alert(
    Severity.CRITICAL,
    "Log or state cannot be used",
    "Nothing is triaged meanwhile. Is the disk full, or the folder read-only or another user's? A damaged state "
    "file may be deleted: the next run then needs --since, and leads to no wrong write. The alert ends with the "
    "first run that can write.",
)
def state_unusable(look: Look) -> str | None:
    what = {"AuditUnwritable": "the log cannot be written", "StateUnusable": "the state folder cannot be used"}
    said = what.get(look.last_stop or "")
    return f"{said}, so no ticket is triaged{look.why}" if said else None


@alert(
    Severity.WARNING,
    "A topic is not as frequent as usual",
    "Look at its newest tickets: an outage, a campaign or spam? Or has the model, a description or the way in "
    "which tickets arrive been changed? 'ticketbot report' shows more.",
)
def drift(look: Look) -> dict[str, str]:
    """Categories with far more or fewer tickets than on that weekday of the last weeks."""
    return unusual_volumes(look.records, look.now)


@alert(
    Severity.WARNING,
    "Customers wait too long for an answer",
    "Answer these tickets first: 'ticketbot report' shows service times by category. A ticket counts until a run has "
    "read that it was answered, or for a day after its time.",
)
def service_times(look: Look) -> dict[str, str]:
    """Categories with open tickets whose service time ends soon, or ended within a day, as the last run knows."""
    last = look.records[-1].summary if look.records else None
    minutes = look.settings.policy.escalation.sla_minutes
    if last is None or not minutes:
        return {}
    found = {}
    for name in sorted({*last.overdue, *last.due_soon}):
        late, soon = last.overdue.get(name, 0), last.due_soon.get(name, 0)
        words = [f"{many(late, 'service time')} missed"] if late else []
        words += [f"{many(soon, 'service time')} within {minutes} min of the end"] if soon else []
        found[name] = f"open tickets have {' and '.join(words)}"
    return found


@alert(
    Severity.WARNING,
    "The API token ends",
    "Create an OAuth client and set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET instead of the token.",
)
def token_ends(look: Look) -> str | None:
    days = int((TOKENS_END - look.now) // DAY)
    if look.settings.desk.sign_in != "api_token" or TOKENS_END - look.now > TOKENS_WARN_S:
        return None
    if days < 0:
        return "the helpdesk no longer takes API tokens, since 2027-04-30"
    left = f"in {many(days, 'day')}" if days else "in less than a day"
    return f"the helpdesk stops taking API tokens {left}, on 2027-04-30"


def _why(runs: Sequence[RunRecord]) -> str:
    """Why the last of some runs stopped, as the end of a sentence."""
    said = runs[-1].summary.stopped if runs else None
    return f": {said}" if said else ""


def _last(runs: int) -> str:
    return "the last run" if runs == 1 else f"the last {runs} runs"


def look(
    records: Sequence[RunRecord], settings: Settings, now: float, *, halted: bool = False
) -> tuple[dict[str, str], bool]:
    """The conditions that hold over ``records``, each with one sentence, and whether all others are over.

    A condition is named by its rule's id; if a rule can find several things at once, a colon and the thing follow.
    After a run that was stopped early the others are not over, since it may not have reached them. ``records`` are
    the runs of :data:`HISTORY_S`, oldest first; the last is the one that has just ended, stored or not. ``halted``: a
    published note prevents runs from writing.
    """
    view = Look(records, settings, now, halted=halted)
    conditions = dict[str, str]()
    for name, rule in RULES.items():
        said = rule.check(view)
        if isinstance(said, str):
            conditions[name] = said
        elif said is not None:
            conditions |= {f"{name}:{subject}": sentence for subject, sentence in said.items()}
    return conditions, view.last_stop in (None, BACKLOG)


def rule_id(condition: str) -> str:
    """The id of a condition's rule."""
    return condition.partition(":")[0]


def severity_of(condition: str) -> Severity:
    """How soon a person should look at a condition."""
    return RULES[rule_id(condition)].severity


def title_of_rule(condition: str) -> str:
    """What heads the messages about a condition."""
    rule, _, subject = condition.partition(":")
    return RULES[rule].title + f": {subject}" * bool(subject)

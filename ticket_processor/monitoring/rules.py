"""The alert rules: from the runs of the last weeks and a few facts to the conditions that hold. Pure.

A rule's id is the name of its check. It never changes (dedup keys, runbooks and people's filters depend on it), and
is a heading in ``docs/alerts.md``. A critical alert is worth waking somebody up; a warning can wait for the morning.

A check returns one sentence without any word of a ticket, or ``None`` while all is well; one that can find several
things, a sentence for each. The numbers are those of the runs that were looked at.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..analysis.budget import DAY_SPENT
from ..core.clock import parse_iso
from ..core.run_summary import RunRecord
from ..core.wording import many
from ..reporting.figures import PLANNED
from ..reporting.glossary import percent, why_no_model
from ..settings.schema import Settings
from .facts import UNEXPECTED, AlertFinding, Facts, Look, Severity, Unclear, span
from .run_metrics import DAY, HOUR, LEAST_STALE_S, burning

TOKENS_END = parse_iso("2027-04-30")
TOKENS_WARN_S = 60 * DAY
"""Time to plan another way of signing in."""
WEEKS, LEAST_WEEKS = 4, 2
"""How many weeks a category's tickets are compared with, and the fewest."""
LEAST_TICKETS, LEAST_RATIO = 10, 3.0
"""Smaller changes of a category are nobody's business."""
CHANCE, UNSURE = 1e-6, 0.05
"""An alert about a category begins below the one and ends above the other. Tickets come in groups."""
_STAGES = {
    "state_unusable": ("StateUnusable", "AuditUnwritable"),
    "stopped": ("Halted",),
    "note_published": ("CannotRun",),
    "helpdesk_unreachable": ("HelpdeskDown", "NotAuthorised"),
}
"""The rules of steps that can stop a run, in order: a run that stopped at one says nothing about the later ones."""
_OTHER_ALERTS = ("HelpdeskDown", "NotAuthorised", "Halted", "NotePublished", "AuditUnwritable", "StateUnusable")
"""Stops that have an alert of their own."""
Said = str | Sequence[AlertFinding] | Unclear | None
Check = Callable[[Look], Said]
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


@dataclass(frozen=True)
class HoldingConditions:
    """The conditions that hold, each with one sentence, and the rules, or those of their things, that are ``unknown``.

    A condition is called by its rule's id; where a rule can find several things at once, a colon and the thing follow.
    """

    conditions: Mapping[str, str]
    unknown: frozenset[str] = frozenset()

    def judged(self, rule: str) -> bool:
        """Whether a condition could be judged."""
        return not self.unknown & {rule, rule_id(rule)}


@dataclass(frozen=True)
class Rule:
    """An alert rule: how soon a person should look, what heads the message, and what ends it: what to do first.

    A rule with ``by_facts`` can be judged without earlier runs.
    """

    severity: Severity
    title: str
    advice: str
    check: Check
    by_facts: bool = False


RULES: dict[str, Rule] = {}
"""All rules by id."""


def _rule(severity: Severity, title: str, advice: str, *, by_facts: bool = False) -> Callable[[Check], Check]:
    def keep(check: Check) -> Check:
        RULES[check.__name__] = Rule(severity, title, advice, check, by_facts)
        return check

    return keep


def look(records: Sequence[RunRecord], facts: Facts, settings: Settings) -> HoldingConditions:
    """Judge all rules over ``records``: the runs of :data:`facts.HISTORY_S`, oldest first.

    The last of them is the run that has just ended, whether or not the state could keep it.
    """
    view = Look(records, facts, settings)
    unknown = _not_reached(view.last_stop)
    if not facts.history_known:
        unknown |= {name for name, rule in RULES.items() if not rule.by_facts}
    conditions = dict[str, str]()
    for name, rule in RULES.items():
        said = None if name in unknown else rule.check(view)
        if isinstance(said, Unclear):
            unknown.add(name)
        elif said is not None:
            found = [AlertFinding("", said)] if isinstance(said, str) else said
            unknown |= {_named(name, one.subject) for one in found if not one.clear}
            conditions |= {_named(name, one.subject): one.message for one in found if one.clear}
    return HoldingConditions(conditions, frozenset(unknown))


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


def _named(rule: str, subject: str) -> str:
    return f"{rule}:{subject}" if subject else rule


def _not_reached(last_stop: str | None) -> set[str]:
    """The rules about steps that the last run did not reach; an unforeseen error may come at any step."""
    if last_stop == UNEXPECTED:
        return set(_STAGES)
    at = [number for number, stops in enumerate(_STAGES.values(), start=1) if last_stop in stops]
    return set(list(_STAGES)[at[0] :]) if at else set()


@_rule(
    CRITICAL,
    "No access to the helpdesk",
    "No ticket is lost: they wait. Not reached: look at the helpdesk's status page, then at network, proxy and DNS of "
    "this machine. Refused: was the OAuth client deleted, its secret renewed, the user suspended or no longer an "
    "admin? 'ticketbot health' tries both.",
)
def helpdesk_unreachable(look: Look) -> Said:
    """The last run was refused, which does not pass by itself, or two in a row could not reach the helpdesk.

    A single one that could not may have met a restart: it begins no alert, and ends none.
    """
    if look.last_stop == "NotAuthorised":
        return f"the helpdesk refuses our credentials{look.why}"
    if count := look.stopped_by("HelpdeskDown", 2):
        return f"the helpdesk could not be reached in {count} runs in a row{look.why_run}"
    return Unclear.HERE if look.last_stop == "HelpdeskDown" else None


@_rule(
    CRITICAL,
    "Many tickets fail",
    "'ticketbot retry list' says which tickets failed and why; each run tries them again. "
    "If it began with a change of settings, take that back. TICKETBOT_STOP=1 in the environment or .env stops "
    "everything.",
)
def errors_fast(look: Look) -> Said:
    """Failures use up the month's error budget within two days."""
    found = burning(look.runs, look.slo.success, look.now)
    if found is None:
        return None
    return f"{found.failed} of {many(found.handled, 'ticket')} failed in {_last(found.runs)} with tickets"


@_rule(
    CRITICAL,
    "New tickets are not being looked at",
    "Are runs kept out by another one (exit code 75), such as a long 'ticketbot apply', stopped again and again, "
    "or started with --limit? Look into the scheduler's log, and at 'ticketbot health'.",
)
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
    return f"for {span(late)} no run has looked at all new tickets{look.why_run}"


@_rule(
    WARNING,
    "The kill switch is set",
    "Was it forgotten? 'ticketbot health' names the file to remove, or the variable to unset.",
)
def stopped(look: Look) -> Said:
    """The kill switch has been set for an hour, long enough to be forgotten."""
    count = look.stopped_by("Halted", 1)
    if not count or look.now - look.runs[-count].started < HOUR:
        return None
    return f"the kill switch has been set for {span(look.now - look.runs[-count].started)}"


@_rule(
    WARNING,
    "Models often do not answer",
    "Those tickets are triaged without models. Is the model server up? Are key, model name and quota right "
    "('ticketbot init' asks each model one question)? Is models.timeout_s too short? Afterwards "
    "'ticketbot run --retry-fallbacks'.",
)
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
    if answers < 20 or count < 5 or count <= look.slo.fallback_share * answers:
        return None
    return (
        f"unplanned fallback rate {percent(count / answers)}: no model gave {count} of {many(answers, 'answer')} "
        f"in {_last(len(runs))} with any ({_reasons(look, why)})"
    )


@_rule(
    WARNING,
    "Models cost more than planned",
    "Nothing breaks. 'ticketbot report' shows what it went on; if that is as it should be, raise the limit.",
)
def spend(look: Look) -> Said:
    """The models' budget of the day is used up."""
    midnight = look.now // DAY * DAY
    today = [record.summary for record in look.since(DAY, all_kinds=True) if record.started >= midnight]
    if not any(DAY_SPENT in summary.fallbacks for summary in today):
        return None
    spent = sum(summary.cost_usd for summary in today)
    return f"the models' budget of the day is used up (${spent:.2f}): no model is asked until midnight UTC"


@_rule(
    CRITICAL,
    "An internal note became public",
    "The log's 'note_published' line names the ticket. Make the note internal there, find out which rule or "
    "app made it public, then go on with 'ticketbot run --resume', once.",
)
def note_published(look: Look) -> Said:
    """A note became public, and no run has gone on since."""
    if not look.facts.halted and look.last_stop != "NotePublished":
        return None
    return "a customer may have seen an internal note; no run writes anything until a person has looked"


@_rule(
    CRITICAL,
    "A person's work was overwritten",
    "The log's 'overwrote' lines name the tickets; the next run puts values back. Set run.write_mode to 'single'.",
)
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
    return f"runs in {look.lately(6 * HOUR)} overwrote a person's work: {' and '.join(what)}"


@_rule(
    WARNING,
    "Tickets were given up",
    "'ticketbot retry list' says which and why. Remove the cause, then 'ticketbot retry run'.",
)
def dead_letters(look: Look) -> Said:
    """Tickets were given up in the last 24 hours, and some are still on the dead-letter list."""
    new = sum(record.summary.new_dead_letters for record in look.since(DAY, all_kinds=True))
    counting = (run.summary for run in reversed(look.records) if run.run_id)
    left = next((summary.dead_letters for summary in counting if summary.stopped_by != "StateUnusable"), 0)
    if not new or not left:
        return None
    return f"{many(new, 'ticket')} failed too often in {look.lately(DAY)}; the dead-letter list has {left}"


@_rule(
    CRITICAL,
    "Log or state cannot be used",
    "Nothing is triaged meanwhile. Is the disk full, or the folder read-only or another user's? A damaged state file "
    "may be deleted: the next run then needs --since, and leads to no wrong write. The alert ends with the first run "
    "that can write.",
    by_facts=True,
)
def state_unusable(look: Look) -> Said:
    """The last run could not write the log or use the state folder."""
    what = {"AuditUnwritable": "the log cannot be written", "StateUnusable": "the state folder cannot be used"}
    said = what.get(look.last_stop or "")
    return f"{said}, so no ticket is triaged{look.why}" if said else None


@_rule(
    WARNING,
    "A topic is not as frequent as usual",
    "Look at its newest tickets: an outage, a campaign or spam? Or has the model, a description or the way in which "
    "tickets arrive been changed? 'ticketbot report' shows more.",
)
def drift(look: Look) -> Said:
    """Categories with far more tickets today, or far more or fewer yesterday, than on that weekday of the last weeks.

    Today is not over, so few tickets say nothing yet. An alert begins where chance is ruled out, and stays open as long
    as it is unlikely.
    """
    counts, today = look.categories, int(look.now // DAY)
    found: dict[str, AlertFinding] = {}
    for day, when in ((today, "today"), (today - 1, "yesterday")):
        now = counts.get(day, Counter[str]())
        weeks = [day - 7 * week for week in range(1, WEEKS + 1) if day - 7 * week >= min(counts, default=day)]
        before = [counts.get(each, Counter[str]()) for each in weeks]
        for name in sorted(set(now).union(*before)) if len(before) >= LEAST_WEEKS and now else ():
            more, expected = _expected(name, now, before)
            chance = _chance(now[name], expected) if more == (now[name] > expected) else 1.0
            if chance < UNSURE and (more or day != today) and not (name in found and found[name].clear):
                text = f"{now[name]} of {now.total()} tickets {when} are about {name}; usual are {expected:.0f}"
                found[name] = AlertFinding(name, text, chance < CHANCE)
    return list(found.values())


def _expected(name: str, now: Counter[str], before: Sequence[Counter[str]]) -> tuple[bool, float]:
    """Whether a category has more tickets than usual, and how many are to be expected.

    On a busy day or a holiday as many more or fewer tickets are usual.
    """
    usual = statistics.median(each[name] for each in before)
    others = statistics.median(each.total() - each[name] for each in before)
    volume = (now.total() - now[name]) / others if others else 1.0
    more = now[name] > usual
    return more, max(usual, 1.0) * (max(1.0, volume) if more else min(1.0, volume))


def _chance(count: int, usual: float) -> float:
    """How likely so many or so few tickets are by chance (Poisson); 1.0 where the change is small."""
    low, high = sorted((count, usual))
    if high < max(LEAST_TICKETS, LEAST_RATIO * low):
        return 1.0
    # Farther out, each term of the tail is less than half of the one before.
    tail = range(count, count + 60) if count > usual else range(count + 1)
    return sum(math.exp(k * math.log(usual) - usual - math.lgamma(k + 1)) for k in tail)


@_rule(
    WARNING,
    "The API token ends",
    "Create an OAuth client, and set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET instead of the token.",
    by_facts=True,
)
def token_ends(look: Look) -> Said:
    """Zendesk's API tokens end within two months."""
    days = int((TOKENS_END - look.now) // DAY)
    if not look.facts.api_token or TOKENS_END - look.now > TOKENS_WARN_S:
        return None
    if days < 0:
        return "the helpdesk no longer takes API tokens, since 2027-04-30"
    left = f"in {many(days, 'day')}" if days else "in less than a day"
    return f"the helpdesk stops taking API tokens {left}, on 2027-04-30"


def _reasons(look: Look, why: Counter[str]) -> str:
    named = [(_cause(look, name), count) for name, count in why.most_common(3)]
    rest = why.total() - sum(count for _, count in named)
    return "; ".join(f"{name}: {count}" for name, count in [*named, *([("others", rest)] if rest else [])])


def _cause(look: Look, reason: str) -> str:
    """Why no model answered, with the detail that the last run with this reason recorded."""
    details = (record.summary.causes.get(reason) for record in reversed(look.records))
    return why_no_model(reason, next(filter(None, details), ""))


def _last(runs: int) -> str:
    return "the last run" if runs == 1 else f"the last {runs} runs"

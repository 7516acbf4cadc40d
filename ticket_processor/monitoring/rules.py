"""The alert rules: from the runs of the last weeks and a few facts to the conditions that hold. Pure.

Each rule has an id that never changes (dedup keys, runbooks and people's filters depend on it) and a heading of that
name in ``docs/alerts.md``. A critical alert is worth waking somebody up; a warning can wait for the morning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..core.run_summary import RunRecord
from . import checks as check
from . import drift_checks
from .checks import Said
from .facts import UNEXPECTED, AlertFinding, AlertLimits, Facts, Look, Severity, Unclear


@dataclass(frozen=True)
class Condition:
    """A condition that holds now. ``message`` is one sentence without any word of a ticket.

    ``rule`` is the rule's id; where a rule can find several things at once, a colon and the thing follow.
    """

    rule: str
    severity: Severity
    message: str


@dataclass(frozen=True)
class HoldingConditions:
    """The conditions that hold, and the rules, or those of their things, that could not be judged."""

    conditions: tuple[Condition, ...]
    unknown: frozenset[str] = frozenset()

    def judged(self, rule: str) -> bool:
        """Whether a condition could be judged."""
        return not self.unknown & {rule, rule_id(rule)}


@dataclass(frozen=True)
class Rule:
    """An alert rule. ``title`` heads the message; ``advice`` ends it and says what to do first.

    A rule with ``by_facts`` can be judged without earlier runs.
    """

    title: str
    advice: str
    check: Callable[[Look], Said]
    by_facts: bool = False


RULES: Mapping[str, Rule] = {
    "helpdesk_unreachable": Rule(
        "The helpdesk cannot be reached",
        "No ticket is lost: they wait. Look at the helpdesk's status page, then at network, proxy and DNS of this "
        "machine ('ticketbot health').",
        check.unreachable,
    ),
    "not_authorised": Rule(
        "The helpdesk refuses our credentials",
        "Nothing is triaged meanwhile. Was the OAuth client deleted, its secret renewed, the user suspended or no "
        "longer an admin? Put new ones where the old ones are set; 'ticketbot health' tries them.",
        check.not_authorised,
    ),
    "errors_fast": Rule(
        "Many tickets fail",
        "'ticketbot retry list' says which tickets failed and why; each run tries them again. "
        "If it began with a change of settings, take that back. TICKETBOT_STOP=1 in the environment or .env stops "
        "everything.",
        check.errors_fast,
    ),
    "not_caught_up": Rule(
        "New tickets are not being looked at",
        "Are runs kept out by another one (exit code 75), such as a long 'ticketbot apply', stopped again and again, "
        "or started with --limit? Look into the scheduler's log, and at 'ticketbot health'.",
        check.not_caught_up,
    ),
    "stopped": Rule(
        "The kill switch is set",
        "Was it forgotten? 'ticketbot health' names the file to remove, or the variable to unset.",
        check.stopped,
    ),
    "model_fallback": Rule(
        "Models often do not answer",
        "Those tickets are triaged without models. Is the model server up? Are key, model name and quota right "
        "('ticketbot init' asks each model one question)? Is models.timeout_s too short? Afterwards "
        "'ticketbot run --retry-fallbacks'.",
        check.model_fallback,
    ),
    "spend": Rule(
        "Models cost more than planned",
        "Nothing breaks. 'ticketbot report' shows what it went on; if that is as it should be, raise the limit.",
        check.spend,
    ),
    "cluster_lost": Rule(
        "The cluster was lost",
        "No ticket is lost: the run made the requests itself, more slowly. Look at the scheduler and the workers.",
        check.cluster_lost,
    ),
    "note_published": Rule(
        "An internal note became public",
        "The log's 'note_published' line names the ticket. Make the note internal there, find out which rule or "
        "app made it public, then go on with 'ticketbot run --resume', once.",
        check.note_published,
    ),
    "overwrote": Rule(
        "A person's work was overwritten",
        "The log's 'overwrote' lines name the tickets; the next run puts values back. Set run.write_mode to 'single'.",
        check.overwrote,
    ),
    "dead_letters": Rule(
        "Tickets were given up",
        "'ticketbot retry list' says which and why. Remove the cause, then 'ticketbot retry run'.",
        check.dead_letters,
    ),
    "log_unwritable": Rule(
        "The log cannot be written",
        "Nothing is triaged meanwhile. Is the disk full, or the folder read-only or another user's? The alert "
        "ends with the first run that can write.",
        check.log_unwritable,
        by_facts=True,
    ),
    "state_unusable": Rule(
        "The state cannot be used",
        "Nothing is triaged meanwhile. Is the disk full, or the folder another user's? A damaged state file may be "
        "deleted: the next run then needs --since, and leads to no wrong write.",
        check.state_unusable,
        by_facts=True,
    ),
    "drift": Rule(
        "A topic is not as frequent as usual",
        "Look at these tickets: an outage, a campaign or spam? Or has the model, a description or the way in which "
        "tickets arrive been changed? 'ticketbot report' shows more.",
        drift_checks.drift,
    ),
    "token_ends": Rule(
        "The API token ends",
        "Create an OAuth client, and set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET instead of the token.",
        check.token_ends,
        by_facts=True,
    ),
}
_STAGES = (
    ("StateUnusable", "state_unusable"),
    ("AuditUnwritable", "log_unwritable"),
    ("Halted", "stopped"),
    ("CannotRun", "note_published"),
    ("HelpdeskDown", "helpdesk_unreachable"),
    ("NotAuthorised", "not_authorised"),
)
"""The steps that can stop a run, in order: a run that stopped at one says nothing about the later ones."""


def look(records: Sequence[RunRecord], facts: Facts, limits: AlertLimits | None = None) -> HoldingConditions:
    """Judge all rules over ``records``: the runs of :data:`alert_view.HISTORY_S`, oldest first.

    The last of them is the run that has just ended, whether or not the state could keep it.
    """
    view = Look(records, facts, limits or AlertLimits())
    unknown = _not_reached(view.last_stop)
    if not facts.history_known:
        unknown |= {name for name, rule in RULES.items() if not rule.by_facts}
    conditions = []
    for name, rule in RULES.items():
        said = None if name in unknown else rule.check(view)
        if isinstance(said, Unclear):
            unknown.add(name)
        elif said is not None:
            severity, found = said
            each = [AlertFinding("", found)] if isinstance(found, str) else found
            unknown |= {_named(name, one.subject) for one in each if not one.clear}
            conditions += [Condition(_named(name, one.subject), severity, one.message) for one in each if one.clear]
    return HoldingConditions(tuple(conditions), frozenset(unknown))


def rule_id(condition: str) -> str:
    """The id of a condition's rule."""
    return condition.partition(":")[0]


def title_of_rule(condition: str) -> str:
    """What heads the messages about a condition."""
    rule, _, subject = condition.partition(":")
    return RULES[rule].title + f": {subject}" * bool(subject)


def _named(rule: str, subject: str) -> str:
    return f"{rule}:{subject}" if subject else rule


def _not_reached(last_stop: str | None) -> set[str]:
    """The rules about steps that the last run did not reach; an unforeseen error may come at any step."""
    stops = [UNEXPECTED, *(stop for stop, _ in _STAGES)]
    return {rule for _, rule in _STAGES[stops.index(last_stop) :]} if last_stop in stops else set()

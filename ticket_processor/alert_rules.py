"""What is worth an alert: from the runs of the last weeks and a few facts to the conditions that hold. Pure.

Each rule has an id that never changes (dedup keys, runbooks and people's filters hang on it) and a heading of that name
in ``docs/alerts.md``. Critical is what somebody should get up for; a warning can wait for the morning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from . import alert_checks as check
from .alert_checks import CUT_OFF, LOG_CHANGED, LOG_REPAIRED, UNEXPECTED, Facts, Limits, Look, Said, Severity
from .models import RunRecord
from .slo import DAY, HOUR


@dataclass(frozen=True)
class Condition:
    """Something that holds now. ``message`` is one sentence, without a word of any ticket."""

    rule: str
    severity: Severity
    message: str


@dataclass(frozen=True)
class Found:
    """The conditions that hold, and the rules of which nobody can tell."""

    conditions: tuple[Condition, ...]
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rule:
    """``title`` heads the message; with ``by_facts`` it can be judged without knowing earlier runs.

    ``hushed`` names rules whose alert says the same and more: none of this one is begun while theirs holds, or for so
    many seconds after it.
    """

    title: str
    check: Callable[[Look], Said]
    by_facts: bool = False
    hushed: Mapping[str, float] = field(default_factory=dict)


RULES: Mapping[str, Rule] = {
    "helpdesk_unreachable": Rule("The helpdesk cannot be reached", check.unreachable),
    "not_authorised": Rule("The helpdesk refuses our credentials", check.not_authorised),
    "rate_limited": Rule("The helpdesk's rate limit is used up", check.rate_limited),
    "errors_fast": Rule("Many tickets fail", check.errors_fast),
    "errors_slow": Rule("Tickets keep failing", check.errors_slow, hushed={"errors_fast": 36 * HOUR}),
    "errors_steady": Rule(
        "More tickets fail than the objective allows",
        check.errors_steady,
        hushed={"errors_fast": 3 * DAY, "errors_slow": 3 * DAY},
    ),
    "success_low": Rule(
        "Success is below its mark",
        check.success_low,
        hushed={"errors_fast": DAY, "errors_slow": DAY, "errors_steady": DAY},
    ),
    "slow": Rule("Tickets take too long", check.slow),
    "not_caught_up": Rule("New tickets are not being looked at", check.not_caught_up, hushed={CUT_OFF: 0.0}),
    "backlog": Rule("Runs do not get through", check.backlog),
    "missed_runs": Rule("Runs were missing", check.missed_runs, by_facts=True),
    CUT_OFF: Rule("A run was cut off", check.cut_off, by_facts=True),
    "run_crashed": Rule("A run crashed", check.run_crashed, by_facts=True),
    "stopped": Rule("The kill switch is set", check.stopped),
    "model_refused": Rule("A model server turns us away", check.model_refused),
    "models_silent": Rule("No model answers", check.models_silent, hushed={"model_refused": 6 * HOUR}),
    "model_fallback": Rule(
        "Models often do not answer",
        check.model_fallback,
        hushed={"model_refused": 6 * HOUR, "models_silent": 6 * HOUR},
    ),
    "spend": Rule("Models cost more than planned", check.spend),
    "note_published": Rule("An internal note became public", check.note_published),
    "overwrote": Rule("A person's work was overwritten", check.overwrote),
    "write_not_found": Rule("A write is not there", check.write_not_found),
    "dead_letters": Rule("Tickets were given up", check.dead_letters),
    "log_unwritable": Rule("The log cannot be written", check.log_unwritable, by_facts=True),
    "state_unusable": Rule("The state cannot be used", check.state_unusable, by_facts=True),
    LOG_CHANGED: Rule("The log was changed", check.log_changed, by_facts=True),
    LOG_REPAIRED: Rule("The log was repaired", check.log_repaired, by_facts=True),
    "label_drift": Rule("The mix of tickets has changed", check.label_drift),
    "token_ends": Rule("The API token ends", check.token_ends, by_facts=True),
}
_STAGES = (
    (UNEXPECTED, "run_crashed"),
    ("StateUnusable", "state_unusable"),
    ("AuditUnwritable", "log_unwritable"),
    ("Halted", "stopped"),
    ("CannotRun", "note_published"),
    ("HelpdeskDown", "helpdesk_unreachable"),
    ("NotAuthorised", "not_authorised"),
    ("RateLimited", "rate_limited"),
)
"""What may end a run, in the order in which it comes to it: one that ended early says nothing of what comes after."""


def look(records: Sequence[RunRecord], facts: Facts, limits: Limits | None = None) -> Found:
    """Judge all rules over ``records``: the runs of :data:`alert_checks.HISTORY_S`, oldest first.

    The run that has just ended is the last of them, whether or not the state could keep it.
    """
    view = Look(records, facts, limits or Limits())
    unknown = _untold(view.last_stop)
    if not facts.history_known:
        unknown |= {name for name, rule in RULES.items() if not rule.by_facts}
    conditions = []
    for name, rule in RULES.items():
        said = None if name in unknown else rule.check(view)
        if said is not None:
            conditions.append(Condition(name, *said))
    return Found(tuple(conditions), frozenset(unknown))


def _untold(last_stop: str | None) -> set[str]:
    """The rules that the last run did not come to."""
    ends = [end for end, _ in _STAGES]
    if last_stop not in ends:
        return set()
    return {rule for _, rule in _STAGES[ends.index(last_stop) + 1 :]}

"""What is worth an alert: from the runs of the last weeks and a few facts to the conditions that hold. Pure.

Each rule has an id that never changes (dedup keys, runbooks and people's filters hang on it) and a heading of that name
in ``docs/alerts.md``. Critical is what somebody should get up for; a warning can wait for the morning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from . import alert_checks as check
from .alert_checks import Said
from .alert_view import (
    CUT_OFF,
    LOG_CHANGED,
    LOG_REPAIRED,
    MISSED_RUNS,
    UNEXPECTED,
    Facts,
    Limits,
    Look,
    Severity,
    Unclear,
)
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
    """``title`` heads the message, and ``advice`` ends it: what to do first, for somebody who has just been woken up.

    With ``by_facts`` it can be judged without knowing earlier runs. ``hushed`` names rules whose alert says the same
    and more: none of this one is begun while theirs holds, or for so many seconds after it.
    """

    title: str
    advice: str
    check: Callable[[Look], Said]
    by_facts: bool = False
    hushed: Mapping[str, float] = field(default_factory=dict)


_FAILING = (
    "'ticketbot retry list' says which tickets failed and why; each run tries them again. "
    "If a change of settings came before it, take that back. TICKETBOT_STOP=1 in the environment or .env stops all."
)
_IN_COMMON = (
    "Not urgent. 'ticketbot retry list': look for what the failing tickets have in common, such as a required field "
    "or a group that is gone."
)
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
    "rate_limited": Rule(
        "The helpdesk's rate limit is used up",
        "No ticket is lost: they wait. See in the helpdesk's API dashboard which other integration uses up the "
        "account's requests, or lower run.limit_share.",
        check.rate_limited,
    ),
    "errors_fast": Rule("Many tickets fail", _FAILING, check.errors_fast),
    "errors_slow": Rule("Tickets keep failing", _FAILING, check.errors_slow, hushed={"errors_fast": 36 * HOUR}),
    "errors_steady": Rule(
        "More tickets fail than the objective allows",
        _IN_COMMON,
        check.errors_steady,
        hushed={"errors_fast": 3 * DAY, "errors_slow": 3 * DAY},
    ),
    "success_low": Rule(
        "The success rate is below its mark",
        _IN_COMMON,
        check.success_low,
        hushed={"errors_fast": DAY, "errors_slow": DAY, "errors_steady": DAY},
    ),
    "slow": Rule(
        "Tickets take too long",
        "Mostly a model that has become slow: in the log's ticket lines, compare 'analyse' with 'write' of timings_ms. "
        "Name another model first, or lower models.timeout_s.",
        check.slow,
    ),
    "not_caught_up": Rule(
        "New tickets are not being looked at",
        "Are runs kept out by another one (exit code 75), such as a long 'ticketbot apply', stopped again and again, "
        "or started with --limit? Look into the scheduler's log, and at 'ticketbot health'.",
        check.not_caught_up,
        hushed={CUT_OFF: 0.0},
    ),
    "backlog": Rule(
        "Runs do not get through",
        "Nothing is lost, and the oldest tickets come first. After an outage it ends by itself; if not, raise "
        "run.workers or run.limit_share, or take a faster model.",
        check.backlog,
    ),
    MISSED_RUNS: Rule(
        "Runs were missing",
        "Runs are back, and have gone on where the last one ended. Was the machine off or asleep, or the scheduler "
        "stopped? Look into its log.",
        check.missed_runs,
        by_facts=True,
    ),
    CUT_OFF: Rule(
        "A run was cut off",
        "The next run settles what it had sent. Mostly a disk or network share under the state or log folder hangs; "
        "the log's last lines before 'cut_off' say what the run was doing.",
        check.cut_off,
        by_facts=True,
    ),
    "run_crashed": Rule(
        "A run crashed",
        "A bug: please report it, with this message. If it came with an upgrade, go back to the version before; the "
        "next run tries again in any case.",
        check.run_crashed,
        by_facts=True,
    ),
    "stopped": Rule(
        "The kill switch is set",
        "Somebody wanted everything to stop: did they forget? 'ticketbot health' names the file to remove, or the "
        "variable to unset.",
        check.stopped,
    ),
    "model_refused": Rule(
        "A model server turns us away",
        "Tickets are triaged without it meanwhile. Put its key, the model's name or the quota right ('ticketbot init' "
        "asks each model one question), then 'ticketbot run --retry-fallbacks'.",
        check.model_refused,
    ),
    "models_silent": Rule(
        "No model answers",
        "Tickets are triaged without models meanwhile. Look at the model server; when it is back, "
        "'ticketbot run --retry-fallbacks' has it look at them.",
        check.models_silent,
        hushed={"model_refused": 6 * HOUR},
    ),
    "model_fallback": Rule(
        "Models often do not answer",
        "Those tickets are triaged without models. With 'model_timeout' raise models.timeout_s or name a faster model "
        "first; with 'answer_...' the model is too weak. Afterwards 'ticketbot run --retry-fallbacks'.",
        check.model_fallback,
        hushed={"model_refused": 6 * HOUR, "models_silent": 6 * HOUR},
    ),
    "spend": Rule(
        "Models cost more than planned",
        "Nothing breaks. 'ticketbot report' shows what it went on; if that is as it should be, raise the limit.",
        check.spend,
    ),
    "note_published": Rule(
        "An internal note became public",
        "The log's 'note_published' line names the ticket. Make the note internal there, find out which trigger or app "
        "made it public, then go on with 'ticketbot run --resume', once.",
        check.note_published,
    ),
    "overwrote": Rule(
        "A person's work was overwritten",
        "The log's 'overwrote' lines name the tickets; the next run puts values back. Set run.write_mode to 'single'.",
        check.overwrote,
    ),
    "write_not_found": Rule(
        "A write is not there",
        "The log's 'run_finished' line names the tickets. Was the note deleted, or did a trigger undo the change? If "
        "neither, set run.write_mode to 'single'.",
        check.write_not_found,
    ),
    "dead_letters": Rule(
        "Tickets were given up",
        "'ticketbot retry list' says which and why. Put the cause right, then 'ticketbot retry run'.",
        check.dead_letters,
    ),
    "log_unwritable": Rule(
        "The log cannot be written",
        "Nothing is triaged meanwhile. Is the disk full, or the folder read-only or another user's? It is over with "
        "the first run that can write.",
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
    LOG_CHANGED: Rule(
        "The log was changed",
        "'ticketbot audit verify' shows where. Compare with the log heads that the heartbeat and the daily summaries "
        "hold, and find out who can write to that folder.",
        check.log_changed,
        by_facts=True,
    ),
    LOG_REPAIRED: Rule(
        "The log was repaired",
        "A crash, a power cut or a full disk was here: look at the machine. 'ticketbot audit verify' checks the log.",
        check.log_repaired,
        by_facts=True,
    ),
    "label_drift": Rule(
        "The mix of tickets has changed",
        "A campaign or an incident explains itself. If there is none, did a model or the descriptions of categories "
        "change? 'ticketbot backtest' and 'ticketbot taxonomy check' look into it.",
        check.label_drift,
    ),
    "token_ends": Rule(
        "The API token ends",
        "Create an OAuth client, and set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET instead of the token.",
        check.token_ends,
        by_facts=True,
    ),
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
    """Judge all rules over ``records``: the runs of :data:`alert_view.HISTORY_S`, oldest first.

    The run that has just ended is the last of them, whether or not the state could keep it.
    """
    view = Look(records, facts, limits or Limits())
    unknown = _untold(view.last_stop)
    if not facts.history_known:
        unknown |= {name for name, rule in RULES.items() if not rule.by_facts}
    conditions = []
    for name, rule in RULES.items():
        said = None if name in unknown else rule.check(view)
        if isinstance(said, Unclear):
            unknown.add(name)
        elif said is not None:
            conditions.append(Condition(name, *said))
    return Found(tuple(conditions), frozenset(unknown))


def _untold(last_stop: str | None) -> set[str]:
    """The rules that the last run did not come to."""
    ends = [end for end, _ in _STAGES]
    if last_stop not in ends:
        return set()
    return {rule for _, rule in _STAGES[ends.index(last_stop) + 1 :]}

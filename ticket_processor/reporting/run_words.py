"""A run in words: what is worth a look, one ticket's end, what a dry run would change, the summary, what next. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..core.models import Change, Outcome, OutcomeStatus, Priority, Urgency
from ..core.reasons import ALREADY_DONE, in_words
from ..core.reasons import why_no_model as said_why
from ..core.run_summary import ClusterUse, Forecast, RunSummary

MOST_LISTED = 10
MOST_ESCALATED = 200
"""Maximum number of escalated tickets kept for the alert, also while it cannot be sent; the log has all."""
MOST_COUNTED = 8
MOST_IN_FULL = 3
"""Up to this many tickets are shown completely, without totals."""
_MOST_NEXT = 3
ESCALATED, FAILED, SUSPICIOUS, UNSURE = "escalated", "failed", "suspicious", "unsure"
WORTH_A_LOOK = (ESCALATED, FAILED, SUSPICIOUS, UNSURE)
_STAYS, _NONE = "set already", "not set"
_CALLED = {OutcomeStatus.SKIPPED: "left alone"}


@dataclass(frozen=True)
class Seen:
    """An outcome with the ticket's redacted subject and its address, if known.

    ``why`` holds those of :data:`WORTH_A_LOOK` that apply to it.
    """

    outcome: Outcome
    subject: str = ""
    url: str = ""
    why: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The ticket's id."""
        return self.outcome.ticket_id

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is escalated, in fixed words."""
        return self.outcome.change.escalated if self.outcome.change is not None else ()


def spread(tickets: Sequence[Seen], most: int = MOST_LISTED) -> list[Seen]:
    """The tickets to show of many: spread evenly over all of them, by their numbers."""
    ordered = sorted(tickets, key=lambda one: one.number)
    return [ordered[place * len(ordered) // most] for place in range(most)] if len(ordered) > most else ordered


@dataclass
class RunTally:
    """Counts a run's outcomes as they come, and keeps few of them, however long the run is.

    ``subject_of`` gives a subject that may be shown, ``url_of`` a ticket's address in the helpdesk. ``no_llm``: keyword
    rules alone were asked for.
    """

    review_tag: str = "ai_review"
    subject_of: Callable[[int], str] = lambda _ticket_id: ""
    url_of: Callable[[int], str] = lambda _ticket_id: ""
    no_llm: bool = False
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WORTH_A_LOOK, 0))
    escalated: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    _kept: dict[str, list[Seen]] = field(default_factory=lambda: {why: [] for why in WORTH_A_LOOK})

    def take(self, outcome: Outcome, *, shown: bool = True) -> Seen:
        """Count an outcome; returns it for display. Without ``shown``, its subject is looked up only if it is kept."""
        why = tuple(self._why(outcome))
        kept = why and len(self._kept[why[0]]) < MOST_LISTED
        subject = self.subject_of(outcome.ticket_id) if shown or kept else ""
        seen = Seen(outcome, subject, self.url_of(outcome.ticket_id), why)
        for each in why:
            self.counts[each] += 1
        if kept:
            self._kept[why[0]].append(seen)
        if ESCALATED in why and len(self.escalated) < MOST_ESCALATED:
            self.escalated.append((outcome.ticket_id, seen.reasons))
        return seen

    @property
    def look_at(self) -> list[Seen]:
        """The first tickets that are worth a look, the most urgent reasons first."""
        return [seen for why in WORTH_A_LOOK for seen in self._kept[why]][:MOST_LISTED]

    def _why(self, outcome: Outcome) -> Iterable[str]:
        change, analysis = outcome.change, outcome.analysis
        if change is not None and change.escalated:
            yield ESCALATED
        if outcome.status is OutcomeStatus.FAILED:
            yield FAILED
        if change is not None and analysis is not None and analysis.suspicious:
            yield SUSPICIOUS
        if change is not None and self.review_tag in change.tags_added:
            yield UNSURE


def counts_text(counts: dict[str, int]) -> str:
    """``2 escalated, 1 unsure``; empty if nothing needs a look. Failures are reported elsewhere."""
    return ", ".join(f"{counts[why]:,} {why}" for why in (ESCALATED, UNSURE, SUSPICIOUS) if counts[why])


def again_step(summary: RunSummary) -> list[str]:
    """How to triage a ticket again, if a named ticket is done already."""
    if ALREADY_DONE not in summary.reasons:
        return []
    return ["'ticketbot run --ticket NUMBER --again' triages a ticket anew that is done"]


def next_steps(summary: RunSummary, tally: RunTally) -> list[str]:
    """The two or three things that are worth doing now, the most urgent first."""
    failed = summary.outcomes.get(OutcomeStatus.FAILED, 0)
    unmeant = {why: count for why, count in summary.fallbacks.items() if why.startswith(("model_", "answer_"))}
    steps = []
    if tally.counts[ESCALATED] and not summary.dry_run:
        steps.append("'ticketbot report --escalated' lists what is escalated and still open")
    if failed:
        steps.append("'ticketbot retry list' says what failed and why; the next run tries it again")
    if unmeant:
        steps.append("'ticketbot health' asks the model; then 'ticketbot run --retry-fallbacks' asks it about these")
    elif "no_model_configured" in summary.fallbacks and not tally.no_llm:
        steps.append("set TICKETBOT_MODELS: a model understands more than keyword rules (docs/understanding.md)")
    steps += again_step(summary)
    if summary.dry_run and summary.outcomes.get(OutcomeStatus.PLANNED):
        steps.append("'ticketbot run' writes this; 'ticketbot analyse TICKET' shows how one of them was understood")
    if tally.counts[UNSURE] and not summary.dry_run:
        steps.append(f"search the helpdesk for tags:{tally.review_tag}: a person should decide on these")
    if summary.writes.singly or summary.writes.in_jobs:
        steps.append(f"'ticketbot report' shows how it goes; 'ticketbot undo {summary.run_id}' takes this run back")
    return steps[:_MOST_NEXT]


def why_no_model(summary: RunSummary) -> list[str]:
    """Why rules or the classifier answered, in words with their numbers, the most frequent first."""
    words: Counter[str] = Counter()
    for reason, count in summary.fallbacks.items():
        words[said_why(reason, summary.causes.get(reason, ""))] += count
    return [f"{said}: {count}" for said, count in sorted(words.items(), key=lambda item: (-item[1], item[0]))]


def outcome_line(seen: Seen) -> str:
    """One ticket's end in a line, with its subject and address where they are known."""
    outcome = seen.outcome
    words = [f"ticket {outcome.ticket_id}: {_CALLED.get(outcome.status, outcome.status)} ({in_words(outcome.reason)})"]
    if outcome.change is not None:
        words.append("+" + " +".join(outcome.change.tags_added) if outcome.change.tags_added else "no new tags")
        words += ["-" + " -".join(outcome.change.tags_removed)] if outcome.change.tags_removed else []
        words += new_values(outcome.change)
    return "; ".join([*words, *_named(seen)])


def _named(seen: Seen) -> list[str]:
    """The ticket's subject and its address, if known."""
    return [f"“{seen.subject}”"] * bool(seen.subject) + [seen.url] * bool(seen.url)


def new_values(change: Change) -> list[str]:
    """Changes of priority, group and fields in words, without the earlier values of fields."""
    words = []
    if change.priority is not None or "priority" in change.cleared:
        words.append(f"priority {change.priority_before or '-'} -> {change.priority or '-'}")
    if change.group is not None or "group" in change.cleared:
        words.append(f"group {change.group_before or '-'} -> {change.group or '-'}")
    words += [f"status -> {change.closing.status}"] if change.closing is not None else []
    words += [f"field {key} -> {'(as it was)' if change.puts_back else value}" for key, value in change.fields.items()]
    return words + [f"field {key} -> -" for key in change.fields_cleared]


def difference(seen: Seen) -> str:
    """What a dry run would have changed on one ticket."""
    outcome, change = seen.outcome, seen.outcome.change
    if change is None:
        return outcome_line(seen)
    lines = ["  ".join((f"ticket {outcome.ticket_id} ({in_words(outcome.reason)})", *_named(seen)))]
    lines += [f"  + tag {tag}" for tag in change.tags_added]
    lines += [f"  - tag {tag}" for tag in change.tags_removed]
    lines += [f"  ~ {words}" for words in new_values(change)]
    if change.priority is None and change.priority_before is not None and "priority" not in change.cleared:
        lines.append(f"    priority stays {change.priority_before}, set already")
    lines += [f"    field {key} stays as it is, set already" for key in change.fields_kept]
    lines += [f"  + note | {line}" for line in (change.note or "").splitlines()]
    return "\n".join(lines)


def planned_lines(planned: Sequence[Seen], *, details: bool = False) -> list[str]:
    """The lines that a dry run shows before its summary; with ``details``, every ticket's whole difference."""
    changing = [seen for seen in planned if seen.outcome.status is OutcomeStatus.PLANNED]
    if details or len(changing) <= MOST_IN_FULL:
        return [line for seen in planned for line in difference(seen).splitlines()]
    chosen = spread(changing)
    changes = [seen.outcome.change for seen in changing if seen.outcome.change is not None]
    notes = sum(each.note is not None for each in changes)
    lines = [f"Would be written on {len(changing):,} tickets, {notes:,} with a note:", *_totals(changing, changes)]
    lines += map(outcome_line, chosen)
    if rest := len(changing) - len(chosen):
        lines.append(f"The other {rest:,}: use --details, or --json for a program.")
    return [*lines, ""]


def _totals(planned: Sequence[Seen], changes: Sequence[Change]) -> Iterable[str]:
    analyses = [seen.outcome.analysis for seen in planned if seen.outcome.analysis is not None]
    yield f"  category: {counted(Counter(each.category for each in analyses))}"
    yield f"  urgency: {counted(Counter(each.urgency for each in analyses), tuple(Urgency))}"
    priorities = Counter(each.priority or (_STAYS if each.priority_before else _NONE) for each in changes)
    yield f"  priority: {counted(priorities, (*Priority, _STAYS, _NONE))}"
    if groups := sum(each.group is not None for each in changes):
        yield f"  group: {groups}"
    reasons = Counter(reason.replace("_", " ") for each in changes for reason in each.escalated)
    escalated = sum(bool(each.escalated) for each in changes)
    yield f"  escalated: {escalated}" + (f" ({counted(reasons)})" if escalated else "")


def summary_text(summary: RunSummary, log: Path | None, title: str | None = None, tally: RunTally | None = None) -> str:
    """The run in a few lines."""
    lines = [headline(summary, title)]
    if summary.answered_by:
        lines.append("  understood by " + ", ".join(f"{name}: {n}" for name, n in summary.answered_by.items()))
    if summary.fallbacks and not (tally is not None and tally.no_llm):
        lines.append("  no model answered, because " + "; ".join(why_no_model(summary)))
    if summary.reasons:
        lines.append("  because " + "; ".join(f"{in_words(why)}: {n}" for why, n in sorted(summary.reasons.items())))
    if tally is not None and (words := counts_text(tally.counts)):
        lines.append(f"  to look at: {words}")
    if summary.usage.input:
        cost = f", ${summary.cost_usd:.4f}" if summary.cost_usd else ", no price" if summary.unpriced else ""
        cost += f" ({summary.price_note})" if summary.price_note else ""
        lines.append(f"  tokens: {summary.usage.input} in, {summary.usage.output} out{cost}")
    if summary.cached:
        lines.append(f"  answers from the cache, at no cost: {summary.cached}")
    if summary.forecast is not None:
        lines.append(f"  {forecast_text(summary.forecast)}")
    elif summary.dry_run and summary.cached:
        lines.append("  forecast: none; no answer was paid for")
    if summary.cluster is not None and summary.cluster.workers:
        lines.append(f"  cluster: {cluster_text(summary.cluster)}")
    if summary.writes.text:
        lines.append(f"  written: {summary.writes.text}")
    if summary.statement is not None and summary.statement.written:
        lines.append(f"  statement: {summary.statement.text}")
    if summary.retry_list:
        lines.append(f"  waiting for a later run: {summary.retry_list}")
    if summary.dead_letters:
        lines.append(f"  left alone after too many failures: {summary.dead_letters}")
    if log is not None:
        lines.append(f"  receipts: {log}")
    return "\n".join(lines)


def headline(summary: RunSummary, title: str | None = None) -> str:
    """The number of tickets by outcome. Those left alone are shown apart, since no limit counts them."""
    title = title or ("Dry run" if summary.dry_run else "Run")
    ended = {name: count for name, count in sorted(summary.outcomes.items()) if name != OutcomeStatus.SKIPPED}
    words = [f"{count} {name}" for name, count in ended.items()]
    if alone := summary.outcomes.get(OutcomeStatus.SKIPPED, 0):
        words.append(f"{alone} left alone")
    if not words or summary.dry_run:
        words += [f"{count} {reason.replace('_', ' ')}" for reason, count in summary.known.items()]
    if not ended and not alone:
        words = ["nothing done" if summary.stopped else "nothing to do", *words]
    return f"{title} {summary.run_id}: {', '.join(words)} ({summary.duration_s:.1f} s)"


def cluster_text(use: ClusterUse) -> str:
    """What a cluster answered, in a sentence, and what ran there."""
    again = f"up to {use.again}" if use.again else "none"
    about = ", ".join(f"{name} {version}" for name, version in use.versions.items())
    counts = f"workers: {use.workers}, threads: {use.threads}, requests answered: {use.answered}"
    return f"{counts}, asked a second time: {again}; {about}"


def counted(found: Mapping[str, int], order: Sequence[str] = ()) -> str:
    """Such as ``billing 30, order 4``: in ``order``, else the most frequent first; the rest of many is summed."""
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    if order:
        ranked = [(name, found[name]) for name in order if name in found]
    words = [f"{name} {count:,}" for name, count in ranked[:MOST_COUNTED]]
    if rest := sum(count for _, count in ranked[MOST_COUNTED:]):
        words.append(f"{len(ranked) - MOST_COUNTED} more {rest:,}")
    return ", ".join(words)


def forecast_text(forecast: Forecast) -> str:
    """What models will cost, in a sentence."""
    priced = forecast.usd_per_ticket is not None
    price = f"${forecast.usd_per_ticket:.6f}" if priced else "no price in the settings"
    words = [f"forecast: {forecast.tokens_per_ticket:.0f} tokens a ticket ({price})"]
    if forecast.tickets_per_day is not None:
        words.append(f"{forecast.tickets_per_day:.0f} tickets a day")
    if forecast.usd_per_month is not None:
        words.append(f"at most ${forecast.usd_per_month:.2f} a month")
    return "; ".join(words)

"""What a run's outcomes come to for people: how many need a look, which these are, and what to do next. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from ..core.models import Outcome, OutcomeStatus
from ..core.reasons import ALREADY_DONE
from ..core.run_summary import RunSummary
from .glossary import why_no_model as said_why

MOST_LISTED = 10
MOST_ESCALATED = 200
"""So many are kept for the alert."""
_MOST_NEXT = 3
ESCALATED, FAILED, SUSPICIOUS, UNSURE = "escalated", "failed", "suspicious", "unsure"
WORTH_A_LOOK = (ESCALATED, FAILED, SUSPICIOUS, UNSURE)


def why_no_model(summary: RunSummary) -> list[str]:
    """Why rules or the classifier answered, in words with their numbers, the most frequent first."""
    words: Counter[str] = Counter()
    for reason, count in summary.fallbacks.items():
        words[said_why(reason, summary.causes.get(reason, ""))] += count
    return [f"{said}: {count}" for said, count in sorted(words.items(), key=lambda item: (-item[1], item[0]))]


@dataclass(frozen=True)
class Seen:
    """An outcome as people see it: with the ticket's redacted subject and its address, where they are known.

    ``why`` holds those of :data:`WORTH_A_LOOK` that are true of it.
    """

    outcome: Outcome
    subject: str = ""
    url: str = ""
    why: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is escalated, in fixed words."""
        return self.outcome.change.escalated if self.outcome.change is not None else ()

    @property
    def number(self) -> int:
        """The ticket's."""
        return self.outcome.ticket_id

    @property
    def features(self) -> frozenset[str]:
        """The things that it shows."""
        analysis = self.outcome.analysis
        of: tuple[str, ...]
        if analysis is None:
            of = (f"left alone: {self.outcome.reason.partition('_')[0]}",)  # machine mail of all kinds shows one thing
        else:
            of = (
                f"category {analysis.category}",
                f"urgency {analysis.urgency}",
                f"mood {analysis.sentiment}",
                f"English: {analysis.language == 'en'}",
            )
        return frozenset((*self.why, *self.reasons, *of))


class Showing(Protocol):
    """A ticket, and the things that it shows."""

    @property
    def number(self) -> int:
        """The ticket's."""

    @property
    def features(self) -> frozenset[str]:
        """In any words, of which equal ones are one thing."""


Shown = TypeVar("Shown", bound=Showing)


def telling(tickets: Sequence[Shown], most: int = MOST_LISTED) -> list[Shown]:
    """The tickets that together show the most features, rare ones first; sorted by number."""
    often = Counter(feature for ticket in tickets for feature in ticket.features)
    left, chosen, known = list(tickets), list[Shown](), set[str]()
    while left and len(chosen) < most:
        best = max(left, key=lambda one: (sum(often[new] ** -0.5 for new in one.features - known), -one.number))
        left.remove(best)
        chosen.append(best)
        known |= best.features
    return sorted(chosen, key=lambda one: one.number)


@dataclass
class RunTally:
    """Takes a run's outcomes as they come; keeps few of them, however long the run.

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
        """Count it; the outcome as people see it. Without ``shown`` a subject is looked up only where it is kept."""
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
        """The first tickets that are worth a look, those that cannot wait at the head."""
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
    """``2 escalated, 1 unsure``; empty when there is nothing to look at. Failures are told elsewhere."""
    return ", ".join(f"{counts[why]:,} {why}" for why in (ESCALATED, UNSURE, SUSPICIOUS) if counts[why])


def again_step(summary: RunSummary) -> list[str]:
    """How to triage a ticket anew, where one was named that is done."""
    if ALREADY_DONE not in summary.reasons:
        return []
    return ["'ticketbot run --ticket NUMBER --again' triages a ticket anew that is done"]


def next_steps(summary: RunSummary, tally: RunTally) -> list[str]:
    """The two or three things that are worth doing now, the most pressing first."""
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

"""Records each outcome of a run in the receipts and the state, and sums them up at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..analysis.chain import NOTHING_TO_READ
from ..audit.receipts import keep_head
from ..core import reasons
from ..core.clock import parse_iso
from ..core.errors import StateUnusable
from ..core.models import Analysis, Outcome, OutcomeStatus, Request, Ticket, Usage
from ..core.run_summary import ClusterUse, Forecast, Latencies, RunRecord, RunSummary
from ..core.service_times import KeptTimes, alarming
from ..helpdesk.ticket_history import Edit
from ..helpdesk.transport import Transport
from ..policy.decide import PRIORITY_OF
from ..policy.reanalysis import MOST_TRIES, in_vain
from ..state.records import FollowUp, Retry, ScheduledReply
from ..state.store import HELPDESK_DATE
from ..tags import REPAIR
from .public_replies import scheduled
from .settlement import Settled
from .shared_faults import SharedFaults
from .verify import WriteVerifier

if TYPE_CHECKING:
    from .context import Parts, RunOptions

Listener = Callable[[Outcome], None]
_DEALT_WITH = (reasons.NOTHING_NEW, reasons.JUDGED, reasons.MARKED_BY_OTHERS)

SHORTEST_SPAN_S = 6 * 3600
"""Seconds that tickets must span for a forecast per day."""
DAY_S = 86_400


class RunHost:
    """What a run asks of the program around it; this one does nothing, and has no ``transport`` to the helpdesk."""

    transport: Transport | None = None

    def saw(self, ticket: Ticket) -> None:
        """Take note of a ticket that was read. For any thread."""

    def check_room(self) -> None:
        """Raise when the disk has too little space for receipts."""

    def upkeep(self, now: float, head: str | None) -> Sequence[str]:
        """Maintain the log, whose end was ``head`` after the last run; returns what failed."""
        return ()

    def prepare(self) -> Sequence[str]:
        """Prepare what the tickets need once the run may begin; returns sentences about it. Not in dry runs."""
        return ()

    def cluster_use(self) -> ClusterUse | None:
        """The run's use of a cluster; ``None`` without one."""
        return None

    def troubles(self) -> Sequence[str]:
        """Sentences on what the run had to do without."""
        return ()


class Recorder:
    """Records outcomes and sums them up. Used by one thread.

    ``verifier`` sees each outcome before the state forgets its verdict.
    """

    def __init__(
        self, parts: Parts, options: RunOptions, listener: Listener, verifier: WriteVerifier, faults: SharedFaults
    ) -> None:
        self._audit = parts.audit
        self._state = parts.state
        self._parts = parts
        self._options = options
        self._listener = listener
        self._verifier = verifier
        self._faults = faults
        self._undecided: dict[Request, dict[int, str]] = {}
        self._outcomes = Counter[str]()
        self._reasons = Counter[str]()
        self._by_analysis = {name: Counter[str]() for name in ("answered_by", "sources", "categories", "fallbacks")}
        self._sums = Counter[str]()
        self._latencies = Latencies()
        self._usage = Usage()
        self._cost = 0.0
        self._paid = 0
        self._new = 0
        self._first, self._last = float("inf"), float("-inf")
        self.remarks: list[str] = []

    @property
    def recorded(self) -> int:
        """Number of recorded outcomes."""
        return sum(self._outcomes.values())

    @property
    def failures(self) -> bool:
        """True if a ticket failed or was given up."""
        return bool(self._outcomes[OutcomeStatus.FAILED] or self._sums["new_dead_letters"])

    @property
    def not_found(self) -> bool:
        """True if a requested ticket does not exist."""
        return bool(self._reasons[reasons.NOT_FOUND])

    def record(self, settled: Settled, waits: str = "") -> None:
        """Write the receipt, then change the state: a crash between the two repeats a line, and loses nothing.

        ``waits`` is why the ticket still waits for a run after this outcome, if it does.
        """
        state, outcome, again = self._state, settled.outcome, False
        self._audit.ticket(outcome)
        if outcome.retry:
            failed = outcome.status is OutcomeStatus.FAILED or outcome.reason.startswith(reasons.INCOMPLETE)
            if failed and outcome.failed_at is not None:
                # The run has to try other tickets before it is known whether the failure counts.
                self._undecided.setdefault(outcome.failed_at, {})[outcome.ticket_id] = outcome.reason
                again = self._keep_for_later(outcome.ticket_id, outcome.reason, failed=False).attempts > 0
            else:
                again = self._keep_for_later(outcome.ticket_id, outcome.reason, failed=failed).attempts > 1
            if outcome.analysis is not None:
                state.cost_is_counted(outcome.ticket_id)
        elif outcome.status is not OutcomeStatus.PLANNED:
            # An answer that changes nothing, or that a person took over, is handled as much as one that was written.
            dealt_with = outcome.change is not None or outcome.reason in _DEALT_WITH
            done = (self._options.run_id, outcome.key) if outcome.key and dealt_with else None
            then = settled.follow_up or self._still_to_put_back(outcome)
            self._verifier.saw(replace(settled, follow_up=then))
            reply = self._scheduled(settled) if self._parts.answers.public else None
            with state.transaction():
                self._note_fallback(outcome)
                if reply is not None:
                    state.schedule_reply(reply)
                state.settled(outcome.ticket_id, done=done, then=then, now=self._parts.clock.now())
                if waits:
                    self._keep_for_later(outcome.ticket_id, waits, failed=False)
        self._sums["newly_failed"] += outcome.status is OutcomeStatus.FAILED and not again
        if (analysis := outcome.analysis) is not None:
            self._keep_service_times(outcome, analysis)
            named = (analysis.model or analysis.source, analysis.source, analysis.category, analysis.why_fallback)
            for counted, name in zip(self._by_analysis.values(), named, strict=True):
                counted.update(() if name is None else (name,))
            self._latencies.add(outcome.latency_ms)
            self._usage = self._usage + analysis.usage
            self._paid += bool(analysis.usage.input or analysis.usage.output)
            self._cost += analysis.cost_usd or 0.0
            self._sums["unpriced"] += bool(analysis.usage.input) and analysis.cost_usd is None
            self._sums["cached"] += analysis.cached
        if outcome.change is not None and self._parts.policy.tag("review") in outcome.change.tags_added:
            self._sums["reviews"] += 1
        if outcome.change is not None and outcome.change.offered is not None and outcome.written:
            self._parts.answers.shown(outcome.change.offered.articles)
        self._count(outcome)

    def _keep_service_times(self, outcome: Outcome, analysis: Analysis) -> None:
        """Keep what is known of a triaged ticket's service times, if anything is; later readings add to it."""
        state, times, number = self._state, outcome.service_times, outcome.ticket_id
        if self._parts.policy.escalation.sla_minutes and (times or state.service_times_of(number) is None):
            kept = KeptTimes(analysis.category, PRIORITY_OF[analysis.urgency], self._parts.clock.now(), times)
            state.keep_service_times(number, kept)

    def _alarming_times(self) -> dict[str, Counter[str]]:
        """Service times at risk and missed ones, by category; nothing where the settings read none."""
        found = {"due_soon": Counter[str](), "overdue": Counter[str]()}
        if minutes := self._parts.policy.escalation.sla_minutes:
            kept = self._state.service_times()
            for category, state in alarming(kept, self._parts.clock.now(), minutes):
                found["due_soon" if state == "at risk" else "overdue"][category] += 1
        return found

    def _count(self, outcome: Outcome) -> None:
        self._outcomes[outcome.status] += 1
        if outcome.status in (OutcomeStatus.SKIPPED, OutcomeStatus.FAILED):
            self._reasons[outcome.reason] += 1
        self._listener(outcome)

    def came(self, ticket: Ticket) -> None:
        """A new ticket has been analysed."""
        created = parse_iso(ticket.created_at)
        self._new += 1
        self._first, self._last = min(self._first, created), max(self._last, created)

    def _forecast(self) -> Forecast | None:
        """The cost, from what was paid and how fast new tickets come in; ``None`` when nothing was paid for."""
        if not self._paid:
            return None
        span = self._last - self._first
        enough = span >= SHORTEST_SPAN_S and self._new > 1
        return Forecast(
            tickets=self._paid,
            tokens_per_ticket=round((self._usage.input + self._usage.output) / self._paid, 1),
            usd_per_ticket=None if self._sums["unpriced"] else round(self._cost / self._paid, 8),
            tickets_per_day=round((self._new - 1) / span * DAY_S, 1) if enough else None,
        )

    def _scheduled(self, settled: Settled) -> ScheduledReply | None:
        outcome = settled.outcome
        noted = outcome.change is not None and outcome.change.note is not None
        return scheduled(outcome, self._state.verdict(outcome.ticket_id), settled.recorded) if noted else None

    def record_reply(self, outcome: Outcome, recorded: Edit | None) -> None:
        """Record the outcome of a public reply or of the status after it, which leaves the ticket's own state."""
        self._audit.ticket(outcome)
        self._verifier.saw(Settled(outcome, recorded=recorded))
        self._count(outcome)

    def _still_to_put_back(self, outcome: Outcome) -> FollowUp | None:
        """The repair of an earlier write that still has to be made after this outcome, if any."""
        kept = self._state.verdict(outcome.ticket_id)
        if kept is None or not kept.puts_back or kept.key == outcome.key or outcome.reason in ("closed", "deleted"):
            return None
        return kept, REPAIR

    def waits_for(self, request: Request) -> bool:
        """True if a ticket of this run waits because this request failed."""
        return bool(self._undecided.get(request))

    def count_failures(self) -> None:
        """Count the run's failures against their tickets, except failures that all tickets share.

        A ticket given up before the request had worked for any other is tried again once it works.
        """
        for request, tickets in self._undecided.items():
            if self._faults.is_shared(request, len(tickets)):
                continue
            for ticket_id, reason in tickets.items():
                proven = request in self._faults.worked
                self._keep_for_later(ticket_id, reason, failed=True, failed_at=request, proven=proven)
        self._undecided.clear()
        self._state.has_worked(*self._faults.worked)

    def _keep_for_later(
        self,
        ticket_id: int,
        reason: str,
        *,
        failed: bool,
        failed_at: Request | None = None,
        proven: bool = False,
    ) -> Retry:
        retry = self._state.retry_later(
            ticket_id,
            reason,
            failed=failed,
            max_attempts=self._options.max_attempts,
            now=self._parts.clock.now(),
            failed_at=failed_at,
            proven=proven,
        )
        if retry.dead:
            self._sums["new_dead_letters"] += 1
            self._audit.alert("dead_letter", ticket_id=ticket_id, reason=reason)
        return retry

    def _note_fallback(self, outcome: Outcome) -> None:
        """Update the list of tickets for a second look."""
        analysis, change, state = outcome.analysis, outcome.change, self._state
        if outcome.reason == reasons.STILL_NO_MODEL:
            if analysis is not None and in_vain(analysis.why_fallback):
                state.tried_in_vain(outcome.ticket_id, MOST_TRIES)
        elif analysis is not None and change is not None and analysis.source != "model":
            worth_a_look = analysis.why_fallback != NOTHING_TO_READ
            verdict = state.verdict(outcome.ticket_id)
            kept = () if verdict is None else (tag for tag in verdict.replaces if tag in change.tags)
            ours = (*kept, *change.tags_added)
            if worth_a_look and self._parts.policy.tag("fallback") in ours:
                state.remember_fallback(outcome.ticket_id, ours)
        elif outcome.reason == reasons.NOTHING_NEW and analysis is not None and analysis.source != "model":
            pass  # the rules say the same of the answer as before, so a model should still be asked
        elif analysis is not None or outcome.reason != reasons.ALREADY_DONE:
            state.forget_fallback(outcome.ticket_id)  # a model has answered, or a person has handled it

    def end(self, summary: RunSummary, begun: float) -> RunSummary:
        """Write the last receipt of a run that began at ``begun`` (Unix seconds), and store the run."""
        parts, options = self._parts, self._options
        summary = self._audit.run_finished(summary)
        head = self._audit.head
        summary = summary.model_copy(update={"log_head": head and str(head)})
        record = RunRecord(
            run_id=summary.run_id,
            kind=options.kind,
            by_hand=options.by_hand,
            started=begun,
            finished=parts.clock.now(),
            summary=summary,
        )
        with suppress(StateUnusable), self._state.transaction():  # a fault of the state was reported before
            self._state.keep_run(record)
            keep_head(self._state, self._audit)
            if (way := parts.host.transport) is not None and way.date is not None:
                self._state.remember(**{HELPDESK_DATE: repr(way.date)})
        return summary

    def sums(self, troubles: Sequence[str]) -> dict[str, Any]:
        """The fields of :class:`RunSummary` that come from here; ``troubles`` are remarks of other parts."""
        times: dict[str, Counter[str]] = {}
        try:
            retries, times = self._state.retries(), self._alarming_times()
        except StateUnusable:
            retries = []  # that is why the run ended, and the summary says so
        dead = sum(item.dead for item in retries)
        chains = [judge.understanding for judge in (self._parts.judge, self._parts.candidate) if judge is not None]
        notes = dict.fromkeys(chain.price_note for chain in chains if chain.price_note)
        return {
            "run_id": self._options.run_id,
            "dry_run": self._options.dry_run,
            "outcomes": dict(self._outcomes),
            "reasons": dict(self._reasons),
            **{name: dict(counted) for name, counted in self._by_analysis.items()},
            **self._sums,
            **times,
            "causes": {
                why: more
                for chain in chains
                for why, more in chain.details.items()
                if more and why in self._by_analysis["fallbacks"]
            },
            "latencies": self._latencies.bands,
            "usage": self._usage,
            "cost_usd": round(self._cost, 6),
            "price_note": "; ".join(notes) if self._cost else "",
            "forecast": self._forecast() if self._options.dry_run else None,
            "retry_list": len(retries) - dead,
            "dead_letters": dead,
            "remarks": (*self.remarks, *troubles),
        }

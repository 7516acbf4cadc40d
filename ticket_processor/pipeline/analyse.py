"""Turns tickets into verdicts: workers analyse and decide, the run's thread collects the results."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..analysis.chain import Understanding
from ..core import reasons, service_times
from ..core.errors import DeadlineReached, Stopping, unexpected
from ..core.models import Analysis, Decision, Outcome, OutcomeStatus, ReplyPlan, Ticket
from ..core.service_times import ServiceTime
from ..core.taxonomy import Taxonomy
from ..policy.decide import PRIORITY_OF, Policy
from ..policy.reanalysis import in_vain, replacing, solved_again
from ..state.records import Verdict
from .fan_out import Stuck
from .select import Work
from .settlement import clean_stamp
from .shared_faults import SharedFaults

if TYPE_CHECKING:
    from .context import Parts, RunOptions

ReplyStep = Literal["reply", "status"]
Understood = tuple[Analysis | None, Decision, int]
"""A worker's analysis of a ticket, if it needs one, its decision, and the milliseconds that both took."""


class Answers:
    """What a run takes from the knowledge base: here nothing. Called from many threads."""

    public = False
    """Whether public replies are sent; if not, announced ones are cancelled."""

    def add(
        self, ticket: Ticket, analysis: Analysis, decision: Decision, *, may_ask: bool = True
    ) -> tuple[Analysis, Decision]:
        """The analysis, with the cost of a draft added, and the decision with articles or a draft.

        With ``may_ask=False`` nothing is searched and no model is asked.
        """
        return analysis, decision

    def shown(self, articles: Sequence[str]) -> None:
        """Count the articles that a written note names."""

    def objection(self, plan: ReplyPlan, step: ReplyStep) -> str | None:
        """A fixed word if the present settings or articles cancel this step of an announced reply, else ``None``.

        Raises :class:`TicketError` if that cannot be found out now.
        """


@dataclass(frozen=True)
class Judge:
    """Understands tickets and decides on them as one settings file says. For any thread."""

    understanding: Understanding
    policy: Policy
    taxonomy: Taxonomy | None = None


class Verdicts:
    """The verdicts of one run. Any thread may call :meth:`understand`; the rest belongs to the run's thread."""

    def __init__(self, parts: Parts, options: RunOptions, faults: SharedFaults) -> None:
        self._parts = parts
        self._options = options
        self._faults = faults
        self._analysed: dict[str, Analysis] = {}
        """Analyses by the key of their work, for tickets whose worker has not returned yet."""

    def understand(self, work: Work) -> Understood:
        """Analyse a ticket and decide what to write on it."""
        started = self._parts.clock.monotonic()
        analysis: Analysis | None = None
        if work.thanks:
            decision = solved_again(work.ticket.id, self._parts.policy)
        else:
            self._analysed[work.key] = understood = self._parts.judge_of(work.ticket.id).understanding(work.ticket)
            analysis, decision = self._decide(work, understood)
        seconds = self._parts.clock.monotonic() - started
        if work.from_webhook:
            self._wait_until_stable(work.ticket, seconds)
        return analysis, decision, round(seconds * 1000)

    def _wait_until_stable(self, ticket: Ticket, since_read_s: float) -> None:
        """Wait until a ticket from a webhook, which has just changed, can be written; not when the run is ending.

        Stamps have whole seconds, so the wait has as well.
        """
        missing = self._options.stable_read_s - (ticket.age_of_stamp or 0.0)
        if 0 < missing <= self._options.stable_read_s:
            with suppress(Stopping, DeadlineReached):
                self._parts.deadline.wait(max(0.0, missing - since_read_s))

    def _decide(self, work: Work, analysis: Analysis, *, may_ask: bool = True) -> tuple[Analysis, Decision]:
        _, due_soon = self._times(work, analysis)
        decision = self._parts.decide(work.ticket.id, analysis, due_soon=due_soon)
        return self._parts.answers.add(work.ticket, analysis, decision, may_ask=may_ask)

    def _times(self, work: Work, analysis: Analysis | None) -> tuple[tuple[ServiceTime, ...], bool]:
        """The ticket's service times, and whether it is escalated for one, by the helpdesk's clock at the read.

        Time alone changes nothing that was written: after the first triage it keeps an escalation, and adds none.
        """
        ticket, policy = work.ticket, self._parts.judge_of(work.ticket.id).policy
        if analysis is None or not ticket.service_times or not policy.escalation.sla_minutes:
            return (), False
        times = service_times.for_priority(ticket.service_times, PRIORITY_OF[analysis.urgency])
        first = work.anew or not (work.replaces or work.reply)
        counts = first or policy.tag("escalated") in work.replaces
        return times, counts and service_times.ends_soon(times, ticket.read_at, policy.escalation.sla_minutes)

    def of(self, work: Work, future: Future[Understood]) -> Verdict | Outcome | None:
        """The verdict on a ticket, or its outcome if there is no verdict; ``None`` if it waits for the next run."""
        known = self._analysed.pop(work.key, None)
        try:
            try:
                analysis, decision, milliseconds = future.result()
            except Stuck:
                # If the draft hangs, the analysis is known already.
                understanding = self._parts.judge_of(work.ticket.id).understanding
                analysis = known or understanding.without_models(work.ticket, "model_hung")
                analysis, decision = self._decide(work, analysis, may_ask=False)
                milliseconds = round(self._options.analysis_timeout_s * 1000)
        except (Stopping, DeadlineReached):
            return None  # the run is ending, and the ticket waits for the next one
        except Exception as error:  # noqa: BLE001 - one ticket's fault must not end the run; it is reported as failed
            return Outcome(
                ticket_id=work.ticket.id,
                status=OutcomeStatus.FAILED,
                reason=unexpected(error),
                retry=True,
                failed_at="analysis",
            )
        self._faults.succeeded("analysis")
        if analysis is not None and (work.replaces or work.reply):
            fell_back_before = self._parts.policy.tag("fallback") in work.replaces
            rules_will_do = work.anew or (work.reply and (fell_back_before or not analysis.fell_back))
            if analysis.source != "model" and not rules_will_do:
                return Outcome(
                    ticket_id=work.ticket.id,
                    status=OutcomeStatus.SKIPPED,
                    reason=reasons.STILL_NO_MODEL,
                    analysis=analysis,
                    customer_reply=work.customer_reply,
                    retry=work.reply and not in_vain(analysis.why_fallback),
                    timings_ms={"analyse": milliseconds, "total": milliseconds},
                )
            decision = replacing(decision, work.ticket, work.replaces, self._parts.policy)
        times, due_soon = self._times(work, analysis)
        clean = clean_stamp(work.ticket, self._options.stable_read_s)
        return Verdict(
            ticket_id=work.ticket.id,
            key=work.key,
            analysis=analysis,
            decision=decision,
            clean_stamp=clean,
            analyse_ms=milliseconds,
            replaces=work.replaces,
            follows=bool(work.replaces) or work.reply or work.anew,
            anew=work.anew,
            earlier_key=work.earlier_key,
            taken_off=work.taken_off if clean else None,
            customer_reply=work.customer_reply,
            service_times=times,
            due_soon=due_soon,
        )

"""The one place that changes tickets: fetch, merge, guarded update, receipt; exactly once, and people win.

What makes it exactly once, although the helpdesk knows no idempotency key for updates:

* One write carries everything, with the stamp it was merged from: it happens whole, or not at all.
* The write carries an in-band key. Before any write to a ticket that has been touched since its creation or
  since it was last known clean, the key is looked for.
* After any doubt (409, timeout, 5xx, crash) the ticket is read first. Marker or key there: done. Otherwise it is
  merged anew from what was read.
* A read is written on only if the helpdesk's clock had moved well past the ticket's stamp, because stamps have
  whole seconds: two edits within one second look the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .audit import AuditLog
from .clock import Clock
from .errors import CannotRun, GroupUnknown, OutcomeUnknown, TicketError, TicketGone, UpdateConflict, UpdateRefused
from .helpdesk import Helpdesk
from .models import Change, Decision, Outcome, OutcomeStatus, TakenOff, Ticket
from .policy import Policy
from .second_look import JUDGED, still_ours
from .state import Open, State, Verdict
from .tags import merge

WRITE_ATTEMPTS = 3
BATCH = 100
ALREADY_DONE = "already_done"
ENDED_STATUSES = ("solved", "closed", "deleted")


class WriteBack:
    """Settles verdicts on the helpdesk, one guarded update each. Used by one thread.

    Many updates in one job would take the place of :meth:`_send`; everything around it stays.
    """

    def __init__(
        self,
        desk: Helpdesk,
        state: State,
        audit: AuditLog,
        clock: Clock,
        policy: Policy,
        *,
        statuses: Iterable[str],
        stable_read_s: float,
        dry_run: bool = False,
    ) -> None:
        self._desk = desk
        self._state = state
        self._audit = audit
        self._clock = clock
        self._policy = policy
        self._statuses = frozenset(statuses)
        self._stable_read_s = stable_read_s
        self._dry_run = dry_run
        self._unknown_groups: set[int] = set()

    def unfinished(self) -> Iterator[Outcome]:
        """Settle what earlier runs analysed and did not finish, sent or not."""
        opened = self._state.unsettled()
        for start in range(0, len(opened), BATCH):
            yield from self._settle_batch(opened[start : start + BATCH])

    def settle(self, verdicts: Sequence[Verdict]) -> Iterator[Outcome]:
        """Bring fresh verdicts to the helpdesk."""
        for verdict in verdicts:
            self._state.keep_verdict(verdict)
        for start in range(0, len(verdicts), BATCH):
            yield from self._settle_batch([Open(verdict) for verdict in verdicts[start : start + BATCH]])

    def _settle_batch(self, batch: Sequence[Open]) -> Iterator[Outcome]:
        tickets = self._desk.fetch([item.verdict.ticket_id for item in batch])
        for item in batch:
            started = self._clock.monotonic()
            outcome = self._settle_one(item, tickets.get(item.verdict.ticket_id))
            write_ms = round((self._clock.monotonic() - started) * 1000)
            analyse_ms = item.verdict.analyse_ms
            timings = {"analyse": analyse_ms, "write": write_ms, "total": analyse_ms + write_ms}
            yield outcome.model_copy(update={"analysis": item.verdict.analysis, "timings_ms": timings})

    def _settle_one(self, item: Open, ticket: Ticket | None) -> Outcome:
        verdict, sent, attempts = item.verdict, list(item.sent), 0
        clean_stamp, doubt = verdict.clean_stamp, ""

        def end(status: OutcomeStatus, reason: str, change: Change | None = None, *, retry: bool = False) -> Outcome:
            return Outcome(
                ticket_id=verdict.ticket_id,
                status=status,
                reason=reason,
                change=change,
                attempts=attempts,
                retry=retry,
            )

        written = OutcomeStatus.SUGGESTED if verdict.decision.suggest_only else OutcomeStatus.UPDATED
        while True:
            if ticket is None:
                return end(OutcomeStatus.SKIPPED, "deleted")
            # Of a second look only its key says that it is done: the marker is there from the first.
            marked = self.marked(ticket) and not verdict.replaces
            if verdict.replaces or (marked and sent) or (not marked and self.may_hold_our_write(ticket, clean_stamp)):
                try:
                    found = self._desk.find_write(ticket.id, verdict.key)
                except TicketError as error:
                    return end(OutcomeStatus.FAILED, str(error), retry=True)
                ours = next((change for change in sent if found and change.intent == found.intent), None)
                if ours is not None:
                    return end(written, "confirmed_by_reading", ours)
                marked = marked or found is not None
            if marked:
                return end(OutcomeStatus.SKIPPED, ALREADY_DONE)
            if (reason := no_longer_new(ticket.status, self._statuses)) is not None:
                return end(OutcomeStatus.SKIPPED, reason)
            if verdict.replaces and not still_ours(ticket, verdict.replaces, self._policy):
                return end(OutcomeStatus.SKIPPED, JUDGED)
            clean_stamp = ticket.updated_at
            if not self.stable(ticket):
                return end(OutcomeStatus.SKIPPED, "deferred_changed_just_now", retry=True)
            try:
                # A follow-up begins with its original's tags; what a person took off a ticket stays off.
                seen_before = (
                    ticket.follow_up or bool(verdict.replaces) or self.may_lack_on_purpose(ticket, verdict.decision)
                )
                unwanted = self._desk.taken_off(ticket.id) if seen_before else TakenOff()
            except TicketError as error:
                return end(OutcomeStatus.FAILED, str(error), retry=True)
            intent = self._audit.new_intent()
            change = merge(ticket, verdict.decision, key=verdict.key, intent=intent, unwanted=unwanted)
            if change.group in self._unknown_groups:
                change = change.model_copy(update={"group": None})
            if self._dry_run:
                return end(OutcomeStatus.PLANNED, verdict.decision.reason, change)
            if attempts >= WRITE_ATTEMPTS:
                return end(OutcomeStatus.FAILED, doubt, retry=True)
            attempts += 1
            sent.append(change)
            try:
                self._send(change)
            except (UpdateConflict, OutcomeUnknown) as error:
                conflict = isinstance(error, UpdateConflict)
                doubt = "changed_again_and_again" if conflict else "no_clear_answer_again_and_again"
                ticket = self._desk.fetch([verdict.ticket_id]).get(verdict.ticket_id)
            except TicketGone as gone:
                return end(OutcomeStatus.SKIPPED, str(gone))
            except GroupUnknown as refused:
                if change.group is None:
                    return end(OutcomeStatus.FAILED, str(refused), retry=True)
                # Nothing happened, so what was read still holds; the rest is worth a write of its own.
                self._unknown_groups.add(change.group)
                doubt = str(refused)
            except UpdateRefused as refused:
                return end(OutcomeStatus.FAILED, str(refused), retry=True)
            else:
                return end(written, verdict.decision.reason, change)

    def _send(self, change: Change) -> None:
        self._audit.intent(change)
        self._state.open_intent(change)
        self._desk.update(change)

    def marked(self, ticket: Ticket) -> bool:
        """Whether the marker tag says: done. On a follow-up it says so of the ticket it was made from."""
        return self._policy.marker in ticket.tags and not ticket.follow_up

    def may_hold_our_write(self, ticket: Ticket, clean_stamp: str | None) -> bool:
        """False when it is certain, without asking, that no write of ours is on the ticket.

        Our writes come at least the stable-read margin after a ticket's last change, so a ticket whose last
        change is its creation holds none.
        """
        return ticket.updated_at != clean_stamp and ticket.seconds_to_last_change >= self._stable_read_s

    def may_lack_on_purpose(self, ticket: Ticket, decision: Decision) -> bool:
        """Whether somebody may have taken off what a category sets on its tickets: the labels of people, not ours."""
        theirs = any(not tag.startswith(self._policy.tag_prefix) for tag in decision.tags)
        return ticket.seconds_to_last_change > 0 and (theirs or decision.group is not None or bool(decision.fields))

    def stable(self, ticket: Ticket) -> bool:
        """True when no edit after this read can carry the stamp that was read."""
        age = ticket.age_of_stamp
        if age is None:
            raise CannotRun("the helpdesk's replies carry no Date header, without which no read can be trusted")
        return age >= self._stable_read_s


def no_longer_new(status: str, statuses: frozenset[str]) -> str | None:
    """Why a ticket of this status is left alone; ``None`` when it is not."""
    if status in statuses:
        return None
    return status if status in ENDED_STATUSES else f"person_was_faster_{status}"

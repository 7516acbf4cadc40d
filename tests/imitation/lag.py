"""An account whose search index lags behind, and whose tickets are read from lagging copies of its database."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ticket_processor.sandbox.clock import SandboxClock
from ticket_processor.sandbox.records import StoredTicket
from ticket_processor.sandbox.store import Store

from .faults import NO_FAULT, JobFault

Version = tuple[float, dict[str, Any], bool]


class LaggingStore(Store):
    """``index_lag`` is the search index's, ``replica_lag`` that of the copies, both in seconds.

    They may be changed at any time, and what is older than the change is then not known. The index shows a ticket of
    ``index_late`` not before so many seconds after its creation. Each reading shows the state of a moment up to
    ``replica_lag`` seconds ago; the moments are rolled, repeatable by ``seed``, so a later reading may show an earlier
    state. ``versions`` holds the tickets' forms with the time each began, as long as there is a lag.
    """

    def __init__(self, clock: SandboxClock, *, seed: int = 0, base_url: str = "") -> None:
        super().__init__(clock, seed=seed, base_url=base_url)
        self.index_lag = self.replica_lag = 0.0
        self.index_late: dict[int, float] = {}
        self.versions: dict[int, list[Version]] = {}
        self.ratings: list[dict[str, Any]] = []
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.signing_secrets: dict[str, str] = {}
        self.job_fault: JobFault = NO_FAULT
        """What goes wrong with the job that the request at hand starts."""
        self._dice = random.Random(f"{seed} replica")

    def create(self, **given: Any) -> StoredTicket:
        with self.lock:
            ticket = super().create(**given)
            self._remember(ticket, ticket.created)
            return ticket

    def _move(self, ticket: StoredTicket, moment: float) -> None:
        super()._move(ticket, moment)
        self._remember(ticket, moment)

    def _remember(self, ticket: StoredTicket, moment: float) -> None:
        lag = max(self.index_lag, self.replica_lag)
        if lag <= 0 and ticket.id not in self.versions:
            return
        versions = self.versions.setdefault(ticket.id, [])
        versions.append((moment, dict(ticket.json), ticket.deleted))
        while len(versions) > 1 and versions[1][0] <= moment - lag:
            del versions[0]

    def read(self, *ticket_ids: int) -> list[StoredTicket]:
        if self.replica_lag <= 0:
            return super().read(*ticket_ids)
        moment = self.now() - self._dice.uniform(0.0, self.replica_lag)
        known = [self.tickets.get(ticket_id) for ticket_id in ticket_ids]
        seen = [self._seen_at(ticket, moment) for ticket in known if ticket is not None]
        return [ticket for ticket in seen if ticket is not None]

    def _seen_at(self, ticket: StoredTicket, moment: float) -> StoredTicket | None:
        """The ticket at a moment, its comments and audits included; ``None`` before it was created or when deleted."""
        if ticket.created > moment:
            return None
        versions = self.versions.get(ticket.id, [])
        forms = [form for form in versions if form[0] <= moment] or versions[:1]
        _, json, deleted = forms[-1] if forms else (moment, ticket.json, ticket.deleted)
        if deleted:
            return None
        audits = [audit for audit in ticket.audits if audit.at <= moment]
        told = {audit.id for audit in audits}
        comments = [comment for comment in ticket.comments if comment["audit_id"] in told]
        return replace(ticket, json=json, audits=audits, comments=comments)

    def indexed(self, ticket: StoredTicket) -> Mapping[str, Any] | None:  # type: ignore[override]
        if self.now() < ticket.created + self.index_late.get(ticket.id, 0.0):
            return None
        moment = self.now() - self.index_lag
        versions = self.versions.get(ticket.id, [])
        if self.index_lag <= 0 or (ticket.changed <= moment and not versions):
            return super().indexed(ticket)
        known = [version for version in versions if version[0] <= moment]
        return None if not known or known[-1][2] else known[-1][1]

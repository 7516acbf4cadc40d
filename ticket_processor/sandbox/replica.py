"""A ticket as a lagging copy of the vendor's database shows it."""

from __future__ import annotations

import random
from dataclasses import replace

from .records import StoredTicket
from .store import Store


class Replica:
    """Where single tickets are read from: each reading shows the state of a moment up to ``replica_lag`` seconds ago.

    The moments are rolled, repeatable by ``seed``, so a later reading may show an earlier state. The caller holds the
    store's lock.
    """

    def __init__(self, store: Store, seed: int) -> None:
        self._store = store
        self._dice = random.Random(f"{seed} replica")

    def read(self, *ticket_ids: int) -> list[StoredTicket]:
        """The tickets that exist, all as of one moment. For looking at only: writes go to the store's own."""
        lag = self._store.replica_lag
        if lag <= 0:
            found = [self._store.living(ticket_id) for ticket_id in ticket_ids]
            return [ticket for ticket in found if ticket is not None]
        moment = self._store.now() - self._dice.uniform(0.0, lag)
        known = [self._store.tickets.get(ticket_id) for ticket_id in ticket_ids]
        seen = [as_of(ticket, moment) for ticket in known if ticket is not None]
        return [ticket for ticket in seen if ticket is not None]


def as_of(ticket: StoredTicket, moment: float) -> StoredTicket | None:
    """The ticket at a moment, its comments and audits included; ``None`` before it was created or when deleted."""
    if ticket.created > moment:
        return None
    forms = [form for form in ticket.versions if form[0] <= moment] or ticket.versions[:1]
    _, json, deleted = forms[-1] if forms else (moment, ticket.json, ticket.deleted)
    if deleted:
        return None
    audits = [audit for audit in ticket.audits if audit.at <= moment]
    told = {audit.id for audit in audits}
    comments = [comment for comment in ticket.comments if comment["audit_id"] in told]
    return replace(ticket, json=json, audits=audits, comments=comments, versions=[])

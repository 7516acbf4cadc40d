"""Plays runs for the server as the command line would: same lock, guards, receipts, budget, alerts.

What depends on the helpdesk is in :func:`doors_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from ..core.clock import Clock, Deadline, SystemClock
from ..core.errors import ConfigError
from ..core.models import Outcome
from ..core.run_summary import RunSummary
from ..monitoring.run_watch import tally_of, tended
from ..reporting.run_words import outcome_line
from ..settings.schema import Settings
from ..wiring import runs
from ..wiring.explain import as_data, fetched, pasted, walk
from ..wiring.ticket_subjects import Subjects
from .app import Asked
from .gate import PUBLIC_SECRET, Doors
from .worker import SOON, Heard

ANALYSIS_S = 120.0
"""How long an analysis for ``/process-ticket`` may take."""
_SHOWN = ("ticket_id", "machine_mail", "chain", "analysis", "decision")


def doors_of(settings: Settings) -> Doors:
    """The endpoints of these settings. Raises :class:`ConfigError` without any secret, and for one that all know."""
    serve, name = settings.serve, settings.helpdesk
    known = {"zendesk": _plain(serve.zendesk_secrets), "freshdesk": _plain(serve.freshdesk_secrets)}
    zendesk, freshdesk = (secrets if vendor == name else () for vendor, secrets in known.items())
    api = _plain(serve.api_tokens)
    if not (zendesk or freshdesk or api or name == "local"):
        raise ConfigError(
            f"set a secret first: {name.upper()}_WEBHOOK_SECRET or TICKETBOT_API_TOKEN; 'ticketbot serve "
            "install-webhook' tells how"
        )
    if PUBLIC_SECRET in zendesk:
        raise ConfigError("ZENDESK_WEBHOOK_SECRET: this is the secret of Zendesk's documentation, which all know")
    return Doors(zendesk, freshdesk, api)


def _plain(secrets: Sequence[SecretStr]) -> tuple[str, ...]:
    return tuple(secret.get_secret_value() for secret in secrets)


class RunPlayer:
    """Plays runs on the account of the settings, and says what became of each ticket. Use from one thread."""

    def __init__(self, settings: Settings, clock: SystemClock, say: Callable[[str], object]) -> None:
        self._settings = settings
        self._clock = clock
        self._say = say

    def told_of(self, ticket_ids: Sequence[int], more: Callable[[], Sequence[int]], heard: Heard) -> RunSummary:
        """A run on just these tickets, and ``more``. It sends alerts if there are addresses, and no heartbeat."""
        silent = not (self._settings.alerts.urls or self._settings.alerts.page_urls)
        asked = runs.RunArguments(kind="webhook", tickets=tuple(ticket_ids), told_of=more)
        return self._played(asked, heard, silent=silent)

    def scheduled(self, told_of: Callable[[], Sequence[int]], heard: Heard) -> RunSummary:
        """The ordinary run, as ``ticketbot run`` plays it."""
        return self._played(runs.RunArguments(told_of=told_of), heard)

    def _played(self, asked: runs.RunArguments, heard: Heard, *, silent: bool = False) -> RunSummary:
        settings, subjects = self._settings, Subjects()
        tally = tally_of(settings, subjects)

        def listen(outcome: Outcome) -> None:
            seen = tally.take(outcome)
            if outcome.reason not in SOON:  # it is no end
                self._say(outcome_line(seen))
            heard(outcome)

        with tended(settings, self._clock, asked.kind, deadline_s=settings.run.deadline_s, silent=silent) as tending:
            finished = runs.play(settings, asked, clock=self._clock, listener=listen, subjects=subjects)
            tending.ended(finished.summary, tally=tally)
        return finished.summary


def analysed(asked: Asked, settings: Settings, clock: Clock) -> Mapping[str, Any]:
    """The analysis of a ticket or a text and what a run would decide, as plain data. Nothing is written."""
    deadline = Deadline(clock, ANALYSIS_S)
    if asked.ticket is not None:
        ticket = fetched(asked.ticket, settings, clock, deadline)
    else:
        ticket = pasted(clock, asked.subject, asked.description or "")
    told = as_data(ticket, walk(ticket, settings, clock, deadline))
    return {name: told[name] for name in _SHOWN}

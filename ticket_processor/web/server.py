"""Serves an application until a stop is asked for: listens, answers what has begun, and ends.

It limits the number of connections. Slow clients are the reverse proxy's business.

Plays runs for the server as the command line would: same lock, guards, receipts, budget, alerts.

What depends on the helpdesk is in :func:`doors_of`.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp

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

MOST_CONNECTIONS = 400
"""More are answered with 503. Processes may usually open 1024 files; the state, the log and models need some, too."""


def place_of(host: str) -> str:
    """A client's address as limits count it; of IPv6 the network, since a household has a whole one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return host


BACKLOG = 1024
ANSWERS_S = 5
"""How long answers may take once a stop was asked for."""
IDLE_S = 75
"""How long a connection stays open without a request: a page that asks for news every minute need not begin anew."""


def listening(host: str, port: int) -> socket.socket:
    """A socket at the address; port 0 picks a free one. Raises :class:`ConfigError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there this option would let two servers share a port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(BACKLOG)  # from now on clients wait, and are not refused
    except (OSError, OverflowError, TypeError) as error:  # a name that can be none is a TypeError
        found.close()
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"--port {port} on {host} cannot be used: {why}") from None
    return found


class Server:
    """The application at a socket, in a thread of its own. Only ``proxies`` may name the client."""

    def __init__(self, app: ASGIApp, at: socket.socket, proxies: Sequence[str] = ()) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                log_level="error",
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                backlog=BACKLOG,
                limit_concurrency=MOST_CONNECTIONS,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=list(proxies),
                timeout_graceful_shutdown=ANSWERS_S,
                timeout_keep_alive=IDLE_S,
            )
        )
        self._thread = threading.Thread(target=self._server.run, args=[[at]], name="server", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Take no more, and give the answers that are due."""
        self._server.should_exit = True
        self._thread.join(ANSWERS_S + 2)


ANALYSIS_S = 120.0
"""How long an analysis for ``/process-ticket`` may take."""
_SHOWN = ("ticket_id", "machine_mail", "chain", "analysis", "decision")


def doors_of(settings: Settings) -> Doors:
    """The endpoints of these settings. Raises :class:`ConfigError` without any secret, and for one that all know."""
    serve, name = settings.serve, settings.helpdesk
    known = {"zendesk": _plain(serve.zendesk_secrets), "freshdesk": _plain(serve.freshdesk_secrets)}
    zendesk, freshdesk = (secrets if vendor == name else () for vendor, secrets in known.items())
    api = _plain(serve.api_tokens)
    freshdesk = api if name == "request-tracker" else freshdesk  # its scrips show the token
    if not (zendesk or freshdesk or api or name == "local"):
        raise ConfigError(
            f"set a secret first: {'' if name == 'request-tracker' else f'{name.upper()}_WEBHOOK_SECRET or '}"
            "TICKETBOT_API_TOKEN; 'ticketbot serve install-webhook' tells how"
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

"""Pings a dead man's switch, such as healthchecks.io: the only alarm for a run that never began.

A run pings its start and then its exit code; both carry the same id, so that overlapping runs are told apart. Nothing
here raises, or takes longer than :data:`PATIENCE_S`.
"""

from __future__ import annotations

import threading
import uuid
from urllib.parse import urlsplit, urlunsplit

import requests

from .. import __version__
from ..analysis.text.outgoing import told
from ..core.bounded_http import BoundedAdapter
from ..core.errors import ExitCode
from ..core.urls import is_loopback

TIMEOUT_S = 5.0
TRIES = 2
PATIENCE_S = TRIES * TIMEOUT_S
START_AFTER_S = 0.3
"""A run that finds another one active is over before this, and is not to be taken for one that began."""
_LARGEST_BODY = 8_000
_TOLD_ONLY = frozenset({ExitCode.LOCKED, ExitCode.INTERRUPTED, ExitCode.TERMINATED})


def ending(exit_code: int) -> str:
    """The ping for an exit code: ``0`` is success, another number failure, ``log`` changes nothing.

    Failed tickets are no failed run: they wait on the retry list, and alerts of their own count them. A run that
    another one kept out, or that a signal ended, says nothing about whether the next one will come.
    """
    if exit_code in _TOLD_ONLY:
        return "log"
    return "0" if exit_code == ExitCode.SOME_FAILED else str(int(exit_code))


class Heartbeat:
    """The pings of one run. ``url`` is a secret; without one nothing is sent. Used by one thread."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._run = uuid.uuid4()
        self._over = threading.Event()
        self._start: threading.Thread | None = None
        self.trouble: str | None = None
        """Why the last ping did not arrive, in words without an address."""

    def start(self) -> None:
        """Tell that a run has begun; in the background, so that it takes no time."""
        self._start = self._in_background("start", "")

    def finish(self, exit_code: int, body: str) -> threading.Thread | None:
        """Tell how it ended, in the background: wait for the thread as long as there is time."""
        self._over.set()
        return self._in_background(ending(exit_code), body)

    def note(self, body: str) -> threading.Thread | None:
        """Leave a line in the switch's log that says nothing of whether all is well."""
        return self._in_background("log", body)

    def _in_background(self, what: str, body: str) -> threading.Thread | None:
        if self._url is None:
            return None
        thread = threading.Thread(target=self._ping, args=[self._url, what, body], name="heartbeat", daemon=True)
        thread.start()
        return thread

    def _ping(self, url: str, what: str, body: str) -> None:
        starts = what == "start"
        if starts and self._over.wait(START_AFTER_S):
            return
        if not starts and self._start is not None:
            self._start.join(1.0)  # the switch takes pings in the order in which they arrive
        for _ in range(TRIES):
            why = _sent(url, what, self._run, body)
            if starts and self._over.is_set():
                return  # once more, and it would tell of a run that never ends; and what counts now is the end
            self.trouble = why
            if why is None:
                return


def _sent(url: str, what: str, run: uuid.UUID, body: str) -> str | None:
    """Ping once; return why that did not arrive, or ``None``."""
    try:
        parts = urlsplit(url)
        query = "&".join(part for part in (parts.query, f"rid={run}") if part)
        address = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{what}", query=query, fragment=""))
        with requests.Session() as session:
            session.trust_env = not is_loopback(address)
            session.auth = lambda request: request  # without one requests would take a password from .netrc
            for scheme in ("https://", "http://"):
                session.mount(scheme, BoundedAdapter(0))  # what it answers is of no interest, and may be long
            reply = session.post(
                address,
                data=told(body).encode("utf-8", "replace")[:_LARGEST_BODY],
                headers={"User-Agent": f"ticketbot/{__version__}", "Content-Type": "text/plain; charset=utf-8"},
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
            return None if reply.status_code < 300 else f"it answered HTTP {reply.status_code}"
    except Exception as error:  # noqa: BLE001 - a traceback would show the address
        return f"it could not be reached ({type(error).__name__})"

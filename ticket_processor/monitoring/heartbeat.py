"""Pings a dead man's switch, such as healthchecks.io: the only alarm for a run that never began.

A run pings its start and then its exit code; both carry the same id, so that overlapping runs are told apart. Nothing
here raises, or takes longer than :data:`PATIENCE_S`.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
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

    def __init__(self, url: str | None, *, run: uuid.UUID | None = None) -> None:
        self._url = url
        self._run = run or uuid.uuid4()
        self._over = threading.Event()
        self._start: threading.Thread | None = None
        self.trouble: str | None = None
        """Why the last ping did not arrive, in words without an address."""

    def start(self) -> None:
        """Tell that a run has begun; in the background, so that it takes no time."""
        if self._url is not None:
            self._start = _thread(self._begun)

    def finish(self, exit_code: int, body: str) -> threading.Thread | None:
        """Tell how it ended, in the background: wait for the thread as long as there is time."""
        self._over.set()
        return None if self._url is None else _thread(lambda: self._ping(ending(exit_code), body, self._start))

    def note(self, body: str) -> threading.Thread | None:
        """Leave a line in the switch's log that says nothing of whether all is well."""
        self._over.set()
        return None if self._url is None else _thread(lambda: self._ping("log", body))

    def _begun(self) -> None:
        if not self._over.wait(START_AFTER_S):
            self._ping("start", "")

    def _ping(self, what: str, body: str, earlier: threading.Thread | None = None) -> None:
        if earlier is not None:
            earlier.join(1.0)  # the switch takes pings in the order in which they arrive
        for _ in range(TRIES):
            why = self._sent(what, body)
            if what == "start" and self._over.is_set():
                return  # once more, and it would tell of a run that never ends; and what counts now is the end
            self.trouble = why
            if why is None:
                return

    def _sent(self, what: str, body: str) -> str | None:
        try:
            address = _address(self._url or "", what, self._run)
            with requests.Session() as session:
                session.trust_env = not is_loopback(address)
                session.auth = _unsigned
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


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without an auth object requests would take a password from ``.netrc``."""
    return request


def _address(url: str, what: str, run: uuid.UUID) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, f"rid={run}") if part)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{what}", query=query, fragment=""))


def _thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name="heartbeat", daemon=True)
    thread.start()
    return thread

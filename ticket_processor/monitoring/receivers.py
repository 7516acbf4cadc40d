"""The receivers of alerts, delivery to them through Apprise, and the pings of a dead man's switch.

Addresses are secrets, which no message, error or log contains. Messages go to all at the same time, within a few
seconds; nothing here raises. The switch, such as healthchecks.io, is the only alarm for a run that never began: a run
pings its start and then its exit code, both with the same id, so that overlapping runs can be distinguished.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import re
import threading
import uuid
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

import requests

from .. import __version__
from ..analysis.text.outgoing import told
from ..core.clock import Clock
from ..core.errors import ExitCode, how_to_install, unexpected
from ..core.http import BoundedAdapter, bound_all_sessions, is_loopback
from ..settings.schema import AlertSettings, apprise_urls
from .memory import Receiver
from .messages import AlertMessage
from .rules import Severity

if TYPE_CHECKING:
    from apprise import NotifyBase


NO_TIME = "it did not answer in time"
NOT_TAKEN = "it could not be reached, or did not take the message"
_WEBHOOKS = ("json", "jsons", "form", "forms", "xml", "xmls")
_TALKATIVE = ("requests", "urllib3", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")


def receivers(settings: AlertSettings) -> list[Receiver]:
    """All receivers in the settings. An address in both lists counts once, with warnings."""
    found: dict[str, Receiver] = {}
    lists = (("TICKETBOT_ALERT_URLS", settings.urls, False), ("TICKETBOT_PAGE_URLS", settings.page_urls, True))
    for variable, urls, critical_only in lists:
        for number, url in enumerate(apprise_urls(urls), start=1):
            kind = url.partition(":")[0].lower()
            name = f"{kind} (no. {number} of {variable})"
            key = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:12]
            found.setdefault(key, Receiver(key, critical_only, kind, name, url))
    return list(found.values())


def package_missing() -> str | None:
    """The sentence for a missing Apprise; ``None`` where it is installed."""
    if importlib.util.find_spec("apprise") is not None:
        return None
    return f"sending alerts needs a package that is not installed: {how_to_install('alerts')}"


class _Listener(logging.Filter):
    """Reads from Apprise's log why a message could not be sent, and suppresses the log, which may contain addresses.

    Only a status number, or a failed connection, is passed on.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        said, heard = record.getMessage(), _HEARD.get([NOT_TAKEN])
        if status := re.search(r"\berror=([1-5]\d\d)\b", said):
            wrong = 400 <= int(status[1]) < 500 and status[1] not in ("408", "429")
            heard[0] = f"it answered HTTP {status[1]}" + (": is its address still right?" if wrong else "")
        elif said.startswith("A Connection error occur"):
            heard[0] = "it could not be reached"
        return False


_HEARD: ContextVar[list[str]] = ContextVar("heard")
"""Why a message did not arrive: a list of one, shared with Apprise's threads."""
_LISTENER = _Listener()


def tame_libraries() -> None:
    """Keep addresses (a webhook's is its password) out of libraries' logs, and limit the replies that they read."""
    bound_all_sessions()
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    apprise = logging.getLogger("apprise")
    apprise.setLevel(logging.WARNING)
    apprise.addFilter(_LISTENER)


def through(url: str, tell: Callable[[NotifyBase], bool | None]) -> str | None:
    """Call ``tell`` with the service at this address; it sends something, and returns whether that succeeded.

    Return why it did not arrive, without an address, or ``None``. Does not raise.
    """
    try:
        from apprise import Apprise, AppriseAsset

        # No pictures from elsewhere, no redirects: a message goes only to the address in the settings.
        name = "ticketbot"
        asset = AppriseAsset(app_id=name, app_desc=name, app_url="", image_url_mask="", http_redirects=False)
        service = Apprise.instantiate(url, asset=asset)
        if service is None:
            return "its address is none that Apprise understands"
        heard = [NOT_TAKEN]
        _HEARD.set(heard)
        arrived = tell(service)
    except Exception as error:  # noqa: BLE001 - a plugin's error must not fail the run, which is over
        return unexpected(error)
    return None if arrived else heard[0]


def _deliver(receiver: Receiver, message: AlertMessage) -> str | None:
    """Send one message; return why it did not arrive, without an address. Does not raise."""

    def tell(service: NotifyBase) -> bool | None:
        from apprise import NotifyFormat

        title, body = message.title, message.body
        if receiver.pages:
            title, body = "", message.line
        elif service.notify_format == NotifyFormat.MARKDOWN:
            body = body.replace("\n", "\n\n")  # or two lines would become one
        return service.notify(body=body, title=title, notify_type=_type(message), body_format=NotifyFormat.TEXT)

    return through(_address(receiver, message), tell)


def _type(message: AlertMessage) -> str:
    if message.what == "over":
        return "success"
    if message.severity is None:
        return "info"
    return "failure" if message.severity is Severity.CRITICAL else "warning"


def _address(receiver: Receiver, message: AlertMessage) -> str:
    """The address with parameters by which PagerDuty finds the incident, or a program the condition."""
    extras: dict[str, str] = {}
    if receiver.pages and message.key:
        extras = {"dedup": message.key, "action": "map"}
    elif receiver.kind in _WEBHOOKS:
        severity = message.severity.value if message.severity else "info"
        extras = {":key": message.key, ":severity": severity, ":what": message.what}
    if not extras:
        return receiver.url
    query = "&".join(f"{quote(name, safe=':')}={quote(value, safe='')}" for name, value in extras.items())
    return f"{receiver.url}{'&' if '?' in receiver.url else '?'}{query}"


@dataclass(frozen=True)
class Sent:
    """The result of one message: ``why`` is ``None`` if it arrived."""

    receiver: Receiver
    message: AlertMessage
    why: str | None = None


def send(post: Sequence[tuple[Receiver, Sequence[AlertMessage]]], seconds: float, clock: Clock) -> list[Sent]:
    """Send all messages within ``seconds``, each once.

    A receiver gets its messages in order, and none after the first that fails. An answer that comes too late counts
    as a failure, and the next run sends the message again.
    """
    results = [[Sent(receiver, message, NO_TIME) for message in messages] for receiver, messages in post]
    if missing := package_missing():
        return [replace(sent, why=missing) for turn in results for sent in turn]
    if any(results):
        tame_libraries()
    ends = clock.monotonic() + seconds

    def deliver(turn: list[Sent]) -> None:
        why: str | None = None
        for place, sent in enumerate(turn):
            if why is None:
                why = _deliver(sent.receiver, sent.message) if clock.monotonic() < ends else NO_TIME
            turn[place] = replace(sent, why=why)

    threads = [threading.Thread(target=deliver, args=[turn], name="alerts", daemon=True) for turn in results if turn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, ends - clock.monotonic()))
    return [sent for turn in results for sent in turn]


TIMEOUT_S = 5.0
TRIES = 2
PATIENCE_S = TRIES * TIMEOUT_S
START_AFTER_S = 0.3
"""Seconds before the ping of the start; a run that finds another one active ends sooner, without a ping."""
_LARGEST_BODY = 8_000
_TOLD_ONLY = frozenset({ExitCode.LOCKED, ExitCode.INTERRUPTED, ExitCode.TERMINATED})


def ending(exit_code: int) -> str:
    """The ping for an exit code: ``0`` is success, another number failure, ``log`` changes nothing.

    Failed tickets do not make a run fail: they wait on the retry list, and other alerts count them. A run that another
    one prevented, or that a signal ended, says nothing about whether the next one will come.
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
        """Ping that a run has begun; in the background, so that it takes no time."""
        self._start = self._in_background("start", "")

    def finish(self, exit_code: int, body: str) -> threading.Thread | None:
        """Ping how it ended, in the background; returns the thread, for which the caller may wait."""
        self._over.set()
        return self._in_background(ending(exit_code), body)

    def note(self, body: str) -> threading.Thread | None:
        """Write a line to the switch's log, which changes nothing about its state."""
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
                return  # the run has ended: a late ping of its start would look like a run that never ends
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
                session.mount(scheme, BoundedAdapter(0))  # its answer is not needed and may be long
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

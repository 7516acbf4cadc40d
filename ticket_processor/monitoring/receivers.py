"""The receivers of alerts, and delivery through Apprise to Slack, Teams, PagerDuty, mail and webhooks.

Their addresses are secrets, which no message, error or log contains. All are sent to at the same time, within a few
seconds; nothing here raises.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import queue
import re
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..core.bounded_http import bound_all_sessions
from ..core.clock import Clock
from ..core.errors import how_to_install, unexpected
from ..settings.schema import AlertSettings, apprise_urls
from .memory import Target
from .messages import AlertMessage
from .rules import Severity

if TYPE_CHECKING:
    from apprise import NotifyBase

NO_TIME = "it did not answer in time"
NOT_TAKEN = "it could not be reached, or did not take the message"
PAGER = "pagerduty"
"""The kind that opens an incident for each message, which has to be closed again: it gets no summaries."""
_WEBHOOKS = ("json", "jsons", "form", "forms", "xml", "xmls")
_TALKATIVE = ("requests", "urllib3", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")


@dataclass(frozen=True)
class Receiver:
    """A target and its address. ``name`` may be shown: the kind of service, and the variable with its address."""

    target: Target
    kind: str
    name: str
    url: str = field(repr=False)

    @property
    def pages(self) -> bool:
        """Whether a message opens an incident."""
        return self.kind == PAGER

    @property
    def hears_all(self) -> bool:
        """Whether it gets escalated tickets and summaries. A pager gets none: nothing would close its incident."""
        return not self.pages and not self.target.critical_only


def receivers(settings: AlertSettings) -> list[Receiver]:
    """All receivers in the settings. An address in both lists counts once, with warnings."""
    found: dict[str, Receiver] = {}
    lists = (("TICKETBOT_ALERT_URLS", settings.urls, False), ("TICKETBOT_PAGE_URLS", settings.page_urls, True))
    for variable, urls, critical_only in lists:
        for number, url in enumerate(apprise_urls(urls), start=1):
            kind = url.partition(":")[0].lower()
            name = f"{kind} (no. {number} of {variable})"
            key = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:12]
            found.setdefault(key, Receiver(Target(key, critical_only), kind, name, url))
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
    waiting = [Sent(receiver, message, NO_TIME) for receiver, messages in post for message in messages]
    if not waiting:
        return []
    if missing := package_missing():
        return [Sent(one.receiver, one.message, missing) for one in waiting]
    tame_libraries()
    ends = clock.monotonic() + seconds
    results: queue.SimpleQueue[Sent | None] = queue.SimpleQueue()

    def deliver(receiver: Receiver, messages: Sequence[AlertMessage]) -> None:
        why: str | None = None
        for message in messages:
            if why is None:
                why = _deliver(receiver, message) if clock.monotonic() < ends else NO_TIME
            results.put(Sent(receiver, message, why))
        results.put(None)

    running = 0
    for receiver, messages in post:
        if messages:
            threading.Thread(target=deliver, args=[receiver, messages], name="alerts", daemon=True).start()
            running += 1
    done: dict[tuple[str, int], Sent] = {}
    while running and (left := ends - clock.monotonic()) > 0:
        try:
            sent = results.get(timeout=left)
        except queue.Empty:
            break
        if sent is None:
            running -= 1
        else:
            done[sent.receiver.name, id(sent.message)] = sent
    return [done.get((one.receiver.name, id(one.message)), one) for one in waiting]

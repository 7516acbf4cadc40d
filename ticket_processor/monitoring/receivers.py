"""The receivers of alerts, and delivery through Apprise to Slack, Teams, PagerDuty, mail and webhooks.

Their addresses are secrets, which no message, error or log contains. All are sent to at the same time, within a few
seconds; nothing here raises. The threads only send; the thread that waits for them decides what counts as sent, so a
late answer changes nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import re
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ..core.bounded_http import bound_all_sessions
from ..core.clock import Clock
from ..core.errors import how_to_install, unexpected
from ..settings.schema import AlertSettings, apprise_urls
from .facts import Severity
from .memory import Target
from .messages import AlertMessage

if TYPE_CHECKING:
    from apprise import NotifyBase

NO_TIME = "it did not answer in time"
TOO_LATE = "there was no time left to send it"
NOT_TAKEN = "it could not be reached, or did not take the message"
PAGERS = ("pagerduty",)
"""Kinds that open an incident for each message, which has to be closed again: they get no summaries."""
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
        return self.kind in PAGERS

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


def package_missing() -> str:
    """The sentence for a missing Apprise."""
    return f"sending alerts needs a package that is not installed: {how_to_install('alerts')}"


def not_understood(everybody: Sequence[Receiver]) -> list[Receiver]:
    """The receivers whose address Apprise does not understand. Raises ``ModuleNotFoundError`` without Apprise."""
    from apprise import Apprise

    tame_libraries()
    return [receiver for receiver in everybody if not _service(Apprise.instantiate, receiver.url)]


def _service(instantiate: Callable[[str], object], url: str) -> bool:
    try:
        return instantiate(url) is not None
    except Exception:  # noqa: BLE001 - a plugin's error may hold the address
        return False


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
        if not urlsplit(receiver.url).path.strip("/"):
            extras |= {"source": message.account or "ticketbot", "component": "ticketbot"}
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

    A receiver gets its messages in order; after the first that fails it gets no more.
    """
    waiting = [(receiver, list(messages)) for receiver, messages in post if messages]
    if not waiting:
        return []
    never = package_missing() if importlib.util.find_spec("apprise") is None else TOO_LATE if seconds <= 0 else None
    if never is not None:
        return [Sent(receiver, message, never) for receiver, messages in waiting for message in messages]
    tame_libraries()
    ends, over = clock.monotonic() + seconds, threading.Event()
    turns: list[tuple[threading.Thread, list[str | None]]] = []
    for receiver, messages in waiting:
        whys: list[str | None] = []
        thread = threading.Thread(
            target=_deliver_all, args=[receiver, messages, whys, over], name="alerts", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            whys.append("no thread could be started to send it")
        turns.append((thread, whys))
    for thread, _ in turns:
        if thread.ident is not None:
            thread.join(max(0.0, ends - clock.monotonic()))
    over.set()
    done: list[Sent] = []
    for (receiver, messages), (_, found) in zip(waiting, turns, strict=True):
        whys = list(found)  # what arrives later counts as not sent, and the next run sends it again
        rest = next((why for why in whys if why is not None), NO_TIME)
        whys += [rest] * (len(messages) - len(whys))
        done += [Sent(receiver, message, why) for message, why in zip(messages, whys, strict=True)]
    return done


def _deliver_all(
    receiver: Receiver, messages: Sequence[AlertMessage], whys: list[str | None], over: threading.Event
) -> None:
    """Send one receiver's messages, and note why each did not arrive; none is begun after the first that fails."""
    for message in messages:
        if over.is_set():
            return
        whys.append(_deliver(receiver, message))
        if whys[-1] is not None:
            return

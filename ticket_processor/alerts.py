"""Whom to tell, and how a message gets there: Slack, Teams, PagerDuty, mail and webhooks, through Apprise.

The targets' addresses are secrets: they are in no message, no error and no log.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from .alert_memory import Target
from .alert_messages import Message
from .alert_view import Severity
from .bounded_http import bound_all_sessions
from .errors import how_to_install, unexpected
from .settings import AlertSettings, apprise_urls

if TYPE_CHECKING:
    from apprise import NotifyBase

NOT_TAKEN = "it could not be reached, or did not take the message"
PAGERS = ("pagerduty",)
"""Kinds where a message opens an incident that has to be closed again: summaries are not for them."""
_WEBHOOKS = ("json", "jsons", "form", "forms", "xml", "xmls")
_TALKATIVE = ("requests", "urllib3", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")


@dataclass(frozen=True)
class Receiver:
    """A target and its address. ``name`` is fit to be shown: the kind of service, and where its address stands."""

    target: Target
    kind: str
    name: str
    url: str = field(repr=False)

    @property
    def pages(self) -> bool:
        """Whether a message opens an incident there."""
        return self.kind in PAGERS


def receivers(settings: AlertSettings) -> list[Receiver]:
    """Everybody who is to be told; one address counts once, as the louder of the two lists has it."""
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
    """What to say where Apprise is not installed."""
    return f"sending alerts needs a package that is not installed: {how_to_install('alerts')}"


def not_understood(everybody: Sequence[Receiver]) -> list[Receiver]:
    """Those whose address Apprise can make nothing of. Nothing is sent. Raises ``ModuleNotFoundError`` without it."""
    from apprise import Apprise

    tame_libraries()
    return [receiver for receiver in everybody if not _service(Apprise.instantiate, receiver.url)]


def _service(instantiate: Callable[[str], object], url: str) -> bool:
    try:
        return instantiate(url) is not None
    except Exception:  # noqa: BLE001 - a plugin's error may hold the address
        return False


class _Listener(logging.Filter):
    """Hears why Apprise could not send something, which it tells its log only, and lets nothing of it through.

    What it tells may hold an address; a status number, or that there was no connection, does not.
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
"""Why what is being sent did not arrive, in a list of one, which Apprise's threads share with who waits for them."""
_LISTENER = _Listener()


def tame_libraries() -> None:
    """From now on libraries write no address into logs, a webhook's being its password, and read no endless reply."""
    bound_all_sessions()
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    apprise = logging.getLogger("apprise")
    apprise.setLevel(logging.WARNING)
    apprise.addFilter(_LISTENER)


def deliver(receiver: Receiver, message: Message) -> str | None:
    """Send one message; why it did not arrive, in words that hold no address. Does not raise."""

    def tell(service: NotifyBase) -> bool | None:
        from apprise import NotifyFormat

        title, body = message.title, message.body
        if receiver.pages and message.line:
            title, body = "", message.line
        elif service.notify_format == NotifyFormat.MARKDOWN:
            body = body.replace("\n", "\n\n")  # or two lines would become one
        return service.notify(body=body, title=title, notify_type=_type(message), body_format=NotifyFormat.TEXT)

    return through(_address(receiver, message), tell)


def through(url: str, tell: Callable[[NotifyBase], bool | None]) -> str | None:
    """Have ``tell`` send something through the service at this address, and be true if that went well.

    Why it did not arrive comes back, in words that hold no address. Does not raise.
    """
    try:
        from apprise import Apprise, AppriseAsset

        # No pictures from elsewhere, no redirects: what is sent goes to the one address that the settings name.
        name = "ticketbot"
        asset = AppriseAsset(app_id=name, app_desc=name, app_url="", image_url_mask="", http_redirects=False)
        service = Apprise.instantiate(url, asset=asset)
        if service is None:
            return "its address is none that Apprise understands"
        heard = [NOT_TAKEN]
        _HEARD.set(heard)
        arrived = tell(service)
    except Exception as error:  # noqa: BLE001 - whatever a service's plugin does, the run has been made and must end well
        return unexpected(error)
    return None if arrived else heard[0]


def _type(message: Message) -> str:
    if message.what == "over":
        return "success"
    if message.severity is None:
        return "info"
    return "failure" if message.severity is Severity.CRITICAL else "warning"


def _address(receiver: Receiver, message: Message) -> str:
    """The address, with what its service needs to find the incident again, or a program the condition."""
    extras: dict[str, str] = {}
    if receiver.pages and message.key:
        extras = {"dedup": message.key, "action": "map"}
        if not urlsplit(receiver.url).path.strip("/"):
            extras |= {"source": message.account or "ticketbot", "component": "ticketbot"}
        shown = {f"+{name}": text for name, text in message.details.items()}
        shown |= {"click": message.link} if message.link else {}
        extras |= {name: text.replace("%", "%25") for name, text in shown.items()}  # these are decoded twice
    elif receiver.kind in _WEBHOOKS:
        severity = message.severity.value if message.severity else "info"
        extras = {":key": message.key, ":severity": severity, ":what": message.what}
    if not extras:
        return receiver.url
    query = "&".join(f"{quote(name, safe=':+')}={quote(value, safe='')}" for name, value in extras.items())
    return f"{receiver.url}{'&' if '?' in receiver.url else '?'}{query}"

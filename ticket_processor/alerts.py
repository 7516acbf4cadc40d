"""Telling people: one sender for Slack, Teams, PagerDuty, mail and webhooks, through Apprise. It never raises.

Every target is sent to at the same time, none for longer than a few seconds, and one that keeps failing is left alone
for half an hour. The targets' addresses are secrets: they are in no message, no error and no log.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from .alert_checks import Severity
from .alert_memory import Owed, Target
from .alert_rules import RULES
from .breaker import Breaker, BreakerMemory
from .clock import Clock, iso
from .config import AlertSettings, apprise_urls
from .errors import unexpected

EXTRA = "sending alerts needs a package that is not installed: pip install 'ticketbot[alerts]'"
NO_TIME = "it did not answer in time"
RESTS = "it failed three times in a row, and is left alone for half an hour"
PAGERS = ("pagerduty",)
"""Kinds where a message opens an incident that has to be closed again: summaries are not for them."""
_WEBHOOKS = ("json", "jsons", "form", "forms", "xml", "xmls")
_TALKATIVE = ("apprise", "requests", "urllib3", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")
_LONGEST = 400
_THRESHOLD, _OPEN_S = 3, 1800.0


@dataclass(frozen=True)
class Message:
    """What is sent. ``key`` names the condition it is about, the same for its begin and its end.

    ``severity`` is ``None`` for what is no alert.
    """

    title: str
    body: str
    severity: Severity | None = None
    key: str = ""
    what: Literal["begun", "worse", "over", "summary", "test"] = "begun"


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


@dataclass(frozen=True)
class Sent:
    """What became of one message: ``why`` is ``None`` when it arrived."""

    receiver: Receiver
    message: Message
    why: str | None = None


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


def not_understood(everybody: Sequence[Receiver]) -> list[Receiver]:
    """Those whose address Apprise can make nothing of. Nothing is sent. Raises ``ModuleNotFoundError`` without it."""
    from apprise import Apprise

    hush_libraries()
    return [receiver for receiver in everybody if not _service(Apprise.instantiate, receiver.url)]


def _service(instantiate: Callable[[str], object], url: str) -> bool:
    try:
        return instantiate(url) is not None
    except Exception:  # noqa: BLE001 - a plugin's error may hold the address
        return False


def plain(text: str) -> str:
    """Words that no service makes a link, a mention or mark-up of, in one line."""
    line = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
    for char, harmless in (("<", "‹"), (">", "›"), ("&", "＆"), ("@", "＠"), ("://", "∶//"), ("](", "] (")):
        line = line.replace(char, harmless)
    # A word joiner: the name reads the same, and is no address any more.
    return re.sub(r"(?:(?<=//)|(?<![\w/\\.-]))((?:[\w-]+\.)+)(?=[A-Za-z]{2,}\b)", lambda name: name[1] + "\u2060", line)


def message_of(news: Owed, account: str, runbook: str) -> Message:
    """What a receiver is told; ``account`` names the desk, and ``runbook`` is where the answer stands."""
    rule = RULES.get(news.rule)
    marks = {"begun": news.severity.value, "worse": f"{news.severity.value}, was a warning", "over": "over"}
    since = iso(news.since)[:16].replace("T", " ") + " UTC"
    told = plain(news.message)[:_LONGEST]
    body = [
        f"It is over. It began at {since}: {told}." if news.what == "over" else f"Since {since}: {told}.",
        "" if news.what == "over" else f"What to do: {runbook}#{news.rule}",
    ]
    return Message(
        title=f"[{marks[news.what]}] {rule.title if rule else news.rule} ({account})",
        body="\n".join(line for line in body if line),
        severity=news.severity,
        key=f"ticketbot/{account}/{news.rule}",
        what=news.what,
    )


class Sender:
    """Sends to receivers at the same time. ``memories`` are their breakers', by id, as an earlier run left them."""

    def __init__(self, clock: Clock, memories: Mapping[str, BreakerMemory] | None = None) -> None:
        self._clock = clock
        self._memories = dict(memories or {})
        self._lock = threading.Lock()

    def send(self, post: Sequence[tuple[Receiver, Sequence[Message]]], seconds: float) -> list[Sent]:
        """Send all of it, within ``seconds``. What one receiver does not take, it is not asked to take twice.

        The order of a receiver's messages is kept, and the first that fails ends its turn.
        """
        results: list[Sent] = []
        waiting = [(receiver, list(messages)) for receiver, messages in post if messages]
        if not waiting:
            return results
        if importlib.util.find_spec("apprise") is None:
            return [Sent(receiver, message, EXTRA) for receiver, messages in waiting for message in messages]
        hush_libraries()
        ends, given_up = self._clock.monotonic() + seconds, threading.Event()
        threads = [
            threading.Thread(target=self._turn, args=(receiver, messages, results, given_up), daemon=True)
            for receiver, messages in waiting
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, ends - self._clock.monotonic()))
        with self._lock:
            given_up.set()
            known = {(sent.receiver.target.id, id(sent.message)): sent for sent in results}
        done = []
        for receiver, messages in waiting:
            mine = [known.get((receiver.target.id, id(message))) for message in messages]
            done += [sent or Sent(receiver, message, NO_TIME) for sent, message in zip(mine, messages, strict=True)]
            if None in mine:
                self._failed(receiver)
        return done

    @property
    def memories(self) -> dict[str, BreakerMemory]:
        """What the breakers have to remember for the next run."""
        with self._lock:
            return dict(self._memories)

    def _turn(
        self, receiver: Receiver, messages: Sequence[Message], results: list[Sent], given_up: threading.Event
    ) -> None:
        """One receiver's messages. After ``given_up`` the rest was told as not sent: it is neither sent nor counted."""
        breaker = self._breaker(receiver)
        admission = breaker.admit()
        why = RESTS if admission is None else None
        for message in messages:
            why = why or _deliver(receiver, message)
            with self._lock:
                if given_up.is_set():
                    return
                results.append(Sent(receiver, message, why))
        if admission is not None:
            (breaker.failure if why else breaker.success)(admission)

    def _failed(self, receiver: Receiver) -> None:
        """Count a turn that did not end."""
        breaker = self._breaker(receiver)
        admission = breaker.admit()
        if admission is not None:
            breaker.failure(admission)

    def _breaker(self, receiver: Receiver) -> Breaker:
        with self._lock:
            memory = self._memories.get(receiver.target.id)
        return Breaker(
            receiver.target.id,
            self._clock,
            threshold=_THRESHOLD,
            open_seconds=_OPEN_S,
            memory=memory,
            on_change=self._keep,
        )

    def _keep(self, target: str, memory: BreakerMemory) -> None:
        with self._lock:
            self._memories[target] = memory


def hush_libraries() -> None:
    """From now on nothing of this process writes addresses into logs: a webhook's address is its password."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _deliver(receiver: Receiver, message: Message) -> str | None:
    """Send one message; why it did not arrive, in words that hold no address."""
    try:
        from apprise import Apprise, AppriseAsset, NotifyFormat

        # No pictures from elsewhere, no redirects: what is sent goes to the one address that the settings name.
        name = "ticketbot"
        asset = AppriseAsset(app_id=name, app_desc=name, app_url="", image_url_mask="", http_redirects=False)
        service = Apprise.instantiate(_address(receiver, message), asset=asset)
        if service is None:
            return "its address is none that Apprise understands"
        arrived = service.notify(
            body=message.body, title=message.title, notify_type=_type(message), body_format=NotifyFormat.TEXT
        )
    except Exception as error:  # noqa: BLE001 - whatever a service's plugin does, the run has been made and must end well
        return unexpected(error)
    return None if arrived else "it could not be reached, or did not take the message"


def _type(message: Message) -> str:
    if message.what == "over":
        return "success"
    if message.severity is None:
        return "info"
    return "failure" if message.severity is Severity.CRITICAL else "warning"


def _address(receiver: Receiver, message: Message) -> str:
    """The address, with what its service needs to find the incident again, or a program the condition."""
    extras: dict[str, str] = {}
    if receiver.kind in PAGERS and message.key:
        extras = {"dedup": message.key, "action": "map"}
    elif receiver.kind in _WEBHOOKS:
        severity = message.severity.value if message.severity else "info"
        extras = {":key": message.key, ":severity": severity, ":what": message.what}
    if not extras:
        return receiver.url
    query = "&".join(f"{quote(name, safe=':')}={quote(value, safe='')}" for name, value in extras.items())
    return f"{receiver.url}{'&' if '?' in receiver.url else '?'}{query}"

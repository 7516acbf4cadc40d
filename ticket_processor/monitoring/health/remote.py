"""Health checks of the helpdesk and the model servers: one cheap request each, and their certificates."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import BaseAdapter

from ...analysis.model_server.connection import MAX_ANSWER_BYTES, Connection, bounded_body, certificates
from ...analysis.model_server.presets import ModelTarget
from ...core import tls
from ...core.clock import Clock, Deadline, iso, parse_iso
from ...core.errors import AnalysisFailed, DeadlineReached, NotAuthorised, RateLimited, TicketbotError
from ...helpdesk.http_messages import Reply
from ...helpdesk.transport import Transport
from ...helpdesk.zendesk_format import error_code, missing_scopes
from ...settings.helpdesks import AccountSettings, FreshdeskSettings, LocalSettings, VendorSettings, ZendeskSettings
from ...wiring.parts import transport_for
from ..run_metrics import DAY_S
from . import freshdesk, zendesk
from . import machine as judged
from .checks import Check, CheckResult, Probe, fail, ok, skipped, warn
from .machine import Credentials

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

ASKING_S = 6.5
"""The time for a server's answer; a check as a whole has a little longer."""
CONNECTING_S = 5.0
SHUTDOWN_WARN_S = 60 * DAY_S
OFFLINE = "left out by --offline"
NO_LIST = ("model_unknown", "model_http_405", "model_http_501")
"""Answers of servers that list no models; they are reachable all the same."""

Judge = Callable[..., Check]


# The helpdesk


@dataclass(frozen=True)
class TicketRead:
    """The result of reading a ticket: the check, and the reply with the times of request and reply (Unix seconds)."""

    check: Check
    reply: Reply | None = None
    sent: float = 0.0
    received: float = 0.0


def ask_helpdesk(account: VendorSettings, transport: Transport, clock: Clock, *, share: float = 1.0) -> TicketRead:
    """Whether the helpdesk answers with these credentials: by a ticket read, since others succeed unsigned.

    ``share`` is the share of the helpdesk's limits that a run may use, for what is told of its pace.
    """
    fresh = isinstance(account, FreshdeskSettings)
    scope = account.oauth_scope if isinstance(account, ZendeskSettings) else ""
    name, where = "helpdesk", f"{transport.name} at {transport.base_url}"
    sent, began = clock.now(), clock.monotonic()
    try:
        reply = transport.request("GET", "/api/v2/tickets", params={"per_page" if fresh else "page[size]": 1})
    except TicketbotError as error:
        problem = _problem(error)
        judge: Judge = warn if isinstance(error, RateLimited) else fail
        said = str(error).removeprefix(f"{where}: ").removeprefix(f"{transport.name}: ")
        if said.startswith(transport.name):
            said = _IN_WORDS.get(problem, said)
        return TicketRead(judge(name, f"{where}: {said}", problem=problem))
    facts: dict[str, object] = {"latency_ms": round((clock.monotonic() - began) * 1000)}
    if reply.status == 403:
        why = error_code(reply) if missing_scopes(reply) else "; let the user of these credentials see tickets"
        told = f"signed in, but reading a ticket gives HTTP 403{why}"
        return TicketRead(fail(name, f"{where}: {told}", problem="forbidden", **facts), reply, sent, clock.now())
    if not reply.ok:
        text = f"{where}: reading a ticket gives HTTP {reply.status}"
        return TicketRead(fail(name, text, problem=f"http_{reply.status}", **facts), reply, sent, clock.now())
    received = clock.now()
    if fresh:
        return TicketRead(freshdesk.of_agent(name, where, transport, reply, facts, share), reply, sent, received)
    return TicketRead(zendesk.of_user(name, where, transport, reply, facts, share, scope), reply, sent, received)


_IN_WORDS = {
    "timeout": "gives no answer in time",
    "unreachable": "cannot connect: check address and network",
}


def _problem(error: TicketbotError) -> str:
    """The kind of failure in a word."""
    kinds: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], str]] = (
        (NotAuthorised, "not_authorised"),
        (RateLimited, "rate_limited"),
        ((DeadlineReached, requests.exceptions.Timeout), "timeout"),
        (requests.exceptions.SSLError, "tls"),
        (requests.exceptions.ConnectionError, "unreachable"),
    )
    for found in (error, error.__cause__):
        for kind, word in kinds:
            if isinstance(found, kind):
                return word
    return "no_answer"


class _Turn(Deadline):
    """A deadline that begins anew with each look, so that a token which was fetched for one serves the next."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__(clock, seconds)
        self._seconds = seconds

    def begin(self) -> None:
        """All of the time is left again."""
        super().__init__(self._clock, self._seconds)


class _Helpdesk:
    """The helpdesk, looked at again and again. What failed is begun from scratch the next time."""

    def __init__(
        self, settings: VendorSettings, clock: Clock, adapter: Callable[[], BaseAdapter] | None, share: float
    ) -> None:
        self._settings = settings
        self._share = share
        self._clock = clock
        self._adapter = adapter
        self._turn = _Turn(clock, ASKING_S)
        self._transport: Transport | None = None

    def look(self) -> CheckResult:
        """Reachable, signed in, how its clock differs from ours, and how long the credentials last."""
        self._turn.begin()
        transport, self._transport = self._transport or self._connected(), None
        try:
            asked = ask_helpdesk(self._settings, transport, self._clock, share=self._share)
            if asked.reply is None:
                why = "not known, since the helpdesk gave no answer"
                return CheckResult((asked.check, skipped("clock", why), _lasting(self._settings, self._clock, why)))
            known = credentials_of(self._settings) != "oauth_token"
            ends = None if known else _end_of_token(transport)
            self._transport = transport
        finally:
            transport.close()
        return CheckResult(
            (
                asked.check,
                judged.clock(asked.sent, asked.received, asked.reply.date),
                judged.credentials(credentials_of(self._settings), ends, self._clock.now()),
            )
        )

    def _connected(self) -> Transport:
        return transport_for(self._settings, self._clock, self._turn, share=1.0, read_only=True, adapter=self._adapter)


def credentials_of(account: VendorSettings) -> Credentials:
    """The way in which ticketbot signs in."""
    if isinstance(account, FreshdeskSettings):
        return "api_key"
    if account.oauth_client_id:
        return "oauth_client"
    return "oauth_token" if account.oauth_token else "api_token"


def _lasting(account: VendorSettings, clock: Clock, why: str) -> Check:
    """How long the credentials last, as far as that is known without the helpdesk."""
    kind = credentials_of(account)
    return skipped("credentials", why) if kind == "oauth_token" else judged.credentials(kind, None, clock.now())


def _end_of_token(transport: Transport) -> float | None:
    """When the OAuth token ends that the transport signs with, in Unix seconds, if it ends and Zendesk says so."""
    try:
        body = transport.request("GET", "/api/v2/oauth/tokens/current").body
        return parse_iso(body["token"]["expires_at"])
    except (TicketbotError, KeyError, TypeError, ValueError):
        return None


def of_helpdesk(
    account: AccountSettings,
    clock: Clock,
    *,
    offline: bool,
    adapter: Callable[[], BaseAdapter] | None = None,
    share: float = 1.0,
) -> Iterator[Probe]:
    """The probes of the helpdesk; ``offline``, those that need no request. ``adapter`` replaces the network.

    ``share`` is that of :func:`ask_helpdesk`.
    """
    names = ("helpdesk", "clock", "credentials")
    if isinstance(account, LocalSettings):
        from . import local  # most need nothing of it

        yield Probe(names, partial(local.look, account))
        return
    if offline:
        checks = (skipped("helpdesk", OFFLINE), skipped("clock", OFFLINE), _lasting(account, clock, OFFLINE))
        yield Probe(names, partial(CheckResult, checks))
        return
    yield Probe(names, _Helpdesk(account, clock, adapter, share).look)
    yield Probe(
        ("certificate",), partial(_certificate, "certificate", account.base_url, _of_requests, fail, clock), warn
    )


# Model servers


def of_models(models: Sequence[ModelTarget], clock: Clock, *, offline: bool) -> Iterator[Probe]:
    """The probes of the model servers, one request for each."""
    if not models:
        why = "no model is configured (TICKETBOT_MODELS): keyword rules answer"
        yield Probe(("models",), partial(CheckResult, (skipped("models", why),)))
    servers: dict[tuple[str, str | None, str | None], list[ModelTarget]] = {}
    for target in models:
        servers.setdefault((target.base_url, target.api_key, target.api_version), []).append(target)
    for server in servers.values():
        names = tuple(_name(target) for target in server)
        if offline:
            yield Probe(names, partial(CheckResult, tuple(skipped(name, OFFLINE) for name in names)))
        else:
            yield Probe(names, partial(_model_server, server, clock), warn)
    for host, url in {urlsplit(target.base_url).netloc: target.base_url for target in models}.items():
        if not offline and url.startswith("https:"):
            name = f"certificate {host}"
            yield Probe((name,), partial(_certificate, name, url, certificates, warn, clock), warn)


def _name(target: ModelTarget) -> str:
    return f"model {target.name}"


def _model_server(server: Sequence[ModelTarget], clock: Clock) -> CheckResult:
    """Whether a server answers, and which of its models it knows. Without it others answer, or the rules: a warning."""
    target = server[0]
    host = urlsplit(target.base_url).netloc
    connection = Connection(target)
    try:
        listed = _models_in(connection.call(_list, seconds=min(ASKING_S, target.timeout_s)))
    except AnalysisFailed as error:
        if error.reason not in NO_LIST:
            known = _IN_WORDS.get(error.reason.removeprefix("model_"))
            reason = error.in_words if known is None else f"{known} ({error.detail})" if error.detail else known
            why = f"{host}: {reason}; its tickets go to the next model, or to the rules"
            return CheckResult(tuple(warn(_name(each), why, problem=error.reason) for each in server))
        listed = None
    finally:
        connection.close()
    return CheckResult(tuple(_listed(each, host, listed, clock.now()) for each in server))


def _listed(target: ModelTarget, host: str, listed: Mapping[str, float | None] | None, now: float) -> Check:
    name = _name(target)
    if listed is None:
        return ok(name, f"{host} answers, and does not tell its models", listed=None)
    ends = listed.get(target.model)
    if ends is not None and ends - now < SHUTDOWN_WARN_S:
        day = iso(ends)[:10]
        return warn(name, f"{host} shuts {target.model} down on {day}: choose another model", listed=True, ends=day)
    if target.model in listed:
        return ok(name, f"{host} answers, and has it", listed=True)
    if target.preset == "openai":
        return warn(
            name, f"{host} answers, and does not list {target.model}: is it retired, or misspelt?", listed=False
        )
    # Azure lists models, not deployments; others answer to more names than they list.
    return ok(name, f"{host} answers, and does not list it under this name, which need not mean anything", listed=False)


def _list(api: OpenAI, timeout: httpx2.Timeout) -> bytes:
    with api.models.with_streaming_response.list(timeout=timeout) as response:
        return bounded_body(response, MAX_ANSWER_BYTES)


def _models_in(body: bytes) -> dict[str, float | None] | None:
    """The models that a server lists, each with the moment (Unix seconds) at which it ends, where that is told."""
    try:
        rows = orjson.loads(body)["data"]
        return {str(row["id"]): _moment(row.get("shutdown_date")) for row in rows}
    except (AttributeError, orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _moment(told: object) -> float | None:
    """A date as text or as Unix seconds: the vendor's pages show both kinds of dates."""
    if isinstance(told, str):
        with suppress(ValueError):
            return parse_iso(told if "T" in told else f"{told}T00:00:00Z")
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) else None


# Certificates


def _certificate(
    name: str, url: str, context: Callable[[], ssl.SSLContext], untrusted: Judge, clock: Clock
) -> CheckResult:
    """When a server's certificate ends, by a connection of its own."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return CheckResult.of(skipped(name, "a server of this machine's own, by http: there is no certificate"))
    if requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)):
        return CheckResult.of(
            skipped(name, "the server is reached through a proxy, which shows its certificate to nobody else")
        )
    try:
        begins, ends = _lifetime(str(parts.hostname), parts.port or 443, context())
    except ssl.SSLCertVerificationError as error:
        return CheckResult.of(untrusted(name, f"the server's certificate is not trusted: {error.verify_message}"))
    except OSError as error:
        return CheckResult.of(skipped(name, f"not known, since there is no connection to the server: {_why(error)}"))
    return CheckResult.of(judged.certificate(name, begins, ends, clock.now()))


def _why(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return _IN_WORDS["timeout"]
    if isinstance(error, socket.gaierror):
        return "its name leads nowhere"
    return error.strerror or type(error).__name__


def _lifetime(host: str, port: int, context: ssl.SSLContext) -> tuple[float, float]:
    with (
        socket.create_connection((host, port), timeout=CONNECTING_S) as connection,
        context.wrap_socket(connection, server_hostname=host) as secured,
    ):
        shown: Mapping[str, Any] = secured.getpeercert() or {}
    return ssl.cert_time_to_seconds(shown["notBefore"]), ssl.cert_time_to_seconds(shown["notAfter"])


def _of_requests() -> ssl.SSLContext:
    """Whom the helpdesk's client trusts."""
    named = (
        os.environ.get("REQUESTS_CA_BUNDLE")
        or os.environ.get("CURL_CA_BUNDLE")
        or requests.utils.DEFAULT_CA_BUNDLE_PATH
    )
    folder = Path(named).is_dir()
    context = ssl.create_default_context(cafile=None if folder else named, capath=named if folder else None)
    context.minimum_version = tls.lowest()
    return context

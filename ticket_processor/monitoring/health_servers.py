"""Health checks of the helpdesk (it answers, our user's rights, our clock, the credentials) and of the model servers.

One cheap request to the helpdesk, and one or two more for the user's rights; one to each model server, for the models
that it lists.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from functools import partial
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import BaseAdapter

from ..analysis.model_server.connection import Connection
from ..analysis.model_server.settings import ModelTarget
from ..core.clock import Clock, Deadline, iso
from ..core.errors import AnalysisFailed, CannotRun, DeadlineReached, NotAuthorised, RateLimited, TicketbotError
from ..helpdesk.transport import Transport
from ..reporting.glossary import span
from ..settings.helpdesks import OAUTH_CLIENT, TOKENS_END, AccountSettings, LocalSettings, SignIn, VendorSettings
from ..wiring.parts import transport_for
from ..wiring.vendors import VENDORS
from .health_checks import ASKING_S, OFFLINE, Check, Probe, fail, ok, skipped, warn
from .rules import TOKENS_WARN_S

CLOCK_WARN_S, CLOCK_FAIL_S = 5.0, 60.0
NAMES = ("helpdesk", "clock", "credentials")
NO_LIST = ("model_unknown", "model_http_405", "model_http_501")
"""Answers of servers that are reachable but list no models."""


def of_helpdesk(
    account: AccountSettings,
    clock: Clock,
    *,
    offline: bool,
    adapter: Callable[[], BaseAdapter] | None = None,
) -> Probe:
    """The probe of the helpdesk; ``offline``, it makes no request. ``adapter`` replaces the network."""
    if isinstance(account, LocalSettings):
        return Probe(NAMES, partial(_local, account))
    if offline:
        unasked = (skipped("helpdesk", OFFLINE), skipped("clock", OFFLINE))
        return Probe(NAMES, lambda: (*unasked, credentials(account.sign_in, clock.now())))
    return Probe(NAMES, partial(_looked_at, account, clock, adapter))


def ask_helpdesk(account: VendorSettings, transport: Transport, clock: Clock) -> tuple[Check, Check | None]:
    """Check that the helpdesk accepts our credentials, by reading a ticket: other requests succeed without them.

    The second check compares its clock with ours; ``None`` if it gave no answer.
    """
    name, where = "helpdesk", f"{transport.name} at {transport.base_url}"
    sent, began = clock.now(), clock.monotonic()
    try:
        reply = transport.request("GET", account.path_of_one, params=account.one)
    except TicketbotError as error:
        judge = warn if isinstance(error, RateLimited) else fail
        return judge(name, f"{where}: {str(error).removeprefix(f'{where}: ')}", problem=_problem(error)), None
    times = clock_check(sent, clock.now(), reply.date)
    facts: dict[str, object] = {"latency_ms": round((clock.monotonic() - began) * 1000)}
    if reply.status == 403:
        why = VENDORS[account.vendor].forbidden(reply) or "; let the user of these credentials see tickets"
        refusal = f"signed in, but reading a ticket gives HTTP 403{why}"
        return fail(name, f"{where}: {refusal}", problem="forbidden", **facts), times
    if not reply.ok:
        text = f"{where}: reading a ticket gives HTTP {reply.status}"
        return fail(name, text, problem=f"http_{reply.status}", **facts), times
    vendor = VENDORS[account.vendor]
    limit, rights = vendor.read_limits(reply.headers).get("account"), vendor.rights(account, transport)
    plan = f", the plan allows {limit.total} requests a minute" if limit is not None else ""
    text = f"{where}: signed in, tickets can be read{plan}{rights.said}"
    if rights.wrong:
        return fail(name, f"{text}; but {rights.wrong}", problem="rights", **facts), times
    if rights.lacking:
        return warn(name, f"{text}; but {rights.lacking}", **facts), times
    return ok(name, text, **facts), times


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


def _looked_at(account: VendorSettings, clock: Clock, adapter: Callable[[], BaseAdapter] | None) -> Sequence[Check]:
    """Check that the helpdesk is reachable and accepts our credentials, how long these last, and its clock."""
    with closing(_connected(account, clock, adapter)) as transport:
        found, times = ask_helpdesk(account, transport, clock)
    times = times or skipped("clock", "not known, since the helpdesk gave no answer")
    return found, times, credentials(account.sign_in, clock.now())


def _connected(account: VendorSettings, clock: Clock, adapter: Callable[[], BaseAdapter] | None) -> Transport:
    return transport_for(account, clock, Deadline(clock, ASKING_S), share=1.0, read_only=True, adapter=adapter)


def _local(account: LocalSettings) -> Sequence[Check]:
    """Check that the local helpdesk can be used; the checks of clock and credentials do not apply."""
    from ..helpdesk.local_store import LocalStore  # runs on other helpdesks load nothing of it

    name, path = "helpdesk", account.file
    try:
        with closing(LocalStore(path, make=False)) as store:
            tickets = sum(store.counts().values())
    except CannotRun as error:
        found = fail(name, str(error), problem="unusable")
    else:
        found = ok(name, f"local helpdesk in {path}: {tickets} tickets, which can be read and written", tickets=tickets)
        if not os.access(path, os.W_OK):
            found = fail(name, f"the local helpdesk in {path} (local.path) cannot be written to", problem="read_only")
    why = "the local helpdesk is a file on this machine"
    return found, skipped("clock", why), skipped("credentials", why)


# Clock and credentials


def clock_check(sent: float, received: float, date: float | None) -> Check:
    """Compare this machine's clock with the ``Date`` of a reply, which has whole seconds. All are Unix seconds."""
    name = "clock"
    if date is None:
        return skipped(name, "the helpdesk's reply holds no date")
    skew = sent - (date + 1) if sent > date + 1 else min(0.0, received - date)
    facts = {"skew_s": round(skew, 1)}
    if abs(skew) < CLOCK_WARN_S:
        return ok(name, "agrees with the helpdesk's", **facts)
    judge = warn if abs(skew) < CLOCK_FAIL_S else fail
    way = "ahead of" if skew > 0 else "behind"
    return judge(name, f"{span(abs(skew))} {way} the helpdesk's; let this machine set its time by the network", **facts)


def credentials(kind: SignIn, now: float) -> Check:
    name = "credentials"
    if kind == "oauth_client":
        return ok(name, "tokens of half an hour are fetched and renewed", kind=kind)
    if kind != "api_token":
        return ok(name, "token, key or password last until they are reset, or the user leaves", kind=kind)
    facts: dict[str, object] = {"kind": kind, "expires": iso(TOKENS_END)}
    left, day = TOKENS_END - now, iso(TOKENS_END)[:10]
    if left <= 0:
        return fail(name, f"the helpdesk's API tokens ended on {day}; {OAUTH_CLIENT}", **facts)
    text = f"the helpdesk's API tokens end on {day}, in {span(left)}"
    if left <= TOKENS_WARN_S:
        return warn(name, f"{text}; {OAUTH_CLIENT}", **facts)
    return ok(name, text, **facts)


# Model servers


def of_models(models: Sequence[ModelTarget], *, offline: bool) -> Iterator[Probe]:
    """The probes of the model servers, one request for each."""
    if not models:
        why = "no model is configured (TICKETBOT_MODELS): keyword rules answer"
        yield Probe(("models",), lambda: [skipped("models", why)])
    servers: dict[tuple[str, str | None], list[ModelTarget]] = {}
    for target in models:
        servers.setdefault((target.base_url, target.api_key), []).append(target)
    for server in servers.values():
        names = tuple(f"model {target.name}" for target in server)
        unasked = [skipped(name, OFFLINE) for name in names]
        look = partial(tuple, unasked) if offline else partial(ask_model_server, server)
        yield Probe(names, look, warn)


def ask_model_server(server: Sequence[ModelTarget]) -> Sequence[Check]:
    """Check that a server answers and lists our models. Failures are warnings, since others or the rules answer."""
    target = server[0]
    host = urlsplit(target.base_url).netloc
    connection = Connection(target)
    try:
        listed = _models_in(connection.post("models", {}, seconds=min(ASKING_S, target.timeout_s)))
    except AnalysisFailed as error:
        if error.reason not in NO_LIST:
            why = f"{host}: {error.in_words}; its tickets go to the next model, or to the rules"
            return [warn(f"model {each.name}", why, problem=error.reason) for each in server]
        listed = None
    finally:
        connection.close()
    return [_listed(each, host, listed) for each in server]


def _listed(target: ModelTarget, host: str, listed: Collection[str] | None) -> Check:
    name = f"model {target.name}"
    if listed is None or target.model in listed:
        return ok(name, f"{host} answers", listed=None if listed is None else True)
    text = f"{host} answers, and does not list {target.model}"
    if target.preset == "openai":
        return warn(name, f"{text}: is it retired, or misspelt?", listed=False)
    # Azure lists models, not deployments; others answer to more names than they list.
    return ok(name, text, listed=False)


def _models_in(body: bytes) -> set[str] | None:
    """The names of the models that a server lists; ``None`` for another answer."""
    try:
        return {str(row["id"]) for row in orjson.loads(body)["data"]}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None

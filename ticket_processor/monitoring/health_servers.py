"""Health checks of the helpdesk (it answers, our user's rights, our clock, the credentials) and of the model servers.

One cheap request to the helpdesk, and one or two more for the user's rights; one to each model server, for the models
that it lists. Facts and their sources: Zendesk's OpenAPI document, ``UserForAdmin`` and
``CustomRoleConfigurationObject``; developers.freshdesk.com/api, "Agents" (currently authenticated agent), "Rate Limit".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import BaseAdapter

from ..analysis.model_server.connection import MAX_ANSWER_BYTES, Connection, bounded_body
from ..analysis.model_server.settings import ModelTarget
from ..core.clock import Clock, Deadline, iso, parse_iso
from ..core.errors import AnalysisFailed, CannotRun, DeadlineReached, NotAuthorised, RateLimited, TicketbotError
from ..helpdesk import freshdesk_format, zendesk_format
from ..helpdesk.http_messages import Reply, mapping
from ..helpdesk.request_tracker_account import lacking
from ..helpdesk.transport import Transport
from ..reporting.glossary import span
from ..settings.helpdesks import (
    AccountSettings,
    FreshdeskSettings,
    LocalSettings,
    RequestTrackerSettings,
    SignIn,
    VendorSettings,
)
from ..wiring.parts import transport_for
from .health_checks import ASKING_S, NO_ANSWER, OFFLINE, Check, Probe, fail, ok, skipped, warn
from .rules import TOKENS_END, TOKENS_WARN_S
from .run_metrics import DAY

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI


CLOCK_WARN_S, CLOCK_FAIL_S = 5.0, 60.0
TOKEN_WARN_S = 14 * DAY
"""Another token is made in a minute."""
LIGHT_AGENT = 1
"""The ``role_type`` of an agent of Zendesk who may not change tickets."""
ALL_TICKETS = 1
"""The scope of an agent of Freshdesk who sees every ticket; others see those of their groups, or their own."""
HELPER = "collaborator"
"""The type of an agent of Freshdesk who may not change tickets."""
NAMES = ("helpdesk", "clock", "credentials")
_SIGN_IN = "create an OAuth client and set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET"
NO_LIST = ("model_unknown", "model_http_405", "model_http_501")
"""Answers of servers that list no models; they are reachable all the same."""


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
        checks = (skipped("helpdesk", OFFLINE), skipped("clock", OFFLINE), _lasting(account, clock, OFFLINE))
        return Probe(NAMES, lambda: checks)
    return Probe(NAMES, partial(_looked_at, account, clock, adapter))


@dataclass(frozen=True)
class TicketRead:
    """The result of reading a ticket: the check, and the reply with the times of request and reply (Unix seconds)."""

    check: Check
    reply: Reply | None = None
    sent: float = 0.0
    received: float = 0.0


def ask_helpdesk(account: VendorSettings, transport: Transport, clock: Clock) -> TicketRead:
    """Whether the helpdesk answers with these credentials: by a ticket read, since others succeed unsigned."""
    name, where = "helpdesk", f"{transport.name} at {transport.base_url}"
    sent, began = clock.now(), clock.monotonic()
    try:
        reply = transport.request("GET", account.path_of_one, params=account.one)
    except TicketbotError as error:
        problem = _problem(error)
        judge = warn if isinstance(error, RateLimited) else fail
        said = str(error).removeprefix(f"{where}: ").removeprefix(f"{transport.name}: ")
        if said.startswith(transport.name):
            said = NO_ANSWER.get(problem, said)
        return TicketRead(judge(name, f"{where}: {said}", problem=problem))
    facts: dict[str, object] = {"latency_ms": round((clock.monotonic() - began) * 1000)}
    if reply.status == 403:
        scopes = zendesk_format.missing_scopes(reply)
        why = zendesk_format.error_code(reply) if scopes else "; let the user of these credentials see tickets"
        told = f"signed in, but reading a ticket gives HTTP 403{why}"
        return TicketRead(fail(name, f"{where}: {told}", problem="forbidden", **facts), reply, sent, clock.now())
    if not reply.ok:
        text = f"{where}: reading a ticket gives HTTP {reply.status}"
        return TicketRead(fail(name, text, problem=f"http_{reply.status}", **facts), reply, sent, clock.now())
    received = clock.now()
    if isinstance(account, RequestTrackerSettings):
        lacks = lacking(transport, account.tags_field)
        text = f"{where}: signed in, tickets can be read"
        found = warn(name, f"{text}; but {'; '.join(lacks)}", **facts) if lacks else ok(name, text, **facts)
        return TicketRead(found, reply, sent, received)
    look = _of_agent if isinstance(account, FreshdeskSettings) else partial(_of_user, account.oauth_scope)
    return TicketRead(look(where, transport, reply, facts), reply, sent, received)


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
    """Reachable, signed in, how its clock differs from ours, and how long the credentials last."""
    with closing(_connected(account, clock, adapter)) as transport:
        asked = ask_helpdesk(account, transport, clock)
        if asked.reply is None:
            why = "not known, since the helpdesk gave no answer"
            return asked.check, skipped("clock", why), _lasting(account, clock, why)
        ends = _end_of_token(transport) if account.sign_in == "oauth_token" else None
        times = clock_check(asked.sent, asked.received, asked.reply.date)
        return asked.check, times, credentials(account.sign_in, ends, clock.now())


def _connected(account: VendorSettings, clock: Clock, adapter: Callable[[], BaseAdapter] | None) -> Transport:
    return transport_for(account, clock, Deadline(clock, ASKING_S), share=1.0, read_only=True, adapter=adapter)


def _lasting(account: VendorSettings, clock: Clock, why: str) -> Check:
    """How long the credentials last, as far as that is known without the helpdesk."""
    kind = account.sign_in
    return skipped("credentials", why) if kind == "oauth_token" else credentials(kind, None, clock.now())


def _end_of_token(transport: Transport) -> float | None:
    """When the OAuth token ends that the transport signs with, in Unix seconds, if it ends and Zendesk says so."""
    try:
        return parse_iso(_asked(transport, "/api/v2/oauth/tokens/current", "token")["expires_at"])
    except (KeyError, TypeError, ValueError):
        return None


def _asked(transport: Transport, path: str, name: str = "") -> Mapping[str, Any]:
    """What is found there, or below ``name`` in that; nothing where it is refused."""
    try:
        reply = transport.request("GET", path)
    except TicketbotError:
        return {}
    found = mapping(reply.body) if reply.ok else {}
    return mapping(found.get(name)) if name else found


# Rights


def _of_user(scope: str, where: str, transport: Transport, reply: Reply, facts: dict[str, object]) -> Check:
    """The check of the helpdesk, whose tickets ``reply`` has shown. One request, or two where the user has a role of
    the account's own. ``scope`` is what an OAuth token was asked to have."""
    name, text = "helpdesk", f"{where}: signed in, tickets can be read"
    limit = zendesk_format.read_limits(reply.headers).get(zendesk_format.ACCOUNT_LIMIT)
    if limit is not None:
        facts["requests_a_minute"] = limit.total
        text += f", the plan allows {limit.total} requests a minute"
    lacking, writes = _ungranted(scope, transport.granted)
    if lacking and not writes:
        return fail(name, f"{text}; but {lacking}", problem="rights", **facts)
    user = _asked(transport, "/api/v2/users/me", "user")
    if not user:
        return ok(name, text, **facts)  # tickets can be read, which is what counts
    role = facts["role"] = user.get("role")
    number = user.get("custom_role_id")
    custom = _asked(transport, f"/api/v2/custom_roles/{number}", "custom_role") if isinstance(number, int) else {}
    allowed = mapping(custom.get("configuration"))
    if (wrong := _wrong(user, allowed)) is not None:
        return fail(name, f"{text}; but this user {wrong}", problem="rights", **facts)
    if lacking:
        return warn(name, f"{text}; but {lacking}", **facts)
    for some in (user.get("ticket_restriction"), allowed.get("ticket_access")):
        if isinstance(some, str) and some != "all":
            seen = f"this user sees only some tickets ({some}): give the user all tickets, or the others are never seen"
            return warn(name, f"{text}; but {seen}", **facts)
    slow = "" if role == "admin" else "; no admin: new tickets come by search, some minutes late"
    return ok(name, f"{text}{slow}", **facts)


def _wrong(user: Mapping[str, Any], allowed: Mapping[str, Any]) -> str | None:
    """Why nothing can be written."""
    reasons = (
        (user.get("id") is None, "is nobody: Zendesk takes the credentials for none; check them"),
        (user.get("suspended") is True, "is suspended"),
        (user.get("role") == "end-user", "is a customer; it has to be an agent"),
        (user.get("role_type") == LIGHT_AGENT, "is a light agent, who may not change tickets; give it an agent's seat"),
        (allowed.get("ticket_editing") is False, "has a role that may not edit tickets"),
        (allowed.get("ticket_tag_editing") is False, "has a role that may not edit tags"),
    )
    return next((why for holds, why in reasons if holds), None)


def _ungranted(asked: str, granted: Collection[str]) -> tuple[str, bool]:
    """What does not work where a token has less than it was asked to have, and whether it may write tickets."""
    have = set(granted)
    writes = not have or not have.isdisjoint({"write", "tickets:write"})
    if not have or all(have & {scope, scope.rpartition(":")[2]} for scope in asked.split()):
        return "", writes
    follows = "runs work, and what needs more, such as 'serve install-webhook', does not"
    if "read" not in have:
        follows = "tickets' audits cannot be read, and runs end with 3"
    if not writes:
        follows = "nothing can be written"
    return f"its token has only the scope '{' '.join(sorted(have))}' of '{asked}': {follows}", writes


def _of_agent(where: str, transport: Transport, reply: Reply, facts: dict[str, object]) -> Check:
    """The check of the helpdesk, whose tickets ``reply`` has shown. One request."""
    name, text = "helpdesk", f"{where}: signed in, tickets can be read"
    limit = freshdesk_format.read_limits(reply.headers).get(freshdesk_format.ACCOUNT_LIMIT)
    if limit is not None:
        facts["credits_a_minute"] = limit.total
        hourly = ", an hour's calls spread over its minutes" if freshdesk_format.is_hourly(reply.headers) else ""
        text += f", the plan allows {limit.total} calls a minute{hourly}"
    agent = _asked(transport, "/api/v2/agents/me")  # where that is refused, tickets can be read all the same
    if agent.get("type") == HELPER:
        return warn(name, f"{text}; but this agent is a collaborator, who may not change tickets", **facts)
    if agent.get("ticket_scope") not in (None, ALL_TICKETS):
        told = "but this agent sees some of them only; give it the scope of all tickets, or the others are never seen"
        return warn(name, f"{text}; {told}", **facts)
    return ok(name, text, **facts)


# For 'ticketbot doctor'


def messaging_among_newest(transport: Transport) -> tuple[int, int]:
    """How many of the account's newest tickets are of messaging or chat, and how many were looked at; one request."""
    params: dict[str, str | int] = {"per_page": 100, "sort_by": "created_at", "sort_order": "desc"}
    try:
        reply = transport.request("GET", "/api/v2/tickets", params=params)
    except TicketbotError:
        return 0, 0
    told = mapping(reply.body).get("tickets")
    rows = [mapping(row) for row in told] if reply.ok and isinstance(told, list) else []
    return sum(map(zendesk_format.is_messaging, rows)), len(rows)


def unhandled_statuses(transport: Transport, open_statuses: Collection[int]) -> tuple[str, ...]:
    """The account's own statuses that count as on hold, such as ``8 (New)``; one request, nothing where refused."""
    try:
        reply = transport.request("GET", "/api/v2/ticket_fields")
    except TicketbotError:
        return ()
    found = freshdesk_format.own_statuses(freshdesk_format.rows_of(reply)) if reply.ok else {}
    return tuple(f"{number} ({name})" for number, name in found.items() if number not in open_statuses)


def _local(account: LocalSettings) -> Sequence[Check]:
    """Whether the helpdesk can be used; the checks of a server's clock and credentials do not apply."""
    why = "the local helpdesk is a file on this machine"
    return _file(account), skipped("clock", why), skipped("credentials", why)


def _file(account: LocalSettings) -> Check:
    from ..helpdesk.local_store import LocalStore  # runs on other helpdesks load nothing of it

    name, path = "helpdesk", account.file
    try:
        with closing(LocalStore(path, make=False)) as store:
            tickets = sum(store.counts()["status"].values())
    except CannotRun as error:
        return fail(name, str(error), problem="unusable")
    if not os.access(path, os.W_OK):
        return fail(name, f"the local helpdesk in {path} (local.path) cannot be written to", problem="read_only")
    return ok(name, f"local helpdesk in {path}: {tickets} tickets, which can be read and written", tickets=tickets)


# Clock and credentials


def clock_check(sent: float, received: float, date: float | None) -> Check:
    """This machine's clock against the ``Date`` of a reply, which is cut to whole seconds. All are Unix seconds."""
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


def credentials(kind: SignIn, expires_at: float | None, now: float) -> Check:
    """How long ticketbot can sign in to the helpdesk. ``expires_at`` is of an OAuth token, where that is known."""
    name = "credentials"
    if kind == "oauth_client":
        return ok(name, "tokens of half an hour are fetched and renewed", kind=kind)
    if kind == "api_key":
        return ok(name, "API key or password last until they are reset, or the user leaves", kind=kind)
    end = TOKENS_END if kind == "api_token" else expires_at
    if end is None:
        return ok(name, "the helpdesk names no day on which the OAuth token ends", kind=kind, expires=None)
    facts: dict[str, object] = {"kind": kind, "expires": iso(end)}
    what = "Zendesk's API tokens" if kind == "api_token" else "the OAuth token"
    left = end - now
    if left <= 0:
        return fail(name, f"{what} ended on {iso(end)[:10]}; {_SIGN_IN}", **facts)
    text = f"{what} end{'' if kind == 'api_token' else 's'} on {iso(end)[:10]}, in {span(left)}"
    if left <= (TOKENS_WARN_S if kind == "api_token" else TOKEN_WARN_S):
        return warn(name, f"{text}; {_SIGN_IN}", **facts)
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
    """Whether a server answers, and which of its models it knows. Without it others answer, or the rules: a warning."""
    target = server[0]
    host = urlsplit(target.base_url).netloc
    connection = Connection(target)
    try:
        listed = _models_in(connection.call(_list, seconds=min(ASKING_S, target.timeout_s)))
    except AnalysisFailed as error:
        if error.reason not in NO_LIST:
            known = NO_ANSWER.get(error.reason.removeprefix("model_"))
            reason = error.in_words if known is None else f"{known} ({error.detail})" if error.detail else known
            why = f"{host}: {reason}; its tickets go to the next model, or to the rules"
            return [warn(f"model {each.name}", why, problem=error.reason) for each in server]
        listed = None
    finally:
        connection.close()
    return [_listed(each, host, listed) for each in server]


def _listed(target: ModelTarget, host: str, listed: Collection[str] | None) -> Check:
    name = f"model {target.name}"
    if listed is None:
        return ok(name, f"{host} answers, and does not tell its models", listed=None)
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


def _models_in(body: bytes) -> set[str] | None:
    """The names of the models that a server lists; ``None`` for another answer."""
    try:
        return {str(row["id"]) for row in orjson.loads(body)["data"]}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None

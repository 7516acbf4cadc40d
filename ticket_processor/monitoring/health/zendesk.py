"""Health of a Zendesk account beyond that it answers: what ticketbot's user may see and change, and the plan's limit.

Facts and their sources: Zendesk's OpenAPI document, ``UserForAdmin`` and ``CustomRoleConfigurationObject``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ...core.errors import TicketbotError
from ...helpdesk.http_messages import Reply
from ...helpdesk.json_values import mapping
from ...helpdesk.transport import Transport
from ...helpdesk.zendesk_format import ACCOUNT_LIMIT, is_messaging, read_limits
from .checks import Check, fail, ok, warn

LIGHT_AGENT = 1
"""The ``role_type`` of an agent who may not change tickets."""
REQUESTS_IN_JOBS, REQUESTS_ONE_BY_ONE = 0.06, 2.0
"""Requests for a ticket (`scripts/bench.py idle-seconds`); one by one: the update, and the reading of its audits."""
UPDATES_A_MINUTE = 100
"""Single updates that an account takes (Zendesk's rate limits, "Update Ticket")."""
_EDITS = {"ticket_editing": "edit tickets", "ticket_tag_editing": "edit tags"}
_SLOW = "no admin: new tickets come by search, some minutes late"


def of_user(
    name: str, where: str, transport: Transport, reply: Reply, facts: dict[str, object], share: float, scope: str
) -> Check:
    """The check of the helpdesk, whose tickets ``reply`` has shown. One request, or two where the user has a role of
    the account's own. ``scope`` is what an OAuth token was asked to have."""
    text = f"{where}: signed in, tickets can be read"
    limit = read_limits(reply.headers).get(ACCOUNT_LIMIT)
    if limit is not None:
        facts["requests_a_minute"] = limit.total
        text += f", {_pace(limit.total, share)}"
    lacking, writes = _ungranted(scope, transport.granted)
    if lacking and not writes:
        return fail(name, f"{text}; but {lacking}", problem="rights", **facts)
    user = _asked(transport, "/api/v2/users/me", "user")
    if not user:
        return ok(name, text, **facts)  # tickets can be read, which is what counts
    role = facts["role"] = user.get("role")
    number = user.get("custom_role_id")
    allowed = _asked(transport, f"/api/v2/custom_roles/{number}", "custom_role") if isinstance(number, int) else {}
    wrong = next(_wrong(user, mapping(allowed.get("configuration"))), None)
    if wrong is not None:
        return fail(name, f"{text}; but this user {wrong}", problem="rights", **facts)
    if lacking:
        return warn(name, f"{text}; but {lacking}", **facts)
    partial = next(_partial(user, mapping(allowed.get("configuration"))), None)
    if partial is not None:
        told = "give the user all tickets, or the others are never seen"
        return warn(name, f"{text}; but this user sees {partial}: {told}", **facts)
    return ok(name, text if role == "admin" else f"{text}; {_SLOW}", **facts)


def _pace(total: int, share: float) -> str:
    single = min(total / REQUESTS_ONE_BY_ONE, UPDATES_A_MINUTE) * share
    return (
        f"the plan allows {total} requests a minute: at run.limit_share = {share:g} about "
        f"{total * share / REQUESTS_IN_JOBS:,.0f} tickets a minute in jobs, {single:,.0f} one by one"
    )


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


def messaging_among_newest(transport: Transport) -> tuple[int, int]:
    """How many of the account's newest tickets are of messaging or chat, and how many were looked at; one request."""
    params: dict[str, str | int] = {"per_page": 100, "sort_by": "created_at", "sort_order": "desc"}
    try:
        reply = transport.request("GET", "/api/v2/tickets", params=params)
    except TicketbotError:
        return 0, 0
    told = mapping(reply.body).get("tickets")
    rows = [mapping(row) for row in told] if reply.ok and isinstance(told, list) else []
    return sum(map(is_messaging, rows)), len(rows)


def _wrong(user: Mapping[str, Any], allowed: Mapping[str, Any]) -> Iterator[str]:
    """Why nothing can be written."""
    if user.get("id") is None:
        yield "is nobody: Zendesk takes the credentials for none; check them"
    if user.get("suspended") is True:
        yield "is suspended"
    if user.get("role") == "end-user":
        yield "is a customer; it has to be an agent"
    if user.get("role_type") == LIGHT_AGENT:
        yield "is a light agent, who may not change tickets; give it an agent's seat"
    yield from (f"has a role that may not {words}" for right, words in _EDITS.items() if allowed.get(right) is False)


def _partial(user: Mapping[str, Any], allowed: Mapping[str, Any]) -> Iterator[str]:
    """Which tickets the user sees, where that is not all of them."""
    restriction, access = user.get("ticket_restriction"), allowed.get("ticket_access")
    if isinstance(restriction, str):
        yield f"only some tickets ({restriction})"
    if isinstance(access, str) and access != "all":
        yield f"only some tickets ({access})"


def _asked(transport: Transport, path: str, name: str) -> Mapping[str, Any]:
    try:
        reply = transport.request("GET", path)
    except TicketbotError:
        return {}
    return mapping(mapping(reply.body).get(name)) if reply.ok else {}

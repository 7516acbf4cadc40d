"""Health of a Freshdesk account beyond that it answers: the agent's rights, and the plan's limit.

Facts and their sources: developers.freshdesk.com/api, "Agents" (currently authenticated agent), "Rate Limit".
"""

from __future__ import annotations

from collections.abc import Collection

from ...core.errors import TicketbotError
from ...helpdesk.freshdesk_format import ACCOUNT_LIMIT, is_hourly, own_statuses, read_limits, rows_of
from ...helpdesk.http_messages import Reply
from ...helpdesk.transport import Transport
from .checks import Check, ok, warn

ALL_TICKETS = 1
"""The scope of an agent who sees every ticket; others see those of their groups, or their own."""
HELPER = "collaborator"
"""The type of an agent who may not change tickets."""


CALLS_A_TICKET = 7.6
"""Calls that a ticket books, with its look, note and update, counted in a run of 300."""


def unhandled_statuses(transport: Transport, open_statuses: Collection[int]) -> tuple[str, ...]:
    """The account's own statuses that count as on hold, such as ``8 (New)``; one request, nothing where refused."""
    try:
        reply = transport.request("GET", "/api/v2/ticket_fields")
    except TicketbotError:
        return ()
    found = own_statuses(rows_of(reply)) if reply.ok else {}
    return tuple(f"{number} ({name})" for number, name in found.items() if number not in open_statuses)


def of_agent(
    name: str, where: str, transport: Transport, reply: Reply, facts: dict[str, object], share: float
) -> Check:
    """The check of the helpdesk, whose tickets ``reply`` has shown. One request."""
    text = f"{where}: signed in, tickets can be read"
    limit = read_limits(reply.headers).get(ACCOUNT_LIMIT)
    if limit is not None:
        facts["credits_a_minute"] = limit.total
        hourly = ", an hour's calls spread over its minutes" if is_hourly(reply.headers) else ""
        text += (
            f", the plan allows {limit.total} calls a minute{hourly}: at run.limit_share = {share:g} about "
            f"{limit.total * share / CALLS_A_TICKET:,.0f} tickets a minute"
        )
    try:
        body = transport.request("GET", "/api/v2/agents/me").body
    except TicketbotError:
        body = None  # tickets can be read, which is what counts
    agent = body if isinstance(body, dict) else {}
    if agent.get("type") == HELPER:
        return warn(name, f"{text}; but this agent is a collaborator, who may not change tickets", **facts)
    if agent.get("ticket_scope") not in (None, ALL_TICKETS):
        told = "but this agent sees some of them only; give it the scope of all tickets, or the others are never seen"
        return warn(name, f"{text}; {told}", **facts)
    return ok(name, text, **facts)

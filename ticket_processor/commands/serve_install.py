"""``ticketbot serve install-webhook``: has the helpdesk call the server, or prints what a person has to do for that."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from ..core.clock import Deadline, SystemClock
from ..core.errors import CannotRun, ConfigError, ExitCode
from ..core.urls import is_loopback, whole_url
from ..helpdesk.http_messages import Effect, Reply
from ..helpdesk.transport import Transport
from ..helpdesk.zendesk_account import listed_rows
from ..settings.schema import Settings
from ..wiring.parts import transport_for
from .screen import Screen

DEADLINE_S = 120.0
NAME = "ticketbot"
EXAMPLE = "https://ticketbot.example.com"
_BODY = {"ticket_id": "{{ticket.id}}", "event": "created"}


class MayNot(Exception):
    """The helpdesk does not let this user do it."""


def install(settings: Settings, clock: SystemClock, screen: Screen, url: str | None) -> int:
    """Create webhook and trigger, and print the secret for ``.env``; or print the steps. Gives the exit code."""
    helpdesk = settings.helpdesk
    if helpdesk == "local":
        raise ConfigError("the local helpdesk sends no webhooks, so there is none to install")
    endpoint = f"{_checked(url)}/webhooks/{helpdesk}"
    if helpdesk == "freshdesk":
        screen.say("\n".join(freshdesk_steps(endpoint, secrets.token_urlsafe(32))))
        return ExitCode.OK
    webhook, rule = zendesk_webhook(endpoint), zendesk_trigger("WEBHOOK-ID", settings.policy.marker)
    if url is None:
        screen.say("\n".join(zendesk_steps(webhook, rule)))
        return ExitCode.OK
    with closing(transport_for(settings.desk, clock, Deadline(clock, DEADLINE_S))) as transport:
        try:
            number, secret, said = _created(transport, webhook, settings.policy.marker)
        except MayNot as why:
            screen.notices([f"{why}: an admin may, and these are the steps"])
            screen.say("\n".join(zendesk_steps(webhook, rule)))
            return ExitCode.CANNOT_RUN
    screen.say("\n".join([*said, f"Put this line into .env, and start 'ticketbot serve' (webhook {number}):", ""]))
    screen.say(f"ZENDESK_WEBHOOK_SECRET={secret}")
    return ExitCode.OK


def zendesk_webhook(endpoint: str) -> dict[str, Any]:
    """The request for a webhook that a trigger may call."""
    return {
        "webhook": {
            "name": NAME,
            "endpoint": endpoint,
            "http_method": "POST",
            "request_format": "json",
            "status": "active",
            "subscriptions": ["conditional_ticket_events"],
        }
    }


def zendesk_trigger(webhook: str, marker: str) -> dict[str, Any]:
    """The request for a trigger that tells of new tickets, but of none with our marker."""
    return {
        "trigger": {
            "title": NAME,
            "description": "Tells ticketbot of new tickets.",
            "conditions": {
                "all": [
                    {"field": "update_type", "operator": "is", "value": "Create"},
                    {"field": "current_tags", "operator": "not_includes", "value": marker},
                ],
                "any": [],
            },
            "actions": [{"field": "notification_webhook", "value": [webhook, json.dumps(_BODY)]}],
        }
    }


def zendesk_steps(webhook: Mapping[str, Any], trigger: Mapping[str, Any]) -> Sequence[str]:
    """The steps in Zendesk's Admin Center."""
    conditions = trigger["trigger"]["conditions"]["all"]
    return (
        "1. Admin Center, Apps and integrations, Webhooks, Create webhook: connect it to 'Trigger or automation'.",
        f"   Endpoint URL: {webhook['webhook']['endpoint']}   Method: POST   Format: JSON   Authentication: none",
        "2. Show its signing secret, and put it into .env: ZENDESK_WEBHOOK_SECRET=...",
        "3. Objects and rules, Business rules, Triggers, Create trigger. It has to meet all of these conditions:",
        f"   Ticket is Created; Tags contain none of the following: {conditions[1]['value']}",
        "   Action: Notify by active webhook, with the JSON body",
        f"   {json.dumps(_BODY)}",
        "4. Start 'ticketbot serve' behind a reverse proxy with TLS at that address.",
    )


def freshdesk_steps(endpoint: str, secret: str) -> Sequence[str]:
    """The steps in Freshdesk: its API does not document how to make a rule with a webhook."""
    body = {"ticket_id": "{{ticket.id}}"}
    return (
        "1. Put this line into .env:",
        f"   FRESHDESK_WEBHOOK_SECRET={secret}",
        "2. Admin, Workflows, Automations, Ticket creation, New rule, without conditions.",
        "3. Action: Trigger webhook. Request type: POST. URL:",
        f"   {endpoint}",
        "4. Add custom headers:",
        f"   X-Ticketbot-Secret: {secret}",
        f"5. Encoding: JSON. Content: Advanced, {json.dumps(body)}",
        "6. Start 'ticketbot serve' behind a reverse proxy with TLS at that address.",
    )


def _created(transport: Transport, webhook: Mapping[str, Any], marker: str) -> tuple[str, str, list[str]]:
    """The webhook's id and secret, and what was done; what is there already stays as it is."""
    said = []
    endpoint = webhook["webhook"]["endpoint"]
    there = _rows(transport, "webhooks")
    found = next((row for row in there if row.get("endpoint") == endpoint), None)
    if found is None:
        found = _made(transport, "webhooks", "webhook", webhook)
        said.append(f"Webhook '{NAME}' created: {endpoint}")
    else:
        said.append("A webhook to this address is there already, and stays as it is.")
    number = str(found["id"])
    if any(_calls(row, number) for row in _rows(transport, "triggers")):
        said.append("A trigger that calls it is there already, and stays as it is.")
    else:
        _made(transport, "triggers", "trigger", zendesk_trigger(number, marker))
        said.append(f"Trigger '{NAME}' created: new tickets without the tag {marker}")
    reply = _allowed(transport.request("GET", f"/api/v2/webhooks/{number}/signing_secret"), "read the signing secret")
    secret = reply.body["signing_secret"]["secret"]
    return number, secret, said


def _rows(transport: Transport, what: str) -> list[Mapping[str, Any]]:
    unread: list[str] = []
    rows = list(listed_rows(transport, what, what, unread))
    if unread:
        raise MayNot(f"this user may not read {what}: {unread[0]}")
    return rows


def _made(transport: Transport, path: str, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
    reply = _allowed(
        transport.request("POST", f"/api/v2/{path}", json=request, effect=Effect.WRITE), f"create a {name}"
    )
    made: dict[str, Any] = reply.body[name]
    return made


def _allowed(reply: Reply, what: str) -> Reply:
    if reply.status in (403, 404):
        raise MayNot(f"this user may not {what}")
    if not reply.ok or not isinstance(reply.body, dict):
        raise CannotRun(f"Zendesk did not let us {what}: it answered {reply.status}")
    return reply


def _calls(trigger: Mapping[str, Any], webhook: str) -> bool:
    return any(
        action.get("field") == "notification_webhook" and str((action.get("value") or [""])[0]) == webhook
        for action in trigger.get("actions") or ()
    )


def _checked(url: str | None) -> str:
    if url is None:
        return EXAMPLE
    try:
        parts = whole_url(url, EXAMPLE)
    except ValueError as error:
        raise ConfigError(f"--url {error}") from None
    if parts.scheme != "https" and not is_loopback(url):
        raise ConfigError("--url must begin with https://, where your reverse proxy answers")
    return url.rstrip("/")

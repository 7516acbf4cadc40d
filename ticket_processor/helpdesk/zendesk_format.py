"""Zendesk's JSON and headers, read and written; pure functions. The calls are in :mod:`ticket_processor.zendesk`."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from ..core.errors import HelpdeskDown, NotePublished, OutcomeUnknown, TicketError
from ..core.models import Change, Priority, Ticket
from .http_messages import (
    Reply,
    field_text,
    mapping,
    mappings,
    sensible,
    string,
    tags_of,
    ticket_number,
    whole_number,
    with_ids,
)
from .protocol import (
    Audience,
    BusinessRule,
    HelpArticle,
    RuleAction,
    RuleCondition,
    RuleKind,
    TicketField,
    Webhook,
)
from .service_times import zendesk_times
from .ticket_history import Edit, changed, left_out
from .transport import Limit

ACCOUNT_LIMIT = "account"
METADATA = "ticketbot"
_PRIORITIES = frozenset(item.value for item in Priority)
_ENDPOINT_LIMIT = re.compile(r"zendesk-rate-?limit-(?P<name>[a-z-]+)$")
_LIMIT_PART = re.compile(r"(total|remaining|resets)\s*=\s*(\d+)")
MESSAGING = frozenset(
    """apple_business_chat business_messaging_slack_connect chat google_business_messages google_rcs instagram_dm
    kakaotalk line messagebird_sms messenger native_messaging sunshine_conversations_api
    sunshine_conversations_facebook_messenger sunshine_conversations_twitter_dm telegram twilio_sms viber wechat
    whatsapp""".split()
)
"""Channels of live conversations, whose first comment is no message (page Via Types; support 5384481026714).
Whether that is so of chat_transcript is unknown."""
_URL = re.compile(r"https?://[^\s<>\"']+")
_QUOTED = re.compile(r'"(?:ticket\.)?(\w+)"')
_PARTS = {"tags": "tags", "priority": "priority", "group_id": "group", "custom_fields": "fields", "comment": "note"}
"""Keys of an update and the parts that they carry."""
_MISSING_SCOPES = re.compile(r"missing the following required scopes: (?P<scopes>[a-z_:]+(?:,? [a-z_:]+)*)")
_SAFE_CODE = re.compile(r"^[A-Za-z][A-Za-z0-9_ ]{0,39}$")


def _told_ticket(said: Mapping[str, Any]) -> object:
    """The number of the ticket that a trigger's own body names, or an event of the ``ticket`` family.

    developer.zendesk.com/api-reference/webhooks/event-types/ticket-events
    """
    kind = said.get("type")
    if not isinstance(kind, str):
        return said.get("ticket_id")
    return mapping(said.get("detail")).get("id") if kind.startswith("zen:event-type:ticket.") else None


WEBHOOK = Webhook(
    _told_ticket,
    signature="x-zendesk-webhook-signature",
    signed_at="x-zendesk-webhook-signature-timestamp",
    names=("x-zendesk-webhook-invocation-id", "x-zendesk-webhook-id"),
    # With this one tests of a webhook are signed that is not saved yet (documentation/webhooks/verifying).
    public_secret="dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==",  # noqa: S106
)


def read_limits(headers: Mapping[str, str]) -> dict[str, Limit]:
    """The limits that Zendesk's reply headers tell, in the 2023 and the 2024 spelling."""
    found: dict[str, Limit] = {}
    lower = {name.lower(): value for name, value in headers.items()}
    total = _number(lower, "ratelimit-limit", "rate-limit", "x-rate-limit")
    remaining = _number(lower, "ratelimit-remaining", "rate-limit-remaining", "x-rate-limit-remaining")
    if total is not None and remaining is not None:
        resets = _number(lower, "ratelimit-reset", "rate-limit-reset")
        found[ACCOUNT_LIMIT] = Limit(total, remaining, None if resets is None else float(resets))
    for name, value in lower.items():
        match = _ENDPOINT_LIMIT.match(name)
        parts = {key: int(number) for key, number in _LIMIT_PART.findall(value)} if match else {}
        if match and {"total", "remaining"} <= parts.keys():
            found[match["name"]] = Limit(parts["total"], parts["remaining"], parts.get("resets"))
    return found


def note_html(note: str) -> str:
    """A plain note as HTML that Zendesk shows as it is: everything escaped, and no placeholder to expand."""
    lines = html.escape(note).replace("{", "&#123;").replace("}", "&#125;").split("\n")
    return "<p>" + "<br>".join(lines) + "</p>"


def reply_html(text: str) -> str:
    """A public reply as HTML, like :func:`note_html`; its addresses, which are the articles', are links."""
    return _URL.sub(r'<a href="\g<0>">\g<0></a>', note_html(text))


def update_body(change: Change) -> dict[str, object]:
    body: dict[str, object] = {
        "tags": list(change.tags),
        "safe_update": True,
        "updated_stamp": change.stamp,
        "metadata": {METADATA: {"key": change.key, "intent": change.intent}},
    }
    if change.priority is not None or "priority" in change.cleared:
        body["priority"] = change.priority and change.priority.value
    if change.group is not None or "group" in change.cleared:
        body["group_id"] = change.group
    if values := change.field_values:
        body["custom_fields"] = [{"id": key, "value": value} for key, value in values.items()]
    if change.note is not None:
        # Left out, "public" would follow the ticket, and e-mail tickets are public.
        body["comment"] = {"html_body": note_html(change.note), "public": False}
    if change.reply is not None:
        body["comment"] = {"html_body": reply_html(change.reply.text), "public": True}
    if change.closing is not None:
        body["status"] = change.closing.status
    return body


def recorded(reply: Reply, change: Change) -> Edit | None:
    """The edit that an update was recorded as. A note that the customer can see ends everything."""
    ticket = reply.body.get("ticket") if isinstance(reply.body, dict) else None
    if not isinstance(ticket, dict) or ticket.get("id") != change.ticket_id:
        raise OutcomeUnknown("the reply to the update is not about this ticket", if_shared=HelpdeskDown)
    audit = reply.body.get("audit")
    try:
        edit = read_edits(audit)[0] if isinstance(audit, dict) else None
    except TicketError as error:
        raise OutcomeUnknown(str(error)) from error
    if edit is not None and edit.comment == "public" and change.reply is None:
        raise NotePublished(
            f"Zendesk made the internal note on ticket {change.ticket_id} public although it was sent as internal"
        )
    dropped = _dropped(reply, ticket, change, edit or Edit(at=""))
    if not dropped:
        return edit
    edit = edit or Edit(at=string(ticket.get("updated_at")), key=change.key, intent=change.intent)
    return edit.model_copy(update={"dropped": dropped})


def _dropped(reply: Reply, ticket: Mapping[str, Any], change: Change, edit: Edit) -> frozenset[str]:
    """What an update with status 200 left out: by its warning, or neither on the ticket nor in the update's record.

    What rules change in the same update is on its record. The header is in the traffic that zenpy has recorded.
    """
    warning = reply.headers.get("x-zendesk-api-warn")
    named = set(_QUOTED.findall(warning)) if warning else set()
    dropped = {part for key, part in _PARTS.items() if key in named}
    tags = ticket.get("tags")
    # What the answer does not tell of counts as there.
    tags = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else change.tags_added
    priority = _priority(ticket["priority"]) if "priority" in ticket else change.priority
    dropped |= left_out(edit, change, tags, priority)
    return frozenset(dropped or ({"other"} if warning else ()))


@sensible("an audit of this ticket makes no sense")
def read_edits(audit: Mapping[str, Any]) -> list[Edit]:
    """One audit in our words: what its author did, and behind it what the account's triggers made of it, if anything.

    Zendesk puts both into one audit and marks the events of triggers. An automation has an audit of its own. Raises
    :class:`TicketError` for an audit that makes no sense.
    """
    events = mappings(audit.get("events"))
    by_rules = [event for event in events if mapping(event.get("via")).get("channel") == "rule"]
    if not by_rules:
        return [_edit(audit, events)]
    theirs = [event for event in events if event not in by_rules]
    rules = {"created_at": audit.get("created_at"), "via": {"channel": "rule"}}
    return [_edit(audit, theirs), _edit(rules, by_rules)]


def _edit(audit: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Edit:
    """The edit that an audit's events make; parts that are missing or of an unknown form are left out."""
    mark = mapping(mapping(mapping(audit.get("metadata")).get("custom")).get(METADATA))
    author, channel = _id(audit.get("author_id")), mapping(audit.get("via")).get("channel")
    by_itself = channel == "rule" or (author is not None and author < 0)  # the system's id is -1
    by_macro = any(event.get("type") == "AgentMacroReference" for event in events)
    way = "rules" if by_itself else "api" if channel == "api" else "macro" if by_macro else "hand"
    facts: dict[str, Any] = {"author": author, "way": way}
    fields: dict[int, tuple[str | None, str | None]] = {}
    for event in events:
        kind, name = event.get("type"), str(event.get("field_name"))
        before, after = event.get("previous_value"), event.get("value")
        if kind == "Comment":
            # A program that hands in a customer's words through the API is the audit's author, and not the comment's.
            facts["author"] = _id(event.get("author_id")) or facts["author"]
            facts["comment"] = "public" if event.get("public") else "internal"
            facts["files"] = bool(event.get("attachments"))
            facts["text"] = string(event.get("plain_body") or event.get("body")) if event.get("public") else ""
        elif kind not in (None, "Change", "Create"):
            continue
        elif name == "tags":
            facts["tags_added"], facts["tags_removed"] = changed(_tag_set(before), _tag_set(after))
        elif name == "priority":
            facts["priority"] = (_priority(before), _priority(after))
        elif name == "group_id":
            facts["group"] = (_id(before), _id(after))
        elif name == "status":
            facts["status"] = (string(before) or None, string(after) or None)
        elif name.isdecimal():
            fields[int(name)] = (field_text(before), field_text(after))
        facts["creation"] = facts.get("creation", False) or kind == "Create"
    return Edit(
        at=string(audit.get("created_at")),
        key=string(mark.get("key")),
        intent=string(mark.get("intent")),
        fields=fields,
        **facts,
    )


def ticket_field(row: Mapping[str, Any]) -> TicketField:
    """A field of the account's tickets, as set-ups are compared with it."""
    options = mappings(row.get("custom_field_options"))
    return TicketField(
        id=row["id"],
        title=str(row.get("title") or ""),
        kind=str(row.get("type") or ""),
        active=row.get("active") is not False,
        system=row.get("removable") is False,
        required=row.get("required") is True,
        options={str(item.get("value")): str(item.get("name")) for item in options},
    )


def read_rule(kind: RuleKind, row: Mapping[str, Any]) -> BusinessRule:
    given = mapping(row.get("conditions"))
    actions = mappings(row.get("actions"))
    return BusinessRule(
        kind=kind,
        id=str(row.get("id")),
        title=string(row.get("title")),
        all_of=tuple(_conditions(given.get("all"))),
        any_of=tuple(_conditions(given.get("any"))),
        actions=tuple(RuleAction(string(item.get("field")), _values(item.get("value"))) for item in actions),
    )


def _conditions(rows: object) -> Iterator[RuleCondition]:
    for item in mappings(rows):
        name, operator = string(item.get("field")) or string(item.get("source")), string(item.get("operator"))
        yield RuleCondition(name, _values(item.get("value")), operator or "is")


def _values(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    texts = (str(each).lower() if isinstance(each, bool) else "" if each is None else str(each) for each in values)
    return tuple(texts) or ("",)


def published(row: Mapping[str, Any], for_customers: Callable[[], Collection[int]]) -> Iterator[HelpArticle]:
    """An article of the Help Center in each language in which it may be read.

    Without a segment it is for everyone; but the list of segments may hold what the single one lacks.
    """
    one, many = row.get("user_segment_id"), row.get("user_segment_ids")
    segments = [*(many if isinstance(many, list) else ()), *(() if one is None else (one,))]
    audience: Audience = "everyone"
    if segments:
        audience = "customers" if any(each in for_customers() for each in segments) else "agents"
    texts = [text for text in mappings(row.get("translations")) if text.get("locale")]
    for text in texts or [row]:
        draft = text.get("draft") or (row.get("draft") and text is row)
        if not (draft or text.get("outdated") or text.get("hidden")):
            yield HelpArticle(
                number=row["id"],
                language=string(text.get("locale") or row.get("locale")).lower(),
                title=str(text.get("title") or row.get("title") or ""),
                url=str(text.get("html_url") or row.get("html_url") or ""),
                audience=audience,
                changed=text.get("edited_at") or text.get("updated_at") or row.get("edited_at"),
                html=str(text.get("body") or ""),
                labels=tuple(map(str, row.get("label_names") or ())),
            )


def people_of(users: object) -> Mapping[int, tuple[str, str]]:
    """Names and addresses by user id, side-loaded with a page of tickets; not every endpoint has them."""
    return {row["id"]: (string(row.get("name")), string(row.get("email"))) for row in with_ids(mappings(users))}


@sensible("Zendesk shows this ticket in a form that cannot be read")
def read_ticket(row: Mapping[str, Any], read_at: float | None, people: Mapping[int, tuple[str, str]]) -> Ticket:
    """A ticket from its row. Raises :class:`TicketError` for a row that makes no sense."""
    via = mapping(row.get("via"))
    source = mapping(via.get("source"))
    origin = mapping(source.get("from"))
    sender = origin.get("address")
    requester = _id(row.get("requester_id"))
    name, address = people.get(requester or 0, ("", ""))
    names = (string(origin.get("name")), name)
    ticket = Ticket(
        id=ticket_number(row),
        subject=string(row.get("subject") or row.get("raw_subject")),
        description=string(row.get("description")),
        status=row.get("status") or "new",
        priority=_priority(row.get("priority")),
        tags=tags_of(row.get("tags")),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        read_at=read_at,
        channel=string(via.get("channel")),
        messaging=row.get("from_messaging_channel") is True or string(via.get("channel")) in MESSAGING,
        sender=string(sender),
        requester=requester,
        requester_address=address,
        names=tuple(dict.fromkeys(name for name in map(str.strip, names) if name)),
        follow_up=source.get("rel") == "follow_up",
        group=_id(row.get("group_id")),
        assignee=_id(row.get("assignee_id")),
        brand=_id(row.get("brand_id")),
        organization=_id(row.get("organization_id")),
        fields=_filled_in(row.get("custom_fields") or row.get("fields")),
        service_times=tuple(zendesk_times(row)),
    )
    _ = ticket.seconds_to_last_change  # dates that are none fail here
    return ticket


def _priority(value: object) -> Priority | None:
    return Priority(value) if isinstance(value, str) and value in _PRIORITIES else None


def _id(value: object) -> int | None:
    """A number; in audits some are written as text."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return whole_number(value)


def _filled_in(fields: object) -> dict[int, str]:
    """The custom fields that hold something."""
    found = {row["id"]: field_text(row.get("value")) for row in with_ids(mappings(fields))}
    return {key: value for key, value in found.items() if value is not None}


def _tag_set(value: object) -> set[str]:
    """Tags in an audit: a list in most, a text with spaces between them in some."""
    if isinstance(value, str):
        return set(value.split())
    return {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()


def _number(headers: Mapping[str, str], *names: str) -> int | None:
    for name in names:
        value = headers.get(name, "").strip()
        if value.isdigit():
            return int(value)
    return None


def goes_on(reply: Reply) -> bool:
    """Whether there is a page behind this one."""
    return bool(mapping(mapping(reply.body).get("meta")).get("has_more"))


def missing_scopes(reply: Reply) -> str:
    """The scopes that a 403 says the token lacks, with spaces between; empty where it says nothing of scopes.

    The sentence is Zendesk's, as public clients have recorded it.
    """
    found = _MISSING_SCOPES.search(str(reply.body)) if reply.status == 403 else None
    return found["scopes"].replace(",", " ").strip() if found else ""


def error_code(reply: Reply) -> str:
    """The error's fixed code word, fit for a log. Descriptions may quote a ticket, so they are not used.

    The one that names missing scopes is known, and told with what to do.
    """
    if scopes := missing_scopes(reply):
        return f"; the token lacks the scope '{scopes}': see zendesk.oauth_scope"
    error = mapping(reply.body).get("error")
    if isinstance(error, dict):
        error = error.get("title")
    if error is None:
        error = next((item.get("code") for item in mappings(mapping(reply.body).get("errors"))), None)
    return f", {error}" if isinstance(error, str) and _SAFE_CODE.match(error) else ""

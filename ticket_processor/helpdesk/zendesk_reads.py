"""Reads of a Zendesk account: pages, made smaller where they are too long; what it has besides tickets, such as tags,
fields, groups, people, rules and articles; how to sign in, and what our user may do.

Facts and their sources: developer.zendesk.com, "OAuth migration" (API tokens end: OAuth ``client_credentials`` is the
way to sign in), "Ticket Fields", "Tags", "Groups", "Pagination", "Users" (search), "User Identities", "Tickets" (list
requested), "Search" (export), "Triggers", "Automations", "Conditions reference", "Actions reference", "Help Center API:
Articles", "Translations", "User segments" (all are listed: the incremental export is silent about deleted ones). A
drop-down's value is a tag too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, partial
from itertools import islice
from typing import Any

from ..core.errors import CannotRun, ConfigError, HelpdeskDown, NotAuthorised, TicketError, TicketUnreadable
from ..core.models import Ticket
from .http_messages import Reply, mapping, string, tickets_of, whole_number, with_ids
from .protocol import (
    BY_TICKET,
    NO_USER,
    AccountLabels,
    BusinessRule,
    HelpArticle,
    Requesters,
    Rights,
    RuleKind,
    TicketField,
    WithTroubles,
)
from .transport import Transport, shown
from .zendesk_format import (
    ACCOUNT_LIMIT,
    goes_on,
    people_of,
    published,
    read_rule,
    read_ticket,
    ticket_field,
)

Params = dict[str, str | int]
Refused = Callable[[Reply, str], Exception | None]
ALL_NAMELESS = 3
"""From so many rows on, none of which has a ticket's number, it is the answer that is at fault."""
MAX_PAGE_BYTES = 12_000_000
"""Of a page of tickets: a thousand mostly have 3 to 8 MB. While one page is read, another is held."""
MOST_TAGS = 2_000
"""The tags come most used first; those behind sort hardly a ticket."""
MOST_ARTICLE_BYTES = 60_000_000
"""Of a page of a hundred articles with their translations."""


class LabelsForbidden(CannotRun):
    """This user may not read these labels (HTTP 403)."""


def _refused(reply: Reply, words: str) -> Exception:
    error = LabelsForbidden if reply.status == 403 else CannotRun
    return error(f"Zendesk refuses to show its {words} (HTTP {reply.status})")


class ZendeskReads(WithTroubles):
    """GET requests to one account. Thread-safe, as its transport is."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport

    def get(
        self,
        path: str,
        params: Mapping[str, str | int],
        limits: Collection[str] = (ACCOUNT_LIMIT,),
        most: int | None = None,
        *,
        about_one: bool = False,
    ) -> Reply:
        """One answer of at most ``most`` bytes; with ``about_one`` what it lacks is a fault of its tickets."""
        reply = self._transport.request(
            "GET", "/api/v2" + path, params=params, limits=limits, most=most, about_one=about_one
        )
        if about_one and reply.ok and not isinstance(reply.body, dict):
            raise TicketUnreadable("Zendesk's answer is no JSON object")
        return reply

    def page(
        self,
        path: str,
        params: Params,
        size: str,
        limits: Collection[str] = (ACCOUNT_LIMIT,),
        most: int | None = MAX_PAGE_BYTES,
        *,
        about_one: bool = False,
    ) -> Reply:
        """One page of a list. If it is too long to be read, ``params[size]`` becomes a tenth, for later pages too."""
        while True:
            try:
                return self.get(path, params, limits, most, about_one=about_one)
            except (HelpdeskDown, TicketUnreadable) as error:
                if not error.too_long or int(params.get(size, 1)) == 1:
                    raise
                params[size] = max(1, int(params[size]) // 10)

    def listed(
        self,
        path: str,
        params: Params | None = None,
        *,
        name: str = "",
        limits: Collection[str] = (ACCOUNT_LIMIT,),
        most: int | None = None,
        about_one: bool = False,
        refused: Refused = _refused,
    ) -> Iterator[tuple[list[Any], Reply]]:
        """The rows of a list, a page at a time, each with its answer; ``params`` ask for the next one from then on.

        ``name`` is the list's in an answer, where that is not the path's end. Raises :class:`LabelsForbidden` (HTTP
        403) and :class:`CannotRun`, or what ``refused`` makes of a refusal; where that is nothing, there are no rows.
        """
        params = {"page[size]": 100} if params is None else params
        name = name or path.rpartition("/")[2]
        words, fault = name.replace("_", " "), TicketUnreadable if about_one else HelpdeskDown
        while True:
            reply = self.page(path, params, "page[size]", limits, most, about_one=about_one)
            if not reply.ok:
                if (error := refused(reply, words)) is not None:
                    raise error
                return
            rows = mapping(reply.body).get(name)
            if not isinstance(rows, list):
                raise fault(f"Zendesk's answer holds no list of {words}")
            yield rows, reply
            after = str(mapping(reply.body.get("meta")).get("after_cursor") or "")
            if "page" in params and reply.body.get("next_page"):
                params["page"] = int(params["page"]) + 1
            elif not goes_on(reply):
                return
            elif after in ("", params.get("page[after]")):
                raise fault(f"Zendesk's list of {words} repeats a cursor before its end; nothing is lost, try later")
            else:
                params["page[after]"] = after

    def tickets(self, reply: Reply, field: str = "tickets") -> tuple[tuple[Ticket, ...], dict[int, TicketError]]:
        """The tickets of an answer, and those of its rows that make no sense."""
        rows = body_of(reply).get(field)
        if not isinstance(rows, list):
            raise HelpdeskDown("Zendesk's answer holds no list of tickets")
        people = people_of(body_of(reply).get("users"))
        read = partial(read_ticket, read_at=reply.date, people=people)
        tickets, unread, nameless = tickets_of([*map(mapping, rows)], "Zendesk", read)
        if len(rows) >= ALL_NAMELESS and not tickets and not unread:
            raise HelpdeskDown("Zendesk's answer holds not one ticket with its number")
        if nameless:
            self.report(nameless)
        return tickets, unread


def body_of(reply: Reply) -> dict[str, Any]:
    """The answer's object. Raises :class:`HelpdeskDown` for anything else."""
    if not isinstance(reply.body, dict):
        raise HelpdeskDown("Zendesk's answer is no JSON object")
    return reply.body


def rows_of(transport: Transport, path: str, params: Params | None = None, **how: Any) -> Iterator[dict[str, Any]]:
    """The rows of a list over all its pages, see :meth:`ZendeskReads.listed`."""
    for rows, _ in ZendeskReads(transport).listed(path, params, **how):
        yield from (row for row in rows if isinstance(row, dict))


def read_labels(transport: Transport) -> AccountLabels:
    """Everything at once; a handful of requests. Raises :class:`CannotRun`, as any reading of the helpdesk."""
    by_number: Params = {"per_page": 100, "page": 1}
    tags = [row for row in islice(rows_of(transport, "/tags", {**by_number}), MOST_TAGS) if row.get("name")]
    groups = with_ids(rows_of(transport, "/groups", by_number))
    return AccountLabels(
        tags={str(row["name"]): int(row.get("count") or 0) for row in tags},
        fields=read_fields(transport),
        groups={row["id"]: str(row.get("name")) for row in groups if not row.get("deleted")},
    )


def read_fields(transport: Transport) -> tuple[TicketField, ...]:
    """The fields of the account's tickets, by one request: they come without pages. Raises :class:`CannotRun`.

    :class:`LabelsForbidden` when this user may not read them.
    """
    return tuple(map(ticket_field, with_ids(rows_of(transport, "/ticket_fields", {}))))


def read_rules(transport: Transport) -> list[BusinessRule]:
    """The active rules. Raises :class:`CannotRun` where the account does not show them."""
    kinds: Mapping[str, RuleKind] = {"/triggers": "trigger", "/automations": "automation"}
    return [
        read_rule(kind, row)
        for path, kind in kinds.items()
        for row in rows_of(transport, path)
        if row.get("active") is not False
    ]


def requesters(transport: Transport) -> Requesters:
    """The people of an account.

    Lists leave archived tickets out and a search lags behind by minutes, so both are asked. Neither knows of deleted
    tickets.
    """

    def rows(path: str, name: str = "", params: Params | None = None) -> Iterator[dict[str, Any]]:
        def refused(reply: Reply, _words: str) -> Exception:
            what = "its users" if path == "/users/search" else "this user and their tickets"
            message = f"Zendesk refuses to show {what} (HTTP {reply.status}); {BY_TICKET}"
            return ConfigError(NO_USER) if reply.status == 404 else CannotRun(message)

        return rows_of(transport, path, params, name=name, refused=refused)

    def with_address(address: str) -> set[int]:
        found = with_ids(rows("/users/search", "users", {"query": f'email:"{address}"', "per_page": 100}))
        # The search finds parts of words as well.
        return {row["id"] for row in found if string(row.get("email")).casefold() == address.casefold()}

    def tickets(user: int) -> Iterator[int]:
        unknown = None
        try:
            yield from (row["id"] for row in with_ids(rows(f"/users/{user}/tickets/requested", "tickets")))
        except ConfigError as error:
            unknown = error  # of a user who was deleted the search may still know tickets
        query: Params = {"query": f"requester:{user}", "filter[type]": "ticket", "page[size]": 100}
        for row in with_ids(rows("/search/export", "results", query)):
            unknown = None
            yield row["id"]
        if unknown is not None:
            raise unknown

    return Requesters(with_address, tickets)


TOKEN_LIFETIME_S = 1800
_REFUSED = (
    "Zendesk gives no token for this OAuth client; check ZENDESK_OAUTH_CLIENT_ID (the unique identifier) and "
    "ZENDESK_OAUTH_CLIENT_SECRET, and that the client is confidential"
)


def fetch_token(
    transport: Transport, client_id: str, client_secret: str, scope: str = "read write"
) -> tuple[str, float]:
    """A token of half an hour as the value of a header, and the seconds that it is good for.

    Source: Zendesk API reference, "OAuth Tokens for Grant Types". Raises :class:`NotAuthorised`.
    """
    client = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    asked = {**client, "scope": scope, "expires_in": TOKEN_LIFETIME_S}
    try:
        reply = transport.request("POST", "/oauth/tokens", json=asked, signed=False)
    except NotAuthorised:
        raise NotAuthorised(_REFUSED) from None
    answer = mapping(reply.body)
    if answer.get("error") == "invalid_scope":
        raise NotAuthorised(
            f"Zendesk does not grant this OAuth client the scope '{scope}' (invalid_scope): add it to the "
            "client's allowed scopes, or set zendesk.oauth_scope to what it may have, at least 'read tickets:write'"
        )
    if not reply.ok or not answer.get("access_token"):
        raise NotAuthorised(f"{_REFUSED} (HTTP {reply.status})")
    transport.granted = frozenset(string(answer.get("scope")).replace(",", " ").split())
    seconds = answer.get("expires_in")
    lasts = float(seconds) if isinstance(seconds, int | float) and seconds > 0 else TOKEN_LIFETIME_S
    return f"Bearer {answer['access_token']}", lasts


def own_user(transport: Transport) -> int | None:
    """The id of the user that ``transport`` signs in as; ``None`` where Zendesk does not say. One request."""
    reply = transport.request("GET", "/api/v2/users/me")
    return whole_number(mapping(mapping(reply.body).get("user")).get("id")) if reply.ok else None


# What our user may do: "UserForAdmin" and "CustomRoleConfigurationObject" of Zendesk's OpenAPI document

LIGHT_AGENT = 1
"""The ``role_type`` of an agent who may not change tickets."""


def rights(transport: Transport, scope: str) -> Rights:
    """What our user may do, who was shown tickets; ``scope`` is what an OAuth token was asked to have.

    One request, or two where the user has a role of the account's own.
    """
    lacking, writes = _ungranted(scope, transport.granted)
    if lacking and not writes:
        return Rights(wrong=lacking)
    user = shown(transport, "/api/v2/users/me", "user")
    if not user:
        return Rights()  # tickets can be read, which is what counts
    number = user.get("custom_role_id")
    custom = shown(transport, f"/api/v2/custom_roles/{number}", "custom_role") if isinstance(number, int) else {}
    allowed = mapping(custom.get("configuration"))
    if (wrong := _wrong(user, allowed)) is not None:
        return Rights(wrong=f"this user {wrong}")
    for some in (user.get("ticket_restriction"), allowed.get("ticket_access")):
        if not lacking and isinstance(some, str) and some != "all":
            lacking = f"this user sees only some tickets ({some}): give it all tickets, or the others are never seen"
    slow = "" if lacking or user.get("role") == "admin" else "; no admin: new tickets come by search, some minutes late"
    return Rights("", lacking, slow)


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


# Articles


def articles(transport: Transport, _unchanged: object) -> Iterator[list[HelpArticle]]:
    """The Help Center's articles in all of their languages, a page at a time. Raises :class:`CannotRun`."""
    for_customers = cache(lambda: _for_customers(transport))
    params: Params = {"page[size]": 100, "include": "translations"}
    reads = ZendeskReads(transport)
    try:
        for rows, _ in reads.listed("/help_center/articles", params, most=MOST_ARTICLE_BYTES, refused=_no_articles):
            yield [article for row in with_ids(rows) for article in published(row, for_customers)]
    except NotAuthorised as error:
        raise NotAuthorised(
            f"{error}: so Zendesk also answers for its Help Center where the account's plan has none"
        ) from error


def _no_articles(reply: Reply, _words: str) -> Exception:
    known = {
        403: "this Zendesk user may not read the Help Center (HTTP 403)",
        404: "this Zendesk account has no Help Center (HTTP 404)",
    }
    return CannotRun(known.get(reply.status, f"Zendesk refuses its Help Center articles (HTTP {reply.status})"))


def _for_customers(transport: Transport) -> frozenset[int]:
    """The segments of all who sign in. Who may not see the segments takes all of them for narrow ones."""
    try:
        rows = with_ids(rows_of(transport, "/help_center/user_segments", {"per_page": 100}))
    except CannotRun:
        return frozenset()
    return frozenset(row["id"] for row in rows if row.get("user_type") == "signed_in_users" and row.get("built_in"))

"""One call of the imitated Freshdesk API while it is answered; the account's set-up, its people and articles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .freshdesk_store import FreshdeskStore
from .messages import ApiCall, Refusal, Response, json_response, refuse
from .store import Row, StoredTicket, shaped

PAGE = 30
LONGEST_PAGE = 100


@dataclass
class FreshdeskCall(ApiCall[FreshdeskStore]):
    """A request with all that a handler needs."""

    def ticket(self) -> StoredTicket:
        """The ticket the path names, be it in the trash or spam; 404 when there is none or it is archived."""
        found = self.store.tickets.get(self.args[0])
        if found is None or self.store.archived(found):
            raise not_found()
        return found

    def writable_ticket(self) -> StoredTicket:
        """The ticket the path names; 404, or 405 when it is in the trash or spam."""
        found = self.ticket()
        if found.deleted or found.spam:
            raise not_allowed(self.request.method, ["GET"])
        return found

    def payload(self) -> Row:
        """The JSON body."""
        body: Row = self.request.json()
        return body

    def included(self) -> frozenset[str]:
        """The names in ``include``."""
        return frozenset(part for part in self.request.query.get("include", "").split(",") if part)

    def whole(self, name: str, default: int, *, at_most: int) -> int:
        """A positive whole number from the query; 400 for more than ``at_most``."""
        value = int(self.request.query.get(name, default))
        if not 1 <= value <= at_most:
            raise invalid(name)
        return value

    def paged(self, rows: list[Any], *, most: int = LONGEST_PAGE) -> Response:
        """A page of ``rows`` by ``page`` and ``per_page``; a page has ``most`` at most, whatever is asked."""
        size = min(self.whole("per_page", PAGE, at_most=LONGEST_PAGE), most)
        page = self.whole("page", 1, at_most=10**8)
        if page * size < len(rows):
            self.link_to_next(page)
        return json_response(200, rows[(page - 1) * size : page * size])

    def link_to_next(self, page: int) -> None:
        """Announce the page after this one."""
        self.headers["Link"] = f'<{self.link(page=str(page + 1))}>; rel="next"'


Problem = dict[str, str]
_MESSAGES = {
    "invalid_field": "Unexpected/invalid field in request",
    "invalid_value": "It should be one of the values that the account has for it",
    "missing_field": "It should not be blank as this is a mandatory field",
}


def problem(name: str, code: str) -> Problem:
    """What is wrong with one field of a request, by the vendor's word for it."""
    return {"field": name[:80], "message": _MESSAGES[code], "code": code}


def validation_failed(problems: Iterable[Problem]) -> Refusal:
    """400 with every problem."""
    return refuse(400, {"description": "Validation failed", "errors": list(problems)})


def invalid(name: str) -> Refusal:
    """400 with one value that cannot be."""
    return validation_failed([problem(name, "invalid_value")])


def not_found() -> Refusal:
    """404, which has no body."""
    return Refusal(Response(404))


def not_allowed(method: str, allowed: Iterable[str]) -> Refusal:
    """405 with the methods that would be allowed."""
    listed = ", ".join(allowed)
    message = f"{method} method is not allowed. It should be one of these method(s): {listed}"
    return refuse(405, {"code": "method_not_allowed", "message": message}, Allow=listed)


# --- the account ------------------------------------------------------------------------------------------


def ticket_fields(call: FreshdeskCall) -> Response:
    """``GET /ticket_fields``: all of them, without paging."""
    return json_response(200, call.store.ticket_fields)


def groups(call: FreshdeskCall) -> Response:
    """``GET /groups``: by name."""
    return call.paged(sorted(call.store.groups.values(), key=lambda row: row["name"]))


def agents(call: FreshdeskCall) -> Response:
    """``GET /agents``: by name; ``email`` narrows them."""
    email = call.request.query.get("email")
    rows = [row for row in call.store.agents.values() if email in (None, row["email"])]
    return call.paged([_agent(row) for row in sorted(rows, key=lambda row: str(row["name"]))])


def agent(call: FreshdeskCall) -> Response:
    """``GET /agents/{id}``"""
    return json_response(200, _agent(_found(call, call.store.agents)))


def current_agent(call: FreshdeskCall) -> Response:
    """``GET /agents/me``"""
    return json_response(200, _agent(call.store.agents[call.identity.user_id]))


def contacts(call: FreshdeskCall) -> Response:
    """``GET /contacts``; ``email`` narrows them."""
    email = call.request.query.get("email")
    rows = list(call.store.contacts.values())
    return call.paged([row for row in rows if email is None or (row["email"] or "").lower() == email.lower()])


def contact(call: FreshdeskCall) -> Response:
    """``GET /contacts/{id}``"""
    return json_response(200, _found(call, call.store.contacts))


def rules(call: FreshdeskCall) -> Response:
    """``GET /automations/{type}/rules``: they are kept and shown, and never do anything."""
    return call.paged(_found(call, call.store.automations))


def _found(call: FreshdeskCall, known: Mapping[int, Any]) -> Any:
    """The one that the path names; 404 when there is none."""
    try:
        return known[call.args[0]]
    except KeyError:
        raise not_found() from None


def _agent(row: Row) -> Row:
    made = row["created_at"]
    stamps = dict.fromkeys(("created_at", "updated_at"), made)
    person = {"email": row["email"], "name": row["name"], "last_login_at": made}
    contact = shaped("freshdesk agent as contact", **person, **stamps)
    return {**shaped("freshdesk agent", id=row["id"], last_active_at=made, **stamps), "contact": contact}


# --- solutions --------------------------------------------------------------------------------------------

OWN_LANGUAGE = "en"


def categories(call: FreshdeskCall) -> Response:
    """``GET /solutions/categories``"""
    return call.paged(call.store.categories)


def folders(call: FreshdeskCall) -> Response:
    """``GET /solutions/categories/{id}/folders``"""
    category = _named(call, call.store.categories)["id"]
    return _folders(call, [row for row in _inside(call, None) if row["category_id"] == category])


def subfolders(call: FreshdeskCall) -> Response:
    """``GET /solutions/folders/{id}/subfolders``"""
    return _folders(call, _inside(call, _named(call, call.store.folders)["id"]))


def _folders(call: FreshdeskCall, rows: list[Row]) -> Response:
    return call.paged([{**row, "sub_folders_count": len(_inside(call, row["id"]))} for row in rows])


def _inside(call: FreshdeskCall, parent: int | None) -> list[Row]:
    return [row for row in call.store.folders if row["parent_folder_id"] == parent]


def articles(call: FreshdeskCall) -> Response:
    """``GET /solutions/folders/{id}/articles``: drafts as well."""
    folder = _named(call, call.store.folders)["id"]
    return call.paged([row for row in call.store.articles if row["folder_id"] == folder])


def translation(call: FreshdeskCall) -> Response:
    """``GET /solutions/articles/{id}/{language}``"""
    texts = [*call.store.articles, *call.store.translations]
    language = call.args[-1].lower()
    return json_response(200, _named(call, [text for text in texts if text["language"] == language]))


def settings(call: FreshdeskCall) -> Response:
    """``GET /settings/helpdesk``: the languages of the account."""
    texts = (*call.store.articles, *call.store.translations)
    others = sorted({row["language"] for row in texts} - {OWN_LANGUAGE})
    told = {"primary_language": OWN_LANGUAGE, "supported_languages": others, "portal_languages": others}
    return json_response(200, {**told, "help_widget_languages": []})


def _named(call: FreshdeskCall, rows: list[Row]) -> Row:
    """The one that the path names; 404 when there is none."""
    return _found(call, {row["id"]: row for row in rows[::-1]})  # type: ignore[no-any-return]

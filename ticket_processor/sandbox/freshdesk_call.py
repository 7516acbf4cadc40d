"""One call of the imitated Freshdesk API while it is answered; the account's set-up, its people and articles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .freshdesk_store import FreshdeskStore
from .messages import ApiCall, Refusal, Response, json_response, refuse
from .store import Row, StoredTicket, shaped

PAGE = 30
LONGEST_PAGE = 100


class FreshdeskCall(ApiCall):
    """A request with all that a handler needs."""

    store: FreshdeskStore

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
            raise not_allowed(self.request.method)
        return found

    def one_of(self, known: Mapping[int, Any] | list[Row]) -> Any:
        """The one that the path names; 404 when there is none."""
        by_id = known if isinstance(known, Mapping) else {row["id"]: row for row in known[::-1]}
        if self.args[0] not in by_id:
            raise not_found()
        return by_id[self.args[0]]

    def whole(self, name: str, default: int, *, at_most: int) -> int:
        """A positive whole number from the query; 400 for more than ``at_most``."""
        value = int(self.request.query.get(name, default))
        if not 1 <= value <= at_most:
            raise validation_failed([problem(name, "invalid_value")])
        return value

    def paged(self, rows: Iterable[Any], *, most: int = LONGEST_PAGE) -> Response:
        """A page of ``rows`` by ``page`` and ``per_page``; a page has ``most`` at most, whatever is asked."""
        size = min(self.whole("per_page", PAGE, at_most=LONGEST_PAGE), most)
        page, rows = self.whole("page", 1, at_most=10**8), list(rows)
        if page * size < len(rows):
            self.link_to_next(page)
        return json_response(200, rows[(page - 1) * size : page * size])

    def link_to_next(self, page: int) -> None:
        """Announce the page after this one."""
        self.headers["Link"] = f'<{self.link(page=str(page + 1))}>; rel="next"'

    def with_email(self, people: Mapping[int, Row]) -> list[Row]:
        """Some people, or those of the ``email`` that is asked for."""
        email = self.request.query.get("email", "").lower()
        return [row for row in people.values() if email in ("", (row["email"] or "").lower())]


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


def not_found() -> Refusal:
    """404, which has no body."""
    return Refusal(Response(404))


def not_allowed(method: str) -> Refusal:
    """405 for something that may be read alone."""
    message = f"{method} method is not allowed. It should be one of these method(s): GET"
    return refuse(405, {"code": "method_not_allowed", "message": message}, Allow="GET")


# --- the account ------------------------------------------------------------------------------------------


def _name(row: Row) -> str:
    return str(row["name"])


def _agent(row: Row) -> Row:
    made = row["created_at"]
    stamps = dict.fromkeys(("created_at", "updated_at"), made)
    person = {"email": row["email"], "name": row["name"], "last_login_at": made}
    contact = shaped("freshdesk agent as contact", **person, **stamps)
    return {**shaped("freshdesk agent", id=row["id"], last_active_at=made, **stamps), "contact": contact}


def _folders(call: FreshdeskCall, category: int | None, parent: int | None) -> Response:
    """The folders of a category, or those within one."""
    rows = [row for row in call.store.folders if row["parent_folder_id"] == parent]
    inside = [row["parent_folder_id"] for row in call.store.folders]
    shown = [
        {**row, "sub_folders_count": inside.count(row["id"])} for row in rows if category in (None, row["category_id"])
    ]
    return call.paged(shown)


def _articles(call: FreshdeskCall) -> Response:
    """A folder's, drafts as well."""
    folder = call.one_of(call.store.folders)["id"]
    return call.paged(row for row in call.store.articles if row["folder_id"] == folder)


def _translation(call: FreshdeskCall) -> Response:
    texts = [*call.store.articles, *call.store.translations]
    return json_response(200, call.one_of([text for text in texts if text["language"] == call.args[-1].lower()]))


OWN_LANGUAGE = "en"


def _settings(call: FreshdeskCall) -> Response:
    """The languages of the account."""
    texts = (*call.store.articles, *call.store.translations)
    others = sorted({row["language"] for row in texts} - {OWN_LANGUAGE})
    told = {"primary_language": OWN_LANGUAGE, "supported_languages": others, "portal_languages": others}
    return json_response(200, {**told, "help_widget_languages": []})


# Rules are kept and shown, and never do anything. Of an article, a translation counts where it has the language.
ROUTES: dict[str, Callable[[FreshdeskCall], Response]] = {
    "GET ticket_fields": lambda call: json_response(200, call.store.ticket_fields),
    "GET groups": lambda call: call.paged(sorted(call.store.groups.values(), key=_name)),
    "GET agents": lambda call: call.paged(map(_agent, sorted(call.with_email(call.store.agents), key=_name))),
    "GET agents/me": lambda call: json_response(200, _agent(call.store.agents[call.identity.user_id])),
    "GET agents/{id}": lambda call: json_response(200, _agent(call.one_of(call.store.agents))),
    "GET contacts": lambda call: call.paged(call.with_email(call.store.contacts)),
    "GET contacts/{id}": lambda call: json_response(200, call.one_of(call.store.contacts)),
    "GET automations/{id}/rules": lambda call: call.paged(call.one_of(call.store.automations)),
    "GET solutions/categories": lambda call: call.paged(call.store.categories),
    "GET solutions/categories/{id}/folders": lambda call: _folders(
        call, call.one_of(call.store.categories)["id"], None
    ),
    "GET solutions/folders/{id}/subfolders": lambda call: _folders(call, None, call.one_of(call.store.folders)["id"]),
    "GET solutions/folders/{id}/articles": _articles,
    "GET solutions/articles/{id}/{language}": _translation,
    "GET settings/helpdesk": _settings,
}

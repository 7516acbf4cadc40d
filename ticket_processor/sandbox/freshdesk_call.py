"""One call of the imitated Freshdesk API while it is answered: what it asks for, and the ways of refusing it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from .calls import ApiCall
from .clock import parse_iso
from .freshdesk_records import By, FreshdeskTicket
from .freshdesk_store import FreshdeskStore
from .messages import Refusal, Response, json_response, refuse

PAGE = 30
LONGEST_PAGE = 100


@dataclass
class FreshdeskCall(ApiCall[FreshdeskStore]):
    """A request with all that a handler needs."""

    @property
    def by(self) -> By:
        """The caller as the record of changes names him."""
        return By("bot", self.identity.user_id, "request")

    def ticket(self) -> FreshdeskTicket:
        """The ticket the path names, be it in the trash or spam; 404 when there is none or it is archived."""
        found = self.store.tickets.get(self.args[0])
        if found is None or self.store.archived(found):
            raise not_found()
        return found

    def writable_ticket(self) -> FreshdeskTicket:
        """The ticket the path names; 404, or 405 when it is in the trash or spam."""
        found = self.ticket()
        if found.deleted or found.spam:
            raise not_allowed(self.request.method, ["GET"])
        return found

    def payload(self) -> dict[str, Any]:
        """The JSON body. 415 when it is not declared as JSON, 400 when it does not parse or is no object."""
        if "json" not in self.request.header("content-type"):
            raise refuse(415, {"code": "invalid_content_type", "message": "Only application/json is supported."})
        try:
            payload = self.request.json() if self.request.body else {}
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            raise refuse(400, {"code": "invalid_json", "message": "Request body has invalid json format"})
        return payload

    def only(self, known: Collection[str]) -> None:
        """400 for a key of the query that the endpoint does not know."""
        strange = [name for name in self.request.query if name not in known]
        if strange:
            raise validation_failed(unexpected(name) for name in strange)

    def includes(self, known: Collection[str]) -> frozenset[str]:
        """The names in ``include``; 400 for an unknown one."""
        asked = frozenset(part for part in self.request.query.get("include", "").split(",") if part)
        if not asked <= frozenset(known):
            raise invalid("include", f"It should be one of these values: '{','.join(known)}'")
        return asked

    def whole(self, name: str, default: int, *, at_most: int) -> int:
        """A positive whole number from the query; 400 for anything else, or for more than ``at_most``."""
        text = self.request.query.get(name)
        if text is None:
            return default
        value = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
        if not 1 <= value <= at_most:
            raise invalid(name, f"It should be a Positive Integer less than or equal to {at_most}")
        return value

    def moment(self, name: str) -> float | None:
        """A time from the query; 400 for anything else."""
        text = self.request.query.get(name)
        if text is None:
            return None
        try:
            # A plus sign that was not encoded arrives as a blank.
            return parse_iso(text.replace(" ", "+"))
        except ValueError:
            raise invalid(name, "It should be a/an Valid Date in the yyyy-mm-ddThh:mm:ss±hh:mm format") from None

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        """One of several words from the query; 400 for another."""
        value = self.request.query.get(name, default)
        if value not in choices:
            raise invalid(name, f"It should be one of these values: '{','.join(choices)}'")
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


def unexpected(name: str) -> Problem:
    """The problem of a key that there is not."""
    return {"field": name[:80], "message": "Unexpected/invalid field in request", "code": "invalid_field"}


def mismatch(name: str, wanted: str, value: object) -> Problem:
    """The problem of a value of the wrong type."""
    given = {dict: "key/value pair", list: "Array", str: "String", bool: "Boolean", int: "Integer"}.get(
        type(value), "Null" if value is None else "Float"
    )
    message = f"Value set is of type {given}.It should be a/an {wanted}"
    return {"field": name, "message": message, "code": "datatype_mismatch"}


def wrong(name: str, message: str) -> Problem:
    """The problem of a value that cannot be."""
    return {"field": name, "message": message, "code": "invalid_value"}


def missing(name: str) -> Problem:
    """The problem of a field that has to be there."""
    return {"field": name, "message": "It should not be blank as this is a mandatory field", "code": "missing_field"}


def validation_failed(problems: Iterable[Problem]) -> Refusal:
    """400 with every problem."""
    return refuse(400, {"description": "Validation failed", "errors": list(problems)})


def invalid(name: str, message: str) -> Refusal:
    """400 with one value that cannot be."""
    return validation_failed([wrong(name, message)])


def not_found() -> Refusal:
    """404, which has no body."""
    return Refusal(Response(404))


def not_allowed(method: str, allowed: Iterable[str]) -> Refusal:
    """405 with the methods that would be allowed."""
    listed = ", ".join(allowed)
    message = f"{method} method is not allowed. It should be one of these method(s): {listed}"
    return refuse(405, {"code": "method_not_allowed", "message": message}, Allow=listed)

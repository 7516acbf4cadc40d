"""One call of the imitated API while it is being answered, and the ways of refusing one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from .limits import RequestLimits
from .messages import Refusal, Request, refuse
from .records import StoredTicket
from .store import Store
from .zendesk_auth import Identity
from .zendesk_rules import Rules

Row = dict[str, Any]

NOT_FOUND: Mapping[str, str] = {"error": "RecordNotFound", "description": "Not found"}


@dataclass
class Call:
    """A request with all that a handler needs. ``headers`` collects what the answer will carry besides its own."""

    request: Request
    store: Store
    limits: RequestLimits
    rules: Rules
    identity: Identity
    now: float
    args: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def spend(self, limit: str, *, key: object = None) -> None:
        """Count this call against an endpoint's limit; raises :class:`Refusal` (429)."""
        self.headers |= self.limits.spend(limit, self.now, key=key)

    def ticket(self) -> StoredTicket:
        """The ticket the path names; 404 when there is none."""
        found = self.store.living(int(self.args[0]))
        if found is None:
            raise refuse(404, NOT_FOUND)
        return found

    def shown_ticket(self) -> StoredTicket:
        """The ticket the path names as a reading shows it; 404 when there is none."""
        found = self.store.read(int(self.args[0]))
        if not found:
            raise refuse(404, NOT_FOUND)
        return found[0]

    def payload(self) -> dict[str, Any]:
        """The JSON body. One that is not declared as JSON counts as empty, one that does not parse is a 400."""
        if "json" not in self.request.header("content-type"):
            return {}
        try:
            payload = self.request.json() if self.request.body else {}
        except ValueError:
            raise bad_request("Unprocessable JSON", "The request body could not be parsed as JSON.") from None
        if not isinstance(payload, dict):
            raise bad_request("Invalid attribute", "The request body must be a JSON object.")
        return payload

    def number(self, name: str, default: int, *, at_most: int, at_least: int = 1) -> int:
        """A whole number from the query, kept within bounds; 400 when it is no number."""
        text = self.request.query.get(name, "")
        if not text:
            return default
        try:
            return max(at_least, min(int(text), at_most))
        except ValueError:
            raise bad_request("Invalid attribute", f"{name} must be an integer") from None

    def ids(self, *, at_most: int = 100) -> list[int]:
        """``ids=1,2,3`` from the query; 400 for too many or for none."""
        parts = [part for part in self.request.query.get("ids", "").split(",") if part.strip()]
        if len(parts) > at_most:
            raise too_many_values(at_most)
        try:
            ids = [int(part) for part in parts]
        except ValueError:
            ids = []
        if not ids:
            raise bad_request("Invalid attribute", "ids must be a comma-separated list of integers")
        return list(dict.fromkeys(ids))

    def link(self, **changes: str | None) -> str:
        """This request's address with some of its query changed; ``__`` in a name stands for brackets."""
        query = dict(self.request.query)
        for name, value in changes.items():
            head, _, inner = name.partition("__")
            spelled = f"{head}[{inner}]" if inner else head
            query.pop(spelled, None)
            if value is not None:
                query[spelled] = value
        path = quote(self.request.path)
        return f"{self.store.base_url}{path}" + (f"?{urlencode(query)}" if query else "")


def bad_request(title: str, message: str) -> Refusal:
    """400 in the vendor's form for a wrong attribute."""
    return refuse(400, {"error": {"title": title, "message": message}})


def too_many_values(at_most: int) -> Refusal:
    """400 for a list longer than an endpoint takes."""
    return refuse(
        400,
        {
            "error": "TooManyValues",
            "description": f"Parameter  cannot specify more than {at_most} values",
            "max_count": at_most,
        },
    )


def invalid(field_name: str, description: str, error: str = "InvalidValue") -> Refusal:
    """422 for one field that does not validate."""
    return refuse(
        422,
        {
            "error": "RecordInvalid",
            "description": "Record validation errors",
            "details": {field_name: [{"description": description, "error": error}]},
        },
    )


def missing_scope(scope: str) -> Refusal:
    """403 for a token whose scopes do not allow this; the sentence is the vendor's."""
    message = f"You are missing the following required scopes: {scope}"
    return refuse(403, {"error": {"title": "Forbidden", "message": message}})


def forbidden() -> Refusal:
    """403 in the vendor's form."""
    message = "You do not have access to this page. Please contact the account owner for further help."
    return refuse(403, {"error": {"title": "Forbidden", "message": message}})

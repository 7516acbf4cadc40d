"""Forms that were refused for now: what somebody typed is not lost, and can be sent again as it is."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

_SECRET = frozenset({"password", "current", "new"})


class RefusedForNow(HTTPException):
    """The refusal of a form that may be taken in later, or with a fresh token."""


async def typed_into(request: Request) -> list[tuple[str, str]]:
    """The fields of a form that a page of ours has sent; none of one with a password, and none of another site's.

    A form that comes back gets a fresh token, so another site's must not.
    """
    if request.method != "POST" or request.headers.get("sec-fetch-site") != "same-origin":
        return []
    fields = [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]
    if any(name in _SECRET for name, _ in fields):
        return []
    return [(name, value) for name, value in fields if name != "form_token"]

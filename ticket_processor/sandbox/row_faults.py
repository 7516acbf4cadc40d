"""Faults of one row in an answer about many tickets."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import orjson

from .messages import LOGIN_PAGE, Response, text_response

ROW_KINDS: dict[str, str] = {
    "odd-row": "the request is done, and one ticket (`ticket`, else any) is answered in an odd form (`odd`)",
    "omit-row": "the request is done, and an answer about many tickets lacks one of them (`ticket`, else any)",
}
_LONE_SURROGATE = "\ue0d8"
"""Stands for what no JSON library writes, until the text is there."""
BROKEN: Mapping[str, bytes] = {
    "cut": b"half a text",
    "no-escape": rb'"C:\x \u12G4"',
    "latin-1": b'"caf\xe9"',
    "control": b'"a\x00\x1f\x7f\n"',
    "not-a-number": b"NaN",
    "login-page": b"",
}
"""Odd rows whose ``subject`` spoils the whole answer: it is no JSON, or a filter shows a page instead."""
_UNTIL_WRITTEN = "\ue0d9"
ODD: Mapping[str, Mapping[str, Any]] = {
    "surrogate": {"subject": _LONE_SURROGATE, "raw_subject": _LONE_SURROGATE},
    "surrogate-tag": {"tags": ["vip", _LONE_SURROGATE]},
    "no-date": {"updated_at": None},
    "no-real-date": {"created_at": "yesterday"},
    "null-tag": {"tags": [None]},
    "status-number": {"status": 2},
    "id-text": {"id": "seven"},
    **{how: {"subject": _UNTIL_WRITTEN} for how in BROKEN},
}
"""Ways in which a row can be odd. ``null-tag`` is added to the tags that are there."""


def spoil(response: Response, kind: str, ticket: int | None, odd: str, dice: random.Random) -> Response:
    """The answer with one row odd or left out; as it is where it holds no such row."""
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return response
    rows, alone = _rows(body)
    places = [place for place, row in enumerate(rows) if ticket is None or row.get("id") == ticket]
    if not places or (kind == "omit-row" and alone):
        return response
    place = dice.choice(places)
    if kind == "omit-row":
        del rows[place]
    else:
        odd = dice.choice(list(ODD)) if odd == "any" else odd
        if odd == "login-page":
            return text_response(200, LOGIN_PAGE, "text/html; charset=utf-8")
        oddity = dict(ODD[odd])
        if oddity.get("tags") == [None]:
            oddity["tags"] = [*rows[place].get("tags", ()), None]
        rows[place].update(oddity)
    broken = BROKEN.get(odd, b"")
    response.body = (
        orjson.dumps(body)
        .replace(_LONE_SURROGATE.encode(), b"\\ud83d")
        .replace(b'"%b"' % _UNTIL_WRITTEN.encode(), broken)
    )
    return response


def _rows(body: Any) -> tuple[list[dict[str, Any]], bool]:
    """The tickets in an answer, and whether it is about a single one. Freshdesk has no name around them."""
    if isinstance(body, list):
        return (body if all(isinstance(row, dict) and "subject" in row for row in body) else []), False
    if not isinstance(body, dict):
        return [], False
    if "requester_id" in body or isinstance(body.get("ticket"), dict):
        return [body.get("ticket", body)], True
    return next((body[name] for name in ("tickets", "results") if name in body), []), False

"""Changes text as the vendor does on its way in: tags, placeholders, HTML to text, white space, length."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

COMMENT_BYTES = 64 * 1024
"""Comments are cut here, silently."""

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}|\{%.*?%\}", re.DOTALL)
_BREAKS = re.compile(r"<\s*(?:br|/p|/div|/li|/tr|/h[1-6])\b[^>]*>", re.IGNORECASE)
_HIDDEN = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SPACES = re.compile(r"[ \t\u00a0]{2,}")
_NEWLINES = re.compile(r"\n{3,}")


def normalise_tags(tags: object) -> list[str]:
    """Lower-case, split at white space and commas, unique, sorted. Takes a list or one string."""
    parts: Iterable[object] = tags if isinstance(tags, (list, tuple, set)) else [tags]
    words: set[str] = set()
    for part in parts:
        if part is not None:
            words.update(str(part).lower().replace(",", " ").split())
    return sorted(words)


def expand_placeholders(text: str, ticket: Mapping[str, Any], requester_name: str) -> str:
    """Replace ``{{ticket.id}}`` and the like; an unknown placeholder is removed."""
    if "{" not in text:
        return text
    known = {
        "ticket.id": ticket.get("id"),
        "ticket.title": ticket.get("subject"),
        "ticket.description": ticket.get("description"),
        "ticket.status": ticket.get("status"),
        "ticket.priority": ticket.get("priority"),
        "ticket.url": ticket.get("url"),
        "ticket.tags": " ".join(ticket.get("tags") or ()),
        "ticket.requester.name": requester_name,
        "ticket.requester.first_name": requester_name.split(" ")[0],
    }
    return _PLACEHOLDER.sub(lambda found: str(known.get(found.group(1) or "") or ""), text)


def squeeze(text: str) -> str:
    """Runs of spaces to one, runs of empty lines to one, as is done to a plain comment."""
    return _NEWLINES.sub("\n\n", _SPACES.sub(" ", text.replace("\r\n", "\n"))).strip()


def cut(text: str) -> str:
    """At most 64 kB of UTF-8, never half a character."""
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= COMMENT_BYTES else raw[:COMMENT_BYTES].decode("utf-8", "ignore")


def html_to_text(markup: str) -> str:
    """A simple tag strip, the way a description looks that came in as HTML."""
    text = _TAG.sub("", _BREAKS.sub("\n", _HIDDEN.sub("", markup)))
    return squeeze("\n".join(line.strip() for line in html.unescape(text).split("\n")))


def text_to_html(text: str) -> str:
    """Plain text as the ``html_body`` the API shows for it."""
    lines = html.escape(text).replace("\n", "<br>")
    return f'<div class="zd-comment" dir="auto"><p dir="auto">{lines}</p></div>'

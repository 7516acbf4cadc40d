"""The sandbox's time, in Unix seconds: a clock that can be moved forward by hand.

Changes text as the vendor does on its way in: tags, placeholders, HTML to text, white space, length.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, Protocol


class SandboxClock(Protocol):
    """Where the sandbox's time comes from. Must not go back; may be read from any thread."""

    def now(self) -> float:
        """Unix time in seconds."""


class OffsetClock:
    """The machine's time plus an offset: runs by itself and can be moved forward, by one thread at a time."""

    _offset = 0.0

    def now(self) -> float:
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        self._offset += seconds


def iso(moment: float) -> str:
    """Unix seconds as the API writes times: UTC, whole seconds, cut and not rounded."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_iso(text: str) -> float:
    """Unix seconds of an ISO 8601 time or date; without a zone it is UTC. Raises ``ValueError``."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def http_date(moment: float) -> str:
    return formatdate(int(moment), usegmt=True)


COMMENT_BYTES = 64 * 1024
"""Comments are cut here, silently."""

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}|\{%.*?%\}", re.DOTALL)
_BREAKS = re.compile(r"<\s*(?:br|/p|/div|/li|/tr|/h[1-6])\b[^>]*>", re.IGNORECASE)
HIDDEN = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SPACES = re.compile(r"[ \t\u00a0]{2,}")
_NEWLINES = re.compile(r"\n{3,}")


def normalise_tags(tags: Iterable[str]) -> list[str]:
    """Lower-case, split at white space and commas, unique, sorted."""
    return sorted({word for text in tags for word in text.lower().replace(",", " ").split()})


def expand_placeholders(text: str, ticket: Mapping[str, Any], requester_name: str) -> str:
    """Replace ``{{ticket.id}}`` and the like; an unknown placeholder is removed."""
    if "{" not in text:
        return text
    known = {f"ticket.{name}": value for name, value in ticket.items()}
    known |= {"ticket.title": ticket["subject"], "ticket.tags": " ".join(ticket["tags"])}
    known |= {"ticket.requester.name": requester_name, "ticket.requester.first_name": requester_name.split(" ")[0]}
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
    text = _TAG.sub("", _BREAKS.sub("\n", HIDDEN.sub("", markup)))
    return squeeze("\n".join(line.strip() for line in html.unescape(text).split("\n")))


def text_to_html(text: str) -> str:
    """Plain text as the ``html_body`` the API shows for it."""
    lines = html.escape(text).replace("\n", "<br>")
    return f'<div class="zd-comment" dir="auto"><p dir="auto">{lines}</p></div>'

"""This machine's own loopback: the only place for plain HTTP, and one that no proxy can reach."""

from __future__ import annotations

from urllib.parse import urlsplit

_HOSTS = ("127.0.0.1", "localhost", "::1")


def is_loopback(url: str) -> bool:
    """Whether a URL points at this machine itself. Raises ``ValueError`` for what is no URL."""
    return urlsplit(url).hostname in _HOSTS

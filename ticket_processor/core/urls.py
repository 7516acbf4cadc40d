"""Base URLs of servers, whether one is this machine's own loopback, and the lowest version of TLS over https.

That version is one for the whole process, also for libraries that send alerts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    import ssl

TlsVersion = Literal["1.2", "1.3"]
_lowest: TlsVersion = "1.2"
_HOSTS = ("127.0.0.1", "localhost", "::1")


def is_loopback(url: str) -> bool:
    """Whether a URL points at this machine itself. Raises ``ValueError`` for what is no URL."""
    return urlsplit(url).hostname in _HOSTS


def whole_url(value: str, example: str) -> SplitResult:
    """The parts of a base URL. Raises ``ValueError``, which shows ``example`` and never the value."""
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its message quotes the value
        whole = False
    if not whole or "@" in parts.netloc or "\\" in value:  # some take what is before a backslash for the host
        raise ValueError(f"must be a whole base URL such as {example}")
    return parts


def safe_url(value: str, example: str) -> SplitResult:
    """The same, and without https for this machine's own loopback only."""
    parts = whole_url(value, example)
    if parts.scheme == "http" and not is_loopback(value):
        raise ValueError("must begin with https:// (http only for this machine's own loopback)")
    return parts


def require_tls(version: TlsVersion) -> None:
    """From now on, connect to nothing that speaks an older version."""
    global _lowest
    _lowest = version


def lowest_tls() -> ssl.TLSVersion:
    """The version for contexts and connections to begin with."""
    import ssl  # not above: every start of the command line would wait for it

    return ssl.TLSVersion.TLSv1_3 if _lowest == "1.3" else ssl.TLSVersion.TLSv1_2

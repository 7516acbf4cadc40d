"""Sessions of ``requests`` that refuse old TLS and limit the size of replies and of their JSON; checks of base URLs.

By itself ``requests`` reads and unpacks whatever a server sends. These sessions ask for gzip only, unpack one layer,
and refuse any other packing. They count bytes as they arrive and as they are unpacked, so that neither an endless body
nor a small one that unpacks to gigabytes fills the memory.

The lowest TLS version holds for the whole process, also for libraries that send alerts.

With ``--verbose`` requests are shown, see ``verbose``: no header, no query and no body.
"""

from __future__ import annotations

import functools
import logging
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, ReadTimeout

from .verbose import plain

if TYPE_CHECKING:
    import ssl


MAX_REPLY_BYTES: Final = 8_000_000
_MAX_LIBRARY_BYTES = 1_000_000
_PIECE = 65_536


class ReplyTooLong(requests.exceptions.RequestException):
    """A reply of more bytes than ``most``, packed or unpacked."""

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(f"more than {most:,} bytes")


class BoundedAdapter(HTTPAdapter):
    """Reads the whole reply, up to ``most`` bytes, before it returns. For one thread, since ``most`` may be changed.

    A longer reply raises :class:`ReplyTooLong`; with an error's status, or if ``strict`` is false, it is returned
    without its body instead, because the status says enough. ``most=0`` leaves every body unread.
    """

    def __init__(self, most: int = MAX_REPLY_BYTES, *, strict: bool = True) -> None:
        super().__init__(max_retries=0)
        self.most = most
        self._strict = strict

    def add_headers(self, request: requests.PreparedRequest, **_: object) -> None:
        request.headers["Accept-Encoding"] = "gzip"

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: bool | str, cert: str | tuple[str, str] | None = None
    ) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        secured = {"ssl_minimum_version": lowest_tls()} if host["scheme"] == "https" else {}
        return host, {**pool, **secured}

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """The reply with its body read. Raises :class:`ReplyTooLong` and what requests raises for broken bodies."""
        response = super().send(request, *arguments, **{**options, "stream": True})
        if options.get("stream") and not self._strict:
            return response  # a library that reads it in pieces limits it itself
        try:
            body = _body(response, self.most)
        except ReplyTooLong as error:
            response.close()
            if self._strict and response.status_code < 300:
                error.request, error.response = request, response
                raise
            body = b""
        except requests.exceptions.RequestException:
            response.close()
            raise
        # Otherwise Session.send would read more, such as the body of a redirect.
        response._content = body
        response._content_consumed = True  # type: ignore[attr-defined]
        return response


def bound_all_sessions() -> None:
    """Limit all new sessions of this process: libraries that send alerts make their own."""
    requests.sessions.HTTPAdapter = functools.partial(  # type: ignore[assignment]
        BoundedAdapter, _MAX_LIBRARY_BYTES, strict=False
    )


def _body(response: requests.Response, most: int) -> bytes:
    if most == 0:
        response.close()
        return b""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise ContentDecodingError("it is compressed in a way that was not asked for")
    gunzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if "gzip" in coding else None
    parts, arrived, size = [], 0, 0
    try:
        # Not .stream(): it reads a chunk's length line without a limit.
        while piece := response.raw.read(_PIECE, decode_content=False):
            arrived += len(piece)
            if arrived > most:
                raise ReplyTooLong(most)
            for part in (piece,) if gunzip is None else _unpacked(gunzip, piece):
                size += len(part)
                if size > most:
                    raise ReplyTooLong(most)
                parts.append(part)
    except urllib3.exceptions.ReadTimeoutError as error:
        raise ReadTimeout(error) from error
    except urllib3.exceptions.HTTPError as error:
        raise ChunkedEncodingError(error) from error
    except zlib.error as error:
        raise ContentDecodingError(error) from error
    if gunzip is not None and arrived and not gunzip.eof:
        raise ContentDecodingError("its end is missing")
    return b"".join(parts)


def _unpacked(gunzip: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """Unpack gzip in pieces of bounded size. Data after the end of the packed data is ignored."""
    part = b""
    # After a full piece, more may be waiting inside zlib although ``packed`` is empty.
    while not gunzip.eof and (packed or len(part) == _PIECE):
        part = gunzip.decompress(packed, _PIECE)
        packed = gunzip.unconsumed_tail
        yield part


_requests = logging.getLogger("ticketbot.request")


def show_request(method: str, url: str, became: object, seconds: float, request_id: str | None = None) -> None:
    """Show a finished request: method, URL, its status or the kind of its error, and the seconds it took."""
    if _requests.isEnabledFor(logging.DEBUG):
        parts = urlsplit(url)
        where = f"{parts.hostname or ''}{parts.path}"
        named = f", request {plain(request_id)}" if request_id else ""
        _requests.debug("%s %s -> %s in %.0f ms%s", method, plain(where), became, seconds * 1000, named)


TlsVersion = Literal["1.2", "1.3"]
_lowest: TlsVersion = "1.2"
GROWTH: Final = 8
"""Maximum memory of a parsed answer, its text included, as a multiple of the answer's maximum length."""
_HARMLESS = 250_000
"""Length in bytes up to which a text is parsed without an estimate: it takes 10 MB at most."""

# What a part takes once parsed, in bytes: measured with CPython 3.11, and rounded up. A text is held beside the bytes
# that it came from, and one character beyond the first 65,536 makes every character of it four bytes long.
_PER_BYTE = 5
_PER_SIGN = ((b"{", 240), (b"[", 100), (b",", 64), (b'"', 32))


class JsonTooLarge(ValueError):
    """Parsed, the text might take more memory than is allowed for one answer; up to forty times its length."""


def bounded_json(raw: bytes, *, most: int) -> Any:
    """Parse a JSON text if its value and the text take no more than ``most`` bytes of memory.

    Raises ``JsonTooLarge``, or ``orjson.JSONDecodeError`` for text that is not JSON. The estimate also counts signs
    inside strings, so it can be too high and never too low.
    """
    if len(raw) > _HARMLESS:
        estimate = _PER_BYTE * len(raw) + sum(weight * raw.count(sign) for sign, weight in _PER_SIGN)
        if estimate > most:
            raise JsonTooLarge
    import orjson  # most commands read no JSON of others before their options are checked

    return orjson.loads(raw)


_HOSTS = ("127.0.0.1", "localhost", "::1")


def is_loopback(url: str) -> bool:
    """True if a URL's host is this machine's loopback. Raises ``ValueError`` for an invalid URL."""
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
    """The same; also raises ``ValueError`` for http, unless the host is this machine's loopback."""
    parts = whole_url(value, example)
    if parts.scheme == "http" and not is_loopback(value):
        raise ValueError("must begin with https:// (http only for this machine's own loopback)")
    return parts


def require_tls(version: TlsVersion) -> None:
    """Set the lowest TLS version that this process accepts."""
    global _lowest
    _lowest = version


def lowest_tls() -> ssl.TLSVersion:
    """The lowest TLS version that this process accepts, as ``ssl`` names it."""
    import ssl  # not above: every start of the command line would wait for it

    return ssl.TLSVersion.TLSv1_3 if _lowest == "1.3" else ssl.TLSVersion.TLSv1_2

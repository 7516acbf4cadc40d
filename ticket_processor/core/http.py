"""Sessions of ``requests`` that speak no old TLS and take replies of bounded size only.

By itself ``requests`` reads and unpacks whatever a server sends.
Only gzip is asked for, and only one layer of it is unpacked: any other packing is no answer. Bytes are counted as they
arrive and as they are unpacked, so that neither an endless body nor a small one that unpacks to gigabytes is held.

Base URLs of servers, whether one is this machine's own loopback, and the lowest version of TLS over https.

That version is one for the whole process, also for libraries that send alerts.

Requests are shown for ``--verbose``, see ``verbose``: no header, no query and no body.
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
    """Reads each reply of up to ``most`` bytes before it is handed on. For one thread, since ``most`` may be changed.

    A longer one raises :class:`ReplyTooLong`. With the status of an error, or where ``strict`` is false, it comes
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
            return response  # a library that reads it piece by piece knows when to stop
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
        # Session.send would otherwise read on, also what it is not asked for: the body of a redirect.
        response._content = body
        response._content_consumed = True  # type: ignore[attr-defined]
        return response


def bound_all_sessions() -> None:
    """From now on every session of this process is such a one: libraries that send alerts make their own."""
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
        # Not .stream(), which reads the length of a chunk as a line of any length.
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
    """Unpack gzip in pieces of bounded size. What follows the end of the packed data is passed over."""
    part = b""
    # A full piece may not have been all, although nothing packed is left.
    while not gunzip.eof and (packed or len(part) == _PIECE):
        part = gunzip.decompress(packed, _PIECE)
        packed = gunzip.unconsumed_tail
        yield part


_requests = logging.getLogger("ticketbot.request")


def show_request(method: str, url: str, became: object, seconds: float, request_id: str | None = None) -> None:
    """A request has ended: with a status, or with the kind of error that ended it."""
    if _requests.isEnabledFor(logging.DEBUG):
        parts = urlsplit(url)
        where = f"{parts.hostname or ''}{parts.path}"
        named = f", request {plain(request_id)}" if request_id else ""
        _requests.debug("%s %s -> %s in %.0f ms%s", method, plain(where), became, seconds * 1000, named)


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

"""Sessions of ``requests`` that speak no old TLS and take replies of bounded size only.

By itself ``requests`` reads and unpacks whatever a server sends.
Only gzip is asked for, and only one layer of it is unpacked: any other packing is no answer. Bytes are counted as they
arrive and as they are unpacked, so that neither an endless body nor a small one that unpacks to gigabytes is held.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterator
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, ReadTimeout

from .urls import lowest_tls

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
    gunzip = _Gunzip() if "gzip" in coding else None
    parts, arrived, size = [], 0, 0
    try:
        # Not .stream(), which reads the length of a chunk as a line of any length.
        while piece := response.raw.read(_PIECE, decode_content=False):
            arrived += len(piece)
            if arrived > most:
                raise ReplyTooLong(most)
            for part in (piece,) if gunzip is None else gunzip.pieces(piece):
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
    if gunzip is not None and arrived and not gunzip.whole:
        raise ContentDecodingError("its end is missing")
    return b"".join(parts)


class _Gunzip:
    """Unpacks gzip a piece at a time, each of bounded size. What follows the end of the packed data is passed over."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS)

    @property
    def whole(self) -> bool:
        """The end of the packed data has been seen."""
        return self._inner.eof

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """Unpack some more bytes, piece by piece."""
        part = b""
        # A full piece may not have been all, although nothing packed is left.
        while not self._inner.eof and (packed or len(part) == _PIECE):
            part = self._inner.decompress(packed, _PIECE)
            packed = self._inner.unconsumed_tail
            yield part

"""Serves an application until a stop is asked for: listens, answers what has begun, and ends."""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from collections.abc import Iterable, Sequence
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from ..core.errors import ConfigError
from .connections import ConnectionGuard, ConnectionLimits, GuardedConnection

BACKLOG = 1024
AT_ONCE = 64
"""Connections that are accepted before the first of them is counted."""
ANSWERS_S = 5
"""How long answers may take once a stop was asked for."""
IDLE_S = 75
"""How long a connection stays open without a request: a page that asks for news every minute need not begin anew."""


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10"))
)
"""Networks that are not routed beyond a site (RFC 1918, RFC 4193)."""


def listening(host: str, port: int) -> socket.socket:
    """A socket at the address; port 0 picks a free one. Raises :class:`ConfigError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there this option would let two servers share a port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(BACKLOG)  # from now on clients wait, and are not refused
    except (OSError, OverflowError, TypeError) as error:  # a name that can be none is a TypeError
        found.close()
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"--port {port} on {host} cannot be used: {why}") from None
    return found


def trusted(proxies: Iterable[str]) -> tuple[str, ...]:
    """The reverse proxies whose word on the client is believed. Raises :class:`ConfigError`.

    Each is one address, or a network of private ones: whoever is believed can name any client, and so lift every limit.
    """
    found = tuple(proxies)
    for text in found:
        try:
            network = ipaddress.ip_network(text)
        except ValueError:
            raise ConfigError(
                f"--proxy {text}: write the proxy's IP address, or its network such as 10.0.0.0/8"
            ) from None
        if network.num_addresses > 1 and not any(_within(network, private) for private in _PRIVATE):
            raise ConfigError(f"--proxy {text}: anybody there could claim any address; write the proxy's own address")
    return found


def _within(network: _Network, other: _Network) -> bool:
    return network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]


class _AcceptsFew(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(BACKLOG)  # the backlog that uvicorn is given also says how many are accepted at once


class Server:
    """The application at a socket, in a thread of its own. Only ``proxies`` may name the client."""

    def __init__(
        self, app: ASGIApp, at: socket.socket, proxies: Sequence[str] = (), limits: ConnectionLimits | None = None
    ) -> None:
        guard = ConnectionGuard(limits or ConnectionLimits(), proxies)
        self._server = _AcceptsFew(
            uvicorn.Config(
                app,
                http=partial(GuardedConnection, guard),  # type: ignore[arg-type]
                log_level="error",
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                backlog=AT_ONCE,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=list(proxies),
                timeout_graceful_shutdown=ANSWERS_S,
                timeout_keep_alive=IDLE_S,
            )
        )
        self._thread = threading.Thread(target=self._server.run, args=[[at]], name="server", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Take no more, and give the answers that are due."""
        self._server.should_exit = True
        self._thread.join(ANSWERS_S + 2)

"""Serves an application until a stop is asked for: listens, answers what has begun, and ends.

It limits the number of connections. A client that sends half a request keeps its connection: the reverse proxy, which
others come through, ends such connections.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from collections.abc import Sequence

import uvicorn
from starlette.types import ASGIApp

from ..core.errors import ConfigError

MOST_CONNECTIONS = 400
"""More are answered with 503. Processes may usually open 1024 files; the state, the log and models need some, too."""


def place_of(host: str) -> str:
    """A client's address as limits count it; of IPv6 the network, since a household has a whole one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return host


BACKLOG = 1024
ANSWERS_S = 5
"""How long answers may take once a stop was asked for."""
IDLE_S = 75
"""How long a connection stays open without a request: a page that asks for news every minute need not begin anew."""


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


class Server:
    """The application at a socket, in a thread of its own. Only ``proxies`` may name the client."""

    def __init__(self, app: ASGIApp, at: socket.socket, proxies: Sequence[str] = ()) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                log_level="error",
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                backlog=BACKLOG,
                limit_concurrency=MOST_CONNECTIONS,
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

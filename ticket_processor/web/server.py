"""Serves an application until a stop is asked for: listens, answers what has begun, and ends.

It ends connections that wait for their client for too long, and keeps their number below what the process may open.
uvicorn ends those that are idle between two requests, and no others: a client that sends nothing, or half a request,
would hold its connection for ever.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from asyncio import AbstractEventLoop, BaseTransport
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..core.errors import ConfigError

MOST = 1000
"""Connections at the same time, where the process may open that many files."""
SWEEP_S = 1.0


def place_of(host: str) -> str:
    """A client's address as limits count it; of IPv6 the network, since a household has a whole one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return host


def most_connections() -> int:
    """Half of the files that this process may open at the same time: the state, the log and models need some, too."""
    if sys.platform == "win32":
        return MOST
    import resource

    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST if allowed == resource.RLIM_INFINITY else max(1, min(MOST, allowed // 2))


@dataclass(frozen=True)
class ConnectionLimits:
    """How many connections there may be, and how long each may wait for its client."""

    most: int = field(default_factory=most_connections)
    head_s: float = 10.0
    """For the whole head of a request; of the first one from when the connection was made."""
    part_s: float = 20.0
    part_bytes: int = 10_000
    """In each ``part_s`` so many bytes of a body have to come."""
    rest_s: float = 30.0
    """For what still comes of a body that was answered before its end: browsers read the answer when all is sent."""
    answer_s: float = 120.0
    """In which some of an answer has to be taken. It is long, since systems tell us of it in large steps."""

    @property
    def most_of_one(self) -> int:
        """Connections of one address."""
        return max(1, self.most // 4)


class ConnectionGuard:
    """The connections of one server. Where there are too many, the one that was idle for longest makes room.

    All connections of one of ``proxies`` are its clients', so that only the number of all limits them.
    """

    def __init__(self, limits: ConnectionLimits, proxies: Sequence[str] = ()) -> None:
        self.limits = limits
        self._proxies = [ipaddress.ip_network(proxy) for proxy in proxies]
        self._open: OrderedDict[GuardedConnection, None] = OrderedDict()  # those first that were silent for longest
        self._of: Counter[str] = Counter()
        self._is_sweeping = False

    def came(self, new: GuardedConnection) -> bool:
        """Count a connection; ``False`` where no other one can make room for it."""
        limits, is_proxy = self.limits, self._is_proxy(new.host)
        if not is_proxy and self._of[new.place] >= limits.most_of_one and not self._make_room(new.place):
            return False
        if len(self._open) >= limits.most and not self._make_room():
            return False
        self._open[new] = None
        self._of[new.place] += 1
        if not self._is_sweeping:
            self._is_sweeping = True
            self._sweep_later(new.loop)
        return True

    def heard(self, one: GuardedConnection) -> None:
        """Its client has sent something."""
        if one in self._open:
            self._open.move_to_end(one)

    def left(self, one: GuardedConnection) -> None:
        """It is counted no more. Idempotent."""
        if one in self._open:
            del self._open[one]
            self._of[one.place] -= 1
            if not self._of[one.place]:
                del self._of[one.place]

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    def _make_room(self, place: str | None = None) -> bool:
        """End the connection that was idle for longest; one in the middle of something only if there is no other."""
        chosen = None
        for one in self._open:
            if place in (None, one.place) and (waits_for := one.waits_for()):
                if waits_for not in ("body", "answer"):
                    chosen = one
                    break
                chosen = chosen or one
        if chosen is not None:
            self._end(chosen)
        return chosen is not None

    def _end(self, one: GuardedConnection) -> None:
        self.left(one)
        one.transport.abort()

    def _sweep_later(self, loop: AbstractEventLoop) -> None:
        loop.call_later(min(SWEEP_S, self.limits.head_s / 4), self._sweep, loop)

    def _sweep(self, loop: AbstractEventLoop) -> None:
        for each in [each for each in self._open if each.is_late(self.limits)]:
            self._end(each)
        self._is_sweeping = bool(self._open)
        if self._is_sweeping:
            self._sweep_later(loop)


class GuardedConnection(H11Protocol):
    """A connection of uvicorn's that a guard watches."""

    def __init__(self, guard: ConnectionGuard, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._guard = guard
        self._received = self._resumed = self._before = 0
        self._stage: object = None
        self._since = 0.0
        self.host = self.place = ""

    def connection_made(self, transport: BaseTransport) -> None:
        """uvicorn's, unless there are too many."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self.host = self.client[0] if self.client else ""
        self.place = place_of(self.host)
        self._begin(self._now_at(), self.loop.time())
        if not self._guard.came(self):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """uvicorn's."""
        self._guard.left(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """uvicorn's."""
        self._received += len(data)
        self._guard.heard(self)
        super().data_received(data)

    def resume_writing(self) -> None:
        """uvicorn's."""
        self._resumed += 1  # most of what waited has been taken, and more is written now
        super().resume_writing()

    def waits_for(self) -> str:
        """What the client has to send or take next; empty while it is the server's turn."""
        if self.transport.get_write_buffer_size():
            return "answer"
        if self.conn.their_state is h11.IDLE:
            is_begun = self.timeout_keep_alive_task is None or self.conn.trailing_data[0]
            return "head" if is_begun else "request"
        if self.conn.their_state is h11.SEND_BODY:
            if self.cycle.response_complete:
                return "rest"
            return "" if self.flow.read_paused else "body"
        return ""

    def is_late(self, limits: ConnectionLimits) -> bool:
        """Whether the client has taken too long. It is asked again and again."""
        stage, now = self._now_at(), self.loop.time()
        if stage != self._stage:
            self._begin(stage, now)
        waits_for, waited = self.waits_for(), now - self._since
        if waits_for == "body" and waited >= limits.part_s and self._received - self._before >= limits.part_bytes:
            self._begin(stage, now)
            return False
        given = {"head": limits.head_s, "body": limits.part_s, "rest": limits.rest_s, "answer": limits.answer_s}
        return waits_for in given and waited >= given[waits_for]

    def _begin(self, stage: object, now: float) -> None:
        self._stage, self._since, self._before = stage, now, self._received

    def _now_at(self) -> object:
        return self.waits_for(), self.cycle, self._resumed, self.transport.get_write_buffer_size()


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

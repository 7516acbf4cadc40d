"""``ticketbot portal``: serves the pages of the local helpdesk and triages their tickets; or adds its first admin."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, how_to_install
from .options import ConfigOption, QuietOption
from .screen import Screen
from .serving import say_line, until_stopped, url_of

if TYPE_CHECKING:
    from ..settings.schema import Settings

PARTS = {
    "fastapi": "fastapi",
    "uvicorn": "uvicorn",
    "python_multipart": "python-multipart",
    "argon2": "argon2-cffi",
    "itsdangerous": "itsdangerous",
    "markdown_it": "markdown-it-py",
    "nh3": "nh3",
}
"""Modules that the portal needs, and their packages."""
_OPEN = (
    "with --host {} other machines would reach the portal without TLS: put a reverse proxy with TLS before it and name "
    "the https address that people see as portal.url, or keep 127.0.0.1"
)
_ONE_ADDRESS = "portal.url is set, and no --proxy: limits take everybody who comes through your proxy for one address"


def portal(
    clock: SystemClock,
    action: Annotated[
        Literal["create-admin"] | None,
        typer.Argument(metavar="[create-admin]", help="Add an admin, who can log in and add agents, and end."),
    ] = None,
    email: Annotated[str | None, typer.Argument(metavar="[EMAIL]", help="With create-admin: the mail address.")] = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Where to listen; 0 picks a free port.")
    ] = 8090,
    every: Annotated[
        int, typer.Option(min=1, max=1440, metavar="MINUTES", help="Also play the ordinary run so often.")
    ] = 10,
    proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Believe X-Forwarded-* of this reverse proxy; may be repeated."),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Serve a filled portal that is gone afterwards; needs no settings.")
    ] = False,
    quiet: QuietOption = False,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Serve a ticket form, tracking pages and an agents' list. Exit code 0: stopped by a signal."""
    need_parts()
    from ..settings.load import load

    if (action is None) != (email is None):
        raise ConfigError("write 'ticketbot portal create-admin EMAIL', or nothing behind 'portal'")
    settings = load(config=config, need_helpdesk=not demo)
    screen = Screen(quiet=quiet)
    if demo:  # it is on this machine, whatever address the real one has
        settings = settings.model_copy(update={"portal": settings.portal.model_copy(update={"url": None})})
    else:
        check_local(settings)
    if email is not None:
        from .portal_admin import create_admin

        return create_admin(settings, email, screen), 0
    from ..web.server import listening, trusted

    proxies = trusted(proxy or ())
    at = listening(host, port)
    screen.notices([*settings.notices, *reached(settings, host, at, proxies)])
    say = (lambda _line: None) if quiet else say_line
    with ExitStack() as stack:
        address = settings.portal.url or url_of(host, at)
        lines = [f"The portal is at {address} ; Ctrl-C ends it."]
        if demo:
            from ..web.portal.demo import demonstration

            settings, more = stack.enter_context(demonstration(settings, clock, address))
            lines += more
        code = _serve(settings, clock, address, at, every * 60.0, proxies, say, lambda: screen.say("\n".join(lines)))
    return code, 1  # threads of analyses may be left behind


def _serve(
    settings: Settings,
    clock: SystemClock,
    address: str,
    at: socket.socket,
    every_s: float,
    proxies: Sequence[str],
    say: Callable[[str], object],
    announce: Callable[[], object],
) -> int:
    from ..web.delivery_queue import DeliveryQueue
    from ..web.player import RunPlayer
    from ..web.portal.process import PortalProcess
    from ..web.server import Server
    from ..web.worker import Worker

    jobs = SystemClock()  # a signal ends the serving at once, and the run under way only when it takes too long
    queue = DeliveryQueue(settings.state_folder, settings.helpdesk, join_s=0.0)
    worker = Worker(queue, RunPlayer(settings, jobs, say), jobs, say, every_s=every_s)
    process = PortalProcess(settings, clock, address, queue, worker.wake, say)
    server = Server(process.app, at, proxies)
    code = until_stopped(clock, jobs, server, worker, process.close, announce)
    queue.close()
    return code


def need_parts() -> None:
    """Raises :class:`ConfigError` where a package is missing."""
    if missing := [package for module, package in PARTS.items() if find_spec(module) is None]:
        raise ConfigError(f"the portal needs {' and '.join(missing)}, not installed here: {how_to_install('serve')}")


def check_local(settings: Settings) -> None:
    """Raises :class:`ConfigError` where the helpdesk is not the local one."""
    if settings.helpdesk != "local":
        raise ConfigError('the portal belongs to the local helpdesk: set helpdesk = "local" (docs/portal.md)')


def reached(settings: Settings, host: str, at: socket.socket, proxies: Sequence[str]) -> list[str]:
    """What to say of who reaches the portal. Raises :class:`ConfigError` where other machines would without TLS."""
    https = (settings.portal.url or "").startswith("https:")
    if not (https or ipaddress.ip_address(at.getsockname()[0].partition("%")[0]).is_loopback):
        at.close()
        raise ConfigError(_OPEN.format(host))
    return [_ONE_ADDRESS] if https and not proxies else []

"""``ticketbot portal``: serves the local helpdesk and triages its tickets; adds its first admin, makes API tokens.

``ticketbot dashboard``: checks options and packages, and serves the pages.
"""

from __future__ import annotations

import getpass
import ipaddress
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode, Stopping, how_to_install
from .options import ConfigOption, HostOption, PortOption
from .screen import Screen, harmless

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..settings.schema import Settings
    from ..web.worker import DeliveryQueue, Worker


PARTS = {
    "fastapi": "fastapi",
    "uvicorn": "uvicorn",
    "python_multipart": "python-multipart",
    "argon2": "argon2-cffi",
    "itsdangerous": "itsdangerous",
    "nh3": "nh3",
}
"""Modules that the portal needs, and their packages."""
_OPEN = (
    "with --host {} other machines would reach the portal without TLS: put a reverse proxy with TLS before it and name "
    "the https address that people see as portal.url, or keep 127.0.0.1"
)
_FORMS = (
    "write nothing behind 'portal', or 'create-admin EMAIL', 'create-token EMAIL --scope read', 'list-tokens' or "
    "'revoke-token NAME'"
)
_ONE_ADDRESS = "portal.url is set, and serve.proxies names no proxy: limits take everybody behind yours for one address"


def portal(
    clock: SystemClock,
    action: Annotated[
        Literal["create-admin", "create-token", "list-tokens", "revoke-token"] | None,
        typer.Argument(
            metavar="[create-admin | create-token | list-tokens | revoke-token]",
            help="Add an admin, who can log in and add agents; make, list or end tokens of the API; and end.",
        ),
    ] = None,
    who: Annotated[
        str | None,
        typer.Argument(metavar="[EMAIL | NAME]", help="The admin's or agent's mail address; the token to revoke."),
    ] = None,
    scope: Annotated[
        Literal["read", "write"] | None, typer.Option(help="With create-token, needed: what it may do.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="With create-token: what to call it.")] = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8090,
    every: Annotated[int, typer.Option(min=1, max=1440, metavar="MINUTES", help="Also run so often.")] = 10,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Serve a ticket form, tracking pages and an agents' list. Exit code 0: stopped by a signal."""
    need_parts()
    from ..settings.load import load

    if (who is None) != (action in (None, "list-tokens")):
        raise ConfigError(_FORMS)
    if (scope is not None) != (action == "create-token") or (name is not None and scope is None):
        raise ConfigError("--scope belongs to create-token, which needs it; --name goes with both")
    settings = load(config=config)
    screen = Screen()
    if settings.helpdesk != "local":
        raise ConfigError('the portal belongs to the local helpdesk: set helpdesk = "local" (docs/portal.md)')
    if action == "create-admin":
        return create_admin(settings, who or "", screen), 0
    if action is not None:
        return tokens(settings, clock, screen, who, scope, name), 0
    from ..web.server import listening

    at = listening(host, port)
    screen.notices([*settings.notices, *reached(settings, host, at)])
    address = settings.portal.url or url_of(host, at)

    def build(queue: DeliveryQueue, worker: Worker, ends: ExitStack) -> FastAPI:
        from ..web.portal.application import portal_app

        return portal_app(settings, clock, address, queue, worker.wake, say_line, ends)

    ready = f"The portal is at {address} ; Ctrl-C ends it."
    code = until_stopped(clock, settings, at, every, build, lambda: screen.say(ready))
    return code, 1  # threads of analyses may be left behind


def need_parts() -> None:
    """Raises :class:`ConfigError` where a package is missing."""
    if missing := [package for module, package in PARTS.items() if find_spec(module) is None]:
        raise ConfigError(f"the portal needs {' and '.join(missing)}, not installed here: {how_to_install('serve')}")


def reached(settings: Settings, host: str, at: socket.socket) -> list[str]:
    """What to say of who reaches the portal. Raises :class:`ConfigError` where other machines would without TLS."""
    https = (settings.portal.url or "").startswith("https:")
    if not (https or ipaddress.ip_address(at.getsockname()[0].partition("%")[0]).is_loopback):
        at.close()
        raise ConfigError(_OPEN.format(host))
    return [_ONE_ADDRESS] if https and not settings.serve.proxies else []


def create_admin(settings: Settings, email: str, screen: Screen) -> int:
    """Add an admin, or give somebody who is known that role and a new password. Gives the exit code."""
    from ..web.portal.agent_accounts import Passwords, is_address, why_weak
    from ..wiring.desks import local_store

    email = email.strip()
    if not is_address(email):
        raise ConfigError("write a mail address behind create-admin")
    password = _password()
    if trouble := why_weak(password, email):
        raise ConfigError(trouble)
    with local_store(settings, make=True) as store:
        known, stored = store.by_email(email), Passwords().hash(password)
        if known is None or known.role == "customer":
            store.add_person(email, "", "admin", stored)
        else:
            store.set_person(known.id, role="admin", password_hash=stored)
    screen.say("An admin with this address can log in at /admin now.")
    return ExitCode.OK


def tokens(
    settings: Settings,
    clock: SystemClock,
    screen: Screen,
    who: str | None,
    scope: Literal["read", "write"] | None,
    name: str | None,
) -> int:
    """Make a token with ``scope`` for the agent ``who``, or revoke the one of that name; without either list them.

    The secret is all that is printed to standard output, so that a script can take it. Gives the exit code.
    """
    from ..core.tables import Table, show
    from ..helpdesk.local_model import LocalHelpdeskError
    from ..wiring.desks import local_store

    with local_store(settings) as store:
        if scope is not None and who is not None:
            try:
                name, secret = store.add_token(who, scope, name or "", clock.now())
            except LocalHelpdeskError as error:
                raise ConfigError(f"no token was made: {error}") from None
            screen.notices([f"token {name}, which may {scope}: it is shown this once"])
            screen.say(secret)
        elif who is not None:
            if not store.revoke_token(who):
                raise ConfigError("no token has this name: 'ticketbot portal list-tokens' prints them")
            screen.say("The token is revoked.")
        else:
            rows = tuple((one.name, one.scope, one.email, one.created_at[:10]) for one in store.tokens())
            show([Table(f"Tokens of the API: {len(rows)}", ("<Name", "<Scope", "<Agent", "<Made"), rows)])
    return ExitCode.OK


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise ConfigError("the two passwords differ")
    return password


POLL_S = 0.25
"""How long a signal may go unnoticed: on Windows a waiting main thread hears none."""
JOB_S, END_S = 12.0, 17.0
"""After a signal: how long the run under way may go on before it is asked to wind up, and how long all of it takes."""


def until_stopped(
    clock: SystemClock,
    settings: Settings,
    at: socket.socket,
    every_min: int | None,
    build: Callable[[DeliveryQueue, Worker, ExitStack], FastAPI],
    announce: Callable[[], object],
) -> ExitCode:
    """Serve what ``build`` makes of queue and worker until a signal comes; its stack is closed once nothing comes in.

    The run under way is asked to wind up when it takes too long.
    """
    from ..web.server import Server, played
    from ..web.worker import JOIN_S, DeliveryQueue, Worker

    join_s = 0.0 if settings.helpdesk == "local" else JOIN_S  # a submitted ticket is whole
    queue = DeliveryQueue(settings.state_folder, settings.helpdesk, join_s=join_s)
    jobs = SystemClock()  # a signal ends the serving at once, and the run under way only when it takes too long
    every_s = None if every_min is None else every_min * 60.0
    worker = Worker(queue, partial(played, settings, jobs, say_line), jobs, say_line, every_s=every_s)
    with ExitStack() as ends:
        server = Server(build(queue, worker, ends), at, settings.serve.proxies)
        server.start()
        worker.start()
        announce()
        try:
            while server.is_alive and worker.is_alive():
                clock.wait(POLL_S)
        except Stopping:
            code = ExitCode.OK
        else:
            code = ExitCode.CANNOT_RUN  # neither ends by itself
        began = jobs.monotonic()
        worker.stop()
        server.stop()
    worker.join(max(0.0, began + JOB_S - jobs.monotonic()))
    if worker.is_alive():
        jobs.stop()
        worker.join(max(0.0, began + END_S - jobs.monotonic()))
    queue.close()
    return code


def url_of(host: str, at: socket.socket) -> str:
    """The address of a socket that listens at ``host``."""
    return f"http://{f'[{host}]' if ':' in host else host}:{at.getsockname()[1]}"


def say_line(text: str) -> None:
    """Write a line for the journal; the time is the journal's, or ours at a terminal."""
    stamp = time.strftime("%H:%M:%S ") if sys.stderr.isatty() else ""
    sys.stderr.write(f"{stamp}{harmless(text, one_line=True)}\n")
    sys.stderr.flush()


_PARTS = ("streamlit", "duckdb")
OPEN_TO_ALL = (
    "--host {}: other machines would reach receipts and redacted summaries. Set up [dashboard.auth] and name the https "
    "address that people see (--public-url), or keep 127.0.0.1 and put a reverse proxy with a sign-in before it"
)


def dashboard(
    clock: SystemClock,
    port: PortOption = 8501,
    host: HostOption = "127.0.0.1",
    public_url: Annotated[str | None, typer.Option(metavar="URL", help="Its address behind a reverse proxy.")] = None,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Show tickets, costs, runs and health on pages in a browser."""
    if missing := [part for part in _PARTS if find_spec(part) is None]:
        raise ConfigError(
            f"the dashboard needs {' and '.join(missing)}, not installed here: {how_to_install('dashboard')}"
        )
    from ..dashboard.server import Address, DashboardOptions, free, give, secrets_files, serve
    from ..settings.load import load, secret_files, settings_file

    screen = Screen()
    settings = load(config=config, need_helpdesk=False)
    auth = settings.dashboard.auth
    address = Address(host, port, _public(public_url))
    if not (address.is_loopback or (auth.wanted and (address.public_url or "").startswith("https:"))):
        raise ConfigError(OPEN_TO_ALL.format(host))
    address = free(address)
    screen.notices([*settings.notices, *settings.lost])
    private = address.is_loopback and address.public_url is None
    give(DashboardOptions(settings, clock, secret_files(settings_file(config)), private=private))
    clock.check()
    with secrets_files(auth, address.public_url or address.url) as files:
        serve(
            address,
            ready=lambda: screen.say(f"The dashboard is at {address.url} ; Ctrl-C ends it."),
            secrets_files=files,
        )
    return ExitCode.OK, 1  # threads of pages may be left behind


def _public(url: str | None) -> str | None:
    from ..core.http import whole_url  # heavy

    try:
        return url and whole_url(url, "https://intern.example.com/ticketbot").geturl()
    except ValueError as error:
        raise ConfigError(f"--public-url {error}") from None

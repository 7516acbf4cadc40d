"""``ticketbot serve``: checks options and packages, and serves until it is stopped; or sets the helpdesk's side up."""

from __future__ import annotations

import ipaddress
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Annotated, Literal

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, how_to_install
from .options import ConfigOption
from .portal import need_parts, reached
from .screen import Screen
from .serving import say_line, until_stopped, url_of

_PARTS = ("fastapi", "uvicorn")


def serve(
    clock: SystemClock,
    action: Annotated[
        Literal["install-webhook"] | None,
        typer.Argument(metavar="[install-webhook]", help="Set the helpdesk up to call this server, and end."),
    ] = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Where to listen; 0 picks a free port.")
    ] = 8080,
    every: Annotated[
        int | None, typer.Option(min=1, max=1440, metavar="MINUTES", help="Also play the ordinary run so often.")
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Believe X-Forwarded-* of this reverse proxy; may be repeated."),
    ] = None,
    metrics: Annotated[bool, typer.Option("--metrics", help="Also serve Prometheus' /metrics.")] = False,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="With install-webhook: the address at which the helpdesk reaches this server."
        ),
    ] = None,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Take the helpdesk's webhooks in, and triage their tickets within seconds. Exit code 0: stopped by a signal."""
    from ..settings.load import load

    screen = Screen()
    if action is not None:
        from .serve_install import install

        settings = load(config=config)
        return install(settings, clock, screen, url), 0
    if url is not None:
        raise ConfigError("--url belongs to install-webhook")
    if missing := [part for part in _PARTS if find_spec(part) is None]:
        raise ConfigError(f"serve needs {' and '.join(missing)}, not installed here: {how_to_install('serve')}")
    from ..monitoring.health.doctor import Doctor
    from ..web.app import Service, make
    from ..web.condition import CachedExamination, ServerCondition
    from ..web.delivery_queue import JOIN_S, DeliveryQueue, GroupCommit
    from ..web.gate import WINDOW_S
    from ..web.player import RunPlayer, analysed, doors_of
    from ..web.server import Server, listening, trusted
    from ..web.worker import Worker

    if metrics:
        from ..monitoring.health.exposition import require_prometheus

        require_prometheus()
    settings = load(config=config)
    doors = doors_of(settings, clock)
    is_local = settings.helpdesk == "local"
    if is_local:
        need_parts()
    proxies = trusted(proxy or ())
    at = listening(host, port)
    notices = reached(settings, host, at, proxies) if is_local else _open_to_others(host, at.getsockname()[0])
    join_s = 0.0 if is_local else JOIN_S  # a submitted ticket is whole
    queue = DeliveryQueue(settings.state_folder, settings.helpdesk, join_s=join_s)
    jobs = SystemClock()  # a signal ends the serving at once, and the run under way only when it takes too long
    worker = Worker(
        queue, RunPlayer(settings, jobs, say_line), jobs, say_line, every_s=None if every is None else every * 60.0
    )
    commit = GroupCommit(queue, clock.now, 2 * WINDOW_S, worker.wake)
    doctor = Doctor(settings, clock, offline=True)
    service = Service(
        doors=doors,
        commit=commit,
        now=clock.now,
        health=lambda: condition.told(),
        analyse=lambda asked: analysed(asked, settings, clock),
        metrics=(lambda accept: condition.metrics(accept)) if metrics else None,
        say=say_line,
    )
    condition = ServerCondition(CachedExamination(doctor.examine, clock), queue, worker, service.counted, clock.now)
    app, own = make(service), url_of(host, at)
    with ExitStack() as ends:
        ends.callback(commit.close)
        if is_local:
            from ..web.portal.process import PortalProcess

            process = PortalProcess(settings, clock, settings.portal.url or own, queue, worker.wake, say_line)
            ends.callback(process.close)
            app.mount("/", process.app)
        server = Server(app, at, proxies)
        screen.notices([*settings.notices, *notices])
        code = until_stopped(
            clock, jobs, server, worker, ends.close, lambda: screen.say(f"Serving at {own} ; Ctrl-C ends it.")
        )
    queue.close()
    return code, 1  # threads of analyses may be left behind


def _open_to_others(host: str, address: str) -> list[str]:
    if ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        return []
    return [f"with --host {host} other machines reach this without TLS: put a reverse proxy with TLS before it"]

"""``ticketbot serve``: checks options and packages, and serves until it is stopped; or sets the helpdesk's side up."""

from __future__ import annotations

import ipaddress
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode, Stopping, how_to_install
from .options import ConfigOption, QuietOption
from .screen import Screen

if TYPE_CHECKING:
    from ..web.group_commit import GroupCommit
    from ..web.server import Server
    from ..web.worker import Worker

POLL_S = 0.25
"""How long a signal may go unnoticed: on Windows a waiting main thread hears none."""
JOB_S, END_S = 12.0, 17.0
"""After a signal: how long the run under way may go on before it is asked to wind up, and how long all of it takes."""
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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With install-webhook: print what it would create.")
    ] = False,
    quiet: QuietOption = False,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Take the helpdesk's webhooks in, and triage their tickets within seconds. Exit code 0: stopped by a signal."""
    from ..settings.load import load

    screen = Screen(quiet=quiet)
    if action is not None:
        from .serve_install import install

        settings = load(config=config)
        return install(settings, clock, screen, url, dry_run=dry_run), 0
    if url is not None or dry_run:
        raise ConfigError(f"{'--url' if url is not None else '--dry-run'} belongs to install-webhook")
    if missing := [part for part in _PARTS if find_spec(part) is None]:
        raise ConfigError(f"serve needs {' and '.join(missing)}, not installed here: {how_to_install('serve')}")
    from ..monitoring.health.doctor import Doctor
    from ..monitoring.health.server import CachedExamination
    from ..web.app import Service, make
    from ..web.condition import ServerCondition
    from ..web.delivery_queue import DeliveryQueue
    from ..web.group_commit import GroupCommit
    from ..web.player import RunPlayer, analysed, doors_of
    from ..web.server import Server, listening
    from ..web.worker import Worker

    if metrics:
        from ..monitoring.health.exposition import require_prometheus

        require_prometheus()
    settings = load(config=config)
    doors = doors_of(settings, clock)
    at = listening(host, port)
    queue = DeliveryQueue(settings.state_folder, settings.helpdesk, join_s=settings.serve.join_s)
    jobs = SystemClock()  # a signal ends the serving at once, and the run under way only when it takes too long
    say = (lambda _line: None) if quiet else _line
    worker = Worker(queue, RunPlayer(settings, jobs), jobs, say, every_s=None if every is None else every * 60.0)
    commit = GroupCommit(queue, clock.now, 2 * settings.serve.window_s, worker.wake)
    doctor = Doctor(settings, clock, offline=True)
    service = Service(
        doors=doors,
        commit=commit,
        now=clock.now,
        health=lambda: condition.told(),
        analyse=lambda asked: analysed(asked, settings, clock),
        metrics=(lambda accept: condition.metrics(accept)) if metrics else None,
        say=say,
    )
    condition = ServerCondition(CachedExamination(doctor.examine, clock), queue, worker, service.counted, clock.now)
    server = Server(make(service), at, proxy or ())
    screen.notices([*settings.notices, *_open_to_others(host, at.getsockname()[0])])
    server.start()
    worker.start()
    name = f"[{host}]" if ":" in host else host
    screen.say(f"Serving at http://{name}:{at.getsockname()[1]} ; Ctrl-C ends it.")
    try:
        while server.is_alive and worker.is_alive():
            clock.wait(POLL_S)
    except Stopping:
        code = ExitCode.OK
    else:
        code = ExitCode.CANNOT_RUN  # neither ends by itself
    _end(server, commit, worker, jobs)
    queue.close()
    return code, 1  # threads of analyses may be left behind


def _end(server: Server, commit: GroupCommit, worker: Worker, jobs: SystemClock) -> None:
    """Take nothing more in, and let the run under way come to its end; one that takes too long is to wind up."""
    began = jobs.monotonic()
    worker.stop()
    server.stop()
    commit.close()
    worker.join(max(0.0, began + JOB_S - jobs.monotonic()))
    if worker.is_alive():
        jobs.stop()
        worker.join(max(0.0, began + END_S - jobs.monotonic()))


def _open_to_others(host: str, address: str) -> list[str]:
    if ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        return []
    return [f"with --host {host} other machines reach this without TLS: put a reverse proxy with TLS before it"]


def _line(text: str) -> None:
    """A line for the journal; the time is the journal's, or ours at a terminal."""
    stamp = time.strftime("%H:%M:%S ") if sys.stderr.isatty() else ""
    sys.stderr.write(f"{stamp}{text}\n")
    sys.stderr.flush()

"""``ticketbot serve``: checks options and packages, and serves until it is stopped; or sets the helpdesk's side up.

``ticketbot worker`` and ``ticketbot scheduler``: the processes of a cluster, which run until they are stopped.
"""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import sys
import tomllib
from collections.abc import Mapping
from contextlib import ExitStack, closing
from functools import partial
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..core.clock import Deadline, SystemClock
from ..core.errors import CannotRun, ConfigError, ExitCode, how_to_install
from ..core.http import is_loopback, whole_url
from ..helpdesk.http_messages import Reply
from ..helpdesk.transport import Transport
from ..helpdesk.zendesk_reads import rows_of
from ..settings.schema import Settings
from ..wiring.parts import transport_for
from .options import ConfigOption, HostOption, PortOption
from .portal import need_parts, reached, say_line, until_stopped, url_of
from .screen import Screen

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..web.worker import DeliveryQueue, Worker


_PARTS = ("fastapi", "uvicorn")


def serve(
    clock: SystemClock,
    action: Annotated[
        Literal["install-webhook"] | None,
        typer.Argument(metavar="[install-webhook]", help="Set the helpdesk up to call this server, and end."),
    ] = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8080,
    every: Annotated[int | None, typer.Option(min=1, max=1440, metavar="MINUTES", help="Also run so often.")] = None,
    metrics: Annotated[bool, typer.Option("--metrics", help="Also serve Prometheus' /metrics.")] = False,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="With install-webhook: where the helpdesk reaches this server.")
    ] = None,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Take the helpdesk's webhooks in, and triage their tickets within seconds. Exit code 0: stopped by a signal."""
    from ..settings.load import load

    screen = Screen()
    if action is not None:
        settings = load(config=config)
        return install(settings, clock, screen, url), 0
    if url is not None:
        raise ConfigError("--url belongs to install-webhook")
    if missing := [part for part in _PARTS if find_spec(part) is None]:
        raise ConfigError(f"serve needs {' and '.join(missing)}, not installed here: {how_to_install('serve')}")
    from ..monitoring.doctor import Doctor
    from ..web.gate import doors_of
    from ..web.server import analysed, listening, make, remembered

    if metrics:
        from ..monitoring.health_checks import require_prometheus

        require_prometheus()
    settings = load(config=config)
    doors = doors_of(settings)
    is_local = settings.helpdesk == "local"
    if is_local:
        need_parts()
    at = listening(host, port)
    notices = reached(settings, host, at) if is_local else _open_to_others(host, at.getsockname()[0])
    screen.notices([*settings.notices, *notices])
    own = url_of(host, at)

    def build(queue: DeliveryQueue, worker: Worker, ends: ExitStack) -> FastAPI:
        examine = remembered(Doctor(settings, clock, offline=True).examine, clock)
        analyse = partial(analysed, settings=settings, clock=clock)
        app = make(queue, worker, clock.now, examine, analyse, say_line, doors, has_metrics=metrics)
        if is_local:
            from ..web.portal.application import portal_app

            address = settings.portal.url or own
            app.mount("/", portal_app(settings, clock, address, queue, worker.wake, say_line, ends))
        return app

    code = until_stopped(clock, settings, at, every, build, lambda: screen.say(f"Serving at {own} ; Ctrl-C ends it."))
    return code, 1  # threads of analyses may be left behind


def _open_to_others(host: str, address: str) -> list[str]:
    if ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        return []
    return [f"with --host {host} other machines reach this without TLS: put a reverse proxy with TLS before it"]


DEADLINE_S = 120.0
NAME = "ticketbot"
EXAMPLE = "https://ticketbot.example.com"
_BODY = json.dumps({"ticket_id": "{{ticket.id}}"})


class MayNot(Exception):
    """The helpdesk does not let this user do it."""


def install(settings: Settings, clock: SystemClock, screen: Screen, url: str | None) -> int:
    """Create webhook and trigger, and print the secret for ``.env``; or print the steps. Gives the exit code."""
    helpdesk = settings.helpdesk
    known = tomllib.loads(resources.files(__package__).joinpath("webhook_steps.toml").read_text(encoding="utf-8"))
    if helpdesk not in known:
        raise ConfigError(f"a {helpdesk} helpdesk sends no webhooks, so there is none to install")
    endpoint, marker = f"{_checked(url)}/webhooks/{helpdesk}", settings.policy.marker
    steps = known[helpdesk].format(endpoint=endpoint, marker=marker, body=_BODY, secret=secrets.token_urlsafe(32))
    if url is None or not settings.desk.can.rules:
        screen.say(steps)
        return ExitCode.OK
    with closing(transport_for(settings.desk, clock, Deadline(clock, DEADLINE_S))) as transport:
        try:
            number, secret, said = _created(transport, endpoint, marker)
        except MayNot as why:
            screen.notices([f"{why}: an admin may, and these are the steps"])
            screen.say(steps)
            return ExitCode.CANNOT_RUN
    screen.say("\n".join([*said, f"Put this line into .env, and start 'ticketbot serve' (webhook {number}):", ""]))
    screen.say(f"{helpdesk.upper()}_WEBHOOK_SECRET={secret}")
    return ExitCode.OK


def _created(transport: Transport, endpoint: str, marker: str) -> tuple[str, str, list[str]]:
    """The webhook's id and secret, and what was done; what is there already stays as it is."""
    said = []
    found = next((row for row in _rows(transport, "webhooks") if row.get("endpoint") == endpoint), None)
    if found is None:
        how = {"http_method": "POST", "request_format": "json", "status": "active"}
        subscriptions = {"subscriptions": ["conditional_ticket_events"]}
        found = _made(transport, "webhook", {"name": NAME, "endpoint": endpoint, **how, **subscriptions})
        said.append(f"Webhook '{NAME}' created: {endpoint}")
    else:
        said.append("A webhook to this address is there already, and stays as it is.")
    number = str(found["id"])
    if any(_calls(row, number) for row in _rows(transport, "triggers")):
        said.append("A trigger that calls it is there already, and stays as it is.")
    else:
        conditions = [
            {"field": "update_type", "operator": "is", "value": "Create"},
            {"field": "current_tags", "operator": "not_includes", "value": marker},
        ]
        trigger = {
            "title": NAME,
            "description": "Tells ticketbot of new tickets.",
            "conditions": {"all": conditions, "any": []},
            "actions": [{"field": "notification_webhook", "value": [number, _BODY]}],
        }
        _made(transport, "trigger", trigger)
        said.append(f"Trigger '{NAME}' created: new tickets without the tag {marker}")
    reply = _allowed(transport.request("GET", f"/api/v2/webhooks/{number}/signing_secret"), "read the signing secret")
    return number, reply.body["signing_secret"]["secret"], said


def _rows(transport: Transport, what: str) -> list[dict[str, Any]]:
    def refused(reply: Reply, words: str) -> MayNot:
        return MayNot(f"this user may not read {words} (HTTP {reply.status})")

    return list(rows_of(transport, f"/{what}", refused=refused))


def _made(transport: Transport, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    request = transport.request("POST", f"/api/v2/{name}s", json={name: values})
    made: dict[str, Any] = _allowed(request, f"create a {name}").body[name]
    return made


def _allowed(reply: Reply, what: str) -> Reply:
    if reply.status in (403, 404):
        raise MayNot(f"this user may not {what}")
    if not reply.ok or not isinstance(reply.body, dict):
        raise CannotRun(f"the helpdesk did not let us {what}: it answered {reply.status}")
    return reply


def _calls(trigger: Mapping[str, Any], webhook: str) -> bool:
    return any(
        action.get("field") == "notification_webhook" and str((action.get("value") or [""])[0]) == webhook
        for action in trigger.get("actions") or ()
    )


def _checked(url: str | None) -> str:
    if url is None:
        return EXAMPLE
    try:
        parts = whole_url(url, EXAMPLE)
    except ValueError as error:
        raise ConfigError(f"--url {error}") from None
    if parts.scheme != "https" and not is_loopback(url):
        raise ConfigError("--url must begin with https://, where your reverse proxy answers")
    return url.rstrip("/")


HealthPortOption = Annotated[
    int, typer.Option(min=0, max=65535, metavar="PORT", help="Serve GET /health there; 0: on a free port, here only.")
]
InsecureOption = Annotated[
    bool, typer.Option("--insecure", help="Do without TLS: who reaches it can run programs here.")
]


def worker(
    clock: SystemClock,
    scheduler: Annotated[str, typer.Option(metavar="ADDRESS", help="tcp://HOST:8786 or tls://HOST:8786.")],
    threads: Annotated[int, typer.Option(min=1, max=256, metavar="N", help="Requests at the same time.")] = 16,
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Of this machine, for the scheduler.")] = None,
    health_port: HealthPortOption = 0,
    death_timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="End when no scheduler answers for so long.")
    ] = 60.0,
    insecure: InsecureOption = False,
    config: ConfigOption = None,
) -> ExitCode:
    """Ask models for runs on other machines. Exit code 0: stopped by a signal; 3: no scheduler."""
    from ..analysis.model_server.settings import targets
    from ..settings.load import load
    from ..wiring.cluster import check_address

    notices = check_address(scheduler, "worker", insecure=insecure)
    _let_go_of_credentials()
    settings = load(config=config, need_helpdesk=False, models_only=True)
    models = targets(settings.models)
    if not models:
        raise ConfigError("a worker asks models, and models.names has none")
    from ..wiring.cluster_dask import grace_s, run_worker

    screen = Screen()
    screen.notices(notices)
    clock.grace_s = grace_s(models)
    return run_worker(
        clock,
        scheduler,
        models,
        threads=threads,
        host=host,
        health_port=health_port,
        death_timeout=death_timeout,
        say=screen.say,
    )


def scheduler(
    clock: SystemClock,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8786,
    health_port: HealthPortOption = 0,
    insecure: InsecureOption = False,
) -> ExitCode:
    """Bring workers and runs together. Exit code 0: stopped by a signal."""
    from ..wiring.cluster import check_host, exposed

    protocol = check_host(host, insecure=insecure)
    _let_go_of_credentials()
    from ..wiring.cluster_dask import run_scheduler

    screen = Screen()

    def announce(address: str) -> None:
        screen.notices(exposed(address))
        screen.say(f"The scheduler is at {address} ; Ctrl-C ends it.")

    return run_scheduler(clock, host, port, protocol, health_port, announce)


def _let_go_of_credentials() -> None:
    """Go on without the variables that only runs need, since who is let in can read the environment.

    What a process was started with stays readable in it, so where a process can take on another program, this begins
    again without them.
    """
    from ..settings.sources import of_models

    kept = of_models(os.environ)
    if len(kept) == len(os.environ):
        return
    if os.name == "posix":
        os.execve(sys.executable, [sys.executable, "-m", "ticket_processor", *sys.argv[1:]], kept)  # noqa: S606
    for name in os.environ.keys() - kept:
        del os.environ[name]

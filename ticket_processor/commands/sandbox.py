"""``ticketbot sandbox``: serves the imitation of Zendesk or Freshdesk, and of OpenAI, until a signal comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode, Stopping
from ..core.models import VendorKind
from .options import PortOption
from .screen import Screen


def sandbox(
    clock: SystemClock,
    helpdesk: Annotated[VendorKind, typer.Option(metavar="HELPDESK", help="zendesk or freshdesk.")] = "zendesk",
    port: PortOption = 8808,
    tickets: Annotated[int, typer.Option(min=0, metavar="N", help="Tickets at the start, minutes to hours old.")] = 0,
    plan: Annotated[
        str,
        typer.Option(
            metavar="PLAN",
            help="Rate limits: team, growth, professional, enterprise, enterprise-plus, sandbox, unlimited; "
            "Freshdesk's are growth, pro, enterprise, trial, plus1000, plus2000, unlimited.",
        ),
    ] = "enterprise",
    faults: Annotated[str, typer.Option(metavar="FAULTS", help="Such as 'lost-reply=0.05,error-before=0.02'.")] = "",
) -> int:
    """Serve a local imitation of Zendesk or Freshdesk and of OpenAI; print the variables that point a command at it."""
    return serve(clock, helpdesk=helpdesk, port=port, tickets=tickets, plan=plan, faults=faults)


def serve(
    clock: SystemClock,
    *,
    port: int,
    tickets: int,
    plan: str,
    helpdesk: VendorKind = "zendesk",
    faults: str = "",
    role: str = "admin",
    latency: Callable[[int], float] | None = None,
) -> int:
    """Serve it until a signal comes. ``role`` is the bot's, ``latency`` what a model's answer takes."""
    from ..sandbox.app import Sandbox, SandboxServer
    from ..sandbox.fill import fill, fill_help_center, fill_solutions
    from ..sandbox.zendesk_call import Rules
    from ..seeding.corpus import load_corpus, payload, vary

    try:
        served = Sandbox(
            plan=plan,
            faults=faults,
            llm_latency=latency,
            helpdesk=helpdesk,
            bot_role=role,
            rules=Rules((0.1, 0.0)) if plan == "unlimited" else None,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if helpdesk == "freshdesk":
        fill_solutions(served.desk)
    else:
        fill_help_center(served.store)
    if tickets:
        fill(served, [payload(ticket) for ticket in vary(load_corpus(), tickets)])
    try:
        server = SandboxServer(served, port=port)
    except OSError as error:
        raise ConfigError(f"--port {port} cannot be used: {error.strerror or error}") from None
    screen = Screen()
    with server:
        screen.say(f"The sandbox holds {tickets} tickets, plan {plan}. Look at {server.url}/ ; Ctrl-C ends it.")
        screen.say(
            "Its model is a dummy that goes by a few words: it shows how runs work, not how well a model answers."
        )
        screen.say("Point ticketbot, or anything else, at it with:\n")
        for name, value in sandbox_environment(server.url, helpdesk).items():
            screen.say(f"  {name}={value}")
        try:
            while True:
                clock.wait(3600)
        except Stopping:
            screen.say("\nThe sandbox is gone, and everything in it.")
            return ExitCode.OK


def sandbox_environment(url: str, helpdesk: VendorKind = "zendesk") -> dict[str, str]:
    """The variables that point ticketbot at a sandbox."""
    from ..sandbox.access import Credentials

    known = Credentials()
    account = {
        "ZENDESK_URL": url,
        "ZENDESK_OAUTH_CLIENT_ID": known.oauth_client_id,
        "ZENDESK_OAUTH_CLIENT_SECRET": known.oauth_client_secret,
    }
    if helpdesk == "freshdesk":
        account = {"FRESHDESK_URL": url, "FRESHDESK_API_KEY": known.api_key}
    return {
        **account,
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": known.openai_key,
        "TICKETBOT_MODELS": "sandbox-model",
    }

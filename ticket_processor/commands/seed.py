"""``ticketbot seed``: invented tickets from the corpus, from a file, or newly written by a model.

``ticketbot sandbox``: serves the imitation of Zendesk or Freshdesk, and of OpenAI, until a signal comes.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.clock import Deadline, SystemClock
from ..core.errors import CannotRun, ConfigError, ExitCode, Stopping
from ..core.files import make_folder, opener
from ..core.models import Sentiment
from ..helpdesk.protocol import VendorKind
from .options import EXPORTED_AFTER_S, ConfigOption, PortOption, check_together
from .screen import Screen

if TYPE_CHECKING:
    from ..analysis.model_server.settings import ModelTarget
    from ..seeding.accounts import SeedAccount
    from ..seeding.corpus import SeedTicket
    from ..seeding.synthetic import Wish
    from ..settings.schema import Settings

SEED_DEADLINE_S = 3600.0
WRITING_TIMEOUT_S = 120.0
WRITING_TOKENS = 4000
"""Several tickets are longer than a triage answer: at least this time and room for them."""


def seed(
    clock: SystemClock,
    count: Annotated[int | None, typer.Option(min=1, metavar="N", help="How many; beyond 128, variations.")] = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="Your own: .jsonl with subject and body.")] = None,
    llm: Annotated[bool, typer.Option("--llm", help="Have the first model write new tickets.")] = False,
    categories: Annotated[
        list[str] | None, typer.Option("--category", metavar="NAME", help="With --llm; may be repeated. Default: all.")
    ] = None,
    languages: Annotated[
        list[str] | None, typer.Option("--language", metavar="CODE", help="With --llm; may be repeated. Default: en.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="With --llm: labelled rows, for a file.")] = None,
    random_seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same number, the same tickets.")] = 0,
    insist: Annotated[
        bool, typer.Option("--yes-this-is-a-sandbox", help="Seed although the account looks like production.")
    ] = False,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Fill a sandbox account with invented tickets."""
    options = {**locals(), "category": categories, "language": languages}
    check_together(options, parts={"--llm": ("--category", "--language", "--out")}, apart={"--llm": ("--file",)})
    from ..seeding.corpus import load_corpus, load_file, vary
    from ..settings.load import load

    screen = Screen()
    deadline = Deadline(clock, SEED_DEADLINE_S)
    settings = load(config=config, need_helpdesk=out is None)
    screen.notices(settings.notices)
    if llm:
        wanted = _wishes(settings, categories or (), languages or ("en",), count, random_seed)
        return _written(settings, screen, clock, deadline, wanted, out, insist), 0
    tickets = list(load_file(file)) if file else list(load_corpus())
    if not tickets:
        raise ConfigError(f"{file} holds no tickets")
    total = count or len(tickets)
    with ExitStack() as stack:
        target = _target(settings, screen, clock, deadline, insist, stack)
        text, failed = _create(settings, target, vary(tickets, total, random_seed), total, screen)
    screen.say(text)
    return ExitCode.SOME_FAILED if failed else ExitCode.OK, 0


def _target(
    settings: Settings, screen: Screen, clock: SystemClock, deadline: Deadline, insist: bool, stack: ExitStack
) -> SeedAccount:
    """The account, which is not a production one; the screen tells why."""
    from ..seeding.accounts import require_sandbox
    from ..wiring.parts import transport_for
    from ..wiring.vendors import vendor_of

    transport = transport_for(settings.desk, clock, deadline, share=1.0)
    stack.callback(transport.close)
    target = vendor_of(settings).seeds(settings, transport)
    judgement = target.judge()
    require_sandbox(judgement, insisted=insist)
    screen.say(f"{settings.desk.base_url}: {judgement.because}")
    return target


def _create(
    settings: Settings, target: SeedAccount, tickets: Iterator[SeedTicket], total: int, screen: Screen
) -> tuple[str, int]:
    """Create the tickets in the account. Returns the result as a sentence, and how many were refused."""
    from ..seeding.accounts import create_missing
    from ..seeding.corpus import payload

    with screen.progress("seeding", total) as progress:
        done = create_missing(target, map(payload, tickets), progress)
    text = f"{done.created} tickets created, {done.existing} were there already, {done.failed} refused."
    if done.created and settings.desk.can.delayed:
        ready = time.strftime("%H:%M:%S", time.localtime(time.time() + EXPORTED_AFTER_S))
        text += f" {settings.desk.vendor}'s export withholds the newest minute: run from {ready} on."
    return text, done.failed


# Written by a model


def _wishes(
    settings: Settings, categories: Sequence[str], languages: Sequence[str], count: int | None, random_seed: int
) -> list[Wish]:
    """The tickets to write; by default one in each mood. Raises :class:`ConfigError` with every wrong option."""
    from ..seeding.synthetic import wishes

    names = settings.taxonomy.names
    problems = [f"--category {name}: none of {', '.join(names)}" for name in categories if name not in names]
    problems += [
        f"--language {code}: not an ISO 639 code such as en or de"
        for code in languages
        if not re.fullmatch("[a-z]{2,3}", code)
    ]
    if not settings.models.names:
        problems.append("--llm needs a model, and TICKETBOT_MODELS (or models.names) names none")
    if problems:
        raise ConfigError(*problems)
    categories = categories or [name for name in names if not settings.taxonomy.children(name)]
    return wishes(categories, languages, count or len(categories) * len(languages) * len(Sentiment), random_seed)


def _written(
    settings: Settings,
    screen: Screen,
    clock: SystemClock,
    deadline: Deadline,
    wanted: Sequence[Wish],
    out: Path | None,
    insist: bool,
) -> int:
    """Have a model write tickets, into the account or the file ``out``; the exit code is 1 when some are missing."""
    from ..analysis.budget import Budget
    from ..analysis.cache import FILE_NAME, AnswerStore
    from ..analysis.model_server.chat import OpenAIServer
    from ..seeding.synthetic import TicketWriter

    model = _first_model(settings)
    failed = 0
    with ExitStack() as stack:
        target = None
        if out is None:  # before any model is paid
            target = _target(settings, screen, clock, deadline, insist, stack)
        # The day's spending is kept for each account; without one there is none to share it with.
        path = settings.state_folder / FILE_NAME if settings.desk.named else None
        store = stack.enter_context(closing(AnswerStore(path, clock, days=0)))
        executor = ThreadPoolExecutor(settings.run.workers, thread_name_prefix="write")
        stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        server = stack.enter_context(closing(OpenAIServer(model, deadline.remaining)))
        budget = Budget(settings.budget, store)
        writer = TicketWriter(server, model, settings.taxonomy, budget, deadline, clock, executor)
        tickets = writer.tickets(wanted)
        text = f"They are in {out}."
        if target is not None:
            text, failed = _create(settings, target, tickets, len(wanted), screen)
        elif out is not None:
            with screen.progress("writing", len(wanted)) as progress:
                _save(out, tickets, settings, progress)
    missing = len(wanted) - writer.written
    cost = "" if writer.cost_usd is None else f", ${writer.cost_usd:.4f}"
    line = f"{writer.written} tickets written. Tokens: {writer.usage.input} in, {writer.usage.output} out{cost}. {text}"
    if missing:
        line += f" {missing} are missing: {writer.stopped or 'the model did not write them as they were asked for'}."
    screen.say(line)
    return ExitCode.SOME_FAILED if missing or failed else ExitCode.OK


def _first_model(settings: Settings) -> ModelTarget:
    """The first model of the list, with enough time and tokens for writing."""
    from ..analysis.model_server.settings import resolve

    target = resolve(settings.models, settings.models.names[0])
    return replace(
        target,
        timeout_s=max(target.timeout_s, WRITING_TIMEOUT_S),
        max_output_tokens=max(target.max_output_tokens, WRITING_TOKENS),
    )


def _save(path: Path, tickets: Iterator[SeedTicket], settings: Settings, progress: Callable[[int], None]) -> None:
    """Write the tickets to a file as labelled rows, each as it comes. Raises :class:`CannotRun`."""
    try:
        make_folder(path.parent)
        with open(path, "wb", opener=opener) as file:
            for ticket in tickets:
                category, subcategory = settings.taxonomy.split(ticket.labels.category or "")
                labels = {**ticket.labels.model_dump(mode="json", exclude_none=True), "category": category}
                row = {"id": ticket.id, "subject": ticket.subject, "body": ticket.text, **labels}
                row |= {} if subcategory is None else {"subcategory": subcategory}
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
                file.flush()
                progress(1)
    except OSError as error:
        raise CannotRun(f"{path} cannot be written: {error.strerror or error}") from None


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
    from ..sandbox.app import Sandbox, SandboxServer, fill, fill_articles
    from ..seeding.corpus import load_corpus, payload, vary

    try:
        served = Sandbox(plan=plan, faults=faults, llm_latency=latency, helpdesk=helpdesk, bot_role=role)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    try:
        server = SandboxServer(served, port=port)
    except OSError as error:
        raise ConfigError(f"--port {port} cannot be used: {error.strerror or error}") from None
    fill_articles(served.store)
    if tickets:
        fill(served, [payload(ticket) for ticket in vary(load_corpus(), tickets)])
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
    from ..sandbox.app import account_of

    account = {"url": url, **account_of(helpdesk)}
    return {
        **{f"{helpdesk}_{name}".upper(): value for name, value in account.items()},
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": Credentials().openai_key,
        "TICKETBOT_MODELS": "sandbox-model",
    }

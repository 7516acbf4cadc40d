"""``ticketbot seed``: invented tickets from the corpus, from a file, or newly written by a model."""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.models import Sentiment
from .options import ConfigOption, JsonOption, VerboseOption
from .parse_time import EXPORTED_AFTER_S
from .screen import Screen

if TYPE_CHECKING:
    from ..analysis.model_server.presets import ModelTarget
    from ..seeding.accounts import SeedAccount
    from ..seeding.corpus import SeedTicket
    from ..seeding.synthetic.plan import Cell
    from ..seeding.synthetic.rowfile import RowFile
    from ..seeding.synthetic.writing import WritingReport
    from ..settings.schema import Settings

SEED_DEADLINE_S = 3600.0
WRITING_TIMEOUT_S = 120.0
WRITING_TOKENS = 4000
"""Several tickets are longer than a triage answer: at least this time and room for them."""


def seed(
    clock: SystemClock,
    count: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="How many tickets; beyond the packaged ones, variations of them."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your own tickets instead: .jsonl or .jsonl.gz with subject and body."),
    ] = None,
    llm: Annotated[
        bool, typer.Option("--llm", help="Have new tickets written by the first model of the list.")
    ] = False,
    categories: Annotated[
        list[str] | None,
        typer.Option(
            "--category", metavar="NAME", help="With --llm: this category only; may be repeated. Default: all."
        ),
    ] = None,
    languages: Annotated[
        list[str] | None,
        typer.Option(
            "--language", metavar="CODE", help="With --llm: in this language, such as de; may be repeated. Default: en."
        ),
    ] = None,
    moods: Annotated[
        list[str] | None,
        typer.Option(
            "--mood",
            metavar="MOOD",
            help="With --llm: negative, neutral or positive; may be repeated. Default: all.",
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --llm: add the labelled rows here. Default: seeded-DATE.jsonl."),
    ] = None,
    save_only: Annotated[
        bool, typer.Option("--save-only", help="With --llm: fill the file, and leave the helpdesk alone.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="With --llm: requests at the same time.")
    ] = None,
    random_seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="The same number gives the same tickets.")
    ] = 0,
    insist: Annotated[
        bool, typer.Option("--yes-this-is-a-sandbox", help="Seed although the account looks like production.")
    ] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Fill a sandbox account with invented tickets."""
    if not llm and (categories or languages or moods or save or save_only or workers):
        raise ConfigError("--category, --language, --mood, --save, --save-only and --workers belong to --llm")
    if llm and file:
        raise ConfigError("--file holds tickets of your own, --llm has new ones written: choose one")
    from ..seeding.corpus import load_corpus, load_file
    from ..seeding.variations import vary
    from ..settings.load import load

    screen = Screen(as_json=as_json)
    deadline = Deadline(clock, SEED_DEADLINE_S)
    settings = load(config=config, flags={("run", "workers"): workers}, need_helpdesk=not save_only)
    screen.notices(settings.notices)
    if llm:
        cells = _cells(settings, categories or (), languages or (), moods or (), random_seed)
        return _written_and_seeded(
            settings, screen, clock, deadline, cells, count or len(cells), random_seed, save, save_only, insist
        )
    tickets = list(load_file(file)) if file else list(load_corpus())
    if not tickets:
        raise ConfigError(f"{file} holds no tickets")
    total = count or len(tickets)
    with ExitStack() as stack:
        target, because = _target(settings, clock, deadline, insist, stack)
        screen.say(f"{settings.desk.base_url}: {because}")
        text, data = _create(settings, target, vary(tickets, total, random_seed), total, screen)
    screen.result(text, {**data, "because": because})
    return ExitCode.SOME_FAILED if data["failed"] else ExitCode.OK, 0


def _target(
    settings: Settings, clock: SystemClock, deadline: Deadline, insist: bool, stack: ExitStack
) -> tuple[SeedAccount, str]:
    """The account, which is not a production one, and the reason for that judgement."""
    from ..seeding.accounts import require_sandbox
    from ..wiring.desks import seed_target
    from ..wiring.parts import transport_for

    transport = transport_for(settings.desk, clock, deadline, share=1.0)
    stack.callback(transport.close)
    target = seed_target(settings, transport, deadline)
    judgement = target.judge()
    require_sandbox(judgement, insisted=insist)
    return target, judgement.because


def _create(
    settings: Settings, target: SeedAccount, tickets: Iterator[SeedTicket], total: int, screen: Screen
) -> tuple[str, dict[str, int]]:
    """Create the tickets in the account. Returns the result as a sentence and as numbers."""
    from ..seeding.corpus import payload

    with screen.progress("seeding", total) as progress:
        done = target.create((payload(ticket) for ticket in tickets), progress=progress)
    text = f"{done.created} tickets created, {done.existing} were there already, {done.failed} refused."
    if done.created and settings.helpdesk == "zendesk":
        ready = time.strftime("%H:%M:%S", time.localtime(time.time() + EXPORTED_AFTER_S))
        text += f" Zendesk's export withholds the newest minute: run from {ready} on."
    return text, {"created": done.created, "existing": done.existing, "failed": done.failed}


# --- written by a model -------------------------------------------------------------------------------------------


def _written_and_seeded(
    settings: Settings,
    screen: Screen,
    clock: SystemClock,
    deadline: Deadline,
    cells: Sequence[Cell],
    total: int,
    random_seed: int,
    save: Path | None,
    save_only: bool,
    insist: bool,
) -> tuple[int, int]:
    """Have a model write tickets into a file, and put the file's tickets into the account.

    The exit code is 1 when fewer than ``total`` could be written. Raises ``CannotRun`` when the model does not answer;
    what was written by then is in the file, and the same command goes on from there.
    """
    from ..seeding.synthetic.rowfile import RowFile

    model = _first_model(settings)
    path = save or Path(time.strftime("seeded-%Y-%m-%d.jsonl"))
    with ExitStack() as stack:
        target: SeedAccount | None = None
        because = None
        if not save_only:
            # Before any model is paid.
            target, because = _target(settings, clock, deadline, insist, stack)
            screen.say(f"{settings.desk.base_url}: {because}")
        file = stack.enter_context(RowFile(path))
        if file.repaired:
            screen.notices([f"the last line of {path} was torn by a crash; that ticket is written anew"])
        report = _write(settings, model, screen, clock, deadline, file, cells, total, random_seed)
        text, data = _told(report, file)
        if target is not None and file.rows:
            screen.say(text)
            text, seeded = _create(settings, target, _with_people(path), len(file.rows), screen)
            data |= {**seeded, "because": because}
    screen.result(text, data)
    good = report.open == 0 and not data.get("failed")
    return ExitCode.OK if good else ExitCode.SOME_FAILED, report.abandoned


def _cells(
    settings: Settings, categories: Sequence[str], languages: Sequence[str], moods: Sequence[str], random_seed: int
) -> tuple[Cell, ...]:
    """The combinations to write. Raises :class:`ConfigError` with every wrong option."""
    from ..seeding.synthetic.plan import default_categories, ordered_cells

    names = settings.taxonomy.names
    known_moods = [mood.value for mood in Sentiment]
    problems = [f"--category {name}: none of {', '.join(names)}" for name in categories if name not in names]
    problems += [f"--mood {mood}: none of {', '.join(known_moods)}" for mood in moods if mood not in known_moods]
    problems += [
        f"--language {code}: not an ISO 639 code such as en or de"
        for code in languages
        if not re.fullmatch("[a-z]{2,3}", code)
    ]
    if not settings.models.names:
        problems.append("--llm needs a model, and TICKETBOT_MODELS (or models.names) names none")
    if problems:
        raise ConfigError(*problems)
    return ordered_cells(
        categories or default_categories(settings.taxonomy),
        languages or ("en",),
        [Sentiment(mood) for mood in moods or known_moods],
        random_seed,
    )


def _write(
    settings: Settings,
    model: ModelTarget,
    screen: Screen,
    clock: SystemClock,
    deadline: Deadline,
    file: RowFile,
    cells: Sequence[Cell],
    total: int,
    random_seed: int,
) -> WritingReport:
    from ..analysis.budget import Budget
    from ..analysis.cache import FILE_NAME, AnswerStore
    from ..analysis.model_server.chat import server_for
    from ..analysis.rules.analyser import RulesAnalyser
    from ..core.circuit_breaker import Breaker
    from ..seeding.corpus import load_corpus
    from ..seeding.synthetic.author import Author
    from ..seeding.synthetic.plan import count_there, missing
    from ..seeding.synthetic.request import instructions
    from ..seeding.synthetic.writing import Writing

    slots = missing(cells, total, count_there(cells, file.rows))
    # The day's spending is kept for each account; without one there is none to share it with.
    with ExitStack() as stack:
        store = AnswerStore(
            settings.state_folder / FILE_NAME if settings.desk.named else None, clock, days=settings.cache.days
        )
        stack.callback(store.close)
        executor = ThreadPoolExecutor(settings.run.workers, thread_name_prefix="write")
        stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        server = server_for(model, deadline.remaining)
        stack.callback(server.close)
        author = Author(
            server,
            model.model,
            instructions(settings.taxonomy),
            breaker=Breaker(f"model {model.name}", clock),
            deadline=deadline,
            budget=Budget(settings.budget, store),
            name=model.name,
            price=model.price,
        )
        progress = stack.enter_context(screen.progress("writing", total))
        progress(total - len(slots))
        writing = Writing(
            author,
            file,
            settings.taxonomy,
            RulesAnalyser(settings.taxonomy),
            seed=random_seed,
            known=load_corpus(),
            executor=executor,
            workers=settings.run.workers,
            clock=clock,
            deadline=deadline,
            progress=progress,
            tell=(lambda _line: None) if sys.stderr.isatty() else screen.say,
        )
        return writing.fill(slots)


def _first_model(settings: Settings) -> ModelTarget:
    """The first model of the list, with enough time and tokens for writing."""
    from ..analysis.model_server.presets import resolve

    target = resolve(settings.models, settings.models.names[0])
    return replace(
        target,
        timeout_s=max(target.timeout_s, WRITING_TIMEOUT_S),
        max_output_tokens=max(target.max_output_tokens, WRITING_TOKENS),
    )


def _with_people(path: Path) -> Iterator[SeedTicket]:
    """The file's tickets, each with an invented requester at a reserved address, the same one each time."""
    from ..seeding.corpus import load_file
    from ..seeding.variations import invented_person

    for ticket in load_file(path):
        person = invented_person(random.Random(ticket.id), ticket.labels.language or "en")
        yield ticket.model_copy(update={"requester": person})


def _told(report: WritingReport, file: RowFile) -> tuple[str, dict[str, object]]:
    """The result of the writing, in words and as data."""
    parts = [f"{report.saved} tickets written to {file.path}, which holds {len(file.rows)}"]
    if report.rejected:
        reasons = ", ".join(f"{reason} {count}" for reason, count in report.rejected.most_common())
        parts.append(f"{report.rejected.total()} rejected ({reasons})")
    if report.duplicates:
        parts.append(f"{report.duplicates} near-duplicates dropped")
    if report.flagged:
        parts.append(f"{report.flagged} with a doubtful label (see 'doubt' in the file)")
    text = "; ".join(parts) + "."
    if report.answers:
        cost = "" if report.cost_usd is None else f", ${report.cost_usd:.4f}"
        text += f" Tokens: {report.usage.input} in, {report.usage.output} out{cost}."
    if report.open:
        why = f"ended early: {report.stopped}" if report.stopped else "asked for in vain"
        text += f" {report.open} are missing ({why}); the same command goes on from there."
    return text, {
        "saved": report.saved,
        "rows": len(file.rows),
        "missing": report.open,
        "file": str(file.path),
        "rejected": dict(report.rejected),
        "duplicates": report.duplicates,
        "doubtful": report.flagged,
        "tokens": report.usage.model_dump(),
        "cost_usd": report.cost_usd,
        "stopped": report.stopped,
    }

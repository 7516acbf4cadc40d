"""``ticketbot run``: one run, or a tour of the sandbox."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError
from ..state.sqlite import is_there
from .options import ConfigsOption, DetailsOption, JsonOption, NoModelOption, QuietOption, VerboseOption

if TYPE_CHECKING:
    from ..wiring.cluster import ClusterWanted
    from ..wiring.split import SplitWanted
    from .screen import Screen


QUEUE = "serve.sqlite3"
"""The file of tickets that webhooks have told of, which ``ticketbot serve`` makes in the state folder."""


def run(
    clock: SystemClock,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; write nothing to the helpdesk or the cursor.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Triage at most N tickets; those left alone do not count.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help="Begin with tickets created since: now, 45m, 12h, 7d, 2026-11-01 or a full time."
        ),
    ] = None,
    tickets: Annotated[
        list[int] | None,
        typer.Option(
            "--ticket",
            min=1,
            metavar="ID",
            help="Triage only this ticket, exit code 1 if there is none; may be repeated.",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="With --ticket: triage it although it is done, such as after an undo.")
    ] = False,
    again_run: Annotated[
        str | None,
        typer.Option(
            "--again-run", metavar="RUN", help="Triage again the tickets that a run wrote on: its id, or latest."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Analyses at the same time. Default: run.workers.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Have workers ask the models: tls://HOST:8786, or tcp:// with --insecure."
        ),
    ] = None,
    cluster_optional: Annotated[
        bool, typer.Option("--cluster-optional", help="With --cluster: go on without it when it cannot be reached.")
    ] = False,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="With --cluster: do without TLS; who reaches it can run programs here.")
    ] = False,
    shard: Annotated[
        str | None, typer.Option(metavar="K/N", help="Only part K of N of the tickets. Default: run.shard.")
    ] = None,
    split: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=50, metavar="PERCENT", help="With --candidate: it decides this share of tickets, chosen by id."
        ),
    ] = None,
    candidate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --split: the settings file to try.")
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Run against an embedded sandbox with invented tickets: a tour.")
    ] = False,
    no_llm: NoModelOption = False,
    retry_fallbacks: Annotated[
        bool,
        typer.Option("--retry-fallbacks", help="Also ask a model about tickets that the rules had to answer."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue after a run stopped because a note became public.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="With --dry-run: keep what it would write; 'apply' writes it."),
    ] = None,
    details: DetailsOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> tuple[int, int]:
    """Triage new tickets, once."""
    if details and not dry_run:
        raise ConfigError("--details belongs to --dry-run")
    if out is not None and (sandbox or not dry_run):
        raise ConfigError("--out belongs to --dry-run" + ", and not to --sandbox" * sandbox)
    if (split is None) is not (candidate is None):
        raise ConfigError("--split and --candidate go together")
    if split is not None and sandbox:
        raise ConfigError("--sandbox has settings of its own, so --split has no use here")
    _check(
        tickets=bool(tickets),
        again=again,
        again_run=bool(again_run),
        others={
            "--sandbox": sandbox,
            "--since": since is not None,
            "--retry-fallbacks": retry_fallbacks,
        },
    )
    # Heavy, so that neither help nor a mistake on the command line waits for it.
    from ..monitoring.run_watch import tended
    from ..pipeline.planned_writes import PlanFile
    from ..settings.load import load
    from ..wiring import runs
    from .many_accounts import clashes_of, for_each, several
    from .options import parse_since
    from .screen import Screen
    from .shown_run import play

    screen = Screen(quiet=quiet, as_json=as_json, brief=dry_run and not details)
    if files := several(configs):
        alone = {
            "--out": out is not None,
            "--sandbox": sandbox,
            "--ticket": bool(tickets),
            "--again-run": bool(again_run),
            "--resume": resume,
            "--shard": shard is not None,
            "--split": split is not None,
        }
        return for_each(clock, screen, files, without=alone, clashes=clashes_of(files)), 0
    config = configs[0] if configs else None
    flags: dict[tuple[str, ...], object] = {
        ("run", "workers"): workers,
        ("run", "shard"): shard,
    }
    if no_llm:
        flags["models", "names"] = []
        screen.notices(["keyword rules understand the tickets, because of --no-llm"])
    wanted = _cluster(screen, cluster, sandbox=sandbox, optional=cluster_optional, insecure=insecure, workers=workers)
    asked = runs.RunArguments(
        dry_run=dry_run,
        cluster=wanted,
        limit=limit,
        since=None if since is None else parse_since(since, clock.now()),
        resume=resume,
        retry_fallbacks=retry_fallbacks,
        tickets=tuple(tickets or ()),
        again=again,
        again_run=again_run or "",
    )
    settings = load(config=config, flags=flags, need_helpdesk=not sandbox)
    if split is not None and candidate is not None:
        asked = replace(asked, split=_split(candidate, split, config, flags))
    with (
        ExitStack() as stack,
        tended(settings, clock, "run", deadline_s=settings.run.deadline_s, silent=sandbox or dry_run) as tending,
    ):
        first, tour, planned = None, None, None
        if not (sandbox or dry_run or tickets or again_run or limit) and is_there(settings.state_folder / QUEUE):
            from ..web.worker import taken_first

            first = taken_first(settings, clock.now, stack)
            asked = replace(asked, told_of=first)
        if out is not None:
            planned = PlanFile(out, settings.desk.base_url)
            stack.callback(planned.close)
            asked = replace(asked, keep=planned.keep)
        if sandbox:
            from .tour import Tour

            tour = stack.enter_context(Tour(settings, clock, no_llm=no_llm))
            settings, asked = tour.settings, replace(asked, since=asked.since or 0.0)
            screen.say(tour.seeded)
        heard = first.heard if first else lambda _outcome: None
        ended = play(settings, asked, clock, screen, tending, what="triage", no_llm=no_llm, heard=heard, tour=tour)
        if planned is not None:
            screen.say(f"{planned.count} planned writes are in {out}, and are written with: ticketbot apply {out}")
    return ended


def _cluster(
    screen: Screen,
    address: str | None,
    *,
    sandbox: bool,
    optional: bool,
    insecure: bool,
    workers: int | None,
) -> ClusterWanted | None:
    if address is None:
        if optional or insecure:
            raise ConfigError(f"--{'cluster-optional' if optional else 'insecure'} belongs to --cluster")
        return None
    if sandbox:
        raise ConfigError("--sandbox asks its own model, so --cluster has no use here")
    from ..wiring.cluster import ClusterWanted, check_address, exposed

    check_address(address, "client", insecure=insecure)
    screen.notices(exposed(address))
    return ClusterWanted(address, optional, workers is not None)


def _split(
    candidate: Path, percent: float, config: Path | None, flags: Mapping[tuple[str, ...], object]
) -> SplitWanted:
    from ..settings.load import DEFAULT_FILE, config_file, load_candidate
    from ..wiring.split import SplitWanted

    places = (config_file(config=config) or Path(DEFAULT_FILE), candidate)
    running, other = (re.sub(r"[^\w.-]", "_", place.name)[-80:] for place in places)
    if running == other:
        raise ConfigError(f"--candidate: receipts name both settings files, so call this one other than {other}")
    return SplitWanted(load_candidate(candidate, config=config, flags=flags), percent, (running, other))


def _check(*, tickets: bool, again: bool, again_run: bool, others: Mapping[str, bool]) -> None:
    """Raises :class:`ConfigError` for what makes no sense together; ``others`` are options, and whether given."""
    problems = []
    if again and not tickets:
        problems.append("--again goes with --ticket ID: say which tickets to triage anew")
    if tickets or again_run:
        mine = "--ticket" if tickets else "--again-run"
        problems += [f"{mine} names the tickets, so {name} has no use here" for name, given in others.items() if given]
    if problems:
        raise ConfigError(*problems)

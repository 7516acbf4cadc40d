"""``ticketbot run``: one run, or a tour of the sandbox."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ..core.clock import SystemClock
from .options import ConfigsOption, JsonOption, NoModelOption, QuietOption, TicketsOption, VerboseOption, check_together

PARTS = {
    "--dry-run": ("--details", "--out"),
    "--ticket": ("--again",),
    "--split": ("--candidate",),
    "--candidate": ("--split",),
    "--cluster": ("--cluster-optional", "--insecure"),
}
APART = {
    "--sandbox": ("--out", "--split", "--cluster"),
    "--ticket": ("--sandbox", "--since", "--retry-fallbacks"),
    "--again-run": ("--sandbox", "--since", "--retry-fallbacks"),
}
ONE_ACCOUNT = ("--out", "--sandbox", "--ticket", "--again-run", "--resume", "--shard", "--split")
"""Options that several settings files cannot share."""


def run(
    clock: SystemClock,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Triage at most N tickets.")] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="Tickets since: now, 45m, 7d, 2026-11-01.")] = None,
    tickets: TicketsOption = None,
    again: Annotated[bool, typer.Option("--again", help="With --ticket: also if it is done.")] = False,
    again_run: Annotated[str | None, typer.Option(metavar="RUN", help="Again what a run, or latest, wrote on.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, metavar="N", help="Analyses at the same time.")] = None,
    cluster: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Its workers ask the models.")] = None,
    cluster_optional: Annotated[bool, typer.Option("--cluster-optional", help="Go on if it does not answer.")] = False,
    insecure: Annotated[bool, typer.Option("--insecure", help="Without TLS: who reaches it runs programs.")] = False,
    shard: Annotated[str | None, typer.Option(metavar="K/N", help="Only part K of N of the tickets.")] = None,
    split: Annotated[
        float | None, typer.Option(min=0.1, max=50, metavar="PERCENT", help="Tickets for --candidate.")
    ] = None,
    candidate: Annotated[Path | None, typer.Option(metavar="FILE", help="With --split: settings to try.")] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="A tour of invented tickets.")] = False,
    no_llm: NoModelOption = False,
    retry_fallbacks: Annotated[bool, typer.Option("--retry-fallbacks", help="Also what only rules answered.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after a note had become public.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="With --dry-run: keep it for 'apply'.")] = None,
    details: Annotated[bool, typer.Option("--details", help="With --dry-run: every ticket in full.")] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> tuple[int, int]:
    """Triage new tickets, once."""
    given = check_together({**locals(), "ticket": tickets}, parts=PARTS, apart=APART)
    # Heavy, so that neither help nor a mistake on the command line waits for it.
    from ..pipeline.planned_writes import PlanFile
    from ..settings.load import load
    from ..web.worker import taken_first
    from ..wiring.cluster import ClusterWanted, check_address
    from ..wiring.runs import RunArguments
    from .many_accounts import for_each, several
    from .options import parse_since
    from .retry import play
    from .screen import Screen

    screen = Screen(quiet=quiet, as_json=as_json, brief=dry_run and not details)
    if files := several(configs):
        return for_each(clock, screen, files, wrong=[name for name in ONE_ACCOUNT if name in given]), 0
    config = configs[0] if configs else None
    flags: dict[tuple[str, ...], object] = {("run", "workers"): workers, ("run", "shard"): shard}
    if no_llm:
        flags["models", "names"] = []
        screen.notices(["keyword rules understand the tickets, because of --no-llm"])
    asked = RunArguments(
        dry_run=dry_run,
        limit=limit,
        since=None if since is None else parse_since(since, clock.now()),
        resume=resume,
        retry_fallbacks=retry_fallbacks,
        tickets=tuple(tickets or ()),
        again=again,
        again_run=again_run or "",
    )
    if cluster is not None:
        screen.notices(check_address(cluster, "client", insecure=insecure))
        asked = replace(asked, cluster=ClusterWanted(cluster, cluster_optional, workers is not None))
    settings = load(config=config, flags=flags, need_helpdesk=not sandbox)
    if split is not None and candidate is not None:
        from ..wiring.split import split_of

        asked = replace(asked, split=split_of(settings, candidate, split, config, flags))
        note = f"the candidate decides {split:g}% of tickets; 'ticketbot report' and 'learn show' set both side by side"
        if asked.split is None:
            note = "--split: the candidate decides as the settings do, so nothing is split"
        screen.notices([note])
    with ExitStack() as stack:
        tour, planned = None, None
        if not (sandbox or dry_run or tickets or again_run or limit):
            first = taken_first(settings, clock.now, stack)
            asked = replace(asked, webhook_tickets=first, keep=first.heard if first else None)
        if out is not None:
            planned = PlanFile(out, settings.desk.base_url)
            stack.callback(planned.close)
            asked = replace(asked, keep=planned.keep)
        if sandbox:
            from .tour import Tour

            tour = stack.enter_context(Tour(settings, clock, no_llm=no_llm))
            settings, asked = tour.settings, replace(asked, since=asked.since or 0.0)
            screen.say(tour.seeded)
        ended = play(settings, asked, clock, screen, what="triage", no_llm=no_llm, tour=tour)
        if planned is not None:
            screen.say(f"{planned.count} planned writes are in {out}, and are written with: ticketbot apply {out}")
    return ended

"""``ticketbot backtest``: analysers against what people chose on solved tickets. It only reads the helpdesk."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..core.clock import SystemClock, iso
from ..core.errors import ConfigError, ExitCode
from ..evaluation.data import Labelled
from ..evaluation.measure import as_data
from ..evaluation.report import misses, write_report
from ..evaluation.rivals import COLUMNS, BakeOff, IntentMap, bake_off
from ..evaluation.solved import CategoryFrom, how_it_was_decided
from ..settings.load import load
from . import score_tables
from .analyser_choice import (
    AnalyserOption,
    PrecisionOption,
    ShowErrorsOption,
    WorkersOption,
    check_report,
    results,
    rivals,
    subjects,
)
from .options import ConfigOption, HtmlOption, JsonOption, VerboseOption
from .parse_time import parse_since
from .screen import Screen
from .solved_tickets import hint, read_solved

SOURCE = "solved tickets"


def backtest(
    clock: SystemClock,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="Tickets created since: 90d, 2w, 2026-11-01 or a full time.")
    ] = "90d",
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most this many tickets, the newest first.")
    ] = 1000,
    analysers: AnalyserOption = None,
    category_from: Annotated[
        str,
        typer.Option(
            metavar="HOW", help="Where people's category is: auto, tag, group, or field:ID (a ticket field's number)."
        ),
    ] = "auto",
    include_ours: Annotated[
        bool,
        typer.Option(
            "--include-ours", help="Include tickets that ticketbot triaged; labels that people left count as chosen."
        ),
    ] = False,
    rivals_too: Annotated[
        bool,
        typer.Option(
            "--rivals",
            help="Set rules, classifier and each model beside Zendesk's own intelligent triage, with prices.",
        ),
    ] = False,
    intents: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='With --rivals: what intents mean, a TOML file of lines such as billing__refund = "refund".',
        ),
    ] = None,
    rival_price: Annotated[
        float | None,
        typer.Option(
            min=0.0, metavar="USD", help="With --rivals: what intelligent triage costs you for 1,000 tickets."
        ),
    ] = None,
    workers: WorkersOption = None,
    precision: PrecisionOption = 0.95,
    html: HtmlOption = None,
    show_errors: ShowErrorsOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Measure analysers on the helpdesk's solved tickets, and propose thresholds; writes nothing there."""
    check_report(html, show_errors=show_errors)
    moment = parse_since(since, clock.now())
    where = CategoryFrom.parse(category_from)
    if not rivals_too and (intents is not None or rival_price is not None):
        raise ConfigError("--intents and --rival-price belong to --rivals")
    screen = Screen(as_json=as_json)
    settings = load(config=config)
    screen.notices(settings.notices)
    remarks: dict[str, None] = {}
    intent_map = None if intents is None else IntentMap.read(intents, settings.taxonomy)
    names = analysers or (rivals(settings) if rivals_too else ())
    with ExitStack() as stack:
        # First, so that a wrong name on the command line is reported before anything is read.
        chosen = subjects(names, settings, clock, stack, workers=workers, trouble=remarks.setdefault)
        solved = read_solved(
            settings, clock, screen, moment, limit=limit, include_ours=include_ours, category_from=where
        )
        decided = how_it_was_decided(solved, iso(moment)[:10], include_ours=include_ours)
        if not solved.examples:
            told = " ".join(decided[:1] + decided[2:-1]).rstrip(".")
            raise ConfigError(f"nothing to compare with: {told}{hint(solved)}")
        for line in decided:
            screen.say(line)
        source = Labelled(SOURCE, solved.examples)
        found, answers = results(
            chosen, [source], settings, clock, screen, precision=precision, remark=remarks.setdefault
        )
    beside = BakeOff()
    if rivals_too:
        given = {result.name: answers[result.name, SOURCE] for result in found}
        beside = bake_off(solved.examples, solved.tags, given, settings.taxonomy, intents=intent_map, price=rival_price)
        remarks |= dict.fromkeys(beside.remarks)
    if html is not None:
        errors = misses(found, [source], answers) if show_errors else None
        title = "How good are these analysers on our solved tickets?"
        write_report(html, title, found, [*decided, *remarks], errors)
    doubts = score_tables.doubtful(source, settings.taxonomy, remarks.setdefault)
    screen.notices(list(remarks))
    policy = {result.name: score_tables.policy_lines(result.sources[0]) for result in found}
    if as_json:
        data = {
            "read": solved.read,
            "compared": len(solved.examples),
            "left_out": solved.left_out,
            "category_by": solved.category_by,
            "unclear": solved.unclear,
            "ours": solved.ours,
            "corrected": solved.corrected,
            "decided": decided,
            "analysers": as_data(found),
            "policy": {name: "\n".join(lines) for name, lines in policy.items()},
            **({"rivals": beside.as_data()} if rivals_too else {}),
            "doubtful_labels": [asdict(one) for one in doubts],
            "remarks": list(remarks),
            "html": html and str(html),
        }
        screen.result("", data)
        return ExitCode.OK
    if beside.rows:
        table = score_tables.Table(
            "category, all on the same tickets", COLUMNS, tuple(row.cells() for row in beside.rows)
        )
        score_tables.show([table])
    score_tables.show([*score_tables.overview(found)])
    for result in found:
        score_tables.show([*score_tables.details(result, result.sources[0])])
        score_tables.show([*score_tables.proposals(result, result.sources[0])])
        if policy[result.name]:
            screen.say(f"\nFor ticketbot.toml, if {result.name} is what answers:")
            for line in policy[result.name]:
                screen.say(f"  {line}")
    score_tables.show([*score_tables.doubts_table(doubts)])
    if html is not None:
        screen.say(f"\nReport: {html}")
    return ExitCode.OK

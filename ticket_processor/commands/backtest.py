"""``ticketbot backtest``: analysers against what people chose on solved tickets. It only reads the helpdesk."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from ..core.clock import SystemClock, iso
from ..core.errors import ConfigError, ExitCode
from ..evaluation.data import Labelled
from ..evaluation.intelligent_triage import TRIAGE, intelligent_triage
from ..evaluation.measure import as_data
from ..evaluation.report import misses, write_report
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
    screen = Screen(as_json=as_json)
    settings = load(config=config)
    screen.notices(settings.notices)
    remarks: dict[str, None] = {}
    with ExitStack() as stack:
        # First, so that a wrong name on the command line is reported before anything is read.
        chosen = subjects(analysers or (), settings, clock, stack, workers=workers, trouble=remarks.setdefault)
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
        measured = partial(
            results, settings=settings, clock=clock, screen=screen, precision=precision, remark=remarks.setdefault
        )
        found, answers = measured(chosen, [source])
        triage = intelligent_triage(solved.examples, solved.tags, settings.taxonomy, remarks.setdefault)
        if triage is not None:  # its urgency is not known
            labels = [one.model_copy(update={"urgency": None}) for one in solved.examples]
            beside, more = measured([triage], [Labelled(SOURCE, tuple(labels))])
            found, answers = [*found, *beside], {**answers, **more}
    if html is not None:
        errors = misses(found, [source], answers) if show_errors else None
        title = "How good are these analysers on our solved tickets?"
        write_report(html, title, found, [*decided, *remarks], errors)
    doubts = score_tables.doubtful(source, settings.taxonomy, remarks.setdefault)
    screen.notices(list(remarks))
    ours = [result for result in found if result.name != TRIAGE]
    policy = {result.name: score_tables.policy_lines(result.sources[0]) for result in ours}
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
            "doubtful_labels": [asdict(one) for one in doubts],
            "remarks": list(remarks),
            "html": html and str(html),
        }
        screen.result("", data)
        return ExitCode.OK
    score_tables.show([*score_tables.overview(found)])
    for result in found:
        score_tables.show([*score_tables.details(result, result.sources[0])])
        if result not in ours:
            continue
        score_tables.show([*score_tables.proposals(result, result.sources[0])])
        if policy[result.name]:
            screen.say(f"\nFor ticketbot.toml, if {result.name} is what answers:")
            for line in policy[result.name]:
                screen.say(f"  {line}")
    score_tables.show([*score_tables.doubts_table(doubts)])
    if html is not None:
        screen.say(f"\nReport: {html}")
    return ExitCode.OK

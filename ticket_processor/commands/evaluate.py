"""``ticketbot eval``: how good analysers are on labelled tickets. Needs no helpdesk, and writes to none."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode
from ..evaluation.data import Labelled, Remark, read_file
from ..evaluation.measure import as_data
from ..evaluation.report import misses, write_report
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
from .options import ConfigOption, HtmlOption, JsonOption
from .screen import Screen


def evaluate(
    clock: SystemClock,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Labelled tickets, .jsonl or .jsonl.gz: subject, body, category, ..."),
    ] = None,
    analysers: AnalyserOption = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most this many tickets of each file.")
    ] = None,
    workers: WorkersOption = None,
    precision: PrecisionOption = 0.95,
    details: Annotated[bool, typer.Option("--details", help="Print every table of every file.")] = False,
    html: HtmlOption = None,
    show_errors: ShowErrorsOption = False,
    as_gate: Annotated[
        bool, typer.Option("--gate", help="Compare changed settings with the running ones; exit code 1 refuses them.")
    ] = False,
    candidate: Annotated[Path | None, typer.Option(metavar="FILE", help="With --gate: the changed settings.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Measure analysers on labelled tickets; needs no helpdesk."""
    if as_gate:
        from .gate import gate

        return gate(clock, Screen(as_json=as_json), files or (), candidate, config)
    if candidate is not None:
        raise ConfigError("--candidate goes with --gate")
    if not files:
        raise ConfigError("name a FILE of labelled tickets")
    check_report(html, show_errors=show_errors)
    screen = Screen(as_json=as_json)
    settings = load(config=config, need_helpdesk=False)
    remarks: dict[str, None] = {}
    sources = _read(files, limit, remarks.setdefault)
    with ExitStack() as stack:
        chosen = subjects(analysers or (), settings, clock, stack, workers=workers, trouble=remarks.setdefault)
        found, answers = results(
            chosen, sources, settings, clock, screen, precision=precision, remark=remarks.setdefault
        )
    if html is not None:
        errors = misses(found, sources, answers) if show_errors else None
        write_report(html, "How good are these analysers?", found, remarks, errors)
    doubts = {source.name: score_tables.doubtful(source, settings.taxonomy, remarks.setdefault) for source in sources}
    screen.notices(list(remarks))
    if as_json:
        data = {
            "analysers": as_data(found),
            "doubtful_labels": {name: [asdict(one) for one in some] for name, some in doubts.items()},
            "remarks": list(remarks),
            "html": html and str(html),
        }
        screen.result("", data)
        return ExitCode.OK
    score_tables.show([*score_tables.overview(found)])
    if details or len(sources) == 1:
        for result in found:
            for source in result.sources:
                score_tables.show([*score_tables.details(result, source)])
        for some in doubts.values():
            score_tables.show([*score_tables.doubts_table(some)])
    else:
        screen.say("\nMore on each file: --details, --json, or a report with --html FILE.")
    if html is not None:
        screen.say(f"\nReport: {html}")
    return ExitCode.OK


def _read(files: Sequence[Path], limit: int | None, remark: Remark) -> list[Labelled]:
    """The files, each by a name of its own, cut to ``limit`` tickets each."""
    names = [path.name for path in files]
    found = []
    for path in dict.fromkeys(files):
        labelled = read_file(path, remark)
        name = labelled.name if names.count(path.name) == 1 else str(path)
        found.append(replace(labelled, name=name, examples=labelled.examples[:limit]))
    return found

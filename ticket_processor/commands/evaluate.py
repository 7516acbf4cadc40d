"""``ticketbot eval``: how good analysers are on labelled tickets. Needs no helpdesk, and writes to none."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode
from ..evaluation.data import Labelled, Remark, read_file
from ..evaluation.measure import as_data
from ..evaluation.report import misses, require_plots, write_report
from ..settings.load import load
from . import score_tables
from .analyser_choice import results, subjects
from .screen import Screen


def evaluate(
    clock: SystemClock,
    files: Sequence[Path],
    *,
    config: Path | None,
    analysers: Sequence[str],
    limit: int | None,
    workers: int | None,
    precision: float,
    details: bool,
    html: Path | None,
    show_errors: bool,
    as_json: bool,
) -> int:
    """``ticketbot eval``. Returns the exit code: 0 also where a model was down and the rules had to answer."""
    if show_errors and html is None:
        raise ConfigError("--show-errors puts the tickets into the report: name its file with --html")
    if html is not None:
        require_plots()
    screen = Screen(quiet=False, as_json=as_json)
    settings = load(config=config, need_helpdesk=False)
    remarks: dict[str, None] = {}
    sources = _read(files, limit, remarks.setdefault)
    with ExitStack() as stack:
        chosen = subjects(analysers, settings, clock, stack, workers=workers, trouble=remarks.setdefault)
        found, answers = results(
            chosen, sources, settings, clock, screen, precision=precision, remark=remarks.setdefault
        )
    if html is not None:
        errors = misses(found, sources, answers) if show_errors else None
        write_report(html, "How good are these analysers?", found, remarks, errors)
    screen.notices(list(remarks))
    if as_json:
        screen.result("", {"analysers": as_data(found), "remarks": list(remarks), "html": html and str(html)})
        return int(ExitCode.OK)
    score_tables.show([*score_tables.overview(found)])
    if details or len(sources) == 1:
        for result in found:
            for source in result.sources:
                score_tables.show([*score_tables.details(result, source)])
    else:
        screen.say("\nMore on each file: --details, --json, or a report with --html FILE.")
    if html is not None:
        screen.say(f"\nReport: {html}")
    return int(ExitCode.OK)


def _read(files: Sequence[Path], limit: int | None, remark: Remark) -> list[Labelled]:
    """The files, each by a name of its own, cut to ``limit`` tickets each."""
    names = [path.name for path in files]
    found = []
    for path in dict.fromkeys(files):
        labelled = read_file(path, remark)
        name = labelled.name if names.count(path.name) == 1 else str(path)
        found.append(replace(labelled, name=name, examples=labelled.examples[:limit]))
    return found

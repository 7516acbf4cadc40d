"""``ticketbot eval``: how good analysers are on labelled tickets, or on the helpdesk's solved ones. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.tables import show
from ..evaluation import tables
from ..evaluation.data import Labelled, Remark, read_file
from ..evaluation.intelligent_triage import intelligent_triage
from ..evaluation.measure import as_data
from ..evaluation.report import page
from ..evaluation.solved import CategoryFrom, Solved
from ..settings.load import load
from .analyser_choice import AnalyserOption, PrecisionOption, labelled_by_people, results, subjects
from .options import ConfigOption, JsonOption
from .out_files import check_out, json_text, write_out
from .screen import Screen

SOLVED = "solved tickets"
SINCE, MOST_SOLVED = "90d", 1000


def evaluate(
    clock: SystemClock,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Labelled tickets, .jsonl or .jsonl.gz: subject, body, category, ..."),
    ] = None,
    from_helpdesk: Annotated[
        bool, typer.Option("--from-helpdesk", help="Measure on solved tickets, by what people chose; writes nothing.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="With --from-helpdesk: tickets created since then. Default: 90d."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="At most N tickets of each file; of solved ones the newest 1000."),
    ] = None,
    category_from: Annotated[
        str | None,
        typer.Option(
            metavar="HOW", help="With --from-helpdesk: where people's category is: auto, tag, group, or field:ID."
        ),
    ] = None,
    analysers: AnalyserOption = None,
    precision: PrecisionOption = 0.95,
    details: Annotated[bool, typer.Option("--details", help="Print every table of every file.")] = False,
    out: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Write the result: .html or .json; may be repeated."),
    ] = None,
    show_errors: Annotated[
        bool, typer.Option("--show-errors", help="With --out FILE.html: list wrong answers in redacted words.")
    ] = False,
    as_gate: Annotated[
        bool, typer.Option("--gate", help="Compare changed settings with the running ones; exit code 1 refuses them.")
    ] = False,
    candidate: Annotated[Path | None, typer.Option(metavar="FILE", help="With --gate: the changed settings.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Measure analysers on labelled tickets, or on the helpdesk's solved ones, and propose thresholds."""
    if as_gate:
        from .gate import gate

        return gate(clock, Screen(as_json=as_json), files or (), candidate, config)
    if candidate is not None:
        raise ConfigError("--candidate goes with --gate")
    if bool(files) == from_helpdesk:
        raise ConfigError("name FILEs of labelled tickets, or say --from-helpdesk")
    if not from_helpdesk and (since or category_from):
        raise ConfigError("--since and --category-from belong to --from-helpdesk")
    where = CategoryFrom.parse(category_from or "auto")
    written = out or []
    _check_files(written, show_errors=show_errors)
    screen = Screen(as_json=as_json)
    settings = load(config=config, need_helpdesk=from_helpdesk)
    screen.notices(settings.notices)
    remarks: dict[str, None] = {}
    remark = remarks.setdefault
    solved, decided = None, list[str]()
    with ExitStack() as stack:
        # First, so that a wrong name on the command line is reported before anything is read.
        chosen = subjects(analysers or (), settings, clock, stack, trouble=remark)
        if from_helpdesk:
            solved, decided = labelled_by_people(
                settings,
                clock,
                screen,
                since or SINCE,
                limit=limit or MOST_SOLVED,
                category_from=where,
            )
            sources = [Labelled(SOLVED, solved.examples)]
        else:
            sources = _read(files or (), limit, remark)
        measured = partial(results, settings=settings, clock=clock, screen=screen, precision=precision, remark=remark)
        found = ours = measured(chosen, sources)
        if solved and (triage := intelligent_triage(solved.examples, solved.tags, settings.taxonomy, remark)):
            labels = tuple(one.model_copy(update={"urgency": None}) for one in solved.examples)  # it tells none
            found = [*ours, *measured([triage], [Labelled(SOLVED, labels)])]
    doubts = {source.name: tables.doubtful(source, settings.taxonomy, remark) for source in sources}
    policy = {one.name: tables.policy_lines(one.sources[0]) for one in ours} if solved else {}
    data = {
        **(_about(solved, decided) if solved else {}),
        "analysers": as_data(found),
        **({"policy": {name: "\n".join(lines) for name, lines in policy.items()}} if solved else {}),
        "doubtful_labels": {name: [asdict(one) for one in some] for name, some in doubts.items()},
        "remarks": list(remarks),
        "out": [str(file) for file in written],
    }

    def html() -> str:
        title = f"How good are these analysers{' on our solved tickets' if solved else ''}?"
        return page(title, found, [*decided, *remarks], sources if show_errors else ())

    lines = write_out(written, {".html": html, ".json": lambda: json_text(data)})
    screen.notices(list(remarks))
    if as_json:
        screen.result("", data)
        return ExitCode.OK
    show([*tables.overview(found)])
    if details or len(sources) == 1:
        for result in found:
            for source in result.sources:
                show([*tables.details(result, source)])
            if result.name in policy:
                found_ones = (tables.proposals(result.name, item) for item in result.sources[0].fields)
                show([one for one in found_ones if one is not None])
            if to_paste := policy.get(result.name):
                screen.say(f"\nFor ticketbot.toml, if {result.name} is what answers:")
                for line in to_paste:
                    screen.say(f"  {line}")
        for some in doubts.values():
            show([*tables.doubts_table(some)])
    else:
        screen.say("\nMore on each file: --details, --json, or a report with --out FILE.html.")
    for line in lines:
        screen.say(f"\n{line}")
    return ExitCode.OK


def _check_files(written: Sequence[Path], *, show_errors: bool) -> None:
    """Raise :class:`ConfigError` if a file cannot be written, or none is there for ``--show-errors``."""
    check_out(written, (".html", ".json"))
    if show_errors and not any(file.suffix.lower() == ".html" for file in written):
        raise ConfigError("--show-errors puts the tickets into the page: name its file with --out FILE.html")


def _about(solved: Solved, decided: list[str]) -> dict[str, Any]:
    """Which solved tickets were read, and how their labels were found."""
    return {
        "read": solved.read,
        "compared": len(solved.examples),
        "left_out": solved.left_out,
        "category_by": solved.category_by,
        "unclear": solved.unclear,
        "ours": solved.ours,
        "decided": decided,
    }


def _read(files: Sequence[Path], limit: int | None, remark: Remark) -> list[Labelled]:
    """The files, each by a name of its own, cut to ``limit`` tickets each."""
    names = [path.name for path in files]
    found = []
    for path in dict.fromkeys(files):
        labelled = read_file(path, remark)
        name = labelled.name if names.count(path.name) == 1 else str(path)
        found.append(replace(labelled, name=name, examples=labelled.examples[:limit]))
    return found

"""``ticketbot eval``: how good analysers are on tickets with labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.tables import show
from ..core.taxonomy import Taxonomy
from ..evaluation import tables
from ..evaluation.data import Labelled, Remark, read_file
from ..evaluation.doubtful_labels import DoubtfulLabel, doubtful_labels
from ..evaluation.intelligent_triage import intelligent_triage
from ..evaluation.measure import SubjectResult, as_data
from ..evaluation.report import page
from ..settings.load import load
from .analyser_choice import AnalyserOption, labelled_by_people, results, subjects
from .gate import gate
from .options import ConfigOption, JsonOption, check_out, json_text, write_out
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
    analysers: AnalyserOption = None,
    precision: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, metavar="SHARE", help="Propose thresholds at which this share of answers is right."
        ),
    ] = 0.95,
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
        return gate(clock, Screen(as_json=as_json), files or (), candidate, config)
    if candidate is not None:
        raise ConfigError("--candidate goes with --gate")
    if bool(files) == from_helpdesk:
        raise ConfigError("name FILEs of labelled tickets, or say --from-helpdesk")
    if since and not from_helpdesk:
        raise ConfigError("--since belongs to --from-helpdesk")
    written = out or []
    check_out(written, (".html", ".json"))
    if show_errors and not any(file.suffix.lower() == ".html" for file in written):
        raise ConfigError("--show-errors puts the tickets into the page: name its file with --out FILE.html")
    screen = Screen(as_json=as_json)
    settings = load(config=config, need_helpdesk=from_helpdesk)
    screen.notices(settings.notices)
    remarks: dict[str, None] = {}
    remark = remarks.setdefault
    decided: list[str] = []
    with ExitStack() as stack:
        # First, so that a wrong name on the command line is reported before anything is read.
        chosen = subjects(analysers or (), settings, clock, stack, remark)
        solved = None
        if from_helpdesk:
            solved, decided = labelled_by_people(settings, clock, screen, since or SINCE, limit=limit or MOST_SOLVED)
            sources = [Labelled(SOLVED, tuple(solved.examples))]
        else:
            sources = _read(files or (), limit, remark)
        found = ours = results(chosen, sources, settings, clock, screen, precision, remark)
        if solved and (triage := intelligent_triage(solved.examples, solved.tags, settings.taxonomy, remark)):
            labels = tuple(one.model_copy(update={"urgency": None}) for one in solved.examples)  # it tells none
            theirs = results([triage], [Labelled(SOLVED, labels)], settings, clock, screen, precision, remark)
            found = [*ours, *theirs]
    doubts = {source.name: _doubtful(source, settings.taxonomy, remark) for source in sources}
    policy = {one.name: tables.policy_lines(one.sources[0]) for one in ours} if solved else {}
    data: dict[str, Any] = {
        "analysers": as_data(found),
        "doubtful_labels": {name: [asdict(one) for one in some] for name, some in doubts.items()},
        "remarks": list(remarks),
        "out": [str(file) for file in written],
    }
    if solved:
        data |= {
            "read": solved.read,
            "compared": len(solved.examples),
            "left_out": solved.left_out,
            "category_by": solved.category_by,
            "unclear": solved.unclear,
            "ours": solved.ours,
            "decided": decided,
            "policy": {name: "\n".join(lines) for name, lines in policy.items()},
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
        _show_details(screen, found, policy)
        show([tables.doubts_table(some) for some in doubts.values() if some])
    else:
        screen.say("\nMore on each file: --details, --json, or a report with --out FILE.html.")
    for line in lines:
        screen.say(f"\n{line}")
    return ExitCode.OK


def _show_details(screen: Screen, found: Sequence[SubjectResult], policy: Mapping[str, Sequence[str]]) -> None:
    for result in found:
        for source in result.sources:
            for item in source.fields:
                show([*tables.details(item, f"{result.name}, {source.source}")])
        if result.name in policy:
            proposed = (tables.proposals(result.name, item) for item in result.sources[0].fields)
            show([one for one in proposed if one is not None])
        if to_paste := policy.get(result.name):
            screen.say(f"\nFor ticketbot.toml, if {result.name} is what answers:")
            for line in to_paste:
                screen.say(f"  {line}")


def _doubtful(source: Labelled, taxonomy: Taxonomy, remark: Remark) -> list[DoubtfulLabel]:
    """The labels of a source that look wrong; none, and a remark, without scikit-learn."""
    try:
        return doubtful_labels(source.examples, taxonomy)
    except ImportError:
        remark("labels that look wrong are listed only with the extra ml")
        return []


def _read(files: Sequence[Path], limit: int | None, remark: Remark) -> list[Labelled]:
    """The files, each by a name of its own, cut to ``limit`` tickets each."""
    names = [path.name for path in files]
    found = []
    for path in dict.fromkeys(files):
        labelled = read_file(path, remark)
        name = labelled.name if names.count(path.name) == 1 else str(path)
        found.append(replace(labelled, name=name, examples=labelled.examples[:limit]))
    return found

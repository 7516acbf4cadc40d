"""``ticketbot eval``: how good analysers are on tickets with labels, and whether changed settings may go live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ..analysis.cache import FILE_NAME as ANSWERS
from ..analysis.cache import AnswerStore
from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.models import Analysis
from ..core.tables import show
from ..core.taxonomy import Taxonomy
from ..core.wording import many, p_value
from ..evaluation import tables
from ..evaluation.data import Example, Labelled, Remark, read_examples, read_file
from ..evaluation.intelligent_triage import intelligent_triage
from ..evaluation.measure import as_data
from ..evaluation.report import page
from ..evaluation.runner import Subject, answer_all
from ..evaluation.solved import CategoryFrom, Solved
from ..learning.gate import GateResult, PrecisionTest, Ruling, Side, compare
from ..learning.pins import PinnedCase, Pins, of_today
from ..learning.store import FILE_NAME, LearningStore
from ..policy.decide import decide
from ..settings.load import load, load_candidate
from ..settings.schema import Settings
from ..wiring.parts import understanding
from ..wiring.ticket_subjects import shown_subject
from .analyser_choice import (
    DEADLINE_S,
    AnalyserOption,
    PrecisionOption,
    labelled_by_people,
    read_solved,
    results,
    subjects,
)
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


MOST_TICKETS = 1000
SINCE_S = 365 * 86_400.0
_SHOWN = 10


def gate(
    clock: SystemClock,
    screen: Screen,
    files: Sequence[Path],
    candidate: Path | None,
    config: Path | None,
) -> int:
    """Compare the settings of ``candidate`` with those in place; exit code 1 where they do worse."""
    if candidate is None:
        raise ConfigError("--gate compares changed settings with the running ones: name them with --candidate FILE")
    running = load(config=config, need_helpdesk=False, need_any=True)
    changed = load_candidate(candidate, config=config)
    result = judged(clock, screen, files, running, changed)
    subjects = {case.id: shown_subject(case.text.partition("\n")[0]) for case in _pins(running)}
    screen.result("\n".join(told(result, subjects, running.ticket_url)), result.as_data())
    return ExitCode.OK if result.passed else ExitCode.SOME_FAILED


def judged(
    clock: SystemClock, screen: Screen, files: Sequence[Path], running: Settings, changed: Settings
) -> GateResult:
    """What the change does on pinned cases and labelled tickets: those of ``files``, or the helpdesk's solved ones.

    Raises :class:`ConfigError` where there is nothing to compare on.
    """
    pins = _pins(running)
    if files:
        examples = read_examples(files, lambda sentence: screen.notices([sentence]))[:MOST_TICKETS]
    elif running.desk.named:
        since = clock.now() - SINCE_S
        solved = read_solved(running, clock, screen, since, limit=MOST_TICKETS)
        examples = list(solved.examples)
    else:
        examples = []
    if not (pins or examples):
        raise ConfigError(
            "nothing to compare on: pin cases, name FILEs of labelled tickets, or have 'ticketbot learn collect' find "
            "solved tickets whose labels people decided about"
        )
    asked = [*examples, *(Example(id=f"pin-{case.id}", body=case.text) for case in pins)]
    sides = []
    for name, settings in (("running", running), ("candidate", changed)):
        rulings = _rulings(name, settings, running, asked, clock, screen)
        sides.append(Side(settings.policy, rulings[: len(examples)], rulings[len(examples) :]))
    return compare(sides[0], sides[1], examples, pins, running.taxonomy)


def _pins(running: Settings) -> list[PinnedCase]:
    with closing(LearningStore(running.state_folder / FILE_NAME, read_only=True)) as store:
        return [of_today(case, running.taxonomy) for case in Pins(store).all()]


def _rulings(
    name: str, settings: Settings, running: Settings, asked: Sequence[Example], clock: SystemClock, screen: Screen
) -> list[Ruling]:
    """What these settings make of the tickets; models' answers are kept, so that a second gate costs nothing."""
    cache = running.cache
    path = running.state_folder / ANSWERS if running.desk.named else None
    with (
        closing(AnswerStore(path, clock, days=cache.days)) as answers,
        understanding(settings, clock, Deadline(clock, DEADLINE_S), None, answers) as chain,
        screen.progress(name, len(asked)) as advance,
    ):
        workers = settings.run.workers if settings.models.names else 1
        given = answer_all(Subject(name, chain, workers), asked, clock, advance)
    decisions = [
        decide(number, one.analysis, settings.policy, settings.taxonomy) for number, one in enumerate(given, 1)
    ]
    renamed = _renamed(settings.taxonomy, running.taxonomy)
    return [
        Ruling(_in_words_of(one.analysis, renamed), decision) for one, decision in zip(given, decisions, strict=True)
    ]


def _renamed(taxonomy: Taxonomy, running: Taxonomy) -> dict[str, str]:
    """Names of categories that the running taxonomy has by a former name, which is given."""
    return {
        category.name: name
        for category in taxonomy.categories
        if category.name not in running.names
        for name in running.names
        if name in category.formerly
    }


def _in_words_of(analysis: Analysis, renamed: Mapping[str, str]) -> Analysis:
    """The analysis with categories by the names of the running taxonomy."""
    return analysis.model_copy(
        update={
            "category": renamed.get(analysis.category, analysis.category),
            "subcategory": renamed.get(analysis.subcategory or "", analysis.subcategory),
            "secondary": tuple(renamed.get(name, name) for name in analysis.secondary),
        }
    )


def told(result: GateResult, subjects: Mapping[int, str], url_of: Callable[[int], str]) -> list[str]:
    """What a gate found, line by line; ``subjects`` are those of pinned cases."""
    lines = [f"{many(result.tickets, 'ticket')} with labels that people chose, {many(result.pins, 'pinned case')}"]
    if not result.tickets:
        lines.append(
            "no precision was compared; 'ticketbot learn collect' finds tickets whose labels people decided about"
        )
    for field, ids in result.changes.items():
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        lines.append(f"changes  {field}: {len(ids)} ({', '.join(ids[:_SHOWN])}{more})")
    lines += map(_tested, result.tests)
    for word, found in (("broken", result.broken), ("wrong", result.still_wrong)):
        for pin in found[:_SHOWN]:
            lines.append(f"{word:7}  pin {pin.pin}, ticket {pin.ticket}: {pin.wanted}, now {pin.now or 'none'}")
            lines.append(f"         “{subjects.get(pin.pin, '')}” {url_of(pin.ticket)}".rstrip())
        if len(found) > _SHOWN:
            lines.append(f"{word:7}  {many(len(found) - _SHOWN, 'more pinned case')}")
    if result.still_wrong:
        lines.append("'wrong' are pinned cases that the running settings have wrong too: they refuse nothing")
    return [*lines, "passed" if result.passed else "refused"]


def _tested(test: PrecisionTest) -> str:
    before, after = ("-" if share is None else f"{share:.3f}" for share in test.precision)
    covered = f"coverage {test.coverage[0]:.0%} -> {test.coverage[1]:.0%}"
    fell = "; falls beyond chance" if test.fell else ""
    return f"precision  {test.field}: {before} -> {after}, {covered}, n = {test.judged}, {p_value(test.p)}{fell}"

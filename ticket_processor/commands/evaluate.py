"""``ticketbot eval``: how good analysers are on tickets with labels.

``ticketbot eval --gate``: whether changed settings may go live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ..analysis.cache import FILE_NAME as ANSWERS
from ..analysis.cache import AnswerStore
from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.tables import show
from ..core.taxonomy import Taxonomy
from ..core.text import many, p_value
from ..evaluation import report as tables
from ..evaluation.data import Example, Labelled, Remark, read_examples, read_file
from ..evaluation.measure import Subject, SubjectResult, answer_all, as_data, intelligent_triage
from ..evaluation.solved import DoubtfulLabel, doubtful_labels
from ..learning.gate import GateResult, PinnedCase, Ruling, compare, of_today, pinned
from ..learning.store import FILE_NAME, LearningStore
from ..policy.decide import decide
from ..settings.load import load, load_candidate
from ..settings.schema import Settings
from ..wiring.desks import shown_subject
from ..wiring.parts import understanding
from .analyser_choice import DEADLINE_S, AnalyserOption, labelled_by_people, read_solved, results, subjects
from .options import (
    ConfigOption,
    DetailedOption,
    FromHelpdeskOption,
    JsonOption,
    LabelledFiles,
    check_out,
    check_together,
    json_text,
    write_out,
)
from .screen import Screen

SOLVED = "solved tickets"
SINCE, MOST_SOLVED = "90d", 1000


def evaluate(
    clock: SystemClock,
    files: LabelledFiles = None,
    from_helpdesk: FromHelpdeskOption = False,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="With --from-helpdesk: created since then. Default: 90d.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="N tickets of each file; of solved ones the newest 1000.")
    ] = None,
    analysers: AnalyserOption = None,
    precision: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Propose thresholds at which it is reached.")
    ] = 0.95,
    details: DetailedOption = False,
    out: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Write the result: .html or .json; may be repeated.")
    ] = None,
    gate: Annotated[
        bool, typer.Option("--gate", help="Compare changed settings with the running ones; exit code 1 refuses them.")
    ] = False,
    candidate: Annotated[Path | None, typer.Option(metavar="FILE", help="With --gate: the changed settings.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Measure analysers on labelled tickets, or on the helpdesk's solved ones, and propose thresholds."""
    check_together(locals(), parts={"--gate": ("--candidate",), "--from-helpdesk": ("--since",)})
    if gate:
        return compared(clock, Screen(as_json=as_json), files or (), candidate, config)
    if bool(files) == from_helpdesk:
        raise ConfigError("name FILEs of labelled tickets, or say --from-helpdesk")
    written = out or []
    check_out(written, (".html", ".json"))
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
        return tables.page(title, found, [*decided, *remarks])

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
    names, found = [path.name for path in files], []
    for path in dict.fromkeys(files):
        labelled = read_file(path, remark)
        name = labelled.name if names.count(path.name) == 1 else str(path)
        found.append(replace(labelled, name=name, examples=labelled.examples[:limit]))
    return found


MOST_TICKETS = 1000
SINCE_S = 365 * 86_400.0
_SHOWN = 10


def compared(
    clock: SystemClock, screen: Screen, files: Sequence[Path], candidate: Path | None, config: Path | None
) -> int:
    """Compare the settings of ``candidate`` with those in place; exit code 1 where they do worse.

    They are compared on pinned cases, and on the labelled tickets of ``files`` or the helpdesk's solved ones. Raises
    :class:`ConfigError` where there are none.
    """
    if candidate is None:
        raise ConfigError("--gate compares changed settings with the running ones: name them with --candidate FILE")
    running = load(config=config, need_helpdesk=False, need_any=True)
    changed = load_candidate(candidate, config=config)
    with closing(LearningStore.scratch_copy(running.state_folder / FILE_NAME)) as store:
        pins = [of_today(case, running.taxonomy) for case in pinned(store)]
    examples: list[Example] = []
    if files:
        examples = read_examples(files, lambda sentence: screen.notices([sentence]))[:MOST_TICKETS]
    elif running.desk.named:
        examples = read_solved(running, clock, screen, clock.now() - SINCE_S, limit=MOST_TICKETS).examples
    if not (pins or examples):
        raise ConfigError(
            "nothing to compare on: pin cases, name FILEs of labelled tickets, or have 'ticketbot learn collect' find "
            "solved tickets whose labels people decided about"
        )
    asked = [*examples, *(Example(id=f"pin-{case.id}", body=case.text) for case in pins)]
    before, after = (
        _rulings(name, settings, running, asked, clock, screen)
        for name, settings in (("running", running), ("candidate", changed))
    )
    result = compare(before, after, examples, pins, running.taxonomy)
    text = "\n".join(_report_lines(result, pins, running.ticket_url))
    screen.result(text, {**asdict(result), "passed": result.passed})
    return ExitCode.OK if result.passed else ExitCode.SOME_FAILED


def _rulings(
    name: str, settings: Settings, running: Settings, asked: Sequence[Example], clock: SystemClock, screen: Screen
) -> list[Ruling]:
    """What these settings make of the tickets; models' answers are kept, so that a second gate costs nothing."""
    path = running.state_folder / ANSWERS if running.desk.named else None
    with (
        closing(AnswerStore(path, clock, days=running.cache.days)) as answers,
        understanding(settings, clock, Deadline(clock, DEADLINE_S), None, answers) as chain,
        screen.progress(name, len(asked)) as advance,
    ):
        workers = settings.run.workers if settings.models.names else 1
        given = [one.analysis for one in answer_all(Subject(name, chain, workers), asked, clock, advance)]
    # Categories that these settings have under a new name are compared under the running one.
    former = {
        new: old
        for old in running.taxonomy.names
        if (new := settings.taxonomy.today(old)) is not None and new not in running.taxonomy.names
    }
    rulings = []
    for number, analysis in enumerate(given, 1):
        decision = decide(number, analysis, settings.policy, settings.taxonomy)
        labelled = settings.policy.tag("urgency", analysis.urgency) in decision.tags
        names = {
            "category": former.get(analysis.category, analysis.category),
            "subcategory": former.get(analysis.subcategory or "", analysis.subcategory),
        }
        rulings.append(Ruling(analysis.model_copy(update=names), decision, labelled))
    return rulings


def _report_lines(result: GateResult, pins: Sequence[PinnedCase], url_of: Callable[[int], str]) -> list[str]:
    """What a gate found, line by line."""
    lines = [f"{many(result.tickets, 'ticket')} with labels that people chose, {many(result.pins, 'pinned case')}"]
    if not result.tickets:
        lines.append(
            "no precision was compared; 'ticketbot learn collect' finds tickets whose labels people decided about"
        )
    for field, ids in result.changes.items():
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        lines.append(f"changes  {field}: {len(ids)} ({', '.join(ids[:_SHOWN])}{more})")
    for test in result.tests:
        before, after = ("-" if share is None else f"{share:.3f}" for share in test.precision)
        covered = f"coverage {test.coverage[0]:.0%} -> {test.coverage[1]:.0%}"
        fell = "; falls beyond chance" if test.fell else ""
        lines.append(
            f"precision  {test.field}: {before} -> {after}, {covered}, n = {test.judged}, {p_value(test.p)}{fell}"
        )
    subjects: Mapping[int, str] = {case.id: shown_subject(case.text.partition("\n")[0]) for case in pins}
    for pin in result.broken[:_SHOWN]:
        lines.append(f"broken   pin {pin.pin}, ticket {pin.ticket}: {pin.wanted}, now {pin.now or 'none'}")
        lines.append(f"         “{subjects[pin.pin]}” {url_of(pin.ticket)}".rstrip())
    if len(result.broken) > _SHOWN:
        lines.append(f"broken   {many(len(result.broken) - _SHOWN, 'more pinned case')}")
    if result.wrong_before:
        wrong = many(result.wrong_before, "pinned case")
        lines.append(f"the running settings have {wrong} wrong, which refuses nothing")
    return [*lines, "passed" if result.passed else "refused"]

"""``ticketbot eval --gate``: whether changed settings may go live. It writes nothing to the helpdesk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from ..analysis.cache import FILE_NAME as ANSWERS
from ..analysis.cache import AnswerStore
from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.models import Analysis
from ..core.taxonomy import Taxonomy
from ..core.wording import many, p_value
from ..evaluation.data import Example, read_examples
from ..evaluation.runner import Subject, answer_all
from ..learning.gate import GateResult, PrecisionTest, Ruling, Side, compare
from ..learning.pins import PinnedCase, Pins, of_today
from ..learning.store import FILE_NAME, LearningStore
from ..policy.decide import decide
from ..settings.load import load, load_candidate
from ..settings.schema import Settings
from ..wiring.parts import understanding
from ..wiring.ticket_subjects import shown_subject
from .analyser_choice import DEADLINE_S, read_solved
from .screen import Screen

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

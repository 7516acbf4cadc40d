"""``ticketbot eval --gate``: whether changed settings may go live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from ..analysis.cache import FILE_NAME as ANSWERS
from ..analysis.cache import AnswerStore
from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.wording import many, p_value
from ..evaluation.data import Example, read_examples
from ..evaluation.measure import Subject, answer_all
from ..learning.gate import GateResult, Ruling, compare
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


def gate(clock: SystemClock, screen: Screen, files: Sequence[Path], candidate: Path | None, config: Path | None) -> int:
    """Compare the settings of ``candidate`` with those in place; exit code 1 where they do worse.

    They are compared on pinned cases, and on the labelled tickets of ``files`` or the helpdesk's solved ones. Raises
    :class:`ConfigError` where there are none.
    """
    if candidate is None:
        raise ConfigError("--gate compares changed settings with the running ones: name them with --candidate FILE")
    running = load(config=config, need_helpdesk=False, need_any=True)
    changed = load_candidate(candidate, config=config)
    with closing(LearningStore(running.state_folder / FILE_NAME, read_only=True)) as store:
        pins = [of_today(case, running.taxonomy) for case in Pins(store).all()]
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
    screen.result("\n".join(_told(result, pins, running.ticket_url)), result.as_data())
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


def _told(result: GateResult, pins: Sequence[PinnedCase], url_of: Callable[[int], str]) -> list[str]:
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

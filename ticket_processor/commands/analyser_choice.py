"""The analysers that ``eval`` measures, by their names on the command line, and solved tickets as rows for it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Annotated

import typer

from ..analysis.cache import FILE_NAME, AnswerStore
from ..analysis.rules.analyser import RulesAnalyser
from ..analysis.text.cleaning import clean
from ..analysis.text.redact import RedactedText, redact
from ..core.clock import Deadline, SystemClock, iso
from ..core.errors import AnalysisFailed, ConfigError
from ..core.models import Analysis
from ..evaluation.data import Labelled, Remark
from ..evaluation.measure import AnalyseTicket, Subject, SubjectResult, answer_all, measure
from ..evaluation.solved import OURS, Solved, how_it_was_decided, solved_examples
from ..learning.scoreboard import decided_by_people
from ..settings.schema import Settings
from ..state.sqlite import is_there
from ..wiring.desks import reading
from ..wiring.parts import understanding
from .options import parse_since
from .screen import Screen

CHAIN, RULES, CLASSIFIER, MODEL = "chain", "rules", "classifier", "model"
DEADLINE_S, READ_DEADLINE_S = 12 * 3600.0, 3600.0

AnalyserOption = Annotated[
    list[str] | None,
    typer.Option(
        "--analyser",
        metavar="NAME",
        help="What to measure: chain, rules, classifier or model:NAME; may be repeated. Default: chain and rules.",
    ),
]


def subjects(
    names: Sequence[str], settings: Settings, clock: SystemClock, stack: ExitStack, trouble: Remark
) -> list[Subject]:
    """The analysers of these names, in their order; without ``names`` the chain and the rules.

    Cached answers are not used, since answering is what is measured. The models' cost counts towards the budget.
    Raises :class:`ConfigError` with every name that is wrong or cannot be used.
    """
    deadline = Deadline(clock, DEADLINE_S)
    store = AnswerStore(settings.state_folder / FILE_NAME if settings.desk.named else None, clock, days=0)
    stack.callback(store.close)

    def chain(of: Settings) -> AnalyseTicket:
        return stack.enter_context(understanding(of, clock, deadline, None, store, trouble))

    several = settings.run.workers
    made: dict[str, Subject] = {}
    problems: list[str] = []
    for name in names or _usual(settings):
        kind, _, model = (part.strip() for part in name.strip().partition(":"))
        try:
            if kind == MODEL and model:
                made[f"{MODEL} {model}"] = Subject(f"{MODEL} {model}", chain(_only(settings, model)), several)
            elif name == CHAIN:
                made[CHAIN] = Subject(CHAIN, chain(settings), several if settings.models.names else 1)
            elif name == RULES:
                rules = RulesAnalyser(settings.taxonomy)
                made[RULES] = Subject(RULES, _on_tickets(rules.analyse))
            elif name == CLASSIFIER:
                made[CLASSIFIER] = Subject(CLASSIFIER, _classifier(settings))
            else:
                problems.append(f"--analyser {name}: none of chain, rules, classifier, model:NAME")
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)
    return list(made.values())


def _usual(settings: Settings) -> tuple[str, ...]:
    trained = is_there(settings.classifier_folder)
    return (CHAIN, RULES) if settings.models.names or trained else (RULES,)


def _only(settings: Settings, model: str) -> Settings:
    """The settings with this one model, and nothing trained between it and the rules."""
    models = settings.models.model_copy(
        update={"names": (model,), "use": {name: use for name, use in settings.models.use.items() if name == model}}
    )
    return settings.model_copy(update={"models": models, "use_classifier": False})


def _on_tickets(analyse: Callable[[RedactedText], Analysis]) -> AnalyseTicket:
    """What analyses a text, for tickets, which are cleaned and redacted first."""
    return lambda ticket: analyse(redact(clean(ticket.subject, ticket.description), names=ticket.names))


def _classifier(settings: Settings) -> AnalyseTicket:
    """The classifier, with the rules for tickets that it cannot answer; their analyses say why."""
    from ..analysis.classifier.analyser import LocalClassifier

    rules = RulesAnalyser(settings.taxonomy)
    learnt = LocalClassifier.load(settings.classifier_folder, settings.taxonomy, rules, settings.account)

    def analyse(text: RedactedText) -> Analysis:
        try:
            return learnt.analyse(text)
        except AnalysisFailed as error:
            return rules.analyse(text).model_copy(update={"why_fallback": error.reason})

    return _on_tickets(analyse)


def results(
    chosen: Sequence[Subject],
    sources: Sequence[Labelled],
    settings: Settings,
    clock: SystemClock,
    screen: Screen,
    precision: float,
    remark: Remark,
) -> list[SubjectResult]:
    """Measure every analyser on every source."""
    found = []
    for subject in chosen:
        measured = []
        for labelled in sources:
            what = f"{subject.name}, {labelled.name}"
            started = time.monotonic()
            with screen.progress(what, len(labelled.examples)) as advance:
                given = answer_all(subject, labelled.examples, clock, advance)
            if not sys.stderr.isatty():
                screen.say(f"{what}: {len(given)} tickets in {time.monotonic() - started:.1f} s")
            measured.append(measure(labelled, given, settings.taxonomy, precision=precision, remark=remark))
        found.append(SubjectResult(subject.name, tuple(measured)))
    return found


def labelled_by_people(
    settings: Settings, clock: SystemClock, screen: Screen, since: str, *, limit: int
) -> tuple[Solved, list[str]]:
    """The newest solved tickets that carry a label, and sentences on how the labels were found, which are also said.

    Raises :class:`ConfigError` when there are none.
    """
    moment = parse_since(since, clock.now())
    solved = read_solved(settings, clock, screen, moment, limit=limit)
    decided = how_it_was_decided(solved, iso(moment)[:10])
    if not solved.examples:
        counts = " ".join(decided[:1] + decided[2:-1]).rstrip(".")
        ours = solved.left_out.get(OURS)
        hint = "; after 'ticketbot learn collect' those that ticketbot triaged count, too" if ours else ""
        raise ConfigError(f"no solved ticket carries a label: {counts}{hint}")
    for line in decided:
        screen.say(line)
    return solved, decided


def read_solved(settings: Settings, clock: SystemClock, screen: Screen, since: float, *, limit: int) -> Solved:
    """The newest solved tickets since ``since``. The transport refuses writes, so that not even a bug could write.

    Those that ticketbot triaged are among them where people kept or changed their category, as ``learn collect`` saw.
    """
    with (
        reading(settings, clock, READ_DEADLINE_S) as (desk, *_),
        screen.progress("reading solved tickets") as advance,
    ):
        return solved_examples(
            desk.solved(since),
            settings.taxonomy,
            settings.policy,
            limit=limit,
            decided=decided_by_people(settings.state_folder),
            advance=advance,
        )

"""The analysers that ``eval`` measures, by their names on the command line, and solved tickets as rows for it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Annotated

import typer

from ..analysis.cache import FILE_NAME, AnswerStore
from ..analysis.chain import Analyser
from ..analysis.rules.analyser import RulesAnalyser
from ..analysis.text.cleaning import clean
from ..analysis.text.redact import redact
from ..core.clock import Deadline, SystemClock, iso
from ..core.errors import AnalysisFailed, ConfigError
from ..core.models import Analysis, Ticket
from ..evaluation.data import Labelled
from ..evaluation.measure import SubjectResult, measure
from ..evaluation.runner import AnalyseTicket, Subject, answer_all
from ..evaluation.solved import OURS, CategoryFrom, Solved, how_it_was_decided, solved_examples
from ..learning.scoreboard import decided_by_people
from ..settings.schema import Settings
from ..state.sqlite import is_there
from ..wiring.desks import desk_for
from ..wiring.parts import transport_for, understanding
from .options import parse_since
from .screen import Screen

CHAIN, RULES, CLASSIFIER, MODEL = "chain", "rules", "classifier", "model"
DEADLINE_S = 12 * 3600.0

Trouble = Callable[[str], object]
AnalyserOption = Annotated[
    list[str] | None,
    typer.Option(
        "--analyser",
        metavar="NAME",
        help="What to measure: chain, rules, classifier or model:NAME; may be repeated. Default: chain and rules.",
    ),
]
PrecisionOption = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Propose thresholds at which this share of answers is right."),
]


def subjects(
    names: Sequence[str],
    settings: Settings,
    clock: SystemClock,
    stack: ExitStack,
    *,
    trouble: Trouble = lambda _sentence: None,
) -> list[Subject]:
    """The analysers of these names, in their order; without ``names`` the chain and the rules.

    Cached answers are not used, since answering is what is measured. The models' cost counts towards the budget.
    Raises :class:`ConfigError` with every name that is wrong or cannot be used.
    """
    deadline = Deadline(clock, DEADLINE_S)
    store = AnswerStore(settings.state_folder / FILE_NAME if settings.desk.named else None, clock, days=0)
    stack.callback(store.close)
    several = settings.run.workers
    made: dict[str, Subject] = {}
    problems: list[str] = []
    for name in names or _usual(settings):
        kind, _, model = name.strip().partition(" " if " " in name.strip() else ":")
        model = model.strip()
        try:
            if kind == MODEL and model:
                chain = understanding(_only(settings, model), clock, deadline, None, store, trouble)
                made[f"{MODEL} {model}"] = Subject(f"{MODEL} {model}", stack.enter_context(chain), several)
            elif name == CHAIN:
                chain = understanding(settings, clock, deadline, None, store, trouble)
                made[CHAIN] = Subject(CHAIN, stack.enter_context(chain), several if settings.models.names else 1)
            elif name == RULES:
                made[RULES] = Subject(RULES, rules_alone(RulesAnalyser(settings.taxonomy, settings.entities)))
            elif name == CLASSIFIER:
                made[CLASSIFIER] = Subject(CLASSIFIER, _classifier(settings))
            else:
                problems.append(f"--analyser {name}: none of chain, rules, classifier, model:NAME")
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)
    return list(made.values())


def rules_alone(rules: RulesAnalyser) -> AnalyseTicket:
    """The keyword rules, on a ticket's cleaned and redacted text."""

    def analyse(ticket: Ticket) -> Analysis:
        return rules.analyse(redact(clean(ticket.subject, ticket.description), names=ticket.names))

    return analyse


def with_rules_behind(analyser: Analyser, rules: RulesAnalyser) -> AnalyseTicket:
    """An analyser, with the rules for tickets that it cannot answer; their analyses say why."""

    def analyse(ticket: Ticket) -> Analysis:
        text = redact(clean(ticket.subject, ticket.description), names=ticket.names)
        try:
            return analyser.analyse(text)
        except AnalysisFailed as error:
            return rules.analyse(text).model_copy(update={"why_fallback": error.reason})

    return analyse


def results(
    chosen: Sequence[Subject],
    sources: Sequence[Labelled],
    settings: Settings,
    clock: SystemClock,
    screen: Screen,
    *,
    precision: float,
    remark: Trouble,
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


def _usual(settings: Settings) -> tuple[str, ...]:
    trained = is_there(settings.classifier_folder)
    return (CHAIN, RULES) if settings.models.names or trained else (RULES,)


def _only(settings: Settings, model: str) -> Settings:
    """The settings with this one model, and nothing trained between it and the rules."""
    models = settings.models.model_copy(
        update={"names": (model,), "use": {name: use for name, use in settings.models.use.items() if name == model}}
    )
    return settings.model_copy(update={"models": models, "use_classifier": False})


def _classifier(settings: Settings) -> AnalyseTicket:
    from ..analysis.classifier.analyser import LocalClassifier

    rules = RulesAnalyser(settings.taxonomy, settings.entities)
    learnt = LocalClassifier.load(settings.classifier_folder, settings.taxonomy, rules, settings.account)
    return with_rules_behind(learnt, rules)


READ_DEADLINE_S = 3600.0


def labelled_by_people(
    settings: Settings,
    clock: SystemClock,
    screen: Screen,
    since: str,
    *,
    limit: int,
    category_from: CategoryFrom | None = None,
) -> tuple[Solved, list[str]]:
    """The newest solved tickets that carry a label, and sentences on how the labels were found, which are also said.

    Raises :class:`ConfigError` when there are none.
    """
    moment = parse_since(since, clock.now())
    solved = read_solved(settings, clock, screen, moment, limit=limit, category_from=category_from)
    decided = how_it_was_decided(solved, iso(moment)[:10])
    if not solved.examples:
        told = " ".join(decided[:1] + decided[2:-1]).rstrip(".")
        hint = (
            "; after 'ticketbot learn collect' those that ticketbot triaged count, too"
            if solved.left_out.get(OURS)
            else ""
        )
        raise ConfigError(f"no solved ticket carries a label: {told}{hint}")
    for line in decided:
        screen.say(line)
    return solved, decided


def read_solved(
    settings: Settings,
    clock: SystemClock,
    screen: Screen,
    since: float,
    *,
    limit: int | None,
    category_from: CategoryFrom | None = None,
) -> Solved:
    """The newest solved tickets since ``since``. The transport refuses writes, so that not even a bug could write.

    Those that ticketbot triaged are among them where people kept or changed their category, as ``learn collect`` saw.
    """
    deadline = Deadline(clock, READ_DEADLINE_S)
    share = settings.run.limit_share
    with (
        closing(transport_for(settings.desk, clock, deadline, share=share, read_only=True)) as transport,
        screen.progress("reading solved tickets") as advance,
    ):
        return solved_examples(
            desk_for(settings, transport),
            settings.taxonomy,
            settings.policy,
            since=since,
            limit=limit,
            category_from=category_from or CategoryFrom(),
            decided=decided_by_people(settings.state_folder),
            advance=advance,
        )

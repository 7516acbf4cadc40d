"""``ticketbot train``: learns a local classifier, and stores it where a run looks for it.

``--from-corrections`` adds approved corrections; a former classifier that does better stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..analysis.classifier.storage import TASKS, Task, require_extra, version, write
from ..core.clock import SystemClock, iso
from ..core.errors import ConfigError, ExitCode
from ..core.wording import person_at_keyboard
from ..learning.model import Correction
from ..learning.retraining import FIELDS, RETRAINED, corrected_examples, with_corrections
from ..learning.store import FILE_NAME, LearningStore
from ..settings.load import load
from ..settings.schema import Settings
from .options import ConfigOption, JsonOption
from .screen import Screen

if TYPE_CHECKING:
    from ..evaluation.training.fitting import Trained


def approved_corrections(settings: Settings) -> list[Correction]:
    """The approved corrections that a classifier can learn from. Raises ``ConfigError`` where there are none."""
    with closing(LearningStore(settings.state_folder / FILE_NAME, read_only=True)) as store:
        found = [item for field in FIELDS for item in store.examples(field)]
    if not found:
        raise ConfigError("no correction that a classifier can learn from was approved; see 'ticketbot learn review'")
    return found


def store_retrained(
    settings: Settings,
    clock: SystemClock,
    before: Trained,
    after: Trained,
    corrections: Sequence[Correction],
) -> tuple[Trained, list[str], dict[str, Any]]:
    """Store the classifier and note what it has learnt from, unless its scores fall beyond chance: what to say of it.

    Both were tested on the same tickets, none of them a correction. That test is a hard one: what was corrected is what
    these tickets had taught wrongly.
    """
    folder = settings.classifier_folder
    from ..evaluation.training.fitting import gains  # heavy

    without, with_them, found = _scores(before), _scores(after), gains(before, after)
    fallen = [task for task, gain in found.items() if gain.high < 0]
    told = [
        f"{task}: held-out macro-F1 {without[task]:.3f} without corrections, {with_them[task]:.3f} with them "
        f"({gain.low:+.3f} to {gain.high:+.3f})"
        for task, gain in found.items()
    ]
    data: dict[str, Any] = {"without": without, "with": with_them, "change": None}
    if fallen:
        return (
            after,
            [*told, f"not stored, since {' and '.join(fallen)} would get worse by more than chance"],
            data,
        )
    with closing(LearningStore(settings.state_folder / FILE_NAME)) as store, store.writing():
        former = version(folder)
        after = replace(after, description=write(folder, after.description, after.content, keep_former=True))
        detail = {
            "corrections": sorted(item.id for item in corrections),
            "macro_f1": ", ".join(f"{task} {score:.3f}" for task, score in with_them.items()),
            "former": former,
            "now": version(folder),
        }
        change = store.record(RETRAINED, person_at_keyboard(), detail, clock.now())
    told.append(f"stored in {folder}; 'ticketbot learn undo {change.id}' puts the former one back")
    return after, told, {**data, "change": change.id}


def _scores(trained: Trained) -> dict[str, float]:
    return {learnt.task: learnt.scores.macro_f1 for learnt in trained.learnt}


if TYPE_CHECKING:
    from ..evaluation.data import Example

DEFAULT_SINCE = "180d"


def train(
    clock: SystemClock,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE…", help="Labelled tickets: .jsonl or .jsonl.gz.", show_default=False),
    ] = None,
    from_helpdesk: Annotated[
        bool, typer.Option("--from-helpdesk", help="Learn from what people chose on the helpdesk's solved tickets.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="With --from-helpdesk: tickets created since then. Default: 180d."),
    ] = None,
    from_corrections: Annotated[
        bool,
        typer.Option("--from-corrections", help="Also learn from approved corrections; stored unless scores fall."),
    ] = False,
    own_desk: Annotated[
        bool, typer.Option("--own-desk", help="The files' tickets are this helpdesk's own: put in use what is learnt.")
    ] = False,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--task", metavar="TASK", help="category, urgency or sentiment; may be repeated. Default: all three."
        ),
    ] = None,
    bench: Annotated[
        bool,
        typer.Option("--bench", help="Compare six methods by cross-validation; logistic regression is put in use."),
    ] = False,
    into: Annotated[
        Path | None,
        typer.Option("--folder", metavar="FOLDER", help="Folder of the classifier. Default: where a run looks for it."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Learn a local classifier from labelled tickets."""
    chosen = _tasks(tasks or ())
    if not files and not from_helpdesk:
        raise ConfigError("name a file of labelled tickets, or say --from-helpdesk")
    if since is not None and not from_helpdesk:
        raise ConfigError("--since belongs to --from-helpdesk")
    if from_corrections and into is not None:
        raise ConfigError("--from-corrections stores where a run looks for it, without --folder")
    if files and not own_desk and into is None:
        raise ConfigError(
            "tickets of another desk prove nothing about yours: say --own-desk if these are your own, "
            "or --folder FOLDER to learn from them without putting it in use"
        )
    require_extra("sklearn", "skops")
    from ..evaluation.data import read_examples

    settings = load(config=config, need_helpdesk=from_helpdesk)
    folder = into or _own_folder(settings)
    screen = Screen(as_json=as_json)
    screen.notices(settings.notices)

    examples = read_examples(files or (), lambda sentence: screen.notices([sentence]))
    corrections = approved_corrections(settings) if from_corrections else []
    corrected = corrected_examples(corrections, settings.taxonomy)
    if from_helpdesk:
        solved = _from_helpdesk(settings, clock, since or DEFAULT_SINCE, screen)
        solved, corrected = with_corrections(solved, corrected)
        examples += solved

    # Heavy, so that a mistake on the command line is reported first.
    from ..analysis.rules.analyser import RulesAnalyser
    from ..evaluation.training import summary
    from ..evaluation.training.corpus import MAX_TICKETS, corpus_of
    from ..evaluation.training.fitting import steps
    from ..evaluation.training.fitting import train as work

    corpus = corpus_of(examples, corrected)
    screen.say(f"{len(corpus.texts)} different labelled tickets, {corpus.repeats} repeated or empty ones left out")
    if corpus.passed_over:
        screen.notices([f"{corpus.passed_over} more are not used: {MAX_TICKETS} are enough"])
    taxonomy = settings.taxonomy
    source = ["files"] * bool(files) + ["the helpdesk's solved tickets"] * from_helpdesk
    without = corpus_of(examples) if from_corrections else None
    with screen.progress("learning", sum(steps(one, chosen, bench=bench) for one in (corpus, without) if one)) as move:

        def advance(count: int) -> None:
            clock.check()
            move(count)

        learn = partial(
            work,
            taxonomy=taxonomy,
            rules=RulesAnalyser(taxonomy, settings.entities),
            tasks=chosen,
            source=" and ".join([*source, *["corrections"] * from_corrections]),
            trained_at=iso(clock.now()),
            own_desk=own_desk or not files,
            account=settings.account,
            bench=bench,
            say=screen.say,
            advance=advance,
        )
        before = learn(without, say=lambda _line: None) if without is not None else None
        trained = learn(corpus)
    more: dict[str, Any] = {}
    if before is None:
        trained = replace(trained, description=write(folder, trained.description, trained.content))
        lines = [f"stored in {folder}"]
    else:
        trained, lines, more = store_retrained(settings, clock, before, trained, corrections)
    data = {**summary.as_data(trained, folder), **more}
    lines = [summary.summary_text(trained, bench=bench), *lines]
    if folder.resolve() != settings.classifier_folder.resolve():
        lines.append(f"a run looks for it in {settings.classifier_folder}")
    screen.result("\n".join(lines), data)
    return ExitCode.SOME_FAILED if more and more["change"] is None else ExitCode.OK


def _tasks(named: Sequence[str]) -> tuple[Task, ...]:
    unknown = [name for name in named if name not in TASKS]
    if unknown:
        raise ConfigError(f"--task: '{unknown[0]}' is none of {', '.join(TASKS)}")
    return tuple(task for task in TASKS if task in named) or TASKS


def _own_folder(settings: Settings) -> Path:
    """The folder where a run looks for the classifier: in the account's state folder."""
    known = settings.desk.named
    if settings.state_dir is None and not known:
        raise ConfigError("no account is configured whose classifier this could be: say --folder FOLDER")
    return settings.classifier_folder


def _from_helpdesk(settings: Settings, clock: SystemClock, since: str, screen: Screen) -> list[Example]:
    """Labels that people chose on solved tickets. Raises ``ConfigError`` when there are none."""
    from ..evaluation.training.corpus import MAX_TICKETS
    from .analyser_choice import labelled_by_people

    solved, _ = labelled_by_people(settings, clock, screen, since, limit=MAX_TICKETS)
    return list(solved.examples)

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

from ..analysis.classifier.storage import TASKS, require_extra, version, write
from ..core.clock import SystemClock, iso
from ..core.errors import ConfigError, ExitCode
from ..core.text import person_at_keyboard
from ..learning.examples import FIELDS, RETRAINED, corrected_examples, with_corrections
from ..learning.store import FILE_NAME, Correction, LearningStore
from ..settings.load import load
from ..settings.schema import Settings
from .options import ConfigOption, FromHelpdeskOption, JsonOption, LabelledFiles, check_together
from .screen import Screen

if TYPE_CHECKING:
    from ..evaluation.fitting import Trained

DEFAULT_SINCE = "180d"


def train(
    clock: SystemClock,
    files: LabelledFiles = None,
    from_helpdesk: FromHelpdeskOption = False,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="With --from-helpdesk: created since then. Default: 180d.")
    ] = None,
    from_corrections: Annotated[
        bool, typer.Option("--from-corrections", help="Also learn from approved ones; stored unless scores fall.")
    ] = False,
    own_desk: Annotated[
        bool, typer.Option("--own-desk", help="The files' tickets are this helpdesk's own: put in use what is learnt.")
    ] = False,
    tasks: Annotated[
        list[str] | None, typer.Option("--task", metavar="TASK", help="category, urgency, sentiment. Default: all.")
    ] = None,
    bench: Annotated[bool, typer.Option("--bench", help="Compare six methods; the first one is put in use.")] = False,
    folder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Of the classifier. Default: where a run looks for it.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Learn a local classifier from labelled tickets."""
    if unknown := [name for name in tasks or () if name not in TASKS]:
        raise ConfigError(f"--task: '{unknown[0]}' is none of {', '.join(TASKS)}")
    if not files and not from_helpdesk:
        raise ConfigError("name a file of labelled tickets, or say --from-helpdesk")
    check_together(locals(), parts={"--from-helpdesk": ("--since",)}, apart={"--from-corrections": ("--folder",)})
    if files and not own_desk and folder is None:
        raise ConfigError(
            "tickets of another desk prove nothing about yours: say --own-desk if these are your own, "
            "or --folder FOLDER to learn from them without putting it in use"
        )
    require_extra("sklearn", "skops")
    from ..evaluation.data import read_examples

    settings = load(config=config, need_helpdesk=from_helpdesk)
    if folder is None and settings.state_dir is None and not settings.desk.named:
        raise ConfigError("no account is configured whose classifier this could be: say --folder FOLDER")
    folder = folder or settings.classifier_folder
    screen = Screen(as_json=as_json)
    screen.notices(settings.notices)

    examples = read_examples(files or (), lambda sentence: screen.notices([sentence]))
    corrections: list[Correction] = []
    if from_corrections:
        with closing(LearningStore.scratch_copy(settings.state_folder / FILE_NAME)) as store:
            corrections = [item for field in FIELDS for item in store.examples(field)]
        if not corrections:
            what = "no correction that a classifier can learn from was approved"
            raise ConfigError(f"{what}; see 'ticketbot learn review'")
    corrected = corrected_examples(corrections, settings.taxonomy)

    # Heavy, so that a mistake on the command line is reported first.
    from ..analysis.rules.analyser import RulesAnalyser
    from ..evaluation import fitting as summary
    from ..evaluation.fitting import train as work
    from ..evaluation.learners import MAX_TICKETS, corpus_of
    from .analyser_choice import labelled_by_people

    if from_helpdesk:
        found, _ = labelled_by_people(settings, clock, screen, since or DEFAULT_SINCE, limit=MAX_TICKETS)
        solved, corrected = with_corrections(found.examples, corrected)
        examples += solved
    corpus = corpus_of(examples, corrected)
    screen.say(f"{len(corpus.texts)} different labelled tickets, {corpus.repeats} repeated or empty ones left out")
    if corpus.passed_over:
        screen.notices([f"{corpus.passed_over} more are not used: {MAX_TICKETS} are enough"])
    sources = {"files": files, "the helpdesk's solved tickets": from_helpdesk, "corrections": from_corrections}
    with screen.progress("learning, fold by fold") as move:

        def advance(folds: int) -> None:
            clock.check()
            move(folds)

        learn = partial(
            work,
            taxonomy=settings.taxonomy,
            rules=RulesAnalyser(settings.taxonomy),
            tasks=[task for task in TASKS if task in (tasks or TASKS)],
            source=" and ".join(name for name, used in sources.items() if used),
            trained_at=iso(clock.now()),
            own_desk=own_desk or not files,
            account=settings.account,
            bench=bench,
            advance=advance,
        )
        before = learn(corpus_of(examples)) if from_corrections else None
        trained = learn(corpus)
    more: dict[str, Any] = {}
    if before is None:
        trained = replace(trained, description=write(folder, trained.description, trained.content))
        lines = [f"stored in {folder}"]
    else:
        trained, lines, more = _stored_unless_worse(settings, clock, before, trained, corrections)
    lines.insert(0, summary.summary_text(trained, bench=bench))
    if folder.resolve() != settings.classifier_folder.resolve():
        lines.append(f"a run looks for it in {settings.classifier_folder}")
    screen.result("\n".join(lines), {**summary.as_data(trained, folder), **more})
    return ExitCode.SOME_FAILED if more and more["change"] is None else ExitCode.OK


def _stored_unless_worse(
    settings: Settings, clock: SystemClock, before: Trained, after: Trained, corrections: Sequence[Correction]
) -> tuple[Trained, list[str], dict[str, Any]]:
    """Store the classifier and note what it has learnt from, unless its scores fall beyond chance: what to say of it.

    Both were tested on the same tickets, none of them a correction. That test is a hard one: what was corrected is what
    these tickets had taught wrongly.
    """
    from ..evaluation.fitting import gains

    folder, found = settings.classifier_folder, gains(before, after)
    without, with_them = ({one.task: one.scores.macro_f1 for one in side.learnt} for side in (before, after))
    fallen = [task for task, gain in found.items() if gain.high < 0]
    lines = [
        f"{task}: held-out macro-F1 {without[task]:.3f} without corrections, {with_them[task]:.3f} with them "
        f"({gain.low:+.3f} to {gain.high:+.3f})"
        for task, gain in found.items()
    ]
    data: dict[str, Any] = {"without": without, "with": with_them, "change": None}
    if fallen:
        lines.append(f"not stored, since {' and '.join(fallen)} would get worse by more than chance")
        return after, lines, data
    with closing(LearningStore(settings.state_folder / FILE_NAME)) as store, store.transaction():
        former = version(folder)
        after = replace(after, description=write(folder, after.description, after.content, keep_former=True))
        detail = {
            "corrections": sorted(item.id for item in corrections),
            "macro_f1": ", ".join(f"{task} {score:.3f}" for task, score in with_them.items()),
            "former": former,
            "now": version(folder),
        }
        change = store.record(RETRAINED, person_at_keyboard(), detail, clock.now())
    lines.append(f"stored in {folder}; 'ticketbot learn undo {change.id}' puts the former one back")
    return after, lines, {**data, "change": change.id}

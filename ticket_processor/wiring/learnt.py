"""What runs use of what was learnt (the trained classifier, approved examples), and collecting what people changed.

Most runs need nothing of it, so that heavy parts are imported where they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from ..analysis.chain import Analyser
from ..analysis.rules.analyser import RulesAnalyser
from ..core.clock import Deadline, iso, parse_iso, why_ended
from ..core.errors import DeadlineReached, StateUnusable
from ..settings.schema import LEARNING_STORE, Settings
from ..state.sqlite import is_there

if TYPE_CHECKING:
    from ..helpdesk.protocol import Helpdesk
    from ..helpdesk.transport import Transport
    from ..learning.collect import CollectedLabels
    from ..learning.examples import ExamplePicker
    from ..learning.store import LearningStore


def trained_classifier(
    settings: Settings, rules: RulesAnalyser, trouble: Callable[[str], object] = lambda _sentence: None
) -> Analyser | None:
    """The classifier that ``ticketbot train`` made, if it is there, wanted and usable."""
    folder = settings.classifier_folder
    if not settings.use_classifier or not is_there(folder):
        return None
    from ..analysis.classifier.analyser import LocalClassifier
    from ..analysis.classifier.storage import ClassifierUnusable, NotTrained, read_description

    try:
        if not read_description(folder).used:
            return None  # it beat the rules at nothing, which 'ticketbot train' has said
        return LocalClassifier.load(folder, settings.taxonomy, rules, settings.account)
    except NotTrained:
        return None
    except ClassifierUnusable as error:
        trouble(f"{error}; the rules do its work")
        return None


@contextmanager
def approved_examples(settings: Settings, trouble: Callable[[str], object]) -> Iterator[ExamplePicker | None]:
    """What picks examples for a prompt; ``None`` where none were approved, or they cannot be read (``trouble``)."""
    from ..learning.examples import ExamplePicker, examples_of
    from ..learning.store import LearningStore

    path, found = settings.state_folder / LEARNING_STORE, []
    try:
        if is_there(path):
            with closing(LearningStore.scratch_copy(path)) as store:
                found = examples_of(store, settings.taxonomy)
    except StateUnusable as error:
        trouble(f"what was learnt is not used: {error}")
    with closing(ExamplePicker(found, settings.learning.examples)) as picker:
        yield picker if found else None


@contextmanager
def kept_learning(settings: Settings) -> Iterator[LearningStore | None]:
    """The learning store of these settings; ``None`` where there is none."""
    from ..learning.store import LearningStore

    path = settings.state_folder / LEARNING_STORE
    if not is_there(path):
        yield None
        return
    with closing(LearningStore(path)) as store:
        yield store


def collect(
    settings: Settings,
    desk: Helpdesk,
    transport: Transport,
    store: LearningStore,
    deadline: Deadline,
    now: float,
    *,
    since: float = 0.0,
    most: int | None = None,
    advance: Callable[[int], object] = lambda _count: None,
) -> CollectedLabels:
    """Read what became of our labels on all settled tickets of the log that were written on since ``since``.

    What is older than every day of the log, and than days may get, is dropped: a wrong clock alone drops nothing.
    """
    from ..audit.files import log_files
    from ..learning import collect as reading
    from ..learning.overrides import words_of
    from .parts import keyring

    try:
        reading.PendingTickets(store).read_log(settings.log_dir, keyring(settings), deadline, first_day=iso(since)[:10])
    except DeadlineReached as error:
        return reading.CollectedLabels(ended_early=why_ended(error, deadline))
    words = partial(words_of, settings.policy, settings.taxonomy)
    level = settings.models.redaction
    done = reading.collect(desk, store, words, level, deadline, now, since=since, most=most, advance=advance)
    done.requests = sum(transport.counts.values())
    if kept := log_files(settings.log_dir):
        store.drop_before(min(parse_iso(kept[0].day), now - settings.audit.retention_days * 86_400))
    return done

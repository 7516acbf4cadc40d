"""Collects what people made of our labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

from ..audit.files import log_files
from ..core.clock import Deadline, iso, parse_iso, why_ended
from ..core.errors import DeadlineReached
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.transport import Transport
from ..learning.collect import CollectedLabels, Collector, PendingTickets
from ..learning.overrides import words_of
from ..learning.store import FILE_NAME, LearningStore
from ..settings.schema import Settings
from ..state.sqlite import is_there
from .parts import keyring, strictest_redaction


@contextmanager
def kept_learning(settings: Settings) -> Iterator[LearningStore | None]:
    """The learning store of these settings; ``None`` where there is none."""
    path = settings.state_folder / FILE_NAME
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
    try:
        PendingTickets(store).read_log(settings.log_dir, keyring(settings), deadline, first_day=iso(since)[:10])
    except DeadlineReached as error:
        return CollectedLabels(ended_early=why_ended(error, deadline))
    words = partial(words_of, settings.policy, settings.taxonomy)
    collector = Collector(desk, store, words, deadline, strictest_redaction(settings))
    done = collector.collect(now, since=since, most=most, advance=advance)
    done.requests = sum(transport.counts.values())
    if kept := log_files(settings.log_dir):
        store.drop_before(min(parse_iso(kept[0].day), now - settings.audit.retention_days * 86_400))
    return done

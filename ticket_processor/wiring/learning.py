"""Collects what people made of our labels, on command and with a small share of each run's requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

from ..audit.files import log_files
from ..core.clock import Clock, Deadline, iso, parse_iso, why_ended
from ..core.errors import DeadlineReached, Stopping, unexpected
from ..core.models import RedactionLevel
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.transport import Transport
from ..learning.collect import CollectedLabels, Collector
from ..learning.overrides import Words, words_of
from ..learning.pending import PendingTickets
from ..learning.review import expire, told
from ..learning.store import FILE_NAME, LearningStore
from ..settings.schema import Settings
from ..state.sqlite import is_there
from .parts import keyring, strictest_redaction

LOOKS_BACK_S = 30 * 86_400.0
"""How far back the first run that collects looks."""
MOST_SAVED = 100.0
"""Requests that runs may leave unused for a later one."""
ALLOWANCE = "allowance"
"""The fact of the store that says how many requests runs have left unused."""


@contextmanager
def kept_learning(settings: Settings, *, make: bool = False) -> Iterator[LearningStore | None]:
    """The learning store of these settings; ``None`` where there is none. ``make`` makes it where it is in use."""
    path = settings.state_folder / FILE_NAME
    if not (is_there(path) or (make and settings.learning.collect_share)):
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
) -> tuple[CollectedLabels, list[str]]:
    """Read what became of our labels on all settled tickets of the log that were written on since ``since``.

    Also a sentence where corrections have expired.
    """
    try:
        PendingTickets(store).read_log(settings.log_dir, keyring(settings), deadline, first_day=iso(since)[:10])
    except DeadlineReached as error:
        return CollectedLabels(ended_early=why_ended(error, deadline)), []
    done = _collector(settings, desk, store, deadline).collect(now, since=since, most=most, advance=advance)
    done.requests = _requests(transport)
    _drop_old(settings, store, now)
    return done, _expired(settings, store, now)


def collect_in_run(
    settings: Settings, desk: Helpdesk, transport: Transport, clock: Clock, deadline: Deadline
) -> list[str]:
    """Do the same with a share of the run's requests and half of its time; what there is to say of it.

    What a run leaves unused, a later one may use; what it uses too much, later ones leave. Raises :class:`Stopping`.
    """
    now, before = clock.now(), _requests(transport)
    try:
        with closing(LearningStore(settings.state_folder / FILE_NAME)) as store:
            saved = float(store.fact(ALLOWANCE) or 0.0) + before * settings.learning.collect_share
            allowance = int(saved)
            half = Deadline(clock, deadline.remaining() / 2)
            day = iso(now - LOOKS_BACK_S)[:10]
            PendingTickets(store).read_log(settings.log_dir, keyring(settings), half, first_day=day)
            if allowance >= 2:  # one request says which tickets are solved
                _collector(settings, desk, store, half).collect(
                    now,
                    at_once=min(100, allowance // 2),
                    may_go_on=lambda: _requests(transport) - before < allowance,
                )
            store.keep_fact(ALLOWANCE, str(min(MOST_SAVED, saved - (_requests(transport) - before))))
            _drop_old(settings, store, now)
            return _expired(settings, store, now)
    except Stopping:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the run has done its work
        return [f"labels that people kept and changed were not collected: {unexpected(error)}"]


def _drop_old(settings: Settings, store: LearningStore, now: float) -> None:
    """Drop what is older than every day of the log and than days may get: a wrong clock alone drops nothing."""
    kept = log_files(settings.log_dir)
    if kept:
        store.drop_before(min(parse_iso(kept[0].day), now - settings.audit.retention_days * 86_400))


def _expired(settings: Settings, store: LearningStore, now: float) -> list[str]:
    """Let corrections of categories that are gone expire; what there is to say of it."""
    change = expire(store, settings.taxonomy, now)
    return [] if change is None else [f"{told(change)} (learn undo {change.id} takes it back)"]


def _requests(transport: Transport) -> int:
    return sum(transport.counts.values())


def _collector(settings: Settings, desk: Helpdesk, store: LearningStore, deadline: Deadline) -> Collector:
    words: Callable[[set[str]], Words] = partial(words_of, settings.policy, settings.taxonomy)
    level: RedactionLevel = strictest_redaction(settings)
    return Collector(desk, store, words, deadline, level)

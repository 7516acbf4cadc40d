"""Erases tickets' words wherever ticketbot keeps them. Which ones is written down first, and that record goes last.

Each step may be made twice, so the next erasure or run goes on with one that was cut off.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import closing

from ..analysis.cache import FILE_NAME as ANSWERS
from ..analysis.cache import AnswerStore
from ..audit.erase import TicketTraces, erase, find, without_dry_runs
from ..audit.receipts import AuditLog, keep_head
from ..core.clock import SystemClock
from ..core.errors import CannotRun, TicketbotError
from ..core.text import many
from ..knowledge.store import FILE_NAME as ARTICLES
from ..knowledge.store import KnowledgeStore
from ..settings.schema import Settings
from ..state.records import ERASING, erase_words
from ..state.sqlite import is_there
from ..state.store import State
from .learnt import kept_learning
from .parts import audit_log, keyring


def cut_off(state: State) -> frozenset[int]:
    """The tickets of an erasure that was cut off."""
    return frozenset(json.loads(state.fact(ERASING) or "[]"))


def find_words(settings: Settings, wanted: Collection[int]) -> TicketTraces:
    """What log and state folder hold of these tickets."""
    found = find(settings.log_dir, wanted, keyring(settings))
    try:
        with kept_learning(settings) as learning:
            learnt = learning.known(wanted) if learning else frozenset()
    except (OSError, CannotRun) as error:
        found.troubles.append(str(error))
        return found
    found.known |= learnt
    found.learnt = len(learnt)
    return found


def erase_found(
    settings: Settings,
    clock: SystemClock,
    state: State,
    audit: AuditLog,
    wanted: Collection[int],
    found: TicketTraces,
) -> tuple[TicketTraces, int, list[int]]:
    """Erase what was found: what went, from the log and beside it; how many kept answers; tickets of values given up.

    The caller keeps runs and dry runs off. Raises ``CannotRun``.
    """
    state.remember(**{ERASING: json.dumps(sorted(wanted))})
    gone = erase(audit, wanted, keyring(settings), found)
    given_up = erase_words(state, wanted)
    answers = _forget_answers(settings, clock, gone.troubles)
    forget_elsewhere(settings, wanted, gone)
    keep_head(state, audit)
    state.forget(ERASING)  # what could not be erased is told
    return gone, answers, given_up


def finish_erasure(settings: Settings, clock: SystemClock, state: State, run_id: str) -> list[str]:
    """In a run, which holds the state: go on with an erasure that was cut off; what there is to say of that."""
    wanted = cut_off(state)
    if not wanted:
        return []
    start = f"the erasure of {many(len(wanted), 'ticket')} that was cut off is"
    try:
        with without_dry_runs(settings.state_folder), closing(audit_log(settings, clock, run_id)) as audit:
            gone, *_ = erase_found(settings, clock, state, audit, wanted, find_words(settings, wanted))
    except TicketbotError as error:
        return [f"{start} not finished: {error}"]
    return [f"{start} finished", *(f"not erased: {trouble}" for trouble in gone.troubles)]


def forget_elsewhere(settings: Settings, wanted: Collection[int], gone: TicketTraces) -> None:
    """Drop these tickets from what people changed; they are not read again."""
    try:
        if is_there(articles := settings.state_folder / ARTICLES):
            KnowledgeStore(articles).close()  # which drops tickets' words that earlier versions kept there
        with kept_learning(settings) as learning:
            gone.learnt = learning.forget(wanted) if learning else 0
    except (OSError, CannotRun) as error:
        if str(error) not in gone.troubles:  # as when they were looked for
            gone.troubles.append(str(error))


def _forget_answers(settings: Settings, clock: SystemClock, troubles: list[str]) -> int:
    """Drop the stored answers, and a damaged store that was set aside. Returns how many."""
    path = settings.state_folder / ANSWERS
    try:
        path.with_suffix(".damaged").unlink(missing_ok=True)
        if not path.exists():
            return 0
        with closing(AnswerStore(path, clock, days=0)) as store:
            return store.forget()
    except (OSError, CannotRun) as error:
        troubles.append(str(error))
        return 0

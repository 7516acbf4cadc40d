"""Guards of the local helpdesk taken away one at a time: the simulation must notice each, or it proves nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any
from unittest import mock

from ticket_processor.core.models import Change
from ticket_processor.helpdesk import local_desk, local_writing
from ticket_processor.helpdesk.local_desk import LocalDesk
from ticket_processor.helpdesk.local_model import Actor, LocalTicket, Write
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.helpdesk.protocol import Page

from . import local_steps
from .mutations import MUTATIONS
from .reply_mutations import REPLY_MUTATIONS


def _unguarded(kind: str, whole: Any = LocalStore.apply) -> Callable[..., LocalTicket]:
    def apply(store: LocalStore, number: int, actor: Actor, write: Write, *, version: Any, now: float) -> LocalTicket:
        guard = None if actor.kind == kind else version
        ticket: LocalTicket = whole(store, number, actor, write, version=guard, now=now)
        return ticket

    return apply


def _whatever_the_stamp(desk: LocalDesk, change: Change, whole: Any = LocalDesk.update) -> Any:
    """What was read just now guards the write, and not what it was merged from."""
    now = desk.fetch([change.ticket_id]).get(change.ticket_id)
    return whole(desk, change if now is None else change.model_copy(update={"stamp": now.updated_at}))


def _unkeyed(*arguments: Any, whole: Any = LocalDesk._write_of) -> Write:
    return replace(whole(*arguments), key="", intent="")


def _note_apart(
    store: LocalStore,
    number: int,
    actor: Actor,
    write: Write,
    *,
    version: Any,
    now: float,
    whole: Any = LocalStore.apply,
) -> Any:
    """The note goes into a transaction of its own, behind the rest."""
    if actor.kind != "ai" or write.body is None:
        return whole(store, number, actor, write, version=version, now=now)
    whole(store, number, actor, replace(write, body=None), version=version, now=now)
    return whole(store, number, actor, Write(body=write.body, public=write.public), version=None, now=now)


def _events_forgotten(
    db: sqlite3.Connection, number: int, version: int, *rest: Any, whole: Any = local_writing.record
) -> None:
    """A ticket's record keeps what is newest."""
    db.execute("DROP TRIGGER IF EXISTS event_is_kept")
    db.execute("DELETE FROM event WHERE ticket_id = ? AND version < ?", (number, version - 3))
    whole(db, number, version, *rest)


def _same_second(earlier: str, moment: float, whole: Any = local_writing.stamp_after) -> str:
    """Stamps of whole seconds, as elsewhere."""
    return f"{max(earlier, whole('2000-01-01T00:00:00Z', moment))[:19]}.000000Z"


def _one_more(store: LocalStore, event: int, *rest: Any, whole: Any = LocalStore.changed_since) -> Any:
    return whole(store, event + 1 if event else 0, *rest)


def _by_time(desk: LocalDesk, cursor: str | None, since: float, whole: Any = LocalDesk.pages) -> Iterator[Page]:
    """The cursor is brought to the newest event, and not to the last that was listed."""
    for page in whole(desk, cursor, since):
        yield replace(page, cursor=desk._cursor(desk._store.last_event()))


def _without_people(events: Any, *rest: Any, whole: Any = local_desk.edits_of) -> Any:
    return whole([event for event in events if event.actor.kind == "ai" or event.field == "created"], *rest)


def _public(*arguments: Any, whole: Any = LocalDesk._write_of) -> Write:
    return replace(whole(*arguments), public=True)


LOCAL_MUTATIONS: Mapping[str, Callable[[], Any]] = {
    "version of a run's write not checked": lambda: mock.patch.object(LocalStore, "apply", _unguarded("ai")),
    "version of an agent's page not checked": lambda: mock.patch.object(LocalStore, "apply", _unguarded("agent")),
    "stamp not compared": lambda: mock.patch.object(LocalDesk, "update", _whatever_the_stamp),
    "key not stored": lambda: mock.patch.object(LocalDesk, "_write_of", _unkeyed),
    "no transactions": lambda: mock.patch.object(local_steps, "transaction", nullcontext),
    "note in a second transaction": lambda: mock.patch.object(LocalStore, "apply", _note_apart),
    "events not append-only": lambda: mock.patch.object(local_writing, "record", _events_forgotten),
    "stamps of whole seconds": lambda: mock.patch.object(local_writing, "stamp_after", _same_second),
    "cursor passes the next event": lambda: mock.patch.object(LocalStore, "changed_since", _one_more),
    "cursor passes what is not listed": lambda: mock.patch.object(LocalDesk, "pages", _by_time),
    "history without people's edits": lambda: mock.patch.object(local_desk, "edits_of", _without_people),
    "notes public": lambda: mock.patch.object(LocalDesk, "_write_of", _public),
    **{
        name: MUTATIONS[name]
        for name in (
            "key not looked for",
            "priority overwritten",
            "group overwritten",
            "fields overwritten",
            "what people took off put back",
            "cursor moved before its page is settled",
            "second look although a person has judged",
        )
    },
    **{
        name: REPLY_MUTATIONS[name]
        for name in (
            "replies on touched tickets",
            "a status although somebody answered",
            "no delay",
            "an earlier reply not looked for",
            "a reply with its status in one call",
            "the intent names no draft",
        )
    },
}
"""Each gives a context manager in which one guard is gone."""

NOTICED_BY: Mapping[str, int] = {
    "version of a run's write not checked": 45,
    "key not looked for": 55,
    "fields overwritten": 39,
    "what people took off put back": 27,
    "a status although somebody answered": 38,
    "an earlier reply not looked for": 58,
    "version of an agent's page not checked": 4,
    "stamp not compared": 2,
    "no transactions": 1,
    "events not append-only": 1,
    "stamps of whole seconds": 1,
    "cursor passes the next event": 1,
    "history without people's edits": 11,
    "priority overwritten": 9,
    "group overwritten": 55,
    "second look although a person has judged": 14,
    "replies on touched tickets": 8,
    "no delay": 8,
    "a reply with its status in one call": 10,
    "the intent names no draft": 8,
}
"""The seed of a story that notices it; 0 where none is named. When it no longer does, others are tried, for seconds."""

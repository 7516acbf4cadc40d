"""Guards of the local helpdesk taken away one at a time: the simulation must notice each, or it proves nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from ticket_processor.core.models import Change
from ticket_processor.helpdesk import local_desk, local_writing
from ticket_processor.helpdesk.local_desk import LocalDesk
from ticket_processor.helpdesk.local_model import Actor, LocalTicket, Write
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.helpdesk.protocol import Page

from . import local_world
from .guards import Guard, noticed_by, patch
from .mutations import MUTATIONS
from .reply_world import REPLY_MUTATIONS


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


LOCAL_MUTATIONS: Mapping[str, Guard] = {
    "version of a run's write not checked": Guard(45, patch(LocalStore, "apply", _unguarded("ai"))),
    "version of an agent's page not checked": Guard(4, patch(LocalStore, "apply", _unguarded("agent"))),
    "stamp not compared": Guard(2, patch(LocalDesk, "update", _whatever_the_stamp)),
    "key not stored": Guard(0, patch(LocalDesk, "_write_of", _unkeyed)),
    "no transactions": Guard(1, patch(local_world, "transaction", nullcontext)),
    "note in a second transaction": Guard(0, patch(LocalStore, "apply", _note_apart)),
    "events not append-only": Guard(1, patch(local_writing, "record", _events_forgotten)),
    "stamps of whole seconds": Guard(1, patch(local_writing, "stamp_after", _same_second)),
    "cursor passes the next event": Guard(1, patch(LocalStore, "changed_since", _one_more)),
    "cursor passes what is not listed": Guard(0, patch(LocalDesk, "pages", _by_time)),
    "history without people's edits": Guard(11, patch(local_desk, "edits_of", _without_people)),
    "notes public": Guard(0, patch(LocalDesk, "_write_of", _public)),
    **noticed_by(
        MUTATIONS,
        {
            "key not looked for": 55,
            "priority overwritten": 9,
            "group overwritten": 55,
            "fields overwritten": 39,
            "what people took off put back": 27,
            "cursor moved before its page is settled": 0,
            "second look although a person has judged": 14,
        },
    ),
    **noticed_by(
        REPLY_MUTATIONS,
        {
            "replies on touched tickets": 8,
            "a status although somebody answered": 38,
            "no delay": 8,
            "an earlier reply not looked for": 58,
            "a reply with its status in one call": 10,
            "the intent names no draft": 8,
        },
    ),
}

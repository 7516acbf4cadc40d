"""Guards of the Freshdesk client taken away one at a time: the simulation must notice each, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

from ticket_processor import freshdesk
from ticket_processor.core.errors import UpdateConflict
from ticket_processor.core.models import Change, Outcome, Ticket
from ticket_processor.core.reasons import DEFERRED
from ticket_processor.freshdesk import Freshdesk
from ticket_processor.helpdesk import freshdesk_format
from ticket_processor.pipeline.settlement import Settlement
from ticket_processor.pipeline.writeback import WriteBack
from ticket_processor.state.store import State

from .mutations import MUTATIONS


def _overwrites_what_it_saw(desk: Freshdesk, change: Change, whole: Any = Freshdesk._seen, **options: Any) -> Any:
    try:
        return whole(desk, change, **options)
    except UpdateConflict:
        return desk._viewed


def _untouched(*arguments: Any, whole: Any = freshdesk.read_ticket, **options: Any) -> Ticket:
    ticket: Ticket = whole(*arguments, **(options | {"touched": False}))
    return ticket


def _public(note: str, whole: Any = freshdesk.note_body) -> dict[str, object]:
    return whole(note) | {"private": False}


def _without_marker(change: Change, names: Any, whole: Any = freshdesk.update_body) -> dict[str, object]:
    return whole(change, names) | {"tags": [tag for tag in change.tags if tag != "ai_processed"]}


def _from_now_on(cursor: str | None, since: float, whole: Any = freshdesk.ListingPlace.read) -> Any:
    place = whole(cursor, since)
    place.moment += 2 * freshdesk.OVERLAP_S if cursor else 0.0
    return place


def _half_a_write_waits(
    writes: WriteBack, work: Settlement, end: Outcome, whole: Any = WriteBack._withdrawn
) -> Outcome:
    ended: Outcome = end if end.reason == DEFERRED else whole(writes, work, end)
    return ended


@contextmanager
def _never_found() -> Iterator[None]:
    with (
        mock.patch.object(freshdesk_format, "shows", return_value=False),
        mock.patch.object(freshdesk, "shows", return_value=False),
    ):
        yield


FRESHDESK_MUTATIONS: Mapping[str, Callable[[], Any]] = {
    "an earlier note not looked for": lambda: mock.patch.object(Freshdesk, "_our_note", return_value=None),
    "only the oldest conversations searched": lambda: mock.patch.object(
        Freshdesk, "_all_said", lambda _desk, view: view.said
    ),
    "requests without an answer not waited for": lambda: mock.patch.object(Freshdesk, "_wait_for_earlier"),
    "changes that a view shows overwritten": lambda: mock.patch.object(Freshdesk, "_seen", _overwrites_what_it_saw),
    "own writes not kept": lambda: mock.patch.object(State, "keep_write"),
    "edited notes not known again": lambda: mock.patch.object(
        freshdesk, "with_references", lambda said, _writes, _own: tuple(said)
    ),
    "an update without an answer never found": _never_found,
    "a note alone taken for the whole write": lambda: mock.patch.object(
        freshdesk_format, "_made", lambda _ticket, writes: [write for write in writes if write.note_sent or write.sent]
    ),
    "notes public": lambda: mock.patch.object(freshdesk, "note_body", _public),
    "marker not written": lambda: mock.patch.object(freshdesk, "update_body", _without_marker),
    "Low taken for no priority": lambda: mock.patch.object(freshdesk, "read_ticket", _untouched),
    "notes of writes given up left there": lambda: mock.patch.object(Freshdesk, "withdraw"),
    "half a write left while people work": lambda: mock.patch.object(WriteBack, "_withdrawn", _half_a_write_waits),
    "listings that leave a gap": lambda: mock.patch.object(freshdesk.ListingPlace, "read", _from_now_on),
    **{
        name: MUTATIONS[name]
        for name in (
            "priority overwritten",
            "group overwritten",
            "fields overwritten",
            "cursor moved before its page is settled",
        )
    },
}
"""Each gives a context manager in which one guard is gone."""

NOTICED_BY: Mapping[str, int] = {
    "requests without an answer not waited for": 53,
    "an update without an answer never found": 12,
    "edited notes not known again": 85,
    "Low taken for no priority": 90,
    "half a write left while people work": 4,
    "listings that leave a gap": 18,
    "priority overwritten": 15,
    "group overwritten": 15,
    "only the oldest conversations searched": 20,
    "changes that a view shows overwritten": 21,
    "own writes not kept": 2,
    "marker not written": 1,
    "notes of writes given up left there": 4,
    "fields overwritten": 15,
}
"""A seed that notices each, where the first does not."""

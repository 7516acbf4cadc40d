"""Guards of the Freshdesk client taken away one at a time: the simulation must notice each, or it proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ticket_processor import freshdesk
from ticket_processor.core.errors import UpdateConflict
from ticket_processor.core.models import Change, Outcome, Ticket
from ticket_processor.core.reasons import DEFERRED
from ticket_processor.freshdesk import Freshdesk
from ticket_processor.helpdesk import freshdesk_format
from ticket_processor.pipeline.settlement import Settlement
from ticket_processor.pipeline.write import WriteBack
from ticket_processor.state.store import State

from .guards import Guard, noticed_by, patch
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


FRESHDESK_MUTATIONS: Mapping[str, Guard] = {
    "an earlier note not looked for": Guard(1, patch(Freshdesk, "_our_note", return_value=None)),
    "only the oldest conversations searched": Guard(20, patch(Freshdesk, "_all_said", lambda _desk, view: view.said)),
    "requests without an answer not waited for": Guard(53, patch(Freshdesk, "_wait_for_earlier")),
    "changes that a view shows overwritten": Guard(21, patch(Freshdesk, "_seen", _overwrites_what_it_saw)),
    "own writes not kept": Guard(4, patch(State, "keep_write")),
    "edited notes not known again": Guard(
        85, patch(freshdesk, "with_references", lambda said, _writes, _own: tuple(said))
    ),
    "an update without an answer never found": Guard(
        12, patch(freshdesk_format, "shows", return_value=False), patch(freshdesk, "shows", return_value=False)
    ),
    "a note alone taken for the whole write": Guard(
        1,
        patch(
            freshdesk_format,
            "_made",
            lambda _ticket, writes: [write for write in writes if write.note_sent or write.sent],
        ),
    ),
    "notes public": Guard(0, patch(freshdesk, "note_body", _public)),
    "marker not written": Guard(1, patch(freshdesk, "update_body", _without_marker)),
    "Low taken for no priority": Guard(161, patch(freshdesk, "read_ticket", _untouched)),
    "notes of writes given up left there": Guard(4, patch(Freshdesk, "withdraw")),
    "half a write left while people work": Guard(4, patch(WriteBack, "_withdrawn", _half_a_write_waits)),
    "listings that leave a gap": Guard(18, patch(freshdesk.ListingPlace, "read", _from_now_on)),
    **noticed_by(
        MUTATIONS,
        {
            "priority overwritten": 15,
            "group overwritten": 15,
            "fields overwritten": 15,
            "cursor moved before its page is settled": 0,
        },
    ),
}

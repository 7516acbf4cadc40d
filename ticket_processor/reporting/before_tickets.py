"""Counts the portal's visitors who read an article and then sent no ticket. Hours are whole ones since 1970."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress

from ..core.errors import HelpdeskDown
from ..core.models import Frozen
from ..core.tables import SENTENCES, Table
from ..core.text import many
from ..settings.schema import Settings
from ..wiring.desks import local_store
from .queries import LogSelection

SOON_H, LATE_H = 24, 7 * 24
"""A ticket within the first means that the article did not answer; within the second, that its reader came back."""
UNKNOWN = (
    "A browser that sent no ticket need not have been answered: its owner may have given up, written by mail, used "
    "another browser, or deleted its cookies; some may still come."
)


class BeforeTickets(Frozen):
    """How many browsers were ``shown`` articles, how many of these ``opened`` one, and what followed.

    ``unsent`` are those of ``opened`` that sent no ticket within 24 hours, and ``back`` those of ``unsent`` that did so
    within 7 days; for ``open_yet`` it is too early to tell.
    """

    shown: int = 0
    opened: int = 0
    unsent: int = 0
    back: int = 0
    open_yet: int = 0

    @property
    def answered(self) -> int:
        """Those that sent no ticket in either time."""
        return self.unsent - self.back


def count(events: Iterable[tuple[bytes, str, int]], since: float, until: float, now: float) -> BeforeTickets:
    """Count the browsers of a period (hours). ``events`` are what each was shown, opened or sent, in any order."""
    hours: defaultdict[bytes, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for browser, what, hour in events:
        if what == "sent" or since <= hour < until:
            hours[browser][what].add(hour)
    seen = [found for found in hours.values() if found["shown"] or found["opened"]]
    opened = [(min(each["opened"]), max(each["opened"]), each["sent"]) for each in seen if each["opened"]]
    unsent = [(last, sent) for first, last, sent in opened if not any(first <= at <= last + SOON_H for at in sent)]
    known = [(last, sent) for last, sent in unsent if last + SOON_H < now]
    back = sum(any(last < at <= last + LATE_H for at in sent) for last, sent in known)
    return BeforeTickets(
        shown=len(seen), opened=len(opened), unsent=len(known), back=back, open_yet=len(unsent) - len(known)
    )


def counted(settings: Settings, selection: LogSelection, now: float) -> BeforeTickets | None:
    """The counts of a period; ``None`` where no portal counts, or tickets were chosen by their labels."""
    if settings.helpdesk != "local" or not settings.portal.count_readers or any(selection.labels.values()):
        return None
    with suppress(HelpdeskDown), local_store(settings) as store:
        return count(store.browsing(), selection.since // 3600, selection.until / 3600, now // 3600)
    return None


def tables(found: BeforeTickets | None) -> Iterator[Table]:
    """The counts, and what they cannot tell."""
    if found is None or not found.shown:
        return
    later = f" Of {many(found.open_yet, 'browser')} it is too early to tell." if found.open_yet else ""
    yield Table("Answered before a ticket", SENTENCES, ((UNKNOWN + later,),))
    rows = {
        "were shown articles while typing": found.shown,
        "opened one of them": found.opened,
        "sent no ticket within 24 hours": found.unsent,
        "sent one after all, within 7 days": found.back,
        "sent none": found.answered,
    }
    yield Table("Browsers before a ticket", ("<browsers that", "number"), tuple((n, f"{c:,}") for n, c in rows.items()))

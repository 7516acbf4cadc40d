"""The protocol of a helpdesk: all that a run needs of one. The vendors' words stop behind it.

And shards of an account: which of several drivers a ticket belongs to, by its number alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ..core.errors import ConfigError, JobRefused, MissingPart, PartRefused, TicketError
from ..core.models import Change, Ticket
from .ticket_history import Edit, History

VendorKind = Literal["zendesk", "freshdesk"]
"""The vendors whose helpdesks ticketbot works with."""
HelpdeskKind = Literal["zendesk", "freshdesk", "request-tracker", "local"]
"""The helpdesks that ticketbot works with: those, and its own."""


@dataclass(frozen=True)
class Page:
    """Some tickets in the order of their last change, and the place from which to go on afterwards.

    ``cursor`` is opaque; ``None`` means that this page offers no place to resume from. ``last`` is true when
    nothing newer is there yet. ``unread`` are tickets of the page that could not be made out, and why. A listing that
    shows again what earlier ones have shown says ``since`` when its tickets were created (Unix seconds).
    """

    tickets: tuple[Ticket, ...]
    cursor: str | None
    last: bool
    unread: Mapping[int, TicketError] = field(default_factory=dict)
    since: float | None = None


Fetched = dict[int, Ticket | TicketError]
"""Tickets by id; for one that is there and could not be read, why. All others are gone."""


@dataclass(frozen=True)
class JobStatus:
    """How far a job is. ``results`` say of each ticket whether its change was certainly made; others are unknown.

    ``progress`` is the number of its finished items, where the helpdesk tells it.
    """

    ended: bool
    results: Mapping[int, bool] = field(default_factory=dict)
    progress: int = 0


@dataclass(frozen=True)
class TicketField:
    """A field that the account's tickets have. ``options`` maps the values of a drop-down to their names."""

    id: int
    title: str
    kind: str
    active: bool = True
    system: bool = False
    required: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AccountLabels:
    """The words that an account already sorts its tickets by: tags with how often they are used, fields, groups.

    ``tags`` are ``None`` where they are a matter of their own: the helpdesk lists none, and no option is one.
    """

    tags: Mapping[str, int] | None
    fields: tuple[TicketField, ...] = ()
    groups: Mapping[int, str] = field(default_factory=dict)
    held_statuses: Mapping[int, str] = field(default_factory=dict)
    """Those of the account's own statuses that count as on hold, by number."""


@dataclass(frozen=True)
class Rights:
    """What our user may do, as far as the helpdesk tells.

    ``wrong`` is why nothing can be written, ``lacking`` what does not work, and ``said`` what else is good to know, all
    as the end of a sentence.
    """

    wrong: str = ""
    lacking: str = ""
    said: str = ""


@dataclass(frozen=True)
class Webhook:
    """How a helpdesk tells of a ticket: ``ticket`` picks its number out of what a delivery's body says.

    A delivery shows a secret of ours, or is signed where two headers hold its signature and the moment of that. Further
    headers hold its name. ``public_secret`` is one that everybody knows.
    """

    ticket: Callable[[Mapping[str, Any]], object] = lambda said: said.get("ticket_id")
    signature: str = ""
    signed_at: str = ""
    names: tuple[str, ...] = ()
    public_secret: str = ""


Audience = Literal["everyone", "customers", "agents"]
"""Who may read an article: the public, every signed-in customer, or agents only.

An article for some customers only counts as one for agents: who asks is not known here.
"""


@dataclass(frozen=True)
class HelpArticle:
    """An article of a helpdesk's own in one language, as HTML. An unchanged one has its ``stamp`` again, if any."""

    number: int
    language: str
    title: str
    url: str
    audience: Audience
    changed: object
    html: str
    labels: tuple[str, ...] = ()
    stamp: str = ""


IsUnchanged = Callable[[int, Sequence[str], str], bool]
"""Whether an article is known, by its number, languages and stamp, so that it need not be read."""

RuleKind = Literal["trigger", "automation"]
"""Of an account's own rules, in Zendesk's words."""


@dataclass(frozen=True)
class RuleAction:
    """One action, such as ``set priority to high``. A mail's values are its recipient, subject and body."""

    field: str
    values: tuple[str, ...] = ("",)

    @property
    def words(self) -> frozenset[str]:
        """The value as tags: one text may name several."""
        return frozenset(word for value in self.values for word in value.split())


@dataclass(frozen=True)
class RuleCondition(RuleAction):
    """One condition, such as ``current_tags includes ["vip"]``. A missing value is ``""``."""

    operator: str = "is"


@dataclass(frozen=True)
class BusinessRule:
    """An active rule of the account: all of ``all_of`` have to hold and, if there are some, one of ``any_of``."""

    kind: RuleKind
    id: str
    title: str
    all_of: tuple[RuleCondition, ...] = ()
    any_of: tuple[RuleCondition, ...] = ()
    actions: tuple[RuleAction, ...] = ()


class Helpdesk(Protocol):
    """One helpdesk account. Every method may be called from several threads. Those that are written out here are for
    helpdesks that make a write whole or not at all, and have no jobs.

    All of them may raise :class:`CannotRun` (not authorised, unreachable, told to
    come back later), :class:`DeadlineReached` and
    :class:`Stopping`.
    """

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        """Tickets changed after ``cursor``, or after ``since`` (Unix seconds) where there is none."""

    def fetch(self, ticket_ids: Sequence[int]) -> Fetched:
        """Tickets as they are now. One that is absent does not exist (it was asked for alone)."""

    def history(self, ticket_id: int) -> History:
        """Everything that has happened to the ticket. Raises :class:`TicketError`."""

    def update(self, change: Change) -> Edit | None:
        """Apply ``change`` in one guarded write: all of it, or nothing. Returns the edit as recorded, if told.

        Raises ``UpdateConflict`` (the ticket is not as merged from), ``OutcomeUnknown`` (read before anything
        else), ``WaitForEarlier``, ``TicketGone`` or ``UpdateRefused``. A helpdesk whose writes have parts may have
        made some of them then; see :meth:`withdraw`.
        """

    def withdraw(self, change: Change) -> None:
        """Take back what a write that will not be made has left on its ticket. Raises :class:`TicketError`."""
        return

    def update_many(self, changes: Sequence[Change], *, stale: int | None = None) -> str:
        """Hand in up to a hundred changes as one job, each guarded by itself; the job's id.

        The item of the ticket ``stale`` gets a stamp that is out of date: it fails where the items' stamps count.
        Raises ``TooManyJobs`` and ``JobRefused`` (nothing was or will be done), and ``OutcomeUnknown``.
        """
        raise JobRefused("this helpdesk has no jobs of guarded updates")

    def jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobStatus]:
        """How far jobs are, by id; those that the helpdesk does not know (any more) are absent."""
        return {}


class WithTroubles:
    """Keeps ``troubles``: sentences on what a helpdesk had to do without, for the run's report, each of them once."""

    def __init__(self) -> None:
        self.troubles: list[str] = []

    def report(self, sentence: str) -> None:
        """Tell of a trouble."""
        if sentence not in self.troubles:
            self.troubles.append(sentence)

    def part_refused(self, sentence: str, part: MissingPart) -> PartRefused:
        """The error for a part of a write that the helpdesk does not take; it is told as a trouble too."""
        self.report(sentence)
        return PartRefused(sentence, part)


MOST_SHARDS = 64
_64_BITS = (1 << 64) - 1


@dataclass(frozen=True)
class Shard:
    """Part ``number`` (from 1) ``of`` so many of an account's tickets."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that ``2/3`` means. Raises :class:`ValueError`."""
        number, slash, of = text.partition("/")
        if slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) <= MOST_SHARDS:
            return cls(int(number), int(of))
        raise ValueError(f"must be a shard such as 1/3: which one, and of how many ({MOST_SHARDS} at most)")

    def has(self, ticket_id: int) -> bool:
        """Whether the ticket is of this shard. Of ``of`` shards exactly one has it."""
        return _mixed(ticket_id) % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def _mixed(number: int) -> int:
    """The number's bits mixed (the end of SplitMix64): an account's numbers may all be even, or end with 1."""
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & _64_BITS
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & _64_BITS
    return number ^ (number >> 31)


BY_TICKET = "name the tickets one by one with --ticket, which also works for deleted ones"
_ADDRESS = re.compile(r"[^\s\"'\\:@]+@[^\s\"'\\:@]+")


NO_USER = f"--requester: the helpdesk knows no such user; {BY_TICKET}"


@dataclass(frozen=True)
class Requesters:
    """The people of an account. What they are called never stands in an error or a log. Use from one thread.

    ``with_address`` gives the users with an address, and ``tickets`` the numbers of all tickets that a user requested,
    some of them twice. They raise :class:`CannotRun`, the latter :class:`ConfigError` where there is no such user.
    """

    with_address: Callable[[str], set[int]]
    tickets: Callable[[int], Iterable[int]]

    def find(self, named: str) -> int:
        """The user of this number, or with this address, whichever of several it is.

        Raises :class:`ConfigError` when there is none, or more than one, and :class:`CannotRun` as every read does.
        """
        named = named.strip()
        if named.isdecimal() and named.isascii():
            return int(named)
        if not _ADDRESS.fullmatch(named):
            raise ConfigError("--requester: neither a user's number nor an e-mail address")
        found = self.with_address(named)
        if len(found) > 1:
            raise ConfigError("--requester: more than one user has this address; say which, by number")
        if not found:
            raise ConfigError(f"--requester: the helpdesk knows no user with this address as the main one; {BY_TICKET}")
        return found.pop()

"""Decides which tickets are left to people: skip rules, hands-off tag, machine mail, canary share, head start.

Machine mail is what needs no answer: bounces, out-of-office replies, acknowledgements, scans, all-clears. A subject
alone proves nothing: people write about bounces and automatic replies too. It takes the sender as well, or a text in a
machine's own form; in doubt the ticket is a person's. An alert that something is down is a ticket; only the one that
says it is up again is not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, field_validator

from ..analysis.rules.matcher import clauses_of, length_of, lists
from ..analysis.text.cleaning import MAX_SUBJECT, normalised
from ..core import reasons
from ..core.clock import parse_iso
from ..core.models import Frozen, Ticket
from ..core.text import lazy_pattern
from ..helpdesk.protocol import Shard

API_CHANNEL = "api"
ENDED_STATUSES = (reasons.SOLVED, reasons.CLOSED, reasons.DELETED)
_REQUESTER = re.compile(r"\d{1,19}|[^@\s]*@[^@\s]+|[^@\s]+\.[^@\s]+")

Word = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]
_NOT_IN_A_TAG = re.compile(r"[^\w\-/:.]")
_LONGEST_TAG = 250


def _one_tag(value: str) -> str:
    if _NOT_IN_A_TAG.search(value) or len(value) > _LONGEST_TAG:
        raise ValueError(f"must be one tag: letters, digits, _ - / : and . only, {_LONGEST_TAG} at most, and no spaces")
    return value


TagName = Annotated[Word, AfterValidator(_one_tag)]
"""A tag in small letters that every helpdesk keeps unchanged."""


def _word(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


Status = Annotated[Literal["new", "open", "pending", "hold", "solved", "closed"], BeforeValidator(_word)]
"""A status that Zendesk knows."""


class SkipSettings(Frozen):
    """Tickets that are left alone; one value of one list is enough."""

    channels: tuple[Word, ...] = Field((), description="channels, such as `chat` or `voice`")
    brands: tuple[int, ...] = Field((), description="ids of brands")
    groups: tuple[int, ...] = Field((), description="ids of groups")
    organizations: tuple[int, ...] = Field((), description="ids of organizations")
    tags: tuple[TagName, ...] = Field((), description="tags")
    requesters: tuple[Word, ...] = Field((), description="user ids, e-mail addresses, or domains without sub-domains")
    machine_mail: bool = Field(True, description="leave bounces, out-of-office and other automatic mail alone")

    @field_validator("requesters", mode="before")
    @classmethod
    def _ids_may_be_numbers(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        return [str(item) if isinstance(item, int) and not isinstance(item, bool) else item for item in value]

    @field_validator("requesters")
    @classmethod
    def _known_kinds(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_REQUESTER.fullmatch(item) for item in value):
            raise ValueError("takes user ids, e-mail addresses (a@example.com) and domains (example.com)")
        return tuple(item.removeprefix("@") for item in value)


@dataclass(frozen=True)
class SkipRules:
    """The skip rules, applied before a model is asked and again to the ticket that is read before a write.

    ``hands_off`` is the tag on a ticket that is never touched. With ``leave_assigned``, assigned tickets are left to
    their agents. ``own_user`` returns the id of the user that signs in; it is called only for tickets that came through
    the API, and may raise what the helpdesk raises.
    """

    settings: SkipSettings = field(default_factory=SkipSettings)
    hands_off: str = f"ai_{reasons.HANDS_OFF}"
    leave_assigned: bool = False
    own_user: Callable[[], int | None] = lambda: None

    def reason(self, ticket: Ticket) -> str | None:
        """Why the ticket is left alone: ``hands_off``, ``skip_rule_…``, or a person took it; ``None`` if it is not."""
        rules = self.settings
        tags = {tag.lower() for tag in ticket.tags}
        if self.hands_off.lower() in tags:
            return reasons.HANDS_OFF
        hits = {
            "channel": ticket.channel.lower() in rules.channels,
            "brand": ticket.brand in rules.brands,
            "group": ticket.group in rules.groups,
            "organization": ticket.organization in rules.organizations,
            "tag": not tags.isdisjoint(rules.tags),
            "requester": not _requester_names(ticket).isdisjoint(rules.requesters),
            reasons.MESSAGING: ticket.messaging,
        }
        for name, hit in hits.items():
            if hit:
                return f"{reasons.SKIP_RULE}_{name}"
        if self.leave_assigned and ticket.assignee is not None:
            return reasons.TAKEN
        came_by_api = ticket.channel == API_CHANNEL and ticket.requester is not None
        return f"{reasons.SKIP_RULE}_own_notes" if came_by_api and ticket.requester == self.own_user() else None


def _requester_names(ticket: Ticket) -> set[str]:
    """The names of a requester that settings may use: id, addresses, and the addresses' domains."""
    addresses = {address.strip().lower() for address in (ticket.sender, ticket.requester_address) if address}
    names = addresses | {address.rpartition("@")[2] for address in addresses}
    return names | ({str(ticket.requester)} if ticket.requester is not None else set())


@dataclass(frozen=True)
class Selection:
    """Decides which tickets a run leaves alone, and until when; the default takes new and open ones at once.

    ``canary_percent`` is the share of tickets to handle, the same ones in every run; a larger share includes a smaller
    one. ``wait_s`` is the time in seconds after a ticket's creation during which only people handle it. ``shard`` is
    the part of the account's tickets that the run handles; ``None``: all of them.
    """

    rules: SkipRules
    statuses: frozenset[str] = frozenset({"new", "open"})
    machine_mail: bool = True
    canary_percent: float = 100.0
    wait_s: float = 0.0
    shard: Shard | None = None

    def left_alone(self, ticket: Ticket) -> str | None:
        """Why the ticket is left alone in its present state: its status, or a rule; ``None`` if it is not."""
        if ticket.status not in self.statuses:
            return ticket.status if ticket.status in ENDED_STATUSES else f"{reasons.FASTER}_{ticket.status}"
        return self.rules.reason(ticket)

    def repair_left_out(self, ticket: Ticket) -> str | None:
        """Why we may not even repair our own write: the ticket is closed, or hands-off; ``None`` if we may."""
        if ticket.status in (reasons.CLOSED, reasons.DELETED):
            return ticket.status
        return reasons.HANDS_OFF if self.rules.reason(ticket) == reasons.HANDS_OFF else None

    def reason(self, ticket: Ticket) -> str | None:
        """Why the ticket is left alone for good; ``None`` if runs handle it."""
        if (reason := self.left_alone(ticket)) is not None:
            return reason
        if self.machine_mail and (machine := machine_mail(ticket)) is not None:
            return f"{reasons.MACHINE_MAIL}_{machine}"
        return None if in_share("canary", ticket.id, self.canary_percent) else reasons.OUTSIDE_CANARY

    def must_wait(self, ticket: Ticket) -> bool:
        """True if the head start of people has not ended, by the helpdesk's own clock at the read."""
        if not self.wait_s or ticket.read_at is None:
            return False  # a read without a date is refused before any write
        return ticket.read_at - parse_iso(ticket.created_at) < self.wait_s


def in_share(what: str, ticket_id: int, percent: float) -> bool:
    """True if a ticket belongs to the share called ``what``: always the same tickets for one name."""
    digest = hashlib.sha256(f"{what} {ticket_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48 * 100 < percent


def _any(name: str, *, behind: str = "", before: str = "") -> re.Pattern[str]:
    """One of the patterns in the list ``name``, or in any language of the table ``name``."""

    def pattern() -> str:
        found = lists("machine_mail")[name]
        patterns = [one for each in found.values() for one in each] if isinstance(found, dict) else found
        return f"{behind}(?:{'|'.join(patterns)}){before}"

    return lazy_pattern(pattern, re.IGNORECASE | re.DOTALL)


_MAIL = frozenset(("", "email", "mail", "api"))
"""Channels by which mail comes in; programs that pass mail on use the API."""
_SENDER, _TAGGED = r"(?:^|[<\s])", r"(?:[+\-.][^@]{0,80})?@"
_DAEMON = _any("daemon_senders", behind=_SENDER, before="@")
_MACHINE_SENDER = _any("machine_senders", behind=_SENDER, before=_TAGGED)
_DEVICE_SENDER = _any("device_senders", behind=_SENDER, before=r"[\w\-]{0,40}@")
_DEVICE_SUBJECT, _DEVICE_BODY = _any("device_subjects", behind=r"\s{0,4}"), _any("device_bodies")
_ALERT_SENDER = _any("alert_senders", behind=_SENDER, before=r"(?:[+\-._][^@]{0,80})?@")
_ALL_CLEAR, _STILL_BAD = _any("all_clear"), _any("still_bad")
# From a sender that may also pass on what people write, only a subject of an alert's form counts.
_ALERT_SUBJECT = _any("alert_subjects", behind=r"\s{0,4}")
_LEAD = r"\s{0,4}(?:\[external\] ?)?[\[【]?"
# Behind the words that head a reply stands what it replies to, or nothing: "Away: …", not "Away when the parcel came".
_HEADING = r"\w{0,16}(?: (?:auto-?reply|reply|response|message|notification|re))? ?(?:[:：)\]】–-]|$)"
_SUBJECTS = (
    ("bounce", _any("bounce_subjects", behind=_LEAD)),
    ("delivery_report", _any("receipt_subjects", behind=_LEAD)),
    ("auto_reply", _any("reply_subjects", behind=_LEAD, before=_HEADING)),
    ("out_of_office", _any("away_subjects", behind=_LEAD, before=_HEADING)),
)
_ANSWER = lazy_pattern(r"\s{0,4}(?:re|aw|antw|antwoord|r|sv|回复|答复) ?:", re.IGNORECASE)
_BOUNCE_OPENING = _any("bounce_openings", behind=r"[\s*_=#-]{0,20}")
_BOUNCE_FACTS = _any("bounce_facts")
_RECEIPT_OPENING = _any("receipt_openings", behind=r"\s{0,20}")
_SELF = _any("self")
_MEANWHILE = _any("meanwhile")
_POLITE = _any("polite")
_FORM = _any("form_fields", behind=r"(?m:^)\s{0,4}", before=" ?[:：]")
_OPENING, _REPLY = 3_000, 800
_SAYS_SOMETHING = 3
"""Words from which on a part of a sentence says more than a greeting or a name."""


def machine_mail(ticket: Ticket) -> str | None:
    """The kind of machine mail that this ticket is: ``"bounce"``, ``"delivery_report"``, ``"out_of_office"``,
    ``"auto_reply"``, ``"device"`` (a scan or fax) or ``"all_clear"`` (monitoring found something up again); ``None``
    for a person's mail, for alerts, and for what did not come as mail.

    A mail daemon's address suffices. Otherwise it takes the form of a machine's text, and beside it an address that
    nobody reads or a subject of that kind.
    """
    if ticket.channel.lower() not in _MAIL:
        return None
    sender = (ticket.sender or ticket.requester_address)[:1000]
    if sender == "<>" or _DAEMON.search(sender):
        return "bounce"
    subject = normalised(ticket.subject[:MAX_SUBJECT])
    from_machine = bool(_MACHINE_SENDER.search(sender))
    kind = next((reason for reason, pattern in _SUBJECTS if pattern.match(subject)), None)
    from_device = bool(_DEVICE_SENDER.search(sender) or _ALERT_SENDER.search(sender))
    if not (from_machine or from_device or kind or _ANSWER.match(subject)):
        return None
    opening = normalised(ticket.description[:_OPENING])
    if from_machine and kind and not opening.strip():
        return kind
    # Mail servers' reports begin otherwise than what people write who quote one.
    reports = _BOUNCE_OPENING.match(opening) or (from_machine and _BOUNCE_FACTS.search(opening))
    if reports and (from_machine or kind == "bounce"):
        return "bounce"
    if kind == "delivery_report" and _RECEIPT_OPENING.match(opening):
        return kind
    if _is_reply(opening[:_REPLY], kind, from_machine=from_machine):
        return kind if kind == "out_of_office" else "auto_reply"
    head = opening[:600]
    if "?" in head:
        return None
    scanned = _DEVICE_SUBJECT.match(subject) and _DEVICE_BODY.search(head)
    if scanned and (from_machine or _DEVICE_SENDER.search(sender)):
        return "device"
    alerting = _ALERT_SENDER.search(sender) or (from_machine and _ALERT_SUBJECT.match(subject))
    over = _ALL_CLEAR.search(subject) and not _STILL_BAD.search(subject) and "?" not in subject
    return "all_clear" if alerting and over else None


def _is_reply(text: str, kind: str | None, *, from_machine: bool) -> bool:
    """Whether ``text`` says mostly what automatic replies say, and asks nothing."""
    if "?" in text or "？" in text or _FORM.search(text):
        return False
    of_itself = meanwhile = own = 0
    for clause in clauses_of(text):
        if _SELF.search(clause):
            of_itself += 1
        elif _MEANWHILE.search(clause):
            meanwhile += 1
        elif not _POLITE.match(clause) and length_of(clause) >= _SAYS_SOMETHING:
            own += 1
    telling = of_itself + meanwhile
    headed = kind in ("auto_reply", "out_of_office")
    return telling > own and (headed or (of_itself > 0 and (from_machine or telling > 1)))

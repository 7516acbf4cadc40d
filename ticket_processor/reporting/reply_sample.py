"""Reading what people made of drafts, articles and public replies: histories of a sample of tickets. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..analysis.text.redact import redact
from ..core.clock import Deadline, why_ended
from ..core.errors import CannotRun, ConfigError, DeadlineReached
from ..core.models import RedactionLevel, Ticket
from ..core.sanitize import plain_line
from ..helpdesk.protocol import Helpdesk, RequesterSearch
from ..helpdesk.ticket_history import History
from ..learning.history_sample import UNREADABLE, HistoryReader
from .offers import Offer, SentReply
from .public_replies import FATES, PublicReplies, fate_of, young
from .reply_counts import EditedDraft, Judged, Replies, by_article, by_category
from .reply_use import article_use, articles_in, best, difference, draft_in, draft_use, replies_since

NOT_ANSWERED = "not answered by a person yet"
MOST_EDITED = 10
"""So many edited drafts are shown, those of the newest tickets."""
ERASED = "whose note is no longer in the log"
NOT_OURS = "without our write in its history"

About = Callable[[str, float, float], set[int]]
"""The tickets of a category that were new between two moments."""


@dataclass(frozen=True)
class LoggedNote:
    """A note as the log has it: its words, the draft's SHA-256, and the key of its write."""

    text: str
    draft: str
    key: str


@dataclass(frozen=True)
class AnsweredTicket:
    """A ticket to be read: what its note offered, or the public reply that it got."""

    ticket_id: int
    category: str
    offer: Offer | None = None
    sent: SentReply | None = None


def to_read(offered: Sequence[Offer], sent: Sequence[SentReply], now: float) -> list[AnsweredTicket]:
    """The tickets whose history tells something: a ticket with a public reply is read for that alone."""
    replied = {item.ticket_id for item in sent}
    old = [AnsweredTicket(item.ticket_id, item.category, sent=item) for item in sent if not _young(item, now)]
    return old + [
        AnsweredTicket(item.ticket_id, item.category, offer=item)
        for item in offered
        if item.kind != "no_answer" and item.ticket_id not in replied
    ]


def read_replies(
    desk: Helpdesk,
    people: RequesterSearch,
    ordered: Sequence[AnsweredTicket],
    notes: Mapping[int, LoggedNote],
    about: About,
    *,
    now: float,
    deadline: Deadline,
    advance: Callable[[int], object] = lambda _count: None,
) -> Replies:
    """What became of what was offered and replied on ``ordered`` tickets; see :class:`HistoryReader`.

    One more list is read of each requester whose ticket seems resolved and who may have opened another.
    """
    reader = HistoryReader(desk, deadline, advance)
    judged: list[Judged] = []
    fates: Counter[str] = Counter()
    for item, ticket, history in reader.read(ordered):
        if item.sent is not None:
            try:
                fate = fate_of(history, ticket, now, _back(people, ticket, item.sent, about))
            except DeadlineReached as error:
                reader.ended_early = why_ended(error, deadline)
                break
            except ValueError:  # an edit's date is none
                reader.leave(ticket.id, UNREADABLE)
                continue
            (fates if fate in FATES else reader.left_out)[fate] += 1
        elif item.offer is not None:
            found = _judged(item.offer, notes.get(item.ticket_id), history, ticket)
            if isinstance(found, Judged):
                judged.append(found)
            else:
                reader.left_out[found] += 1
    told = {name: count for name, count in fates.items() if name != "too_early"}
    return Replies(
        histories=reader.histories,
        categories=by_category(judged),
        articles=by_article(judged),
        ignored=tuple(sorted(item.ticket_id for item in judged if item.use == "ignored")),
        taken=tuple(sorted(item.ticket_id for item in judged if item.use != "ignored")),
        edited=tuple(
            sorted((item.edited for item in judged if item.edited), key=lambda one: -one.ticket_id)[:MOST_EDITED]
        ),
        public=PublicReplies(too_early=fates["too_early"], read=sum(told.values()), **told),
        left_out=dict(reader.left_out),
        ended_early=reader.ended_early,
    )


def with_totals(found: Replies, offered: Sequence[Offer], sent: Sequence[SentReply], now: float) -> Replies:
    """The same with what the log alone says: how many there were, and which replies are too young."""
    early = sum(_young(item, now) for item in sent)
    public = found.public
    unread = len(sent) - early - public.read - public.too_early
    counted = {"sent": len(sent), "too_early": public.too_early + early, "not_read": unread}
    return found.model_copy(
        update={
            "offered": sum(item.kind != "no_answer" for item in offered),
            "public": public.model_copy(update=counted),
        }
    )


def _young(item: SentReply, now: float) -> bool:
    return young(item.at.timestamp(), now)


def _judged(offer: Offer, note: LoggedNote | None, history: History, ticket: Ticket) -> Judged | str:
    """The verdict, or why there is none."""
    if note is None:
        return ERASED
    replies = replies_since(history, note.key, ticket.requester)
    if replies is None:
        return NOT_OURS
    if not replies:
        return NOT_ANSWERED
    draft = draft_in(note.text, note.draft) if offer.kind == "draft" else ""
    if draft is None:
        return ERASED
    shown = articles_in(note.text.replace(draft, ""), offer.articles)
    uses = {article.article_id: article_use(article, replies) for article in shown}
    if draft:
        use = draft_use(draft, replies)
        edited = _edited(ticket, draft, replies) if use == "edited" else None
        return Judged(ticket.id, offer.category, offer.kind, use, dict.fromkeys(offer.articles, use) | uses, edited)
    if not uses:
        return ERASED
    return Judged(ticket.id, offer.category, offer.kind, best(uses.values()), uses)


def _edited(ticket: Ticket, draft: str, replies: Sequence[str]) -> EditedDraft:
    subject = redact(ticket.subject, names=ticket.names, level=RedactionLevel.STRICT).text
    subject, taken_out, put_in = (
        plain_line(text, 200) for text in (subject, *difference(draft, replies, ticket.names))
    )
    return EditedDraft(ticket_id=ticket.id, subject=subject, taken_out=taken_out, put_in=put_in)


def _back(
    people: RequesterSearch, ticket: Ticket, sent: SentReply, about: About
) -> Callable[[float, float], bool | None]:
    def back(since: float, until: float) -> bool | None:
        others = about(sent.category, since, until) - {ticket.id}
        if not others:
            return False
        if ticket.requester is None:
            return None
        try:
            return any(number in others for number in people.tickets(ticket.requester))
        except (ConfigError, CannotRun):  # deleted since, or not ours to see
            return None

    return back

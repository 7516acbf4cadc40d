"""What became of offers and public replies, read from an imitated helpdesk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ticket_processor.core.clock import Deadline
from ticket_processor.helpdesk.zendesk_auth import OAuthToken
from ticket_processor.helpdesk.zendesk_users import Requesters
from ticket_processor.reporting.offers import Offer, SentReply
from ticket_processor.reporting.reply_counts import Replies
from ticket_processor.reporting.reply_sample import LoggedNote, read_replies, to_read, with_totals
from ticket_processor.sandbox.account import BOT_ID, PERSON_ID
from ticket_processor.sandbox.records import Audit
from ticket_processor.zendesk import Zendesk

from ..helpdesk.test_zendesk import KNOWN, Account
from ..imitation import FaultPlan

DAY = 86_400.0
DRAFT = "Print the return label from your account and hand the parcel in at any post office. [1]"
NOTE = f"Triage: refund.\nDraft of a reply:\n{DRAFT}"


def offer(ticket_id: int, kind: str = "draft", category: str = "refund") -> Offer:
    return Offer(ticket_id, "run-1", category, "", "en", kind, False, ("a-1",))


class Answered:
    """An account whose tickets get notes and public replies of ours."""

    def __init__(self) -> None:
        self.account = Account()
        self.notes: dict[int, LoggedNote] = {}
        self.offers: list[Offer] = []
        self.sent: list[SentReply] = []

    def noted(self, note: str = NOTE) -> int:
        number = self.account.add(requester={"name": "Ana Lima", "email": "ana@example.com"})
        self._ours(number, note, public=False)
        digest = hashlib.sha256(DRAFT.encode()).hexdigest()
        self.notes[number] = LoggedNote(note, digest, f"key-{number}")
        self.offers.append(offer(number))
        return number

    def replied(self, name: str = "Ana Lima") -> int:
        address = f"{name.split()[0].lower()}@example.com"
        number = self.account.add(requester={"name": name, "email": address})
        self._ours(number, DRAFT, public=True)
        now = datetime.fromtimestamp(self.account.clock.now(), UTC)
        self.sent.append(SentReply(number, "run-1", "refund", now))
        return number

    def said(self, number: int, text: str, author: int = PERSON_ID) -> None:
        self.account.store.person_edit(number, comment=text, public=True, author_id=author)

    def customer(self, number: int) -> int:
        return int(self.account.store.tickets[number].json["requester_id"])

    def wait(self, days: float) -> None:
        self.account.clock.wait(days * DAY)

    def read(
        self,
        about: Callable[[str, float, float], set[int]] = lambda _category, _since, _until: set(),
        notes: Mapping[int, LoggedNote] | None = None,
    ) -> Replies:
        now = self.account.clock.now()
        transport = self.account.connect(OAuthToken(KNOWN.oauth_token))  # with a time limit of its own
        found = read_replies(
            Zendesk(transport),
            Requesters(transport),
            to_read(self.offers, self.sent, now),
            self.notes if notes is None else notes,
            about,
            now=now,
            deadline=Deadline(self.account.clock, 1e9),
        )
        return with_totals(found, self.offers, self.sent, now)

    def _ours(self, number: int, text: str, *, public: bool) -> None:
        self.account.clock.wait(60)
        custom = {"ticketbot": {"key": f"key-{number}", "intent": f"run-1-{number}"}}
        ticket = self.account.store.tickets[number]
        self.account.store.change(
            ticket, {}, actor="api", author_id=BOT_ID, comment=(text, None, public), custom=custom
        )
        self.account.clock.wait(60)


def requests(answered: Answered, part: str) -> int:
    return sum(part in request.path for request in answered.account.sent)


def test_drafts_are_judged_by_what_people_sent_and_others_are_left_out_with_a_reason() -> None:
    desk = Answered()
    used, edited, ignored, waiting, erased = (desk.noted() for _ in range(5))
    desk.said(used, "Hi Ana, print the return label from your account and hand the parcel in at any post office.")
    desk.said(edited, "Hi Ana, please hand the parcel in at any post office.")
    desk.said(ignored, "Hi Ana, I have just sent you another pair.")
    desk.said(waiting, "Any news?", desk.customer(waiting))
    desk.said(erased, "Hi Ana")
    found = desk.read(notes={number: note for number, note in desk.notes.items() if number != erased})
    (category,) = found.categories
    assert (category.label, category.kind, category.rate) == ("refund", "draft", pytest.approx(2 / 3))
    assert (category.used, category.edited, category.ignored, category.answered) == (1, 1, 1, 3)
    (article,) = found.articles
    assert (article.label, article.used, article.edited, article.ignored) == ("a-1", 1, 1, 1)
    assert found.ignored == (ignored,)
    assert (found.offered, found.histories) == (5, 5)
    assert found.left_out == {"not answered by a person yet": 1, "whose note is no longer in the log": 1}
    assert "parcel" not in found.model_dump_json()


def test_of_an_edited_draft_the_difference_is_told_redacted_and_never_kept() -> None:
    desk = Answered()
    used, edited = desk.noted(), desk.noted()
    desk.said(used, "Hi Ana, print the return label from your account and hand the parcel in at any post office.")
    desk.said(edited, "Ana, please hand the parcel in at any post office. Write to bo@example.com.\n\n> We wait")
    found = desk.read()
    (told,) = found.edited
    assert (told.ticket_id, told.taken_out) == (edited, "Print the return label from your account and")
    assert told.put_in == "[NAME_1], please ... Write to [EMAIL_1]."
    assert "edited" not in found.model_dump()
    assert "please" not in found.model_dump_json()


def test_of_many_edited_drafts_the_ten_newest_are_told() -> None:
    desk = Answered()
    for number in (numbers := [desk.noted() for _ in range(12)]):
        desk.said(number, "Please hand the parcel in at any post office.")
    assert [one.ticket_id for one in desk.read().edited] == sorted(numbers)[:1:-1]


def test_articles_shown_below_a_draft_are_judged_by_themselves() -> None:
    desk = Answered()
    number = desk.noted(f"{NOTE}\nArticles that may help:\n“Lost parcels”\n  “A lost parcel is searched for ten days.”")
    desk.offers = [replace(desk.offers[0], articles=("a-1", "a-2"))]
    desk.said(number, "Hi Ana, print the return label from your account and hand the parcel in at any post office.")
    found = desk.read()
    assert [(item.label, item.used, item.ignored) for item in found.articles] == [("a-1", 1, 0), ("a-2", 0, 1)]
    assert [(item.used, item.ignored) for item in found.categories] == [(1, 0)]


def test_a_ticket_with_an_edit_of_no_date_is_left_out_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Answered()
    odd, other = desk.replied(), desk.replied()
    for number in (odd, other):
        desk.account.store.person_edit(number, status="solved")
    last, as_json = desk.account.store.tickets[odd].audits[-1], Audit.as_json
    date = {last.id: {"created_at": "soon"}}
    monkeypatch.setattr(Audit, "as_json", lambda audit: {**as_json(audit), **date.get(audit.id, {})})
    desk.wait(15)
    found = desk.read()
    assert (found.public.read, found.left_out) == (1, {"whose history cannot be read": 1})


def test_public_replies_are_resolved_only_where_nobody_came_back() -> None:
    desk = Answered()
    resolved, again, person, _ = (desk.replied() for _ in range(4))
    desk.said(again, "It did not work", desk.customer(again))
    desk.said(person, "Let me look")
    for number in (resolved, again, person):
        desk.account.store.person_edit(number, status="solved")
    desk.wait(15)
    young = desk.replied()
    desk.account.store.person_edit(young, status="solved")
    found = desk.read().public
    assert (found.sent, found.read, found.too_early, found.not_read) == (5, 4, 1, 0)
    assert (found.resolved, found.wrote_again, found.person_replied, found.not_solved) == (1, 1, 1, 1)
    assert found.rate == 0.25
    assert requests(desk, "/audits") == 4, "what is too young is not read at all"
    assert requests(desk, "/requested") == 0, "nobody has another ticket on the topic"


def test_another_ticket_of_the_same_person_on_the_same_topic_counts_against_a_reply() -> None:
    desk = Answered()
    same, other = desk.replied("Ana Lima"), desk.replied("Bo Berg")
    for number in (same, other):
        desk.account.store.person_edit(number, status="solved")
    desk.wait(5)
    new = desk.account.add(age=0, requester={"name": "Ana Lima", "email": "ana@example.com"})
    desk.wait(30)
    asked: list[tuple[str, float, float]] = []

    def about(category: str, since: float, until: float) -> set[int]:
        asked.append((category, since, until))
        return {new}

    found = desk.read(about).public
    assert (found.read, found.new_ticket, found.resolved) == (2, 1, 1)
    assert {category for category, _, _ in asked} == {"refund"}
    assert all(14 * DAY <= until - since < 15 * DAY for _, since, until in asked)


def test_where_nobodys_tickets_can_be_listed_no_reply_is_called_resolved() -> None:
    desk = Answered()
    desk.account.store.person_edit(desk.replied(), status="solved")
    desk.wait(40)
    desk.account.sandbox.faults = FaultPlan.parse("status:GET:/requested:status=403")
    found = desk.read(lambda _category, _since, _until: {999_999})
    assert (found.public.read, found.public.not_read) == (0, 1)
    assert found.left_out == {"whose requester's other tickets cannot be listed": 1}


def test_a_ticket_with_a_public_reply_is_not_judged_by_its_note() -> None:
    def numbers(items: Iterable[Offer], sent: Iterable[SentReply]) -> list[int]:
        return [item.ticket_id for item in to_read([*items], [*sent], 100 * DAY)]

    sent = SentReply(2, "run-1", "refund", datetime.fromtimestamp(0, UTC))
    young = SentReply(3, "run-1", "refund", datetime.fromtimestamp(99 * DAY, UTC))
    assert numbers([offer(1), offer(2), offer(3), offer(4, "no_answer")], [sent, young]) == [2, 1]

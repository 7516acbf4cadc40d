from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import requests

from ticket_processor.core.clock import Clock, Deadline, iso, parse_iso
from ticket_processor.core.errors import (
    CannotRun,
    HelpdeskDown,
    NotAuthorised,
    NotePublished,
    OutcomeUnknown,
    PartRefused,
    TicketError,
    TicketGone,
    UpdateConflict,
    UpdateRefused,
)
from ticket_processor.core.guards import Breaker
from ticket_processor.core.http import ReplyTooLong
from ticket_processor.core.models import Change, Priority, TakenOff, Ticket
from ticket_processor.helpdesk.protocol import Page
from ticket_processor.helpdesk.ticket_history import overwritten
from ticket_processor.helpdesk.transport import Auth, FetchedAuth, Throttle, Transport
from ticket_processor.helpdesk.zendesk_format import read_edits, read_limits
from ticket_processor.helpdesk.zendesk_reads import fetch_token
from ticket_processor.pipeline.shared_faults import IsolatingDesk, SharedFaults
from ticket_processor.sandbox.access import Credentials
from ticket_processor.sandbox.app import fill
from ticket_processor.sandbox.store import BOT_ID
from ticket_processor.zendesk import MAX_AUDIT_PAGES, Zendesk

from ..imitation import Rules, Sandbox
from ..support.fakes import BASE, START, ManualClock, Upper, Wire, a_change, answer, told_apart
from ..support.inmemory_adapter import InMemoryAdapter

KNOWN = Credentials()
AREA, ORDER = 2_001, 2_002
"""The imitation's own ticket fields: a drop-down and a line of text."""


class Account:
    """An account in memory, with one clock for both sides."""

    def __init__(self, tickets: int = 0, *, page_size: int = 1000, **options: Any) -> None:
        self.time = ManualClock()
        self.clock = ManualClock(sandbox=self.time)
        self.sandbox = Sandbox(self.time, **options)
        self.store = self.sandbox.store
        self.sent: list[Any] = []
        self.sandbox.on_request.append(self.sent.append)
        self.ids = [self.add(age=7200 - number) for number in range(tickets)]
        self.transport = self.connect(Auth(f"Bearer {KNOWN.oauth_token}"))
        self.desk = Zendesk(self.transport, page_size=page_size)

    def connect(self, auth: Auth | None) -> Transport:
        return Transport(
            BASE,
            name="Zendesk",
            clock=self.clock,
            deadline=Deadline(self.clock, 1e6),
            breaker=Breaker("Zendesk", self.clock),
            throttle=Throttle(self.clock),
            auth=auth,
            read_limits=read_limits,
            adapter=lambda: InMemoryAdapter(self.sandbox, self.clock.wait),
            rng=Upper(),
        )

    def add(self, age: float = 7200, **row: Any) -> int:
        return fill(self.sandbox, [{"subject": "Broken", "body": "It does not work.", "age": age, **row}])[0]

    def one(self, ticket_id: int) -> Ticket:
        return self.desk.fetch([ticket_id])[ticket_id]

    def change(self, ticket_id: int, **fields: Any) -> Change:
        ticket = self.one(ticket_id)
        tags = (*ticket.tags, "ai_processed")
        given = {"stamp": ticket.updated_at, "tags": tags, "tags_before": ticket.tags, **fields}
        return a_change(ticket_id, **given)


def ids(pages: list[Page]) -> list[int]:
    return [ticket.id for page in pages for ticket in page.tickets]


def row(ticket_id: int = 1, **fields: Any) -> dict[str, Any]:
    stamps = {"created_at": "2026-11-21T01:00:00Z", "updated_at": "2026-11-21T01:00:00Z"}
    return {"id": ticket_id, **stamps, **fields}


# Export and search


class ShortReplies(InMemoryAdapter):
    """Takes replies of up to so many bytes."""

    def __init__(self, sandbox: Sandbox, most: int) -> None:
        super().__init__(sandbox)
        self._most = most

    def send(self, *arguments: Any, **options: Any) -> requests.Response:
        response = super().send(*arguments, **options)
        if len(response.content) > self._most:
            raise ReplyTooLong(self._most)
        return response


def test_what_is_too_long_to_be_read_is_asked_for_in_smaller_pages() -> None:
    account = Account()
    account.ids = [account.add(age=7200 - number, body="x" * 60_000) for number in range(25)]
    account.desk._transport.adapter = lambda: ShortReplies(account.sandbox, 700_000)
    pages = list(account.desk.pages(None, START - 86_400))
    assert ids(pages) == account.ids
    assert [len(page.tickets) for page in pages] == [10, 10, 5]
    assert told_apart(account.desk.fetch(account.ids)) == (account.ids, [])
    asked = [request.query for request in account.sent]
    assert [query.get("per_page") for query in asked[:5]] == ["1000", "100", "10", "10", "10"]


@pytest.mark.parametrize(
    ("cursor", "said", "error", "words", "calls"),
    [
        *(
            (
                "export:start",
                {"tickets": [row()], "after_cursor": after},
                HelpdeskDown,
                "repeats a cursor",
                calls,
            )
            for after, calls in (("same", 2), ("start", 1), (None, 1))
        ),
        (
            *("search:2026-11-20T00:00:00Z", {"results": [row()], "meta": {"has_more": True, "after_cursor": "same"}}),
            *(HelpdeskDown, "repeats a cursor", 2),
        ),
        ("export:nonsense", 400, CannotRun, "--since", 1),
        (None, 403, NotAuthorised, "neither", 2),
    ],
)
def test_a_listing_that_leads_nowhere_is_given_up_with_what_to_do(
    cursor: str | None, said: Any, error: type[Exception], words: str, calls: int
) -> None:
    wire = Wire(answer(said, {"error": "Forbidden"}) if isinstance(said, int) else answer(200, said))
    with pytest.raises(error, match=words):
        list(Zendesk(wire.transport).pages(cursor, 0))
    assert wire.calls == calls


def test_whoever_may_not_export_is_served_by_search_which_goes_on_where_it_ended() -> None:
    account = Account(2, bot_role="agent")
    pages = list(account.desk.pages(None, START - 86_400))
    cursor = pages[-1].cursor
    assert sorted(ids(pages)) == account.ids
    assert (cursor or "").startswith("search:")
    late = account.add(age=0)
    account.sent.clear()
    assert late in ids(list(account.desk.pages(cursor, 0)))
    assert not [request for request in account.sent if "incremental" in request.path]


ODD = {
    "no date": {"created_at": None},
    "no real date": {"created_at": "yesterday"},
    "an empty date": {"updated_at": ""},
    "a number among the tags": {"tags": [1]},
    "a tag that cannot be read": {"tags": ["vip", "\ufffd"]},
    "a status as a number": {"status": 3},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_a_row_that_makes_no_sense_is_that_tickets_fault_and_the_others_are_read(odd: dict[str, Any]) -> None:
    body = {"tickets": [row(1), row(2) | odd, row(3)], "end_of_stream": True, "after_cursor": "x"}
    (page,) = Zendesk(Wire(answer(200, body)).transport).pages(None, 0)
    assert [ticket.id for ticket in page.tickets] == [1, 3]
    assert [(number, str(why)) for number, why in page.unread.items()] == [
        (2, "Zendesk shows this ticket in a form that cannot be read")
    ]
    found = Zendesk(Wire(answer(200, body)).transport).fetch([1, 2, 3])
    assert told_apart(found) == ([1, 3], [2])


def test_a_ticket_that_an_answer_leaves_out_is_asked_for_alone() -> None:
    wire = Wire(answer(200, {"tickets": [row(1)]}), answer(200, {"ticket": row(2)}))
    assert told_apart(Zendesk(wire.transport).fetch([1, 2])) == ([1, 2], [])
    assert [sent.path_url.partition("?")[0] for sent in wire.adapter.sent] == [
        "/api/v2/tickets/show_many",
        "/api/v2/tickets/2",
    ]


@pytest.mark.parametrize(
    ("alone", "unread"),
    [
        *((answer(status), []) for status in (404, 410)),
        *((answer(status), [2]) for status in (403, 500)),
        *((answer(200, body), [2]) for body in ({"ticket": None}, {"ticket": row(9)}, "<html>")),
    ],
    ids=str,
)
def test_only_a_ticket_that_its_own_answer_denies_is_gone(alone: requests.Response, unread: list[int]) -> None:
    found = Zendesk(Wire(answer(200, {"tickets": [row(1)]}), alone).transport).fetch([1, 2])
    assert told_apart(found) == ([1], unread)


# Reading tickets


NO_TEXT = {"subject": "", "description": "", "sender": "", "follow_up": False}


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({"priority": "P1", "tags": None, "via": None}, {"priority": None, "tags": (), "age_of_stamp": None}),
        ({"subject": None, "description": None}, NO_TEXT),
        ({"tags": ["vip", None]}, {"tags": ("vip",)}),
        ({"via": "web"}, NO_TEXT),
        ({"via": ["web"]}, NO_TEXT),
        ({"via": {"channel": 7, "source": "mail"}}, {**NO_TEXT, "channel": ""}),
        ({"via": {"channel": "email", "source": {"from": "x"}}}, {**NO_TEXT, "channel": "email"}),
        ({"via": {"source": {"from": {"address": 7}, "rel": 3}}}, NO_TEXT),
        ({"subject": 7, "description": ["x"]}, NO_TEXT),
        ({"subject": None, "raw_subject": {}, "description": False}, NO_TEXT),
        *(
            ({"via": {"channel": "email", "source": {"rel": rel, "from": {"ticket_id": 5}}}}, {"follow_up": is_one})
            for rel, is_one in (("follow_up", True), ("mention", False), (None, False))
        ),
        *(
            ({"from_messaging_channel": told, "via": {"channel": channel}}, {"messaging": is_one})
            for told, channel, is_one in (
                (True, "email", True),
                (False, "native_messaging", True),
                (None, "chat", True),
                (False, "business_messaging_slack_connect", True),
                (False, "email", False),
                ("yes", "web", False),
            )
        ),
        *(
            ({"custom_fields": [{"id": 5, "value": value}]}, {"fields": {} if read is None else {5: read}})
            for value, read in (
                *(("x", "x"), (None, None), ("", None), ([], None), (["a", "b"], "a b")),
                *((False, "False"), (0, "0"), (True, "True")),
            )
        ),
        *(
            ({"custom_fields": odd, "group_id": "seven"}, {"fields": {}, "group": None})
            for odd in ("x", [5], [{"id": "5", "value": "x"}], [{"value": 1}], None)
        ),
    ],
    ids=str,
)
def test_each_part_of_a_row_is_read_as_what_it_says_or_as_empty(told: dict[str, Any], read: dict[str, Any]) -> None:
    ticket = Zendesk(Wire(answer(200, {"tickets": [row(**told)]})).transport).fetch([1])[1]
    assert {name: getattr(ticket, name) for name in read} == read


# Writing


ALWAYS = {
    "tags": ["vip", "ai_processed"],
    "safe_update": True,
    "updated_stamp": "2026-11-21T02:30:00Z",
    "metadata": {"ticketbot": {"key": "k" * 32, "intent": "run-1"}},
}
NOTED = {"comment": {"html_body": "<p>Look<br>here</p>", "public": False}}
EMPTIED = {"priority": None, "group_id": None, "custom_fields": [{"id": 5, "value": None}]}


@pytest.mark.parametrize(
    ("parts", "sent"),
    [
        ({"note": "Look\nhere"}, {"priority": "high", **NOTED}),
        ({"priority": None, "note": None}, {}),
        ({"priority": None, "note": None, "cleared": ("priority", "group"), "fields_cleared": (5,)}, EMPTIED),
    ],
    ids=["everything", "what is to stay is not sent", "what is to be emptied is sent as nothing"],
)
def test_one_put_carries_everything_with_the_exact_stamp(parts: dict[str, Any], sent: dict[str, Any]) -> None:
    done = answer(200, {"ticket": {"id": 7}, "audit": {"events": []}})
    wire = Wire(done)
    Zendesk(wire.transport).update(a_change(7, stamp="2026-11-21T02:30:00Z", **parts))
    assert [(request.method, request.path_url) for request in wire.adapter.sent] == [("PUT", "/api/v2/tickets/7")]
    assert wire.adapter.json() == {"ticket": {**ALWAYS, **sent}}


FORBIDDEN = answer(403, {"error": "Forbidden"})


@pytest.mark.parametrize("other", [None, answer(422, {"error": "x"}), answer(409, {}), answer(404, {})], ids=str)
def test_forbidden_updates_are_their_tickets_matter_until_three_tickets_are_in_a_row(
    other: requests.Response | None,
) -> None:
    """Any other answer ends the row."""
    before = [] if other is None else [FORBIDDEN, FORBIDDEN, other]
    desk = IsolatingDesk(Zendesk(Wire(*before, FORBIDDEN).transport), SharedFaults())
    for ticket_id in (7, 8, 9)[: len(before)]:
        with pytest.raises((UpdateRefused, UpdateConflict, TicketGone)):
            desk.update(a_change(ticket_id))
    for ticket_id in (1, 2, 2, 1):
        with pytest.raises(UpdateRefused, match="403"):
            desk.update(a_change(ticket_id))
    with pytest.raises(NotAuthorised, match="in a row"):
        desk.update(a_change(3))


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        *((status, "CANARY of a customer", str(status)) for status in (400, 405, 413, 422)),  # 405 as of a proxy
        (422, {"error": "RecordInvalid", "description": "CANARY"}, "RecordInvalid"),
        (422, {"error": {"title": "Invalid attribute", "message": "CANARY"}}, "Invalid attribute"),
        (422, {"errors": [{"code": "TooLong", "detail": "CANARY"}]}, "TooLong"),
        (422, {"error": "CANARY with a customer's words: alice@example.com"}, "HTTP 422"),
        (422, {"error": ["CANARY"]}, "HTTP 422"),
        (422, {"errors": ["CANARY"]}, "HTTP 422"),
        (422, ["CANARY"], "HTTP 422"),
    ],
    ids=str,
)
def test_of_a_refusal_only_its_status_and_fixed_code_word_are_told(status: int, body: object, word: str) -> None:
    plain = {"Content_Type": "text/plain"} if isinstance(body, str) else {}
    with pytest.raises(UpdateRefused, match=word) as error:
        Zendesk(Wire(answer(status, body, **plain)).transport).update(a_change())
    assert "CANARY" not in str(error.value)


@pytest.mark.parametrize("body", [{}, [], {"ticket": {"id": 2}}, {"ticket": None}], ids=str)
def test_a_reply_about_something_else_leaves_the_outcome_unknown(body: object) -> None:
    wire = Wire(answer(200, body))
    with pytest.raises(OutcomeUnknown):
        Zendesk(wire.transport).update(a_change(1))


# Finding our own write


def test_what_a_trigger_made_of_our_write_is_not_taken_for_ours() -> None:
    """Zendesk records both in one audit, and marks the events of triggers."""
    by_rule = {"via": {"channel": "rule", "source": {"rel": "trigger"}}}
    audit = {
        "created_at": "2026-11-21T03:00:00Z",
        "author_id": BOT_ID,
        "metadata": {"custom": {"ticketbot": {"key": "k" * 32, "intent": "run-1"}}},
        "events": [
            {"type": "Comment", "public": False},
            {"type": "Change", "field_name": "priority", "previous_value": None, "value": "high"},
            {"type": "Change", "field_name": "tags", "previous_value": ["vip"], "value": ["vip", "ai_processed"]},
            {"type": "Change", "field_name": "priority", "previous_value": "high", "value": "urgent", **by_rule},
            {"type": "Change", "field_name": "tags", "previous_value": ["vip", "ai_processed"], "value": [], **by_rule},
        ],
    }
    wire = Wire(answer(200, {"audits": [audit]}), answer(200, {"ticket_fields": []}))
    history = Zendesk(wire.transport).history(1)
    ours = history.find("k" * 32)
    assert ours is not None
    assert (ours.priority, ours.tags_removed, ours.comment) == ((None, Priority.HIGH), frozenset(), "internal")
    assert history.taken_off().tags == {"vip", "ai_processed"}

    wire = Wire(answer(200, {"ticket": {"id": 1}, "audit": audit}))
    change = a_change(1, tags_before=("vip",))
    recorded = Zendesk(wire.transport).update(change)
    assert recorded is not None
    assert not overwritten(recorded, change)


@pytest.mark.parametrize(("author", "way"), [(-1, "rules"), (77, "hand")])
def test_what_the_helpdesk_does_by_itself_is_no_persons_work(author: int, way: str) -> None:
    change = {"type": "Change", "field_name": "status", "previous_value": "solved", "value": "closed"}
    (edit,) = read_edits({"created_at": "2026-11-21T03:00:00Z", "author_id": author, "events": [change]})
    assert edit.way == way


def changes(name: object, *moves: tuple[object, object]) -> list[dict[str, Any]]:
    return [{"type": "Change", "field_name": str(name), "previous_value": old, "value": new} for old, new in moves]


def created(name: object, value: object) -> dict[str, Any]:
    return {"type": "Create", "field_name": str(name), "value": value}


@pytest.mark.parametrize(
    ("events", "off"),
    [
        (changes("group_id", ("1", "2"), ("1", None)), TakenOff(group=True)),
        ([created("group_id", None), created(AREA, ""), *changes(ORDER, (None, ""))], TakenOff()),
        ([created(ORDER, "A-7"), *changes(ORDER, ("A-7", None))], TakenOff(fields=frozenset({ORDER}))),
        ([created(ORDER, "A-7"), *changes(ORDER, ("A-7", ""), ("", None))], TakenOff(fields=frozenset({ORDER}))),
        ([created(ORDER, "A-7"), *changes(ORDER, ("A-7", ""), ("", "A-8"))], TakenOff()),
        (
            changes("tags", ("vip area_app", "vip")),  # no audit says that this empties the drop-down
            TakenOff(tags=frozenset({"area_app"}), fields=frozenset({AREA})),
        ),
        (changes("tags", ("one two vip", "vip"), ("vip", "two vip")), TakenOff(tags=frozenset({"one"}))),
    ],
    ids=["a group", "empty from the start", "a field", "a field twice", "filled in again", "a choice's tag", "a tag"],
)
def test_what_was_emptied_and_not_filled_in_again_is_told(events: list[dict[str, Any]], off: TakenOff) -> None:
    kinds = [{"id": AREA, "type": "tagger", "custom_field_options": [{"name": "App", "value": "area_app"}]}]
    audits = answer(200, {"audits": [{"events": [event]} for event in events]})
    assert Zendesk(Wire(audits, answer(200, {"ticket_fields": kinds})).transport).history(1).taken_off() == off


# Groups and fields


@pytest.mark.parametrize(
    ("parts", "tags", "values"),
    [
        (
            {"tags": ("ai_processed",), "fields": {1: "a", 2: "moon", 3: "text"}},
            "ai_processed a",
            [["a"], "moon", "text"],
        ),
        ({"tags": ("vip", "c"), "fields": {2: "b"}, "fields_replaced": (2,)}, "vip b", ["b"]),
    ],
    ids=["a multi-select gets a list and an unknown option no tag", "a choice that is replaced loses its tag"],
)
def test_a_drop_downs_value_stands_among_the_tags(parts: dict[str, Any], tags: str, values: list[Any]) -> None:
    kinds = [
        {"id": 1, "type": "multiselect", "custom_field_options": [{"name": "A", "value": "a"}]},
        {"id": 2, "type": "tagger", "custom_field_options": [{"name": word, "value": word} for word in "bc"]},
    ]
    wire = Wire(answer(200, {"ticket_fields": kinds}), answer(200, {"ticket": {"id": 1}}))
    Zendesk(wire.transport).update(a_change(1, **parts))
    sent = wire.adapter.json()["ticket"]
    assert (sent["tags"], [field["value"] for field in sent["custom_fields"]]) == (tags.split(), values)


FULL_WORDS: list[dict[str, Any]] = [
    {"error": "RecordInvalid", "details": {"base": [{"description": "Comments: too many", "error": "TooMany"}]}},
    {"error": "RecordInvalid", "details": {"comment": [{"description": "Kommentar: ist ungültig"}]}},
    {"error": "RecordInvalid", "details": {"base": [{"description": "Das Ticket ist voll"}]}},
    {"error": "RecordInvalid", "description": "Record validation errors"},
    {"errors": [{"code": "Unprocessable", "title": "limit reached"}]},
]
"""Ways to say that a ticket takes no more comments; how Zendesk says it is not known."""


@pytest.mark.parametrize("said", FULL_WORDS)
@pytest.mark.parametrize(
    ("count", "note"),
    [(5_000, True), (4_990, True), (12, False), (None, False)],
    ids=["full", "counted roughly", "something else", "no count"],
)
def test_a_note_is_left_out_only_where_the_ticket_is_full_whatever_words_say_it(
    said: dict[str, Any], count: int | None, note: bool
) -> None:
    told = answer(404, {}) if count is None else answer(200, {"count": {"value": count, "refreshed_at": None}})
    wire = Wire(answer(422, said), told)
    with pytest.raises(PartRefused if note else UpdateRefused) as refused:
        Zendesk(wire.transport).update(a_change(1, note="Billing"))
    assert getattr(refused.value, "part", None) == ("note" if note else None)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("drops", [("tags",), ("priority",), ("tags", "priority")])
def test_an_update_that_came_without_a_part_says_which(drops: tuple[str, ...], told: bool) -> None:
    account = Account(1, rules=Rules(drops=drops, drops_told=told))
    wanted = {"tags_added": ("ai_processed",), "priority": Priority.HIGH, "note": "Billing"}
    edit = account.desk.update(account.change(account.ids[0], **wanted))
    assert edit is not None
    assert edit.dropped == {*drops}
    assert edit.comment == "internal"


@pytest.mark.parametrize(
    ("event", "header", "dropped"),
    [
        ({"field_name": "priority", "previous_value": None, "value": "high"}, "", frozenset()),
        (None, 'Removed restricted keys ["safe_update"] from parameters according to whitelist', frozenset({"other"})),
        (None, "", frozenset({"priority"})),
    ],
    ids=["a rule has changed it since", "another key", "nothing tells of it"],
)
def test_what_rules_change_in_the_same_update_is_not_taken_for_dropped(
    event: dict[str, Any] | None, header: str, dropped: frozenset[str]
) -> None:
    ticket = {"id": 1, "tags": ["ai_processed"], "priority": "high" if header else "low"}
    events = [] if event is None else [{"type": "Change", **event}]
    reply = answer(200, {"ticket": ticket, "audit": {"events": events}}, **{"x-zendesk-api-warn": header})
    change = a_change(1, tags=("ai_processed",), tags_added=("ai_processed",), priority=Priority.HIGH)
    edit = Zendesk(Wire(reply).transport).update(change)
    assert edit is not None
    assert edit.dropped == dropped


def test_a_user_who_may_not_read_the_fields_writes_them_as_they_are_and_says_so_once() -> None:
    done = [answer(200, {"ticket": {"id": number}}) for number in (1, 2)]
    wire = Wire(answer(403, {"error": "Forbidden"}), *done)
    desk = Zendesk(wire.transport)
    for number in (1, 2):
        desk.update(a_change(number, tags=("ai_processed",), fields={7: "x"}))
    assert [request.method for request in wire.adapter.sent] == ["GET", "PUT", "PUT"]
    sent = wire.adapter.json()["ticket"]
    assert (sent["tags"], sent["custom_fields"]) == (["ai_processed"], [{"id": 7, "value": "x"}])
    (trouble,) = desk.troubles
    assert "403" in trouble


def test_our_write_is_found_on_the_second_page_of_audits() -> None:
    mark = {"metadata": {"custom": {"ticketbot": {"key": "k", "intent": "i"}}}}
    first = {"audits": [{"metadata": None}, {}], "meta": {"has_more": True, "after_cursor": "next"}}
    wire = Wire(answer(200, first), answer(200, {"audits": [mark], "meta": {"has_more": False}}))
    found = Zendesk(wire.transport).history(1).find("k")
    assert found is not None
    assert found.intent == "i"
    assert "next" in (wire.adapter.sent[1].url or "")


def test_audits_without_end_are_not_taken_for_an_absent_write() -> None:
    places = iter(range(1000))

    def page(_: requests.PreparedRequest) -> requests.Response:
        return answer(200, {"audits": [], "meta": {"has_more": True, "after_cursor": str(next(places))}})

    wire = Wire(page)
    with pytest.raises(TicketError, match="not searched"):
        Zendesk(wire.transport).history(1).find("k")
    assert wire.calls == MAX_AUDIT_PAGES
    same = Wire(answer(200, {"audits": [], "meta": {"has_more": True, "after_cursor": "next"}}))
    with pytest.raises(TicketError, match="repeats a cursor"):
        Zendesk(same.transport).history(1)
    assert same.calls == 2


@pytest.mark.parametrize("status", [400, 403, 422])
def test_audits_that_are_refused_are_that_tickets_matter(status: int) -> None:
    with pytest.raises(TicketError, match=str(status)) as error:
        Zendesk(Wire(answer(status, {"error": "CANARY: alice@example.com"})).transport).history(1).find("k")
    assert not isinstance(error.value, CannotRun)
    assert "CANARY" not in str(error.value)


def test_a_note_that_became_public_is_told_by_an_error_of_its_own() -> None:
    events = [{"type": "Change", "public": None}, {"type": "Comment", "public": True}]
    body = {"ticket": {"id": 1}, "audit": {"events": events}}
    with pytest.raises(NotePublished, match="ticket 1 public"):
        Zendesk(Wire(answer(200, body)).transport).update(a_change(1))


def test_listings_by_search_go_back_by_six_hours() -> None:
    account = Account(0, bot_role="agent")
    account.add(age=600)
    (page,) = account.desk.pages(None, START - 86_400)
    newest = parse_iso(page.tickets[0].created_at)
    assert page.since == START - 86_400
    assert page.cursor == f"search:{iso(newest - 6 * 3600)}"


# Signing in


def tokens_asked(account: Account) -> int:
    return sum(request.path == "/oauth/tokens" for request in account.sent)


def client_of(transport: Transport, clock: Clock, *client: str) -> FetchedAuth:
    return FetchedAuth(clock, partial(fetch_token, transport, *client))


def with_client(account: Account, secret: str = KNOWN.oauth_client_secret) -> Zendesk:
    plain = account.connect(None)
    return Zendesk(account.connect(client_of(plain, account.clock, KNOWN.oauth_client_id, secret)))


def test_a_revoked_token_is_renewed_once_after_a_401() -> None:
    account = Account(1)
    desk = with_client(account)
    desk.fetch(account.ids)
    account.sandbox.auth.issued.clear()
    assert told_apart(desk.fetch(account.ids)) == (account.ids, [])
    assert tokens_asked(account) == 2


def test_a_wrong_client_secret_is_told_by_its_settings_name_only() -> None:
    account = Account(1)
    with pytest.raises(NotAuthorised, match="ZENDESK_OAUTH_CLIENT_SECRET") as error:
        with_client(account, "CANARY").fetch(account.ids)
    assert "CANARY" not in str(error.value)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        *((200, body, "gives no token") for body in ({}, [], {"access_token": ""}, {"error": "x"})),
        (
            *(400, {"error": "invalid_scope", "error_description": "CANARY"}),
            r"'read write' \(invalid_scope\).* zendesk.oauth_scope",
        ),
    ],
    ids=str,
)
def test_a_token_answer_without_a_token_is_a_refusal(status: int, body: object, words: str) -> None:
    wire = Wire(answer(status, body))
    client = client_of(wire.transport, wire.clock, "id", "CANARY", "read write")
    with pytest.raises(NotAuthorised, match=words) as error:
        client.header()
    assert "CANARY" not in str(error.value)

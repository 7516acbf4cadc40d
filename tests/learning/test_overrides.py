"""What people changed of what we had set: judged from a ticket's record, and added up."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ticket_processor.core.clock import Deadline, parse_iso
from ticket_processor.core.errors import HelpdeskDown, TicketError
from ticket_processor.core.models import Priority, Ticket
from ticket_processor.core.taxonomy import Category, Taxonomy
from ticket_processor.core.text import RedactionLevel
from ticket_processor.helpdesk.protocol import Fetched
from ticket_processor.helpdesk.ticket_history import Edit, History
from ticket_processor.learning.collect import CollectedLabels, collect, in_sample_order
from ticket_processor.learning.overrides import ANOTHER, Written, actors_of, judge, words_of
from ticket_processor.learning.scoreboard import Count, scoreboard
from ticket_processor.learning.store import LearningStore, Reaction
from ticket_processor.policy.decide import Policy
from ticket_processor.sandbox.store import BOT_ID, PERSON_ID
from ticket_processor.zendesk import Zendesk

from ..helpdesk.test_zendesk import Account
from ..imitation.stores import A_MACRO
from ..support.fakes import ManualClock, Wire, answer

BOT, AGENT, CUSTOMER = 99, 7, 500
NOW = 1_800_000_000.0
TAXONOMY = Taxonomy(
    categories=(
        Category(name="billing", description="Money", tag="finance", group=5, fields={20: "area_web", 21: "free"}),
        Category(name="invoice", description="Invoices", parent="billing"),
        Category(name="refund", description="Money back"),
        Category(name="general", description="Else"),
    )
)
WORDS = words_of(Policy(), TAXONOMY)
LABELS = ("ai_processed", "ai_billing", "ai_invoice", "ai_urgency_high", "ai_sentiment_negative", "finance")
WRITTEN = Written(1, "billing", {"k1": "one.toml", "k2": "two.toml"})


def tags(*names: str) -> frozenset[str]:
    return frozenset(names)


def ours(*added: str, key: str = "k1", **fields: Any) -> Edit:
    return Edit(
        at="", author=BOT, way="api", key=key, intent=key, comment="internal", tags_added=tags(*added), **fields
    )


def person(**fields: Any) -> Edit:
    return Edit(at="", author=AGENT, **fields)


def rules(**fields: Any) -> Edit:
    return Edit(at="", way="rules", **fields)


SOLVED = person()


def judged(*edits: Edit, options: Mapping[int, frozenset[str]] | None = None) -> dict[str, Reaction]:
    """By part."""
    labels = judge(History(edits=edits, options=dict(options or {})), WORDS, WRITTEN, requester=CUSTOMER)
    assert labels is not None
    return {item.field: item for item in labels}


def fates(*edits: Edit, **options: Any) -> dict[str, str]:
    return {part: item.fate + (f" to {item.theirs}" if item.theirs else "") for part, item in judged(*edits).items()}


# One ticket


def test_what_nobody_touched_was_left_and_marks_are_no_labels() -> None:
    write = ours(*LABELS, "ai_review", priority=(None, Priority.HIGH), group=(None, 5), fields={21: (None, "free")})
    off = person(tags_removed=tags("ai_review", "ai_processed"), tags_added=tags("vip"))
    found = judged(write, off)
    assert {part: item.ours for part, item in found.items()} == {
        "category": "billing",
        "subcategory": "invoice",
        "urgency": "high",
        "sentiment": "negative",
        "priority": "high",
        "group": "5",
        "tag": "finance",
        "field 21": "free",
    }
    assert {item.fate for item in found.values()} == {"kept"}
    assert {item.settings_file for item in found.values()} == {"one.toml"}


SWAP = person(tags_removed=tags("ai_billing"), tags_added=tags("ai_refund"))
BESIDE, OFF = person(tags_added=tags("ai_refund")), person(tags_removed=tags("ai_billing"))
CLEARED = ours(key="k2", tags_removed=tags("ai_refund"))
TRIGGER = rules(tags_removed=tags("ai_billing"))
UNDONE = ours(key="u", tags_removed=tags("ai_billing"))
WROTE = ours(priority=(None, Priority.HIGH), group=(None, 5), fields={21: (None, "free")})
RETURNED = person(priority=(Priority.HIGH, Priority.LOW), group=(5, None), fields={21: ("free", "Jane Doe, Main St")})
BEFORE = Edit(at="", author=CUSTOMER, creation=True, tags_added=tags("ai_refund"), priority=(None, Priority.LOW))


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ((SWAP,), "changed to refund"),
        ((BESIDE,), "changed to refund"),
        ((BESIDE, person(tags_removed=tags("ai_refund"))), "kept"),
        ((OFF,), "removed"),
        ((OFF, person(tags_added=tags("ai_refund"))), "changed to refund"),
        ((OFF, person(tags_added=tags("ai_billing"))), "kept"),
        # what a write of ours takes off again is no longer what the ticket says
        ((BESIDE, CLEARED), "kept"),
        ((BESIDE, OFF, CLEARED), "removed"),
        ((rules(tags_added=tags("ai_refund")), CLEARED, SOLVED), "kept"),
        ((BESIDE, person(tags_added=tags("ai_general")), CLEARED), "changed to general"),
        # rules are no people
        ((TRIGGER, SOLVED), "reverted_by_rule"),
        ((SWAP, TRIGGER), "changed to refund"),
        ((TRIGGER, rules(tags_added=tags("ai_billing")), SOLVED), "kept"),
        # another program under our user is no person, but its owner at the screen is one
        ((Edit(at="", author=BOT, way="api", tags_added=tags("ai_refund")), SOLVED), "reverted_by_rule"),
        ((Edit(at="", author=BOT, way="hand", tags_added=tags("ai_refund")),), "changed to refund"),
        # a colleague's app is the colleague, a macro is nobody, whoever applied it
        ((Edit(at="", author=8, way="api", tags_added=tags("ai_refund")), Edit(at="", author=8)), "changed to refund"),
        ((Edit(at="", author=8, way="api", tags_added=tags("ai_refund")), SOLVED), "reverted_by_rule"),
        ((Edit(at="", author=AGENT, way="macro", tags_added=tags("ai_refund")), SOLVED), "reverted_by_rule"),
    ],
)
def test_a_category_is_judged_by_the_last_word_of_people(edits: tuple[Edit, ...], expected: str) -> None:
    assert fates(ours("ai_billing"), *edits) == {"category": expected}


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ((WROTE, RETURNED), {"priority": "changed to low", "group": "removed", "field 21": f"changed to {ANOTHER}"}),
        (
            (WROTE, RETURNED, person(priority=(Priority.LOW, Priority.HIGH), group=(None, 6))),
            {"priority": "kept", "group": "changed to 6", "field 21": f"changed to {ANOTHER}"},
        ),
        # what was on the ticket before is not ours, and nobody's change
        ((BEFORE, ours("ai_billing"), SOLVED), {"category": "kept"}),
        ((BEFORE, ours("ai_billing"), person(priority=(Priority.LOW, Priority.HIGH))), {"category": "kept"}),
        # what an undo took back is not judged, and a person's change before it is
        (
            (
                ours("ai_billing", "ai_urgency_high", priority=(None, Priority.HIGH)),
                person(tags_removed=tags("ai_urgency_high"), tags_added=tags("ai_urgency_low")),
                ours(key="u", tags_removed=tags("ai_billing"), priority=(Priority.HIGH, None)),
            ),
            {"urgency": "changed to low"},
        ),
        ((ours("ai_billing"), UNDONE, person(tags_added=tags("ai_refund"))), {}),
        # what we gave back to a person is theirs
        (
            (
                ours("ai_billing", priority=(Priority.LOW, Priority.HIGH), tags_removed=tags("ai_urgency_low")),
                ours("ai_urgency_low", key="r", priority=(Priority.HIGH, Priority.LOW)),
                SOLVED,
            ),
            {"category": "kept"},
        ),
        # a second category is judged by itself, and is no category
        (
            (ours("ai_billing", "ai_also_refund"), person(tags_removed=tags("ai_also_refund"))),
            {"category": "kept", "secondary": "removed"},
        ),
    ],
)
def test_every_part_is_judged_by_itself(edits: tuple[Edit, ...], expected: dict[str, str]) -> None:
    assert fates(*edits) == expected


def test_a_drop_downs_choice_is_told_also_where_the_record_names_its_tags_only() -> None:
    write = ours("area_web", fields={20: (None, "area_web")})
    options = {20: tags("area_web", "area_app")}
    swap = person(tags_removed=tags("area_web"), tags_added=tags("area_app"))
    named = person(tags_removed=tags("area_web"), tags_added=tags("area_app"), fields={20: ("area_web", "area_app")})
    off = person(tags_removed=tags("area_web"))
    for edit, fate, theirs in ((swap, "changed", "area_app"), (named, "changed", "area_app"), (off, "removed", None)):
        found = judged(write, edit, options=options)["field 20"]
        assert (found.ours, found.fate, found.theirs) == ("area_web", fate, theirs)


def test_what_we_replaced_ourselves_is_no_override() -> None:
    second = ours("ai_refund", key="k2", tags_removed=tags("ai_billing"), priority=(Priority.HIGH, Priority.LOW))
    found = judged(ours("ai_billing", priority=(None, Priority.HIGH)), second, SOLVED)
    assert {part: (item.ours, item.fate, item.settings_file) for part, item in found.items()} == {
        "category": ("refund", "kept", "two.toml"),
        "priority": ("low", "kept", "two.toml"),
    }


def test_a_change_that_nobody_knows_the_author_of_is_not_a_persons() -> None:
    write = ours("ai_billing", "ai_urgency_high")
    change = Edit(
        at="", way="unknown", tags_removed=tags("ai_billing", "ai_urgency_high"), tags_added=tags("ai_refund")
    )
    found = judged(write, change, SOLVED)
    assert [(item.fate, item.theirs, item.actor_kind, item.author) for item in found.values()] == [
        ("changed", "refund", "unknown", None),
        ("removed", None, "unknown", None),
    ]
    (counted, _) = scoreboard(found.values()).parts
    assert (counted.unknown, counted.judged, counted.accuracy) == (1, 0, None)


def test_what_a_person_fills_in_where_we_abstained_is_added_and_only_where_we_label_such_tickets() -> None:
    fill = person(tags_added=tags("ai_invoice"), priority=(None, Priority.HIGH), fields={20: (None, "area_web")})
    found = judged(ours("ai_billing"), fill, person(group=(None, 6), fields={77: (None, "x")}))
    assert {part: (item.fate, item.ours, item.label) for part, item in found.items()} == {
        "category": ("kept", "billing", "billing"),
        "subcategory": ("added", None, "invoice"),
        "priority": ("added", None, "high"),
        "group": ("added", None, "6"),
        "field 20": ("added", None, "area_web"),
    }
    assert found["priority"].settings_file == "one.toml"


def test_a_label_knows_where_it_came_from_and_when_its_fate_was_settled() -> None:
    write = ours("ai_billing").model_copy(update={"at": "2026-03-01T00:00:00Z"})
    swap = person(tags_removed=tags("ai_billing"), tags_added=tags("ai_refund")).model_copy(
        update={"at": "2026-03-02T00:00:00Z"}
    )
    solved = person(status=("open", "solved")).model_copy(update={"at": "2026-03-03T00:00:00Z"})
    found = judged(write, swap, solved)["category"]
    assert (found.settings_file, found.author) == ("one.toml", AGENT)
    assert (found.at, found.settled_at) == (parse_iso(swap.at), parse_iso(solved.at))
    unsolved = judged(write, swap)["category"]
    assert unsolved.settled_at == parse_iso("2026-03-15T00:00:00Z")


@pytest.mark.parametrize(
    ("later", "dealt_with"),
    [
        ([], False),
        ([rules(tags_added=tags("x"))], False),
        ([Edit(at="", author=CUSTOMER, comment="public", text="thanks")], False),
        ([Edit(at="", author=BOT, way="api")], False),
        ([person(comment="public", text="here you are")], True),
    ],
)
def test_a_ticket_is_dealt_with_when_a_person_but_the_customer_did_anything_after_us(
    later: Sequence[Edit], *, dealt_with: bool
) -> None:
    history = History(edits=(person(tags_added=tags("before")), ours("ai_billing"), *later))
    (label,) = judge(history, WORDS, WRITTEN, requester=CUSTOMER) or ()
    assert label.fate == ("kept" if dealt_with else "untouched")


def test_a_record_without_a_write_of_ours_says_nothing() -> None:
    assert judge(History(edits=(person(), rules())), WORDS, WRITTEN) is None


def test_categories_that_the_settings_no_longer_have_are_still_labels() -> None:
    words = words_of(Policy(tag_prefix="bot_"), TAXONOMY, ["old_one", "billing"])
    assert words.tags["bot_old_one"] == ("category", "old_one")
    assert words.tags["bot_invoice"] == ("subcategory", "invoice")
    assert words.tags["finance"] == ("tag", "finance")
    assert words.values[20] == {"area_web"}


_TAGS = st.frozensets(st.sampled_from([*sorted(WORDS.tags), "vip", "ai_review"]), max_size=3)
_VALUES = st.sampled_from([None, *Priority])


@st.composite
def _edits(draw: st.DrawFn, *, people: bool) -> tuple[Edit, ...]:
    """A record that a helpdesk could hold: each edit begins where the last one ended."""
    there: set[str] = set()
    priority: Priority | None = None
    made = []
    for number in range(draw(st.integers(1, 8))):
        by = draw(st.sampled_from(["us", "rules", "people"] if people else ["us", "rules"]))
        added, removed = draw(_TAGS) - there, draw(_TAGS) & there
        after = draw(_VALUES)
        who: dict[str, Any] = {
            "us": {"author": BOT, "key": f"k{number}"},
            "rules": {"way": "rules"},
            "people": {"author": AGENT},
        }[by]
        change = None if after == priority else (priority, after)
        made.append(Edit(at="", tags_added=added, tags_removed=removed, priority=change, **who))
        there, priority = (there | added) - removed, after
    return tuple(made)


@given(_edits(people=False))
def test_without_a_person_nothing_is_ever_an_override(edits: tuple[Edit, ...]) -> None:
    labels = judge(History(edits=edits), WORDS, WRITTEN) or ()
    assert {item.fate for item in labels} <= {"untouched", "reverted_by_rule"}


@given(_edits(people=True))
@example((ours("ai_billing"), person(tags_added=tags("ai_refund")), ours(key="k2", tags_removed=tags("ai_refund"))))
def test_what_is_left_or_changed_is_what_stands_on_the_ticket(edits: tuple[Edit, ...]) -> None:
    """Where no rule meddles, the judgement can be read off the ticket itself."""
    quiet = tuple(edit for edit in edits if edit.way != "rules")
    there: set[str] = set()
    for edit in quiet:
        there = (there | edit.tags_added) - edit.tags_removed
    for item in judge(History(edits=quiet), WORDS, WRITTEN) or ():
        if item.field == "tag" or (item.field == "category" and item.fate in ("kept", "untouched")):
            tag = item.label if item.field == "tag" else f"ai_{item.ours}"
            assert (tag in there) is (item.fate != "removed")
        if item.field == "category" and item.fate in ("changed", "added"):
            assert f"ai_{item.theirs}" in there
        if item.field == "category" and item.fate == "removed":
            assert f"ai_{item.ours}" not in there


def test_the_helpdesks_record_says_who_did_what() -> None:
    """By the client: a trigger within a person's change, an automation, the system, a colleague at the screen."""
    account = Account(1)
    (number,) = account.ids
    account.desk.update(account.change(number, key="k", intent="run-1", priority=Priority.NORMAL))
    ticket = account.store.tickets[number]
    account.clock.advance(5)
    account.store.person_edit(number, remove_tags=["ai_processed"])
    account.store.change(ticket, {"priority": "urgent"}, actor="system", author_id=-1)
    account.store.change(ticket, {"priority": "low"}, actor="api", author_id=PERSON_ID)
    account.store.change(ticket, {"priority": "high"}, actor="api", author_id=BOT_ID)
    account.store.person_edit(number, status="solved", told={"event": A_MACRO})
    history = account.desk.history(number)
    assert [edit.way for edit in history.edits] == ["hand", "api", "hand", "rules", "api", "api", "macro"]
    assert history.by_people() == (True, False, True, False, True, False, True)
    assert actors_of(history) == ("person", "us", "person", "rule", "person", "bot", "rule")


def test_an_automations_audit_is_by_rules_and_so_are_a_triggers_events_within_a_persons() -> None:
    rule = {"channel": "rule", "source": {"rel": "automation"}}
    change = {"type": "Change", "field_name": "priority", "previous_value": "low", "value": "high"}
    audits = [
        {"created_at": "x", "author_id": AGENT, "via": {"channel": "web"}, "events": [change, {**change, "via": rule}]},
        {"created_at": "x", "author_id": AGENT, "via": rule, "events": [change]},
        {"created_at": "x", "author_id": -1, "via": {"channel": "system"}, "events": [change]},
        {"created_at": "x", "via": {"channel": "web"}, "events": [change]},
    ]
    history = Zendesk(Wire(answer(200, {"audits": audits})).transport).history(1)
    assert [edit.way for edit in history.edits] == ["hand", "rules", "rules", "rules", "hand"]
    assert history.by_people() == (True, False, False, False, False)


# Added up


def reaction(part: str, label: str, fate: Any, theirs: str | None = None, who: Any = "person") -> Reaction:
    return Reaction(1, part, label, label, theirs, fate, who, AGENT, 0.0, 0.0)


def category(label: str, fate: Any = "kept", theirs: str | None = None) -> Reaction:
    return reaction("category", label, fate, theirs)


def test_what_became_of_labels_is_counted_by_part_and_label() -> None:
    found = scoreboard(
        [
            category("billing"),
            category("billing", "changed", "refund"),
            category("billing", "reverted_by_rule"),
            category("refund"),
            category("billing", "untouched"),
            reaction("urgency", "low", "removed"),
        ]
    )
    first, second = found.parts
    assert first.model_dump(include={"part", *Count.model_fields}) == {
        "part": "category",
        "kept": 2,
        "changed": 1,
        "removed": 0,
        "added": 0,
        "untouched": 1,
        "reverted_by_rule": 1,
        "unknown": 0,
    }
    assert (first.judged, first.accuracy) == (3, pytest.approx(2 / 3))
    assert [(item.label, item.judged, item.accuracy) for item in first.labels] == [
        ("billing", 2, 0.5),
        ("refund", 1, 1.0),
    ]
    assert (second.part, second.accuracy) == ("urgency", 0.0)
    assert [(pair.ours, pair.theirs, pair.tickets) for pair in found.pairs] == [("billing", "refund", 1)]


def test_an_accuracy_is_told_only_where_people_are_known_to_have_judged() -> None:
    assert Count(kept=10).accuracy == 1.0
    assert Count(reverted_by_rule=3, untouched=2, unknown=1).accuracy is None
    assert Count(kept=10, unknown=5).accuracy is None


_JUDGED = st.builds(
    reaction,
    st.sampled_from(["category", "priority", "field 20"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from([name for name in Count.model_fields if name != "unknown"]),
    st.none(),
    st.sampled_from(["person", "unknown"]),
)


@given(st.lists(_JUDGED, max_size=40))
def test_every_label_is_counted_once(labels: list[Reaction]) -> None:
    found = scoreboard(labels)
    counted = Counter({part.part: sum(getattr(part, name) for name in Count.model_fields) for part in found.parts})
    assert counted == Counter(item.field for item in labels)
    for part in found.parts:
        for name in Count.model_fields:
            assert sum(getattr(label, name) for label in part.labels) == getattr(part, name)


# Which tickets


def test_the_sample_is_the_same_for_the_same_runs_and_another_for_others() -> None:
    many = range(100)
    shuffled = random.Random(3).sample(many, 100)
    assert in_sample_order(many, ["b", "a"]) == in_sample_order(shuffled, ["a", "b", "a"])
    assert in_sample_order(many, ["a"]) != in_sample_order(many, ["c"])


# Reading


class Desk:
    """Tickets with a status each, and the same history, or what ``raises`` gives for a ticket."""

    def __init__(
        self, statuses: Mapping[int, str], raises: Callable[[int], Exception | None] = lambda _number: None
    ) -> None:
        self.statuses = statuses
        self.raises = raises
        self.fetched: list[int] = []
        self.read: list[int] = []

    def fetch(self, ticket_ids: Sequence[int]) -> Fetched:
        self.fetched.append(len(ticket_ids))
        return {
            number: Ticket(
                id=number,
                status=self.statuses[number],
                created_at="2026-01-01T00:00:00Z",
                updated_at="2026-01-01T00:00:00Z",
                tags=("closed_by_merge",) if number == 13 else (),
            )
            for number in ticket_ids
            if number in self.statuses
        }

    def history(self, ticket_id: int) -> History:
        self.read.append(ticket_id)
        error = self.raises(ticket_id)
        if error is not None:
            raise error
        return History(edits=(ours("ai_billing"), SOLVED))


def collected(
    desk: Desk, numbers: Iterable[int], *, most: int | None = None, clock: ManualClock | None = None, **more: Any
) -> CollectedLabels:
    store = LearningStore(None)
    with store.transaction() as db:
        rows = [(number, NOW - 60, 0.0, "billing", "{}") for number in numbers]
        db.executemany("INSERT INTO pending VALUES (?, ?, ?, ?, ?)", rows)
    deadline = Deadline(clock or ManualClock(), 300)
    level = RedactionLevel.STANDARD
    return collect(desk, store, lambda _names: WORDS, level, deadline, NOW, most=most, **more)  # type: ignore[arg-type]


def test_histories_are_read_of_solved_and_closed_tickets_only() -> None:
    desk = Desk({1: "solved", 2: "open", 3: "closed", 13: "solved", 4: "new"})
    found = collected(desk, [1, 2, 3, 4, 5, 13])
    assert sorted(desk.read) == [1, 3]
    assert (found.settled, found.histories, found.waiting) == (4, 2, 2)
    assert found.left_out == {"not solved yet": 2, "deleted since": 1, "merged into another": 1}
    assert found.ended_early is None


def test_no_more_is_read_than_was_asked_for() -> None:
    desk = Desk(dict.fromkeys(range(101, 1101), "solved"))
    told: list[int] = []
    found = collected(desk, range(101, 1101), most=120, advance=told.append)
    assert (desk.fetched, len(desk.read), sum(told)) == ([100, 100], 120, 120)
    assert (found.histories, found.waiting) == (120, 880)


REFUSED = TicketError("Zendesk refuses this ticket's audits (HTTP 403, Forbidden)")
UNREADABLE = "whose history cannot be read"


@pytest.mark.parametrize(
    ("raises", "read", "histories", "settled", "left_out", "ended_early"),
    [
        (lambda number: TicketError("no") if number % 2 == 0 else None, 10, 5, 5, {UNREADABLE: 5}, None),
        (lambda _number: REFUSED, 3, 0, 0, {UNREADABLE: 3}, f"histories of tickets cannot be read: {REFUSED}"),
        (lambda number: HelpdeskDown("no answer") if number == 5 else None, 5, 4, 4, {}, "no answer"),
    ],
    ids=["some", "none of the first three", "the helpdesk goes away"],
)
def test_of_histories_that_cannot_be_read_the_rest_and_the_reason_are_told(
    raises: Callable[[int], Exception | None],
    read: int,
    histories: int,
    settled: int,
    left_out: dict[str, int],
    ended_early: str | None,
) -> None:
    desk = Desk(dict.fromkeys(range(1, 11), "solved"), raises)
    found = collected(desk, range(1, 11))
    assert (len(desk.read), found.histories, found.settled) == (read, histories, settled)
    assert (found.left_out, found.ended_early) == (left_out, ended_early)


def test_when_the_time_is_used_up_it_says_so_and_counts_what_was_read() -> None:
    clock = ManualClock()

    def slow(_number: int) -> None:
        clock.advance(2.0)

    desk = Desk(dict.fromkeys(range(101, 1101), "solved"), slow)
    found = collected(desk, range(101, 1101), clock=clock)
    assert found.histories == 150
    assert found.ended_early == "the time allowed for it is used up"

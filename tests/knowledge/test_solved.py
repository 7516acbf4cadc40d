"""Solved tickets: what is kept of them, what is found, from which score on, and how a sync goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import CannotRun, TicketUnreadable
from ticket_processor.core.models import RedactionLevel, Ticket
from ticket_processor.evaluation.similar_floor import floor_of, learnt_floor
from ticket_processor.helpdesk.agent_replies import AgentReply
from ticket_processor.helpdesk.protocol import Page
from ticket_processor.knowledge import solved_sync
from ticket_processor.knowledge.lexical import lexical
from ticket_processor.knowledge.solved import CURSOR, MOST_KEPT, SolvedTicket, SolvedTickets
from ticket_processor.knowledge.solved_sync import Collected, collect
from ticket_processor.knowledge.store import KnowledgeStore

from ..support.fakes import START, ManualClock


def kept(number: int, text: str = "The printer jams", category: str = "", **others: object) -> SolvedTicket:
    values: dict[str, object] = {"subject": "", "reply": "Open the lid.", "solved_at": START, "stamp": "1", **others}
    return SolvedTicket(id=number, question=text, category=category, **values)  # type: ignore[arg-type]


def ticket(number: int, text: str = "The printer jams", status: str = "solved", **others: object) -> Ticket:
    stamp = "2026-11-20T08:00:00Z"
    values = {"description": text, "status": status, "created_at": stamp, "updated_at": stamp, **others}
    return Ticket(id=number, **values)  # type: ignore[arg-type]


@dataclass
class Account:
    """A helpdesk with these pages; it counts whose replies are read."""

    listed: list[Page]
    replies: dict[int, tuple[AgentReply, ...]] = field(default_factory=dict)
    read: list[int] = field(default_factory=list)
    cursors: list[str | None] = field(default_factory=list)

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        self.cursors.append(cursor)
        yield from self.listed

    def of(self, ticket_id: int) -> tuple[AgentReply, ...]:
        self.read.append(ticket_id)
        if ticket_id == 13:
            raise TicketUnreadable("unreadable")
        return self.replies.get(ticket_id, (AgentReply("Open the lid.", "Alex Agent"),))

    def gone_since(self, moment: float) -> tuple[int, ...]:
        return ()


def collected(store: KnowledgeStore, account: Account) -> Collected:
    done = Collected()
    deadline = Deadline(ManualClock(), 100)
    collect(
        store,
        account,
        account,
        done,
        now=START,
        days=30,
        deadline=deadline,
        level=RedactionLevel.STANDARD,
        label=lambda _ticket: "printing",
    )
    return done


def test_a_sync_reads_so_many_tickets_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solved_sync, "MOST_READ", 3)
    store = KnowledgeStore(None)
    pages = [
        Page((ticket(1), ticket(2)), "after 2", last=False),
        Page((ticket(3), ticket(4), ticket(5)), "after 5", last=True),
    ]
    account = Account(pages)
    first = collected(store, account)
    assert (first.kept, first.unfinished, store.fact(CURSOR)) == (3, True, "after 2")
    second = collected(store, account)
    assert (second.kept, second.unfinished, store.fact(CURSOR)) == (2, False, "after 5")
    assert account.read == [1, 2, 3, 4, 5]
    assert account.cursors == [None, "after 2"]


def test_a_ticket_that_cannot_be_read_or_has_no_reply_stops_no_other_and_is_not_read_again() -> None:
    store = KnowledgeStore(None)
    account = Account([Page((ticket(13), ticket(14), ticket(15)), "c", last=True)], {14: ()})
    assert collected(store, account).kept == 1
    assert collected(store, account).kept == 0
    assert account.read == [13, 14, 15]


def test_an_account_that_cannot_list_solved_tickets_is_told() -> None:
    with pytest.raises(CannotRun, match="admin"):
        collected(KnowledgeStore(None), Account([Page((), None, last=True, since=0.0)]))


def test_the_longest_reply_is_kept_and_the_names_of_agents_are_not() -> None:
    store = KnowledgeStore(None)
    said = (
        AgentReply("Thanks, Zebedee will look into it.", "Zebedee Quill"),
        AgentReply("Zebedee says: open the lid of the printer and take the paper out.", "Zebedee Quill"),
        AgentReply("Closing.", "Zebedee Quill"),
    )
    collected(store, Account([Page((ticket(1),), "c", last=True)], {1: said}))
    [(found, _)] = SolvedTickets(store).search("printer", limit=5)
    assert found.reply == "[NAME_1] says: open the lid of the printer and take the paper out."


def test_articles_and_solved_tickets_are_never_found_together() -> None:
    store = KnowledgeStore(None)
    SolvedTickets(store).put([kept(1)])
    assert lexical(store, "printer jams", langs=None, audience="agents", limit=5) == []
    assert store.counts() == (0, 0)


def test_a_changed_ticket_replaces_what_was_there_and_keeps_its_day() -> None:
    tickets = SolvedTickets(KnowledgeStore(None))
    tickets.put([kept(1, "obsolete words")])
    tickets.put([kept(1, "current words", solved_at=START + 1_000, stamp="2")])
    assert tickets.search("obsolete", limit=5) == []
    [(found, _)] = tickets.search("current", limit=5)
    assert (found.solved_at, found.stamp) == (START, "2")


def test_too_many_are_cut_from_the_oldest_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticket_processor.knowledge.solved.MOST_KEPT", 2)
    tickets = SolvedTickets(KnowledgeStore(None))
    tickets.put(kept(number, solved_at=START + number) for number in range(1, 5))
    assert tickets.forget_before(0.0) == 2
    assert tickets.known([1, 2, 3, 4]) == {3, 4}
    assert MOST_KEPT >= 1_000


def test_an_erased_ticket_counts_as_known_to_a_sync_and_has_no_words() -> None:
    store = KnowledgeStore(None)
    tickets = SolvedTickets(store)
    tickets.put([kept(1), kept(2)])
    assert tickets.erase([1]) == 1
    account = Account([Page((ticket(1),), "c", last=True)])
    assert collected(store, account).kept == 0
    assert account.read == []
    assert tickets.known([1, 2]) == {2}


def test_a_ticket_whose_erasure_was_cut_off_leaves_nothing_in_the_file_when_it_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = KnowledgeStore(tmp_path / "k.sqlite3")
    SolvedTickets(store).put([kept(1, "quokka")])
    store.close()
    store, dashboard = (KnowledgeStore(tmp_path / "k.sqlite3") for _ in range(2))
    assert SolvedTickets(dashboard).known([1]) == {1}
    with monkeypatch.context() as patched:
        patched.setattr(store, "wipe", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            SolvedTickets(store).erase([1])
    assert SolvedTickets(store).erase([1]) == 0
    assert not any(b"quokka" in file.read_bytes() for file in tmp_path.iterdir())
    store.close()
    dashboard.close()


def test_the_floor_is_the_lowest_score_above_which_nine_of_ten_agree_beyond_chance() -> None:
    right, wrong = [(float(score), True) for score in range(100, 0, -1)], [(0.0, False)] * 40
    assert floor_of([*right, *wrong], chance=0.25) == 1.0
    assert floor_of(right[:30], chance=0.25) is None, "too few to say"
    assert floor_of([*right, *wrong], chance=1.0) is None, "one category alone proves nothing"
    mostly = [(float(score), score % 20 != 0) for score in range(1_000, 0, -1)]
    assert floor_of(mostly, chance=0.0) is not None
    assert floor_of(mostly, chance=0.6) is None, "19 of 20 are little where more than half come by chance"


def test_the_floor_is_learnt_from_tickets_looked_for_among_the_others() -> None:
    tickets = SolvedTickets(KnowledgeStore(None))
    kinds = {"printing": "printer jams paper tray", "login": "password forgotten account locked"}
    tickets.put(
        kept(number, f"{words} case{number}", kind, solved_at=START + number)
        for at, (kind, words) in enumerate(kinds.items())
        for number in range(at * 50, at * 50 + 50)
    )
    floor = learnt_floor(tickets, Deadline(ManualClock(), 100))
    assert floor is not None
    assert tickets.search("my printer jams, paper is in the tray", limit=1)[0][1] >= floor
    assert tickets.search("where is the parcel with the new account book", limit=1)[0][1] < floor

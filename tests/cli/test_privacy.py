"""What commands leave behind, and what they send: no personal data anywhere, and nothing open."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import pytest

from ticket_processor.seeding.corpus import SeedTicket, load_corpus, payload

from .conftest import OpenDesk, is_chat

CORPUS = load_corpus()
PLANTED = sorted({value for ticket in CORPUS for value in ticket.planted})
ADDRESSES = sorted({ticket.requester.email for ticket in CORPUS})


def leaks(text: str) -> list[str]:
    """Planted data and addresses that occur in a text; the domain alone of an address is no person."""
    return [value for value in (*PLANTED, *ADDRESSES) if value.lower() in text.lower()]


def handed_over(tickets: Iterable[SeedTicket]) -> list[dict[str, object]]:
    return [{**payload(ticket), "age": 80_000.0 - n} for n, ticket in enumerate(tickets)]


@pytest.mark.parametrize(
    ("analyser", "each"),
    [
        ("sandbox model", 1),
        *((analyser, 4) for analyser in ("rules", "dry run")),
        *(pytest.param(analyser, 1, marks=pytest.mark.slow) for analyser in ("rules", "dry run")),
    ],
)
def test_nothing_planted_is_kept_printed_or_sent(open_desk: OpenDesk, analyser: str, each: int) -> None:
    tickets = CORPUS[::each]
    desk = open_desk(handed_over(tickets), model=True)
    arguments = {"sandbox model": (), "rules": ("--no-llm",), "dry run": ("--dry-run",)}[analyser]
    ended = desk("run", "--since", "2d", *arguments)

    assert leaks(ended.out) == []
    assert "--no-llm" in ended.err if analyser == "rules" else not ended.err
    chats = [request.body.decode("utf-8") for request in desk.seen if is_chat(request)]
    people = sum(ticket.kind != "machine" for ticket in tickets)
    assert (not chats) if analyser == "rules" else (len(chats) >= people)
    assert {value for chat in chats for value in leaks(chat)} == set()
    for path in desk.folder.rglob("*"):
        if path.is_file():
            assert leaks(path.read_bytes().decode("utf-8", "replace")) == [], path.name
    for number in desk.tickets:
        for note in desk.notes(number):
            assert leaks(note["plain_body"]) == [], number
            assert "{{" not in note["html_body"]
            assert "<a " not in note["html_body"]

    if analyser != "dry run":
        skipped = {line["ticket_id"] for line in desk.events("ticket") if line["outcome"] == "skipped"}
        assert 0 < len(skipped) <= sum(ticket.kind == "machine" for ticket in tickets)
        desk.assert_done([number for number in desk.tickets if number not in skipped])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps rights elsewhere than in the mode")
def test_what_commands_make_is_for_the_owner_only_and_what_was_there_keeps_its_rights(open_desk: OpenDesk) -> None:
    desk = open_desk(1, model=True)
    mine = {
        "TICKETBOT_STATE_DIR": str(desk.folder / "var" / "state"),
        "TICKETBOT_LOG_DIR": str(desk.folder / "var" / "logs"),
    }
    (desk.folder / "tables").mkdir(0o755)
    before = {path: path.stat().st_mode for path in (desk.folder, desk.folder / "tables")}
    generous = os.umask(0)
    try:
        desk("init", "--offline", **mine)
        desk("run", "--no-llm", "--since", "1d", **mine)
        desk("run", "--dry-run", "--no-llm", "--since", "9d", "--out", "old/planned.jsonl", **mine)
        desk("report", "--out", "tables/report.csv", **mine)
        desk("seed", "--llm", "--count", "1", "--out", "rows/seeded.jsonl", code=None, **mine)
    finally:
        os.umask(generous)
    made = [path for path in desk.folder.rglob("*") if path not in before]
    # Settings hold no secret, and a container's user has to read them where they are mounted.
    public = [path.relative_to(desk.folder).as_posix() for path in made if path.stat().st_mode & 0o077]
    assert public == ["ticketbot.toml"]
    names = {path.name for path in made}
    assert {
        "run.lock",
        "state.sqlite3",
        "audit.key",
        ".env.example",
        "planned.jsonl",
        "seeded.jsonl",
    } <= names
    assert {path: path.stat().st_mode for path in before} == before


def test_nothing_planted_in_an_answer_is_kept_printed_or_sent(open_desk: OpenDesk) -> None:
    people = [ticket for ticket in CORPUS if ticket.planted and ticket.kind != "machine"][:12]
    desk = open_desk(handed_over(people), model=True)
    desk.configure("[run]\nretriage_on_reply = true\n")
    desk("run", "--since", "2d")
    desk.advance(120)
    customers = {number: desk.ticket(number)["requester_id"] for number in desk.tickets}
    for number, answered in zip(customers, [*people[1:], people[0]], strict=True):
        desk.sandbox.store.person_edit(
            number,
            comment=f"{answered.body} Nothing works any more, this is urgent!",
            public=True,
            author_id=customers[number],
        )
    desk.advance(120)
    desk.seen.clear()
    ended = desk("run")
    chats = [request.body.decode("utf-8") for request in desk.model_requests() if request.path.endswith("completions")]
    assert len(chats) >= len(people)
    assert {value for chat in chats for value in leaks(chat)} == set()
    assert leaks(ended.out) == []
    for path in desk.folder.rglob("*"):
        if path.is_file():
            assert leaks(path.read_bytes().decode("utf-8", "replace")) == [], path.name
    assert all(leaks(note["plain_body"]) == [] for number in desk.tickets for note in desk.notes(number))
    assert any(len(desk.notes(number)) == 2 for number in desk.tickets)


COMMANDS = [
    ("run", "--since", "1d"),
    ("analyse", "1"),
    ("seed", "--llm", "--count", "1", "--out", "seeded.jsonl"),
    ("init",),
]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nothing_that_was_opened_is_left_to_the_interpreter(open_desk: OpenDesk, arguments: tuple[str, ...]) -> None:
    desk = open_desk(2, model=True)
    # A warning within a destructor cannot end the process, but it is always printed.
    process = desk.python("-W", "error::ResourceWarning", "-m", "ticket_processor", *arguments)
    err = desk.end(process, code=None).err
    assert process.returncode in (0, 1)
    assert "ResourceWarning" not in err
    assert "Exception ignored" not in err

"""The local helpdesk when its process is killed, or several work on one file."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

from ticket_processor.helpdesk.local_model import AI, Actor, NewTicket, Stale
from ticket_processor.helpdesk.local_store import LocalStore

KILLS = 8
SUBMITTING = """
    import sys
    from pathlib import Path
    from ticket_processor.helpdesk.local_model import NewFile, NewTicket
    from ticket_processor.helpdesk.local_store import LocalStore

    store = LocalStore(Path(sys.argv[1]))
    for number in range(100_000):
        name = f"{sys.argv[2]}-{number}"
        files = [NewFile("a.txt", name.encode() * 1000)]
        made = store.create(NewTicket(name, "text", "ann@example.com", files=files, tags=["x"]), 1.8e9 + number)
        print(made.number, made.secret, name, flush=True)
"""


def test_a_kill_while_tickets_are_submitted_leaves_each_one_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "helpdesk.sqlite3"
    dice = random.Random(17)
    told: list[list[str]] = []
    for turn in range(KILLS):
        command = [sys.executable, "-c", textwrap.dedent(SUBMITTING), str(path), str(turn)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told.append(process.stdout.readline().split())
            time.sleep(dice.uniform(0.0, 0.05))
            process.kill()
            told += [line.split() for line in process.stdout.read().splitlines()]

    store = LocalStore(path)
    for number, secret, name in (line for line in told if len(line) == 3):
        ticket = store.opens(number, secret)
        assert ticket is not None
        assert ticket.subject == name
    for ticket in store.changed_since(0, limit=1_000_000):
        (file,) = store.files(ticket.id)
        assert store.content(file) == ticket.subject.encode() * 1000
        assert [event.field for event in store.events(ticket.id)] == ["created", "tag"]
        assert (ticket.tags, ticket.version) == (("x",), 1)
    assert len(store.changed_since(0, limit=1_000_000)) >= KILLS


def test_of_many_who_write_on_one_version_exactly_one_wins_each_time(tmp_path: Path) -> None:
    path = tmp_path / "helpdesk.sqlite3"
    LocalStore(path).create(NewTicket("One", "text", "ann@example.com"), 1.8e9)
    won: list[int] = []

    def write(name: str) -> None:
        store = LocalStore(path)  # a connection of its own, as another process has
        for version in range(1, 11):
            try:
                store.change(1, AI, version=version, now=1.8e9, tags_add=[f"{name}-{version}"])
                won.append(version)
            except Stale:
                while (ticket := store.ticket(1)) is not None and ticket.version <= version:
                    time.sleep(0.001)

    threads = [threading.Thread(target=write, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(won) == list(range(1, 11))
    ticket = LocalStore(path).ticket(1)
    assert ticket is not None
    assert (ticket.version, len(ticket.tags)) == (11, 10)


def test_a_listing_misses_nobody_while_others_write(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "helpdesk.sqlite3")

    def submit(name: int) -> None:
        for number in range(30):
            made = store.create(NewTicket(f"{name}-{number}", "text", f"p{name}@example.com"), 1.8e9 - name * 100)
            store.reply(made.id, Actor("ai"), "note", public=False, now=1.8e9 - number)

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    place, seen = 0, {}
    while any(thread.is_alive() for thread in threads) or store.last_event() > place:
        for ticket in store.changed_since(place):
            place = ticket.last_event
            seen[ticket.id] = ticket.version
    for thread in threads:
        thread.join()

    assert seen == dict.fromkeys(range(1, 91), 2)


def test_what_is_written_stays_though_another_process_has_opened_and_closed_the_file(tmp_path: Path) -> None:
    path = tmp_path / "helpdesk.sqlite3"
    portal = LocalStore(path)
    LocalStore(path).close()  # as a run in the same process does
    look = "import sys; from pathlib import Path; from ticket_processor.helpdesk.local_store import LocalStore\n"
    look += "store = LocalStore(Path(sys.argv[1])); print(store.last_event()); store.close()"
    assert subprocess.check_output([sys.executable, "-c", look, str(path)], text=True) == "0\n"
    portal.create(NewTicket("One", "text", "ann@example.com"), 1.8e9)
    assert subprocess.check_output([sys.executable, "-c", look, str(path)], text=True) == "1\n"

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from ticket_processor.helpdesk.local_model import NewTicket
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


def test_what_is_written_stays_though_another_process_has_opened_and_closed_the_file(tmp_path: Path) -> None:
    path = tmp_path / "helpdesk.sqlite3"
    portal = LocalStore(path)
    LocalStore(path).close()  # as a run in the same process does
    look = "import sys; from pathlib import Path; from ticket_processor.helpdesk.local_store import LocalStore\n"
    look += "store = LocalStore(Path(sys.argv[1])); print(store.last_event()); store.close()"
    assert subprocess.check_output([sys.executable, "-c", look, str(path)], text=True) == "0\n"
    portal.create(NewTicket("One", "text", "ann@example.com"), 1.8e9)
    assert subprocess.check_output([sys.executable, "-c", look, str(path)], text=True) == "1\n"

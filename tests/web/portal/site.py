"""A folder with a local helpdesk, the portal as a process in it, and what a person does with its form."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from ticket_processor.helpdesk.local_model import LocalTicket
from ticket_processor.helpdesk.local_store import LocalStore

from ...cli.conftest import Command

LEAST_S = 3.2
"""A form that is sent sooner is taken for a program's."""


@dataclass
class Site:
    """A folder with a local helpdesk, and the command in it."""

    command: Command
    process: subprocess.Popen[str] = field(init=False)

    @property
    def store(self) -> LocalStore:
        return LocalStore(self.command.folder / "helpdesk.sqlite3")

    def serve(self, *words: str) -> str:
        """Start the portal, or what ``words`` say; its address."""
        process = self.command.start(*(words or ("portal",)), "--port", "0")
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://[\d.:]+", line)
        assert found, f"{line}{process.stderr and process.stderr.read()}"
        self.process = process
        return found[0]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def triaged(self, number: str, within_s: float = 30.0) -> LocalTicket:
        """The ticket, once it has a category."""
        with closing(self.store) as store:
            end = time.monotonic() + within_s
            while time.monotonic() < end:
                found = store.by_number(number)
                if found is not None and found.category is not None:
                    return found
                time.sleep(0.1)
        raise AssertionError("the ticket was not triaged")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    command = Command(tmp_path)
    (tmp_path / "ticketbot.toml").write_text('helpdesk = "local"\nlog_dir = "logs"\n', encoding="utf-8")
    command.environ = {"TICKETBOT_STATE_DIR": str(tmp_path / "state")}
    yield Site(command)
    command.close()


def submit(url: str, subject: str = "Charged twice for February") -> str:
    """Submit a ticket by form, as a person would; its number."""
    session = requests.Session()
    token = re.search(r'name="form_token" value="([^"]+)"', session.get(url, timeout=30).text)
    assert token is not None
    time.sleep(LEAST_S)
    ticket = {"subject": subject, "description": "I was charged twice.", "email": "carla@example.org"}
    answer = session.post(f"{url}/", data=ticket | {"form_token": token[1]}, allow_redirects=False, timeout=30)
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"].startswith("/t/")
    return answer.headers["Location"].removeprefix("/t/")

"""Local helpdesks, one or a configuration file for each: accounts on this machine, without network or credentials."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from ticket_processor.commands import many_accounts
from ticket_processor.helpdesk.local_model import Actor, LocalTicket, NewTicket
from ticket_processor.helpdesk.local_store import LocalStore

from ..support import fork_server
from .conftest import Command, Ended

TEXTS = (
    ("Charged twice", "I was charged twice for this invoice, please refund one payment."),
    ("Login broken", "I cannot log in any more, my password is not accepted since today."),
)


class Accounts(Command):
    """``ticketbot`` in a folder with ``accounts/NAME.toml`` for each account, which has two tickets of an hour ago."""

    in_this_process = True  # but for signals, which ``start`` is for

    def __init__(self, folder: Path, *names: str) -> None:
        super().__init__(folder, {"TICKETBOT_STATE_DIR": "", "TICKETBOT_LOG_DIR": ""})
        self.configs = folder / "accounts"
        self.configs.mkdir()
        self.stores = {name: self.add(name) for name in names}

    def here(self, *arguments: str, **given: Any) -> Ended:
        """In this process, which has its children forked from one that has loaded the program."""
        of_this_program = SimpleNamespace(PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL, Popen=self._forked)
        with (
            mock.patch.object(many_accounts, "subprocess", of_this_program),
            mock.patch.object(sys, "argv", ["ticketbot", *arguments]),
        ):
            return super().here(*arguments, **given)

    def _forked(
        self, command: Sequence[str], *, env: Mapping[str, str], start_new_session: bool, **options: Any
    ) -> Any:
        assert (*command[:4], start_new_session) == (sys.executable, "-P", "-m", "ticket_processor", True)
        alike = {name: value for name, value in env.items() if name != "PYTHONUNBUFFERED" or name in os.environ}
        self._started.append(fork_server.start(command[4:], env=alike, **options))
        return self._started[-1]

    def add(self, name: str, more: str = "") -> LocalStore:
        """One more account."""
        file = self.configs / f"{name}.toml"
        file.write_text(
            f'helpdesk = "local"\nstate_dir = "state/{name}"\nlog_dir = "logs/{name}"\n'
            f'[local]\npath = "{name}.sqlite3"\n{more}',
            encoding="utf-8",
        )
        store = LocalStore(self.configs / f"{name}.sqlite3")
        for subject, text in TEXTS:
            store.create(NewTicket(subject, text, "ada@example.com", name="Ada Quist"), time.time() - 3600)
        return store

    def ticket(self, name: str, number: int) -> LocalTicket:
        found = self.stores[name].ticket(number)
        assert found is not None
        return found

    def triaged(self, name: str) -> list[int]:
        """The account's tickets that carry our marker."""
        return [number for number in (1, 2) if "ai_processed" in self.ticket(name, number).tags]

    def ended(self, name: str) -> bool:
        """Whether a run of the account has written its last line."""
        files = (self.configs / "logs" / name).glob("*.jsonl")
        return any('"run_finished"' in file.read_text("utf-8") for file in files)

    def close(self) -> None:
        for store in self.stores.values():
            store.close()
        super().close()


class LocalCommand(Command):
    """``ticketbot`` and the local helpdesk that it works on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"TICKETBOT_HELPDESK": "local", "TICKETBOT_LOCAL_PATH": str(folder / "desk.sqlite3")})
        self.store = LocalStore(folder / "desk.sqlite3")
        self.agent = Actor("agent", self.store.add_person("agent@example.com", "Agent", "agent").id)

    def ticket(self, number: int) -> LocalTicket:
        found = self.store.ticket(number)
        assert found is not None
        return found

    def edit(self, number: int, **parts: object) -> None:
        self.store.change(number, self.agent, version=None, now=time.time(), **parts)  # type: ignore[arg-type]

    def close(self) -> None:
        self.store.close()
        super().close()

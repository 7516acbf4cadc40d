"""Local helpdesks, one or a configuration file for each: accounts on this machine, without network or credentials."""

from __future__ import annotations

import time
from pathlib import Path

from ticket_processor.helpdesk.local_model import Actor, LocalTicket, NewTicket
from ticket_processor.helpdesk.local_store import LocalStore

from .conftest import Command

TEXTS = (
    ("Charged twice", "I was charged twice for this invoice, please refund one payment."),
    ("Login broken", "I cannot log in any more, my password is not accepted since today."),
)


class Accounts(Command):
    """``ticketbot`` in a folder with ``accounts/NAME.toml`` for each account, which has two tickets of an hour ago."""

    in_this_process = False  # which starts itself once more for each account

    def __init__(self, folder: Path, *names: str) -> None:
        super().__init__(folder, {"TICKETBOT_STATE_DIR": "", "TICKETBOT_LOG_DIR": ""})
        self.configs = folder / "accounts"
        self.configs.mkdir()
        self.stores = {name: self.add(name) for name in names}

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

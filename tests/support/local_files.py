"""Files on tickets of the local helpdesk, as they came with a form or a message."""

from __future__ import annotations

from ticket_processor.helpdesk.local_model import Attachment, NewFile
from ticket_processor.helpdesk.local_store import LocalStore


def add_file(store: LocalStore, ticket_id: int, message_id: int | None, name: str, content: bytes) -> Attachment:
    """Keep a file of a ticket, or of one of its messages."""
    kept = store.keep(NewFile(name, content))
    with store.writing() as db:
        store.attach(db, ticket_id, message_id, [kept])
    return store.files(ticket_id)[-1]


def add_group(store: LocalStore, number: int, name: str) -> int:
    """Take in a group as an import does; its number."""
    store.import_lines([{"kind": "group", "id": number, "name": name}])
    return number

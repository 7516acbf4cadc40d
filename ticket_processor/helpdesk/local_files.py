"""Files that came with tickets and messages: kept under their hash beside the helpdesk's own file."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..core.files import make_folder
from .local_model import MAX_FILE_BYTES, Attachment, LocalHelpdeskError, NewFile
from .local_schema import LocalFile, insert

OTHER_TYPE = "application/octet-stream"
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
)
"""How files of these types begin; nothing else is ever called by a type that a browser opens."""
_LEFT_S = 3600.0
"""A file that no row has named for so long never will be."""
_ATTACHMENT = """
    SELECT attachment.*, coalesce(message.public, 1) AS public
    FROM attachment LEFT JOIN message ON message.id = message_id
"""


@dataclass(frozen=True)
class Kept:
    """A file whose content is on disk already."""

    name: str
    mime: str
    size: int
    sha256: str


class Files(LocalFile):
    """The part of the store that keeps files. Their content lies in a folder, and is there before a row names it."""

    @property
    def folder(self) -> Path:
        """Where the contents are."""
        return self.path.with_name(f"{self.path.name}-files")

    def keep(self, file: NewFile) -> Kept:
        """Bring a file's content to disk, whole or not at all. Raises :class:`LocalHelpdeskError` for a large one."""
        if len(file.content) > MAX_FILE_BYTES:
            raise LocalHelpdeskError(f"a file may have {MAX_FILE_BYTES // 1_000_000} MB at most")
        digest = hashlib.sha256(file.content).hexdigest()
        place = self.place(digest)
        with self._in_words():
            if place.is_file():
                place.touch()  # somebody wants it: see sweep_files
            else:
                make_folder(place.parent)
                number, name = tempfile.mkstemp(dir=place.parent)
                try:
                    with os.fdopen(number, "wb") as out:
                        out.write(file.content)
                        out.flush()
                        os.fsync(out.fileno())
                    Path(name).replace(place)
                except BaseException:
                    Path(name).unlink(missing_ok=True)
                    raise
        return Kept(safe_name(file.name), type_of(file.content), len(file.content), digest)

    def attach(self, db: sqlite3.Connection, ticket_id: int, message_id: int | None, kept: Sequence[Kept]) -> None:
        """Name kept files on a ticket, inside a transaction."""
        if not all(self.place(file.sha256).is_file() for file in kept):
            raise LocalHelpdeskError("a file was just taken away; send it again")
        for file in kept:
            insert(db, "attachment", ticket_id=ticket_id, message_id=message_id, **asdict(file))

    def files(self, ticket_id: int) -> tuple[Attachment, ...]:
        """The files of a ticket and its messages, in the order in which they came."""
        rows = self.rows(f"{_ATTACHMENT} WHERE attachment.ticket_id = ? ORDER BY attachment.id", ticket_id)
        return tuple(map(_attachment_of, rows))

    def file(self, file_id: int) -> Attachment | None:
        """A file by its number; its content is for :meth:`content`."""
        row = self.row(f"{_ATTACHMENT} WHERE attachment.id = ?", file_id)
        return None if row is None else _attachment_of(row)

    def content(self, file: Attachment) -> bytes:
        """What is in the file. Raises :class:`HelpdeskDown` where that is lost."""
        with self._in_words():
            return self.place(file.sha256).read_bytes()

    def sweep_files(self, digests: Collection[str] = ()) -> None:
        """Take files away that no row names: these, and what kills have left behind an hour ago or earlier."""
        with self.writing() as db:  # nobody names a file meanwhile
            named = {row[0] for row in db.execute("SELECT sha256 FROM attachment")}
            for path in self.folder.rglob("*"):
                if not path.is_file() or path.name in named:
                    continue
                if path.name in digests or path.stat().st_mtime < time.time() - _LEFT_S:
                    path.unlink()

    def place(self, digest: str) -> Path:
        """Where the content with this SHA-256 is."""
        return self.folder / digest[:2] / digest


def type_of(content: bytes) -> str:
    """A file's type by how it begins; whatever was claimed does not count."""
    for start, mime in _MAGIC:
        if content.startswith(start):
            return mime
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return OTHER_TYPE
    return "text/plain" if content and "\0" not in text else OTHER_TYPE


def safe_name(name: str) -> str:
    """A name without folders and control characters, and not too long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable()).strip(" .")[-150:] or "file"


def _attachment_of(row: sqlite3.Row) -> Attachment:
    values = {**dict(row), "public": bool(row["public"])}
    return Attachment(**values)

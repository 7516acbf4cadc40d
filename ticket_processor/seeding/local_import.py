"""A local helpdesk for invented tickets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..analysis.text.cleaning import as_text
from ..helpdesk.local_model import NewTicket
from ..helpdesk.local_store import LocalStore
from .accounts import SandboxVerdict, tag_of, with_attachments


class LocalSeedTarget:
    """A local helpdesk to seed; ``now`` is its clock. Use from one thread."""

    def __init__(self, store: LocalStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def judge(self) -> SandboxVerdict:
        """See :meth:`SeedAccount.judge`: a place for invented tickets holds no others."""
        counts = self._store.tag_counts()
        invented = sum(count for tag, count in counts.items() if tag.startswith("seed_"))
        others = sum(self._store.counts()["status"].values()) - invented
        if others:
            return SandboxVerdict(False, f"it holds {others} tickets that were not invented")
        return SandboxVerdict(True, "it holds no tickets but invented ones")

    def mark(self, item: Mapping[str, Any]) -> str:
        """See :meth:`SeedAccount.mark`."""
        return tag_of(item)

    def existing(self) -> set[str]:
        """See :meth:`SeedAccount.existing`: the tags of all tickets."""
        return set(self._store.tag_counts())

    def create(self, item: Mapping[str, Any], mark: str) -> bool:
        """See :meth:`SeedAccount.create`."""
        self._store.create(_ticket(item, mark), self._now())
        return True


def _ticket(item: Mapping[str, Any], tag: str) -> NewTicket:
    comment = with_attachments(item)
    text = comment.get("body") or as_text(comment.get("html_body", ""))
    person = item["requester"]
    return NewTicket(
        item["subject"],
        text,
        person["email"],
        name=person["name"],
        channel=item["channel"],
        tags=(*item["tags"], tag),
    )

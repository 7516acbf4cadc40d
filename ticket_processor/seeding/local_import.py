"""Putting invented tickets into a local helpdesk, one after the other and never twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..analysis.text.cleaning import as_text
from ..helpdesk.local_model import NewTicket
from ..helpdesk.local_store import LocalStore
from .accounts import SandboxVerdict, Seeded, with_attachments
from .freshdesk_import import seed_tag


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

    def create(
        self, tickets: Iterator[Mapping[str, Any]], *, progress: Callable[[int], None] = lambda _n: None
    ) -> Seeded:
        """See :meth:`SeedAccount.create`."""
        known = set(self._store.tag_counts())
        created = existing = 0
        for item in tickets:
            tag = seed_tag(str(item["external_id"]))
            if tag in known:
                existing += 1
            else:
                self._store.create(_ticket(item, tag), self._now())
                known.add(tag)
                created += 1
            progress(1)
        return Seeded(created, existing)


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

"""Whether this account's jobs of many updates may be trusted with notes, and how that is known.

Zendesk does not document whether an item of a job keeps its comment, its metadata and its own stamp. Without them a job
could publish nothing, guard nothing, or leave no proof; so a job is used only where they have been seen to hold.
"""

from __future__ import annotations

from pydantic import ConfigDict, ValidationError

from ..core.clock import parse_iso
from ..core.models import Frozen
from ..state.store import State

FACT = "batch"
DAY_S = 86_400.0


class BatchTrust(Frozen):
    """Findings about an account's jobs; ``None`` where no job has shown it yet.

    ``comment``, ``metadata``: an item's note and metadata arrive. ``private``: its note stays internal. ``stamps``: an
    item with an old stamp fails. What earlier versions stored besides is passed over.
    """

    model_config = ConfigDict(extra="ignore")

    at: str
    ok: bool
    comment: bool
    private: bool
    metadata: bool
    stamps: bool | None
    why: str = ""

    def age_s(self, now: float) -> float:
        """Seconds since this was found; a date that is none is as old as can be."""
        try:
            return now - parse_iso(self.at)
        except ValueError:
            return now


def learnt(state: State) -> BatchTrust | None:
    """The findings about the account's jobs; ``None`` when there are none, or they cannot be read."""
    text = state.fact(FACT)
    if text is None:
        return None
    try:
        return BatchTrust.model_validate_json(text)
    except ValidationError:
        return None


PASSED_OVER = "a job's item was written although its ticket had changed since it was read"
STALE_DONE = "a job's item was done although its stamp was out of date"


def revoked(state: State, now: str) -> BatchTrust:
    """Withdraw the trust in an account's jobs, whose items have passed over an edit: single updates from now on."""
    before = learnt(state)
    known = BatchTrust(
        at=now,
        ok=False,
        comment=before is None or before.comment,
        private=before is None or before.private,
        metadata=before is None or before.metadata,
        stamps=False,
        why=PASSED_OVER,
    )
    remember(state, known)
    return known


def remember(state: State, known: BatchTrust) -> None:
    """Store it for the runs to come; what was known before is replaced."""
    state.remember(**{FACT: known.model_dump_json()})

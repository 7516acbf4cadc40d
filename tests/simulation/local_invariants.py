"""What must never happen in stories on the local helpdesk: all that holds on Zendesk, and an honest record."""

from __future__ import annotations

from . import reply_invariants
from .local_world import LocalWorld


def violations(world: LocalWorld) -> list[str]:
    """One sentence for each broken promise; empty when all were kept."""
    return [*world.account.faults, *reply_invariants.violations(world)]

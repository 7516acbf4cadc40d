"""A run with two releases: the candidate decides a share of the tickets, the same ones in every run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from ..analysis.chain import Understanding
from ..core.errors import ConfigError
from ..core.models import Analysis, Decision, Ticket
from ..learning.releases import changed, decides, release_id, values_of
from ..policy.decide import decide
from ..policy.skip_rules import in_share
from ..settings.schema import Settings
from .learning import labels_by

KEPT = ("policy.tag_prefix", "policy.thanks_keep_solved")
"""Settings that decide and must be the same in both: a ticket is known to be done by them, or they concern no label."""
OF_DRAFTS = ("policy.note", "policy.preset", "policy.tiers")
"""Those that drafts of replies go by, which are the running release's."""


@dataclass(frozen=True)
class SplitWanted:
    """The settings of the candidate, and the percentage of tickets that it decides."""

    candidate: Settings
    percent: float

    def has(self, ticket_id: int) -> bool:
        """Whether the candidate decides this ticket."""
        return in_share("split", ticket_id, self.percent)


class Split:
    """Two releases that understand and decide a run's tickets, each its own."""

    def __init__(self, running: Settings, wanted: SplitWanted) -> None:
        self._running = running
        self._wanted = wanted
        self._chains: tuple[Understanding, ...] = ()
        self._ids = release_id(running), release_id(wanted.candidate)

    @classmethod
    def of(cls, running: Settings, wanted: SplitWanted, tell: Callable[[str], object]) -> Split | None:
        """The split; ``None`` where both decide alike, as once the candidate is in place. ``tell`` hears which it is.

        Raises :class:`ConfigError` where they differ in more than decisions.
        """
        _check(running, wanted.candidate)
        split = cls(running, wanted)
        if len(set(split._ids)) > 1:
            share = f"the candidate decides {wanted.percent:g}% of tickets"
            tell(f"{share}; 'ticketbot release show' compares what people keep")
            return split
        tell("--split: the candidate decides as the settings do, so nothing is split")
        return None

    @property
    def facts(self) -> Mapping[str, object]:
        """What the first receipt says of it."""
        by = {"labels_by": labels_by(self._wanted.candidate)} if self._running.learning.collect_share else {}
        return {"release": self._ids[0], "split": {"release": self._ids[1], "percent": self._wanted.percent, **by}}

    def enter(
        self, stack: ExitStack, chain: Callable[[Settings, str, str], AbstractContextManager[Understanding]]
    ) -> Understanding:
        """The chains of both, made by ``chain`` from settings, their release and the other; gives the running one."""
        (one, other), settings = self._ids, (self._running, self._wanted.candidate)
        self._chains = (
            stack.enter_context(chain(settings[0], one, other)),
            stack.enter_context(chain(settings[1], other, one)),
        )
        return self._chains[0]

    def __call__(self, ticket: Ticket) -> Analysis:
        """As :class:`Understanding`."""
        return self._chain(ticket.id)(ticket)

    def without_models(self, ticket: Ticket, why: str) -> Analysis:
        """As :class:`Understanding`."""
        return self._chain(ticket.id).without_models(ticket, why)

    @property
    def details(self) -> dict[str, str]:
        """As :class:`Understanding`."""
        return {why: more for chain in self._chains for why, more in chain.details.items()}

    @property
    def price_note(self) -> str:
        """As :class:`Understanding`."""
        return "; ".join(dict.fromkeys(chain.price_note for chain in self._chains if chain.price_note))

    def decide(self, ticket_id: int, analysis: Analysis) -> Decision:
        """The decision of the release that the ticket falls to."""
        settings = self._wanted.candidate if self._wanted.has(ticket_id) else self._running
        return decide(ticket_id, analysis, settings.policy, settings.taxonomy)

    def _chain(self, ticket_id: int) -> Understanding:
        return self._chains[self._wanted.has(ticket_id)]


def _check(running: Settings, candidate: Settings) -> None:
    """Raises :class:`ConfigError` with each setting that differs and is no decision."""
    kept = (*KEPT, *OF_DRAFTS) if running.replies.wanted else KEPT

    def may_differ(name: str) -> bool:
        return (decides(name) or name.startswith("models.")) and not name.startswith(kept)

    found = changed(values_of(running), values_of(candidate))
    strange = [item.name for item in found if not may_differ(item.name)]
    if strange:
        raise ConfigError(*(f"--split: {name} differs, and the two must decide differently only" for name in strange))

"""A run with two settings files: a candidate decides a share of the tickets, the same ones in every run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from pydantic import BaseModel

from ..analysis.chain import Understanding
from ..core.errors import ConfigError
from ..core.models import Analysis, Decision, Ticket
from ..policy.decide import decide
from ..policy.skip_rules import in_share
from ..settings.load import DEFAULT_FILE, config_file, load_candidate
from ..settings.schema import Settings

MAY_DIFFER = (
    *("models", "policy", "classifier", "entities", "team_language", "learning", "categories", "fallback_category"),
)
"""The settings that decide what becomes of a ticket."""
MUST_NOT = ("policy.tag_prefix", "policy.thanks_keep_solved")
"""Settings of those that must be the same: a ticket is known to be done by them, or they concern no label."""
OF_DRAFTS = ("policy.note", "policy.preset", "policy.tiers")
"""Those that drafts of replies go by, which are the running settings'."""


class Split:
    """Two settings files that understand and decide a run's tickets, each its own; the candidate ``percent`` of them.

    ``names`` are those of the running settings file and of the candidate's, by which receipts name them.
    """

    def __init__(self, running: Settings, candidate: Settings, percent: float, names: tuple[str, str]) -> None:
        self._settings = running, candidate
        self._percent = percent
        self._names = names
        self._chains: tuple[Understanding, ...] = ()

    @property
    def facts(self) -> Mapping[str, object]:
        """What the first receipt says of it."""
        return {"split": {"settings_file": self._names[1], "percent": self._percent}}

    def enter(
        self, stack: ExitStack, chain: Callable[[Settings, str], AbstractContextManager[Understanding]]
    ) -> Understanding:
        """The chains of both, made by ``chain`` from settings and their file's name; gives the running one."""
        self._chains = tuple(
            stack.enter_context(chain(settings, name))
            for settings, name in zip(self._settings, self._names, strict=True)
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
        """The decision of the settings that the ticket falls to."""
        settings = self._settings[in_share("split", ticket_id, self._percent)]
        return decide(ticket_id, analysis, settings.policy, settings.taxonomy)

    def _chain(self, ticket_id: int) -> Understanding:
        return self._chains[in_share("split", ticket_id, self._percent)]


def split_of(
    running: Settings, candidate: Path, percent: float, config: Path | None, flags: Mapping[tuple[str, ...], object]
) -> Split | None:
    """The split that the command line asks for; ``None`` where both decide alike, as once the candidate is in place.

    Raises :class:`ConfigError`, also where the two differ in more than decisions.
    """
    places = (config_file(config=config) or Path(DEFAULT_FILE), candidate)
    mine, other = (re.sub(r"[^\w.-]", "_", place.name)[-80:] for place in places)
    if mine == other:
        raise ConfigError(f"--candidate: receipts name both settings files, so call this one other than {other}")
    changed = load_candidate(candidate, config=config, flags=flags)
    names = [*_differing(running, changed)]
    must_not = (*MUST_NOT, *OF_DRAFTS) if running.replies.wanted else MUST_NOT
    strange = [name for name in names if name.split(".")[0] not in MAY_DIFFER or name.startswith(must_not)]
    if strange:
        raise ConfigError(*(f"--split: {name} differs, and the two may differ in decisions only" for name in strange))
    return Split(running, changed, percent, (mine, other)) if names else None


def _differing(one: BaseModel, other: BaseModel, above: str = "") -> Iterator[str]:
    """The names of the settings that are not the same in both."""
    for name in type(one).model_fields:
        mine, theirs = getattr(one, name), getattr(other, name)
        if isinstance(mine, BaseModel) and type(mine) is type(theirs):
            yield from _differing(mine, theirs, f"{above}{name}.")
        elif mine != theirs and name not in ("notices", "stop_set_by", "lost"):
            yield f"{above}{name}"

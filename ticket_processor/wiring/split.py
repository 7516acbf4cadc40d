"""A run with two settings files: a candidate decides a share of the tickets, the same ones in every run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from ..core.errors import ConfigError
from ..settings.load import load_candidate, settings_file
from ..settings.schema import Settings

MAY_DIFFER = (
    *("models", "policy", "classifier", "entities", "team_language", "learning", "categories", "fallback_category"),
)
"""The settings that decide what becomes of a ticket."""
MUST_NOT = ("policy.tag_prefix", "policy.thanks_keep_solved")
"""Settings of those that must be the same: a ticket is known to be done by them, or they concern no label."""
OF_DRAFTS = ("policy.note", "policy.preset", "policy.tiers")
"""Those that drafts of replies go by, which are the running settings'."""


@dataclass(frozen=True)
class Split:
    """The settings that understand and decide ``percent`` of a run's tickets, in place of the running ones.

    ``names`` are those of the running settings file and of the candidate's, by which receipts name them.
    """

    candidate: Settings
    percent: float
    names: tuple[str, str]


def split_of(
    running: Settings, candidate: Path, percent: float, config: Path | None, flags: Mapping[tuple[str, ...], object]
) -> Split | None:
    """The split that the command line asks for; ``None`` where both decide alike, as once the candidate is in place.

    Raises :class:`ConfigError`, also where the two differ in more than decisions.
    """
    places = (settings_file(config), candidate)
    mine, other = (re.sub(r"[^\w.-]", "_", place.name)[-80:] for place in places)
    if mine == other:
        raise ConfigError(f"--candidate: receipts name both settings files, so call this one other than {other}")
    changed = load_candidate(candidate, config=config, flags=flags)
    names = [*_differing(running, changed)]
    must_not = (*MUST_NOT, *OF_DRAFTS) if running.replies.wanted else MUST_NOT
    strange = [name for name in names if name.split(".")[0] not in MAY_DIFFER or name.startswith(must_not)]
    if strange:
        raise ConfigError(*(f"--split: {name} differs, and the two may differ in decisions only" for name in strange))
    return Split(changed, percent, (mine, other)) if names else None


def _differing(one: BaseModel, other: BaseModel, above: str = "") -> Iterator[str]:
    """The names of the settings that are not the same in both."""
    for name in type(one).model_fields:
        mine, theirs = getattr(one, name), getattr(other, name)
        if isinstance(mine, BaseModel) and type(mine) is type(theirs):
            yield from _differing(mine, theirs, f"{above}{name}.")
        elif mine != theirs and name not in ("notices", "stop_set_by", "lost"):
            yield f"{above}{name}"

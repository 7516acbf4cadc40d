"""What settings would decide on the analyses that receipts hold, against what was decided then. Pure: nobody is asked.

Models, classifier and keyword rules are not asked again, so only settings of decisions (``[policy]``, categories) show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..audit.receipts import logged_change
from ..core.models import Analysis, Ticket
from ..core.service_times import BY_CLOCK
from ..policy.decide import decide
from ..settings.schema import Settings
from ..tags import merge
from .story import changes_of

TRIAGED_AGAIN = "triaged again: their receipts do not tell all labels"
UNREADABLE = "their analysis is from a version that stored it otherwise"
_NAMES = ("category", "subcategory")
Effect = tuple[str, str, str]
"""What is affected, with the value then and the value now; empty where there is none."""


@dataclass(frozen=True)
class WhatIf:
    """The result: ``changed`` holds the effects by ticket, oldest first, ``left_out`` counts tickets by reason."""

    compared: int
    changed: Mapping[int, tuple[Effect, ...]]
    left_out: Mapping[str, int]

    @property
    def kinds(self) -> dict[str, int]:
        """How many tickets differ in each kind of effect."""
        return dict(
            Counter(name for found in self.changed.values() for name in {what.split()[0] for what, *_ in found})
        )


def what_if(lines: Iterable[Mapping[str, Any]], settings: Settings, marker: str) -> WhatIf:
    """Decide again with ``settings``, for each ticket that ``lines`` of the log triaged first; ``marker`` is its tag.

    A ticket's tags and fields before the write are not in the log: it counts as one without any.
    """
    found, again = dict[int, tuple[Effect, ...] | None](), set[int]()
    for line in lines:
        written = line.get("event") == "ticket" and line.get("outcome") in ("updated", "suggested")
        change, number = line.get("change"), line.get("ticket_id")
        if written and not line.get("dry_run") and line.get("analysis") and change and isinstance(number, int):
            tags = change.get("tags_added") if isinstance(change, dict) else None
            if isinstance(tags, list | tuple) and marker not in tags:
                again.add(number)
                continue
            try:
                found[number] = tuple(_effects(line, settings))
            except (ValueError, TypeError, AttributeError, KeyError):
                found[number] = None
    unreadable = sum(effects is None for effects in found.values())
    left_out = {TRIAGED_AGAIN: len(again - found.keys()), UNREADABLE: unreadable}
    return WhatIf(
        compared=len(found) - unreadable,
        changed={number: effects for number, effects in found.items() if effects},
        left_out={why: count for why, count in left_out.items() if count},
    )


def _effects(line: Mapping[str, Any], settings: Settings) -> Iterator[Effect]:
    """The differences of one receipt. Raises as reading a malformed one does."""
    written, taxonomy = line["change"], settings.taxonomy
    stored = {"summary": "", **{name: value for name, value in line["analysis"].items() if value is not None}}
    stored |= {name: taxonomy.today(stored[name]) or stored[name] for name in _NAMES if name in stored}
    before = {name: (written.get(name) or {}).get("from") for name in ("priority", "group")}
    soon = BY_CLOCK in (written.get("escalated") or ())
    decision = decide(line["ticket_id"], Analysis.model_validate(stored), settings.policy_here, taxonomy, due_soon=soon)
    noted = decision.model_copy(update={"note": decision.note and "."})  # whether there is one is all that counts
    change = merge(Ticket(id=line["ticket_id"], created_at="", updated_at="", **before), noted, key="")
    then, now = set(changes_of(written)), set(changes_of(logged_change(change)))
    gone, come = sorted(then - now), sorted(now - then)
    for what, _, value in gone:
        match = next((one for one in come if one[0] == what), None) if what not in ("tag", "escalated") else None
        if match:
            come.remove(match)
        yield what, value, match[2] if match else ""
    yield from ((what, "", value) for what, _, value in come)

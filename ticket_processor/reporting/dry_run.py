"""A dry run in words that fit a screen: what would be written in numbers, ten tickets, where the rest stands. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ..core.models import Change, OutcomeStatus, Priority, Urgency
from .run_tally import Seen, telling
from .run_words import counted, difference, new_values

MOST_IN_FULL = 3
"""So few tickets are shown whole, and without totals."""
MOST_SHORT = 10
_STAYS, _NONE = "set already", "not set"


def planned_lines(planned: Sequence[Seen], *, details: bool = False) -> list[str]:
    """What a dry run shows before its summary; with ``details`` every ticket's whole difference."""
    changing = [seen for seen in planned if seen.outcome.status is OutcomeStatus.PLANNED]
    if details or len(changing) <= MOST_IN_FULL:
        return [line for seen in planned for line in difference(seen).splitlines()]
    chosen = telling(changing, MOST_SHORT)
    changes = [seen.outcome.change for seen in changing if seen.outcome.change is not None]
    on_each = frozenset.intersection(*(frozenset(each.tags_added) for each in changes)) if changes else frozenset()
    notes = sum(each.note is not None for each in changes)
    tags = f"; +{' +'.join(sorted(on_each))} on each" if on_each else ""
    lines = [
        f"Would be written on {len(changing):,} tickets, {notes:,} with a note{tags}:",
        *_totals(changing, changes),
    ]
    lines += [line for seen in chosen for line in _short(seen, on_each)]
    if rest := len(changing) - len(chosen):
        lines.append(f"The other {rest:,}: use --details, or --json for a program.")
    return [*lines, ""]


def _totals(planned: Sequence[Seen], changes: Sequence[Change]) -> Iterable[str]:
    analyses = [seen.outcome.analysis for seen in planned if seen.outcome.analysis is not None]
    yield f"  category: {counted(Counter(each.category for each in analyses))}"
    yield f"  urgency: {counted(Counter(each.urgency for each in analyses), tuple(Urgency))}"
    priorities = Counter(each.priority or (_STAYS if each.priority_before else _NONE) for each in changes)
    yield f"  priority: {counted(priorities, (*Priority, _STAYS, _NONE))}"
    if groups := sum(each.group is not None for each in changes):
        yield f"  group: {groups}"
    reasons = Counter(reason.replace("_", " ") for each in changes for reason in each.escalated)
    escalated = sum(bool(each.escalated) for each in changes)
    yield f"  escalated: {escalated}" + (f" ({counted(reasons)})" if escalated else "")


def _short(seen: Seen, on_each: frozenset[str]) -> Iterable[str]:
    """A ticket in three lines; its address is left out, since its number finds it."""
    outcome, change = seen.outcome, seen.outcome.change
    yield f"ticket {outcome.ticket_id}  {f'“{seen.subject}”' if seen.subject else ''}".rstrip()
    if change is None:
        return
    tags = [f"+{tag}" for tag in change.tags_added if tag not in on_each] + [f"-{tag}" for tag in change.tags_removed]
    yield "  " + (" ".join(tags) or "no other tags")
    yield "  " + "; ".join([*new_values(change), _note(change)])


def _note(change: Change) -> str:
    if change.note is None:
        return "no note"
    lines = change.note.splitlines()
    return "a note of 1 line" if len(lines) == 1 else f"a note of {len(lines)} lines"

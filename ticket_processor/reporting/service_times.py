"""Service times by category: met, missed, at risk now, as runs have read them. From the state alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress

from ..core.errors import StateUnusable
from ..core.service_times import State as TimeState
from ..core.tables import SENTENCES, Table
from ..settings.schema import Settings
from ..state.store import FILE_NAME, State
from .queries import LogSelection

STATES: tuple[TimeState, ...] = ("met", "breached", "at risk", "open")
TOLD = (
    "Of tickets triaged in the last 100 days, as a run has last read them: an answer that no run has read yet counts "
    "as missing. Zendesk gives times only to tickets with a priority, and Freshdesk names no policy."
)


def found_times(settings: Settings, selection: LogSelection, now: float) -> Mapping[str, Mapping[str, int]] | None:
    """Counts of service times by category and state, most missed first; ``None`` where the settings read none.

    Only a selection by category can be followed; with any other one it is ``None`` too.
    """
    minutes, path = settings.policy.escalation.sla_minutes, settings.state_folder / FILE_NAME
    chosen = {name: labels for name, labels in selection.labels.items() if labels}
    if not minutes or chosen.keys() - {"category"} or selection.text or not path.exists():
        return None
    found: dict[str, Counter[str]] = {}
    with suppress(StateUnusable), closing(State.scratch_copy(path)) as state:
        for kept in state.service_times():
            wanted = kept.category in chosen.get("category", (kept.category,))
            if wanted and selection.since <= kept.at < selection.until:
                counted = found.setdefault(kept.category, Counter())
                counted.update(time.state(now, minutes) for time in kept.times)
    ranked = sorted(found.items(), key=lambda item: (-item[1]["breached"], -item[1]["at risk"], item[0]))
    return {name: {state: counts[state] for state in STATES} for name, counts in ranked if counts.total()}


def times_tables(found: Mapping[str, Mapping[str, int]] | None) -> Iterator[Table]:
    """The counts, and what they cannot tell."""
    if not found:
        return
    rows = tuple((name, *(f"{counts[state]:,}" for state in STATES)) for name, counts in found.items())
    columns = ("<category", "met", "breached", "at risk now", "open")
    yield Table("Service times", columns, rows)
    yield Table("What service times count", SENTENCES, ((TOLD,),))

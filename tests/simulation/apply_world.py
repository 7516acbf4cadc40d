"""Stories in which dry runs keep what they would write, and it is written later, among runs, people and crashes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from ticket_processor.core import reasons
from ticket_processor.core.models import Outcome
from ticket_processor.core.run_summary import RunSummary
from ticket_processor.pipeline import context, planned_writes
from ticket_processor.pipeline.planned_writes import PlannedLine, PlannedRun
from ticket_processor.pipeline.run import Run
from ticket_processor.state.store import State

from .guards import Guard, patch
from .invariants import violations
from .world import World

ACCOUNT = "https://acme.zendesk.com"


class ApplyWorld(World):
    """One story in which most runs are followed by a dry run, and that by one or two that apply its file."""

    def __init__(self, seed: int, **options: object) -> None:
        self.plans = random.Random(f"plans {seed}")
        self.files: dict[str, dict[int, str]] = {}
        """What each dry run kept: the lines by ticket."""
        self.stamps: dict[str, dict[int, str]] = {}
        """For each run that applies a file: the stamps that it is to hold to, but for what was begun before."""
        self._scratch: list[State] = []
        super().__init__(seed, **options)  # type: ignore[arg-type]

    def concerns(self, ticket_id: int, state: State) -> bool:
        return state not in self._scratch and super().concerns(ticket_id, state)

    def _schedule_run(self, moment: float, name: str, *, since: float | None, state: State | None = None) -> None:
        super()._schedule_run(moment, name, since=since, state=state)
        # In the others nothing but stamps keeps two runs at once apart.
        if not self.faulty or name.startswith("quiet") or self.mishaps.upgrade is not None or self.mishaps.unguarded:
            return
        begin = moment + self.plans.uniform(-25, 60)
        self.time.start(begin, partial(self._plan, f"plan.{name}", state))
        for number in range(self.plans.choice((1, 1, 2))):
            later = begin + self.plans.choice((self.plans.uniform(5, 60), self.plans.uniform(20, 900)))
            self.time.start(later, partial(self._apply, f"apply.{name}.{number}", f"plan.{name}", state))

    def _plan(self, name: str, state: State | None) -> None:
        scratch = State(None)
        self._scratch.append(scratch)
        (state or self.state)._db.backup(scratch._db)
        kept = self.files[name] = {}

        def keep(outcome: Outcome) -> None:
            line = planned_writes.planned_write(outcome, scratch, ACCOUNT)
            if line is not None:
                kept[line.ticket_id] = line.model_dump_json(exclude_defaults=True)

        self._run(name, self.time.now() - 7200, scratch, dry_run=True, listener=keep, work_of=Run.execute)
        scratch.close()

    def _apply(self, name: str, plan: str, state: State | None) -> None:
        lines = [PlannedLine.model_validate_json(line) for line in self.files.get(plan, {}).values()]

        def work(run: PlannedRun) -> RunSummary:
            begun = {item.verdict.ticket_id for item in (state or self.state).unsettled()}
            self.stamps[name] = {line.ticket_id: line.unchanged_at for line in lines if line.ticket_id not in begun}
            return run.write(line.verdict() for line in lines)

        self._run(name, None, state, kind=PlannedRun, work_of=work)


def broken_promises(world: ApplyWorld) -> list[str]:
    """Those of every story; that dry runs only read; and that no planned write was made of a ticket as it is now."""
    found = violations(world)
    for run, method, path, *_ in world.wire:
        if run.startswith("plan") and method != "GET" and "oauth" not in path:
            found.append(f"22 planned: the dry run {run} sent {method} {path}")
    for number in world.tickets:
        for audit in world.our_writes(number):
            run = audit.custom.get("ticketbot", {}).get("intent", "").rpartition("-")[0]
            planned = world.stamps.get(run, {}).get(number)
            # Where stamps are ignored, an item comes through whose stamp is made stale to try that.
            if (
                planned is not None
                and not world.mishaps.ignores_stamps
                and audit.raw.get("updated_stamp", planned) != planned
            ):
                found.append(f"ticket {number}: 22 planned: {run} wrote on it although it had changed since")
    return found


def applied_in(world: ApplyWorld) -> Counter[str]:
    """What the story held of planned writes."""
    held = Counter({"planned writes": sum(map(len, world.files.values()))})
    for line in world.log:
        if line["event"] == "ticket" and line["run_id"].startswith("apply"):
            held["planned writes made"] += line["outcome"] == "updated"
            held["planned writes left out: changed since"] += line["reason"] == reasons.CHANGED_SINCE
            held["planned writes left out: done"] += line["reason"] == reasons.ALREADY_DONE
    return held


def _as_it_is(verdict: Any, whole: Any = PlannedLine.verdict) -> Any:
    return whole(verdict).model_copy(update={"unchanged_at": ""})


APPLY_MUTATIONS: Mapping[str, Guard] = {
    "a planned write is made whatever the ticket has become": Guard(21, patch(PlannedLine, "verdict", _as_it_is)),
    "a planned write that comes too late settles its ticket": Guard(
        81, patch(context, "reasons", SimpleNamespace(CHANGED_SINCE=""))
    ),
}
"""Guards of planned writes; the simulation must notice that each is gone."""

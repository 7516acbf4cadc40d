"""Stories in which tickets have service times, and runs come long after them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ticket_processor.core import service_times
from ticket_processor.core.clock import parse_iso
from ticket_processor.helpdesk.protocol import Helpdesk
from ticket_processor.helpdesk.transport import Transport
from ticket_processor.pipeline import select
from ticket_processor.pipeline.analyse import Verdicts
from ticket_processor.policy.note import Escalation
from ticket_processor.state.records import Verdict
from ticket_processor.state.store import State
from ticket_processor.zendesk import Zendesk

from . import invariants
from .guards import Guard, patch
from .world import GROUPS, World

POLICY = "Gold"


class ServiceWorld(World):
    """One story with ``policy.escalation.sla_minutes``. What else happens is drawn as in every other story."""

    def __init__(self, seed: int, **options: object) -> None:
        self.terms = random.Random(f"service times {seed}")
        super().__init__(seed, **options)  # type: ignore[arg-type]
        self.minutes = self.terms.choice((15, 60, 120))
        group = self.terms.choice((None, GROUPS[0]))
        self.policy = self.policy.model_copy(update={"escalation": Escalation(sla_minutes=self.minutes, group=group)})
        store = self.sandbox.store
        targets = {
            name: dict.fromkeys(("urgent", "high", "normal", "low"), self.terms.randint(5, 300))
            for name in ("first_reply_time", "total_resolution_time")
        }
        store.sla_policy = {"title": POLICY, "minutes": targets}
        made = store.create
        store.create = lambda **given: made(**{"priority": self.terms.choice((None, "normal", "high")), **given})

    def _client(self, transport: Transport, state: State) -> Helpdesk:
        return Zendesk(transport, page_size=self.dice.choice((1, 2, 100)), service_times=True)


def violations(world: ServiceWorld) -> list[str]:
    """One sentence for each broken promise; empty when all were kept."""
    return [*invariants.violations(world), *_by_the_clock_alone(world), *_decided_again(world), *_too_early(world)]


def _intents(world: ServiceWorld) -> Iterator[dict[str, Any]]:
    return (line for line in world.log if line["event"] == "intent")


def _by_the_clock_alone(world: ServiceWorld) -> Iterator[str]:
    """A write after the first adds an escalation, and the time is all that asks for it."""
    seen = set[int]()
    for line in _intents(world):
        change, number = line["change"], line["ticket_id"]
        alone = list(change["escalated"]) == [service_times.BY_CLOCK] and "ai_escalated" in change["tags_added"]
        if alone and number in seen and change["tags_removed"] and line["run_id"] not in world.asked:
            yield f"ticket {number}: 10 self-feeding: time alone escalated it in a later write"
        seen.add(number)


def _decided_again(world: ServiceWorld) -> Iterator[str]:
    """Two attempts at one write escalate for different things, although the state had the decision."""
    if not world.keeps_state or world._overlap or world.mishaps.asks:
        return
    decided: dict[int, tuple[str, bool]] = {}
    for line in world.log:
        number = line.get("ticket_id")
        if line["event"] == "intent" and line["change"]["note"]:
            said = (line["change"]["key"], service_times.BY_CLOCK in line["change"]["escalated"])
            earlier = decided.setdefault(number, said)
            if earlier[0] == said[0] and earlier != said:
                yield f"ticket {number}: 8 atomic pair: its escalation was decided again"
        elif line.get("what") == "dead_letter" or _ends(line):
            decided.pop(number, None)  # whoever takes it up again analyses it again


def _ends(line: dict[str, Any]) -> bool:
    return line["event"] == "ticket" and line["outcome"] != "failed" and not line["reason"].startswith("deferred")


def _too_early(world: ServiceWorld) -> Iterator[str]:
    """By the helpdesk's clock, whatever this machine's says."""
    for line in world.log:
        times = line.get("service_times")
        if line["event"] != "ticket" or not times or not line["change"] or line["outcome"] == "planned":
            continue
        writes = [audit for audit in world.our_writes(line["ticket_id"]) if line["intent"] in str(audit.custom)]
        due = [parse_iso(one["due_at"]) for one in times if one["due_at"] and not one["ended"]]
        escalated = service_times.BY_CLOCK in line["change"]["escalated"]
        if escalated and writes and (not due or min(due) - writes[0].at > world.minutes * 60):
            yield f"ticket {line['ticket_id']}: 15 clock: escalated before its time"


def timed_in(world: ServiceWorld) -> dict[str, int]:
    """How much of what these stories are about has happened."""
    lines = [line for line in world.log if line["event"] == "ticket" and line["change"]]
    said = [line["change"]["note"] or "" for line in lines]
    return {
        "tickets escalated for their time": sum(service_times.BY_CLOCK in x["change"]["escalated"] for x in lines),
        "notes with a time": sum(f"(from policy {POLICY})" in note for note in said),
    }


_TIMES = Verdicts._times


def _anew(self: Verdicts, work: select.Work, analysis: Any) -> Any:
    return _TIMES(self, replace(work, anew=True), analysis)


def _again(self: select.Triage, verdict: Verdict) -> Verdict:
    if verdict.analysis is None or verdict.follows:
        return verdict
    decision = self._decide(verdict.ticket_id, verdict.analysis, due_soon=not verdict.due_soon)
    return verdict.model_copy(update={"decision": decision})


SERVICE_MUTATIONS = {
    "time alone escalates in a later write": Guard(115, patch(Verdicts, "_times", _anew)),
    "the escalation decided anew on resume": Guard(1, patch(select.Triage, "revised", _again)),
    "every service time ends soon": Guard(1, patch(service_times, "ends_soon", return_value=True)),
}

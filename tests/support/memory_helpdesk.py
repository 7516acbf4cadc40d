"""Whole runs in memory, on a helpdesk whose record says of every write what it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ticket_processor.analysis.chain import Understanding
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.redact import RedactedText
from ticket_processor.audit.files import read_events
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.clock import Deadline, iso
from ticket_processor.core.errors import MissingPart, PartRefused
from ticket_processor.core.models import Analysis, Change, Outcome, Overwrite, Ticket, Urgency
from ticket_processor.core.run_summary import RunSummary
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.helpdesk.protocol import Helpdesk, Page
from ticket_processor.helpdesk.ticket_history import Edit, History
from ticket_processor.pipeline.analyse import Judge
from ticket_processor.pipeline.context import Parts, RunOptions
from ticket_processor.pipeline.fan_out import Threads
from ticket_processor.pipeline.jobs import Delivery
from ticket_processor.pipeline.planned_writes import PlannedRun
from ticket_processor.pipeline.run import Run
from ticket_processor.policy.decide import FieldPolicy, Policy
from ticket_processor.policy.skip_rules import Selection, SkipRules
from ticket_processor.state.records import Verdict
from ticket_processor.state.store import State

from ..simulation.virtual import SerialExecutor
from .fakes import START, FakeDesk, Hosted, ItemFate, ManualClock, an_analysis

RULES = RulesAnalyser(default_taxonomy())
PLAIN = Policy()
ALWAYS = Policy(
    priority=FieldPolicy(overwrite=Overwrite.ALWAYS),
    group=FieldPolicy(overwrite=Overwrite.ALWAYS),
    fields=FieldPolicy(overwrite=Overwrite.ALWAYS),
)
AS_JOBS = Delivery("auto")
ONE_BY_ONE = Delivery("single")


def wants(group: int | None = None, **fields: str) -> Taxonomy:
    """Tickets about billing get this group and these fields, named ``f20`` and so on."""
    values = {int(name[1:]): value for name, value in fields.items()}
    return Taxonomy(
        categories=(
            Category(name="billing", description="Money.", group=group, fields=values),
            Category(name="general", description="Everything else."),
        )
    )


class TrueDesk(FakeDesk):
    """Every update happens. ``unseen`` is what people do to a ticket right before our next write, in the second of its
    stamp; ``refuses`` names the part of a change that is not taken.
    """

    def __init__(self, *tickets: Ticket) -> None:
        super().__init__(*tickets)
        self.unseen: dict[int, dict[str, Any]] = {}
        self.refuses: Callable[[Change], MissingPart | None] = lambda _change: None

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        self.asked.append(("pages", cursor))
        yield Page(tuple(self.tickets.values()), "c", last=True)

    def update(self, change: Change) -> Edit | None:
        self.written.append(change)
        if (part := self.refuses(change)) is not None:
            raise PartRefused(f"refuses the {part}", part)
        step = self.updates.pop(0) if self.updates else None
        if isinstance(step, Exception):
            raise step
        if step is not None:
            return step(change)
        self.apply(change)
        return self.edits[change.ticket_id][-1]

    def apply(self, change: Change, fate: ItemFate = "made") -> None:
        number = change.ticket_id
        if (fields := self.unseen.pop(number, None)) is not None:
            self.person(number, ago=None, **fields)
        before = self.tickets[number]
        super().apply(change, fate)
        told = self.edits[number].pop()
        self.edits[number].append(told.model_copy(update=difference(before, self.tickets[number])))

    def person(self, number: int, *, ago: float | None = 20.0, **fields: Any) -> None:
        """Somebody changes the ticket ``ago`` seconds before it is read next; ``None`` leaves its stamp alone."""
        before = self.tickets[number]
        stamp = {} if ago is None else {"updated_at": iso(START - ago)}
        self.tickets[number] = after = before.model_copy(update={**fields, **stamp})
        self.edits.setdefault(number, []).append(Edit(at=after.updated_at, author=7, **difference(before, after)))

    def histories(self) -> list[object]:
        return [what for name, what in self.asked if name == "history"]

    def record(self, number: int) -> History:
        return History(edits=tuple(self.edits.get(number, ())))


def difference(before: Ticket, after: Ticket) -> dict[str, Any]:
    """What an edit says of a change from one to the other."""
    keys = before.fields.keys() | after.fields.keys()
    values = {key: (before.fields.get(key), after.fields.get(key)) for key in keys}
    return {
        "tags_added": frozenset(after.tags) - frozenset(before.tags),
        "tags_removed": frozenset(before.tags) - frozenset(after.tags),
        "priority": None if before.priority is after.priority else (before.priority, after.priority),
        "group": None if before.group == after.group else (before.group, after.group),
        "fields": {key: pair for key, pair in values.items() if pair[0] != pair[1]},
    }


class Says:
    """A model that says the same of every ticket."""

    def __init__(self) -> None:
        self.analysis: Analysis = an_analysis(urgency=Urgency.HIGH)

    def analyse(self, _text: RedactedText) -> Analysis:
        return self.analysis


class Ended(NamedTuple):
    """A run that is over."""

    summary: RunSummary
    outcomes: Mapping[int, Outcome]


def run_by_rules(
    desk: Helpdesk,
    state: State,
    clock: ManualClock,
    folder: Path,
    name: str = "run",
    *,
    taxonomy: Taxonomy | None = None,
    seconds: float = 540.0,
    work: Callable[[Run], RunSummary] = Run.execute,
    troubles: Callable[[], Sequence[Any]] = lambda: (),
    **options: Any,
) -> Ended:
    """One whole run by keyword rules on a real client, with its log in ``folder``."""
    audit = AuditLog(folder, clock, name)
    outcomes: dict[int, Outcome] = {}
    parts = Parts(
        desk=desk,
        judge=Judge(
            Understanding([], RULES if taxonomy is None else RulesAnalyser(taxonomy)),
            PLAIN,
            taxonomy or default_taxonomy(),
        ),
        threads=Threads(SerialExecutor()),
        state=state,
        audit=audit,
        deadline=Deadline(clock, seconds),
        host=Hosted(troubles=troubles),
    )
    run = Run(
        parts,
        RunOptions(run_id=name, stable_read_s=1.0, **options),
        lambda outcome: outcomes.update({outcome.ticket_id: outcome}),
    )
    try:
        return Ended(work(run), outcomes)
    finally:
        audit.close()


class Office:
    """A helpdesk, a state and a log, and runs on them. The first begins a day ago."""

    def __init__(self, folder: Path, *tickets: Ticket) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.desk = TrueDesk(*tickets)
        self.state = State(None)
        self.model = Says()
        self.ended: list[Outcome] = []
        self.runs = 0
        self.log = folder

    def run(
        self,
        taxonomy: Taxonomy | None = None,
        *,
        policy: Policy = PLAIN,
        seconds: float = 540.0,
        only: Sequence[int] = (),
        anew: bool = False,
        told: Sequence[int] = (),
        told_of: Callable[[], Sequence[int]] | None = None,
        planned: Sequence[Verdict] = (),
        **options: Any,
    ) -> RunSummary:
        self.runs += 1
        run_id = f"run{self.runs}"
        audit = AuditLog(self.folder, self.clock, run_id)
        self.log = audit.path
        self.ended.clear()
        self.desk.asked.clear()
        self.desk.written.clear()
        given: dict[str, Any] = {"since": START - 86_400 if self.runs == 1 else None, "delivery": ONE_BY_ONE, **options}
        run: Any = (PlannedRun if planned else Run)(
            Parts(
                desk=self.desk,
                judge=Judge(Understanding([self.model], RULES, clock=self.clock), policy, taxonomy),
                threads=Threads(SerialExecutor(), None if told else SerialExecutor()),
                webhook_tickets=told_of,
                state=self.state,
                audit=audit,
                deadline=Deadline(self.clock, seconds),
                selection=Selection(
                    given.pop("rules", SkipRules()), wait_s=given.pop("wait_s", 0), shard=given.pop("shard", None)
                ),
                host=Hosted(check_room=given.pop("room", lambda: None)),
            ),
            RunOptions(run_id=run_id, **given),
            self.ended.append,
        )
        try:
            if planned:
                return run.write(planned)
            if told:
                return run.run_webhook_tickets(told)
            return run.only(only, anew=anew) if only else run.execute()
        finally:
            audit.close()

    def ends(self) -> dict[int, tuple[str, str]]:
        """How each ticket ended in the last run."""
        return {outcome.ticket_id: (outcome.status.value, outcome.reason) for outcome in self.ended}

    def waiting(self) -> list[tuple[int, str, int]]:
        """The retry list: ticket, reason, attempts."""
        return [(item.ticket_id, item.reason, item.attempts) for item in self.state.retries()]

    def alerts(self, what: str) -> list[dict[str, Any]]:
        lines: Sequence[dict[str, Any]] = list(read_events(self.log)) if self.log.is_file() else []
        return [line for line in lines if line["event"] == "alert" and line["what"] == what]

    def logged(self) -> str:
        """Every word of every log."""
        return "".join(path.read_text(encoding="utf-8") for path in self.folder.iterdir() if path.is_file())


Open = Callable[..., Office]
"""Opens an office with these tickets."""

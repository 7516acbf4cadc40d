"""A run put together from its parts, and played: an ordinary one, a retry, one of webhooks, writing from a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..analysis.budget import Budget
from ..analysis.cache import FILE_NAME as ANSWERS
from ..analysis.cache import AnswerStore
from ..analysis.model_server.connection import Connection
from ..audit.erase import beside_others
from ..audit.receipts import AuditLog, look_after
from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError
from ..core.guards import check_room
from ..core.models import Outcome, Ticket
from ..core.run_summary import ClusterUse, RunSummary
from ..helpdesk.protocol import Shard
from ..helpdesk.transport import Transport
from ..pipeline.analyse import Answers, Judge
from ..pipeline.context import Parts, RunChoices, RunOptions
from ..pipeline.fan_out import Threads
from ..pipeline.intake import WebhookTickets
from ..pipeline.planned_writes import PlannedRun
from ..pipeline.record import Listener, RunHost
from ..pipeline.run import Run
from ..pipeline.undo.run import PastRuns
from ..pipeline.verify import SAMPLE
from ..settings.schema import Settings
from ..state.records import ERASING, Verdict
from ..state.store import State
from .cluster import Cluster, ClusterWanted
from .desks import Subjects, desk_for, tidy_local
from .parts import (
    audit_log,
    delivery,
    keyring,
    kill_switch,
    lock,
    new_run_id,
    opened_state,
    selection,
    transport_for,
    understanding,
)

if TYPE_CHECKING:
    from .split import Split
    from .vendors import Desk

SHARD = "shard"
"""The fact by which a state remembers its shard."""
Kind = Literal["run", "retry", "apply", "webhook"]


@dataclass(frozen=True)
class RunArguments(RunChoices):
    """The arguments of a run, besides the settings. ``kind`` says which tickets it handles, and what ``tickets`` are.

    ``run`` lists tickets itself, or takes exactly ``tickets``, with ``again`` also those that are done; or all that an
    earlier run wrote to: ``again_run`` is its id, the beginning of it, or ``latest``. ``retry`` takes these tickets of
    the retry list, dead ones too, or all of it if none is given. ``webhook`` takes tickets that webhooks named, and
    waits until they can be written; those that are done get no receipt. ``apply`` writes ``verdicts`` of a dry run.

    ``webhook_tickets`` returns tickets to handle before others at each call. ``cluster`` is where models are asked.
    ``split`` lets a candidate's settings decide a share of the tickets. ``keep`` gets each outcome before the state
    forgets its verdict.
    """

    kind: Kind = "run"
    tickets: tuple[int, ...] = ()
    again: bool = False
    again_run: str = ""
    verdicts: Iterable[Verdict] = ()
    webhook_tickets: WebhookTickets | None = None
    cluster: ClusterWanted | None = None
    split: Split | None = None
    keep: Callable[[Outcome, State], object] | None = None


@dataclass(frozen=True)
class Finished:
    """A run's summary, where its receipts are, and whether threads were left behind in calls that hang.

    Without ``log`` no receipt could be written.
    """

    summary: RunSummary
    log: Path | None
    abandoned: int


def play(
    settings: Settings,
    asked: RunArguments,
    *,
    clock: SystemClock | None = None,
    listener: Listener = lambda _outcome: None,
    subjects: Subjects | None = None,
) -> Finished:
    """One run against the real helpdesk of ``settings``. ``subjects`` see what it reads, before ``listener`` hears.

    Raises ``ConfigError``, also before the first run that says since when; ``RunLocked``; or ``CannotRun`` when not
    even the log or the state can be opened.
    """
    clock = clock or SystemClock()
    folder = settings.state_folder
    troubles: list[str] = []
    with ExitStack() as stack:
        stack.enter_context(beside_others(folder) if asked.dry_run else lock(folder))
        state = stack.enter_context(opened_state(folder, settings.desk.base_url, dry_run=asked.dry_run))
        keep_to_shard(state, settings.shard, folder)
        deadline = Deadline(clock, settings.run.deadline_s)
        run_id = new_run_id(clock)
        if not asked.dry_run and state.fact(ERASING) is not None:
            from .erasing import finish_erasure  # most runs need nothing of it

            troubles += finish_erasure(settings, clock, state, run_id)
        audit = audit_log(settings, clock, run_id, dry_run=asked.dry_run)
        stack.callback(audit.close)
        subjects = subjects or Subjects()
        transport = transport_for(
            settings.desk,
            clock,
            deadline,
            state=state,
            share=settings.run.limit_share,
            read_only=asked.dry_run,
            notice=subjects.notice,
        )
        stack.callback(transport.close)
        store = AnswerStore(folder / ANSWERS, clock, days=settings.cache.days)
        stack.callback(store.close)
        cluster, hangs_after_s = None, analysis_timeout_s(settings.models.timeout_s)
        if asked.cluster is not None:
            from .cluster import patience  # most runs need nothing of it
            from .cluster_dask import connected

            cluster = stack.enter_context(connected(asked.cluster, settings, clock, deadline))
            hangs_after_s += patience(settings.models.timeout_s)
        workers = (cluster and cluster.places) or settings.run.workers
        connect = cluster.connect if cluster else Connection
        budget = Budget(settings.budget, store)

        def judge_by(of: Settings, settings_file: str) -> Judge:
            chain = understanding(
                of,
                clock,
                deadline,
                state if of is settings else None,  # what fails for a split's candidate keeps no later run from asking
                store,
                troubles.append,
                budget=budget,
                connect=connect,
                settings_file=settings_file,
            )
            return Judge(stack.enter_context(chain), of.policy_here, of.taxonomy)

        split = asked.split
        judge = judge_by(settings, split.names[0] if split else "")
        candidate = judge_by(split.candidate, split.names[1]) if split else None
        executor = ThreadPoolExecutor(workers, thread_name_prefix="analyse")
        stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        express = None
        if asked.webhook_tickets is not None and asked.kind != "webhook":
            express = ThreadPoolExecutor(settings.run.workers, thread_name_prefix="express")
            stack.callback(express.shutdown, wait=False, cancel_futures=True)
        knowledge = Answers()
        if settings.replies.wanted:
            from .answers import answers  # most runs need nothing of it

            knowledge = stack.enter_context(
                answers(settings, judge.understanding, store, troubles.append, connect=connect)
            )
        desk = desk_for(settings, transport, state)

        def heard(outcome: Outcome) -> None:
            if asked.keep is not None:
                asked.keep(outcome, state)
            listener(outcome)

        work = (PlannedRun if asked.kind == "apply" else Run)(
            Parts(
                desk=desk,
                judge=judge,
                threads=Threads(executor, express, readers=True),
                state=state,
                audit=audit,
                deadline=deadline,
                candidate=candidate,
                percent=split.percent if split else 0.0,
                selection=selection(settings, transport),
                kill_switch=kill_switch(settings),
                webhook_tickets=asked.webhook_tickets,
                answers=knowledge,
                host=_Host(
                    settings, asked.kind, state, audit, clock, desk, store, cluster, troubles, subjects, transport
                ),
            ),
            RunOptions(
                run_id=run_id,
                kind=asked.kind,
                by_hand=_by_hand(),
                workers=workers,
                analysis_timeout_s=hangs_after_s,
                stable_read_s=settings.desk.can.stable_read_s,
                delivery=delivery(settings),
                notices=settings.notices,
                facts={"split": {"settings_file": split.names[1], "percent": split.percent}} if split else {},
                retriage_on_reply=settings.run.retriage_on_reply,
                verify=SAMPLE,
                **asked.chosen(),
            ),
            heard,
        )
        subjects.under_way = lambda: work.intake.under_way if work.intake else (0, False)
        return Finished(_played(work, asked, settings), _receipts(audit), work.abandoned)


def _played(work: Run | PlannedRun, asked: RunArguments, settings: Settings) -> RunSummary:
    """Play it in the way of its kind."""
    if isinstance(work, PlannedRun):
        return work.write(asked.verdicts)
    tickets: Collection[int] = asked.tickets
    match asked.kind:
        case "webhook":
            return work.run_webhook_tickets(asked.tickets)
        case "retry":
            return work.retry(tickets)
    if asked.again_run:
        past = PastRuns(settings.log_dir, keyring(settings))
        writes = past.writes(past.find(asked.again_run)).of(tickets)
        tickets = writes.keys
        if not tickets:
            raise ConfigError(f"run {writes.run_id} wrote on no ticket")
    if not tickets:
        return work.execute()
    return work.only(tickets, anew=asked.again or bool(asked.again_run), named=not asked.again_run)


def analysis_timeout_s(request_s: float) -> float:
    """Seconds after which an analysis hangs, and is abandoned; three requests of ``request_s`` must have had time."""
    return max(90.0, 3 * request_s)


def _by_hand() -> bool:
    """Whether a person's terminal started this. Task Scheduler may give a run a window, so never on Windows."""
    return os.name != "nt" and sys.stdin is not None and sys.stdin.isatty()


def _receipts(audit: AuditLog) -> Path | None:
    """The file of the log, if this has written to it."""
    with suppress(OSError):
        return audit.path if audit.head is not None and audit.path.is_file() else None
    return None


@dataclass(frozen=True)
class _Host(RunHost):
    """What runs ask for, done as the settings say. ``notes`` are what single parts had to do without."""

    settings: Settings
    kind: Kind
    state: State
    audit: AuditLog
    clock: SystemClock
    desk: Desk
    store: AnswerStore
    cluster: Cluster | None
    notes: Sequence[str]
    subjects: Subjects
    transport: Transport

    def saw(self, ticket: Ticket) -> None:
        self.subjects.saw(ticket)

    def check_room(self) -> None:
        check_room(self.settings.log_dir, self.settings.state_folder)

    def upkeep(self, now: float, head: str | None) -> Sequence[str]:
        days, keys = self.settings.audit.retention_days, keyring(self.settings)
        return look_after(self.audit, now, head, days, keys, self.state)

    def prepare(self) -> Sequence[str]:
        """Look after the local helpdesk, and sync articles that are due."""
        settings, lines = self.settings, list[str]()
        if self.kind != "run":  # only a run that looks for tickets itself takes the time
            return lines
        if settings.helpdesk == "local":
            lines += tidy_local(settings, self.transport)
        if settings.replies.wanted:
            from .knowledge import sync_when_due

            lines += sync_when_due(settings, self.clock, self.transport.throttle)
        return lines

    def cluster_use(self) -> ClusterUse | None:
        return self.cluster.use if self.cluster else None

    def troubles(self) -> Sequence[str]:
        of_cluster = self.cluster.remarks() if self.cluster else ()
        found = (*dict.fromkeys((*self.notes, *self.desk.troubles)), *of_cluster, self.store.trouble)
        return [trouble for trouble in found if trouble]


def keep_to_shard(state: State, shard: Shard | None, folder: Path) -> None:
    """Have the state remember its shard. Raises :class:`ConfigError` where it is another one's."""
    known = state.fact(SHARD)
    if known is None:
        if shard is not None:
            state.remember(**{SHARD: str(shard)})
    elif known != str(shard):
        raise ConfigError(
            f'the state in {folder} is of shard {known}: set run.shard = "{known}", or for {shard or "all tickets"} '
            "name an empty folder in TICKETBOT_STATE_DIR, and say --since"
        )

"""Whole commands put together from their parts, and played: a run, a retry, writing from a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from ..analysis.budget import Budget
from ..analysis.cache import FILE_NAME as ANSWERS
from ..analysis.cache import AnswerStore
from ..analysis.chain import Understanding
from ..analysis.model_server.connection import Connection
from ..audit.erase import beside_others
from ..audit.receipts import AuditLog
from ..audit.retention import look_after
from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, StateUnusable
from ..core.models import Outcome
from ..core.run_summary import RunSummary
from ..pipeline.fan_out import read_ahead, read_each
from ..pipeline.intake import ToldOf
from ..pipeline.parts import Parts, RunOptions
from ..pipeline.recorder import Listener
from ..pipeline.run import Run
from ..pipeline.undo.find import PastRuns
from ..pipeline.verification import SAMPLE
from ..settings.schema import Settings
from ..state.erasure import ERASING
from ..state.records import Verdict
from ..state.store import State
from .cluster import ClusterWanted
from .desks import desk_for
from .learnt import learnt_in_use
from .parts import (
    audit_log,
    delivery,
    keyring,
    kill_switch,
    lock,
    new_run_id,
    opened_state,
    room,
    selection,
    transport_for,
    understanding,
)
from .run_hooks import keep_to_shard, prepared, reply_objection
from .ticket_subjects import Subjects

if TYPE_CHECKING:
    from .split import SplitWanted

LATELY_S = 3600.0
"""How far back to look for a run that tells whether models are asked."""
ORDINARY = "run"
"""The kind of a run that looks for tickets itself; only such a run syncs the knowledge base first."""
WEBHOOK = "webhook"
"""The kind of a run on tickets that the helpdesk has told of."""


@dataclass(frozen=True)
class RunArguments:
    """The command line's options for a run, beyond the settings.

    ``tickets`` are exactly those that it is about, ``again`` those that are done too. ``again_run`` are all that an
    earlier run wrote on: its id, how that begins, or ``latest``. ``told_of`` gives tickets to look at before others,
    whenever it is asked. ``cluster`` is where models are asked. ``split`` has a candidate's settings decide a share of
    the tickets. ``keep`` gets each outcome while the state has its verdict.
    """

    dry_run: bool = False
    limit: int | None = None
    since: float | None = None
    resume: bool = False
    retry_fallbacks: bool = False
    tickets: tuple[int, ...] = ()
    again: bool = False
    again_run: str = ""
    told_of: ToldOf | None = None
    cluster: ClusterWanted | None = None
    split: SplitWanted | None = None
    keep: Callable[[Outcome, State], object] | None = None


@dataclass(frozen=True)
class Finished:
    """A run's summary, where its receipts are, and whether threads were left behind in calls that hang.

    Without ``log`` no receipt could be written.
    """

    summary: RunSummary
    log: Path | None
    abandoned: int

    @property
    def log_head(self) -> str | None:
        """The log's end after it; kept elsewhere, it shows whether that was cut off."""
        return self.summary.log_head


class Watching(TypedDict, total=False):
    """The clock of a run, and who watches it: ``subjects`` see what it reads, before ``listener`` hears."""

    clock: SystemClock | None
    listener: Listener
    subjects: Subjects | None


def run(settings: Settings, asked: RunArguments, **watching: Unpack[Watching]) -> Finished:
    """One run against the real helpdesk of ``settings``.

    Raises ``ConfigError``, ``RunLocked``, or ``CannotRun`` when not even the log or the state can be opened.
    """
    with _assembled(settings, asked, ORDINARY, **watching) as (work, finished):
        tickets: Collection[int] = asked.tickets
        if asked.again_run:
            past = PastRuns(settings.log_dir, keyring(settings))
            writes = past.writes(past.find(asked.again_run)).of(tickets)
            tickets = writes.keys
            if not tickets:
                raise ConfigError(f"run {writes.run_id} wrote on no ticket")
        if not tickets:
            return finished(work.execute())
        return finished(work.only(tickets, anew=asked.again or bool(asked.again_run), named=not asked.again_run))


def told_of(
    settings: Settings, ticket_ids: Collection[int], *, more: ToldOf | None = None, **watching: Unpack[Watching]
) -> Finished:
    """The run on just these tickets, of which the helpdesk has told, and on ``more`` that it tells of meanwhile.

    They are waited for until they can be written. Those that are done get no receipt. It raises what :func:`run` does,
    and ``ConfigError`` before the first run.
    """
    with _assembled(settings, RunArguments(told_of=more), WEBHOOK, **watching) as (work, finished):
        return finished(work.told_of(ticket_ids))


def retry(settings: Settings, ticket_ids: Collection[int], **watching: Unpack[Watching]) -> Finished:
    """Try these tickets of the retry list now, the dead ones too; none named: all of it. Nothing else is pulled.

    It raises what :func:`run` does.
    """
    with _assembled(settings, RunArguments(), "retry", **watching) as (work, finished):
        return finished(work.retry(ticket_ids))


def write(settings: Settings, verdicts: Iterable[Verdict], **watching: Unpack[Watching]) -> Finished:
    """Write what a dry run has planned, see :meth:`Run.write`. It raises what :func:`run` does."""
    with _assembled(settings, RunArguments(), "apply", **watching) as (work, finished):
        return finished(work.write(verdicts))


@contextmanager
def _assembled(
    settings: Settings,
    asked: RunArguments,
    kind: str,
    *,
    clock: SystemClock | None = None,
    listener: Listener = lambda _outcome: None,
    subjects: Subjects | None = None,
) -> Iterator[tuple[Run, Callable[[RunSummary], Finished]]]:
    """A run, ready to be played, and what makes the end of it complete."""
    clock = clock or SystemClock()
    folder = settings.state_folder
    troubles: list[str] = []
    learnt = learnt_in_use(settings, troubles.append)
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
        cache = settings.cache
        store = AnswerStore(folder / ANSWERS, clock, days=cache.days)
        stack.callback(store.close)
        busy = _models_were_asked(state, clock.now())
        cluster, analysis_timeout_s = None, settings.run.analysis_timeout_s
        if asked.cluster is not None:
            from .cluster import patience  # most runs need nothing of it
            from .cluster_dask import connected

            cluster = stack.enter_context(connected(asked.cluster, settings, clock, deadline))
            analysis_timeout_s += patience(settings.models.timeout_s)
        workers = (cluster and cluster.places) or settings.run.workers
        connect = cluster.connect if cluster else Connection
        budget = Budget(settings.budget, store)

        def chain_of(of: Settings, settings_file: str = "") -> AbstractContextManager[Understanding]:
            return understanding(
                of,
                clock,
                deadline,
                state if of is settings else None,  # what fails for a split's candidate keeps no later run from asking
                store,
                troubles.append,
                budget=budget,
                soon=busy,
                connect=connect,
                settings_file=settings_file,
            )

        split = None
        if asked.split is not None:
            from .split import Split  # most runs need nothing of it

            split = Split.of(settings, asked.split, troubles.append)
        if split is None:
            chain = stack.enter_context(chain_of(settings))
        else:
            learnt = {**learnt, **split.facts}
            chain = split.enter(stack, chain_of)
        executor = ThreadPoolExecutor(workers, thread_name_prefix="analyse")
        stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        express = None
        if asked.told_of is not None and kind != WEBHOOK:
            express = ThreadPoolExecutor(settings.run.workers, thread_name_prefix="express")
            stack.callback(express.shutdown, wait=False, cancel_futures=True)
        knowledge, shown = None, list[str]()
        if settings.replies.wanted:
            from .answers import answers  # most runs need nothing of it

            knowledge = stack.enter_context(
                answers(settings, chain, store, troubles.append, shown=shown, connect=connect)
            )
        desk = desk_for(settings, transport, state)

        def heard(outcome: Outcome) -> None:
            if asked.keep is not None:
                asked.keep(outcome, state)
            listener(outcome)

        work = Run(
            Parts(
                desk=desk,
                shard=settings.shard,
                saw=subjects.saw,
                understanding=split or chain,
                executor=executor,
                state=state,
                audit=audit,
                clock=clock,
                deadline=deadline,
                policy=settings.policy_here,
                taxonomy=settings.taxonomy,
                split=split.decide if split else None,
                selection=selection(settings, transport),
                kill_switch=kill_switch(settings),
                room=room(settings).check,
                ahead=lambda pages: read_ahead(pages, clock),
                each=read_each,
                answers=knowledge,
                shown=shown.extend,
                reply_objection=reply_objection(settings),
                prepare=lambda: prepared(settings, clock, transport) if kind == ORDINARY else [],
                told_of=asked.told_of,
                express=express,
                troubles=lambda: [
                    trouble
                    for trouble in (
                        *dict.fromkeys((*troubles, *desk.troubles)),
                        *(cluster.remarks() if cluster else ()),
                        store.trouble,
                    )
                    if trouble
                ],
                cluster=lambda: cluster.use if cluster else None,
                requests=lambda: transport.counts,
                helpdesk_date=lambda: transport.date,
                upkeep=lambda left: look_after(
                    audit, clock.now(), settings.audit.retention_days, left, keyring(settings), state
                ),
            ),
            RunOptions(
                run_id=run_id,
                kind=kind,
                by_hand=_by_hand(),
                dry_run=asked.dry_run,
                limit=asked.limit,
                since=asked.since,
                workers=workers,
                analysis_timeout_s=analysis_timeout_s,
                stable_read_s=settings.stable_read_s,
                delivery=delivery(settings),
                notices=settings.notices,
                facts=learnt,
                resume=asked.resume,
                retry_fallbacks=asked.retry_fallbacks,
                retriage_on_reply=settings.run.retriage_on_reply,
                verify=SAMPLE,
            ),
            heard,
        )
        subjects.under_way = lambda: work.intake.under_way if work.intake else (0, False)
        yield work, lambda summary: Finished(summary, _receipts(audit), work.abandoned)


def _by_hand() -> bool:
    """Whether a person's terminal started this. Task Scheduler may give a run a window, so never on Windows."""
    return os.name != "nt" and sys.stdin is not None and sys.stdin.isatty()


def _models_were_asked(state: State, now: float) -> bool:
    """Whether this run will ask a model, as far as can be told: the last one has, or there was none lately."""
    with suppress(StateUnusable):
        runs = state.runs(now - LATELY_S)
        return not runs or "model" in runs[-1].summary.sources
    return False


def _receipts(audit: AuditLog) -> Path | None:
    """The file of the log, if this has written to it."""
    with suppress(OSError):
        return audit.path if audit.head is not None and audit.path.is_file() else None
    return None

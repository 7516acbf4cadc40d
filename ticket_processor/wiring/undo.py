"""An undo put together from its parts, and played."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from ..audit.erase import beside_others
from ..audit.receipts import keep_head, not_before
from ..core.clock import Deadline, SystemClock
from ..core.errors import StateUnusable
from ..core.guards import check_room
from ..core.models import Outcome
from ..core.run_summary import RunSummary
from ..pipeline.undo.revert import Left
from ..pipeline.undo.run import PastRuns, Undo, UndoTools
from ..settings.schema import Settings
from .desks import desk_for
from .parts import audit_log, delivery, keyring, kill_switch, lock, new_run_id, opened_state, transport_for

UNDO_DEADLINE_S = 12 * 3600.0
"""A person waits for an undo and can stop it; it needs a request for every ticket."""


@dataclass(frozen=True)
class Undone:
    """An undo's summary, where its receipts are, and the run that was taken back."""

    summary: RunSummary
    log: Path
    run_id: str


def undo(
    settings: Settings,
    clock: SystemClock,
    wanted: str,
    tickets: Sequence[int] = (),
    *,
    dry_run: bool = False,
    while_stopped: bool = False,
    listener: Callable[[Outcome, tuple[Left, ...]], None],
    begin: Callable[[int], None],
) -> Undone:
    """Take back what an earlier run wrote, where it is unchanged since.

    ``wanted`` is the run's id, how that begins, or ``latest``; without ``tickets`` all of it is taken back. It goes on
    ``while_stopped`` although the kill switch is set. ``begin`` gets the number of tickets, before the first of them.

    It raises what :func:`.runs.play` does, and ``ConfigError`` when there is no such run or it wrote on no such ticket.
    """
    folder = settings.state_folder
    with ExitStack() as stack:
        stack.enter_context(beside_others(folder) if dry_run else lock(folder))
        past = PastRuns(settings.log_dir, keyring(settings))
        writes = past.writes(past.find(wanted)).of(tickets)
        state = stack.enter_context(opened_state(folder, settings.desk.base_url, dry_run=dry_run))
        deadline = Deadline(clock, UNDO_DEADLINE_S)
        run_id = f"{new_run_id(clock)}-undo"
        audit = audit_log(settings, clock, run_id, dry_run=dry_run)
        audit.not_before = not_before(state, clock.now())
        stack.callback(audit.close)
        transport = transport_for(
            settings.desk, clock, deadline, state=state, share=settings.run.limit_share, read_only=dry_run
        )
        stack.callback(transport.close)
        switch = kill_switch(settings)

        def before_write() -> None:
            if not (dry_run or while_stopped):
                switch.check()
            if not dry_run:
                check_room(settings.log_dir, folder)

        work = Undo(
            UndoTools(
                desk=desk_for(settings, transport, state),
                state=state,
                audit=audit,
                clock=clock,
                deadline=deadline,
                before_write=before_write,
                requests=lambda: transport.counts,
                run_id=run_id,
                dry_run=dry_run,
                stable_read_s=settings.desk.can.stable_read_s,
                hands_off=settings.hands_off_tag,
                delivery=delivery(settings),
            ),
            writes,
            listener,
        )
        begin(len(writes.keys))
        summary = work.execute()
        with suppress(StateUnusable):  # it is undone all the same
            summary = summary.model_copy(update={"log_head": keep_head(state, audit)})
        return Undone(summary, audit.path, writes.run_id)

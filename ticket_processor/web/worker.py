"""Plays runs on the tickets of the queue, one run at a time, in a thread of its own; and the scheduled run, if asked.

A ticket leaves the queue when a run has given it an end, or has it on the retry list. Whatever keeps a run from being
played, such as another one under way, a helpdesk that is down or a kill switch, leaves the queue as it is.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from ..core import reasons
from ..core.clock import SystemClock
from ..core.errors import ExitCode, RunLocked, StateUnusable, TicketbotError, unexpected
from ..core.models import Outcome
from ..core.run_summary import RunSummary
from ..settings.schema import Settings
from .delivery_queue import DeliveryQueue, Waiting

if TYPE_CHECKING:
    from .player import RunPlayer

MOST_IN_A_RUN = 200
LOOK_S = 0.25
"""Seconds between looks at the queue, into which other processes may write."""
OPEN_S = 30.0
"""Seconds in which a run takes in new tickets; after that others have a turn with the lock."""
LOCKED_S = 0.5
"""How soon a run is tried again while another one is active."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0
"""Pauses after runs that could not be made."""
SOON_S = 3.0
"""After this a ticket is tried again that could not be written because it had just changed."""
MOST_TRIES = 20
"""Maximum number of tries for a ticket that a person goes on changing; the retry list has it afterwards."""
SOON = (reasons.DEFERRED, reasons.NOT_FOUND, reasons.RECORD_UNREADABLE)
"""These ends are looked at again soon: the ticket changed just now, or the copy that was read does not have it yet."""
Heard = Callable[[Outcome], None]


class TakenFirst:
    """Hands a run the tickets of the queue, and takes off those that it gives an end. For one thread.

    ``begun`` are those that the run has already.
    """

    def __init__(self, queue: DeliveryQueue, now: Callable[[], float], begun: Sequence[Waiting] = ()) -> None:
        self._queue = queue
        self._now = now
        self._next = float("-inf")
        self._given = {item.ticket_id: item for item in begun}
        self._open = dict(self._given)

    def __call__(self) -> Sequence[int]:
        """The tickets that came since it was last asked."""
        now = self._now()
        if not 0 <= self._next - now <= LOOK_S:
            self._next = now + LOOK_S
            with suppress(StateUnusable):  # the run sees every ticket all the same
                new = {item.ticket_id: item for item in self._queue.due(now) if item.ticket_id not in self._given}
                self._given |= new
                self._open |= new
                return list(new)
        return ()

    def heard(self, outcome: Outcome) -> None:
        """Take a ticket off that has its end, or have it tried again soon."""
        item = self._open.pop(outcome.ticket_id, None)
        if item is None:
            return
        with suppress(StateUnusable):
            if outcome.reason in SOON and item.tries < MOST_TRIES:
                self._queue.put_off([item], self._now() + SOON_S)
            else:
                self._queue.done([item])

    def known(self, tickets: Sequence[Waiting]) -> None:
        """Take those of these tickets off that a run has looked at and said nothing of: they need nothing."""
        self._queue.done(item for item in tickets if item.ticket_id in self._open)


class Worker(threading.Thread):
    """Empties the queue until :meth:`stop`. ``every_s`` is from one scheduled run to the next, if there are any."""

    def __init__(
        self,
        queue: DeliveryQueue,
        player: RunPlayer,
        clock: SystemClock,
        say: Callable[[str], object],
        *,
        every_s: float | None = None,
    ) -> None:
        super().__init__(name="worker", daemon=True)
        self._queue = queue
        self._player = player
        self._clock = clock
        self._say = say
        self._every_s = every_s
        self._next_run = clock.monotonic()
        self._not_before = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._news = threading.Event()
        self._stopping = threading.Event()
        self.counted: Counter[str] = Counter()
        """Runs and tickets by what became of them."""

    def wake(self) -> None:
        """Something may be on the queue. From any thread."""
        self._news.set()

    def stop(self) -> None:
        """Begin nothing more; the run under way comes to its end. From any thread."""
        self._stopping.set()
        self._news.set()

    def run(self) -> None:
        """The thread's work. Nothing ends it but a stop."""
        while not self._stopping.is_set():
            self._news.clear()
            try:
                if not self._one_run():
                    self._news.wait(LOOK_S)
            except RunLocked:
                self.counted["locked"] += 1
                self._stopping.wait(LOCKED_S)
            except TicketbotError as error:
                self._pause(str(error))
            except Exception as error:  # noqa: BLE001 - a bug in one run; the next may work, and the queue is kept
                self._pause(unexpected(error))

    def _one_run(self) -> bool:
        """Play what is due; false where nothing is."""
        moment = self._clock.monotonic()
        if self._every_s is not None and moment >= self._next_run:
            self._next_run = moment + self._every_s
            first = TakenFirst(self._queue, self._clock.now)
            self._ended(self._player.scheduled(first, first.heard))
            return True
        due = self._queue.due(self._clock.now(), most=MOST_IN_A_RUN) if moment >= self._not_before else []
        if not due:
            return False
        self._on_queue(due)
        return True

    def _on_queue(self, due: Sequence[Waiting]) -> None:
        first = TakenFirst(self._queue, self._clock.now, due)

        def heard(outcome: Outcome) -> None:
            self.counted[f"tickets_{outcome.status}"] += 1
            first.heard(outcome)

        until = self._clock.monotonic() + OPEN_S

        def more() -> Sequence[int]:
            return () if self._stopping.is_set() or self._clock.monotonic() > until else first()

        summary = self._player.told_of([item.ticket_id for item in due], more, heard)
        if summary.stopped is None:
            first.known(due)
        self._ended(summary)

    def _ended(self, summary: RunSummary) -> None:
        self.counted["runs"] += 1
        if summary.stopped is not None and summary.exit_code not in (ExitCode.OK, ExitCode.TERMINATED):
            self._pause(summary.stopped)
        else:
            self._not_before, self._pause_s = 0.0, FIRST_PAUSE_S

    def _pause(self, why: str) -> None:
        self.counted["pauses"] += 1
        self._say(f"no run could be made: {why}; the queue is kept, and tried again in {self._pause_s:.0f} s")
        self._not_before = self._clock.monotonic() + self._pause_s
        self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)
        self._news.wait(LOOK_S)


def taken_first(settings: Settings, now: Callable[[], float], stack: ExitStack) -> TakenFirst | None:
    """The tickets that a scheduled run takes first; ``None`` where there is no queue. ``stack`` closes it."""
    try:
        queue = DeliveryQueue.of_others(settings.state_folder, settings.helpdesk)
    except StateUnusable:
        return None  # the run sees every ticket all the same
    if queue is None:
        return None
    stack.callback(queue.close)
    return TakenFirst(queue, now)

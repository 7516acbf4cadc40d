"""What goes on around a run: the watchdog, the heartbeat, and alerts once it has ended.

Nothing here changes what becomes of a run: it never raises, it leaves the exit code alone, and it takes a bounded time.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

from ..alert_memory import Failure, Memory
from ..alert_sender import Sent
from ..alert_store import AlertStore
from ..alert_view import CUT_OFF, UNEXPECTED
from ..alerts import tame_libraries
from ..clock import SystemClock, iso
from ..errors import ConfigError, ExitCode, RunLocked, TicketbotError, unexpected
from ..heartbeat import PATIENCE_S, Heartbeat
from ..metric_words import end_words
from ..models import RunRecord, RunSummary
from ..run_tally import Tally
from ..settings import Settings
from ..ticket_subjects import Subjects
from ..wiring import audit_log, new_run_id
from .alert_round import AlertRound
from .watchdog import GRACE_S, LAST_WORDS_S, watchdog

Kind = Literal["run", "retry", "apply", "backfill"]
HEARTBEAT = "heartbeat (TICKETBOT_HEARTBEAT_URL)"
AT_MOST_S = PATIENCE_S
"""What this adds to a run in the worst case."""
WHEN_STOPPED_S = 3.0
"""The same when a signal ended it: whoever sent that does not wait for long."""


@contextmanager
def tended(
    settings: Settings,
    clock: SystemClock,
    kind: Kind,
    *,
    deadline_s: float | None = None,
    silent: bool = False,
    grace_s: float = GRACE_S,
) -> Iterator[Tending]:
    """Look after what is done meanwhile; tell the object that is given how it ended.

    Past ``deadline_s`` and a little more the process is cut off. ``silent`` is for what nobody is to hear of: dry runs
    and the tour. Only runs (``kind="run"``) say to the heartbeat whether all is well; the others are started
    by a person, and leave a line there.
    """
    tending = Tending(settings, clock, kind)
    if silent:
        with watchdog(deadline_s, grace_s=grace_s):
            yield tending
        return
    with watchdog(deadline_s, tending.cut_off, grace_s=grace_s):
        tending.begin()
        try:
            yield tending
        except BaseException as error:
            tending.raised(error)
            raise
        finally:
            tending.finish()


def tally_of(settings: Settings, subjects: Subjects) -> Tally:
    """Takes a run's outcomes, and knows their tickets' subjects and addresses."""
    return Tally(settings.policy.tag("review"), subjects.of, settings.zendesk.ticket_url)


@dataclass(frozen=True)
class _End:
    """How it ended: exit code, what to tell of it, and the run as the state would keep it, where there was one."""

    exit_code: int
    text: str
    record: RunRecord | None = None
    log_events: frozenset[str] = frozenset()
    tally: Tally | None = None


class Tending:
    """One run being looked after; see :func:`tended`."""

    def __init__(self, settings: Settings, clock: SystemClock, kind: Kind) -> None:
        self._settings = settings
        self._clock = clock
        self._kind = kind
        self._began = clock.now()
        self._end: _End | None = None
        url = settings.alerts.heartbeat_url
        self._heartbeat = Heartbeat(url.get_secret_value() if url else None)
        self._store = AlertStore(settings.state_folder)

    # Told by whoever runs

    def ended(self, summary: RunSummary, *, log_events: Collection[str], tally: Tally | None = None) -> None:
        """The run has ended so; ``log_events`` are what alerts in the log said of the log itself.

        What ``tally`` has found to be escalated is told.
        """
        record = RunRecord(
            run_id=summary.run_id, kind=self._kind, started=self._began, finished=self._clock.now(), summary=summary
        )
        self._end = _End(summary.exit_code, _told(summary), record, frozenset(log_events), tally)

    def noted(self, exit_code: int, text: str) -> None:
        """It has ended so; there is no run to be counted."""
        self._end = _End(exit_code, text)

    # Called by tended

    def begin(self) -> None:
        """Before the run."""
        alerts = self._settings.alerts
        if alerts.urls or alerts.page_urls or alerts.heartbeat_url:
            tame_libraries()
        if self._kind == "run":
            self._heartbeat.start()

    def raised(self, error: BaseException) -> None:
        """An error goes on its way; it has ended the run, unless that was over by then."""
        if self._end is not None:
            return
        known = isinstance(error, TicketbotError)
        code = error.exit_code if isinstance(error, TicketbotError) else ExitCode.CANNOT_RUN
        name = type(error).__name__ if known else UNEXPECTED
        sentence = unexpected(error) if isinstance(error, Exception) else "interrupted"
        text = f"exit code {int(code)}\nended early: {end_words(name)}"
        if not isinstance(error, Exception):
            self._end = _End(ExitCode.INTERRUPTED, text)
        elif isinstance(error, ConfigError | RunLocked):
            self._end = _End(code, text)  # there was no run
        else:
            summary = RunSummary(run_id="", dry_run=False, stopped=sentence, stopped_by=name, exit_code=int(code))
            record = RunRecord(
                run_id="", kind=self._kind, started=self._began, finished=self._clock.now(), summary=summary
            )
            self._end = _End(code, text, record)

    def finish(self) -> None:
        """After the run: heartbeat and alerts. Never raises."""
        end = self._end or _End(ExitCode.CANNOT_RUN, "")
        stopped = end.exit_code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
        until = self._clock.monotonic() + (WHEN_STOPPED_S if stopped else AT_MOST_S)
        try:
            self._tend(end, until)
        except Exception as error:  # noqa: BLE001 - the run is over, and what it came to stays
            _say(f"alerts could not be looked after: {unexpected(error)}")

    def cut_off(self) -> None:
        """The run hangs and is about to be ended: leave word everywhere, each within the time that there is."""
        works = (self._note_cut_off, self._remember_cut_off)
        threads = [threading.Thread(target=_quietly, args=[work], daemon=True) for work in works]
        for thread in threads:
            thread.start()
        ping = self._ping(_End(ExitCode.CANNOT_RUN, "cut off after its deadline\nexit code 3"))
        until = self._clock.monotonic() + LAST_WORDS_S
        for waiting in (*threads, *([ping] if ping else [])):
            waiting.join(max(0.0, until - self._clock.monotonic()))

    def _note_cut_off(self) -> None:
        audit = audit_log(self._settings, self._clock, f"{new_run_id(self._clock)}-watchdog")
        with closing(audit):
            audit.alert(CUT_OFF, kind=self._kind, began=iso(self._began))

    def _remember_cut_off(self) -> None:
        now = self._clock.now()

        def cut(memory: Memory) -> Memory:
            return memory.happened(CUT_OFF, now).model_copy(update={"seen": now})

        self._store.change(cut, now)

    # The work

    def _tend(self, end: _End, until: float) -> None:
        with self._store.alone(patience_s=1.0) as alone:
            if not alone:  # another run is telling what there is to tell
                self._wait(self._ping(end), until)
                return
            now = self._clock.now()
            began = self._began if self._kind == "run" else None
            here = AlertRound(self._settings, self._clock, began=began)
            memory, past = self._store.load(), here.past(end.record)
            if end.record is not None or began is not None:
                memory = here.judged(memory, past, end.log_events)
            if began is not None:
                memory = memory.model_copy(update={"seen": now})
            ping = self._ping(end, memory)
            if end.tally is not None and self._settings.alerts.escalated:
                memory = here.escalated(memory, end.tally)
            memory, sent = here.told(memory, past, max(0.0, until - self._clock.monotonic()))
            _complain(sent)
            if not self._store.save(memory, now) and memory.conditions:
                _say("what has been alarmed cannot be kept anywhere, so the next run tells it again")
            self._wait(ping, until)
            if self._heartbeat.trouble:
                failure = Failure(at=now, target=HEARTBEAT, why=self._heartbeat.trouble)
                _say(f"the heartbeat was not heard: {failure.why}")
                self._store.save(memory.model_copy(update={"last_failure": failure}), now)

    def _ping(self, end: _End, memory: Memory | None = None) -> threading.Thread | None:
        alerts = f"\nopen alerts: {', '.join(sorted(memory.open)) or 'none'}" if memory else ""
        body = f"{self._kind}: {end.text}{alerts}"
        return self._heartbeat.finish(end.exit_code, body) if self._kind == "run" else self._heartbeat.note(body)

    def _wait(self, thread: threading.Thread | None, until: float) -> None:
        if thread is not None:
            thread.join(max(0.0, until - self._clock.monotonic()))
            if thread.is_alive():
                self._heartbeat.trouble = "it did not answer in time"


def _told(summary: RunSummary) -> str:
    """A run in lines without any words of tickets."""
    lines = [
        f"{summary.run_id}, exit code {summary.exit_code}",
        _counts(summary.outcomes) or "no tickets",
        f"because {_counts(summary.reasons)}" if summary.reasons else "",
        f"ended early: {end_words(summary.stopped_by)}" if summary.stopped_by else "",
        f"log head: {summary.log_head}" if summary.log_head else "",
    ]
    return "\n".join(line for line in lines if line)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name[:80]}" for name, count in sorted(counts.items()))


def _complain(sent: Sequence[Sent]) -> None:
    """Say who could not be told; of one that is being left alone it has been said."""
    failed = {each.receiver.name: each for each in sent if each.why is not None and each.asked}
    for name, one in failed.items():
        then = "the next run tries again"
        if one.rests_until is not None:
            then = f"after three times in a row it is left alone until {iso(one.rests_until)}"
        _say(f"an alert did not reach {name}: {one.why}; {then}")


def _quietly(work: Callable[[], None]) -> None:
    with suppress(Exception):  # the process ends in a moment, and says so
        work()


def _say(sentence: str) -> None:
    sys.stderr.write(f"ticketbot: note: {sentence}\n")
    sys.stderr.flush()

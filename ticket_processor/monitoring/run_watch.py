"""The watchdog, the heartbeat and the alerts around a run.

Nothing here changes the result of a run: it never raises, leaves the exit code alone, and takes a bounded time.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

from ..core.clock import SystemClock, iso
from ..core.errors import ConfigError, ExitCode, RunLocked, TicketbotError, unexpected
from ..core.run_summary import RunRecord, RunSummary
from ..reporting.glossary import end_words
from ..reporting.run_tally import RunTally
from ..settings.schema import Settings
from ..wiring.parts import audit_log, new_run_id
from ..wiring.ticket_subjects import Subjects
from .alert_file import AlertStore
from .alert_round import AlertRound
from .facts import UNEXPECTED
from .heartbeat import PATIENCE_S, Heartbeat
from .open_alerts import Failure, Memory
from .receivers import tame_libraries
from .sender import Sent
from .slo import DAY

Kind = Literal["run", "retry", "apply", "webhook"]
GRACE_S = 20.0
"""Time after the deadline for the run to end and send its alerts."""
LAST_WORDS_S = 5.0
HEARTBEAT = "heartbeat (TICKETBOT_HEARTBEAT_URL)"
AT_MOST_S = PATIENCE_S
"""The longest time that this adds to a run."""
WHEN_STOPPED_S = 3.0
"""The same after a signal, whose sender does not wait for long."""


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
    """Run the watchdog, the heartbeat and the alerts around a run, which reports its end to the yielded object.

    The process is cut off ``grace_s`` after ``deadline_s``. Dry runs and the tour are ``silent``: nothing is sent.
    Only runs (``kind="run"``) tell the heartbeat whether all is well; the others are started by a person, and leave a
    line there.
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


def tally_of(settings: Settings, subjects: Subjects) -> RunTally:
    """A tally for a run's outcomes, with the subjects and addresses of their tickets."""
    return RunTally(settings.policy.tag("review"), subjects.of, settings.ticket_url)


@dataclass(frozen=True)
class _End:
    """The end of a run: exit code, text for the heartbeat and, if there was a run, its record."""

    exit_code: int
    text: str
    record: RunRecord | None = None
    tally: RunTally | None = None


class Tending:
    """The watchdog, heartbeat and alerts of one run; see :func:`tended`."""

    def __init__(self, settings: Settings, clock: SystemClock, kind: Kind) -> None:
        self._settings = settings
        self._clock = clock
        self._kind = kind
        self._began = clock.now()
        self._end: _End | None = None
        url = settings.alerts.heartbeat_url
        self._heartbeat = Heartbeat(url.get_secret_value() if url else None)
        self._store = AlertStore(settings.state_folder)

    # Called by the run

    def ended(self, summary: RunSummary, *, tally: RunTally | None = None) -> None:
        """Report the end of the run; tickets that ``tally`` counted as escalated are sent."""
        record = RunRecord(
            run_id=summary.run_id, kind=self._kind, started=self._began, finished=self._clock.now(), summary=summary
        )
        self._end = _End(summary.exit_code, _told(summary), record, tally)

    # Called by tended

    def begin(self) -> None:
        """Ping the heartbeat before the run."""
        alerts = self._settings.alerts
        if alerts.urls or alerts.page_urls or alerts.heartbeat_url:
            tame_libraries()
        if self._kind == "run":
            self._heartbeat.start()

    def raised(self, error: BaseException) -> None:
        """Note the error that ended the run, unless it had ended before."""
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
        """Send heartbeat and alerts after the run. Never raises."""
        end = self._end or _End(ExitCode.CANNOT_RUN, "")
        stopped = end.exit_code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
        until = self._clock.monotonic() + (WHEN_STOPPED_S if stopped else AT_MOST_S)
        try:
            self._tend(end, until)
        except Exception as error:  # noqa: BLE001 - the run is over, and its result stays
            _say(f"alerts could not be looked after: {unexpected(error)}")

    def cut_off(self) -> None:
        """Report a run that hangs to the log, the memory and the heartbeat, before the process is ended."""
        works = (self._note_cut_off, self._remember_seen)
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
            audit.alert("cut_off", kind=self._kind, began=iso(self._began))

    def _remember_seen(self) -> None:
        """Keep the next run from taking the time of this one for a pause."""
        now = self._clock.now()
        self._store.change(lambda memory: memory.model_copy(update={"seen": now}), now)

    # The work

    def _tend(self, end: _End, until: float) -> None:
        with self._store.alone(patience_s=1.0) as alone:
            if not alone:  # another run is sending alerts
                self._wait(self._ping(end), until)
                return
            now = self._clock.now()
            began = self._began if self._kind == "run" else None
            here = AlertRound(self._settings, self._clock, began=began)
            memory, past = self._store.load(), here.past(end.record)
            if end.record is not None or began is not None:
                memory = here.judged(memory, past)
            if began is not None:
                memory = memory.model_copy(update={"seen": now})
            ping = self._ping(end, memory)
            if end.tally is not None and self._settings.alerts.escalated:
                memory = here.escalated(memory, end.tally)
            known = memory.last_failure
            memory, sent = here.told(memory, past, max(0.0, until - self._clock.monotonic()))
            fresh = known is not None and 0 <= now - known.at < DAY
            _complain(sent, known if fresh else None)
            if not self._store.save(memory, now) and memory.conditions:
                _say("what has been alarmed cannot be kept anywhere, so the next run tells it again")
            self._wait(ping, until)
            if self._heartbeat.trouble:
                failure = Failure(at=now, target=HEARTBEAT, why=self._heartbeat.trouble)
                _say(f"the heartbeat was not heard: {failure.why}")
                if not any(each.why for each in sent):  # an alert that did not arrive says more
                    self._store.save(memory.model_copy(update={"last_failure": failure}), now)

    def _ping(self, end: _End, memory: Memory | None = None) -> threading.Thread | None:
        if self._kind == "webhook":
            return None  # there may be one every few seconds, and the scheduled runs tell whether all is well
        alerts = f"\nopen alerts: {', '.join(sorted(memory.open)) or 'none'}" if memory else ""
        body = f"{self._kind}: {end.text}{alerts}"
        return self._heartbeat.finish(end.exit_code, body) if self._kind == "run" else self._heartbeat.note(body)

    def _wait(self, thread: threading.Thread | None, until: float) -> None:
        if thread is not None:
            thread.join(max(0.0, until - self._clock.monotonic()))
            if thread.is_alive():
                self._heartbeat.trouble = "it did not answer in time"


def _told(summary: RunSummary) -> str:
    """The lines about a run for the heartbeat, without any word of a ticket."""
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


def _complain(sent: Sequence[Sent], known: Failure | None) -> None:
    """Report receivers that were not reached, unless the run before said the same: a scheduler mails what is said."""
    for name, why in {each.receiver.name: each.why for each in sent if each.why is not None}.items():
        if known is None or (known.target, known.why) != (name, why):
            _say(f"an alert did not reach {name}: {why}; each run tries again")


def _quietly(work: Callable[[], None]) -> None:
    with suppress(Exception):  # the process ends in a moment, and says so
        work()


def _say(sentence: str) -> None:
    sys.stderr.write(f"ticketbot: note: {sentence}\n")
    sys.stderr.flush()


@contextmanager
def watchdog(
    deadline_s: float | None,
    last_words: Callable[[], object] = lambda: None,
    *,
    grace_s: float = GRACE_S,
) -> Iterator[None]:
    """End the process (exit code 3) if this is still open ``grace_s`` after ``deadline_s``.

    ``last_words`` is called before that, from another thread, and has :data:`LAST_WORDS_S`. Without a deadline the
    process is never ended.
    """
    if deadline_s is None:
        yield
        return
    timer = threading.Timer(deadline_s + grace_s, _too_late, [last_words])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _too_late(last_words: Callable[[], object]) -> None:
    speaking = threading.Thread(target=last_words, daemon=True)
    speaking.start()
    speaking.join(LAST_WORDS_S)
    sys.stderr.write("ticketbot: a call did not end, and the run was cut off after its deadline\n")
    sys.stderr.flush()
    os._exit(int(ExitCode.CANNOT_RUN))

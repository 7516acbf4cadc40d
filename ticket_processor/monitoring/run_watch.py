"""The watchdog, the heartbeat and the alerts around a run.

Nothing here changes the result of a run: it never raises, leaves the exit code alone, and takes a bounded time.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from ..core.clock import SystemClock, iso
from ..core.errors import AuditUnwritable, ConfigError, ExitCode, RunLocked, StateUnusable, TicketbotError, unexpected
from ..core.run_summary import RunRecord, RunSummary
from ..pipeline.context import HALTED
from ..reporting.glossary import end_words
from ..reporting.run_words import MOST_ESCALATED, RunTally
from ..settings.schema import Settings
from ..state.sqlite import is_there
from ..state.store import AHEAD_S, FILE_NAME, State
from ..wiring.desks import Subjects
from ..wiring.parts import audit_log, new_run_id
from .memory import AlertStore, EscalatedTicket, Failure, Memory, Receiver, after, after_sending, owed
from .messages import AlertMessage, escalation_of, message_of, summary_due, summary_text, title_of
from .receivers import PATIENCE_S, Heartbeat, Sent, receivers, send, tame_libraries
from .rules import HISTORY_S, UNEXPECTED, look
from .run_metrics import in_a_row

if TYPE_CHECKING:
    from ..wiring.runs import Kind

GRACE_S = 20.0
"""Time after the deadline for the run to end and send its alerts."""
LAST_WORDS_S = 5.0
HEARTBEAT = "heartbeat (TICKETBOT_HEARTBEAT_URL)"
NO_DESK = "no helpdesk yet"
"""What messages call a helpdesk that the settings do not name."""
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

    The process is ended ``grace_s`` after ``deadline_s``. Dry runs and the tour are ``silent``: nothing is sent.
    Only scheduled runs (``kind="run"``) report success or failure to the heartbeat; for others, which people start, it
    gets a line in its log.
    """
    tending = Tending(settings, clock, kind)
    with watchdog(deadline_s, (lambda: None) if silent else tending.cut_off, grace_s=grace_s):
        if silent:
            yield tending
            return
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


class Tending:
    """The heartbeat and alerts of one run; see :func:`tended`."""

    def __init__(self, settings: Settings, clock: SystemClock, kind: Kind) -> None:
        self._settings = settings
        self._clock = clock
        self._kind = kind
        self._began = clock.now()
        self._exit_code: int = ExitCode.CANNOT_RUN
        self._text = ""  # for the heartbeat
        self._record: RunRecord | None = None
        self._escalated: Sequence[tuple[int, tuple[str, ...]]] = ()
        self._reported = False
        url = settings.alerts.heartbeat_url
        self._heartbeat = Heartbeat(url.get_secret_value() if url else None)
        self._store = AlertStore.of(settings)

    def begin(self) -> None:
        """Ping the heartbeat before the run."""
        alerts = self._settings.alerts
        if alerts.urls or alerts.page_urls or alerts.heartbeat_url:
            tame_libraries()
        if self._kind == "run":
            self._heartbeat.start()

    def ended(self, summary: RunSummary, *, tally: RunTally | None = None) -> None:
        """Report the end of the run; tickets that ``tally`` counted as escalated are sent."""
        self._reported = True
        if tally is not None and self._settings.alerts.escalated:
            self._escalated = tally.escalated
        self._exit_code, self._text = summary.exit_code, _text_of(summary)
        self._keep(summary)

    def raised(self, error: BaseException) -> None:
        """Note the error that ended the run, unless it had ended before."""
        if self._reported:
            return
        code, name = ExitCode.CANNOT_RUN, UNEXPECTED
        if isinstance(error, TicketbotError):
            code, name = error.exit_code, type(error).__name__
        elif not isinstance(error, Exception):
            code = ExitCode.INTERRUPTED
        if isinstance(error, Exception) and not isinstance(error, ConfigError | RunLocked):
            why = unexpected(error)
            self._keep(RunSummary(run_id="", dry_run=False, stopped=why, stopped_by=name, exit_code=int(code)))
        self._exit_code, self._text = code, f"exit code {int(code)}\nended early: {end_words(name)}"

    def _keep(self, summary: RunSummary) -> None:
        run_id, now = summary.run_id, self._clock.now()
        self._record = RunRecord(run_id=run_id, kind=self._kind, started=self._began, finished=now, summary=summary)

    def finish(self) -> None:
        """Send heartbeat and alerts after the run. Never raises."""
        stopped = self._exit_code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
        until = self._clock.monotonic() + (WHEN_STOPPED_S if stopped else AT_MOST_S)
        try:
            with self._store.alone(patience_s=1.0) as alone:
                if alone:
                    self._tend(until)
                else:  # another run is sending alerts
                    self._wait(self._ping(), until)
        except Exception as error:  # noqa: BLE001 - the run is over, and its result stays
            _say(f"alerts could not be looked after: {unexpected(error)}")
        if self._heartbeat.trouble:
            _say(f"the heartbeat was not heard: {self._heartbeat.trouble}")

    def cut_off(self) -> None:
        """Report a run that hangs to the log and the heartbeat, before the process is ended."""
        noting = threading.Thread(target=self._note_cut_off, daemon=True)  # the log may be what hangs
        noting.start()
        self._exit_code, self._text = ExitCode.CANNOT_RUN, "cut off after its deadline\nexit code 3"
        ping = self._ping()
        for thread in (noting, ping):
            if thread is not None:
                thread.join(LAST_WORDS_S / 2)

    def _note_cut_off(self) -> None:
        audit = audit_log(self._settings, self._clock, f"{new_run_id(self._clock)}-watchdog")
        with closing(audit), suppress(AuditUnwritable):  # the process ends in a moment, and says so
            audit.alert("cut_off", kind=self._kind, began=iso(self._began))

    def _tend(self, until: float) -> None:
        """Evaluate the rules, send what is outstanding, and store what was sent."""
        now, memory, settings = self._clock.now(), self._store.load(), self._settings
        records, halted = _past(settings, self._record, now)
        if self._kind == "run" or self._record is not None:
            holding, over = look(records, settings, now, halted=halted)
            memory = after(memory, holding, now, over=over)
        ping = self._ping(memory)
        everybody = receivers(settings.alerts)
        news = [EscalatedTicket(ticket_id=number, reasons=reasons) for number, reasons in self._escalated]
        waiting = (*memory.escalated, *news)[-MOST_ESCALATED:] if any(one.hears_all for one in everybody) else ()
        memory = memory.model_copy(update={"escalated": waiting})
        left_s = max(0.0, until - self._clock.monotonic())
        known = memory.last_failure if memory.last_failure and memory.last_failure.is_recent(now) else None
        sent = send(self._post(everybody, memory, records, now), left_s, self._clock)
        for name, why in {one.receiver.name: one.why for one in sent if one.why}.items():
            if known is None or (known.target, known.why) != (name, why):  # a scheduler mails what is said
                _say(f"an alert did not reach {name}: {why}; each run tries again")
        for one in sent:
            memory = _remembered(memory, one, now)
        if not self._store.save(memory, now) and memory.conditions:
            _say("which alerts were sent cannot be stored anywhere, so the next run sends them again")
        self._wait(ping, until)

    def _post(
        self, everybody: Sequence[Receiver], memory: Memory, records: Sequence[RunRecord], now: float
    ) -> list[tuple[Receiver, list[AlertMessage]]]:
        """The outstanding messages of each receiver."""
        account, machine = self._settings.account or NO_DESK, platform.node()
        news = owed(memory, everybody, now)
        for_all = [escalation_of(memory.escalated, account, self._settings.ticket_url)] if memory.escalated else []
        known = memory.summary if memory.summary and memory.summary <= iso(now)[:10] else None
        if day := summary_due(now, self._settings.alerts.daily_at, known):
            head = records[-1].summary.log_head if records else None
            if text := summary_text(day, records, memory.open, head):
                for_all.append(AlertMessage(title_of("summary", day, account), text, what="summary", about=day))
        post = []
        for receiver in everybody:
            mine = [message_of(one, account, machine) for one in news if one.target == receiver.id]
            post.append((receiver, mine + (for_all if receiver.hears_all else [])))
        return post

    def _ping(self, memory: Memory | None = None) -> threading.Thread | None:
        if self._kind == "webhook":
            return None  # there may be one every few seconds, and the scheduled runs tell whether all is well
        alerts = f"\nopen alerts: {', '.join(sorted(memory.open)) or 'none'}" if memory else ""
        body = f"{self._kind}: {self._text}{alerts}"
        return self._heartbeat.finish(self._exit_code, body) if self._kind == "run" else self._heartbeat.note(body)

    def _wait(self, thread: threading.Thread | None, until: float) -> None:
        if thread is not None:
            thread.join(max(0.0, until - self._clock.monotonic()))
            if thread.is_alive():
                self._heartbeat.trouble = "it did not answer in time"


def _past(settings: Settings, this: RunRecord | None, now: float) -> tuple[list[RunRecord], bool]:
    """The recorded runs and ``this`` one, oldest first, and whether a published note has halted them."""
    path = settings.state_folder / FILE_NAME
    records: list[RunRecord] = []
    halted = False
    with suppress(StateUnusable, OSError):  # the run has reported it
        if is_there(path):
            with closing(State(path)) as state:
                records = [record for record in state.runs(now - HISTORY_S) if record.finished <= now + AHEAD_S]
                halted = state.fact(HALTED) is not None
    if this is not None and all(record.run_id != this.run_id for record in records):
        records.append(this)
    return records, halted


def _remembered(memory: Memory, sent: Sent, now: float) -> Memory:
    """The memory after a message has been sent, or has not arrived."""
    if sent.why is not None:
        failure = Failure(at=now, target=sent.receiver.name, why=sent.why)
        return memory.model_copy(update={"last_failure": failure})
    about = sent.message.about
    # It is enough if one receiver gets the escalated tickets or the summary.
    if about is None:
        return memory.model_copy(update={"escalated": ()})
    return memory.model_copy(update={"summary": about}) if isinstance(about, str) else after_sending(memory, about)


def _text_of(summary: RunSummary) -> str:
    """The lines about a run for the heartbeat, without any word of a ticket."""
    lines = [
        f"{summary.run_id}, exit code {summary.exit_code}",
        in_a_row(summary.outcomes) or "no tickets",
        f"because {in_a_row(summary.reasons)}" if summary.reasons else "",
        f"ended early: {end_words(summary.stopped_by)}" if summary.stopped_by else "",
        f"log head: {summary.log_head}" if summary.log_head else "",
    ]
    return "\n".join(line for line in lines if line)


def _say(sentence: str) -> None:
    sys.stderr.write(f"ticketbot: note: {sentence}\n")
    sys.stderr.flush()


@contextmanager
def watchdog(deadline_s: float | None, last_words: Callable[[], None], *, grace_s: float) -> Iterator[None]:
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


def _too_late(last_words: Callable[[], None]) -> None:
    speaking = threading.Thread(target=last_words, daemon=True)
    speaking.start()
    speaking.join(LAST_WORDS_S)
    sys.stderr.write("ticketbot: a call did not end, and the run was cut off after its deadline\n")
    sys.stderr.flush()
    os._exit(int(ExitCode.CANNOT_RUN))

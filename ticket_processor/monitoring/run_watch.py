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
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal
from urllib.parse import urlsplit

from ..core.clock import SystemClock, iso
from ..core.errors import ConfigError, ExitCode, RunLocked, StateUnusable, TicketbotError, unexpected
from ..core.run_summary import RunRecord, RunSummary
from ..pipeline.run_checks import HALTED
from ..reporting.glossary import end_words
from ..reporting.run_words import RunTally
from ..settings.schema import Settings
from ..state.sqlite import is_there
from ..state.store import AHEAD_S, FILE_NAME, State
from ..wiring.parts import audit_log, new_run_id
from ..wiring.ticket_subjects import Subjects
from .facts import HISTORY_S, UNEXPECTED, Facts
from .heartbeat import PATIENCE_S, Heartbeat
from .memory import AlertStore, EscalatedTicket, Failure, Memory, judged, owed, still_to_tell, told
from .messages import AlertMessage, escalation_of, message_of, summary_due, summary_text, title_of
from .receivers import Receiver, Sent, receivers, send, tame_libraries
from .run_metrics import DAY, in_a_row

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

    @cached_property
    def _receivers(self) -> list[Receiver]:
        return receivers(self._settings.alerts)

    # Called by the run

    def ended(self, summary: RunSummary, *, tally: RunTally | None = None) -> None:
        """Report the end of the run; tickets that ``tally`` counted as escalated are sent."""
        self._end = _End(summary.exit_code, _told(summary), self._record(summary), tally)

    def _record(self, summary: RunSummary) -> RunRecord:
        now = self._clock.now()
        return RunRecord(run_id=summary.run_id, kind=self._kind, started=self._began, finished=now, summary=summary)

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
            self._end = _End(code, text, self._record(summary))

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
        with self._store.alone(patience_s=1.0):
            self._store.save(self._store.load().model_copy(update={"seen": now}), now)

    # The work

    def _tend(self, end: _End, until: float) -> None:
        with self._store.alone(patience_s=1.0) as alone:
            if not alone:  # another run is sending alerts
                self._wait(self._ping(end), until)
                return
            now, memory = self._clock.now(), self._store.load()
            past = _past(self._settings, end.record, now)
            if self._kind == "run":
                memory = self._judged(memory, past, now).model_copy(update={"seen": now})
            elif end.record is not None:
                memory = self._judged(memory, past, now)
            ping = self._ping(end, memory)
            memory, known = self._with_escalated(memory, end.tally, now), memory.last_failure
            sent = send(self._post(memory, past, now), max(0.0, until - self._clock.monotonic()), self._clock)
            for each in sent:
                memory = _remembered(memory, each, now)
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

    def _judged(self, memory: Memory, past: _Past, now: float) -> Memory:
        """The memory with the conditions that hold now."""
        desk = self._settings.desk
        facts = Facts(
            now=now,
            history_known=past.known,
            models=bool(self._settings.models.names),
            api_token=desk.sign_in == "api_token",
            halted=past.halted,
            started=self._began if self._kind == "run" else None,
            seen=memory.seen if memory.seen is not None and memory.seen <= now + AHEAD_S else None,
        )
        return judged(memory, past.records, facts, self._settings)

    def _with_escalated(self, memory: Memory, tally: RunTally | None, now: float) -> Memory:
        """The memory with the tickets that the run has escalated, if anybody is to be told of them."""
        if not any(receiver.hears_all for receiver in self._receivers):
            return memory.model_copy(update={"escalated": ()})
        found = tally.escalated if tally is not None and self._settings.alerts.escalated else ()
        news = [EscalatedTicket(ticket_id=number, reasons=reasons, at=now) for number, reasons in found]
        return still_to_tell(memory.model_copy(update={"escalated": (*memory.escalated, *news)}), now)

    def _post(self, memory: Memory, past: _Past, now: float) -> list[tuple[Receiver, list[AlertMessage]]]:
        """The outstanding messages of each receiver."""
        targets = [receiver.target for receiver in self._receivers]
        account, machine = account_name(self._settings), platform.node()
        news = owed(memory, targets, now)
        post = []
        for receiver in self._receivers:
            own = [one for one in news if one.target == receiver.target.id]
            mine = [message_of(one, account, machine) for one in own]
            if receiver.hears_all:
                if memory.escalated:
                    mine.append(escalation_of(memory.escalated, account, self._settings.ticket_url))
                mine += self._summary(memory.summaries.get(receiver.target.id), memory, past, now)
            post.append((receiver, mine))
        return post

    def _summary(self, known: str | None, memory: Memory, past: _Past, now: float) -> list[AlertMessage]:
        """The summary of yesterday, if it is due; ``known`` is the day of the last one."""
        ahead = known is not None and known > iso(now)[:10]
        day = summary_due(now, self._settings.alerts.daily_at, None if ahead else known)
        head = past.records[-1].summary.log_head if past.records else None
        text = summary_text(day, past.records, memory.open, head) if day else None
        if day is None or text is None:
            return []
        title = title_of("summary", day, account_name(self._settings))
        return [AlertMessage(title, text, what="summary", about=day)]

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


@dataclass(frozen=True)
class _Past:
    """The runs, oldest first; whether earlier ones are ``known``; whether a published note has ``halted`` them."""

    records: Sequence[RunRecord] = ()
    known: bool = True
    halted: bool = False


def _past(settings: Settings, this: RunRecord | None, now: float) -> _Past:
    """The recorded runs and ``this`` one, whether or not the state could keep it. Does not raise."""
    path = settings.state_folder / FILE_NAME
    past = _Past()
    try:
        if is_there(path):
            with closing(State(path)) as state:
                past = _Past(state.runs(now - HISTORY_S), halted=state.fact(HALTED) is not None)
    except (StateUnusable, OSError):
        past = _Past(known=False)
    believed = [record for record in past.records if record.finished <= now + AHEAD_S]
    if this is not None and all(record.run_id != this.run_id for record in believed):
        believed.append(this)
    return replace(past, records=believed)


def account_name(settings: Settings) -> str:
    """The name of the helpdesk in messages."""
    desk = settings.desk
    return urlsplit(desk.base_url).hostname or "helpdesk" if desk.named else "no helpdesk yet"


def _remembered(memory: Memory, sent: Sent, now: float) -> Memory:
    """The memory after a message has been sent, or has not arrived."""
    if sent.why is not None:
        failure = Failure(at=now, target=sent.receiver.name, why=sent.why)
        return memory.model_copy(update={"last_failure": failure})
    about = sent.message.about
    if about is None:  # one receiver that knows of escalated tickets is enough
        return memory.model_copy(update={"escalated": ()})
    if isinstance(about, str):
        return memory.model_copy(update={"summaries": {**memory.summaries, sent.receiver.target.id: about}})
    return told(memory, about)


def _told(summary: RunSummary) -> str:
    """The lines about a run for the heartbeat, without any word of a ticket."""
    lines = [
        f"{summary.run_id}, exit code {summary.exit_code}",
        in_a_row(summary.outcomes) or "no tickets",
        f"because {in_a_row(summary.reasons)}" if summary.reasons else "",
        f"ended early: {end_words(summary.stopped_by)}" if summary.stopped_by else "",
        f"log head: {summary.log_head}" if summary.log_head else "",
    ]
    return "\n".join(line for line in lines if line)


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

"""The alerts of one run: judges the rules, and sends each receiver what it does not know yet."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ..core.clock import SystemClock, iso
from ..core.errors import StateUnusable
from ..core.run_summary import RunRecord
from ..pipeline.run_checks import HALTED
from ..reporting.run_tally import RunTally
from ..settings.helpdesks import ZendeskSettings
from ..settings.schema import Settings
from ..state.sqlite import is_there
from ..state.store import AHEAD_S, FILE_NAME, State
from .facts import HISTORY_S, AlertLimits, Facts
from .messages import AlertMessage, escalation_of, message_of, summary_due, summary_text, title_of
from .open_alerts import (
    EscalatedTicket,
    Failure,
    Memory,
    judged,
    owed,
    still_to_tell,
    told,
    without_strangers,
)
from .receivers import Receiver, receivers
from .sender import Sent, send


@dataclass(frozen=True)
class Past:
    """The runs, oldest first; whether earlier ones are ``known``; whether a published note has ``halted`` them."""

    records: Sequence[RunRecord]
    known: bool = True
    halted: bool = False


class AlertRound:
    """Judges and sends the alerts of one account; ``began`` is when this run began, if it is a scheduled one."""

    def __init__(self, settings: Settings, clock: SystemClock, *, began: float | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._began = began
        self._now = clock.now()
        self.receivers = receivers(settings.alerts)

    def past(self, this: RunRecord | None) -> Past:
        """The recorded runs and ``this`` one, whether or not the state could keep it. Does not raise."""
        path = self._settings.state_folder / FILE_NAME
        past = Past(())
        try:
            if is_there(path):
                with closing(State(path)) as state:
                    past = Past(state.runs(self._now - HISTORY_S), halted=state.fact(HALTED) is not None)
        except (StateUnusable, OSError):
            past = Past((), known=False)
        believed = [record for record in past.records if record.finished <= self._now + AHEAD_S]
        past = replace(past, records=believed)
        if this is None or any(record.run_id == this.run_id for record in past.records):
            return past
        return replace(past, records=(*past.records, this))

    def judged(self, memory: Memory, past: Past) -> Memory:
        """The memory with the conditions that hold now."""
        desk = self._settings.desk
        facts = Facts(
            now=self._now,
            history_known=past.known,
            models=bool(self._settings.models.names),
            api_token=isinstance(desk, ZendeskSettings) and desk.by_api_token,
            halted=past.halted,
            started=self._began,
            seen=memory.seen if memory.seen is not None and memory.seen <= self._now + AHEAD_S else None,
        )
        return judged(memory, past.records, facts, limits(self._settings))

    def escalated(self, memory: Memory, tally: RunTally) -> Memory:
        """The memory with the tickets that the run has escalated."""
        news = tuple(
            EscalatedTicket(ticket_id=number, reasons=reasons, at=self._now) for number, reasons in tally.escalated
        )
        return memory.model_copy(update={"escalated": (*memory.escalated, *news)})

    def told(self, memory: Memory, past: Past, seconds: float) -> tuple[Memory, list[Sent]]:
        """Send all outstanding messages within ``seconds``; return the memory after it and the results."""
        targets = [receiver.target for receiver in self.receivers]
        memory = still_to_tell(without_strangers(memory, targets), self._now)
        if not any(map(_hears_all, self.receivers)):
            memory = memory.model_copy(update={"escalated": ()})
        news = owed(memory, targets, self._now, self._settings.alerts.cool_down_minutes * 60)
        account, runbook, machine = account_name(self._settings), self._settings.alerts.runbook, platform.node()
        post = []
        for receiver in self.receivers:
            mine = [message_of(one, account, runbook, machine) for one in news if one.target == receiver.target.id]
            if _hears_all(receiver) and memory.escalated:
                mine.append(escalation_of(memory.escalated, account, self._settings.ticket_url))
            post.append((receiver, [*mine, *self._summary(receiver, memory, past)]))
        sent = send(post, seconds, self._clock)
        for each in sent:
            memory = self._remembered(memory, each)
        return memory, sent

    def _summary(self, receiver: Receiver, memory: Memory, past: Past) -> list[AlertMessage]:
        """The summary of yesterday, if it is due."""
        if not _hears_all(receiver):
            return []
        told = memory.summaries.get(receiver.target.id)
        ahead = told is not None and told > iso(self._now)[:10]
        day = summary_due(self._now, self._settings.alerts.daily_at, None if ahead else told)
        head = past.records[-1].summary.log_head if past.records else None
        text = summary_text(day, past.records, memory.open, head) if day else None
        if day is None or text is None:
            return []
        title = title_of("summary", day, account_name(self._settings))
        return [AlertMessage(title, text, what="summary", about=day)]

    def _remembered(self, memory: Memory, sent: Sent) -> Memory:
        if sent.why is not None:
            failure = Failure(at=self._now, target=sent.receiver.name, why=sent.why)
            return memory.model_copy(update={"last_failure": failure})
        about = sent.message.about
        if about is None:  # one receiver that knows of escalated tickets is enough
            return memory.model_copy(update={"escalated": ()})
        if isinstance(about, str):
            return memory.model_copy(update={"summaries": {**memory.summaries, sent.receiver.target.id: about}})
        return told(memory, about)


def _hears_all(receiver: Receiver) -> bool:
    """Whether it gets escalated tickets and summaries. A pager gets none, since nothing would close its incident."""
    return not receiver.pages and not receiver.target.critical_only


def limits(settings: Settings) -> AlertLimits:
    """The thresholds of the rules, from the settings."""
    alerts, slo = settings.alerts, settings.slo
    return AlertLimits(
        success=slo.success,
        fallback_share=slo.fallback_share,
        stale_s=alerts.stale_minutes and alerts.stale_minutes * 60,
        day_usd=alerts.day_usd,
    )


def account_name(settings: Settings) -> str:
    """The name of the helpdesk in messages."""
    desk = settings.desk
    return urlsplit(desk.base_url).hostname or "helpdesk" if desk.named else "no helpdesk yet"

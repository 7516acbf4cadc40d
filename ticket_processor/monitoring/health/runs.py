"""Health checks of the runs that the state has recorded, of what they left undone, and of alerts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...core.clock import iso
from ...core.errors import ExitCode
from ...core.reasons import WAITING
from ...core.run_summary import RunRecord
from ...core.wording import many
from ...reporting.glossary import span
from ...state.records import Retry
from ...state.store import AHEAD_S
from ..memory import Memory
from ..rules import Severity, severity_of
from ..run_metrics import DAY, period
from .checks import Check, fail, ok, skipped, warn

EVERY_S = 600.0
"""The shortest interval that is expected between runs."""
WARN_AFTER, FAIL_AFTER = 2.5, 6.0
"""Usual intervals without a run until a check warns or fails: 25 and 60 minutes at ten minutes each."""
WAITS_AT_MOST_S = 3600.0
WITHHELD_S = 60.0
"""Zendesk's export does not give the newest minute."""
_DONE = (ExitCode.OK, ExitCode.SOME_FAILED)


def last_run(runs: Sequence[RunRecord], now: float, *, scheduled: Callable[[], bool] = lambda: True) -> Check:
    """Whether runs come, come to their end, and look at every ticket. ``runs`` are in the order in which they began.

    A run that looked at everything there was is proof of all tickets that were created a minute before it began.
    ``scheduled`` says whether a scheduler of this system may start runs. It is asked only where people started all of
    these: then none is missed.
    """
    name, played = "last_run", _played(runs, now)
    if not played:
        return warn(name, "no run is on record; begin with 'ticketbot run', on a new account with --since now")
    every, last = rhythm(played), played[-1]
    good = next((record for record in reversed(played) if record.summary.exit_code in _DONE), None)
    looked = next((record for record in reversed(played) if record.summary.caught_up), None)
    facts: dict[str, object] = {"every_s": round(every), "last": iso(last.finished)}
    behind = None if looked is None else now - looked.started
    if looked is not None and behind is not None:
        facts |= {"caught_up": iso(looked.started), "behind_s": max(0, round(behind + WITHHELD_S))}
    why = f": {last.summary.stopped}" if last.summary.stopped and last is not good else ""
    if good is None:
        since = span(now - last.finished)
        return fail(name, f"no completed run on record; the last one stopped {since} ago{why}", **facts)
    age = now - good.finished
    facts |= {"last_good": iso(good.finished), "age_s": max(0, round(age))}
    said = [f"last completed run: {span(age)} ago"]
    if why:
        said.append(f"the last of all ended early{why}")
    if behind is None:
        said.append("no run on record has looked at every ticket that there was")
    else:
        said.append(f"every ticket older than {span(behind + WITHHELD_S)} has been looked at")
    judge = _by_age(max(age, behind or 0.0), every)
    if judge is not ok and all(record.by_hand for record in played) and not scheduled():
        judge = ok
        said.append("runs are started by hand, since no schedule is installed ('ticketbot schedule install')")
    elif judge is not ok and not why and _by_age(age, every) is not ok:
        said.append(f"runs are expected every {span(every)}: is the schedule alive?")
    elif judge is not ok and not why:
        said.append("runs do not come to the end of what there is: start them more often, or raise run.deadline_s")
    if judge is ok and (behind is None or last.summary.exit_code == ExitCode.CANNOT_RUN):
        judge = warn
    return judge(name, "; ".join(said), **facts)


def search_index(runs: Sequence[RunRecord], now: float, window_s: float) -> Check:
    """How late tickets were that came by search. ``window_s`` is how late one may be before it is lost."""
    name = "search_index"
    lately = [record.summary.index_late_s for record in _played(runs, now) if now - record.started <= DAY]
    late = max((each for each in lately if each is not None), default=None)
    if late is None:
        return skipped(name, "no run of the last 24 hours has found its tickets by search")
    text = f"in the last 24 hours the search was up to {span(late)} late, and a run looks {span(window_s)} back"
    if late < window_s / 2:
        return ok(name, text, late_s=round(late))
    lost = "a ticket that is later than that is never seen; make the user an admin, who may use the export"
    return warn(name, f"{text}: {lost}", late_s=round(late))


def rhythm(played: Sequence[RunRecord]) -> float:
    """Seconds that usually lie between two runs, and never less than ten minutes, which is also what few runs have."""
    return max(EVERY_S, period([record.started for record in played]) or 0.0)


def retry_list(retries: Sequence[Retry], now: float, *, head_start_s: float = 0.0) -> Check:
    """The retry list: what waits, for how long, and what was given up. ``head_start_s`` is people's, after creation."""
    name = "retry_list"
    waiting = [item for item in retries if not item.dead]
    dead = len(retries) - len(waiting)
    aged = [item for item in waiting if item.since]
    facts: dict[str, object] = {"waiting": len(waiting), "dead": dead}
    text = f"{many(len(waiting), 'ticket')} on the list for a later run" if waiting else "nothing waits for a later run"
    if aged:
        oldest = max(now - item.since for item in aged)
        facts["oldest_s"] = round(oldest)
        text += f", the oldest for {span(oldest)}"
    late = [item for item in aged if now - item.since > WAITS_AT_MOST_S + head_start_s * (item.reason == WAITING)]
    if dead:
        text += f"; {dead} failed too often and wait for 'ticketbot retry run' or 'drop'"
    if not (dead or late):
        return ok(name, text, **facts)
    return warn(name, f"{text}; see 'ticketbot retry list'", **facts)


def alerts(memory: Memory | None) -> Check:
    """The check of open alerts, as of the last run; ``memory`` is ``None`` if it cannot be read."""
    name = "alerts"
    if memory is None:
        return skipped(name, "not known, since alerts.json in the state folder cannot be read")
    held = memory.open
    if not held:
        return ok(name, "none is open" if memory.saved else "none is open; no run has looked yet")
    words = ", ".join(f"{rule} ({severity_of(rule).value}, since {iso(one.since)})" for rule, one in held.items())
    judge = fail if severity_of(next(iter(held))) is Severity.CRITICAL else warn
    return judge(name, f"open: {words}; see 'ticketbot alerts'", open=list(held))


def alerting(addresses: int, problem: str | None, memory: Memory | None, now: float) -> Check:
    """The check of delivery to so many addresses; ``problem`` says why none of them can be told."""
    name = "alerting"
    if not addresses:
        return skipped(name, "alerts go nowhere: TICKETBOT_ALERT_URLS and TICKETBOT_PAGE_URLS are not set")
    failure = memory.last_failure if memory else None
    if problem is None and failure and failure.is_recent(now):
        problem = f"a message could not be sent {span(now - failure.at)} ago to {failure.target}: {failure.why}"
    if problem is not None:
        return warn(name, f"{problem}; try 'ticketbot alerts --test'")
    return ok(name, f"{addresses} {'address' if addresses == 1 else 'addresses'} can be told")


def _played(runs: Sequence[RunRecord], now: float) -> list[RunRecord]:
    return [record for record in runs if record.kind == "run" and record.finished <= now + AHEAD_S]


def _by_age(age: float, every: float) -> Callable[..., Check]:
    if age <= WARN_AFTER * every:
        return ok
    return warn if age <= FAIL_AFTER * every else fail

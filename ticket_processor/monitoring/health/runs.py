"""Health checks of the runs that the state has recorded, of what they left undone, and of alerts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...core.clock import iso
from ...core.errors import ExitCode
from ...core.reasons import WAITING
from ...core.run_summary import RunRecord
from ...reporting.glossary import span
from ...state.records import Retry
from ...state.store import AHEAD_S
from ..facts import Severity
from ..memory import Memory
from ..rules import severity_of
from ..run_metrics import DAY, HOUR, period
from .checks import Check, ago, fail, ok, skipped, warn, whole

EVERY_S = 600.0
"""The shortest interval that is expected between runs."""
WARN_AFTER, FAIL_AFTER = 2.5, 6.0
"""Usual intervals without a run until a check warns or fails: 25 and 60 minutes at ten minutes each."""
WAITS_AT_MOST_S = 3600.0
WITHHELD_S = 60.0
"""Zendesk's export does not give the newest minute."""
SAME_ROUND_S = 60.0
"""A failure so shortly before the memory was saved belongs to the last messages sent."""
_DONE = (ExitCode.OK, ExitCode.SOME_FAILED)


def state(path: str, *, there: bool, damage: str | None) -> Check:
    """The state's file; one that is too new for this program, or cannot be opened, does not get so far."""
    if not there:
        return ok("state", f"there is none yet; the first run makes {path}", path=path)
    if damage is None:
        return ok("state", f"{path} is sound", path=path)
    return fail("state", f"{path} is damaged ({damage}); delete it: that leads to no wrong write", path=path)


def last_run(
    runs: Sequence[RunRecord],
    retries: Sequence[Retry],
    now: float,
    *,
    begun: bool = False,
    scheduled: Callable[[], bool] = lambda: True,
) -> Check:
    """Whether runs come, come to their end, and look at every ticket. ``runs`` are in the order in which they began.

    A run that looked at everything there was is proof of all tickets that were created a minute before it began.

    ``scheduled`` says whether a scheduler of this system may start runs. It is asked only where people started all of
    these: then none is missed.

    ``begun`` says that it is remembered where to go on, as by a version that put no runs on record. To begin anew
    would jump over the tickets that have come since.
    """
    name, played = "last_run", _played(runs, now)
    if not played:
        next_step = (
            "where to go on is remembered: the next 'ticketbot run' does, and is put on record"
            if begun
            else "the first one is begun with 'ticketbot run --since now'"
        )
        return warn(name, f"no run is on record; {next_step}")
    every, last = rhythm(played), played[-1]
    good = next((record for record in reversed(played) if record.summary.exit_code in _DONE), None)
    looked = next((record for record in reversed(played) if record.summary.caught_up), None)
    waiting = [item.since for item in retries if item.since and not item.dead]
    facts: dict[str, object] = {
        "every_s": round(every),
        "last": iso(last.finished),
        "exit_code": last.summary.exit_code,
        "oldest_waiting": iso(min(waiting)) if waiting else None,
    }
    behind = None if looked is None else now - looked.started
    if looked is not None and behind is not None:
        facts |= {"caught_up": iso(looked.started), "behind_s": whole(behind + WITHHELD_S)}
    why = f": {last.summary.stopped}" if last.summary.stopped and last is not good else ""
    if good is None:
        return fail(name, f"no completed run on record; the last one stopped {ago(now - last.finished)}{why}", **facts)
    age = now - good.finished
    facts |= {"last_good": iso(good.finished), "age_s": whole(age)}
    text = f"last completed run: {ago(age)}"
    if why:
        text += f"; the last of all ended early{why}"
    if behind is None:
        text += "; no run on record has looked at every ticket that there was"
    else:
        text += f"; every ticket older than {span(behind + WITHHELD_S)} has been looked at"
    if waiting:
        text += f"; the oldest that waits for a later run was put back {ago(now - min(waiting))}"
    judge = _by_age(max(age, behind or 0.0), every)
    if judge is not ok and all(record.by_hand for record in played) and not scheduled():
        judge = ok
        text += "; runs are started by hand, since no schedule is installed ('ticketbot schedule install')"
    if judge is ok and (behind is None or last.summary.exit_code == ExitCode.CANNOT_RUN):
        judge = warn
    elif judge is not ok and not why:
        late = _by_age(age, every) is not ok
        text += (
            f"; runs are expected every {span(every)}: is the schedule alive?"
            if late
            else "; runs do not come to the end of what there is: start them more often, or raise run.deadline_s"
        )
    return judge(name, text, **facts)


def search_index(runs: Sequence[RunRecord], now: float, window_s: float) -> Check:
    """How late tickets were that came by search. ``window_s`` is how late one may be before it is lost."""
    name = "search_index"
    late = [
        record.summary.index_late_s
        for record in _played(runs, now)
        if record.summary.index_late_s is not None and now - record.started <= DAY
    ]
    if not late:
        return skipped(name, "no run of the last 24 hours has found its tickets by search")
    facts: dict[str, object] = {"late_s": whole(max(late)), "window_s": whole(window_s)}
    text = f"in the last 24 hours the search was up to {span(max(late))} late, and a run looks {span(window_s)} back"
    if max(late) < window_s / 2:
        return ok(name, text, **facts)
    return warn(
        name,
        f"{text}: a ticket that is later than that is never seen; make the user an admin, who may use the export",
        **facts,
    )


def rhythm(played: Sequence[RunRecord]) -> float:
    """Seconds that usually lie between two runs, and never less than ten minutes, which is also what few runs have."""
    return max(EVERY_S, period([record.started for record in played]) or 0.0)


def retry_list(retries: Sequence[Retry], now: float, *, head_start_s: float = 0.0) -> Check:
    """The retry list: what waits, for how long, and what was given up. ``head_start_s`` is people's, after creation."""
    name = "retry_list"
    dead = sum(item.dead for item in retries)
    waiting = [item for item in retries if not item.dead]
    aged = [item for item in waiting if item.since]
    facts: dict[str, object] = {"waiting": len(waiting), "dead": dead}
    text = "nothing waits for a later run" if not waiting else f"{_tickets(len(waiting))} for a later run"
    if aged:
        oldest = max(now - item.since for item in aged)
        facts["oldest_s"] = whole(oldest)
        text += f", the oldest for {span(oldest)}"
    late = [item for item in aged if now - item.since > WAITS_AT_MOST_S + head_start_s * (item.reason == WAITING)]
    if dead:
        text += f"; {dead} failed too often and wait for 'ticketbot retry run' or 'drop'"
    if not (dead or late):
        return ok(name, text, **facts)
    return warn(name, f"{text}; see 'ticketbot retry list'", **facts)


def halted(why: str | None) -> Check:
    """Whether a note became public, which stops all runs."""
    if why is None:
        return ok("halted", "no note became public")
    return fail("halted", f"{why}; when the cause is found, run once with --resume")


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


def alerting(told: int, problems: Sequence[str], memory: Memory | None, now: float) -> Check:
    """The check of delivery. ``told`` is the number of addresses; ``problems`` are sentences about them."""
    name = "alerting"
    if not told:
        return skipped(name, "alerts go nowhere: TICKETBOT_ALERT_URLS and TICKETBOT_PAGE_URLS are not set")
    words = list(problems)
    failure = memory.last_failure if memory else None
    recent = memory and failure and (now - failure.at <= HOUR or memory.saved - failure.at <= SAME_ROUND_S)
    if failure and recent and failure.why not in problems:
        words.append(f"a message could not be sent {ago(now - failure.at)} to {failure.target}: {failure.why}")
    if words:
        return warn(name, f"{'; '.join(words)}; try 'ticketbot alerts --test'")
    return ok(name, f"{told} {'address' if told == 1 else 'addresses'} can be told; 'ticketbot alerts --test' tries it")


def _played(runs: Sequence[RunRecord], now: float) -> list[RunRecord]:
    return [record for record in runs if record.kind == "run" and record.finished <= now + AHEAD_S]


def _by_age(age: float, every: float) -> Callable[..., Check]:
    if age <= WARN_AFTER * every:
        return ok
    return warn if age <= FAIL_AFTER * every else fail


def _tickets(count: int) -> str:
    return "1 ticket waits" if count == 1 else f"{count} tickets wait"

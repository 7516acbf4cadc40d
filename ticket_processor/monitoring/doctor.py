"""Checks everything that a run needs: helpdesk, model servers, disk, state, log. Changes nothing.

The checks of recorded runs, of the retry list and of alerts are pure functions.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from ..analysis.cache import FILE_NAME as ANSWERS
from ..analysis.model_server.settings import ModelTarget, targets
from ..audit.files import NAME
from ..audit.writer import LOCK_NAME as LOG_LOCK
from ..core.clock import Clock, iso
from ..core.errors import ConfigError, ExitCode, Halted, why_unusable
from ..core.guards import LEAST_FREE_MB, MB, size
from ..core.reasons import WAITING
from ..core.run_summary import RunRecord
from ..core.text import many
from ..pipeline.context import HALTED
from ..reporting.glossary import span
from ..settings.schema import Settings
from ..state.records import Retry
from ..state.sqlite import is_there
from ..state.store import AHEAD_S, FILE_NAME, RUNS_KEPT_S
from ..wiring.parts import LOCK_NAME, kill_switch, opened_state
from .health_checks import SETTINGS, Check, Examiner, Probe, fail, ok, skipped, warn
from .health_servers import of_helpdesk, of_models
from .memory import AlertStore, Memory
from .receivers import package_missing, receivers
from .run_metrics import DAY, metrics_of, period

RECENT_S = 7 * DAY
_STORED = ("state", "last_run", "retry_list", "halted")
_STATE_FILES = (FILE_NAME, ANSWERS, LOCK_NAME)
EVERY_S = 600.0
"""Seconds; shorter intervals between runs count as this one."""
WARN_AFTER, FAIL_AFTER = 2.5, 6.0
"""Usual intervals without a run until a check warns or fails: 25 and 60 minutes at ten minutes each."""
WAITS_AT_MOST_S = 3600.0
WITHHELD_S = 60.0
"""Seconds; an export lacks the tickets of the newest minute."""
_DONE = (ExitCode.OK, ExitCode.SOME_FAILED)
DISK_BYTES, DISK_SHARE = 500_000_000, 0.05


class Doctor(Examiner):
    """Checks everything that the settings name.

    ``offline`` leaves helpdesk and model servers out. ``secret_files`` are the settings files that hold secrets.
    ``scheduled`` is that of :func:`last_run`.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        offline: bool = False,
        secret_files: Sequence[Path] = (),
        scheduled: Callable[[], bool] = lambda: True,
    ) -> None:
        models: Sequence[ModelTarget] = ()
        problems: Sequence[str] = ()
        try:
            models = targets(settings.models)
        except ConfigError as error:
            problems = error.problems
        probes = [
            of_settings(problems, settings.notices),
            of_helpdesk(settings.desk, clock, offline=offline),
            *of_models(models, offline=offline),
            *_of_files(settings, clock, secret_files, scheduled),
        ]
        super().__init__(probes, clock, account=settings.account)


def of_settings(problems: Sequence[str], notices: Sequence[str] = ()) -> Probe:
    """The probe of settings; if they have problems, nothing else can be checked."""
    found = ok(SETTINGS, "; ".join(("complete", *notices)), notices=list(notices))
    if problems:
        found = fail(SETTINGS, "; ".join(problems), problems=list(problems))
    return Probe((SETTINGS,), lambda: [found])


def _of_files(
    settings: Settings, clock: Clock, secret_files: Sequence[Path], scheduled: Callable[[], bool]
) -> Iterator[Probe]:
    def alerts() -> Sequence[Check]:
        memory, addresses = AlertStore.of(settings).load(), len(receivers(settings.alerts))
        return [alerting(addresses, package_missing(), memory, clock.now())]

    def stop() -> Sequence[Check]:
        try:
            kill_switch(settings).check()
        except Halted as error:
            return [fail("kill_switch", str(error))]
        return [ok("kill_switch", "not set")]

    def log_folder() -> Sequence[Check]:
        today = NAME.format(day=iso(clock.now())[:10])
        return [folder("log_folder", settings.log_dir, (f"{today}.jsonl", f"{today}.log", LOG_LOCK))]

    yield Probe(_STORED, partial(_stored, settings, clock, scheduled))
    yield Probe(("kill_switch",), stop)
    yield Probe(("alerting",), alerts, warn)
    yield Probe(("log_folder",), log_folder)
    yield Probe(("state_folder",), lambda: [folder("state_folder", settings.state_folder, _STATE_FILES)])
    yield Probe(("permissions",), lambda: [permissions(settings, secret_files)], warn)


def _stored(settings: Settings, clock: Clock, scheduled: Callable[[], bool]) -> Sequence[Check]:
    now, path = clock.now(), settings.state_folder / FILE_NAME
    there = is_there(path)
    with opened_state(settings.state_folder, settings.desk.base_url, dry_run=True) as state:
        damage, halted = state.damage(), state.fact(HALTED)
        runs = state.runs(now - RECENT_S)
        if not any(record.kind == "run" and record.summary.caught_up for record in runs):
            runs = state.runs(now - RUNS_KEPT_S)
        retries = state.retries()
    if damage is not None:
        sound = fail("state", f"{path} is damaged ({damage}); delete it: that leads to no wrong write")
    else:
        sound = ok("state", f"{path} is sound" if there else f"there is none yet; the first run makes {path}")
    metrics = metrics_of(record for record in runs if now - DAY <= record.started <= now + AHEAD_S)
    last = last_run(runs, now, scheduled=scheduled)
    resume = f"{halted}; when the cause is found, run once with --resume"
    return (
        sound,
        last.model_copy(update={"metrics": metrics}),
        retry_list(retries, now, head_start_s=settings.run.wait_minutes * 60),
        fail("halted", resume) if halted is not None else ok("halted", "no note became public"),
    )


# Runs, the retry list, and alerts


def last_run(runs: Sequence[RunRecord], now: float, *, scheduled: Callable[[], bool] = lambda: True) -> Check:
    """Check that runs start on time, finish, and handle every ticket. ``runs`` are in the order in which they began.

    A run that handled everything covers all tickets that were created more than a minute before it began.
    ``scheduled`` says whether a scheduler of this system may start runs. It is called only if people started all of
    these runs: without a scheduler, no run is late.
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


def rhythm(played: Sequence[RunRecord]) -> float:
    """The usual seconds between two runs, at least :data:`EVERY_S`, which is also the result for few runs."""
    return max(EVERY_S, period([record.started for record in played]) or 0.0)


def retry_list(retries: Sequence[Retry], now: float, *, head_start_s: float = 0.0) -> Check:
    """Check the retry list: what waits, how long, what was given up. ``head_start_s`` is the head start of people."""
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


def alerting(addresses: int, problem: str | None, memory: Memory, now: float) -> Check:
    """Check the delivery of alerts to so many addresses; ``problem`` says why none can be reached."""
    name = "alerting"
    if not addresses:
        return skipped(name, "alerts go nowhere: TICKETBOT_ALERT_URLS and TICKETBOT_PAGE_URLS are not set")
    failure = memory.last_failure
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


# This machine: disk space and permissions of our folders


def folder(name: str, folder: Path, written: Sequence[str]) -> Check:
    """Check a folder: disk space, and permission to write to it and its files, or to create it if it is missing."""
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    usage = shutil.disk_usage(place)
    why = None
    if not place.is_dir():
        why = why_unusable(place, NotADirectoryError())
    elif not os.access(place, os.W_OK | os.X_OK):
        why = f"this user may not write to {place}"
    elif place == folder.absolute():
        shut = [file for file in written if (place / file).exists() and not os.access(place / file, os.W_OK)]
        why = f"this user may not write to its file {shut[0]}" if shut else None
    return room(name, folder, usage.free, usage.total, unwritable=why)


def room(name: str, path: Path, free: int, total: int, *, unwritable: str | None = None) -> Check:
    """Check disk space (500 MB or 5% are enough) and permission to write; ``unwritable`` says why that is missing."""
    facts = {"path": str(path), "free_bytes": free, "total_bytes": total}
    if unwritable is not None:
        return fail(name, f"{path} cannot be written to: {unwritable}; nothing is changed then", **facts)
    text, least = f"{path}: {size(free)} free", LEAST_FREE_MB * MB
    if free < least and total:
        return fail(name, f"{text}, and a run wants {size(least)}: none begins", **facts)
    if free < max(2 * least, min(DISK_BYTES, DISK_SHARE * total)) and total:
        return warn(name, f"{text} of {size(total)}; without room for receipts nothing is changed", **facts)
    return ok(name, text, **facts)


def permissions(settings: Settings, secret_files: Sequence[Path]) -> Check:
    """Check whether other users of this machine can read our files or write to them."""
    name = "permissions"
    if os.name != "posix":
        return skipped(name, "this system's rights are not looked at; only ticketbot's user may read its folders")
    files = [*secret_files, *_files_of(settings.log_dir, "ticketbot-"), *_files_of(settings.state_folder, "")]
    if settings.helpdesk == "local":
        helpdesk = settings.local_account.file
        files += _files_of(helpdesk.parent, helpdesk.name)
    folders = {settings.log_dir, settings.state_folder, *(file.parent for file in secret_files)}
    exposed = sorted(str(file) for file in files if _open_to_others(file))
    writable = sorted(str(folder) for folder in folders if _mode(folder) & stat.S_IWOTH)
    said = []
    if writable:
        said.append(f"every user can put files into {_some(writable)}; take that right away: chmod o-w")
    if exposed:
        said.append(f"other users can read {_some(exposed)}; take that right away: chmod o-r")
    if said:
        return warn(name, ". ".join(said), files=exposed, folders=writable)
    return ok(name, f"other users can read none of {len(files)} files", files=exposed, folders=writable)


def _files_of(folder: Path, beginning: str) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(beginning) and entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _open_to_others(file: Path) -> bool:
    """True if users other than its owner and group can read the file and pass its folder."""
    with suppress(OSError):  # it was deleted meanwhile, or no one can reach it
        return bool(file.stat().st_size and _mode(file) & stat.S_IROTH and _mode(file.parent) & stat.S_IXOTH)
    return False


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

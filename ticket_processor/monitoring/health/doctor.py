"""Looking at everything that a run needs: helpdesk, model servers, disk, state, log. Changes nothing anywhere."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

from ... import __version__
from ...analysis.cache import FILE_NAME as ANSWERS
from ...analysis.model_server.presets import ModelTarget, targets
from ...analysis.rules.analyser import RulesAnalyser
from ...audit.files import NAME
from ...audit.retention import check_encryption, left_in, stands
from ...audit.writer import LOCK_NAME as LOG_LOCK
from ...core.clock import Clock, iso
from ...core.errors import ConfigError, Halted, StateUnusable, why_unusable
from ...core.guards import MB
from ...pipeline.parts import RunOptions
from ...pipeline.run_checks import HALTED
from ...settings.schema import Settings
from ...state.dependencies import Dependencies
from ...state.sqlite import is_there
from ...state.store import AHEAD_S, FILE_NAME, HORIZON, RUNS_KEPT_S
from ...wiring.parts import LOCK_NAME, keyring, kill_switch, model_breaker, opened_state
from ...wiring.trained import trained_classifier
from ..alert_file import AlertStore
from ..receivers import not_understood, package_missing, receivers
from ..run_metrics import DAY_S, metrics_of
from . import machine as judged
from . import runs as left
from .checks import LIMIT_S, Check, CheckResult, Examiner, Health, Probe, fail, ok, skipped, verdict, warn
from .remote import of_helpdesk, of_models

RECENT_S = 7 * DAY_S
_STORED = ("state", "last_run", "backlog", "search_index", "retry_list", "breakers", "wait", "halted")


class Doctor:
    """The health of what some settings describe, as often as it is asked, by one caller at a time.

    ``offline`` leaves helpdesk and model servers out. ``secret_files`` are the settings files that hold secrets.
    ``scheduled`` is that of :func:`.runs.last_run`.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        offline: bool = False,
        secret_files: Sequence[Path] = (),
        limit_s: float = LIMIT_S,
        scheduled: Callable[[], bool] = lambda: True,
    ) -> None:
        self._settings = settings
        self._clock = clock
        probes = [
            *of_helpdesk(settings.desk, clock, offline=offline, share=settings.run.limit_share),
            *of_models(_known_targets(settings), clock, offline=offline),
            *_of_files(settings, clock, secret_files, scheduled),
        ]
        self._examiner = Examiner(probes, clock, limit_s=limit_s)

    @property
    def abandoned(self) -> int:
        """Threads that are still in a call that has not come back."""
        return self._examiner.abandoned

    def examine(self) -> Health:
        """Everything, within the limit. Raises ``Stopping`` when a stop was asked for."""
        began = self._clock.monotonic()
        at = iso(self._clock.now())
        answers = self._examiner.examine()
        checks = (_settings(self._settings), *(check for answer in answers for check in answer.checks))
        return Health(
            status=verdict(checks),
            checks=checks,
            metrics=next((answer.metrics for answer in answers if answer.metrics), None),
            version=__version__,
            account=self._settings.account,
            at=at,
            seconds=round(self._clock.monotonic() - began, 3),
        )


def unusable(problems: Sequence[str], clock: Clock) -> Health:
    """The health of settings with which nothing can be looked at."""
    checks = (judged.settings(problems, ()),)
    return Health(
        status=verdict(checks), checks=checks, version=__version__, account=None, at=iso(clock.now()), seconds=0.0
    )


def _settings(settings: Settings) -> Check:
    try:
        targets(settings.models)
    except ConfigError as error:
        return judged.settings(error.problems, settings.notices)
    return judged.settings((), settings.notices)


def _known_targets(settings: Settings) -> Sequence[ModelTarget]:
    try:
        return targets(settings.models)
    except ConfigError:
        return ()  # which the check of the settings tells


def _of_files(
    settings: Settings, clock: Clock, secret_files: Sequence[Path], scheduled: Callable[[], bool]
) -> Iterator[Probe]:
    yield Probe(_STORED, partial(_stored, settings, clock, cache(scheduled)))
    yield Probe(("kill_switch",), partial(_kill_switch, settings))
    yield Probe(("alerts", "alerting"), partial(_alerts, settings, clock), warn)
    yield Probe(("log_chain",), partial(_log_chain, settings, clock), warn)
    yield Probe(("log_folder",), partial(_log_folder, settings, clock))
    yield Probe(("state_folder",), partial(_state_folder, settings))
    yield Probe(("classifier",), partial(_classifier, settings), warn)
    yield Probe(("permissions",), partial(_permissions, settings, tuple(secret_files)), warn)


def _stored(settings: Settings, clock: Clock, scheduled: Callable[[], bool]) -> CheckResult:
    now = clock.now()
    path = settings.state_folder / FILE_NAME
    there = is_there(path)
    with opened_state(settings.state_folder, settings.desk.base_url, dry_run=True) as state:
        damage = state.damage()
        runs = state.runs(now - RECENT_S)
        if not any(record.kind == "run" and record.summary.caught_up for record in runs):
            runs = state.runs(now - RUNS_KEPT_S)
        retries = state.retries()
        names = [settings.desk.vendor, *(model_breaker(target, clock).name for target in _known_targets(settings))]
        searched = (
            (left.search_index(runs, now, settings.zendesk.search_window_hours * 3600),)
            if settings.desk.can.search
            else (skipped("search_index", f"{settings.desk.vendor} lists tickets without its search"),)
        )
        checks = (
            left.state(str(path), there=there, damage=damage),
            left.last_run(runs, now, begun=state.fact(HORIZON) is not None, scheduled=scheduled),
            left.backlog(runs, retries, now, scheduled=scheduled),
            *searched,
            left.retry_list(retries, now, head_start_s=settings.run.wait_minutes * 60),
            left.breakers({name: Dependencies(state).breaker(name) for name in names}, now),
            left.wait(Dependencies(state).not_before(RunOptions.dependency, now), now),
            left.halted(state.fact(HALTED)),
        )
    return CheckResult(checks, metrics_of(record for record in runs if now - DAY_S <= record.started <= now + AHEAD_S))


def _kill_switch(settings: Settings) -> CheckResult:
    try:
        kill_switch(settings).check()
    except Halted as error:
        return CheckResult.of(left.kill_switch(str(error)))
    return CheckResult.of(left.kill_switch(None))


def _alerts(settings: Settings, clock: Clock) -> CheckResult:
    memory, everybody = AlertStore(settings.state_folder).known(), receivers(settings.alerts)
    problems: list[str] = []
    if everybody:
        try:
            unclear = not_understood(everybody)
        except ModuleNotFoundError:
            problems = [package_missing()]
        else:
            problems = [f"Apprise does not understand the address {receiver.name}" for receiver in unclear]
    return CheckResult((left.alerts(memory), left.alerting(len(everybody), problems, memory, clock.now())))


def _log_chain(settings: Settings, clock: Clock) -> CheckResult:
    folder = settings.log_dir
    try:
        os.scandir(folder).close()
    except FileNotFoundError:
        pass  # which is worth more than a word, where a run has left a log
    except OSError as error:
        return CheckResult.of(
            skipped("log_chain", f"not known, since {folder} cannot be read ({why_unusable(folder, error)})")
        )
    keys = keyring(settings)
    try:
        check_encryption(folder, iso(clock.now())[:10], keys)
    except ConfigError as error:
        return CheckResult.of(fail("log_chain", f"no run can write to the log: {error}"))
    try:
        with opened_state(settings.state_folder, settings.desk.base_url, dry_run=True) as state:
            head = left_in(state, settings.log_dir)
    except (StateUnusable, ConfigError):
        return CheckResult.of(skipped("log_chain", "not known, since the state cannot be read"))
    return CheckResult.of(left.log_chain(head, head is not None and stands(settings.log_dir, head, keys)))


def _classifier(settings: Settings) -> CheckResult:
    troubles: list[str] = []
    try:
        if not (settings.classifier.use and is_there(settings.classifier_folder)):
            return CheckResult.of(skipped("classifier", "none is used"))
        trained_classifier(settings, RulesAnalyser(settings.taxonomy), troubles.append)
    except StateUnusable:
        return CheckResult.of(skipped("classifier", "its folder cannot be read"))
    return CheckResult.of(warn("classifier", troubles[0]) if troubles else ok("classifier", "can be used"))


def _log_folder(settings: Settings, clock: Clock) -> CheckResult:
    today = NAME.format(day=iso(clock.now())[:10])
    return _folder("log_folder", settings.log_dir, (f"{today}.jsonl", f"{today}.log", LOG_LOCK), settings)


def _state_folder(settings: Settings) -> CheckResult:
    return _folder("state_folder", settings.state_folder, (FILE_NAME, ANSWERS, LOCK_NAME), settings)


def _folder(name: str, folder: Path, written: Sequence[str], settings: Settings) -> CheckResult:
    """Room in a folder, and leave to write to it, or to make it where it is missing; and to the files in it."""
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    usage = shutil.disk_usage(place)
    why = None
    if not place.is_dir():
        why = why_unusable(place, NotADirectoryError())
    elif not os.access(place, os.W_OK | os.X_OK):
        why = f"this user may not write to {place}" if place != folder.absolute() else "this user may not"
    else:
        shut = [file for file in written if (place / file).exists() and not os.access(place / file, os.W_OK)]
        if shut and place == folder.absolute():
            why = f"this user may not write to its file {shut[0]}"
    return CheckResult.of(
        judged.folder(name, judged.Folder(str(folder), usage.free, usage.total, settings.run.min_free_mb * MB, why))
    )


def _permissions(settings: Settings, secret_files: Sequence[Path]) -> CheckResult:
    if os.name != "posix":
        return CheckResult.of(judged.permissions(None, 0))
    files = [*secret_files, *_files_of(settings.log_dir, "ticketbot-"), *_files_of(settings.state_folder, "")]
    if settings.helpdesk == "local":
        helpdesk = settings.local_account.file
        files += _files_of(helpdesk.parent, helpdesk.name)
    folders = {settings.log_dir, settings.state_folder, *(file.parent for file in secret_files)}
    return CheckResult.of(
        judged.permissions(
            sorted(str(file) for file in files if _open_to_others(file)),
            len(files),
            sorted(str(folder) for folder in folders if _takes_from_others(folder)),
        )
    )


def _files_of(folder: Path, beginning: str) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(beginning) and entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _open_to_others(file: Path) -> bool:
    """Whether users that are neither its owner nor of its group can read anything in it, as far as its folder goes."""
    try:
        found = file.stat()
        return bool(found.st_size and found.st_mode & stat.S_IROTH and file.parent.stat().st_mode & stat.S_IXOTH)
    except OSError:
        return False  # gone meanwhile, or out of everybody's reach


def _takes_from_others(folder: Path) -> bool:
    """Whether every user can put files into a folder, such as settings, a kill switch, or a state of their own."""
    try:
        return bool(folder.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return False  # not there yet, or out of everybody's reach

"""Looking at everything that a run needs: helpdesk, model servers, disk, state, log. Changes nothing anywhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from ... import __version__
from ...analysis.cache import FILE_NAME as ANSWERS
from ...analysis.model_server.presets import ModelTarget, targets
from ...audit.files import NAME
from ...audit.retention import check_encryption, left_in, stands
from ...audit.writer import LOCK_NAME as LOG_LOCK
from ...core.clock import Clock, iso
from ...core.errors import ConfigError, Halted, StateUnusable, why_unusable
from ...helpdesk.zendesk_reads import SEARCH_WINDOW_S
from ...pipeline.run_checks import HALTED
from ...settings.schema import Settings
from ...state.sqlite import is_there
from ...state.store import AHEAD_S, FILE_NAME, RUNS_KEPT_S
from ...wiring.parts import LOCK_NAME, keyring, kill_switch, opened_state
from ..memory import AlertStore
from ..receivers import package_missing, receivers
from ..run_metrics import DAY, metrics_of
from . import runs as left
from .checks import SETTINGS, Check, Examiner, Health, Probe, fail, ok, skipped, verdict, warn
from .helpdesk import of_helpdesk
from .machine import folder, permissions
from .models import of_models

RECENT_S = 7 * DAY
_STORED = ("state", "last_run", "search_index", "retry_list", "halted")


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
        scheduled: Callable[[], bool] = lambda: True,
    ) -> None:
        self._account = settings.account
        self._clock = clock
        models: Sequence[ModelTarget] = ()
        problems: Sequence[str] = ()
        try:
            models = targets(settings.models)
        except ConfigError as error:
            problems = error.problems
        self._settings_check = _of_settings(problems, settings.notices)
        probes = [
            of_helpdesk(settings.desk, clock, offline=offline),
            *of_models(models, offline=offline),
            *_of_files(settings, clock, secret_files, scheduled),
        ]
        self._examiner = Examiner(probes, clock)

    @property
    def abandoned(self) -> int:
        """Threads that are still in a call that has not come back."""
        return self._examiner.abandoned

    def examine(self) -> Health:
        """Everything, within the limit. Raises ``Stopping`` when a stop was asked for."""
        began = self._clock.monotonic()
        at = iso(self._clock.now())
        checks = (self._settings_check, *self._examiner.examine())
        return Health(
            status=verdict(checks),
            checks=checks,
            metrics=next((check.metrics for check in checks if check.metrics), None),
            version=__version__,
            account=self._account,
            at=at,
            seconds=round(self._clock.monotonic() - began, 3),
        )


def unusable(problems: Sequence[str], clock: Clock) -> Health:
    """The health of settings with which nothing can be looked at."""
    checks = (_of_settings(problems, ()),)
    return Health(
        status=verdict(checks), checks=checks, version=__version__, account=None, at=iso(clock.now()), seconds=0.0
    )


def _of_settings(problems: Sequence[str], notices: Sequence[str]) -> Check:
    if problems:
        return fail(SETTINGS, "; ".join(problems), problems=list(problems))
    return ok(SETTINGS, "; ".join(("complete", *notices)), notices=list(notices))


def _of_files(
    settings: Settings, clock: Clock, secret_files: Sequence[Path], scheduled: Callable[[], bool]
) -> Iterator[Probe]:
    def log_folder() -> Sequence[Check]:
        today = NAME.format(day=iso(clock.now())[:10])
        return [folder("log_folder", settings.log_dir, (f"{today}.jsonl", f"{today}.log", LOG_LOCK))]

    state_files = (FILE_NAME, ANSWERS, LOCK_NAME)
    yield Probe(_STORED, partial(_stored, settings, clock, scheduled))
    yield Probe(("kill_switch",), lambda: [_kill_switch(settings)])
    yield Probe(("alerts", "alerting"), partial(_alerts, settings, clock), warn)
    yield Probe(("log_chain",), lambda: [_log_chain(settings, clock)], warn)
    yield Probe(("log_folder",), log_folder)
    yield Probe(("state_folder",), lambda: [folder("state_folder", settings.state_folder, state_files)])
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
    last_run = left.last_run(runs, now, scheduled=scheduled)
    resume = f"{halted}; when the cause is found, run once with --resume"
    return (
        sound,
        last_run.model_copy(update={"metrics": metrics}),
        left.search_index(runs, now, SEARCH_WINDOW_S),
        left.retry_list(retries, now, head_start_s=settings.run.wait_minutes * 60),
        fail("halted", resume) if halted is not None else ok("halted", "no note became public"),
    )


def _kill_switch(settings: Settings) -> Check:
    try:
        kill_switch(settings).check()
    except Halted as error:
        return fail("kill_switch", str(error))
    return ok("kill_switch", "not set")


def _alerts(settings: Settings, clock: Clock) -> Sequence[Check]:
    memory, everybody = AlertStore(settings.state_folder).known(), receivers(settings.alerts)
    return left.alerts(memory), left.alerting(len(everybody), package_missing(), memory, clock.now())


def _log_chain(settings: Settings, clock: Clock) -> Check:
    """Whether the log still holds the line that the last run ended with."""
    name = "log_chain"
    try:
        os.scandir(settings.log_dir).close()
    except FileNotFoundError:
        pass  # which is worth more than a word, where a run has left a log
    except OSError as error:
        why = why_unusable(settings.log_dir, error)
        return skipped(name, f"not known, since {settings.log_dir} cannot be read ({why})")
    keys = keyring(settings)
    try:
        check_encryption(settings.log_dir, iso(clock.now())[:10], keys)
    except ConfigError as error:
        return fail(name, f"no run can write to the log: {error}")
    try:
        with opened_state(settings.state_folder, settings.desk.base_url, dry_run=True) as state:
            head = left_in(state, settings.log_dir)
    except (StateUnusable, ConfigError):
        return skipped(name, "not known, since the state cannot be read")
    if head is None:
        return skipped(name, "no run has left the end of its log yet")
    if stands(settings.log_dir, head, keys):
        return ok(name, "the log holds the line that the last run ended with", head=head)
    why = "the log no longer holds the line that the last run ended with: it was changed, cut or removed since"
    return fail(name, f"{why}; see 'ticketbot audit verify'", head=head)

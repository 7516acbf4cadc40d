"""``ticketbot health``: prints the checks."""

from __future__ import annotations

from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError
from ..core.wording import many
from ..monitoring.health.checks import Status
from ..monitoring.health.doctor import unusable
from ..monitoring.run_metrics import RunMetrics, in_words
from ..settings.load import load
from .examinations import health_doctor
from .many_accounts import for_each, several
from .options import ConfigsOption, JsonOption
from .screen import Screen

_MARKS = {Status.OK: "ok", Status.WARN: "warn", Status.FAIL: "FAIL", Status.SKIPPED: "-"}


def health(
    clock: SystemClock,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask helpdesk and model servers.")] = False,
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> tuple[int, int]:
    """Look at everything that runs need, within 10 s. Exit code 0: healthy; 1: degraded; 3: unhealthy."""
    screen = Screen(as_json=as_json)
    if files := several(configs):
        return for_each(clock, screen, files, without={}), 0
    config = configs[0] if configs else None
    try:
        doctor = health_doctor(load(config=config), clock, config, offline=offline)
    except ConfigError as error:
        found, abandoned = unusable(error.problems, clock), 0
    else:
        found = doctor.examine()
        abandoned = doctor.abandoned
    rows = [(_MARKS[check.status], check.name, check.text) for check in found.checks]
    screen.table(("", "Check", "Found"), rows, loud=_MARKS[Status.FAIL])
    if found.metrics is not None:
        screen.say(f"\nLast 24 hours: {_in_words(found.metrics)}")
    screen.result(f"{found.account or 'ticketbot'}: {found.status}", found.model_dump(mode="json"))
    return found.exit_code, abandoned


def _in_words(runs: RunMetrics) -> str:
    """The numbers in a line."""
    if not runs.runs:
        return "no runs"
    words = [many(runs.runs, "run")]
    words += [f"{runs.runs_failed} that could not be made"] if runs.runs_failed else []
    words += in_words(runs)
    words += [f"{runs.usage.input + runs.usage.output:,} tokens"] if runs.usage.input else []
    return "; ".join(words)

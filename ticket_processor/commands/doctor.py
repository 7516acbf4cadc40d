"""``ticketbot doctor`` and its part ``kb doctor``: everything that is wrong with a set-up."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError
from ..core.findings import Finding, in_order
from ..core.text import many
from ..monitoring.health_checks import Health, Status
from ..settings.schema import Settings
from . import examinations
from .examinations import SetUp
from .options import ConfigOption, JsonOption
from .screen import Screen

MOST_OF_A_KIND = 5
MOST_LINES = 36

OfflineOption = Annotated[bool, typer.Option("--offline", help="Do not ask helpdesk and model servers.")]
EveryOption = Annotated[bool, typer.Option("--details", help="Show every finding, however many lines that takes.")]


def doctor(
    clock: SystemClock,
    offline: OfflineOption = False,
    details: EveryOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Look at settings, categories, account, rules, articles and health; writes nothing.

    Exit code 0: no problems; 1: problems; 2: the settings are wrong; 3: a part could not be looked at.
    """
    screen = Screen(as_json=as_json)
    found = SetUp(config, offline=offline)
    read: Counter[str] = Counter()
    abandoned = 0
    if settings := found.settings:
        examiner = examinations.health_doctor(settings, clock, config, offline=found.offline)
        with screen.progress("looking", 4) as advance:
            health = examiner.examine()
            found.look("health", lambda: examinations.running(settings, health))
            abandoned = examiner.abandoned
            advance(1)
            if not found.offline:
                _ask(found, settings, clock, health, read)
            advance(1)
            found.look("categories", lambda: examinations.categories(settings))
            advance(1)
            if settings.knowledge.sources:
                found.look("articles", lambda: examinations.articles(settings, clock))
            advance(1)
    conflicts = sum(finding.part == "rules" and finding.severity == "problem" for finding in found.findings)
    rules = f"{many(read['trigger'], 'trigger')}, {many(read['automation'], 'automation')} read"
    told = f"; {rules}: {many(conflicts, 'conflict')}" if read else ""
    _tell(screen, found, details=details, after=told, data={"read": dict(read), "conflicts": conflicts})
    return found.exit_code, abandoned


def check_articles(
    clock: SystemClock, details: EveryOption = False, as_json: JsonOption = False, config: ConfigOption = None
) -> int:
    """List copies, unpublished, old and never shown articles, and steps that exist only as pictures."""
    screen = Screen(as_json=as_json)
    found = SetUp(config, offline=True)
    if settings := found.settings:
        if not settings.knowledge.sources:
            raise ConfigError("there is no knowledge base: set knowledge.help_centers or knowledge.folders")
        found.look("articles", lambda: examinations.articles(settings, clock))
    _tell(screen, found, details=details)
    return found.exit_code


def _ask(found: SetUp, settings: Settings, clock: SystemClock, health: Health, read: Counter[str]) -> None:
    """Look at what only the helpdesk knows; where it has just given no answer, it is not asked again."""
    down = next((item for item in health.checks if item.name == "helpdesk" and item.status is Status.FAIL), None)
    if down is not None and down.facts.get("problem") != "rights":
        found.not_looked_at("account", "rules, groups and fields are not read while the helpdesk cannot be used")
        return
    with examinations.asking(settings, clock) as transport:
        found.look("rules", lambda: examinations.rules(settings, transport, read))
        found.look("account", lambda: examinations.account(settings, transport))


def _tell(
    screen: Screen, found: SetUp, *, details: bool, after: str = "", data: dict[str, object] | None = None
) -> None:
    """Print the findings, in order, and their numbers."""
    findings = in_order(found.findings)
    kinds: Counter[tuple[str, str]] = Counter()
    lines = left = 0
    for finding in findings:
        kinds[finding.part, finding.kind] += 1
        told = _lines(finding)
        if details or (kinds[finding.part, finding.kind] <= MOST_OF_A_KIND and lines + len(told) <= MOST_LINES):
            lines += len(told)
            for line in told:
                screen.say(line, fit=True)
        else:
            left += 1
    if left:
        screen.say(f"and {left} more: --details shows them", fit=True)
    seen = sum(finding.seen_by == "customers" and finding.severity == "problem" for finding in findings)
    counts = {severity: found.count(severity) for severity in ("problem", "warning", "advice")}
    numbers = f"{many(counts['problem'], 'problem')}, {many(counts['warning'], 'warning')}"
    advice = many(counts["advice"], "piece of advice", "pieces of advice")
    customers = f"; customers would see {seen} of the problems" if seen else ""
    screen.result(
        f"{numbers}, {advice}{customers}{after}",
        {
            "problems": counts["problem"],
            "warnings": counts["warning"],
            "advice": counts["advice"],
            "offline": found.offline,
            **(data or {}),
            "findings": [finding.model_dump() for finding in findings],
        },
    )


def _lines(finding: Finding) -> list[str]:
    mark = "" if finding.severity == "advice" else f"{finding.severity}  "
    what = f"{finding.what}: " if finding.what else ""
    lines = [f"{mark}{what}{finding.text}"]
    lines += [f"  {place.article}  {place.title}".rstrip() for place in finding.places]
    return [*lines, *([f"  to do: {finding.advice}"] if finding.advice else [])]

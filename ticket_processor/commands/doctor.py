"""``ticketbot doctor`` and its part ``kb doctor``: everything that is wrong with a set-up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..core.errors import CannotRun, ConfigError
from ..core.findings import Finding, in_order
from ..core.wording import many
from ..monitoring.health.checks import Health, Status
from ..settings.schema import Settings
from ..wiring.desks import read_labels
from . import examinations
from .examinations import SetUp
from .options import ConfigOption, JsonOption
from .screen import Screen

MOST_LINES = 40
MOST_OF_A_KIND = 5

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
        steps: list[Callable[[], object]] = [partial(found.look, "categories", partial(_categories, settings))]
        if settings.knowledge.sources:
            steps.append(partial(found.look, "articles", partial(examinations.articles, settings, clock)))
        examiner = examinations.health_doctor(settings, clock, config, offline=found.offline)
        with screen.progress("looking", len(steps) + (1 if found.offline else 4)) as advance:
            health = examiner.examine()
            found.look("health", partial(examinations.running, settings, health))
            abandoned = examiner.abandoned
            advance(1)
            if not found.offline:
                _ask(found, settings, clock, health, read, advance)
            for step in steps:
                step()
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
    if found.settings:
        if not found.settings.knowledge.sources:
            raise ConfigError("there is no knowledge base: set knowledge.help_centers or knowledge.folders")
        found.look("articles", partial(examinations.articles, found.settings, clock))
    _tell(screen, found, details=details)
    return found.exit_code


def _categories(settings: Settings) -> Sequence[Finding]:
    return list(examinations.categories(settings))


def _ask(
    found: SetUp,
    settings: Settings,
    clock: SystemClock,
    health: Health,
    read: Counter[str],
    advance: Callable[[int], None],
) -> None:
    """Look at what only the helpdesk knows; where it has just given no answer, it is not asked again."""
    down = next((item for item in health.checks if item.name == "helpdesk" and item.status is Status.FAIL), None)
    if down is not None and down.facts.get("problem") != "rights":
        why = "rules, groups and fields are not read while the helpdesk cannot be used"
        found.look("account", partial(_raise, CannotRun(why)))
        advance(3)
        return
    with examinations.asking(settings, clock) as transport:

        def of_account() -> Sequence[Finding]:
            labels = read_labels(settings, transport)
            targets = examinations.category_targets(settings, labels)
            return [*targets, *examinations.account(settings, transport, labels)]

        found.look("rules", partial(examinations.rules, settings, transport, read))
        advance(1)
        found.look("account", of_account)
        advance(2)


def _raise(error: Exception) -> Sequence[Finding]:
    raise error


def _tell(
    screen: Screen, found: SetUp, *, details: bool, after: str = "", data: dict[str, object] | None = None
) -> None:
    """Print the findings, in order, and their numbers."""
    findings = in_order(found.findings)
    lines = [line for block in _blocks(findings, details=details) for line in block]
    for line in lines:
        screen.say(line, fit=True)
    seen = sum(finding.seen_by == "customers" and finding.severity == "problem" for finding in findings)
    told = f"{many(found.count('problem'), 'problem')}, {many(found.count('warning'), 'warning')}"
    advice = many(found.count("advice"), "piece of advice", "pieces of advice")
    customers = f"; customers would see {seen} of the problems" if seen else ""
    screen.result(
        f"{told}, {advice}{customers}{after}",
        {
            "problems": found.count("problem"),
            "warnings": found.count("warning"),
            "advice": found.count("advice"),
            "offline": found.offline,
            **(data or {}),
            "findings": [finding.model_dump() for finding in findings],
        },
    )


def _blocks(findings: Sequence[Finding], *, details: bool) -> list[list[str]]:
    """The lines of each finding; without ``details`` those that fit, and a line that says how many more there are."""
    blocks = []
    kinds: Counter[tuple[str, str]] = Counter()
    room = MOST_LINES - 2  # for the lines that close it
    for finding in findings:
        kinds[finding.part, finding.kind] += 1
        block = _lines(finding)
        if not details and (kinds[finding.part, finding.kind] > MOST_OF_A_KIND or len(block) > room):
            continue
        room -= len(block)
        blocks.append(block)
    if left := len(findings) - len(blocks):
        blocks.append([f"and {left} more: --details shows them"])
    return blocks


def _lines(finding: Finding) -> list[str]:
    mark = "" if finding.severity == "advice" else f"{finding.severity}  "
    what = f"{finding.what}: " if finding.what else ""
    lines = [f"{mark}{what}{finding.text}"]
    lines += [f"  {place.article}  {place.title}".rstrip() for place in finding.places]
    return [*lines, *([f"  to do: {finding.advice}"] if finding.advice else [])]

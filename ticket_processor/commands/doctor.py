"""``ticketbot doctor`` and its part ``kb doctor``: everything that is wrong with a set-up.

Each examination is a function, which ``init`` and ``health`` call as well. They change nothing, except that
:func:`check_helpdesk` makes a local helpdesk where there is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from ..analysis.chain import ModelLink
from ..analysis.text.redact import RedactedText, redact
from ..core.clock import Clock, Deadline, SystemClock
from ..core.errors import AnalysisFailed, ConfigError, DeadlineReached, ExitCode, Stopping, TicketbotError, worst
from ..core.tables import Finding, SeenBy, SetupPart, SetupSeverity, in_order
from ..core.text import many, plain_line
from ..helpdesk.transport import Transport
from ..knowledge.evaluate import examine
from ..knowledge.store import FILE_NAME as ARTICLES
from ..monitoring.doctor import Doctor
from ..monitoring.health_checks import SETTINGS, Check, Health, Status, fail, ok, skipped
from ..monitoring.health_servers import of_helpdesk
from ..policy.decide import PARTS, Mode
from ..policy.setup_checks import check, check_labels, our_updates, rule_clashes
from ..schedule.schedulers import may_start_runs
from ..settings.load import config_file, load, secret_files
from ..settings.schema import Settings
from ..state.store import FILE_NAME
from ..wiring.desks import local_store
from ..wiring.knowledge import knowledge_store
from ..wiring.parts import transport_for, understanding
from ..wiring.vendors import vendor_of
from .options import ConfigOption, DetailedOption, JsonOption, OfflineOption
from .screen import Screen, shortened

ASKING_S = 120.0
_SEVERITIES: dict[Status, SetupSeverity] = {Status.FAIL: "problem", Status.WARN: "warning"}
_SEEN_BY: dict[str, SeenBy] = {
    "halted": "customers",
    "helpdesk": "agents",
    "last_run": "agents",
    "retry_list": "agents",
    "kill_switch": "agents",
}
"""Who notices first that a check fails, where it is not the operator."""
_TO_DO = {
    "log_folder": "make room, give this user the right to write there, or set log_dir",
    "model": "check its name, address and key (models.use)",
    "state_folder": "make room, give this user the right to write there, or set state_dir",
}
"""For checks whose sentence does not say what to do."""


def doctor(
    clock: SystemClock,
    offline: OfflineOption = False,
    details: DetailedOption = False,
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
        examiner = health_doctor(settings, clock, config, offline=found.offline)
        with screen.progress("looking", 4) as advance:
            health = examiner.examine()
            found.look("health", lambda: running(settings, health))
            abandoned = examiner.abandoned
            advance(1)
            if not found.offline:
                _ask(found, settings, clock, health, read)
            advance(1)
            found.look("categories", lambda: categories(settings))
            advance(1)
            if settings.knowledge.sources:
                found.look("articles", lambda: articles(settings, clock))
            advance(1)
    conflicts = sum(finding.part == "rules" and finding.severity == "problem" for finding in found.findings)
    rules = f"{many(read['trigger'], 'trigger')}, {many(read['automation'], 'automation')} read"
    summary = f"; {rules}: {many(conflicts, 'conflict')}" if read else ""
    _tell(screen, found, details=details, after=summary, data={"read": dict(read), "conflicts": conflicts})
    return found.exit_code, abandoned


def check_articles(
    clock: SystemClock, details: DetailedOption = False, as_json: JsonOption = False, config: ConfigOption = None
) -> int:
    """List copies, unpublished, old and never shown articles, and steps that exist only as pictures."""
    screen = Screen(as_json=as_json)
    found = SetUp(config, offline=True)
    if settings := found.settings:
        if not settings.knowledge.sources:
            raise ConfigError("there is no knowledge base: set knowledge.help_centers or knowledge.folders")
        found.look("articles", lambda: articles(settings, clock))
    _tell(screen, found, details=details)
    return found.exit_code


def _ask(found: SetUp, settings: Settings, clock: SystemClock, health: Health, read: Counter[str]) -> None:
    """Look at what only the helpdesk knows; where it has just given no answer, it is not asked again."""
    down = next((item for item in health.checks if item.name == "helpdesk" and item.status is Status.FAIL), None)
    if down is not None and down.facts.get("problem") != "rights":
        found.not_looked_at("account", "rules, groups and fields are not read while the helpdesk cannot be used")
        return
    # Without a client: making one may fail, and would take the other findings along.
    with closing(transport_for(settings.desk, clock, Deadline(clock, ASKING_S), read_only=True)) as transport:
        found.look("rules", lambda: rules(settings, transport, read))
        found.look("account", lambda: account(settings, transport))


def _tell(
    screen: Screen, found: SetUp, *, details: bool, after: str = "", data: dict[str, object] | None = None
) -> None:
    """Print the findings, in order, and their numbers."""
    findings = in_order(found.findings)
    lines = [line for finding in findings for line in _lines(finding)]
    for line in lines if details else shortened(lines, whole="--details shows them"):
        screen.say(line, fit=True)
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


class SetUp:
    """A set-up whose parts are looked at one after the other; a part that cannot be looked at is a finding itself.

    Settings that lack a helpdesk are looked at without it. ``exit_code`` is 2 when the settings are to blame, 3 when a
    part could not be looked at, 1 when there are problems, else 0.
    """

    def __init__(self, config: Path | None, *, offline: bool) -> None:
        self.findings: list[Finding] = []
        self.settings: Settings | None = None
        self.offline = offline
        self._codes: set[int] = set()
        try:
            self.settings = load(config=config, need_helpdesk=not offline)
        except ConfigError as error:
            self._codes.add(ExitCode.USAGE)
            self.findings += (
                Finding(part="settings", severity="problem", kind="invalid", what="settings", text=text)
                for text in error.problems
            )
            self.offline = True
            try:
                self.settings = load(config=config, need_helpdesk=False)
            except ConfigError:
                return  # with the problems that are told already

    @property
    def exit_code(self) -> int:
        """The answer to a script."""
        return worst({*self._codes, ExitCode.SOME_FAILED if self.count("problem") else ExitCode.OK})

    def count(self, severity: str) -> int:
        """How many findings are so severe."""
        return sum(finding.severity == severity for finding in self.findings)

    def look(self, part: SetupPart, found: Callable[[], Iterable[Finding]]) -> None:
        """Add what a part finds, or why it cannot be looked at. Raises ``Stopping`` when a stop was asked for."""
        try:
            for finding in found():
                self.findings.append(finding)
                if finding.part == "settings" and finding.severity == "problem":
                    self._codes.add(ExitCode.USAGE)
        except Stopping:
            raise
        except TicketbotError as error:
            self.not_looked_at(part, str(error))

    def not_looked_at(self, part: SetupPart, why: str) -> None:
        """Add that a part could not be looked at."""
        self._codes.add(ExitCode.CANNOT_RUN)
        text = f"not looked at: {why}"
        self.findings.append(
            Finding(part=part, severity="problem", kind="not_looked_at", what=part, text=text, seen_by="operator")
        )


# Settings, and what runs need


def health_doctor(settings: Settings, clock: Clock, config: Path | None, *, offline: bool) -> Doctor:
    """The examiner of ``ticketbot health`` for these settings."""
    file = config_file(config=config)
    return Doctor(
        settings,
        clock,
        offline=offline,
        secret_files=secret_files(file),
        scheduled=partial(may_start_runs, file or Path.cwd()),
    )


def running(settings: Settings, health: Health) -> Iterator[Finding]:
    """What health's checks warn of, and notices on the settings."""
    for notice in settings.notices:
        yield Finding(part="settings", severity="warning", kind="notice", text=notice, seen_by="operator")
    for found in health.checks:
        if found.status in _SEVERITIES:
            yield Finding(
                part="settings" if found.name == SETTINGS else "health",
                severity=_SEVERITIES[found.status],
                kind=found.name,
                what=found.name.replace("_", " "),
                text=found.text,
                advice=_TO_DO.get(found.name.partition(" ")[0], ""),
                seen_by=_SEEN_BY.get(found.name, "operator"),
            )


def check_helpdesk(settings: Settings) -> Check:
    """Whether the helpdesk answers with these credentials. It reads a ticket: other calls succeed unsigned.

    A local helpdesk is made where there is none.
    """
    if settings.helpdesk == "local":
        with local_store(settings, make=True):
            pass
    return of_helpdesk(settings.desk, SystemClock(), offline=False).look()[0]


def check_models(settings: Settings) -> Iterator[Check]:
    """Whether each model answers one invented ticket. This spends a few hundred tokens."""
    if not settings.models.names:
        held_back = " and ".join(part for part in PARTS if part not in settings.policy.rules_may_set)
        only = f"; {held_back} are only suggested then (policy.rules_may_set)" if held_back else ""
        yield skipped("models", f"no model configured (TICKETBOT_MODELS): keyword rules will answer{only}")
        return
    clock = SystemClock()
    text = redact("Question about my invoice\nHello, I was charged twice this month. Please check.")
    try:
        with understanding(settings, clock, Deadline(clock, 60)) as chain:
            for link in chain.links:
                if isinstance(link, ModelLink):
                    yield _answers(link, text)
    except ConfigError as error:
        yield from (fail(SETTINGS, problem) for problem in error.problems)


def _answers(link: ModelLink, text: RedactedText) -> Check:
    name = f"model {link.name}"
    try:
        analysis = link.analyse(text)
    except AnalysisFailed as error:
        return fail(name, f"{name}: {error.in_words}")
    except DeadlineReached:  # the models before it took all the time
        return fail(name, f"{name}: not asked, since the time for all models is used up")
    cost = "no price" if analysis.cost_usd is None else f"${analysis.cost_usd:.6f}"
    return ok(name, f"{name}: answers, and calls a double charge {analysis.category} ({cost})")


# Categories


def categories(settings: Settings) -> Iterator[Finding]:
    """What is wrong with the categories by themselves."""
    for finding in check(settings.taxonomy, settings.policy):
        # The built-in categories are nobody's to write examples for.
        if settings.categories or finding.kind != "examples":
            yield finding


# The helpdesk


def account(settings: Settings, transport: Transport) -> Iterator[Finding]:
    """What categories name and the account lacks, tickets marked before the first run, fields that block solving, and
    tickets that are left alone."""
    labels = vendor_of(settings).labels(settings, transport)
    yield from check_labels(settings.taxonomy, settings.policy, labels)
    marker = settings.policy.marker
    number = 0 if (settings.state_folder / FILE_NAME).exists() else (labels.tags or {}).get(marker, 0)
    if number:
        text = f"tickets that carry {marker} already: {number}; they count as done, and are never triaged"
        yield _of_account("warning", "marker", text, "if no run of ticketbot set it, choose another policy.tag_prefix")
    public = settings.replies.public if "public" in settings.replies.categories.values() else None
    solves = settings.policy.thanks_keep_solved is Mode.APPLY or (public is not None and public.then == "solved")
    for field in labels.fields:
        if solves and field.active and not field.system and field.required:
            name = f"'{plain_line(field.title, 60)}' ({field.id})"
            text = f"a run that sets tickets to solved is refused where {name} is empty, which is required"
            advice = "let the categories fill it, or switch off replies.public.then and policy.thanks_keep_solved"
            yield _of_account("warning", "required_field", text, advice)
    held = [f"{number} ({name})" for number, name in labels.held_statuses.items()]
    if held:
        text = f"these statuses of the account's own count as on hold: {', '.join(held)}"
        advice = f"name those of tickets that wait for you in {settings.helpdesk}.open_statuses"
        yield _of_account("warning", "on_hold", text, advice)


def rules(settings: Settings, transport: Transport, read: Counter[str]) -> Iterator[Finding]:
    """Rules of the helpdesk that clash with what runs write; ``read`` counts them by kind, once they are known."""
    if not settings.desk.can.rules:
        return
    known = vendor_of(settings).rules(transport)
    read.update({"trigger": 0, "automation": 0})
    read.update(rule.kind for rule in known)
    yield from rule_clashes(known, our_updates(settings.policy, settings.taxonomy, settings.run.statuses))


# Articles


def articles(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """What to mend in the articles. Raises :class:`ConfigError` where the settings name none."""
    if settings.knowledge.sources and not (settings.state_folder / ARTICLES).exists():
        text = "no articles have been read yet"
        yield Finding(part="articles", severity="advice", kind="not_read", text=text, advice="ticketbot kb sync")
        return
    with closing(knowledge_store(settings)) as store:
        yield from examine(store, clock.now())


def _of_account(severity: SetupSeverity, kind: str, text: str, advice: str) -> Finding:
    return Finding(part="account", severity=severity, kind=kind, text=text, advice=advice)

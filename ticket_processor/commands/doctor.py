"""``ticketbot doctor``: names the helpdesk's own rules that clash with a run, before the first one writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

from ..core.clock import Deadline, SystemClock
from ..core.errors import ExitCode
from ..core.sanitize import plain_line
from ..core.wording import many
from ..helpdesk.protocol import AccountLabels
from ..helpdesk.transport import Transport
from ..monitoring.health import freshdesk, zendesk
from ..monitoring.health.checks import Status
from ..monitoring.health.remote import ask_helpdesk
from ..policy.decide import Mode
from ..policy.rule_clashes import SetupFinding, our_updates, rule_clashes
from ..policy.taxonomy_check import check_labels
from ..settings.helpdesks import LocalSettings
from ..settings.load import load
from ..settings.schema import Settings
from ..state.store import FILE_NAME
from ..wiring.desks import read_labels, read_rules
from ..wiring.parts import transport_for
from .options import ConfigOption, JsonOption
from .screen import Screen

DEADLINE_S = 120.0


def doctor(clock: SystemClock, as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Read triggers, automations, groups and fields; writes nothing.

    Exit code 0: no conflicts; 1: a rule would mail customers or fight us; 3: the rules could not be read.
    """
    settings = load(config=config)
    screen = Screen(as_json=as_json)
    account = settings.desk
    if isinstance(account, LocalSettings):
        screen.result("the local helpdesk has no rules of its own: nothing to check", _data([], {}, []))
        return ExitCode.OK
    unread: list[str] = []
    with closing(transport_for(account, clock, Deadline(clock, DEADLINE_S), read_only=True)) as transport:
        rules = read_rules(settings, transport, unread)
        labels = read_labels(settings, transport)
        rights = ask_helpdesk(account, transport, clock, share=settings.run.limit_share).check
        left = list(_left_alone(settings, transport))
    updates = our_updates(settings.policy, settings.taxonomy, settings.run.statuses)
    found = [*rule_clashes(rules, updates), *_of_account(settings, labels)]
    read: Counter[str] = Counter(rule.kind for rule in rules)
    screen.blocks([_block(finding) for finding in found], loud="conflict")
    # Rules tell nothing where the user may not write, or sees only some tickets.
    screen.notices([*([] if rights.status is Status.OK else [rights.text]), *left, *unread])
    counted = Counter(finding.severity for finding in found)
    seen = sum(finding.customers_see for finding in found if finding.severity == "conflict")
    screen.result(
        f"{many(read['trigger'], 'trigger')}, {many(read['automation'], 'automation')} read: "
        f"{many(counted['conflict'], 'conflict')}, {many(counted['warning'], 'warning')}; "
        f"customers would see {seen} of them",
        _data(found, dict(read), unread),
    )
    return ExitCode.SOME_FAILED if counted["conflict"] else ExitCode.OK


def _of_account(settings: Settings, labels: AccountLabels) -> Iterator[SetupFinding]:
    """What categories name and the account lacks, tickets marked before the first run, fields that block solving."""
    for finding in check_labels(settings.taxonomy, settings.policy, labels):
        if finding.severity == "problem":
            advice = "correct the settings; see 'ticketbot taxonomy check'"
            yield _warning("target", finding.category or "-", finding.text, advice)
    marker = settings.policy.marker
    number = 0 if (settings.state_folder / FILE_NAME).exists() else (labels.tags or {}).get(marker, 0)
    if number:
        text = f"tickets that carry {marker} already: {number}; they count as done, and are never triaged"
        yield _warning("marker", "-", text, "if no run of ticketbot set it, choose another policy.tag_prefix")
    public = settings.replies.public if "public" in settings.replies.categories.values() else None
    solves = settings.policy.thanks_keep_solved is Mode.APPLY or (
        public is not None and "solved" in (public.then, *public.then_by_tier.values())
    )
    for field in labels.fields:
        if solves and field.active and not field.system and field.required:
            name = f"'{plain_line(field.title, 60)}' ({field.id})"
            text = f"a run that sets tickets to solved is refused where {name} is empty, which is required"
            advice = "let the categories fill it, or switch off replies.public.then and policy.thanks_keep_solved"
            yield _warning("required_field", "-", text, advice)


def _warning(kind: str, rule: str, text: str, advice: str) -> SetupFinding:
    return SetupFinding(severity="warning", kind=kind, rule=rule, text=text, advice=advice)


def _left_alone(settings: Settings, transport: Transport) -> Iterator[str]:
    """Which tickets a run leaves alone by what they are."""
    if settings.helpdesk == "freshdesk":
        if found := freshdesk.unhandled_statuses(transport, settings.freshdesk.open_statuses):
            yield (
                f"these statuses of the account's own count as on hold: {', '.join(found)}; name those of tickets that "
                "wait for you in freshdesk.open_statuses"
            )
        return
    live, seen = zendesk.messaging_among_newest(transport)
    if live:
        told = "are left alone" if settings.skip.messaging else "are triaged by their title (skip.messaging = false)"
        yield f"{live} of the newest {seen} tickets are messaging or chat: they {told}"


def _block(finding: SetupFinding) -> tuple[str, list[str]]:
    name = f"{finding.rule_kind} '{finding.rule}' ({finding.rule_id}) " if finding.rule_id else f"{finding.rule}: "
    return finding.severity, [f"{name}{finding.text}", f"to do: {finding.advice}"]


def _data(found: list[SetupFinding], read: dict[str, int], unread: list[str]) -> dict[str, object]:
    """What ``--json`` prints."""
    return {
        "read": read,
        "conflicts": sum(item.severity == "conflict" for item in found),
        "warnings": sum(item.severity == "warning" for item in found),
        "findings": [finding.model_dump() for finding in found],
        "customer_visible": [finding.model_dump() for finding in found if finding.customers_see],
        "not_read": unread,
    }

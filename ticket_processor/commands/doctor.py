"""``ticketbot doctor``: names the helpdesk's own rules that a run would set off, before the first one writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

from ..core.clock import Deadline, SystemClock
from ..core.errors import ExitCode
from ..core.wording import many
from ..helpdesk.transport import Transport
from ..learning.doctor.effects import SEVERITIES
from ..learning.doctor.examine import SetupFinding, examine
from ..learning.doctor.writes import planned_writes
from ..monitoring.health import freshdesk, zendesk
from ..monitoring.health.checks import Status
from ..monitoring.health.remote import ask_helpdesk
from ..settings.helpdesks import LocalSettings
from ..settings.load import load
from ..settings.schema import Settings
from ..state.store import FILE_NAME
from ..wiring.desks import read_setup
from ..wiring.parts import transport_for
from .options import ConfigOption, JsonOption
from .screen import Screen

DEADLINE_S = 120.0
_KINDS = ("trigger", "automation", "macro", "view", "SLA policy")


def doctor(clock: SystemClock, as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Read triggers, automations, macros, views and fields; writes nothing.

    Exit code 0: no conflicts; 1: a rule would mail customers or fight us; 3: the rules could not be read.
    """
    settings = load(config=config)
    screen = Screen(as_json=as_json)
    account = settings.desk
    if isinstance(account, LocalSettings):
        screen.result("the local helpdesk has no rules of its own: nothing to check", _data([], {}, ()))
        return ExitCode.OK
    with closing(transport_for(account, clock, Deadline(clock, DEADLINE_S), read_only=True)) as transport:
        setup = read_setup(settings, transport)
        rights = ask_helpdesk(account, transport, clock, share=settings.run.limit_share).check
        left = list(_left_alone(settings, transport))
    planned = planned_writes(settings.policy, settings.taxonomy, settings.run.statuses, settings.replies)
    first = not (settings.state_folder / FILE_NAME).exists()
    found = examine(setup, planned, settings.policy, settings.taxonomy, before_first_run=first)
    read: Counter[str] = Counter(rule.kind for rule in setup.rules)
    screen.blocks([_block(finding) for finding in found], loud="conflict")
    # Rules tell nothing where the user may not write, or sees only some tickets.
    screen.notices([*([] if rights.status is Status.OK else [rights.text]), *left, *setup.unread])
    counted = Counter(finding.severity for finding in found)
    seen = sum(finding.customers_see for finding in found if finding.severity == "conflict")
    screen.result(
        f"{', '.join(many(read[kind], kind) for kind in _KINDS)} read: "
        f"{many(counted['conflict'], 'conflict')}, {many(counted['warning'], 'warning')}, "
        f"{many(counted['advice'], 'piece of advice', 'pieces of advice')}; "
        f"customers would see {seen} of them",
        _data(found, dict(read), setup.unread),
    )
    return ExitCode.SOME_FAILED if counted["conflict"] else ExitCode.OK


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


def _data(found: list[SetupFinding], read: dict[str, int], unread: tuple[str, ...]) -> dict[str, object]:
    """What ``--json`` prints."""
    return {
        "read": read,
        **{
            f"{name}s" if name != "advice" else name: sum(item.severity == name for item in found)
            for name in SEVERITIES
        },
        "findings": [finding.model_dump() for finding in found],
        "customer_visible": [finding.model_dump() for finding in found if finding.customers_see],
        "not_read": list(unread),
    }

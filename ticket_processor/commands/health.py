"""``ticketbot health``: prints the checks. ``ticketbot alerts``: lists open alerts, or sends test messages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.clock import SystemClock, iso
from ..core.errors import ConfigError, ExitCode
from ..core.text import many
from ..monitoring.doctor import of_settings
from ..monitoring.health_checks import Examiner, Status
from ..monitoring.memory import AlertStore, Receiver
from ..monitoring.messages import AlertMessage, title_of
from ..monitoring.receivers import PATIENCE_S, Heartbeat, receivers, send, tame_libraries
from ..monitoring.rules import Severity, severity_of, title_of_rule
from ..monitoring.run_metrics import in_words
from ..monitoring.run_watch import HEARTBEAT, NO_DESK
from ..settings.load import load
from ..settings.schema import Settings
from .doctor import health_doctor
from .many_accounts import for_each, several
from .options import ConfigOption, ConfigsOption, JsonOption, OfflineOption
from .screen import Screen

_MARKS = {Status.OK: "ok", Status.WARN: "warn", Status.FAIL: "FAIL", Status.SKIPPED: "-"}
TEST_S = 30.0
NOBODY = "no receiver is set: set TICKETBOT_ALERT_URLS, TICKETBOT_PAGE_URLS or TICKETBOT_HEARTBEAT_URL (docs/alerts.md)"


def health(
    clock: SystemClock,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> tuple[int, int]:
    """Look at everything that runs need, within 10 s. Exit code 0: healthy; 1: degraded; 3: unhealthy."""
    screen = Screen(as_json=as_json)
    if files := several(configs):
        return for_each(clock, screen, files), 0
    config = configs[0] if configs else None
    try:
        doctor: Examiner = health_doctor(load(config=config), clock, config, offline=offline)
    except ConfigError as error:
        doctor = Examiner([of_settings(error.problems)], clock)
    found = doctor.examine()
    rows = [(_MARKS[check.status], check.name, check.text) for check in found.checks]
    screen.table(rows)
    if (day := found.metrics) is not None:
        failed = [f"{day.runs_failed} that could not be made"] if day.runs_failed else []
        words = [many(day.runs, "run"), *failed, *in_words(day)] if day.runs else ["no runs"]
        screen.say(f"\nLast 24 hours: {'; '.join(words)}")
    screen.result(f"{found.account or 'ticketbot'}: {found.status}", found.model_dump(mode="json"))
    return found.exit_code, doctor.abandoned


def alerts(
    clock: SystemClock,
    test: Annotated[bool, typer.Option("--test", help="Send a message of each severity to every address.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Print the open alerts, and the last address that could not be reached, with the reason.

    Exit code with --test 1: a message did not arrive; 2: there is no address.
    """
    return _send_test(clock, as_json, config) if test else _show(as_json, config)


def _send_test(clock: SystemClock, as_json: bool, config: Path | None) -> int:
    settings = load(config=config, need_helpdesk=False)
    everybody, url = receivers(settings.alerts), settings.alerts.heartbeat_url
    if not everybody and url is None:
        raise ConfigError(*settings.lost, NOBODY)
    tame_libraries()
    heartbeat = Heartbeat(url.get_secret_value() if url else None)
    ping = heartbeat.note("a test; it changes nothing")
    post = [(receiver, _messages(receiver, settings)) for receiver in everybody]
    rows: list[dict[str, Any]] = [
        {
            "target": sent.receiver.name,
            "message": (sent.message.severity or "") + ", over" * (sent.message.what == "over"),
            "arrived": sent.why is None,
            "why": sent.why,
        }
        for sent in send(post, TEST_S, clock)
    ]
    if ping is not None:
        ping.join(PATIENCE_S)
        why = "it did not answer in time" if ping.is_alive() else heartbeat.trouble
        rows.append({"target": HEARTBEAT, "message": "log", "arrived": why is None, "why": why})
    lines = [
        f"{'ok  ' if row['arrived'] else 'FAIL'}  {row['target']}: {row['message']}"
        + (f": {row['why']}" if row["why"] else "")
        for row in rows
    ]
    code = ExitCode.OK if all(row["arrived"] for row in rows) else ExitCode.SOME_FAILED
    Screen(as_json=as_json).result("\n".join(lines), {"sent": rows, "exit_code": int(code)})
    return code


def _messages(receiver: Receiver, settings: Settings) -> list[AlertMessage]:
    """The test messages for a receiver; an incident that they open is closed again."""
    account, messages = settings.account or NO_DESK, []
    for severity in (Severity.WARNING, Severity.CRITICAL):
        if receiver.wants(severity):
            key = f"ticketbot/{account}/test_{severity.value}"
            body = "This is a test of ticketbot's alerts. Nothing is wrong."
            messages.append(AlertMessage(title_of(severity.value, "Test", account), body, severity, key, "test"))
            if receiver.pages:
                messages.append(AlertMessage(title_of("over", "Test", account), body, severity, key, "over"))
    return messages


def _show(as_json: bool, config: Path | None) -> int:
    settings = load(config=config)
    memory = AlertStore.of(settings).load()
    names = {receiver.id: receiver.name for receiver in receivers(settings.alerts)}
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    for rule, one in memory.open.items():
        informed = sorted(names[target] for target in one.told if target in names)
        severity, since = severity_of(rule).value, iso(one.since)
        rows.append({"rule": rule, "severity": severity, "since": since, "message": one.message, "told": informed})
        lines.append(f"{severity:<8}  {rule}: {title_of_rule(rule)}")
        lines.append(f"          since {since}, told to {len(informed) or 'nobody yet'}: {one.message}")
    if not lines:
        lines.append("nothing is open" if memory.saved else "nothing is open; no run has looked yet")
    failure = memory.last_failure
    if failure is not None:
        lines.append(f"last failure: {failure.target}, {iso(failure.at)}: {failure.why}")
    data = {
        "open": rows,
        "last_failure": failure and {"at": iso(failure.at), "target": failure.target, "why": failure.why},
        "last_run": iso(memory.saved) if memory.saved else None,
    }
    Screen(as_json=as_json).result("\n".join(lines), data)
    return ExitCode.OK

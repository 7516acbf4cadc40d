"""``ticketbot report`` with several configuration files: a row for each account, and one for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

from ..core.clock import SystemClock
from ..core.errors import ConfigError, TicketbotError, worst
from ..reporting.export import as_data
from ..reporting.figures import LogSelection, Totals
from ..reporting.glossary import percent
from ..reporting.report import Report
from ..settings.accounts import ConfiguredAccount
from . import score_tables
from .report import check_log, read_log
from .report_tables import cost
from .score_tables import Table
from .screen import Screen

COLUMNS = ("<account", "tickets", "updated", "left alone", "failed", "success", "fallback", "escalated", "cost")


def report_all(
    accounts: Sequence[ConfiguredAccount],
    clock: SystemClock,
    begin: float,
    end: float,
    only: LogSelection,
    *,
    as_json: bool,
) -> int:
    """Print a period's figures of all accounts; the worst exit code. An account that cannot be read is named."""
    screen = Screen(as_json=as_json)
    found: dict[str, Report] = {}
    errors: dict[str, TicketbotError] = {}
    for account in accounts:
        try:
            if account.settings is None:
                raise ConfigError(*account.problems)
            check_log(account.settings)
            found[account.name] = read_log(account.settings, clock, begin, end, only)
        except TicketbotError as error:
            errors[account.name] = error
            screen.problems([str(error)], account=account.name)
    everything = total([report.totals for report in found.values()])
    code = worst(error.exit_code for error in errors.values())
    if as_json:
        shown = {account.name: account for account in accounts}
        data = [
            {"name": name, **(as_data(found[name]) if name in found else {"error": str(errors[name])})}
            for name in shown
        ]
        screen.result("", {"accounts": data, "totals": asdict(everything), "exit_code": code})
        return code
    rows = [_row(name, report.totals) for name, report in found.items()]
    if found:
        first = next(iter(found.values()))
        screen.say(f"Triage report: {len(found)} accounts, {first.period} (UTC)\n")
        score_tables.show([Table("Accounts", COLUMNS, (*rows, _row("all", everything)))])
        screen.say("\n--account NAME shows the whole report of one.")
    return code


def named(accounts: Sequence[ConfiguredAccount], name: str) -> ConfiguredAccount:
    """The account of this name. Raises :class:`ConfigError` where there is none, or its settings are wrong."""
    for account in accounts:
        if account.name == name:
            if account.settings is None:
                raise ConfigError(*account.problems)
            return account
    raise ConfigError(f"--account {name}: there is none of that name, only {', '.join(each.name for each in accounts)}")


def total(parts: Sequence[Totals]) -> Totals:
    """The accounts together."""
    return Totals(**{field.name: sum(getattr(part, field.name) for part in parts) for field in fields(Totals)})


def _row(name: str, found: Totals) -> tuple[str, ...]:
    counts = (found.tickets, found.updated, found.skipped, found.failed)
    return (
        name,
        *(f"{count:,}" for count in counts),
        percent(found.success_rate),
        percent(found.fallback_rate),
        f"{found.escalated:,}",
        cost(found),
    )

"""The dashboard over several accounts: the reader's choice decides whose figures every page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticket_processor.commands.dashboard import dashboard
from ticket_processor.core.clock import SystemClock
from ticket_processor.core.errors import ConfigError
from ticket_processor.dashboard.options import DashboardOptions, give
from ticket_processor.settings.schema import Settings

from .conftest import Pages, Still, values
from .logs import ticket, write


def two_accounts(pages: Pages) -> None:
    """One ticket of acme, two of bolt."""
    shown = []
    for name, count in (("acme", 1), ("bolt", 2)):
        folder = pages.folder / name
        write(folder / "logs", [ticket(number) for number in range(1, count + 1)])
        made = Settings.model_validate(
            {"log_dir": folder / "logs", "state_dir": folder / "state", "zendesk": {"subdomain": name}}
        )
        shown.append(DashboardOptions(made, folder / "reports", Still(), name=name))
    give(*shown)


def test_a_switch_says_whose_figures_are_shown(pages: Pages) -> None:
    two_accounts(pages)
    page = pages.open("overview")
    assert values(page)["Tickets"][0] == "1"
    (switch,) = [box for box in page.selectbox if box.label == "Account"]
    switch.set_value("bolt").run()
    assert values(page)["Tickets"][0] == "2"
    assert any("bolt.zendesk.com" in text.value for text in page.text)


def test_the_choice_is_part_of_the_address_and_an_unknown_one_is_the_first(pages: Pages) -> None:
    two_accounts(pages)
    assert values(pages.open("overview", {"account": "bolt"}))["Tickets"][0] == "2"


def test_one_account_has_no_switch(pages: Pages) -> None:
    assert not [box for box in pages.open("overview").selectbox if box.label == "Account"]


def test_accounts_with_another_sign_in_are_not_shown_together(tmp_path: Path) -> None:
    for name, allow in (("acme", "a@example.com"), ("bolt", "b@example.com")):
        (tmp_path / f"{name}.toml").write_text(
            f'log_dir = "logs/{name}"\nstate_dir = "state/{name}"\n[dashboard.auth]\nclient_id = "c"\n'
            f'metadata_url = "https://id.example.com/x"\nallow = ["{allow}"]\n',
            "utf-8",
        )
        (tmp_path / f"{name}.env").write_text("TICKETBOT_DASHBOARD_CLIENT_SECRET=secret-of-all\n", "utf-8")
    with pytest.raises(ConfigError, match="differs between these files"):
        dashboard(SystemClock(), configs=[tmp_path])

"""The options of the running dashboard. Streamlit runs its pages as scripts, which take no arguments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..core.clock import Clock
from ..core.errors import ConfigError
from ..settings.schema import Settings


@dataclass(frozen=True)
class DashboardOptions:
    """The settings at the start, and the folder of evaluation reports.

    ``secret_files`` are settings files that hold secrets: health checks who may read them. ``private`` says that only
    this machine reaches the pages: whoever sees them is then the person at the keyboard.
    """

    settings: Settings
    reports: Path
    clock: Clock
    secret_files: tuple[Path, ...] = ()
    name: str = ""
    private: bool = False


ACCOUNT = "account"
"""The reader's choice among several accounts, in the address and in the session."""
_given: dict[str, DashboardOptions] = {}


def give(*options: DashboardOptions | None) -> None:
    """Set the options for the pages of this process, of each account, before the first page runs."""
    global _given  # one process is one dashboard
    _given = {one.name: one for one in options if one is not None}


def accounts() -> list[str]:
    """The names of the accounts to choose from."""
    return list(_given)


def given() -> DashboardOptions:
    """The options of the account that the reader has chosen. Raises :class:`ConfigError` if none were given."""
    if not _given:
        raise ConfigError("the dashboard's pages are started by 'ticketbot dashboard', not one by one")
    first = next(iter(_given.values()))
    if len(_given) == 1:
        return first
    import streamlit as st  # most of this module's users show no page

    return _given.get(st.session_state.get(ACCOUNT) or st.query_params.get(ACCOUNT, ""), first)

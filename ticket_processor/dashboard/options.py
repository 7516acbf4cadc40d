"""The options of the running dashboard. Streamlit runs its pages as scripts, which take no arguments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..core.clock import Clock
from ..core.errors import ConfigError
from ..settings.schema import Settings


@dataclass(frozen=True)
class DashboardOptions:
    """The settings at the start.

    ``secret_files`` are settings files that hold secrets: health checks who may read them. ``private`` says that only
    this machine reaches the pages: whoever sees them is then the person at the keyboard.
    """

    settings: Settings
    clock: Clock
    secret_files: tuple[Path, ...] = ()
    private: bool = False


_given: DashboardOptions | None = None


def give(options: DashboardOptions | None) -> None:
    """Set the options for the pages of this process, before the first page runs."""
    global _given  # one process is one dashboard
    _given = options


def given() -> DashboardOptions:
    """The options. Raises :class:`ConfigError` if none were given."""
    if _given is None:
        raise ConfigError("the dashboard's pages are started by 'ticketbot dashboard', not one by one")
    return _given

"""What a dashboard was started with. Streamlit runs its pages as scripts, which nothing can be passed to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..core.clock import Clock
from ..core.errors import ConfigError
from ..settings.schema import Settings


@dataclass(frozen=True)
class DashboardOptions:
    """The settings as they were at the start, and the folder where evaluation reports are looked for.

    ``secret_files`` are settings files that hold secrets: health looks at who may read them.
    """

    settings: Settings
    reports: Path
    clock: Clock
    secret_files: tuple[Path, ...] = ()


_given: DashboardOptions | None = None


def give(options: DashboardOptions | None) -> None:
    """Say what the pages of this process show; before the first of them is."""
    global _given  # one process is one dashboard
    _given = options


def given() -> DashboardOptions:
    """What :func:`give` was told. Raises :class:`ConfigError` when it was not."""
    if _given is None:
        raise ConfigError("the dashboard's pages are started by 'ticketbot dashboard', not one by one")
    return _given

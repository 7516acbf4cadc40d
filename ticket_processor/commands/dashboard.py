"""``ticketbot dashboard``."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode, how_to_install
from ..settings.load import load
from ..settings.sources import CONFIG_VARIABLE
from .screen import Screen

REPORTS = "reports"
_PARTS = ("streamlit", "plotly", "duckdb")
OPEN_TO_ALL = (
    "the dashboard has no sign-in: whoever reaches it sees receipts and redacted summaries, and can have models asked. "
    "Keep it on 127.0.0.1, and put a reverse proxy with a sign-in before it (--public-url)"
)


def dashboard(
    clock: SystemClock,
    *,
    config: Path | None,
    host: str,
    port: int,
    public_url: str | None,
    reports: Path | None,
    browser: bool,
) -> tuple[int, int]:
    """``ticketbot dashboard``: show the pages until a signal comes.

    ``browser`` opens one where somebody could look at it. Returns the exit code, and 1: threads of pages may be left
    behind. Raises :class:`ConfigError` where something is missing or cannot be used.
    """
    if missing := [part for part in _PARTS if find_spec(part) is None]:
        raise ConfigError(
            f"the dashboard needs {' and '.join(missing)}, not installed here: {how_to_install('dashboard')}"
        )
    settings = load(config=config, need_helpdesk=False)
    from ..dashboard.options import DashboardOptions, give
    from ..dashboard.server import Address, free, has_screen, serve

    address = free(Address(host, port, _public(public_url)))
    named = config or Path(os.environ.get(CONFIG_VARIABLE, ""))
    folder = reports or named.parent / REPORTS
    screen = Screen(quiet=False, as_json=False)
    screen.notices([*settings.notices, *settings.lost, *([] if address.is_loopback else [OPEN_TO_ALL])])
    secrets = {Path.cwd() / ".env", named.absolute().parent / ".env"}
    give(DashboardOptions(settings, folder, clock, tuple(sorted(secrets))))
    clock.check()
    serve(
        address,
        ready=lambda: screen.say(f"The dashboard is at {address.url} ; Ctrl-C ends it."),
        browse=browser and has_screen(),
    )
    return int(ExitCode.OK), 1


def _public(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        whole = whole and parts.port != 0 and not parts.query and not parts.fragment
    except ValueError:
        whole = False
    if not whole:
        raise ConfigError("--public-url must be a whole address such as https://intern.example.com/ticketbot")
    return url

"""``ticketbot dashboard``: checks options and packages, and serves the pages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode, how_to_install
from .options import ConfigOption
from .screen import Screen

_PARTS = ("streamlit", "plotly", "duckdb")
OPEN_TO_ALL = (
    "--host {}: other machines would reach receipts and redacted summaries. Set up [dashboard.auth] and name the https "
    "address that people see (--public-url), or keep 127.0.0.1 and put a reverse proxy with a sign-in before it"
)


def dashboard(
    clock: SystemClock,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Where to listen; 0 picks a free port.")
    ] = 8501,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; beyond this machine only with [dashboard.auth].")
    ] = "127.0.0.1",
    public_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Address that people see, when it is behind a reverse proxy.")
    ] = None,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Show tickets, costs, runs and health on pages in a browser."""
    if missing := [part for part in _PARTS if find_spec(part) is None]:
        raise ConfigError(
            f"the dashboard needs {' and '.join(missing)}, not installed here: {how_to_install('dashboard')}"
        )
    from ..dashboard.server import Address, DashboardOptions, free, give, secrets_files, serve
    from ..settings.load import DEFAULT_FILE, config_file, load, secret_files

    screen = Screen()
    named = config_file(config=config) or Path(DEFAULT_FILE)
    settings = load(config=config, need_helpdesk=False)
    auth = settings.dashboard.auth
    address = Address(host, port, _public(public_url))
    if not (address.is_loopback or (auth.wanted and (address.public_url or "").startswith("https:"))):
        raise ConfigError(OPEN_TO_ALL.format(host))
    address = free(address)
    screen.notices([*settings.notices, *settings.lost])
    private = address.is_loopback and address.public_url is None
    give(DashboardOptions(settings, clock, secret_files(named), private=private))
    clock.check()
    with secrets_files(auth, address.public_url or address.url) as files:
        serve(
            address,
            ready=lambda: screen.say(f"The dashboard is at {address.url} ; Ctrl-C ends it."),
            secrets_files=files,
        )
    return ExitCode.OK, 1  # threads of pages may be left behind


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

"""Streamlit in this process, with options that keep it to this machine and to itself.

The options are set as Streamlit's command line would, so that no ``.streamlit/config.toml`` overrides them. Streamlit
sends no statistics, asks for no e-mail address, and looks up no public address of the machine.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from ..core.clock import Clock
from ..core.errors import ConfigError, how_to_install
from ..core.http import is_loopback
from ..settings.pages import AuthSettings
from ..settings.schema import Settings

LOOPBACK = "127.0.0.1"
SCRIPT = Path(__file__).with_name("app.py")
_EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 - nothing is bound here
_SIGN_IN_PARTS = ("authlib", "httpx")
_POLLS = 600
_POLL_S = 0.1


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
    """Set the options for the pages of this process, before the first page runs: scripts take no arguments."""
    global _given  # one process is one dashboard
    _given = options


def given() -> DashboardOptions:
    """The options. Raises :class:`ConfigError` if none were given."""
    if _given is None:
        raise ConfigError("the dashboard's pages are started by 'ticketbot dashboard', not one by one")
    return _given


@dataclass(frozen=True)
class Address:
    """The address that the dashboard listens on, and its public address behind a reverse proxy."""

    host: str = LOOPBACK
    port: int = 8501
    public_url: str | None = None

    @property
    def url(self) -> str:
        """The address for a browser on this machine."""
        host = _EVERYWHERE.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{self.path}"

    @property
    def path(self) -> str:
        """The path of all pages."""
        return urlsplit(self.public_url).path.rstrip("/") if self.public_url else ""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the dashboard. Raises :class:`ConfigError` for what is no address."""
        try:
            return is_loopback(f"http://[{self.host}]/" if ":" in self.host else f"http://{self.host}/")
        except ValueError:
            raise ConfigError(f"--host {self.host} is no address; --port says which port") from None


def free(address: Address) -> Address:
    """The address with a free port; 0 picks one. Raises :class:`ConfigError` if the port is taken."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family) as listener:
            if os.name != "nt":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address.host, address.port))
            return Address(address.host, listener.getsockname()[1], address.public_url)
    except (OSError, TypeError) as error:  # a name that can be none is a TypeError
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"--host {address.host} with --port {address.port} cannot be used: {why}") from None


def safe_options(address: Address, secrets_files: Sequence[str] = ()) -> dict[str, object]:
    """Streamlit's options, by the names that its command line has."""
    public = urlsplit(address.public_url) if address.public_url else None
    hosts = ["127.0.0.1", "localhost", "::1"]
    if not address.is_loopback and address.host not in _EVERYWHERE:
        hosts.append(address.host)
    return {
        "server_address": address.host,
        "server_port": address.port,
        "server_baseUrlPath": address.path,
        "server_headless": True,
        "server_showEmailPrompt": False,
        "server_fileWatcherType": "none",
        "server_runOnSave": False,
        "server_enableStaticServing": False,
        "server_enableAgentApi": False,
        "server_enableCORS": True,
        "server_enableXsrfProtection": True,
        # Not among them: a name that a stranger's DNS points at this machine.
        "server_allowedHosts": [*hosts, str(public.hostname)] if public else hosts,
        "server_corsAllowedOrigins": [f"{public.scheme}://{public.netloc}"] if public else [],
        "server_maxUploadSize": 1,
        "server_maxMessageSize": 50,
        "browser_serverAddress": str(public.hostname) if public else address.host,
        "browser_gatherUsageStats": False,
        "client_showErrorDetails": "none",
        "client_showErrorLinks": False,
        "client_toolbarMode": "viewer",
        "runner_magicEnabled": False,
        "global_developmentMode": False,
        "secrets_files": list(secrets_files),
        "logger_hideWelcomeMessage": True,
        "logger_level": "error",
        "theme_light_primaryColor": "#2563a8",
        # Captions are this at 60%: of Streamlit's own grey they would lack the contrast that WCAG's AA asks for.
        "theme_light_textColor": "#000000",
        "theme_dark_primaryColor": "#6aa5e3",
        "theme_headingFontSizes": ["2rem", "1.5rem", "1.25rem"],
        "theme_metricValueFontSize": "1.6rem",
        "theme_paddingTop": "0.5rem",
        "theme_paddingBottom": "2rem",
    }


@contextmanager
def secrets_files(auth: AuthSettings, address: str) -> Iterator[list[str]]:
    """The file from which Streamlit reads the sign-in, for as long as it serves; none where nobody has to sign in.

    Cookies are signed with a key of this start, so everybody signs in again after the next one.
    """
    if not auth.wanted:
        yield []
        return
    if missing := [part for part in _SIGN_IN_PARTS if find_spec(part) is None]:
        raise ConfigError(
            f"[dashboard.auth] needs {' and '.join(missing)}, not installed here: {how_to_install('dashboard-login')}"
        )
    values = {
        "redirect_uri": f"{address.rstrip('/')}/oauth2callback",
        "cookie_secret": secrets.token_urlsafe(32),
        "client_id": auth.client_id,
        "client_secret": auth.client_secret and auth.client_secret.get_secret_value(),
        "server_metadata_url": auth.metadata_url,
    }
    with tempfile.TemporaryDirectory(prefix="ticketbot-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "secrets.toml"  # the folder is this user's alone
        lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
        file.write_text("\n".join(("[auth]", *lines, "")), encoding="utf-8")
        yield [str(file)]


def serve(address: Address, *, ready: Callable[[], None], secrets_files: Sequence[str] = ()) -> None:
    """Serve the pages until a signal comes; ``ready`` is called once they answer. Main thread only.

    Threads of pages that are still at work are left behind.
    """
    from streamlit import net_util
    from streamlit.web import bootstrap

    # To judge a foreign origin, Streamlit would ask a server on the internet for this machine's public address.
    setattr(net_util, "get_external_ip", lambda: None)  # noqa: B010
    options = safe_options(address, secrets_files)
    bootstrap.load_config_options(flag_options=options)
    threading.Thread(target=_when_up, args=[address.url, ready], daemon=True).start()
    bootstrap.run(str(SCRIPT), False, [], options)


def _when_up(url: str, ready: Callable[[], None]) -> None:
    open_url = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    for _ in range(_POLLS):
        with suppress(urllib.error.URLError, OSError), open_url(f"{url}/_stcore/health", timeout=5):
            ready()
            return
        time.sleep(_POLL_S)

"""Streamlit in this process, with options that keep it to this machine and to itself.

The options are set as Streamlit's command line would, so that no ``.streamlit/config.toml`` overrides them. Streamlit
sends no statistics, asks for no e-mail address, and looks up no public address of the machine.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..core.errors import ConfigError
from ..core.urls import is_loopback

LOOPBACK = "127.0.0.1"
SCRIPT = Path(__file__).with_name("app.py")
_EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 - nothing is bound here
_POLLS = 600
_POLL_S = 0.1
_CLOSING_S = 2.0


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
        """Whether only this machine can reach the dashboard."""
        return is_loopback(f"http://[{self.host}]/" if ":" in self.host else f"http://{self.host}/")


def free(address: Address) -> Address:
    """The address with a free port; 0 picks one. Raises :class:`ConfigError` if the port is taken."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family) as listener:
            if os.name != "nt":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address.host, address.port))
            return Address(address.host, listener.getsockname()[1], address.public_url)
    except OSError as error:
        raise ConfigError(
            f"--host {address.host} with --port {address.port} cannot be used: {error.strerror or error}"
        ) from None


def safe_options(address: Address) -> dict[str, object]:
    """Streamlit's options, by the names that its command line has."""
    public = urlsplit(address.public_url) if address.public_url else None
    hosts = ["127.0.0.1", "localhost", "::1"] if address.is_loopback else []
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
        "server_allowedHosts": [*hosts, str(public.hostname)] if public and hosts else hosts,
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
        "logger_hideWelcomeMessage": True,
        "logger_level": "error",
        "theme_light_primaryColor": "#2563a8",
        "theme_dark_primaryColor": "#6aa5e3",
        "theme_headingFontSizes": ["2rem", "1.5rem", "1.25rem"],
        "theme_metricValueFontSize": "1.6rem",
        "theme_paddingTop": "0.5rem",
        "theme_paddingBottom": "2rem",
    }


def serve(address: Address, *, ready: Callable[[], None], browse: bool) -> None:
    """Serve the pages until a signal comes; ``ready`` is called once they answer. Main thread only.

    Threads of pages that are still at work are left behind.
    """
    from streamlit import net_util
    from streamlit.web import bootstrap

    # To judge a foreign origin, Streamlit would ask a server on the internet for this machine's public address.
    setattr(net_util, "get_external_ip", lambda: None)  # noqa: B010
    options = safe_options(address)
    bootstrap.load_config_options(flag_options=options)
    threading.Thread(target=_when_up, args=[address.url, ready, browse], daemon=True).start()
    bootstrap.run(str(SCRIPT), False, [], options)
    _let_go()


def _let_go() -> None:
    """Close what the pages have opened, without waiting for a page that is still at work."""
    import streamlit

    closing = threading.Thread(target=streamlit.cache_resource.clear, daemon=True)
    closing.start()
    closing.join(_CLOSING_S)


def _when_up(url: str, ready: Callable[[], None], browse: bool) -> None:
    pause = threading.Event()
    for _ in range(_POLLS):
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/_stcore/health", timeout=5):
                break
        except (urllib.error.URLError, OSError):
            pause.wait(_POLL_S)
    else:
        return
    ready()
    if browse:
        webbrowser.open(url)


def has_screen() -> bool:
    """Whether a person could see a browser here: there is a terminal, and a desktop."""
    desktop = sys.platform in ("win32", "darwin") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return bool(desktop) and sys.stdout.isatty()

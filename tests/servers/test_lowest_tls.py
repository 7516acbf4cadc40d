"""What is connected to, by the versions of TLS that a server speaks and the lowest that the settings allow."""

from __future__ import annotations

import importlib.util
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from ticket_processor.analysis.model_server import connection
from ticket_processor.analysis.model_server.embeddings import Embedder, EmbeddingsFailed
from ticket_processor.analysis.model_server.settings import EmbeddingSettings
from ticket_processor.core.errors import ConfigError, HelpdeskDown
from ticket_processor.core.http import lowest_tls, require_tls
from ticket_processor.monitoring.receivers import Heartbeat, tame_libraries, through
from ticket_processor.settings.load import load

from ..support.fakes import Wire
from .certificates import a_certificate

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # some of Apprise's plugins use it
ACCOUNT = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": "t"}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    require_tls("1.2")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b'{"data": [{"embedding": [1.0], "index": 0}]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A handshake that came to nothing."""


@contextmanager
def speaking(version: ssl.TLSVersion, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that speaks no TLS but this, and whose certificate is trusted."""
    public, private = a_certificate(folder, lasts=timedelta(days=40))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    context.minimum_version = context.maximum_version = version
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(public))
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(public))
    connection._trusted.cache_clear()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        connection._trusted.cache_clear()


def helpdesk(url: str) -> str | None:
    wire = Wire()
    wire.transport.base_url, wire.transport.adapter = url, None
    try:
        wire.transport.request("GET", "/t")
    except HelpdeskDown as error:
        return str(error)
    finally:
        wire.transport.close()
    return None


def model_server(url: str) -> str | None:
    embedder = Embedder(EmbeddingSettings(model="m", base_url=f"{url}/v1"), wait=lambda _: None)
    try:
        embedder.embed(["text"])
    except EmbeddingsFailed as error:
        return str(error)
    finally:
        embedder.close()
    return None


def heartbeat(url: str) -> str | None:
    beat = Heartbeat(f"{url}/ping")
    thread = beat.finish(0, "")
    assert thread is not None
    thread.join()
    return beat.trouble


def alert(url: str) -> str | None:
    tame_libraries()
    return through(url.replace("https:", "jsons:"), lambda service: service.notify(body="x"))


CLIENTS: list[Callable[[str], str | None]] = [helpdesk, model_server, heartbeat]
if importlib.util.find_spec("apprise") is not None:
    CLIENTS.append(alert)


@pytest.mark.parametrize("client", CLIENTS)
def test_no_server_is_spoken_to_by_an_older_version_than_the_settings_allow(
    client: Callable[[str], str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with speaking(ssl.TLSVersion.TLSv1_2, tmp_path, monkeypatch) as url:
        assert client(url) is None
        (tmp_path / "ticketbot.toml").write_text('lowest_tls = "1.3"\n', encoding="utf-8")
        load(environ=ACCOUNT, folder=tmp_path)
        assert client(url) is not None
    with speaking(ssl.TLSVersion.TLSv1_3, tmp_path, monkeypatch) as url:
        assert client(url) is None


def test_the_helpdesks_error_names_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_tls("1.3")
    with speaking(ssl.TLSVersion.TLSv1_2, tmp_path, monkeypatch) as url:
        assert helpdesk(url) == "Desk speaks no TLS of the version that lowest_tls asks for"


def test_older_versions_cannot_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "ticketbot.toml").write_text('lowest_tls = "1.1"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="lowest_tls"):
        load(environ=ACCOUNT, folder=tmp_path)
    assert lowest_tls() is ssl.TLSVersion.TLSv1_2

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ticket_processor.commands import portal as command
from ticket_processor.core.clock import SystemClock
from ticket_processor.core.errors import ConfigError
from ticket_processor.dashboard import server
from ticket_processor.dashboard.server import Address, give, given, safe_options

from ..cli.conftest import Command


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Command]:
    made = Command(tmp_path)
    yield made
    made.close()


def started(bare: Command, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """The process, and where it says that it is."""
    process = bare.start("dashboard", "--port", "0", *arguments)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"The dashboard is at (\S+) ", line)
    assert found, f"{line}{process.stdout.read()}{process.stderr and process.stderr.read()}"
    return process, found[1]


def shake_hands(address: str, path: str = "/_stcore/stream", **headers: str) -> int:
    """The status with which the server answers a page's request for its live connection."""
    connection = http.client.HTTPConnection(address, timeout=20)
    own = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    try:
        connection.request("GET", path, headers={**own, **headers})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to a single process there")
def test_it_listens_on_this_machine_only_and_ends_cleanly_with_ctrl_c(bare: Command) -> None:
    process, url = started(bare)
    address = url.removeprefix("http://")
    assert address.startswith("127.0.0.1:")
    assert shake_hands(address, Origin=url) == 101
    assert shake_hands(address, Origin="http://evil.example.com") == 403, "another site's page"
    assert shake_hands(address, Host="evil.example.com", Origin=url) != 101, "a name that was pointed here"
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    ended = bare.end(process, code=0)
    assert time.monotonic() - began < 15
    assert ended.err == ""
    assert not list(bare.folder.rglob("*")), "it writes nothing"


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to a single process there")
def test_behind_a_proxy_the_address_that_people_see_is_let_in(bare: Command) -> None:
    streamlit = bare.folder / ".streamlit"
    streamlit.mkdir()
    (streamlit / "config.toml").write_text(
        "[browser]\ngatherUsageStats = true\n[server]\nenableCORS = false\nallowedHosts = ['*']\n", encoding="utf-8"
    )
    process, url = started(bare, "--public-url", "https://intern.example.com/ticketbot")
    address = url.removeprefix("http://").removesuffix("/ticketbot")
    public = {"path": "/ticketbot/_stcore/stream", "Host": "intern.example.com"}
    assert shake_hands(address, **public, Origin="https://intern.example.com") == 101
    assert shake_hands(address, **public, Origin="https://evil.example.com") == 403
    assert shake_hands(address, **{**public, "Host": "evil.example.com"}, Origin="https://intern.example.com") != 101
    process.send_signal(signal.SIGINT)
    bare.end(process, code=0)


def test_a_port_that_is_taken_is_told(bare: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = bare("dashboard", "--port", str(port), code=2)
    assert f"--port {port} cannot be used" in ended.err


@pytest.mark.parametrize("missing", ["streamlit", "duckdb"])
def test_without_the_extra_it_says_which_to_install(bare: Command, missing: str) -> None:
    script = f"import sys; sys.modules[{missing!r}] = None; from ticket_processor.cli import main; main()"
    ended = bare.end(bare.python("-c", script, "dashboard"), code=2)
    assert f"the dashboard needs {missing}" in ended.err
    assert "ticketbot[dashboard]" in ended.err


class Served:
    """What a command would have served."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "serve", self)
        monkeypatch.setattr(server, "free", lambda address: address)

    def __call__(self, address: Address, **_options: object) -> None:
        pass


def call(**given: object) -> tuple[int, int]:
    return command.dashboard(SystemClock(), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "intern.example.com",
        "ftp://x.example.com",
        "https://user@x.example.com",
        "https://",
        "https://x:0/",
        "https://[x",
    ],
)
def test_a_public_address_is_a_whole_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str) -> None:
    monkeypatch.chdir(tmp_path)
    Served(monkeypatch)
    with pytest.raises(ConfigError, match="--public-url"):
        call(public_url=url)


def test_streamlit_is_kept_to_itself() -> None:
    options = safe_options(Address())
    assert options["server_address"] == "127.0.0.1"
    assert options["browser_gatherUsageStats"] is False
    assert options["server_fileWatcherType"] == "none"
    assert options["server_showEmailPrompt"] is False
    assert options["client_showErrorDetails"] == "none"
    assert options["server_allowedHosts"] == ["127.0.0.1", "localhost", "::1"]
    assert options["server_enableXsrfProtection"] is True
    assert options["server_enableCORS"] is True, "which is the check of origins, and not its absence"
    assert options["server_corsAllowedOrigins"] == []
    assert options["server_maxUploadSize"] == 1, "MB; no page takes a file"


def test_health_looks_at_who_may_read_the_files_with_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    config = tmp_path / "there" / "ticketbot.toml"
    config.touch()
    Served(monkeypatch)
    call(config=config)
    files = given().secret_files
    give(None)
    assert files == (tmp_path / "here" / ".env", tmp_path / "there" / ".env")


def test_every_option_is_one_that_streamlit_knows() -> None:
    from streamlit import config

    known = set(config.get_config_options(force_reparse=True))
    assert {name.replace("_", ".") for name in safe_options(Address())} <= known


def test_behind_a_proxy_its_name_and_path_are_served_and_no_other() -> None:
    address = Address(public_url="https://intern.example.com:8443/ticketbot/")
    options = safe_options(address)
    assert options["server_corsAllowedOrigins"] == ["https://intern.example.com:8443"]
    assert "intern.example.com" in options["server_allowedHosts"]  # type: ignore[operator]
    assert options["server_baseUrlPath"] == "/ticketbot"
    assert address.url == "http://127.0.0.1:8501/ticketbot"


def test_the_machines_public_address_is_asked_of_nobody() -> None:
    script = (
        "import requests, streamlit.web.bootstrap as bootstrap\n"
        "from ticket_processor.dashboard.server import Address, serve\n"
        "bootstrap.run = lambda *_: None\n"
        "serve(Address(), ready=lambda: None)\n"
        "asked = []\n"
        "requests.get = lambda url, **_: asked.append(url)\n"
        "from streamlit.web.server.server_util import is_url_from_allowed_origins as allowed\n"
        "print(allowed('http://evil.example.com'), allowed('http://127.0.0.1:8501'), asked)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["False", "True", "[]"], done.stderr

"""A cluster with certificates lets in nobody without one, and none of its processes holds a helpdesk's credentials."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from ..cli.conftest import Desk, OpenDesk
from ..support.lazy import Lazy
from .nodes import Nodes
from .test_tls import made_by_hand

if TYPE_CHECKING:
    from distributed.security import Security

distributed = Lazy("distributed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(90),
    pytest.mark.skipif(sys.platform == "win32", reason="shows no process's environment and ports so"),
    pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning"),
]
CANARY = "canary-8c1f5e"
SECRETS = {name: f"{CANARY}-{name}" for name in ("ZENDESK_WEBHOOK_SECRET", "TICKETBOT_AUDIT_KEY")}
LOST_WITHOUT = "[dashboard.auth]\nmetadata_url = 'https://a.example/o'\nclient_id = 'c'\nallow = ['a@b.example']\n"
"""Settings that are none without a secret, which a worker must not need."""


@pytest.fixture
def desk(open_desk: OpenDesk, tmp_path: Path) -> Desk:
    """A model, and secrets in the environment and in ``.env``."""
    desk = open_desk(1, model=True)
    (tmp_path / ".env").write_text(
        f"TICKETBOT_API_TOKEN={CANARY}-long-enough\nTICKETBOT_DASHBOARD_CLIENT_SECRET={CANARY}\n", encoding="utf-8"
    )
    (tmp_path / "ticketbot.toml").write_text(LOST_WITHOUT, encoding="utf-8")
    # The helpdesk's own secret has to be right; its name says whether a process has it.
    desk.environ |= SECRETS
    return desk


def secrets_seen(environ: dict[str, str]) -> list[str]:
    return [
        name
        for name, text in environ.items()
        if CANARY in text or name.startswith(("ZENDESK_", "FRESHDESK_")) or name == "TICKETBOT_AUDIT_KEY"
    ]


def ports(process: psutil.Process) -> list[int]:
    """Where it listens for programs to run; ``/health`` says ok."""
    found = [each.laddr.port for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
    return [port for port in found if not speaks_http(port)]


def speaks_http(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as there:
        there.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        try:
            return there.recv(5) == b"HTTP/"
        except OSError:
            return False


def lets_in(port: int, scheme: str, security: Security) -> bool:
    """Whether dask's own client is given a scheduler's or a worker's answers there."""

    async def ask() -> bool:
        there = distributed.rpc(
            f"{scheme}://127.0.0.1:{port}", connection_args=security.get_connection_args("client"), timeout=2
        )
        try:
            await there.identity()
        except OSError:
            return False
        finally:
            await there.close_rpc()
        return True

    return asyncio.run(ask())


def answers_without_certificate(port: int) -> bool:
    """Whether anything is said to who trusts everybody and shows no certificate."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        try:
            with trusting.wrap_socket(plain) as there:
                return bool(there.recv(1))  # in TLS 1.3 the refusal comes with the first answer
        except (ssl.SSLError, ConnectionError):
            return False


def test_members_with_certificates_let_in_nobody_else(desk: Desk, tmp_path: Path) -> None:
    with Nodes(desk.folder, desk.environ | made_by_hand(tmp_path / "ours")) as nodes:
        nodes.add(1)
        members = [psutil.Process(node.process.pid) for node in (nodes.scheduler, *nodes.workers)]
        listening = [port for each in members for port in ports(each)]
        assert len(listening) >= 2
        for port in listening:
            assert not lets_in(port, "tcp", distributed.Security())
            assert not lets_in(port, "tls", distributed.Security.temporary())
            assert not answers_without_certificate(port)


def held() -> dict[str, Any]:
    """What a program that runs in a member finds there. Runs in the member."""
    import gc

    from pydantic import SecretStr

    found = [each for each in gc.get_objects() if isinstance(each, SecretStr)]
    started_with = Path("/proc/self/environ")
    text = started_with.read_text(encoding="utf-8") if started_with.exists() else ""
    return {
        "environ": dict(os.environ),
        "started with": dict(line.split("=", 1) for line in text.split("\0") if "=" in line),
        "secrets": [each.get_secret_value() for each in found],
    }


def test_members_that_are_started_by_hand_let_go_of_credentials(desk: Desk) -> None:
    with Nodes(desk.folder, desk.environ) as nodes:
        nodes.add(1)
        said = "without TLS, every user of this machine can run programs in this process"
        assert any(said in line for line in nodes.scheduler.lines)
        assert any(said in line for line in nodes.workers[0].lines)
        with distributed.Client(nodes.address, set_as_default=False) as client:
            seen = [*client.run(held).values(), client.run_on_scheduler(held)]
    assert len(seen) == 2
    for each in seen:
        assert not secrets_seen(each["environ"])
        assert not secrets_seen(each["started with"])
        assert set(each["secrets"]) <= {desk.environ["OPENAI_API_KEY"]}

"""The endpoints do what ``/openapi.json`` says, whatever a client sends: schemathesis looks for a contradiction."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ..cli.conftest import OpenDesk
from .conftest import TOKEN, Serve


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_schemathesis_finds_nothing(open_desk: OpenDesk, serve: Serve) -> None:
    pytest.importorskip("schemathesis")
    desk = open_desk(3)
    desk("run", "--since", "2020-01-01", "--limit", "1")
    serving = serve(desk, "--metrics", TICKETBOT_API_TOKEN=TOKEN, FRESHDESK_WEBHOOK_SECRET=TOKEN)
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{serving.url}/openapi.json"]
    # Each header lets the requests in at its own endpoint; nobody but Zendesk can sign for the third.
    command += ["--header", f"Authorization: Bearer {TOKEN}", "--header", f"X-Ticketbot-Secret: {TOKEN}"]
    command += ["--max-examples", "100", "--seed", "1", "--no-color", "--generation-database", ":memory:"]
    ended = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=desk.folder, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert serving.stop() == 0

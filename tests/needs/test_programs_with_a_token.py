"""Need 41: the API of the local helpdesk, as a program uses it that was given a token."""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

from ticket_processor.helpdesk.local_store import LocalStore

from ..web.conftest import until
from ..web.portal.site import Site, site

__all__ = ["site"]


def test_programs_with_a_token_work_on_tickets_over_http(site: Site, tmp_path: Path) -> None:
    """Need 41: `/api` of `portal` and `serve`: tokens, tickets, replies, changes, triage, statistics; its page."""
    desk = site.command
    with closing(LocalStore(tmp_path / "helpdesk.sqlite3")) as store:
        store.add_person("ada@example.com", "Ada", "agent")
    url = site.serve()
    assert requests.get(f"{url}/api/docs", timeout=30).status_code == 404, "there is no token yet"
    write, read = (
        desk("portal", "create-token", "ada@example.com", "--scope", x).out.strip() for x in ("write", "read")
    )
    assert "no agent" in desk("portal", "create-token", "carla@example.org", "--scope", "read", code=2).err
    page = (Path(__file__).parents[2] / "docs" / "portal.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^curl .*?'$", page, re.MULTILINE | re.DOTALL)
    example = example.replace("http://127.0.0.1:8090", url)
    said = subprocess.run(
        ["/bin/sh", "-c", example], env={**os.environ, "TOKEN": write}, capture_output=True, check=True
    )
    number = json.loads(said.stdout)["number"]
    site.triaged(number)

    def ask(method: str, path: str, token: str = write, json: Any = None, **headers: str) -> requests.Response:
        given = {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): each for name, each in headers.items()}
        return requests.request(method, f"{url}/api{path}", json=json, headers=given, timeout=30)

    until(lambda: ask("GET", f"/tickets/{number}").json()["triage"])
    seen = ask("GET", f"/tickets/{number}", read)
    triage, etag = seen.json()["triage"], seen.headers["ETag"]
    assert (triage["category"], triage["analyser"][:13], triage["confidence"] > 0) == ("billing", "keyword rules", True)
    assert [
        ask("PATCH", f"/tickets/{number}", token, {"status": "resolved"}).status_code for token in (read, write)
    ] == [
        403,
        428,
    ]
    changed = ask("PATCH", f"/tickets/{number}", json={"status": "in_progress", "tags": ["vip"]}, If_Match=etag)
    assert (changed.status_code, changed.json()["tags"]) == (200, ["vip"])
    assert ask("PATCH", f"/tickets/{number}", json={"status": "resolved"}, If_Match=etag).status_code == 412
    said_twice = [
        ask("POST", f"/tickets/{number}/replies", json={"body": "Sent.", "public": True}, Idempotency_Key="1").text
        for _ in range(2)
    ]
    assert said_twice[0] == said_twice[1]
    assert ask("POST", f"/tickets/{number}/triage").status_code == 202
    listed = ask("GET", "/tickets?status=in_progress&limit=1", read).json()
    assert ([row["number"] for row in listed["tickets"]], listed["next"]) == ([number], None)
    assert ask("GET", "/stats", read).json()["source"]["api"]["first_reply_count"] == 1
    assert site.stop() == 0

    url = site.serve("serve")
    assert ask("GET", "/tickets", read).json() == listed
    assert "POST /api/tickets" in requests.get(f"{url}/api/docs", timeout=30).text
    assert ["token-1", "write"] in [line.split()[:2] for line in desk("portal", "list-tokens").out.splitlines()]
    desk("portal", "revoke-token", "token-1")
    assert (ask("GET", "/tickets").status_code, ask("GET", "/tickets", read).status_code) == (401, 200)
    assert ask("GET", "/tickets").headers["Content-Type"] == "application/problem+json"

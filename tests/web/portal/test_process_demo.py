"""``ticketbot portal --demo``: a filled portal with logins of its own, which leaves nothing behind."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import requests

from ticket_processor.helpdesk.local_store import LocalStore

from .site import Site, site

__all__ = ["site"]


def shown(site: Site) -> list[str]:
    """Start the demonstration; what it prints until it is ready."""
    process = site.command.start("portal", "--demo", "--port", "0")
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if "Mail that it would send" in line:
            break
    site.process = process
    return lines


def test_the_demonstration_is_filled_and_gone_afterwards(site: Site) -> None:
    (site.command.folder / "ticketbot.toml").unlink()
    lines = shown(site)
    links = [line.partition(": ")[2] for line in lines if "?k=" in line]
    assert len(links) == 3
    for link in links:
        page = requests.Session().get(link, timeout=30)
        assert page.status_code == 200
        assert "?k=" not in page.url
    folder = Path(lines[-1].partition(": ")[2]).parents[1]
    assert folder.is_dir()
    with closing(LocalStore(folder / "helpdesk.sqlite3")) as store:
        end = time.monotonic() + 30
        while store.tag_counts().get("ai_processed", 0) < 30 and time.monotonic() < end:
            time.sleep(0.2)
        assert store.tag_counts()["ai_processed"] >= 30
    assert site.stop() == 0
    assert not folder.exists()
    assert list(site.command.folder.iterdir()) == []


def test_the_demonstration_is_on_this_machine_whatever_address_the_site_has(site: Site) -> None:
    toml = site.command.folder / "ticketbot.toml"
    toml.write_text('[portal]\nurl = "https://help.example.com"\n', encoding="utf-8")
    told = site.command("portal", "--demo", "--host", "0.0.0.0", "--port", "0", code=2).err
    assert "without TLS" in told
    lines = shown(site)
    assert lines[0].startswith("The portal is at http://127.0.0.1")
    assert not any("help.example.com" in line for line in lines)
    link = next(line.partition(": ")[2] for line in lines if "?k=" in line)
    assert requests.Session().get(link, timeout=30).status_code == 200

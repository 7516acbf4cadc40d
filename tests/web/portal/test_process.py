from __future__ import annotations

import os
import stat
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import requests

from ticket_processor.commands.portal import PARTS
from ticket_processor.core.errors import CannotRun
from ticket_processor.helpdesk.local_model import NewTicket
from ticket_processor.web.portal.application import KEY_FILE, signing_key

from ...support.cases import for_each
from .site import Site, site, submit

__all__ = ["site"]


def test_a_submitted_ticket_is_triaged_at_once_and_a_signal_ends_the_portal(site: Site) -> None:
    url = site.serve()
    time.sleep(1.0)  # the ordinary run of the start is over
    ticket = site.triaged(submit(url), within_s=15)
    assert (ticket.category, ticket.status) == ("billing", "open")
    assert site.stop() == 0
    updated = [line for line in site.command.events("ticket") if line["ticket_id"] == ticket.id]
    assert [line["outcome"] for line in updated] == ["updated"]


def test_a_ticket_that_was_submitted_while_no_run_could_be_made_is_triaged_later(site: Site) -> None:
    stop = site.command.state / "STOP"
    url = site.serve()
    stop.touch()
    number = submit(url)
    time.sleep(1.0)
    with closing(site.store) as store:
        found = store.by_number(number)
    assert found is not None
    assert found.category is None
    stop.unlink()
    assert site.stop() == 0
    site.serve()
    site.triaged(number)


def test_tickets_from_before_the_portals_first_start_are_left_alone(site: Site) -> None:
    with closing(site.store) as store:
        old = store.create(NewTicket("Charged twice", "I was charged twice.", "x@example.org"), time.time() - 3600)
    url = site.serve()
    site.triaged(submit(url))
    with closing(site.store) as store:
        ticket = store.ticket(old.id)
    assert ticket is not None
    assert ticket.category is None


def test_serve_has_the_portals_pages_beside_its_own_endpoints(site: Site) -> None:
    url = site.serve("serve")
    assert requests.get(f"{url}/health", timeout=30).json()["queue"]["tickets"] == 0
    site.triaged(submit(url))
    assert site.stop() == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_it_refuses_to_listen_beyond_this_machine_without_tls(site: Site, host: str) -> None:
    for words in (("portal",), ("serve",)):
        told = site.command(*words, "--port", "0", "--host", host, code=2).err
        assert "portal.url" in told


def test_what_is_no_address_is_refused_in_words(site: Site) -> None:
    for host in ("127.0.0.1:80", "ä..b"):
        assert f"on {host} cannot be used" in site.command("portal", "--port", "0", "--host", host, code=2).err


def test_behind_a_proxy_with_tls_it_may(site: Site) -> None:
    toml = site.command.folder / "ticketbot.toml"
    toml.write_text(f'{toml.read_text(encoding="utf-8")}[portal]\nurl = "https://help.example.com"\n', encoding="utf-8")
    process = site.command.start("portal", "--port", "0", "--host", "0.0.0.0")
    assert process.stdout is not None
    assert "https://help.example.com" in process.stdout.readline()


def test_only_the_local_helpdesk_has_a_portal(site: Site) -> None:
    told = site.command("portal", TICKETBOT_HELPDESK="zendesk", ZENDESK_SUBDOMAIN="x", ZENDESK_OAUTH_TOKEN="x", code=2)
    assert 'helpdesk = "local"' in told.err


@for_each("module", PARTS)
def test_without_the_extra_it_says_which_package_is_missing(
    site: Site, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, module, None)
        told = site.command.here("portal", code=2).err
    assert PARTS[module] in told
    assert "ticketbot[serve]" in told


def test_the_key_of_cookies_is_this_users_alone_and_stays_the_same(tmp_path: Path) -> None:
    key = signing_key(tmp_path / "state")
    file = tmp_path / "state" / KEY_FILE
    assert key == signing_key(tmp_path / "state")
    assert key != signing_key(tmp_path / "another")
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_bytes(b"short")
    with pytest.raises(CannotRun, match="damaged"):
        signing_key(tmp_path / "state")

"""``ticketbot portal --demo``: a filled portal with logins of its own, which leaves nothing behind."""

from __future__ import annotations

import re
import time
from contextlib import closing
from pathlib import Path

import requests

from ticket_processor.core.clock import iso
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.seeding.corpus import load_corpus
from ticket_processor.web.portal import demo

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


def test_the_demonstrations_answers_fit_and_its_times_are_in_order(site: Site) -> None:
    lines = shown(site)
    ids = {seed.subject: seed.id for seed in load_corpus()}
    answered = set()
    with closing(LocalStore(Path(lines[-1].partition(": ")[2]).parents[1] / "helpdesk.sqlite3")) as store:
        now = iso(time.time())
        for number in range(1, demo.TICKETS + 1):
            ticket = store.ticket(number)
            assert ticket is not None
            events = store.events(number)
            understood = next(event.at for event in events if event.actor.kind == "ai")
            times = [ticket.created_at, understood, ticket.first_reply_at, ticket.resolved_at, ticket.updated_at, now]
            in_order = [at for at in times if at]
            assert in_order == sorted(in_order), ticket.subject
            assert [event.at for event in events] == sorted(event.at for event in events)
            said = [one.body for one in store.messages(number, public_only=True) if one.author.kind == "agent"]
            if said:
                text, status, _ = demo.ANSWERS[ids[ticket.subject]]
                assert (said, ticket.status) == ([text], status)
                answered.add(ids[ticket.subject])
    assert answered == set(demo.ANSWERS)


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


def test_the_demonstrations_passwords_are_made_anew_each_time_and_work(site: Site) -> None:
    seen = []
    for _ in range(2):
        lines = shown(site)
        url = re.search(r"http://[\d.:]+", lines[0])
        assert url is not None
        for line in lines:
            if "  password " in line:
                email, password = line.split("  password ")
                seen.append(password)
                assert logged_in(url[0], email.strip(), password)
        assert site.stop() == 0
    assert len(set(seen)) == len(seen) == 4


def logged_in(url: str, email: str, password: str) -> bool:
    session = requests.Session()
    token = re.search(r'name="form_token" value="([^"]+)"', session.get(f"{url}/admin/login", timeout=30).text)
    assert token is not None
    data = {"email": email, "password": password, "form_token": token[1]}
    answer = session.post(f"{url}/admin/login", data=data, timeout=30)
    return answer.status_code == 200 and "/admin/logout" in answer.text

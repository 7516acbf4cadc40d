"""A filled portal to look at: invented tickets, some of them worked on, in a folder that is gone afterwards."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...analysis.model_server.settings import BudgetSettings
from ...core.clock import Clock, iso
from ...helpdesk.local_model import Actor, Created, NewTicket
from ...helpdesk.local_store import LocalStore
from ...knowledge.settings import KnowledgeSettings
from ...replies.settings import ReplySettings
from ...seeding.corpus import SeedTicket, load_corpus
from ...settings.helpdesks import LocalSettings
from ...settings.pages import PortalServerSettings
from ...settings.schema import AlertSettings, ClassifierSettings, Settings
from ...wiring.local import local_store
from ...wiring.parts import opened_state
from .admin.passwords import Passwords, made_up

TICKETS = 60
AGE_S = 2 * 24 * 3600.0
"""How long ago the first ticket was submitted."""
ADMIN, AGENT = "admin@example.com", "agent@example.com"
ANSWER = "Thank you for writing. Since when do you see this, and is it the same on another device?"
SOLVED = "We have put this right on our side. Please tell us if you still see it."


@contextmanager
def demonstration(settings: Settings, clock: Clock, address: str) -> Iterator[tuple[Settings, Sequence[str]]]:
    """Settings for a demonstration, with the site's own categories, policy and models, and lines on where to look."""
    with tempfile.TemporaryDirectory(prefix="ticketbot-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        settings = settings.model_copy(
            update={
                "helpdesk": "local",
                "local": LocalSettings(path=folder / "helpdesk.sqlite3"),
                "state_dir": folder / "state",
                "log_dir": folder / "logs",
                "portal": PortalServerSettings(
                    name=settings.portal.name,
                    show_triage=settings.portal.show_triage,
                    mail_from="support@example.com",
                ),
                "alerts": AlertSettings(),
                "budget": BudgetSettings(),
                "classifier": ClassifierSettings(use=False),
                "knowledge": KnowledgeSettings(),
                "replies": ReplySettings(),
                # Those that are worked on already are to have badges too.
                "run": settings.run.model_copy(update={"statuses": ("new", "open", "pending", "solved")}),
                "notices": (),
            }
        )
        with local_store(settings, make=True) as store:
            logins = _logins(store)
            links = _fill(store, clock.now(), address)
        with opened_state(settings.state_folder, settings.desk.base_url) as state:
            state.begin_again(iso(0))
        models = settings.models.names
        yield (
            settings,
            [
                f"It holds {TICKETS} invented tickets, and is gone when it ends. {_triage(models)}",
                *links,
                f"Agents: {address}/admin",
                *(f"  {email}  password {password}" for email, password in logins.items()),
                f"Mail that it would send: {settings.state_folder / 'outbox'}",
            ],
        )


def _triage(models: Sequence[str]) -> str:
    return f"Triage asks {', '.join(models)}, which may cost money." if models else "Keyword rules triage them."


def _logins(store: LocalStore) -> dict[str, str]:
    """An admin and an agent, with passwords made at random."""
    passwords, made = Passwords(), {}
    for email, name, role in ((ADMIN, "Robin Admin", "admin"), (AGENT, "Alex Agent", "agent")):
        made[email] = made_up()
        store.add_person(email, name, role, passwords.hash(made[email]))  # type: ignore[arg-type]
    return made


def _fill(store: LocalStore, now: float, address: str) -> list[str]:
    """Submit tickets and work on some; lines with the links of three."""
    dice = random.Random(17)
    usual = [ticket for ticket in load_corpus() if ticket.kind == "normal" and ticket.subject and ticket.body]
    chosen = dice.sample(usual, TICKETS)
    agent = store.by_email(AGENT)
    actor = Actor("agent", agent.id if agent else None)
    shown: dict[str, Created] = {}
    for number, seed in enumerate(chosen):
        at = now - 3_600 - AGE_S * (TICKETS - number) / TICKETS  # even the newest has been rated
        ticket, kind = store.create(_new(seed), at), "new"
        if seed.labels.language == "en" and number % 4 == 1:
            store.reply(ticket.id, actor, ANSWER, public=True, status="waiting", now=at + 900)
            kind = "answered"
        elif seed.labels.language == "en" and number % 4 == 3:
            store.reply(ticket.id, actor, SOLVED, public=True, status="resolved", now=at + 1500)
            if number % 3:
                store.rate(ticket.id, dice.choice((3, 4, 5, 5)), "", at + 3000)
            kind = "resolved"
        shown[kind] = ticket
    return [f"A customer's view, {kind}: {address}/t/{one.number}?k={one.secret}" for kind, one in shown.items()]


def _new(seed: SeedTicket) -> NewTicket:
    return NewTicket(
        subject=seed.subject,
        description=str(seed.body),
        email=seed.requester.email,
        name=seed.requester.name,
        language=seed.labels.language or "",
        form_language="en",
    )

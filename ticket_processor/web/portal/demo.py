"""A filled portal to look at: invented tickets, some of them worked on, in a folder that is gone afterwards."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...analysis.model_server.settings import BudgetSettings
from ...core.clock import Clock, SystemClock, iso
from ...helpdesk.local_model import Actor, NewTicket, Status
from ...helpdesk.local_store import LocalStore
from ...knowledge.settings import KnowledgeSettings
from ...replies.settings import ReplySettings
from ...seeding.corpus import load_corpus
from ...settings.helpdesks import LocalSettings
from ...settings.pages import PortalServerSettings
from ...settings.schema import AlertSettings, Settings
from ...wiring.desks import local_store
from ...wiring.parts import opened_state
from ...wiring.runs import RunArguments, play
from .admin.accounts import Passwords, made_up

TICKETS = 40
AGE_S = 2 * 24 * 3600.0
"""How long ago the first ticket was submitted."""
ADMIN, AGENT = "admin@example.com", "agent@example.com"
ANSWERS: dict[str, tuple[str, Status, int | None]] = {
    "billing-double-charge-en": (
        "You are right, the charge of 4 February was our mistake. We have sent the $49.90 back to your card; your bank "
        "shows it within five working days.",
        "resolved",
        5,
    ),
    "technical-router-drops-en": (
        "Thank you, that rules out a lot. Please send us the log of your Kestrel R3 from one of these evenings.",
        "waiting",
        None,
    ),
}
"""What an agent answered, the ticket's status after it, and the customer's stars, by the seed ticket's id."""


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
                "portal": PortalServerSettings(name=settings.portal.name, mail_from="support@example.com"),
                "alerts": AlertSettings(),
                "budget": BudgetSettings(),
                "use_classifier": False,
                "knowledge": KnowledgeSettings(),
                "replies": ReplySettings(),
                "notices": (),
            }
        )
        with local_store(settings, make=True) as store:
            logins = _logins(store)
            links = _fill(settings, store, clock.now(), address)
        said = f"It holds {TICKETS} invented tickets, triaged by keyword rules, and is gone when it ends."
        if models := settings.models.names:
            said += f" New ones go to {', '.join(models)}, which may cost money."
        agents = [f"Agents: {address}/admin", *(f"  {email}  password {word}" for email, word in logins.items())]
        yield settings, [said, *links, *agents, f"Mail that it would send: {settings.state_folder / 'outbox'}"]


def _logins(store: LocalStore) -> dict[str, str]:
    """An admin and an agent, with passwords made at random."""
    passwords, made = Passwords(), {}
    for email, name, role in ((ADMIN, "Robin Admin", "admin"), (AGENT, "Alex Agent", "agent")):
        made[email] = made_up()
        store.add_person(email, name, role, passwords.hash(made[email]))  # type: ignore[arg-type]
    return made


def _fill(settings: Settings, store: LocalStore, now: float, address: str) -> list[str]:
    """Submit tickets, triage each at its time, and answer some; lines with the links of three."""
    dice = random.Random(17)
    usual = [ticket for ticket in load_corpus() if ticket.kind == "normal" and ticket.subject and ticket.body]
    answered = [ticket for ticket in usual if ticket.id in ANSWERS]
    others = dice.sample([ticket for ticket in usual if ticket.id not in ANSWERS], TICKETS - len(answered))
    chosen = dice.sample([*answered, *others], TICKETS)
    agent = store.by_email(AGENT)
    actor = Actor("agent", agent.id if agent else None)
    by_rules = settings.model_copy(update={"models": settings.models.model_copy(update={"names": ()})})
    with opened_state(settings.state_folder, settings.desk.base_url) as state:
        state.begin_again(iso(0))
    made = {
        seed.id: store.create(
            NewTicket(
                seed.subject,
                str(seed.body),
                seed.requester.email,
                seed.requester.name,
                language=seed.labels.language or "",
                form_language="en",
            ),
            now - AGE_S * place / TICKETS,
        )
        for place, seed in enumerate(chosen, 1)
    }
    play(by_rules, RunArguments())
    shown = {"new": made[others[0].id]}
    for name, (text, status, stars) in ANSWERS.items():
        ticket = made[name]
        store.reply(ticket.id, actor, text, public=True, status=status, now=SystemClock().now())
        if stars:
            store.rate(ticket.id, stars, "", SystemClock().now())
        shown["resolved" if status == "resolved" else "answered"] = ticket
    return [f"A customer's view, {kind}: {address}/t/{one.number}?k={one.secret}" for kind, one in shown.items()]

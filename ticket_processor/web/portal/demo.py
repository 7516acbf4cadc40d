"""A filled portal to look at: invented tickets, some of them worked on, in a folder that is gone afterwards."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...analysis.model_server.settings import BudgetSettings
from ...core.clock import Clock, SystemClock, iso
from ...helpdesk.local_model import Actor, Created, NewTicket, Status
from ...helpdesk.local_store import LocalStore
from ...knowledge.settings import KnowledgeSettings
from ...replies.settings import ReplySettings
from ...seeding.corpus import SeedTicket, load_corpus
from ...settings.helpdesks import LocalSettings
from ...settings.pages import PortalServerSettings
from ...settings.schema import AlertSettings, Settings
from ...wiring.local import local_store
from ...wiring.parts import opened_state
from ...wiring.runs import RunArguments, run
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
    "billing-vat-number-en": (
        "INV-2026-01873 now has your VAT number, with the same date. You find it under Account, Invoices.",
        "resolved",
        5,
    ),
    "billing-card-declined-oneliner-en": (
        "Sorry about that. Does your bank ask you to confirm the payment, in its app or by text message? Please try "
        "once more, and tell us which message you see.",
        "waiting",
        None,
    ),
    "billing-annual-switch-en": (
        "You get credit for the days that you have paid: they are taken off the price of the year, which begins on the "
        "day of the change. There is no need to wait for 19 March.",
        "resolved",
        4,
    ),
    "refund-return-label-en": (
        "We have mailed you a QR code for TF-4519003. Any parcel shop scans it and prints the label for you.",
        "resolved",
        5,
    ),
    "refund-cancelled-event-en": (
        "We are sorry that we had to cancel. The $340 for both seats are on their way to the card that you used.",
        "resolved",
        None,
    ),
    "technical-router-drops-en": (
        "Thank you, that rules out a lot. Please send us the log of your Kestrel R3 from one of these evenings.",
        "waiting",
        None,
    ),
    "technical-app-crash-oneliner-en": (
        "Sorry for that! Which iPhone is it, and which version of iOS? Does it still crash once you have deleted the "
        "app and installed it again?",
        "waiting",
        None,
    ),
    "account-new-colleague-en": (
        "Femi Adeyemi has an invitation, with the same rights as yours.",
        "resolved",
        None,
    ),
    "order-wrong-item-en": (
        "Sorry for the mix-up. The black pair leaves our warehouse today, with a label for the white one in the box.",
        "resolved",
        4,
    ),
    "feature-dark-mode-en": (
        "Not yet, but you are not the only one at 2 am: your vote is on our list.",
        "resolved",
        3,
    ),
    "general-opening-hours-en": (
        "No, the shop is closed on Easter Monday. From Tuesday on it opens at nine.",
        "resolved",
        4,
    ),
}
"""What an agent answered, the ticket's status after it, and the customer's stars, by the seed ticket's id."""


class Earlier(SystemClock):
    """The machine's clock, set back: tickets of the past are triaged by it."""

    def __init__(self) -> None:
        super().__init__()
        self._ago = 0.0

    def now(self) -> float:
        return super().now() - self._ago

    def go_to(self, moment: float) -> None:
        """Go on from there."""
        self._ago = super().now() - moment


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
                    mail_from="support@example.com",
                ),
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
    new = f" New ones go to {', '.join(models)}, which may cost money." if models else ""
    return f"Keyword rules have triaged them.{new}"


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
    others = [ticket for ticket in usual if ticket.id not in ANSWERS]
    chosen = dice.sample([*answered, *dice.sample(others, TICKETS - len(answered))], TICKETS)
    agent = store.by_email(AGENT)
    actor = Actor("agent", agent.id if agent else None)
    by_rules = settings.model_copy(update={"models": settings.models.model_copy(update={"names": ()})})
    with opened_state(settings.state_folder, settings.desk.base_url) as state:
        state.begin_again(iso(0))
    clock = Earlier()
    shown: dict[str, Created] = {}
    for number, seed in enumerate(chosen):
        at = now - 3_600 - AGE_S * (TICKETS - number) / TICKETS  # even the newest has been rated
        ticket, kind = store.create(_new(seed), at), "new"
        clock.go_to(at + 5)
        run(by_rules, RunArguments(), clock=clock)
        if seed.id in ANSWERS:
            text, status, stars = ANSWERS[seed.id]
            store.reply(ticket.id, actor, text, public=True, status=status, now=at + dice.uniform(600, 2400))
            if stars:
                store.rate(ticket.id, stars, "", at + 3000)
            kind = "resolved" if status == "resolved" else "answered"
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

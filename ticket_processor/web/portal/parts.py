"""What the pages of one portal share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...helpdesk.local_store import LocalStore
from .limits import Buckets
from .pages import Pages
from .security import Cookies, FormTokens

Suggest = Callable[[str], "Sequence[Suggestion]"]
HOUR_S = 3600.0
MOST_SEARCHED = 1000
"""Characters of a description for which articles are looked up."""


@dataclass(frozen=True)
class Suggestion:
    """An article that may answer what somebody wrote, and its lines about it; ``url`` may be empty."""

    title: str
    url: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class PortalSettings:
    """What differs between portals.

    ``key`` signs cookies: random, secret, and the same after a restart. ``address`` is where browsers reach it, such
    as ``https://help.example.com``; with https, cookies go no other way. ``show_triage``: customers see, too, as what
    their ticket was sorted.
    """

    key: bytes = field(repr=False)
    name: str = "Support"
    address: str = ""
    show_triage: bool = False


class Portal:
    """The store and the time, and what makes and checks pages, forms, cookies and limits.

    ``told`` is called with the id of a ticket that a customer has just submitted or answered. ``suggest`` finds
    articles for what somebody wrote; without it, none are shown.
    """

    def __init__(
        self,
        store: LocalStore,
        settings: PortalSettings,
        now: Callable[[], float],
        *,
        told: Callable[[int], object] = lambda _ticket_id: None,
        suggest: Suggest | None = None,
    ) -> None:
        self.store = store
        self.settings = settings
        self.now = now
        self.told = told
        self.suggest = suggest
        self.cookies = Cookies(settings.key, now, https=settings.address.startswith("https:"))
        self.forms = FormTokens(self.cookies, now)
        self.pages = Pages(settings.name, self.forms)
        self.wrong_keys = Buckets(20, HOUR_S, now)
        self.wrong_passwords_by_address = Buckets(20, HOUR_S, now)
        self.wrong_passwords_by_mail = Buckets(100, HOUR_S, now)
        self.tickets_by_address = Buckets(30, HOUR_S, now)
        self.tickets_by_mail = Buckets(10, HOUR_S, now)
        self.acts = Buckets(60, HOUR_S, now)
        self.searches = Buckets(60, 60.0, now)
        self.files_by_address = Buckets(60, HOUR_S, now)

    def suggestions(self, subject: str, description: str) -> list[Suggestion]:
        """Articles about what somebody wrote."""
        text = f"{subject}\n{description[:MOST_SEARCHED]}".strip()
        return list(self.suggest(text)) if self.suggest is not None else []

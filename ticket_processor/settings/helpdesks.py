"""Where the helpdesk's account is, and how to sign in: Zendesk, Freshdesk, or a local file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, PositiveInt, SecretStr, field_validator

from ..core.clock import parse_iso
from ..core.http import is_loopback, safe_url
from ..core.models import Frozen, Priority

LOCAL_FILE = "helpdesk.sqlite3"
ZENDESK_HOST = ".zendesk.com"
FRESHDESK_HOST = ".freshdesk.com"
TOKENS_END = parse_iso("2027-04-30")  # of Zendesk's API tokens
OAUTH_CLIENT = "create an OAuth client and set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET"
SignIn = Literal["oauth_client", "oauth_token", "api_token", "api_key", "none"]
_NO_API = "the API answers at NAME.freshdesk.com only, not at a domain of your own: give that name"


def _base_url(value: str, host: str) -> str:
    """An account's full URL, from a URL or from the name before ``host``."""
    if "/" not in value:
        name = re.sub(rf"{re.escape(host)}$", "", value, flags=re.IGNORECASE)
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", name):  # case is kept: the state identifies its account by it
            return f"https://{name}{host}"
        raise ValueError(f"must be letters, digits and hyphens: what stands before {host}")
    safe_url(value, f"https://example{host}")
    return value.rstrip("/").removesuffix("/api/v2")


@dataclass(frozen=True)
class Abilities:
    """What a kind of helpdesk can do; the code asks for these abilities and not for its name.

    A ticket must not have changed for ``stable_read_s``: Zendesk's guard compares whole seconds; on Freshdesk one
    second shows whether a ticket is as it was created; the local helpdesk's stamps are exact. ``guarded``: it refuses a
    write if the ticket has changed since it was read. ``jobs``: it takes many updates at once. ``solves``: a run may
    set tickets to solved. ``delayed``: its lists lack the newest minute. ``rules``: ``doctor`` reads its rules, and
    ``serve`` makes one. ``times``: it tells service times. ``longest_tag`` is in characters. ``undone`` says what an
    undo does with notes.
    """

    stable_read_s: float
    undone: str
    guarded: bool = True
    jobs: bool = False
    solves: bool = False
    delayed: bool = False
    rules: bool = False
    times: bool = True
    longest_tag: int = 60


class _Account(Frozen):
    """An account at a vendor's, by its address.

    Each kind has ``variables``, its environment variables with the setting of each, and ``gaps``: what is missing to
    find the account and to sign in, a sentence each.
    """

    path_of_tickets: ClassVar[str]
    path_of_one: ClassVar[str] = "/api/v2/tickets"
    one: ClassVar[dict[str, str | int]] = {"per_page": 1}
    url: str | None = None

    @property
    def named(self) -> bool:
        """Whether the settings name an account."""
        return bool(self.url)

    @property
    def base_url(self) -> str:
        """The account's URL without a path. ``load`` has checked that it is set."""
        return self.url or ""

    def ticket_url(self, ticket_id: int) -> str:
        """The URL at which a person opens the ticket; empty if the settings name no account."""
        return f"{self.base_url}/{self.path_of_tickets}{ticket_id}" if self.named else ""


class ZendeskSettings(_Account):
    """Where the account is and how to sign in."""

    path_of_tickets: ClassVar[str] = "agent/tickets/"
    one: ClassVar[dict[str, str | int]] = {"page[size]": 1}
    vendor: ClassVar[str] = "Zendesk"
    can: ClassVar[Abilities] = Abilities(
        stable_read_s=6.0,
        undone="notes of the run stay on their tickets: the helpdesk cannot delete them",
        jobs=True,
        solves=True,
        delayed=True,
        rules=True,
    )
    variables: ClassVar[dict[str, str]] = {
        "ZENDESK_SUBDOMAIN": "url",
        "ZENDESK_URL": "url",
        "ZENDESK_OAUTH_CLIENT_ID": "oauth_client_id",
        "ZENDESK_OAUTH_CLIENT_SECRET": "oauth_client_secret",
        "ZENDESK_OAUTH_TOKEN": "oauth_token",
        "ZENDESK_EMAIL": "email",
        "ZENDESK_API_TOKEN": "api_token",
    }
    url: str | None = Field(None, description="the account's address; the name before `.zendesk.com` is enough")
    oauth_client_id: str | None = Field(None, description="the OAuth client's unique identifier")
    oauth_client_secret: SecretStr | None = Field(
        None, description="the client's secret; ticketbot fetches and renews its tokens with it"
    )
    oauth_scope: str = Field(
        "read write",
        pattern=r"^[a-z_]+(:[a-z]+)?( [a-z_]+(:[a-z]+)?)*$",
        description="what tokens may do, with spaces between; the least that works is `read tickets:write`",
    )
    oauth_token: SecretStr | None = Field(None, description="an OAuth access token that was made elsewhere")
    email: str | None = Field(None, description="the agent's e-mail address, with an API token")
    api_token: SecretStr | None = Field(None, description="an API token; Zendesk ends these on 2027-04-30")

    @field_validator("url")
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        return None if value is None else _base_url(value, ZENDESK_HOST)

    @property
    def credentials(self) -> bool:
        """True if any credential is set."""
        client = self.oauth_client_id or self.oauth_client_secret
        return bool(client or self.oauth_token or self.email or self.api_token)

    @property
    def sign_in(self) -> SignIn:
        """How ticketbot signs in: by OAuth client, else OAuth token, else API token."""
        if self.oauth_client_id:
            return "oauth_client"
        return "oauth_token" if self.oauth_token else "api_token" if self.api_token else "none"

    def gaps(self) -> Iterator[str]:
        """What is missing, a sentence each."""
        if not self.named:
            yield "ZENDESK_SUBDOMAIN or ZENDESK_URL is missing: which account is it?"
        if not self.credentials:
            yield (
                "no credentials: set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET (best), or "
                "ZENDESK_OAUTH_TOKEN, or ZENDESK_EMAIL and ZENDESK_API_TOKEN"
            )
        elif bool(self.oauth_client_id) != bool(self.oauth_client_secret):
            yield "ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET are needed together"
        elif not (self.oauth_client_id or self.oauth_token or (self.email and self.api_token)):
            yield "ZENDESK_EMAIL and ZENDESK_API_TOKEN are needed together"


class FreshdeskSettings(_Account):
    """Where the account is and the key to sign in with."""

    path_of_tickets: ClassVar[str] = "a/tickets/"
    vendor: ClassVar[str] = "Freshdesk"
    can: ClassVar[Abilities] = Abilities(
        stable_read_s=1.0,
        undone="notes of the run are deleted, but for those that a person edited",
        guarded=False,
        longest_tag=32,  # developers.freshdesk.com/api, "Tickets"
    )
    variables: ClassVar[dict[str, str]] = {
        "FRESHDESK_DOMAIN": "url",
        "FRESHDESK_URL": "url",
        "FRESHDESK_API_KEY": "api_key",
    }
    sign_in: ClassVar[SignIn] = "api_key"
    oauth_scope: ClassVar[str] = ""
    url: str | None = Field(None, description="the account's address; the name before `.freshdesk.com` is enough")
    api_key: SecretStr | None = Field(None, description="the API key of the agent that ticketbot works as")
    open_statuses: tuple[int, ...] = Field(
        (), description="numbers of the account's own statuses that count as open; `ticketbot doctor` lists them"
    )

    @field_validator("url")
    @classmethod
    def _serves_the_api(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if "." in value.lower().removesuffix(FRESHDESK_HOST) and "/" not in value:
            raise ValueError(_NO_API)
        url = _base_url(value if "/" in value else value.lower(), FRESHDESK_HOST)
        if is_loopback(url):
            return url
        if not str(urlsplit(url).hostname).endswith(FRESHDESK_HOST):
            raise ValueError(_NO_API)
        if not url.endswith(FRESHDESK_HOST):
            raise ValueError(f"must end with {FRESHDESK_HOST}")
        return url

    @field_validator("api_key")
    @classmethod
    def _no_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and "@" in value.get_secret_value():
            raise ValueError("looks like an e-mail address; the API key stands in the agent's profile settings")
        return value

    def gaps(self) -> Iterator[str]:
        """What is missing, a sentence each."""
        if not self.named:
            yield "FRESHDESK_DOMAIN or FRESHDESK_URL is missing: which account is it?"
        if not self.api_key:
            yield "no credentials: set FRESHDESK_API_KEY, which stands in the agent's profile settings"


class RequestTrackerSettings(_Account):
    """Where the Request Tracker is, the token to sign in with, and how it keeps tags and priorities."""

    path_of_tickets: ClassVar[str] = "Ticket/Display.html?id="
    path_of_one: ClassVar[str] = "/REST/2.0/tickets"
    one: ClassVar[dict[str, str | int]] = {"query": "id > 0", "per_page": 1}
    vendor: ClassVar[str] = "Request Tracker"
    can: ClassVar[Abilities] = Abilities(
        stable_read_s=2.0,
        undone="notes of the run stay on their tickets: the helpdesk cannot delete them",
        guarded=False,
        times=False,
    )
    variables: ClassVar[dict[str, str]] = {
        "RT_URL": "url",
        "RT_TOKEN": "token",
        "RT_USER": "user",
        "RT_PASSWORD": "password",
    }
    sign_in: ClassVar[SignIn] = "api_key"
    oauth_scope: ClassVar[str] = ""
    url: str | None = Field(None, description="its address, such as `https://rt.example.com`")
    token: SecretStr | None = Field(None, description="an authentication token of ticketbot's user")
    user: str | None = Field(None, description="name of ticketbot's user, with a password: faster than a token")
    password: SecretStr | None = Field(None, description="password of ticketbot's user")
    tags_field: str = Field("Tags", min_length=1, description="the ticket field of several values that holds the tags")
    priorities: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = Field(
        (10, 50, 80, 100), description="numbers for low, normal, high, urgent; a ticket has the highest that it reaches"
    )

    @field_validator("url")
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        if value is not None:
            safe_url(value, "https://rt.example.com")
        return value and value.rstrip("/").removesuffix("/REST/2.0")

    @field_validator("token")
    @classmethod
    def _names_a_user(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"\d+-\d+-[0-9a-f]{16,}", value.get_secret_value()):
            raise ValueError("is no token of RT 5, such as 1-39-…: make one under Settings, Auth Tokens")
        return value

    @property
    def signs_in_as(self) -> str:
        """The name of our user, or its number, which is part of a token."""
        return self.user or (self.token.get_secret_value().split("-")[1] if self.token else "")

    def gaps(self) -> Iterator[str]:
        """What is missing, a sentence each."""
        if not self.named:
            yield "RT_URL is missing: which Request Tracker is it?"
        if not (self.token or (self.user and self.password)):
            yield "no credentials: set RT_USER and RT_PASSWORD, or RT_TOKEN (Settings, Auth Tokens)"


_Minutes = Annotated[int, Field(ge=1, le=525_600)]


class LocalSettings(Frozen):
    """Where the local helpdesk is: a file on this machine, without any account."""

    vendor: ClassVar[str] = "Local helpdesk"
    can: ClassVar[Abilities] = Abilities(
        stable_read_s=0.0,
        undone="notes of the run stay on their tickets: nothing that was said is deleted",
    )
    named: ClassVar[bool] = True
    sign_in: ClassVar[SignIn] = "none"
    variables: ClassVar[dict[str, str]] = {"TICKETBOT_LOCAL_PATH": "path"}
    path: Path | None = Field(
        None, description="the SQLite file; default: `helpdesk.sqlite3` beside the state folder; files lie next to it"
    )
    first_reply_minutes: dict[Priority, _Minutes] = Field(
        default_factory=dict, description="own targets by priority, such as `{urgent = 30, high = 120}`"
    )
    resolution_minutes: dict[Priority, _Minutes] = Field(
        default_factory=dict, description="the same until a ticket is solved"
    )

    @property
    def targets(self) -> dict[str, dict[str, int]]:
        """Both, by metric."""
        both = {"first reply": self.first_reply_minutes, "resolution": self.resolution_minutes}
        return {metric: {str(name): each for name, each in minutes.items()} for metric, minutes in both.items()}

    @property
    def file(self) -> Path:
        """The file's path; :attr:`Settings.local_account` has set it."""
        return self.path or Path(LOCAL_FILE)

    @property
    def base_url(self) -> str:
        """A URL that identifies the local helpdesk by its file's name and place."""
        place = hashlib.sha256(str(self.file.absolute()).encode("utf-8", "surrogatepass")).hexdigest()
        return f"local://{re.sub(r'[^a-z0-9]+', '-', self.file.stem.lower()).strip('-') or 'file'}-{place[:8]}"

    def ticket_url(self, ticket_id: int) -> str:
        """Empty: these settings know no web page of a ticket."""
        return ""

    def gaps(self) -> Iterator[str]:
        """None."""
        return iter(())


VendorSettings = ZendeskSettings | FreshdeskSettings | RequestTrackerSettings
AccountSettings = VendorSettings | LocalSettings

"""The settings of pages in a browser: the dashboard's sign-in, the portal and its mail."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from ..core.http import is_loopback, safe_url
from ..core.models import Frozen

_ANYBODYS = ("common", "organizations", "consumers")
"""Microsoft's addresses for every tenant at once: there an administrator of any of them names any mail address."""


class AuthSettings(Frozen):
    """The dashboard's sign-in by OpenID Connect, as with Google, Microsoft Entra, Okta or Keycloak."""

    metadata_url: str | None = Field(
        None, description="the provider's address that ends with `/.well-known/openid-configuration`"
    )
    client_id: str | None = Field(None, description="the client's identifier at the provider")
    client_secret: SecretStr | None = Field(None, description="secret of the dashboard's sign-in client")
    allow: tuple[str, ...] = Field(
        (), description="who may see the pages: mail addresses, or `@example.com` for all of a domain"
    )

    @field_validator("metadata_url")
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = safe_url(value, "https://accounts.google.com/.well-known/openid-configuration")
        if set(parts.path.split("/")).intersection(_ANYBODYS):
            raise ValueError("must name your own tenant: at this address any tenant's administrator names any address")
        return value

    @field_validator("allow")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[^@\s]*@[^@\s]+", one) for one in value):
            raise ValueError('must be mail addresses, or domains such as "@example.com"')
        return tuple(one.lower() for one in value)

    @model_validator(mode="after")
    def _all_or_nothing(self) -> AuthSettings:
        parts = (self.metadata_url, self.client_id, self.client_secret, self.allow)
        if any(parts) and not all(parts):
            raise ValueError("metadata_url, client_id, allow and TICKETBOT_DASHBOARD_CLIENT_SECRET are needed together")
        return self

    @property
    def wanted(self) -> bool:
        """Whether people have to sign in."""
        return self.metadata_url is not None


class DashboardSettings(Frozen):
    """The dashboard."""

    auth: AuthSettings = AuthSettings()


class PortalServerSettings(Frozen):
    """What `ticketbot portal` shows and counts, when tickets close, and how it sends mail."""

    name: str = Field("Support", min_length=1, max_length=60, description="the name at the top of pages and in mail")
    url: str | None = Field(
        None, description="its https address, through a reverse proxy; without it no run, list or alert links tickets"
    )
    close_after_days: int = Field(
        30,
        ge=0,
        le=3650,
        description="days after which a run closes resolved tickets for good; 0: never",
    )
    count_readers: bool = Field(
        False, description="count browsers, by a cookie, that are shown articles and send no ticket"
    )
    mail_from: str | None = Field(
        None, pattern=r"^[^@\s<>,;]+@[A-Za-z0-9.-]+$", description="sender of the mail; without it none is sent"
    )
    smtp_host: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$",
        description="mail server, such as `mail.example.com:465`; port 587 unless it names one; without it, mail is "
        "written into the folder `outbox` of the state",
    )
    smtp_user: str | None = Field(None, min_length=1, description="user name there")
    smtp_password: SecretStr | None = Field(None, description="password at the portal's mail server")

    @field_validator("smtp_host")
    @classmethod
    def _port(cls, value: str | None) -> str | None:
        port = (value or "").partition(":")[2]
        if port and not 1 <= int(port) <= 65535:
            raise ValueError("the port must be 1 to 65535")
        return value

    @field_validator("url")
    @classmethod
    def _whole(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = safe_url(value, "https://help.example.com")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must have no path: the portal needs a host name of its own")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _name_and_password(self) -> PortalServerSettings:
        if bool(self.smtp_user) != bool(self.smtp_password):
            raise ValueError("smtp_user and TICKETBOT_SMTP_PASSWORD are needed together")
        return self

    @property
    def smtp_address(self) -> tuple[str, int]:
        """Name and port of the mail server."""
        host, _, port = (self.smtp_host or "").partition(":")
        return host, int(port or 587)

    @property
    def smtp_security(self) -> Literal["tls", "starttls", "where offered"]:
        """How the connection is encrypted: by its port (RFC 8314), and to this machine only where the server can."""
        host, port = self.smtp_address
        if port == 465:
            return "tls"
        return "where offered" if is_loopback(f"http://{host}/") else "starttls"

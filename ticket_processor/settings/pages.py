"""The settings of pages in a browser: the dashboard's sign-in."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from ..core.models import Frozen
from ..core.urls import is_loopback, whole_url

_ANYBODYS = ("common", "organizations", "consumers")
"""Microsoft's addresses for every tenant at once: there an administrator of any of them names any mail address."""


class AuthSettings(Frozen):
    """The dashboard's sign-in by OpenID Connect, as with Google, Microsoft Entra, Okta or Keycloak."""

    metadata_url: str | None = Field(
        None, description="the provider's address that ends with `/.well-known/openid-configuration`"
    )
    client_id: str | None = Field(None, description="the client's identifier at the provider")
    client_secret: SecretStr | None = Field(None, description="the client's secret")
    allow: tuple[str, ...] = Field(
        (), description="who may see the pages: mail addresses, or `@example.com` for all of a domain"
    )

    @field_validator("metadata_url")
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = whole_url(value, "https://accounts.google.com/.well-known/openid-configuration")
        if parts.scheme == "http" and not is_loopback(value):
            raise ValueError("must begin with https:// (http only for this machine's own loopback)")
        if set(urlsplit(value).path.split("/")).intersection(_ANYBODYS):
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
    """How the dashboard is served."""

    auth: AuthSettings = AuthSettings()

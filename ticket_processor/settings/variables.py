"""The environment variables that hold settings."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CONFIG_VARIABLE = "TICKETBOT_CONFIG"


def _says_stop(text: str) -> bool:
    """In the environment anything but a clear no stops: whoever reaches for this switch may be in a hurry."""
    return text.lower() not in ("0", "false", "no", "off")


@dataclass(frozen=True)
class Variable:
    """An environment variable: where its value goes, and whether it is a secret, a list, or the kill switch."""

    path: tuple[str, ...]
    meaning: str
    secret: bool = False
    many: bool = False
    switch: bool = False

    def value(self, text: str) -> object:
        """What ``text`` stands for."""
        if self.many:
            return [item.strip() for item in text.split(",") if item.strip()]
        return _says_stop(text) if self.switch else text


VARIABLES: Mapping[str, Variable] = {
    "ZENDESK_SUBDOMAIN": Variable(("zendesk", "subdomain"), "the name before .zendesk.com"),
    "ZENDESK_URL": Variable(("zendesk", "url"), "whole base URL, instead of the subdomain"),
    "ZENDESK_OAUTH_CLIENT_ID": Variable(("zendesk", "oauth_client_id"), "OAuth client's unique identifier"),
    "ZENDESK_OAUTH_CLIENT_SECRET": Variable(
        ("zendesk", "oauth_client_secret"), "its secret; tokens are fetched and renewed with it", secret=True
    ),
    "ZENDESK_OAUTH_TOKEN": Variable(("zendesk", "oauth_token"), "an OAuth access token made elsewhere", secret=True),
    "ZENDESK_EMAIL": Variable(("zendesk", "email"), "agent's e-mail, with an API token"),
    "ZENDESK_API_TOKEN": Variable(("zendesk", "api_token"), "API token; Zendesk ends these on 2027-04-30", secret=True),
    "OPENAI_API_KEY": Variable(("models", "api_key"), "key of the model server", secret=True),
    "OPENAI_BASE_URL": Variable(("models", "base_url"), "address of any OpenAI-compatible server, with /v1"),
    "TICKETBOT_MODELS": Variable(
        ("models", "names"), "models to try in order, comma-separated; empty: keyword rules only", many=True
    ),
    "TICKETBOT_STATE_DIR": Variable(("state_dir",), "folder for cursor, open intents and retry list"),
    "TICKETBOT_LOG_DIR": Variable(("log_dir",), "folder for receipts"),
    "TICKETBOT_AUDIT_KEY": Variable(
        ("audit", "keys"),
        "what seals the log, of 16 characters or more; older ones after a comma",
        secret=True,
        many=True,
    ),
    "TICKETBOT_AUDIT_ENCRYPTION_KEYS": Variable(
        ("audit", "encryption_keys"),
        "encrypts the log: 32 bytes in base64; older ones after a comma; 'off' ends it",
        secret=True,
        many=True,
    ),
    "TICKETBOT_ALERT_URLS": Variable(
        ("alerts", "urls"),
        "where alerts go: Apprise URLs (Slack, Teams, mail, PagerDuty, …), comma-separated",
        secret=True,
    ),
    "TICKETBOT_PAGE_URLS": Variable(
        ("alerts", "page_urls"), "the same for who is woken up: critical alerts only", secret=True
    ),
    "TICKETBOT_HEARTBEAT_URL": Variable(
        ("alerts", "heartbeat_url"),
        "pinged by each run, so that one that never began is noticed elsewhere",
        secret=True,
    ),
    "TICKETBOT_LOG_LEVEL": Variable(
        ("log_level",), "what is shown on standard error: off, info (decisions) or debug (requests as well)"
    ),
    "TICKETBOT_STOP": Variable(
        ("run", "stop"), "the kill switch: anything but 0, false, no and off stops every run", switch=True
    ),
}
"""The environment variables that hold settings. ``TICKETBOT_CONFIG`` names the file and is read before these."""


def unknown_names(source: Iterable[str], beginning: str, *, sure: bool = False) -> list[str]:
    """Variables that begin like ours and are none; ``sure``: only those that are nearly one."""
    known = [*VARIABLES, CONFIG_VARIABLE]
    problems = []
    for name in source:
        if name.startswith(beginning) and name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.9 if sure else 0.6)
            if close or not sure:
                problems.append(f"{name} is no setting" + (f"; did you mean {close[0]}?" if close else ""))
    return problems

"""``ticketbot portal create-admin``: adds an admin, whose password comes from a prompt or from standard input."""

from __future__ import annotations

import getpass
import sys

from ..core.errors import ConfigError, ExitCode
from ..settings.schema import Settings
from ..web.portal.admin.accounts import Passwords, is_address, why_weak
from ..wiring.local import local_store
from .screen import Screen


def create_admin(settings: Settings, email: str, screen: Screen) -> int:
    """Add an admin, or give somebody who is known that role and a new password. Gives the exit code."""
    email = email.strip()
    if not is_address(email):
        raise ConfigError("write a mail address behind create-admin")
    password = _password()
    if trouble := why_weak(password, email):
        raise ConfigError(trouble)
    with local_store(settings, make=True) as store:
        known, stored = store.by_email(email), Passwords().hash(password)
        if known is None or known.role == "customer":
            store.add_person(email, "", "admin", stored)
        else:
            store.set_role(known.id, "admin")
            store.set_password(known.id, stored)
    screen.say("An admin with this address can log in at /admin now.")
    return ExitCode.OK


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise ConfigError("the two passwords differ")
    return password

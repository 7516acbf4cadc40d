"""A requester's tickets: the questions that every helpdesk can answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from ..core.errors import ConfigError

BY_TICKET = "name the tickets one by one with --ticket, which also works for deleted ones"
_ADDRESS = re.compile(r"[^\s\"'\\:@]+@[^\s\"'\\:@]+")


class RequesterSearch(Protocol):
    """The people of an account. What they are called never stands in an error or a log."""

    def find(self, named: str) -> int:
        """The user of this number, or with this address, whichever of several it is.

        Raises :class:`ConfigError` when there is none, or more than one, and :class:`CannotRun` as every read does.
        """

    def tickets(self, user: int) -> Iterator[int]:
        """The numbers of all tickets that the user requested, some of them twice.

        Raises :class:`ConfigError` when there is no such user, and :class:`CannotRun`.
        """


def number_or_address(named: str) -> int | str:
    """A requester's number or address. Raises :class:`ConfigError` for anything else."""
    named = named.strip()
    if named.isdecimal() and named.isascii():
        return int(named)
    if not _ADDRESS.fullmatch(named):
        raise ConfigError("--requester: neither a user's number nor an e-mail address")
    return named


def the_only(found: set[int]) -> int:
    """The one user with an address. Raises :class:`ConfigError` when there is none, or more than one."""
    if len(found) > 1:
        raise ConfigError("--requester: more than one user has this address; say which, by number")
    if not found:
        raise ConfigError(f"--requester: the helpdesk knows no user with this address; {BY_TICKET}")
    return found.pop()

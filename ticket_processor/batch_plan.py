"""Which batches are under way for a file of results: a small file beside it, replaced as a whole.

It holds ticket numbers and no word of a ticket.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from .errors import CannotRun, ConfigError
from .models import Frozen


class Part(Frozen):
    """One batch: its name, by which it is found again, and its id once a server has taken it.

    ``tickets`` were asked about, each with an ``updated_at`` at which it is known to carry no write of ours;
    ``repeats`` have the same text as one of them. ``fence`` stands around the tickets in the requests.
    """

    name: str = Field(pattern=r"^[0-9a-f]{8,64}$")
    model: str
    fence: str
    tickets: dict[int, str]
    repeats: dict[int, str] = Field(default_factory=dict)
    batch: str | None = None
    handed_in: str = ""


class Plan(Frozen):
    """Everything that is under way; ``walked`` when the whole history was looked at for it."""

    ticketbot_batches: Literal[1] = 1
    account: str
    walked: bool = False
    parts: tuple[Part, ...] = ()


class PlanFile:
    """The plan that belongs to the results at ``results``; each change is on disk when its method returns.

    Raises :class:`ConfigError` for a file of another account or that cannot be read, :class:`CannotRun` when it cannot
    be written. Whoever has the results' lock may use it.
    """

    def __init__(self, results: Path, account: str) -> None:
        self.path = results.with_name(results.name + ".batches.json")
        self.plan = self._read(account)

    def add(self, part: Part) -> None:
        """A batch that is about to be handed in."""
        self._write((*self.plan.parts, part))

    def handed_in(self, part: Part, batch: str) -> None:
        """The server has taken it, as ``batch``."""
        there = part.model_copy(update={"batch": batch})
        self._write(tuple(there if item.name == part.name else item for item in self.plan.parts))

    def drop(self, part: Part) -> None:
        """Nothing more has to be done about it."""
        self._write(tuple(item for item in self.plan.parts if item.name != part.name))

    def walked(self, whole: bool) -> None:
        """Whether the whole history was looked at."""
        if whole != self.plan.walked:
            self.plan = self.plan.model_copy(update={"walked": whole})
            self._write(self.plan.parts)

    def _read(self, account: str) -> Plan:
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return Plan(account=account)
        except OSError as error:
            raise CannotRun(f"{self.path} cannot be read: {error.strerror or error}") from error
        try:
            plan = Plan.model_validate_json(text)
        except ValidationError:
            raise ConfigError(
                f"{self.path}, which says what batches are under way, cannot be read by this version; remove it to "
                "give them up, which costs what they cost"
            ) from None
        if plan.account != account:
            raise ConfigError(f"{self.path} is about {plan.account}, and these settings are for {account}")
        return plan

    def _write(self, parts: tuple[Part, ...]) -> None:
        self.plan = self.plan.model_copy(update={"parts": parts})
        new = self.path.with_name(self.path.name + ".new")
        try:
            if not self.plan.parts and not self.plan.walked:
                self.path.unlink(missing_ok=True)
                return
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(self.plan.model_dump_json().encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
        except OSError as error:
            raise CannotRun(f"{self.path} cannot be written: {error.strerror or error}") from error

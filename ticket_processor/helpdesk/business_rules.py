"""The rules that an account has of its own, as plain data: triggers, automations, macros, views, SLA policies.

Conditions and actions are in Zendesk's vocabulary; those of another vendor are translated on reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from .protocol import AccountLabels

RuleKind = Literal["trigger", "automation", "macro", "view", "SLA policy"]


@dataclass(frozen=True)
class RuleCondition:
    """One condition, such as ``current_tags includes ["vip"]``. A value that is not there is ``""``."""

    field: str
    operator: str
    values: tuple[str, ...] = ("",)

    @property
    def words(self) -> frozenset[str]:
        """The value as tags: one text may name several."""
        return frozenset(word for value in self.values for word in value.split())


@dataclass(frozen=True)
class Clause:
    """Conditions and clauses of which all have to hold, or any one; all of none hold."""

    join: Literal["all", "any"] = "all"
    parts: tuple[RuleCondition | Clause, ...] = ()

    def conditions(self) -> Iterator[RuleCondition]:
        """Every condition in it, at whatever depth."""
        for part in self.parts:
            if isinstance(part, RuleCondition):
                yield part
            else:
                yield from part.conditions()


@dataclass(frozen=True)
class RuleAction:
    """One action, such as ``set priority to high``. A mail's values are its recipient, subject and body."""

    field: str
    values: tuple[str, ...] = ("",)

    @property
    def words(self) -> frozenset[str]:
        """The value as tags."""
        return frozenset(word for value in self.values for word in value.split())


@dataclass(frozen=True)
class BusinessRule:
    """An active rule of the account. Views have no actions, macros no conditions."""

    kind: RuleKind
    id: str
    title: str
    conditions: Clause = Clause()
    actions: tuple[RuleAction, ...] = ()


@dataclass(frozen=True)
class AccountSetup:
    """What an account does by itself, and the words that it sorts by.

    ``own_user`` is the id that we sign in as, ``our_webhooks`` those that call ``ticketbot serve``. Of the
    ``sampled`` newest tickets, ``filled`` are the fields with a value on any. ``unread`` says what could not be read.
    """

    rules: tuple[BusinessRule, ...] = ()
    labels: AccountLabels = field(default_factory=lambda: AccountLabels(None))
    own_user: str | None = None
    our_webhooks: frozenset[str] = frozenset()
    sampled: int = 0
    filled: frozenset[int] = frozenset()
    unread: tuple[str, ...] = ()

    def of(self, *kinds: RuleKind) -> list[BusinessRule]:
        """The rules of these kinds, in their order."""
        return [rule for rule in self.rules if rule.kind in kinds]

"""An account's own triggers and automations, as plain data.

Conditions and actions are in Zendesk's vocabulary; those of another vendor are translated on reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RuleKind = Literal["trigger", "automation"]


@dataclass(frozen=True)
class RuleCondition:
    """One condition, such as ``current_tags includes ["vip"]``. A missing value is ``""``."""

    field: str
    operator: str
    values: tuple[str, ...] = ("",)

    @property
    def words(self) -> frozenset[str]:
        """The value as tags: one text may name several."""
        return frozenset(word for value in self.values for word in value.split())


@dataclass(frozen=True)
class Clause:
    """Conditions and clauses of which all have to hold, or any one. With none in it, it holds."""

    join: Literal["all", "any"] = "all"
    parts: tuple[RuleCondition | Clause, ...] = ()

    def conditions(self) -> tuple[RuleCondition, ...]:
        """Every condition in it, at whatever depth."""
        return tuple(
            condition
            for part in self.parts
            for condition in ((part,) if isinstance(part, RuleCondition) else part.conditions())
        )


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
    """An active rule of the account."""

    kind: RuleKind
    id: str
    title: str
    conditions: Clause = Clause()
    actions: tuple[RuleAction, ...] = ()

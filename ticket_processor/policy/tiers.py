"""The policy preset ``tiers``: who should take a ticket, by fixed rules over what was understood. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ..core.models import Analysis, Frozen, Risk, Urgency

_COMPLEX_BELOW = 0.5
"""An answer that is more often wrong than right tells nobody who should take the ticket."""
_TIER_1_FROM = 0.64
"""Calibrated by the rules' confidence, so that the first line gets as many tickets as by earlier versions."""
_COMPLEX_CATEGORIES = 3
"""A ticket that fits so many categories belongs to no one group."""


class Tier(StrEnum):
    """Who should take a ticket: first-line support, second-line support, or the experts."""

    FIRST = "1"
    SECOND = "2"
    COMPLEX = "complex"


TIER_TAGS = tuple(f"tier_{tier}" for tier in Tier)


class Tiers(Frozen):
    """The group of each tier."""

    groups: dict[Tier, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="ids of groups by tier, where nothing else gives one"
    )


def tier_of(analysis: Analysis, tiers: Tiers, *, escalated: bool, fallback: str | None) -> Tier:
    """The tier of a ticket that was understood so. ``fallback`` is the category for what fits nowhere else."""
    fitting = 1 + len(analysis.secondary)
    if (
        analysis.urgency is Urgency.CRITICAL
        or analysis.risk is Risk.HIGH
        or analysis.suspicious
        or analysis.confidence < _COMPLEX_BELOW
        or fitting >= _COMPLEX_CATEGORIES
    ):
        return Tier.COMPLEX
    known = analysis.category != fallback
    simple = analysis.urgency in (Urgency.LOW, Urgency.MEDIUM) and analysis.risk is Risk.LOW and fitting == 1
    if known and simple and not escalated and analysis.confidence >= _TIER_1_FROM:
        return Tier.FIRST
    return Tier.SECOND

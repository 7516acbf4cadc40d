"""The seeds that tests play, in parts: those beyond the default set are slow. Every known hole is noticed by these."""

from __future__ import annotations

from typing import Any

import pytest


def first_seeds(step: int, *, seeds: int, in_default_set: int) -> list[Any]:
    """Every so many seeds one; what lies beyond the default set is slow."""
    return [
        pytest.param(first, marks=[pytest.mark.slow] if first >= in_default_set else [])
        for first in range(0, seeds, step)
    ]

"""What the keyword rules found, as further features of the classifier; training and use count the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...core.models import Analysis, Sentiment, Urgency

if TYPE_CHECKING:
    from .scoring import Floats
    from .storage import Task

_ALARMS = ("security", "outage", "legal", "safety", "churn")
"""In the order of stored weights, so that an alarm that is added does not make every classifier unusable."""
_LEVELS = (Urgency.LOW, Urgency.MEDIUM, Urgency.HIGH, Urgency.CRITICAL)
_CLEAR = 5.0
"""Points of a category of which the rules are sure."""

_MOOD = np.float32(1.5)
_CLEAR_HASTE = {"low": -3.0, "medium": 0.0, "high": 6.0, "critical": 16.0}


def rules_features(
    task: Task, analysis: Analysis, points: Mapping[str, float], urgency: float, names: Sequence[str]
) -> Floats:
    """The rules' answer for one ticket as numbers, none negative. ``names`` are the categories known at training."""
    if task == "category":
        return np.log1p(np.array([points.get(name, 0.0) for name in names], np.float32))
    if task == "sentiment":
        return _MOOD * _one_of(Sentiment, analysis.sentiment)
    alarms = [alarm in analysis.alarms for alarm in _ALARMS]
    tone = np.array([*alarms, analysis.urgent_tone], np.float32)
    return np.concatenate((_haste(urgency), tone, _one_of(_LEVELS, analysis.urgency)))


def vote(task: Task, label: str, names: Sequence[str]) -> Floats:
    """The features of a ticket of which the rules are sure that it is ``label``."""
    if task == "category":
        return np.float32(np.log1p(_CLEAR)) * _one_of(names, label)
    if task == "sentiment":
        return _MOOD * _one_of(Sentiment, label)
    return np.concatenate(
        (_haste(_CLEAR_HASTE[label]), np.zeros(len(_ALARMS) + 1, np.float32), _one_of(_LEVELS, label))
    )


def width(task: Task, names: Sequence[str]) -> int:
    """The number of these features."""
    return len(vote(task, names[0] if task == "category" else "medium" if task == "urgency" else "neutral", names))


def _haste(points: float) -> Floats:
    return np.log1p(np.array([max(points, 0.0), max(-points, 0.0)], np.float32))


def _one_of(values: Sequence[str] | type[Sentiment], value: str) -> Floats:
    return np.array([known == value for known in values], np.float32)

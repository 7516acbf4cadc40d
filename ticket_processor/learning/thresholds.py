"""From which confidence on values of a field may be written: proved by what people made of those written so far. Pure.

Confidences of different models are not on one scale, and other categories make another question: a threshold holds for
one field, one model and one taxonomy. A classifier that is trained anew is another model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..evaluation.scores import Threshold, threshold_for
from ..policy.decide import PARTS, FieldPolicy, Part, Policy
from .model import Reaction

KIND = "thresholds"
"""The kind of a learnt change that sets thresholds."""

CLASSIFIER = "classifier"
"""The model's name in receipts of answers of the trained classifier, whichever it was."""

LEAST_REVIEWED = 300
"""Values that people reviewed; fewer prove too little."""

_PART_OF: Mapping[str, Part] = {"category": "tags", "priority": "priority", "group": "group"}
"""The part of the policy that a field speaks for; the tags are as good as the category."""


@dataclass(frozen=True)
class FieldThreshold:
    """What is proved of one model's values of a field: ``reviewed`` are judged, of which people kept ``kept``.

    ``found`` is ``None`` where they are too few, or no confidence keeps the promise: values are only suggested.
    """

    field: str
    model: str
    taxonomy: str
    reviewed: int
    kept: int
    found: Threshold | None = None

    @property
    def part(self) -> Part | None:
        """The part of the policy that it speaks for."""
        return "fields" if self.field.startswith("field ") else _PART_OF.get(self.field)


def proved_thresholds(reactions: Iterable[Reaction], precision: float, trained_at: float = 0.0) -> list[FieldThreshold]:
    """The thresholds from which on people keep so many of the values, of each field that the policy asks about.

    A change that nobody knows the author of counts against a value. What the classifier wrote before ``trained_at``
    proves nothing of the one that was trained then.
    """
    groups: defaultdict[tuple[str, str, str], list[tuple[bool, float]]] = defaultdict(list)
    for item in reactions:
        of_former = item.model == CLASSIFIER and item.at < trained_at
        if item.judged and item.confidence is not None and not of_former:
            groups[item.field, item.model, item.taxonomy_hash].append((item.fate == "kept", item.confidence))
    found = []
    for (name, model, taxonomy), rows in sorted(groups.items()):
        right, confidence = [hit for hit, _ in rows], [sure for _, sure in rows]
        enough = len(rows) >= LEAST_REVIEWED
        proved = threshold_for(precision, right, confidence) if enough else None
        one = FieldThreshold(name, model, taxonomy, len(rows), sum(right), proved)
        if one.part is not None:
            found.append(one)
    return found


def by_part(
    found: Sequence[FieldThreshold], taxonomy: str, parts: Collection[Part] = PARTS
) -> dict[Part, dict[str, float]]:
    """The threshold of each model, by part of the policy, for these categories; a model without one only suggests.

    Ticket fields share a part: the highest of their thresholds counts, and every one has to be proved.
    """
    result: dict[Part, dict[str, float]] = {part: {} for part in parts if any(item.part == part for item in found)}
    for part, models in result.items():
        of_part = [item for item in found if item.part == part and item.taxonomy == taxonomy]
        for model in sorted({item.model for item in of_part}):
            thresholds = [item.found for item in of_part if item.model == model]
            if None not in thresholds:
                models[model] = max(one.threshold for one in thresholds if one is not None)
    return result


def policy_lines(parts: Mapping[Part, Mapping[str, float]], taxonomy: str) -> list[str]:
    """The thresholds as lines for ``ticketbot.toml``."""
    lines = ["[policy]", f'by_model_for = "{taxonomy}"'] if parts else []
    for part, models in parts.items():
        pairs = ", ".join(f'"{name}" = {threshold:.2f}' for name, threshold in models.items())
        lines += [f"[policy.{part}]", f"by_model = {{ {pairs} }}" if pairs else "by_model = {}  # only suggested"]
    return lines


def with_thresholds(policy: Policy, detail: Mapping[str, Any], classifier: str) -> Policy:
    """The policy with the thresholds of a learnt change; other parts keep theirs, unless of other categories.

    ``classifier`` is the version in use: what was proved of another one does not hold for it.
    """
    stale = detail.get(CLASSIFIER, classifier) != classifier
    others_hold = policy.by_model_for in ("", detail["taxonomy"])
    changed: dict[str, object] = {}
    for part in PARTS:
        of_part: FieldPolicy = getattr(policy, part)
        if part in detail["parts"]:
            models = detail["parts"][part]
            proved = {name: least for name, least in models.items() if not (stale and name == CLASSIFIER)}
            changed[part] = of_part.model_copy(update={"by_model": proved})
        elif of_part.by_model is not None and not others_hold:
            changed[part] = of_part.model_copy(update={"by_model": {}})
    return policy.model_copy(update={**changed, "by_model_for": detail["taxonomy"]})

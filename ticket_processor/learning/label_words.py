"""The words by which our labels are told on a ticket: its tags, and what its fields may hold. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..core.models import Sentiment, Urgency
from ..core.taxonomy import Taxonomy
from ..policy.decide import ALSO, Mode, Policy

PARTS = ("category", "subcategory", "secondary", "urgency", "sentiment", "priority", "group", "tag")
"""In the order of a report; behind them fields, as ``field 2001``."""

ONE_OF = ("category", "subcategory", "secondary", "urgency", "sentiment")
"""Parts that have one label at a time; of others each tag stands for itself."""


@dataclass(frozen=True)
class Words:
    """The part and label of each tag of ours, and the values that we put into each ticket field.

    ``never`` are parts that we do not label at all.
    """

    tags: Mapping[str, tuple[str, str]]
    values: Mapping[int, frozenset[str]] = field(default_factory=dict)
    never: frozenset[str] = frozenset()

    def expected(self, part: str) -> bool:
        """Whether we may have abstained where this part of a ticket is empty: we label it on other tickets."""
        if part.startswith("field "):
            return int(part.removeprefix("field ")) in self.values
        return part not in self.never


def words_of(policy: Policy, taxonomy: Taxonomy, categories: Iterable[str] = ()) -> Words:
    """The words of these settings. ``categories`` are earlier ones, which the log knows still."""
    found: dict[str, tuple[str, str]] = {}
    for name in taxonomy.names:
        found[policy.tag(name)] = ("category" if taxonomy[name].parent is None else "subcategory", name)
    for name in categories:
        found.setdefault(policy.tag(name), ("category", name))
    for name in (*taxonomy.names, *categories):
        found.setdefault(policy.tag(ALSO, name), ("secondary", name))
    found |= {policy.tag("urgency", level): ("urgency", level.value) for level in Urgency}
    found |= {policy.tag("sentiment", mood): ("sentiment", mood.value) for mood in Sentiment}
    values: defaultdict[int, set[str]] = defaultdict(set)
    for item in taxonomy.categories:
        if item.tag:
            found.setdefault(item.tag, ("tag", item.tag))
        for key, value in item.fields.items():
            values[key].add(value)
    never = set() if any(item.group is not None for item in taxonomy.categories) else {"group"}
    never |= set() if policy.tag_secondary else {"secondary"}
    never |= {part for part in ("priority", "group") if getattr(policy, part).mode is Mode.OFF}
    return Words(found, {key: frozenset(chosen) for key, chosen in values.items()}, frozenset(never))


def place_of(part: str) -> tuple[int, str]:
    """The sort key of a part."""
    return (PARTS.index(part), "") if part in PARTS else (len(PARTS), part)

"""Labels that people finally chose: examples from the helpdesk's solved tickets. Reads only.

A helpdesk records labels and not who chose them, so these rules decide:

- urgency is the ticket's priority;
- category is what the taxonomy's targets say (ticket field, tag, group), in this order; a tag named like a
  category counts too, unless the category has its own. Marks of several categories count as none;
- a ticket that ticketbot triaged is left out, unless people are known to have decided about its labels (``decided``);
- follow-ups (which inherit labels), merged tickets and machine mail are left out;
- a label that a trigger, an automation or a macro set counts as chosen.

A label looks wrong where a model that learnt from the other tickets gives it little chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from ..core.models import Ticket
from ..core.taxonomy import Category, Taxonomy
from ..policy.decide import RESERVED_TAGS, Policy
from ..policy.skip_rules import machine_mail
from .data import Example, urgency_of

MERGED_TAG = "closed_by_merge"
"""Zendesk's own, on a ticket that was merged into another."""

OURS = "triaged by ticketbot"

_PLACES = {"field": "a ticket field", "tag": "a tag", "group": "the group", "ours": "a tag in ticketbot's words"}


@dataclass
class Solved:
    """The examples found. ``read`` counts all tickets looked at, ``left_out`` those that are no examples, by reason.

    ``category_by`` counts where categories came from, ``unclear`` the examples whose marks contradict each other,
    ``ours`` those that ticketbot had triaged. ``tags`` are the tags of each example.
    """

    examples: list[Example] = field(default_factory=list)
    tags: list[tuple[str, ...]] = field(default_factory=list)
    read: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    category_by: Counter[str] = field(default_factory=Counter)
    unclear: int = 0
    ours: int = 0


def solved_examples(
    pages: Iterable[Sequence[Ticket]],
    taxonomy: Taxonomy,
    policy: Policy,
    *,
    limit: int | None = None,
    decided: Collection[int] = frozenset(),
    advance: Callable[[int], object] = lambda _count: None,
) -> Solved:
    """The first ``limit`` examples of what people chose; no page is asked for once there are enough."""
    found, seen = Solved(), set[int]()
    for page in pages:
        for ticket in page:
            if ticket.id in seen or (limit is not None and len(found.examples) >= limit):
                continue  # a search may list one twice
            seen.add(ticket.id)
            _take(ticket, found, taxonomy, policy, decided)
        found.read = len(seen)
        advance(len(page))
        if limit is not None and len(found.examples) >= limit:
            break
    return found


def _take(ticket: Ticket, found: Solved, taxonomy: Taxonomy, policy: Policy, decided: Collection[int]) -> None:
    """Add the ticket to what was found: as an example, or as one that is left out."""
    marks = tuple(policy.tag(name, "") + "_" for name in ("urgency", "sentiment"))
    ours = policy.marker in ticket.tags or any(tag.startswith(marks) for tag in ticket.tags)
    reason = _unfit(ticket)
    if reason is None and ours and ticket.id not in decided:
        reason = OURS
    if reason is not None:
        found.left_out[reason] += 1
        return
    names, how = _categories(ticket, taxonomy, policy, ours=ours)
    category, urgency = names[0] if len(names) == 1 else None, urgency_of(ticket.priority)
    found.unclear += len(names) > 1
    if urgency is None and category is None:
        found.left_out["without any label"] += 1
        return
    if category is not None:
        found.category_by[how] += 1
    found.ours += ours
    found.tags.append(ticket.tags)
    found.examples.append(
        Example(
            id=str(ticket.id),
            subject=ticket.subject,
            body=ticket.description,
            names=ticket.names,
            category=category,
            urgency=urgency,
        )
    )


def _unfit(ticket: Ticket) -> str | None:
    if ticket.status not in ("solved", "closed"):
        return "reopened since"  # the search index lags behind
    if MERGED_TAG in ticket.tags:
        return "merged into another"
    if ticket.follow_up:
        return "follow-ups of another"
    return "machine mail" if machine_mail(ticket) else None


def _categories(ticket: Ticket, taxonomy: Taxonomy, policy: Policy, *, ours: bool) -> tuple[list[str], str]:
    """The categories of either level that the first mark names, and which mark that is."""
    for how in ("field", "tag", "group"):
        if names := _most_exact([item for item in taxonomy.categories if _says(how, item, ticket)]):
            return names, how
    # Where a category has targets and the ticket has none of them, a person took them off.
    return _most_exact(
        [
            item
            for item in taxonomy.categories
            if ours
            and policy.tag(item.name) in ticket.tags
            and item.name not in RESERVED_TAGS
            and not (item.tag or item.group is not None or item.fields)
        ]
    ), "ours"


def _says(how: str, category: Category, ticket: Ticket) -> bool:
    if how == "group":
        return category.group is not None and category.group == ticket.group
    if how == "tag":
        return (category.tag or category.name) in ticket.tags
    # Several values of a field are read with spaces between them.
    held = ((ticket.fields.get(key, ""), wanted) for key, wanted in category.fields.items())
    return any(value and (value == wanted or wanted in value.split()) for value, wanted in held)


def _most_exact(found: list[Category]) -> list[str]:
    """The names, without categories whose sub-category is there as well."""
    parents = {item.parent for item in found}
    return [item.name for item in found if item.name not in parents]


def how_it_was_decided(solved: Solved, since: str) -> list[str]:
    """Sentences on what was compared and what was left out, for people to judge it by."""
    lines = [f"{solved.read} solved and closed tickets created since {since}; {len(solved.examples)} can be compared."]
    by = ", ".join(f"{_PLACES[how]} ({count})" for how, count in solved.category_by.most_common())
    with_priority = sum(example.urgency is not None for example in solved.examples)
    category = (
        f"category is from {by}"
        if by
        else "no ticket carries the field, tag or group of a category, so none has a category to compare with"
    )
    lines.append(f"Urgency is the ticket's priority ({with_priority}); {category}.")
    if solved.unclear:
        lines.append(f"{solved.unclear} have the marks of several categories, so their category does not count.")
    if solved.left_out:
        lines.append(
            "Left out: " + ", ".join(f"{count} {reason}" for reason, count in solved.left_out.most_common()) + "."
        )
    if solved.ours:
        lines.append(f"{solved.ours} of them were triaged by ticketbot, and people kept or changed their labels.")
    lines.append("Labels that your own triggers, automations or macros set count as chosen by people.")
    return lines


FEWEST_TICKETS, FEWEST_OF_A_LABEL = 100, 5
MOST_TICKETS = 5_000
FOLDS = 5
LEAST_ACCURACY = 0.65
"""Below it the model knows too little to doubt anybody."""
DOUBTFUL = 0.1
"""A label is listed whose probability is below this, while another one has more than half."""


@dataclass(frozen=True)
class DoubtfulLabel:
    """A ticket's label with its probability, and the label that is probable instead."""

    ticket: str
    label: str
    probability: float
    instead: str
    probability_instead: float


def doubtful_labels(examples: Sequence[Example], taxonomy: Taxonomy) -> list[DoubtfulLabel]:
    """The doubtful categories of the first level, the most doubtful first. None where too little is known.

    Raises :class:`ImportError` without scikit-learn.
    """
    labelled = [(one, taxonomy.split(one.category)[0]) for one in examples if one.category in taxonomy.names]
    counts = Counter(label for _, label in labelled)
    labelled = [(one, label) for one, label in labelled if counts[label] >= FEWEST_OF_A_LABEL][:MOST_TICKETS]
    labels = [label for _, label in labelled]
    if len(labels) < FEWEST_TICKETS or min(Counter(labels).values()) < FOLDS or len(set(labels)) < 2:
        return []
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline

    learner = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, min_df=2), LogisticRegression(C=10, max_iter=300, tol=1e-2)
    )
    texts = [f"{one.subject}\n{one.body}" for one, _ in labelled]
    found = cross_val_predict(learner, texts, labels, cv=FOLDS, method="predict_proba")
    names = sorted(set(labels))
    best = [names[place] for place in found.argmax(axis=1)]
    if sum(map(str.__eq__, best, labels)) < LEAST_ACCURACY * len(labels):
        return []
    doubts = [
        DoubtfulLabel(one.id, label, float(row[names.index(label)]), instead, float(row.max()))
        for (one, label), instead, row in zip(labelled, best, found, strict=True)
    ]
    doubts = [one for one in doubts if one.probability < DOUBTFUL and one.probability_instead > 0.5]
    return sorted(doubts, key=lambda one: (one.probability, one.ticket))

"""The categories into which tickets are sorted, the site's own or the built-in ones.

All analysers are built from a :class:`Taxonomy`: the schema of a model's answers, the descriptions in its prompt, and
the keyword rules.
"""

from __future__ import annotations

from collections import Counter

from pydantic import Field, model_validator

from .models import Frozen, Urgency

CATEGORY_NAME = r"^[a-z][a-z0-9_]{0,39}$"


class Category(Frozen):
    """One category. Your own categories replace the built-in ones.

    ``description`` is a sentence by which a new agent could sort a ticket. ``keywords`` maps a language code to words
    or phrases in the syntax of ``analysis.rules.matcher``; they add to the built-in ones. ``examples`` and
    ``not_examples`` are short texts that do and do not belong here. ``priority_floor`` is the lowest urgency its
    tickets may be given. The targets ``tag``, ``group`` (a group's id) and ``fields`` (ticket field id to value) are
    set on its tickets if they are given; with less confidence than ``threshold`` the category is only suggested.
    ``formerly`` are names that it had before: what was learnt under them stays learnt.
    """

    name: str = Field(pattern=CATEGORY_NAME, description="name of the category, and of its tag")
    description: str = Field(description="what a model decides by; write it for a new colleague")
    parent: str | None = Field(None, description="the category that this one is a part of")
    examples: tuple[str, ...] = Field((), description="short texts that belong here")
    not_examples: tuple[str, ...] = Field((), description="short texts that do not belong here")
    keywords: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="words for the keyword rules by language, besides the built-in ones"
    )
    priority_floor: Urgency | None = Field(None, description="lowest urgency of its tickets")
    threshold: float = Field(0.0, ge=0, le=1, description="with less confidence the category is suggested only")
    tag: str | None = Field(None, pattern=r"^[a-z0-9_]{1,60}$", description="one more tag for its tickets")
    group: int | None = Field(None, description="id of the group for tickets that have none")
    fields: dict[int, str] = Field(
        default_factory=dict, description="values for empty ticket fields, by the field's id"
    )
    formerly: tuple[str, ...] = Field(
        (), exclude_if=lambda names: not names, description="earlier names, under which people's corrections stay valid"
    )


class Taxonomy(Frozen):
    """Categories of two levels in order of preference, and ``fallback`` for tickets that fit none of them.

    Raises ``pydantic.ValidationError`` when empty, when a name occurs twice, when a parent is unknown or has a
    parent itself, or when ``fallback`` is none of the first level's names.
    """

    categories: tuple[Category, ...] = Field(min_length=1)
    fallback: str = "general"

    @model_validator(mode="after")
    def _consistent(self) -> Taxonomy:
        twice = [name for name, count in Counter(self.names).items() if count > 1]
        problems = [f"names must be unique, but these occur twice: {', '.join(twice)}"] if twice else []
        problems += [
            f"the parent of category {category.name} is none of the first level's categories"
            for category in self.categories
            if category.parent is not None and category.parent not in self.top
        ]
        if self.fallback not in self.top:
            problems.append("the fallback (fallback_category) is none of the first level's categories")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def at_least_floor(self, category: str, urgency: Urgency) -> Urgency:
        """``urgency``, or the floor of the category (or of its parent) where that is higher."""
        item = self[category]
        floors = (item.priority_floor, self[item.parent].priority_floor if item.parent else None)
        return min([urgency, *(floor for floor in floors if floor is not None)], key=list(Urgency).index)

    def __getitem__(self, name: str) -> Category:
        """The category called ``name``. Raises ``KeyError``."""
        for category in self.categories:
            if category.name == name:
                return category
        raise KeyError(name)

    def today(self, name: str) -> str | None:
        """The present name of a category that has, or once had, this name; ``None`` if it no longer exists."""
        if name in self.names:
            return name
        return next((category.name for category in self.categories if name in category.formerly), None)

    def split(self, name: str) -> tuple[str, str | None]:
        """Split the name of a category or sub-category into (category, sub-category or ``None``)."""
        parent = self[name].parent
        return (name, None) if parent is None else (parent, name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all categories, in order."""
        return tuple(category.name for category in self.categories)

    @property
    def top(self) -> tuple[str, ...]:
        """The names of the first level, in order."""
        return tuple(category.name for category in self.categories if category.parent is None)

    def children(self, name: str) -> tuple[str, ...]:
        """The names of a category's sub-categories, in order."""
        return tuple(category.name for category in self.categories if category.parent == name)


def default_taxonomy() -> Taxonomy:
    """The eight categories used when the site has not named its own."""
    return Taxonomy(categories=tuple(Category(name=name, description=text) for name, text in _DEFAULT.items()))


_DEFAULT = {
    "billing": (
        "Charges, invoices, fees, prices, payment methods, failed or pending payments, transfers and "
        "subscriptions, as long as the customer does not ask for money back."
    ),
    "refund": (
        "The customer wants money back, or asks about a refund, a return or an exchange that is wanted or under way."
    ),
    "technical": (
        "Something does not work as it should: an error, bug, crash, outage, slowness, broken device, failed "
        "installation or integration."
    ),
    "account": (
        "Logging in, passwords and PINs, access rights, identity checks, changing personal details, and opening "
        "or closing an account."
    ),
    "order": "Placing, changing, cancelling or tracking an order, and its shipping, delivery, address or stock.",
    "feature_request": "A wish for something the product does not do yet, or for it to work differently.",
    "security": (
        "Fraud, payments the customer does not recognise, a lost or stolen card or device, a hacked account, "
        "phishing, malware, a data breach or a vulnerability."
    ),
    "general": (
        "Everything else: questions about what is offered, feedback, praise, sales, jobs, legal and "
        "administrative requests."
    ),
}

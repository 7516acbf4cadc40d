"""The site's own categories: what tickets are sorted into, and how to tell one from the other.

Everything that understands tickets is built from a :class:`Taxonomy`: the schema a model must answer in,
the descriptions in its prompt, and the keyword rules.
"""

from __future__ import annotations

from collections import Counter

from pydantic import Field, model_validator

from .models import Frozen, Urgency


class Category(Frozen):
    """One category. ``description`` is a sentence by which a new agent could sort a ticket.

    ``keywords`` maps a language code to words or phrases in the syntax of :mod:`ticket_processor.lexicon`;
    they add to the built-in ones. ``priority_floor`` is the lowest urgency its tickets may be given.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    description: str
    keywords: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    priority_floor: Urgency | None = None


class Taxonomy(Frozen):
    """Categories in order of preference, and the one for whatever fits nowhere else.

    Raises ``pydantic.ValidationError`` when empty, when a name occurs twice, or when ``fallback`` is none of
    the names.
    """

    categories: tuple[Category, ...] = Field(min_length=1)
    fallback: str = "general"

    @model_validator(mode="after")
    def _consistent(self) -> Taxonomy:
        twice = [name for name, count in Counter(self.names).items() if count > 1]
        if twice:
            raise ValueError(f"category names must be unique, but these occur twice: {', '.join(twice)}")
        if self.fallback not in self.names:
            raise ValueError("the fallback category is none of the categories")
        return self

    def at_least_floor(self, category: str, urgency: Urgency) -> Urgency:
        """``urgency``, or the category's floor where that is higher."""
        floor = next(item.priority_floor for item in self.categories if item.name == category)
        return urgency if floor is None else min(urgency, floor, key=list(Urgency).index)

    @property
    def names(self) -> tuple[str, ...]:
        """The categories' names, in order."""
        return tuple(category.name for category in self.categories)


def default_taxonomy() -> Taxonomy:
    """The eight categories used when the site has not named its own."""
    return Taxonomy(
        categories=(
            Category(
                name="billing",
                description=(
                    "Charges, invoices, fees, prices, payment methods, failed or pending payments, "
                    "transfers and subscriptions, as long as the customer does not ask for money back."
                ),
            ),
            Category(
                name="refund",
                description=(
                    "The customer wants money back, or asks about a refund, a return or an exchange "
                    "that is wanted or under way."
                ),
            ),
            Category(
                name="technical",
                description=(
                    "Something does not work as it should: an error, bug, crash, outage, slowness, "
                    "broken device, failed installation or integration."
                ),
            ),
            Category(
                name="account",
                description=(
                    "Logging in, passwords and PINs, access rights, identity checks, changing personal "
                    "details, and opening or closing an account."
                ),
            ),
            Category(
                name="order",
                description=(
                    "Placing, changing, cancelling or tracking an order, and its shipping, delivery, address or stock."
                ),
            ),
            Category(
                name="feature_request",
                description="A wish for something the product does not do yet, or for it to work differently.",
            ),
            Category(
                name="security",
                description=(
                    "Fraud, payments the customer does not recognise, a lost or stolen card or device, "
                    "a hacked account, phishing, malware, a data breach or a vulnerability."
                ),
            ),
            Category(
                name="general",
                description=(
                    "Everything else: questions about what is offered, feedback, praise, sales, jobs, "
                    "legal and administrative requests."
                ),
            ),
        )
    )

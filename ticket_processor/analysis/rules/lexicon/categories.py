"""All categories with words of their own, and what turns such a word round."""

from __future__ import annotations

from .account import ACCOUNT
from .billing import BILLING
from .entries import ByLanguage
from .feature_request import FEATURE_REQUEST
from .general import GENERAL
from .order import ORDER
from .refund import REFUND
from .security import SECURITY
from .technical import TECHNICAL

CATEGORIES: dict[str, ByLanguage] = {
    "billing": BILLING,
    "refund": REFUND,
    "technical": TECHNICAL,
    "account": ACCOUNT,
    "order": ORDER,
    "feature_request": FEATURE_REQUEST,
    "security": SECURITY,
    "general": GENERAL,
}

# Names under which sites keep the built-in categories.
SYNONYMS: dict[str, str] = {
    "bug": "technical",
    "bugs": "technical",
    "bug_report": "technical",
    "incident": "technical",
    "outage": "technical",
    "technical_issue": "technical",
    "technical_support": "technical",
    "tech": "technical",
    "feature": "feature_request",
    "features": "feature_request",
    "idea": "feature_request",
    "enhancement": "feature_request",
    "payment": "billing",
    "payments": "billing",
    "invoice": "billing",
    "invoices": "billing",
    "finance": "billing",
    "refunds": "refund",
    "returns": "refund",
    "login": "account",
    "access": "account",
    "accounts": "account",
    "orders": "order",
    "shipping": "order",
    "delivery": "order",
    "fraud": "security",
    "abuse": "security",
    "other": "general",
    "question": "general",
    "inquiry": "general",
    "misc": "general",
}

# Right before a word: "this is not a refund request".
NOT_ABOUT = (
    "not a, not an, not about, isn't a, isn't about, is no, nothing to do with, don't need a, do not need a, "
    "don't want a, do not want a, rather than a, no need for a, ist kein, ist keine, geht nicht um, "
    "n'est pas un, n'est pas une, no es un, no es una, não é um, não é uma, non è un, non è una, is geen"
)

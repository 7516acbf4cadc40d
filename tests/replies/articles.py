"""Invented articles of a help centre, a model that answers from a script, and a ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ticket_processor.analysis.text.redact import redact

TICKET = redact("Refund and password\nHow long does a refund take, and how do I reset my password? A gift card too?")


@dataclass(frozen=True)
class Part:
    """A passage of an article."""

    article_id: str
    title: str
    url: str
    text: str
    lang: str = "en"
    audience: str = "everyone"
    heading: str = ""


def _part(name: str, title: str, text: str, lang: str = "en", audience: str = "everyone") -> Part:
    return Part(f"shop:{name}", title, f"https://help.shop.example/{lang}/{name}", text, lang, audience)


REFUND = _part(
    "refunds",
    "Refunds",
    "Refunds are paid to the card you used within 5 to 7 working days.\n"
    "Shipping costs of $4.95 are not refunded.\n"
    "You can ask for a refund until 30 days after delivery.",
)
PASSWORD = _part(
    "password",
    "Reset your password",
    "Open Settings > Security and choose Reset password.\n"
    "We send you a mail with a link, which can be used once.\n"
    "You cannot reuse one of your last five passwords.",
)
GERMAN = _part(
    "erstattung",
    "Erstattungen",
    "Wir erstatten den Betrag innerhalb von 7 Werktagen auf die Karte, mit der Sie bezahlt haben.\n"
    "Versandkosten von 4,95 € werden nicht erstattet.",
    "de",
)
FOR_AGENTS = _part(
    "goodwill", "Goodwill", "Agents may waive shipping costs of up to 20 dollars once a year.", audience="agents"
)
SHOP = (
    REFUND,
    PASSWORD,
    _part(
        "delivery",
        "Delivery times",
        "Standard delivery takes 3 to 5 working days.\nExpress delivery arrives the next working day before 12:00.\n"
        "Orders above 50 euros are delivered free of charge.",
    ),
    _part(
        "invoice",
        "Download your invoice",
        "Open My orders, choose the order and click Download invoice.\n"
        "Invoices are available as PDF from the day of dispatch.\nWe keep invoices for ten years.",
    ),
    _part(
        "devices",
        "Devices",
        "You can sign in on up to four devices at the same time.\nRemove a device under Account > Devices.\n"
        "The app needs Android 9 or iOS 15.",
    ),
    _part(
        "cancel",
        "Cancel a subscription",
        "You can cancel your subscription at any time under Account > Plan.\n"
        "It then ends on the last day of the month you have paid for.\nWe do not refund months that have begun.",
    ),
    _part(
        "vpn",
        "Connect to the VPN",
        "Install the client, restart the computer and sign in with your company account.\n"
        "The connection closes after 8 hours.\nIf error E-207 is shown, check the date and time of the computer.",
    ),
    _part(
        "printer",
        "Printer offline",
        "Switch the printer off, wait 30 seconds and switch it on again.\n"
        "Remove the printer from the list and add it anew.\nDrivers are installed by the system itself.",
    ),
    _part(
        "warranty",
        "Warranty",
        "The warranty lasts 24 months from the date of purchase.\nBatteries are covered for 12 months.\n"
        "Damage by water is not covered.",
    ),
    _part(
        "privacy",
        "Delete your account",
        "Your data is deleted 14 days after you close the account.\n"
        "Until then you can open it again by signing in.\nInvoices are kept as the law demands.",
    ),
)


def claim(text: str, quote: str | None = None, source: str = "A1") -> dict[str, str]:
    """A claim as a model gives it, by default one that says what it quotes."""
    return {"text": text, "source": source, "quote": text if quote is None else quote}


def said(
    *claims: Mapping[str, str],
    steps: Sequence[Mapping[str, str]] = (),
    verdict: str = "answer",
) -> dict[str, Any]:
    """A model's whole answer."""
    return {"claims": list(claims), "steps": list(steps), "verdict": verdict}

"""Order numbers, amounts and the like: what the rules can pick out of a text with certainty, by their form.

A site names what it wants to know (``order_number``, ``amount``, …) with a meaning in words. The names this module
knows are in ``_KNOWN``; of any other nothing is said. Pure functions, safe in any thread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...core.lazy_pattern import lazy_pattern

MAX_SCANNED = 6_000
"""Characters looked at."""

MAX_VALUE = 60

_NUMBER = r"([A-Z]{0,5}[\-/]?\d[\w\-/.]{2,24}\d|[A-Z]{1,5}-?\d{3,20}|\d{4,20})"
_HASH = r"(?:\s*(?:number|no|nr|nº|n°|num|id|nummer|numéro|número|numero|番号)\.?)?\s*[:#＃]?\s*#?\s*"
_AMOUNT = (
    r"((?:[$€£¥₹]|USD|EUR|GBP|CHF|JPY|BRL|R\$|INR)\s?\d{1,3}(?:[.,'\u202f ]?\d{3})*(?:[.,]\d{1,2})?\b"
    r"|\b\d{1,3}(?:[.,'\u202f ]?\d{3})*(?:[.,]\d{1,2})?\s?(?:[$€£¥₹円]"
    r"|(?:USD|EUR|GBP|CHF|JPY|BRL|INR|euros?|dollars?|pounds?)\b))"
)
_FORMS: dict[str, re.Pattern[str]] = {
    "order": lazy_pattern(
        r"\b(?:(?:purchase )?order|bestell(?:ung|nummer)?|auftrag(?:snummer)?|commande|pedido|encomenda|ordine"
        r"|bestelling)"
        rf"{_HASH}{_NUMBER}|(?:注文|注文番号)\s*[:：#]?\s*{_NUMBER}",
        re.IGNORECASE,
    ),
    "invoice": lazy_pattern(
        rf"\b(?:invoice|bill|rechnung(?:snummer)?|facture|factura|fatura|fattura|factuur(?:nummer)?){_HASH}{_NUMBER}"
        rf"|(?:請求書|請求書番号)\s*[:：#]?\s*{_NUMBER}",
        re.IGNORECASE,
    ),
    "amount": lazy_pattern(_AMOUNT),
    "tracking": lazy_pattern(
        rf"\b(?:tracking|shipment|parcel|sendung(?:snummer)?|suivi|seguimiento|rastreio|spedizione|zending)"
        rf"{_HASH}{_NUMBER}",
        re.IGNORECASE,
    ),
    "version": lazy_pattern(r"\b(?:version|release|v)\s?\.?(\d{1,4}(?:\.\d{1,6}){1,3}\b)", re.IGNORECASE),
    "error": lazy_pattern(
        r"\b((?:error|fehler|erreur|errore|erro|fout)[ -]?(?:code)?\s*[:#]?\s*(?:0x[0-9a-f]{4,8}"
        r"|[a-z]{0,6}[-_]?\d{2,6})\b|0x[0-9A-F]{8}\b|(?:HTTP|ERR|ORA|E)[-_ ]?\d{3,6}\b)",
        re.IGNORECASE,
    ),
    "people": lazy_pattern(
        r"\b(\d{1,6} (?:users?|people|employees|colleagues|customers|nutzer|benutzer|mitarbeiter|kollegen|kunden"
        r"|personen|utilisateurs|personnes|clients|usuarios|personas|clientes|usuários|pessoas|utenti|persone|clienti|gebruikers"
        r"|personen|klanten))\b",
        re.IGNORECASE,
    ),
}  # fmt: skip
# Words in a field's name that say which form is meant.
_KNOWN = {
    **dict.fromkeys(("order", "bestell", "commande", "pedido"), "order"),
    **dict.fromkeys(("invoice", "rechnung"), "invoice"),
    **dict.fromkeys(("tracking", "shipment"), "tracking"),
    **dict.fromkeys(("amount", "price", "betrag", "sum"), "amount"),
    "version": "version",
    "error": "error",
    **dict.fromkeys(("affected", "people"), "people"),
}


def form_of(name: str) -> str | None:
    """Which known form a field called ``name`` asks for; ``None`` when its values have no form of their own."""
    parts = name.casefold().replace("-", "_").split("_")
    return next((form for word, form in _KNOWN.items() if any(part.startswith(word) for part in parts)), None)


def particulars_of(text: str, wanted: Mapping[str, str]) -> dict[str, str]:
    """The values found in ``text`` for the fields in ``wanted`` (name to form, see :func:`form_of`).

    A field is there only when the text holds exactly one value for it; two order numbers leave open which is meant.
    """
    found: dict[str, str] = {}
    for name, form in wanted.items():
        values = {
            next(group for group in match.groups() if group).rstrip(".,-/")
            for match in _FORMS[form].finditer(text[:MAX_SCANNED])
        }
        if len(values) == 1:
            found[name] = values.pop()[:MAX_VALUE]
    return found

"""Cards (Luhn), IBANs (ISO 13616, mod 97), and bank accounts by the words before them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from stdnum import iban

from .named import Named, named_numbers
from .scan import Scan, Span

# Stripped HTML glues a table's cells together ("Card4111 1111 …"), so a card's groups may follow a letter.
_DIGIT_RUN = re.compile(
    r"\d(?:(?<!\w\d)\d*(?:[ .\-_/·•,|\t\n]{1,3}\d+){0,30}(?![^\W_])"
    r"|(?<=[^\W\d]\d)(?:\d{12,18}|\d{3}(?:[ \-]\d{4}){3}|\d{3}[ \-]\d{6}[ \-]\d{4,5})(?!\w))"
)
_GROUP = re.compile(r"\d+")
_USUAL_GAP = re.compile(r"[ .\-]*")
_CARD_WORD = re.compile(
    r"card|visa|master|amex|maestro|discover|diners|jcb|kart|cart[eã]|tarjeta|carta|カード|卡", re.IGNORECASE
)
# Issuer ranges of ISO/IEC 7812 in use, with the lengths their networks issue.
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}"
    r"|35(?:2[89]|[3-8]\d)\d{12,15}|(?:1800|2131)\d{11}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12,15}"
    r"|62\d{14,17}"
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"
    r"|220[0-4]\d{12,15}|(?:60|81|82|508)\d{13,14}|9792\d{12}"
)
_PRINTED = {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3)}
"""How cards are embossed."""
_CARD_SHAPES = _PRINTED | {(4, 4, 4, 1), (4, 4, 5), (4, 5, 6), (6, 13), (8, 8)}


def cards(scan: Scan) -> Iterator[Span]:
    """Payment cards: any grouping of digits that passes Luhn, and looks like a card or follows a word for one."""
    text = scan.text
    for run in _DIGIT_RUN.finditer(text):
        if run.end() - run.start() < 12:
            continue
        groups = [(m.start(), m.end()) for m in _GROUP.finditer(text, run.start(), run.end())]
        # Where a number begins anew at the latest: behind a gap that cards are not written with.
        odd = [not _USUAL_GAP.fullmatch(text, a[1], b[0]) for a, b in pairwise(groups)]
        near = bool(_CARD_WORD.search(text, max(0, run.start() - 60), run.start()))
        linked = not near and _in_link(text, run.start())
        first = 0
        while first < len(groups):
            last = _card_from(text, groups, odd, first, near)
            if last is None or (linked and first == 0):
                first += 1
                continue
            start, end = groups[first][0], groups[last][1]
            yield Span(start, end, "CARD", "".join(text[a:b] for a, b in groups[first : last + 1]))
            first = last + 1


def _card_from(
    text: str, groups: list[tuple[int, int]], odd: list[bool], first: int, near_card_word: bool
) -> int | None:
    """The last group of the card that begins with group ``first``, if one does: an issuer's length, or the longest."""
    digits = ""
    found: tuple[bool, int] | None = None
    for last in range(first, min(first + 19, len(groups))):
        digits += text[groups[last][0] : groups[last][1]]
        if len(digits) > 19:
            break
        if len(digits) >= 12:
            shape = tuple([b - a for a, b in groups[first : last + 1]])
            issued = _ISSUERS.fullmatch(digits) is not None
            if _is_card(digits, shape, near_card_word, issued=issued, usual=True not in odd[first:last]):
                found = max(found or (False, -1), (issued, last))
    return None if found is None else found[1]


def _in_link(text: str, at: int) -> bool:
    """Whether the place is inside a link, where a number is some page's or task's."""
    if at == 0 or text[at - 1] not in "/=":
        return False
    token = max(text.rfind(" ", max(0, at - 300), at), text.rfind("\n", max(0, at - 300), at)) + 1
    return "://" in text[token:at]


def _is_card(digits: str, shape: tuple[int, ...], near_card_word: bool, *, issued: bool, usual: bool) -> bool:
    if usual:
        plausible = (
            near_card_word
            or (shape in _CARD_SHAPES and len(digits) >= 13)
            or ((len(shape) == 1 or max(shape) == 1) and issued)
        )
    else:
        # Commas, slashes and line ends part other numbers too, so the number has to look like a card in every way.
        plausible = issued and (shape in _PRINTED or (near_card_word and max(shape) < 5))
    return plausible and len(set(digits)) > 1 and _passes_luhn(digits)


def _passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right doubled, the sum of digits divisible by ten."""
    return (sum(map(int, digits[::-2])) + sum(_DOUBLED[digit] for digit in digits[-2::-2])) % 10 == 0


_DOUBLED = {str(digit): sum(divmod(2 * digit, 10)) for digit in range(10)}


_IBAN = re.compile(
    r"\d\d(?:(?<=[A-Za-z]{2}\d\d)(?<![^\W_][A-Za-z]{2}\d\d)"
    r"|(?<=[A-Za-z]{2}[ \-.]\d\d)(?<![^\W_][A-Za-z]{2}[ \-.]\d\d))(?:[ \-._/\t]{0,3}[A-Za-z0-9]){11,34}"
)
_IBAN_GAP = re.compile(r"[ \-._/\t]")
_IBAN_NAMED = re.compile(
    r"\bIBAN\b[^\w\n]{0,4}(?:(?:is|ist|est|es|é|è|number|no|nr)\b[^\w\n]{0,4}){0,2}"
    r"([A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{2,34}){1,9})",
    re.IGNORECASE,
)
# Somebody shortened it; what is left still names country, bank and branch.
_IBAN_CUT = re.compile(
    r"(?:IBAN|account|acct|transfer|konto|compte|cuenta|conto|conta|rekening)\b[^\n\d]{0,40}?"
    r"(?-i:\b([A-Z]{2}\d{2}[ \-]?[A-Z0-9]{2,16}(?:\.{2,3}|…|\*{2,})))",
    re.IGNORECASE,
)


def ibans(scan: Scan) -> Iterator[Span]:
    """International bank account numbers: valid ones anywhere, and whatever follows the word."""
    text = scan.text
    for match in _IBAN.finditer(text):
        begin = match.start() - (2 if text[match.start() - 1].isalpha() else 3)
        found = text[begin : match.end()]
        # The pattern may have run on into the words behind: try what ends at a border, longest first.
        for end in range(len(found), 14, -1):
            at = begin + end
            if found[end - 1].isalnum() and not (at < len(text) and text[at].isalnum()):
                compact = _IBAN_GAP.sub("", found[:end]).upper()
                if iban.is_valid(compact, check_country=False):
                    yield Span(begin, at, "IBAN", compact)
                    break
    if "iban" in scan.lower:
        for match in scan.near(_IBAN_NAMED, ("iban",), before=2, behind=400):
            digits = sum(char.isdigit() for char in match[1])
            if digits >= 8:
                yield Span(match.start(1), match.end(1), "IBAN", re.sub(r"[ \-]", "", match[1]).upper())
    if "..." in text or "…" in text or "**" in text:
        for match in scan.near(_IBAN_CUT, ("...", "…", "**"), before=100, behind=5):
            yield Span(match.start(1), match.end(1), "IBAN", match[1])


_BANK = Named(
    "ACCOUNT",
    stems=(
        *("bank", "checking account", "chequing", "savings", "routing", "sort code", "sort-code", "accnum", "konto"),
        *("de compte", "compte bancaire", "cuenta", "conto", "conta ", "rekening", "numer konta"),
    ),
    marks=("ACC", "ABA", "BSB", "CLABE", "IFSC", "BLZ", "Kto", "KTO", "CCC", "RIB"),
    words=(
        r"(?:bank|checking|chequing|savings)[ -]{1,2}account(?: (?:details|info(?:rmation)?)(?: like)?)?"
        r"|(?:bank[ -]{1,2})?routing(?: transit)?|(?-i:ABA|BSB|CLABE|IFSC|BLZ|Kto|KTO|CCC|RIB)|sort[ -]code"
        r"|bank(?:leitzahl|konto(?:nummer)?|rekening(?:nummer)?)|konto(?:nummer|-?nr)|accnum|(?-i:ACC(?=:))"
        r"|(?:numéro|n°|no) de compte|compte bancaire|(?:número|numero|nº|n\.º) de (?:la )?cuenta|cuenta bancaria"
        r"|(?:numero (?:di|del) )?conto (?:corrente|bancario)|numero (?:di|del) conto|(?:número|nº) da conta"
        r"|conta bancária|rekeningnummer|numer konta|kontonummer"
    ),
    least_digits=6,
    dates=True,
)
_ACCOUNT = Named(
    "ACCOUNT",
    stems=("account", "acct", "a/c", "konto"),
    words=r"(?:account|acct\.?|a/c) ?(?:number|num|no\.?|nr\.?|nº|#)|account details like|konto",
    least_digits=6,
)


def bank_accounts(scan: Scan) -> Iterator[Span]:
    """Numbers of bank accounts and banks, by the words before them."""
    return named_numbers(scan, _BANK)


def account_numbers(scan: Scan) -> Iterator[Span]:
    """What is called an account number, at a bank or elsewhere."""
    return named_numbers(scan, _ACCOUNT)

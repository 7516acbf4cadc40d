"""Cards (Luhn), IBANs (ISO 13616, mod 97), and bank accounts by the words before them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, pairwise
from string import ascii_letters
from string import digits as ascii_digits

from ....core.text import lazy_pattern
from .scan import Scan, Span, Stems

# Whatever parts the groups: spaces and dashes, marks of mark-up, ``=`` and ``:`` of forms and logs, line ends.
_DIGIT_RUN = lazy_pattern(r"\d+(?:[\W_]{1,5}\d+)*")
_GROUP = lazy_pattern(r"\d+")
_WRAP = lazy_pattern(r"=?\n[ \t>]{0,6}")
_USUAL_GAP = lazy_pattern(r"[ .\-]*")
_CARD_WORD = lazy_pattern(
    r"card|visa|master|amex|maestro|discover|diners|jcb|kart|cart[eã]|tarjeta|carta|カード|卡", re.IGNORECASE
)
_OTHER_WORD = lazy_pattern(
    r"(?<![^\W_])(?:order|purchase|invoice|ticket|track|ship|parcel|package|deliver|booking|reserv|confirm|serial|iccid|sim\b"
    r"|imei|transaction|ref(?:erence)?\b|bestell|rechnung|auftrag|sendung|paket|liefer|buchung|vorgang|commande|facture|suivi"
    r"|colis|dossier|pedido|factura|reserva|env[ií]o|ordine|fattura|spediz|prenot|encomenda|fatura|rastre|bestelling|zending"
    r"|pakket|factuur|zamówi|paczk|przesył|numéro de s)",
    re.IGNORECASE,
)
# Issuer ranges of ISO/IEC 7812 in use, with the lengths their networks issue.
_ISSUERS = lazy_pattern(
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
"""Groups of digits as cards are embossed."""
_BORDERS = tuple(frozenset(accumulate(shape)) for shape in (*_PRINTED, (4, 4, 4, 3), (4, 4, 4, 2)))
_CARD_SHAPES = _PRINTED | {(4, 4, 4, 1), (4, 4, 5), (4, 5, 6), (6, 13), (8, 8)}


_Group = tuple[int, int]


def cards(scan: Scan) -> Iterator[Span]:
    """Payment cards: any grouping of digits that passes Luhn, and looks like a card or follows a word for one."""
    text = scan.text
    for run in _DIGIT_RUN.finditer(text):
        if run.end() - run.start() < 12:
            continue
        groups = [(m.start(), m.end()) for m in _GROUP.finditer(text, run.start(), run.end())]
        if groups[-1][1] - groups[0][0] - sum(b[0] - a[1] for a, b in pairwise(groups)) < 12:
            continue
        # A new number begins at the latest after a gap that cards are not written with.
        odd = [not _USUAL_GAP.fullmatch(text, a[1], b[0]) for a, b in pairwise(groups)]
        near = bool(_CARD_WORD.search(text, max(0, run.start() - 60), run.start()))
        other = bool(_OTHER_WORD.search(text, max(0, run.start() - 40), run.start()))
        yield from _glued_cards(text, groups, near=near and not other, other=other)
        first = 0
        while first < len(groups):
            last = _card_from(text, groups, odd, first, near, other)
            if last is None:
                first += 1
                continue
            start, end = groups[first][0], groups[last][1]
            yield Span(start, end, "CARD", "".join(text[a:b] for a, b in groups[first : last + 1]))
            first = last + 1


def _card_from(
    text: str, groups: list[_Group], odd: list[bool], first: int, near_card_word: bool, other: bool
) -> int | None:
    """The last group of the card that begins with group ``first``, if one does: an issuer's length, or the longest."""
    digits = ""
    found: tuple[bool, int] | None = None
    start = groups[first][0]
    opens = _glued(text, start - 1)
    for last in range(first, min(first + 19, len(groups))):
        digits += text[groups[last][0] : groups[last][1]]
        if len(digits) > 19:
            break
        if len(digits) >= 12:
            shape = tuple([b - a for a, b in groups[first : last + 1]])
            issued = _ISSUERS.fullmatch(digits) is not None
            usual = True not in odd[first:last] and not opens and not _glued(text, groups[last][1])
            if not near_card_word and _is_path(text, start, groups[last][1], len(digits)):
                continue
            even = max(shape) == min(shape) and (
                (max(shape) >= 4 and (len(shape) == 1 or max(shape) == 4))
                or (max(shape) <= 2 and _apart(text, groups, first, last))
                or (max(shape) <= 3 and len(shape) >= 8 and len(shape) == len(groups))
                or (max(shape) == 1 and usual)
            )
            if len(shape) == len(groups) == 2 and len(digits) in (15, 16):
                even = even or _WRAP.fullmatch(text, groups[0][1], groups[1][0]) is not None
            if other and not near_card_word and not issued:
                continue
            if _is_card(digits, shape, near_card_word, issued=issued, usual=usual, even=even):
                found = max(found or (False, -1), (issued, last))
    return None if found is None else found[1]


_GLUED_SIZES = (16, 15, 14)
_GLUED_GAP = lazy_pattern(r"[ .\-/]{0,3}")
_CODE, _LETTERS_AND_DIGITS = 9, ascii_letters + ascii_digits
_MOST_GLUED = 120
_INNER_BORDERS = ({4, 8, 12}, {4, 10})
_GOOD_UNTIL = lazy_pattern(r"(?:(?:0[1-9]|1[0-2])(?:20)?[2-4]\d(?:\d{3,4})?)?")
_CODE_ALONE = lazy_pattern(r"\d{3}")
_FRONT = lazy_pattern(r"(?:\d{4}|\d\d?|(?:20)?\d\d(?:0[1-9]|1[0-2])[0-3]\d)?")
"""What stands before the first card: a few digits, or a date."""


def _glued_cards(text: str, groups: list[_Group], *, near: bool, other: bool) -> Iterator[Span]:
    """Whole groups of digits in which cards are glued to each other, a date, a code or a number in front.

    Every tenth number passes Luhn, so that each digit has to be accounted for, unless a word for a card is near;
    where the words before name an order or a parcel, only several cards in a row are taken.
    """
    first = 0
    for at in range(1, len(groups) + 1):
        if at < len(groups) and _GLUED_GAP.fullmatch(text, groups[at - 1][1], groups[at][0]):
            continue
        stretch, first = groups[first:at], at
        digits = "".join(text[a:b] for a, b in stretch)
        if not 16 <= len(digits) <= _MOST_GLUED or max(b - a for a, b in stretch) < 5:
            continue
        borders = list(accumulate((b - a for a, b in stretch), initial=0))
        start, end = stretch[0][0], stretch[-1][1]
        if not near and (_in_a_code(text, start, end) or _is_path(text, start, end, len(digits))):
            continue
        found = _card_windows(digits, borders, near=near)
        in_letters = len(stretch) == 1 and _glued(text, start - 1) and found and found[0][0] > 1
        if found and (len(found) > 1 or not (other or in_letters)):
            start = next(a for (a, _), border in zip(stretch, borders[1:], strict=True) if border > found[0][0])
            end = next(b for (_, b), border in zip(stretch, borders[1:], strict=True) if border >= found[-1][1])
            yield Span(start, end, "CARD", digits)


def _in_a_code(text: str, start: int, end: int) -> bool:
    """Whether these digits are a part of a longer word of letters and digits, as of a checksum in hexadecimal."""
    before, behind = text[max(0, start - _CODE) : start], text[end : end + _CODE]
    return (
        len(before) - len(before.rstrip(_LETTERS_AND_DIGITS)) + len(behind) - len(behind.lstrip(_LETTERS_AND_DIGITS))
        >= _CODE
    )


def _card_windows(digits: str, borders: list[int], *, near: bool) -> list[_Group]:
    """Where cards begin and end in the digits, if they and what goes with a card are all that there is."""
    windows = {
        (at, at + size)
        for at in range(len(digits) - _GLUED_SIZES[-1] + 1)
        for size in _GLUED_SIZES[: 2 + near]
        if _ISSUERS.fullmatch(digits, at, at + size)
        and any({border - at for border in borders if at < border < at + size} <= inner for inner in _INNER_BORDERS)
        and _passes_luhn(digits[at : at + size])
    }
    reached: dict[int, list[_Group]] = {front: [] for front in range(9) if _FRONT.fullmatch(digits, 0, front)}
    for at, end in sorted(windows):
        for back in range(at, max(-1, at - 10), -1):
            before = reached.get(back)
            if before is not None and (back == at or (before and _GOOD_UNTIL.fullmatch(digits, back, at))):
                if len(before) >= len(reached.get(end, ())):
                    reached[end] = [*before, (at, end)]
                break
    ends = [
        found
        for end, found in reached.items()
        if found and (_GOOD_UNTIL.fullmatch(digits, end) or (found[0][0] == 0 and _CODE_ALONE.fullmatch(digits, end)))
    ]
    return max(ends, key=len, default=[]) or (sorted(windows) if near else [])


def _apart(text: str, groups: list[_Group], first: int, last: int) -> bool:
    """Whether these groups are parted alike, and otherwise from what is beside them: small numbers stand in lists."""
    gaps = [text[a[1] : b[0]] for a, b in pairwise(groups[max(0, first - 1) : last + 2])]
    inside = gaps[first > 0 : len(gaps) - (last + 1 < len(groups))]
    return len(set(inside)) == 1 and gaps.count(inside[0]) == len(inside)


def _glued(text: str, at: int) -> bool:
    """Whether a letter stands there: stripped HTML glues a table's cells together ("Card4111 1111 …")."""
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")


def _is_path(text: str, at: int, end: int, length: int) -> bool:
    """Whether this is a part of a link's path, where short numbers, and several in a row, are some page's or task's."""
    if at == 0 or text[at - 1] != "/" or (length > 14 and "/" not in text[at:end]):
        return False
    token = max(text.rfind(" ", max(0, at - 300), at), text.rfind("\n", max(0, at - 300), at)) + 1
    return "://" in text[token:at]


def _is_card(
    digits: str, shape: tuple[int, ...], near_card_word: bool, *, issued: bool, usual: bool, even: bool
) -> bool:
    if usual:
        plausible = (
            near_card_word or (shape in _CARD_SHAPES and len(digits) >= 13) or (issued and (even or _as_printed(shape)))
        )
    else:
        # Odd marks and letters stand beside other numbers too, so the number has to look like a card in every way.
        plausible = issued and (_as_printed(shape) or even or (near_card_word and max(shape) < 7))
    return plausible and len(set(digits)) > 1 and _passes_luhn(digits)


def _as_printed(shape: tuple[int, ...]) -> bool:
    """Whether the groups are a card's, some of them without a gap between."""
    return len(shape) > 1 and any(borders.issuperset(accumulate(shape)) for borders in _BORDERS)


def _passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right doubled, the sum of digits divisible by ten."""
    return (sum(map(int, digits[::-2])) + sum(_DOUBLED[digit] for digit in digits[-2::-2])) % 10 == 0


_DOUBLED = {str(digit): sum(divmod(2 * digit, 10)) for digit in range(10)}


_LENGTHS = {
    code[:2]: int(code[2:])
    for code in (
        "NO15 BE16 DK18 FI18 FK18 FO18 GL18 NL18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 MN20 XK20 CH21 HR21 "
        "LI21 LV21 BG22 BH22 CR22 DE22 GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 SO23 TL23 AD24 CZ24 "
        "ES24 MD24 PK24 RO24 SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 IS26 TR26 BI27 DJ27 FR27 GR27 IT27 MC27 MR27 "
        "SM27 AL28 AZ28 BY28 CY28 DO28 GT28 HN28 HU28 LB28 NI28 PL28 SV28 BR29 EG29 PS29 QA29 UA29 JO30 KW30 MU30 "
        "YE30 MT31 SC31 LC32 RU33"
    ).split()
}
"""The characters of an IBAN by its country (ISO 13616's registry), which tells where one ends that words run into."""
_LEAST_IBAN_DIGITS = 8
_IBAN_START = lazy_pattern(
    r"\d(?:(?<=[A-Za-z]{2}\d)|(?<=[A-Za-z]{2}[\W_]\d)|(?<=[A-Za-z]{2}[\W_]{2}\d)|(?<=[A-Za-z]{2}[\W_]{3}\d)"
    r")(?=[\W_]{0,4}\d)"
)
_IBAN_LETTERS = lazy_pattern(r"([A-Za-z])(?<![A-Za-z0-9].)[\W_]{1,5}([A-Za-z])[\W_]{0,5}(?=\d[\W_]{0,5}\d)")
_IBAN_REST = lazy_pattern(r"(?:[\W_]{0,4}[A-Za-z0-9]){13,31}")
_ALNUM = lazy_pattern(r"[A-Za-z0-9]")
_IBAN_NAMED = lazy_pattern(
    r"\bIBAN\b[^\w\n]{0,4}(?:(?:is|ist|est|es|é|è|number|no|nr)\b[^\w\n]{0,4}){0,2}"
    r"([A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{2,34}){1,9})",
    re.IGNORECASE,
)
_IBAN_STEMS, _IBAN_CUTS = Stems(("iban",)), Stems(("...", "…", "**"))
# A shortened one still names country, bank and branch.
_IBAN_CUT = lazy_pattern(
    r"(?:IBAN|account|acct|transfer|konto|compte|cuenta|conto|conta|rekening)\b[^\n\d]{0,40}?"
    r"(?-i:\b([A-Z]{2}\d{2}[ \-]?[A-Z0-9]{2,16}(?:\.{2,3}|…|\*{2,})))",
    re.IGNORECASE,
)


def _iban_starts(text: str) -> Iterator[tuple[int, int, int]]:
    """Places of two letters and of the two digits behind them: together, or with marks between all of them."""
    for match in _IBAN_START.finditer(text):
        at = match.start() - 1
        while not text[at].isalpha():
            at -= 1
        # Letters that end a word begin nothing, unless the digits are glued to them.
        if at + 1 == match.start() or not text[at - 2 : at - 1].isalnum() or at < 2:
            yield at - 1, at, match.start()
    for match in _IBAN_LETTERS.finditer(text):
        yield match.start(1), match.start(2), match.end()


def ibans(scan: Scan) -> Iterator[Span]:
    """International bank account numbers: valid ones anywhere, and whatever follows the word."""
    text = scan.text
    valid: set[int] = set()
    for first, second, number in _iban_starts(text) if scan.digits >= _LEAST_IBAN_DIGITS else ():
        country = (text[first] + text[second]).upper()
        length = _LENGTHS.get(country)
        rest = _IBAN_REST.match(text, number) if length else None
        if length is None or rest is None:
            continue
        places = [found.start() for found in _ALNUM.finditer(text, number, rest.end())][: length - 2]
        compact = country + "".join(text[at] for at in places).upper()
        if len(compact) == length and _is_iban(compact):
            valid.add(first)
            yield Span(first, places[-1] + 1, "IBAN", compact)
    for match in scan.near(_IBAN_NAMED, _IBAN_STEMS, before=2, behind=400, digits=True):
        digits = sum(char.isdigit() for char in match[1])
        if digits >= 8 and match.start(1) not in valid:
            yield Span(match.start(1), match.end(1), "IBAN", re.sub(r"[ \-]", "", match[1]).upper())
    for match in scan.near(_IBAN_CUT, _IBAN_CUTS, before=100, behind=5, digits=True):
        yield Span(match.start(1), match.end(1), "IBAN", match[1])


def _is_iban(compact: str) -> bool:
    """ISO 7064, mod 97-10, and what the country's own numbers are made of."""
    if sum(map(str.isdigit, compact)) < _LEAST_IBAN_DIGITS:
        return False
    from stdnum import iban  # needed for few texts, and slow to load

    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1 and bool(
        iban.is_valid(compact, check_country=False)
    )

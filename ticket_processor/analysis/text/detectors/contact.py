"""Telephone numbers of any country: by the plus sign, by a country's plan and way of writing, or by a word nearby.

Postal addresses, as far as their way of writing tells: street with number in seven languages, post boxes, US lines.

A town or a country alone says little about anybody and stays; so does a street without a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....core.text import lazy_pattern
from .. import word_lists
from .scan import DATE, Scan, Span, Stems

_WORDS = word_lists("phones")
_PHONE_WORD = lazy_pattern("|".join(_WORDS["phone"]), re.IGNORECASE)
_NUMBER_OF = r"(?:[ \-]?(?:number|num|no|nr|nummer|id|code|n°|nº|numéro|número|numero)\b\.?)?"
_NOT_PHONE_WORD = lazy_pattern(
    rf"(?:{'|'.join(_WORDS['other_number'])}){_NUMBER_OF}(?: (?:is|was|ist|war|est|es|é|è))?[\s:#.]{{0,3}}$",
    re.IGNORECASE,
)
# "no" by itself is Portuguese for "on the".
_SOME_NUMBER = lazy_pattern(r"(?:code|id|number|\bno(?=[:#.])|nr|n°|nº|#)[\s:#.]{0,3}$", re.IGNORECASE)
_EXTENSION_WORD = r"x|ext\.?|extension|durchwahl|dw|poste|anexo|ramal|toestel|interno|#"
_PHONE_RUN = lazy_pattern(
    r"[+(\d](?:(?<![\w./@#=\-].)(?<!\d[,:].)|(?<=[\u3040-\u9fff].)|(?<=[a-zé]:.)|(?<=phone.)|(?<=tel.)|(?<=fax.)|(?<=cell.)|(?<=mobil.)"
    r"|(?<=mobile.)|(?<=handy.)|(?<=telefon.)|(?<=[A-Za-z=]\+))"
    r"(?:(?<=\+) ?\d|(?<=\()\+?\d|(?<=\d))(?:\d|\(\d{1,5}\)|\)|[ .\-/]{1,3}(?=[\d(]))"
    rf"{{5,24}}(?:,?\s?(?:{_EXTENSION_WORD})\s?\d{{1,6}})?(?![\d@_]|[,.:/]\d|-\d)",
    re.IGNORECASE,
)
_EXTENSION = lazy_pattern(rf",?\s?(?:{_EXTENSION_WORD})", re.IGNORECASE)
_PHONE_SHAPES = lazy_pattern(
    r"\(\d{2,5}\) ?\d{3,4}[ .\-]\d{3,4}"  # (415) 555-0132
    r"|1?[ .\-]?\(?\d{3}\)?([ .\-])\d{3}\1\d{4}"  # 415-555-0132, 1-415-555-0132
    r"|0\d(?:[ .\-]\d\d){4}"  # 01 23 45 67 89
    r"|0\d{3,4}[ \-]\d{3}[ \-]?\d{3,4}"  # 07700 900 123
    r"|0\d{2,4}[/\-] ?\d{3,8}"  # 030/1234567
    r"|0\d{1,3}[ \-]\d{3,4}[ \-]\d{4}"
    r"|0\d{2,4} \d{4,5} \d{2,4}"  # 030 23125 014
    r"|\(0\d{1,4}\) ?\d[\d \-]{5,9}"
)


_GAP = lazy_pattern(r"\D+")
_LEAST_NATIONAL = 8
_ZERO_FIRST: list[str] = _WORDS["zero_first"].split()
_GROUPED: dict[str, list[str]] = {groups: regions.split() for groups, regions in _WORDS["grouped"].items()}


def phones(scan: Scan) -> Iterator[Span]:
    """Telephone numbers with their extension."""
    text = scan.text
    for match in _PHONE_RUN.finditer(text):
        start, end = match.span()
        # Brackets around the number.
        end -= match.group().count(")") > match.group().count("(")
        inner = text[start + 1 : end - 1]
        if text[start] == "(" and text[end - 1] == ")" and inner.find("(") <= inner.find(")"):
            start, end = start + 1, end - 1
        found = text[start:end]
        behind = text[match.end() : match.end() + 1]
        if behind.isalpha() and behind < "\u3040" and not found.startswith("+"):
            continue  # glued to a word; only the plus sign tells that the digits are a whole number
        number = _EXTENSION.split(found)[0]
        digits = re.sub(r"\(0\)|\D", "", number)
        if 6 <= len(digits) <= 16 and not DATE.fullmatch(found) and _is_phone(text, start, end, number, digits):
            yield Span(start, end, "PHONE", digits)


def _is_phone(text: str, start: int, end: int, number: str, digits: str) -> bool:
    before = text[max(0, start - 40) : start]
    if number.startswith(("+", "(+", "00")) and len(digits) >= 9:
        if not number.startswith("00"):
            return len(digits) >= 10 or _is_valid(f"+{digits}") or bool(_PHONE_WORD.search(before))
        return _is_valid(f"+{digits[2:]}") or bool(_PHONE_WORD.search(before))
    near = _PHONE_WORD.search(before[-25:])
    if _NOT_PHONE_WORD.search(before) or (_SOME_NUMBER.search(before) and not near):
        return False
    if near or _PHONE_WORD.search(before) or _PHONE_SHAPES.fullmatch(number):
        return True
    if re.match(r"\s?-? ?\(?(?:office|fax|mobile|cell|home|work|tel)", text[end : end + 12], re.I):
        return True
    return text[start - 1 : start] not in ("[", "{") and len(digits) >= _LEAST_NATIONAL and _is_national(number)


def _is_national(number: str) -> bool:
    """Whether this is a valid number of a country whose people write it in such groups."""
    plain = number.replace("(", "").replace(")", " ").strip()
    groups = re.findall(r"\d+", plain)
    gaps = [gap.strip() or " " for gap in _GAP.findall(plain)]
    shape = " ".join(str(len(group)) for group in groups)
    # Behind the area code all gaps are alike; a single dot is a decimal's, and one with a space ends a sentence.
    alike = len(set(gaps[1:])) < 2 or shape == "2 1 4 4"
    if not alike or ". " in plain or ("." in gaps[:1] and (len(gaps) == 1 or gaps[1] != ".")):
        return False
    if not number.lstrip("(").startswith("0"):
        return any(_is_valid(plain, region) for region in _GROUPED.get(shape, ()))
    if min(map(len, groups)) < 2 and shape not in _GROUPED:
        return False
    return any(_is_valid(plain, region, mobile=not gaps) for region in _ZERO_FIRST)


def _is_valid(number: str, region: str | None = None, *, mobile: bool = False) -> bool:
    """Whether the plan of ``region`` has this number, or the world's a number of this length."""
    import phonenumbers  # needed for few numbers, and slow to load

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    if region is None:
        return bool(phonenumbers.is_possible_number(parsed))
    if mobile and phonenumbers.number_type(parsed) != phonenumbers.PhoneNumberType.MOBILE:
        return False
    return bool(phonenumbers.is_valid_number_for_region(parsed, region))


_ADDRESSES = word_lists("addresses")


def _form(pattern: str) -> re.Pattern[str]:
    """The pattern with the parts that it names in braces."""
    for name, part in reversed(_ADDRESSES["parts"].items()):
        pattern = pattern.replace(f"{{{name}}}", part)
    return lazy_pattern(pattern.replace("\n", ""))


_FORMS = tuple((Stems(form["stems"]), _form(form["pattern"])) for form in _ADDRESSES["forms"])
_US_LINE, _UK_LINE = _form(r", (?:{states}),? \d{5}(?:-\d{4})?(?!\d)"), _form(r", {uk_code}(?![\w\-])")
_NL_CODE = _form(r"[1-9](?<![\w.\-][1-9])\d{3} ?(?!SA|SD|SS)[A-Z]{2},? {w}(?![\w])")
_TOWN = _form(r"(?<![\w.])(?:{w} ){0,2}{w}$")


def postal_addresses(scan: Scan) -> Iterator[Span]:
    """Streets with their number and what follows of the address, post boxes, named post codes, ``Town, ST 12345``."""
    for stems, pattern in _FORMS:
        for match in scan.near(pattern, stems, before=90, behind=200, digits=True):
            group = match.lastindex or 0
            yield _address(scan.text, match.start(group), match.end(group))
    for pattern in (_US_LINE, _UK_LINE) if ", " in scan.text else ():
        for match in pattern.finditer(scan.text):
            town = _TOWN.search(scan.text, max(0, match.start() - 60), match.start())
            if town is not None:
                yield _address(scan.text, town.start(), match.end())
    for match in _NL_CODE.finditer(scan.text) if scan.digits >= 4 else ():
        yield _address(scan.text, match.start(), match.end())


def _address(text: str, start: int, end: int) -> Span:
    return Span(start, end, "ADDRESS", " ".join(text[start:end].casefold().split()))

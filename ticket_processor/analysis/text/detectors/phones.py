"""Telephone numbers of any country: by the plus sign, by a national way of writing, or by a word for a phone nearby."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....core.lazy_pattern import lazy_pattern
from ..word_lists import word_lists
from .scan import DATE, Scan, Span

_WORDS = word_lists("phones")
_PHONE_WORD = lazy_pattern("|".join(_WORDS["phone"]), re.IGNORECASE)
_NUMBER_OF = r"(?:[ \-]?(?:number|num|no|nr|nummer|id|code|n°|nº|numéro|número|numero)\b\.?)?"
_NOT_PHONE_WORD = lazy_pattern(
    rf"(?:{'|'.join(_WORDS['other_number'])}){_NUMBER_OF}(?: (?:is|was|ist|war|est|es|é|è))?[\s:#.]{{0,3}}$",
    re.IGNORECASE,
)
_SOME_NUMBER = lazy_pattern(r"(?:code|id|number|no|nr|n°|nº|#)[\s:#.]{0,3}$", re.IGNORECASE)
_EXTENSION_WORD = r"x|ext\.?|extension|durchwahl|dw|poste|anexo|ramal|toestel|interno|#"
_PHONE_RUN = lazy_pattern(
    r"[+(\d](?:(?<![\w./@#=\-].)(?<!\d,.)|(?<=[a-zé]:.)|(?<=phone.)|(?<=tel.)|(?<=fax.)|(?<=cell.)|(?<=mobil.)"
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


def phones(scan: Scan) -> Iterator[Span]:
    """Telephone numbers with their extension."""
    text = scan.text
    for match in _PHONE_RUN.finditer(text):
        found = match.group()
        if text[match.end() : match.end() + 1].isalpha() and not found.startswith("+"):
            continue  # glued to a word; only the plus sign tells that the digits are a whole number
        if found.endswith(")") and "(" not in found:
            found = found[:-1]  # the bracket around the number
        digits = re.sub(r"\D", "", _EXTENSION.split(found)[0])
        if not 6 <= len(digits) <= 16 or DATE.fullmatch(found):
            continue
        end = match.start() + len(found)
        if _is_phone(text, match.start(), end, found, digits):
            yield Span(match.start(), end, "PHONE", digits)


def _is_phone(text: str, start: int, end: int, found: str, digits: str) -> bool:
    before = text[max(0, start - 40) : start]
    international = found.startswith(("+", "(+", "00")) and len(digits) >= 9
    if international:
        prefix = "+" + digits[2:] if found.startswith("00") else "+" + digits
        if found.startswith(("+", "(+")) and len(digits) >= 10:
            return True
        import phonenumbers  # needed for few numbers, and slow to load

        try:
            parsed = phonenumbers.parse(prefix, None)
        except phonenumbers.NumberParseException:
            return False
        return bool(phonenumbers.is_possible_number(parsed)) or bool(_PHONE_WORD.search(before))
    if _NOT_PHONE_WORD.search(before) or (_SOME_NUMBER.search(before) and not _PHONE_WORD.search(before[-25:])):
        return False
    if _PHONE_SHAPES.fullmatch(_EXTENSION.split(found)[0]):
        return True
    near = _PHONE_WORD.search(before) or re.match(
        r"\s?-? ?\(?(?:office|fax|mobile|cell|home|work|tel)", text[end : end + 12], re.I
    )
    return bool(near) and 6 <= len(digits) <= 15

"""Numbers that states give people: social security, identity cards, tax, passports, driving licences, dates of birth.

Where a checksum and a rare shape speak for themselves, no word is needed; elsewhere the words around decide, since a
checksum alone lets through every tenth order number. Checksums: python-stdnum.

Numbers that only the words before them tell: "passport number KR8129301", "Kontonummer: 12 34 56 78".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module

from ....core.text import lazy_pattern
from .. import word_lists
from .scan import DATE, IS, Scan, Span, Stems

_SSN = lazy_pattern(
    r"[0-8](?<![\w.\-/][0-8])\d\d(?<!000)(?<!666)([\- ])(?!00)\d\d\1(?!0000)\d{4}(?![\w\-/]|\.\d| \d\d)"
)
_SSN_WORD = lazy_pattern(r"\bSSN|social|\btax|\bTIN\b|security n", re.IGNORECASE)
_SSN_STEMS = Stems(("ssn", "social", "itin"))
_SSN_NAMED = lazy_pattern(
    r"(?:\bSSN|social[ -]security|\bITIN)\b[^\d\n]{0,30}(\d{3}[\-. ]{0,3}\d{2}[\-. ]{0,3}\d{4})(?!\d)", re.IGNORECASE
)


def ssns(scan: Scan) -> Iterator[Span]:
    """Social security numbers of the United States."""
    text = scan.text
    for match in _SSN.finditer(text):
        # With spaces it may be any grouped number.
        if match[1] == " " and not _SSN_WORD.search(text, max(0, match.start() - 60), match.start()):
            continue
        yield Span(match.start(), match.end(), "SSN", re.sub(r"\D", "", match.group()))
    for match in scan.near(_SSN_NAMED, _SSN_STEMS, before=2, behind=65, digits=True):
        yield Span(match.start(1), match.end(1), "SSN", re.sub(r"\D", "", match[1]))


# Shape and checksum together are rare enough to stand without a word. Letters in front are looked back at.
_EDGE = r"(?<![\w.\-/]\d)"
_CODE = r"(?<=[A-Za-z]{6}\d\d)(?<![\w.\-/][A-Za-z]{6}\d\d)"
_CURP = r"(?<=[A-Z]{4}\d\d)(?<![\w.\-/][A-Z]{4}\d\d)"
_NINO = r"(?<=[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] \d\d)(?<!(?:BG|GB|NK|KN|TN|NT|ZZ) \d\d)(?<![\w.\-/][A-Z]{2} \d\d)"
_TELLING = lazy_pattern(
    r"\d(?:"
    rf"{_EDGE}(?:(?P<cpf>\d\d\.\d{{3}}\.\d{{3}}-\d\d)|(?P<cnpj>\d\.\d{{3}}\.\d{{3}}/\d{{4}}-\d\d)"
    rf"|(?P<ahv>56\.\d{{4}}\.\d{{4}}\.\d\d)"
    r"|(?P<rut>\d?\.\d{3}\.\d{3}-[\dkK])|(?P<nn>\d\.\d\d\.\d\d-\d{3}\.\d\d)"
    r"|(?P<nir> \d\d (?:0[1-9]|1[0-2]) \d[\dAB] \d{3} \d{3}(?: \d\d)?)|(?P<hetu>\d[01]\d\d\d[\-+A]\d{3}[0-9A-Y])"
    r"|(?P<ric>\d{16}[\dXx]))"
    rf"|\d(?:{_CODE}(?P<code>[A-Za-z]\d\d[A-Za-z]\d{{3}}[A-Za-z])|{_CURP}(?P<curp>\d{{4}}[HMX][A-Z]{{5}}[A-Z0-9]\d)"
    rf"|{_NINO}(?P<nino> \d\d \d\d [A-D]))"
    r")(?![\w/]|[.\-]\w)"
)
_VALID: dict[str, tuple[int, str]] = {
    "cpf": (0, "br.cpf"),
    "cnpj": (0, "br.cnpj"),
    "ahv": (0, "ch.ssn"),
    "rut": (0, "cl.rut"),
    "nn": (0, "be.nn"),
    "nir": (0, "fr.nir"),
    "hetu": (0, "fi.hetu"),
    "ric": (0, "cn.ric"),
    "code": (6, "it.codicefiscale"),
    "curp": (4, "mx.curp"),
    # No checksum, but the letters that may begin and end it, in the printed groups.
    "nino": (3, ""),
}
"""Characters before the match, and the module of stdnum that checks the whole."""


def national_ids(scan: Scan) -> Iterator[Span]:
    """Identity and social insurance numbers of many countries, by shape and checksum or by the words before."""
    text = scan.text
    for match in _TELLING.finditer(text):
        before, module = _VALID[match.lastgroup or ""]
        found = text[match.start() - before : match.end()]
        # Loaded for the few texts that hold such a number.
        if not module or _is_valid(module, found):
            yield Span(match.start() - before, match.end(), "NATIONAL_ID", re.sub(r"\W", "", found).upper())
    yield from named_numbers(scan, "national_id")


def _is_valid(module: str, number: str) -> bool:
    try:
        return bool(import_module(f"stdnum.{module}").is_valid(number))
    except LookupError:  # a place that a table of stdnum knows in part only
        return False


_VAT = {"CH": "ch.uid", "GB": "gb.vat", "NO": "no.mva"}


def tax_ids(scan: Scan) -> Iterator[Span]:
    """Tax numbers, by the words before them, and numbers for value added tax with their country and checksum."""
    yield from named_numbers(scan, "tax_id")
    for span in named_numbers(scan, "vat_id"):
        module = _VAT.get(span.value[:2], "eu.vat")
        if span.value[:2].isalpha() and _is_valid(module, span.value):
            yield span


_MONTH = (
    r"(?:jan|feb|fév|fev|mar|mär|maa|mrt|apr|avr|abr|ma[iyjg]|mei|jun|jui|jul|giu|lug|aug|aoû|ago|sep|set|okt|oct|ott"
    r"|out|nov|dec|déc|dez|dic|ene|gen|sty|lut|kwi|cze|lip|sie|wrz|paź|lis|gru)[^\W\d]{0,9}\.?"
)
_BIRTH_DATE = (
    r"((?:19|20)\d\d ?[.\-/年] ?\d{1,2} ?[.\-/月] ?\d{1,2}日?"
    r"|\d{1,2} ?[.\-/] ?\d{1,2} ?[.\-/] ?(?:(?:19|20)\d\d|\d\d)"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.|º)?[ \-](?:of |de |di )?{_MONTH}(?:[ ,\-]{{1,2}}| de | del )(?:(?:19|20)\d\d"
    rf"|\d\d)|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19"
    rf"|20)\d\d)(?!\d|[.\-/]\d)"
)
_BIRTH_STEMS = Stems(
    "birth|dob|d.o.b|born|gebor|geboor|geburt|geb.|naissance|né le|née le|nacimiento|nací|nacid|nascita|nato|"
    "nata|nascimento|nascid|nasci|urodz|född|født|fødsels|födelse|syntymä|doğum|生年月日|出生".split("|")
)
_BIRTH = lazy_pattern(
    r"(?:(?<![^\W_])(?:date of birth|birth[ -]?(?:date|day)|d\.?o\.?b\.?|geburts(?:datum|tag)|date de naissance"
    r"|fecha de nacimiento|data di nascita|data de nascimento|geboortedatum|data urodzenia|födelsedatum|fødselsdato"
    r"|syntymäaika|doğum tarihi)(?![^\W\d_])(?! gift| cake| card| present| order)[^\d\n]{0,25}?\n?[^\d\n]{0,3}?"
    r"|(?<![^\W_])(?:born|geb(?:oren|\.)|née? le|nací|nacid[oa]|nat[oa]|nasci(?:d[oa])?|urodzon[ya]|född|født)"
    r"(?: (?:on|in|am|op|the|el|il|em|a|le|den|dnia|l[’']))?(?: (?:the|day|día|dia))?[ :]{1,3}"
    r"|(?:生年月日|出生日期|出生)[^\d\n]{0,6})" + _BIRTH_DATE,
    re.IGNORECASE,
)


def birth_dates(scan: Scan) -> Iterator[Span]:
    """Dates behind words for a birth; other dates stay."""
    for match in scan.near(_BIRTH, _BIRTH_STEMS, before=20, behind=90, digits=True):
        yield Span(match.start(1), match.end(1), "BIRTH_DATE", match[1].casefold())


# Between the word and its number: "card", "no.", "(for my wife)", "is:", a quotation mark.
_BETWEEN = (
    r"(?:[’']?s\b)?"
    r"(?:[ \t\-]{0,2}(?:(?:card|id|identification|number|numbers|num|no|nr|nos|nummer|numéro|número|numero|numer"
    r"|code)\b\.?|nº|n°|n\.º|#|\([^()\n\d]{1,24}\)|(?:de|del|di|do)\b)){0,3}"
    rf"[ \t]{{0,2}}(?:{IS}{{1,2}})?\s{{0,2}}[:=#,]?\s{{0,2}}['\"“”„‘’`(\[]?"
)
_VALUE = (
    r"((?:[A-Z]{1,5}[ :.\-])?[A-Z0-9]{0,20}\d[A-Z0-9]{0,20}"
    r"(?:(?:[.\-/]|[ ](?=[A-Z]{0,3}\d|(?-i:[A-Z]) \d))[A-Z0-9]{1,16}){0,6}(?:[ .\-](?-i:[A-Z])(?![\w'’.]))?)(?![\w@])"
)


@dataclass(frozen=True)
class Named:
    """One kind of number that words announce; ``words/named_numbers.toml`` says what its lists hold.

    ``dates`` says that numbers of this kind can look like one ("20-00-00").
    """

    kind: str
    stems: Sequence[str]
    words: Sequence[str]
    marks: Sequence[str] = ()
    least_digits: int = 5
    dates: bool = False
    pattern: re.Pattern[str] = field(init=False)
    announced: Stems = field(init=False)

    def __post_init__(self) -> None:
        words = "|".join(self.words)
        pattern = lazy_pattern(rf"(?<![^\W_])(?:{words})(?![^\W\d_]){_BETWEEN}{_VALUE}", re.IGNORECASE)
        object.__setattr__(self, "pattern", pattern)
        object.__setattr__(self, "announced", Stems(self.stems, self.marks))


NAMED = {name: Named(**lists) for name, lists in word_lists("named_numbers").items()}


LOGIN = word_lists("passwords")
LABEL = lazy_pattern(
    lambda: (
        r"(?:[^\W\d]{1,20}[ _-])?(?:"
        + "|".join((*LOGIN["words"], *(word for each in NAMED.values() for word in each.words)))
        + r"|pin(?:[ -]?code)?|cvv2?|cvc2?|ssn|iban|(?:api|access|auth|client)[ _-]?(?:key|token|secret)|token|secret)"
        r"(?: (?:number|nummer|no\.?|nr\.?))?"
    ),
    re.IGNORECASE,
)
"""The whole of what names a secret or a number of a person's, as a form's field or a table's column is called."""
LOGIN_STEMS = Stems([*LOGIN["stems"], *LOGIN["stems_not_ascii"]])
_NUMBER_STEMS = Stems(
    (
        *(stem for each in NAMED.values() for stem in each.stems),
        *(" pin", "pincode", "cvv", "cvc", "ssn", "iban", "token", "secret", "api"),
    ),
    ("PIN", *(mark for each in NAMED.values() for mark in each.marks)),
)


def label_stems(scan: Scan) -> list[str]:
    """Pieces of which one is in every :data:`LABEL` of the text; of numbers' only where there is a digit."""
    return LOGIN_STEMS.within(scan) + (_NUMBER_STEMS.within(scan) if scan.digits else [])


def named_numbers(scan: Scan, name: str) -> Iterator[Span]:
    """Each number that stands behind one of the words of ``NAMED[name]``."""
    named = NAMED[name]
    for match in scan.near(named.pattern, named.announced, before=45, behind=130, digits=True):
        found = match[1]
        compact = re.sub(r"[^A-Z0-9]", "", found.upper())
        if (
            sum(map(str.isdigit, compact)) < named.least_digits
            or len(compact) > 34
            or (not named.dates and DATE.fullmatch(found))
        ):
            continue
        yield Span(match.start(1), match.end(1), named.kind, compact)

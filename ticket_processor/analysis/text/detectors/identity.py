"""Who somebody is: names, and the numbers that states give people.

The names are those that the helpdesk knows of a ticket's requester, and those that a text introduces or signs with. The
numbers: social security, identity cards, tax, passports, driving licences, dates of birth.

Where a checksum and a rare shape speak for themselves, no word is needed; elsewhere the words around decide, since a
checksum alone lets through every tenth order number. Checksums: python-stdnum.

Numbers that only the words before them tell: "passport number KR8129301", "Kontonummer: 12 34 56 78".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import NamedTuple

from ....core.text import PLACEHOLDER, lazy_pattern, strip_hidden
from .. import word_lists
from .scan import DATE, IS, Scan, Span, Stems, lowered, matching_form

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


_LONGEST_NAME = 100
_MOST_NAMES = 10
_MOST_WORDS = 6
_SPACELESS = lazy_pattern(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")

_WORDS = word_lists("people")
_SMALL_WORDS, _NO_PERSON = frozenset(_WORDS["small_words"].split()), frozenset(_WORDS["no_person"].split())


class KnownName(NamedTuple):
    """A name prepared for the search: ``words`` as written, ``parts`` that may stand alone, ``bound`` that may not."""

    value: str
    words: tuple[str, ...]
    parts: tuple[str, ...]
    bound: tuple[str, ...]


@lru_cache(maxsize=64)
def known_names(names: tuple[str, ...]) -> tuple[KnownName, ...]:
    """The names that are anybody's, each once. Roles ("Support Team") and addresses are none."""
    known: list[KnownName] = []
    cleaned = (" ".join(matching_form(strip_hidden(name[:_LONGEST_NAME])).split()) for name in names[:_MOST_NAMES])
    for name in dict.fromkeys(cleaned):
        if len(name) < 2 or PLACEHOLDER.search(name) or "@" in name or not any(map(str.isalpha, name)):
            continue
        value = name.casefold()
        if _SPACELESS.search(name):
            known.append(KnownName(value, (name,), (name,), ()))
            continue
        words = tuple(word for word in re.split(r"[ ,]+", name) if word.strip(".-'’"))[:_MOST_WORDS]
        telling = [word for word in words if word.casefold().strip(".") not in _NO_PERSON]
        if not telling:
            continue
        free: list[str] = []
        bound: list[str] = []
        for word in telling:
            if not word[0].isupper() or not word[0].isalpha():
                bound += [word.capitalize()] if len(words) == 1 else []
            elif len(word) < 3 or word.casefold() in _SMALL_WORDS:
                bound.append(word)
            else:
                free += [word, *_spellings(word)]
        known.append(KnownName(value, words, tuple(dict.fromkeys(free)), tuple(bound)))
    return tuple(known)


def _spellings(word: str) -> Iterator[str]:
    """Müller is Mueller and Muller to keyboards without the letter."""
    if not word.isascii():
        yield word.translate(_UMLAUTS)
        yield "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def names(scan: Scan, known: Sequence[KnownName]) -> Iterator[Span]:
    """The known names: whole in any case and order, their parts as they are written."""
    for name in known:
        if len(name.words) > 1:
            for words in (name.words, (name.words[-1], *name.words[:-1])):
                yield from _whole(scan, tuple(map(lowered, words)), name.value)
        for part in name.parts:
            spaceless = _SPACELESS.search(part) is not None
            for start, end in _places(scan.text, part):
                if spaceless or _alone(scan.text, start, end):
                    yield Span(start, end, "NAME", name.value)
        for part in name.bound:
            for start, end in _places(scan.text, part):
                if _alone(scan.text, start, end) and _NAME_EXPECTED.search(scan.text[max(0, start - 30) : start]):
                    yield Span(start, end, "NAME", name.value)


def _places(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    at = text.find(wanted)
    while at >= 0:
        yield at, at + len(wanted)
        at = text.find(wanted, at + len(wanted))


def _alone(text: str, start: int, end: int) -> bool:
    return not (_word_char(text[start - 1 : start]) or _word_char(text[end : end + 1]))


def _word_char(char: str) -> bool:
    return char == "_" or char.isalnum()


_GAP = lazy_pattern(r",?[ \t]{1,3}")


def _whole(scan: Scan, words: tuple[str, ...], value: str) -> Iterator[Span]:
    text = scan.lower
    for start, end in _places(text, words[0]):
        for word in words[1:]:
            gap = _GAP.match(text, end)
            if gap is None or not text.startswith(word, gap.end()):
                break
            end = gap.end() + len(word)
        else:
            if _alone(text, start, end):
                yield Span(start, end, "NAME", value)


_TITLES = rf"(?:{'|'.join(_WORDS['titles'])})\.?"
_GREETINGS, _SIGN_OFFS, _INTRODUCTIONS, _PRESENTATIONS = (
    f"(?:{'|'.join(_WORDS[name])})" for name in ("greetings", "sign_offs", "introductions", "presentations")
)
_NAME_EXPECTED = lazy_pattern(
    rf"(?<!\w)(?:{_TITLES}|{_GREETINGS}(?: {_TITLES})?|{_SIGN_OFFS}|{_INTRODUCTIONS}|{_PRESENTATIONS})[,!.]?\s{{1,3}}$",
    re.IGNORECASE,
)
_NAME_WORD = r"(?-i:[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĻŁŃŅŇŌŐŒŘŚŞŠŢŤŪŮŰŲŹŻŽΑ-ΩА-Я][^\W\d_]{0,24}(?:[\-'’][^\W\d_]{1,24}){0,2})"
_NAME = (
    rf"({_NAME_WORD}\.?(?:[ \t]{{1,2}}(?:(?-i:van|von|de|der|den|del|della|di|da|dos|la|le|el|bin"
    rf"|al) ?){{0,2}}{_NAME_WORD}){{0,3}})(?![\w@])"
)
_LABELLED = lazy_pattern(
    rf"^[ \t>*\-]{{0,6}}(?:(?:full|first|last|customer|contact|your|my)[ ])?(?:name|vorname|nachname|nom|prénom"
    rf"|nombre|apellidos?|nome"
    rf"|cognome|sobrenome|naam|achternaam)[ \t]?:[ \t]{{0,3}}{_NAME}[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_TITLED = lazy_pattern(rf"(?<!\w)(?-i:(?=[A-ZÑ])){_TITLES} {_NAME}", re.IGNORECASE)
_GREETED = lazy_pattern(
    rf"^[ \t]{{0,4}}{_GREETINGS}(?: {_TITLES})? {_NAME}(?=[ \t]*(?:[,!:.\n]|$|-))", re.IGNORECASE | re.MULTILINE
)
_INTRODUCED = lazy_pattern(rf"(?<!\w){_INTRODUCTIONS} {{0,2}}{_NAME}", re.IGNORECASE)
# Behind these stands more than names, so what follows has to look like the end of one.
_PRESENTED = lazy_pattern(
    rf"(?<!\w){_PRESENTATIONS} {_NAME}(?=[ \t]*(?:[,.\n]|$|\(| (?:from|at|with|and|here|von|und|hier|de|et|y|e|en"
    rf"|van|aus)\b))",
    re.IGNORECASE,
)
_SIGNED = lazy_pattern(
    rf"(?<!\w){_SIGN_OFFS}(?:[,.!][ \t]{{0,3}}\n{{0,3}}|[ \t]{{0,3}}\n{{1,3}}"
    rf"|(?<=[a-zß]{{6}}) )[ \t]{{0,3}}(?:[-–—][ \t]?)?{_NAME}(?=[ \t]*(?:[,.|\n]|$))",
    re.IGNORECASE,
)
_NO_NAMES = frozenset(_WORDS["no_names"].split())
_NO_NAME_PART = lazy_pattern("|".join(_WORDS["no_name_part"]), re.IGNORECASE)
_POSSESSIVE = lazy_pattern(r"[’']s\b")


def introduced_names(scan: Scan) -> Iterator[Span]:
    """Names after a title, a greeting, a sign-off, or words such as "my name is"."""
    for pattern in (_LABELLED, _TITLED, _GREETED, _INTRODUCED, _PRESENTED, _SIGNED):
        for match in pattern.finditer(scan.text):
            words = [word.casefold().strip(".") for word in match[1].split()]
            shouted = match[1].isupper() and len(match[1]) > 3 and pattern is _PRESENTED
            if shouted or words[0] in _NO_NAMES or words[0] in _NO_PERSON or _NO_NAME_PART.search(match[1]):
                continue
            name = _POSSESSIVE.split(match[1])[0].rstrip(".")
            yield Span(match.start(1), match.start(1) + len(name), "NAME", name.casefold())

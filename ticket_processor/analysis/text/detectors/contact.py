"""Ways to reach somebody or something: telephone numbers, postal and mail addresses, IP addresses, links and handles.

Telephone numbers of any country: by the plus sign, by a country's plan and way of writing, or by a word nearby. Postal
addresses, as far as their way of writing tells: street with number in seven languages, post boxes, US lines. Mail
addresses may be spelt out.

A town or a country alone says little about anybody and stays; so does a street without a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

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


_EMAIL = lazy_pattern(r"@(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,24}")
_EMAIL_NAME = frozenset(".+%'&/=-_")
_EMAIL_SPACED = lazy_pattern(
    r"(?<![\w@])[\w.+-]{1,64} ?@ ?(?:[\w-]{1,63} ?\. ?){1,4}(?:com|net|org|de|fr|es|it|nl|pt|eu|co|uk|io|info"
    r"|example)(?!\w)",
    re.IGNORECASE,
)
_AT = r"at|@|arroba|arobase|chez|klammeraffe|ät|chiocciola|apenstaartje|małpa"
_PAIRS = (
    "at dot|at punkt|ät punkt|klammeraffe punkt|arroba punto|arroba ponto|arobase point|chiocciola punto|"
    "apenstaartje punt|małpa kropka"
).split("|")
_AT_WORD = "|".join(rf"{at}(?= [\w-]{{1,63}} {dot} )" for at, dot in (pair.split() for pair in _PAIRS))
_DOT_WORD = r"dot|punkt|punto|point|ponto|punt|kropka"
_DOMAIN_SPELT = (
    rf"[\w-]{{1,63}}(?: ?(?:\.|[\[({{<] ?(?:\.|{_DOT_WORD}) ?[\])}}>]|\b(?:{_DOT_WORD})\b) ?[\w-]{{2,63}}){{1,4}}"
)
_EMAIL_BRACKETS = lazy_pattern(rf"[\[({{<](?: ?(?:{_AT}) ?[\])}}>] ?|(?<=\w\()a\)(?=\w)){_DOMAIN_SPELT}", re.IGNORECASE)
_EMAIL_NAME_BEFORE = lazy_pattern(r"[\w.+-]{1,64} ?$")
_EMAIL_WORDS = lazy_pattern(rf"[\w.+-]{{1,64}} (?:{_AT_WORD}) {_DOMAIN_SPELT}", re.IGNORECASE)
_DOT_STEMS = Stems((" dot ", " punkt ", " punto ", " point ", " ponto ", " punt ", " kropka "))
_EMAIL_DOT = lazy_pattern(
    rf"[\w.+-]{{1,64}}@[\w-]{{1,63}} ?[\[({{<] ?(?:\.|{_DOT_WORD}) ?[\])}}>] ?[\w-]{{2,63}}", re.IGNORECASE
)
_IPV4 = lazy_pattern(r"\d(?<![\w.\-]\d)\d{0,2}\.(?:\d{1,3}\.){2}\d{1,3}(?![\w\-]|\.\d)")
_NUMBER = lazy_pattern(r"\d+")
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4_SPELT = lazy_pattern(
    rf"\d(?<![\w.]\d)\d{{0,2}}(?: ?(?:[\[({{<] ?(?:\.|{_DOT_WORD}) ?[\])}}>]| (?:\.|{_DOT_WORD}) ) ?{_OCTET}){{3}}"
    r"(?![\w.])",
    re.IGNORECASE,
)
_SPELT_STEMS = Stems((" . ", "[.", "(.", "{.", "<.", "dot", "punkt", "punto", "point", "ponto", "punt", "kropka"))
_IPV6 = lazy_pattern(
    r"(?<![\w:.])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])"
)
_TWO_COLONS = lazy_pattern(r":[0-9a-fA-F]{0,4}:[0-9a-fA-F:]")
_VERSION_BEFORE = lazy_pattern(
    r"(?:\b(?:v|ver|version|versión|versão|versione|versie|build|release|firmware|driver|treiber|section|chapter|clause"
    r"|abschnitt|kapitel|sdk|oid|update|upgrade|patch|from|auf|to)\.?[ :=]{0,2}(?:v\.? ?)?[\"'(]?|\w/|§ ?|==|=> ?)$",
    re.I,
)
_VERSION_WORD = lazy_pattern(
    r"version|firmware|driver|release|\bbuild|\bv\d|treiber|upgrad|updat|chrome|firefox|edge", re.I
)


def emails(scan: Scan) -> Iterator[Span]:
    """Mail addresses, also as "bob [at] example dot com"."""
    text = scan.text
    if "@" in text:
        for match in _EMAIL.finditer(text):
            start = match.start()
            while start > max(0, match.start() - 64) and (text[start - 1].isalnum() or text[start - 1] in _EMAIL_NAME):
                start -= 1
            start += len(text[start : match.start()]) - len(text[start : match.start()].lstrip("'.&/=%-+"))
            if start < match.start() and text[start : match.start()] != "git":
                yield Span(start, match.end(), "EMAIL", text[start : match.end()].casefold())
        if " @" in text or "@ " in text or " ." in text:
            for match in scan.near(_EMAIL_SPACED, ["@"], before=66, behind=140):
                if not match.group().startswith("git@"):
                    yield Span(match.start(), match.end(), "EMAIL", match.group().casefold().replace(" ", ""))
        for match in scan.near(_EMAIL_DOT, ["@"], before=64, behind=140):
            yield Span(match.start(), match.end(), "EMAIL", match.group().casefold())
    for match in _EMAIL_BRACKETS.finditer(text):
        name = _EMAIL_NAME_BEFORE.search(text, max(0, match.start() - 65), match.start())
        if name is not None:
            yield Span(name.start(), match.end(), "EMAIL", text[name.start() : match.end()].casefold())
    for match in scan.near(_EMAIL_WORDS, _DOT_STEMS, before=150, behind=150):
        yield Span(match.start(), match.end(), "EMAIL", match.group().casefold())


def ips(scan: Scan) -> Iterator[Span]:
    """IP addresses of either version; loopback, masks and four-part version numbers stay."""
    text = scan.text
    if scan.digits >= 4 and text.count(".") >= 3:
        for match in _IPV4.finditer(text):
            try:
                address = IPv4Address(match.group())
            except AddressValueError:
                continue
            if not (address.is_loopback or address.is_unspecified) and not _is_version(text, match):
                yield Span(match.start(), match.end(), "IP", str(address))
    if scan.digits >= 4 and _SPELT_STEMS.within(scan):
        for match in _IPV4_SPELT.finditer(text):
            yield Span(match.start(), match.end(), "IP", ".".join(_NUMBER.findall(match.group())))
    if text.count(":") >= 2 and _TWO_COLONS.search(text):
        for match in _IPV6.finditer(text):
            found = match.group()
            groups = [group for group in found.split(":") if group]
            if len(groups) < 2 or not any(char.isdigit() for char in found):
                continue
            try:
                yield Span(match.start(), match.end(), "IP", str(IPv6Address(found)))
            except AddressValueError:
                continue


def _is_version(text: str, match: re.Match[str]) -> bool:
    """Whether four numbers are a version, a mask or a whole network: no person's address, and technicians need them."""
    found = match.group()
    if found.startswith(("255.", "0.")) or found.endswith(".0.0.0"):
        return True
    before = text[max(0, match.start() - 14) : match.start()]
    unclear = _VERSION_BEFORE.search(before)
    if unclear is None:
        return False
    if unclear.group().strip().lower() in ("from", "to", "auf"):
        # "upgraded from 10.1.2.3 to 10.1.2.4" against "the login from 10.1.2.3"
        return _VERSION_WORD.search(text, max(0, match.start() - 60), match.start()) is not None
    return True


_URL = lazy_pattern(r"\b[a-z][a-z0-9+.\-]{1,15}://[^\s<>\"'`\]]{1,2000}", re.IGNORECASE)
_URL_BARE = lazy_pattern(r"(?<![\w.@/\-])www\.[^\s<>\"'`\]]{3,2000}", re.IGNORECASE)
_URL_CREDENTIALS = lazy_pattern(r"://[^\s/?#@]{1,200}@")
_URL_TOKEN = lazy_pattern(
    r"[?&#;](?:[\w\-]{0,30}(?:token|secret|password|passwd|signature|api[_-]?key|apikey|session|credential|auth)"
    r"|[\w\-]{0,10}(?:sig|pwd|otp|jwt|sid|key|code|hash|ticket|invite|nonce|email|user|phone))=[^&#\s]{3,}",
    re.IGNORECASE,
)
# A long opaque path segment is what reset, unsubscribe and shared-file links are made of.
_URL_OPAQUE = lazy_pattern(
    r"(?-i:/(?=\w{0,200}\d)(?=\w{0,200}[A-Z])(?=\w{0,200}[a-z])\w{24,200}(?=[/?#]|$))"
    r"|/(?:\w{1,20}-)?(?:reset|verify|confirm|activat|unsubscri|invit|magic|login|auth|token|share(?!d))[\w\-]{0,20}/"
    r"(?=[^/\s?#]{0,200}\d)[\w\-.~]{10,}",
    re.IGNORECASE,
)
_URL_HOOK = lazy_pattern(r"hooks\.slack\.com/|webhook", re.IGNORECASE)


def urls_that_let_in(scan: Scan) -> Iterator[Span]:
    """Links with a password, a token or an opaque path: they let their reader in."""
    if "://" not in scan.text:
        return
    for match in _URL.finditer(scan.text):
        found = match.group().rstrip(".,;:!?)*")
        if (
            _URL_CREDENTIALS.search(found)
            or _URL_TOKEN.search(found)
            or _URL_OPAQUE.search(found)
            or _URL_HOOK.search(found)
        ):
            yield Span(match.start(), match.start() + len(found), "URL", found)


def urls(scan: Scan) -> Iterator[Span]:
    """Every link, with a scheme or beginning with ``www.``."""
    for pattern, mark in ((_URL, "://"), (_URL_BARE, "www.")):
        if mark in scan.lower:
            for match in pattern.finditer(scan.text):
                found = match.group().rstrip(".,;:!?)*")
                yield Span(match.start(), match.start() + len(found), "URL", found)


_HANDLE = lazy_pattern(r"(?<![\w@./\[])@[^\W\d_](?:[\w.]{0,28}\w)?(?![\w@(])")


def handles(scan: Scan) -> Iterator[Span]:
    """``@somebody``."""
    if "@" in scan.text:
        for match in _HANDLE.finditer(scan.text):
            yield Span(match.start(), match.end(), "HANDLE", match.group().casefold())

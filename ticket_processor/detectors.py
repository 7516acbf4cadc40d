"""Where personal data and secrets stand in a text: one detector for each kind.

By pattern, then confirmed by a checksum (cards: Luhn; IBANs: ISO 13616, mod 97), a numbering plan (phones:
libphonenumber's metadata) or the words around. Order numbers, dates, amounts and version numbers stay. All patterns
are of bounded length, so time grows linearly with the text. Everything here is pure; any thread may call it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

import phonenumbers
from stdnum import iban

from .plain import PLACEHOLDER, strip_hidden


class Span(NamedTuple):
    start: int
    end: int
    kind: str
    value: str


def matching_form(text: str) -> str:
    """``text`` with every character in its compatibility form where that is one character: same length.

    Full-width and other scripts' digits become ASCII, dashes ``-``, odd spaces a space, so that patterns match
    what people read and offsets still hold.
    """
    if text.isascii():
        return text
    table: dict[int, str] = {}
    for char in set(text):
        if char.isascii():
            continue
        digit = unicodedata.decimal(char, None)
        category = unicodedata.category(char)
        if digit is not None:
            table[ord(char)] = str(digit)
        elif category == "Zs":
            table[ord(char)] = " "
        elif category == "Pd" or char == "−":
            table[ord(char)] = "-"
        else:
            form = unicodedata.normalize("NFKC", char)
            if len(form) == 1:
                table[ord(char)] = form
    return text.translate(table)


# --- cards -------------------------------------------------------------------------------------------------

# Stripped HTML glues a table's cells together ("Card4111 1111 …"), so a card's groups may follow a letter.
_DIGIT_RUN = re.compile(
    r"(?<![\w])\d+(?:[ .\-]{1,3}\d+){0,30}(?![^\W_])"
    r"|(?<=[^\W\d])(?:\d{13,19}|\d{4}(?:[ \-]\d{4}){3}|\d{4}[ \-]\d{6}[ \-]\d{4,5})(?!\w)"
)
_GROUP = re.compile(r"\d+")
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
_CARD_SHAPES = {
    (4, 4, 4, 4),
    (4, 6, 5),
    (4, 6, 4),
    (4, 4, 4, 4, 3),
    (4, 4, 4, 1),
    (4, 4, 5),
    (4, 5, 6),
    (6, 13),
    (8, 8),
}


def cards(text: str) -> Iterator[Span]:
    for run in _DIGIT_RUN.finditer(text):
        if run.end() - run.start() < 12:
            continue
        groups = [(m.start(), m.end()) for m in _GROUP.finditer(text, run.start(), run.end())]
        near = bool(_CARD_WORD.search(text, max(0, run.start() - 60), run.start()))
        taken = -1
        for first in range(len(groups)):
            if groups[first][0] < taken:
                continue
            total = 0
            for last in range(first, min(first + 19, len(groups))):
                total += groups[last][1] - groups[last][0]
                if total > 19:
                    break
                if total < 12:
                    continue
                part = groups[first : last + 1]
                digits = "".join(text[a:b] for a, b in part)
                if _is_card(digits, tuple(b - a for a, b in part), near):
                    yield Span(part[0][0], part[-1][1], "CARD", digits)
                    taken = part[-1][1]
                    break


def _is_card(digits: str, shape: tuple[int, ...], near_card_word: bool) -> bool:
    plausible = (
        near_card_word
        or (shape in _CARD_SHAPES and len(digits) >= 13)
        or ((len(shape) == 1 or max(shape) < 5) and _ISSUERS.fullmatch(digits) is not None)
    )
    return plausible and len(set(digits)) > 1 and _passes_luhn(digits)


def _passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right doubled, the sum of digits divisible by ten."""
    return (sum(map(int, digits[::-2])) + sum(_DOUBLED[digit] for digit in digits[-2::-2])) % 10 == 0


_DOUBLED = {str(digit): sum(divmod(2 * digit, 10)) for digit in range(10)}


# --- bank accounts and national numbers -------------------------------------------------------------------

_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?:[ \-.]?[A-Za-z0-9]){11,34}")
_IBAN_NAMED = re.compile(
    r"\bIBAN\b[^\w\n]{0,4}(?:(?:is|ist|est|es|é|è|number|no|nr)\b[^\w\n]{0,4}){0,2}"
    r"([A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{2,34}){1,9})",
    re.IGNORECASE,
)
_SSN = re.compile(r"(?<![\w.\-/])(?!000|666|9\d\d)\d{3}([\- ])(?!00)\d\d\1(?!0000)\d{4}(?![\w\-/]|\.\d| \d)")
_SSN_WORD = re.compile(r"\bSSN|social|\btax|\bTIN\b|security n", re.IGNORECASE)
_SSN_NAMED = re.compile(
    r"(?:\bSSN|social[ -]security)\b[^\d\n]{0,30}(\d{3}[\-. ]?\d{2}[\-. ]?\d{4})(?!\d)", re.IGNORECASE
)


def ibans(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        found = match.group()
        # The pattern may have run on into the words behind: try what ends at a border, longest first.
        for end in range(len(found), 14, -1):
            at = match.start() + end
            if found[end - 1].isalnum() and not (at < len(text) and text[at].isalnum()):
                compact = re.sub(r"[ \-.]", "", found[:end]).upper()
                if iban.is_valid(compact, check_country=False):
                    yield Span(match.start(), at, "IBAN", compact)
                    break
    for match in _IBAN_NAMED.finditer(text):
        digits = sum(char.isdigit() for char in match[1])
        if digits >= 8:
            yield Span(match.start(1), match.end(1), "IBAN", re.sub(r"[ \-]", "", match[1]).upper())


def ssns(text: str) -> Iterator[Span]:
    for match in _SSN.finditer(text):
        # With spaces it may be any grouped number.
        if match[1] == " " and not _SSN_WORD.search(text, max(0, match.start() - 60), match.start()):
            continue
        yield Span(match.start(), match.end(), "SSN", re.sub(r"\D", "", match.group()))
    for match in _SSN_NAMED.finditer(text):
        yield Span(match.start(1), match.end(1), "SSN", re.sub(r"\D", "", match[1]))


# --- mail and network -------------------------------------------------------------------------------------

_EMAIL = re.compile(r"[\w.+%'&/=-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,24}")
_EMAIL_SPELT = re.compile(
    r"[\w.+-]{1,64} ?(?:[\[({<] ?(?:at|@|arroba|chez|klammeraffe|ät) ?[\])}>]| at (?=[\w-]{1,63} (?:dot|punkt) )) ?"
    r"[\w-]{1,63}(?: ?(?:\.|[\[({<] ?(?:dot|punkt|punto|point) ?[\])}>]|\bdot\b|\bpunkt\b) ?[\w-]{2,63}){1,4}",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?<![\w.\-])(?:\d{1,3}\.){3}\d{1,3}(?![\w\-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
_VERSION_BEFORE = re.compile(
    r"(?:\b(?:v|ver|version|versión|versão|versione|versie|build|release|firmware)\.?[ :=]{0,2}|\w/)$", re.I
)


def emails(text: str) -> Iterator[Span]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            found = match.group()
            lead = len(found) - len(found.lstrip("'.&/=%-+"))
            yield Span(match.start() + lead, match.end(), "EMAIL", found[lead:].casefold())
    for match in _EMAIL_SPELT.finditer(text):
        yield Span(match.start(), match.end(), "EMAIL", match.group().casefold())


def addresses(text: str) -> Iterator[Span]:
    for match in _IPV4.finditer(text):
        try:
            address = IPv4Address(match.group())
        except AddressValueError:
            continue
        mask = match.group().startswith("255.")
        version = _VERSION_BEFORE.search(text[max(0, match.start() - 12) : match.start()])
        # Loopback and masks say nothing about anybody, and a technician needs them.
        if not (address.is_loopback or address.is_unspecified or mask or version):
            yield Span(match.start(), match.end(), "IP", str(address))
    for match in _IPV6.finditer(text):
        found = match.group()
        groups = [group for group in found.split(":") if group]
        if len(groups) < 2 or not any(char.isdigit() for char in found):
            continue
        try:
            yield Span(match.start(), match.end(), "IP", str(IPv6Address(found)))
        except AddressValueError:
            continue


_URL = re.compile(r"\b[a-z][a-z0-9+.\-]{1,15}://[^\s<>\"'`\]]{1,2000}", re.IGNORECASE)
_URL_CREDENTIALS = re.compile(r"://[^\s/?#@]{1,200}@")
_URL_TOKEN = re.compile(
    r"[?&#;](?:[\w\-]{0,30}(?:token|secret|password|passwd|signature|api[_-]?key|apikey|session|credential|auth)"
    r"|[\w\-]{0,10}(?:sig|pwd|otp|jwt|sid|key|code|hash|ticket|invite|nonce|email|user|phone))=[^&#\s]{3,}",
    re.IGNORECASE,
)
# A long opaque path segment is what reset, unsubscribe and shared-file links are made of.
_URL_OPAQUE = re.compile(
    r"(?-i:/(?=\w{0,200}\d)(?=\w{0,200}[A-Z])(?=\w{0,200}[a-z])\w{24,200}(?=[/?#]|$))"
    r"|/[\w\-]{0,20}(?:reset|verify|confirm|activat|unsubscri|invit|magic|login|auth|token|"
    r"share)[\w\-]{0,20}/[\w\-.~]{10,}",
    re.IGNORECASE,
)
_URL_SLACK_HOOK = re.compile(r"hooks\.slack\.com/|webhook", re.IGNORECASE)


def urls(text: str, every: bool) -> Iterator[Span]:
    if "://" not in text:
        return
    for match in _URL.finditer(text):
        found = match.group().rstrip(".,;:!?)*")
        if (
            every
            or _URL_CREDENTIALS.search(found)
            or _URL_TOKEN.search(found)
            or _URL_OPAQUE.search(found)
            or _URL_SLACK_HOOK.search(found)
        ):
            yield Span(match.start(), match.start() + len(found), "URL", found)


# --- secrets ----------------------------------------------------------------------------------------------

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}(?:PRIVATE KEY|CERTIFICATE|MESSAGE)[A-Z ]{0,20}-----")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{1,60}-----")
_KEY = re.compile(
    r"(?<![A-Za-z0-9_\-])(?:"
    r"sk-[A-Za-z0-9_\-]{16,200}|[srp]k_(?:live|test)_[A-Za-z0-9]{8,200}|[a-z]{2,12}_(?:live|test|prod)_[A-Za-z0-9]{16,200}|whsec_[A-Za-z0-9+/=]{16,100}"
    r"|gh[opsur]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|gl(?:pat|ptt|rt|dt|cbt|ft|soat)-[\w\-]{16,100}"
    r"|xox[abeoprs]-[A-Za-z0-9\-]{8,250}|xapp-[A-Za-z0-9\-]{8,250}"
    r"|A(?:KIA|SIA|IDA|ROA|GPA|NPA)[A-Z0-9]{12,20}|AIza[\w\-]{30,45}|ya29\.[\w\-]{16,500}|GOCSPX-[\w\-]{16,50}"
    r"|SG\.[\w\-]{12,50}(?:\.[\w\-]{16,80})?|key-[0-9a-f]{32}|[0-9a-f]{32}-us\d{1,2}"
    r"|eyJ[\w\-]{8,3000}\.[\w\-]{4,5000}(?:\.[\w\-]{0,2000})?"
    r"|npm_[A-Za-z0-9]{20,60}|pypi-[\w\-]{16,300}|hf_[A-Za-z0-9]{20,60}|do[opr]_v1_[0-9a-f]{32,80}"
    r"|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{16,64}|sq0(?:atp|csp)-[\w\-]{16,60}|EAAC[A-Za-z0-9]{20,300}"
    r"|AGE-SECRET-KEY-1[0-9A-Z]{20,80}|sntrys_[\w=\-]{16,200}|lin_api_[A-Za-z0-9]{20,60}|r8_[A-Za-z0-9]{20,60}"
    r"|glsa_[A-Za-z0-9_]{20,80}|dapi[0-9a-f]{32}|PMAK-[0-9a-f\-]{20,80}|ATATT[\w=\-]{20,250}|nvapi-[\w\-]{20,100}"
    r"|\d{8,10}:AA[\w\-]{30,40}"
    r")(?![A-Za-z0-9_\-])"
)
_HEADER = re.compile(
    r"\b(?:bearer|authorization: ?(?:basic|token))[ :]{1,3}([A-Za-z0-9._~+/=\-]{12,4000})", re.IGNORECASE
)
_KEYWORDS_OF_LOGIN = (
    r"pass(?:word|wort|code|phrase|wd)?|pwd|pw|kennwort|zugangscode|mot de passe|mdp|contraseña|contrasena|"
    r"clave|senha"
    r"|palavra-passe|wachtwoord|lösenord|adgangskode|passord|hasło|пароль|şifre"
)
_IS = r"(?: ?(?:is|was|ist|lautet|war|est|es|era|é|è|era|is|was|är|to|as|now)\b| ?(?:は|是))"
_PASSWORD = re.compile(
    rf"(?<![^\W_])(?:{_KEYWORDS_OF_LOGIN})(?![^\W_])(?:\s?\([^()\n]{{1,20}}\))?"
    rf"(?:{_IS}{{1,2}}\s?[:=]?|\s?[:=＝：]|\s(?=['\"“«„`]))\s{{0,3}}(['\"“”«„‘’`]?)([^\s'\"“”«»„`‘’]{{3,100}})\1",
    re.IGNORECASE,
)
_PASSWORD_BARE = re.compile(
    r"\b(?:password|passcode|passphrase|passwort|kennwort|mot de passe|contraseña|senha|"
    r"wachtwoord)[ \t]{1,2}(?!-)(\S{6,60})",
    re.IGNORECASE,
)
_PASSWORD_SPACELESS = re.compile(r"(?:パスワード|暗証番号|密码|密碼|비밀번호) ?(?:は|是|:|=|는|은)「? ?([!-~]{4,60})")
_LOGIN_PAIR = re.compile(
    r"\b(?:credentials?|log-?in|logon|user(?:name)?|zugangsdaten|benutzername|identifiants?|credenciales|credenciais"
    r"|credenziali|inloggegevens)\b\s?[:=]\s{0,2}\S{2,80}\s?[/|:,;]\s?(\S{6,60})",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(?<![^\W_])(?:[A-Z0-9_]{0,40}(?:api[ _-]?key|secret(?:[ _-]?(?:access[ _-]?)?key)?|access[ _-]?key(?:[ _-]?id)?"
    r"|(?:auth|access|refresh|bearer|api|session)[ _-]?token|client[ _-]?secret|private[ _-]?key|license[ _-]?key"
    r"|api-schlüssel|clé api|clave api|chave api|chiave api))\b"
    r"(?:\s?(?:is|was|ist|lautet|est|es|é|è)\b)?\s?[:=]?\s{0,2}['\"“`]?([A-Za-z0-9_\-./+=~]{8,500})",
    re.IGNORECASE,
)
_PIN = re.compile(
    r"\b(?:PIN|CVV2?|CVC2?|CVN|OTP|TAN|one[- ]time (?:code|password)|verification code|security code|prüfnummer"
    r"|kartenprüfnummer|code pin|bestätigungscode)(?:[ -](?:code|number|nummer))?"
    r"(?: (?:is|was|ist|lautet|est|es|é|è))? ?[:=#]? ?(\d{3,8})(?![\d/.\-]\d|\d)",
    re.IGNORECASE,
)


def _looks_secret(value: str) -> bool:
    """Whether a word behind "password is" is the password rather than the sentence going on."""
    inner = value.rstrip(".,;:!?)")
    if len(inner) < 3:
        return False
    digit = any(char.isdigit() for char in inner)
    symbol = any(not char.isalnum() and char not in "-'’/,." for char in inner)
    mixed = any(char.isupper() for char in inner[1:]) and any(char.islower() for char in inner)
    return digit or symbol or mixed


def _is_mixed(value: str) -> bool:
    """Whether a word with nothing but its place to tell mixes letters with digits or symbols, as passwords do."""
    inner = value.rstrip(".,;:!?)")
    letter = any(map(str.isalpha, inner))
    return letter and "://" not in inner and re.search(r"[\d!#$%^&*@+?]", inner) is not None


def secrets(text: str) -> Iterator[Span]:
    for match in _PEM.finditer(text):
        closing = _PEM_END.search(text, match.end())
        # A block that never ends is a secret up to the next blank line.
        blank = text.find("\n\n", match.end())
        end = closing.end() if closing else blank if blank >= 0 else len(text)
        yield Span(match.start(), end, "SECRET", text[match.start() : end])
    for match in _KEY.finditer(text):
        yield Span(match.start(), match.end(), "SECRET", match.group())
    for match in _HEADER.finditer(text):
        if any(char.isdigit() for char in match[1]):
            yield Span(match.start(1), match.end(1), "SECRET", match[1])
    for match in _PASSWORD.finditer(text):
        if match[1] or _looks_secret(match[2]):
            yield _trimmed(match.start(2), match[2], quoted=bool(match[1]))
    for match in _PASSWORD_SPACELESS.finditer(text):
        yield Span(match.start(1), match.end(1), "SECRET", match[1])
    for pattern in (_PASSWORD_BARE, _LOGIN_PAIR):
        for match in pattern.finditer(text):
            if _is_mixed(match[1]):
                yield _trimmed(match.start(1), match[1], quoted=False)
    for match in _TOKEN.finditer(text):
        value = match[1].rstrip(".")
        if len(value) >= 8 and any(map(str.isdigit, value)) and any(map(str.isalpha, value)):
            yield Span(match.start(1), match.start(1) + len(value), "SECRET", value)
    for match in _PIN.finditer(text):
        yield Span(match.start(1), match.end(1), "SECRET", match[1])


def _trimmed(start: int, value: str, *, quoted: bool) -> Span:
    inner = value if quoted else value.rstrip(".,;:)") or value
    return Span(start, start + len(inner), "SECRET", inner)


# --- phones -----------------------------------------------------------------------------------------------

_PHONE_WORD = re.compile(
    r"phone|mobil|handy|cell|\btel\b|\btel[.:]|telef|télé|portable|whats?app|\bsms\b|\bfax|\bcall(?: me| us|"
    r" back| at| on)?\b|\btext(?: me)?\b|"
    r"\brufen|anruf|rufnummer|rückruf|rückfragen|erreichbar|appel|joindre|llam|móvil|celular|ligar|ligue|telem|chiam|cellulare|"
    r"\bbel(?:len)?\b|nummer|reach me|contact (?:me|number|no)|number is|messages? to|registered|電話|携帯|电话|手机",
    re.IGNORECASE,
)
_NOT_PHONE_WORD = re.compile(
    r"(?:order|invoice|ticket|case|ref(?:erence)?|tracking|account|customer|serial|model|version|build|error|code|id|"
    r"bestell\w*|rechnung\w*|auftrag\w*|kunden\w*|sendung\w*|commande|facture|pedido|factura|ordine|fattura|"
    r"article|part|sku|isbn|amount|total|qty|port|number|no|nr|n°|nº|#)[\s:#.]{0,3}$",
    re.IGNORECASE,
)
_PHONE_RUN = re.compile(
    r"(?<![\w./@#=\-])(?<!\d,)(?:\+|\(\+?)?\d(?:\d|\(\d{1,5}\)|\)|[ .\-/]{1,3}(?=[\d(]))"
    r"{5,24}(?:\s?(?:x|ext\.?|extension|durchwahl|poste|#)\s?\d{1,6})?(?![\w@]|[,.:/]\d|-\d)",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r"\s?(?:x|ext\.?|extension|durchwahl|poste|#)", re.IGNORECASE)
_DATE = re.compile(
    r"(?:19|20)\d\d([.\-/ ])(?:0?\d|1[0-2])\1(?:[012]?\d|3[01])"
    r"|(?:[012]?\d|3[01])([.\-/ ])(?:0?\d|1[0-2])\2(?:19|20)?\d\d"
    r"|(?:0?\d|1[0-2])([.\-/ ])(?:[012]?\d|3[01])\3(?:19|20)?\d\d"
    r"|(?:19|20)\d\d ?[\-/] ?(?:19|20)\d\d"
)
_PHONE_SHAPES = re.compile(
    r"\(\d{2,5}\) ?\d{3,4}[ .\-]\d{3,4}"  # (415) 555-0132
    r"|1?[ .\-]?\(?\d{3}\)?([ .\-])\d{3}\1\d{4}"  # 415-555-0132, 1-415-555-0132
    r"|0\d(?:[ .\-]\d\d){4}"  # 01 23 45 67 89
    r"|0\d{3,4}[ \-]\d{3}[ \-]?\d{3,4}"  # 07700 900 123
    r"|0\d{2,4}[/\-] ?\d{3,8}"  # 030/1234567
    r"|0\d{1,3} \d{3,4} \d{4}"
    r"|\(0\d{1,4}\) ?\d[\d \-]{5,9}"
)


def phones(text: str) -> Iterator[Span]:
    for match in _PHONE_RUN.finditer(text):
        found = match.group()
        if found.endswith(")") and "(" not in found:
            found = found[:-1]  # the bracket around the number
        digits = re.sub(r"\D", "", _EXTENSION.split(found)[0])
        if not 6 <= len(digits) <= 16 or _DATE.fullmatch(found):
            continue
        end = match.start() + len(found)
        if _is_phone(text, match.start(), end, found, digits):
            yield Span(match.start(), end, "PHONE", digits)


def _is_phone(text: str, start: int, end: int, found: str, digits: str) -> bool:
    before = text[max(0, start - 40) : start]
    international = found.startswith(("+", "(+", "00")) and len(digits) >= 9
    if international:
        prefix = "+" + digits[2:] if found.startswith("00") else "+" + digits
        if found.startswith("+") and len(digits) >= 10:
            return True
        try:
            parsed = phonenumbers.parse(prefix, None)
        except phonenumbers.NumberParseException:
            return False
        return bool(phonenumbers.is_possible_number(parsed)) or bool(_PHONE_WORD.search(before))
    if _NOT_PHONE_WORD.search(before) and not _PHONE_WORD.search(before[-25:]):
        return False
    if _PHONE_SHAPES.fullmatch(_EXTENSION.split(found)[0]):
        return True
    near = _PHONE_WORD.search(before) or re.match(
        r"\s?-? ?\(?(?:office|fax|mobile|cell|home|work|tel)", text[end : end + 12], re.I
    )
    return bool(near) and 6 <= len(digits) <= 15


# --- names ------------------------------------------------------------------------------------------------

_SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")


def name_patterns(names: Sequence[str]) -> list[tuple[str, re.Pattern[str]]]:
    patterns: list[tuple[str, re.Pattern[str]]] = []
    for name in dict.fromkeys(" ".join(matching_form(strip_hidden(name)).split()) for name in names):
        if len(name) < 2 or PLACEHOLDER.search(name):
            continue
        words = re.split(r"[ ,]+", name)
        value = name.casefold()
        if _SPACELESS.search(name):
            patterns.append((value, re.compile(re.escape(name))))
            continue
        whole = r"[ \t]{1,3}".join(map(re.escape, words))
        patterns.append((value, re.compile(rf"(?<!\w){whole}(?!\w)", re.IGNORECASE)))
        # A part of a name may be an everyday word ("Bill", "May"): only as it is written in the name.
        patterns += [
            (value, re.compile(rf"(?<!\w){re.escape(word)}(?!\w)"))
            for word in words
            if len(words) > 1 and len(word) > 2 and word[0].isupper()
        ]
    return patterns


def names(text: str, patterns: Iterable[tuple[str, re.Pattern[str]]]) -> Iterator[Span]:
    for value, pattern in patterns:
        for match in pattern.finditer(text):
            yield Span(match.start(), match.end(), "NAME", value)

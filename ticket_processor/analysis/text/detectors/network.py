"""Mail addresses (spelt out too), IP addresses, links and handles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from ....core.text import lazy_pattern
from .scan import Scan, Span, Stems

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

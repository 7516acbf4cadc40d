"""Keys and tokens: by their form, or by the name before them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....core.lazy_pattern import lazy_pattern
from ..word_lists import FOLDER
from .scan import Scan, Span, Stems

_PEM = lazy_pattern(r"-----BEGIN [A-Z0-9 ]{0,40}(?:PRIVATE KEY|CERTIFICATE|(?<!SIGNED )MESSAGE)[A-Z ]{0,20}-----")
_PEM_END = lazy_pattern(r"-----END [A-Z0-9 ]{1,60}-----")

# Base64 that begins as a private key does, or goes on over lines; without the lines around it.
_LINE_END = r"(?:[ \t]{0,3}(?:\n|\\r|\\n|[ ])[ \t>]{0,6}){1,4}"
_PEM_BODY = lazy_pattern(
    r"(?<![A-Za-z0-9+/])(?:(M(?:II[A-J]|IG[A-Z]|Hc|HQ|C4)[A-Za-z0-9+/]{36,20000}|b3BlbnNzaC1rZXktdj[A-Za-z0-9+/]{20,20000})"
    rf"|[A-Za-z0-9+/]{{60,76}}(?={_LINE_END}[A-Za-z0-9+/]{{60,76}}={{0,2}}(?![A-Za-z0-9+/=])))"
    rf"(?:{_LINE_END}[A-Za-z0-9+/]{{40,200}}(?![A-Za-z0-9+/])){{0,400}}(?:{_LINE_END}[A-Za-z0-9+/]{{2,76}}={{1,2}}|={{1,2}})?"
)
_LETTERS_AND_DIGITS = lazy_pattern(r"(?=[^0-9]{0,60}[0-9])(?=[^a-z]{0,60}[a-z])[^A-Z]{0,60}[A-Z]")

_KEY_EDGE, _KEY_END = r"(?<![A-Za-z0-9_\-])(?:", r")(?![A-Za-z0-9_\-])"


def _key_pattern(piece: str, form: str) -> re.Pattern[str]:
    literal = re.escape(piece)
    if form.startswith(literal):  # a literal beginning is found fast; what stands before it is looked at afterwards
        return lazy_pattern(rf"{literal}(?<![A-Za-z0-9_\-]{literal})(?:{form[len(literal) :]}{_KEY_END}")
    return lazy_pattern(_KEY_EDGE + form + _KEY_END)


def _key_forms() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Each form of key with a piece that is in every such key: the long pattern is tried only where a piece occurs."""
    for line in FOLDER.joinpath("key_forms.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            piece, _, form = line.partition(" ")
            yield piece, _key_pattern(piece, form)


_KEYS = tuple(_key_forms())
# Of chat services, with no more than one sign in common: a bot's number and key, and three parts.
_LONG_KEYS = (
    lazy_pattern(
        r"\d(?:(?<![A-Za-z0-9_\-]\d)|(?<=bot\d))\d{7,9}:(?=[\w\-]{0,34}\d)[A-Za-z0-9][\w\-]{32,39}(?![A-Za-z0-9_\-])"
    ),
    lazy_pattern(r"[MNO](?<![A-Za-z0-9_\-].)[\w\-]{22,29}\.[\w\-]{6,7}\.[\w\-]{25,80}(?![A-Za-z0-9_\-])"),
)
_BASE64 = lazy_pattern(r"[A-Za-z0-9+/]{40}")
_LONG_WORD = lazy_pattern(r"[A-Za-z0-9_.:/+=\-]{13,}")
"""As long as the shortest key; prose has few of them, so that looking for seventy pieces costs next to nothing."""
_LONGEST_FROM = 40
"""Characters of the keys whose forms have but one sign in common, and of a line of base64, at least."""
_ORDINARY = lazy_pattern(r"[A-Za-z][a-z]+[.:]?")
_ACCOUNT_KEY = lazy_pattern(
    r"(?:AccountKey|SharedAccessKey|SharedSecret|Signature)=([A-Za-z0-9+/%]{16,200}={0,2})", re.IGNORECASE
)
_AWS_SECRET = lazy_pattern(
    r"(?<![A-Za-z0-9/+=_\-])(?=[A-Za-z/+]{0,39}\d)(?=[a-z0-9/+]{0,39}[A-Z])(?=[A-Z0-9/+]{0,39}[a-z])"
    r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_\-])"
)
_COOKIE = lazy_pattern(
    r"\bcookie2?[\"']?\s?[:=]\s{0,2}[\"']?"
    r"([\w!#$%&*+.^`|~\-]{1,100}=[^\s;,\"']{1,4000}(?:;\s?[\w!#$%&*+.^`|~\-]{1,100}(?:=[^\s;,\"']{0,4000})?){0,50})",
    re.IGNORECASE,
)
_SESSION = lazy_pattern(
    r"(?<![^\W_])[\w.\-]{0,40}(?:sess(?:ion)?[._\-]?id|sessid|session|csrf[._\-]?token|xsrf[._\-]?token|connect\.sid"
    r"|auth)[\"']?[=:][\"']?([\w.%+/~\-]{8,4000}=?=?)",
    re.IGNORECASE,
)
_SESSION_STEMS = Stems(("sess", "csrf", "xsrf", ".sid", "auth"))
_HEADER_STEMS, _COOKIE_STEMS = Stems(("bearer", "authorization", "ssws")), Stems(("cookie",))
_AWS_STEMS = Stems(("akia", "asia", "aws", "[secret_"))
_ACCOUNT_KEY_STEMS = Stems(("accesskey=", "accountkey=", "sharedsecret=", "signature="))
_PRODUCT_KEY = lazy_pattern(r"(?<![A-Za-z0-9_\-])[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}(?![A-Za-z0-9_\-])")
_HEADER = lazy_pattern(
    r"\b(?:bearer|ssws|authorization: ?(?:basic|token))[ :]{1,3}([A-Za-z0-9._~+/=\-]{12,4000})", re.IGNORECASE
)
_TOKEN = lazy_pattern(
    r"(?<![^\W_])(?:[A-Z0-9_]{0,40}(?:api[ _-]?(?:key|token)|secret(?:[ _-]?(?:access[ _-]?)?key)?"
    r"|access[ _-]?key(?:[ _-]?id)?|(?:auth|access|refresh|bearer|api|session|personal access|security)[ _-]?token"
    r"|client[ _-]?secret|private[ _-]?key|license[ _-]?key|licence[ _-]?key|recovery[ _-]?(?:key|code)"
    r"|seed[ _-]?phrase|encryption[ _-]?key|token|api-schlüssel|lizenzschlüssel|clé (?:d[’'])?api|clave (?:de )?api"
    r"|chave (?:de )?api|chiave api|api-sleutel))\b"
    r"(?:\s?(?:is|was|ist|lautet|est|es|é|è)\b)?\s?[:=]?\s{0,2}['\"“`]?([A-Za-z0-9_\-./+=~]{8,500})",
    re.IGNORECASE,
)
_TOKEN_STEMS = Stems(("key", "secret", "token", "schlüssel", " api", "seed", "sleutel"))
_DOTTED_NAME = lazy_pattern(
    r"(?:[A-Za-z][A-Za-z_\-]{1,30}(?:\d[A-Za-z]{2,20})?\d?\.){1,8}[A-Za-z][A-Za-z_]{1,40}(?:\d[A-Za-z]{2,20})?\d?"
)
"""Of a class, a file or a host: whole words with a digit in them at most."""


def keys(scan: Scan) -> Iterator[Span]:
    """Private keys, API keys and tokens that are recognised by their form."""
    text = scan.text
    if "-----BEGIN" in text:
        done = 0
        for match in _PEM.finditer(text):
            if match.start() < done:
                continue
            closing = _PEM_END.search(text, match.end(), match.end() + 20_000)
            # A block that never ends is a secret up to the next blank line.
            blank = text.find("\n\n", match.end())
            end = done = closing.end() if closing else blank if blank >= 0 else len(text)
            yield Span(match.start(), end, "SECRET", text[match.start() : end])
    words = [word for word in _LONG_WORD.findall(text) if not _ORDINARY.fullmatch(word)]
    long_words = " ".join(words)
    longest = " ".join(word for word in words if len(word) >= _LONGEST_FROM)
    for piece, pattern in _KEYS if long_words else ():
        if piece in long_words:
            for match in pattern.finditer(text):
                yield Span(match.start(), match.end(), "SECRET", match.group())
    if longest:
        for pattern in _LONG_KEYS:
            if pattern.search(longest):
                for match in pattern.finditer(text):
                    yield Span(match.start(), match.end(), "SECRET", match.group())
        for match in _PEM_BODY.finditer(text) if _BASE64.search(longest) else ():
            if _LETTERS_AND_DIGITS.match(match.group()) and (match[1] or "key" in scan.lower):
                yield Span(match.start(), match.end(), "SECRET", match.group())
    if text.count("-") >= 4:
        for match in _PRODUCT_KEY.finditer(text):
            if any(map(str.isdigit, match.group())) and any(map(str.isalpha, match.group())):
                yield Span(match.start(), match.end(), "SECRET", match.group())
    for match in scan.near(_HEADER, _HEADER_STEMS, before=2, behind=4050, digits=True):
        if any(char.isdigit() for char in match[1]):
            yield Span(match.start(1), match.end(1), "SECRET", match[1])
    if _ACCOUNT_KEY_STEMS.within(scan):
        for match in _ACCOUNT_KEY.finditer(text):
            yield Span(match.start(1), match.end(1), "SECRET", match[1])
    for match in scan.near(_COOKIE, _COOKIE_STEMS, before=2, behind=4000):
        yield Span(match.start(1), match.end(1), "SECRET", match[1])
    if long_words:
        for match in scan.near(_AWS_SECRET, _AWS_STEMS, before=300, behind=300, digits=True):
            yield Span(match.start(), match.end(), "SECRET", match.group())
        for match in scan.near(_SESSION, _SESSION_STEMS, before=42, behind=4000, digits=True):
            if any(map(str.isdigit, match[1])) and any(map(str.isalpha, match[1])):
                yield Span(match.start(1), match.end(1), "SECRET", match[1])
    for match in scan.near(_TOKEN, _TOKEN_STEMS, before=60, behind=560, digits=True):
        value = match[1].rstrip(".")
        if _DOTTED_NAME.fullmatch(value):
            continue
        if len(value) >= 8 and any(map(str.isdigit, value)) and any(map(str.isalpha, value)):
            yield Span(match.start(1), match.start(1) + len(value), "SECRET", value)

"""Passwords, PINs and one-time codes, by the words before them: what lets anybody in.

Keys and tokens: by their form, or by the name before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....core.text import lazy_pattern
from .. import FOLDER
from .identity import LOGIN, LOGIN_STEMS
from .scan import IS, Scan, Span, Stems

_KEYWORDS_OF_LOGIN = "|".join(LOGIN["words"])
# "of mine", "for the wifi" between the word and the verb, and the verb, in the languages of those words.
_MINE = (
    r"(?:\s(?:μου|мой|моя|của (?:tôi|em|mình)|tôi|שלי|الخاصة? بي|بتاعي|لحسابي|من|minha?|mio|mia|k (?:wifi|wi-fi|účtu)"
    r"|(?:for|für|pour|para|per|voor|na|do) (?:(?:the|das|mein|le|la|o|il|het|my) )?[\w-]{2,20}))?"
)
_VERB = (
    rf"(?:{IS}{{1,2}}| ?(?:είναι|ειναι|là|je|jsou|este|är|on|az|הי[אה]|הוא|זה|هي|هو|هى|است|है|คือ|adalah|je:)(?![^\W_]))"
)
# The sign between, with the quotation mark that ends a key of JSON, and the attribute that holds an element's value.
_SIGN = (
    r"(?:(?:\\?[\"'`*])?\s?(?::=|[:=]>?|[＝：→⇒…]|->)|\s[~-](?=\s{1,3}(?!\w{2,8}://))"
    r"|\\?[\"'`](?:\s?,\s?|\s{1,3}(?:value|content)\s?=)(?=\s?\\?[\"']))"
)
_PASSWORD = lazy_pattern(
    rf"(?:(?<![^\W_])|(?<=[A-Za-z])(?=passw))(?:{_KEYWORDS_OF_LOGIN})(?![^\W_])"
    rf"(?:\s?\([^()\n]{{1,20}}\)| (?:i|we) (?:use|used|set|chose|have|had))?{_MINE}"
    rf"(?:{_VERB}\s?[:=]?|{_SIGN}|\s(?=['\"“«„`]))\s{{0,3}}\\?(['\"“”«„‘’`]?)([^\s'\"“”«»„`‘’]{{3,100}})\1",
    re.IGNORECASE,
)
# Quoted, a password may have spaces.
_PASSWORD_QUOTED = lazy_pattern(
    rf"(?<![^\W_])(?:{_KEYWORDS_OF_LOGIN})(?![^\W_])(?:{IS}|\s?[:=])\s{{0,2}}(?:\"([^\"\n]{{3,60}})\""
    rf"|“([^”\n]{{3,60}})”|„([^“\n]{{3,60}})“)",
    re.IGNORECASE,
)
# "Password: sunshine" alone on its line, or alone on the next: nothing in the word tells, but its place does.
_PASSWORD_LINE = lazy_pattern(
    rf"^[ \t>*\-]{{0,6}}(?:{_KEYWORDS_OF_LOGIN})[ \t]?[:=][ \t]{{0,3}}"
    r"(?:\n{1,2}[ \t>*\-]{0,6}(?![^\n]{0,60}[:=]))?"
    r"([^\s'\"<\[]{5,60})[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_NO_PASSWORD = frozenset(
    "reset change changed forgot forgotten expired incorrect wrong required problem problems issue issues invalid "
    "unknown hidden removed redacted missing locked unlock update help error failed please thanks disabled enabled "
    "empty recovery reminder request support optional vergessen zurücksetzen ändern abgelaufen falsch oublié perdu "
    "expiré incorrect olvidada perdida caducada dimenticata scaduta errata vergeten verlopen esqueci expirada".split()
)
# Without a sign between: on the same line, or alone on the next.
_PASSWORD_BARE = lazy_pattern(
    rf"(?<![^\W_])(?!pass[ \n])(?:{_KEYWORDS_OF_LOGIN})(?![^\W_])"
    r"(?:[ \t]{1,2}(?:-[ \t])?(?!-)(\S{5,60})|[ \t]{0,2}\n{1,2}[ \t>*\-]{0,4}(\S{5,60})[ \t]{0,4}$)",
    re.IGNORECASE | re.MULTILINE,
)
_USER = (
    r"(?:user(?:[ -]?(?:name|id))?|log-?in|account|benutzer(?:name)?|usuario|usuário|utente|utilisateur|identifiant"
    r"|gebruiker(?:snaam)?|konto|email|e-mail)"
)
# Behind a user's name: "user: x pass: y", on one line or two, and "user / password: x / y".
_PASSWORD_OF_USER = lazy_pattern(
    rf"(?<![^\W_]){_USER}\s?[:=]\s{{0,2}}\S{{2,80}}[\s,;/|]{{1,4}}(?:{_KEYWORDS_OF_LOGIN})\s?[:=]\s{{0,2}}(\S{{3,60}})"
    rf"|^[ \t]{{0,4}}{_USER}[ \t]\S{{2,80}}[ \t]*\n[ \t]{{0,4}}(?:{_KEYWORDS_OF_LOGIN})[ \t](\S{{3,60}})[ \t]*$"
    rf"|(?<![^\W_]){_USER}\s?(?:/|&|and|und|et|y|e|en)\s?(?:{_KEYWORDS_OF_LOGIN})(?:{IS}|\s?[:=])\s{{0,2}}"
    r"\S{2,80}?\s{0,2}[/|,]\s{0,2}(\S{3,60})",
    re.IGNORECASE | re.MULTILINE,
)
# With blanks, alone on the label's line: one of its parts has to look like a password's.
_PASSWORD_BLANK = lazy_pattern(
    rf"^[ \t>*\-]{{0,6}}(?:{_KEYWORDS_OF_LOGIN})[ \t]?[:=][ \t]{{0,3}}"
    r"([^\s'\"<\[]{2,30}(?: [^\s<\[]{1,30}){1,2})[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_MASKED = lazy_pattern(r"[*•.#_x\-]{3,}|<[A-Za-z_ \-]{2,30}>?")
_PASSWORD_SPACELESS = lazy_pattern(
    r"(?:パスワード|暗証番号|密码|密碼|비밀번호) ?(?:は|是|:|：|=|는|은)「? ?([!-~]{4,60})"
)
_LOGIN_PAIR = lazy_pattern(
    r"\b(?:credentials?|log-?in|logon|user(?:name)?|zugangsdaten|benutzername|identifiants?|credenciales|credenciais"
    r"|credenziali|inloggegevens)\b\s?[:=]\s{0,2}\S{2,80}\s?[/|:,;]\s?(\S{6,60})"
    r"|\b(?:log(?:ged|ging)?[ -]?(?:in|on)|sign(?:ed|ing)? in|credentials?,?)\b"
    r"[^\n.:=]{0,25}?\s?(?:with|using|are|mit|,)\s\S{2,80}\s(?:and|und|/|&)\s(?!(?-i:[A-Z]?[a-z]{2,30}\d{1,4}\b))(\S{6,60})",
    re.IGNORECASE,
)
_PAIR_STEMS = Stems(
    (
        "credential|login|log-in|logon|log in|log on|logged|logging|sign in|signed|signing|user|zugangsdaten"
        "|benutzername|identifiant|credencia|credenziali|inloggegevens"
    ).split("|")
)
# A word that only a generator makes, where access is spoken of: letters of both cases, digits and signs.
_INNER_SIGN = lazy_pattern(r"[!#$%^&*+?~|@<>(=;](?=[\w!#$%^&*+?~])")
_WORD_BEFORE, _WORD = lazy_pattern(r"\S+\Z"), lazy_pattern(r"\S{1,30}")
_AROUND = "\"'“”‘’`(,.;:!?)"
_RANDOM = lazy_pattern(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[\w!#$%^&*+?~|{}<>@()\[\]=;\-]{8,24}")
_CODE = lazy_pattern(r"[A-Za-z_]{3,}[(\[{=<]|[()\[\]{}<>=]{2}|@[A-Za-z]+\.|^[(<\[{].*[)>\]}]$")
_ACCESS_STEMS = Stems(
    "log in|login|logon|sign in|sign-in|credential|unlock|access|confidential|secur|zugang|anmeld|portal".split("|")
)
_COMMAND = lazy_pattern(
    r"\b(?:mysql(?:dump|admin)?\b[^\n]{0,80}\s-p|(?:curl|wget)\b[^\n]{0,120}\s(?:-u|--user)[ =]['\"]?[^\s:]{1,60}:"
    r"|sshpass\s-p ?['\"]?|net\suser\s\S{1,40}\s)([^\s'\"/][^\s'\"]{3,60})",
    re.IGNORECASE,
)
_COMMAND_STEMS = Stems(("mysql", "curl", "wget", "sshpass", "net user"))
_PIN = lazy_pattern(
    r"\b(?:(?-i:PIN|TAN|OTP|SMS-TAN)|CVV2?|CVC2?|CVN|pin[ -]?code|(?:my|your|the) pin"
    r"|one[- ]time (?:code|password|passcode|pin)|(?:verification|security|2fa|two-factor|authentication|login) code"
    r"|prüfnummer|kartenprüfnummer|code (?:pin|secret|de sécurité|de vérification)|código de (?:seguridad|verificación"
    r"|segurança)|codice (?:di sicurezza|di verifica)|verificatiecode|(?:bestätigungs|sicherheits|einmal)code"
    r"|pincode)(?:[ -](?:code|number|nummer))?"
    r"(?: (?:is|was|ist|lautet|est|es|é|è))?\s{0,2}[:=#.,]?\s{0,2}['\"“]?(\d{3,8})(?![\d/.\-]\d|\d)",
    re.IGNORECASE,
)
_PIN_STEMS = Stems(
    " pin|pin-|pincode|cvv|cvc|cvn|code|código|codice|one-time|one time|prüfn".split("|"), ("PIN", "TAN", "OTP")
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


def _has_digit_or_sign(part: str) -> bool:
    return re.search(r"\d\d|[#$%^&*@+!]", part) is not None and "://" not in part


def _is_mixed(value: str) -> bool:
    """Whether a word with nothing but its place to tell mixes letters with digits or symbols, as passwords do."""
    inner = value.rstrip(".,;:!?)")
    letter = any(map(str.isalpha, inner))
    return letter and "://" not in inner and re.search(r"[\d!#$%^&*@+?]", inner) is not None


def passwords(scan: Scan) -> Iterator[Span]:
    """Passwords in prose and forms, PINs and one-time codes."""
    text = scan.text
    stems = LOGIN_STEMS.within(scan)
    if stems:
        for match in scan.near(_PASSWORD_BLANK, stems, before=16, behind=110):
            parts = match[1].split()
            if any(map(_has_digit_or_sign, parts[1:])) and _NO_PASSWORD.isdisjoint(map(str.casefold, parts)):
                yield Span(match.start(1), match.end(1), "SECRET", match[1])
        for match in scan.near(_PASSWORD_OF_USER, stems, before=130, behind=170):
            at = match.lastindex or 0
            if match[at].casefold().strip(".,;:!?") not in _NO_PASSWORD and not _MASKED.fullmatch(match[at]):
                yield _trimmed(match.start(at), match[at], quoted=False)
        for match in scan.near(_PASSWORD, stems, before=16, behind=170):
            if _can_be(match) and not _MASKED.fullmatch(match[2]) and (match[1] or _looks_secret(match[2])):
                yield _trimmed(match.start(2), match[2], quoted=bool(match[1]))
        for match in scan.near(_PASSWORD_QUOTED, stems, before=16, behind=90):
            at = match.lastindex or 0
            yield Span(match.start(at), match.end(at), "SECRET", match[at])
        for match in scan.near(_PASSWORD_BARE, stems, before=16, behind=90):
            at = match.lastindex or 0
            if _is_mixed(match[at]) and not _MASKED.fullmatch(match[at]):
                yield _trimmed(match.start(at), match[at], quoted=False)
        for match in scan.near(_PASSWORD_LINE, stems, before=16, behind=100):
            if (
                not match.group().lstrip("> *-\t").startswith("PASS:")
                and match[1].casefold().strip(".,;:!?") not in _NO_PASSWORD
                and not _MASKED.fullmatch(match[1])
            ):
                yield Span(match.start(1), match.end(1), "SECRET", match[1])
    if not text.isascii():
        for match in _PASSWORD_SPACELESS.finditer(text):
            yield Span(match.start(1), match.end(1), "SECRET", match[1])
    if scan.digits or ":" in text or "=" in text:
        for match in scan.near(_LOGIN_PAIR, _PAIR_STEMS, before=2, behind=170):
            at = match.lastindex or 0
            if _is_mixed(match[at]):
                yield _trimmed(match.start(at), match[at], quoted=False)
    for match in scan.near(_INNER_SIGN, _ACCESS_STEMS, before=60, behind=110, digits=True):
        word = _WORD_BEFORE.search(text, max(0, match.start() - 24), match.start())
        word = _WORD.match(text, word.start() if word else match.start())
        found = word[0].strip(_AROUND) if word else ""
        if word and _RANDOM.fullmatch(found) and not _CODE.search(found):
            start = word.start() + word[0].index(found)
            yield Span(start, start + len(found), "SECRET", found)
    for match in scan.near(_COMMAND, _COMMAND_STEMS, before=2, behind=200):
        yield Span(match.start(1), match.end(1), "SECRET", match[1])
    for match in scan.near(_PIN, _PIN_STEMS, before=30, behind=60, digits=True):
        yield Span(match.start(1), match.end(1), "SECRET", match[1])


def _can_be(match: re.Match[str]) -> bool:
    """Not "I can pass `x`", a log's "PASS: name" or C++'s "pass::Name": the short word needs more around it."""
    word, gap, value = match.group()[:4], match.string[match.start() + 4 : match.start(2)], match[2]
    if word.lower() != "pass" or gap[:1].isalpha():
        return True
    return word != "PASS" and any(mark in gap for mark in ":=") and not value.startswith(":") and "::" not in value


def _trimmed(start: int, value: str, *, quoted: bool) -> Span:
    inner = value if quoted else value.rstrip(".,;:)") or value
    return Span(start, start + len(inner), "SECRET", inner)


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
_TOKEN_STEMS = Stems(("key", "secret", "token", "schlüssel", " api", "d'api", "d’api", "seed", "sleutel", "recovery"))
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

"""Passwords, PINs and one-time codes, by the words before them: what lets anybody in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....core.lazy_pattern import lazy_pattern
from .named import LOGIN, LOGIN_STEMS
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

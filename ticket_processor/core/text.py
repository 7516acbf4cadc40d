"""Makes text harmless: removes hidden characters, and turns free text into one plain line.

A ticket's author influences what a model writes about it. Before such text reaches a note or a log line, everything is
removed that a helpdesk could turn into a link, an image, mark-up, a placeholder or a mention. Cells of tables get a
prefix if a spreadsheet would take them for a formula. These functions are pure and accept any ``str``.

Also here: numbers of things in words, the user's name, and regular expressions that compile at first use, since most
commands and idle runs use few of them.
"""

from __future__ import annotations

import getpass
import html
import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from typing import Any, cast, final


class _LazyPattern:
    def __init__(self, pattern: str | Callable[[], str], flags: int) -> None:
        self._pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        pattern = self._pattern if isinstance(self._pattern, str) else self._pattern()
        value = getattr(re.compile(pattern, self._flags), name)
        self.__dict__[name] = value  # found without __getattr__ from now on
        return value


def lazy_pattern(pattern: str | Callable[[], str], flags: int = 0) -> re.Pattern[str]:
    """Like :func:`re.compile`, but compiles at the first call of a method, which raises for a wrong ``pattern``.

    A function as ``pattern`` is called at that time; it may read a file.
    Threads may share the result. Call its own methods: the functions of :mod:`re` do not take it.
    """
    return cast("re.Pattern[str]", _LazyPattern(pattern, flags))


class OutgoingText(str):
    """Text without secrets, which only ``analysis.text.outgoing`` makes: it was checked, is part of a redacted text,
    or is our own. Slices, sums and copies that were read back are plain ``str``."""

    __slots__ = ()

    def __new__(cls, *args: object, **kwargs: object) -> OutgoingText:
        raise TypeError("OutgoingText is made by what looks at words that leave")

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


@final
class ForeignText(OutgoingText):
    """A stranger's words, which were checked for personal data as well."""

    __slots__ = ()


class RedactionLevel(StrEnum):
    """How much redaction removes from a text; each level removes what the one before it does, and more.

    ``secrets`` is for our own sentences, and for a person who asks: no model gets a ticket at it.
    """

    SECRETS = "secrets"
    STANDARD = "standard"
    STRICT = "strict"


MAX_INPUT = 100_000
"""Maximum number of characters that are read of any text, so that no mail can hold up a run."""

MOST_MARKS = 30
"""Combining marks kept in a row: no language needs more, by Unicode's "stream-safe" text format (UAX #15)."""

PLACEHOLDER = lazy_pattern(
    r"\[(?:CARD|EMAIL|PHONE|IBAN|SSN|IP|URL|SECRET|NAME|ACCOUNT|NATIONAL_ID|TAX_ID|PASSPORT|LICENCE|CUSTOMER_ID|BIRTH_DATE"
    r"|ADDRESS|HANDLE)_\d{1,6}\]"
)
"""A placeholder that redaction puts in place of personal data; it is safe and must be kept."""

ENTITY = (
    r"&(?:#[xX][0-9A-Fa-f]{1,12};?|#[0-9]{1,12};?|[A-Za-z][A-Za-z0-9]{1,31};"
    # Without a semicolon as browsers read them, but in a link ("?a=1&copy=2") they are names.
    r"|(?:nbsp|shy|(?:amp|lt|gt|quot|middot|copy|reg|yen|pound|cent|deg|sect|para|laquo|raquo)(?![A-Za-z=;])))"
)
"""An entity of HTML, as a pattern."""
_WHOLE_ENTITY = lazy_pattern(ENTITY)
_MOST_LAYERS = 4

# Joiners carry meaning inside emoji sequences and inside words of Arabic and the Indic scripts.
_HIDDEN = lazy_pattern(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffc"
    r"\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    r"|(?<![\u0600-\u0dff\ufe0f\u2190-\u2bff\U0001f000-\U0001faff])[\u200c\u200d]"
    r"|[\u200c\u200d](?![\u0600-\u0dff\u2190-\u2bff\U0001f000-\U0001faff])"
    r"|(?<![\u00a9\u00ae\u2010-\u303f\u3297\u3299#*0-9\U0001f000-\U0001faff])\ufe0f"
)
_LINE_BREAKS = lazy_pattern(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Any character that the two patterns could match; searching for one set of characters is many times faster.
_SUSPECT = lazy_pattern(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\ud800-\udfff\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def strip_hidden(text: str) -> str:
    """``text`` without invisible characters, and with every line break as ``\\n``.

    Removed: C0 and C1 controls, zero-width and bidirectional marks, tag characters (U+E0000 to U+E007F),
    variation selectors and lone surrogates. Kept: tab, line break, and the joiners that hold emoji and words of
    joining scripts together.
    """
    if _SUSPECT.search(text) is None:
        return text
    return _HIDDEN.sub("", _LINE_BREAKS.sub("\n", text))


def unescaped(text: str) -> str:
    """Replace HTML entities by their characters, also entities that were escaped several times."""
    for _ in range(_MOST_LAYERS):
        if "&" not in text:
            break
        plainer = _WHOLE_ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
        if plainer == text:
            break
        text = plainer
    return text


def compatible(text: str) -> str:
    """``text`` in compatibility form (NFKC), with at most :data:`MOST_MARKS` combining marks in a row.

    Use it for all text of strangers: plain normalising takes time that grows with the square of a run of marks.
    """
    if text.isascii():
        return text
    # Twice: one mark may become two.
    return _few_marks(unicodedata.normalize("NFKC", _few_marks(text)))


def _few_marks(text: str) -> str:
    # Not every mark is one before it is decomposed: U+0F73 and U+FF9E are not.
    marks = [
        char for char in set(text) if char > "\u02ff" and unicodedata.combining(unicodedata.normalize("NFKD", char)[0])
    ]
    if not marks or sum(map(text.count, marks)) <= MOST_MARKS:
        return text
    one = f"[{''.join(marks)}]"
    return re.sub(rf"({one}{{{MOST_MARKS}}}){one}+", r"\1", text)


_TAG = lazy_pattern(r"</?[A-Za-z!?][^<>]{0,2000}>")
_ENTITY = lazy_pattern(r"&(?=#\w|\w{2,40};|(?:nbsp|shy|[lg]t|amp|quot)(?!=))", re.IGNORECASE)
_MARKDOWN_LINK = lazy_pattern(r"!?\[([^\[\]\n]{0,300})\](?:\([^()\n]{0,1000}\)|\[[^\[\]\n]{0,300}\])")
_DEFINITION = lazy_pattern(r"^ {0,3}\[[^\[\]\n]{1,300}\]:[^\n]*$", re.MULTILINE)
_SCHEME = lazy_pattern(r"[A-Za-z0-9+.\-]{0,20}:/{2}[^\s)]*")
_BARE_SCHEME = lazy_pattern(
    r"(?:mailto|javascript|vbscript):\S+|(?<![A-Za-z0-9])(?:tel|sms|data|file|blob|about|callto|skype|magnet|xmpp|geo"
    r"|ftp|https?|intent|slack|zoommtg|msteams):\S+",
    re.IGNORECASE,
)
_EMAIL = lazy_pattern(r"[^\s@]{1,64}@[^\s@]{0,255}\.[^\s@]{1,64}")
_DOMAIN = lazy_pattern(
    r"(?<!\w)www\.\S+|(?<![\w.\-])(?:(?:[\w\-]{1,63}\.){1,8}(?:com|net|org|edu|gov|mil|int|info|biz|io|co|app|dev|ai|me|"
    r"tv|cc|xyz|top|site|online|shop|store|link|click|live|icu|club|cloud|zip|mov|page|ly|gl|eu|de|at|ch|fr|es|pt|"
    r"br|it|nl|be|uk|ie|se|no|dk|fi|pl|cz|ru|ua|tr|in|cn|jp|kr|us|ca|mx|ar|au|nz|za)(?![\w\-])(?:[/:?#]\S*)?)",
    re.IGNORECASE,
)
# Any character may precede the dot: domains can hold emoji, and some helpdesks link after a mark or a dash as well.
_DOTTED = lazy_pattern(r"(?<=\S)\.(?=[^\W\d_])|(?<=\S)\u3002(?=[A-Za-z])")
_NUMERIC = lazy_pattern(r"(?<!\d)\d{1,3}(?:\.\d{1,3}){3,8}(?::\d\S*|[/?#][^\s?#]\S*|/(?!\S))")
_NO_SCHEME = lazy_pattern(r"(?<![^\s(])/{2,}[^\s/”]*\.[^\s”]\S*")
_MARKUP = lazy_pattern(r"\{%|%\}|[*`~|{}<>@＠^\\]|\$+(?=[{(])|(?<!\w)_+|_+(?!\w)")
_BETWEEN_DIGITS = lazy_pattern(r"(?<=\d)[*~|^<>]+(?=\d)")  # 5*3 is not 53
_LINE_MARKUP = lazy_pattern(r"^[ \t]*(?:#{1,6}[ \t]+|>+[ \t]?|[-+][ \t]+|={3,}|-{3,})", re.MULTILINE)
_BRACKETS = str.maketrans("[]", "()")
# One line of words with single spaces, and marks where they can begin nothing. Most texts match, and skip twenty
# searches that would take most of a ticket's time. Only the set of characters is possessive: Python before 3.11.5 takes
# a possessive group for matched although its last part failed. No two parts begin alike, so that a failure costs one
# step back for each.
_HARMLESS = lazy_pattern(
    r"(?![ #-])(?:[A-Za-z0-9\xc0-\xd6\xd8-\xf6\xf8-\xff,;!?()'\"“”%#–€¿¡-]++| (?! |\Z)"
    r"|(?<![Ww])\.(?=[ \"'“”)]|\Z)|(?<=[0-9])\.(?=[0-9]{1,9}(?![0-9]|\.[0-9]))|:(?= |\Z)|(?<=[0-9]):(?=[0-9])"
    r"|/(?!/)|(?<=[A-Za-z0-9])_(?=[A-Za-z0-9]))*\Z"
)
_TOUCHING = lazy_pattern(rf"({PLACEHOLDER.pattern})(?=[(\[:])")


# Cheap to search for; every match of a slow pattern holds one of these characters.
_MARK = lazy_pattern(r"[*`~|{}<>@＠^$\\_]")
_INNER_DOT = lazy_pattern(r"[.\u3002]\S")


def _scheme_links(text: str) -> str:
    if ":" not in text:
        return text
    return _BARE_SCHEME.sub(" ", _SCHEME.sub(" ", text) if "://" in text else text)


def _round_brackets(text: str) -> str:
    """Replace square brackets by round ones, except around placeholders."""
    if "[" not in text and "]" not in text:
        return text
    parts: list[str] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        parts += [text[end : match.start()].translate(_BRACKETS), match.group()]
        end = match.end()
    parts.append(text[end:].translate(_BRACKETS))
    return "".join(parts)


def _strip_once(text: str) -> str:
    for _ in range(3):
        unescaped = html.unescape(text)
        if unescaped == text:
            break
        text = unescaped
    text = strip_hidden(compatible(strip_hidden(text)))
    # "[CARD_1](…" would be a link: a placeholder never touches what could make it one.
    if "[" in text:
        text = _TOUCHING.sub(r"\1 ", text)
        text = _DEFINITION.sub(" ", text)
    text = _TAG.sub(" ", text)
    if "[" in text:
        text = _MARKDOWN_LINK.sub(r" \1 ", text).replace("![", "! [")
    text = _LINE_MARKUP.sub(" ", text)
    text = _scheme_links(text.replace("\\", "/"))
    if "@" in text:
        text = _EMAIL.sub(" ", text)
    if _MARK.search(text):
        text = _scheme_links(_MARKUP.sub("", _BETWEEN_DIGITS.sub(" ", text)))
    if _INNER_DOT.search(text):
        text = _DOMAIN.sub(" ", text)
        text = _NO_SCHEME.sub(" ", _NUMERIC.sub(" ", text))
        text = _DOTTED.sub(r"\g<0> ", text)
    text = _ENTITY.sub("", text)
    return " ".join(_round_brackets(text).split())


def plain_line(text: str, limit: int = 300) -> str:
    """``text`` as one line of at most ``limit`` characters that every program shows as plain words.

    Links (with and without scheme, Markdown and HTML), images, tags, entities, Markdown mark-up, braces,
    ``@`` and control characters are removed; a dot before a letter is followed by a space, so that no helpdesk
    makes a link of it. Placeholders of redaction stay. A longer text is cut at a word border and ends in an
    ellipsis. Applying it twice gives the same, except that a cut text may be cut once more.
    """
    if limit <= 0:
        return ""
    text = text[: min(MAX_INPUT, 20 * limit + 2000)]
    if _HARMLESS.match(text):
        return _cut(text, limit)
    for _ in range(6):
        stripped = _strip_once(text)
        if stripped == text:
            break
        text = stripped
    else:
        text = _last_resort(text)
    return _cut(text, limit)


def _last_resort(text: str) -> str:
    """Keep only letters, digits, spaces and mild punctuation, for texts that were built to survive stripping."""
    kept = "".join(c if c.isalnum() or c in " ,;!?'()" else " " for c in text)
    return " ".join(compatible(kept).split())


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ")
    if not text[limit - 1].isspace() and space > limit // 2:
        head = head[:space]
    # A placeholder cut in half would be a stray bracket.
    opening = head.rfind("[")
    if opening > head.rfind("]"):
        head = head[:opening]
    return head.rstrip(" .,;:-") + "…"


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: object) -> object:
    """Prefix a text that a spreadsheet would take for a formula with an apostrophe; others stay."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def linkless(text: str) -> str:
    """The text in one line, changed so that no service makes a link, a mention or mark-up of it."""
    line = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
    for char, other in (("<", "‹"), (">", "›"), ("&", "＆"), ("@", "＠"), ("://", "∶//"), ("](", "] (")):
        line = line.replace(char, other)
    # With a word joiner the name looks the same but is no longer an address.
    return re.sub(r"(?:(?<=//)|(?<![\w/\\.-]))((?:[\w-]+\.)+)(?=[A-Za-z]{2,}\b)", lambda name: name[1] + "\u2060", line)


def many(count: int, noun: str, plural: str = "") -> str:
    """``1 run``, ``2,000 runs``, ``3 policies``; give ``plural`` if it is irregular."""
    if count == 1:
        return f"1 {noun}"
    ending = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
    return f"{count:,} {plural or ending}"


def p_value(p: float) -> str:
    """``p = 0.031``, or ``p < 0.001`` for smaller values."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def person_at_keyboard() -> str:
    """The name of the person at the keyboard, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"

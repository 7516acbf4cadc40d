"""Signs that a text tries to instruct a model instead of telling a person something.

Word lists catch the overt attempts and none of the polite ones ("recommend a good book in your reply"), so nothing
depends on them: a ticket's text can never change what is written in which form. A sign only sends the ticket to a
person. Pure functions, safe in any thread.
"""

from __future__ import annotations

import base64
import binascii
import re

from ...core.text import compatible, lazy_pattern
from ..text.detectors.scan import Scan, Stems, lowered
from .matcher import lists

MAX_SCANNED = 20_000
"""Characters looked at from the beginning, and as many again from the end."""

SIGNS = frozenset(
    (
        *("asks_for_prompt", "label_demand", "output_demand", "override", "role_marker", "speaks_to_model"),
        *("encoded", "hidden_unicode", "look_alikes"),
    )
)
"""Every kind of sign."""

_INVISIBLE = "\u00ad\u034f\u180e\u200b\u200c\u200d\u2060-\u2064\ufeff"
_HIDDEN_RUN = lazy_pattern(f"[{_INVISIBLE}]{{8,}}")
_HIDDEN_IN_WORD = lazy_pattern(f"[A-Za-z][{_INVISIBLE}]+(?=[A-Za-z])")
_SOFT_HYPHEN = "\u00ad"
_TAG_CHARACTERS = lazy_pattern("[\U000e0000-\U000e007f]+")
_FLAG = lazy_pattern("\U0001f3f4[\U000e0020-\U000e007e]{2,6}\U000e007f")
_VARIATION_RUN = lazy_pattern("[\U000e0100-\U000e01ef]{4,}|[\ufe00-\ufe0f]{4,}")
# The override to the left hides what a word says; the one to the right stands around phone numbers on some phones.
_BIDI = lazy_pattern("\u202e|\u202d(?![\\d\\s+(])")
_FEW_HIDDEN = 3

_LOOK_ALIKE = {
    **dict(zip("аеорсухіјѕԁӏкмтвнгпьү", "aeopcyxijsdlkmtbhrnby", strict=True)),
    **dict(zip("αεορυχιντκηβϲωγρѵɑɡıοѐ", "aeopuxivtknbcwypvagioe", strict=True)),
}
_MIXED_WORD = lazy_pattern(
    r"[a-z][\u0370-\u03ff\u0400-\u04ff\u0251\u03f2]{1,12}[a-z]|[\u0370-\u03ff\u0400-\u04ff][a-z]{2}"
)
_OTHER_SCRIPT = lazy_pattern("[\u0251\u0370-\u04ff]")
"""In every mixed word."""
_STYLED = lazy_pattern("[\U0001d400-\U0001d7ff]")
_MANY_STYLED = 8
_TO_PLAIN = str.maketrans(_LOOK_ALIKE)
_ODD = lazy_pattern(
    f"[{_INVISIBLE}\u0251\u0370-\u04ff\u202d\u202e\ufe00-\ufe0f\U0001d400-\U0001d7ff\U000e0000-\U000e007f"
    "\U000e0100-\U000e01ef]"
)
"""What every sign in characters has one of, in lower case."""
_IN_LEET = frozenset(("override", "asks_for_prompt", "role_marker"))
_LEET = str.maketrans("013457869@$!|+€", "oieastbggasilte")
# Both begin with a set of characters, which is searched for fast.
_LEET_WORD = lazy_pattern(r"[0134578@$!|+€](?<=[a-z].)(?=[a-z])")
_SPACED_PIECE = lazy_pattern(r"[ ._*\-][a-z][ ._*\-]{1,2}[a-z][ ._*\-]")
"""In all that is spaced out; few words end in such a sign, which makes it fast."""
_SPACED_OUT = lazy_pattern(r"[a-z](?<!\w.)[ ._*\-]{1,2}(?:[a-z][ ._*\-]{1,2}){8}[a-z](?!\w)")
_ALL_ESCAPED = lazy_pattern(r"(?:\\[^\s\\]){6}")
_BLANKS = lazy_pattern(r"[^\S\n](?:(?<! )|[^\S\n])[^\S\n]*")
_BACKSLASHES = lazy_pattern(r"\\(?=.)")
_LONG_RUN = lazy_pattern(r"[A-Za-z0-9+/]{20}")
_BASE64 = lazy_pattern(r"(?<![A-Za-z0-9+/=_\-])[A-Za-z0-9+/]{24,2000}={0,2}(?![A-Za-z0-9+/=_\-])")
_HEX = lazy_pattern(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}){10,1000}(?![0-9A-Fa-f])")
_ESCAPES = lazy_pattern(r"(?:\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|&#x?[0-9a-fA-F]{2,5};|%[0-9a-fA-F]{2}){8,}")
_ESCAPED_LETTER = lazy_pattern(r"\\{1,4}(?:(?:u00|x)([2-7][0-9a-fA-F])|([\"']))")
_DECODER = lazy_pattern(
    r"bytes\.fromhex|base64\.b64decode|\batob\(|\brot ?13\b|\bdecode (?:this|the following) (?:base64|hex)", re.I
)
_DECODER_STEMS = Stems(("fromhex", "b64decode", "atob(", "rot13", "rot 13", "decode"))
_PROSE = lazy_pattern(r"[A-Za-z]{2,} [A-Za-z]{2,} [A-Za-z]{2,}")
_MOST_BLOBS = 20
_AROUND = 200
"""Characters around a needle in which an instruction stands whole."""


def signs_of(text: str) -> tuple[str, ...]:
    """The kinds of signs in ``text`` that it means to instruct a model, in alphabetical order; empty for most texts.

    Kinds: ``hidden_unicode`` (tag characters, runs of invisible ones, direction overrides), ``look_alikes`` (letters
    of other scripts inside words, styled alphabets, letters spaced out), ``encoded`` (sentences in Base64, hex or
    escapes), ``override`` ("ignore previous instructions"), ``role_marker``, ``asks_for_prompt``, ``label_demand``,
    ``speaks_to_model`` and ``output_demand``. Give it the text as it came: cleaning removes hidden characters.
    """
    if len(text) > 2 * MAX_SCANNED:
        text = text[:MAX_SCANNED] + "\n" + text[-MAX_SCANNED:]
    signs = _signs_in_characters(text)
    folded = _folded(text)
    if "\\" in text and _ESCAPED_LETTER.search(text):
        folded += "\n" + _folded(_ESCAPED_LETTER.sub(lambda at: chr(int(at[1], 16)) if at[1] else at[2], text))
    spaced_out = _SPACED_PIECE.search(folded) and _SPACED_OUT.search(folded)
    if spaced_out or ("\\" in folded and _ALL_ESCAPED.search(folded)):
        signs.add("look_alikes")
        folded += "\n" + _BACKSLASHES.sub("", folded)
    scan = Scan(folded)
    signs |= _signs_in_words(scan)
    if _LEET_WORD.search(folded):
        signs |= _signs_in_words(Scan(folded.translate(_LEET)), _IN_LEET)
    if _has_encoded_prose(text, scan):
        signs.add("encoded")
    return tuple(sorted(signs))


def _signs_in_characters(text: str) -> set[str]:
    signs: set[str] = set()
    if text.isascii() or not _ODD.search(text.lower()):
        return signs
    if (
        _TAG_CHARACTERS.search(_FLAG.sub("", text))
        or any(len(set(run)) > 1 for run in _HIDDEN_RUN.findall(text))
        or sum(_SOFT_HYPHEN not in found for found in _HIDDEN_IN_WORD.findall(text)) >= _FEW_HIDDEN
        or _VARIATION_RUN.search(text)
        or _BIDI.search(text)
    ):
        signs.add("hidden_unicode")
    if len(_MIXED_WORD.findall(text.lower())) > 1 or len(_STYLED.findall(text)) >= _MANY_STYLED:
        signs.add("look_alikes")
    return signs


def _folded(text: str) -> str:
    """``text`` in lower case, without hidden characters, look-alike letters as the ones they look like."""
    if not text.isascii():
        tags = "".join(chr(ord(char) - 0xE0000) for run in _TAG_CHARACTERS.findall(text) for char in run)
        text = compatible(re.sub(f"[{_INVISIBLE}\u202a-\u202e\u2066-\u2069]", "", text))
        text = _TAG_CHARACTERS.sub("", text).replace("’", "'")
        text = lowered(f"{text}\n{tags}" if tags else text)
        if _OTHER_SCRIPT.search(text) and _MIXED_WORD.search(text):
            text = text.translate(_TO_PLAIN)
    else:
        text = text.lower()
    return _BLANKS.sub(" ", text)


def _instructions() -> tuple[tuple[str, Stems, re.Pattern[str]], ...]:
    """Sign, needles and pattern of each row; a part that a pattern names in braces stands for itself."""
    table = lists("instructions", between_lines="")
    rows = []
    for row in table["instructions"]:
        pattern = row["pattern"]
        for name, part in table["parts"].items():
            pattern = pattern.replace(f"{{{name}}}", part)
        rows.append((row["sign"], Stems(row["needles"]), lazy_pattern(pattern)))
    return tuple(rows)


_INSTRUCTIONS = _instructions()
"""Made as this is imported: a text that is scanned before its needles are known seems to hold none of them."""


def _signs_in_words(folded: Scan, wanted: frozenset[str] = SIGNS) -> set[str]:
    signs: set[str] = set()
    for sign, needles, pattern in _INSTRUCTIONS:
        if sign not in wanted or sign in signs or not folded.hints & needles.bits:
            continue
        if any(folded.near(pattern, needles, before=_AROUND, behind=_AROUND)):
            signs.add(sign)
    return signs


def _has_encoded_prose(text: str, folded: Scan) -> bool:
    if _DECODER_STEMS.within(folded) and _DECODER.search(text):
        return True
    if ("\\" in text or "&" in text or "%" in text) and _PROSE.search(_unescaped(text)):
        return True
    if not _LONG_RUN.search(text):
        return False
    for blob in _BASE64.findall(text)[:_MOST_BLOBS]:
        if _is_prose(_decoded_base64(blob)):
            return True
    return any(_is_prose(bytes.fromhex(blob)) for blob in _HEX.findall(text)[:_MOST_BLOBS])


def _unescaped(text: str) -> str:
    found = " ".join(_ESCAPES.findall(text)[:_MOST_BLOBS])
    codes = re.findall(r"(?:\\x|\\u00|&#x|%)([0-9a-fA-F]{2});?|&#(\d{2,3});", found)
    return "".join(chr(int(hexadecimal, 16) if hexadecimal else int(decimal)) for hexadecimal, decimal in codes)


def _decoded_base64(blob: str) -> bytes:
    try:
        return base64.b64decode(blob + "=" * (-len(blob) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_prose(decoded: bytes) -> bool:
    try:
        return bool(_PROSE.search(decoded.decode("ascii")))
    except UnicodeDecodeError:
        return False

"""Other readings of a text, in which a value is found and then replaced where it stands in the text itself.

As its next reader would see it: entities and escapes decoded, tags gone, spread and wrapped words joined. And tables
cell by cell, each behind the head of its column: "User | Password" over "bob | hunter22".
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from ....core.text import ENTITY, lazy_pattern, strip_hidden
from .identity import LABEL, label_stems
from .scan import Scan, Span, matching_form

_FIELD = lazy_pattern(
    lambda: (
        rf"<(?:{LABEL.pattern})(?:\s[^<>]{{0,200}})?>"
        rf"|>\s?(?:{LABEL.pattern})\s?:?\s?(?:</?[A-Za-z][^<>]{{0,200}}>\s{{0,4}}:?\s{{0,4}}){{1,6}}(?=[^\s<])"
    ),
    re.IGNORECASE,
)
"""A label and the tags between it and its value, or a label that is a tag itself."""
_ROUNDS = 4
"""Layers of encoding that are undone, one a round."""
_BEFORE, _BEHIND = 100, 300
"""Characters around a change that are read with it, at least."""
_INLINE = "a|abbr|b|bdo|big|code|em|font|i|mark|o:p|s|small|span|strong|sub|sup|tt|u|wbr"
_UNSEEN = rf"(?:<!--[^<>]{{0,2000}}-->|</?(?:{_INLINE})(?=[\s/>])[^<>]{{0,2000}}>)"
_TAGS = r"/?[A-Za-z!][^<>]{0,2000}>(?:\s{0,4}</?[A-Za-z!][^<>]{0,2000}>){0,8}\s{0,4}"
_WRITTEN = lazy_pattern(
    r"(?=[&%\\<\u0300-\u036f\u20d0-\u20ff\ufe0f])(?:"  # whatever begins none is passed over faster
    rf"{ENTITY}"
    r"|%(?:[0-7][0-9A-Fa-f]|[CDcd][0-9A-Fa-f]%[89ABab][0-9A-Fa-f]|[Ee][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f]){2}"
    r"|[Ff][0-7](?:%[89ABab][0-9A-Fa-f]){3}|[89A-Fa-f][0-9A-Fa-f])"
    r"|\\(?:u(?:[0-9A-Fa-f]{4}|\{[0-9A-Fa-f]{1,6}\})|x[0-9A-Fa-f]{2})"
    # Invisible tags, those in the middle of a word, and those beside digits, an address or a label's sign.
    rf"|{_UNSEEN}|<(?<=\w<){_TAGS}(?=\w)"
    rf"|<(?<=[0-9@:=]<){_TAGS}|<(?<=[0-9@:=]\s<){_TAGS}|<{_TAGS}(?=[0-9@:=])"
    # Marks that are drawn over a digit or a letter: keycaps, underlines.
    r"|[\u0300-\u036f\u20d0-\u20ff\ufe0f](?<=[0-9A-Za-z\u0300-\u036f\u20d0-\u20ff\ufe0f].))"
)
_MARK = lazy_pattern(r"[\u0300-\u036f\u20d0-\u20ff]")
_UNSEEN_TAG = lazy_pattern(_UNSEEN, re.IGNORECASE)
_LOOSE = lazy_pattern(r"[*_~|^=+`{}$\\·•](?<=[0-9].)[*_~|^=+`{}$\\·•]{0,3}(?=[0-9])")
# Quoted-printable: a line that goes on, and escapes of which one names a sign or a letter, or two stand together.
_PRINTABLE = lazy_pattern(
    r"=\n(?<=[^\s=]=\n)(?=\S)|=(?:[2-7][0-9A-F]|C2=A0|[CD][0-9A-F]=[89AB][0-9A-F]|E2=8[0-9]=[89AB][0-9A-F])"
)
_IS_PRINTABLE = lazy_pattern(r"=\n(?<=[^\s=]=\n)(?=\S)|=[2-7][A-F]|=40|=C2=A0|=[2-7][0-9](?=\w{0,80}=[2-7][0-9])")
# "p a s s w o r d", with the same sign between all letters.
_SPREAD = lazy_pattern(r"[ .\-_*\n:=][^\W\d_]([ .\-_*]{1,2})[^\W_]\1[^\W_](?![^\W_])")
_SPREAD_WORD = lazy_pattern(r"[^\W_](?<![^\W_].)([ .\-_*]{1,2})[^\W_](?:\1[^\W_]){0,100}(?![^\W_])")
# A key over two lines: behind many of its characters, alone on the next, and no word.
_WRAPPED = lazy_pattern(
    r"\n(?<=[\w\-+.=:]{16}\n)(?<![^\W\d]{16}\n)[ \t>]{0,6}(?=[\w\-+/.]{3,200}={0,2}[ \t]*(?:\n|\Z))"
    r"(?=\S{0,200}(?:\d|[a-z][A-Z]))"
)
_LEET = lazy_pattern(
    r"[pṗṕ][aáàâäãåāăȧạ@4][sśšşṡṣ$5]{2}[wẃẁŵẅẇ][oóòôöõøōȯọ0][rŕřṙ][dtďḋđťṫ](?=\s{0,2}(?:[:=]|is\b|ist\b))",
    re.IGNORECASE,
)
_LEET_PIECE = lazy_pattern(r"w0r|@ss|\$\$w|4ss|55w")


class Reading(NamedTuple):
    """A reading of a text; every character of it came from the place between ``starts`` and ``ends`` there."""

    text: str
    starts: list[int]
    ends: list[int]

    def in_text(self, span: Span) -> Span:
        """The span where it stands in the text itself."""
        return span._replace(start=self.starts[span.start], end=self.ends[span.end - 1])


def readings(scan: Scan) -> Iterator[Reading]:
    """The other ways to read parts of a text; most texts have none.

    Each is some lines in which every layer of encoding is undone, and marks of mark-up between digits are dashes.
    """
    text, digits = scan.text, scan.digits > 0
    written = "&" in text or "%" in text or "<" in text or "\\" in text
    marked = not text.isascii() and (_MARK.search(text) is not None or (digits and "\ufe0f" in text))
    changes = [match.start() for match in _WRITTEN.finditer(text)] if written or marked else []
    if "<" in text:
        changes += [match.start() for match in scan.near(_FIELD, label_stems(scan), before=30, behind=270)]
    changes += [match.start() for match in _LOOSE.finditer(text)] if digits else []
    changes += [match.start() for match in _SPREAD.finditer(f" {text}")]
    changes += [match.start() for match in _WRAPPED.finditer(text)] if digits and "\n" in text else []
    if not text.isascii() or _LEET_PIECE.search(scan.lower):
        changes += [match.start() for match in _LEET.finditer(text)]
    printable = "=" in text and _IS_PRINTABLE.search(text) is not None
    changes += [match.start() for match in _PRINTABLE.finditer(text)] if printable else []
    done = 0
    for change in sorted(changes):
        if change >= done:
            start, done = _lines_around(text, change)
            places = range(start, done)
            for reading in _decoded(text[start:done], printable=printable):
                yield reading._replace(
                    starts=[places[at] for at in reading.starts], ends=[places[at - 1] + 1 for at in reading.ends]
                )


def _lines_around(text: str, at: int) -> tuple[int, int]:
    """The whole lines around this place: a label stands before its value, and a number may go on below."""
    start = text.rfind("\n", 0, max(0, at - _BEFORE)) + 1
    end = text.find("\n", at + _BEHIND)
    return start, len(text) if end < 0 else end


def _decoded(text: str, *, printable: bool) -> Iterator[Reading]:
    """The text decoded, and where there is anything to join or to label, once more so: joining can undo a number."""
    whole = Reading(text, list(range(len(text))), list(range(1, len(text) + 1)))
    plain = _layers(whole)
    yield _rewritten(plain, _LOOSE, lambda _mark: "-")
    labelled = _rewritten(whole, _FIELD, _field) if "<" in text else whole
    labelled = _rewritten(labelled, _PRINTABLE, _meant) if printable else labelled
    joined = plain if labelled is whole else _layers(labelled)
    joined = _rewritten(joined, _WRAPPED, lambda _break: "")
    joined = _rewritten(joined, _LEET, lambda _word: "password")
    if _SPREAD.search(f" {joined.text}"):
        joined = _rewritten(joined, _SPREAD_WORD, _joined)
    if joined is not plain:
        yield _rewritten(joined, _LOOSE, lambda _mark: "-")


def _layers(reading: Reading) -> Reading:
    for _ in range(_ROUNDS):
        before, reading = reading, _rewritten(reading, _WRITTEN, _meant)
        if reading is before:
            break
    return reading


def _field(written: str) -> str:
    """The label that a tag names, or that stands before tags, with a colon."""
    named = re.match(r"<([^\s<>]{1,60})[^<>]*>\Z", written)
    return f" {(named[1] if named else re.sub('<[^<>]*>|:', '', written[1:])).strip(' :')}: "


def _joined(spread: str) -> str:
    """The word that is spread out with one sign between its letters."""
    return spread[:: len(spread) - len(spread[1:].lstrip(" .-_*"))]


def _rewritten(reading: Reading, pattern: re.Pattern[str], meant: Callable[[str], str]) -> Reading:
    """The reading with what the pattern finds replaced by what is meant, in its matching form."""
    if pattern.search(reading.text) is None:
        return reading
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for match in pattern.finditer(reading.text):
        start, end = match.span()
        parts.append(reading.text[done:start])
        starts += reading.starts[done:start]
        ends += reading.ends[done:start]
        said = meant(match.group())
        parts.append(said)
        starts += [reading.starts[start]] * len(said)
        ends += [reading.ends[end - 1]] * len(said)
        done = end
    parts.append(reading.text[done:])
    return Reading(matching_form("".join(parts)), starts + reading.starts[done:], ends + reading.ends[done:])


def _meant(written: str) -> str:
    """The visible characters that an entity, escape or tag stands for."""
    if written[0] == "<":
        return "" if _UNSEEN_TAG.sub("", written) == "" else " "
    if written[0] == "&":
        return _visible(html.unescape(written))
    if written[0] == "=" and written[-1] == "\n":
        return ""
    if written[0] in "%=":
        octets = bytes.fromhex(written.replace(written[0], ""))
        try:
            return _visible(octets.decode("utf-8"))
        except UnicodeDecodeError:
            return _visible(octets.decode("latin-1"))
    if written[0] == "\\":
        code = int(written.strip("\\ux{}"), 16)
        return _visible(chr(code)) if code <= 0x10FFFF else ""
    return ""


def _visible(said: str) -> str:
    return "".join(
        " " if char.isspace() and char not in "\t\n" else char
        for char in strip_hidden(said)
        if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf", "Mn", "Me", "Cs")
    )


_MOST_ROWS, _MOST_CELLS, _LONGEST_HEAD, _LONGEST_LINE = 200, 30, 40, 400
_HEAD = lazy_pattern(
    r"user(?:[ _-]?(?:name|id))?|log-?in|benutzer(?:name)?|usuario|usuário|utente|utilisateur|identifiant|gebruiker"
    r"|e-?mail|role|rolle|name|id|host|server|url|site|service|system|app|company|firma|note|notes|type|date|status",
    re.IGNORECASE,
)
_SIGNS = ("|", "\t", ";", ",", "  ", " ")
_STRONG = ("|", "\t", "  ")
"""Signs that hardly stand in sentences: beside them one known head is enough."""
_WORDS = {"  ": lazy_pattern(r"\S+(?: \S+)*"), " ": lazy_pattern(r"\S+")}
_RULE = lazy_pattern(r"[\s|+:=\-]*")
_AROUND = " \t*_`'\">:"
_Cell = tuple[int, int]
_Found = tuple[_Cell, str, _Cell]
"""A label, what to read between, and a value."""


def table_readings(scan: Scan) -> Iterator[Reading]:
    """Each table with a column for a secret: its cells, every one behind its label, where they stand in the text."""
    text, lower = scan.text, scan.lower
    if "\n" not in text and "|" not in text and "\t" not in text:
        return
    heads: set[int] = set()
    for stem in label_stems(scan):
        at = lower.find(stem)
        while at >= 0:
            heads.add(text.rfind("\n", 0, at + 1) + 1)
            end = text.find("\n", at)
            at = lower.find(stem, end) if end >= 0 else -1
    found: list[_Found] = []
    for start in sorted(heads):
        lines = _lines(text, start)
        line = next(lines, (start, start))
        if line[1] - line[0] > _LONGEST_LINE:
            continue
        if _is_label(_said(text, line)):
            found += _stacked(text, line, lines)
        for sign in _SIGNS:
            cells = _cells(text, line, sign)
            if len(cells) > 1 and _are_heads(text, cells, strict=sign not in _STRONG):
                found += _below(text, cells, sign, lines)
                found += _beside(text, cells) if sign in _STRONG else []
                break
    if found:
        yield _reading(text, found)


def _lines(text: str, at: int) -> Iterator[_Cell]:
    """The lines from this place on that hold more than a rule."""
    for _ in range(_MOST_ROWS):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if not _RULE.fullmatch(text, at, end):
            yield at, end
        at = end + 1
        if at > len(text):
            return


def _cells(text: str, line: _Cell, sign: str) -> list[_Cell]:
    start, end = line
    if sign not in text[start:end]:
        return []
    if sign in _WORDS:
        return [word.span() for word in _WORDS[sign].finditer(text, start, end)][:_MOST_CELLS]
    cells: list[_Cell] = []
    for part in text[start:end].split(sign)[:_MOST_CELLS]:
        cells.append((start, start + len(part)))
        start += len(part) + 1
    if sign == "|":  # of those around a row the outer two are no cells
        cells = cells[not text[slice(*cells[0])].strip() : len(cells) - (not text[slice(*cells[-1])].strip())]
    return cells


def _said(text: str, cell: _Cell) -> str:
    return text[cell[0] : min(cell[1], cell[0] + 200)].strip(_AROUND)


def _is_label(said: str) -> bool:
    return len(said) <= _LONGEST_HEAD and LABEL.fullmatch(said) is not None


def _are_heads(text: str, cells: Sequence[_Cell], *, strict: bool) -> bool:
    """Whether one cell names a secret and the others are short; ``strict``: and they name known things."""
    said = [_said(text, cell) for cell in cells]
    if max(map(len, said)) > _LONGEST_HEAD or not any(map(_is_label, said)):
        return False
    return not strict or all(_HEAD.fullmatch(each) or _is_label(each) for each in said)


def _below(text: str, heads: Sequence[_Cell], sign: str, rows: Iterator[_Cell]) -> Iterator[_Found]:
    """The cells below the heads that name a secret, down to a row that is none of this table."""
    labels = [(at, head) for at, head in enumerate(heads) if _is_label(_said(text, head))]
    for row in rows:
        cells = _cells(text, row, sign)
        if len(cells) < 2 or (sign not in _STRONG and len(cells) != len(heads)):
            return
        for at, head in labels:
            if at < len(cells) and not _names(_said(text, cells[at])):
                yield head, ": ", cells[at]


def _beside(text: str, cells: Sequence[_Cell]) -> Iterator[_Found]:
    for head, value in pairwise(cells):
        if _is_label(_said(text, head)) and not _names(_said(text, value)):
            yield head, " ", value


def _stacked(text: str, label: _Cell, below: Iterator[_Cell]) -> Iterator[_Found]:
    """The value of a label that stands among other heads below each other, as a table's cells are pasted."""
    before = 0
    above = text[max(0, label[0] - _LONGEST_LINE) : label[0]].splitlines()
    while above and (not above[-1].strip() or _names(above[-1])):
        before += bool(above.pop().strip())
    rest = list(islice(below, 2 * _MOST_CELLS))
    behind = next((at for at, line in enumerate(rest) if not _names(text[slice(*line)])), len(rest))
    if before + behind and before + 2 * behind < len(rest):
        value = rest[behind + before]
        if not _names(text[slice(*value)].partition(":")[0]):
            yield label, ": ", value


def _names(said: str) -> bool:
    """Whether this is a head of a column or a field."""
    said = said.strip(_AROUND)
    return len(said) <= _LONGEST_HEAD and (_HEAD.fullmatch(said) is not None or _is_label(said))


def _reading(text: str, found: Sequence[_Found]) -> Reading:
    """Lines of labels and values; only the values take up room in the text."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for head, between, value in found:
        said = text[slice(*value)].rstrip(" \t")
        value_at = value[0] + len(said) - len(said.lstrip(" \t*`>"))
        said = text[value_at : value[0] + len(said)].rstrip("*`")
        label = f"{_said(text, head)}{between}"
        parts.append(f"{label}{said}\n")
        starts += [value_at] * len(label) + list(range(value_at, value_at + len(said))) + [value_at + len(said)]
        ends += [value_at] * len(label) + list(range(value_at + 1, value_at + len(said) + 1)) + [value_at + len(said)]
    return Reading("".join(parts), starts, ends)

"""Tables of text read cell by cell, each behind the head of its column: "User | Password" over "bob | hunter22"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from ....core.text import lazy_pattern
from .disguise import Reading
from .identity import LABEL, label_stems
from .scan import Scan

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

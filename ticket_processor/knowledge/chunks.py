"""Cuts an article into passages at its headings; a code block or a table stays whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .text import FENCE

LONGEST = 1_200
"""Characters of a passage, but for code and tables."""
SHORTEST = 800
"""A section is cut from here on where a new block of text begins."""
LONGEST_WHOLE = 6_000
"""A code block or a table longer than this is cut too, at line ends."""
MOST_PASSAGES = 400

_HEADING = re.compile(r"(#{1,6})\s+(\S.*)$")
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|(?<=[。！？])")


@dataclass(frozen=True)
class Chunk:
    """One passage's words, and the path of headings above them."""

    heading: str
    text: str


@dataclass
class _Section:
    path: tuple[str, ...] = ()
    blocks: list[str] = field(default_factory=list)


def chunks_of(text: str, title: str = "") -> list[Chunk]:
    """The passages of an article as :mod:`.text` gives it; a first heading that repeats the title is left out."""
    found: list[Chunk] = []
    for section in _sections(text, title):
        heading = " > ".join(section.path)
        found += [Chunk(heading, part) for part in _packed(section.blocks)]
        if len(found) >= MOST_PASSAGES:
            break
    return found[:MOST_PASSAGES] or [Chunk("", "")]


def _sections(text: str, title: str) -> Iterator[_Section]:
    path: list[tuple[int, str]] = []
    section = _Section()
    block: list[str] = []
    kind = ""

    def close() -> None:
        if any(block):
            section.blocks.append("\n".join(block).strip("\n"))
        block.clear()

    for line in text.splitlines():
        if kind == FENCE:
            block.append(line)
            if line == FENCE:
                close()
                kind = ""
            continue
        heading = _HEADING.match(line)
        if heading:
            close()
            if section.blocks:
                yield section
            level, words = len(heading[1]), heading[2].strip()
            path = [item for item in path if item[0] < level] + [(level, words)]
            names = tuple(name for _, name in path)
            section = _Section(names[1:] if names[0].casefold() == title.casefold() else names)
            kind = ""
            continue
        now = FENCE if line == FENCE else "|" if line.startswith("|") else "" if line else "end"
        if now != kind or now == "end":
            close()
        kind = now if now != "end" else ""
        if line:
            block.append(line)
    close()
    if section.blocks:
        yield section


def _packed(blocks: list[str]) -> Iterator[str]:
    """Blocks put together up to the length of a passage."""
    together: list[str] = []
    length = 0
    for block in blocks:
        for part in _parts(block):
            if together and (length + len(part) > LONGEST or (length >= SHORTEST and len(part) > LONGEST - SHORTEST)):
                yield "\n\n".join(together)
                together, length = [], 0
            together.append(part)
            length += len(part) + 2
    if together:
        yield "\n\n".join(together)


def _parts(block: str) -> Iterator[str]:
    whole = block.startswith((FENCE, "|"))
    most = LONGEST_WHOLE if whole else LONGEST
    if len(block) <= most:
        yield block
        return
    part = ""
    for line in block.splitlines():
        pieces = [line] if whole else _SENTENCE.split(line)
        for number, piece in enumerate(pieces):
            glue = "\n" if number == 0 else " "
            for start in range(0, len(piece), most):
                bit = piece[start : start + most]
                if part and len(part) + len(bit) + 1 > most:
                    yield part
                    part = ""
                part = f"{part}{glue}{bit}" if part else bit
    if part:
        yield part

"""Articles as text, and cut into passages at their headings; a code block or a table stays whole.

HTML and Markdown become lines where ``#`` begins a heading, and code stands between fences. Unlike mail, an article's
hidden parts are read: tabs and accordions hide text until they are opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ..core.text import strip_hidden

MAX_TEXT = 400_000
"""Characters of an article that are read."""
MOST_NESTING = 2_000
FENCE = "```"

_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_BLOCKS = frozenset(
    "p div br ul ol table section article header footer dd dt dl blockquote hr main nav figure figcaption details "
    "summary form fieldset address".split()
)
_DROPPED = frozenset("script style head noscript template svg math iframe object select textarea audio video".split())
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
_TAG = re.compile(r"<(?!(?:p|br|hr|img|li|d[dt]|t[rdh]|col|input)[\s/>])[a-z]", re.IGNORECASE)

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\]\n]{0,500})\]\([^()\n]{0,2000}(?:\([^()\n]{0,500}\)[^()\n]{0,500})?\)")
_LINK = re.compile(r"(?<!!)\[([^\[\]\n]{1,1000})\]\([^()\n]{0,2000}(?:\([^()\n]{0,500}\)[^()\n]{0,500})?\)")
_ANCHOR = re.compile(r"<a\b[^<>\n]{0,500}>|</a>|<br\s{0,3}/?>", re.IGNORECASE)
_HEADING_END = re.compile(r"\s+#+\s*$|\s*\{#[^{}\n]{0,200}\}\s*$")
_EMPHASIS = re.compile(r"(?<![\w*])(\*\*|__)(?=\S)([^\n]{1,1000}?\S)\1(?![\w*])")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+.!<>|~-])")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-{2,})\s*$")
_FENCED = re.compile(r"\s{0,8}(`{3,}|~{3,})")


def image_mark(alt: str) -> str:
    """The place of a picture in a text."""
    return f"![{alt.strip()}]"


def html_to_text(markup: str) -> str:
    """The words of an article in HTML."""
    markup = markup[:MAX_TEXT]
    if len(_TAG.findall(markup)) > MOST_NESTING * 5:
        markup = markup[: MAX_TEXT // 10]
    root = LexborHTMLParser(markup).body
    if root is None:
        return ""
    parts: list[str] = []
    stack: list[LexborNode | str] = [root]
    verbatim = 0
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        if item.next is not None and item is not root:
            stack.append(item.next)
        if len(stack) < verbatim:
            verbatim = 0
        tag = item.tag or ""
        if tag == "-text":
            text = item.text_content or ""
            parts.append(text if verbatim else _SPACES.sub(" ", text))
            continue
        if tag.startswith("-") or tag in _DROPPED:
            continue
        begin, end = _borders(tag, item.attributes.get("alt") or "")
        parts.append(begin)
        if tag == "pre" and not verbatim:
            verbatim = len(stack) + 1
        stack.append(end)
        if item.child is not None:
            stack.append(item.child)
    return tidied("".join(parts))


def _borders(tag: str, alt: str) -> tuple[str, str]:
    """What stands before and behind an element's words."""
    if tag in _HEADINGS:
        return f"\n\n{_HEADINGS[tag]} ", "\n\n"
    if tag == "pre":
        return f"\n{FENCE}\n", f"\n{FENCE}\n"
    if tag == "li":
        return "\n- ", ""
    if tag == "tr":
        return "\n|", ""
    if tag in ("td", "th"):
        return " ", " |"
    if tag == "img":
        return f" {image_mark(alt)} ", ""
    if tag in ("p", "table", "ul", "ol", "section", "article", "blockquote", "dl"):
        return "\n\n", "\n\n"
    return ("\n", "\n") if tag in _BLOCKS else ("", "")


def markdown_to_text(markup: str) -> str:
    """The words of an article in Markdown: without addresses and emphasis; code and tables as they stand."""
    lines: list[str] = []
    fence = ""
    for line in _COMMENT.sub("", markup[:MAX_TEXT]).splitlines():
        fenced = _FENCED.match(line)
        if fenced and (not fence or (line.strip().startswith(fence) and not line.strip().strip(fence[0]))):
            lines.append(FENCE)
            fence = "" if fence else fenced[1]
        elif fence or line.startswith("    "):
            lines.append(line)
        elif (
            (under := _UNDERLINE.match(line))
            and lines
            and (above := lines[-1].strip())
            and not lines[-1].startswith(("#", "|", "-", FENCE))
            and not above.startswith(under[1])
        ):
            lines[-1] = f"{'#' if under[1][0] == '=' else '##'} {above}"
        else:
            lines.append(_inline(line))
    if fence:
        lines.append(FENCE)
    return tidied("\n".join(lines))


def _inline(line: str) -> str:
    line = _ANCHOR.sub("", line)
    line = _IMAGE.sub(lambda found: image_mark(found[1]), line)
    line = _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", line))
    line = _ESCAPED.sub(r"\1", line)
    return _HEADING_END.sub("", line) if line.startswith("#") else line


def tidied(text: str) -> str:
    """Text without invisible characters, spaces at the ends of lines, and more than one empty line in a row."""
    lines: list[str] = []
    fenced = False
    for raw in strip_hidden(text).splitlines():
        fenced ^= raw.strip() == FENCE
        line = raw.rstrip() if fenced else _SPACES.sub(" ", raw).strip()
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip()


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


def chunks_of(text: str, title: str = "") -> list[Chunk]:
    """The passages of an article as :mod:`.text` gives it; a first heading that repeats the title is left out."""
    found: list[Chunk] = []
    for heading, blocks in _sections(text, title):
        found += [Chunk(heading, part) for part in _packed(blocks)]
        if len(found) >= MOST_PASSAGES:
            break
    return found[:MOST_PASSAGES] or [Chunk("", "")]


def _sections(text: str, title: str) -> Iterator[tuple[str, list[str]]]:
    """Each section's path of headings, and its blocks of text."""
    path: list[tuple[int, str]] = []
    above, kind = "", ""
    blocks: list[str] = []
    block: list[str] = []

    def close() -> None:
        if any(block):
            blocks.append("\n".join(block).strip("\n"))
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
            if blocks:
                yield above, blocks
            level, words = len(heading[1]), heading[2].strip()
            path = [item for item in path if item[0] < level] + [(level, words)]
            names = [name for _, name in path]
            above, kind = " > ".join(names[names[0].casefold() == title.casefold() :]), ""
            blocks = []
            continue
        now = FENCE if line == FENCE else "|" if line.startswith("|") else "" if line else "end"
        if now != kind or now == "end":
            close()
        kind = now if now != "end" else ""
        if line:
            block.append(line)
    close()
    if blocks:
        yield above, blocks


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

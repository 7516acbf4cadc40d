"""The text worth reading: HTML to text, quoted mail and signatures cut.

Quoted mail is cut line by line with patterns of bounded length, so one hostile mail cannot hold up a run. All
functions are pure and never raise on a ``str``; any thread may call them.
"""

from __future__ import annotations

import re
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from ...core.text import MAX_INPUT, compatible, lazy_pattern, strip_hidden, unescaped
from . import word_lists

MAX_OUTPUT = 8_000
MAX_SUBJECT = 500

_BLOCK_TAGS = frozenset(
    "p div br li ul ol tr table h1 h2 h3 h4 h5 h6 blockquote pre hr section article header footer dd dt dl address "
    "form fieldset figure main nav".split()
)
_LABEL_TAGS = frozenset("label span b strong em i u font code small".split())
_STARTS_AS_HTML = lazy_pattern(
    r"\s*<(?:!doctype\s+html|html|head|body|div|p|table|span|center|meta|style)\b[^<>]*>", re.I
)
_BREAK_TAG = lazy_pattern(r"<br\s{0,3}/?>|<p>|</p>|</div>|</td>|</li>", re.IGNORECASE)
_CLOSED_TAG = lazy_pattern(
    r"</(?:a|b|i|u|em|strong|span|font|ul|ol|h[1-6]|table|tbody|blockquote|pre|code|body|html)>", re.I
)
_CODE_FENCE = lazy_pattern(r"```|`<|^\s{4,}<", re.MULTILINE)
_ANGLE_ADDRESS = lazy_pattern(r"<(?=(?:[^<>\s]{1,100}@|(?:https?|mailto|ftp):)[^<>\s]{1,2000}>)", re.IGNORECASE)
_HIDING_STYLE = lazy_pattern(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:\.\d+)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)|"
    r"mso-hide\s*:\s*all"
    r"|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)|max-height\s*:\s*0(?:px)?\s*(?:;|!|$)|text-indent\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
_HIDING_CLASS = lazy_pattern(r"\.([\w\-]{1,80})\s{0,9}\{([^{}]{0,2000})\}")
_DROPPED_TAGS = frozenset(
    "script style head title noscript template svg math iframe object select textarea option audio video".split()
)
_MOST_NESTING = 2_000
"""Elements that may hold each other; a parser's time for one tag grows with how many are open."""
# Those that end each other, hold text only, or hold nothing, do not nest.
_NESTING_TAG = lazy_pattern(
    r"<(?!(?:p|br|hr|img|li|d[dt]|t[rdh]|t(?:body|head|foot)|link|meta|input|col|script|style|title|textarea)[\s/>])"
    r"([a-z][^\s/>]*)[^>]*>?",
    re.IGNORECASE,
)
_QUOTE_CLASSES = {"gmail_quote", "yahoo_quoted", "moz-cite-prefix", "protonmail_quote", "gmail_attr"}
_OUTLOOK_QUOTES = ("divRplyFwdMsg", "appendonsend", "mail-editor-reference-message-container")
_SPACES = lazy_pattern(r"[ \t\r\n\f]+")


def _is_html(text: str) -> bool:
    """Whether ``text`` is HTML, rather than plain text that mentions a tag or holds ``<john@example.com>``."""
    if "<" not in text:
        return False
    if _STARTS_AS_HTML.match(text[:5000]):
        return True
    if _CODE_FENCE.search(text):
        return False
    return len(_BREAK_TAG.findall(text)) >= 2 or len(_CLOSED_TAG.findall(text)) >= 2


def _html_to_text(markup: str, *, cut_quotes: bool) -> str:
    """The visible text of ``markup``, block elements on lines of their own.

    Walks the tree without changing it, with a stack of its own: depth is the sender's choice.
    """
    tree = LexborHTMLParser(_not_too_deep(_ANGLE_ADDRESS.sub("&lt;", markup)))
    root = tree.body
    if root is None:
        return ""
    hiding = {
        name
        for style in tree.css("style")
        for name, rules in _HIDING_CLASS.findall((style.text() or "")[:20_000])
        if _HIDING_STYLE.search(rules)
    }
    parts: list[str] = []
    # A node to enter, the text that closes one, or where in the parts one began that may be a field's label.
    stack: list[LexborNode | str | int] = [root]
    verbatim_until = 0
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        if isinstance(item, int):
            if _is_label(parts[item:]):
                parts.append(": ")
            continue
        if item.next is not None and item is not root:
            stack.append(item.next)
        if len(stack) <= verbatim_until:
            verbatim_until = 0
        tag = item.tag or ""
        if tag == "-text":
            text = item.text_content or ""
            parts.append(text if verbatim_until else _SPACES.sub(" ", text))
            continue
        if tag.startswith("-") or tag in _DROPPED_TAGS:
            continue
        attributes = item.attributes
        if attributes and item is not root:
            if cut_quotes and attributes.get("id") in _OUTLOOK_QUOTES:
                # Outlook puts the history behind this mark, as its siblings.
                if item.next is not None:
                    stack.pop()
                continue
            classes = (attributes.get("class") or "").split()
            cited = tag == "blockquote" and attributes.get("type") == "cite"
            if cut_quotes and (cited or not _QUOTE_CLASSES.isdisjoint(classes)):
                continue  # a mail program's own container of quoted mail
            if _is_hidden(attributes) or not hiding.isdisjoint(classes):
                continue
        border = "\n" if tag in _BLOCK_TAGS else "\t" if tag in ("td", "th") else ""
        if border == "\n":
            parts.append(border)
        if tag == "pre" and not verbatim_until:
            verbatim_until = len(stack) + 1
        if tag in _LABEL_TAGS and item.next is not None and not (item.next.text_content or "").strip():
            stack.append(len(parts))
        elif tag != "br":
            stack.append(border)
        if item.child is not None:
            stack.append(item.child)
    return "".join(parts)


def _is_label(parts: list[str]) -> bool:
    """Whether these parts are the label of a field whose value comes next, and do not say so with a colon."""
    if len(parts) > 5 or sum(map(len, parts)) > 60:
        return False
    from .detectors.identity import LABEL

    return LABEL.fullmatch("".join(parts).strip()) is not None


def _not_too_deep(markup: str) -> str:
    """``markup`` with no more elements than can be read in good time; of those behind them the text stays."""
    last = next(islice(_NESTING_TAG.finditer(markup), _MOST_NESTING, None), None)
    if last is None:
        return markup
    rest = _NESTING_TAG.sub(lambda tag: "\n" if tag[1].lower() in _BLOCK_TAGS else "", markup[last.start() :])
    return markup[: last.start()] + rest


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or bool(_HIDING_STYLE.search((attributes.get("style") or "")[:2000]))
    )


# --- quoted mail -------------------------------------------------------------------------------------------

_WROTE = lazy_pattern(
    r"^\s{0,4}(?:"
    r"(?:On|Op|Am|Den|Le|El|Em|Il(?: giorno)?|Dnia|W dniu|Den|Pe)\b.{5,250}"
    r"\b(?:wrote|schrieb|a écrit|escribió|escreveu|ha scritto|schreef|skrev|napisał\(?a?\)?|scris)\b.{0,100}:"
    r"|.{2,150}<[^<>\s]{1,100}@[^<>\s]{1,100}>.{0,40}\b(?:wrote|schrieb|a écrit|escribió|escreveu|ha scritto|schreef"
    r"|skrev|napisał)\b.{0,60}:|.{0,60}\d{4}年\d{1,2}月\d{1,2}日.{0,150}(?:[:：]|写道[:：]?)"
    r")\s*$",
    re.IGNORECASE,
)
_WROTE_OPENS = lazy_pattern(
    r"^\s{0,4}(?:On|Op|Am|Den|Le|El|Em|Il(?: giorno)?|Dnia|W dniu|Pe)\s.{0,250}(?:\d|@)", re.IGNORECASE
)
_MARKS = word_lists("quoted_mail")
_SEPARATOR = lazy_pattern(
    rf"^[\s*_>]{{0,4}}(?:-{{2,}}|_{{3,}}|={{3,}})?\s{{0,2}}(?:{'|'.join(_MARKS['separators'])})"
    r"\s{0,2}:?\s{0,2}(?:-{2,}|_{3,}|={3,})?[\s*]{0,4}$",
    re.IGNORECASE,
)
_FORWARDED = lazy_pattern(
    r"forward|weitergeleitet|transféré|réexpédié|reenviado|encaminhada|inoltrato|doorgestuurd|転送", re.I
)
_FROM_LINE = lazy_pattern(
    r"^[\s*]{0,4}(?:From|Von|De|Da|Van|Från|Fra|Expéditeur|Remitente|Remetente|Mittente|差出人|发件人)\s?[:：]", re.I
)
_HEADER_LINES = tuple(
    lazy_pattern(rf"^[\s*]{{0,4}}(?:{'|'.join(_MARKS[head])})\s?[:：]", re.IGNORECASE)
    for head in ("head_date", "head_to", "head_subject")
)
_SIGNATURE_LINE = lazy_pattern(r"^--\s{0,2}$|^—$|^_{8,}\s*$")
_DEVICE_LINE = lazy_pattern(rf"^\s{{0,4}}(?:{'|'.join(_MARKS['device_lines'])}).{{0,80}}$", re.IGNORECASE)
_LONGEST_PATTERN_LINE = 400
_LONGEST_SIGNATURE = 15
_LONGEST_NUMBER, _LONGEST_GAP = 60, 5


def _is_quote(line: str) -> bool:
    return line.lstrip()[:1] == ">" and not line.lstrip().startswith(">>>>>>>")


def _wrote_length(lines: list[str], at: int) -> int:
    """The number of lines of an "On … wrote:" that begins at ``at`` and may be wrapped; 0 where none does."""
    if not _WROTE_OPENS.match(lines[at][:_LONGEST_PATTERN_LINE]):
        line = lines[at]
        return int(len(line) <= _LONGEST_PATTERN_LINE and bool(_WROTE.match(line)) and ("@" in line or "年" in line))
    joined = ""
    for count in range(1, 4):
        if at + count > len(lines):
            break
        joined = f"{joined} {lines[at + count - 1].strip()}".strip()
        if len(joined) > _LONGEST_PATTERN_LINE:
            break
        if _WROTE.match(joined):
            return count
    return 0


def _is_mail_header(lines: list[str], at: int) -> bool:
    if not _FROM_LINE.match(lines[at][:_LONGEST_PATTERN_LINE]):
        return False
    following = [line[:_LONGEST_PATTERN_LINE] for line in lines[at + 1 : at + 7]]
    return sum(any(pattern.match(line) for line in following) for pattern in _HEADER_LINES) >= 2


def _cut_quoted(lines: list[str]) -> list[str]:
    kept: list[str] = []
    headed = any(mark in line for line in lines for mark in (":", "：", "写道"))  # one is in all that heads quoted mail
    at = 0
    while at < len(lines):
        line = lines[at]
        if _is_quote(line):
            at += 1
            continue
        wrote = headed and _wrote_length(lines, at)
        if wrote:
            after = next((text for text in lines[at + wrote :] if text.strip()), "")
            if not _is_quote(after):
                break
            at += wrote
            continue
        if len(line) <= _LONGEST_PATTERN_LINE and _SEPARATOR.match(line):
            if _FORWARDED.search(line) and sum(char.isalnum() for text in kept for char in text) < 60:
                # "See below" over a forwarded mail: the forwarded mail is the ticket.
                return lines
            break
        if headed and _is_mail_header(lines, at):
            break
        kept.append(line)
        at += 1
    return kept


def _cut_signature(lines: list[str]) -> list[str]:
    kept = [line for line in lines if not _DEVICE_LINE.match(line[:_LONGEST_PATTERN_LINE])]
    for at in range(max(0, len(kept) - _LONGEST_SIGNATURE), len(kept)):
        if _SIGNATURE_LINE.match(kept[at]):
            return kept[:at]
    return kept


_BLANKS = lazy_pattern(r"[ \t]{2,}")


def _blank(run: re.Match[str]) -> str:
    """Tabs part the cells of a table, and so do three spaces but at the start of a line."""
    return "\t" * min(8, run[0].count("\t")) or ("\t" if run.start() and len(run[0]) > 2 else " ")


def _tidy(lines: list[str]) -> str:
    """Lines without trailing space, runs of blank ones made one, and one tab between the cells of a table."""
    tidy: list[str] = []
    for line in lines:
        line = line.rstrip()
        if "  " in line or "\t" in line:
            line = _BLANKS.sub(_blank, line)
        if line or (tidy and tidy[-1]):
            tidy.append(line)
    return "\n".join(tidy).strip()


def _cap(text: str, limit: int) -> str:
    """At most ``limit`` characters, ending at a line, else a sentence, else a word, else anywhere."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    for border in ("\n", ". ", "。", "! ", "? ", " "):
        cut = head.rfind(border)
        if cut >= limit // 2:
            head = head[: cut + len(border)].rstrip()
            break
    return _no_half_number(head, text[len(head) :])


def _no_half_number(head: str, rest: str) -> str:
    """``head`` without a number at its end that goes on behind the cut: half a card's number is not known for one."""
    following = next((char for char in rest[:_LONGEST_GAP] if char.isalnum()), "")
    if not following.isdigit() or not head.rstrip()[-1:].isdigit():
        return head
    at = len(head)
    while at > max(0, len(head) - _LONGEST_NUMBER) and not head[at - 1].isalpha():
        at -= 1
    return head[:at].rstrip()


def normalised(text: str) -> str:
    shown = strip_hidden(text)
    plain = compatible(unescaped(shown))
    return (plain if plain is shown and plain.isascii() else strip_hidden(plain))[:MAX_INPUT]


def clean(subject: str, description: str) -> str:
    """The customer's own words as plain text: the subject on the first line, then the newest message.

    HTML becomes text without its hidden parts; quoted and forwarded history and signatures are cut, unless
    nothing would be left. Entities are decoded, characters in compatibility form (NFKC), hidden ones removed. At most
    :data:`MAX_OUTPUT` characters, cut at a line or sentence border; input past 100,000 characters is not read.
    """
    title = " ".join(normalised(subject[: 4 * MAX_SUBJECT]).split())
    title = _no_half_number(title[:MAX_SUBJECT], title[MAX_SUBJECT:])
    raw = description[:MAX_INPUT]
    body = _tidy(_cut_signature(_cut_quoted(_body_text(raw, cut_quotes=True).split("\n"))))
    if not any(map(str.isalnum, body)):
        body = _tidy(_body_text(raw, cut_quotes=False).split("\n"))
    return _cap(f"{title}\n{body}".strip(), MAX_OUTPUT)


def as_text(description: str) -> str:
    """The whole description as plain text, with nothing cut away; for showing what :func:`clean` cuts."""
    return _tidy(_body_text(description[:MAX_INPUT], cut_quotes=False).split("\n"))


def _body_text(raw: str, *, cut_quotes: bool) -> str:
    if _is_html(raw):
        try:
            return normalised(_html_to_text(raw, cut_quotes=cut_quotes))
        except (SelectolaxError, ValueError, RuntimeError):
            # A document the parser gives up on is still worth reading as it stands.
            pass
    return normalised(raw)

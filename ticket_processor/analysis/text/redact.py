"""Personal data and secrets replaced by placeholders, before a text leaves the process.

What is found is in ``detectors``; which of it is replaced is the level's. Names in free prose are
not found below the strict level: pass the names you know. Everything here is pure; any thread may call it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import NoReturn, final

from ...core.text import MAX_INPUT, PLACEHOLDER, RedactionLevel, lazy_pattern, strip_hidden
from .detectors.contact import emails, handles, ips, phones, postal_addresses, urls, urls_that_let_in
from .detectors.disguise import readings, table_readings
from .detectors.identity import (
    KnownName,
    birth_dates,
    introduced_names,
    known_names,
    named_numbers,
    names,
    national_ids,
    ssns,
    tax_ids,
)
from .detectors.payment import cards, ibans
from .detectors.scan import Scan, Span, matching_form
from .detectors.secrets import keys, passwords

_ECHO_BYTES = 12
"""Consecutive bytes of letters and digits that are no coincidence."""

_LETTER = lazy_pattern(r"\\+(?:(?P<escape>u[0-9a-fA-F]{4})|[nrtbf])|(?P<letter>[^\W_])")


def without_echo(words: str, text: str) -> str:
    """``words`` without what they repeat of ``text``: any twelve letters and digits in a row, or four of Chinese.

    Case, white space, marks and the escapes of JSON make no difference.
    """
    where, said = _squeezed(words)
    _, known = _squeezed(text)
    echoed = {
        place
        for start in range(len(said) - _ECHO_BYTES + 1)
        if said[start : start + _ECHO_BYTES] in known
        for place in where[start : start + _ECHO_BYTES]
    }
    spans: list[list[int]] = []
    for place in sorted(echoed):
        if spans and not _squeezed(words[spans[-1][1] : place])[1]:
            spans[-1][1] = place + 1
        else:
            spans.append([place, place + 1])
    for start, end in reversed(spans):
        words = f"{words[:start]}[…]{words[end:]}"
    return words


def _squeezed(text: str) -> tuple[list[int], bytes]:
    """Letters and digits alone, as bytes, and where in ``text`` each byte comes from."""
    where, squeezed = [], bytearray()
    for found in _LETTER.finditer(text):
        escape = found["escape"]
        letter = chr(int(escape[1:], 16)) if escape else found["letter"] or ""
        letters = letter.casefold().encode("utf-8", "replace") if letter.isalnum() else b""
        squeezed += letters
        where += [found.start()] * len(letters)
    return where, bytes(squeezed)


_PASSES = 6

_Detector = Callable[[Scan], Iterator[Span]]
_SECRETS, _STANDARD, _STRICT = RedactionLevel.SECRETS, RedactionLevel.STANDARD, RedactionLevel.STRICT
_DEPTH = {_SECRETS: 0, _STANDARD: 1, _STRICT: 2}

# In order: where two overlap, the more telling kind comes first. The number: there is none with fewer digits.
_WHOLE = frozenset({"CARD", "IBAN", "SSN", "NATIONAL_ID"})
"""Kinds that go whole, also where a part of one is in something else, as a link that ends in the middle of it."""
_DETECTORS: tuple[tuple[RedactionLevel, int, _Detector], ...] = (
    (_SECRETS, 0, urls_that_let_in),
    (_SECRETS, 0, keys),
    (_SECRETS, 0, passwords),
    (_STRICT, 0, urls),
    (_STANDARD, 0, emails),
    (_SECRETS, 2, ibans),
    (_SECRETS, 12, cards),
    (_SECRETS, 9, ssns),
    (_SECRETS, 5, partial(named_numbers, name="passport")),
    (_SECRETS, 5, partial(named_numbers, name="licence")),
    (_SECRETS, 4, tax_ids),
    (_SECRETS, 5, national_ids),
    (_SECRETS, 6, partial(named_numbers, name="bank_account")),
    (_STANDARD, 6, partial(named_numbers, name="account")),
    (_STRICT, 5, partial(named_numbers, name="customer_id")),
    (_STANDARD, 3, birth_dates),
    (_STANDARD, 1, ips),
    (_STANDARD, 1, postal_addresses),
    (_STANDARD, 6, phones),
    (_STRICT, 0, handles),
)
_FOR_LEVEL = {
    level: tuple((digits, find) for at, digits, find in _DETECTORS if _DEPTH[at] <= _DEPTH[level])
    for level in RedactionLevel
}


@final
@dataclass(frozen=True, init=False)
class RedactedText:
    """Text that has been through :func:`redact`; nothing else can make one.

    ``text`` holds placeholders such as ``[CARD_1]``, the same one for the same value. ``counts`` says how many
    different values of each type were replaced. Immutable, comparable, and safe to pickle to a worker.
    """

    text: str = field(repr=False)
    _counts: tuple[tuple[str, int], ...]

    def __new__(cls, *args: object, **kwargs: object) -> RedactedText:
        raise TypeError("RedactedText is made by redact() only")

    def __init_subclass__(cls, **kwargs: object) -> NoReturn:
        raise TypeError("RedactedText cannot be extended")

    @property
    def counts(self) -> dict[str, int]:
        """Different values replaced, by type (``"CARD"``, ``"EMAIL"``, …). A copy."""
        return dict(self._counts)

    def __reduce__(self) -> tuple[Callable[[str, dict[str, int]], RedactedText], tuple[str, dict[str, int]]]:
        return _seal, (self.text, self.counts)


def _seal(text: str, counts: dict[str, int]) -> RedactedText:
    made = object.__new__(RedactedText)
    object.__setattr__(made, "text", text)
    object.__setattr__(made, "_counts", tuple(sorted(counts.items())))
    return made


def _found(text: str, known: Sequence[KnownName], level: RedactionLevel) -> list[Span]:
    """Spans of ``text`` in order; of those that overlap one, from the first's beginning to the last's end.

    Looked for is in the text as it stands and in what it says decoded: a number may be disguised.
    """
    scan = Scan(matching_form(text))
    spans = _spans(scan, known, level)
    for reading in (*readings(scan), *table_readings(scan)):
        places = map(reading.in_text, _spans(Scan(reading.text), known, level))
        spans += [place for place in places if place.end > place.start]  # a label put before a value takes up no room
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if joined and span.start < joined[-1].end:
            joined[-1] = joined[-1]._replace(end=max(span.end, joined[-1].end))
        else:
            joined.append(span)
    return joined


def _spans(scan: Scan, known: Sequence[KnownName], level: RedactionLevel) -> list[Span]:
    """The spans found: of two that overlap the more telling, and a number with a checksum whole in any case."""
    text = scan.text
    found = [find(scan) for least_digits, find in _FOR_LEVEL[level] if scan.digits >= least_digits]
    if known and level is not _SECRETS:
        found.append(names(scan, known))
    if level is _STRICT:
        found.append(introduced_names(scan))
    chosen: list[Span] = []
    taken = bytearray()
    for span in chain.from_iterable(found):
        if not taken:
            taken = bytearray(len(text))
            for match in PLACEHOLDER.finditer(text):
                taken[match.start() : match.end()] = b"\x01" * (match.end() - match.start())
        if span.end > span.start and taken.find(1, span.start, span.end) < 0:
            taken[span.start : span.end] = b"\x01" * (span.end - span.start)
            chosen.append(span)
        elif (
            span.kind in _WHOLE
            and taken.find(0, span.start, span.end) >= 0
            and PLACEHOLDER.search(text, span.start, span.end) is None
        ):
            chosen.append(span)
    return chosen


def replaced_spans(
    text: str, *, names: Sequence[str] = (), level: RedactionLevel = RedactionLevel.STANDARD
) -> list[tuple[int, int, str]]:
    """Where and why :func:`redact` would replace: start, end (exclusive) and kind, in order. For measuring.

    Offsets are those of ``text``; of hidden characters, which ``redact`` removes first, nothing is known here.
    """
    found = _found(text[:MAX_INPUT], known_names(tuple(names)), level)
    return [(span.start, span.end, span.kind) for span in found]


def redact(text: str, *, names: Sequence[str] = (), level: RedactionLevel = RedactionLevel.STANDARD) -> RedactedText:
    """``text`` with personal data and secrets replaced by typed placeholders, consistent within the text.

    ``level`` says how much: ``secrets`` takes out cards, bank accounts, the numbers states give people, keys,
    passwords and links with either; ``standard`` also mail addresses, phones, IP addresses, dates of birth, postal
    addresses and ``names``; ``strict`` also every link, handles, customer numbers, and names that the text introduces
    or is signed with. Order numbers, other dates and amounts stay at every level.

    ``names`` are people's names known from elsewhere (the requester's); they are found whole in any case, and by
    their parts as written. What lies past :data:`MAX_INPUT` characters is dropped. Hidden
    characters are removed first, so they cannot break a number apart. Applying it to its own result changes nothing.
    Never raises.
    """
    text = strip_hidden(text[:MAX_INPUT])
    known = known_names(tuple(names))
    numbers: dict[tuple[str, str], int] = {}
    used: dict[str, int] = {}
    for kept in PLACEHOLDER.findall(text):
        kind, _, number = kept[1:-1].rpartition("_")
        used[kind] = max(used.get(kind, 0), int(number))
    # A replacement changes what stands beside the rest, so look again until nothing is found.
    for _ in range(_PASSES):
        spans = _found(text, known, level)
        if not spans:
            break
        parts: list[str] = []
        end = 0
        for span in spans:
            key = (span.kind, span.value)
            if key not in numbers:
                used[span.kind] = numbers[key] = used.get(span.kind, 0) + 1
            parts += [text[end : span.start], f"[{span.kind}_{numbers[key]}]"]
            end = span.end
        text = "".join(parts) + text[end:]
    return _seal(text, dict(Counter(kind for kind, _ in numbers)))

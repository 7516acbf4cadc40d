"""Personal data and secrets replaced by placeholders, before a text leaves the process.

What is found is in :mod:`ticket_processor.detectors`. Names and addresses in free prose are not: pass the names you
know. Everything here is pure; any thread may call it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn, final

from . import detectors
from .detectors import Span, matching_form
from .plain import MAX_INPUT, PLACEHOLDER, strip_hidden

_PASSES = 6


@final
class RedactedText:
    """Text that has been through :func:`redact`; nothing else can make one.

    ``text`` holds placeholders such as ``[CARD_1]``, the same one for the same value. ``counts`` says how many
    different values of each type were replaced. Immutable, comparable, and safe to pickle to a worker.
    """

    __slots__ = ("_counts", "_text")
    _text: str
    _counts: tuple[tuple[str, int], ...]

    def __new__(cls, *args: object, **kwargs: object) -> RedactedText:
        raise TypeError("RedactedText is made by redact() only")

    def __init_subclass__(cls, **kwargs: object) -> NoReturn:
        raise TypeError("RedactedText cannot be extended")

    @property
    def text(self) -> str:
        """The text with its placeholders."""
        return self._text

    @property
    def counts(self) -> dict[str, int]:
        """Different values replaced, by type (``"CARD"``, ``"EMAIL"``, …). A copy."""
        return dict(self._counts)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("RedactedText is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("RedactedText is immutable")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RedactedText):
            return NotImplemented
        return (self._text, self._counts) == (other._text, other._counts)

    def __hash__(self) -> int:
        return hash((self._text, self._counts))

    def __repr__(self) -> str:
        return f"RedactedText({len(self._text)} characters, {self.counts})"

    def __reduce__(self) -> tuple[Callable[[str, dict[str, int]], RedactedText], tuple[str, dict[str, int]]]:
        return _seal, (self._text, self.counts)


def _seal(text: str, counts: dict[str, int]) -> RedactedText:
    made = object.__new__(RedactedText)
    object.__setattr__(made, "_text", text)
    object.__setattr__(made, "_counts", tuple(sorted(counts.items())))
    return made


def _spans(text: str, names: list[tuple[str, re.Pattern[str]]], every_url: bool) -> list[Span]:
    """Non-overlapping spans in order; where two overlap, the more telling type wins."""
    protected = [(m.start(), m.end()) for m in PLACEHOLDER.finditer(text)]
    digits = any(map(str.isdigit, text))
    found: list[Iterator[Span]] = [detectors.secrets(text), detectors.urls(text, every_url), detectors.emails(text)]
    if digits:
        found += [
            detectors.ibans(text),
            detectors.cards(text),
            detectors.ssns(text),
            detectors.addresses(text),
            detectors.phones(text),
        ]
    found.append(detectors.names(text, names))
    taken = bytearray(len(text))
    for start, end in protected:
        taken[start:end] = b"\x01" * (end - start)
    chosen: list[Span] = []
    for spans in found:
        for span in spans:
            if span.end > span.start and not any(taken[span.start : span.end]):
                taken[span.start : span.end] = b"\x01" * (span.end - span.start)
                chosen.append(span)
    return sorted(chosen)


def replaced_spans(text: str, *, names: Sequence[str] = (), every_url: bool = False) -> list[tuple[int, int, str]]:
    """Where and why :func:`redact` would replace: start, end (exclusive) and type, in order. For measuring.

    Offsets are those of ``text``; of hidden characters, which ``redact`` removes first, nothing is known here.
    """
    spans = _spans(matching_form(text[:MAX_INPUT]), detectors.name_patterns(names), every_url)
    return [(span.start, span.end, span.kind) for span in spans]


def redact(text: str, *, names: Sequence[str] = (), every_url: bool = False) -> RedactedText:
    """``text`` with personal data and secrets replaced by typed placeholders, consistent within the text.

    ``names`` are people's names known from elsewhere (the requester's); they are found whole in any case, and
    by their parts as written. ``every_url`` replaces all links instead of those with credentials or tokens.
    What lies past :data:`~ticket_processor.plain.MAX_INPUT` characters is dropped. Hidden characters are removed
    first, so they cannot break a number apart. Applying it to its own result changes nothing. Never raises.
    """
    text = strip_hidden(text[:MAX_INPUT])
    patterns = detectors.name_patterns(names)
    numbers: dict[tuple[str, str], int] = {}
    used: dict[str, int] = {}
    for kept in PLACEHOLDER.findall(text):
        kind, _, number = kept[1:-1].partition("_")
        used[kind] = max(used.get(kind, 0), int(number))
    # A replacement changes what stands beside the rest, so look again until nothing is found.
    for _ in range(_PASSES):
        spans = _spans(matching_form(text), patterns, every_url)
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
    counts: dict[str, int] = {}
    for kind, _ in numbers:
        counts[kind] = counts.get(kind, 0) + 1
    return _seal(text, counts)

"""The gate at the door: what is said of a ticket is looked at once more before it leaves, as the string it is by then.

Text is redacted first thing, and then cut, joined, decoded and stripped, and a model says it again in its own words.
So the note, each line of the log, alerts and reports pass through here at the very end. What has passed is an
:class:`~ticket_processor.core.text.OutgoingText`, and is not looked at again as long as it stays that very string.
Safe in any thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from ...core.models import Analysis
from ...core.text import ForeignText, OutgoingText, RedactionLevel, plain_line

if TYPE_CHECKING:
    from .redact import RedactedText

OWN_NAMES = frozenset(
    "ts event run_id intent job key key_id stamp head follows last log_head days began since until upto tags_added "
    "tags_removed fields articles draft settings_file".split()
)
"""Fields of the log that hold names and times which ticketbot gives, or reads again; every other text is looked at."""
_LINES = {"summary": 300, "root_cause": 200, "model": 80}
"""Free texts of an analysis, with their characters at most."""
_QUOTED = re.compile(r"“[^“”]*”")
_DOTTED_NAME = re.compile(r"(?<![\w.@＠/:\\&\-])[^\W_][\w\-]{0,62}(?:\.[\w\-]{1,63}){1,8}(?![\w@＠/\-]|\.\w|:\d)")
_NAME_ENDS = re.compile(
    r"(?:com|net|org|edu|gov|info|io|de|at|ch|fr|es|it|nl|be|eu|uk|jp|cn|br|pt|us|local|internal|corp|lan|exe|dll|pdf"
    r"|docx?|xlsx?|pptx?|csv|txt|log|xml|json|ya?ml|html?|php|[jt]sx?|py|jar|java|zip|png|jpe?g|gif|ini|cfg|conf|sql|db"
    r"|sh|bat|ps1|md|dmg|apk|msi|so|cs|cpp|rs|go)\Z",
    re.IGNORECASE,
)
_INNER = re.compile(r"[\d_\-]|[a-z][A-Z]")
_NUMBERED = re.compile(
    r"\b(?:group|field|ticket|job|run|user|brand|organi[sz]ation|ref)s?:? #?"
    r"(?=[\w\-]*\d)(?!\d+[_\-]\d+[_\-]\d)[\w\-]++(?:, \d++)*+(?![^\w\n]{1,3}\d)",
    re.IGNORECASE,
)
"""A number of ours in one piece: digits in groups behind such a word may be a stranger's card."""
_WORD = re.compile(r"(?!.{0,2}k_(?:live|test)_)(?=[a-z_]{1,24}\Z)[a-z]{1,15}(?:_[a-z]{1,15})*")
"""A short word of a closed list, such as a tag or a reason: too short for a key, and nothing else has no digits."""
_MOST_KNOWN, _LONGEST_KNOWN = 3 * 4096, 10_000
"""Texts of which is kept what became of them, as many as a run meets, and characters of one."""


Sealed = TypeVar("Sealed", bound=OutgoingText)


def _sealed(kind: type[Sealed], words: str) -> Sealed:
    return str.__new__(kind, words)


def _redacted(words: str, level: RedactionLevel) -> str:
    from .redact import redact  # what it is made of takes long to load, and 'ticketbot --help' says nothing

    found = redact(words, level=level)
    return found.text if found.counts else words


_without_personal_data = partial(_redacted, level=RedactionLevel.STANDARD)
_without_secrets = partial(_redacted, level=RedactionLevel.SECRETS)


def _looked_at(kind: type[Sealed], look: Callable[[str], str], words: str) -> Sealed:
    """Words looked at alone: what stands beside them could make a secret look like something else."""
    if isinstance(words, kind):
        return words
    found: Sealed = (_look if len(words) <= _LONGEST_KNOWN else _look.__wrapped__)(kind, look, words)
    return found


@lru_cache(maxsize=_MOST_KNOWN)
def _look(kind: type[Any], look: Callable[[str], str], words: str) -> Any:
    return _sealed(kind, words if _WORD.fullmatch(words) else look(words))


def look_at_everything_again() -> None:
    """Forget what was looked at, as where something else is to be found from now on."""
    _look.cache_clear()


def leaving(words: str) -> ForeignText:
    """Words that go back to a ticket, a model or a server, without personal data and secrets; mostly as they are."""
    return _looked_at(ForeignText, _without_personal_data, words)


def leaving_line(words: str, limit: int) -> ForeignText:
    """The same as one plain line of at most ``limit`` characters, looked at when it is plain."""
    plain = plain_line(words, limit)
    fit = leaving(words if plain == words else plain)
    return fit if fit == plain else leaving(plain_line(fit, limit))


def made_of(text: RedactedText, analysis: Analysis, **more: object) -> Analysis:
    """An analysis whose words are all pieces of ``text``, which were looked at there; ``more`` are changes to it.

    Those that are no such pieces any more are looked at again, in one go: a link that was taken from between the groups
    of a number, for one, has left the number whole.
    """
    changed = [
        words
        for words in (analysis.summary, *analysis.evidence, *analysis.urgent_words, *analysis.entities.values())
        if words not in text.text
    ]
    as_it_was = leaving("\n".join(changed)) == "\n".join(changed)

    def piece(words: str) -> ForeignText:
        return _sealed(ForeignText, words) if as_it_was or words in text.text else leaving(words)

    update: dict[str, Any] = {"summary": piece(analysis.summary)}
    update |= {name: tuple(map(piece, getattr(analysis, name))) for name in ("evidence", "urgent_words")}
    update["entities"] = {name: piece(value) for name, value in analysis.entities.items()}
    return analysis.model_copy(update=update | more)


def subject_line(subject: str, names: Sequence[str], limit: int) -> ForeignText:
    """A subject as one plain line of at most ``limit`` characters, without personal data, ``names`` and secrets."""
    from .redact import redact

    text = redact(subject, names=names)
    plain = plain_line(text.text, limit)
    return _sealed(ForeignText, plain) if plain == text.text else leaving(plain)


def ours(words: str) -> OutgoingText:
    """Words that the caller made of its own, of the settings' and of :class:`ForeignText`: they are not looked at."""
    return words if isinstance(words, OutgoingText) else _sealed(OutgoingText, words)


def with_names(words: str) -> str:
    """Words in which names of machines, files and classes have raised dots: ``mail·example·com`` is no link.

    A dot before a letter is otherwise parted from it, and a host name taken out. What has a scheme, a path or an ``@``
    is a link or an address, and stays what it is.
    """
    return _DOTTED_NAME.sub(_raised, words) if "." in words else words


def _raised(name: re.Match[str]) -> str:
    whole = name.group()
    head, _, last = whole.rpartition(".")
    # "done.Thanks" lacks a blank; "System.NullReference", "1.2.x", "app.log" and "a.b.c" do not.
    is_name = "." in head or _INNER.search(whole) or _NAME_ENDS.match(last)
    return re.sub(r"\.(?=[^\W\d_])", "·", whole) if is_name else whole


def told(sentences: str, ending: str = "") -> OutgoingText:
    """Sentences of our own, without secrets: numbers of tickets, groups and fields stay, as do names of machines.

    Quotations in them (“”) are a stranger's words and go through :func:`leaving`. ``ending`` is made by us of no
    words, and only put behind.
    """
    fit = _looked_at(OutgoingText, _own_sentences, sentences)
    return _sealed(OutgoingText, f"{fit}{ending}") if ending else fit


def _own_sentences(sentences: str) -> str:
    return _around(_QUOTED, sentences, _own, lambda quoted: f"“{leaving(quoted[1:-1])}”")


def _around(pattern: re.Pattern[str], words: str, outside: Callable[[str], str], inside: Callable[[str], str]) -> str:
    """``words`` with ``inside`` put over what the pattern finds, and ``outside`` over the rest."""
    parts: list[str] = []
    done = 0
    for match in pattern.finditer(words):
        parts += [outside(words[done : match.start()]), inside(match.group())]
        done = match.end()
    return "".join(parts) + outside(words[done:])


def _own(words: str) -> str:
    def fit(part: str) -> str:
        return _looked_at(OutgoingText, _without_secrets, part)

    # Our own numbers are no secrets; there seldom is anything else, so that the second look is nearly never needed.
    return words if fit(words) == words else _around(_NUMBERED, words, fit, str)


def analysis_leaving(analysis: Analysis, **more: object) -> Analysis:
    """The analysis with every free text of it looked at; ``more`` are changes to the rest of it."""
    lines = {name: limit for name, limit in _LINES.items() if getattr(analysis, name)}
    fit: dict[str, Any] = {name: leaving(getattr(analysis, name)) for name in lines}
    fit |= {name: leaving_line(words, lines[name]) for name, words in fit.items() if words != getattr(analysis, name)}
    fit |= {name: tuple(map(leaving, getattr(analysis, name))) for name in ("evidence", "urgent_words", "steps")}
    fit["entities"] = {name: leaving(value) for name, value in analysis.entities.items()}
    return analysis.model_copy(update=fit | more)


def fit_for_the_log(event: str, facts: Mapping[str, object]) -> dict[str, object]:
    """A line of the log with every text in it looked at but those in :data:`OWN_NAMES`, at any depth.

    What is said of a ticket is a stranger's words, but for the note, which marks them; all else is our own.
    """
    return {
        name: value if name in OWN_NAMES else _fit(value, foreign=event == "ticket" and name == "analysis")
        for name, value in facts.items()
    }


def _fit(value: object, *, foreign: bool) -> object:
    if isinstance(value, str):
        return leaving(value) if foreign else told(value)
    if isinstance(value, Mapping):
        return {
            _fit(name, foreign=foreign): inner if name in OWN_NAMES else _fit(inner, foreign=foreign)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_fit(inner, foreign=foreign) for inner in value]
    return value

"""The gate at the door: what is said of a ticket is looked at once more before it leaves, as the string it is by then.

Text is redacted first thing, and then cut, joined, decoded and stripped, and a model says it again in its own words.
So the note, each line of the log, alerts and reports pass through here at the very end. Pure, and safe in any thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from ...core.models import Analysis, RedactionLevel
from ...core.sanitize import plain_line

OWN_NAMES = frozenset(
    "ts event run_id intent job key key_id stamp head last log_head days began since until upto tags_added "
    "tags_removed fields articles draft settings_file".split()
)
"""Fields of the log that hold names and times which ticketbot gives, or reads again; every other text is looked at."""
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


def _redacted(words: str, level: RedactionLevel) -> str:
    from .redact import redact  # what it is made of takes long to load, and 'ticketbot --help' says nothing

    found = redact(words, level=level)
    return found.text if found.counts else words


@lru_cache(maxsize=4096)
def leaving(words: str) -> str:
    """Words that go back to a ticket, a model or a server, without personal data and secrets; mostly as they are."""
    return _redacted(words, RedactionLevel.STANDARD)


def leaving_line(words: str, limit: int) -> str:
    """The same as one plain line of at most ``limit`` characters, looked at when it is plain."""
    plain = plain_line(words, limit)
    fit = leaving(plain)
    return plain if fit == plain else plain_line(fit, limit)


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


@lru_cache(maxsize=4096)
def told(sentences: str) -> str:
    """Sentences of our own, without secrets: numbers of tickets, groups and fields stay, as do names of machines.

    Quotations in them (“”) are a stranger's words and go through :func:`leaving`.
    """
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
    without_secrets = partial(_redacted, level=RedactionLevel.SECRETS)
    if without_secrets(words) == words:
        return words
    # Our own numbers are no secrets; there seldom is anything else, so that this is nearly never done.
    return _around(_NUMBERED, words, without_secrets, str)


def analysis_leaving(analysis: Analysis) -> Analysis:
    """The analysis with every free text of it looked at; the same one when nothing was found."""
    found: dict[str, Any] = {}
    for name, limit in (("summary", 300), ("root_cause", 200), ("model", 80)):
        words = getattr(analysis, name)
        if words and leaving(words) != words:
            found[name] = leaving_line(words, limit)
    for name in ("evidence", "steps"):
        given = getattr(analysis, name)
        fit = tuple(map(leaving, given))
        found |= {} if fit == given else {name: fit}
    entities = {name: leaving(value) for name, value in analysis.entities.items()}
    found |= {} if entities == analysis.entities else {"entities": entities}
    return analysis.model_copy(update=found) if found else analysis


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

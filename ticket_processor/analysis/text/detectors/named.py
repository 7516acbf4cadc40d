"""Numbers that only the words before them tell: "passport number KR8129301", "Kontonummer: 12 34 56 78"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ....core.lazy_pattern import lazy_pattern
from ..word_lists import word_lists
from .scan import DATE, IS, Scan, Span, Stems

# Between the word and its number: "card", "no.", "(for my wife)", "is:", a quotation mark.
_BETWEEN = (
    r"(?:[’']?s\b)?"
    r"(?:[ \t\-]{0,2}(?:(?:card|id|identification|number|numbers|num|no|nr|nos|nummer|numéro|número|numero|numer"
    r"|code)\b\.?|nº|n°|n\.º|#|\([^()\n\d]{1,24}\)|(?:de|del|di|do)\b)){0,3}"
    rf"[ \t]{{0,2}}(?:{IS}{{1,2}})?\s{{0,2}}[:=#,]?\s{{0,2}}['\"“”„‘’`(\[]?"
)
_VALUE = (
    r"((?:[A-Z]{1,5}[ :.\-])?[A-Z0-9]{0,20}\d[A-Z0-9]{0,20}"
    r"(?:(?:[.\-/]|[ ](?=[A-Z]{0,3}\d|(?-i:[A-Z]) \d))[A-Z0-9]{1,16}){0,6}(?:[ .\-](?-i:[A-Z])(?![\w'’.]))?)(?![\w@])"
)


@dataclass(frozen=True)
class Named:
    """One kind of number that words announce; ``words/named_numbers.toml`` says what its lists hold.

    ``dates`` says that numbers of this kind can look like one ("20-00-00").
    """

    kind: str
    stems: Sequence[str]
    words: Sequence[str]
    marks: Sequence[str] = ()
    least_digits: int = 5
    dates: bool = False
    pattern: re.Pattern[str] = field(init=False)
    announced: Stems = field(init=False)

    def __post_init__(self) -> None:
        words = "|".join(self.words)
        pattern = lazy_pattern(rf"(?<![^\W_])(?:{words})(?![^\W\d_]){_BETWEEN}{_VALUE}", re.IGNORECASE)
        object.__setattr__(self, "pattern", pattern)
        object.__setattr__(self, "announced", Stems(self.stems, self.marks))


NAMED = {name: Named(**lists) for name, lists in word_lists("named_numbers").items()}


LOGIN = word_lists("passwords")
LABEL = lazy_pattern(
    lambda: (
        r"(?:[^\W\d]{1,20}[ _-])?(?:"
        + "|".join((*LOGIN["words"], *(word for each in NAMED.values() for word in each.words)))
        + r"|pin(?:[ -]?code)?|cvv2?|cvc2?|ssn|iban|(?:api|access|auth|client)[ _-]?(?:key|token|secret)|token|secret)"
        r"(?: (?:number|nummer|no\.?|nr\.?))?"
    ),
    re.IGNORECASE,
)
"""The whole of what names a secret or a number of a person's, as a form's field or a table's column is called."""
LOGIN_STEMS = Stems([*LOGIN["stems"], *LOGIN["stems_not_ascii"]])
_NUMBER_STEMS = Stems(
    (
        *(stem for name in ("tax_id", "passport", "bank_account", "national_id") for stem in NAMED[name].stems),
        *(" pin", "pincode", "cvv", "cvc", "ssn", "iban", "token", "secret", "api"),
    ),
    ("PIN", "TIN", "EIN", "NIF", "NIP"),
)


def label_stems(scan: Scan) -> list[str]:
    """Pieces of which one is in every :data:`LABEL` of the text; of numbers' only where there is a digit."""
    return LOGIN_STEMS.within(scan) + (_NUMBER_STEMS.within(scan) if scan.digits else [])


def named_numbers(scan: Scan, name: str) -> Iterator[Span]:
    """Each number that stands behind one of the words of ``NAMED[name]``."""
    named = NAMED[name]
    for match in scan.near(named.pattern, named.announced, before=45, behind=130, digits=True):
        found = match[1]
        compact = re.sub(r"[^A-Z0-9]", "", found.upper())
        if (
            sum(map(str.isdigit, compact)) < named.least_digits
            or len(compact) > 34
            or (not named.dates and DATE.fullmatch(found))
        ):
            continue
        yield Span(match.start(1), match.end(1), named.kind, compact)

"""What redaction of a whole text would replace is replaced in any words about it, whatever stands beside it there."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from ticket_processor.analysis.text.redact import Replaced, redact, redacted_values, without_values
from ticket_processor.core.text import PLACEHOLDER, plain_line

from ..support.cases import for_each

TICKET = (
    "Hello, please call me back on my phone: 555 0199 443. I was born on 03.04.1980. My account number is 88213455. "
    "I live at 12 Baker Street, London. Write to maria@huber.example. Regards, Maria Huber"
)
VALUES = redacted_values(TICKET, names=("Maria Huber",))


def test_the_values_are_those_that_redaction_of_the_whole_text_replaces() -> None:
    assert {value.placeholder: value.text for value in VALUES} == {
        "[PHONE_1]": "555 0199 443",
        "[BIRTH_DATE_1]": "03.04.1980",
        "[ACCOUNT_1]": "88213455",
        "[ADDRESS_1]": "12 Baker Street",
        "[EMAIL_1]": "maria@huber.example",
        "[NAME_1]": "Maria Huber",
    }
    text = TICKET
    for value in VALUES:
        text = text.replace(value.text, value.placeholder)
    assert text == redact(TICKET, names=("Maria Huber",)).text


@for_each(
    ("words", "left"),
    [
        ("Call 555 0199 443.", "Call [PHONE_1]."),
        ("555-0199-443", "[PHONE_1]"),
        ("5550199443", "[PHONE_1]"),
        ("(555) 0199/443, please", "([PHONE_1], please"),
        ("５５５ ０１９９ ４４３", "[PHONE_1]"),
        ("ending in 0199 443", "ending in [PHONE_1]"),
        ("88213455", "[ACCOUNT_1]"),
        ("no. 8821.3455", "no. [ACCOUNT_1]"),
        ("born 03/04/1980", "born [BIRTH_DATE_1]"),
        ("born 1980-04-03", "born [BIRTH_DATE_1]"),
        ("born 3.4.1980", "born [BIRTH_DATE_1]"),
        ("MARIA HUBER wants a call", "[NAME_1] wants a call"),
        ("maria-huber and Maria\u00a0 Huber", "[NAME_1] and [NAME_1]"),
        ("m\u200baria huber", "[NAME_1]"),
        ("at 12 baker street, London", "at [ADDRESS_1], London"),
        ("maria@huber.example", "[EMAIL_1]"),
        ("maria huber example", "[EMAIL_1]"),
        ("order 4711, 30 EUR, 2 days", "order 4711, 30 EUR, 2 days"),
        ("[PHONE_1] and [CARD_12345] stay", "[PHONE_1] and [CARD_12345] stay"),
        ("", ""),
    ],
)
def test_values_are_found_in_any_spelling_and_the_rest_stays(words: str, left: str) -> None:
    assert without_values(words, VALUES) == left
    assert without_values(left, VALUES) == left


def test_the_placeholders_survive_being_made_plain() -> None:
    left = without_values("Maria Huber (555 0199 443, 88213455) wants a call", VALUES)
    assert plain_line(left) == left == "[NAME_1] ([PHONE_1], [ACCOUNT_1]) wants a call"


def test_the_longest_value_is_replaced_first_and_short_ones_only_as_whole_words() -> None:
    values = (Replaced("Li", "[NAME_1]"), Replaced("Li Wei", "[NAME_2]"), Replaced("447", "[SECRET_1]"))
    left = without_values("Li Wei and Li believe in 447, not 4471", values)
    assert left == "[NAME_2] and [NAME_1] believe in [SECRET_1], not 4471"


VALUE = st.one_of(
    st.from_regex(r"\+?[0-9][0-9 ./-]{3,12}[0-9]", fullmatch=True),
    st.sampled_from(
        ["Maria Huber", "Straße 5", "ﬁrst", "İz Ünal", "Li", "a.b@c.example", "[x]", "山田", "ǅ", "S3cr3t!"]
    ),
    st.text(min_size=1, max_size=12),
)


def _alone(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


@example(values=["00000", "山田", "000"], parts=[], spelling=lambda text: text.replace(" ", ""))
@given(
    values=st.lists(VALUE, min_size=1, max_size=4),
    parts=st.lists(st.text(max_size=6) | st.sampled_from([" ", ", ", ".", "[PHONE_1]"]), max_size=4),
    spelling=st.sampled_from([str, str.upper, str.lower, str.casefold, lambda text: text.replace(" ", "")]),
)
def test_no_value_of_the_list_survives(values: list[str], parts: list[str], spelling: object) -> None:
    words = " ".join(part for pair in zip([*parts, "", "", "", ""], values, strict=False) for part in pair)
    left = without_values(spelling(words), [Replaced(value, "[SECRET_1]") for value in values])  # type: ignore[operator]
    for rest in PLACEHOLDER.split(left):
        shown = unicodedata.normalize("NFKC", rest).casefold()
        for value in values:
            wanted = unicodedata.normalize("NFKC", value).casefold()
            if len(_alone(value)) >= (8 if _alone(value).isalpha() else 5):
                assert _alone(value) not in _alone(rest)
            elif _alone(value):
                assert not re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", shown)


@given(words=st.text(max_size=60), values=st.lists(VALUE, max_size=4))
def test_any_words_are_looked_at_and_twice_changes_nothing(words: str, values: list[str]) -> None:
    replaced = [Replaced(value, "[SECRET_1]") for value in values]
    once = without_values(words, replaced)
    assert without_values(once, replaced) == once

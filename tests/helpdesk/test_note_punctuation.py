from __future__ import annotations

import html
import re
import string

from hypothesis import example, given
from hypothesis import strategies as st

from ticket_processor.core.text import plain_line
from ticket_processor.helpdesk.freshdesk_format import note_body
from ticket_processor.helpdesk.zendesk_format import note_html

from ..support.cases import for_each

STAYS, GOES = "stays", "goes"
TABLE = {
    **dict.fromkeys(
        "!\"#$%&'()+,-./:;=?", (STAYS, "words and money; in HTML that is escaped they render as themselves")
    ),
    "_": ("_", "emphasis in Markdown; within a word it is part of a name"),
    "*": (GOES, "emphasis and lists in Markdown (chat messages of alerts, mail of escalations)"),
    "`": (GOES, "code in Markdown"),
    "~": (GOES, "struck through in Markdown"),
    "|": (GOES, "tables in Markdown; Slack's links have it between address and name"),
    "^": (GOES, "raised text in Markdown"),
    "<": (GOES, "tags of HTML; links and mentions in Slack"),
    ">": (GOES, "tags of HTML; quotations in Markdown"),
    "{": (GOES, "placeholders of Zendesk and Freshdesk: {{ticket.id}}, {% if %}"),
    "}": (GOES, "placeholders of Zendesk and Freshdesk"),
    "@": (GOES, "mentions of agents in Zendesk and Freshdesk, and addresses of mail"),
    "[": ("(", "links of Markdown; round brackets say the same"),
    "]": (")", "links of Markdown"),
    "\\": ("/", "escapes of Markdown, and paths on Windows"),
}
SENTENCE = "We paid 5{0} or {0}7 for b{0}c, then d {0} e."


def test_the_table_has_all_of_them() -> None:
    assert sorted(TABLE) == sorted(string.punctuation)


@for_each("mark", [*TABLE])
def test_a_mark_stays_unless_something_renders_it(mark: str) -> None:
    fate, _ = TABLE[mark]
    sentence, shown = SENTENCE.format(mark), plain_line(SENTENCE.format(mark))
    kept = shown.count(mark if fate == STAYS else "" if fate == GOES else fate)
    if mark == "_":
        assert kept == 1
    elif fate == GOES:
        assert mark not in shown
        assert re.findall(r"\d+", shown) == ["5", "7"]
    else:
        assert kept == sentence.count(mark)
    assert plain_line(shown) == shown


@for_each(
    "amount",
    [
        "$899",
        "R$ 500",
        "US$ 12",
        "5 $",
        "-$7",
        "$.50",
        "5%",
        "10.5 %",
        "+3",
        "#4711",
        "§ 7",
        "€ 5,00",
        "£5",
        "¥500",
        "A&B",
    ],
)
def test_amounts_numbers_and_paragraphs_keep_their_signs(amount: str) -> None:
    assert plain_line(f"It is {amount} now") == f"It is {amount} now"


BODIES = (note_html, lambda note: str(note_body(note)["body"]))


@example("a <b> & c")
@example("{{ticket.requester.email}} and {% if x %}")
@example("&lt;b&gt; &#123;&#123;ticket.id&#125;&#125;")
@example("one\ntwo\n\nthree")
@given(st.text())
def test_a_note_is_shown_as_it_is_and_nothing_in_it_is_mark_up(note: str) -> None:
    assert note_body(note)["private"] is True
    assert set(note_html(note)).isdisjoint("{}")
    for body in BODIES:
        inside = re.sub(r"^<(p|div)>(.*)</\1>$", r"\2", body(note), flags=re.DOTALL)
        assert html.unescape(inside.replace("<br>", "\n")) == html.unescape(html.escape(note))
        assert set(inside.replace("<br>", "")).isdisjoint("<>")


@for_each("body", BODIES)
def test_what_stays_is_shown_as_it_is_by_each_helpdesk(body: object) -> None:
    """Without the lines' own tags a body holds no mark-up, and says what the note says."""
    note = plain_line(" ".join(SENTENCE.format(mark) for mark in string.punctuation), 10_000)
    sent = body(note)  # type: ignore[operator]
    words = re.sub(r"</?(?:p|div)>|<br>", "", sent)
    assert "<" not in words
    assert ">" not in words
    assert not re.search(r"\{[{%]", sent)
    assert html.unescape(words) == note

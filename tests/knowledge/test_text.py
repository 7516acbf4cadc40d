"""Articles as text, and their passages."""

from __future__ import annotations

from ticket_processor.knowledge.text import LONGEST, LONGEST_WHOLE, chunks_of, html_to_text, markdown_to_text


def test_html_keeps_headings_lists_tables_code_and_pictures() -> None:
    text = html_to_text(
        "<h2>Reset it</h2><p>Go to <a href='https://x.example'>settings</a>.</p><ol><li>Open</li><li>Click "
        "<img src='a.png' alt='the red button'></li></ol><table><tr><th>Plan</th><th>Price</th></tr>"
        "<tr><td>Pro</td><td>9 EUR</td></tr></table><pre>a  b\n  c</pre><script>alert(1)</script>"
    )
    assert "## Reset it" in text.splitlines()
    assert "Go to settings." in text
    assert "- Click ![the red button]" in text
    assert "| Pro | 9 EUR |" in text
    assert "```\na  b\n  c\n```" in text
    assert "alert" not in text


def test_what_tabs_and_accordions_hide_is_read() -> None:
    assert html_to_text("<div style='display:none'><p>Press F5.</p></div>") == "Press F5."


def test_markdown_loses_addresses_emphasis_and_anchors_but_not_words() -> None:
    text = markdown_to_text(
        'Refunds<a name="x"></a>\n=====\n\nSee [the terms](https://x.example/a_(b)) for **all** `--flag` \\* rules.\n'
        "<!-- note to self -->\n\n## Times {#times}\n\n![a screen](s.png)\n\n```sh\nrm **x**  # not a heading\n```\n"
    )
    lines = text.splitlines()
    assert lines[0] == "# Refunds"
    assert "See the terms for all `--flag` * rules." in lines
    assert "## Times" in lines
    assert "![a screen]" in lines
    assert "rm **x**  # not a heading" in lines
    assert "note to self" not in text


def test_markdown_keeps_the_numbers_of_steps_which_other_lines_name() -> None:
    steps = "1. Open it.\n2) Close it.\n- After steps 1 to 2 wait."
    assert markdown_to_text(steps) == steps


def test_a_passage_knows_the_headings_above_it_without_the_title() -> None:
    chunks = chunks_of("# Refunds\nIntro.\n## How long\nFive days.\n### Cards\nTen days.\n## Who\nWe.", "Refunds")
    assert [(chunk.heading, chunk.text) for chunk in chunks] == [
        ("", "Intro."),
        ("How long", "Five days."),
        ("How long > Cards", "Ten days."),
        ("Who", "We."),
    ]


def test_long_sections_are_cut_between_sentences_and_nothing_is_lost() -> None:
    words = [f"Sentence number {number} says a little more." for number in range(200)]
    chunks = chunks_of(" ".join(words))
    assert all(len(chunk.text) <= LONGEST for chunk in chunks)
    assert " ".join(chunk.text for chunk in chunks) == " ".join(words)


def test_code_and_tables_stay_whole_up_to_a_limit() -> None:
    code = "```\n" + "\n\n".join(f"step {number}" for number in range(300)) + "\n```"
    table = "\n".join(f"| row {number} | value |" for number in range(100))
    assert LONGEST < len(code) < LONGEST_WHOLE
    texts = [chunk.text for chunk in chunks_of(f"Before.\n{code}\nAfter.\n\n{table}")]
    assert any(code in text for text in texts)
    assert any(table in text for text in texts)


def test_an_article_without_words_still_has_a_passage_for_its_title() -> None:
    assert [chunk.text for chunk in chunks_of("", "Only a title")] == [""]

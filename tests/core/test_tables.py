"""A table says the same on a screen, on a page, in Markdown and in CSV, and no cell becomes more than text."""

from __future__ import annotations

import csv
import io
import re

import pytest

from ticket_processor.core.tables import WHERE, Table, as_csv, as_html, as_markdown, as_text, shortened, show

TABLE = Table("Labels", ("<label", "tickets", "<<words"), (("billing", "12", "a | b"), ("=1+1", "3", "<b>x</b>")))


def test_columns_of_plain_text_are_aligned() -> None:
    assert as_text(TABLE).splitlines() == [
        "Labels",
        "  label    tickets  words",
        "  billing       12  a | b",
        "  =1+1           3  <b>x</b>",
    ]


def test_a_page_gets_escaped_cells_and_columns_on_their_side() -> None:
    text = as_html(TABLE)
    assert '<th class="l">label</th><th>tickets</th><th class="l text">words</th>' in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<b>" not in text


def test_markdown_has_as_many_cells_in_each_row_as_columns() -> None:
    lines = as_markdown(TABLE).splitlines()
    assert lines[:4] == ["## Labels", "", "| label | tickets | words |", "| :--- | ---: | :--- |"]
    assert lines[4] == "| billing | 12 | a \\| b |"


def test_csv_names_the_table_in_each_line_and_holds_no_formula() -> None:
    other = Table("More", ("<", "now"), (("cost", "+7%"),))
    assert list(csv.reader(io.StringIO(as_csv([TABLE, other])))) == [
        ["Labels", "label", "tickets", "words"],
        ["Labels", "billing", "12", "a | b"],
        ["Labels", "'=1+1", "3", "<b>x</b>"],
        ["More", "", "now", ""],
        ["More", "cost", "+7%", ""],
    ]


def test_what_does_not_fit_is_counted_where_it_would_stand() -> None:
    many = Table("Labels", ("<label", "tickets"), tuple((f"label {number}", "1") for number in range(20)))
    for most, shown, told in ((11, 7, "and 13 more: --details"), (23, 20, None), (2, 0, None)):
        out = io.StringIO()
        assert show([many, many], most=most, out=out) is False
        lines = out.getvalue().splitlines()
        assert sum(line.startswith("  label ") and line.endswith("1") for line in lines) == shown
        assert (lines[-1].strip() if told else None) == told
        assert len(lines) <= most


def test_what_is_shortened_twice_counts_all_that_is_left_out() -> None:
    table = Table("Many", ("number", "where"), tuple((str(number), "") for number in range(100)))
    once = shortened(table, 5)
    assert (len(once.rows), once.rows[-1][0]) == (6, "and 95 more: --details")
    assert shortened(once, 2).rows == (("0", ""), ("1", ""), ("and 98 more: --details", ""))
    assert shortened(once, 5) == once


def test_a_terminal_opens_a_row_by_its_first_cell_and_a_file_holds_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    rows = (("4", "no order", "https://acme.example/agent/tickets/4"), ("5", "no mail", ""))
    table = Table("Worth a look", ("ticket", "<subject", WHERE), rows)
    for out in (terminal := Terminal(), file := io.StringIO()):
        show([table], most=9, out=out)
    assert re.search(r"\x1b]8;id=\d+;https://acme\.example/agent/tickets/4\x1b\\ +4\x1b]8;;", terminal.getvalue())
    assert (terminal.getvalue().count("]8;id"), "where" in terminal.getvalue()) == (1, False)
    assert file.getvalue().splitlines()[-2:] == [
        "       4  no order  https://acme.example/agent/tickets/4",
        "       5  no mail",
    ]

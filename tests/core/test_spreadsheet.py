"""What a spreadsheet would take for a formula."""

from __future__ import annotations

import pytest

from ticket_processor.core.text import harmless


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A1"])
def test_no_text_of_a_cell_is_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["a=b", "", -1, 2.5, None, True])
def test_what_is_none_stays_as_it_is(cell: object) -> None:
    assert harmless(cell) is cell

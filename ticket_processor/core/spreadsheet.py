"""Cells of tables that people open in a spreadsheet, which takes some texts for formulas."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: object) -> object:
    """The same, with a quotation mark before a text that would be a formula. Pure."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell

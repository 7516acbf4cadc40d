"""One line of the log, and the seal on what is personal in it."""

from __future__ import annotations

from typing import Any

from ticket_processor.audit.lines import NO_MAC, encode, erased, flaw, sealed

KEY = b"k" * 32
LINE: dict[str, Any] = {
    "event": "ticket",
    "ticket_id": 7,
    "analysis": {"summary": "Charged twice.", "category": "billing"},
}


def test_the_same_words_have_another_salt_and_digest_in_each_line_so_that_erased_ones_cannot_be_guessed() -> None:
    seals = [sealed(LINE, KEY, NO_MAC, 0)["personal"] for _ in range(20)]
    assert len({seal["salt"] for seal in seals}) == 20
    assert len({seal["digest"] for seal in seals}) == 20
    assert all(len(bytes.fromhex(seal["salt"])) >= 8 for seal in seals)


def test_an_erased_line_still_holds_and_keeps_neither_words_nor_salt() -> None:
    whole = sealed(LINE, KEY, NO_MAC, 0)
    less = erased(whole)
    assert flaw(encode(less), less, KEY, NO_MAC, 0) is None
    assert "Charged" not in str(less)
    assert set(less["personal"]) == {"digest"}
    assert less["analysis"] == {"category": "billing"}

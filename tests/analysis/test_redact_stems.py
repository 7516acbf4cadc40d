"""What a text's words say about the detectors that can match in it: they must never leave one out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.text.detectors.scan import Scan, Stems

STEMS = (
    "iban", " st", "am ", "tax id", "p.o. box", "c/", "...", "straße", "κωδικ", "पासवर्ड", "パスワード", "wpa2", "d.o.b",
    "şifre",
)  # fmt: skip
FOUND = Stems(STEMS, ("PIN", "TIN"))
PIECES = st.sampled_from((*STEMS, "PIN", "TIN", "pin", "IBAN", "İ", "x", "7", " ", ".", "\n", "-", "_", "Team", "stem"))


@given(st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join))
def test_every_stem_that_stands_in_a_text_is_found_there(text: str) -> None:
    scan = Scan(text)
    expected = {stem for stem in STEMS if stem in scan.lower} | {
        mark.lower() for mark in ("PIN", "TIN") if mark in text
    }
    assert set(FOUND.within(scan)) == expected

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.text.redact import redact, replaced_spans


@pytest.mark.parametrize(
    "number",
    [
        "0171 2345678", "0171/2345678", "01712345678", "030 23 12 50 14", "0664/123 45 67", "079 465 55 78",
        "06.12.34.56.78", "0612345678", "0475/12.34.56", "06-12345678", "612 345 678", "91 405 25 47", "21 417 38 64",
        "347/1234567", "(22) 643 98 03", "512-345-678", "603 916 636", "070-123 45 67", "40 17 40 38",
        "11 96123-4567", "55 3691 2734", "98117 92090", "0412345678", "(03)9227-8668", "0033 (0)6 69 84 72 75",
        "1-609-858-3294",
    ],
)  # fmt: skip
def test_a_number_of_a_countrys_plan_as_its_people_write_it_needs_no_word_before_it(number: str) -> None:
    for text in (
        f"Ware kam am 12.03.2025. Sam Porter, {number}",
        f"Sam Porter ({number}) saw it too.",
        f"Sam\n{number}\n",
    ):
        assert [text[start:end] for start, end, kind in replaced_spans(text) if kind == "PHONE"] == [number]


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-12 10:31:07.123456: I core/runtime started",
        '{"at": "10:31:07.123456789", "took": 12}',
        "Screenshot 2024-05-12 at 10 31 07.png",
        "Version 1.8.0.45 and build 20.04.2021",
        "Seen on (12.05.2024) and 12. 05. 2024, 12.05 - 13.06",
        "[[612 345 678]\n  [613 345 678]]",
        "At 52.520008, 13.404954 the van stops; the chart goes from 2019-2024.",
        "Order 0171 2345678, invoice 612 345 678 and ticket 030/1234567",
        "Part 4711-0815-22, issue #12345678 and commit 0123456",
        "It costs 612 345,67 EUR, was 1.612.345,00 and weighs 0,612345678 kg",
    ],
)
def test_times_versions_dates_places_and_numbers_of_things_are_no_phones(text: str) -> None:
    assert "PHONE" not in redact(text).counts


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.integers(0, 9999))
def test_an_international_number_of_any_country_is_found_whole(region: str, last: int) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is None or len(str(example.national_number)) < 8:
        return
    example.national_number = example.national_number // 10_000 * 10_000 + last
    written = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    assert written not in redact(f"Greetings, Sam Porter, {written}").text

"""Tax numbers by local names, passwords beside a user's name or with a blank, and what only looks like a secret."""

from __future__ import annotations

import pytest

from ticket_processor.analysis.text.redact import redact


@pytest.mark.parametrize(
    ("before", "number"),
    [
        ("USt-IdNr.: ", "DE136695976"),
        ("USt-ID ", "DE136695976"),
        ("St.-Nr. ", "12/345/67890"),
        ("SIRET ", "732 829 320 00074"),
        ("SIREN: ", "732829320"),
        ("TVA ", "FR40303265045"),
        ("TVA intracommunautaire : ", "FR40303265045"),
        ("P.IVA ", "07643520567"),
        ("partita IVA: ", "07643520567"),
        ("VAT no. ", "GB 980 7806 84"),
        ("VAT ID ", "ATU13585627"),
        ("BTW-nummer ", "NL004495445B01"),
        ("UID ", "CHE-107.787.577"),
        ("CIF ", "B-58378431"),
        ("ABN ", "83 914 571 673"),
        ("GSTIN ", "27AAPFU0939F1ZV"),
    ],
)
def test_a_tax_number_is_known_by_its_local_name(before: str, number: str) -> None:
    assert redact(f"Our invoice, {before}{number}, is wrong.").text == f"Our invoice, {before}[TAX_ID_1], is wrong."


@pytest.mark.parametrize(
    "text",
    [
        "TVA 20 % de 1 234,00", "VAT 1,234.56 was charged", "excl. BTW 12.345.678,90", "CIF 12500 Rotterdam",
        "UID 0 on boot",
    ],
)  # fmt: skip
def test_prices_and_terms_beside_such_a_name_stay(text: str) -> None:
    assert redact(text).text == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("user: bob pass: sunshine", "user: bob pass: [SECRET_1]"),
        ("User: bob\nPass: sunshine\nthanks", "User: bob\nPass: [SECRET_1]\nthanks"),
        ("username bob\npassword sunshine", "username bob\npassword [SECRET_1]"),
        ("user / password: bob / sunshine", "user / password: bob / [SECRET_1]"),
        ("Benutzer: bob\nPasswort: Sommer 24", "Benutzer: bob\nPasswort: [SECRET_1]"),
        ("Password: Summer 2024!", "Password: [SECRET_1]"),
        ("| User | Password |\n|---|---|\n| bob | sunshine |", "| User | Password |\n|---|---|\n| bob | [SECRET_1] |"),
        ("User\tPassword\nbob\tsunshine\nann\tmoonshine", "User\tPassword\nbob\t[SECRET_1]\nann\t[SECRET_2]"),
    ],
)
def test_a_password_beside_its_user_or_with_a_blank_is_found_whole(text: str, left: str) -> None:
    assert redact(text).text == left


@pytest.mark.parametrize(
    "text",
    [
        "user: bob password: expired",
        "Password: reset 3 times already",
        "password=********",
        "api key: com.example.Api2Client was not found",
        "token: JsonToken.START_OBJECT2",
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello, my printer is broken",
        "java.lang.SecretKeyNotFoundException2 at line 3",
    ],
)
def test_words_masks_and_names_of_classes_are_no_secrets(text: str) -> None:
    assert redact(text).text == text

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn

from ticket_processor.analysis.text.detectors.identity import LOGIN, LOGIN_STEMS, NAMED
from ticket_processor.analysis.text.detectors.scan import Scan, Stems
from ticket_processor.analysis.text.redact import RedactedText, redact
from ticket_processor.core.text import RedactionLevel

from ..support.cases import for_each

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAq\nabcdef0123456789\n-----END RSA PRIVATE KEY-----"

# Real-looking keys are put together here, so that no scanner takes this file for a leak.
GITHUB_KEY = "ghp_" + "a1B2c3D4e5" * 4
API_TOKEN = "tb_" + "kzdXh3jv1JwTXmCqkxwhQplJ-vKwyfzdXh_jvJwTXmC"
SLACK_KEY = "xoxb-" + "123456789012-abcdefGHIJKL"
AWS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"
STRIPE_KEY = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0" + ".dozjgNryP4J3jVmNHl0w5N"


@for_each(
    ("text", "expected"),
    [
        # cards: spaces, dashes, dots, none, full-width digits, no-break spaces; Amex
        ("card 4111 1111 1111 1111 was charged", "card [CARD_1] was charged"),
        ("card 4111-1111-1111-1111.", "card [CARD_1]."),
        ("4111.1111.1111.1111", "[CARD_1]"),
        ("4111111111111111", "[CARD_1]"),
        ("４１１１ １１１１ １１１１ １１１１", "[CARD_1]"),
        ("٤١١١ ١١١١ ١١١١ ١١١١", "[CARD_1]"),
        ("4111\u00a01111\u00a01111\u00a01111", "[CARD_1]"),
        ("41\u200b11 1111 1111 1111", "[CARD_1]"),
        ("Amex 3782 822463 10005", "Amex [CARD_1]"),
        ("41111111111111115500000000000004", "[CARD_1]"),  # two of them, glued to each other
        ("order 5 4111 1111 1111 1111", "order 5 [CARD_1]"),
        # IBANs: spaced, compact, lower case, run into by words
        ("IBAN DE89 3704 0044 0532 0130 00 bitte", "IBAN [IBAN_1] bitte"),
        ("pay to gb82west12345698765432", "pay to [IBAN_1]"),
        ("to GB82 WEST 1234 5698 7654 32 and nothing else", "to [IBAN_1] and nothing else"),
        # words that a word list has in a spelling of its own: in Turkish capitals, with a hyphen, behind an apostrophe
        ("ŞİFRE: hunter22", "ŞİFRE: [SECRET_1]"),
        ("BİRTH DATE: 01.02.1985", "BİRTH DATE: [BIRTH_DATE_1]"),
        ("Parool: K1234567", "Parool: [SECRET_1]"),
        ("Netzwerk-Sicherheitsschlüssel: sommerwind88", "Netzwerk-Sicherheitsschlüssel: [SECRET_1]"),
        ("Kto: 12 34 56 78", "Kto: [ACCOUNT_1]"),
        ("Belastingnummer: 123456782", "Belastingnummer: [TAX_ID_1]"),
        ("clé d’API : 9f8e7d6c5b4a39281706", "clé d’API : [SECRET_1]"),
        ("Recovery code: 9f8e7d6c-5b4a39281706", "Recovery code: [SECRET_1]"),
        ("Nata: 01/02/1985", "Nata: [BIRTH_DATE_1]"),
        ("nasci a 3 de março de 1985", "nasci a [BIRTH_DATE_1]"),
        ("j'habite 12 square de la Couronne", "j'habite [ADDRESS_1]"),
        ("Begijnhof 12, 1012 WT", "[ADDRESS_1]"),
        ("Ich wohne Marktplatz, 5", "Ich wohne [ADDRESS_1]"),
        # columns of a table that only such a word names
        ("Name\tDriving licence\nJo\tMORGA657054SM9IJ", "Name\tDriving licence\nJo\t[LICENCE_1]"),
        ("Name\tAccount number\nJo\t12345678", "Name\tAccount number\nJo\t[ACCOUNT_1]"),
        ("Name\tNINO\nJo\tAB123456C", "Name\tNINO\nJo\t[NATIONAL_ID_1]"),
        # SSNs
        ("my SSN is 078-05-1121", "my SSN is [SSN_1]"),
        ("SSN 078 05 1121", "SSN [SSN_1]"),
        ("social security number: 078051121", "social security number: [SSN_1]"),
        # mail addresses, spelt out too
        ("write to Jo.Doe+x@mail.example.co.uk!", "write to [EMAIL_1]!"),
        ("bob [at] example.com", "[EMAIL_1]"),
        ("bob (at) example (dot) com", "[EMAIL_1]"),
        ("müller@exämple.de", "[EMAIL_1]"),
        # phones
        ("call +49 30 901820 now", "call [PHONE_1] now"),
        ("0044 20 7946 0958", "[PHONE_1]"),
        ("(415) 555-0132", "[PHONE_1]"),
        ("phone 5558675309", "phone [PHONE_1]"),
        ("Tel.: 030/1234567", "Tel.: [PHONE_1]"),
        ("rufen Sie 0171 2345678 an", "rufen Sie [PHONE_1] an"),
        ("01 23 45 67 89", "[PHONE_1]"),
        ("555-867-5309x12", "[PHONE_1]"),
        # addresses of machines
        ("from 203.0.113.7 since", "from [IP_1] since"),
        ("2001:db8::8a2e:370:7334", "[IP_1]"),
        # links that let anybody in
        ("https://jo:hunter2@example.com/x", "[URL_1]"),
        ("see https://example.com/r?token=abcdef123.", "see [URL_1]."),
        ("https://example.com/reset/9f8e7d6c5b4a39281", "[URL_1]"),
        # secrets
        (f"key {GITHUB_KEY} leaked", "key [SECRET_1] leaked"),
        (f"our own one, {API_TOKEN}, leaked", "our own one, [SECRET_1], leaked"),
        (SLACK_KEY, "[SECRET_1]"),
        (AWS_KEY, "[SECRET_1]"),
        (STRIPE_KEY, "[SECRET_1]"),
        (f"Bearer {JWT}", "Bearer [SECRET_1]"),
        (f"here:\n{PEM}\nthanks", "here:\n[SECRET_1]\nthanks"),
        ("-----BEGIN PRIVATE KEY-----\nkept short\n\nthanks", "[SECRET_1]\n\nthanks"),
        ("my password is Tr0ub4dor&3.", "my password is [SECRET_1]."),
        ("Passwort lautet Sommer2026", "Passwort lautet [SECRET_1]"),
        ("mot de passe : Soleil!99", "mot de passe : [SECRET_1]"),
        ("password 'horse battery' hm", "password 'horse battery' hm"),
        ("パスワードはabc12345です", "パスワードは[SECRET_1]です"),
        ("API key: 9f8e7d6c5b4a39281706", "API key: [SECRET_1]"),
        ("CVV 123", "CVV [SECRET_1]"),
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
def test_personal_data_and_secrets_become_placeholders(text: str, expected: str) -> None:
    assert redact(text).text == expected


@for_each(
    "text",
    [
        "order 4111 1111 1111 1112 is late",  # fails Luhn
        "Bestellung 1234567890123456789012 fehlt",  # longer than any card
        "tracking 00340434161094042557",
        "invoice 2024-000123 of 2024-03-15",
        "on 15.03.2024 at 10:30:45, again 03/15/2024",
        "we paid 1,234,567.89 EUR, then 1.234.567,89",
        "version 10.0.19041.1 and 1.2.3.4-rc1, v1.2.3.4",
        "payload returns 200 after 30000 ms",
        "ping 127.0.0.1 with mask 255.255.255.0",
        "std::vector<int> and a::b",
        "at 12:30:45 it stopped",
        "DE89 3704 0044 0532 0130 01 is no account",  # fails mod 97
        "AB12 is the model",
        "part 000-12-3456",  # never issued
        "part 123 45 6789 is missing",  # no word for it around
        "my password is wrong and the password: reset does not arrive",
        "the password was not accepted",
        "https://example.com/help?page=2",
        "https://example.com/blog/how-to-reset-your-printer-in-seven-steps-and-be-happy",
        "@user thanks, see you at 10",
        "Windows 11 23H2 build 22631",
        "ISBN 978-3-16-148410-0",
        "room 12, 3rd floor, 4 chairs",
        "the api key does not work",
        # An identity number by length, date and checksum, of a county that its table names no part of.
        "order 126895050006118973",
        "TVA 20 % de 1 234,00",
        "VAT 1,234.56 was charged",
        "excl. BTW 12.345.678,90",
        "CIF 12500 Rotterdam",
        "UID 0 on boot",
        "user: bob password: expired",
        "Password: reset 3 times already",
        "password=********",
        "api key: com.example.Api2Client was not found",
        "token: JsonToken.START_OBJECT2",
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello, my printer is broken",
        "java.lang.SecretKeyNotFoundException2 at line 3",
    ],
)
def test_numbers_and_words_that_only_look_personal_stay(text: str) -> None:
    assert redact(text).text == text


def test_the_same_value_gets_the_same_placeholder() -> None:
    redacted = redact("a@b.example and c@d.example, again A@B.example; 4111 1111 1111 1111 = 4111-1111-1111-1111")
    assert redacted.text == "[EMAIL_1] and [EMAIL_2], again [EMAIL_1]; [CARD_1] = [CARD_1]"
    assert redacted.counts == {"CARD": 1, "EMAIL": 2}


@pytest.mark.parametrize("text", ["İBRAHİM YILMAZ", "ibrahim yılmaz", "Ibrahim Yilmaz", "YILMAZ, İBRAHİM"])
def test_a_turkish_name_is_known_in_capitals_and_by_keyboards_without_its_letters(text: str) -> None:
    assert redact(f"Ben {text}.", names=["İbrahim Yılmaz"]).text == "Ben [NAME_1]."


def test_known_names_are_replaced_whole_and_in_part() -> None:
    redacted = redact("ANNA MÜLLER here. Müller, not muller; Annabel stays", names=["Anna Müller"])
    assert redacted.text == "[NAME_1] here. [NAME_1], not muller; Annabel stays"


@for_each(
    ("name", "text", "expected"),
    [
        ("Will May", "Will you come? You may. May I ask?", "Will you come? You may. May I ask?"),
        ("Will May", "Thanks, Will", "Thanks, [NAME_1]"),
        ("Will May", "Mr May called, will may did not", "Mr [NAME_1] called, [NAME_1] did not"),
        ("Will May", "I am Will May.", "I am [NAME_1]."),
        ("Schmidt, Anna", "anna schmidt schrieb, Schmidt auch", "[NAME_1] schrieb, [NAME_1] auch"),
        ("Anna Schmidt", "SCHMIDT, ANNA bestellt", "[NAME_1] bestellt"),
        ("Jürgen Groß", "Juergen Gross und Jürgen", "[NAME_1] [NAME_1] und [NAME_1]"),
        ("Jo Li", "Jo likes it. Regards, Jo", "Jo likes it. Regards, [NAME_1]"),
        ("Customer", "I am a customer, dear Customer Service", "I am a customer, dear Customer Service"),
        ("Support Team", "Dear Support Team", "Dear Support Team"),
        ("Acme Support", "Acme is slow, support too", "[NAME_1] is slow, support too"),
        ("Ana-María O'Neill", "ana-maría o'neill says Ana-María", "[NAME_1] says [NAME_1]"),
        ("ann lee", "Ann Lee here", "[NAME_1] here"),
        ("Anna", "Anna's bananas, Annabel", "[NAME_1]'s bananas, Annabel"),
        ("a@b.example", "nothing here", "nothing here"),
        ("  ", "nothing here", "nothing here"),
        ("Bill Gray", "Bill paid the bill", "[NAME_1] paid the bill"),
        ("田中太郎", "担当の田中太郎さんへ", "担当の[NAME_1]さんへ"),
    ],
)
def test_small_words_and_roles_in_a_name_field_eat_no_sentence(name: str, text: str, expected: str) -> None:
    assert redact(text, names=[name]).text == expected


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


def test_names_stay_at_the_level_of_secrets_only() -> None:
    text = "Anna Schmidt wrote"
    assert redact(text, names=["Anna Schmidt"], level=RedactionLevel.SECRETS).text == text


def test_placeholders_a_customer_typed_are_not_mistaken_for_ours() -> None:
    assert redact("[CARD_1] 4111 1111 1111 1111").text == "[CARD_1] [CARD_2]"


def test_only_redact_can_make_redacted_text() -> None:
    with pytest.raises(TypeError):
        RedactedText("raw")
    with pytest.raises(TypeError):
        RedactedText()


def test_redacted_text_cannot_be_changed_or_extended() -> None:
    redacted = redact("hello")
    with pytest.raises(AttributeError):
        redacted.text = "raw"
    with pytest.raises(AttributeError):
        del redacted.text
    redacted.counts["CARD"] = 5
    assert redacted.counts == {}
    with pytest.raises(TypeError):
        type("Open", (RedactedText,), {})


def _with_check_digit(digits: str) -> str:
    return digits + luhn.calc_check_digit(digits)


CARDS = st.builds(
    lambda prefix, rest: _with_check_digit(prefix + rest),
    st.sampled_from(["4", "51", "55", "2720", "6011", "65"]),
    st.text("0123456789", min_size=15, max_size=15),
).map(lambda digits: _with_check_digit(digits[:15]))


SEPARATORS = st.sampled_from(
    ["", " ", "-", ".", "\u00a0", " - ", "  ", "_", "/", "\t", "\n", ",", " · ", "\u2011", "\u202f", "|"]
)
LEVELS = st.sampled_from(list(RedactionLevel))


@given(card=CARDS, separator=SEPARATORS, before=st.text(max_size=20), level=LEVELS)
def test_no_card_is_left_in_any_style_at_any_level(
    card: str, separator: str, before: str, level: RedactionLevel
) -> None:
    spaced = separator.join(card[at : at + 4] for at in range(0, 16, 4))
    text = redact(f"{before} is {spaced} so", level=level).text
    assert card not in re.sub(r"\D", "", text)


def _iban(country: str, bban: str) -> str:
    return country + iban.calc_check_digits(f"{country}00{bban}") + bban


IBANS = st.one_of(
    st.from_regex(r"\A[1-9][0-9]{17}\Z").map(lambda bban: _iban("DE", bban)),
    st.from_regex(r"\A[A-Z]{4}[0-9]{10}\Z").map(lambda bban: _iban("NL", bban)),
    st.from_regex(r"\A[A-Z]{4}[0-9]{14}\Z").map(lambda bban: _iban("GB", bban)),
)


@given(
    number=IBANS, separator=st.sampled_from(["", " ", "-", ".", "\u00a0", "  ", "_", "/", "\t", " - "]), level=LEVELS
)
def test_no_iban_is_left_in_any_style_at_any_level(number: str, separator: str, level: RedactionLevel) -> None:
    spaced = separator.join(number[at : at + 4] for at in range(0, len(number), 4))
    assert redact(f"please pay to {spaced}, thanks", level=level).text == "please pay to [IBAN_1], thanks"


MIXED = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.text("0123456789 .-+/():@x", max_size=24),
        st.sampled_from(
            [
                "4111 1111 1111 1111", "+49 30 901820", "a@b.example", "password: ", "DE89 3704 0044 0532 0130 00",
                "203.0.113.7", "https://x:y@z.example/", "[CARD_1]", "SSN ", "078-05-1121", "phone ", "API key ",
                "token=", "-----BEGIN PRIVATE KEY-----", "\n\n", "passport number ", "KR8129301", "born on ",
                "12/03/1984", "12 Main Street", "Jo Doe", "Best regards, ", "my name is ", "@jane", "account number ",
            ]
        ),
    ),
    max_size=8,
).map("".join)  # fmt: skip


@given(MIXED, LEVELS)
def test_redacting_twice_changes_nothing(text: str, level: RedactionLevel) -> None:
    once = redact(text, names=["Jo Doe"], level=level).text
    assert redact(once, names=["Jo Doe"], level=level).text == once


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        "4 ", "1.", "00", "a@", "1:", "DE89", "eyJ", "password is ", "x=", "(1) ", "-----BEGIN PRIVATE KEY-----",
        "[CARD_1]", "IBAN DE89 ", "a at b dot c ", "https://a/?token=", "é", "secret secret ", "passport number ",
        "account number A ", "1 Rue A ", "Via Roma ", "Main Street 1 ", "Best regards, ", "&amp;", "1 &nbsp;", "%25",
        "4<b>", "1*", "DE 1 ", "1\u20e3", "Cookie: a=b; ", "password\n", "wifi key for the ", "aws aA1/",
    ],
)  # fmt: skip
def test_time_grows_with_the_text_and_not_with_its_square(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        start = time.process_time()
        redact(text, names=["Jo Doe"], level=RedactionLevel.STRICT)
        return time.process_time() - start

    # Twice the text takes twice the time, its square four times; other work on the machine may disturb a try.
    ratios = []
    for _ in range(4):
        ratios.append(seconds(60_000) / max(seconds(30_000), 0.01))
        if ratios[-1] < 3:
            return
    raise AssertionError(f"twice the text takes {ratios} times as long")


# What a text's words say about the detectors that can match in it: they must never leave one out.

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


def forms_of(pattern: str) -> list[str]:
    """Words that a pattern of a word list is for: each of its parts comes in all ways, while the others stay."""
    return [*dict.fromkeys(_forms(parser.parse(pattern)))]


def _forms(parts: Iterable[tuple[Any, Any]]) -> list[str]:
    found = [""]
    for part in map(_forms_of_part, parts):
        found = [f"{found[0]}{way}" for way in part] + [f"{form}{part[0]}" for form in found[1:]]
    return found


def _forms_of_part(part: tuple[Any, Any]) -> list[str]:
    name, value = str(part[0]), part[1]
    if name == "LITERAL":
        return [chr(value)]
    if name == "SUBPATTERN":
        return _forms(value[-1])
    if name == "BRANCH":
        return [form for way in value[1] for form in _forms(way)]
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        return [*_forms(value[2]), *([""] if value[0] == 0 else [])]
    if name == "ASSERT":
        return _forms(value[1]) if value[0] > 0 else [""]
    if name == "IN":
        if str(value[0][0]) == "LITERAL":
            return [form for one in value for form in _forms_of_part(one)]
        return ["1" if str(value[0][1]) == "CATEGORY_DIGIT" else " "]
    return [""]


@pytest.mark.parametrize("name", ["passwords", *NAMED])
def test_no_word_of_a_list_is_without_a_stem(name: str) -> None:
    words, stems = (LOGIN["words"], LOGIN_STEMS) if name == "passwords" else (NAMED[name].words, NAMED[name].announced)
    missed = []
    for word in words:
        for form in forms_of(word):
            for written in {form, form.lower(), form.upper(), form.upper().replace("I", "İ")}:
                if re.search(word, written, re.IGNORECASE) and not stems.within(Scan(f"{written} 1")):
                    missed.append(written)
    assert missed == []

from __future__ import annotations

import pytest

from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.text import RedactionLevel

from ..support.cases import for_each

SEPARATORS = (
    "&nbsp;", "&#160;", "&#xa0;", "&amp;nbsp;", "&nbsp", "&thinsp;", "&#8203;", "&zwj;", "&ZeroWidthSpace;", "&shy;",
    "%20", "+", "%2520", "%C2%A0", "%E2%80%8B", "\\u00a0", "*", "**", "=", ":", "|", "~", "`", "$", "</b><b>", "<br>",
    "</td> <td>", "\u200b", "\u00ad", " \u2013 ", ";", "'", "\n", ", ",
)  # fmt: skip


@for_each("separator", SEPARATORS)
@for_each("level", list(RedactionLevel))
def test_a_card_goes_whatever_stands_between_its_groups(separator: str, level: RedactionLevel) -> None:
    text = separator.join(("4111", "1111", "1111", "1111"))
    assert redact(f"it says {text} here", level=level).text == "it says [CARD_1] here"


@for_each("separator", SEPARATORS)
def test_an_iban_goes_whatever_stands_between_its_groups(separator: str) -> None:
    text = separator.join(("DE89", "3704", "0044", "0532", "0130", "00"))
    assert redact(f"pay to {text} please").text == "pay to [IBAN_1] please"


@for_each(
    ("text", "left"),
    [
        ("card4111 1111 1111 1111und mehr", "card[CARD_1]und mehr"),
        ("4️⃣1️⃣1️⃣1️⃣ 1️⃣1️⃣1️⃣1️⃣ 1111 1111", "[CARD_1]"),
        ("&#52;&#49;&#x31;&#49; 1111 1111 1111", "[CARD_1]"),
        ("https://shop.example/pay?pan=4111111111111111&x=1", "https://shop.example/pay?pan=[CARD_1]&x=1"),
        ("?pan=4111+1111+1111+1111", "?pan=[CARD_1]"),
        ("https://shop.example/4111111111111111", "https://shop.example/[CARD_1]"),
        (" ".join(map(str, range(1, 29))) + " 4111 1111 1111 1111", " ".join(map(str, range(1, 29))) + " [CARD_1]"),
        ("D E 8 9 3 7 0 4 0 0 4 4 0 5 3 2 0 1 3 0 0 0", "[IBAN_1]"),
        ("<i%6C886886826137958754671>", "<[IBAN_1]>"),
        ("kontoDE89370400440532013000und", "konto[IBAN_1]und"),
        ("jane&#64;example.org", "[EMAIL_1]"),
        ("jane%40example.org", "[EMAIL_1]"),
        ("jane&commat;example&period;org", "[EMAIL_1]"),
        ("+49&nbsp;171&nbsp;2345678", "[PHONE_1]"),
        ("?tel=%2B491712345678", "?tel=[PHONE_1]"),
        ("call me: 0171*2345678", "call me: [PHONE_1]"),
        ("SSN 078&#45;05&#45;1121", "SSN [SSN_1]"),
        ("CPF 390&middot;533*447|05", "CPF [NATIONAL_ID_1]"),
        ("p&#97;ssword: hunt&#101;r22", "p&#97;ssword: [SECRET_1]"),
        ("my p a s s w o r d is hunter22", "my p a s s w o r d is [SECRET_1]"),
        ("https://example.com/reset?token=4111 1111 1111 1111", "[URL_1]"),
        ("<password>hunter22</password>", "<password>[SECRET_1]</password>"),
    ],
)
def test_what_is_encoded_or_glued_goes_and_the_words_around_it_stay(text: str, left: str) -> None:
    assert redact(text).text == left
    assert redact(left).text == left


PASSWORDS = """
pw <<Hunter#22>>
my pw <<hunter22>> ok
Password:\\n<<hunter22>>
Password:\\n\\n<<Sunshine>>
Here is the password\\n<<hunter22>>\\nthanks
the password for the portal is <<Hunter#22>>
wifi key: <<hunter2-blau>>
WLAN-Schlüssel: <<12345678901234567890>>
clé wifi : <<soleil99>>
clave del wifi: <<Gato77xx>>
كلمة المرور: <<Hunter#22>>
كلمة السر الخاصة بي هي <<Hunter#22>>
الرقم السري: <<Hunter22>>
סיסמה: <<Hunter#22>>
הסיסמה שלי היא <<Hunter#22>>
κωδικός πρόσβασης: <<Hunter22>>
ο κωδικός μου είναι <<Hunter#22>>
mật khẩu: <<Hunter#22>>
mật khẩu của tôi là <<Hunter#22>>
şifre: <<Hunter22>>
şifrem: <<Hunter#22>>
parolam <<Hunter#22>>
heslo je <<Hunter#22>>
moje heslo: <<Hunter22>>
heslo k wifi je <<Hunter#22>>
Cookie: <<sessionid=38afes7a8; csrftoken=AbCd1234>>
Set-Cookie: <<sid=38afes7a8>>; Path
sessionid=<<38afes7a8bcd>>
"""


@for_each("marked", PASSWORDS.strip().replace("; Path", "").split("\n"))
@for_each("level", list(RedactionLevel))
def test_a_password_goes_in_whatever_language_it_is_announced(marked: str, level: RedactionLevel) -> None:
    before, _, rest = marked.replace("\\n", "\n").partition("<<")
    value, _, behind = rest.partition(">>")
    assert redact(f"{before}{value}{behind}", level=level).text == f"{before}[SECRET_1]{behind}"


def test_the_secret_beside_an_access_key_goes_too() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
    assert redact(f"it was AKIA{'IOSFODNN7EXAMPLE'} {secret} then").text == "it was [SECRET_1] [SECRET_2] then"


@pytest.mark.parametrize(
    "text",
    [
        "CUDA_ARCH_BIN=3.5;3.7;5.0;5.2;6.0;6.1;7.0;7.5;8.0",
        "(1+2+4+5)/4 = 3\n(3+6)/2 = 4.5\n(7+8)/2 = 7.5\n(9/1) = 9",
        "https://images.example.com/41526801/219715795-1dc5fb27-11f6-4379-a854-1",
        "https://images.example.com/24950563/59965803-e65dc180-94e0-11e9-9f21",
        "R&D paid 100% on 5 &amp; 6 &lt;name&gt; of <code>",
        "?a=1&copy=2&sect=3",
        "KW 12 haben wir frei, AT 20 percent",
        "the wifi key does not work, network router restarted",
        "heslo nefunguje, şifre yanlış, كلمة المرور خاطئة, סיסמה שגויה",
        "Password:\nUsername:\nE-Mail: nothing",
        "enable cookies in the browser",
    ],
)
def test_what_only_looks_so_stays_as_it_is(text: str) -> None:
    assert redact(text).text == text

"""Secrets in disguise: glued to other digits, in look-alike letters, in tables, over lines, escaped, by many names.

A list of ways to write a secret, the same for every seed; the seed invents the secret and the sentence around it.
Ways that are no more than a template are in ``disguises.json``, by family and kind of secret.
"""

from __future__ import annotations

import html
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from .planted import CHECKSUMMED, Dice, Planted, digits_of, mixed

Write = Callable[[Dice, str], str]
"""The secret as it is written."""


class Way(NamedTuple):
    """One disguise of one kind of secret. ``page``: the text is HTML and stands alone."""

    family: str
    kind: str
    write: Write
    page: bool = False


def _card(dice: Dice) -> str:
    while True:
        number = "".join(CHECKSUMMED["card"](dice))
        if len(number) in (15, 16):
            return number


def _iban(dice: Dice) -> str:
    return "".join(CHECKSUMMED["IBAN"](dice)).upper()


def _slack(dice: Dice) -> str:
    return f"xox{dice.choice('bpas')}-{digits_of(dice, 12)}-{digits_of(dice, 12)}-{mixed(dice, 24)}"


_BEGINNINGS = ("gh" + "p_", "sk-" + "proj-", "xox" + "b-", "gl" + "pat-")
MAKERS: dict[str, Callable[[Dice], str]] = {
    "card": _card,
    "IBAN": _iban,
    "password": lambda dice: mixed(dice, dice.randint(8, 12)) + dice.choice(("", "#", "!9", "_x")),
    "phone": lambda dice: f"+{dice.choice(('49171', '33612', '44770', '39347'))}{digits_of(dice, 7)}",
    "e-mail": lambda dice: (
        f"{dice.choice(('jane', 'max.muster', 'li'))}{digits_of(dice, 3)}@mail.example.{dice.choice(('org', 'de'))}"
    ),
    "IP address": lambda dice: ".".join(str(dice.randint(130, 223)) for _ in range(4)),
    "US social security": lambda dice: f"{dice.randint(100, 665)}-{dice.randint(10, 99)}-{dice.randint(1000, 9999)}",
    "tax number": lambda dice: f"{dice.randint(10, 98)}-{digits_of(dice, 7)}",
    "PIN": lambda dice: digits_of(dice, 6),
    "key by its form": lambda dice: dice.choice(_BEGINNINGS) + mixed(dice, 36),
    "Discord token": lambda dice: f"{dice.choice('MNO')}{mixed(dice, 25)}.{mixed(dice, 6)}.{mixed(dice, 38)}",
    "Telegram token": lambda dice: f"{dice.randint(10**8, 10**10 - 1)}:AA{mixed(dice, 33)}",
    "Slack token": _slack,
    "PEM body": lambda dice: mixed(dice, 64),
}


def _four(number: str, gap: str) -> str:
    return gap.join(number[at : at + 4] for at in range(0, len(number), 4))


def _template(template: str) -> Write:
    return lambda _dice, secret: template.replace("{}", secret).replace("{html}", html.escape(secret))


def _templates() -> Iterator[Way]:
    groups = json.loads(Path(__file__).with_name("disguises.json").read_text("utf-8"))
    for name, templates in groups.items():
        family, kind, *page = name.split("; ")
        yield from (Way(family, kind, _template(template), bool(page)) for template in templates)


def _glued() -> Iterator[Way]:
    def behind(digits: str, gap: str = "") -> Write:
        return lambda _dice, secret: f"my card {_four(secret, gap)}{digits}"

    def front(digits: str, gap: str = "") -> Write:
        return lambda _dice, secret: digits + _four(secret, gap)

    ways: tuple[Write, ...] = (
        *map(behind, ("12/28", " 12/28", "1228", "12/2028", "0329", "1228 123", "123", "1127123", "/12/28")),
        *(behind(digits, " ") for digits in ("12/28", " 12/28 123", "1228", "-123")),
        *map(front, ("2026", "99", "card no. 1", "visa 0012", "x7", "RE4711-", "paid by card 20261124")),
        *(front(digits, " ") for digits in ("2026 ", "ref 4711 ", "99", "Nr. 12 ", "kk12")),
        *(
            lambda dice, secret, digits=digits: f"{secret}{digits}"
            for digits in ("12/28", "1228 123", "123", "1127123")
        ),
        lambda dice, secret: f"both cards {secret}{_card(dice)}",
        lambda dice, secret: f"{_card(dice)}{secret}",
        lambda dice, secret: f"{secret}{_card(dice)}{_card(dice)}",
        lambda dice, secret: f"{_four(_card(dice), ' ')}{_four(secret, ' ')}",
        lambda dice, secret: f"{_four(secret, '-')}{_four(_card(dice), '-')}",
        lambda dice, secret: f"{_card(dice)}12/28{secret}11/29",
        lambda dice, secret: f"card {digits_of(dice, 4)}{secret}{digits_of(dice, 4)}",
        lambda dice, secret: f"Karte 1: {secret}2: {_card(dice)}",
    )
    yield from (Way("glued digits", "card", way) for way in ways)
    ways = (
        lambda dice, secret: f"{secret}{digits_of(dice, 3)}",
        lambda dice, secret: f"{digits_of(dice, 4)}{secret}",
        lambda dice, secret: f"{secret}{_iban(dice)}",
        lambda dice, secret: f"konto{secret}und",
    )
    yield from (Way("glued digits", "IBAN", way) for way in ways)


_BLANKS = (
    "\u00a0 \u2007 \u3000 \u2800 \u200b \u2060 \u00ad \u180e \u202f \u205f \u3164 \u2011 \u2013 \u2014 \u2212 \ufe58 "
    "\uff0d "
    "\u30fb \u2027 \u00b7 \u2219 \u2e31 \u2800\u2800 \u2043 \u2010 \u02d7 \u2012 \u1680 \u2028 \ufeff"
).split(" ")


def _parted() -> Iterator[Way]:
    def gap(between: str, before: str = "my ") -> Write:
        return lambda _dice, secret: (
            before + (_four(secret, between) if "-" not in secret else secret.replace("-", between))
        )

    yield from (Way("odd separators", "card", gap(blank)) for blank in _BLANKS)
    yield from (Way("odd separators", "IBAN", gap(blank)) for blank in _BLANKS[::2])
    yield from (Way("odd separators", "phone", gap(blank, "my number is ")) for blank in _BLANKS[:6] + _BLANKS[11:17:2])
    yield from (
        Way("odd separators", "US social security", gap(blank, "SSN "))
        for blank in "\u2011\u2800\u2013\u00b7\u2212\u3000"
    )
    yield from (Way("odd dots", "card", gap(dot)) for dot in "۔·∙•")
    for dot in "。．｡․":
        yield Way("odd dots", "e-mail", lambda _dice, secret, dot=dot: secret.replace(".", dot))
    for dot in ("。", "．", "｡", "․", " . ", "[.]", "(dot)", " dot "):
        yield Way("odd dots", "IP address", lambda _dice, secret, dot=dot: "login from " + secret.replace(".", dot))
    pairs = (
        ("(at)", "[dot]"),
        (" at ", " dot "),
        ("＠", "。"),
        ("﹫", "."),
        ("[at]", "."),
        ("(a)", "."),
        ("@", " [.] "),
    )
    for at, dot in (*pairs, ("{at}", "{dot}"), ("@", " . ")):
        yield Way("odd dots", "e-mail", lambda _dice, secret, at=at, dot=dot: secret.replace("@", at).replace(".", dot))


_DIGITS = (
    "０１２３４５６７８９", "⓪①②③④⑤⑥⑦⑧⑨", "⓿❶❷❸❹❺❻❼❽❾", "🄋➀➁➂➃➄➅➆➇➈", "🄌➊➋➌➍➎➏➐➑➒", "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉",
    "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡", "𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿", "🯰🯱🯲🯳🯴🯵🯶🯷🯸🯹", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "⓪⓵⓶⓷⓸⓹⓺⓻⓼⓽",
)  # fmt: skip


def _in_digits() -> Iterator[Way]:
    def put(text: str, digits: str) -> str:
        return text.translate({ord(str(at)): char for at, char in enumerate(digits)})

    for kind, sets, before in (
        ("card", _DIGITS, "card "),
        ("phone", _DIGITS[::3], "call "),
        ("US social security", _DIGITS[1::3], "SSN "),
        ("IBAN", _DIGITS[::4], ""),
        ("PIN", _DIGITS[2::4], "PIN: "),
        ("IP address", _DIGITS[1::5], "login from "),
    ):
        for digits in sets:
            write: Write = lambda _dice, secret, digits=digits, before=before: before + put(secret, digits)  # noqa: E731
            yield Way("odd digits", kind, write)
    ways: tuple[Write, ...] = (
        lambda _dice, secret: put(secret[:8], _DIGITS[1]) + put(secret[8:], _DIGITS[2]),
        lambda _dice, secret: " ".join(put(secret, _DIGITS[1])),
        lambda _dice, secret: put(secret.replace("0", "(0)"), "0⑴⑵⑶⑷⑸⑹⑺⑻⑼"),
        lambda _dice, secret: "".join(f"{char}\ufe0f\u20e3" for char in secret),
    )
    yield from (Way("odd digits", "card", way) for way in ways)


def _spread() -> Iterator[Way]:
    def spread(before: str, gap: str = " ") -> Write:
        return lambda _dice, secret: before + gap.join(secret)

    for kind, before in (
        *(("password", "p a s s w o r d : "), ("password", "password: "), ("PIN", "P I N : "), ("IBAN", "I B A N ")),
        *(("US social security", "S.S.N. "), ("e-mail", "")),
    ):
        yield Way("spaced letters", kind, spread(before))
    yield from (Way("spaced letters", "card", spread("", gap)) for gap in ("  ", ".", "/"))
    for table, letters in (("EABTPCH", "ЕАВТРСН"), ("EABTPMN", "ΕΑΒΤΡΜΝ")):
        alike = str.maketrans(table, letters)
        yield Way("look-alike letters", "IBAN", lambda _dice, secret, alike=alike: secret.translate(alike))


def _wrapped() -> Iterator[Way]:
    def wrapped(at: int, mark: str, before: str = "", gap: str = "") -> Write:
        def write(_dice: Dice, secret: str) -> str:
            written = _four(secret, gap) if gap else secret
            return before + written[:at] + mark + written[at:]

        return write

    for kind in ("key by its form", "Discord token", "Telegram token", "Slack token"):
        for write in (
            wrapped(24, "\n", "token "),
            wrapped(20, "\n    "),
            wrapped(27, "\n> ", "> "),
            wrapped(22, "=\n"),
        ):
            yield Way("wrapped values", kind, write)
    for kind, write in (
        *(("card", wrapped(7, "\n")), ("card", wrapped(9, "=\n", gap=" ")), ("IBAN", wrapped(11, "\n"))),
        *(
            ("IBAN", wrapped(9, "=\n")),
            ("password", wrapped(4, "=\n", "password: ")),
            ("password", wrapped(0, "", "pass=\nword: ")),
        ),
        *(("password", wrapped(0, "", "password:=\n ")), ("e-mail", wrapped(5, "=\n")), ("e-mail", wrapped(12, "=\n"))),
        *(("phone", wrapped(6, "=\n")), ("phone", wrapped(6, "\n", "call "))),
    ):
        yield Way("wrapped values", kind, write)


def _escaped() -> Iterator[Way]:
    def each(form: str, before: str = "") -> Write:
        return lambda _dice, secret: before + "".join(form.format(ord(char)) for char in secret)

    def parted(before: str) -> Write:
        return lambda _dice, secret: before + "=C2=A0".join((secret[:4], secret[4:8])) + secret[8:]

    def some(before: str) -> Write:
        return lambda _dice, secret: (
            before.replace(": ", "=3A=20") + secret[:3] + each("={:02X}")(_dice, secret[3:6]) + secret[6:]
        )

    for kind, before in (
        ("card", "card "),
        ("IBAN", ""),
        ("password", "password: "),
        ("e-mail", ""),
        ("phone", "call "),
    ):
        printable = (each("={:02X}", before), some(before), *([parted(before)] if kind in ("card", "phone") else []))
        yield from (Way("quoted-printable", kind, write) for write in printable)
        for form in ("&#{};", "\\u{:04x}", "%{:02x}"):
            yield Way("escapes", kind, each(form, before))
        yield Way("escapes", kind, lambda _dice, secret, before=before: quote(before) + quote(secret, safe=""))
        hexadecimal = "".join(f"&#x{ord(char):x};" for char in before.strip()) + " "
        yield Way("escapes", kind, lambda _dice, secret, before=hexadecimal: before + secret)


def _pem() -> Iterator[Way]:
    def made(start: str, gap: str = "\n", before: str = "", behind: str = "") -> Write:
        def write(dice: Dice, secret: str) -> str:
            first, *rest = (mixed(dice, 64) for _ in range(4))
            return before + gap.join(((start + first)[:64], secret, *rest, mixed(dice, 30) + "==")) + behind

        return write

    rsa, other, dashes = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "MIIEowIBAAKCAQEA", "-----"
    for write in (
        *(
            made(rsa),
            made(rsa, " "),
            made(rsa, "\n> ", "> "),
            made(rsa, "<br>"),
            made("MHcCAQEEI"),
            made("MIIJQgIBADANBg", ""),
        ),
        made("b3BlbnNzaC1rZXktdjEAAAAA", before="my key\n"),
        made(other, behind=f"\n{dashes}END RSA PRIVATE KEY{dashes}"),
        made(other, before=f"{dashes}BEGIN RSA PRIVATE KEY{dashes}\n"),
        made(other, before="—–BEGIN RSA PRIVATE KEY–—\n", behind="\n—–END RSA PRIVATE KEY–—"),
        made("", before="private key:\n"),
        made("", before="it ends with this\n", behind=f"\n{dashes}END PRIVATE KEY{dashes}"),
        made(rsa, "\\n", '"private_key": "', '"'),
        made("lQOYBF", before=f"{dashes}BEGIN PGP PRIVATE KEY BLOCK{dashes}\n\n"),
        made("PuTTY", before="PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 14\n"),
    ):
        yield Way("PEM", "PEM body", write)


WAYS: tuple[Way, ...] = (
    *_templates(), *_glued(), *_parted(), *_in_digits(), *_spread(), *_wrapped(), *_escaped(), *_pem()
)  # fmt: skip
_AROUND = ("Hello,\n\n{}\n\nThanks", "{}", "Please help.\n{}", "Bitte prüfen:\n{}\nDanke", "Bonjour,\n{}\nMerci")
_TELLING = {"PEM body": 16, "key by its form": 8, "Discord token": 8, "Telegram token": 8, "Slack token": 8}
"""Letters and digits in a row that are too much of a long secret; of others it is all of them."""


class Disguised(Planted):
    """A ticket with one secret, written in the way :data:`WAYS` ``[number]``."""

    def __init__(self, number: int, seed: int = 0) -> None:
        self.seed, self.way = number, WAYS[number]
        dice = self.dice = random.Random(f"{seed} {number}")
        self.kind, self.secret = self.way.kind, MAKERS[self.way.kind](dice)
        self.subject, self.body = "Question", self.way.write(dice, self.secret)
        if not self.way.page:
            self.body = dice.choice(_AROUND).replace("{}", self.body)

    def left_in(self, text: str) -> bool:
        """Whether the secret can be read in ``text``, or a telling part of a long one."""
        if self.kind in CHECKSUMMED:
            return super().left_in(text)
        secret = self.secret.partition("@")[0].rpartition(".")[2] if self.kind == "e-mail" else self.secret
        wanted = "".join(filter(str.isalnum, secret)).casefold()
        size = _TELLING.get(self.kind, len(wanted))
        parts = {wanted[at : at + size] for at in range(len(wanted) - size + 1)}
        return any(part in form for form in self.forms(text, digits=wanted.isdecimal()) for part in parts)

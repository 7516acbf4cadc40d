"""Secrets planted in tickets: every kind, written, encoded and wrapped in as many ways as a seed gives; and who looks.

Each ticket goes the whole way, by the rules and by a model that repeats what it was shown. The judge knows nothing of
how a secret is found: it decodes whatever came out and looks for the secret's own letters and digits.
"""

from __future__ import annotations

import html
import json
import random
import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from stdnum import iban, luhn
from stdnum.br import cnpj
from stdnum.ch import ssn as ahv
from stdnum.cl import rut
from stdnum.cn import ric
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.mx import curp

from ticket_processor.analysis.chain import Understanding
from ticket_processor.analysis.model_server.chat import RawAnswer
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.cleaning import clean
from ticket_processor.analysis.text.redact import redact
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.models import Analysis, Outcome, OutcomeStatus, Ticket, Usage
from ticket_processor.core.text import RedactionLevel
from ticket_processor.llm import ModelAnalyser
from ticket_processor.policy.decide import Policy, decide
from ticket_processor.tags import merge

from .hostile import ENTITIES, TAXONOMY

Dice = random.Random

# The kinds


def digits_of(dice: Dice, count: int) -> str:
    return "".join(dice.choices(string.digits, k=count))


def mixed(dice: Dice, count: int) -> str:
    """Letters of both cases and digits, each of them at least once."""
    told = [dice.choice(string.ascii_lowercase), dice.choice(string.ascii_uppercase), dice.choice(string.digits)]
    told += dice.choices(string.ascii_letters + string.digits, k=count - 3)
    dice.shuffle(told)
    return "".join(told)


def _card(dice: Dice) -> list[str]:
    prefix, shape = dice.choice(
        (
            *(("4", (4, 4, 4, 4)), ("51", (4, 4, 4, 4)), ("55", (4, 4, 4, 4)), ("2720", (4, 4, 4, 4))),
            *(("6011", (4, 4, 4, 4)), ("65", (4, 4, 4, 4)), ("3530", (4, 4, 4, 4)), ("62", (4, 4, 4, 4))),
            *(("34", (4, 6, 5)), ("37", (4, 6, 5)), ("36", (4, 6, 4)), ("305", (4, 6, 4)), ("4", (4, 4, 4, 4, 3))),
        )
    )
    body = prefix + digits_of(dice, sum(shape) - 1 - len(prefix))
    number = body + luhn.calc_check_digit(body)
    return _in_shape(number, shape if dice.random() < 0.7 else dice.choice(((len(number),), (1,) * len(number))))


def _in_shape(number: str, shape: Sequence[int]) -> list[str]:
    parts, at = [], 0
    for length in shape:
        parts.append(number[at : at + length])
        at += length
    return parts


_IBANS = {
    **{"DE": "n" * 18, "FR": "n" * 10 + "c" * 11 + "nn", "GB": "aaaa" + "n" * 14, "NL": "aaaa" + "n" * 10},
    **{"ES": "n" * 20, "IT": "a" + "n" * 10 + "c" * 12, "PL": "n" * 24, "PT": "n" * 21, "CH": "n" * 5 + "c" * 12},
    **{"AT": "n" * 16, "BE": "n" * 12, "SE": "n" * 20, "NO": "n" * 11, "TR": "n" * 6 + "c" * 16, "CZ": "n" * 20},
    **{
        "GR": "n" * 7 + "c" * 16,
        "SA": "nn" + "c" * 18,
        "IL": "n" * 19,
        "AE": "n" * 19,
        "MT": "aaaa" + "n" * 5 + "c" * 18,
    },
}


def _iban(dice: Dice) -> list[str]:
    country = dice.choice(tuple(_IBANS))
    # Where letters may stand, banks have digits mostly.
    kinds = {"n": string.digits, "a": string.ascii_uppercase, "c": string.digits * 5 + string.ascii_uppercase}
    bban = "".join(dice.choice(kinds[kind]) for kind in _IBANS[country])
    number = country + iban.calc_check_digits(f"{country}00{bban}") + bban
    if dice.random() < 0.2:
        number = number.lower()
    fours = [number[at : at + 4] for at in range(0, len(number), 4)]
    return fours if dice.random() < 0.75 else dice.choice(([number], list(number)))


def _checked(make: Callable[[Dice], str], valid: Callable[[str], bool]) -> Callable[[Dice], list[str]]:
    def made(dice: Dice) -> list[str]:
        while True:
            number = make(dice)
            if valid(number):
                return [number]

    return made


def _cpf(dice: Dice) -> list[str]:
    digits = [int(char) for char in digits_of(dice, 9)]
    for _ in range(2):
        rest = sum(digit * weight for digit, weight in zip(digits, range(len(digits) + 1, 1, -1), strict=True)) % 11
        digits.append(0 if rest < 2 else 11 - rest)
    told = "".join(map(str, digits))
    return [f"{told[:3]}.{told[3:6]}.{told[6:9]}-{told[9:]}"]


def _cnpj(dice: Dice) -> list[str]:
    body = digits_of(dice, 12)
    return [cnpj.format(body + cnpj.calc_check_digits(body))]


def _rut(dice: Dice) -> list[str]:
    body = str(dice.randint(1, 2)) + digits_of(dice, 7)
    return [rut.format(body + rut.calc_check_digit(body))]


def _ahv(dice: Dice) -> list[str]:
    from stdnum import ean

    body = "756" + digits_of(dice, 9)
    return [ahv.format(body + ean.calc_check_digit(body))]


def _nn(dice: Dice) -> list[str]:
    body = f"{dice.randint(50, 99)}{dice.randint(1, 12):02}{dice.randint(1, 28):02}{dice.randint(1, 997):03}"
    told = body + f"{97 - int(body) % 97:02}"
    return [f"{told[:2]}.{told[2:4]}.{told[4:6]}-{told[6:9]}.{told[9:]}"]


def _nir(dice: Dice) -> list[str]:
    body = (
        f"{dice.randint(1, 2)}{digits_of(dice, 2)}{dice.randint(1, 12):02}{dice.randint(1, 95):02}{digits_of(dice, 6)}"
    )
    told = body + nir.calc_check_digits(body)
    return [" ".join((told[0], told[1:3], told[3:5], told[5:7], told[7:10], told[10:13], told[13:]))]


def _hetu(dice: Dice) -> list[str]:
    day = f"{dice.randint(1, 28):02}{dice.randint(1, 12):02}{dice.randint(30, 99)}"
    number = f"{dice.randint(2, 899):03}"
    return [f"{day}-{number}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(day + number) % 31]}"]


def _ric(dice: Dice) -> list[str]:
    body = f"110105{dice.randint(1950, 2005)}{dice.randint(1, 12):02}{dice.randint(1, 28):02}{digits_of(dice, 3)}"
    return [body + ric.calc_check_digit(body)]


def _fiscal(dice: Dice) -> list[str]:
    body = f"RSSMRA{digits_of(dice, 2)}{dice.choice('ABCDEHLMPRST')}{dice.randint(1, 28):02}H{dice.randint(100, 999)}"
    return [body + codicefiscale.calc_check_digit(body)]


def _curp(dice: Dice) -> list[str]:
    body = f"BOXW{dice.randint(50, 99)}{dice.randint(1, 12):02}{dice.randint(1, 28):02}HDFRLR0"
    return [body + curp.calc_check_digit(body)]


CHECKSUMMED: Mapping[str, Callable[[Dice], list[str]]] = {
    "card": _card,
    "IBAN": _iban,
    "CPF": _cpf,
    "CNPJ": _cnpj,
    "RUT": _rut,
    "AHV": _checked(lambda dice: _ahv(dice)[0], ahv.is_valid),
    "Belgian national number": _nn,
    "NIR": _checked(lambda dice: _nir(dice)[0], nir.is_valid),
    "HETU": _checked(lambda dice: _hetu(dice)[0], hetu.is_valid),
    "Chinese identity number": _checked(lambda dice: _ric(dice)[0], ric.is_valid),
    "codice fiscale": _checked(lambda dice: _fiscal(dice)[0], codicefiscale.is_valid),
    "CURP": _checked(lambda dice: _curp(dice)[0], curp.is_valid),
}

_PASSWORD_WORDS = (
    "password: ", "my password is ", "pw ", "pw: ", "Passwort: ", "mein Passwort lautet ", "Kennwort: ",
    "mot de passe : ", "contraseña: ", "mi contraseña es ", "la mia password è ", "senha: ", "wachtwoord: ",
    "hasło: ", "parola: ", "şifre: ", "şifrem: ", "heslo: ", "moje heslo je ", "пароль: ", "κωδικός πρόσβασης: ",
    "ο κωδικός μου είναι ", "mật khẩu: ", "mật khẩu của tôi là ", "كلمة المرور: ", "كلمة السر هي ", "סיסמה: ",
    "הסיסמה שלי היא ", "Password:\n", "my password\n", "パスワード: ", "密码：", "비밀번호: ",
)  # fmt: skip


def _password(dice: Dice) -> tuple[str, str]:
    return dice.choice(_PASSWORD_WORDS), mixed(dice, dice.randint(6, 10)) + dice.choice(("", "#", "!9", "_x"))


def _email(dice: Dice) -> tuple[str, str]:
    name = dice.choice(("jane", "j.doe", "max.muster", "anna_k", "o.neil", "li")) + digits_of(dice, 3)
    return "", f"{name}@{dice.choice(('mail', 'post', 'web'))}.example.{dice.choice(('org', 'com', 'de', 'fr'))}"


def _phone(dice: Dice) -> tuple[str, str]:
    if dice.random() < 0.6:
        land = dice.choice(("49", "33", "44", "1", "39", "351"))
        return "", f"+{land} {digits_of(dice, 3)} {digits_of(dice, 3)} {digits_of(dice, 4)}"

    word = dice.choice(("call me on ", "Tel. ", "Telefon: ", "mobile ", "téléphone ", "teléfono ", "cellulare "))
    return word, f"0{dice.randint(151, 179)} {digits_of(dice, 7)}"


_KEY_BEGINNINGS = ("sk-" + "proj-", "gh" + "p_", "xox" + "b-", "gl" + "pat-", "np" + "m_", "h" + "f_", "sk_" + "live_")


def _key(dice: Dice) -> tuple[str, str]:
    return "", dice.choice(_KEY_BEGINNINGS) + mixed(dice, 30)


def _token(dice: Dice) -> tuple[str, str]:
    word = dice.choice(
        ("api key: ", "API_KEY=", "access token ", "client secret: ", "Authorization: Bearer ", "token=")
    )
    return word, mixed(dice, 28)


def _cookie(dice: Dice) -> tuple[str, str]:
    return dice.choice(("Cookie: sessionid=", "Set-Cookie: sid=", "PHPSESSID=", "sessionid=")), mixed(dice, 24)


def _aws(dice: Dice) -> tuple[str, str]:
    secret = mixed(dice, 19) + "/" + mixed(dice, 20)
    return "AKIA" + "".join(dice.choices(string.ascii_uppercase + "234567", k=16)) + dice.choice(
        (" ", "\n", " / ")
    ), secret


def _wifi(dice: Dice) -> tuple[str, str]:
    word = dice.choice(
        ("wifi key: ", "WLAN-Schlüssel: ", "clé wifi : ", "clave wifi: ", "chiave wifi: ", "wifi-code: ")
    )
    return word, dice.choice((mixed(dice, 12), digits_of(dice, 20)))


def _pin(dice: Dice) -> tuple[str, str]:
    return dice.choice(("PIN: ", "verification code is ", "Sicherheitscode: ")), digits_of(dice, 6)


def _ssn(dice: Dice) -> tuple[str, str]:
    return "", f"{dice.randint(100, 665)}-{dice.randint(10, 99)}-{dice.randint(1000, 9999)}"


def _ip(dice: Dice) -> tuple[str, str]:
    return "login from ", ".".join(str(dice.randint(130, 223)) for _ in range(4))


def _named(dice: Dice) -> tuple[str, str]:
    word = dice.choice(
        ("passport number ", "Reisepassnummer: ", "bank account number ", "Kontonummer ", "BSN ", "PESEL: ")
    )
    return word, digits_of(dice, 9)


OTHERS: Mapping[str, Callable[[Dice], tuple[str, str]]] = {
    "password": _password,
    "e-mail": _email,
    "phone": _phone,
    "key by its form": _key,
    "key by its name": _token,
    "cookie": _cookie,
    "AWS secret": _aws,
    "wifi key": _wifi,
    "PIN": _pin,
    "US social security": _ssn,
    "IP address": _ip,
    "number by its name": _named,
}

# How it is written

_PARTED = (
    " ", " ", "-", ".", "", "\u00a0", "\u202f", "\u2009", "\u2011", "\u2013", " - ", "  ", "_", "/", "\t", "\n", ", ",
    "*", "**", "=", ":", ";", "|", "~", "`", "+", "$", "^", "'", " · ", "•", "\\", "&nbsp;", "&#160;", "&#xA0;",
    "&nbsp", "&amp;nbsp;", "&ensp;", "&thinsp;", "&#8203;", "&zwj;", "&zwnj;", "&ZeroWidthSpace;", "&shy;",
    "&NoBreak;", "%20", "%2520", "%C2%A0", "%E2%80%8B", "%09", "\\u00a0", "\\u200b", "\u200b", "\u00ad", "\u2060",
    "\ufeff", "<b></b>", "</b><b>", "<br>", "<br/>", "<wbr>", "</td><td>", "</span> <span>", "&middot;", "&ndash;",
    "&#8209;", "__", "<!-- -->",
)  # fmt: skip
_UNSEEN = (
    "\u200b", "\u00ad", "\u2060", "&#8203;", "&zwj;", "&shy;", "&#173;", "%E2%80%8B", "<b></b>", "<wbr>", "<!-- -->",
)  # fmt: skip


def _way_of(dice: Dice) -> Callable[[str], str]:
    """One way of writing that some reader undoes; one in three times text stays as it is."""
    way, share = dice.randrange(9), dice.choice((0.15, 0.5, 1.0))
    return lambda text: _encoded(dice, text, way, share)


def _again_encoded(dice: Dice, gap: str) -> str:
    """What stands between groups, at times encoded once more, as a text that went through two programs."""
    if dice.random() < 0.9:
        return gap
    return html.escape(gap) if "&" in gap or "<" in gap else gap.replace("%", "%25")


def _encoded(dice: Dice, text: str, way: int, share: float) -> str:
    parts = []
    for char in text:
        if char == "\n" or dice.random() > share:
            parts.append(char)
        elif way == 0:
            parts.append(
                dice.choice((f"&#{ord(char)};", f"&#x{ord(char):x};", f"&#{ord(char):05};", f"&#X{ord(char):X};"))
            )
        elif way == 1:
            parts.append("".join(f"%{octet:02X}" for octet in char.encode()))
        elif way == 2:
            parts.append(dice.choice((f"&amp;#{ord(char)};", f"%25{ord(char):02x}" if ord(char) < 128 else char)))
        elif way == 3 and char.isascii() and char.isdigit():
            parts.append(chr(0xFF10 + int(char)))
        elif way == 4 and char.isascii() and char.isdigit():
            parts.append(dice.choice((chr(0x660 + int(char)), chr(0x966 + int(char)))) if share == 1.0 else char)
        elif way == 5 and char.isalnum():
            parts.append(char + dice.choice(_UNSEEN))
        else:
            parts.append(char)
    return "".join(parts)


_SENTENCES = (
    "My order has not come, {} and please help.", "Hello,\n\n{}\n\nThanks", "Bitte buchen Sie {} zurück, danke.",
    "Ich habe {} angegeben und nichts passiert.", "Bonjour, voici {} pour le remboursement.",
    "Hola, es {} por favor.", "Buongiorno, il mio è {} grazie.", "Olá, segue {} obrigado.",
    "Hallo, het is {} alvast bedankt.", "Dzień dobry, to jest {} dziękuję.", "{}", "It says: {}.", "({})", "“{}”",
    "'{}'", "> {}\nsee above", "**{}**", "`{}`", "| name | value |\n|---|---|\n| it | {} |",
    "2026-11-21 10:30:45 ERROR payment failed: {} (code 51)", '{{"value": "{}"}}', "value={}",
    "https://shop.example/pay?x=1&pan={}", "https://shop.example/find?q={}&lang=de", "a,b,{},c", "- {}\n- two",
    "```\n{}\n```", "1) {} 2) none", "<{}>", "name\t{}\tend", "Grüße\n{}\n\n--\nMax", "x{}", "{}x", "no. {}, twice",
)  # fmt: skip
_PAGES = (
    "<p>Hello,</p><p>{}</p><p>Thanks</p>", "<div>Bitte <b>{}</b> prüfen</div><br><br>",
    "<table><tr><td>it</td><td>{}</td></tr></table><br><br>", "<html><body><p style='color:red'>{}</p></body></html>",
    "<div>{}<br>and more<br></div>",
)  # fmt: skip


@dataclass
class Planted:
    """One ticket with one secret, from a seed."""

    seed: int
    kind: str = field(init=False)
    secret: str = field(init=False)
    subject: str = field(init=False)
    body: str = field(init=False)

    def __post_init__(self) -> None:
        dice = self.dice = Dice(self.seed)
        parted = dice.random() < 0.6
        groups: list[str] = []
        self.kind = dice.choice(("card",) * 8 + ("IBAN",) * 5 + (*CHECKSUMMED, *OTHERS))
        if self.kind in CHECKSUMMED:
            groups = CHECKSUMMED[self.kind](dice)
            before, self.secret = "", "".join(groups)
            # Single characters are parted alike: who mixes marks at will leaves no number, but a riddle.
            same = _again_encoded(dice, dice.choice(_PARTED)) if parted or len(groups) > 9 else None
            encode = _way_of(dice)
            written = encode(groups[0])
            for group in groups[1:]:
                written += (_again_encoded(dice, dice.choice(_PARTED)) if same is None else same) + encode(group)
        else:
            before, self.secret = OTHERS[self.kind](dice)
            written = _way_of(dice)(self.secret)
        page = dice.random() < 0.2
        wrapper = dice.choice(_PAGES if page else _SENTENCES)
        # The first line of a quote is cut, and so is what reads as a tag: half a number is none.
        if (re.search(r"\n|<br", before + written) and wrapper.startswith("> ")) or (
            "<" in written and wrapper == "<{}>"
        ):
            wrapper = "{}"
        # Words and keys have to stand alone, and letters one by one too: nobody could tell where they begin.
        glued = wrapper in ("x{}", "{}x")
        if glued and (self.kind not in ("card", "IBAN") or (self.kind == "IBAN" and len(groups) > 9)):
            wrapper = "{}"
        if page:
            written, before = written.replace("\n", "<br>"), before.replace("\n", "<br>")
        told = (
            wrapper.replace("{}", before + written, 1)
            if wrapper != '{{"value": "{}"}}'
            else wrapper.format(before + written)
        )
        self.subject, self.body = (
            ("Question", told) if page or dice.random() < 0.7 else (told.replace("\n", " "), "Please help.")
        )

    @property
    def ticket(self) -> Ticket:
        """The ticket as a helpdesk would give it."""
        stamp = "2026-11-21T02:00:00Z"
        return Ticket(id=self.seed + 1, subject=self.subject, description=self.body, created_at=stamp, updated_at=stamp)

    def left_in(self, text: str) -> bool:
        """Whether the secret can be read in ``text``, whole, or of a number with a checksum nine digits in a row."""
        if self.kind in CHECKSUMMED and sum(map(str.isdigit, self.secret)) >= 9:
            digits = re.sub(r"\D", "", self.secret)
            looked_for = [digits[at : at + 9] for at in range(len(digits) - 8)]
            return any(part in form for form in self.forms(text, digits=True) for part in looked_for)
        wanted = "".join(filter(str.isalnum, self.secret)).casefold()
        return any(wanted in form for form in self.forms(text, digits=False))

    @staticmethod
    def forms(text: str, *, digits: bool) -> Iterator[str]:
        """Letters and digits, or digits alone, of the text in each way that it may be decoded, layer by layer."""
        for without_tags in (False, True):
            here = text
            for _ in range(5):
                shown = _MARK_UP.sub("", here) if without_tags else here
                shown = unicodedata.normalize("NFKC", _DIGITS_BEFORE.sub("\u2756", shown))
                kept = (
                    str(digit) if (digit := _digit(char)) is not None else char.casefold()
                    for char in shown
                    if char == "\u2756" or (_digit(char) is not None if digits else char.isalnum())
                )
                yield "".join(kept)
                further = _ESCAPED.sub(lambda code: chr(int(code[1], 16)), unquote(html.unescape(here)))
                if further == here:
                    further = _PRINTABLE.sub(lambda code: chr(int(code[1], 16)) if code[1] else "", here)
                if further == here:
                    break
                here = further


def _digit(char: str) -> int | None:
    number = unicodedata.numeric(char, None) if unicodedata.category(char) in ("Nd", "No") else None
    return int(number) if number in range(10) else None


_MARK_UP = re.compile(r"<!--.*?-->|</?[A-Za-z!][^<>]*>")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_PRINTABLE = re.compile(r"=(?:([2-7][0-9A-F]|C2|A0)|\n)")
_DIGITS_BEFORE = re.compile(r"\[[A-Z_]+_\d+\]")


# The whole way


class _Echo:
    """A model that repeats what it was shown: whole, in part, decoded, or with nothing but its letters and digits."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self.shown = ""

    def complete(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        response_format: Mapping[str, object] | None,
        allowance: object = None,
    ) -> RawAnswer:
        self.shown = messages[-1]["content"] if len(messages) < 3 else messages[1]["content"]
        ticket = "\n".join(self.shown.split("\n")[1:-1])
        answer = {
            "summary": self._again(ticket),
            "evidence": [self._part(ticket) for _ in range(3)],
            "category": "billing",
            "secondary": [],
            "urgency": "high",
            "urgent_tone": False,
            "sentiment": "neutral",
            "risk": "low",
            "language": "en",
            "entities": {name: self._part(ticket) for name in ENTITIES},
            "confidence": 0.9,
        }
        return RawAnswer(json.dumps(answer), Usage(input=1, output=1), self._again(ticket)[:80] or "m-1", True)

    def _part(self, text: str) -> str:
        start = self._dice.randrange(len(text) + 1)
        return text[start : start + self._dice.randint(5, 120)]

    def _again(self, text: str) -> str:
        decoded = unquote(html.unescape(text))
        return self._dice.choice(
            (
                text,
                decoded,
                re.sub(r"[^\w@.]", "", decoded),
                re.sub(r"\W", " ", decoded),
                "*".join(decoded.split()),
                self._part(text),
            )
        )


@cache
def _rules() -> RulesAnalyser:
    return RulesAnalyser(TAXONOMY)


def outputs(planted: Planted, audit: AuditLog) -> dict[str, str]:
    """Everything that leaves of the ticket but the log's lines, which ``audit`` takes."""
    dice, ticket = planted.dice, planted.ticket
    found: dict[str, str] = {}
    levels = list(RedactionLevel) if planted.kind in CHECKSUMMED else [RedactionLevel.STANDARD, RedactionLevel.STRICT]
    level = dice.choice(levels)
    echo = _Echo(dice)
    model = ModelAnalyser(echo, "m-1", TAXONOMY, entities=ENTITIES, reveal=level)
    model.level = level  # type: ignore[attr-defined]
    for name, links in (("by rules", []), ("by a model", [model])):
        analysis = Understanding(links, _rules())(ticket)
        change = merge(ticket, decide(ticket.id, analysis, Policy(), TAXONOMY), key="k" * 32, intent="run-1")
        audit.ticket(
            Outcome(
                ticket_id=ticket.id, status=OutcomeStatus.UPDATED, reason="by m-1", analysis=analysis, change=change
            )
        )
        found[f"note {name}"] = change.note or ""
        found[f"tags {name}"] = " ".join(change.tags)
        found[f"analysis {name}"] = _words(analysis)
    found["prompt"] = echo.shown
    found["prompt at another level"] = redact(clean(ticket.subject, ticket.description), level=dice.choice(levels)).text
    return found


def _words(analysis: Analysis) -> str:
    return "\n".join((analysis.summary, *analysis.evidence, *analysis.entities.values(), analysis.model or ""))


def leaks(tickets: Iterable[Planted], folder: Path) -> Iterator[tuple[Planted, list[str]]]:
    """Each planted ticket, and the outputs that its secret can be read in."""
    from ..support.fakes import ManualClock

    audit = AuditLog(folder, ManualClock(), "run-x")
    kept: list[tuple[Planted, list[str]]] = []
    for planted in tickets:
        kept.append((planted, [name for name, text in outputs(planted, audit).items() if planted.left_in(text)]))
    audit.close()
    lines: dict[int, list[str]] = {}
    for path in sorted(folder.glob("ticketbot-*")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if path.suffix == ".jsonl" and '"ticket_id":' in line:
                facts = json.loads(line)
                said = {name: facts[name] for name in ("reason", "analysis", "change")}
                lines.setdefault(facts["ticket_id"], []).append(json.dumps(said, ensure_ascii=False))
            elif path.suffix == ".log":
                number = int(re.search(r" ticket (\d+) ", line)[1])  # type: ignore[index]
                lines.setdefault(number, []).append(line.partition(" ticket ")[2])
    for planted, found in kept:
        told = lines[planted.seed + 1]
        yield planted, found + (["log"] if any(map(planted.left_in, told)) else [])

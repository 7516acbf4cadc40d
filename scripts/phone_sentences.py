"""Sentences with a telephone number and no word that tells it, invented from a seed, for ``measure_redaction.py``.

Numbers are valid by their country's plan and written as people there write them: international, national with the
trunk prefix, grouped by blanks, dots, dashes, slashes and brackets. A number in one piece always has its trunk prefix:
without one nobody could tell it from an order number. Beside it stand dates, order numbers, prices and versions.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import phonenumbers

# By country: its language, its code, and forms in which each X is a digit. In "+" forms the code stands in front.
_COUNTRIES: dict[str, tuple[str, str]] = {
    "US": (
        "en",
        "(XXX) XXX-XXXX|XXX-XXX-XXXX|XXX.XXX.XXXX|XXX XXX XXXX|1-XXX-XXX-XXXX|+ XXX XXX XXXX|+ (XXX) XXX-XXXX",
    ),
    "GB": (
        "en",
        "07XXX XXXXXX|07XXX XXX XXX|07XXXXXXXXX|020 XXXX XXXX|(020) XXXX XXXX|0161 XXX XXXX|0161-XXX-XXXX"
        "|01223 XXXXXX|+ 7XXX XXXXXX|+ 20 XXXX XXXX|+ (0)20 XXXX XXXX",
    ),
    "DE": (
        "de",
        "0171 XXXXXXX|0171/XXXXXXX|0171-XXXXXXX|0171 XXX XX XX|0171XXXXXXX|030 XXXXXXX|030/XXXXXXX|(030) XXXXXX"
        "|030 XX XX XX XX|030-XXXXXXXX|089 XXX XXX|06131 XXXXXX|0221 / XXXXXX|+ 171 XXXXXXX|+ (0)171 XXXXXXX"
        "|+ 30 XXXXXXXX",
    ),
    "AT": (
        "de",
        "0664 XXXXXXX|0664/XXXXXXX|0664 XXX XX XX|0664XXXXXXX|01 XXXXXXX|01/XXX XX XX|0316 XXXXXX|+ 664 XXXXXXX",
    ),
    "CH": ("de", "079 XXX XX XX|079XXXXXXX|079/XXX XX XX|044 XXX XX XX|044-XXX-XX-XX|079.XXX.XX.XX|+ 79 XXX XX XX"),
    "FR": (
        "fr",
        "06 XX XX XX XX|06.XX.XX.XX.XX|06-XX-XX-XX-XX|06/XX/XX/XX/XX|06XXXXXXXX|01 XX XX XX XX|01.XX.XX.XX.XX"
        "|+ 6 XX XX XX XX|+ (0)6 XX XX XX XX",
    ),
    "BE": ("fr", "0475 XX XX XX|0475/XX.XX.XX|0475/XX XX XX|0475XXXXXX|02 XXX XX XX|02/XXX.XX.XX|+ 475 XX XX XX"),
    "NL": ("nl", "06-XXXXXXXX|06 XXXXXXXX|06XXXXXXXX|06 XX XX XX XX|020-XXXXXXX|020 XXX XXXX|0341-XXXXXX|+ 6 XXXXXXXX"),
    "ES": (
        "es",
        "6XX XX XX XX|6XX XXX XXX|6XX-XXX-XXX|6XX.XXX.XXX|91 XXX XX XX|93-XXX-XX-XX|912 XX XX XX|+ 6XX XXX XXX",
    ),
    "PT": ("pt", "91X XXX XXX|91X-XXX-XXX|91 XXX XX XX|21 XXX XX XX|21X XXX XXX|+ 91X XXX XXX"),
    "IT": (
        "it",
        "347 XXXXXXX|347 XXX XXXX|347-XXXXXXX|347/XXXXXXX|347.XXX.XXXX|02 XXXXXXX|02/XXXXXXXX|06 XXXX XXXX"
        "|051 XXX XXX|+ 347 XXXXXXX",
    ),
    "PL": ("pl", "5XX XXX XXX|6XX-XXX-XXX|5XX.XXX.XXX|22 XXX XX XX|(22) XXX XX XX|12 XXX XX XX|+ 6XX XXX XXX"),
    "CZ": ("cs", "60X XXX XXX|77X-XXX-XXX|60X XX XX XX|2XX XXX XXX|+ 60X XXX XXX"),
    "SE": (
        "sv",
        "070-XXX XX XX|070 XXX XX XX|070-XXXXXXX|070XXXXXXX|08-XXX XX XX|08-XXX XXX|031-XX XX XX|+ 70 XXX XX XX",
    ),
    "DK": ("da", "20 XX XX XX|40 XX XX XX|20-XX-XX-XX|33 XX XX XX|20.XX.XX.XX|+ 20 XX XX XX|+ XX XX XX XX"),
    "BR": (
        "pt",
        "(11) 9XXXX-XXXX|11 9XXXX-XXXX|(11) 3XXX-XXXX|(21) 9 9XXX-XXXX|11 9XXXX XXXX|011 9XXXX-XXXX|+ 11 9XXXX-XXXX"
        "|+ (11) 9XXXX-XXXX",
    ),
    "MX": ("es", "55 XXXX XXXX|(55) XXXX XXXX|55-XXXX-XXXX|81 XXXX XXXX|222 XXX XXXX|222-XXX-XXXX|+ 55 XXXX XXXX"),
    "IN": (
        "en",
        "98XXX XXXXX|98XXX-XXXXX|098XXX XXXXX|98XX XXX XXX|022 XXXX XXXX|022-XXXXXXXX|+ 98XXX XXXXX|+-98XXXXXXXX",
    ),
    "AU": ("en", "04XX XXX XXX|04XX-XXX-XXX|04XXXXXXXX|(02) XXXX XXXX|02 XXXX XXXX|(03) XXXX-XXXX|+ 4XX XXX XXX"),
    "JP": ("ja", "090-XXXX-XXXX|080-XXXX-XXXX|090XXXXXXXX|03-XXXX-XXXX|(03)XXXX-XXXX|06-XXXX-XXXX|+ 90-XXXX-XXXX"),
}

# Sentences in which nothing says what kind of number stands there.
_SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "Order {order} from {date} still shows {price}. Best regards, Sam Porter, {phone}",
        "My colleague Dana ({phone}) saw the same on {date} with version {version}.",
        "I am in the office until five, {phone}, and at home after that.",
        "Please let Ms Hale know at {phone} once invoice {order} over {price} is settled.",
        "The driver can use {phone} on {date} between 9:30 and 11:00.",
        "Sam Porter\nPurchasing\n{phone}\nOrder {order}",
        "New details for the account: Lee Marsh, {phone}, valid from {date}.",
        "You find me under {phone}; the part cost {price} and came on {date}.",
        "Somebody using {phone} wrote that build {version} is out.",
    ),
    "de": (
        "Die Bestellung {order} vom {date} über {price} ist noch offen. Gruß, Jana Kern, {phone}",
        "Bis 17:00 Uhr bin ich unter {phone} da, danach erst wieder am {date}.",
        "Meine Kollegin ({phone}) hat mit Version {version} dasselbe gesehen.",
        "Jana Kern\nEinkauf\n{phone}\nVorgang {order}",
        "Bitte geben Sie Herrn Falk unter {phone} Bescheid, sobald die {price} da sind.",
        "Der Fahrer soll sich am {date} bei {phone} melden, Lieferung {order}.",
    ),
    "fr": (
        "La commande {order} du {date} pour {price} n'est pas arrivée. Cordialement, Luc Morel, {phone}",
        "Je suis au bureau jusqu'à 17h30, {phone}, puis chez moi.",
        "Ma collègue ({phone}) a vu la même chose avec la version {version}.",
        "Luc Morel\nAchats\n{phone}\nDossier {order}",
        "Merci de prévenir Mme Petit au {phone} dès que les {price} sont remboursés.",
    ),
    "es": (
        "El pedido {order} del {date} por {price} no ha llegado. Un saludo, Ana Gil, {phone}",
        "Estoy en la oficina hasta las 17:30, {phone}, y luego en casa.",
        "Mi compañera ({phone}) vio lo mismo con la versión {version}.",
        "Ana Gil\nCompras\n{phone}\nPedido {order}",
        "Avisen por favor al señor Ruiz en el {phone} cuando devuelvan los {price}.",
    ),
    "it": (
        "L'ordine {order} del {date} per {price} non è arrivato. Saluti, Ugo Neri, {phone}",
        "Sono in ufficio fino alle 17:30, {phone}, poi a casa.",
        "La mia collega ({phone}) ha visto lo stesso con la versione {version}.",
        "Ugo Neri\nAcquisti\n{phone}\nOrdine {order}",
        "Avvisate per favore la signora Riva al {phone} quando rimborsate i {price}.",
    ),
    "pt": (
        "O pedido {order} de {date} no valor de {price} não chegou. Atenciosamente, Rui Dias, {phone}",
        "Estou no escritório até às 17:30, {phone}, e depois em casa.",
        "A minha colega ({phone}) viu o mesmo com a versão {version}.",
        "Rui Dias\nCompras\n{phone}\nPedido {order}",
        "Avisem por favor a senhora Alves no {phone} quando devolverem os {price}.",
    ),
    "nl": (
        "Bestelling {order} van {date} voor {price} is er nog niet. Groet, Bas Kok, {phone}",
        "Ik ben tot 17:30 op kantoor, {phone}, daarna thuis.",
        "Mijn collega ({phone}) zag hetzelfde met versie {version}.",
        "Bas Kok\nInkoop\n{phone}\nBestelling {order}",
    ),
    "pl": (
        "Zamówienie {order} z {date} na {price} nie dotarło. Pozdrawiam, Ewa Lis, {phone}",
        "Jestem w biurze do 17:30, {phone}, potem w domu.",
        "Moja koleżanka ({phone}) widziała to samo w wersji {version}.",
        "Ewa Lis\nZakupy\n{phone}\nZamówienie {order}",
    ),
    "cs": (
        "Objednávka {order} ze dne {date} za {price} nedorazila. S pozdravem, Jan Malý, {phone}",
        "Jsem v kanceláři do 17:30, {phone}, potom doma.",
        "Moje kolegyně ({phone}) viděla totéž ve verzi {version}.",
        "Jan Malý\nNákup\n{phone}\nObjednávka {order}",
    ),
    "sv": (
        "Beställning {order} från {date} på {price} har inte kommit. Hälsningar, Ida Berg, {phone}",
        "Jag är på kontoret till 17:30, {phone}, sedan hemma.",
        "Min kollega ({phone}) såg samma sak med version {version}.",
        "Ida Berg\nInköp\n{phone}\nBeställning {order}",
    ),
    "da": (
        "Bestilling {order} fra {date} på {price} er ikke kommet. Hilsen, Bo Holm, {phone}",
        "Jeg er på kontoret til 17:30, {phone}, derefter hjemme.",
        "Min kollega ({phone}) så det samme med version {version}.",
        "Bo Holm\nIndkøb\n{phone}\nBestilling {order}",
    ),
    "ja": (
        "{date}の注文{order}({price})がまだ届きません。佐藤 {phone}",
        "17:30まで会社におります。{phone}、その後は自宅です。",
        "同僚({phone})もバージョン{version}で同じ状態です。",
        "佐藤花子\n購買部\n{phone}\n注文 {order}",
    ),
}
_DATES = ("{d:02}.{m:02}.20{y}", "20{y}-{m:02}-{d:02}", "{d}/{m}/20{y}", "{d:02}-{m:02}-20{y}")
_PRICES = ("{a},{c:02} EUR", "€ {a}.{c:02}", "1.{a}.{b},{c:02} €", "{a} {b} Kč", "$1,{b}.{c:02}", "{a}.{c:02} USD")
_ORDERS = ("{a}-{b}-{c:04}", "A{a}{b}", "{a}{b}", "20{c:02}-{a}{b}", "{a}/{b}", "BX-{a}.{b}")
_OWN_LANGUAGE = 0.75


class Sentence(NamedTuple):
    """A sentence, the telephone number in it, and its country."""

    text: str
    phone: str
    country: str


def sentences(count: int, seed: int = 0) -> list[Sentence]:
    """As many sentences, the countries in turn."""
    chance = random.Random(seed)
    return [_sentence(chance, list(_COUNTRIES)[at % len(_COUNTRIES)]) for at in range(count)]


def _sentence(chance: random.Random, country: str) -> Sentence:
    own, forms = _COUNTRIES[country]
    language = own if chance.random() < _OWN_LANGUAGE else "en"
    phone = _number(chance, country, chance.choice(forms.split("|")))
    parts = {
        "order": _filled(chance, _ORDERS),
        "price": _filled(chance, _PRICES),
        "date": _filled(chance, _DATES),
        "version": ".".join(str(chance.randint(0, 30)) for _ in range(chance.randint(2, 4))),
    }
    return Sentence(chance.choice(_SENTENCES[language]).format(phone=phone, **parts), phone, country)


def _filled(chance: random.Random, forms: tuple[str, ...]) -> str:
    three = {name: chance.randint(100, 999) for name in "ab"}
    return chance.choice(forms).format(
        **three, c=chance.randint(0, 99), d=chance.randint(1, 28), m=chance.randint(1, 12), y=chance.randint(20, 29)
    )


def _number(chance: random.Random, country: str, form: str) -> str:
    """A valid number in this form, with the country's code for its plus sign, or two zeros and the code."""
    code = phonenumbers.country_code_for_region(country)
    form = form.replace("+", f"+{code}" if chance.random() < 0.7 else f"00{code}")
    while True:
        written = "".join(str(chance.randint(0, 9)) if char == "X" else char for char in form)
        read = "+" + written[2:] if written.startswith("00") else written
        if phonenumbers.is_valid_number(phonenumbers.parse(read, country)):
            return written

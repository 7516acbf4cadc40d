"""A table of invented texts in many languages: what stands between ``<<`` and ``>>`` goes, everything else stays.

Every number is made up (checksums fitted by hand), every key is put together from pieces so that no scanner takes
this file for a leak.
"""

from __future__ import annotations

import re

from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.models import RedactionLevel

from ..support.cases import for_each

SECRETS, STANDARD, STRICT = RedactionLevel

GOES_AT_EVERY_LEVEL = """
CARD | Bitte buchen Sie von Karte <<5555 5555 5555 4444>> ab, danke
CARD | mi tarjeta <<4012-8888-8888-1881>> fue rechazada
CARD | carte bancaire n° <<6011111111111117>>, merci
CARD | Amex: <<3714-496353-98431>>
CARD | my card is <<3530.1113.3330.0000>> and it fails
CARD | kaart <<5105 1051 0510 5100>> is geweigerd
CARD | <<4222222222222>> is the old one
CARD | card:<<4 0 1 2 8 8 8 8 8 8 8 8 1 8 8 1>>
SECRET | Password - <<hunter22>>
SECRET | The password I use is <<Sommer#1>>
SECRET | My new password is "<<Blue Sky 99>>"
SECRET | Windows key <<W269N-WFGWX-YVC9B-4J6C9-T83GX>>
NATIONAL_ID | My Medicare number is <<1EG4-TE5-MK73>>
NATIONAL_ID | NRIC <<S1234567D>>
CARD | carta <<4012/8888/8888/1881>>
CARD | il numero della carta è <<30569309025904>>
IBAN | Kontoverbindung: <<DE75 5121 0800 1245 1261 99>>
IBAN | <<FR14 2004 1010 0505 0001 3M02 606>> est mon compte
IBAN | accredito su <<IT60X0542811101000000123456>>
IBAN | naar <<NL91 ABNA 0417 1643 00>> overmaken
IBAN | transferir a <<ES91-2100-0418-4502-0005-1332>> por favor
IBAN | NIB <<PT50 0002 0123 1234 5678 9015 4>>
IBAN | <<pl61109010140000071219812874>>
IBAN | IBAN is <<CH93 0076 2011 6238 5295 7>>.
SSN | my SSN <<212-45-6789>> leaked
SSN | Social Security: <<212 45 6789>>
NATIONAL_ID | My Aadhaar number is <<4321 8765 0912>> please update
NATIONAL_ID | mon numéro de sécurité sociale est <<1 85 05 78 006 084 91>>
NATIONAL_ID | DNI <<12345678Z>> del titular
NATIONAL_ID | meu CPF é <<390.533.447-05>> ok
NATIONAL_ID | CPF <<39053344705>>
NATIONAL_ID | PESEL: <<44051401359>>
NATIONAL_ID | BSN <<111222333>> staat verkeerd
NATIONAL_ID | AHV-Nummer <<756.9217.0769.85>> stimmt nicht
NATIONAL_ID | codice <<RSSMRA85T10A562S>> del cliente
NATIONAL_ID | NI number <<QQ 12 34 56 C>>
NATIONAL_ID | National Insurance number: <<AB123456C>>
NATIONAL_ID | NHS number <<943 476 5919>>
NATIONAL_ID | Personalausweisnummer <<L01X00T471>> ist abgelaufen
NATIONAL_ID | RUT <<12.345.678-5>> del comprador
NATIONAL_ID | personnummer <<811228-9874>>
NATIONAL_ID | henkilötunnus <<131052-308T>>
NATIONAL_ID | SIN <<046 454 286>> was refused
NATIONAL_ID | identity card number <<AX1234567>>
NATIONAL_ID | Sozialversicherungsnummer: <<65 170839 J 003>>
NATIONAL_ID | rijksregisternummer <<85.07.30-033.28>>
TAX_ID | Steuer-ID: <<36 574 261 809>>
TAX_ID | Steuernummer <<181/815/08155>> fehlt
TAX_ID | PAN card number <<ABCPE1234F>>
TAX_ID | my tax ID is <<94-3141592>>
TAX_ID | numéro fiscal <<30 23 217 600 053>>
TAX_ID | TFN <<123 456 782>>
TAX_ID | CNPJ <<11.222.333/0001-81>>
PASSPORT | passport number <<C01X00T47>> expired
PASSPORT | Reisepassnummer: <<C4VPY1234>>
PASSPORT | Mon passeport <<12AB34567>> est perdu
PASSPORT | pasaporte nº <<XDA123456>>
LICENCE | driver's license <<D1234-56789-01234>>
LICENCE | Führerscheinnummer <<B072RRE2I55>>
LICENCE | permis de conduire n° <<12AA34567>>
ACCOUNT | bank account number <<1234567890>> was debited
ACCOUNT | routing number: <<021000021>>
ACCOUNT | Kontonummer <<532013000>>
ACCOUNT | sort code <<20-00-00>>
ACCOUNT | BLZ <<37040044>> Berlin
SECRET | mein Passwort ist <<Winter!2026>> bitte ändern
SECRET | mot de passe: <<Bonjour123>>
SECRET | la contraseña es <<Gato#77>>, gracias
SECRET | la mia password è <<Ciao2024>>, grazie
SECRET | minha senha é <<Lua2023x>> e não entra
SECRET | mijn wachtwoord is <<Fiets99>>
SECRET | moje hasło to: <<Kot12345>>
SECRET | мой пароль: <<Zima2024>>
SECRET | pwd=<<hunter2>> in the config
SECRET | log in with password "<<correcthorse>>" now
SECRET | login: bob / <<s3cret!pw>>
SECRET | your verification code is <<839201>>
SECRET | PIN: <<4711>> am Automaten
SECRET | der Bestätigungscode lautet <<552913>>
SECRET | API_KEY=<<a8f5f167f44f4964e6c998dee827110c>>
SECRET | Client Secret: <<Zx81-9Kd0sLpQ2m>>
SECRET | Authorization: Bearer <<abcDEF1234567890xyz>>
SECRET | access token <<9f8e7d6c5b4a3928>> expired
URL | open <<https://bob:pw@intranet.example/x>> there
URL | <<https://shop.example/login?session=abc123def>>
URL | link: <<https://app.example/password-reset/8d7f6e5c4b3a2910>>
"""

KEYS = [
    "gl" + "pat-" + "x1Y2z3A4b5C6d7E8f9G0",
    "xo" + "xp-" + "1234567890-abcdefABCDEF",
    "S" + "G." + "ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf09kqeF8tAmbihYzrnopKc",
    "AI" + "za" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6",
    "sk-" + "proj-" + "abcd1234efgh5678ijkl9012",
    "sk-" + "ant-" + "api03-abcd1234efgh5678ijkl",
    "rk_" + "live_" + "51H8abcdEFGH1234",
    "github_" + "pat_" + "11ABCDEFG0abcdefghij_klmnop",
    "np" + "m_" + "abcdefghijklmnopqrstuvwxyz0123456789",
    "h" + "vs." + "CAESIJabcdefghijklmnop1234",
    "dckr_" + "pat_" + "abcdefghijklmnopqrstuvwx12",
    "AS" + "IA" + "Y34FZKBOKMUTVV7A",
    "shp" + "at_" + "c0ffee00c0ffee00c0ffee00c0ffee00",
    "hf" + "_" + "abcdefghijklmnopqrstuvwxyzABCDEF12",
    "key" + "-" + "3ax6xnjp29jd6fds4gc373sgvjxteol0".translate(str.maketrans("xnjpsgvtol", "a1b2c3d4e5")),
    "ey" + "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl",
    "-----BEGIN " + "OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----",
    "-----BEGIN " + "PGP MESSAGE-----\n\nhQEMA1\n-----END PGP MESSAGE-----",
]

GOES_AT_STANDARD = """
EMAIL | schreiben Sie an <<Max.Mustermann+shop@Firma.example>>
EMAIL | <<bob[at]example[dot]com>> is mine
EMAIL | reach me: <<bob at example dot com>> please
EMAIL | erreichbar unter <<anna (at) beispiel (punkt) de>>
EMAIL | correo <<ana arroba ejemplo punto es>> gracias
EMAIL | contatto: <<luca chiocciola esempio punto it>>
EMAIL | mail <<jo@example[.]org>>
EMAIL | (<<o'neil@mail.example>>)
PHONE | call me at <<+1 (212) 555-0187>> today
PHONE | Tel. <<0049 89 1234567>>
PHONE | mobile <<07911 123456>>
PHONE | Rückruf unter <<0151-23456789>>
PHONE | appelez le <<06 12 34 56 78>>
PHONE | mi móvil es <<612 345 678>>
PHONE | cellulare <<347 123 4567>>
PHONE | ligue para <<(11) 91234-5678>>
PHONE | bel <<06-12345678>> graag
PHONE | Phone<<+48 22 123 45 67>>
PHONE | <<+33 1 42 68 53 00>>Cordialement
PHONE | office <<212-555-0199 ext. 42>>
PHONE | Telefon: <<030 901820-15>>
PHONE | <<+91 98765 43210>> is my WhatsApp
PHONE | Mi número de teléfono es el <<91 123 45 67>>
PHONE | Ring me on <<07700900123>> thanks
PHONE | unsere Zentrale unter <<030 23125 014>>
ADDRESS | <<ul. Marszałkowska 10, 00-590 Warszawa>>
ACCOUNT | Mein Konto <<1234567890>> fehlt
PHONE | 電話 <<03-1234-5678>>
PHONE | <<(020) 7946 0123>>
IP | logins from <<198.51.100.23>> since Monday
IP | host <<2001:db8:85a3::8a2e:370:7334>> is down
IP | my router <<192.0.2.1>>? no: <<10.20.30.40>>
BIRTH_DATE | date of birth: <<1984-03-12>>
BIRTH_DATE | I was born on <<March 12, 1984>>, in Leeds
BIRTH_DATE | geboren am <<12.03.1984>> in Köln
BIRTH_DATE | Geburtsdatum <<12. März 1984>>
BIRTH_DATE | née le <<12/03/1984>>
BIRTH_DATE | fecha de nacimiento: <<12 de marzo de 1984>>
BIRTH_DATE | data di nascita <<12/03/84>>
BIRTH_DATE | data de nascimento: <<12-03-1984>>
BIRTH_DATE | geboortedatum <<12-03-1984>>
BIRTH_DATE | DOB <<03/12/1984>>
BIRTH_DATE | data urodzenia: <<12.03.1984>>
ADDRESS | send it to <<221B Baker Street>> please
ADDRESS | ship to <<1600 Pennsylvania Avenue NW>>
ADDRESS | ship to <<742 Evergreen Terrace, Springfield, IL 62704>> today
ADDRESS | Lieferung an <<Musterstraße 12a, 50667 Köln>> bitte
ADDRESS | wohne <<Am Hang 7, 10115 Berlin>> jetzt
ADDRESS | Adresse ist <<Lindenallee 3>> geworden
ADDRESS | j'habite <<12 rue de la Paix, 75002 Paris>>
ADDRESS | livrer au <<8 bis avenue Foch>>
ADDRESS | vivo en <<Calle de Alcalá 45, 28014 Madrid>>
ADDRESS | consegna in <<Via Garibaldi 10, 20121 Milano>>
ADDRESS | entregar na <<Rua das Flores, 123>> hoje
ADDRESS | bezorgen op <<Keizersgracht 174, 1016 DW Amsterdam>>
ADDRESS | write to <<P.O. Box 1234>> instead
ADDRESS | <<Postfach 10 20 30>> genügt
ADDRESS | my postcode is <<SW1A 1AA>>
ADDRESS | PLZ: <<50667>>
ADDRESS | moved to <<Austin, TX 78701>>
ACCOUNT | account number <<00123456>> is closed
"""

GOES_AT_STRICT = """
URL | see <<https://example.com/help>> or so
URL | see <<www.example.com/help>>.
HANDLE | thanks <<@jane_doe>>!
CUSTOMER_ID | customer number <<4711-0815>>
CUSTOMER_ID | Kundennummer: <<87654321>>
CUSTOMER_ID | policy no. <<HX-220145>>
NAME | my name is <<Maria Gonzalez>> and I wait
NAME | Mein Name ist <<Jürgen Groß>>.
NAME | je m'appelle <<Chloé Dubois>>, bonjour
NAME | me llamo <<Lucía Ortega>>
NAME | mi chiamo <<Giulia Bianchi>>
NAME | ik heet <<Daan de Vries>>
NAME | Best regards, <<Anna Schmidt>>
NAME | Mit freundlichen Grüßen\\n<<Peter Lustig>>
NAME | Cordialement,\\n<<Jean Dupont>>
NAME | Dear Ms <<Carter>>,
NAME | Sehr geehrter Herr <<Vogel>>,
NAME | Name: <<Tom Baker>>
NAME | I am <<Priya Patel>> from Pune
"""

STAYS = """
order 100-2000-3000 from 2024-03-15 is late
Order number 4711001234 has not come
Bestellnummer 4711001234 fehlt
Bestellung Nr. 0815-4711-22 vom 03.04.2024
commande n° 123456789 du 12/03/2024
pedido 2024/004711 de 49,90 €
ordine 98765432 in ritardo
bestelling 123 456 789 niet ontvangen
tracking 1Z999AA10123456784 says delivered
tracking JJD000390007712345678
DHL 00340434161094042557 hängt
RMA-20240315-0042 is open
invoice INV-2024-000815, amount 1.299,00 EUR
we paid $1,234,567.89 on March 12, 2024
refund of 3 x 49.90 within 14 days
serial number SN 8374-2231-9987
part no. 123-45-6789-0
IMEI 356938035643809 is locked
version 10.15.7 build 19H2026
firmware 2.4.1.9 was installed
upgraded from 10.1.2.3 to version 10.1.2.4
Chrome 120.0.0.0 on Windows 10.0.19045
OpenCV 4.5.5, Python 3.11.4, CUDA 11.8
netmask 255.255.255.0, loopback 127.0.0.1
[2024-03-15 10:30:45,123] ERROR 5021: timeout after 30000 ms
2024-03-15T10:30:45.123456Z pid=48213 tid=139872
GET /api/v2/orders/123456789 HTTP/1.1 200 5320
at com.example.Foo.bar(Foo.java:1234)
0x7ffdeadbeef1234 in thread 140735
d41d8cd98f00b204e9800998ecf8427e is the MD5
commit 9fceb02d0ae598e95dc970b74767f19372d61af8
550e8400-e29b-41d4-a716-446655440000 is the request
sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
MAC 00:1A:2B:3C:4D:5E is unknown
meeting on 12.03.2024 at 14:30, room 204
from 9:00 to 17:00, Monday to Friday
between 2019-2023 we had 1,500 users
the flight 2348/3499 was cancelled
population 1 234 567 890
12 345 678 views and 98 765 likes
GTIN 4006381333931, EAN 5901234123457
ISBN 978-0-306-40615-7
4111 1111 1111 1112 fails
12345678901234567890 is too long
my password does not work, the password reset neither
Passwort vergessen? Das Passwort ist falsch.
mot de passe oublié, il est expiré
la contraseña es incorrecta
password: reset
PASS: unit/test_one
I can pass `readOnly` to it
use std::pass::Serialize here
the token is invalid and the api key was rotated
the code is 404
error code 0x80070005
PIN pad does not react
the secret to success is patience
my passport has expired
driver's license renewal takes 3 weeks
please update my tax information for 2024
RFC 2616 and RFC 7231 apply
SIN and PAN are abbreviations
the national insurance letter arrived
my birthday is on the weekend
born in the 1980s
the meeting on 12/03/2024 went well
24 Hour support, 7 Day returns
1 TB Hard Drive and 16 GB RAM
During 1971 and Spring 2024 sales fell
ThinkPad 14 and Notepad 7 crash
Speicherplatz 50 GB, Arbeitsplatz 12
via Outlook 365 or via Zoom 5
Via Windows 11 it works
Step 3 Place the device flat
place 2 orders
room 12, 3rd floor
Windows 11 23H2 build 22631.3296
we met @ 5 pm
std::map<int> a::b and c::d
ratio 16:9, scale 1:200
Paris, 12 March 2024
section 3.2.1.4 of the manual
https://example.com/orders/123456789
https://example.com/help/how-to-reset-your-password
git clone git@github.com:org/repo.git
Dell XPS 13 9310 ordinateur portable
call me about order 123456789
Frage zu Rechnung 2024-0815 über 119,00 €
CP7 and CP2207 are error codes
ticket #48213, case 00012345
SKU 1234-567-89 size 42
account closed in 2023
GPU arch: 35 37 50 52 60 61 70 75 80
v1.2.3.4-rc1 and =>4.5.5.64
Ref 07700900123
Order #555-867-5309
your ticket 4242424242424241 is closed
The card ending in 4242 was charged on 04/12/2024
FedEx 7712 3456 7890
VAT number DE123456789
size 10 x 20 x 30 cm, 2.5 kg
"""


def _rows(table: str) -> list[tuple[str, str]]:
    return [tuple(line.split(" | ", 1)) for line in table.strip().split("\n")]  # type: ignore[misc]


def _expected(kind: str, marked: str) -> tuple[str, str]:
    """The text, and what redaction makes of it: each marked value numbered in order."""
    marked = marked.replace("\\n", "\n")
    values = list(dict.fromkeys(re.findall(r"<<(.*?)>>", marked)))
    expected = marked
    for number, value in enumerate(values, start=1):
        expected = expected.replace(f"<<{value}>>", f"[{kind}_{number}]")
    return marked.replace("<<", "").replace(">>", ""), expected


@for_each(("kind", "marked"), _rows(GOES_AT_EVERY_LEVEL))
def test_what_is_worth_stealing_goes_at_every_level(kind: str, marked: str) -> None:
    text, expected = _expected(kind, marked)
    assert [redact(text, level=level).text for level in RedactionLevel] == [expected] * 3


@for_each("key", KEYS)
@for_each("level", list(RedactionLevel))
def test_a_key_goes_at_every_level_and_the_words_around_it_stay(key: str, level: RedactionLevel) -> None:
    assert redact(f"it was {key} in the log", level=level).text == "it was [SECRET_1] in the log"


@for_each(("kind", "marked"), _rows(GOES_AT_STANDARD))
def test_what_tells_who_or_where_somebody_is_goes_from_standard_on(kind: str, marked: str) -> None:
    text, expected = _expected(kind, marked)
    assert [redact(text, level=level).text for level in (SECRETS, STANDARD)] == [text, expected]
    assert expected == redact(text, level=STRICT).text


@for_each(("kind", "marked"), _rows(GOES_AT_STRICT))
def test_links_handles_customer_numbers_and_signatures_go_at_the_strict_level_only(kind: str, marked: str) -> None:
    text, expected = _expected(kind, marked)
    assert [redact(text, level=level).text for level in RedactionLevel] == [text, text, expected]


@for_each("text", STAYS.strip().split("\n"))
def test_what_only_looks_personal_stays(text: str) -> None:
    assert [redact(text, level=level).text for level in (SECRETS, STANDARD)] == [text, text]


@for_each("text", [line for line in STAYS.strip().split("\n") if "http" not in line])
def test_orders_dates_and_amounts_stay_at_the_strict_level_too(text: str) -> None:
    assert redact(text, level=STRICT).text == text

"""Postal addresses, as far as their way of writing tells: street with number in seven languages, post boxes, US lines.

A town or a country alone says little about anybody and stays; so does a street without a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....core.lazy_pattern import lazy_pattern
from .scan import Scan, Span, Stems

_W = r"(?!Apt\b|Suite\b|Unit\b)[A-ZÀ-ÖØ-ÞŁŚŻČŠŽ](?:[a-z]?\.(?= )|[\w'’\-]{0,24})"
"""A capitalised word, or one cut short ("St.")."""
_STATES = (
    r"A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]"
    r"|W[AIVY]"
)
_UNIT = r"(?:[,\s]{1,2}(?i:apt|apartment|suite|ste|unit|flat|floor|room|#)\b\.? ?#? ?[\w\-]{1,6})?"
_US_TOWN = rf"(?:[,\s]{{1,2}}{_W}(?: {_W}){{0,2}},? (?:{_STATES}),? \d{{5}}(?:-\d{{4}})?)"
_UK_CODE = r"(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})"
_UK_TOWN = rf"(?:[,\s]{{1,2}}{_W}(?: {_W}){{0,2}},? {_UK_CODE})"
_STREET_EN = (
    r"(?i:street|avenue|ave|road|rd|lane|drive|boulevard|blvd|court|place|square|terrace|crescent|parkway|pkwy|highway"
    r"|hwy|trail|mews|gardens|grove|close|turnpike)|St|Ln|Dr|Ct|Sq|Pl|Cir|Ter|Way"
)
_EN = lazy_pattern(
    rf"\d(?<![\w.,#$€£\-/]\d)\d{{0,5}}[A-Za-z]?,? (?:(?:[NSEW]|North|South|East|West)\.? )?(?:(?:\d{{1,3}}(?:st|nd"
    rf"|rd|th)|{_W}) ){{1,3}}?"
    rf"(?<!Hard )(?<!Flash )(?<!Google )(?<!USB )(?<!Thumb )(?<!State )(?<!Disk )(?<!Pen )(?<!One )(?<!Tape )(?<!Zip )"
    rf"(?:{_STREET_EN})\b\.?(?: [NS]?[EW]\b| [NS]\b)?{_UNIT}(?:{_US_TOWN}|{_UK_TOWN})?"
)
_EN_STEMS = Stems(
    (
        " st| ave| road| rd| lane| ln| drive| dr| boulevard| blvd| court| ct| place| pl| sq| ter| crescent| parkway|"
        " pkwy| highway| hwy| trail| mews| garden| grove| close| cir| way| turnpike"
    ).split("|")
)
_US_LINE = lazy_pattern(rf", (?:{_STATES}),? \d{{5}}(?:-\d{{4}})?(?!\d)")
_MILITARY = lazy_pattern(
    r"(?:PSC|Unit|CMR) \d{1,6},? Box \d{1,6}[\s,|]{1,4}[AFD]PO,? A[AEP] \d{5}|[AFD]PO,? A[AEP] \d{5}(?!\d)",
    re.IGNORECASE,
)
_BOX = lazy_pattern(
    r"(?<!\w)(?:p\. ?o\. ?box|po box|post office box|postfach|postbus|apartado(?: de correos| postal)?|casella postale"
    r"|caixa postal|boîte postale|(?-i:BP))(?: (?:no|nr|n°|nº)\.?)? ?:? ?\d(?: ?\d){0,6}(?!\w)"
    rf"(?:[,\s]{{1,2}}(?-i:{_W}(?: {_W}){{0,2}},? (?:{_STATES}) \d{{5}}(?:-\d{{4}})?|\d{{4,5}} {_W}(?: {_W}){{0,2}}))?",
    re.IGNORECASE,
)
_BOX_STEMS = Stems(("box", "postfach", "postbus", "apartado", "casella", "caixa", "boîte", "bp "))
_TOWN_BEHIND = rf"(?:,?\s{{1,2}}(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?: ?[A-Z]{{2}}\b)? {_W}(?:[ \-]{_W}){{0,2}})?"
_DE = lazy_pattern(
    rf"(?<!\w)(?:{_W}[ \-]){{0,2}}?(?:[A-ZÄÖÜ][\wäöüß.\-]{{1,30}}(?:straße|strasse|str\.|(?<!Aus)(?<!Rück)(?<!Hin)weg"
    rf"|(?<!rbeits)(?<!peicher)(?<!teck)(?<!tell)(?<!Park)(?<!itz)(?<!piel)(?<!ager)platz|allee|gasse|damm|ufer"
    rf"|chaussee)|{_W}er (?:Straße|Strasse|Str\.|Weg|Platz|Allee|Ring|Damm|Chaussee)"
    r"|[A-ZÄÖÜ][\wäöüß.\-]{2,30}(?:ring|markt|graben|hof|berg|wiese|pfad|steig)(?=[ ]\d{1,4} ?[a-z]?,? ?\n?\d{5} )"
    r"|(?:Am|Im|An der|An den|Auf der|Auf dem|Zum|Zur) [A-ZÄÖÜ][\wäöüß\-]{2,24}(?=[ ]\d{1,4} ?[a-z]?,? ?\n?\d{5} ))"
    rf",? (?:Nr\.? ?)?\d{{1,4}}(?:[ ]?[a-zA-Z](?!\w))?(?:[\-/]\d{{1,4}})?(?![\d%€:]|[.,]\d){_TOWN_BEHIND}"
)
_DE_STEMS = Stems(
    (
        "straße|strasse|str.|weg |platz |allee|gasse|damm |ufer |chaussee|steig |ring |markt |graben |hof |berg |"
        "wiese |pfad |am |im |an de|auf de|zum |zur |weg,"
    ).split("|")
)
_FR_JOIN = r"(?:(?:de|du|des|la|le|les|aux?|à|sous|sur|et) |[ld][’'])"
_FR = lazy_pattern(
    r"\d(?<![\w.,\-/]\d)\d{0,3}(?: ?(?:bis|ter|quater|[A-D]))?,? (?:(?i:rue|avenue|av\.|boulevard|bd\.?|place|chemin"
    r"|allée|allee|impasse"
    rf"|quai|faubourg|sentier|ruelle)|(?i:cours|passage|route|villa|square)(?= {_FR_JOIN}))"
    rf" {_FR_JOIN}{{0,3}}{_W}(?:[ \-]{_FR_JOIN}{{0,2}}{_W}){{0,4}}{_UNIT}{_TOWN_BEHIND}"
)
_FR_STEMS = Stems(
    (
        "rue |avenue |av. |boulevard |bd |bd. |place |chemin |allée |allee |impasse |quai |cours |passage |faubourg |"
        "route |villa |sentier |ruelle "
    ).split("|")
)
_ROMANCE_JOIN = r"(?:(?:de|del|della|dei|degli|delle|di|do|da|dos|das|e|y|la|el|los|las) |dell[’']|\d{1,2} de )"
_ROMANCE = lazy_pattern(
    r"(?<!\w)(?:(?i:calle|c/|avda\.?|avenida|av\.|plaza|pza\.?|paseo|carrera|cra\.?|camino|ronda|travesía|glorieta"
    r"|viale|piazza|piazzale|corso|largo|vicolo|strada|contrada|lungomare|rua|travessa|praça|estrada|alameda|ul\."
    r"|al\.|os\.)"
    # "via" is a street in Italy, and the way something was done elsewhere.
    r"|Via(?! (?i:outlook|windows|chrome|office|ios|android|firefox|edge|zoom|teams|sap|python|api|excel|app|email"
    r"|mail|vpn)))"
    rf" ?{_ROMANCE_JOIN}{{0,3}}{_W}(?: {_ROMANCE_JOIN}{{0,3}}{_W}){{0,4}}"
    r",? (?:(?i:nº|n°|n\.º|n\.|num\.?|número|numero|nr\.?) ?)?\d{1,5}(?:[ /\-]?[A-Z](?!\w))?(?![\d%€:]|[.,]\d)"
    rf"(?:,? (?i:\d{{1,2}}[º°ª]|piso|apto\.?|int\.|scala|andar)[\w º°ª]{{0,12}})?{_UNIT}"
    rf"(?:[,\s]{{1,3}}(?:\d{{5}}-\d{{3}}|\d{{4}}-\d{{3}}|\d{{5}}|\d\d-\d{{3}}) {_W}(?:[ \-]{_W}){{0,2}})?"
)
_ROMANCE_STEMS = Stems(
    (
        "calle |c/|avda|avenida |av. |plaza |pza|paseo |carrera |cra|camino |ronda |travesía|glorieta|via |viale |"
        "piazza|corso |largo |vicolo |strada |contrada|lungomare|rua |r. |travessa |praça |estrada |alameda |ul. |al. |"
        "os. "
    ).split("|")
)
_NL = lazy_pattern(
    rf"(?<!\w)(?:{_W} ){{0,2}}?[A-Z][\w'\-]{{2,30}}(?:straat|laan|weg|plein|gracht|(?<!De)kade|singel|dijk|burgwal"
    rf"|plantsoen|(?:dreef|steeg|hof|park|pad)(?= \d{{1,4}} ?[a-z]?,?\s{{1,2}}\d{{4}} ?[A-Z]{{2}}))"
    r" \d{1,4}(?: ?[a-zA-Z](?!\w)| ?-? ?(?:hs|bis|I{1,3})\b)?(?![\d%€:]|[.,]\d)"
    rf"(?:[,\s]{{1,2}}\d{{4}} ?[A-Z]{{2}}(?: {_W}){{0,3}})?"
)
_NL_STEMS = Stems(
    ("straat |laan |weg |plein |gracht |kade |singel |dijk |dreef |steeg |burgwal |plantsoen |park |pad ").split("|")
)
_NL_CODE = lazy_pattern(rf"[1-9](?<![\w.\-][1-9])\d{{3}} ?(?!SA|SD|SS)[A-Z]{{2}},? {_W}(?![\w])")
_UK_LINE = lazy_pattern(rf", {_UK_CODE}(?![\w\-])")
_TOWN = lazy_pattern(rf"(?<![\w.])(?:{_W} ){{0,2}}{_W}$")
_CODE_NAMED = lazy_pattern(
    r"(?<![^\W_])(?:zip|zip ?-?code|post(?:al)? ?code|plz|postleitzahl|code postal|código postal|codice postale"
    r"|(?-i:CAP|CEP|CP|PIN code)|postcode)(?=[ :=])"
    r"(?: (?:is|ist|est|es|é|è))?(?: ?[:=])? ?((?-i:[A-Z]{0,2})\d[\dA-Za-z]{1,5}(?:[ \-](?-i:\d[A-Z]{2}|[A-Z]{2}"
    r"|\d{3,4}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d[A-Z]\d))?)(?![\w])",
    re.IGNORECASE,
)
_LABELLED = lazy_pattern(
    r"^[ \t]{0,4}(?:(?:postal|mailing|home|billing|shipping|delivery|street|my)?[ ]?address|(?:liefer|rechnungs|privat"
    r"|post)?(?:adresse|anschrift)|adresse(?: postale| de livraison)?|dirección(?: postal| de envío)?"
    r"|indirizzo(?: di \w{4,12})?|endereço|morada|adres)[ \t]?:[ \t]{0,3}"
    r"((?=[^\n]{0,119}\d)(?![^\n]{0,119}(?:@|://))[^\n\[]{8,120})$",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL_STEMS = Stems(("address", "adress", "anschrift", "dirección", "indirizzo", "endereço", "morada", "adres"))

_FORMS: tuple[tuple[Stems, re.Pattern[str]], ...] = (
    (_LABEL_STEMS, _LABELLED),
    (_BOX_STEMS, _BOX),
    (Stems(("apo", "fpo", "dpo")), _MILITARY),
    (_EN_STEMS, _EN),
    (_FR_STEMS, _FR),
    (_ROMANCE_STEMS, _ROMANCE),
    (_DE_STEMS, _DE),
    (_NL_STEMS, _NL),
    (Stems(("zip", "post", "plz", "code postal", "código", "codice", "cap", "cep", "cp", "pin code")), _CODE_NAMED),
)


def postal_addresses(scan: Scan) -> Iterator[Span]:
    """Streets with their number and what follows of the address, post boxes, named post codes, ``Town, ST 12345``."""
    for stems, pattern in _FORMS:
        for match in scan.near(pattern, stems, before=90, behind=200, digits=True):
            group = match.lastindex or 0
            yield _address(scan.text, match.start(group), match.end(group))
    for pattern in (_US_LINE, _UK_LINE) if ", " in scan.text else ():
        for match in pattern.finditer(scan.text):
            town = _TOWN.search(scan.text, max(0, match.start() - 60), match.start())
            if town is not None:
                yield _address(scan.text, town.start(), match.end())
    for match in _NL_CODE.finditer(scan.text) if scan.digits >= 4 else ():
        yield _address(scan.text, match.start(), match.end())


def _address(text: str, start: int, end: int) -> Span:
    return Span(start, end, "ADDRESS", " ".join(text[start:end].casefold().split()))
